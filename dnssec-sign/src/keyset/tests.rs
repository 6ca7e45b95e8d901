//! Key sets from candidates: who is published, who signs what, and what is refused. Keys are of the right
//! form but no real points: nothing is signed here.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use super::{
    KeyCandidate, KeyId, KeySet, KeySetError, KeySetOptions, KeySetWarning, KeySource, KeyState, KeyTimes, Lacking,
    RecordStates, Succession,
};
use crate::algorithm::Algorithm;
use crate::denial::Nsec3Params;
use crate::dnskey::Dnskey;
use crate::policy::{Denial, Insist};
use crate::signer::KeyIndex;

const NOW: u32 = 1_000_000;
const P256: Algorithm = Algorithm::ECDSAP256SHA256;

fn dnskey(flags: u16, algorithm: Algorithm, fill: u8) -> Dnskey {
    let length = algorithm.public_key_length().unwrap_or(260);
    let mut key = vec![fill; length];
    if algorithm.is_rsa() {
        key[..4].copy_from_slice(&[3, 1, 0, 1]);
        key[4] = 0xff;
    }
    Dnskey::new(flags, algorithm, &key).unwrap()
}

fn named(dnskey: Dnskey, index: u16) -> KeyCandidate {
    KeyCandidate {
        dnskey,
        source: KeySource::Store {
            store: 0,
            index: KeyIndex(index),
        },
        times: KeyTimes::default(),
        states: RecordStates::default(),
        explicit: true,
        ttl: None,
        in_zone: false,
        succession: Succession::default(),
    }
}

fn dated(dnskey: Dnskey, index: u16, times: KeyTimes) -> KeyCandidate {
    KeyCandidate {
        times,
        explicit: false,
        ..named(dnskey, index)
    }
}

fn of_zone(dnskey: Dnskey, ttl: u32) -> KeyCandidate {
    KeyCandidate {
        dnskey,
        source: KeySource::PublicOnly,
        times: KeyTimes::default(),
        states: RecordStates::default(),
        explicit: false,
        ttl: Some(ttl),
        in_zone: true,
        succession: Succession::default(),
    }
}

fn ksk(fill: u8) -> Dnskey {
    dnskey(257, P256, fill)
}

fn zsk(fill: u8) -> Dnskey {
    dnskey(256, P256, fill)
}

fn build(candidates: &[KeyCandidate]) -> Result<KeySet, KeySetError> {
    build_with(candidates, &KeySetOptions::default())
}

fn build_with(candidates: &[KeyCandidate], options: &KeySetOptions) -> Result<KeySet, KeySetError> {
    KeySet::new(candidates, NOW, 7200, &Denial::Nsec, options)
}

/// Flags of the published keys, and of the signers of DNSKEY, of CDS and CDNSKEY, and of all else.
fn shape(set: &KeySet) -> [Vec<u16>; 4] {
    let flags = |entry: &super::KeySetEntry| entry.dnskey.flags();
    [
        set.published().map(Dnskey::flags).collect(),
        set.signers_of_apex_keys().map(flags).collect(),
        set.signers_of_sync().map(flags).collect(),
        set.signers_of_rest().map(flags).collect(),
    ]
}

#[test]
fn named_keys_split_the_work() {
    let candidates = [named(ksk(1), 0), named(zsk(2), 1)];
    let set = build(&candidates).unwrap();
    assert_eq!(shape(&set), [vec![256, 257], vec![256, 257], vec![256, 257], vec![256]]);
    assert_eq!(set.ttl(), 7200);
    assert!(set.warnings().is_empty());
    let signer = set.signers_of_rest().next().unwrap().zone_signer().unwrap();
    assert_eq!(
        (signer.store, signer.index, signer.algorithm, signer.signature_length),
        (0, KeyIndex(1), 13, 64)
    );
    assert_eq!(signer.key_tag, zsk(2).key_tag());

    let set = build_with(
        &candidates,
        &KeySetOptions {
            ksk_only: true,
            ..KeySetOptions::default()
        },
    )
    .unwrap();
    assert_eq!(shape(&set), [vec![256, 257], vec![257], vec![257], vec![256]]);
    let set = build_with(
        &candidates,
        &KeySetOptions {
            ignore_ksk: true,
            ..KeySetOptions::default()
        },
    )
    .unwrap();
    assert_eq!(
        shape(&set),
        [vec![256, 257], vec![256, 257], vec![256, 257], vec![256, 257]]
    );
}

