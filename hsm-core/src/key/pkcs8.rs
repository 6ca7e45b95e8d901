//! A private key as a PKCS#8 PrivateKeyInfo (RFC 5208, RFC 5958 without attributes), which is what C_UnwrapKey takes once it
//! is wrapped. Written only; every buffer is made to size, so that none is moved and left behind, and wiped.

use zeroize::Zeroizing;

use crate::key::private::{padded, significant};
use crate::key::public::curve_params;
use crate::key::{PrivatePart, PublicPart};
use crate::mechanism::KeyKind;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// ECPrivateKey's publicKey (RFC 5915 3).
const PUBLIC_KEY: u8 = 0xa1;

/// rsaEncryption (RFC 8017 C) with NULL parameters.
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// id-ecPublicKey (RFC 5480 2.1.1); the curve's OBJECT IDENTIFIER follows.
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The document; `None` where the two halves are of different kinds or a scalar is too long.
pub(super) fn private_key_info(public: &PublicPart, private: &PrivatePart) -> Option<Zeroizing<Vec<u8>>> {
    let (algorithm, key) = match (public, private) {
        (
            PublicPart::Rsa { modulus, exponent: e },
            PrivatePart::Rsa {
                exponent,
                prime1,
                prime2,
                exponent1,
                exponent2,
                coefficient,
            },
        ) => {
            let numbers = [modulus, e, exponent, prime1, prime2, exponent1, exponent2, coefficient].map(|n| integer(n));
            let mut parts: Vec<&[u8]> = vec![&[INTEGER, 1, 0]];
            parts.extend(numbers.iter().map(|number| number.as_slice()));
            (element(SEQUENCE, &[RSA]), element(SEQUENCE, &parts))
        }
        (PublicPart::Rsa { .. }, _) | (_, PrivatePart::Rsa { .. }) => return None,
        (PublicPart::P256(_) | PublicPart::P384(_), PrivatePart::Scalar(scalar)) => {
            let kind = public.kind();
            let scalar = padded(scalar, kind.digest_len()?)?;
            let point = public.point_attribute();
            let point = element(BIT_STRING, &[&[0], point.get(2..)?]);
            let parts: [&[u8]; 3] = [
                &[INTEGER, 1, 1],
                &element(OCTET_STRING, &[&scalar]),
                &element(PUBLIC_KEY, &[&point]),
            ];
            (element(SEQUENCE, &[EC, oid(kind)?]), element(SEQUENCE, &parts))
        }
        (_, PrivatePart::Scalar(seed)) => (
            element(SEQUENCE, &[oid(public.kind())?]),
            element(OCTET_STRING, &[seed]),
        ),
    };
    let key = element(OCTET_STRING, &[&key]);
    Some(element(SEQUENCE, &[&[INTEGER, 1, 0], &algorithm, &key]))
}

/// A curve's OBJECT IDENTIFIER.
fn oid(kind: KeyKind) -> Option<&'static [u8]> {
    curve_params(kind)
        .into_iter()
        .find(|params| params.first() == Some(&0x06))
}

/// A positive INTEGER.
fn integer(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = significant(number);
    match digits.first() {
        Some(first) if *first < 0x80 => element(INTEGER, &[digits]),
        _ => element(INTEGER, &[&[0], digits]),
    }
}

/// Tag, length in its shortest form, and the parts one behind the other.
fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let digits = significant(&bytes);
    let mut out = Zeroizing::new(Vec::with_capacity(2 + digits.len() + length));
    out.push(tag);
    match (u8::try_from(length), u8::try_from(digits.len())) {
        (Ok(short), _) if short < 0x80 => out.push(short),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
        // A length has eight bytes at most.
        _ => {}
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    use super::*;

    #[test]
    fn what_is_written_is_read_by_the_crypto_library() {
        let seed = [7; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = PublicPart::Ed25519(pair.public_key().as_ref().try_into().unwrap());
        let text = private_key_info(&public, &PrivatePart::Scalar(seed.to_vec().into())).unwrap();
        let read = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&text).unwrap();
        assert_eq!(read.public_key().as_ref(), pair.public_key().as_ref());

        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = PublicPart::P256(pair.public_key().as_ref()[1..].try_into().unwrap());
        let scalar = {
            use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
            let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
            scalar.as_ref().to_vec()
        };
        let text = private_key_info(&public, &PrivatePart::Scalar(scalar.into())).unwrap();
        let read = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &text).unwrap();
        assert_eq!(read.public_key().as_ref(), pair.public_key().as_ref());
        assert!(
            private_key_info(
                &PublicPart::Rsa {
                    modulus: vec![1; 256],
                    exponent: vec![3]
                },
                &PrivatePart::Scalar(seed.to_vec().into())
            )
            .is_none()
        );
    }

    #[test]
    fn lengths_and_signs() {
        assert_eq!(
            *element(OCTET_STRING, &[&[1; 127]]),
            [&[4, 127][..], &[1; 127]].concat()
        );
        assert_eq!(element(OCTET_STRING, &[&[1; 200]])[..3], [4, 0x81, 200]);
        assert_eq!(element(OCTET_STRING, &[&[1; 300]])[..4], [4, 0x82, 1, 44]);
        assert_eq!(*integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(*integer(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(*integer(&[0]), [2, 1, 0]);
    }
}
