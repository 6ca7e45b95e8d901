//! The harness itself: judges accept what dnssec-signzone makes, and see what is broken.

use signet_tests::judges::{
    Judge, SignZone, all_accept, dnssec_verify, kzonecheck, ldns_verify_zone, normalise, validns,
};
use signet_tests::zones::{Spice, crowded, handmade, leaf, nasty, root_like, tld};
use signet_tests::{Key, Role, Scratch, Token};

fn signed_by_bind(
    algorithm: &str,
    zone: &signet_tests::zones::Zone,
    options: &[&str],
) -> (Scratch, std::path::PathBuf) {
    let scratch = Scratch::new();
    let ksk = Key::by_bind(&zone.origin, algorithm, Role::Ksk, scratch.folder());
    let zsk = Key::by_bind(&zone.origin, algorithm, Role::Zsk, scratch.folder());
    let file = zone.write(&scratch, &[&ksk, &zsk]);
    let out = scratch.path("signed");
    SignZone::new(&file, &zone.origin, scratch.folder())
        .options(options)
        .run(&out)
        .succeeds();
    (scratch, out)
}

#[test]
fn every_judge_accepts_a_plain_zone_of_bind() {
    let zone = leaf(50);
    let (_scratch, out) = signed_by_bind("RSASHA256", &zone, &[]);
    all_accept(
        &[Judge::Bind, Judge::Ldns, Judge::Knot, Judge::Validns],
        &out,
        &zone.origin,
    );
}

#[test]
fn every_judge_sees_a_set_that_was_changed() {
    let zone = leaf(50);
    let (scratch, out) = signed_by_bind("RSASHA256", &zone, &[]);
    let text = std::fs::read_to_string(&out).unwrap();
    let changed = text.replacen("192.0.2.1", "192.0.2.99", 1);
    assert_ne!(text, changed);
    let broken = scratch.write("broken", changed);
    for judge in [Judge::Bind, Judge::Ldns, Judge::Knot, Judge::Validns] {
        assert!(
            judge.complaint(&broken, &zone.origin).is_some(),
            "{} accepts",
            judge.name()
        );
    }
}

#[test]
fn judges_that_take_a_time_see_an_expired_zone() {
    let zone = leaf(5);
    let (_scratch, out) = signed_by_bind("RSASHA256", &zone, &[]);
    let later = 2_200_000_000;
    assert_eq!(ldns_verify_zone(&out, Some("20300101000000")).code, Some(0));
    assert_ne!(ldns_verify_zone(&out, Some("20390101000000")).code, Some(0));
    assert_ne!(kzonecheck(&out, &zone.origin, Some(later)).code, Some(0));
    assert_ne!(validns(&out, &zone.origin, Some(later)).code, Some(0));
}

#[test]
fn bind_signs_and_accepts_every_zone_made_here() {
    let mut zones = handmade();
    zones.extend([tld(50), root_like(20), crowded()]);
    zones.extend((1..=4).map(|seed| nasty(seed, 80, Spice::Hot)));
    zones.extend((5..=8).map(|seed| nasty(seed, 80, Spice::Mild)));
    for zone in zones {
        for options in [&[][..], &["-3", "-"], &["-3", "AB", "-H", "3", "-A"]] {
            let (_scratch, out) = signed_by_bind("ED25519", &zone, options);
            let verdict = dnssec_verify(&out, &zone.origin, &[]);
            assert_eq!(verdict.code, Some(0), "{} {options:?}: {verdict:?}", zone.name);
            assert!(normalise(&out, &zone.origin).signatures() > 3);
        }
    }
}

#[test]
fn zones_are_the_same_at_every_run() {
    assert_eq!(leaf(20).text, leaf(20).text);
    assert_eq!(nasty(3, 50, Spice::Hot).text, nasty(3, 50, Spice::Hot).text);
    assert_ne!(nasty(3, 50, Spice::Hot).text, nasty(4, 50, Spice::Hot).text);
}

#[test]
fn a_token_is_a_tests_own() {
    let (one, other) = (Token::new("same"), Token::new("same"));
    assert_ne!(one.pin(), other.pin());
    let made = one.pkcs11_tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--label", "k"]);
    made.succeeds();
    assert!(one.pkcs11_tool(&["--list-objects"]).stdout.contains("label:      k"));
    assert!(!other.pkcs11_tool(&["--list-objects"]).stdout.contains("label:      k"));
}