#[test]
fn one_key_for_all() {
    let error = build(&[named(ksk(1), 0)]).unwrap_err();
    assert_eq!(
        error,
        KeySetError::OnlyKsk {
            keys: vec![KeyId::of(&ksk(1))]
        }
    );
    assert!(error.to_string().contains("use -z"));
    let all = KeySetOptions {
        ignore_ksk: true,
        ..KeySetOptions::default()
    };
    let set = build_with(&[named(ksk(1), 0)], &all).unwrap();
    assert_eq!(shape(&set), [vec![257], vec![257], vec![257], vec![257]]);
    let error = build_with(&[named(zsk(1), 0)], &KeySetOptions::default()).unwrap_err();
    assert_eq!(
        error,
        KeySetError::OnlyZsk {
            keys: vec![KeyId::of(&zsk(1))]
        }
    );
    // An algorithm without a KSK: its ZSK signs the keys even where only KSKs should, if that is insisted on.
    let strict = KeySetOptions {
        ksk_only: true,
        insist: Insist::Yes,
        ..KeySetOptions::default()
    };
    let set = build_with(&[named(zsk(1), 0)], &strict).unwrap();
    assert_eq!(shape(&set), [vec![256], vec![256], vec![256], vec![256]]);
    assert_eq!(set.warnings(), [KeySetWarning::NoKsk]);
}

#[test]
fn dates_decide_when_no_key_is_named() {
    let at = |publish, activate, inactive, delete| KeyTimes {
        publish,
        activate,
        inactive,
        delete,
        ..KeyTimes::default()
    };
    let past = Some(NOW - 1);
    let future = Some(NOW + 1);
    let set = build(&[
        dated(ksk(1), 0, at(past, past, None, None)),
        dated(zsk(2), 1, at(past, past, None, None)),
        dated(zsk(3), 2, at(past, future, None, None)),
        dated(zsk(4), 3, at(past, past, past, None)),
        dated(zsk(5), 4, at(past, past, past, past)),
        dated(zsk(6), 5, at(future, future, None, None)),
        dated(zsk(7), 6, KeyTimes::default()),
        dated(zsk(8), 7, at(future, past, None, None)),
        of_zone(zsk(9), 300),
        of_zone(zsk(5), 300),
        of_zone(zsk(2), 300),
    ])
    .unwrap();
    let states: Vec<_> = set
        .entries()
        .iter()
        .map(|entry| (entry.dnskey.public_key()[0], entry.state))
        .collect();
    assert_eq!(
        states,
        [
            (2, KeyState::Active),
            (3, KeyState::StandBy),
            (4, KeyState::Retired),
            (8, KeyState::SigningUnseen),
            (9, KeyState::Undated),
            (1, KeyState::Active)
        ]
    );
    let published: Vec<_> = set.published().map(|key| key.public_key()[0]).collect();
    assert_eq!(published, [2, 3, 4, 9, 1]);
    let rest: Vec<_> = set
        .signers_of_rest()
        .map(|entry| entry.dnskey.public_key()[0])
        .collect();
    assert_eq!(rest, [2, 8]);
    assert_eq!(set.unused().len(), 6);
    assert_eq!(set.ttl(), 300);
}

#[test]
fn named_keys_ignore_dates_and_leave_others_alone() {
    let gone = KeyTimes {
        delete: Some(1),
        ..KeyTimes::ALWAYS
    };
    let set = build(&[
        KeyCandidate {
            times: gone,
            ..named(ksk(1), 0)
        },
        named(zsk(2), 1),
        dated(zsk(3), 2, KeyTimes::ALWAYS),
        dated(zsk(4), 3, gone),
        of_zone(zsk(4), 60),
    ])
    .unwrap();
    let published: Vec<_> = set.published().map(|key| key.public_key()[0]).collect();
    assert_eq!(published, [2, 4, 1]);
    assert_eq!(set.signers_of_rest().count(), 1);
    assert_eq!(
        set.warnings(),
        [KeySetWarning::AgainstDates {
            key: KeyId::of(&ksk(1)),
            state: KeyState::Removed
        }]
    );
}

