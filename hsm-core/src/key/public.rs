//! Turns the public attributes of a key object into a [`PublicPart`].
//!
//! Tokens disagree about the encoding: CKA_EC_POINT comes raw, as a DER OCTET STRING or as a BIT
//! STRING, CKA_EC_PARAMS as an OID or as a PrintableString, a modulus with leading zeros. All are
//! taken; what the bytes mean is decided by their length and the curve. Whether the public part
//! belongs to the private half is not decided here, but by the proof.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::error::KeyFault;
use crate::mechanism::KeyKind;

/// A public key in the form that DNSKEY records and verifiers build on.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicPart {
    /// Modulus and public exponent, big-endian, without leading zeros.
    Rsa {
        /// n.
        modulus: Vec<u8>,
        /// e.
        exponent: Vec<u8>,
    },
    /// x‖y of a P-256 point (RFC 6605 section 4).
    P256([u8; 64]),
    /// x‖y of a P-384 point (RFC 6605 section 4).
    P384([u8; 96]),
    /// RFC 8032 encoding.
    Ed25519([u8; 32]),
    /// RFC 8032 encoding.
    Ed448([u8; 57]),
}

impl PublicPart {
    /// Type and size.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { modulus, .. } => KeyKind::Rsa(bits(modulus)),
            Self::P256(_) => KeyKind::P256,
            Self::P384(_) => KeyKind::P384,
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Ed448(_) => KeyKind::Ed448,
        }
    }

    /// Sixteen hexadecimal digits by which people tell keys apart: the first eight bytes of SHA-256 over
    /// modulus and exponent, or over the point.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        match self {
            Self::Rsa { modulus, exponent } => {
                hash.update(modulus);
                hash.update(exponent);
            }
            Self::P256(point) => hash.update(point),
            Self::P384(point) => hash.update(point),
            Self::Ed25519(point) => hash.update(point),
            Self::Ed448(point) => hash.update(point),
        }
        super::hex(hash.finalize().get(..8).unwrap_or_default())
    }

    /// CKA_EC_POINT as PKCS#11 2.3.3 has it, a DER OCTET STRING; empty for RSA.
    pub(crate) fn point_attribute(&self) -> Vec<u8> {
        let (first, point): (&[u8], &[u8]) = match self {
            Self::Rsa { .. } => return Vec::new(),
            Self::P256(point) => (&[0x04], point),
            Self::P384(point) => (&[0x04], point),
            Self::Ed25519(point) => (&[], point),
            Self::Ed448(point) => (&[], point),
        };
        // Every length in question is below 128: the short form of DER.
        let length = u8::try_from(first.len() + point.len()).unwrap_or_default();
        [&[0x04, length], first, point].concat()
    }

    /// From CKA_MODULUS and CKA_PUBLIC_EXPONENT.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        let modulus = significant(modulus);
        let exponent = significant(exponent);
        if bits(modulus) < 512 {
            let text = format!("its modulus has {} bits: no RSA key for signing", bits(modulus));
            return Err(KeyFault::Encoding(text));
        }
        if exponent.is_empty() {
            return Err(KeyFault::Encoding("its public exponent is empty".to_owned()));
        }
        Ok(Self::Rsa {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
        })
    }

    /// From CKA_EC_PARAMS and CKA_EC_POINT, for CKK_EC and CKK_EC_EDWARDS alike.
    pub(crate) fn curve(params: &[u8], point: &[u8]) -> Result<Self, KeyFault> {
        let kind = curve_of(params)?;
        let bare = |size: usize| {
            unwrapped(point, size).ok_or_else(|| {
                KeyFault::Encoding(format!(
                    "its CKA_EC_POINT has {} bytes and is no {kind} point, raw, as OCTET STRING or as BIT STRING",
                    point.len()
                ))
            })
        };
        Ok(match kind {
            KeyKind::P256 => Self::P256(uncompressed(bare(65)?)?),
            KeyKind::P384 => Self::P384(uncompressed(bare(97)?)?),
            KeyKind::Ed25519 => Self::Ed25519(exactly(bare(32)?)?),
            _ => Self::Ed448(exactly(bare(57)?)?),
        })
    }
}

