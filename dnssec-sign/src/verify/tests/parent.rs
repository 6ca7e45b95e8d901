//! What is judged beside the names: the parent's DS set, the days that signatures must last, and ZONEMD.

use super::faults::{errors, ksk, zsk};
use super::zone::{Denial, Key, NOW, USUAL, Zone, name, node_list};
use crate::verify::{Joiner, Rule, ZoneDigest, survey_apex, verify_partition};
use crate::{DigestType, RecordType as T, rdata};

const TEXT: &str = "
    @ 3600 SOA ns host 1 7200 900 1209600 300
    @ 3600 NS ns
    ns 60 A 192.0.2.1
    *.Wild 60 TXT x
    cut 60 NS ns.cut
    ns.cut 60 A 192.0.2.2
    mx 60 MX 10 B
    mx 60 MX 10 a
";

fn zone(denial: &Denial) -> Zone {
    Zone::parse("example.", TEXT).sign(&[ksk(), zsk()], denial)
}

fn ds(key: &Key) -> Vec<u8> {
    let mut ds = Vec::new();
    key.dnskey
        .write_ds(name("example.").borrow(), DigestType::Sha256, &mut ds);
    ds
}

#[test]
fn ds_records_lead_to_the_keys() {
    let mut zone = zone(&Denial::Nsec);
    let mut judged = |set: &[Vec<u8>]| {
        zone.expectations.ds = set.iter().map(|ds| ds.clone().into()).collect();
        let report = zone.verify();
        let rules: Vec<_> = report.totals.iter().map(|(rule, _)| *rule).collect();
        (report.is_good(), rules)
    };
    assert_eq!(judged(&[ds(&ksk())]), (true, vec![]));
    // A DS for a key to come is no fault beside a good one; by itself it is.
    let other = ds(&Key::ed25519(77, 257));
    assert_eq!(judged(&[ds(&ksk()), other.clone()]), (true, vec![Rule::DsWithoutKey]));
    assert_eq!(judged(&[other]), (false, vec![Rule::DsNoEntry, Rule::DsWithoutKey]));
    // The ZSK does not sign the DNSKEY set.
    assert_eq!(judged(&[ds(&zsk())]), (false, vec![Rule::DsNoEntry]));
    let mut wrong = ds(&ksk());
    wrong[10] ^= 1;
    assert_eq!(judged(&[wrong.clone()]), (false, vec![Rule::DsNoEntry, Rule::DsDigest]));
    assert_eq!(judged(&[ds(&ksk()), wrong]), (false, vec![Rule::DsDigest]));
    let mut unknown = ds(&ksk());
    unknown[3] = 9;
    assert_eq!(judged(&[ds(&ksk()), unknown]), (true, vec![Rule::DsUnknown]));
    let (good, rules) = judged(&[ds(&ksk()), ds(&Key::p256(257))]);
    assert!(!good && rules.contains(&Rule::DsAlgorithm));
}

#[test]
fn signatures_must_last() {
    let mut zone = zone(&Denial::Nsec);
    let left = USUAL.expiration - NOW;
    zone.expectations.warn_within = Some(left);
    assert!(zone.verify().totals.is_empty());
    zone.expectations.warn_within = Some(left + 1);
    let report = zone.verify();
    assert!(report.is_good() && report.count(Rule::ExpiresSoon) == 1);
    zone.expectations.critical_within = Some(left + 1);
    assert_eq!(errors(&zone), [Rule::ExpiresCritically]);
}

/// The digest by brute force: every record canonical, all sorted, out of one buffer.
fn digest(zone: &Zone) -> Vec<u8> {
    let mut records: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = Vec::new();
    for record in &zone.records {
        let apex = record.owner == zone.origin;
        let zonemd = T::ZONEMD.0.to_be_bytes();
        if apex && (record.rtype == T::ZONEMD || record.rtype == T::RRSIG && record.rdata.starts_with(&zonemd)) {
            continue;
        }
        let mut rdata = record.rtype.0.to_be_bytes().to_vec();
        rdata::write_canonical(record.rtype, &record.rdata, &mut rdata);
        let mut bytes = Vec::new();
        record.owner.borrow().write_folded(&mut bytes);
        bytes.extend(record.rtype.0.to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(record.ttl.to_be_bytes());
        bytes.extend(u16::try_from(rdata.len() - 2).unwrap().to_be_bytes());
        bytes.extend(&rdata[2..]);
        records.push((record.owner.key(), rdata, bytes));
    }
    records.sort();
    records.dedup();
    let all: Vec<u8> = records.into_iter().flat_map(|(_, _, bytes)| bytes).collect();
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, &all)
        .as_ref()
        .to_vec()
}

fn zonemd(serial: u32, scheme: u8, hash: u8, digest: &[u8]) -> Vec<u8> {
    [&serial.to_be_bytes()[..], &[scheme, hash], digest].concat()
}

fn rules(zone: &Zone) -> Vec<Rule> {
    let records: Vec<_> = zone.records.iter().collect();
    let groups = zone.group(&records);
    let list = node_list(&groups);
    let facts = survey_apex(list.node(0), &zone.expectations).unwrap();
    let mut joiner = Joiner::new(&facts);
    joiner.add(verify_partition(&list, None, &facts));
    if let Some(mut digest) = ZoneDigest::new(&facts) {
        list.iter().for_each(|node| digest.add(node));
        joiner.compare_digests(digest);
    }
    joiner.finish().totals.iter().map(|(rule, _)| *rule).collect()
}

#[test]
fn zonemd_is_compared() {
    let opt_out = Denial::Nsec3 {
        iterations: 0,
        salt: b"",
        opt_out: true,
    };
    for denial in [Denial::Nsec, opt_out] {
        let text = format!("{TEXT}@ 3600 ZONEMD 000000010101");
        let mut zone = Zone::parse("example.", &text).sign(&[ksk(), zsk()], &denial);
        let apex = name("example.");
        let right = digest(&zone);
        let mut wrong = right.clone();
        wrong[47] ^= 1;
        let long = [&right[..], &[0; 16]].concat();
        for (records, expected) in [
            (vec![zonemd(1, 1, 1, &right)], vec![]),
            (vec![zonemd(1, 1, 1, &wrong)], vec![Rule::ZonemdDigest]),
            (vec![zonemd(1, 1, 2, &long)], vec![Rule::ZonemdDigest]),
            (vec![zonemd(2, 1, 1, &right)], vec![Rule::ZonemdSerial]),
            (vec![zonemd(1, 1, 1, &right[1..])], vec![Rule::ZonemdMalformed]),
            (
                vec![zonemd(1, 1, 1, &right), zonemd(1, 240, 1, &wrong)],
                vec![Rule::ZonemdUnknown],
            ),
            (
                vec![zonemd(1, 1, 1, &right), zonemd(1, 1, 1, &wrong)],
                vec![Rule::ZonemdNotSingle],
            ),
        ] {
            zone.remove(&apex, T::ZONEMD);
            for record in records {
                zone.push(&apex, T::ZONEMD, 3600, record);
            }
            zone.sign_set(&apex, T::ZONEMD);
            let mut found = rules(&zone);
            // hickory-proto does not know every shape of ZONEMD.
            found.retain(|rule| *rule != Rule::RdataDoubtful);
            assert_eq!(found, expected);
        }
    }
}
