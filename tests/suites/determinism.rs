//! The same output bytes whatever the threads, sessions and partitions, with keys whose signatures have no randomness.

use signet_tests::judges::normalise;
use signet_tests::zones::{Zone, crowded, leaf};
use signet_tests::{Scratch, Signet, Token};

use crate::signing::{Denial, Pair, Place};

/// Signs the zone once for each set of flags: all outputs are the same bytes.
fn same_bytes(zone: &Zone, algorithm: &str, place: Place, denial: Denial, variants: &[Vec<&str>]) {
    let (scratch, token) = (Scratch::new(), Token::default());
    let pair = Pair::generate(&token, &zone.origin, algorithm, place, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let mut first: Option<Vec<u8>> = None;
    for flags in variants {
        let out = scratch.path("signed");
        Signet::sign(&file, &zone.origin, &out, scratch.folder())
            .keys(&pair.both())
            .args(denial.signet())
            .args(flags)
            .on(&token)
            .run()
            .succeeds();
        let bytes = scratch.bytes("signed");
        std::fs::remove_file(&out).unwrap();
        match &first {
            None => first = Some(bytes),
            Some(first) => assert!(
                *first == bytes,
                "{} {algorithm} {place:?} {denial:?}: {flags:?} makes other bytes, from line {}",
                zone.name,
                first_difference(first, &bytes)
            ),
        }
    }
}

fn first_difference(one: &[u8], other: &[u8]) -> String {
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    let differing = one.lines().zip(other.lines()).enumerate().find(|(_, (a, b))| a != b);
    differing.map_or_else(
        || "the end".to_owned(),
        |(line, (a, b))| format!("{}:\n  {a}\n  {b}", line + 1),
    )
}

/// Every number of threads with every size of partition.
fn threads_and_partitions() -> Vec<Vec<&'static str>> {
    let mut variants = Vec::new();
    for threads in ["1", "2"] {
        for records in ["4096", "7", "every-owner", "1"] {
            variants.push(vec!["--threads", threads, "--partition-records", records]);
        }
    }
    variants
}

#[test]
fn borders_at_every_owner_on_disk() {
    for denial in Denial::ALL {
        same_bytes(&crowded(), "ED25519", Place::Disk, denial, &threads_and_partitions());
    }
}

#[test]
fn borders_at_every_owner_on_a_token() {
    let variants: Vec<Vec<&str>> = [("1", "4096", "1"), ("2", "every-owner", "2"), ("2", "7", "8")]
        .into_iter()
        .map(|(threads, records, sessions)| {
            vec![
                "--threads",
                threads,
                "--partition-records",
                records,
                "--sessions",
                sessions,
            ]
        })
        .collect();
    for denial in Denial::ALL {
        same_bytes(&crowded(), "ED25519", Place::Token, denial, &variants);
    }
}

#[test]
fn sessions_and_copies() {
    let variants: Vec<Vec<&str>> = ["1", "2", "8"]
        .into_iter()
        .flat_map(|sessions| {
            ["never", "always"].map(|copy| vec!["--sessions", sessions, "--session-copy", copy, "--threads", "2"])
        })
        .collect();
    same_bytes(&leaf(150), "ED25519", Place::Token, Denial::Nsec, &variants);
    same_bytes(&leaf(60), "RSASHA256", Place::Token, Denial::Nsec3, &variants);
}

#[test]
fn keys_in_two_places() {
    let variants: Vec<Vec<&str>> = [("1", "1"), ("2", "1"), ("1", "8"), ("2", "8")]
        .into_iter()
        .map(|(threads, sessions)| {
            vec![
                "--threads",
                threads,
                "--sessions",
                sessions,
                "--partition-records",
                "every-owner",
            ]
        })
        .collect();
    same_bytes(&crowded(), "ED25519", Place::Mixed, Denial::OptOut, &variants);
}

#[test]
fn memory_and_ways_to_read_change_no_byte() {
    let mut variants = vec![
        vec!["--no-mmap"],
        vec!["--memory", "0"],
        vec!["--memory", "0", "--no-mmap", "--partition-records", "7"],
    ];
    for records in ["1", "7", "1000"] {
        variants.push(vec!["--run-records", records]);
        variants.push(vec!["--run-records", records, "--memory", "0"]);
        variants.push(vec!["--run-records", records, "--memory", "20K", "--threads", "1"]);
    }
    for denial in [Denial::Nsec, Denial::OptOut] {
        same_bytes(&crowded(), "ED25519", Place::Disk, denial, &variants);
    }
    same_bytes(&leaf(700), "ED25519", Place::Disk, Denial::Nsec3, &variants);
}

#[test]
fn the_level_of_verification_changes_no_byte() {
    let variants = ["full", "structure", "none"]
        .map(|level| vec!["--verify", level])
        .to_vec();
    same_bytes(&crowded(), "ED25519", Place::Disk, Denial::OptOut, &variants);
}

#[test]
fn the_order_of_the_input_changes_no_record() {
    let scratch = Scratch::new();
    let zone = crowded();
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let mut lines: Vec<&str> = zone.text.lines().collect();
    lines.reverse();
    let reversed = Zone {
        name: "reversed".to_owned(),
        text: format!("{}\n", lines.join("\n")),
        ..zone.clone()
    };
    let signed = [&zone, &reversed].map(|zone| {
        let (file, out) = (
            zone.write(&scratch, &[]),
            scratch.path(&format!("{}.signed", zone.name)),
        );
        let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder());
        sign.keys(&pair.both()).args(Denial::OptOut.signet()).run().succeeds();
        normalise(&out, &zone.origin)
    });
    signed[0].assert_same(&signed[1], "the same records in another order");
}
