//! One DNSKEY turned into a means to verify signatures: the key is parsed once, then each signature costs one
//! public-key operation. Knows nothing of RRsets, times or owners: those rules are the verifier's.

use crate::algorithm::Algorithm;
use crate::dnskey::{Dnskey, bit_length, strip_zeros};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters, RsaPublicKeyComponents,
};

/// RSA keys that can be verified with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;
/// The longest RSA public exponent that aws-lc-rs takes, in bits.
const MAX_EXPONENT_BITS: usize = 33;

/// A DNSKEY with which no signature can be verified here. The first kind is no fault of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The algorithm is unknown here, or this build cannot compute it.
    #[error("signatures of algorithm {algorithm} cannot be verified by this build")]
    Algorithm {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// An RSA key outside 1024 to 8192 bits.
    #[error("an RSA key of {bits} bits cannot be verified with: 1024 to 8192 bits can")]
    RsaSize {
        /// The modulus's length in bits.
        bits: usize,
    },
    /// An RSA public exponent of more than 33 bits, or 35 with OpenSSL: longer ones make verification arbitrarily slow.
    #[error(
        "an RSA public exponent of {bits} bits cannot be verified with: at most {} bits can",
        LONGEST_EXPONENT
    )]
    RsaExponent {
        /// The exponent's length in bits.
        bits: usize,
    },
    /// The key is not a key: no point on its curve, an even modulus.
    #[error("the public key is not a valid key of algorithm {algorithm}")]
    Key {
        /// The algorithm.
        algorithm: Algorithm,
    },
}

/// The signature is not this key's over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Why [`verify_signature`] did not accept a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Nothing can be said with this key.
    #[error(transparent)]
    Key(#[from] VerifierError),
    /// The signature is wrong.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

/// A public key made ready: parsed and checked once, then used from any number of threads.
#[derive(Debug, Clone)]
pub struct PublicKeyVerifier {
    algorithm: Algorithm,
    key: Prepared,
}

#[derive(Debug, Clone)]
enum Prepared {
    Aws(ParsedPublicKey),
    #[cfg(feature = "openssl")]
    OpenSsl(crate::libcrypto::VerifyingKey),
}

impl From<ParsedPublicKey> for Prepared {
    fn from(key: ParsedPublicKey) -> Self {
        Self::Aws(key)
    }
}

impl PublicKeyVerifier {
    /// Prepares a DNSKEY of algorithm 5, 7, 8, 10, 13, 14 or 15, and with the feature `openssl` of 16. Flags are not
    /// looked at.
    ///
    /// # Errors
    /// [`VerifierError`] for other algorithms and for keys that are none.
    pub fn new(dnskey: &Dnskey) -> Result<Self, VerifierError> {
        let algorithm = dnskey.algorithm();
        let key = match algorithm {
            Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => rsa(dnskey, &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
            Algorithm::RSASHA256 => rsa(dnskey, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
            Algorithm::RSASHA512 => rsa(dnskey, &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)?,
            Algorithm::ECDSAP256SHA256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed_point(dnskey))
                .map_err(|_| VerifierError::Key { algorithm })?
                .into(),
            Algorithm::ECDSAP384SHA384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, uncompressed_point(dnskey))
                .map_err(|_| VerifierError::Key { algorithm })?
                .into(),
            Algorithm::ED25519 => ParsedPublicKey::new(&ED25519, dnskey.public_key())
                .map_err(|_| VerifierError::Key { algorithm })?
                .into(),
            #[cfg(feature = "openssl")]
            Algorithm::ED448 => open_ssl(dnskey)?,
            _ => return Err(VerifierError::Algorithm { algorithm }),
        };
        Ok(Self { algorithm, key })
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies `signature`, in the form of RRSIG's signature field, over `message` (RFC 4034 3.1.8.1).
    ///
    /// # Errors
    /// [`BadSignature`] when it is not this key's over these bytes, or has not the right length.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.key {
            Prepared::Aws(key) => key.verify_sig(message, signature).map_err(|_| BadSignature),
            #[cfg(feature = "openssl")]
            Prepared::OpenSsl(key) => key.verify(message, signature).then_some(()).ok_or(BadSignature),
        }
    }
}

