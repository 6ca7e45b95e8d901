//! The verdict does not depend on how the zone is cut into partitions, and wrong borders are noticed.

use super::faults::{ksk, zsk};
use super::zone::{Denial, Zone, name};
use crate::verify::{Rule, join, survey_apex, verify_partition};
use crate::{Locus, NodeList, RecordRef, RecordType as T};

const TEXT: &str = "
    @ 3600 SOA ns host 1 7200 900 1209600 300
    @ 3600 NS ns
    ns 3600 A 192.0.2.1
    a.b.ent 3600 TXT deep
    c.b.ent 3600 NS ns
    d.c.b.ent 3600 A 192.0.2.1
    e.c.b.ent 3600 A 192.0.2.1
    f.b.ent 3600 NS ns
    x.only 3600 NS ns
    y.only 3600 NS ns
    both 3600 TXT x
    y.both 3600 NS ns
    z.both 3600 TXT x
    moved 3600 DNAME else.test.
    p.moved 3600 NS ns
    q.p.moved 3600 TXT x
    r.moved 3600 TXT x
    s.r.moved 3600 TXT x
    secure 3600 NS ns.secure
    secure 3600 DS 04d20f02aabb
    ns.secure 3600 A 192.0.2.4
    zz 3600 TXT x
";

fn zones() -> Vec<Zone> {
    let nsec3 = |opt_out| Denial::Nsec3 {
        iterations: 0,
        salt: b"\x01",
        opt_out,
    };
    [Denial::Nsec, nsec3(false), nsec3(true)]
        .iter()
        .map(|denial| Zone::parse("example.", TEXT).sign(&[ksk(), zsk()], denial))
        .collect()
}

#[test]
fn every_layout_gives_one_verdict() {
    for zone in zones() {
        let whole = zone.verify();
        assert!(whole.is_good(), "{:#?}", whole.findings);
        for block in [false, true] {
            for step in 1..5 {
                let report = zone.verify_at(|place, _| place % step == 0, block);
                assert!(report.is_good(), "{:#?}", report.findings);
                assert_eq!(report.counts, whole.counts);
            }
        }
    }
}

#[test]
fn faults_across_borders_are_found() {
    let mut zone = zones().remove(0);
    let next = zone.set_mut("both", T::NSEC).remove(0);
    let bitmap = next.rdata.split_off(name("y.both.example.").borrow().wire().len());
    next.rdata = [name("z.both.example.").borrow().wire(), &bitmap].concat();
    zone.sign_set(&name("both.example."), T::NSEC);
    for step in 1..5 {
        let report = zone.verify_at(|place, _| place % step == 0, false);
        assert_eq!(report.count(Rule::NsecNext), 1);
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].owner, name("both.example."));
    }
}

#[test]
fn letter_case_does_not_matter_at_a_border() {
    let mut zone = zones().remove(0);
    for record in zone.records.iter_mut().filter(|record| record.rtype == T::NSEC) {
        let start = record.rdata[0];
        record.rdata[1..=usize::from(start)].make_ascii_uppercase();
    }
    zone.sign_all();
    for step in 1..5 {
        let report = zone.verify_at(|place, _| place % step == 0, false);
        assert!(report.is_good(), "{:#?}", report.findings);
    }
}

#[test]
fn wrong_borders_and_orders_are_noticed() {
    let zone = zones().remove(0);
    let record = |index: usize| {
        let record = &zone.records[index];
        RecordRef {
            rtype: record.rtype,
            ttl: record.ttl,
            rdata: &record.rdata,
            locus: Locus::default(),
        }
    };
    let names: Vec<_> = zone.names().into_values().map(|(owner, _)| owner).collect();
    let keys: Vec<_> = names
        .iter()
        .map(|owner| owner.key()[zone.origin.key().len()..].to_vec())
        .collect();
    let list = |order: &[usize]| {
        let mut list = NodeList::new();
        for &place in order {
            list.start_node_as(&keys[place], names[place].borrow());
            let mut indices: Vec<_> = (0..zone.records.len())
                .filter(|&index| zone.records[index].owner == names[place])
                .collect();
            indices.sort_by_key(|&index| zone.records[index].rtype);
            for index in indices {
                list.push(record(index));
            }
        }
        list
    };
    let all: Vec<_> = (0..names.len()).collect();
    let facts = survey_apex(list(&all).node(0), &zone.expectations).unwrap();
    let place = names
        .iter()
        .position(|owner| *owner == name("d.c.b.ent.example."))
        .unwrap();
    let (first, second) = (list(&all[..place]), list(&all[place..]));

    let before = verify_partition(&first, None, &facts);
    let cut = before.cut_after().unwrap().to_vec();
    assert!(keys[place].starts_with(&cut));
    let right = verify_partition(&second, Some(&cut), &facts);
    assert!(join([before, right], &facts).is_good());

    // The cut is not told: glue is taken for authoritative data.
    let verdicts = [
        verify_partition(&first, None, &facts),
        verify_partition(&second, None, &facts),
    ];
    assert_eq!(join(verdicts, &facts).count(Rule::Border), 1);

    // The parts change places; the apex is not among the names.
    let verdicts = [
        verify_partition(&second, Some(&cut), &facts),
        verify_partition(&first, None, &facts),
    ];
    let report = join(verdicts, &facts);
    assert!(report.count(Rule::CanonicalOrder) > 0 && report.count(Rule::Border) > 0);
    assert!(join([verify_partition(&second, Some(&cut), &facts)], &facts).count(Rule::Border) > 0);

    // Two names change places.
    let mut order = all.clone();
    order.swap(2, 3);
    let report = join([verify_partition(&list(&order), None, &facts)], &facts);
    assert_eq!(report.count(Rule::CanonicalOrder), 1);
    assert_eq!(join([], &facts).count(Rule::Border), 1);
}
