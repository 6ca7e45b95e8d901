//! Private fields turned into keys that sign in this process, and a [`KeyStore`] of such keys. Each key is parsed and
//! checked once; a signature costs the one private-key operation and no allocation of this crate's. Reads no files.

mod der;
mod error;
mod generate;

pub use error::SoftwareKeyError;
pub use generate::{generate_key, generate_rsa_key};

use std::fmt;
use std::sync::Arc;

use crate::algorithm::Algorithm;
use crate::dnskey::{Dnskey, bit_length, strip_zeros};
use crate::private_key::PrivateKeyFields;
use crate::signer::{KeyIndex, KeyStore, SignError, SignatureBuf, Signer, ToBeSigned};
use aws_lc_rs::digest::{Digest, SHA256, SHA384};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use zeroize::Zeroizing;

/// RSA keys that can sign, in bits: below, the crypto library refuses; above, RFC 5702 2 does.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The longest RSA public exponent that can be signed with, in bits.
const MAX_EXPONENT_BITS: usize = 33;

/// A key pair in this process's memory.
pub struct SoftwareKey {
    dnskey: Dnskey,
    private: Private,
}

enum Private {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    /// Signs in ASN.1 form; the number is the length of the fixed form.
    Ecdsa(EcdsaKeyPair, usize),
    Ed25519(Ed25519KeyPair),
    #[cfg(feature = "openssl")]
    OpenSsl(crate::libcrypto::SigningKey),
}

impl SoftwareKey {
    /// Puts a public key (algorithm 8, 10, 13, 14 or 15, and with the feature `openssl` 5, 7 or 16) and its private fields
    /// together.
    ///
    /// # Errors
    /// [`SoftwareKeyError`] when the halves are not of one key, the fields form none, or the algorithm does not sign.
    pub fn new(dnskey: Dnskey, fields: &PrivateKeyFields) -> Result<Self, SoftwareKeyError> {
        let algorithm = dnskey.algorithm();
        let private = match algorithm {
            #[cfg(feature = "openssl")]
            Algorithm::ED448 | Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => open_ssl(&dnskey, fields)?,
            #[cfg(feature = "openssl")]
            Algorithm::RSASHA256 | Algorithm::RSASHA512 if is_unusual(&dnskey) => open_ssl(&dnskey, fields)?,
            Algorithm::RSASHA256 => Private::Rsa(Box::new(rsa(&dnskey, fields)?), &RSA_PKCS1_SHA256),
            Algorithm::RSASHA512 => Private::Rsa(Box::new(rsa(&dnskey, fields)?), &RSA_PKCS1_SHA512),
            Algorithm::ECDSAP256SHA256 => Private::Ecdsa(ecdsa(&dnskey, fields, &ECDSA_P256_SHA256_ASN1_SIGNING)?, 64),
            Algorithm::ECDSAP384SHA384 => Private::Ecdsa(ecdsa(&dnskey, fields, &ECDSA_P384_SHA384_ASN1_SIGNING)?, 96),
            Algorithm::ED25519 => Private::Ed25519(ed25519(&dnskey, fields)?),
            #[cfg(not(feature = "openssl"))]
            Algorithm::ED448 | Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => {
                return Err(SoftwareKeyError::NotInBuild { algorithm });
            }
            _ => return Err(SoftwareKeyError::Algorithm { algorithm }),
        };
        Ok(Self { dnskey, private })
    }

    /// The public half.
    #[must_use]
    pub fn dnskey(&self) -> &Dnskey {
        &self.dnskey
    }

    /// Signs a message into the form of RRSIG's signature field: PKCS#1 v1.5 (RFC 5702 3), r and s of fixed length
    /// (RFC 6605 4), or Ed25519's 64 bytes (RFC 8080 4).
    ///
    /// # Errors
    /// [`SignError::Job`] when the crypto library fails.
    pub fn sign(&self, message: &[u8], out: &mut SignatureBuf) -> Result<(), SignError> {
        self.sign_data(&ToBeSigned::new(message), out)
    }

