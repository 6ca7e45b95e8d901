//! The mechanisms that sign, the kinds of key they belong to, and the DigestInfo of PKCS#1.
//!
//! With a plain mechanism the host hashes: CKM_ECDSA takes a digest of exactly the curve's length,
//! CKM_RSA_PKCS a DigestInfo, CKM_EDDSA the message itself. With a combined one the token does.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use cryptoki_sys as sys;

/// A kind of signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa(u32),
    /// ECDSA on NIST P-256 (secp256r1).
    P256,
    /// ECDSA on NIST P-384 (secp384r1).
    P384,
    /// EdDSA on edwards25519.
    Ed25519,
    /// EdDSA on edwards448.
    Ed448,
}

impl KeyKind {
    /// The mechanism that signs with such a key.
    pub fn mechanism(self) -> SignMechanism {
        match self {
            Self::Rsa(_) => SignMechanism::RsaPkcs,
            Self::P256 | Self::P384 => SignMechanism::Ecdsa,
            Self::Ed25519 | Self::Ed448 => SignMechanism::Eddsa,
        }
    }

    /// The mechanisms that sign with such a key after hashing themselves, for tokens and keys that allow no other.
    pub fn combined_mechanisms(self) -> &'static [SignMechanism] {
        match self {
            Self::Rsa(_) => &[SignMechanism::Sha256RsaPkcs, SignMechanism::Sha512RsaPkcs],
            Self::P256 => &[SignMechanism::EcdsaSha256],
            Self::P384 => &[SignMechanism::EcdsaSha384],
            Self::Ed25519 | Self::Ed448 => &[],
        }
    }

    /// Bytes of a signature: the modulus for RSA, r‖s for ECDSA, RFC 8032's for EdDSA.
    pub fn signature_len(self) -> usize {
        match self {
            Self::Rsa(bits) => usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX),
            Self::P256 | Self::Ed25519 => 64,
            Self::P384 => 96,
            Self::Ed448 => 114,
        }
    }

    /// Bytes of the digest that CKM_ECDSA has to be given; `None` for the other mechanisms.
    pub fn digest_len(self) -> Option<usize> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            _ => None,
        }
    }

    /// CKK_*, the value of CKA_KEY_TYPE.
    pub(crate) fn key_type(self) -> cryptoki::object::KeyType {
        match self {
            Self::Rsa(_) => cryptoki::object::KeyType::RSA,
            Self::P256 | Self::P384 => cryptoki::object::KeyType::EC,
            Self::Ed25519 | Self::Ed448 => cryptoki::object::KeyType::EC_EDWARDS,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
        }
    }
}

/// A mechanism of C_SignInit: plain (the host has hashed) or combined (the token hashes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignMechanism {
    /// CKM_ECDSA: takes a digest of the curve's length, gives r‖s.
    Ecdsa,
    /// CKM_RSA_PKCS: takes a [`DigestInfo`], gives RSASSA-PKCS1-v1_5.
    RsaPkcs,
    /// CKM_EDDSA: takes the message, without parameters for Ed25519 and with an explicit empty
    /// context for Ed448.
    Eddsa,
    /// CKM_ECDSA_SHA256: takes the message, for P-256.
    EcdsaSha256,
    /// CKM_ECDSA_SHA384: takes the message, for P-384.
    EcdsaSha384,
    /// CKM_SHA1_RSA_PKCS: takes the message.
    Sha1RsaPkcs,
    /// CKM_SHA256_RSA_PKCS: takes the message.
    Sha256RsaPkcs,
    /// CKM_SHA512_RSA_PKCS: takes the message.
    Sha512RsaPkcs,
}

impl SignMechanism {
    /// Its number in PKCS#11, CKM_…
    pub fn number(self) -> u64 {
        match self {
            Self::Ecdsa => sys::CKM_ECDSA,
            Self::RsaPkcs => sys::CKM_RSA_PKCS,
            Self::Eddsa => sys::CKM_EDDSA,
            Self::EcdsaSha256 => sys::CKM_ECDSA_SHA256,
            Self::EcdsaSha384 => sys::CKM_ECDSA_SHA384,
            Self::Sha1RsaPkcs => sys::CKM_SHA1_RSA_PKCS,
            Self::Sha256RsaPkcs => sys::CKM_SHA256_RSA_PKCS,
            Self::Sha512RsaPkcs => sys::CKM_SHA512_RSA_PKCS,
        }
    }

    /// The mechanism that makes the same signature of what the host has hashed.
    pub fn plain(self) -> Self {
        match self {
            Self::Ecdsa | Self::EcdsaSha256 | Self::EcdsaSha384 => Self::Ecdsa,
            Self::RsaPkcs | Self::Sha1RsaPkcs | Self::Sha256RsaPkcs | Self::Sha512RsaPkcs => Self::RsaPkcs,
            Self::Eddsa => Self::Eddsa,
        }
    }

    /// The hash function of a combined mechanism.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::Sha1RsaPkcs => Some(Hash::Sha1),
            Self::EcdsaSha256 | Self::Sha256RsaPkcs => Some(Hash::Sha256),
            Self::EcdsaSha384 => Some(Hash::Sha384),
            Self::Sha512RsaPkcs => Some(Hash::Sha512),
            Self::Ecdsa | Self::RsaPkcs | Self::Eddsa => None,
        }
    }

    /// Whether a key of this kind signs by it.
    pub fn fits(self, kind: KeyKind) -> bool {
        match self {
            Self::EcdsaSha256 => kind == KeyKind::P256,
            Self::EcdsaSha384 => kind == KeyKind::P384,
            other => other.plain() == kind.mechanism(),
        }
    }
}

