//! New key pairs, as the fields that key files hold. Writes no files.

use super::der;
use super::error::SoftwareKeyError;
use crate::algorithm::Algorithm;
use crate::dnskey::Dnskey;
use crate::private_key::PrivateKeyFields;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use zeroize::Zeroizing;

/// The length of a new RSA key when none is asked for.
const DEFAULT_RSA_BITS: u16 = 2048;

/// The public exponent of a new RSA key when none is asked for: F4, 2^16 + 1.
const DEFAULT_RSA_EXPONENT: u64 = 65_537;

/// Makes a key pair of algorithm 8, 10, 13, 14 or 15: the public half with these flags, and the private fields.
/// `bits` is for RSA: 2048 (the default), 3072 or 4096; for other algorithms it is not looked at. With the feature `openssl`
/// algorithms 5, 7 and 16 are made too, and RSA keys of 1024 to 4096 bits. Whether a key may sign is decided elsewhere.
///
/// # Errors
/// [`SoftwareKeyError`] for other algorithms and sizes, or when the crypto library fails.
pub fn generate_key(
    flags: u16,
    algorithm: Algorithm,
    bits: Option<u16>,
) -> Result<(Dnskey, PrivateKeyFields), SoftwareKeyError> {
    match algorithm {
        rsa if rsa.is_rsa() => generate_rsa_key(flags, rsa, bits, None),
        Algorithm::ECDSAP256SHA256 => ecdsa(flags, algorithm, &ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ECDSAP384SHA384 => ecdsa(flags, algorithm, &ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ED25519 => ed25519(flags),
        #[cfg(feature = "openssl")]
        Algorithm::ED448 => {
            let failed = SoftwareKeyError::Generation { algorithm };
            let (point, fields) = crate::libcrypto::generate_ed448().ok_or(failed)?;
            Ok((Dnskey::new(flags, algorithm, &point)?, fields))
        }
        #[cfg(not(feature = "openssl"))]
        Algorithm::ED448 => Err(SoftwareKeyError::NotInBuild { algorithm }),
        _ => Err(SoftwareKeyError::Algorithm { algorithm }),
    }
}

type Pair = (Dnskey, PrivateKeyFields);

/// Makes a pair for algorithm 8 or 10, or with the feature `openssl` 5 or 7, with so many bits (2048 by default) and this
/// public exponent: 65537 by default, others with the feature `openssl`: odd, above 65536 and of 35 bits at most.
///
/// # Errors
/// [`SoftwareKeyError`] for other algorithms, sizes and exponents, or when the crypto library fails.
pub fn generate_rsa_key(
    flags: u16,
    algorithm: Algorithm,
    bits: Option<u16>,
    exponent: Option<u64>,
) -> Result<Pair, SoftwareKeyError> {
    match algorithm {
        Algorithm::RSASHA256 | Algorithm::RSASHA512 => {}
        Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 if cfg!(feature = "openssl") => {}
        Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => return Err(SoftwareKeyError::NotInBuild { algorithm }),
        _ => return Err(SoftwareKeyError::Algorithm { algorithm }),
    }
    let bits = bits.unwrap_or(DEFAULT_RSA_BITS);
    let exponent = exponent.unwrap_or(DEFAULT_RSA_EXPONENT);
    let failed = SoftwareKeyError::Generation { algorithm };
    let by_aws = |size| {
        let pair = RsaKeyPair::generate(size).map_err(|_| failed)?;
        let pkcs8: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| failed)?;
        der::rsa_fields(pkcs8.as_ref()).ok_or(failed)
    };
    let fields = match (bits, exponent) {
        (2048, DEFAULT_RSA_EXPONENT) => by_aws(KeySize::Rsa2048)?,
        (3072, DEFAULT_RSA_EXPONENT) => by_aws(KeySize::Rsa3072)?,
        (4096, DEFAULT_RSA_EXPONENT) => by_aws(KeySize::Rsa4096)?,
        _ => unusual_rsa(algorithm, bits, exponent)?,
    };
    let PrivateKeyFields::Rsa {
        modulus,
        public_exponent,
        ..
    } = &fields
    else {
        return Err(failed);
    };
    let dnskey = Dnskey::from_rsa(flags, algorithm, public_exponent, modulus)?;
    Ok((dnskey, fields))
}

/// An RSA key that aws-lc-rs does not make.
#[cfg(feature = "openssl")]
fn unusual_rsa(algorithm: Algorithm, bits: u16, exponent: u64) -> Result<PrivateKeyFields, SoftwareKeyError> {
    if !(1024..=4096).contains(&bits) {
        return Err(SoftwareKeyError::NewRsaSize { bits });
    }
    if exponent & 1 == 0 || !(1 << 16..1 << 35).contains(&exponent) {
        return Err(SoftwareKeyError::NewRsaExponent { exponent });
    }
    crate::libcrypto::generate_rsa(bits, exponent).ok_or(SoftwareKeyError::Generation { algorithm })
}

#[cfg(not(feature = "openssl"))]
fn unusual_rsa(_: Algorithm, bits: u16, exponent: u64) -> Result<PrivateKeyFields, SoftwareKeyError> {
    Err(if matches!(bits, 2048 | 3072 | 4096) {
        SoftwareKeyError::NewRsaExponent { exponent }
    } else {
        SoftwareKeyError::NewRsaSize { bits }
    })
}

fn ecdsa(flags: u16, algorithm: Algorithm, curve: &'static EcdsaSigningAlgorithm) -> Result<Pair, SoftwareKeyError> {
    let failed = SoftwareKeyError::Generation { algorithm };
    let pair = EcdsaKeyPair::generate(curve).map_err(|_| failed)?;
    let scalar: EcPrivateKeyBin<'static> = pair.private_key().as_be_bytes().map_err(|_| failed)?;
    // The uncompressed point of SEC 1 without its leading 4 (RFC 6605 4).
    let point = pair.public_key().as_ref().get(1..).ok_or(failed)?;
    let dnskey = Dnskey::new(flags, algorithm, point)?;
    Ok((
        dnskey,
        PrivateKeyFields::Scalar(Zeroizing::new(scalar.as_ref().to_vec())),
    ))
}

fn ed25519(flags: u16) -> Result<Pair, SoftwareKeyError> {
    let algorithm = Algorithm::ED25519;
    let failed = SoftwareKeyError::Generation { algorithm };
    let pair = Ed25519KeyPair::generate().map_err(|_| failed)?;
    let seed = pair.seed().map_err(|_| failed)?;
    let seed = seed.as_be_bytes().map_err(|_| failed)?;
    let dnskey = Dnskey::new(flags, algorithm, pair.public_key().as_ref())?;
    Ok((dnskey, PrivateKeyFields::Scalar(Zeroizing::new(seed.as_ref().to_vec()))))
}