    /// The same for bytes whose digest may be made already.
    fn sign_data(&self, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        let message = data.message();
        let signed = match &self.private {
            Private::Rsa(pair, encoding) => {
                let length = pair.public_modulus_len();
                out.set_length(length);
                match out.room().get_mut(..length) {
                    Some(room) => pair.sign(*encoding, &SystemRandom::new(), message, room).ok(),
                    None => None,
                }
            }
            Private::Ecdsa(pair, length) => {
                let signed = match data.made(self.dnskey.algorithm()) {
                    Some(digest) => Digest::import_less_safe(digest.as_ref(), hash_of(*length))
                        .and_then(|digest| pair.sign_digest(&digest)),
                    None => pair.sign(&SystemRandom::new(), message),
                };
                out.set_length(*length);
                match (out.room().get_mut(..*length), signed) {
                    (Some(room), Ok(signature)) => der::write_fixed_signature(signature.as_ref(), room),
                    _ => None,
                }
            }
            #[cfg(feature = "openssl")]
            Private::OpenSsl(key) => key.sign(message, out),
            Private::Ed25519(pair) => pair.try_sign(message).ok().map(|signature| out.set(signature.as_ref())),
        };
        signed.ok_or_else(|| SignError::Job {
            message: format!("the software key with tag {} could not sign", self.dnskey.key_tag()),
        })
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({}/{})", self.dnskey.algorithm(), self.dnskey.key_tag())
    }
}

/// Software keys as a store. Its signers share the keys; any number of threads may sign at once.
#[derive(Debug, Clone)]
pub struct SoftwareKeys {
    public: Vec<Dnskey>,
    keys: Arc<[SoftwareKey]>,
}

impl SoftwareKeys {
    /// A store of these keys; a [`KeyIndex`] is a place among them.
    #[must_use]
    pub fn new(keys: Vec<SoftwareKey>) -> Self {
        Self {
            public: keys.iter().map(|key| key.dnskey.clone()).collect(),
            keys: keys.into(),
        }
    }
}

impl KeyStore for SoftwareKeys {
    fn keys(&self) -> &[Dnskey] {
        &self.public
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        Ok(Box::new(SoftwareSigner {
            keys: Arc::clone(&self.keys),
        }))
    }
}

struct SoftwareSigner {
    keys: Arc<[SoftwareKey]>,
}

impl Signer for SoftwareSigner {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        match self.keys.get(usize::from(key.0)) {
            Some(key) => key.sign_data(data, out),
            None => Err(SignError::Job {
                message: format!("there is no software key number {}", key.0),
            }),
        }
    }
}

/// What ECDSA hashes with where a signature has so many bytes (RFC 6605 2).
fn hash_of(signature_length: usize) -> &'static aws_lc_rs::digest::Algorithm {
    match signature_length {
        64 => &SHA256,
        _ => &SHA384,
    }
}

#[cfg(feature = "openssl")]
fn open_ssl(dnskey: &Dnskey, fields: &PrivateKeyFields) -> Result<Private, SoftwareKeyError> {
    crate::libcrypto::SigningKey::new(dnskey, fields).map(Private::OpenSsl)
}

/// Whether a key's size or exponent is one that aws-lc-rs does not sign with.
#[cfg(feature = "openssl")]
fn is_unusual(dnskey: &Dnskey) -> bool {
    dnskey.rsa_parts().is_some_and(|(exponent, modulus)| {
        !RSA_BITS.contains(&bit_length(strip_zeros(modulus))) || bit_length(strip_zeros(exponent)) > MAX_EXPONENT_BITS
    })
}

fn rsa(dnskey: &Dnskey, fields: &PrivateKeyFields) -> Result<RsaKeyPair, SoftwareKeyError> {
    let algorithm = dnskey.algorithm();
    let PrivateKeyFields::Rsa {
        modulus,
        public_exponent,
        private_exponent,
        prime1,
        prime2,
        exponent1,
        exponent2,
        coefficient,
    } = fields
    else {
        return Err(SoftwareKeyError::Kind { algorithm });
    };
    let (modulus, exponent) = (strip_zeros(modulus), strip_zeros(public_exponent));
    let same = dnskey
        .rsa_parts()
        .is_some_and(|(public, of)| strip_zeros(public) == exponent && strip_zeros(of) == modulus);
    if !same {
        return Err(SoftwareKeyError::Mismatch {
            key_tag: dnskey.key_tag(),
        });
    }
    let bits = bit_length(modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(SoftwareKeyError::RsaSize { bits });
    }
    let bits = bit_length(exponent);
    if bits > MAX_EXPONENT_BITS {
        return Err(SoftwareKeyError::RsaExponent { bits });
    }
    // Checks that all eight numbers belong together.
    RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n: modulus,
            e: exponent,
        },
        d: private_exponent.as_slice(),
        p: prime1.as_slice(),
        q: prime2.as_slice(),
        dP: exponent1.as_slice(),
        dQ: exponent2.as_slice(),
        qInv: coefficient.as_slice(),
    })
    .map_err(|_| SoftwareKeyError::Invalid { algorithm })
}

