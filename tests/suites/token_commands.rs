//! `signet token check` and `bench`: what a token can do, by doing it, and how fast; no object is left behind.

use serde_json::Value;
use signet_tests::{Faulty, Key, Role, Scratch, Signet, Token};

fn keys_on(token: &Token) -> usize {
    let run = Signet::new("key list --json").on(token).run();
    run.succeeds();
    let listed: Value = serde_json::from_str(&run.stdout).unwrap();
    listed.as_array().map_or_else(|| panic!("{listed}"), Vec::len)
}

fn check(token: &Token, schedule: &str, arguments: &[&str]) -> (Value, Faulty) {
    let faulty = Faulty::new(schedule);
    let run = Signet::new("token check --json")
        .envs(token.faulty_environment(&faulty))
        .args(arguments)
        .run();
    run.succeeds();
    (serde_json::from_str(&run.stdout).unwrap(), faulty)
}

fn of<'a>(report: &'a Value, algorithm: &str) -> &'a Value {
    let all = report["algorithms"].as_array().unwrap();
    all.iter().find(|one| one["algorithm"] == algorithm).unwrap()
}

#[test]
fn check_proves_each_algorithm_and_leaves_nothing_behind() {
    let token = Token::default();
    let (report, faulty) = check(&token, "", &["--make-keys"]);
    for algorithm in [
        "RSASHA256",
        "RSASHA512",
        "ECDSAP256SHA256",
        "ECDSAP384SHA384",
        "ED25519",
    ] {
        let found = of(&report, algorithm);
        assert_eq!(found["sign"]["available"], true, "{found}");
        assert_eq!(found["all"]["available"], true, "{found}");
        let proof = found["all"]["proof"].as_str().unwrap();
        assert!(proof.contains("by C_Verify"), "{proof}");
    }
    assert_eq!(report["random"]["available"], true, "{report}");
    assert!(faulty.calls("C_GenerateKeyPair") >= 4);
    assert_eq!(faulty.other("open"), 0);
    assert_eq!(keys_on(&token), 0);
}

#[test]
fn check_says_what_is_missing() {
    let (token, scratch) = (Token::default(), Scratch::new());
    let _key = Key::on_token(&token, "check.test.", "RSASHA256", Role::Zsk, scratch.folder());
    // Without CKM_SHA256_RSA_PKCS, CKM_SHA256, CKM_EDDSA and CKM_SHA512.
    let (report, _) = check(&token, "without 0x40; without 0x250; without 0x1057; without 0x42", &[]);
    let rsa = of(&report, "RSASHA256");
    assert_eq!(rsa["sign"]["available"], true, "{rsa}");
    assert_eq!(rsa["all"]["available"], false, "{rsa}");
    assert!(
        rsa["all"]["missing"][0]
            .as_str()
            .unwrap()
            .contains("CKM_SHA256_RSA_PKCS"),
        "{rsa}"
    );
    // The other hash still has its mechanism.
    assert_eq!(of(&report, "RSASHA512")["sign"]["available"], true);
    let eddsa = of(&report, "ED25519");
    assert!(
        eddsa["sign"]["missing"][0].as_str().unwrap().contains("CKM_EDDSA"),
        "{eddsa}"
    );
    // There is no key of this type, and none is made unasked.
    let ecdsa = of(&report, "ECDSAP256SHA256");
    assert!(
        ecdsa["sign"]["missing"][0]
            .as_str()
            .unwrap()
            .contains("a key for the proof"),
        "{ecdsa}"
    );
    assert_eq!(keys_on(&token), 1);
    // The same as text.
    let run = Signet::new("token check").on(&token).run();
    for line in ["RSASHA256", "ED25519"] {
        let rows: Vec<&str> = run.stdout.lines().filter(|row| row.starts_with(line)).collect();
        let verdict = if line == "RSASHA256" {
            "available: "
        } else {
            "missing: a key"
        };
        assert!(
            rows.len() == 2 && rows.iter().all(|row| row.contains(verdict)),
            "{run:?}"
        );
    }

    // A signature that is wrong is no proof, and a token that can sign nothing is told by the exit code.
    let faulty = Faulty::new("C_Sign * signature wrong");
    let run = Signet::new("token check").envs(token.faulty_environment(&faulty)).run();
    run.exits(3);
    assert!(run.stdout.contains("the proof failed"), "{run:?}");
}

#[test]
fn check_looks_at_the_environment_of_vendors_libraries() {
    let token = Token::default();
    let run = Signet::new("token check")
        .on(&token)
        .env("KEYPER_LIBRARY_PATH", "/no/such/folder")
        .run();
    assert!(run.stderr.contains("KEYPER_LIBRARY_PATH=/no/such/folder"), "{run:?}");
    assert!(run.stdout.contains("SOFTHSM2_CONF"), "{run:?}");
}

#[test]
fn bench_measures_keys_made_for_it_and_those_that_are_there() {
    let (token, scratch) = (Token::default(), Scratch::new());
    let _key = Key::on_token_labelled(
        &token,
        "bench.test.",
        "ECDSAP256SHA256",
        Role::Zsk,
        scratch.folder(),
        "there",
    );
    let faulty = Faulty::new("C_Sign * sleep 5000");
    let run = Signet::new("token bench --json --seconds 0.2 --sessions 1,4 -a ECDSAP384SHA384 --key there")
        .envs(token.faulty_environment(&faulty))
        .run();
    run.succeeds();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    // Two keys, token object and session copy, one and four sessions.
    assert_eq!(rows.len(), 8, "{report}");
    for row in rows {
        let p = |name: &str| row[name].as_u64().unwrap();
        assert!(p("p50_us") >= 5000, "{row}");
        assert!(
            p("p50_us") <= p("p90_us") && p("p90_us") <= p("p99_us") && p("p99_us") <= p("max_us"),
            "{row}"
        );
    }
    for best in report["best"].as_array().unwrap() {
        assert_eq!(best["sessions"], 4, "{best}");
    }
    assert_eq!(faulty.other("open"), 0);
    assert_eq!(keys_on(&token), 1);
    let run = Signet::new("token bench --seconds 0.05 --sessions 2 --key there")
        .on(&token)
        .run();
    run.succeeds();
    assert!(
        run.stdout.contains("session copy") && run.stdout.contains("best for there"),
        "{run:?}"
    );
    Signet::new("token bench").on(&token).run().exits(2);
}
