//! What a build with the feature `openssl` signs beside the usual algorithms: Ed448 on disk and on a token, RSA with SHA-1 where that
//! is insisted on. A build without it says what is missing.

use signet_tests::judges::{Judge, all_accept, normalise};
use signet_tests::zones::{crowded, leaf};
use signet_tests::{Key, Role, Scratch, Signet, Token, with_openssl};

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
