//! Single changes anywhere in signed zones: a flipped bit, a changed TTL, a record gone. What is signed or tells of
//! the chain cannot change unnoticed, and nothing makes the verifier panic.

use super::faults::{ksk, zsk};
use super::zone::{Denial, Rec, Zone};
use crate::verify::Report;
use crate::{Name, RecordType as T};
use proptest::prelude::*;

const TEXT: &str = "
    @ 3600 SOA ns.Example. host.example. 1 7200 900 1209600 300
    @ 3600 NS ns
    @ 3600 MX 10 ns
    ns 3600 A 192.0.2.1
    *.wild 600 TXT any
    a.ent 3600 TXT deep
    secure 3600 NS ns.secure
    secure 3600 DS 04d20f02aabb
    ns.secure 3600 A 192.0.2.4
    plain 3600 NS ns.plain
    moved 3600 DNAME elsewhere.test.
    below.moved 3600 A 192.0.2.6
    z 3600 TYPE65280 0102
";

fn zone(choice: usize) -> Zone {
    let nsec3 = |opt_out| Denial::Nsec3 {
        iterations: 0,
        salt: b"\xaa",
        opt_out,
    };
    let denial = [Denial::Nsec, nsec3(false), nsec3(true)][choice].clone();
    Zone::parse("example.", TEXT).sign(&[ksk(), zsk()], &denial)
}

/// Whether a signature is over the record: then no bit of it may change.
fn is_signed(zone: &Zone, record: &Rec) -> bool {
    record.rtype != T::RRSIG
        && zone.records.iter().any(|rrsig| {
            rrsig.rtype == T::RRSIG && rrsig.owner == record.owner && rrsig.rdata[..2] == record.rtype.0.to_be_bytes()
        })
}

/// The verdict, or `None` when the zone has not even an apex to judge by.
fn verdict(zone: &Zone) -> Option<Report> {
    zone.try_verify().ok()
}

/// A name inside RDATA in other letter case says the same (the canonical form folds it).
fn same(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bit_of_what_is_signed_changes_unnoticed(
        choice in 0..3usize,
        place in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let mut zone = zone(choice);
        let place = place.index(zone.records.len());
        let guarded = is_signed(&zone, &zone.records[place]) || zone.records[place].rtype == T::RRSIG;
        let record = &mut zone.records[place];
        let before = record.rdata.clone();
        let bit = bit.index(record.rdata.len() * 8);
        record.rdata[bit / 8] ^= 1 << (bit % 8);
        let unchanged = same(&before, &record.rdata);
        let (owner, rtype) = (record.owner.clone(), record.rtype);
        let good = verdict(&zone).is_some_and(|report| report.is_good());
        prop_assert!(!good || !guarded || unchanged, "{owner} {rtype} bit {bit}");
    }

    #[test]
    fn no_ttl_changes_unnoticed(choice in 0..3usize, place in any::<prop::sample::Index>(), ttl in 0..100_000u32) {
        let mut zone = zone(choice);
        let place = place.index(zone.records.len());
        let guarded = is_signed(&zone, &zone.records[place]) || zone.records[place].rtype == T::RRSIG;
        let record = &mut zone.records[place];
        prop_assume!(guarded && record.ttl != ttl);
        record.ttl = ttl;
        let (owner, rtype) = (record.owner.clone(), record.rtype);
        prop_assert!(verdict(&zone).is_none_or(|report| !report.is_good()), "{owner} {rtype}");
    }

    #[test]
    fn no_record_goes_unnoticed(choice in 0..3usize, place in any::<prop::sample::Index>()) {
        let mut zone = zone(choice);
        let place = place.index(zone.records.len());
        let guarded = is_signed(&zone, &zone.records[place]) || zone.records[place].rtype == T::RRSIG;
        let record = zone.records.remove(place);
        let good = verdict(&zone).is_some_and(|report| report.is_good());
        prop_assert!(!good || !guarded, "{} {}", record.owner, record.rtype);
    }

    #[test]
    fn no_name_appears_unnoticed(choice in 0..3usize, label in "[a-z]{1,3}", deep in any::<bool>()) {
        let mut zone = zone(choice);
        let owner: Name = if deep { format!("x.{label}.example.") } else { format!("{label}.example.") }.parse().unwrap();
        prop_assume!(!zone.names().contains_key(&owner.key()));
        zone.push(&owner, T::A, 60, vec![192, 0, 2, 1]);
        zone.sign_set(&owner, T::A);
        prop_assert!(verdict(&zone).is_none_or(|report| !report.is_good()), "{owner}");
    }

    #[test]
    fn any_rdata_is_judged_without_panic(
        choice in 0..3usize,
        place in any::<prop::sample::Index>(),
        rdata in proptest::collection::vec(any::<u8>(), 0..80),
        rtype in prop_oneof![0..70u16, any::<u16>()],
    ) {
        let mut zone = zone(choice);
        let place = place.index(zone.records.len());
        let owner = zone.records[place].owner.clone();
        zone.push(&owner, T(rtype), 3600, rdata.clone());
        let _ = verdict(&zone);
        zone.records.pop();
        zone.records[place].rdata = rdata;
        let _ = verdict(&zone);
    }
}
