//! Single faults in signed zones, and zones that are odd and valid: the verdict of `signet verify`, by rule, and those of
//! other people's tools, against a committed table. An entry that does not occur fails.
//!
//! The table is `tests/data/judges/verdicts.txt`. A line is a case, what signet says, and what each judge says: `A` accepts,
//! `r` rejects, `x` crashes and `h` hangs, which are no verdicts.

mod clean;
mod faults;
mod odd;
mod workbench;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dnssec_sign::RecordType as T;
use signet_tests::judges::{Judge, dnssec_verify, kzonecheck, ldns_verify_zone};
use signet_tests::{Program, Run, Scratch, Signet, program, project};

use clean::{CLEAN, Clean};
use faults::{BODY, FAULTS};
use odd::ODD;
use workbench::{ORIGIN, Workbench};

/// The judges in the order of the table's columns.
const JUDGES: [Judge; 4] = [Judge::Bind, Judge::Ldns, Judge::Knot, Judge::Validns];

/// The moment of the verdicts, 2030: signatures are valid from 2020 to 2036.
const NOW: &str = "20300101000000";

/// What `timeout` exits with when it had to end a program: validns follows a chain that does not end for ever.
const HUNG: i32 = 124;

/// One zone and whether it is valid.
enum Case {
    Fault(&'static faults::Fault),
    Odd(&'static odd::Odd),
    Clean(&'static Clean),
}

impl Case {
    fn all() -> Vec<Self> {
        FAULTS
            .iter()
            .map(Case::Fault)
            .chain(ODD.iter().map(Case::Odd))
            .chain(CLEAN.iter().map(Case::Clean))
            .collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Fault((name, form, _)) => format!("fault/{name}/{form:?}"),
            Self::Odd((name, form, ..)) => format!("odd/{name}/{form:?}"),
            Self::Clean(clean) => format!("clean/{}", clean.name),
        }
    }

    fn verdicts(&self) -> String {
        let zone = match self {
            Self::Fault((_, form, change)) => {
                let mut zone = Workbench::new(BODY, form.flags());
                change(&mut zone);
                zone
            }
            Self::Odd(odd) => {
                let mut zone = Workbench::new(&odd::body(odd), odd.1.flags());
                (odd.3)(&mut zone);
                zone
            }
            Self::Clean(clean) => {
                let (_scratch, file) = clean.signed();
                return verdicts(&file, clean.origin);
            }
        };
        verdicts(&zone.write(), ORIGIN)
    }
}

fn verdicts(file: &Path, origin: &str) -> String {
    let judges: Vec<&str> = JUDGES
        .iter()
        .map(|judge| letter(&asked(*judge, file, origin)))
        .collect();
    format!("{} {}", judges.join(" "), own(file, origin))
}

fn letter(run: &Run) -> &'static str {
    match run.code {
        Some(0) => "A",
        Some(HUNG) => "h",
        Some(_) => "r",
        None => "x",
    }
}

/// A judge's run; where it can be told the time it is told 2030.
fn asked(judge: Judge, file: &Path, origin: &str) -> Run {
    match judge {
        Judge::Bind => dnssec_verify(file, origin, &[]),
        Judge::Ldns => ldns_verify_zone(file, Some(NOW)),
        Judge::Knot => kzonecheck(file, origin, Some(1_893_456_000)),
        Judge::Validns => Program::new(program("validns"))
            .args(["-z", origin, "-t", "1893456000"])
            .arg(file)
            .under(program("timeout"), &["-k", "1", "8"])
            .run(),
    }
}

/// The error rules that signet finds broken, sorted; `ok` for none, `refused` for a file that it does not read.
fn own(file: &Path, origin: &str) -> String {
    let run = Signet::new("verify --json -q")
        .arg(file)
        .args(["-o", origin, "--now", NOW, "--max-errors", "1000"])
        .run();
    if run.code == Some(1) {
        return "refused".to_owned();
    }
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let mut rules: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(run.code, Some(if rules.is_empty() { 0 } else { 5 }), "{run:?}");
    if rules.is_empty() {
        "ok".to_owned()
    } else {
        rules.join(",")
    }
}

fn table() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(project().join("tests/data/judges/verdicts.txt")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (case, verdicts) = line.split_once(' ').unwrap();
            (
                case.to_owned(),
                verdicts.split_whitespace().collect::<Vec<_>>().join(" "),
            )
        })
        .collect()
}

