//! Candidates turned into the zone's key set: which DNSKEYs are published, in which TTL, and which key signs
//! what. Holds no private keys and makes no signatures; CDS and CDNSKEY are made elsewhere.

mod error;
mod roles;
mod state;
#[cfg(test)]
mod tests;

pub use error::{KeyId, KeySetError, KeySetWarning, Lacking, UnusedKey};
pub use roles::KeyRoles;
pub use state::{KeyState, KeyTimes, NoRecordState, RecordState, RecordStates};

use crate::dnskey::Dnskey;
use crate::plan::ZoneSigner;
use crate::policy::{Denial, Insist};
use crate::signer::KeyIndex;

/// Where a key's private half is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// In a store of the run.
    Store {
        /// The store's number among the run's stores.
        store: usize,
        /// The key in it.
        index: KeyIndex,
    },
    /// Not at hand: another signer's, offline, or of no use.
    PublicOnly,
}

/// A key that may be part of the set. One key may come as several candidates, from the zone and from its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCandidate {
    /// The public half, as its file, its token or the zone has it.
    pub dnskey: Dnskey,
    /// The private half.
    pub source: KeySource,
    /// The dates of its files; those of a DNSKEY in the zone are all unset.
    pub times: KeyTimes,
    /// The states of its records, where BIND's key manager noted them.
    pub states: RecordStates,
    /// Whether the operator named it.
    pub explicit: bool,
    /// The TTL in its key file or, for a DNSKEY in the zone, there.
    pub ttl: Option<u32>,
    /// Whether this is a DNSKEY of the zone's input.
    pub in_zone: bool,
    /// The keys before and after it, as its files name them.
    pub succession: Succession,
}

/// The keys that a key's files name as those before and after it, by their tags: BIND's `Predecessor` and `Successor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Succession {
    /// The tag of the key that this one follows.
    pub predecessor: Option<u16>,
    /// The tag of the key that follows this one.
    pub successor: Option<u16>,
}

/// How the keys are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeySetOptions {
    /// DNSKEY, CDS and CDNSKEY are signed by KSKs alone (BIND's `-x`). Otherwise ZSKs sign them too.
    pub ksk_only: bool,
    /// The KSK flag is not looked at: every key signs everything (BIND's `-z`).
    pub ignore_ksk: bool,
    /// The TTL of a DNSKEY set that the zone does not have yet, where no key file gives one (BIND's `-T`).
    pub ttl: Option<u32>,
    /// Whether signatures over the DNSKEY set by a KSK that is not at hand may stand for new ones.
    pub offline_ksk: bool,
    /// Whether forbidden algorithms and the revocation of the only KSK are done.
    pub insist: Insist,
}

/// One key of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetEntry {
    /// The key as it is published: with the REVOKE bit when it is revoked.
    pub dnskey: Dnskey,
    /// The private half.
    pub source: KeySource,
    /// Where the key stands. Once keys are named these are `Active` and all others `StandBy`, whatever their dates say.
    pub state: KeyState,
    /// Whether it is in the DNSKEY set.
    pub published: bool,
    /// What it signs.
    pub roles: KeyRoles,
    in_zone: bool,
    /// Revoked before this run: in the zone or in its file.
    revoked_before: bool,
}

impl KeySetEntry {
    /// The key as a planner takes it; `None` for a key without a private half or of an unknown algorithm.
    #[must_use]
    pub fn zone_signer(&self) -> Option<ZoneSigner> {
        let KeySource::Store { store, index } = self.source else {
            return None;
        };
        Some(ZoneSigner {
            store,
            index,
            algorithm: self.dnskey.algorithm().0,
            key_tag: self.dnskey.key_tag(),
            signature_length: self.dnskey.signature_length()?,
        })
    }
}

/// The keys of a zone and their roles, in ascending order of RDATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    entries: Vec<KeySetEntry>,
    unused: Vec<UnusedKey>,
    warnings: Vec<KeySetWarning>,
    ttl: u32,
}

