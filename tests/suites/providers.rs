//! Every provider with every algorithm: key made, found, adopted, a zone of 1,000 names signed and accepted by BIND, and the
//! token's objects as many as before; and keys made on disk, imported and signed with. What a provider does not have stands in
//! `tests/data/providers.txt`, and it has to say so.

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
use signet_tests::{Key, Role, Run, Scratch, Signet, project};

use provider::Provider;

/// What the table says of a provider, an algorithm, and a way for a key to come onto the token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Served,
    /// It is answered with this code.
    Refused(String),
}

/// How a key comes onto the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Made,
    Imported,
}

/// One line of the table, way by way.
struct Row {
    provider: String,
    algorithm: String,
    cells: [(Way, Cell); 2],
}

/// The table in the file's order.
fn table() -> Vec<Row> {
    let text = fs_err::read_to_string(project().join("tests/data/providers.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let cell = |field: &str| match field.split_once(' ') {
                None if field == "ok" => Cell::Served,
                Some(("n/a", code)) => Cell::Refused(code.to_owned()),
                _ => panic!("neither ok nor n/a: {line}"),
            };
            Row {
                provider: fields[0].to_owned(),
                algorithm: fields[1].to_owned(),
                cells: [(Way::Made, cell(fields[2])), (Way::Imported, cell(fields[3]))],
            }
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

/// Keys made on disk are keys of the token afterwards, and no others are left there.
fn try_imported(provider: &Provider, algorithm: &str) {
    let (scratch, zone) = (Scratch::new(), leaf(20));
    let before = objects(provider, &scratch);
    let keys = [Role::Ksk, Role::Zsk].map(|role| {
        let key = Key::on_disk(&zone.origin, algorithm, role, scratch.folder());
        import(provider, &key).succeeds().says(&["SENSITIVE", "proven"]);
        key
    });
    // Two halves each.
    assert_eq!(objects(provider, &scratch), before + 4);
    let (file, signed) = (zone.write(&scratch, &[]), scratch.path("signed"));
    provider
        .lend(Signet::sign(&file, &zone.origin, &signed, scratch.folder()))
        .keys(&[&keys[0], &keys[1]])
        .run()
        .succeeds();
    dnssec_verify(&signed, &zone.origin, &[]).succeeds();
}

fn import(provider: &Provider, key: &Key) -> Run {
    let import = Signet::new("key import --rewrite --label").arg(key.base_name());
    provider.lend(import.arg(key.private_file())).run()
}

fn try_not_imported(provider: &Provider, algorithm: &str, code: &str) {
    let scratch = Scratch::new();
    let before = objects(provider, &scratch);
    let key = Key::on_disk("refused.test.", algorithm, Role::Zsk, scratch.folder());
    import(provider, &key).exits(3).says(&[code]);
    assert_eq!(objects(provider, &scratch), before, "something of the key stayed");
}

/// One cell tried: its algorithm and way, what came of it, and how many milliseconds it took.
type Tried<'a> = (&'a str, Way, String, u128);

/// Tries a provider's cells one after the other. A panic is a failure of its cell, so that the table is whole.
fn try_all<'a>(name: &str, rows: &[&'a Row], zone: &Zone) -> Vec<Tried<'a>> {
    let provider = panic::catch_unwind(|| Provider::ready(name));
    let attempt = |algorithm, way, cell: &Cell| {
        let provider = provider.as_ref().ok()?;
        let tried = panic::AssertUnwindSafe(|| match (way, cell) {
            (Way::Made, Cell::Served) => try_served(provider, algorithm, zone),
            (Way::Made, Cell::Refused(code)) => try_refused(provider, algorithm, code, zone),
            (Way::Imported, Cell::Served) => try_imported(provider, algorithm),
            (Way::Imported, Cell::Refused(code)) => try_not_imported(provider, algorithm, code),
        });
        panic::catch_unwind(tried).ok()
    };
    let mut tried = Vec::new();
    for row in rows {
        for (way, cell) in &row.cells {
            let began = Instant::now();
            let said = match (attempt(&row.algorithm, *way, cell), cell) {
                (None, _) => FAILED.to_owned(),
                (Some(()), Cell::Served) => "ok".to_owned(),
                (Some(()), Cell::Refused(code)) => format!("n/a {code}"),
            };
            tried.push((row.algorithm.as_str(), *way, said, began.elapsed().as_millis()));
        }
    }
    tried
}

const FAILED: &str = "FAILED";

#[test]
fn every_provider_serves_every_algorithm_that_it_has() {
    let (table, zone) = (table(), leaf(1000));
    let mut rows: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &table {
        rows.entry(&row.provider).or_default().push(row);
    }
    let mut text = String::from("\n");
    thread::scope(|scope| {
        let zone = &zone;
        let start = |(name, rows)| (name, scope.spawn(move || try_all(name, rows, zone)));
        let running: Vec<_> = rows.iter().map(|(name, rows)| start((*name, rows))).collect();
        for (name, provider) in running {
            for (algorithm, way, said, milliseconds) in provider.join().unwrap() {
                let way = format!("{way:?}").to_lowercase();
                let _ = writeln!(
                    text,
                    "{name:<18} {algorithm:<16} {way:<9} {said:<28} {milliseconds:>6} ms"
                );
            }
        }
    });
    // Past the capture of tests, which hides what those say that pass.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    assert!(!text.contains(FAILED), "{text}");
}
