//! DNSKEY RDATA (RFC 4034 2), its key tag (appendix B), and the DS made from it (RFC 4034 5, RFC 4509).
//! Public halves only.

use crate::algorithm::{Algorithm, DigestType};
use crate::name::NameRef;
use sha2::Digest as _;

/// Flag bit 7: a zone key (RFC 4034 2.1.1).
pub const ZONE: u16 = 0x0100;
/// Flag bit 8: revoked (RFC 5011 7).
pub const REVOKE: u16 = 0x0080;
/// Flag bit 15: secure entry point, a key-signing key by convention (RFC 3757).
pub const SEP: u16 = 0x0001;

/// A public key that could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DnskeyError {
    /// Fewer than four bytes and a key.
    #[error("DNSKEY RDATA is too short")]
    Short,
    /// The protocol field is not 3 (RFC 4034 2.1.2).
    #[error("the protocol field must be 3 (RFC 4034 2.1.2)")]
    Protocol,
    /// The key has not the length or form that its algorithm asks for.
    #[error("the public key does not have the form of its algorithm")]
    Key,
}

/// One DNSKEY: its RDATA. Equality is of the whole RDATA, since key tags can be equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dnskey {
    rdata: Box<[u8]>,
}

impl Dnskey {
    /// From flags, algorithm and the public key in DNSKEY form.
    ///
    /// # Errors
    /// [`DnskeyError::Key`] when the key is not of the algorithm's form.
    pub fn new(flags: u16, algorithm: Algorithm, public_key: &[u8]) -> Result<Self, DnskeyError> {
        let mut rdata = Vec::with_capacity(4 + public_key.len());
        rdata.extend_from_slice(&flags.to_be_bytes());
        rdata.extend_from_slice(&[3, algorithm.0]);
        rdata.extend_from_slice(public_key);
        Self::from_rdata(&rdata)
    }

    /// From RDATA in wire form.
    ///
    /// # Errors
    /// [`DnskeyError`] when it is no DNSKEY; keys of algorithms unknown here are taken as they are.
    pub fn from_rdata(rdata: &[u8]) -> Result<Self, DnskeyError> {
        if rdata.len() < 5 {
            return Err(DnskeyError::Short);
        }
        if rdata[2] != 3 {
            return Err(DnskeyError::Protocol);
        }
        let key = Self { rdata: rdata.into() };
        let algorithm = key.algorithm();
        if algorithm
            .public_key_length()
            .is_some_and(|length| length != key.public_key().len())
            || algorithm.is_rsa() && algorithm.0 != 1 && key.rsa_parts().is_none()
        {
            return Err(DnskeyError::Key);
        }
        Ok(key)
    }

    /// An RSA key in DNSKEY form (RFC 3110 2) from big-endian exponent and modulus, leading zeros taken off.
    ///
    /// # Errors
    /// [`DnskeyError::Key`] for an empty part, an exponent of more than 65535 bytes, or another algorithm.
    pub fn from_rsa(flags: u16, algorithm: Algorithm, exponent: &[u8], modulus: &[u8]) -> Result<Self, DnskeyError> {
        let exponent = strip_zeros(exponent);
        let modulus = strip_zeros(modulus);
        let mut key = Vec::with_capacity(3 + exponent.len() + modulus.len());
        match u8::try_from(exponent.len()) {
            Ok(length) if length > 0 => key.push(length),
            _ => {
                let length = u16::try_from(exponent.len()).map_err(|_| DnskeyError::Key)?;
                key.push(0);
                key.extend_from_slice(&length.to_be_bytes());
            }
        }
        key.extend_from_slice(exponent);
        key.extend_from_slice(modulus);
        if !algorithm.is_rsa() {
            return Err(DnskeyError::Key);
        }
        Self::new(flags, algorithm, &key)
    }

    /// The RDATA in wire form.
    #[must_use]
    pub fn rdata(&self) -> &[u8] {
        &self.rdata
    }