#[test]
fn revoked_keys_sign_the_dnskey_set_only() {
    let revoked = KeyTimes {
        revoke: Some(NOW),
        ..KeyTimes::ALWAYS
    };
    let candidates = [
        dated(ksk(1), 0, revoked),
        dated(ksk(2), 1, KeyTimes::ALWAYS),
        dated(zsk(3), 2, KeyTimes::ALWAYS),
    ];
    let strict = KeySetOptions {
        ksk_only: true,
        ignore_ksk: true,
        ..KeySetOptions::default()
    };
    let set = build_with(&candidates, &strict).unwrap();
    assert_eq!(
        shape(&set),
        [vec![256, 257, 385], vec![257, 385], vec![257], vec![256, 257]]
    );
    let entry = set.signers_of_apex_keys().last().unwrap();
    assert_eq!(entry.zone_signer().unwrap().key_tag, ksk(1).revoked().key_tag());
    assert_eq!(entry.zone_signer().unwrap().index, KeyIndex(0));

    // The zone has it revoked already, and its file does not: it is one key, and revoked.
    let set = build(&[
        named(ksk(1), 0),
        named(ksk(2), 1),
        named(zsk(3), 2),
        of_zone(ksk(1).revoked(), 60),
    ])
    .unwrap();
    assert_eq!(shape(&set)[0], [256, 257, 385]);
    assert_eq!(shape(&set)[3], [256]);
    assert_eq!(
        set.warnings(),
        [KeySetWarning::RevokedInZone {
            key: KeyId::of(&ksk(1).revoked())
        }]
    );

    // The only one is not revoked unless that is insisted on.
    let candidates = [dated(ksk(1), 0, revoked), dated(zsk(3), 2, KeyTimes::ALWAYS)];
    let error = build(&candidates).unwrap_err();
    assert_eq!(
        error,
        KeySetError::SoleKskRevoked {
            key: KeyId::of(&ksk(1).revoked())
        }
    );
    let insist = KeySetOptions {
        insist: Insist::Yes,
        ..KeySetOptions::default()
    };
    assert_eq!(shape(&build_with(&candidates, &insist).unwrap())[1], [256, 385]);
}

#[test]
fn a_published_algorithm_must_sign() {
    let ed = |flags, fill| dnskey(flags, Algorithm::ED25519, fill);
    let error = build(&[named(ksk(1), 0), named(zsk(2), 1), of_zone(ed(256, 3), 60)]).unwrap_err();
    assert_eq!(
        error,
        KeySetError::UnusedAlgorithm {
            algorithm: Algorithm::ED25519,
            keys: vec![KeyId::of(&ed(256, 3))],
            lacking: Lacking::Zone
        }
    );
    let error = build(&[named(ksk(1), 0), named(zsk(2), 1), named(ed(257, 3), 2)]).unwrap_err();
    assert!(matches!(
        error,
        KeySetError::UnusedAlgorithm {
            lacking: Lacking::Zone,
            ..
        }
    ));
    // Two complete algorithms.
    let set = build(&[
        named(ksk(1), 0),
        named(zsk(2), 1),
        named(ed(257, 3), 2),
        named(ed(256, 4), 3),
    ])
    .unwrap();
    assert_eq!(set.signers_of_rest().count(), 2);
    // A KSK without its private half, and only KSKs shall sign the keys.
    let strict = KeySetOptions {
        ksk_only: true,
        ..KeySetOptions::default()
    };
    let candidates = [of_zone(ksk(1), 60), named(zsk(2), 1)];
    let error = build_with(&candidates, &strict).unwrap_err();
    assert!(matches!(
        error,
        KeySetError::UnusedAlgorithm {
            lacking: Lacking::Dnskey,
            ..
        }
    ));
    let set = build(&candidates).unwrap();
    assert_eq!(
        set.warnings(),
        [KeySetWarning::NoKskSigns {
            keys: vec![KeyId::of(&ksk(1))]
        }]
    );
    // A key that signs before it is published asks for nothing.
    let early = KeyTimes {
        publish: Some(NOW + 9),
        activate: Some(1),
        ..KeyTimes::default()
    };
    let set = build(&[
        dated(ksk(1), 0, KeyTimes::ALWAYS),
        dated(zsk(2), 1, KeyTimes::ALWAYS),
        dated(ed(257, 3), 2, early),
        dated(ed(256, 4), 3, early),
    ])
    .unwrap();
    assert_eq!(
        shape(&set),
        [
            vec![256, 257],
            vec![256, 256, 257, 257],
            vec![256, 256, 257, 257],
            vec![256, 256]
        ]
    );
}

