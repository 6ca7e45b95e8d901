//! The same nodes come from a zone's file however its records are cut into runs, and wherever the runs lie.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::fs;
use std::path::Path;

use dnssec_sign::Class;
use proptest::prelude::*;
use zone_io::{LoadOptions, Loaded, load, nodes_from, write_record};

fn options(change: impl FnOnce(&mut LoadOptions)) -> LoadOptions {
    let mut options = LoadOptions::new("example.".parse().unwrap());
    change(&mut options);
    options
}

/// Each record with its line, in canonical order.
fn text(loaded: &Loaded) -> String {
    let mut out = Vec::new();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
    while let Some(node) = nodes.next_node() {
        for record in node.records {
            out.extend_from_slice(format!("{} ", record.locus.line).as_bytes());
            write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
        }
    }
    String::from_utf8(out).unwrap()
}

/// Loads in every way and compares; returns the text.
fn same_in_every_way(path: &Path, temp_dir: &Path) -> String {
    let whole = load(path, &options(|_| {})).unwrap();
    assert!(whole.runs.iter().all(|run| !run.is_spilled()));
    let expected = text(&whole);
    for run_records in [1, 7, 1000] {
        for memory in [0, 4000, u64::MAX] {
            let loaded = load(
                path,
                &options(|options| {
                    options.run_records = run_records;
                    options.memory = memory;
                    options.temp_dir = Some(temp_dir.to_owned());
                    options.chunk_size = Some(3000);
                }),
            )
            .unwrap();
            assert!(loaded.runs.iter().all(|run| run.len() <= run_records));
            match memory {
                0 => assert!(loaded.runs.iter().all(|run| run.is_spilled())),
                u64::MAX => assert!(loaded.runs.iter().all(|run| !run.is_spilled())),
                _ => assert!(loaded.runs.iter().map(|run| run.memory()).sum::<usize>() <= 2000),
            }
            assert_eq!(text(&loaded), expected, "{run_records} {memory}");
        }
    }
    assert_eq!(temp_dir.read_dir().unwrap().count(), 0, "spilled runs have no names");
    expected
}

#[test]
fn runs_of_any_length_in_memory_and_spilled_give_the_same_nodes() {
    let directory = tempfile::tempdir().unwrap();
    let temp_dir = directory.path().join("spilled");
    fs::create_dir(&temp_dir).unwrap();
    let path = directory.path().join("zone");
    // No $TTL: most records have the TTL of a record before their chunk.
    let mut zone = String::from("@ 300 SOA ns h 1 2 3 4 5\n NS ns\n");
    for number in 0..2500u32 {
        let owner = number.wrapping_mul(2_654_435_761) % 1000;
        zone.push_str(&format!(
            "N{owner}.sub{} A 192.0.2.{}\n   TXT \"{number}\"\n",
            owner % 7,
            number % 256
        ));
        if number % 500 == 0 {
            zone.push_str(&format!("at {number} TXT x\n$ORIGIN x{number}.example.\n"));
        }
    }
    fs::write(&path, zone).unwrap();
    let text = same_in_every_way(&path, &temp_dir);
    assert_eq!(text.lines().count(), 5007);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn random_zones_give_the_same_nodes(
        records in prop::collection::vec(("[a-cA-C]{1,2}(\\.[a-c])?", 0u8..4, any::<u8>()), 1..120),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let temp_dir = directory.path().join("spilled");
        fs::create_dir(&temp_dir).unwrap();
        let path = directory.path().join("zone");
        let mut zone = String::from("@ 300 SOA ns h 1 2 3 4 5\n");
        for (owner, kind, byte) in records {
            let line = match kind {
                0 => format!("{owner} A 192.0.2.{byte}\n"),
                1 => format!("{owner} {byte} TXT {byte}\n"),
                2 => format!(" NS {owner}\n"),
                _ => format!("{owner} MX {byte} ( ; two lines\n  {owner} )\n"),
            };
            zone.push_str(&line);
        }
        fs::write(&path, zone).unwrap();
        same_in_every_way(&path, &temp_dir);
    }
}

#[test]
fn a_directory_for_runs_that_is_gone_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zone");
    fs::write(&path, "@ 300 SOA ns h 1 2 3 4 5\n").unwrap();
    let gone = directory.path().join("gone");
    let error = load(
        &path,
        &options(|options| {
            options.memory = 0;
            options.temp_dir = Some(gone.clone());
        }),
    )
    .unwrap_err();
    assert!(error.to_string().starts_with(&gone.display().to_string()), "{error}");
}
