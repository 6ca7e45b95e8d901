//! The keys of the DNSKEY set, each parsed once into a means to verify, and sets of their algorithms. Which sets a
//! key signs is found by the survey of the apex.

use crate::algorithm::Algorithm;
use crate::crypto::{PublicKeyVerifier, VerifierError};
use crate::dnskey::Dnskey;

/// What a key does in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// It signs the DNSKEY set or the SOA.
    Active,
    /// It is published and signs neither.
    StandBy,
    /// It has the REVOKE flag (RFC 5011).
    Revoked,
}

/// One key of the DNSKEY set with the ZONE flag.
#[derive(Debug, Clone)]
pub struct ZoneKey {
    dnskey: Dnskey,
    key_tag: u16,
    algorithm: Algorithm,
    verifier: Option<PublicKeyVerifier>,
    pub(super) signs_dnskey: bool,
    pub(super) signs_soa: bool,
}

impl ZoneKey {
    /// From DNSKEY RDATA; with it, why its signatures cannot be verified here, if they cannot.
    ///
    /// # Errors
    /// Why it is no key of its algorithm.
    pub(super) fn read(rdata: &[u8]) -> Result<(Self, Option<String>), String> {
        let dnskey = Dnskey::from_rdata(rdata).map_err(|error| error.to_string())?;
        let (verifier, unverifiable) = match PublicKeyVerifier::new(&dnskey) {
            Ok(verifier) => (Some(verifier), None),
            Err(error @ VerifierError::Key { .. }) => return Err(error.to_string()),
            Err(error) => (None, Some(error.to_string())),
        };
        let key = Self {
            key_tag: key_tag(rdata),
            algorithm: dnskey.algorithm(),
            dnskey,
            verifier,
            signs_dnskey: false,
            signs_soa: false,
        };
        Ok((key, unverifiable))
    }

    /// The key.
    #[must_use]
    pub fn dnskey(&self) -> &Dnskey {
        &self.dnskey
    }

    /// Its tag.
    #[must_use]
    pub fn key_tag(&self) -> u16 {
        self.key_tag
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it does.
    #[must_use]
    pub fn usage(&self) -> KeyUse {
        if self.is_revoked() {
            KeyUse::Revoked
        } else if self.signs_dnskey || self.signs_soa {
            KeyUse::Active
        } else {
            KeyUse::StandBy
        }
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.dnskey.is_revoked()
    }

    pub(super) fn verifier(&self) -> Option<&PublicKeyVerifier> {
        self.verifier.as_ref()
    }
}

/// A set of algorithm numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AlgorithmSet([u64; 4]);

impl AlgorithmSet {
    pub(super) fn insert(&mut self, algorithm: Algorithm) {
        self.0[usize::from(algorithm.0 >> 6)] |= 1 << (algorithm.0 & 63);
    }

    pub(super) fn contains(&self, algorithm: Algorithm) -> bool {
        self.0[usize::from(algorithm.0 >> 6)] & 1 << (algorithm.0 & 63) != 0
    }
}

/// The key tag of DNSKEY RDATA (RFC 4034 appendix B), summed by words; of algorithm 1 by its B.1.
pub(super) fn key_tag(rdata: &[u8]) -> u16 {
    if let [_, _, _, 1, .., high, low, _] = rdata {
        return u16::from_be_bytes([*high, *low]);
    }
    let (words, odd) = rdata.as_chunks::<2>();
    let sum: u64 = words.iter().map(|&word| u64::from(u16::from_be_bytes(word))).sum();
    let sum = sum + odd.first().map_or(0, |&byte| u64::from(byte) << 8);
    // The carry of the sum of at most 65535 bytes is added once and its own carry dropped.
    let [.., high, low] = (sum + (sum >> 16 & 0xffff)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn algorithms_are_kept_apart() {
        let mut set = AlgorithmSet::default();
        for number in [0, 13, 63, 64, 255] {
            set.insert(Algorithm(number));
        }
        let inside: Vec<_> = (0..=255).filter(|&number| set.contains(Algorithm(number))).collect();
        assert_eq!(inside, [0, 13, 63, 64, 255]);
    }

    proptest! {
        /// The signer's tag and this one agree.
        #[test]
        fn tags_agree(rdata in proptest::collection::vec(any::<u8>(), 7..600)) {
            prop_assert_eq!(key_tag(&rdata), crate::dnskey::key_tag(&rdata));
        }
    }
}