impl fmt::Display for SignMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecdsa => "CKM_ECDSA",
            Self::RsaPkcs => "CKM_RSA_PKCS",
            Self::Eddsa => "CKM_EDDSA",
            Self::EcdsaSha256 => "CKM_ECDSA_SHA256",
            Self::EcdsaSha384 => "CKM_ECDSA_SHA384",
            Self::Sha1RsaPkcs => "CKM_SHA1_RSA_PKCS",
            Self::Sha256RsaPkcs => "CKM_SHA256_RSA_PKCS",
            Self::Sha512RsaPkcs => "CKM_SHA512_RSA_PKCS",
        })
    }
}

/// A hash function of a combined mechanism, of RSASSA-PKCS1-v1_5, or of C_Digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-1, for RSA alone (RFC 3110) and only where that is insisted on (RFC 9905).
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Its number in PKCS#11 (CKM_SHA256 and so on), for C_Digest.
    pub fn number(self) -> u64 {
        match self {
            Self::Sha1 => sys::CKM_SHA_1,
            Self::Sha256 => sys::CKM_SHA256,
            Self::Sha384 => sys::CKM_SHA384,
            Self::Sha512 => sys::CKM_SHA512,
        }
    }

    /// The digest, made on the host.
    pub(crate) fn digest(self, data: &[u8]) -> ([u8; 64], usize) {
        use sha2::Digest as _;
        let mut out = [0; 64];
        let mut set = |digest: &[u8]| {
            out.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
            digest.len()
        };
        let length = match self {
            Self::Sha1 => set(digest(&SHA1_FOR_LEGACY_USE_ONLY, data).as_ref()),
            Self::Sha256 => set(&sha2::Sha256::digest(data)),
            Self::Sha384 => set(&sha2::Sha384::digest(data)),
            Self::Sha512 => set(&sha2::Sha512::digest(data)),
        };
        (out, length)
    }

    /// DER up to the digest, parameters NULL (RFC 8017, 9.2, note 1).
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[
                0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 20,
            ],
            Self::Sha256 => &[
                0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
                0x04, 32,
            ],
            Self::Sha384 => &[
                0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
                0x04, 48,
            ],
            Self::Sha512 => &[
                0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
                0x04, 64,
            ],
        }
    }

    /// Bytes of a digest, with which the prefix ends.
    fn length(self) -> usize {
        self.prefix().last().map_or(0, |length| usize::from(*length))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "CKM_SHA_1",
            Self::Sha256 => "CKM_SHA256",
            Self::Sha384 => "CKM_SHA384",
            Self::Sha512 => "CKM_SHA512",
        })
    }
}

/// The DigestInfo that CKM_RSA_PKCS signs (RFC 8017, 9.2), on the stack.
#[derive(Clone, Copy, Debug)]
pub struct DigestInfo {
    bytes: [u8; 83],
    length: usize,
}

impl DigestInfo {
    /// Wraps a digest. `None` if its length is not the hash function's.
    pub fn new(hash: Hash, digest: &[u8]) -> Option<Self> {
        let prefix = hash.prefix();
        if digest.len() != hash.length() {
            return None;
        }
        let length = prefix.len() + digest.len();
        let mut bytes = [0; 83];
        bytes.get_mut(..prefix.len())?.copy_from_slice(prefix);
        bytes.get_mut(prefix.len()..length)?.copy_from_slice(digest);
        Some(Self { bytes, length })
    }

    /// The hash function and digest inside a DigestInfo, `None` if it is none of ours.
    pub fn parse(der: &[u8]) -> Option<(Hash, &[u8])> {
        let known = [Hash::Sha256, Hash::Sha384, Hash::Sha512, Hash::Sha1];
        known.into_iter().find_map(|hash| {
            let digest = der.strip_prefix(hash.prefix())?;
            (digest.len() == hash.length()).then_some((hash, digest))
        })
    }
}

impl AsRef<[u8]> for DigestInfo {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn digest_info_has_null_parameters() {
        let info = DigestInfo::new(Hash::Sha256, &[0xaa; 32]).unwrap();
        let start = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ];
        assert_eq!(info.as_ref()[..19], start);
        assert_eq!(info.as_ref().len(), 51);
        assert_eq!(DigestInfo::parse(info.as_ref()), Some((Hash::Sha256, &[0xaa; 32][..])));
        let info = DigestInfo::new(Hash::Sha1, &[1; 20]).unwrap();
        assert_eq!(DigestInfo::parse(info.as_ref()), Some((Hash::Sha1, &[1; 20][..])));
        let info = DigestInfo::new(Hash::Sha512, &[1; 64]).unwrap();
        assert_eq!(info.as_ref().len(), 83);
        assert!(DigestInfo::new(Hash::Sha256, &[1; 31]).is_none());
        assert!(DigestInfo::parse(&info.as_ref()[..80]).is_none());
    }

    #[test]
    fn signature_lengths() {
        assert_eq!(KeyKind::Rsa(2047).signature_len(), 256);
        assert_eq!(KeyKind::P384.signature_len(), 96);
        assert_eq!(KeyKind::Ed448.signature_len(), 114);
    }
}
