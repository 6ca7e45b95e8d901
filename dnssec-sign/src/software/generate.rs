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

/// Makes a key pair of algorithm 8, 10, 13, 14 or 15: the public half with these flags, and the private fields.
/// `bits` is for RSA: 2048 (the default), 3072 or 4096; for other algorithms it is not looked at. With the feature `openssl`
/// algorithm 16 is made too, and RSA keys of 1024 to 4096 bits.
///
/// # Errors
/// [`SoftwareKeyError`] for other algorithms and sizes, or when the crypto library fails.
pub fn generate_key(
    flags: u16,
    algorithm: Algorithm,
    bits: Option<u16>,
) -> Result<(Dnskey, PrivateKeyFields), SoftwareKeyError> {
    match algorithm {
        Algorithm::RSASHA256 | Algorithm::RSASHA512 => rsa(flags, algorithm, bits.unwrap_or(DEFAULT_RSA_BITS)),
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

fn rsa(flags: u16, algorithm: Algorithm, bits: u16) -> Result<Pair, SoftwareKeyError> {
    let failed = SoftwareKeyError::Generation { algorithm };
    let by_aws = |size| {
        let pair = RsaKeyPair::generate(size).map_err(|_| failed)?;
        let pkcs8: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| failed)?;
        der::rsa_fields(pkcs8.as_ref()).ok_or(failed)
    };
    let fields = match bits {
        2048 => by_aws(KeySize::Rsa2048)?,
        3072 => by_aws(KeySize::Rsa3072)?,
        4096 => by_aws(KeySize::Rsa4096)?,
        #[cfg(feature = "openssl")]
        1024..4096 => crate::libcrypto::generate_rsa(bits).ok_or(failed)?,
        _ => return Err(SoftwareKeyError::NewRsaSize { bits }),
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