#[test]
fn nothing_to_sign_with() {
    let error = build(&[]).unwrap_err();
    assert!(error.to_string().contains("none was named or found"), "{error}");
    let future = KeyTimes {
        publish: Some(NOW + 1),
        activate: Some(NOW + 1),
        ..KeyTimes::default()
    };
    let error = build(&[dated(zsk(1), 0, future), of_zone(ksk(2), 5)]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("ZSK ECDSAP256SHA256/{} (not yet published)", zsk(1).key_tag())),
        "{text}"
    );
    assert!(text.contains("(no private key at hand)"), "{text}");
}

/// The keys of a zone that has no key-signing key: the flag is ignored.
fn build_alone(candidates: &[KeyCandidate]) -> Result<KeySet, KeySetError> {
    let options = KeySetOptions {
        ignore_ksk: true,
        ..KeySetOptions::default()
    };
    build_with(candidates, &options)
}

#[test]
fn keys_that_must_or_should_not_sign() {
    let sha1 = dnskey(256, Algorithm::NSEC3RSASHA1, 1);
    assert!(matches!(
        build_alone(&[named(sha1.clone(), 0)]),
        Err(KeySetError::Forbidden { .. })
    ));
    let insist = KeySetOptions {
        insist: Insist::Yes,
        ignore_ksk: true,
        ..KeySetOptions::default()
    };
    let set = build_with(&[named(sha1, 0)], &insist).unwrap();
    assert!(matches!(set.warnings()[0], KeySetWarning::Forbidden { .. }));

    let old = dnskey(256, Algorithm::RSASHA1, 1);
    let nsec3 = Denial::Nsec3(Nsec3Params {
        iterations: 0,
        salt: Vec::new(),
        opt_out: false,
    });
    let error = KeySet::new(&[named(zsk(1), 0), of_zone(old, 5)], NOW, 60, &nsec3, &insist).unwrap_err();
    assert!(matches!(error, KeySetError::NsecOnly { .. }));

    let host = dnskey(1, P256, 3);
    assert!(matches!(
        build_alone(&[named(host.clone(), 0)]),
        Err(KeySetError::NotZoneKey { .. })
    ));
    let set = build_alone(&[named(zsk(1), 0), of_zone(host, 5)]).unwrap();
    assert_eq!(set.published().count(), 2);
    assert!(matches!(set.warnings()[0], KeySetWarning::NotZoneKey { .. }));

    let set = build_alone(&[named(dnskey(256, Algorithm::RSASHA512, 1), 0)]).unwrap();
    assert!(matches!(set.warnings()[0], KeySetWarning::NotRecommended { .. }));
    let short = Dnskey::from_rsa(256, Algorithm::RSASHA256, &[1, 0, 1], &[0x7f; 128]).unwrap();
    let error = build_alone(&[named(short.clone(), 0)]).unwrap_err();
    assert!(matches!(error, KeySetError::ShortRsa { bits: 1023, .. }));
    let set = KeySet::new(&[named(short, 0)], NOW, 60, &Denial::Nsec, &insist).unwrap();
    assert!(matches!(set.warnings()[0], KeySetWarning::ShortRsa { bits: 1023, .. }));
}

#[test]
fn the_ttl_of_the_dnskey_set() {
    let with_ttl = |fill, ttl| KeyCandidate {
        ttl,
        ..named(zsk(fill), 0)
    };
    let option = KeySetOptions {
        ttl: Some(900),
        ignore_ksk: true,
        ..KeySetOptions::default()
    };
    let ttl = |candidates: &[KeyCandidate]| build_with(candidates, &option).unwrap().ttl();
    assert_eq!(
        ttl(&[with_ttl(1, Some(600)), with_ttl(2, Some(0)), with_ttl(3, Some(500))]),
        500
    );
    assert_eq!(ttl(&[with_ttl(1, Some(0))]), 900);
    assert_eq!(build_alone(&[with_ttl(1, None)]).unwrap().ttl(), 7200);
    let set = build_with(&[with_ttl(1, Some(600)), of_zone(zsk(1), 60)], &option).unwrap();
    assert_eq!((set.ttl(), set.entries().len()), (60, 1));
    assert!(
        set.warnings()
            .contains(&KeySetWarning::TtlKept { wanted: 900, kept: 60 })
    );
}

#[test]
fn the_order_of_candidates_is_of_no_account() {
    let mut candidates = vec![
        named(ksk(1), 0),
        named(zsk(2), 1),
        named(zsk(3), 2),
        of_zone(zsk(2), 60),
        of_zone(zsk(4), 60),
    ];
    let set = build(&candidates).unwrap();
    candidates.reverse();
    assert_eq!(build(&candidates).unwrap().entries(), set.entries());
}