#[test]
fn the_table_is_of_these_judges() {
    for (tool, flag, version) in [
        ("dnssec-verify", "-V", "9.18."),
        ("ldns-verify-zone", "-v", "1.8."),
        ("kzonecheck", "-V", "3.2."),
    ] {
        let said = Program::new(program(tool)).arg(flag).run().output();
        assert!(
            said.contains(version),
            "tests/data/judges/verdicts.txt was written with {tool} {version}*, this is {said}"
        );
    }
}

#[test]
fn verdicts_are_those_of_the_table() {
    let cases = Case::all();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdicts = case.verdicts();
                    found.lock().unwrap().insert(case.name(), verdicts);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert_eq!(found.len(), cases.len(), "two cases have one name");
    let table = table();
    let mut wrong: Vec<String> = found
        .iter()
        .filter(|(case, verdicts)| table.get(*case) != Some(verdicts))
        .map(|(case, verdicts)| format!("{case} {verdicts}"))
        .collect();
    let unused = table.keys().filter(|case| !found.contains_key(*case));
    wrong.extend(unused.map(|case| format!("{case} does not occur")));
    assert!(wrong.is_empty(), "not as in the table:\n{}", wrong.join("\n"));
}

#[test]
fn every_fault_is_rejected_and_every_odd_zone_accepted() {
    let table = table();
    let own = |case: &str| {
        table[case]
            .split_whitespace()
            .nth(JUDGES.len())
            .unwrap_or_default()
            .to_owned()
    };
    let (mut faults, mut odd) = (0, 0);
    for case in Case::all() {
        let name = case.name();
        match case {
            Case::Fault(_) => {
                assert_ne!(own(&name), "ok", "{name}");
                faults += 1;
            }
            Case::Odd(_) | Case::Clean(_) => {
                assert_eq!(own(&name), "ok", "{name}");
                // A verdict of ours stands on at least one other tool's, or on the RFC named in the suite's units.
                assert!(table[&name].contains('A'), "{name}: no judge agrees");
                odd += 1;
            }
        }
    }
    assert!(faults >= 60 && odd >= 30, "{faults} faults, {odd} odd zones");
}

/// A zone with a ZONEMD of the right digest, which signet computes and ldns confirms.
fn with_zonemd() -> (Workbench, String) {
    let mut zone = Workbench::new(BODY, &["--nsec"]);
    zone.remove("@", T::NSEC)
        .add("@ 900 NSEC a NS SOA RRSIG NSEC DNSKEY ZONEMD")
        .sign("@", T::NSEC);
    set_zonemd(&mut zone, 1, &"0".repeat(96));
    let run = Signet::new("verify --json -q")
        .arg(zone.write())
        .args(["-o", ORIGIN, "--now", NOW])
        .run();
    let (_, behind) = run.stdout.split_once("digest is ").unwrap_or_else(|| panic!("{run:?}"));
    let digest = behind[..96].to_owned();
    set_zonemd(&mut zone, 1, &digest);
    (zone, digest)
}

fn set_zonemd(zone: &mut Workbench, serial: u32, digest: &str) {
    zone.remove("@", T::ZONEMD)
        .add(&format!("@ 3600 ZONEMD {serial} 1 1 {digest}"))
        .sign("@", T::ZONEMD);
}

/// ldns's verdict on a zone whose ZONEMD and signatures have to be good.
fn ldns_with_zonemd(file: &Path) -> bool {
    let run = Program::new(program("ldns-verify-zone"))
        .args(["-ZZ", "-t", NOW])
        .arg(file)
        .run();
    run.code == Some(0)
}

