//! Why a software key cannot be had. Nothing here shows private parts.

use crate::algorithm::Algorithm;
use crate::dnskey::DnskeyError;

/// What a build with the feature `openssl` can do more.
const WITH_OPENSSL: &str = ", and any length from 1024 bits on in a build with the feature openssl";

/// A software key that could not be loaded or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SoftwareKeyError {
    /// The algorithm must not sign, or is unknown.
    #[error("algorithm {algorithm} does not sign: use ECDSAP256SHA256 (13), ED25519 (15) or RSASHA256 (8)")]
    Algorithm {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The algorithm is sound, but this build has no code for it.
    #[error(
        "software keys of algorithm {algorithm} need OpenSSL, which is not in this build (feature openssl); a key on a token \
         needs it not"
    )]
    NotInBuild {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// A size in which no RSA key can be made.
    #[error("no RSA key of {bits} bits can be made: choose 2048, 3072 or 4096{}", WITH_OPENSSL)]
    NewRsaSize {
        /// The length asked for.
        bits: u16,
    },
    /// A public exponent with which no RSA key can be made.
    #[error(
        "no RSA key with the public exponent {exponent} can be made: 65537 can, and in a build with the feature openssl any odd \
         number above 65536 of 35 bits at most"
    )]
    NewRsaExponent {
        /// The exponent asked for.
        exponent: u64,
    },
    /// An RSA key outside 2048 to 4096 bits, or 1024 to 4096 with OpenSSL.
    #[error("an RSA key of {bits} bits cannot sign here: 2048 to 4096 bits can{}", WITH_OPENSSL)]
    RsaSize {
        /// The modulus's length in bits.
        bits: usize,
    },
    /// An RSA public exponent above 33 bits, or 35 with OpenSSL.
    #[error(
        "an RSA key with a public exponent of {bits} bits cannot sign here: at most 33 bits are possible, 35 with the feature openssl"
    )]
    RsaExponent {
        /// The exponent's length in bits.
        bits: usize,
    },
    /// The private fields are those of another kind of key.
    #[error("the private fields are not those of a key of algorithm {algorithm}")]
    Kind {
        /// The public key's algorithm.
        algorithm: Algorithm,
    },
    /// The private fields are damaged: they do not form a key.
    #[error("the private fields do not form a valid key of algorithm {algorithm}")]
    Invalid {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The private half is another key's.
    #[error("the private key does not belong to the public key with tag {key_tag}")]
    Mismatch {
        /// The public key's tag.
        key_tag: u16,
    },
    /// The crypto library made no key.
    #[error("no key of algorithm {algorithm} could be made: the crypto library failed")]
    Generation {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The public half could not be brought into DNSKEY form.
    #[error(transparent)]
    Dnskey(#[from] DnskeyError),
}
