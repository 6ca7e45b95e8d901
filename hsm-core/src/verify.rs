//! Verifies on the host what a token signed, by the public part that was read from it.
//!
//! The data is what was given to the token: a digest, a DigestInfo or a message, by mechanism. Only
//! what the token itself hashed is hashed here.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents,
};

use crate::error::KeyFault;
use crate::key::PublicPart;
use crate::mechanism::{DigestInfo, Hash, SignMechanism};

/// A public key parsed once, to check many signatures with. Usable from every thread.
#[derive(Clone)]
pub struct PreparedVerifier(Prepared);

#[derive(Clone)]
enum Prepared {
    /// One for each hash function: SHA-1, SHA-256, SHA-384, SHA-512.
    Rsa(Box<[ParsedPublicKey; 4]>),
    /// An exponent that is too long for the other library.
    #[cfg(feature = "openssl")]
    LongExponent(openssl::rsa::Rsa<openssl::pkey::Public>),
    P256(ParsedPublicKey),
    P384(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
    #[cfg(feature = "openssl")]
    Ed448(openssl::pkey::PKey<openssl::pkey::Public>),
}

impl fmt::Debug for PreparedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Prepared::Rsa(_) => "PreparedVerifier(RSA)",
            #[cfg(feature = "openssl")]
            Prepared::LongExponent(_) => "PreparedVerifier(RSA)",
            Prepared::P256(_) => "PreparedVerifier(P-256)",
            Prepared::P384(_) => "PreparedVerifier(P-384)",
            Prepared::Ed25519(_) => "PreparedVerifier(Ed25519)",
            #[cfg(feature = "openssl")]
            Prepared::Ed448(_) => "PreparedVerifier(Ed448)",
        })
    }
}

impl PreparedVerifier {
    /// Parses a public key; a point off its curve is refused.
    ///
    /// # Errors
    /// [`KeyFault::Encoding`], and [`KeyFault::NoVerifier`] for Ed448 without the feature `openssl`.
    pub fn new(public: &PublicPart) -> Result<Self, KeyFault> {
        let wrong = |_| KeyFault::Encoding("its public part is no valid key".to_owned());
        Ok(Self(match public {
            // 34 and 35 bits, which BIND allows.
            PublicPart::Rsa { modulus, exponent } if exponent.len() > 4 && exponent.first() > Some(&1) => {
                long_exponent(modulus, exponent)?
            }
            PublicPart::Rsa { modulus, exponent } => {
                let parts = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                let parse = |parameters| parts.to_parsed_public_key(parameters).map_err(wrong);
                Prepared::Rsa(Box::new([
                    parse(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
                    parse(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
                    parse(&RSA_PKCS1_2048_8192_SHA384)?,
                    parse(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)?,
                ]))
            }
            PublicPart::P256(point) => {
                let point = [&[0x04], &point[..]].concat();
                Prepared::P256(ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(wrong)?)
            }
            PublicPart::P384(point) => {
                let point = [&[0x04], &point[..]].concat();
                Prepared::P384(ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).map_err(wrong)?)
            }
            PublicPart::Ed25519(point) => Prepared::Ed25519(ParsedPublicKey::new(&ED25519, point).map_err(wrong)?),
            #[cfg(feature = "openssl")]
            PublicPart::Ed448(point) => Prepared::Ed448(
                openssl::pkey::PKey::public_key_from_raw_bytes(point, openssl::pkey::Id::ED448)
                    .map_err(|_| KeyFault::Encoding("its public part is no valid key".to_owned()))?,
            ),
            #[cfg(not(feature = "openssl"))]
            PublicPart::Ed448(_) => return Err(KeyFault::NoVerifier("Ed448")),
        }))
    }

    /// Whether `signature` is one of `data`, which is what was given to [`crate::SigningSession::sign`]:
    /// a digest, a [`DigestInfo`] or a message, by mechanism.
    pub fn verify(&self, mechanism: SignMechanism, data: &[u8], signature: &[u8]) -> bool {
        let by_digest = |key: &ParsedPublicKey, algorithm, digest: &[u8]| {
            Digest::import_less_safe(digest, algorithm)
                .is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok())
        };
        if let Some(hash) = mechanism.hash() {
            let (digest, length) = hash.digest(data);
            let digest = digest.get(..length).unwrap_or_default();
            return match mechanism.plain() {
                SignMechanism::RsaPkcs => DigestInfo::new(hash, digest)
                    .is_some_and(|info| self.verify(SignMechanism::RsaPkcs, info.as_ref(), signature)),
                plain => self.verify(plain, digest, signature),
            };
        }
        match (&self.0, mechanism) {
            (Prepared::Rsa(keys), SignMechanism::RsaPkcs) => match DigestInfo::parse(data) {
                Some((Hash::Sha1, digest)) => by_digest(&keys[0], &SHA1_FOR_LEGACY_USE_ONLY, digest),
                Some((Hash::Sha256, digest)) => by_digest(&keys[1], &SHA256, digest),
                Some((Hash::Sha384, digest)) => by_digest(&keys[2], &SHA384, digest),
                Some((Hash::Sha512, digest)) => by_digest(&keys[3], &SHA512, digest),
                None => false,
            },
            #[cfg(feature = "openssl")]
            (Prepared::LongExponent(key), SignMechanism::RsaPkcs) => {
                // PKCS#1 v1.5 gives back what was signed, the DigestInfo.
                let mut room = vec![0; usize::try_from(key.size()).unwrap_or_default()];
                let signed = key.public_decrypt(signature, &mut room, openssl::rsa::Padding::PKCS1);
                signed.is_ok_and(|length| room.get(..length) == Some(data))
            }
            (Prepared::P256(key), SignMechanism::Ecdsa) => by_digest(key, &SHA256, data),
            (Prepared::P384(key), SignMechanism::Ecdsa) => by_digest(key, &SHA384, data),
            (Prepared::Ed25519(key), SignMechanism::Eddsa) => key.verify_sig(data, signature).is_ok(),
            #[cfg(feature = "openssl")]
            (Prepared::Ed448(key), SignMechanism::Eddsa) => openssl::sign::Verifier::new_without_digest(key)
                .and_then(|mut verifier| verifier.verify_oneshot(signature, data))
                .unwrap_or(false),
            _ => false,
        }
    }
}

