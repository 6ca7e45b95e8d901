//! Sorted runs: the records of one chunk of input, pushed in the order of the input and packed in canonical order,
//! an owner's key once before its records. A run is plain bytes with a sparse index, so merging reads it from
//! front to back wherever the bytes live: in memory, or in a temp file that is mapped (`spill`). Runs know nothing of
//! one another: that is `merge`.
//!
//! ```text
//! owner:  key length u16 | written length u8 | length of all its records u40 | key | owner as written, or nothing
//! record: type u16 | RDATA length u16 | TTL u32 | line u32 | RDATA
//! index:  of every sixteenth owner, behind all owners: prefix u64 | place u64 | number of records before it u64
//! ```
//! Numbers are little-endian and nothing is aligned. The key is the owner's canonical key with the origin's taken
//! off its front; the owner's wire form follows only when it has upper-case letters.

use std::cmp::Ordering;

use dnssec_sign::{Locus, MAX_WIRE_LENGTH, Name, NameRef, RecordRef, RecordType};
use memmap2::Mmap;

use crate::order::{Slot, sort};

/// The TTL of a record that has the last one stated before its chunk (RFC 1035 5.1). No TTL is as large (RFC 2181 8).
pub(crate) const INHERITED: u32 = u32::MAX;

const OWNER_HEADER: usize = 8;
const RECORD_HEADER: usize = 12;
const INDEX_ENTRY: usize = 24;
/// Every so many owners the index has an entry.
const SPACING: usize = 16;

/// The records of a chunk in canonical order: by owner, type and position in the input.
#[derive(Debug)]
pub struct Run {
    bytes: Bytes,
    /// Where the owners end and the index starts.
    index_at: usize,
    owners: usize,
    records: usize,
    source: u32,
    first_line: u32,
    inherited_ttl: u32,
}

/// Owners and index, wherever they are.
#[derive(Debug)]
enum Bytes {
    Memory(Box<[u8]>),
    Mapped(Mmap),
}

/// Where every [`SPACING`]th owner stands, and how many records stand before it.
#[derive(Debug, Clone, Copy)]
struct IndexEntry {
    prefix: u64,
    at: usize,
    records: usize,
}

impl IndexEntry {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.prefix.to_le_bytes());
        out.extend_from_slice(&(self.at as u64).to_le_bytes());
        out.extend_from_slice(&(self.records as u64).to_le_bytes());
    }

    fn read(bytes: &[u8; INDEX_ENTRY]) -> Self {
        let (numbers, _) = bytes.as_chunks::<8>();
        Self {
            prefix: u64::from_le_bytes(numbers[0]),
            at: usize_from(u64::from_le_bytes(numbers[1])),
            records: usize_from(u64::from_le_bytes(numbers[2])),
        }
    }
}

/// One owner and its records, packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'r> {
    /// The owner's key relative to the origin.
    pub(crate) key: &'r [u8],
    /// The owner's wire form, when it is not the lower-case one that follows from the key.
    pub(crate) written: Option<NameRef<'r>>,
    records: &'r [u8],
    source: u32,
    first_line: u32,
    inherited_ttl: u32,
}

impl<'r> Packed<'r> {
    /// The records in ascending order of type, those of one type in the order of the input.
    pub(crate) fn records(self) -> PackedRecords<'r> {
        PackedRecords {
            rest: self.records,
            source: self.source,
            first_line: self.first_line,
            inherited_ttl: self.inherited_ttl,
        }
    }
}

/// The records of one owner.
#[derive(Debug, Clone)]
pub(crate) struct PackedRecords<'r> {
    rest: &'r [u8],
    source: u32,
    first_line: u32,
    inherited_ttl: u32,
}

impl<'r> Iterator for PackedRecords<'r> {
    type Item = RecordRef<'r>;

    #[inline]
    fn next(&mut self) -> Option<RecordRef<'r>> {
        let (header, rest) = self.rest.split_first_chunk::<RECORD_HEADER>()?;
        let [t0, t1, l0, l1, s0, s1, s2, s3, n0, n1, n2, n3] = *header;
        let (rdata, rest) = rest.split_at(usize::from(u16::from_le_bytes([l0, l1])));
        self.rest = rest;
        let ttl = match u32::from_le_bytes([s0, s1, s2, s3]) {
            INHERITED => self.inherited_ttl,
            ttl => ttl,
        };
        Some(RecordRef {
            rtype: RecordType(u16::from_le_bytes([t0, t1])),
            ttl,
            rdata,
            locus: Locus {
                source: self.source,
                line: self.first_line.saturating_add(u32::from_le_bytes([n0, n1, n2, n3])),
            },
        })
    }
}

