//! Which key signs which set, and what a set of keys lacks to sign a zone. Works on entries whose state is
//! decided.

use super::error::{KeyId, KeySetError, KeySetWarning, Lacking};
use super::{KeySetEntry, KeySetOptions, KeySource};
use crate::algorithm::Algorithm;
use crate::keyset::KeyState;
use crate::policy::{Denial, Insist};
use std::collections::BTreeSet;

/// The sets that a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyRoles {
    /// The DNSKEY set.
    pub dnskey: bool,
    /// CDS and CDNSKEY (RFC 7344 4.1).
    pub sync: bool,
    /// All other authoritative sets.
    pub rest: bool,
}

impl KeyRoles {
    /// Whether the key signs anything.
    #[must_use]
    pub fn any(self) -> bool {
        self.dnskey || self.sync || self.rest
    }
}

/// Gives each entry that signs its roles. A KSK signs the keys at the apex; a ZSK signs all else, and the keys at the
/// apex too unless that is left to KSKs; where an algorithm has no KSK its ZSKs stand in; a revoked key signs
/// the DNSKEY set and nothing more (RFC 5011 2.1).
pub(super) fn assign(entries: &mut [KeySetEntry], options: &KeySetOptions) {
    let with_ksk: BTreeSet<Algorithm> = entries
        .iter()
        .filter(|entry| entry.dnskey.is_sep() && !entry.dnskey.is_revoked())
        .map(|entry| entry.dnskey.algorithm())
        .collect();
    for entry in entries {
        if entry.source == KeySource::PublicOnly || !entry.state.signs() {
            continue;
        }
        let ksk = entry.dnskey.is_sep();
        let zsk = options.ignore_ksk || !ksk;
        let signs_keys = ksk || !with_ksk.contains(&entry.dnskey.algorithm()) || zsk && !options.ksk_only;
        let revoked = entry.dnskey.is_revoked();
        entry.roles = KeyRoles {
            dnskey: revoked || signs_keys,
            sync: !revoked && signs_keys,
            rest: !revoked && zsk,
        };
    }
}

/// Refuses keys that must not sign, and names those that should not.
pub(super) fn check_keys(
    entries: &[KeySetEntry],
    denial: &Denial,
    insist: Insist,
    warnings: &mut Vec<KeySetWarning>,
) -> Result<(), KeySetError> {
    for entry in entries {
        let key = KeyId::of(&entry.dnskey);
        let algorithm = entry.dnskey.algorithm();
        if !entry.dnskey.is_zone_key() {
            if entry.roles.any() || !entry.in_zone {
                return Err(KeySetError::NotZoneKey { key });
            }
            warnings.push(KeySetWarning::NotZoneKey { key });
            continue;
        }
        if entry.published && algorithm.is_nsec_only() && matches!(denial, Denial::Nsec3(_)) {
            return Err(KeySetError::NsecOnly { key });
        }
        if !entry.roles.any() {
            continue;
        }
        if must_not_sign(algorithm) {
            if insist == Insist::No {
                return Err(KeySetError::Forbidden { key });
            }
            warnings.push(KeySetWarning::Forbidden { key });
        }
        if algorithm == Algorithm::RSASHA512 {
            warnings.push(KeySetWarning::NotRecommended { key });
        }
        if let Some(bits) = entry.dnskey.rsa_bits().filter(|&bits| bits < 2048) {
            if insist == Insist::No {
                return Err(KeySetError::ShortRsa { key, bits });
            }
            warnings.push(KeySetWarning::ShortRsa { key, bits });
        }
    }
    for (at, entry) in entries.iter().enumerate() {
        let key = KeyId::of(&entry.dnskey);
        if entries[..at].iter().any(|other| KeyId::of(&other.dnskey).is_alike(key)) {
            warnings.push(KeySetWarning::EqualTags { key });
        }
    }
    Ok(())
}