#[cfg(feature = "openssl")]
fn long_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Prepared, KeyFault> {
    let number = openssl::bn::BigNum::from_slice;
    let key = number(modulus).and_then(|n| openssl::rsa::Rsa::from_public_components(n, number(exponent)?));
    let wrong = |_| KeyFault::Encoding("its public part is no valid key".to_owned());
    Ok(Prepared::LongExponent(key.map_err(wrong)?))
}

#[cfg(not(feature = "openssl"))]
fn long_exponent(_: &[u8], _: &[u8]) -> Result<Prepared, KeyFault> {
    Err(KeyFault::NoVerifier("RSA keys with exponents of more than 33 bits"))
}

/// Whether `signature` is one of `data` (digest, [`DigestInfo`] or message) by a public key. For
/// more than one signature, prepare the key once: [`PreparedVerifier`].
///
/// # Errors
/// The public part is no valid key, or the host cannot verify by it.
pub fn verify(public: &PublicPart, mechanism: SignMechanism, data: &[u8], signature: &[u8]) -> Result<bool, KeyFault> {
    Ok(PreparedVerifier::new(public)?.verify(mechanism, data, signature))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use sha2::{Digest as _, Sha256};

    use super::*;

    const TEXT: &[u8] = b"a text to sign";

    #[test]
    fn p256_signatures_verify_by_digest() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let signature = pair.sign(&SystemRandom::new(), TEXT).unwrap();
        let public = PublicPart::P256(pair.public_key().as_ref()[1..].try_into().unwrap());
        let verifier = PreparedVerifier::new(&public).unwrap();
        let digest = Sha256::digest(TEXT);
        assert!(verifier.verify(SignMechanism::Ecdsa, &digest, signature.as_ref()));
        assert!(!verifier.verify(SignMechanism::Ecdsa, &Sha256::digest(b"x"), signature.as_ref()));
        assert!(!verifier.verify(SignMechanism::Ecdsa, TEXT, signature.as_ref()));
        assert!(!verifier.verify(SignMechanism::Eddsa, &digest, signature.as_ref()));
        assert!(PreparedVerifier::new(&PublicPart::P256([1; 64])).is_err());
    }

    #[test]
    fn ed25519_signatures_verify_by_message() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let signature = pair.sign(TEXT);
        let public = PublicPart::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        assert!(verify(&public, SignMechanism::Eddsa, TEXT, signature.as_ref()).unwrap());
        assert!(!verify(&public, SignMechanism::Eddsa, b"", signature.as_ref()).unwrap());
        let ed448 = PublicPart::Ed448([0; 57]);
        match verify(&ed448, SignMechanism::Eddsa, b"", b"") {
            Ok(good) => assert!(cfg!(feature = "openssl") && !good),
            Err(fault) => assert_eq!(fault, KeyFault::NoVerifier("Ed448")),
        }
    }
}
