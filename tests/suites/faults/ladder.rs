//! The recovery ladder, rung by rung, against faults that are real for the module behind: lost sessions, logins and tokens,
//! bad signatures, calls that hang.

use std::time::Duration;

use signet_tests::{Faulty, Scratch, Signet};

use super::stage::{ECDSA, RSA, Stage};
use crate::providers::provider::Provider;

const TWO: &[&str] = &["--sessions", "2", "--patience", "20s"];

#[test]
fn a_session_that_is_closed_under_a_worker() {
    let outcome = ECDSA.sign("C_SignInit %150 close", TWO);
    assert_eq!(outcome.complete(), ECDSA.signatures());
    assert!(outcome.faulty.fired() >= 3);
    assert_eq!(outcome.faulty.calls("C_Login"), 1);
}

#[test]
fn a_login_that_is_forgotten() {
    let outcome = ECDSA.sign("C_SignInit 100 logout; C_SignInit 400 logout", TWO);
    assert_eq!(outcome.complete(), ECDSA.signatures());
    assert_eq!(outcome.faulty.fired(), 2);
    assert_eq!(outcome.faulty.calls("C_Login"), 3);
}

#[test]
fn a_token_that_is_taken_out_and_put_back() {
    for sessions in ["1", "4"] {
        let outcome = ECDSA.sign("C_Sign 200 remove 400", &["--sessions", sessions, "--patience", "20s"]);
        assert_eq!(outcome.complete(), ECDSA.signatures());
        assert!(outcome.run.elapsed >= Duration::from_millis(400));
        assert_eq!(outcome.faulty.calls("C_Login"), 2);
        assert!(outcome.faulty.calls("C_Finalize") >= 1);
    }
}

#[test]
fn a_device_that_fails_until_the_library_is_initialised_again() {
    let outcome = ECDSA.sign("C_SignInit 300 fail 100", &["--sessions", "4", "--patience", "20s"]);
    assert_eq!(outcome.complete(), ECDSA.signatures());
    assert!(outcome.faulty.calls("C_Initialize") >= 2);
}

#[test]
fn patience_ends() {
    let outcome = ECDSA.sign("C_Sign 200 remove 60000", &["--sessions", "4", "--patience", "1s"]);
    outcome.stopped();
    outcome.run.says(&[ECDSA.token.label()]);
    assert!(outcome.run.elapsed < Duration::from_secs(30), "{:?}", outcome.run);
}

#[test]
fn transient_faults_that_last_and_those_that_do_not() {
    // Six tries on the same session, then another session.
    let outcome = ECDSA.sign("C_SignInit 100..107 answer 0x6", &["--sessions", "1"]);
    assert_eq!(outcome.complete(), ECDSA.signatures());
    assert_eq!(outcome.faulty.fired(), 8);
    let outcome = ECDSA.sign("C_SignInit 100+ answer 0x6", &["--sessions", "2", "--patience", "1s"]);
    outcome.stopped();
    outcome.run.says(&["C_SignInit", "CKR_FUNCTION_FAILED"]);
}

/// Which call of a function hangs, without and with `--isolate`, where every process hangs at it.
const HANGS: &[(&str, u32, &str)] = &[
    ("C_Initialize", 1, ""),
    ("C_Initialize", 1, "--isolate"),
    ("C_GetInfo", 1, ""),
    ("C_GetSlotList", 1, ""),
    ("C_GetSlotList", 1, "--isolate"),
    ("C_GetSlotInfo", 1, ""),
    ("C_GetTokenInfo", 1, ""),
    ("C_GetMechanismList", 1, ""),
    ("C_OpenSession", 1, ""),
    ("C_OpenSession", 2, "--isolate"),
    ("C_Login", 1, ""),
    ("C_Login", 1, "--isolate"),
    ("C_FindObjects", 1, ""),
    ("C_CopyObject", 1, ""),
    ("C_CopyObject", 1, "--isolate"),
    ("C_Sign", 50, ""),
];

#[test]
fn a_call_that_hangs_is_named() {
    // They wait for most of their time; each stage has one run at a time.
    std::thread::scope(|scope| {
        for hangs in HANGS.chunks(4) {
            scope.spawn(move || {
                let stage = Stage::new("ECDSAP256SHA256", 60);
                for (function, call, isolate) in hangs {
                    let schedule = format!("{function} {call} hang");
                    let arguments = ["--sessions", "2", "--patience", "1s", isolate];
                    let arguments = &arguments[..4 + usize::from(!isolate.is_empty())];
                    let outcome = stage.sign(&schedule, arguments);
                    outcome.stopped();
                    outcome.run.says(&[function, "has not answered"]);
                    assert!(outcome.run.elapsed < Duration::from_secs(20), "{:?}", outcome.run);
                }
            });
        }
    });
}

/// One that is finalised at all: SoftHSM is not.
#[test]
fn a_library_that_hangs_at_the_end_is_left() {
    let (provider, faulty) = (Provider::ready("Kryoptic"), Faulty::new("C_Finalize * hang"));
    let run = provider.lend_through(Signet::new("key list"), &faulty).run();
    run.succeeds().says(&["C_Finalize has not answered"]);
    assert_eq!(faulty.calls("C_Finalize"), 1);
    assert!(run.elapsed < Duration::from_secs(15), "{run:?}");
}