impl Run {
    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The number of different owner names.
    #[must_use]
    pub fn owners(&self) -> usize {
        self.owners
    }

    /// The bytes of memory held: records and index. None when they are in a file.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes.len(),
            Bytes::Mapped(_) => 0,
        }
    }

    /// Whether the records are in a temporary file.
    #[must_use]
    pub fn is_spilled(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(_))
    }

    /// All bytes, as they are written to a file.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes,
            Bytes::Mapped(mapped) => mapped,
        }
    }

    /// Goes on with the same bytes in a file.
    pub(crate) fn move_to(&mut self, mapped: Mmap) {
        debug_assert_eq!(self.bytes().len(), mapped.len());
        self.bytes = Bytes::Mapped(mapped);
    }

    /// Sets the TTL of the records that have the last one stated before their chunk.
    pub(crate) fn set_inherited_ttl(&mut self, ttl: u32) {
        self.inherited_ttl = ttl;
    }

    /// Sets the line that relative line 0 stands on: for runs finished before the lines ahead of them were counted.
    pub fn set_first_line(&mut self, line: u32) {
        self.first_line = line;
    }

    /// Leaves out the records that have the last TTL stated before their chunk: there is none.
    pub(crate) fn forget_inherited(&mut self) {
        let mut kept = Packing::default();
        let mut at = 0;
        while let Some((packed, next)) = self.owner_at(at) {
            at = next;
            let written = packed.written.map_or(&[][..], NameRef::wire);
            let records = PackedRecords {
                inherited_ttl: INHERITED,
                ..packed.records()
            };
            let mut records = records.filter(|record| record.ttl != INHERITED).peekable();
            if records.peek().is_none() {
                continue;
            }
            kept.start_owner(packed.key, written);
            for record in records {
                let line = record.locus.line.saturating_sub(self.first_line);
                kept.record(record.rtype, record.ttl, line, record.rdata);
            }
            kept.end_owner();
        }
        *self = kept.finish(self.source, self.first_line);
    }

    /// The owner that starts at byte `at`, and where the next one starts; `None` at the end.
    #[inline]
    pub(crate) fn owner_at(&self, at: usize) -> Option<(Packed<'_>, usize)> {
        let (header, rest) = self.bytes()[..self.index_at]
            .get(at..)?
            .split_first_chunk::<OWNER_HEADER>()?;
        let [k0, k1, written_length, r0, r1, r2, r3, r4] = *header;
        let key_length = usize::from(u16::from_le_bytes([k0, k1]));
        let records_length = usize_from(u64::from_le_bytes([r0, r1, r2, r3, r4, 0, 0, 0]));
        let (key, rest) = rest.split_at(key_length);
        let (written, rest) = rest.split_at(usize::from(written_length));
        let packed = Packed {
            key,
            written: match written {
                [] => None,
                wire => NameRef::from_wire(wire).ok(),
            },
            records: &rest[..records_length],
            source: self.source,
            first_line: self.first_line,
            inherited_ttl: self.inherited_ttl,
        };
        let next = at + OWNER_HEADER + key_length + usize::from(written_length) + records_length;
        Some((packed, next))
    }

    /// Where the first owner stands whose key is not below `key`.
    pub(crate) fn seek(&self, key: &[u8]) -> usize {
        let prefix = key_prefix(key);
        let index = self.index();
        let after = index.partition_point(|entry| {
            let entry = IndexEntry::read(entry);
            entry.prefix.cmp(&prefix).then_with(|| self.key_at(entry.at).cmp(key)) == Ordering::Less
        });
        let mut at = match after {
            0 => 0,
            _ => IndexEntry::read(&index[after - 1]).at,
        };
        while let Some((packed, next)) = self.owner_at(at) {
            if packed.key >= key {
                break;
            }
            at = next;
        }
        at
    }

    /// Samples of the owners, evenly spread: every `stride`th entry of the index as the owner's key and the number of
    /// records from there to the next sample.
    pub(crate) fn samples(&self, stride: usize) -> impl Iterator<Item = (&[u8], usize)> {
        let stride = stride.max(1);
        let entries = || self.index().iter().map(IndexEntry::read).step_by(stride);
        let ends = entries()
            .skip(1)
            .map(|next| next.records)
            .chain(std::iter::once(self.records));
        entries()
            .zip(ends)
            .map(|(entry, end)| (self.key_at(entry.at), end - entry.records))
    }

    /// The number of samples at stride 1.
    pub(crate) fn sample_count(&self) -> usize {
        self.index().len()
    }

    fn index(&self) -> &[[u8; INDEX_ENTRY]] {
        self.bytes()[self.index_at..].as_chunks().0
    }

    fn key_at(&self, at: usize) -> &[u8] {
        self.owner_at(at).map_or(&[], |(packed, _)| packed.key)
    }
}