/// Verifies one signature with a key that is not used again; [`PublicKeyVerifier`] is for many.
///
/// # Errors
/// [`VerifyError`] says whether the key or the signature is at fault.
pub fn verify_signature(dnskey: &Dnskey, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
    PublicKeyVerifier::new(dnskey)?.verify(message, signature)?;
    Ok(())
}

/// The longest RSA public exponent that this build verifies with, in bits.
const LONGEST_EXPONENT: usize = if cfg!(feature = "openssl") {
    35
} else {
    MAX_EXPONENT_BITS
};

#[cfg(feature = "openssl")]
fn open_ssl(dnskey: &Dnskey) -> Result<Prepared, VerifierError> {
    let algorithm = dnskey.algorithm();
    let key = crate::libcrypto::VerifyingKey::new(dnskey).ok_or(VerifierError::Key { algorithm })?;
    Ok(Prepared::OpenSsl(key))
}

fn rsa(dnskey: &Dnskey, parameters: &'static RsaParameters) -> Result<Prepared, VerifierError> {
    let algorithm = dnskey.algorithm();
    let bad = VerifierError::Key { algorithm };
    let (exponent, modulus) = dnskey.rsa_parts().ok_or(bad)?;
    let (exponent, modulus) = (strip_zeros(exponent), strip_zeros(modulus));
    let bits = bit_length(modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(VerifierError::RsaSize { bits });
    }
    let bits = bit_length(exponent);
    #[cfg(feature = "openssl")]
    if (MAX_EXPONENT_BITS + 1..=LONGEST_EXPONENT).contains(&bits) {
        return open_ssl(dnskey);
    }
    if bits > MAX_EXPONENT_BITS {
        return Err(VerifierError::RsaExponent { bits });
    }
    RsaPublicKeyComponents {
        n: modulus,
        e: exponent,
    }
    .to_parsed_public_key(parameters)
    .map(Prepared::Aws)
    .map_err(|_| bad)
}

/// A point as SEC 1 2.3.3 writes it, uncompressed: RFC 6605 4 leaves the leading 4 out.
fn uncompressed_point(dnskey: &Dnskey) -> Vec<u8> {
    let mut point = Vec::with_capacity(1 + dnskey.public_key().len());
    point.push(4);
    point.extend_from_slice(dnskey.public_key());
    point
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_none_are_refused() {
        let not_on_curve = Dnskey::new(256, Algorithm::ECDSAP256SHA256, &[7; 64]).unwrap();
        assert_eq!(
            PublicKeyVerifier::new(&not_on_curve).unwrap_err(),
            VerifierError::Key {
                algorithm: Algorithm::ECDSAP256SHA256
            }
        );
        let unknown = Dnskey::new(256, Algorithm(17), &[7; 57]).unwrap();
        assert_eq!(
            PublicKeyVerifier::new(&unknown).unwrap_err(),
            VerifierError::Algorithm {
                algorithm: Algorithm(17)
            }
        );
        if cfg!(not(feature = "openssl")) {
            let ed448 = Dnskey::new(256, Algorithm::ED448, &[7; 57]).unwrap();
            let error = PublicKeyVerifier::new(&ed448).unwrap_err();
            assert!(
                error.to_string().contains("cannot be verified by this build"),
                "{error}"
            );
        }
        let short = Dnskey::from_rsa(256, Algorithm::RSASHA256, &[1, 0, 1], &[0, 0x7f, 1, 1]).unwrap();
        assert_eq!(
            PublicKeyVerifier::new(&short).unwrap_err(),
            VerifierError::RsaSize { bits: 23 }
        );
        let long = Dnskey::from_rsa(256, Algorithm::RSASHA256, &[8, 0, 0, 0, 1], &[0xff; 256]).unwrap();
        assert_eq!(
            PublicKeyVerifier::new(&long).unwrap_err(),
            VerifierError::RsaExponent { bits: 36 }
        );
    }
}
