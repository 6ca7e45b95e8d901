//! SIGINT and SIGTERM end a run within a second, whatever its threads wait for.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use signet_tests::{Faulty, Run, Scratch};

use super::send;
use crate::faults::stage::ECDSA;

/// Signs with a schedule and sends the signal once `ready`; tells how long it took to end from there.
fn interrupted(schedule: &str, signal: &str, ready: impl Fn(&Faulty) -> bool, arguments: &[&str]) -> (Run, Duration) {
    let (faulty, scratch) = (Faulty::new(schedule), Scratch::new());
    let mut sent = None;
    let _alone = ECDSA.alone();
    let run = ECDSA
        .command(&faulty, &scratch)
        .args(["--sessions", "3", "--patience", "60s"])
        .args(arguments)
        .watch(|process| {
            if sent.is_none() && ready(&faulty) {
                send(signal, process);
                sent = Some(Instant::now());
            }
        });
    let took = sent.expect("the run got so far").elapsed();
    run.exits(130)
        .says(&["interrupted", "nothing was published", "--journal"]);
    assert_eq!(scratch.listing("."), BTreeSet::new(), "no stray file: {run:?}");
    (run, took)
}

/// A second, and what a busy machine needs to start and look at processes.
const SECOND: Duration = Duration::from_millis(1500);

#[test]
fn a_call_that_hangs_does_not_keep_an_interrupted_run() {
    for signal in ["INT", "TERM"] {
        let ready = |faulty: &Faulty| faulty.calls("C_Sign") >= 150;
        let (run, took) = interrupted("C_Sign 150+ hang", signal, ready, &[]);
        assert!(took < SECOND, "{took:?}: {run:?}");
    }
    for function in ["C_Login", "C_FindObjects"] {
        let ready = |faulty: &Faulty| faulty.calls(function) >= 1;
        let (run, took) = interrupted(&format!("{function} * hang"), "INT", ready, &[]);
        assert!(took < SECOND, "{took:?}: {run:?}");
    }
}

#[test]
fn waiting_for_a_lost_token_ends_with_the_run() {
    // The token is gone for a minute, and so long it would be waited for.
    let lost = Instant::now();
    let ready = |faulty: &Faulty| faulty.fired() > 0 && lost.elapsed() > Duration::from_secs(2);
    for schedule in ["C_Sign 200 remove 60000", "C_SignInit 100+ answer 0x6"] {
        let (run, took) = interrupted(schedule, "INT", ready, &[]);
        assert!(took < SECOND, "{took:?}: {run:?}");
        assert!(!run.stderr.contains("has not answered"), "{run:?}");
    }
}

#[test]
fn slow_calls_end_in_order() {
    // Each signature takes 20 ms: a batch would take more than a second, but is left in the middle.
    let ready = |faulty: &Faulty| faulty.calls("C_Sign") >= 30;
    let (run, took) = interrupted("C_Sign * sleep 20000", "TERM", ready, &[]);
    assert!(took < Duration::from_millis(600), "{took:?}: {run:?}");
}
