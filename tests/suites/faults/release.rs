//! Every session that was opened is closed, however a run ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use signet_tests::{Faulty, Scratch};

use super::stage::ECDSA;

/// As many closed as opened, none left, and the library let go in peace.
#[track_caller]
fn released(faulty: &Faulty) {
    let (opened, closed) = (faulty.calls("C_OpenSession"), faulty.calls("C_CloseSession"));
    assert!(opened > 4, "{opened}");
    assert_eq!((closed, faulty.other("open")), (opened, 0));
    assert_eq!(faulty.other("busy-finalise"), 0);
}

#[test]
fn at_a_normal_end_and_with_sessions_that_were_raised() {
    for (schedule, sessions) in [("", "8"), ("C_Sign * sleep 3000", "auto")] {
        let outcome = ECDSA.sign(schedule, &["--sessions", sessions]);
        outcome.complete();
        released(&outcome.faulty);
    }
}

#[test]
fn when_the_key_is_lost() {
    // CKR_KEY_FUNCTION_NOT_PERMITTED.
    let outcome = ECDSA.sign("C_SignInit 200+ answer 0x68", &["--sessions", "8"]);
    outcome.stopped();
    released(&outcome.faulty);
}

#[test]
fn when_a_person_or_the_system_stops_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let (faulty, scratch) = (Faulty::new("C_Sign * sleep 3000"), Scratch::new());
        let _alone = ECDSA.alone();
        let (sent, mut at) = (AtomicBool::new(false), None);
        let run = ECDSA
            .command(&faulty, &scratch)
            .args(["--sessions", "8"])
            .watch(|process| {
                if faulty.other("signed") > 60 && !sent.swap(true, Ordering::Relaxed) {
                    let process = i32::try_from(process).ok().and_then(Pid::from_raw).unwrap();
                    kill_process(process, signal).unwrap();
                    at = Some(Instant::now());
                }
            });
        run.exits(130);
        let took = at.expect("it was stopped").elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(!scratch.path("signed").exists());
        released(&faulty);
    }
}
