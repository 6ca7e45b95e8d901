//! `--memory` is what a run keeps of a zone: the rest lies in files, and is read from there. That the output is the same is shown
//! in `determinism`.

use signet_tests::zones::tld;
use signet_tests::{Scratch, Signet, full};

use crate::signing::Pair;

/// The most memory of its own that a run had, in KiB: files that are mapped are the system's.
fn anonymous(names: usize, flags: &[&str]) -> u64 {
    let (scratch, zone) = (Scratch::new(), tld(names));
    let pair = Pair::of_bind("ECDSAP256SHA256", &zone.origin, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let mut most = 0;
    let sign = Signet::sign(&file, &zone.origin, &scratch.path("signed"), scratch.folder());
    let sign = sign.keys(&pair.both()).args(["--nsec3", "--opt-out", "--threads", "2"]);
    let run = sign.args(flags).watch(|process| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let own = own.and_then(|own| own.trim().trim_end_matches("kB").trim().parse().ok());
        most = most.max(own.unwrap_or(0));
    });
    run.succeeds();
    most
}

/// With `SIGNET_FULL=1` on a million delegations, else on 100,000.
#[test]
fn a_limit_is_kept() {
    let (names, limit, bound) = if full() {
        (1_000_000, "64M", 64 + 96)
    } else {
        (100_000, "4M", 4 + 44)
    };
    let (limited, unlimited) = (anonymous(names, &["--memory", limit]), anonymous(names, &[]));
    println!("{names} delegations: {limited} KiB of its own with --memory {limit}, {unlimited} KiB without");
    assert!(limited <= bound * 1024, "{limited} KiB");
    assert!(limited < unlimited, "{limited} KiB, without a limit {unlimited}");
}
