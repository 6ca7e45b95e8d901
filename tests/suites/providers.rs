//! Every provider with every algorithm: key made, found, adopted, a zone of 1,000 names signed and accepted by BIND, and the
//! token's objects as many as before. What a provider does not have stands in `tests/data/providers.txt`, and it has to say so.

pub mod provider;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic;
use std::path::Path;
use std::thread;
use std::time::Instant;

use signet_tests::judges::dnssec_verify;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Key, Scratch, Signet, project};

use provider::Provider;

/// What the table says of a provider and an algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Served,
    /// Key generation is answered with this code.
    Refused(String),
}

/// By provider and algorithm, in the file's order.
fn table() -> Vec<(String, String, Cell)> {
    let text = fs_err::read_to_string(project().join("tests/data/providers.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let cell = match fields[2].split_once(' ') {
                None if fields[2] == "ok" => Cell::Served,
                Some(("n/a", code)) => Cell::Refused(code.to_owned()),
                _ => panic!("neither ok nor n/a: {line}"),
            };
            (fields[0].to_owned(), fields[1].to_owned(), cell)
        })
        .collect()
}

/// How many objects the token has, by the tool that lists them all.
fn objects(provider: &Provider, scratch: &Scratch) -> usize {
    let list = scratch.path("pkcs11-list");
    if !list.exists() {
        std::os::unix::fs::symlink(signet_tests::signet_binary(), &list).unwrap();
    }
    let run = provider.bind_tool(&list, &["-s", &provider.slot()]);
    run.succeeds();
    run.stdout.lines().filter(|line| line.starts_with("object[")).count()
}

fn try_served(provider: &Provider, algorithm: &str, zone: &Zone) {
    let scratch = Scratch::new();
    let (made, adopted) = (scratch.make_folder("made"), scratch.make_folder("adopted"));
    let file = zone.write(&scratch, &[]);
    for (role, flags) in [("ksk", &["-f", "KSK"][..]), ("zsk", &[])] {
        let label = format!("{}-{role}", algorithm.to_lowercase());
        let key = |command: &str, folder: &Path| {
            let run = provider
                .lend(Signet::new(command))
                .arg(&zone.origin)
                .args(["-a", algorithm, "-l", &label])
                .args(flags)
                .arg("-K")
                .arg(folder)
                .run();
            run.succeeds();
            Key::existing(folder, &run.stdout)
        };
        let first = key("key generate", &made);
        let listed = provider.lend(Signet::new("key list")).run();
        listed.succeeds();
        assert!(listed.stdout.contains(&label), "{listed:?}");
        let second = key("key from-label", &adopted);
        assert_eq!(first.record(), second.record());
    }
    let before = objects(provider, &scratch);
    let signed = scratch.path("signed");
    provider
        .lend(Signet::sign(&file, &zone.origin, &signed, &adopted))
        .run()
        .succeeds();
    dnssec_verify(&signed, &zone.origin, &[]).succeeds();
    assert_eq!(objects(provider, &scratch), before, "a signing run left objects behind");
}

fn try_refused(provider: &Provider, algorithm: &str, code: &str, zone: &Zone) {
    let scratch = Scratch::new();
    let run = provider
        .lend(Signet::new("key generate"))
        .arg(&zone.origin)
        .args(["-a", algorithm, "-l", "refused", "-K"])
        .arg(scratch.folder())
        .run();
    run.exits(3).says(&["C_GenerateKeyPair", code]);
    assert!(scratch.listing(".").is_empty(), "{run:?}");
}

/// One cell tried: its algorithm, what came of it, and how many milliseconds it took.
type Tried<'a> = (&'a str, String, u128);

/// Tries a provider's cells one after the other. A panic is a failure of its cell, so that the table is whole.
fn try_all<'a>(name: &str, cells: &[(&'a str, &Cell)], zone: &Zone) -> Vec<Tried<'a>> {
    let provider = panic::catch_unwind(|| Provider::ready(name));
    let attempt = |algorithm, cell: &Cell| {
        let provider = provider.as_ref().ok()?;
        let tried = panic::AssertUnwindSafe(|| match cell {
            Cell::Served => try_served(provider, algorithm, zone),
            Cell::Refused(code) => try_refused(provider, algorithm, code, zone),
        });
        panic::catch_unwind(tried).ok()
    };
    let tried = cells.iter().map(|&(algorithm, cell)| {
        let began = Instant::now();
        let said = match (attempt(algorithm, cell), cell) {
            (None, _) => FAILED.to_owned(),
            (Some(()), Cell::Served) => "ok".to_owned(),
            (Some(()), Cell::Refused(code)) => format!("n/a {code}"),
        };
        (algorithm, said, began.elapsed().as_millis())
    });
    tried.collect()
}

const FAILED: &str = "FAILED";

#[test]
fn every_provider_serves_every_algorithm_that_it_has() {
    let (table, zone) = (table(), leaf(1000));
    let mut cells: BTreeMap<&str, Vec<(&str, &Cell)>> = BTreeMap::new();
    for (provider, algorithm, cell) in &table {
        cells.entry(provider).or_default().push((algorithm, cell));
    }
    let mut text = String::from("\n");
    thread::scope(|scope| {
        let zone = &zone;
        let start = |(name, cells)| (name, scope.spawn(move || try_all(name, cells, zone)));
        let running: Vec<_> = cells.iter().map(|(name, cells)| start((*name, cells))).collect();
        for (name, provider) in running {
            for (algorithm, said, milliseconds) in provider.join().unwrap() {
                let _ = writeln!(text, "{name:<18} {algorithm:<16} {said:<28} {milliseconds:>6} ms");
            }
        }
    });
    // Past the capture of tests, which hides what those say that pass.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    assert!(!text.contains(FAILED), "{text}");
}