/// Collects a chunk's records and sorts them into a [`Run`]: arenas that grow, nothing allocated per record.
#[derive(Debug)]
pub struct RunBuilder {
    origin: Name,
    source: u32,
    /// Keys, owners as written and RDATA in the order of the pushes.
    bytes: Vec<u8>,
    records: Vec<Pushed>,
    /// Pushes in a row with one owner.
    groups: Vec<Group>,
    /// The wire form of the last owner.
    owner: Vec<u8>,
    ascending: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pushed {
    rdata_at: usize,
    ttl: u32,
    line: u32,
    rdata_length: u16,
    rtype: RecordType,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    /// The first eight bytes of the key.
    prefix: u64,
    key_at: usize,
    first: usize,
    count: u32,
    key_length: u16,
    written_length: u8,
}

impl Group {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.key_at..self.key_at + usize::from(self.key_length)]
    }

    fn written(self, bytes: &[u8]) -> &[u8] {
        let at = self.key_at + usize::from(self.key_length);
        &bytes[at..at + usize::from(self.written_length)]
    }
}

impl RunBuilder {
    /// An empty builder for names at or below `origin`, read from source number `source`.
    #[must_use]
    pub fn new(origin: NameRef<'_>, source: u32) -> Self {
        Self {
            origin: origin.to_name(),
            source,
            bytes: Vec::new(),
            records: Vec::new(),
            groups: Vec::new(),
            owner: Vec::with_capacity(MAX_WIRE_LENGTH),
            ascending: true,
        }
    }

    /// Adds a record. `owner` is at or below the origin, `rdata` of at most 65535 bytes and of its type's shape, and
    /// `line` is counted from 0 at the start of the chunk. `ttl` is at most 2³¹ − 1 (RFC 2181 8).
    pub fn push(&mut self, owner: NameRef<'_>, rtype: RecordType, ttl: u32, rdata: &[u8], line: u32) {
        let same = self.owner == owner.wire();
        match self.groups.last_mut() {
            Some(group) if same && group.count < u32::MAX => group.count += 1,
            _ => self.start_group(owner),
        }
        debug_assert!(rdata.len() <= usize::from(u16::MAX));
        let rdata_length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
        self.records.push(Pushed {
            rdata_at: self.bytes.len(),
            ttl,
            line,
            rdata_length,
            rtype,
        });
        self.bytes.extend_from_slice(&rdata[..usize::from(rdata_length)]);
    }

    fn start_group(&mut self, owner: NameRef<'_>) {
        debug_assert!(owner.is_at_or_below(self.origin.borrow()));
        let wire = owner.wire();
        self.owner.clear();
        self.owner.extend_from_slice(wire);
        let key_at = self.bytes.len();
        // The labels in front of the origin, closed with a root label of their own, have the relative key.
        let mut relative = [0; MAX_WIRE_LENGTH];
        let length = wire.len().saturating_sub(self.origin.borrow().wire().len());
        relative[..length].copy_from_slice(&wire[..length]);
        if let Ok(name) = NameRef::from_wire(&relative[..=length]) {
            name.write_key(&mut self.bytes);
        }
        // A key is at most twice as long as its name.
        let key_length = u16::try_from(self.bytes.len() - key_at).unwrap_or(u16::MAX);
        // Length bytes are at most 63, below every letter.
        let written_length = if wire.iter().any(u8::is_ascii_uppercase) {
            self.bytes.extend_from_slice(wire);
            u8::try_from(wire.len()).unwrap_or(u8::MAX)
        } else {
            0
        };
        let mut group = Group {
            prefix: 0,
            key_at,
            first: self.records.len(),
            count: 1,
            key_length,
            written_length,
        };
        group.prefix = key_prefix(group.key(&self.bytes));
        if self.ascending
            && let Some(last) = self.groups.last()
        {
            self.ascending = last
                .prefix
                .cmp(&group.prefix)
                .then_with(|| last.key(&self.bytes).cmp(group.key(&self.bytes)))
                != Ordering::Greater;
        }
        self.groups.push(group);
    }

