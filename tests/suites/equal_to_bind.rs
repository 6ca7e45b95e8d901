//! The same zone, keys and times through signet and through dnssec-signzone: the same RRsets and byte-equal RRSIGs, with keys whose
//! signatures have no randomness. What differs on purpose is one entry each; an entry that does not occur fails.

use std::io::Write as _;

use signet_tests::judges::{SignZone, normalise};
use signet_tests::zones::{Spice, Zone, crowded, handmade, leaf, nasty, root_like, tld};
use signet_tests::{Difference, Scratch, Signet, ZoneText, full, with_openssl};

use crate::signing::{Denial, Pair};

mod row;
mod table;

/// Where we differ from dnssec-signzone on purpose.
struct Intended {
    /// The zone's name.
    zone: &'static str,
    denials: &'static [Denial],
    /// Whether an RRset's difference is this one.
    is: fn(&Difference) -> bool,
    reason: &'static str,
}

const TABLE: &[Intended] = &[
    Intended {
        zone: "letter-case",
        denials: &[Denial::Nsec],
        is: |difference| difference.owner == "ns2.letter-case.test." && difference.rtype.ends_with("NSEC"),
        reason: "a next name is written as its owner was; BIND takes the letters of its upper labels from whichever name came first",
    },
    Intended {
        zone: "duplicates",
        denials: &Denial::ALL,
        is: |difference| difference.owner == "mx.duplicates.test." && difference.rtype == "MX",
        reason: "of two records that differ in letter case alone the first stays; BIND keeps the last",
    },
    Intended {
        zone: "ttls",
        denials: &Denial::ALL,
        is: |difference| difference.owner == "long.ttls.test." && difference.rtype == "RRSIG A",
        reason: "an RRSIG's TTL is its set's (RFC 4034 3); BIND lowers it to the validity",
    },
];

fn equal(zone: &Zone, algorithm: &str, denial: Denial) {
    let scratch = Scratch::new();
    let pair = Pair::of_bind(algorithm, &zone.origin, scratch.folder());
    let file = zone.write(&scratch, &pair.both());
    let out = scratch.path("signed");
    Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .keys(&pair.both())
        .args(denial.signet())
        .run()
        .succeeds();
    let ours = normalise(&out, &zone.origin);
    let theirs = SignZone::new(&file, &zone.origin, scratch.folder())
        .keys(&pair.both())
        .options(denial.bind())
        .signed();
    let what = format!("{} {algorithm} {denial:?}", zone.name);
    compare(&ours, &theirs, &zone.name, denial, &what);
}

#[track_caller]
fn compare(ours: &ZoneText, theirs: &ZoneText, zone: &str, denial: Denial, what: &str) {
    let entries: Vec<&Intended> = TABLE
        .iter()
        .filter(|entry| entry.zone == zone && entry.denials.contains(&denial))
        .collect();
    let differences = ours.differences(theirs);
    for entry in &entries {
        assert!(
            differences.iter().any(entry.is),
            "{what}: an intended difference does not occur: {}",
            entry.reason
        );
    }
    let unintended: Vec<&Difference> = differences
        .iter()
        .filter(|difference| !entries.iter().any(|entry| (entry.is)(difference)))
        .collect();
    let shown: Vec<String> = unintended.iter().take(8).map(ToString::to_string).collect();
    assert!(
        unintended.is_empty(),
        "{what}: {} RRsets differ (left is ours)\n{}",
        unintended.len(),
        shown.join("\n")
    );
}

#[test]
fn every_handmade_zone_with_ed25519() {
    for zone in handmade() {
        for denial in Denial::ALL {
            equal(&zone, "ED25519", denial);
        }
    }
}

#[test]
fn every_handmade_zone_with_rsa() {
    for zone in handmade() {
        for denial in [Denial::Nsec, Denial::OptOut] {
            equal(&zone, "RSASHA256", denial);
        }
    }
}

#[test]
fn larger_zones() {
    for zone in [leaf(400), tld(400), root_like(60), crowded()] {
        for denial in Denial::ALL {
            equal(&zone, "ED25519", denial);
        }
        equal(&zone, "RSASHA256", Denial::Nsec3);
    }
}

#[test]
fn random_zones() {
    let last = if full() { 200 } else { 20 };
    for seed in 1..=last {
        let spice = if seed % 2 == 0 { Spice::Hot } else { Spice::Mild };
        let denial = Denial::ALL[usize::try_from(seed).unwrap() % 4];
        equal(&nasty(seed, 100, spice), "ED25519", denial);
    }
}

#[test]
fn keys_that_are_named_are_put_into_the_zone() {
    let scratch = Scratch::new();
    let zone = leaf(20);
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let without = zone.write(&scratch, &[]);
    let out = scratch.path("signed");
    let sign = Signet::sign(&without, &zone.origin, &out, scratch.folder());
    sign.keys(&pair.both()).run().succeeds();
    let ours = normalise(&out, &zone.origin);
    // The SOA's TTL is 3600, and so is that of the DNSKEYs written here.
    let with = zone.write(&scratch, &pair.both());
    let theirs = SignZone::new(&with, &zone.origin, scratch.folder())
        .keys(&pair.both())
        .signed();
    ours.assert_same(&theirs, "keys put in by signet, and by hand");
}

/// Every row of the table, and what it came to.
#[test]
fn every_row_of_the_table() {
    let only = std::env::var("SIGNET_ROW").ok();
    let openssl = with_openssl();
    let rows = table::ROWS
        .iter()
        .filter(|row| only.as_ref().is_none_or(|only| row.name.contains(only)))
        .filter(|row| openssl || !row.needs_openssl());
    let mut failed = Vec::new();
    let (mut compared, mut intended, mut signatures) = (0, 0, 0);
    for row in rows {
        let outcome = row.compare();
        compared += 1;
        intended += outcome.intended;
        signatures += outcome.signatures;
        for reason in &outcome.absent {
            failed.push(format!("{}: an intended difference does not occur: {reason}", row.name));
        }
        if !outcome.unintended.is_empty() {
            let shown: Vec<String> = outcome.unintended.iter().take(4).map(ToString::to_string).collect();
            failed.push(format!(
                "{}: {} RRsets differ (left is ours)\n{}",
                row.name,
                outcome.unintended.len(),
                shown.join("\n")
            ));
        }
    }
    // Past the harness, which keeps to itself what a test that succeeds prints.
    let _ = writeln!(
        std::io::stderr(),
        "equal to dnssec-signzone: {} of {compared} rows ({signatures} signatures) but for {intended} intended differences",
        compared - failed.len(),
    );
    assert!(failed.is_empty(), "{} rows fail\n{}", failed.len(), failed.join("\n"));
}
