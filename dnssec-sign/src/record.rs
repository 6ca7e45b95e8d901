//! Records, nodes and lists of nodes in canonical order: what a zone is to every decision in this crate. The
//! bytes are borrowed from whoever read them; nothing here parses or sorts.

use crate::name::{NameRef, write_wire_from_key};
use crate::rtype::RecordType;

/// Where a record came from, for messages: a source (a file among those read) and a line in it, from 1.
/// The meaning of `source` is with whoever made the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Locus {
    /// The number of the source.
    pub source: u32,
    /// The line, from 1; 0 for a record that no file holds.
    pub line: u32,
}

/// One record without its owner; class is the zone's.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    /// The type.
    pub rtype: RecordType,
    /// The TTL in seconds.
    pub ttl: u32,
    /// RDATA in uncompressed wire form, letter case kept, of its type's shape.
    pub rdata: &'a [u8],
    /// Where it was read.
    pub locus: Locus,
}

/// All records of one owner name, in ascending order of type; records of one type in the order of the input.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// The owner's canonical key relative to the origin (empty for the apex).
    pub key: &'a [u8],
    /// The owner as it was written.
    pub owner: NameRef<'a>,
    /// The records; never empty.
    pub records: &'a [RecordRef<'a>],
}

impl<'a> Node<'a> {
    /// The records type by type.
    pub fn sets(&self) -> impl Iterator<Item = &'a [RecordRef<'a>]> + use<'a> {
        self.records.chunk_by(|one, other| one.rtype == other.rtype)
    }

    /// The records of one type; empty when there are none.
    #[must_use]
    pub fn set(&self, rtype: RecordType) -> &'a [RecordRef<'a>] {
        let start = self.records.partition_point(|record| record.rtype < rtype);
        let length = self.records[start..].partition_point(|record| record.rtype == rtype);
        &self.records[start..start + length]
    }

    /// Whether there is a record of this type.
    #[must_use]
    pub fn has(&self, rtype: RecordType) -> bool {
        !self.set(rtype).is_empty()
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry<'r> {
    key: &'r [u8],
    owner: Owner<'r>,
    first: u32,
}

#[derive(Debug, Clone, Copy)]
enum Owner<'r> {
    Written(&'r [u8]),
    Derived { at: u32, length: u8 },
}

/// Nodes in canonical order over bytes that live for `'r`; filled record by record, emptied and filled again
/// without new memory.
#[derive(Debug, Default)]
pub struct NodeList<'r> {
    names: Vec<u8>,
    nodes: Vec<Entry<'r>>,
    records: Vec<RecordRef<'r>>,
}

impl<'r> NodeList<'r> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a node whose owner in lower case follows from its key; its records are pushed next.
    /// Keys come in ascending order.
    pub fn start_node(&mut self, key: &'r [u8], origin: NameRef<'_>) {
        let at = self.names.len();
        write_wire_from_key(key, origin, &mut self.names);
        let length = u8::try_from(self.names.len() - at).unwrap_or(u8::MAX);
        let owner = Owner::Derived { at: narrow(at), length };
        self.nodes.push(Entry {
            key,
            owner,
            first: narrow(self.records.len()),
        });
    }

    /// Starts a node whose owner is written otherwise than in lower case.
    pub fn start_node_as(&mut self, key: &'r [u8], owner: NameRef<'r>) {
        self.nodes.push(Entry {
            key,
            owner: Owner::Written(owner.wire()),
            first: narrow(self.records.len()),
        });
    }

    /// Adds a record to the last node, in ascending order of type.
    pub fn push(&mut self, record: RecordRef<'r>) {
        debug_assert!(!self.nodes.is_empty());
        self.records.push(record);
    }

    /// Puts other records, all of type `rtype`, in place of the set of that type at node `index`.
    pub fn replace_set(&mut self, index: usize, rtype: RecordType, records: &[RecordRef<'r>]) {
        let first = self.nodes[index].first as usize;
        let node = self.node(index).records;
        let start = first + node.partition_point(|record| record.rtype < rtype);
        let end = first + node.partition_point(|record| record.rtype <= rtype);
        self.records.splice(start..end, records.iter().copied());
        for later in &mut self.nodes[index + 1..] {
            later.first = narrow(later.first as usize + records.len() - (end - start));
        }
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The number of records.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// Node `index`, from 0. Panics when there is no such node, as indexing does.
    #[must_use]
    pub fn node(&self, index: usize) -> Node<'_> {
        let entry = &self.nodes[index];
        let end = self
            .nodes
            .get(index + 1)
            .map_or(self.records.len(), |next| next.first as usize);
        let owner = match entry.owner {
            Owner::Written(wire) => wire,
            Owner::Derived { at, length } => &self.names[at as usize..at as usize + usize::from(length)],
        };
        Node {
            key: entry.key,
            owner: NameRef::from_known(owner),
            records: &self.records[entry.first as usize..end],
        }
    }

    /// The key of node `index`, which outlives the list.
    #[must_use]
    pub fn key(&self, index: usize) -> &'r [u8] {
        self.nodes[index].key
    }

    /// The records of node `index`, whose data outlives the list.
    #[must_use]
    pub fn records(&self, index: usize) -> &[RecordRef<'r>] {
        let end = self
            .nodes
            .get(index + 1)
            .map_or(self.records.len(), |next| next.first as usize);
        &self.records[self.nodes[index].first as usize..end]
    }

    /// All nodes in order.
    pub fn iter(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.len()).map(|index| self.node(index))
    }

    /// Empties the list and keeps its memory.
    pub fn clear(&mut self) {
        self.names.clear();
        self.nodes.clear();
        self.records.clear();
    }
}

/// Offsets inside one list: a list is a partition of a zone, far below 4 GiB.
fn narrow(offset: usize) -> u32 {
    debug_assert!(u32::try_from(offset).is_ok());
    u32::try_from(offset).unwrap_or(u32::MAX)
}