fn ecdsa(
    dnskey: &Dnskey,
    fields: &PrivateKeyFields,
    curve: &'static EcdsaSigningAlgorithm,
) -> Result<EcdsaKeyPair, SoftwareKeyError> {
    let algorithm = dnskey.algorithm();
    let PrivateKeyFields::Scalar(scalar) = fields else {
        return Err(SoftwareKeyError::Kind { algorithm });
    };
    // Key files leave out leading zero bytes; the curve's numbers have half the public key's length.
    let scalar = strip_zeros(scalar);
    let length = dnskey.public_key().len() / 2;
    let Some(zeros) = length.checked_sub(scalar.len()) else {
        return Err(SoftwareKeyError::Invalid { algorithm });
    };
    let mut padded = Zeroizing::new(vec![0; length]);
    padded[zeros..].copy_from_slice(scalar);
    let mut point = vec![4];
    point.extend_from_slice(dnskey.public_key());
    EcdsaKeyPair::from_private_key_and_public_key(curve, &padded, &point).map_err(|_| SoftwareKeyError::Mismatch {
        key_tag: dnskey.key_tag(),
    })
}

fn ed25519(dnskey: &Dnskey, fields: &PrivateKeyFields) -> Result<Ed25519KeyPair, SoftwareKeyError> {
    let algorithm = dnskey.algorithm();
    let PrivateKeyFields::Scalar(seed) = fields else {
        return Err(SoftwareKeyError::Kind { algorithm });
    };
    if seed.len() != 32 {
        return Err(SoftwareKeyError::Invalid { algorithm });
    }
    Ed25519KeyPair::from_seed_and_public_key(seed, dnskey.public_key()).map_err(|_| SoftwareKeyError::Mismatch {
        key_tag: dnskey.key_tag(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::crypto::PublicKeyVerifier;
    use crate::signer::SignBatch;

    const ALL: [(Algorithm, usize); 5] = [
        (Algorithm::RSASHA256, 256),
        (Algorithm::RSASHA512, 256),
        (Algorithm::ECDSAP256SHA256, 64),
        (Algorithm::ECDSAP384SHA384, 96),
        (Algorithm::ED25519, 64),
    ];

    #[test]
    fn new_keys_sign_and_verify() {
        let keys: Vec<SoftwareKey> = ALL
            .iter()
            .map(|&(algorithm, _)| {
                let (dnskey, fields) = generate_key(256, algorithm, None).unwrap();
                SoftwareKey::new(dnskey, &fields).unwrap()
            })
            .collect();
        assert!(!format!("{keys:?}").contains("private"));
        let store = SoftwareKeys::new(keys);
        let mut signer = store.signer().unwrap();
        let mut batch = SignBatch::new();
        for index in 0..5u8 {
            batch.add(KeyIndex(index.into()), |message| {
                message.extend_from_slice(&[index; 100])
            });
        }
        signer.sign_batch(&mut batch).unwrap();
        for (job, &(algorithm, length)) in (0..).zip(&ALL) {
            let dnskey = &store.keys()[usize::from(batch.key(job).0)];
            assert_eq!(dnskey.algorithm(), algorithm);
            let signature = batch.signature(job);
            assert_eq!(signature.len(), length);
            assert_eq!(dnskey.signature_length(), Some(length));
            let verifier = PublicKeyVerifier::new(dnskey).unwrap();
            verifier.verify(batch.message(job), signature).unwrap();
            assert!(verifier.verify(b"other", signature).is_err());
            // The same with a digest that is made already.
            let mut out = SignatureBuf::default();
            let data = ToBeSigned::digested(batch.message(job), dnskey.algorithm());
            signer.sign(batch.key(job), &data, &mut out).unwrap();
            verifier.verify(data.message(), out.bytes()).unwrap();
            assert!(verifier.verify(batch.message(job), &signature[1..]).is_err());
        }
        let mut out = SignatureBuf::default();
        assert!(signer.sign(KeyIndex(5), &ToBeSigned::new(b""), &mut out).is_err());
    }

    #[test]
    fn leading_zeros_of_a_scalar_may_be_missing() {
        for algorithm in [Algorithm::ECDSAP256SHA256, Algorithm::ECDSAP384SHA384] {
            let (dnskey, fields) = loop {
                let (dnskey, fields) = generate_key(257, algorithm, None).unwrap();
                let PrivateKeyFields::Scalar(scalar) = &fields else {
                    unreachable!()
                };
                if scalar[0] == 0 {
                    break (dnskey, PrivateKeyFields::Scalar(Zeroizing::new(scalar[1..].to_vec())));
                }
            };
            SoftwareKey::new(dnskey, &fields).unwrap();
        }
    }

    #[test]
    fn halves_of_different_keys_are_refused() {
        for (algorithm, _) in ALL {
            let (one, _) = generate_key(256, algorithm, None).unwrap();
            let (_, other) = generate_key(256, algorithm, None).unwrap();
            assert_eq!(
                SoftwareKey::new(one.clone(), &other).unwrap_err(),
                SoftwareKeyError::Mismatch { key_tag: one.key_tag() }
            );
        }
        let (ed, seed) = generate_key(256, Algorithm::ED25519, None).unwrap();
        let (rsa, mut fields) = generate_key(256, Algorithm::RSASHA256, None).unwrap();
        let kind = |algorithm| SoftwareKeyError::Kind { algorithm };
        assert_eq!(SoftwareKey::new(ed, &fields).unwrap_err(), kind(Algorithm::ED25519));
        assert_eq!(
            SoftwareKey::new(rsa.clone(), &seed).unwrap_err(),
            kind(Algorithm::RSASHA256)
        );
        if let PrivateKeyFields::Rsa { coefficient, .. } = &mut fields {
            coefficient[9] ^= 1;
        }
        let invalid = SoftwareKeyError::Invalid {
            algorithm: Algorithm::RSASHA256,
        };
        assert_eq!(SoftwareKey::new(rsa, &fields).unwrap_err(), invalid);
    }

    #[test]
    fn what_cannot_sign_says_so() {
        #[cfg(not(feature = "openssl"))]
        {
            let algorithm = Algorithm::ED448;
            let error = generate_key(256, algorithm, None).unwrap_err();
            assert_eq!(error, SoftwareKeyError::NotInBuild { algorithm });
            assert!(error.to_string().contains("need OpenSSL"), "{error}");
            let error = generate_key(256, Algorithm::RSASHA256, Some(1024)).unwrap_err();
            assert_eq!(error, SoftwareKeyError::NewRsaSize { bits: 1024 });
            let exponent = (1 << 34) + 1;
            let error = generate_rsa_key(256, Algorithm::RSASHA256, None, Some(exponent)).unwrap_err();
            assert_eq!(error, SoftwareKeyError::NewRsaExponent { exponent });
            assert!(error.to_string().contains("feature openssl"), "{error}");
            let (_, fields) = generate_key(256, Algorithm::RSASHA256, None).unwrap();
            let sha1 = Dnskey::from_rsa(256, Algorithm::RSASHA1, &[1, 0, 1], &[0xff; 256]).unwrap();
            let error = SoftwareKey::new(sha1, &fields).unwrap_err();
            assert!(matches!(error, SoftwareKeyError::NotInBuild { .. }), "{error}");
        }
        for algorithm in [Algorithm(1), Algorithm(3), Algorithm(17), Algorithm(253)] {
            assert_eq!(
                generate_key(256, algorithm, None).unwrap_err(),
                SoftwareKeyError::Algorithm { algorithm }
            );
        }
        for exponent in [3, 65_538, 1 << 35, (1 << 35) + 1] {
            let error = generate_rsa_key(256, Algorithm::RSASHA256, None, Some(exponent)).unwrap_err();
            assert_eq!(error, SoftwareKeyError::NewRsaExponent { exponent });
        }
        let bits = 1000;
        let error = generate_key(256, Algorithm::RSASHA256, Some(bits)).unwrap_err();
        assert_eq!(error, SoftwareKeyError::NewRsaSize { bits });
        let (dnskey, fields) = generate_key(256, Algorithm::RSASHA256, Some(3072)).unwrap();
        assert_eq!(dnskey.rsa_bits(), Some(3072));
        SoftwareKey::new(dnskey, &fields).unwrap();
    }
}
