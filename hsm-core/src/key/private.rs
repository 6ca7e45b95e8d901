//! The private half of a key that is at hand, in the form that tokens and PKCS#8 build on: big-endian numbers and seeds,
//! wiped when dropped and never printed. Whether it belongs to a public half is found out by the proof.

use std::fmt;

use cryptoki::object::Attribute;
use zeroize::{Zeroize, Zeroizing};

/// A private key in this process's memory.
#[derive(Clone)]
#[non_exhaustive]
pub enum PrivatePart {
    /// RSA (RFC 8017 A.1.2); leading zeros are of no account.
    Rsa {
        /// d.
        exponent: Zeroizing<Vec<u8>>,
        /// p.
        prime1: Zeroizing<Vec<u8>>,
        /// q.
        prime2: Zeroizing<Vec<u8>>,
        /// d modulo p − 1.
        exponent1: Zeroizing<Vec<u8>>,
        /// d modulo q − 1.
        exponent2: Zeroizing<Vec<u8>>,
        /// The inverse of q modulo p.
        coefficient: Zeroizing<Vec<u8>>,
    },
    /// An ECDSA scalar as a number, or an EdDSA seed (RFC 8032) of 32 or 57 bytes.
    Scalar(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for PrivatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "Rsa(private)",
            Self::Scalar(_) => "Scalar(private)",
        })
    }
}

/// A template for C_CreateObject with secrets in it, which cryptoki holds in plain vectors: wiped when dropped.
pub(super) struct SecretTemplate(pub(super) Vec<Attribute>);

impl Drop for SecretTemplate {
    fn drop(&mut self) {
        for attribute in &mut self.0 {
            match attribute {
                Attribute::Value(bytes)
                | Attribute::PrivateExponent(bytes)
                | Attribute::Prime1(bytes)
                | Attribute::Prime2(bytes)
                | Attribute::Exponent1(bytes)
                | Attribute::Exponent2(bytes)
                | Attribute::Coefficient(bytes) => bytes.zeroize(),
                _ => {}
            }
        }
    }
}

/// A number on as many bytes as a curve's scalars have; `None` where it has more.
pub(super) fn padded(number: &[u8], size: usize) -> Option<Zeroizing<Vec<u8>>> {
    let digits = significant(number);
    let zeros = size.checked_sub(digits.len())?;
    let mut out = Zeroizing::new(vec![0; size]);
    out.get_mut(zeros..)?.copy_from_slice(digits);
    Some(out)
}

/// Without leading zeros.
pub(super) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_padded_and_nothing_is_shown() {
        assert_eq!(*padded(&[0, 0, 7], 2).unwrap(), [0, 7]);
        assert!(padded(&[1, 0, 7], 2).is_none());
        assert_eq!(format!("{:?}", PrivatePart::Scalar(vec![9].into())), "Scalar(private)");
    }
}
