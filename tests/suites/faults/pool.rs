//! A pool of sessions on a token that is waited for: more sessions give more signatures, as long as it takes them.

use std::time::Duration;

use signet_tests::full;

use super::stage::{ECDSA, Stage};

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
}