impl fmt::Debug for PublicPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: &[u8] = match self {
            Self::Rsa { modulus, .. } => modulus,
            Self::P256(point) => point,
            Self::P384(point) => point,
            Self::Ed25519(point) => point,
            Self::Ed448(point) => point,
        };
        write!(f, "{} {}", self.kind(), super::hex(bytes))
    }
}

/// CKA_EC_PARAMS as curveName OBJECT IDENTIFIER or as PrintableString (PKCS#11 2.3.3, 2.3.5).
const CURVES: &[(&[u8], KeyKind)] = &[
    (
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        KeyKind::P256,
    ),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], KeyKind::P384),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], KeyKind::Ed25519),
    (&[0x06, 0x03, 0x2b, 0x65, 0x71], KeyKind::Ed448),
    (b"\x13\x0cedwards25519", KeyKind::Ed25519),
    (b"\x13\x0aedwards448", KeyKind::Ed448),
    (b"\x13\x09secp256r1", KeyKind::P256),
    (b"\x13\x0aprime256v1", KeyKind::P256),
    (b"\x13\x09secp384r1", KeyKind::P384),
    (EARLY_ED25519, KeyKind::Ed25519),
];

/// 1.3.6.1.4.1.11591.15.1, GNU's number for Ed25519 before RFC 8410 gave one.
pub(crate) const EARLY_ED25519: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// CKA_EC_PARAMS to ask a token for a curve by, in the order to try them in.
pub(crate) fn curve_params(kind: KeyKind) -> Vec<&'static [u8]> {
    let mut forms: Vec<_> = CURVES
        .iter()
        .filter(|(_, curve)| *curve == kind)
        .map(|(params, _)| *params)
        .collect();
    if matches!(kind, KeyKind::Ed25519 | KeyKind::Ed448) {
        // SoftHSM and BIND's own tool use the PrintableString; newer providers take both.
        forms.sort_by_key(|params| params.first() != Some(&0x13));
    }
    forms.truncate(2);
    forms
}

fn curve_of(params: &[u8]) -> Result<KeyKind, KeyFault> {
    CURVES
        .iter()
        .find(|(known, _)| *known == params)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| {
            KeyFault::Type(match params.first() {
                Some(0x30) => "EC on a curve given by explicit parameters".to_owned(),
                _ => format!("EC on curve {}", super::hex(params)),
            })
        })
}

/// Strips OCTET STRING and BIT STRING headers until `size` bytes are left.
fn unwrapped(point: &[u8], size: usize) -> Option<&[u8]> {
    let mut inner = point;
    for _ in 0..3 {
        if inner.len() == size {
            return Some(inner);
        }
        inner = match inner {
            // Every length in question is below 128: the short form of DER.
            [0x04, length, rest @ ..] if usize::from(*length) == rest.len() => rest,
            [0x03, length, 0, rest @ ..] if usize::from(*length) == rest.len() + 1 => rest,
            _ => return None,
        };
    }
    None
}

