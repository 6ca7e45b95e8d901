//! What the token does and what the host does: `--offload`, with mechanisms that are missing.

use serde_json::Value;
use signet_tests::judges::dnssec_verify;
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Key, Scratch, Signet, Token};

use super::stage::{ECDSA, Outcome, RSA};

/// CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_SHA256.
const PLAIN: &str = "without 0x1";
const COMBINED: &str = "without 0x40";
const DIGEST: &str = "without 0x250";

/// What was done on the host, by the report.
fn host(outcome: &Outcome) -> Vec<String> {
    let report: Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
    let host = report["tokens"][0]["host"].as_array().unwrap();
    host.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn rsa_signatures_are_the_same_whoever_hashes() {
    let by_host = RSA.sign("", &[]);
    by_host.complete();
    assert_eq!(by_host.faulty.calls("C_Digest") + by_host.faulty.calls("C_Verify"), 0);
    let signed = by_host.scratch.read("signed");
    let signatures = by_host.faulty.other("signed");

    // All by the combined mechanism.
    let whole = RSA.sign("", &["--offload", "all"]);
    whole.complete();
    assert_eq!(whole.scratch.read("signed"), signed);
    assert_eq!(whole.faulty.calls("C_Digest"), 0);
    assert_eq!(whole.faulty.calls("C_Verify"), 2, "one for each key");
    assert_eq!(host(&whole), Vec::<String>::new());

    // C_Digest, then the plain one.
    let digested = RSA.sign(COMBINED, &["--offload", "all"]);
    digested.complete();
    assert_eq!(digested.scratch.read("signed"), signed);
    assert!(
        digested.faulty.calls("C_Digest") >= signatures - 8,
        "{:?}",
        digested.run
    );
    assert_eq!(host(&digested), Vec::<String>::new());

    // Neither: the host hashes, and the report names it.
    let left = RSA.sign(&format!("{COMBINED}; {DIGEST}"), &["--offload", "all"]);
    left.complete();
    assert_eq!(left.scratch.read("signed"), signed);
    assert!(host(&left)[0].contains("hashing for RSASHA256"), "{:?}", host(&left));
    assert!(left.run.stderr.contains("done on the host: hashing"), "{:?}", left.run);

    // A token that has the combined mechanism alone is served by either.
    for offload in ["sign", "all"] {
        let only = RSA.sign(PLAIN, &["--offload", offload]);
        only.complete();
        assert_eq!(only.scratch.read("signed"), signed);
    }
    let none = RSA.sign(&format!("{PLAIN}; {COMBINED}"), &[]);
    none.stopped();
    assert!(
        none.run.stderr.contains("neither CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS"),
        "{:?}",
        none.run
    );
}

#[test]
fn a_key_that_allows_one_mechanism_signs_by_it() {
    let (token, scratch, zone) = (Token::default(), Scratch::new(), leaf(20));
    // Made by another program; CKA_ALLOWED_MECHANISMS has no plain mechanism, and SoftHSM enforces it.
    let make = [
        "--keypairgen",
        "--key-type",
        "rsa:2048",
        "--label",
        "strict",
        "--id",
        "01",
    ];
    let allowed = ["--allowed-mechanisms", "SHA256-RSA-PKCS"];
    token.pkcs11_tool(&[&make[..], &allowed].concat()).succeeds();
    let adopt = Signet::new("key from-label")
        .arg(&zone.origin)
        .args(["-a", "RSASHA256", "-l", "strict", "-K"])
        .arg(scratch.folder())
        .on(&token)
        .run();
    let key = Key::existing(scratch.folder(), &adopt.succeeds().stdout);
    let (input, out) = (zone.write(&scratch, &[&key]), scratch.path("signed"));
    let sign = |schedule: &str| {
        let sign = Signet::sign(&input, &zone.origin, &out, scratch.folder())
            .keys(&[&key])
            .arg("-z");
        sign.envs(token.faulty_environment(&Faulty::new(schedule))).run()
    };
    sign("").succeeds();
    dnssec_verify(&out, &zone.origin, &["-z"]).succeeds();
    sign(COMBINED)
        .exits(3)
        .says(&["neither CKM_RSA_PKCS nor CKM_SHA256_RSA_PKCS"]);
}

#[test]
fn ecdsa_is_done_by_the_token_as_far_as_it_can() {
    let outcome = ECDSA.sign("", &["--offload", "all"]);
    let signatures = outcome.complete() as u64;
    // SoftHSM 2.6 has no CKM_ECDSA_SHA256, 2.7 has.
    let digests = outcome.faulty.calls("C_Digest");
    assert!(
        digests == 0 || digests >= signatures,
        "{digests} digests, {signatures} signatures"
    );
    assert!(outcome.faulty.calls("C_Verify") >= 2);
}

#[test]
fn a_digest_that_fails_is_made_on_the_host() {
    let outcome = RSA.sign(&format!("{COMBINED}; C_Digest %5 answer 0x5"), &["--offload", "all"]);
    outcome.complete();
    assert!(outcome.faulty.fired() > 5);
}

#[test]
fn a_random_salt_comes_from_the_token() {
    let salt = |arguments: &[&str]| {
        let outcome = ECDSA.sign("", &[&["--nsec3", "--salt", "random"], arguments].concat());
        outcome.complete();
        let text = outcome.scratch.read("signed");
        let parameters = text
            .lines()
            .find(|line| line.contains("NSEC3PARAM\t") || line.contains("NSEC3PARAM 1"));
        let salt = parameters.unwrap().split_ascii_whitespace().nth(7).unwrap().to_owned();
        (salt, outcome.faulty.calls("C_GenerateRandom"))
    };
    let (one, asked) = salt(&["--offload", "all"]);
    assert_eq!((one.len(), asked), (16, 1));
    let (other, asked) = salt(&[]);
    assert_eq!((other.len(), asked), (16, 0));
    assert_ne!(one, other);
}