#[test]
fn signatures_of_the_wrong_length_are_asked_for_once_more() {
    for kind in ["short", "long", "der", "trimmed"] {
        let outcome = ECDSA.sign(&format!("C_Sign 100 signature {kind}"), TWO);
        assert_eq!(outcome.complete(), ECDSA.signatures());
        assert_eq!(outcome.faulty.fired(), 1, "{kind}");
        let outcome = ECDSA.sign(&format!("C_Sign 100+ signature {kind}"), TWO);
        outcome.stopped();
        outcome.run.says(&["a token that repeats this is faulty"]);
    }
}

#[test]
fn rsa_signatures_that_do_not_verify_are_asked_for_once_more() {
    for kind in ["wrong", "stale", "short", "long"] {
        let outcome = RSA.sign(&format!("C_Sign 20 signature {kind}"), TWO);
        outcome.complete();
        assert_eq!(outcome.faulty.fired(), 1, "{kind}");
    }
    let outcome = RSA.sign("C_Sign 20+ signature wrong", TWO);
    outcome.stopped();
    outcome.run.says(&["does not verify"]);
}

#[test]
fn an_ecdsa_signature_that_does_not_verify_is_not_published() {
    for kind in ["wrong", "stale"] {
        let outcome = ECDSA.sign(&format!("C_Sign 100 signature {kind}"), TWO);
        outcome.run.exits(5);
        outcome
            .run
            .says(&["signature-invalid", "whose signatures do not verify, is on token"]);
        assert!(!outcome.scratch.path("signed").exists());
        outcome.released();
    }
}

#[test]
fn a_token_that_signs_wrongly_is_noticed_where_nothing_is_read_again() {
    for level in ["none", "structure"] {
        let outcome = ECDSA.sign("C_Sign 100+ signature wrong", &["--verify", level, "--sessions", "2"]);
        outcome.run.exits(5);
        let tag = format!("key ECDSAP256SHA256/{}", ECDSA.pair.zsk.tag());
        outcome
            .run
            .says(&["token '", "the signature over ", &tag, "does not verify"]);
        assert!(!outcome.scratch.path("signed").exists());
        outcome.released();
    }
}

#[test]
fn a_tokens_rsa_signatures_and_all_lengths_are_checked_where_nothing_is_read_again() {
    let flags = ["--verify", "none", "--sessions", "2"];
    for (stage, kind) in [(&RSA, "wrong"), (&RSA, "stale"), (&ECDSA, "short"), (&ECDSA, "long")] {
        // Not the first of a batch, nor a 64th of it: no sample.
        let outcome = stage.sign(&format!("C_Sign 20 signature {kind}"), &flags);
        outcome.complete();
        assert_eq!(outcome.faulty.fired(), 1, "{kind}");
    }
    RSA.sign("C_Sign 20+ signature wrong", &flags).stopped();
}

#[test]
fn the_report_says_how_many_signatures_were_sampled() {
    for (level, says) in [
        ("none", "what was written was not read again"),
        ("structure", "the structure of what was written, and "),
    ] {
        let outcome = ECDSA.sign("", &["--verify", level, "--sessions", "2"]);
        let signatures = outcome.complete() as u64;
        outcome.run.says(&[says, "signatures as they came from their keys"]);
        let report: serde_json::Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
        assert_eq!((&report["verify"], &report["verified"]), (&level.into(), &0.into()));
        // The first signature of the KSK, its only one, and every 64th of the ZSK from its first on.
        let sampled = report["sampled"].as_u64().unwrap();
        assert_eq!(sampled, 1 + (signatures - 1).div_ceil(64), "of {signatures}");
    }
    let outcome = ECDSA.sign("", TWO);
    outcome.complete();
    let report: serde_json::Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
    assert_eq!((&report["verify"], &report["sampled"]), (&"full".into(), &0.into()));
}

#[test]
fn a_limit_of_sessions_makes_the_pool_smaller() {
    for limit in [2, 3, 5] {
        let outcome = ECDSA.sign(&format!("sessions {limit}"), &["--sessions", "16"]);
        assert_eq!(outcome.complete(), ECDSA.signatures());
        assert_eq!(outcome.faulty.other("peak"), limit);
    }
    ECDSA.sign("sessions 1", &["--sessions", "16"]).stopped();
}

#[test]
fn interrupted_runs_release_their_sessions() {
    for signal in ["INT", "TERM"] {
        let (faulty, scratch) = (Faulty::new("C_Sign * sleep 20000"), Scratch::new());
        let mut sent = false;
        let _alone = ECDSA.alone();
        let run = ECDSA
            .command(&faulty, &scratch)
            .args(["--sessions", "4"])
            .watch(|process| {
                if !sent && faulty.calls("C_Sign") > 40 {
                    sent = true;
                    let kill = format!("kill -{signal} {process}");
                    assert!(
                        std::process::Command::new("sh")
                            .args(["-c", &kill])
                            .status()
                            .unwrap()
                            .success()
                    );
                }
            });
        run.exits(130);
        assert!(!scratch.path("signed").exists());
        assert_eq!(faulty.other("open"), 0, "sessions left open after SIG{signal}");
    }
}
