//! One existing RRSIG taken apart (RFC 4034 3.1), borrowed from its RDATA. Whether it may stay is decided in `retain`;
//! new ones are made in `tbs`.

use crate::name::NameRef;
use crate::rtype::RecordType;

/// The bytes before the signer's name.
const HEAD: usize = 18;

/// The fields of an RRSIG.
#[derive(Debug, Clone, Copy)]
pub struct Rrsig<'a> {
    /// The type of the set that it is over.
    pub covered: RecordType,
    /// The algorithm's number.
    pub algorithm: u8,
    /// How many labels the owner has, the root's and a leading asterisk not counted.
    pub labels: u8,
    /// The TTL that the set was signed with.
    pub original_ttl: u32,
    /// The end of its validity, in seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// Its start.
    pub inception: u32,
    /// The tag of the key.
    pub key_tag: u16,
    /// The zone's name, letter case as it is.
    pub signer: NameRef<'a>,
    /// The signature.
    pub signature: &'a [u8],
    rdata: &'a [u8],
}

impl<'a> Rrsig<'a> {
    /// Takes RDATA apart; `None` when it is not an RRSIG's.
    #[must_use]
    pub fn read(rdata: &'a [u8]) -> Option<Self> {
        let (head, rest) = rdata.split_first_chunk::<HEAD>()?;
        let [
            c0,
            c1,
            algorithm,
            labels,
            t0,
            t1,
            t2,
            t3,
            e0,
            e1,
            e2,
            e3,
            i0,
            i1,
            i2,
            i3,
            k0,
            k1,
        ] = *head;
        let (signer, signature) = NameRef::split_from(rest).ok()?;
        Some(Self {
            covered: RecordType(u16::from_be_bytes([c0, c1])),
            algorithm,
            labels,
            original_ttl: u32::from_be_bytes([t0, t1, t2, t3]),
            expiration: u32::from_be_bytes([e0, e1, e2, e3]),
            inception: u32::from_be_bytes([i0, i1, i2, i3]),
            key_tag: u16::from_be_bytes([k0, k1]),
            signer,
            signature,
            rdata,
        })
    }

    /// The RDATA as a whole.
    #[must_use]
    pub fn rdata(&self) -> &'a [u8] {
        self.rdata
    }

    /// Appends what the signed bytes begin with: the RDATA without the signature, the signer in lower case.
    pub fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.rdata[..HEAD]);
        self.signer.write_folded(out);
    }
}

/// The type that RRSIG RDATA covers, without a look at the rest.
pub(crate) fn covered(rdata: &[u8]) -> Option<RecordType> {
    let (bytes, _) = rdata.split_first_chunk::<2>()?;
    Some(RecordType(u16::from_be_bytes(*bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_where_the_rfc_has_them() {
        let rdata = b"\x00\x0f\x0d\x01\x00\x00\x00\x32\x00\x00\x00\x02\x00\x00\x00\x01\x01\x02\x01A\x00sig";
        let rrsig = Rrsig::read(rdata).unwrap();
        assert_eq!((rrsig.covered, rrsig.algorithm, rrsig.labels), (RecordType::MX, 13, 1));
        assert_eq!((rrsig.original_ttl, rrsig.expiration, rrsig.inception), (50, 2, 1));
        assert_eq!((rrsig.key_tag, rrsig.signature), (0x0102, &b"sig"[..]));
        let mut head = Vec::new();
        rrsig.write_head(&mut head);
        assert!(head.ends_with(b"\x01\x02\x01a\x00"));
        assert!(Rrsig::read(&rdata[..18]).is_none());
    }
}
