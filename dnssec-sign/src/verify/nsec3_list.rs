//! What a partition knows of one NSEC3 chain, as sorted bytes that may be kept anywhere: the lists grow with the zone. Packing
//! and unpacking alone; the join compares them.

use super::nsec3::{ChainPart, Expected, Hash, Present, Reason};
use crate::kept::Kept;
use crate::record::Locus;

/// The bytes of a packed name: hash, bitmap, fingerprint, source, line, reason.
pub(super) const EXPECTED: usize = 41;
/// The bytes of a packed record: hash, next hash, bitmap, source, line, flags.
pub(super) const PRESENT: usize = 53;

/// Both lists in the order of hashes. Bitmaps have the numbers of the partition.
#[derive(Debug)]
pub(super) struct PackedPart {
    pub(super) expected: Kept,
    pub(super) present: Kept,
    /// The number of records.
    pub(super) records: usize,
}

impl PackedPart {
    /// Sorts and packs both lists. Equal hashes keep their order.
    pub(super) fn new(mut part: ChainPart) -> Self {
        part.expected.sort_by_key(|entry| entry.hash);
        part.present.sort_by_key(|entry| entry.hash);
        let mut expected = Vec::with_capacity(part.expected.len() * EXPECTED);
        for entry in &part.expected {
            expected.extend_from_slice(&entry.hash);
            expected.extend_from_slice(&entry.bitmap.to_be_bytes());
            expected.extend_from_slice(&entry.fingerprint.to_be_bytes());
            pack_locus(entry.locus, &mut expected);
            expected.push(entry.reason as u8);
        }
        let mut present = Vec::with_capacity(part.present.len() * PRESENT);
        for entry in &part.present {
            present.extend_from_slice(&entry.hash);
            present.extend_from_slice(&entry.next);
            present.extend_from_slice(&entry.bitmap.to_be_bytes());
            pack_locus(entry.locus, &mut present);
            present.push(entry.flags);
        }
        Self {
            expected: expected.into(),
            present: present.into(),
            records: part.present.len(),
        }
    }

    /// Puts both lists where `keep` says.
    ///
    /// # Errors
    /// What `keep` says.
    pub(super) fn keep<E>(self, keep: &mut impl FnMut(Kept) -> Result<Kept, E>) -> Result<Self, E> {
        Ok(Self {
            expected: keep(self.expected)?,
            present: keep(self.present)?,
            ..self
        })
    }
}

fn pack_locus(locus: Locus, out: &mut Vec<u8>) {
    out.extend_from_slice(&locus.source.to_be_bytes());
    out.extend_from_slice(&locus.line.to_be_bytes());
}

/// Takes packed entries apart, from front to back.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *field
    }

    fn hash(&mut self) -> Hash {
        self.take()
    }

    fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    fn locus(&mut self) -> Locus {
        Locus {
            source: self.number(),
            line: self.number(),
        }
    }
}

/// A name that should be there, of a partition whose bitmaps have these numbers in the join.
pub(super) fn unpack_expected(packed: &[u8; EXPECTED], numbers: &[u32]) -> Expected {
    let mut fields = Fields(packed);
    Expected {
        hash: fields.hash(),
        bitmap: joined(fields.number(), numbers),
        fingerprint: u64::from_be_bytes(fields.take()),
        locus: fields.locus(),
        reason: Reason::of_number(fields.take::<1>()[0]),
    }
}

/// A record that is there, of a partition whose bitmaps have these numbers in the join.
pub(super) fn unpack_present(packed: &[u8; PRESENT], numbers: &[u32]) -> Present {
    let mut fields = Fields(packed);
    Present {
        hash: fields.hash(),
        next: fields.hash(),
        bitmap: joined(fields.number(), numbers),
        locus: fields.locus(),
        flags: fields.take::<1>()[0],
    }
}

fn joined(number: u32, numbers: &[u32]) -> u32 {
    numbers.get(number as usize).copied().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_packed_and_unpacked() {
        let locus = Locus {
            source: 3,
            line: 70_000,
        };
        let reasons = [
            Reason::InsecureNonTerminal,
            Reason::NonTerminal,
            Reason::InsecureDelegation,
            Reason::Authoritative,
        ];
        let expected = |(place, reason): (u8, Reason)| Expected {
            hash: [9 - place; 20],
            bitmap: 1,
            fingerprint: 5 << 40,
            locus,
            reason,
        };
        let part = ChainPart {
            expected: (0..4).zip(reasons).map(expected).collect(),
            present: vec![Present {
                hash: [1; 20],
                next: [2; 20],
                bitmap: 0,
                locus,
                flags: 1,
            }],
        };
        let packed = PackedPart::new(part);
        assert_eq!(packed.records, 1);
        let names = packed.expected.as_ref().as_chunks().0.iter();
        for ((place, reason), name) in (0..4).zip(reasons).rev().zip(names) {
            let name = unpack_expected(name, &[7, 8]);
            assert_eq!(
                (name.hash, name.bitmap, name.fingerprint),
                ([9 - place; 20], 8, 5 << 40)
            );
            assert_eq!((name.locus, name.reason), (locus, reason));
        }
        let record = unpack_present(&packed.present.as_ref().as_chunks().0[0], &[7, 8]);
        assert_eq!((record.hash, record.next, record.bitmap), ([1; 20], [2; 20], 7));
        assert_eq!((record.locus, record.flags), (locus, 1));
    }
}