impl KeySet {
    /// Decides about all candidates at the moment `now`.
    ///
    /// If the operator named keys, these are published and sign, whatever their dates say; of the others those in
    /// the zone stay published and sign nothing. If none was named, the dates decide, and a key of the zone without
    /// dates stays published. A key is never un-revoked: if the zone or the key's file has it with the REVOKE bit, so
    /// has the set. Candidates of one key are merged.
    ///
    /// The TTL of the DNSKEY set is that of the set in the zone; else the smallest above 0 in the key files; else
    /// that of the options; else the SOA's, `soa_ttl`.
    ///
    /// # Errors
    /// [`KeySetError`] when the zone cannot be signed with these keys, or must not be.
    pub fn new(
        candidates: &[KeyCandidate],
        now: u32,
        soa_ttl: u32,
        denial: &Denial,
        options: &KeySetOptions,
    ) -> Result<Self, KeySetError> {
        let named = candidates.iter().any(|candidate| candidate.explicit);
        let merged = merge(candidates);
        let mut warnings = Vec::new();
        let mut entries = Vec::new();
        let mut unused = Vec::new();
        let mut file_ttl = None;
        for key in &merged {
            let by_dates = key.times.state_with(&key.states, &key.dnskey, now);
            let entry = key.entry(by_dates, named, &mut warnings);
            let signs = entry.state.signs() && entry.source != KeySource::PublicOnly;
            if !signs {
                unused.push(UnusedKey {
                    dnskey: entry.dnskey.clone(),
                    state: by_dates,
                    source: entry.source,
                });
            }
            if entry.published || signs {
                file_ttl = smaller(file_ttl, key.file_ttl.filter(|&ttl| ttl > 0));
                entries.push(entry);
            }
        }
        entries.sort_by(|one, other| one.dnskey.rdata().cmp(other.dnskey.rdata()));
        roles::assign(&mut entries, options);
        if !entries.iter().any(|entry| entry.roles.any()) {
            return Err(KeySetError::NoSigningKeys { unused });
        }
        roles::check_keys(&entries, denial, options.insist, &mut warnings)?;
        roles::check_completeness(&entries, options, &mut warnings)?;
        let zone_ttl = merged.iter().fold(None, |least, key| smaller(least, key.zone_ttl));
        if let (Some(kept), Some(wanted)) = (zone_ttl, options.ttl)
            && kept != wanted
        {
            warnings.push(KeySetWarning::TtlKept { wanted, kept });
        }
        let ttl = zone_ttl.or(file_ttl).or(options.ttl).unwrap_or(soa_ttl);
        Ok(Self {
            entries,
            unused,
            warnings,
            ttl,
        })
    }

    /// All keys that are published or sign.
    #[must_use]
    pub fn entries(&self) -> &[KeySetEntry] {
        &self.entries
    }

    /// The DNSKEY set to publish, in canonical order, without duplicates.
    pub fn published(&self) -> impl Iterator<Item = &Dnskey> {
        self.entries
            .iter()
            .filter(|entry| entry.published)
            .map(|entry| &entry.dnskey)
    }

    /// The keys that sign the DNSKEY set.
    pub fn signers_of_apex_keys(&self) -> impl Iterator<Item = &KeySetEntry> {
        self.entries.iter().filter(|entry| entry.roles.dnskey)
    }

    /// The keys that sign CDS and CDNSKEY: those of the DNSKEY set without the revoked ones.
    pub fn signers_of_sync(&self) -> impl Iterator<Item = &KeySetEntry> {
        self.entries.iter().filter(|entry| entry.roles.sync)
    }

    /// The keys that sign all other sets.
    pub fn signers_of_rest(&self) -> impl Iterator<Item = &KeySetEntry> {
        self.entries.iter().filter(|entry| entry.roles.rest)
    }

