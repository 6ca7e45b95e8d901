//! The keys that existing signatures may be of, made ready to verify them: the run's key set, and those whose dates say
//! that they are gone. What stays is decided by `dnssec_sign`.

use std::sync::Arc;

use dnssec_sign::{
    CheckSignature, Dnskey, KeySet, KeySource, KeyState, KnownKey, Node, Policy, PublicKeyVerifier, RecordType,
    Retention, Window,
};

use crate::config::{InputDnssec, ReuseConfig};

/// How existing signatures are dealt with. `previous` is the apex of the previous output, where one is looked at.
pub(crate) fn retention(
    set: &KeySet,
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
