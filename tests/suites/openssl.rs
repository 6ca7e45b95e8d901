//! What is signed beside the usual algorithms: Ed448 on disk and on a token, RSA with SHA-1, small moduli and long exponents. Some of
//! it is insisted on, some needs a build with the feature `openssl`: one without it says what is missing.

use signet_tests::judges::{Judge, all_accept, normalise};
use signet_tests::zones::{crowded, leaf};
use signet_tests::{Key, Program, Role, Scratch, Signet, Token, program, with_openssl};

use crate::signing::{Denial, Pair, Place};

#[test]
fn ed448_signs_and_verifies() {
    if !with_openssl() {
        let scratch = Scratch::new();
        Signet::new("key generate --on-disk -a ED448 a.test. -K")
            .arg(scratch.folder())
            .run()
            .exits(2)
            .says(&["feature openssl"]);
        return;
    }
    for (place, denial) in [
        (Place::Disk, Denial::Nsec),
        (Place::Disk, Denial::OptOut),
        (Place::Token, Denial::Nsec3),
    ] {
        let (scratch, token) = (Scratch::new(), Token::default());
        let zone = if place == Place::Disk { crowded() } else { leaf(10) };
        let pair = Pair::generate(&token, &zone.origin, "ED448", place, scratch.folder());
        let (file, out) = (zone.write(&scratch, &[]), scratch.path("out"));
        Signet::sign(&file, &zone.origin, &out, scratch.folder())
            .args(denial.signet())
            .keys(&pair.both())
            .on(&token)
            .run()
            .succeeds();
        let verified = Signet::new("verify").arg(&out).args(["-o", &zone.origin]).run();
        verified.succeeds();
        let signatures = normalise(&out, &zone.origin).signatures();
        let all = format!("{signatures} signatures, {signatures} verified");
        assert!(verified.stdout.contains(&all), "{all}: {verified:?}");
        all_accept(&[Judge::Bind, Judge::Ldns], &out, &zone.origin);
    }
}

#[test]
fn rsa_with_sha1_signs_where_that_is_insisted_on() {
    let scratch = Scratch::new();
    let zone = leaf(5);
    let make = |role| Key::by_bind(&zone.origin, "RSASHA1", role, scratch.folder());
    let keys = [make(Role::Ksk), make(Role::Zsk)];
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("out"));
    let sign = |options: &[&str]| {
        Signet::sign(&file, &zone.origin, &out, scratch.folder())
            .arg("--no-token")
            .args(options)
            .keys(&[&keys[0], &keys[1]])
            .run()
    };
    if !with_openssl() {
        sign(&["--insist"]).exits(1).says(&["feature openssl"]);
        return;
    }
    sign(&[]).exits(1).says(&["insist"]);
    sign(&["--insist"]).succeeds();
    all_accept(&[Judge::Bind, Judge::Ldns], &out, &zone.origin);
}

#[test]
fn weak_keys_of_a_token_sign_where_that_is_insisted_on() {
    let zone = leaf(5);
    for (algorithm, bits, offload) in [
        ("RSASHA1", "2048", "sign"),
        ("NSEC3RSASHA1", "1024", "all"),
        ("RSASHA256", "1024", "sign"),
    ] {
        let (scratch, token) = (Scratch::new(), Token::default());
        let make = |words: &[&str]| {
            let signet = Signet::new("key generate -a")
                .args([algorithm, "-b", bits])
                .arg(&zone.origin);
            signet.args(words).on(&token).folder(scratch.folder()).run()
        };
        make(&[]).exits(2).says(&["insist"]);
        assert_eq!(token.pkcs11_tool(&["--list-objects"]).stdout, "");
        let keys = [&["--insist", "-f", "KSK"][..], &["--insist"]].map(|words| {
            let run = make(words);
            run.succeeds().says(&["RFC ", &format!("RSA {bits}")]);
            Key::existing(scratch.folder(), &run.stdout)
        });
        let (file, out) = (zone.write(&scratch, &[]), scratch.path("out"));
        let sign = |options: &[&str]| {
            Signet::sign(&file, &zone.origin, &out, scratch.folder())
                .args(["--offload", offload])
                .args(options)
                .keys(&[&keys[0], &keys[1]])
                .on(&token)
                .run()
        };
        sign(&[]).exits(1).says(&["insist"]);
        sign(&["--insist"]).succeeds();
        all_accept(&[Judge::Bind, Judge::Ldns], &out, &zone.origin);
    }
}

/// 2^34 + 1: as long as BIND allows.
#[test]
fn an_exponent_of_35_bits_signs_on_a_token() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(5);
    let adopt = |label: &str, words: &[&str]| {
        let file = scratch.path(label);
        Program::new(program("openssl"))
            .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
            .args(["-pkeyopt", "rsa_keygen_pubexp:17179869185", "-out"])
            .arg(&file)
            .run()
            .succeeds();
        token.import(token.label(), &file, label, if label == "ksk" { "01" } else { "02" });
        let signet = Signet::new("key from-label -a RSASHA256 -l")
            .arg(label)
            .arg(&zone.origin);
        signet.args(words).on(&token).folder(scratch.folder()).run()
    };
    let ksk = adopt("ksk", &["-f", "KSK"]);
    if !with_openssl() {
        ksk.exits(3).says(&["feature openssl"]);
        return;
    }
    let runs = [ksk, adopt("zsk", &[])];
    let keys = runs.map(|run| {
        run.succeeds();
        Key::existing(scratch.folder(), &run.stdout)
    });
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("out"));
    Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .keys(&[&keys[0], &keys[1]])
        .on(&token)
        .run()
        .succeeds();
    all_accept(&[Judge::Bind], &out, &zone.origin);
}
