//! What is wrong, or odd, with a set of keys, in words that name the keys and say what to do.

use super::{KeySource, KeyState};
use crate::algorithm::Algorithm;
use crate::dnskey::Dnskey;
use std::fmt;

/// A key in messages: its kind, tag and algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// The flags field.
    pub flags: u16,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The key tag.
    pub key_tag: u16,
}

impl KeyId {
    /// That of a DNSKEY.
    #[must_use]
    pub fn of(dnskey: &Dnskey) -> Self {
        Self {
            flags: dnskey.flags(),
            algorithm: dnskey.algorithm(),
            key_tag: dnskey.key_tag(),
        }
    }

    /// Whether an RRSIG could be either's.
    pub(super) fn is_alike(self, other: Self) -> bool {
        self.algorithm == other.algorithm && self.key_tag == other.key_tag
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.flags & crate::dnskey::SEP == 0 {
            "ZSK"
        } else {
            "KSK"
        };
        write!(f, "{kind} {}/{}", self.algorithm, self.key_tag)
    }
}

/// A key that was found but is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedKey {
    /// The key.
    pub dnskey: Dnskey,
    /// Its state by its dates.
    pub state: KeyState,
    /// Its private half.
    pub source: KeySource,
}

impl fmt::Display for UnusedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = KeyId::of(&self.dnskey);
        match self.source {
            KeySource::PublicOnly => write!(f, "{key} (no private key at hand)"),
            KeySource::Store { .. } => write!(f, "{key} ({})", self.state),
        }
    }
}

/// What no key of an algorithm signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// The zone's sets.
    Zone,
    /// The DNSKEY set.
    Dnskey,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zone => "the zone's records",
            Self::Dnskey => "the DNSKEY set",
        })
    }
}

/// A set of keys with which the zone cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Nothing signs.
    #[error(
        "no key can sign: {}; name keys on the command line, or set their dates",
        if .unused.is_empty() { "none was named or found".to_owned() } else { format!("found but unused: {}", list(.unused)) }
    )]
    NoSigningKeys {
        /// The keys that were found, and why they do not sign.
        unused: Vec<UnusedKey>,
    },
    /// KSKs alone, which by their flag sign the keys at the apex only.
    #[error("there is no zone-signing key, only {}: add a ZSK, or use -z to let a KSK sign everything", list(.keys))]
    OnlyKsk {
        /// The keys that sign.
        keys: Vec<KeyId>,
    },
    /// RFC 4035 2.2 wants a signature over each set with each algorithm in the DNSKEY set.
    #[error(
        "algorithm {algorithm} is in the DNSKEY set ({}), but no key of it signs {lacking}: activate one, or take the algorithm out (RFC 4035 2.2)",
        list(.keys)
    )]
    UnusedAlgorithm {
        /// The algorithm.
        algorithm: Algorithm,
        /// Its published keys.
        keys: Vec<KeyId>,
        /// What they do not sign.
        lacking: Lacking,
    },
    /// A key to sign with that has not the ZONE flag (RFC 4034 2.1.1).
    #[error("{key} has no ZONE flag (its flags are {}): it cannot sign a zone", .key.flags)]
    NotZoneKey {
        /// The key.
        key: KeyId,
    },
    /// An algorithm that must not sign (RFC 8624 3.1, RFC 9905).
    #[error(
        "{key} is of an algorithm that must not sign any more: make a key of ECDSAP256SHA256 (13) or RSASHA256 (8), or insist"
    )]
    Forbidden {
        /// The key.
        key: KeyId,
    },
    /// An RSA key below 2048 bits (RFC 8624 3.1).
    #[error("{key} has {bits} bits, and RSA keys of fewer than 2048 can be broken: make a longer one, or insist")]
    ShortRsa {
        /// The key.
        key: KeyId,
        /// The length of its modulus in bits.
        bits: usize,
    },
    /// ZSKs alone: nothing that a parent's DS should name.
    #[error("there is no key-signing key, only {}: add a KSK, or use -z to let a ZSK sign everything", list(.keys))]
    OnlyZsk {
        /// The keys that sign.
        keys: Vec<KeyId>,
    },
    /// An algorithm older than NSEC3 in a zone with NSEC3 (RFC 5155 2).
    #[error("{key} is of an algorithm that does not go with NSEC3: use NSEC, or take the key out")]
    NsecOnly {
        /// The key.
        key: KeyId,
    },
    /// Revoking the key would leave the parent's DS nothing to point to.
    #[error("{key} is due for revocation, but no other KSK is published: publish its successor first, or insist")]
    SoleKskRevoked {
        /// The key.
        key: KeyId,
    },
}

/// A set of keys that can stand, and what should be known of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetWarning {
    /// A named key signs although its dates say otherwise.
    #[error("{key} was named and is used, though by its dates it is {state}")]
    AgainstDates {
        /// The key.
        key: KeyId,
        /// Its state by its dates.
        state: KeyState,
    },
    /// The zone holds the key with the REVOKE bit: it stays revoked.
    #[error("{key} is revoked in the zone and stays so: it signs the DNSKEY set only")]
    RevokedInZone {
        /// The key as it is in the zone.
        key: KeyId,
    },
    /// A DNSKEY of the zone that is no zone key stays as it is.
    #[error("{key} in the zone has no ZONE flag: it verifies nothing")]
    NotZoneKey {
        /// The key.
        key: KeyId,
    },
    /// An algorithm that must not sign does, since that was insisted on.
    #[error("{key} is of an algorithm that must not sign any more: validators treat the zone as unsigned")]
    Forbidden {
        /// The key.
        key: KeyId,
    },
    /// RSASHA512 is not recommended (RFC 8624 3.1).
    #[error("{key}: RSASHA512 is not recommended; RSASHA256 (8) or ECDSAP256SHA256 (13) are")]
    NotRecommended {
        /// The key.
        key: KeyId,
    },
    /// An RSA key below 2048 bits signs, since that was insisted on.
    #[error("{key} has {bits} bits: RSA keys should have 2048 at least")]
    ShortRsa {
        /// The key.
        key: KeyId,
        /// The length of its modulus in bits.
        bits: usize,
    },
    /// Two keys that RRSIGs cannot tell apart.
    #[error("{key} has the tag of another key of its algorithm: validators must try both")]
    EqualTags {
        /// The later of the two.
        key: KeyId,
    },
    /// No published key has the SEP flag.
    #[error("no KSK is published: the parent's DS has to name a ZSK")]
    NoKsk,
    /// The only KSK is revoked, since that was insisted on.
    #[error("{key} is revoked and no other KSK is published: the parent's DS must be gone by now")]
    SoleKskRevoked {
        /// The key.
        key: KeyId,
    },
    /// There are KSKs, but none signs the DNSKEY set.
    #[error("no KSK signs the DNSKEY set, only ZSKs do: the parent's DS must not name {}", list(.keys))]
    NoKskSigns {
        /// The published KSKs.
        keys: Vec<KeyId>,
    },
    /// The TTL asked for is not that of the set in the zone, which stays.
    #[error("the DNSKEY TTL {wanted} is not used: the zone's DNSKEY set has {kept}")]
    TtlKept {
        /// What was asked for.
        wanted: u32,
        /// The TTL of the set in the zone.
        kept: u32,
    },
}

fn list<T: fmt::Display>(keys: &[T]) -> String {
    let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
