//! The verifier's own canonical form of RDATA and of sets (RFC 4034 6.2 and 6.3, amended by RFC 6840 5.1), made
//! from the wire bytes by a walker that knows only where the names are that fold. It shares nothing with the
//! signer's table; a property test holds hickory-proto's canonical encoder against it.

use crate::record::RecordRef;
use crate::rtype::RecordType;

/// RDATA that does not have the shape of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadShape;

/// What stands in the RDATA of a type with names that fold.
#[derive(Clone, Copy)]
enum Part {
    /// So many bytes of no concern.
    Skip(usize),
    /// A length byte and so many bytes.
    Text,
    /// A name in lower case.
    Name,
    /// Whatever follows.
    Rest,
    /// Prefix length and address suffix of A6; then a name unless the prefix length is 0 (RFC 2874 3.1).
    Prefix,
}

/// The types of RFC 4034 6.2 point 3 without HINFO, which has no names, and NSEC, whose next name keeps its case
/// (RFC 6840 5.1). All other types keep theirs (RFC 3597 7).
fn parts(rtype: RecordType) -> &'static [Part] {
    use Part::{Name, Prefix, Rest, Skip, Text};
    match rtype.0 {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
        2..=5 | 7..=9 | 12 | 39 => &[Name],
        // SOA: two names, five numbers of four bytes
        6 => &[Name, Name, Skip(20)],
        // MINFO, RP
        14 | 17 => &[Name, Name],
        // MX, AFSDB, RT, KX
        15 | 18 | 21 | 36 => &[Skip(2), Name],
        // SIG, RRSIG: eighteen bytes, the signer, the signature
        24 | 46 => &[Skip(18), Name, Rest],
        // PX
        26 => &[Skip(2), Name, Name],
        // NXT
        30 => &[Name, Rest],
        // SRV
        33 => &[Skip(6), Name],
        // NAPTR
        35 => &[Skip(4), Text, Text, Text, Name],
        // A6
        38 => &[Prefix, Name],
        _ => &[Rest],
    }
}

/// The length of the uncompressed name at the start of `bytes`.
pub(super) fn name_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let label = usize::from(*bytes.get(at)?);
        at += 1 + label;
        if label > 63 || at > 255 {
            return None;
        }
        if label == 0 {
            return Some(at);
        }
    }
}

/// Appends the canonical form of one record's RDATA.
///
/// # Errors
/// [`BadShape`]; `out` then ends in bytes without meaning.
pub(super) fn write_rdata(rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) -> Result<(), BadShape> {
    let start = out.len();
    out.extend_from_slice(rdata);
    let bytes = &mut out[start..];
    let mut at = 0usize;
    for part in parts(rtype) {
        let rest = bytes.get_mut(at..).ok_or(BadShape)?;
        at += match part {
            Part::Skip(length) => *length,
            Part::Text => 1 + usize::from(*rest.first().ok_or(BadShape)?),
            Part::Rest => rest.len(),
            Part::Name => {
                let length = name_length(rest).ok_or(BadShape)?;
                rest[..length].make_ascii_lowercase();
                length
            }
            Part::Prefix => match rest.first() {
                Some(0) if rest.len() == 17 => return Ok(()),
                Some(&prefix @ 1..=128) => 1 + usize::from((128 - prefix).div_ceil(8)),
                _ => return Err(BadShape),
            },
        };
    }
    if at == bytes.len() { Ok(()) } else { Err(BadShape) }
}

/// The canonical RDATA of one set in canonical order, each once; room that is used again.
#[derive(Debug, Default)]
pub(super) struct CanonicalSet {
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
}

