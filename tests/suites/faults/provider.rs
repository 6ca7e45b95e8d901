//! The module that misbehaves does so as told, and what it lets through is as good as the real one's.

use std::time::Duration;

use signet_tests::judges::dnssec_verify;
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Key, Scratch, Signet, Token};

use super::stage::ECDSA;

#[test]
fn without_a_schedule_it_is_the_real_module() {
    let outcome = ECDSA.sign("", &["--sessions", "2"]);
    let signatures = outcome.complete() as u64;
    assert!(signatures > 500, "{signatures}");
    assert_eq!(outcome.faulty.calls("C_Login"), 1);
    assert_eq!(outcome.faulty.calls("C_Initialize"), 1);
    assert_eq!(outcome.faulty.fired(), 0);
    // Proofs: one a key, one a session copy.
    let proofs = outcome.faulty.other("signed") - signatures;
    assert!((2..=4).contains(&proofs), "{proofs}");
}

#[test]
fn latency_is_as_told() {
    let outcome = ECDSA.sign("C_Sign * tail 1000 100 50000", &["--sessions", "1"]);
    outcome.complete();
    let calls = u32::try_from(outcome.faulty.calls("C_Sign")).unwrap();
    let least = Duration::from_millis(1) * calls + Duration::from_millis(49) * (calls / 100);
    assert!(outcome.run.elapsed > least, "{:?} < {least:?}", outcome.run.elapsed);
}

#[test]
fn points_in_every_form_are_understood() {
    for form in ["raw", "bit-string"] {
        ECDSA.sign(&format!("ec-point {form}"), &[]).complete();
    }
}

#[test]
fn eddsa_has_a_vendors_numbers_on_models_that_are_known_for_it() {
    let (token, scratch, zone) = (Token::default(), Scratch::new(), leaf(50));
    let faulty = |schedule: &str| {
        let faulty = Faulty::new(schedule);
        (token.faulty_environment(&faulty), faulty)
    };
    let generate = |schedule: &str, label: &str| {
        let signet = Signet::new("key generate")
            .arg(&zone.origin)
            .args(["-a", "ED25519", "-l", label, "-K"]);
        signet.arg(scratch.folder()).envs(faulty(schedule).0).run()
    };
    // The model says by which numbers to ask; a token that does not offer EdDSA by its usual ones is no such model.
    generate("vendor-eddsa; manufacturer SafeNet; model Unheard-of", "none").exits(3);
    let made = generate("vendor-eddsa; manufacturer SafeNet; model LunaSA", "early");
    let key = Key::existing(scratch.folder(), &made.succeeds().stdout);
    // Made there, or by the numbers of today before the token was exchanged: the same model with newer firmware has those.
    for schedule in [
        "vendor-eddsa; manufacturer SafeNet; model LunaSA",
        "manufacturer SafeNet; model LunaSA",
        "",
    ] {
        let (environment, faulty) = faulty(schedule);
        let list = Signet::new("key list").envs(environment.clone()).run();
        assert!(list.succeeds().stdout.contains("Ed25519"), "{schedule}: {list:?}");
        let input = zone.write(&scratch, &[&key]);
        let out = scratch.path("signed");
        let sign = Signet::sign(&input, &zone.origin, &out, scratch.folder()).envs(environment);
        sign.keys(&[&key]).arg("-z").args(["--offload", "all"]).run().succeeds();
        dnssec_verify(&out, &zone.origin, &["-z"]).succeeds();
        assert!(faulty.other("signed") > 50, "{schedule}");
    }
}

#[test]
fn a_c_get_interface_that_answers_an_error_is_passed_by() {
    for code in ["0x54", "0x5", "0x7"] {
        let outcome = ECDSA.sign(&format!("interface {code}"), &["--sessions", "2"]);
        let signatures = outcome.complete() as u64;
        assert!(outcome.faulty.calls("C_Sign") > signatures, "the module was used");
    }
}

#[test]
fn a_key_that_wants_a_login_for_every_signature() {
    let outcome = ECDSA.sign("always-authenticate", &["--sessions", "2"]);
    outcome.complete();
    let (logins, signatures) = (outcome.faulty.calls("C_Login"), outcome.faulty.calls("C_Sign"));
    assert_eq!(logins, signatures + 1);
}

#[test]
fn a_module_that_crashes_publishes_nothing() {
    let outcome = ECDSA.sign("C_Sign 200 abort", &[]);
    assert_eq!(outcome.run.code, None, "{:?}", outcome.run);
    assert_eq!(outcome.faulty.fired(), 1);
    assert!(!outcome.scratch.path("signed").exists());
}
