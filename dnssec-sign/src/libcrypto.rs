//! What aws-lc-rs cannot compute, by OpenSSL: Ed448, RSA signatures with SHA-1, and RSA keys of unusual size or exponent.
//! Who may sign with such keys is decided elsewhere; nothing that aws-lc-rs can do comes here.

use std::fmt;

use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;

use crate::algorithm::Algorithm;
use crate::dnskey::Dnskey;

/// The hash that an algorithm signs with; `None` for one that signs messages, and for those that are not RSA.
fn hash(algorithm: Algorithm) -> Option<MessageDigest> {
    match algorithm {
        Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => Some(MessageDigest::sha1()),
        Algorithm::RSASHA256 => Some(MessageDigest::sha256()),
        Algorithm::RSASHA512 => Some(MessageDigest::sha512()),
        _ => None,
    }
}

/// A public key that verifies signatures.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    key: PKey<Public>,
    hash: Option<MessageDigest>,
}

impl VerifyingKey {
    /// Prepares a key of algorithm 16, or of RSA; `None` when it is no valid key.
    pub(crate) fn new(dnskey: &Dnskey) -> Option<Self> {
        let algorithm = dnskey.algorithm();
        let key = if algorithm == Algorithm::ED448 {
            PKey::public_key_from_raw_bytes(dnskey.public_key(), Id::ED448).ok()?
        } else {
            let (exponent, modulus) = dnskey.rsa_parts()?;
            // An even modulus is no product of two odd primes.
            if modulus.last().is_none_or(|last| last & 1 == 0) {
                return None;
            }
            let number = |bytes| BigNum::from_slice(bytes).ok();
            PKey::from_rsa(Rsa::from_public_components(number(modulus)?, number(exponent)?).ok()?).ok()?
        };
        Some(Self {
            key,
            hash: hash(algorithm),
        })
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifier = match self.hash {
            Some(hash) => Verifier::new(hash, &self.key),
            None => Verifier::new_without_digest(&self.key),
        };
        verifier
            .and_then(|mut verifier| verifier.verify_oneshot(signature, message))
            .unwrap_or(false)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.key).finish()
    }
}

#[cfg(feature = "software")]
pub(crate) use signing::{SigningKey, generate_ed448, generate_rsa};

#[cfg(feature = "software")]
mod signing {
    use super::{Algorithm, BigNum, Dnskey, Id, MessageDigest, PKey, Rsa, hash};
    use openssl::error::ErrorStack;
    use openssl::pkey::Private;
    use openssl::rsa::RsaPrivateKeyBuilder;
    use openssl::sign::Signer;
    use zeroize::Zeroizing;

    use crate::dnskey::{bit_length, strip_zeros};
    use crate::private_key::PrivateKeyFields;
    use crate::signer::SignatureBuf;
    use crate::software::SoftwareKeyError;

    /// RSA keys that OpenSSL is asked for, in bits: RFC 3110 2 and RFC 5702 2.
    const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=4096;
    /// The longest RSA public exponent, in bits: BIND's limit.
    const MAX_EXPONENT_BITS: usize = 35;

    /// Whether an RSA key is one that OpenSSL takes here.
    fn takes_rsa(modulus: &[u8], exponent: &[u8]) -> bool {
        RSA_BITS.contains(&bit_length(strip_zeros(modulus))) && bit_length(strip_zeros(exponent)) <= MAX_EXPONENT_BITS
    }

    /// A private key that signs.
    pub(crate) struct SigningKey {
        key: PKey<Private>,
        hash: Option<MessageDigest>,
    }