impl CanonicalSet {
    /// Becomes the set of these records.
    ///
    /// # Errors
    /// The place of the record that does not have the shape of its type.
    pub(super) fn fill(&mut self, records: &[RecordRef<'_>]) -> Result<(), usize> {
        self.bytes.clear();
        self.spans.clear();
        for (place, record) in records.iter().enumerate() {
            let start = self.bytes.len();
            write_rdata(record.rtype, record.rdata, &mut self.bytes).map_err(|BadShape| place)?;
            self.spans.push((start, self.bytes.len()));
        }
        if self.spans.len() > 1 {
            let bytes = &self.bytes;
            // RFC 4034 6.3: by RDATA as left-justified unsigned bytes, an absent byte first; duplicates once.
            self.spans
                .sort_unstable_by(|one, other| bytes[one.0..one.1].cmp(&bytes[other.0..other.1]));
            self.spans
                .dedup_by(|one, other| bytes[one.0..one.1] == bytes[other.0..other.1]);
        }
        Ok(())
    }

    /// The records' RDATA in order.
    pub(super) fn rdata(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|&(start, end)| &self.bytes[start..end])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::rdata;
    use hickory_proto::rr::RData;
    use hickory_proto::serialize::binary::{BinDecoder, BinEncodable as _, BinEncoder, NameEncoding, Restrict};
    use proptest::prelude::*;

    fn canonical(rtype: u16, rdata: &[u8]) -> Result<Vec<u8>, BadShape> {
        let mut out = Vec::new();
        write_rdata(RecordType(rtype), rdata, &mut out).map(|()| out)
    }

    #[test]
    fn names_fold_where_the_rfc_says() {
        assert_eq!(canonical(15, b"\x00\x0A\x02Mx\x00").unwrap(), b"\x00\x0a\x02mx\x00");
        assert_eq!(
            canonical(47, b"\x02Mx\x00\x00\x01\x40").unwrap(),
            b"\x02Mx\x00\x00\x01\x40"
        );
        assert_eq!(canonical(64, b"\x00\x01\x02Mx\x00").unwrap(), b"\x00\x01\x02Mx\x00");
        assert_eq!(
            canonical(35, b"AAAA\x01U\x01S\x01R\x01X\x00").unwrap(),
            b"AAAA\x01U\x01S\x01R\x01x\x00"
        );
        assert_eq!(canonical(38, b"\x78A\x02Mx\x00").unwrap(), b"\x78A\x02mx\x00");
        assert_eq!(canonical(38, b"\x00AAAAAAAAAAAAAAAA").unwrap(), b"\x00AAAAAAAAAAAAAAAA");
        assert_eq!(canonical(13, b"\x01A\x01B").unwrap(), b"\x01A\x01B");
    }

    #[test]
    fn wrong_shapes_are_noticed() {
        for (rtype, rdata) in [
            (2, &b""[..]),
            (2, b"\x01a"),
            (2, b"\x01a\x00\x00"),
            (2, b"\xc0\x00"),
            (15, b"\x00"),
            (6, b"\x00\x00\x00"),
            (35, b"AAAA\x05U"),
            (38, b"\x81\x00"),
            (33, b"\x00\x00\x00\x00\x00\x00"),
        ] {
            assert_eq!(canonical(rtype, rdata), Err(BadShape), "type {rtype}");
        }
    }

    #[test]
    fn sets_are_sorted_and_single() {
        let record = |rdata| RecordRef {
            rtype: RecordType::NS,
            ttl: 1,
            rdata,
            locus: crate::Locus::default(),
        };
        let records: Vec<_> = [&b"\x02bb\x00"[..], b"\x01c\x00", b"\x01C\x00", b"\x01a\x00"]
            .into_iter()
            .map(record)
            .collect();
        let mut set = CanonicalSet::default();
        set.fill(&records).unwrap();
        let rdata: Vec<_> = set.rdata().collect();
        assert_eq!(rdata, [&b"\x01a\x00"[..], b"\x01c\x00", b"\x02bb\x00"]);
    }

    fn name() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..6), 0..4).prop_map(|labels| {
            let mut wire = Vec::new();
            for label in labels {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend(label);
            }
            wire.push(0);
            wire
        })
    }

    /// RDATA of a type with names that fold and that hickory-proto knows.
    fn known() -> impl Strategy<Value = (u16, Vec<u8>)> {
        let number = |length| proptest::collection::vec(any::<u8>(), length);
        prop_oneof![
            (prop_oneof![Just(2u16), Just(5), Just(12)], name()),
            (
                Just(15u16),
                (number(2), name()).prop_map(|(head, name)| [head, name].concat())
            ),
            (
                Just(33u16),
                (number(6), name()).prop_map(|(head, name)| [head, name].concat())
            ),
            (
                Just(6u16),
                (name(), name(), number(20)).prop_map(|(first, second, tail)| [first, second, tail].concat())
            ),
            (
                Just(46u16),
                (number(18), name(), number(64)).prop_map(|(head, name, tail)| [head, name, tail].concat())
            ),
            (
                Just(35u16),
                (number(4), name()).prop_map(|(head, name)| [&head[..], b"\x01U\x03E2U\x02!x", &name].concat())
            ),
            (Just(1u16), number(4)),
        ]
    }

    proptest! {
        /// Three canonicalisers agree: this one, the signer's table, and hickory-proto's encoder.
        #[test]
        fn canonicalisers_agree((rtype, rdata) in known()) {
            let own = canonical(rtype, &rdata).unwrap();
            let mut signer = Vec::new();
            rdata::write_canonical(RecordType(rtype), &rdata, &mut signer);
            prop_assert_eq!(&own, &signer);
            let length = Restrict::new(u16::try_from(rdata.len()).unwrap());
            let decoded = RData::read(&mut BinDecoder::new(&rdata), rtype.into(), length).unwrap();
            let mut encoded = Vec::new();
            let mut encoder = BinEncoder::new(&mut encoded);
            encoder.set_canonical_form(true);
            encoder.set_name_encoding(NameEncoding::UncompressedLowercase);
            decoded.emit(&mut encoder).unwrap();
            prop_assert_eq!(&own, &encoded);
        }
    }
}
