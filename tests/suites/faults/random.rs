//! Random schedules of faults that a run has to survive: nothing lost, nothing doubled, nothing wrong. The same seed gives the
//! same schedule.

use std::collections::BTreeSet;

use signet_tests::{Random, full};

use super::stage::{ECDSA, Stage};

/// Faults that come to an end, each with the calls it comes at.
fn schedule(seed: u64, signatures: usize) -> String {
    let mut random = Random::new(seed);
    let mut entries = Vec::new();
    for _ in 0..2 + random.below(4) {
        let call = 5 + random.below(signatures - 10);
        entries.push(match random.below(10) {
            0 => format!("C_SignInit {call} close"),
            1 => format!("C_Sign {call} logout"),
            2 => format!("C_Sign {call} remove {}", 20 + random.below(200)),
            3 => format!("C_SignInit {call} fail {}", 20 + random.below(100)),
            4 => format!(
                "C_Sign {call} signature {}",
                random.pick(&["short", "long", "der", "trimmed"])
            ),
            5 => format!(
                "C_OpenSession {} answer {}",
                3 + random.below(3),
                random.pick(&["0xb1", "0x6", "0x5", "0x30"])
            ),
            6 => format!(
                "C_FindObjects {} answer {}",
                1 + random.below(12),
                random.pick(&["0x2", "0x6", "0x5", "0x30"])
            ),
            7 => format!("C_Sign {call} sleep {}", 1000 * (1 + random.below(200))),
            _ => format!(
                "{} {call}..{} answer {}",
                random.pick(&["C_SignInit", "C_Sign"]),
                call + random.below(3),
                random.pick(&[
                    "0x2", "0x5", "0x6", "0x30", "0x31", "0x32", "0x50", "0x60", "0x90", "0x91", "0xb0", "0xb3",
                    "0x201"
                ])
            ),
        });
    }
    // One that is sure to be met.
    entries.push(format!("C_Sign {} answer 0x6", 5 + random.below(signatures / 2)));
    entries.join("; ")
}

#[test]
fn random_schedules_lose_double_and_spoil_nothing() {
    let large;
    let (stage, seeds): (&Stage, u64) = if full() {
        large = Stage::new("ECDSAP256SHA256", 20_000);
        (&large, 200)
    } else {
        (&ECDSA, 10)
    };
    let signatures = stage.signatures();
    // A seed that failed can be run alone.
    let first = std::env::var("SIGNET_FIRST_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut fired = 0;
    for seed in first..=seeds {
        let schedule = schedule(seed, signatures);
        let sessions = (1 + seed % 5).to_string();
        let outcome = stage.sign(&schedule, &["--sessions", &sessions, "--patience", "30s"]);
        assert!(
            outcome.faulty.fired() >= 1,
            "seed {seed}: no fault was met by `{schedule}`"
        );
        fired += outcome.faulty.fired();
        assert_eq!(
            outcome.run.code,
            Some(0),
            "seed {seed}, `{schedule}`: {:?}",
            outcome.run
        );
        // BIND has verified every one of them; each set has one from each of its keys.
        assert_eq!(outcome.complete(), signatures, "seed {seed}, `{schedule}`");
        let text = outcome.scratch.read("signed");
        let heads: Vec<String> = text
            .lines()
            .map(|line| line.split_ascii_whitespace().take(12).collect::<Vec<_>>().join(" "))
            .filter(|line| line.contains(" RRSIG "))
            .collect();
        let distinct: BTreeSet<&String> = heads.iter().collect();
        assert_eq!(
            distinct.len(),
            heads.len(),
            "seed {seed}: a signature stands there twice"
        );
        if seed % 10 == 0 {
            eprintln!("seeds {first} to {seed} of {seeds}: {fired} faults, nothing lost, doubled or wrong");
        }
    }
}