    /// The keys that sign nothing, published or not, with their state by their dates.
    #[must_use]
    pub fn unused(&self) -> &[UnusedKey] {
        &self.unused
    }

    /// What should be known of the set.
    #[must_use]
    pub fn warnings(&self) -> &[KeySetWarning] {
        &self.warnings
    }

    /// The TTL of the DNSKEY set, in seconds.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.ttl
    }
}

/// All candidates of one key: RDATA equal but for the REVOKE bit.
struct MergedKey {
    /// Without the REVOKE bit.
    dnskey: Dnskey,
    source: KeySource,
    times: KeyTimes,
    states: RecordStates,
    explicit: bool,
    in_zone: bool,
    revoked: Option<RevokedIn>,
    file_ttl: Option<u32>,
    zone_ttl: Option<u32>,
}

/// Where a key has the REVOKE bit already: its file counts more, since there it was set on purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RevokedIn {
    Zone,
    File,
}

fn merge(candidates: &[KeyCandidate]) -> Vec<MergedKey> {
    let mut merged: Vec<MergedKey> = Vec::new();
    for candidate in candidates {
        let dnskey = candidate.dnskey.unrevoked();
        let at = merged.iter().position(|key| key.dnskey == dnskey).unwrap_or_else(|| {
            merged.push(MergedKey {
                dnskey,
                source: KeySource::PublicOnly,
                times: KeyTimes::default(),
                states: RecordStates::default(),
                explicit: false,
                in_zone: false,
                revoked: None,
                file_ttl: None,
                zone_ttl: None,
            });
            merged.len() - 1
        });
        let key = &mut merged[at];
        if key.source == KeySource::PublicOnly {
            key.source = candidate.source;
            if candidate.times != KeyTimes::default() {
                key.times = candidate.times;
            }
            if candidate.states != RecordStates::default() {
                key.states = candidate.states;
            }
        }
        key.explicit |= candidate.explicit;
        let place = if candidate.in_zone {
            key.in_zone = true;
            key.zone_ttl = smaller(key.zone_ttl, candidate.ttl);
            RevokedIn::Zone
        } else {
            key.file_ttl = smaller(key.file_ttl, candidate.ttl);
            RevokedIn::File
        };
        if candidate.dnskey.is_revoked() {
            key.revoked = key.revoked.max(Some(place));
        }
    }
    merged
}

impl MergedKey {
    /// `named`: whether the operator named keys, this one or others.
    fn entry(&self, by_dates: KeyState, named: bool, warnings: &mut Vec<KeySetWarning>) -> KeySetEntry {
        let (state, published) = match by_dates {
            _ if self.explicit => (KeyState::Active, true),
            _ if named => (KeyState::StandBy, self.in_zone),
            KeyState::Undated => (KeyState::Undated, self.in_zone),
            KeyState::Removed => (KeyState::Removed, false),
            _ => (by_dates, self.in_zone || by_dates.is_published()),
        };
        let was_revoked = self.revoked.is_some();
        let state = if was_revoked && published {
            KeyState::Revoked
        } else {
            state
        };
        let dnskey = if state == KeyState::Revoked {
            self.dnskey.revoked()
        } else {
            self.dnskey.clone()
        };
        let key = KeyId::of(&dnskey);
        let has_private = self.source != KeySource::PublicOnly;
        if self.revoked == Some(RevokedIn::Zone) && has_private && by_dates != KeyState::Revoked {
            warnings.push(KeySetWarning::RevokedInZone { key });
        }
        if self.explicit && !was_revoked && !matches!(by_dates, KeyState::Undated | KeyState::Active) {
            warnings.push(KeySetWarning::AgainstDates { key, state: by_dates });
        }
        KeySetEntry {
            dnskey,
            source: self.source,
            state,
            published,
            roles: KeyRoles::default(),
            in_zone: self.in_zone,
            revoked_before: was_revoked,
        }
    }
}

fn smaller(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}