fn uncompressed<const N: usize>(point: &[u8]) -> Result<[u8; N], KeyFault> {
    match point.split_first() {
        Some((0x04, coordinates)) => exactly(coordinates),
        _ => Err(KeyFault::Encoding(
            "its CKA_EC_POINT is not an uncompressed point".to_owned(),
        )),
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], KeyFault> {
    bytes
        .try_into()
        .map_err(|_| KeyFault::Encoding(format!("its CKA_EC_POINT has {} bytes where {N} are due", bytes.len())))
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bits(modulus: &[u8]) -> u32 {
    let Some(first) = modulus.first() else { return 0 };
    let whole = u32::try_from(modulus.len()).unwrap_or(u32::MAX / 8).saturating_mul(8);
    whole.saturating_sub(first.leading_zeros())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
    const ED25519: &[u8] = b"\x13\x0cedwards25519";

    fn wrapped(header: &[u8], inner: &[u8]) -> Vec<u8> {
        [header, inner].concat()
    }

    #[test]
    fn ec_points_in_all_encodings() {
        // x begins so that the raw point resembles a DER header.
        let mut raw = vec![0x04, 0x3f];
        raw.extend((0..63).map(|byte| byte + 1));
        let expected: [u8; 64] = raw[1..].try_into().unwrap();
        let octets = wrapped(&[0x04, 65], &raw);
        let twice = wrapped(&[0x04, 67], &octets);
        let string = wrapped(&[0x03, 66, 0], &raw);
        for point in [&raw, &octets, &twice, &string] {
            assert_eq!(PublicPart::curve(P256, point).unwrap(), PublicPart::P256(expected));
        }
        let big = [&[0x04][..], &[7; 96]].concat();
        let string = wrapped(&[0x03, 98, 0], &big);
        assert_eq!(PublicPart::curve(P384, &string).unwrap(), PublicPart::P384([7; 96]));
        assert_eq!(PublicPart::curve(P384, &big).unwrap().kind(), KeyKind::P384);
    }

    #[test]
    fn edwards_points_in_all_encodings() {
        let raw = vec![0x04; 32];
        for point in [raw.clone(), wrapped(&[0x04, 32], &raw), wrapped(&[0x03, 33, 0], &raw)] {
            for params in [ED25519, &[0x06, 0x03, 0x2b, 0x65, 0x70]] {
                assert_eq!(PublicPart::curve(params, &point).unwrap(), PublicPart::Ed25519([4; 32]));
            }
        }
        let point = wrapped(&[0x04, 57], &[9; 57]);
        let params = b"\x13\x0aedwards448";
        assert_eq!(PublicPart::curve(params, &point).unwrap(), PublicPart::Ed448([9; 57]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let short = wrapped(&[0x04, 64], &[4; 64]);
        assert!(matches!(PublicPart::curve(P256, &short), Err(KeyFault::Encoding(_))));
        let compressed = [&[0x02][..], &[7; 64]].concat();
        assert!(matches!(
            PublicPart::curve(P256, &compressed),
            Err(KeyFault::Encoding(_))
        ));
        assert!(matches!(
            PublicPart::curve(P384, &[0x04; 65]),
            Err(KeyFault::Encoding(_))
        ));
        assert!(matches!(PublicPart::curve(P256, &[]), Err(KeyFault::Encoding(_))));
        let k256 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
        let fault = PublicPart::curve(&k256, &[4; 65]).unwrap_err();
        assert!(fault.to_string().contains("06052b8104000a"), "{fault}");
    }

    #[test]
    fn rsa_loses_leading_zeros_and_counts_bits() {
        let modulus = [&[0, 0, 0x7f][..], &[1; 255]].concat();
        let part = PublicPart::rsa(&modulus, &[0, 1, 0, 1]).unwrap();
        assert_eq!(part.kind(), KeyKind::Rsa(2047));
        let PublicPart::Rsa { modulus, exponent } = part else {
            unreachable!()
        };
        assert_eq!((modulus.len(), exponent), (256, vec![1, 0, 1]));
        assert!(PublicPart::rsa(&[0; 256], &[1, 0, 1]).is_err());
        assert!(PublicPart::rsa(&[0xff; 256], &[0]).is_err());
    }

    #[test]
    fn the_curve_names_to_ask_by() {
        assert_eq!(curve_params(KeyKind::P256)[0], P256);
        assert_eq!(curve_params(KeyKind::Ed25519)[0], ED25519);
        assert_eq!(curve_params(KeyKind::Ed25519)[1], [0x06, 0x03, 0x2b, 0x65, 0x70]);
        assert_eq!(curve_params(KeyKind::Ed448)[0], b"\x13\x0aedwards448");
    }
}