    impl SigningKey {
        /// Puts a public key of algorithm 16, or of RSA, and its private fields together.
        pub(crate) fn new(dnskey: &Dnskey, fields: &PrivateKeyFields) -> Result<Self, SoftwareKeyError> {
            let algorithm = dnskey.algorithm();
            let invalid = SoftwareKeyError::Invalid { algorithm };
            let key = match fields {
                PrivateKeyFields::Scalar(seed) if algorithm == Algorithm::ED448 => {
                    let key = PKey::private_key_from_raw_bytes(seed, Id::ED448).map_err(|_| invalid)?;
                    if key.raw_public_key().map_err(|_| invalid)? != dnskey.public_key() {
                        return Err(SoftwareKeyError::Mismatch {
                            key_tag: dnskey.key_tag(),
                        });
                    }
                    key
                }
                PrivateKeyFields::Rsa {
                    modulus,
                    public_exponent,
                    ..
                } if algorithm.is_rsa() => {
                    let same = dnskey.rsa_parts().is_some_and(|(exponent, of)| {
                        strip_zeros(exponent) == strip_zeros(public_exponent) && strip_zeros(of) == strip_zeros(modulus)
                    });
                    if !same {
                        return Err(SoftwareKeyError::Mismatch {
                            key_tag: dnskey.key_tag(),
                        });
                    }
                    if !takes_rsa(modulus, public_exponent) {
                        let bits = bit_length(strip_zeros(modulus));
                        return Err(if RSA_BITS.contains(&bits) {
                            SoftwareKeyError::RsaExponent {
                                bits: bit_length(strip_zeros(public_exponent)),
                            }
                        } else {
                            SoftwareKeyError::RsaSize { bits }
                        });
                    }
                    let rsa = rsa(fields).map_err(|_| invalid)?.ok_or(invalid)?;
                    if !rsa.check_key().unwrap_or(false) {
                        return Err(invalid);
                    }
                    PKey::from_rsa(rsa).map_err(|_| invalid)?
                }
                _ => return Err(SoftwareKeyError::Kind { algorithm }),
            };
            Ok(Self {
                key,
                hash: hash(algorithm),
            })
        }

        /// Signs a message; `None` when OpenSSL fails.
        pub(crate) fn sign(&self, message: &[u8], out: &mut SignatureBuf) -> Option<()> {
            let mut signer = match self.hash {
                Some(hash) => Signer::new(hash, &self.key),
                None => Signer::new_without_digest(&self.key),
            }
            .ok()?;
            let length = signer.len().ok()?;
            out.set_length(length);
            let room = out.room().get_mut(..length)?;
            (signer.sign_oneshot(room, message).ok()? == length).then_some(())
        }
    }

    fn rsa(fields: &PrivateKeyFields) -> Result<Option<Rsa<Private>>, ErrorStack> {
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
            return Ok(None);
        };
        let builder = RsaPrivateKeyBuilder::new(
            BigNum::from_slice(modulus)?,
            BigNum::from_slice(public_exponent)?,
            BigNum::from_slice(private_exponent)?,
        )?
        .set_factors(BigNum::from_slice(prime1)?, BigNum::from_slice(prime2)?)?
        .set_crt_params(
            BigNum::from_slice(exponent1)?,
            BigNum::from_slice(exponent2)?,
            BigNum::from_slice(coefficient)?,
        )?;
        Ok(Some(builder.build()))
    }

    /// The public key and the seed of a new Ed448 key.
    pub(crate) fn generate_ed448() -> Option<(Vec<u8>, PrivateKeyFields)> {
        let key = PKey::generate_ed448().ok()?;
        let seed = Zeroizing::new(key.raw_private_key().ok()?);
        Some((key.raw_public_key().ok()?, PrivateKeyFields::Scalar(seed)))
    }

    /// So many keys are tried: none can be made of a prime that the exponent divides when one is taken off.
    const TRIES: usize = 20;

    /// The fields of a new RSA key with this public exponent, which is odd.
    pub(crate) fn generate_rsa(bits: u16, exponent: u64) -> Option<PrivateKeyFields> {
        let exponent = BigNum::from_slice(&exponent.to_be_bytes()).ok()?;
        let key = (0..TRIES).find_map(|_| Rsa::generate_with_e(bits.into(), &exponent).ok())?;
        let secret = |number: Option<&openssl::bn::BigNumRef>| Some(Zeroizing::new(number?.to_vec()));
        Some(PrivateKeyFields::Rsa {
            modulus: key.n().to_vec(),
            public_exponent: key.e().to_vec(),
            private_exponent: Zeroizing::new(key.d().to_vec()),
            prime1: secret(key.p())?,
            prime2: secret(key.q())?,
            exponent1: secret(key.dmp1())?,
            exponent2: secret(key.dmq1())?,
            coefficient: secret(key.iqmp())?,
        })
    }
}