/// Refuses a set that leaves something unsigned.
pub(super) fn check_completeness(
    entries: &[KeySetEntry],
    options: &KeySetOptions,
    warnings: &mut Vec<KeySetWarning>,
) -> Result<(), KeySetError> {
    let ids = |wanted: &dyn Fn(&KeySetEntry) -> bool| -> Vec<KeyId> {
        entries
            .iter()
            .filter(|entry| wanted(entry))
            .map(|entry| KeyId::of(&entry.dnskey))
            .collect()
    };
    if !entries.iter().any(|entry| entry.roles.rest) {
        return Err(KeySetError::OnlyKsk {
            keys: ids(&|entry| entry.roles.any()),
        });
    }
    // RFC 4035 2.2: at least one RRSIG over each set with each algorithm in the DNSKEY set. A revoked key vouches for
    // nothing (RFC 5011 2.1), so it asks for nothing either.
    let counts = |entry: &KeySetEntry| entry.published && entry.dnskey.is_zone_key() && !entry.dnskey.is_revoked();
    let algorithms: BTreeSet<Algorithm> = entries
        .iter()
        .filter(|entry| counts(entry))
        .map(|entry| entry.dnskey.algorithm())
        .collect();
    for algorithm in algorithms {
        let signs = |role: fn(KeyRoles) -> bool| {
            entries
                .iter()
                .any(|entry| entry.dnskey.algorithm() == algorithm && role(entry.roles))
        };
        let lacking = if !signs(|roles| roles.rest) {
            Lacking::Zone
        } else if !(signs(|roles| roles.sync) || options.offline_ksk && has_offline_ksk(entries, algorithm)) {
            Lacking::Dnskey
        } else {
            continue;
        };
        let keys = ids(&|entry| counts(entry) && entry.dnskey.algorithm() == algorithm);
        return Err(KeySetError::UnusedAlgorithm {
            algorithm,
            keys,
            lacking,
        });
    }
    check_ksks(entries, options, warnings)
}

/// Whether a KSK of the algorithm is published whose private half is somewhere else.
fn has_offline_ksk(entries: &[KeySetEntry], algorithm: Algorithm) -> bool {
    entries.iter().any(|entry| {
        let dnskey = &entry.dnskey;
        let secure_entry = dnskey.is_sep() && !dnskey.is_revoked() && dnskey.algorithm() == algorithm;
        entry.published && entry.source == KeySource::PublicOnly && secure_entry
    })
}

/// What the parent's DS can point to.
fn check_ksks(
    entries: &[KeySetEntry],
    options: &KeySetOptions,
    warnings: &mut Vec<KeySetWarning>,
) -> Result<(), KeySetError> {
    let mut ksks = entries
        .iter()
        .filter(|entry| entry.published && entry.dnskey.is_sep() && !entry.dnskey.is_revoked())
        .peekable();
    if ksks.peek().is_none() {
        let revoked = entries
            .iter()
            .find(|entry| entry.state == KeyState::Revoked && !entry.revoked_before);
        let Some(entry) = revoked else {
            if !options.ignore_ksk && options.insist == Insist::No {
                let keys = entries.iter().filter(|entry| entry.roles.any());
                return Err(KeySetError::OnlyZsk {
                    keys: keys.map(|entry| KeyId::of(&entry.dnskey)).collect(),
                });
            }
            warnings.push(KeySetWarning::NoKsk);
            return Ok(());
        };
        let key = KeyId::of(&entry.dnskey);
        if options.insist == Insist::No {
            return Err(KeySetError::SoleKskRevoked { key });
        }
        warnings.push(KeySetWarning::SoleKskRevoked { key });
        return Ok(());
    }
    let signed = entries.iter().any(|entry| entry.roles.sync && entry.dnskey.is_sep());
    if !signed {
        warnings.push(KeySetWarning::NoKskSigns {
            keys: ksks.map(|entry| KeyId::of(&entry.dnskey)).collect(),
        });
    }
    Ok(())
}

/// RSA/MD5, DSA, RSA/SHA-1 and GOST (RFC 8624 3.1, RFC 9905 2, RFC 9906 2).
fn must_not_sign(algorithm: Algorithm) -> bool {
    matches!(algorithm.0, 1 | 3 | 5 | 6 | 7 | 12)
}