    /// The flags field.
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16::from_be_bytes([self.rdata[0], self.rdata[1]])
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        Algorithm(self.rdata[3])
    }

    /// The public key field.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.rdata[4..]
    }

    /// Whether the SEP bit is set.
    #[must_use]
    pub fn is_sep(&self) -> bool {
        self.flags() & SEP != 0
    }

    /// Whether the ZONE bit is set: without it the key signs nothing in a zone.
    #[must_use]
    pub fn is_zone_key(&self) -> bool {
        self.flags() & ZONE != 0
    }

    /// Whether the REVOKE bit is set.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.flags() & REVOKE != 0
    }

    /// The same key with the REVOKE bit set: another tag.
    #[must_use]
    pub fn revoked(&self) -> Self {
        let mut rdata = self.rdata.clone();
        rdata[1] |= 0x80;
        Self { rdata }
    }

    /// The same key with the REVOKE bit taken off.
    #[must_use]
    pub fn unrevoked(&self) -> Self {
        let mut rdata = self.rdata.clone();
        rdata[1] &= 0x7f;
        Self { rdata }
    }

    /// The key tag (RFC 4034 appendix B; B.1 for algorithm 1).
    #[must_use]
    pub fn key_tag(&self) -> u16 {
        key_tag(&self.rdata)
    }

    /// RSA exponent and modulus (RFC 3110 2), `None` when the key is not of that form.
    #[must_use]
    pub fn rsa_parts(&self) -> Option<(&[u8], &[u8])> {
        if !self.algorithm().is_rsa() {
            return None;
        }
        let (length, rest) = match self.public_key() {
            [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [length, rest @ ..] => (usize::from(*length), rest),
            [] => return None,
        };
        let (exponent, modulus) = rest.split_at_checked(length)?;
        (!exponent.is_empty() && !modulus.is_empty()).then_some((exponent, modulus))
    }

    /// The length of an RSA modulus in bits; `None` for keys that are not RSA.
    #[must_use]
    pub fn rsa_bits(&self) -> Option<usize> {
        let (_, modulus) = self.rsa_parts()?;
        Some(bit_length(strip_zeros(modulus)))
    }

    /// The length in bytes of this key's signatures, if the algorithm is known.
    #[must_use]
    pub fn signature_length(&self) -> Option<usize> {
        self.algorithm()
            .signature_length()
            .or_else(|| self.rsa_parts().map(|(_, modulus)| strip_zeros(modulus).len()))
    }

    /// Appends the DS RDATA for this key at `owner` (RFC 4034 5.1.4: digest over the owner's canonical form and the RDATA).
    pub fn write_ds(&self, owner: NameRef<'_>, digest_type: DigestType, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key_tag().to_be_bytes());
        out.extend_from_slice(&[self.algorithm().0, digest_type.number()]);
        let mut data = Vec::with_capacity(owner.wire().len() + self.rdata.len());
        owner.write_folded(&mut data);
        data.extend_from_slice(&self.rdata);
        match digest_type {
            DigestType::Sha256 => out.extend_from_slice(&sha2::Sha256::digest(&data)),
            DigestType::Sha384 => out.extend_from_slice(&sha2::Sha384::digest(&data)),
        }
    }
}

/// The key tag of DNSKEY RDATA: a ones'-complement-like sum of 16-bit words (RFC 4034 appendix B); for algorithm 1
/// the lower 16 of the modulus's last 24 bits (B.1).
#[must_use]
pub fn key_tag(rdata: &[u8]) -> u16 {
    if let [_, _, _, 1, .., high, low, _] = rdata {
        return u16::from_be_bytes([*high, *low]);
    }
    let mut sum = 0u32;
    for (at, &byte) in rdata.iter().enumerate() {
        sum += if at % 2 == 0 {
            u32::from(byte) << 8
        } else {
            u32::from(byte)
        };
    }
    sum += sum >> 16;
    let [_, _, high, low] = sum.to_be_bytes();
    u16::from_be_bytes([high, low])
}

pub(crate) fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// The length in bits of a big-endian number without leading zero bytes.
pub(crate) fn bit_length(stripped: &[u8]) -> usize {
    stripped
        .first()
        .map_or(0, |&first| stripped.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::name::Name;

    /// RFC 4034 5.4: the DNSKEY of dskey.example.com, algorithm 5, tag 60485; RFC 4509 2.3: its SHA-256 DS.
    #[test]
    fn tag_and_ds_of_rfc_4509() {
        let key = data_encoding::BASE64
            .decode(
                concat!(
                    "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx",
                    "egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
                )
                .as_bytes(),
            )
            .unwrap();
        let dnskey = Dnskey::new(256, Algorithm::RSASHA1, &key).unwrap();
        assert_eq!(dnskey.key_tag(), 60485);
        let owner: Name = "dskey.example.com.".parse().unwrap();
        let mut ds = Vec::new();
        dnskey.write_ds(owner.borrow(), DigestType::Sha256, &mut ds);
        assert_eq!(
            data_encoding::HEXUPPER.encode(&ds),
            "EC450502D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"
        );
    }

    #[test]
    fn forms_are_checked() {
        assert_eq!(
            Dnskey::new(257, Algorithm::ECDSAP256SHA256, &[1; 63]),
            Err(DnskeyError::Key)
        );
        assert_eq!(Dnskey::from_rdata(&[1, 1, 2, 13, 0]), Err(DnskeyError::Protocol));
        let rsa = Dnskey::from_rsa(257, Algorithm::RSASHA256, &[0, 1, 0, 1], &[0, 0xff, 1]).unwrap();
        assert_eq!(rsa.public_key(), [3, 1, 0, 1, 0xff, 1]);
        assert_eq!(rsa.signature_length(), Some(2));
        assert_eq!(Dnskey::new(257, Algorithm::RSASHA256, &[9, 1]), Err(DnskeyError::Key));
    }
}
