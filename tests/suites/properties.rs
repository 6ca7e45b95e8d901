//! Random zones (deep trees, wildcards, DNAMEs, cuts below cuts, empty non-terminals, binary labels), signed with NSEC, NSEC3
//! and opt-out: signet's verifier and every judge that can handle the zone accept them. Seeds are fixed: twenty zones
//! as a rule, five hundred with SIGNET_FULL.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use signet_tests::judges::Judge;
use signet_tests::zones::{Spice, Zone, nasty};
use signet_tests::{Scratch, Signet, full};

use crate::signing::{Denial, Pair};

const DENIALS: [Denial; 3] = [Denial::Nsec, Denial::Nsec3, Denial::OptOut];

/// What is wrong with a signed zone, if anything: the first to complain and what it said.
fn complaint(zone: &Zone, denial: Denial) -> Option<String> {
    let scratch = Scratch::new();
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
    let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .keys(&pair.both())
        .args(denial.signet())
        .run();
    if sign.code != Some(0) {
        return Some(format!("not signed: {sign:?}"));
    }
    let own = Signet::new("verify -q").arg(&out).args(["-o", &zone.origin]).run();
    if own.code != Some(0) {
        return Some(format!("signet verify: {own:?}"));
    }
    [Judge::Bind, Judge::Ldns, Judge::Knot]
        .into_iter()
        .filter(|judge| can_handle(*judge, zone, denial))
        .find_map(|judge| {
            let said = judge.complaint(&out, &zone.origin)?;
            Some(format!("{}: {said}", judge.name()))
        })
}

/// Known faults of the judges leave a zone to the others; the table of verdicts holds each of them.
fn can_handle(judge: Judge, zone: &Zone, denial: Denial) -> bool {
    let owners = || zone.text.lines().filter_map(|line| line.split_whitespace().next());
    match judge {
        // Data below a DNAME is an error to it.
        Judge::Knot => {
            let mut dnames = zone.text.lines().filter(|line| line.contains(" DNAME "));
            !dnames.any(|line| {
                let dname = line.split_whitespace().next().unwrap_or_default().to_lowercase();
                owners().any(|owner| owner.to_lowercase().ends_with(&format!(".{dname}")))
            })
        }
        // An NSEC whose next name begins with a NUL byte is read wrongly.
        Judge::Ldns => denial != Denial::Nsec || !owners().any(|owner| owner.contains(r"\000")),
        Judge::Bind | Judge::Validns => true,
    }
}

/// The same zone with fewer owners, as few as still fail.
fn smallest(seed: u64, names: usize, spice: Spice, denial: Denial) -> (Zone, String) {
    (1..=names)
        .find_map(|names| {
            let zone = nasty(seed, names, spice);
            complaint(&zone, denial).map(|said| (zone, said))
        })
        .expect("a zone that failed before fails")
}

#[test]
fn random_zones_are_signed_so_that_all_accept_them() {
    let zones: u64 = if full() { 500 } else { 20 };
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= zones {
                        break;
                    }
                    let spice = if index % 2 == 0 { Spice::Mild } else { Spice::Hot };
                    let (seed, names) = (7000 + index, 12 + usize::try_from(index % 60).unwrap_or_default());
                    let zone = nasty(seed, names, spice);
                    for denial in DENIALS {
                        if complaint(&zone, denial).is_some() {
                            let (zone, said) = smallest(seed, names, spice, denial);
                            let text = format!("seed {seed}, {denial:?}: {said}\n{}", zone.text);
                            failed.lock().unwrap().push(text);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} failed\n{}", failed.len(), failed.join("\n\n"));
}
