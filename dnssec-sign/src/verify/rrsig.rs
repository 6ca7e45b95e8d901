//! One RRSIG taken apart (RFC 4034 3.1) and the serial arithmetic of its times (RFC 4034 3.1.5, RFC 1982). The
//! signature itself is judged in `signature`.

use super::canonical::name_length;
use crate::algorithm::Algorithm;
use crate::name::NameRef;
use crate::record::{Locus, RecordRef};
use crate::rtype::RecordType;

/// The bytes before the signer's name.
const HEAD: usize = 18;

/// An RRSIG's fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rrsig<'a> {
    pub(super) covered: RecordType,
    pub(super) algorithm: Algorithm,
    pub(super) labels: u8,
    pub(super) original_ttl: u32,
    pub(super) expiration: u32,
    pub(super) inception: u32,
    pub(super) key_tag: u16,
    pub(super) signer: NameRef<'a>,
    pub(super) signature: &'a [u8],
    head: &'a [u8],
    pub(super) ttl: u32,
    pub(super) locus: Locus,
    /// Whether the set that it covers was met at the name.
    pub(super) met: bool,
}

impl<'a> Rrsig<'a> {
    /// Takes a record apart; `None` when it has not the shape of an RRSIG or an empty signature.
    pub(super) fn read(record: &RecordRef<'a>) -> Option<Self> {
        let (head, rest) = record.rdata.split_at_checked(HEAD)?;
        let (signer, signature) = rest.split_at(name_length(rest)?);
        let two = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let four = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Some(Self {
            covered: RecordType(two(0)),
            algorithm: Algorithm(head[2]),
            labels: head[3],
            original_ttl: four(4),
            expiration: four(8),
            inception: four(12),
            key_tag: two(16),
            signer: NameRef::from_wire(signer).ok()?,
            signature: (!signature.is_empty()).then_some(signature)?,
            head,
            ttl: record.ttl,
            locus: record.locus,
            met: false,
        })
    }

    /// Appends the RDATA without the signature, the signer's name in lower case: what the signed bytes begin with
    /// (RFC 4034 3.1.8.1).
    pub(super) fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head);
        let start = out.len();
        out.extend_from_slice(self.signer.wire());
        out[start..].make_ascii_lowercase();
    }
}

/// Whether moment `one` is behind `other` in the arithmetic of RFC 1982; moments 2^31 apart are behind each other.
pub(super) fn is_after(one: u32, other: u32) -> bool {
    let ahead = one.wrapping_sub(other);
    ahead != 0 && ahead <= 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_wrap() {
        assert!(is_after(1, 0));
        assert!(!is_after(0, 0));
        assert!(!is_after(0, 1));
        assert!(is_after(5, u32::MAX - 5));
        assert!(!is_after(u32::MAX - 5, 5));
    }

    #[test]
    fn fields_are_found_and_short_ones_refused() {
        let mut head = vec![0, 1, 13, 2, 0, 0, 14, 16, 0, 0, 0, 9, 0, 0, 0, 8, 0x30, 0x39];
        head.extend_from_slice(b"\x02Ex\x00");
        let rdata = [&head[..], b"sig"].concat();
        let record = |rdata| RecordRef {
            rtype: RecordType::RRSIG,
            ttl: 3600,
            rdata,
            locus: Locus::default(),
        };
        assert!(Rrsig::read(&record(&head)).is_none());
        assert!(Rrsig::read(&record(&rdata[..17])).is_none());
        let record = record(&rdata);
        let rrsig = Rrsig::read(&record);
        let rrsig = rrsig.as_ref();
        assert_eq!(rrsig.map(|rrsig| rrsig.covered), Some(RecordType::A));
        assert_eq!(rrsig.map(|rrsig| (rrsig.labels, rrsig.original_ttl)), Some((2, 3600)));
        assert_eq!(rrsig.map(|rrsig| (rrsig.expiration, rrsig.inception)), Some((9, 8)));
        assert_eq!(
            rrsig.map(|rrsig| (rrsig.key_tag, rrsig.signature)),
            Some((12345, &b"sig"[..]))
        );
        let mut head = Vec::new();
        if let Some(rrsig) = rrsig {
            rrsig.write_head(&mut head);
        }
        assert!(head.ends_with(b"\x02ex\x00"));
    }
}