    /// The number of records pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The bytes of memory in use until [`finish`](Self::finish).
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.len() + size_of_val(self.records.as_slice()) + size_of_val(self.groups.as_slice())
    }

    /// Sorts by key, type and position. Relative line 0 is the source's line `first_line`.
    /// An owner that is written in several letter cases keeps the one that came first.
    #[must_use]
    pub fn finish(self, first_line: u32) -> Run {
        let key = |number: usize| self.groups[number].key(&self.bytes);
        let mut slots: Vec<Slot> = (self.groups.iter().enumerate())
            .map(|(number, group)| Slot::new(group.prefix, number))
            .collect();
        if !self.ascending {
            sort(&mut slots, 0, &key);
        }
        let mut packing = Packing::with_capacity(self.groups.len(), self.records.len(), self.bytes.len());
        let mut order = Vec::new();
        for same in slots.chunk_by(|one, other| key(one.number()) == key(other.number())) {
            self.pack(same, &mut order, &mut packing);
        }
        packing.finish(self.source, first_line)
    }

    /// Packs one owner, whose groups are in the order of the input.
    fn pack(&self, slots: &[Slot], order: &mut Vec<usize>, packing: &mut Packing) {
        let first = self.groups[slots[0].number()];
        packing.start_owner(first.key(&self.bytes), first.written(&self.bytes));
        order.clear();
        for group in slots.iter().map(|slot| &self.groups[slot.number()]) {
            order.extend(group.first..group.first + group.count as usize);
        }
        order.sort_by_key(|&record| self.records[record].rtype);
        for &record in &*order {
            let record = &self.records[record];
            let at = record.rdata_at;
            let rdata = &self.bytes[at..at + usize::from(record.rdata_length)];
            packing.record(record.rtype, record.ttl, record.line, rdata);
        }
        packing.end_owner();
    }
}

/// The bytes of a run while owners are added to it in canonical order.
#[derive(Debug, Default)]
struct Packing {
    data: Vec<u8>,
    index: Vec<u8>,
    owners: usize,
    records: usize,
    /// Where the header of the owner stands that is being added, and where its records start.
    owner_at: usize,
    records_at: usize,
}

impl Packing {
    /// Room for so many owners and records with so many bytes of keys, names and RDATA.
    fn with_capacity(owners: usize, records: usize, bytes: usize) -> Self {
        let index = (owners / SPACING + 1) * INDEX_ENTRY;
        Self {
            data: Vec::with_capacity(bytes + OWNER_HEADER * owners + RECORD_HEADER * records + index),
            index: Vec::with_capacity(index),
            ..Self::default()
        }
    }

    fn start_owner(&mut self, key: &[u8], written: &[u8]) {
        if self.owners.is_multiple_of(SPACING) {
            let entry = IndexEntry {
                prefix: key_prefix(key),
                at: self.data.len(),
                records: self.records,
            };
            entry.write(&mut self.index);
        }
        self.owners += 1;
        self.owner_at = self.data.len();
        // A key is at most twice as long as its name.
        let key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        self.data.extend_from_slice(&key_length.to_le_bytes());
        self.data.push(u8::try_from(written.len()).unwrap_or(u8::MAX));
        self.data.extend_from_slice(&[0; 5]);
        self.data.extend_from_slice(key);
        self.data.extend_from_slice(written);
        self.records_at = self.data.len();
    }

    #[inline]
    fn record(&mut self, rtype: RecordType, ttl: u32, line: u32, rdata: &[u8]) {
        let length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
        self.data.extend_from_slice(&rtype.0.to_le_bytes());
        self.data.extend_from_slice(&length.to_le_bytes());
        self.data.extend_from_slice(&ttl.to_le_bytes());
        self.data.extend_from_slice(&line.to_le_bytes());
        self.data.extend_from_slice(rdata);
        self.records += 1;
    }

    fn end_owner(&mut self) {
        let length = (self.data.len() - self.records_at).to_le_bytes();
        self.data[self.owner_at + 3..self.owner_at + OWNER_HEADER].copy_from_slice(&length[..5]);
    }

    fn finish(mut self, source: u32, first_line: u32) -> Run {
        let index_at = self.data.len();
        self.data.extend_from_slice(&self.index);
        Run {
            bytes: Bytes::Memory(self.data.into()),
            index_at,
            owners: self.owners,
            records: self.records,
            source,
            first_line,
            inherited_ttl: 0,
        }
    }
}

/// The first eight bytes, filled up with zeros, as a number that orders as they do.
pub(crate) fn key_prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(bytes)
        }
    }
}

/// A length that was a `usize` when it was written.
fn usize_from(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
