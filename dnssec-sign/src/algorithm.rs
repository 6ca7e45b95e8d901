//! DNSSEC algorithms and DS digest types: numbers, mnemonics, the sizes of keys and signatures, and what may
//! be used (RFC 8624, RFC 9904, RFC 9905). No cryptography.

use std::fmt;

/// A DNSSEC algorithm number (IANA "DNS Security Algorithm Numbers").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Algorithm(pub u8);

const TABLE: &[(&str, u8)] = &[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("NSEC3DSA", 6),
    ("NSEC3RSASHA1", 7),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("SM2SM3", 17),
    ("ECC-GOST12", 23),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

impl Algorithm {
    /// RSA/SHA-1 (RFC 3110): must not sign.
    pub const RSASHA1: Algorithm = Algorithm(5);
    /// RSA/SHA-1 with NSEC3 (RFC 5155 2): must not sign.
    pub const NSEC3RSASHA1: Algorithm = Algorithm(7);
    /// RSA/SHA-256 (RFC 5702).
    pub const RSASHA256: Algorithm = Algorithm(8);
    /// RSA/SHA-512 (RFC 5702): not recommended.
    pub const RSASHA512: Algorithm = Algorithm(10);
    /// ECDSA P-256 with SHA-256 (RFC 6605).
    pub const ECDSAP256SHA256: Algorithm = Algorithm(13);
    /// ECDSA P-384 with SHA-384 (RFC 6605).
    pub const ECDSAP384SHA384: Algorithm = Algorithm(14);
    /// Ed25519 (RFC 8080).
    pub const ED25519: Algorithm = Algorithm(15);
    /// Ed448 (RFC 8080).
    pub const ED448: Algorithm = Algorithm(16);

    /// Reads a mnemonic in any letter case, or the number.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        if let Some((_, number)) = TABLE
            .iter()
            .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text))
        {
            return Some(Self(*number));
        }
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(text).ok()?.parse().ok().map(Self)
    }

    /// IANA's mnemonic as BIND writes it, if the number has one.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        TABLE
            .iter()
            .find(|(_, number)| *number == self.0)
            .map(|(name, _)| *name)
    }

    /// Whether this is one of the RSA algorithms.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        matches!(self.0, 1 | 5 | 7 | 8 | 10)
    }

    /// Whether the algorithm stands only for NSEC zones (RFC 5155 2).
    #[must_use]
    pub fn is_nsec_only(self) -> bool {
        matches!(self.0, 1 | 3 | 5)
    }

    /// The signature's length in bytes, where the algorithm alone fixes it: not for RSA.
    #[must_use]
    pub fn signature_length(self) -> Option<usize> {
        match self {
            Self::ECDSAP256SHA256 | Self::ED25519 => Some(64),
            Self::ECDSAP384SHA384 => Some(96),
            Self::ED448 => Some(114),
            _ => None,
        }
    }

    /// The public key's length in bytes, where the algorithm alone fixes it: not for RSA.
    #[must_use]
    pub fn public_key_length(self) -> Option<usize> {
        match self {
            Self::ECDSAP256SHA256 => Some(64),
            Self::ECDSAP384SHA384 => Some(96),
            Self::ED25519 => Some(32),
            Self::ED448 => Some(57),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(name) => f.pad(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The text is no algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a DNSSEC algorithm: write a mnemonic such as ECDSAP256SHA256, or its number")]
pub struct UnknownAlgorithm;

impl std::str::FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::from_text(text.as_bytes()).ok_or(UnknownAlgorithm)
    }
}

/// A DS digest type (IANA "DS RR Type Digest Algorithms").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestType {
    /// SHA-256, number 2 (RFC 4509).
    Sha256,
    /// SHA-384, number 4 (RFC 6605).
    Sha384,
}

impl DigestType {
    /// The number in DS and CDS records.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Sha256 => 2,
            Self::Sha384 => 4,
        }
    }
}
