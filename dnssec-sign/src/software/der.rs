//! What the crypto library writes in DER taken apart: the RSA private key inside PKCS#8 (RFC 5958 2, RFC 8017 A.1.2)
//! and ECDSA signatures (RFC 3279 2.2.3). No general DER reader.

use crate::private_key::PrivateKeyFields;
use zeroize::Zeroizing;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The fields of an RSA key; `None` when the document is of another form.
pub(super) fn rsa_fields(pkcs8: &[u8]) -> Option<PrivateKeyFields> {
    let mut info = Reader(Reader(pkcs8).element(SEQUENCE)?);
    info.element(INTEGER)?;
    info.element(SEQUENCE)?;
    let mut key = Reader(Reader(info.element(OCTET_STRING)?).element(SEQUENCE)?);
    key.element(INTEGER)?;
    let modulus = key.number()?.to_vec();
    let public_exponent = key.number()?.to_vec();
    let mut secret = || key.number().map(|number| Zeroizing::new(number.to_vec()));
    Some(PrivateKeyFields::Rsa {
        modulus,
        public_exponent,
        private_exponent: secret()?,
        prime1: secret()?,
        prime2: secret()?,
        exponent1: secret()?,
        exponent2: secret()?,
        coefficient: secret()?,
    })
}

/// Writes an ECDSA signature as r and s side by side (RFC 6605 4), each left-padded to half of `out`; `None` when
/// the signature is of another form or too long. The library's own conversion allocates twice a signature.
pub(super) fn write_fixed_signature(signature: &[u8], out: &mut [u8]) -> Option<()> {
    let mut pair = Reader(Reader(signature).element(SEQUENCE)?);
    let half = out.len() / 2;
    let (r, s) = out.split_at_mut(half);
    for room in [r, s] {
        let number = pair.number()?;
        let (zeros, digits) = room.split_at_mut(room.len().checked_sub(number.len())?);
        zeros.fill(0);
        digits.copy_from_slice(number);
    }
    Some(())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next element, which has this tag.
    fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            if bytes.is_empty() || bytes.len() > 4 {
                return None;
            }
            bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte))
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    /// A positive INTEGER without the zero byte that keeps it positive.
    fn number(&mut self) -> Option<&'a [u8]> {
        let content = self.element(INTEGER)?;
        Some(content.strip_prefix(&[0]).unwrap_or(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let mut reader = Reader(&[0x02, 2, 0, 0x80, 0x04, 0x81, 1, 7, 0x30, 0x82, 0, 0, 9]);
        assert_eq!(reader.number(), Some(&[0x80][..]));
        assert_eq!(reader.element(OCTET_STRING), Some(&[7][..]));
        assert_eq!(reader.element(SEQUENCE), Some(&[][..]));
        assert_eq!(reader.element(SEQUENCE), None);
        assert_eq!(Reader(&[0x30, 0x80, 0, 0]).element(SEQUENCE), None);
        assert_eq!(Reader(&[0x30, 5, 0]).element(SEQUENCE), None);
        assert!(rsa_fields(&[0x30, 0]).is_none());
    }

    #[test]
    fn signatures_become_fixed() {
        let mut out = [9; 6];
        let short = [0x30, 8, 2, 1, 5, 2, 3, 0, 0x80, 1];
        assert_eq!(write_fixed_signature(&short, &mut out), Some(()));
        assert_eq!(out, [0, 0, 5, 0, 0x80, 1]);
        let long = [0x30, 9, 2, 4, 1, 2, 3, 4, 2, 1, 1];
        assert_eq!(write_fixed_signature(&long, &mut out), None);
        assert_eq!(write_fixed_signature(&[0x30, 3, 2, 1, 5], &mut out), None);
    }
}
