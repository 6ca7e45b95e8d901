//! Zones with NSEC3, plain and opt-out, each broken in one place.

use super::faults::{errors, ksk, zsk};
use super::zone::{Denial, Rec, Zone, bitmap, hash, name};
use crate::verify::Rule;
use crate::{Name, RecordType as T};

const TEXT: &str = "
    @ 3600 SOA ns.Example. host.example. 1 7200 900 1209600 300
    @ 3600 NS ns
    ns 3600 A 192.0.2.1
    a.b.ent 3600 TXT deep
    secure 3600 NS ns.secure
    secure 3600 DS 04d20f02aabb
    ns.secure 3600 A 192.0.2.4
    plain 3600 NS ns.plain
    ns.plain 3600 A 192.0.2.5
    x.only 3600 NS ns
    y.both 3600 NS ns
    z.both 3600 TXT x
";

fn signed(opt_out: bool) -> Zone {
    let denial = Denial::Nsec3 {
        iterations: 0,
        salt: b"",
        opt_out,
    };
    Zone::parse("example.", TEXT).sign(&[ksk(), zsk()], &denial)
}

fn broken(opt_out: bool, expected: &[Rule], change: impl FnOnce(&mut Zone)) {
    let mut zone = signed(opt_out);
    change(&mut zone);
    assert_eq!(errors(&zone), expected, "{:#?}", zone.verify().findings);
}

fn owner_of(zone: &Zone, text: &str) -> Name {
    zone.hash_owner(&hash(&name(text), 0, b""))
}

/// Takes a name's NSEC3 out and lets the one before point past it.
fn leave_out(zone: &mut Zone, text: &str) {
    let own = hash(&name(text), 0, b"");
    let owner = zone.hash_owner(&own);
    let next = zone
        .records
        .iter()
        .find(|record| record.rtype == T::NSEC3 && record.owner == owner)
        .unwrap()
        .rdata[6..26]
        .to_vec();
    zone.remove(&owner, T::NSEC3);
    zone.unsign(&owner, T::NSEC3);
    let before = zone
        .records
        .iter_mut()
        .find(|record| record.rtype == T::NSEC3 && record.rdata[6..26] == own)
        .unwrap();
    before.rdata[6..26].copy_from_slice(&next);
    let before = before.owner.clone();
    zone.sign_set(&before, T::NSEC3);
}

#[test]
fn the_zones_themselves_are_good() {
    for (opt_out, records) in [(false, 12), (true, 8)] {
        let report = signed(opt_out).verify();
        assert!(report.is_good() && report.findings.is_empty(), "{:#?}", report.findings);
        assert_eq!(report.counts.nsec3, records);
    }
}

#[test]
fn names_without_record() {
    for text in [
        "ns.example.",
        "ent.example.",
        "b.ent.example.",
        "a.b.ent.example.",
        "secure.example.",
        "both.example.",
        "example.",
    ] {
        for opt_out in [false, true] {
            broken(opt_out, &[Rule::Nsec3Missing], |zone| leave_out(zone, text));
        }
    }
    for text in ["plain.example.", "x.only.example.", "only.example."] {
        broken(false, &[Rule::Nsec3Missing], |zone| leave_out(zone, text));
    }
    // The same in a zone where all records have the opt-out flag, insecure names listed or not.
    for text in ["plain.example.", "x.only.example.", "only.example."] {
        broken(false, &[], |zone| {
            leave_out(zone, text);
            for record in zone.records.iter_mut().filter(|record| record.rtype == T::NSEC3) {
                record.rdata[1] = 1;
            }
            zone.sign_all();
        });
    }
}

#[test]
fn opt_out_counts_by_span() {
    broken(true, &[Rule::Nsec3Missing], |zone| {
        let own = hash(&name("plain.example."), 0, b"");
        let before = |record: &&mut Rec| {
            let label = record.owner.borrow().labels().next().unwrap().to_ascii_uppercase();
            record.rtype == T::NSEC3 && data_encoding::BASE32HEX_NOPAD.decode(&label).unwrap()[..] < own[..]
        };
        let over = zone
            .records
            .iter_mut()
            .filter(before)
            .max_by_key(|record| record.owner.key())
            .expect("a hash before that of plain.example.");
        over.rdata[1] = 0;
        let owner = over.owner.clone();
        zone.sign_set(&owner, T::NSEC3);
    });
}