#[cfg(all(test, feature = "software"))]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::crypto::PublicKeyVerifier;
    use crate::signer::SignatureBuf;
    use crate::software::{SoftwareKey, SoftwareKeyError, generate_key, generate_rsa_key};

    /// Signs and verifies with the key whose private fields are these.
    fn works(dnskey: Dnskey, fields: &crate::private_key::PrivateKeyFields) {
        let verifier = PublicKeyVerifier::new(&dnskey).unwrap();
        let length = dnskey.signature_length().unwrap();
        let key = SoftwareKey::new(dnskey, fields).unwrap();
        let mut out = SignatureBuf::default();
        key.sign(b"message", &mut out).unwrap();
        assert_eq!(out.bytes().len(), length);
        verifier.verify(b"message", out.bytes()).unwrap();
        assert!(verifier.verify(b"other", out.bytes()).is_err());
        assert!(verifier.verify(b"message", &out.bytes()[1..]).is_err());
        assert!(verifier.verify(b"message", &[]).is_err());
    }

    #[test]
    fn ed448() {
        let (dnskey, fields) = generate_key(257, Algorithm::ED448, None).unwrap();
        works(dnskey.clone(), &fields);
        let (_, other) = generate_key(257, Algorithm::ED448, None).unwrap();
        let mismatch = SoftwareKeyError::Mismatch {
            key_tag: dnskey.key_tag(),
        };
        assert_eq!(SoftwareKey::new(dnskey, &other).unwrap_err(), mismatch);
        let no_point = Dnskey::new(256, Algorithm::ED448, &[0xff; 57]).unwrap();
        assert!(PublicKeyVerifier::new(&no_point).is_ok_and(|key| key.verify(b"", &[0; 114]).is_err()));
    }

    /// RFC 8080 6.2, with the signature of its erratum 4935.
    #[test]
    fn the_example_of_rfc_8080() {
        let base64 = |text: &str| data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        let seed = base64("xZ+5Cgm463xugtkY5B0Jx6erFTXp13rYegst0qRtNsOYnaVpMx0Z/c5EiA9x8wWbDDct/U3FhYWA");
        let point = base64("3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA");
        let signature = base64(
            "3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKx\
             E/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA",
        );
        let dnskey = Dnskey::new(257, Algorithm::ED448, &point).unwrap();
        assert_eq!(dnskey.key_tag(), 9713);
        let owner: crate::name::Name = "example.com.".parse().unwrap();
        let fields = crate::tbs::RrsigFields {
            algorithm: 16,
            expiration: 1_440_021_600,
            inception: 1_438_207_200,
            key_tag: 9713,
            signer: owner.borrow(),
        };
        let (mut message, mut set) = (Vec::new(), Vec::new());
        let (mx, class) = (crate::rtype::RecordType::MX, crate::rtype::Class::IN);
        fields.write_head(owner.borrow(), mx, 3600, &mut message);
        let rdata = b"\x00\x0a\x04mail\x07example\x03com\x00";
        crate::tbs::write_signed_record(owner.borrow(), mx, class, 3600, rdata, &mut set);
        message.extend_from_slice(&set);
        let private = crate::private_key::PrivateKeyFields::Scalar(zeroize::Zeroizing::new(seed));
        let mut out = SignatureBuf::default();
        SoftwareKey::new(dnskey.clone(), &private)
            .unwrap()
            .sign(&message, &mut out)
            .unwrap();
        assert_eq!(out.bytes(), signature);
        PublicKeyVerifier::new(&dnskey)
            .unwrap()
            .verify(&message, &signature)
            .unwrap();
    }

    #[test]
    fn rsa_with_sha1_and_in_unusual_sizes() {
        for (algorithm, bits) in [
            (Algorithm::RSASHA1, 2048),
            (Algorithm::NSEC3RSASHA1, 1024),
            (Algorithm::RSASHA256, 1024),
            (Algorithm::RSASHA512, 1280),
        ] {
            let (dnskey, fields) = generate_key(256, algorithm, Some(bits)).unwrap();
            assert_eq!(dnskey.rsa_bits(), Some(bits.into()));
            works(dnskey, &fields);
        }
    }

    #[test]
    fn an_exponent_of_35_bits() {
        for (exponent, bytes) in [((1 << 34) + 1, &[4, 0, 0, 0, 1][..]), ((1 << 32) + 1, &[1, 0, 0, 0, 1])] {
            let (dnskey, fields) = generate_rsa_key(256, Algorithm::RSASHA256, None, Some(exponent)).unwrap();
            assert_eq!(dnskey.rsa_parts().unwrap().0, bytes);
            works(dnskey, &fields);
        }
    }
}