#[test]
fn faults_of_zonemd_are_rejected() {
    type Change = fn(&mut Workbench, &str);
    let cases: [(&str, bool, Change); 6] = [
        ("ok", true, |_, _| {}),
        ("zonemd-digest", false, |zone, digest| {
            let first = if digest.starts_with('A') { "B" } else { "A" };
            set_zonemd(zone, 1, &format!("{first}{}", &digest[1..]));
        }),
        ("zonemd-serial", false, |zone, digest| {
            set_zonemd(zone, 2, digest);
        }),
        ("zonemd-digest", false, |zone, _| {
            // Glue is in no signature: the digest alone tells that it changed.
            zone.edit("ns.cut", T::A, |record| record.rdata[3] ^= 1);
        }),
        ("zonemd-not-single", false, |zone, digest| {
            let other = digest.chars().rev().collect::<String>();
            zone.add(&format!("@ 3600 ZONEMD 1 1 1 {other}")).sign("@", T::ZONEMD);
        }),
        ("signature-missing", false, |zone, _| {
            zone.unsign("@", T::ZONEMD);
        }),
    ];
    for (rule, accepted, change) in cases {
        let (mut zone, digest) = with_zonemd();
        change(&mut zone, &digest);
        let file = zone.write();
        assert_eq!(own(&file, ORIGIN), rule);
        assert_eq!(ldns_with_zonemd(&file), accepted, "{rule}");
    }
}

#[test]
fn ds_records_have_to_lead_to_the_keys() {
    let zone = Workbench::new(BODY, &["--nsec"]);
    let file = zone.write();
    let scratch = Scratch::new();
    let mut ds = Vec::new();
    let origin = workbench::name("@");
    zone.ksk
        .dnskey()
        .write_ds(origin.borrow(), dnssec_sign::DigestType::Sha256, &mut ds);
    let digest = data_encoding::HEXUPPER.encode(&ds[4..]);
    let tag = zone.ksk.dnskey().key_tag();
    let wrong = digest.chars().rev().collect::<String>();
    for (text, code, rule) in [
        (format!("{ORIGIN} IN DS {tag} 8 2 {digest}\n"), 0, ""),
        (
            format!("other.test. IN DS 1 8 2 {wrong}\n{ORIGIN} 60 IN DS {tag} 8 2 {digest}\n"),
            0,
            "",
        ),
        (format!("{ORIGIN} IN DS {tag} 8 2 {wrong}\n"), 5, "ds-digest"),
        (format!("{ORIGIN} IN DS 1 8 2 {digest}\n"), 5, "ds-no-entry-point"),
        (format!("other.test. IN DS {tag} 8 2 {digest}\n"), 1, ""),
    ] {
        let run = Signet::new("verify -q")
            .arg(&file)
            .args(["-o", ORIGIN, "--now", NOW, "--ds"])
            .arg(scratch.write("dsset", text))
            .run();
        run.exits(code);
        assert!(run.output().contains(rule), "{rule}: {run:?}");
    }
}

#[test]
fn monitoring_has_its_own_exit_codes() {
    let zone = Workbench::new(BODY, &["--nsec"]);
    let file = zone.write();
    // The signatures end at 20370101000000, which is 10 days after the second moment.
    for (now, flags, code, word) in [
        ("20300101000000", &[][..], 0, "OK - mut.test. verifies"),
        ("20361222000000", &["--warn-days", "11"][..], 1, "WARNING - mut.test."),
        (
            "20361222000000",
            &["--warn-days", "20", "--critical-days", "11"][..],
            2,
            "CRITICAL - mut.test.",
        ),
        ("20361222000000", &[][..], 0, "OK - "),
        ("20361226000000", &[][..], 1, "WARNING - "),
        ("20361230000000", &[][..], 2, "CRITICAL - "),
        ("20380101000000", &[][..], 2, "CRITICAL - "),
    ] {
        let run = Signet::new("verify --monitor")
            .arg(&file)
            .args(["-o", ORIGIN, "--now", now])
            .args(flags)
            .run();
        run.exits(code);
        assert!(run.stdout.starts_with(word), "{run:?}");
        assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
    }
    let absent = Signet::new("verify --monitor absent.zone -o mut.test.").run();
    absent.exits(3);
    assert!(absent.stdout.starts_with("UNKNOWN - absent.zone"), "{absent:?}");
    let run = Signet::new("verify -q --critical-days 11 --now 20361222000000 -o mut.test.")
        .arg(&file)
        .run();
    run.exits(5);
    assert!(run.output().contains("expires-critically"), "{run:?}");
}
