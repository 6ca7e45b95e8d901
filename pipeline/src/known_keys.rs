//! The keys that existing signatures may be of, made ready to verify them: the run's key set, and those whose dates say
//! that they are gone. What stays is decided by `dnssec_sign`.

use std::sync::Arc;

use dnssec_sign::{
    CheckSignature, Dnskey, KeyCandidate, KeySet, KeySource, KeyState, KnownKey, Node, Policy, PublicKeyVerifier,
    RecordType, Retention, Succession, Window,
};

use crate::config::{InputDnssec, ReuseConfig};

/// How existing signatures are dealt with. `previous` is the apex of the previous output, where one is looked at.
pub(crate) fn retention(
    set: &KeySet,
    candidates: &[KeyCandidate],
    policy: &Policy,
    reuse: &ReuseConfig,
    now: u32,
    previous: Option<&Node<'_>>,
) -> Retention {
    let mut keys: Vec<KnownKey> = set
        .entries()
        .iter()
        .map(|entry| KnownKey {
            signer: entry.zone_signer().map(|signer| (signer, entry.roles)),
            published: entry.published,
            offline: entry.source == KeySource::PublicOnly,
            inactive: is_inactive(entry.state, entry.source),
            ..known(&entry.dnskey, previous)
        })
        .collect();
    for key in set.unused() {
        if !keys.iter().any(|known| known.dnskey == key.dnskey) {
            keys.push(KnownKey {
                inactive: is_inactive(key.state, key.source),
                ..known(&key.dnskey, previous)
            });
        }
    }
    keys.sort_by(|one, other| one.dnskey.rdata().cmp(other.dnskey.rdata()));
    for at in 0..keys.len() {
        keys[at].predecessor = predecessor(&keys, at, candidates);
    }
    Retention {
        now,
        refresh: policy.refresh_window(Window::Zone),
        dnskey_refresh: policy.refresh_window(Window::Dnskey),
        drop_inactive: reuse.drop_inactive,
        drop_removed: reuse.drop_removed,
        use_input: reuse.input == InputDnssec::Reuse,
        force: reuse.force,
        keys,
    }
}

/// The place of the key that the one at `at` follows: its files name one before it, and that one's files name it.
fn predecessor(keys: &[KnownKey], at: usize, candidates: &[KeyCandidate]) -> Option<usize> {
    let succession = |key: &KnownKey| {
        let mut of_key = candidates
            .iter()
            .filter(|candidate| candidate.dnskey.unrevoked() == key.dnskey.unrevoked());
        of_key
            .find(|candidate| candidate.succession != Succession::default())
            .map(|candidate| candidate.succession)
    };
    let key = keys.get(at)?;
    succession(key)?.predecessor?;
    keys.iter().position(|other| {
        other.dnskey.algorithm() == key.dnskey.algorithm()
            && succession(other).is_some_and(|other| other.successor == Some(key.key_tag))
    })
}

fn known(dnskey: &Dnskey, previous: Option<&Node<'_>>) -> KnownKey {
    let alike = previous
        .map_or(&[][..], |apex| apex.set(RecordType::DNSKEY))
        .iter()
        .filter(|record| {
            Dnskey::from_rdata(record.rdata)
                .is_ok_and(|other| other.algorithm() == dnskey.algorithm() && other.key_tag() == dnskey.key_tag())
        });
    let mut count = 0;
    let mut same = false;
    for record in alike {
        count += 1;
        same = record.rdata == dnskey.rdata();
    }
    KnownKey {
        key_tag: dnskey.key_tag(),
        signer: None,
        published: false,
        offline: false,
        inactive: false,
        predecessor: None,
        in_previous: same && count == 1,
        checker: PublicKeyVerifier::new(dnskey)
            .ok()
            .map(|verifier| Arc::new(verifier) as Arc<dyn CheckSignature>),
        dnskey: dnskey.clone(),
    }
}

/// Whether the dates of a key say that it does not sign. One that is not at hand has none.
fn is_inactive(state: KeyState, source: KeySource) -> bool {
    match state {
        KeyState::Retired | KeyState::Removed | KeyState::Future => true,
        KeyState::StandBy => source != KeySource::PublicOnly,
        _ => false,
    }
}