#[test]
fn records_at_fault() {
    broken(false, &[Rule::Nsec3Bitmap], |zone| {
        let owner = owner_of(zone, "ns.example.");
        let types = bitmap(&[T::A, T::TXT, T::RRSIG]);
        let record = zone
            .records
            .iter_mut()
            .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
        let rdata = &mut record.unwrap().rdata;
        rdata.truncate(26);
        rdata.extend(types);
        zone.sign_set(&owner, T::NSEC3);
    });
    // RRSIG is not listed for an insecure delegation, and is for a secure one.
    for (text, types) in [
        ("plain.example.", &[T::NS, T::RRSIG][..]),
        ("secure.example.", &[T::NS, T::DS]),
        ("ent.example.", &[T::RRSIG]),
    ] {
        broken(false, &[Rule::Nsec3Bitmap], |zone| {
            let owner = owner_of(zone, text);
            let record = zone
                .records
                .iter_mut()
                .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
            let rdata = &mut record.unwrap().rdata;
            rdata.truncate(26);
            rdata.extend(bitmap(types));
            zone.sign_set(&owner, T::NSEC3);
        });
    }
    let at_ns = |change: fn(&mut Vec<u8>)| {
        move |zone: &mut Zone| {
            let owner = owner_of(zone, "ns.example.");
            let record = zone
                .records
                .iter_mut()
                .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
            change(&mut record.unwrap().rdata);
            zone.sign_set(&owner, T::NSEC3);
        }
    };
    broken(false, &[Rule::Nsec3Next], at_ns(|rdata| rdata[10] ^= 1));
    broken(
        false,
        &[Rule::Nsec3Parameters, Rule::Nsec3Missing, Rule::Nsec3Next],
        at_ns(|rdata| rdata[3] = 1),
    );
    broken(
        false,
        &[Rule::Nsec3Malformed, Rule::Nsec3Missing, Rule::Nsec3Next],
        at_ns(|rdata| rdata[1] = 2),
    );
    broken(
        false,
        &[Rule::Nsec3Malformed, Rule::Nsec3Missing, Rule::Nsec3Next],
        at_ns(|rdata| rdata[0] = 2),
    );
    broken(false, &[Rule::SignatureMissing], |zone| {
        let owner = owner_of(zone, "ns.example.");
        zone.unsign(&owner, T::NSEC3);
    });
    broken(false, &[Rule::SignatureMissing, Rule::Nsec3Owner], |zone| {
        zone.push(&name("wrong.example."), T::NSEC3, 300, vec![1, 0, 0, 0, 0, 1, 0]);
    });
    broken(false, &[Rule::DenialTtl], |zone| {
        let owner = owner_of(zone, "ns.example.");
        let record = zone
            .records
            .iter_mut()
            .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
        record.unwrap().ttl = 600;
        zone.sign_set(&owner, T::NSEC3);
    });
    broken(false, &[Rule::Nsec3Duplicate], |zone| {
        let owner = owner_of(zone, "ns.example.");
        let record = zone
            .records
            .iter()
            .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
        let mut rdata = record.unwrap().rdata.clone();
        rdata[12] ^= 1;
        zone.push(&owner, T::NSEC3, 300, rdata);
        zone.sign_set(&owner, T::NSEC3);
    });
    broken(false, &[Rule::Nsec3Extra, Rule::Nsec3Next], |zone| {
        let owner = zone.hash_owner(&[7; 20]);
        zone.push(&owner, T::NSEC3, 300, [&[1, 0, 0, 0, 0, 20][..], &[8; 20]].concat());
        zone.sign_set(&owner, T::NSEC3);
    });
    broken(false, &[Rule::NsecUnexpected], |zone| {
        let rdata = [name("example.").borrow().wire(), &bitmap(&[T::A, T::RRSIG, T::NSEC])].concat();
        zone.push(&name("secure.example."), T::NSEC, 300, rdata);
        zone.sign_set(&name("secure.example."), T::NSEC);
        let owner = owner_of(zone, "secure.example.");
        let record = zone
            .records
            .iter_mut()
            .find(|record| record.rtype == T::NSEC3 && record.owner == owner);
        let rdata = &mut record.unwrap().rdata;
        rdata.truncate(26);
        rdata.extend(bitmap(&[T::NS, T::DS, T::RRSIG, T::NSEC]));
        zone.sign_set(&owner, T::NSEC3);
    });
}

#[test]
fn parameters_at_fault() {
    let apex = name("example.");
    broken(false, &[Rule::DenialMissing], |zone| {
        zone.remove(&apex, T::NSEC3PARAM);
        zone.unsign(&apex, T::NSEC3PARAM);
    });
    let with = |rdata: &'static [u8]| {
        move |zone: &mut Zone| {
            let apex = name("example.");
            zone.remove(&apex, T::NSEC3PARAM);
            zone.push(&apex, T::NSEC3PARAM, 0, rdata.to_vec());
            zone.sign_set(&apex, T::NSEC3PARAM);
        }
    };
    broken(false, &[Rule::Nsec3Param], with(&[1, 1, 0, 0, 0]));
    broken(false, &[Rule::Nsec3Param], with(&[2, 0, 0, 0, 0]));
    broken(
        false,
        &[Rule::Nsec3Param, Rule::RdataDoubtful][..1],
        with(&[1, 0, 0, 0, 3]),
    );
    broken(
        false,
        &[Rule::Nsec3Parameters, Rule::Nsec3Missing],
        with(&[1, 0, 0, 0, 1, 0xaa]),
    );
    broken(
        false,
        &[Rule::Nsec3Iterations, Rule::Nsec3Parameters],
        with(&[1, 0, 0, 151, 0]),
    );
}
