//! A pool of sessions on a token that is waited for: more sessions give more signatures, as long as it takes them.

use std::time::Duration;

use serde_json::Value;
use signet_tests::{Scratch, full};

use super::stage::{ECDSA, Outcome, Stage};

/// The signature's latency.
const LATENCY: &str = "C_Sign * sleep 2000";

/// How long a run takes.
fn seconds(stage: &Stage, schedule: &str, sessions: u32) -> Duration {
    let sessions = sessions.to_string();
    let outcome = stage.sign(schedule, &["--sessions", &sessions, "--verify", "none"]);
    outcome.complete();
    outcome.run.elapsed
}

#[test]
fn sessions_scale_on_a_token_that_is_waited_for() {
    // Times mean something on an idle machine only: the long form states the figures, the short one that it is not one lock.
    let (names, counts, least): (usize, &[u32], f64) = if full() {
        (8_000, &[1, 2, 4, 8, 16, 32], 0.9)
    } else {
        (600, &[1, 8], 0.3)
    };
    let stage = Stage::new("ECDSAP256SHA256", names);
    // What starting, finding and proving take: a run with next to nothing to sign.
    let start = seconds(&ECDSA, "", 2).as_secs_f64();
    let mut one = None;
    for &count in counts {
        let waited = (seconds(&stage, LATENCY, count).as_secs_f64() - start).max(0.001);
        let alone = *one.get_or_insert(waited);
        let scaled = alone / waited / f64::from(count);
        eprintln!("{count:>2} sessions: {waited:.2} s, {scaled:.2} of linear");
        assert!(scaled >= least, "{count} sessions scale {scaled:.2} of linear");
    }
    if full() {
        // Long enough that the search for the number is a small part of it.
        let stage = Stage::new("ECDSAP256SHA256", 40_000);
        let waited = |sessions: &str| {
            let outcome = stage.sign(LATENCY, &["--sessions", sessions, "--verify", "none"]);
            outcome.complete();
            outcome.run.elapsed.as_secs_f64() - start
        };
        let (fixed, auto) = (waited("32"), waited("auto"));
        eprintln!("32 sessions: {fixed:.2} s, auto: {auto:.2} s");
        assert!(auto <= fixed * 1.1, "auto {auto:.2} s, 32 sessions {fixed:.2} s");
    }
}

/// What the report says of the one token.
fn token(outcome: &Outcome) -> Value {
    let report: Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
    report["tokens"][0].clone()
}

#[test]
fn auto_raises_the_number_on_a_token_that_is_waited_for() {
    let stage = Stage::new("ECDSAP256SHA256", 1200);
    let outcome = stage.sign("C_Sign * sleep 4000", &["--sessions", "auto"]);
    outcome.complete();
    let (used, peak) = (
        token(&outcome)["sessions"].as_u64().unwrap(),
        outcome.faulty.other("peak"),
    );
    assert!(used >= 8 && peak > 8, "{used} sessions at the end, {peak} at most");
}

#[test]
fn auto_lands_near_the_best_on_a_token_that_computes() {
    // SoftHSM: as many as there are processors serve best. Figures mean something on an idle machine only.
    if !full() {
        return;
    }
    let stage = Stage::new("ECDSAP256SHA256", 40_000);
    let counts = ["1", "2", "4", "8", "auto"];
    let mut least = [f64::MAX; 5];
    for _ in 0..3 {
        for (count, least) in counts.iter().zip(&mut least) {
            let outcome = stage.sign("", &["--sessions", count, "--verify", "none"]);
            outcome.run.succeeds();
            *least = least.min(outcome.run.elapsed.as_secs_f64());
            eprintln!(
                "{count}: {:.2} s, {} at the end",
                outcome.run.elapsed.as_secs_f64(),
                token(&outcome)["sessions"]
            );
        }
    }
    let [fixed @ .., auto] = least;
    let best = fixed.into_iter().fold(f64::MAX, f64::min);
    assert!(auto <= best * 1.1, "auto {auto:.2} s, {fixed:.2?} with a fixed number");
}

