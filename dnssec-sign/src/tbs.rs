//! The bytes that an RRSIG signs (RFC 4034 3.1.8.1): RRSIG RDATA without the signature, then the set in canonical
//! form and order. Scratch is kept between sets; nothing is allocated per record once it has grown.

use crate::name::NameRef;
use crate::rdata::{folds, write_canonical};
use crate::record::RecordRef;
use crate::rtype::{Class, RecordType};

#[derive(Debug, Clone, Copy)]
struct Member {
    start: u32,
    end: u32,
    record: u32,
}

/// One RRset in canonical order (RFC 4034 6.3), equal records once, with the smallest of its TTLs (RFC 2181 5.2).
#[derive(Debug, Default)]
pub struct CanonicalSet {
    rdata: Vec<u8>,
    members: Vec<Member>,
    ttl: u32,
    mixed_ttl: bool,
}

impl CanonicalSet {
    /// Takes a set in: records of one owner and one type.
    pub fn load(&mut self, records: &[RecordRef<'_>]) {
        self.rdata.clear();
        self.members.clear();
        self.ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
        self.mixed_ttl = records.iter().any(|record| record.ttl != self.ttl);
        let folded = records.first().is_some_and(|record| folds(record.rtype));
        for (at, record) in records.iter().enumerate() {
            let start = self.rdata.len();
            if folded {
                write_canonical(record.rtype, record.rdata, &mut self.rdata);
            } else {
                self.rdata.extend_from_slice(record.rdata);
            }
            self.members.push(Member {
                start: narrow(start),
                end: narrow(self.rdata.len()),
                record: narrow(at),
            });
        }
        if records.len() > 1 {
            let bytes = &self.rdata;
            let of = |member: &Member| &bytes[member.start as usize..member.end as usize];
            // Of equal records the first of the input stays.
            self.members
                .sort_unstable_by(|one, other| of(one).cmp(of(other)).then(one.record.cmp(&other.record)));
            self.members.dedup_by(|later, kept| of(later) == of(kept));
        }
    }

    /// The set's TTL: the smallest of its records'.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// Lowers the TTL to `most`, where it is above.
    pub fn limit_ttl(&mut self, most: u32) {
        self.ttl = self.ttl.min(most);
    }

    /// Whether the records came with different TTLs.
    #[must_use]
    pub fn has_mixed_ttl(&self) -> bool {
        self.mixed_ttl
    }

    /// The places, in the records loaded, of the set's members in canonical order.
    pub fn order(&self) -> impl Iterator<Item = usize> {
        self.members.iter().map(|member| member.record as usize)
    }

    /// Appends the set as it is signed: for each member
    /// `owner | type | class | original TTL | RDATA length | RDATA`, the owner folded (RFC 4034 6.2).
    pub fn write_signed(&self, owner: NameRef<'_>, rtype: RecordType, class: Class, out: &mut Vec<u8>) {
        for member in &self.members {
            let rdata = &self.rdata[member.start as usize..member.end as usize];
            write_signed_record(owner, rtype, class, self.ttl, rdata, out);
        }
    }
}

/// Appends one record as it is signed; its RDATA is canonical already.
pub fn write_signed_record(
    owner: NameRef<'_>,
    rtype: RecordType,
    class: Class,
    ttl: u32,
    rdata: &[u8],
    out: &mut Vec<u8>,
) {
    // The owner of a wildcard is signed as it stands: the labels field leaves the asterisk out (RFC 4034 3.1.3).
    owner.write_folded(out);
    out.extend_from_slice(&rtype.0.to_be_bytes());
    out.extend_from_slice(&class.0.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    // RDATA of the wire has at most 65535 bytes.
    out.extend_from_slice(&u16::try_from(rdata.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(rdata);
}

/// The fields of an RRSIG that do not follow from the set (RFC 4034 3.1).
#[derive(Debug, Clone, Copy)]
pub struct RrsigFields<'a> {
    /// The algorithm's number.
    pub algorithm: u8,
    /// Seconds since 1970 modulo 2^32 (RFC 1982 arithmetic).
    pub expiration: u32,
    /// Seconds since 1970 modulo 2^32.
    pub inception: u32,
    /// The tag of the signing key.
    pub key_tag: u16,
    /// The zone's name.
    pub signer: NameRef<'a>,
}

impl RrsigFields<'_> {
    /// Appends RRSIG RDATA without the signature for the set of `rtype` at `owner`.
    pub fn write_head(&self, owner: NameRef<'_>, rtype: RecordType, original_ttl: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&rtype.0.to_be_bytes());
        out.extend_from_slice(&[self.algorithm, owner.rrsig_labels()]);
        out.extend_from_slice(&original_ttl.to_be_bytes());
        out.extend_from_slice(&self.expiration.to_be_bytes());
        out.extend_from_slice(&self.inception.to_be_bytes());
        out.extend_from_slice(&self.key_tag.to_be_bytes());
        self.signer.write_folded(out);
    }
}

fn narrow(offset: usize) -> u32 {
    debug_assert!(u32::try_from(offset).is_ok());
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::record::Locus;

    #[test]
    fn a_set_is_folded_sorted_and_each_record_once() {
        let mx = |ttl, rdata| RecordRef {
            rtype: RecordType::MX,
            ttl,
            rdata,
            locus: Locus::default(),
        };
        let records = [
            mx(60, &b"\x00\x14\x01b\x00"[..]),
            mx(50, &b"\x00\x0a\x01Z\x00"[..]),
            mx(60, &b"\x00\x0a\x01z\x00"[..]),
        ];
        let mut set = CanonicalSet::default();
        set.load(&records);
        assert_eq!(set.order().collect::<Vec<_>>(), [1, 0]);
        assert_eq!((set.ttl(), set.has_mixed_ttl()), (50, true));
        let owner: Name = "*.A.".parse().unwrap();
        let mut out = Vec::new();
        set.write_signed(owner.borrow(), RecordType::MX, Class::IN, &mut out);
        assert!(out.starts_with(b"\x01*\x01a\x00\x00\x0f\x00\x01\x00\x00\x00\x32\x00\x05\x00\x0a\x01z\x00"));
        let mut head = Vec::new();
        let fields = RrsigFields {
            algorithm: 13,
            expiration: 2,
            inception: 1,
            key_tag: 0x0102,
            signer: NameRef::ROOT,
        };
        fields.write_head(owner.borrow(), RecordType::MX, 50, &mut head);
        assert_eq!(
            head,
            b"\x00\x0f\x0d\x01\x00\x00\x00\x32\x00\x00\x00\x02\x00\x00\x00\x01\x01\x02\x00"
        );
    }
}