#[test]
fn auto_keeps_to_the_tokens_limit() {
    // One of them guards the login.
    for schedule in [
        "C_Sign * sleep 4000; sessions 5",
        "C_Sign * sleep 4000; C_OpenSession 6+ answer 0xb1",
    ] {
        let outcome = ECDSA.sign(schedule, &["--sessions", "auto"]);
        outcome.complete();
        assert_eq!(outcome.faulty.other("peak"), 5, "{schedule}");
        assert_eq!(token(&outcome)["sessions"], 4, "{schedule}");
    }
}

#[test]
fn nobody_logs_in_or_opens_a_session_beside_a_search() {
    // Sessions that are lost are opened again side by side, and their keys found; both take their time.
    let slow = "C_OpenSession * take 3000; C_Login * take 3000; C_FindObjects * sleep 3000";
    let outcome = ECDSA.sign(&format!("{slow}; C_Sign %40 answer 0xb3"), &["--sessions", "8"]);
    outcome.complete();
    assert!(outcome.faulty.calls("C_OpenSession") > 12, "{:?}", outcome.run);
    assert_eq!(outcome.faulty.other("searches-beside"), 0);
}

#[test]
fn a_rate_that_was_agreed_is_kept() {
    for sessions in ["1", "8"] {
        let outcome = ECDSA.sign("", &["--sessions", sessions, "--max-rate", "400"]);
        let signatures = u32::try_from(outcome.complete()).unwrap();
        let least = f64::from(signatures) / 400.0 - 0.11;
        let took = outcome.run.elapsed.as_secs_f64();
        assert!(took >= least, "{signatures} signatures in {took:.2} s");
    }
    ECDSA.sign("", &["--max-rate", "0"]).run.exits(2);
}

#[test]
fn eight_sessions_with_copies_are_reopened_and_each_finds_one_key() {
    let schedule = "C_Sign 150 answer 0xb3; C_Sign 300 close; C_Sign 450 remove 200";
    let outcome = ECDSA.sign(schedule, &["--sessions", "8", "--session-copy", "always"]);
    outcome.complete();
    assert_eq!(outcome.faulty.fired(), 3);
    // Two keys in each of eight sessions, and again in each that was opened anew: two for their own sake, and those that had
    // work left after the token came back.
    assert!(outcome.faulty.calls("C_CopyObject") >= 16 + 4 + 2, "{:?}", outcome.run);
}

#[test]
fn a_key_makes_no_more_signatures_than_it_may() {
    let zsk = ECDSA.pair.zsk.base_name();
    let limited = |most: usize, more: &[&str]| {
        let limit = format!("{zsk}={most}");
        ECDSA.sign("", &[&["--max-signatures", &limit], more].concat())
    };
    let made = limited(1_000_000, &[]).complete();
    let refused = limited(made / 2, &[]);
    refused.run.exits(1);
    assert!(refused.run.stderr.contains("--max-signatures"), "{:?}", refused.run);
    assert!(!refused.scratch.path("signed").exists());
    // Proofs are counted apart: one a key and one a session copy, in each of two sessions or so.
    let signed = refused.faulty.other("signed");
    assert!(signed <= (made / 2) as u64 + 16, "{signed} of {made}");

    // What is on record counts: one and a half runs are one.
    let (scratch, tag) = (Scratch::new(), ECDSA.pair.zsk.tag());
    let log = scratch.path("audit").display().to_string();
    let limit = format!("{tag}={}", made + made / 2);
    let audited = ["--audit", &log, "--max-signatures", &limit];
    ECDSA.sign("", &audited).complete();
    let second = ECDSA.sign("", &audited);
    second.run.exits(1);
    assert!(second.run.stderr.contains("on record"), "{:?}", second.run);

    ECDSA
        .sign("", &["--max-signatures", "Kother.test.+013+00001=5"])
        .run
        .exits(2);
    ECDSA.sign("", &["--max-signatures", "5"]).run.exits(2);
}
