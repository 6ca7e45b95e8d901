//! `zone diff`: two zone files compared set by set. Both are loaded once and walked side by side in canonical order, ranges
//! of names in parallel; what differs is handed on in that order.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dnssec_sign::rdata::write_canonical;
use dnssec_sign::{NameRef, Node, NodeList, RecordRef, RecordType};
use serde::Serialize;
use zone_io::{LoadOptions, load};

use super::in_order;
use crate::config::PartitionSize;
use crate::error::Error;
use crate::partition::Partitions;
use crate::thread_pool;

/// What is no difference.
#[derive(Debug, Clone, Default)]
pub struct Ignored {
    /// Sets of these types, and for RRSIG all signatures.
    pub types: BTreeSet<RecordType>,
    /// The serial of the SOA record.
    pub soa_serial: bool,
    /// TTLs.
    pub ttl: bool,
}

/// What to compare, and how.
#[derive(Debug, Clone)]
pub struct DiffConfig {
    /// The zone's old file; `-` is standard input.
    pub old: PathBuf,
    /// The zone's new file.
    pub new: PathBuf,
    /// How both are read.
    pub load: LoadOptions,
    /// How many threads work.
    pub threads: usize,
    /// What is no difference.
    pub ignored: Ignored,
}

/// A set that the two zones do not share. Letter case of names is no difference where DNS compares them without.
#[derive(Debug)]
pub struct SetChange<'a> {
    /// The owner as the old zone has it, or else as the new one has it.
    pub owner: NameRef<'a>,
    /// The type.
    pub rtype: RecordType,
    /// The type that signatures cover.
    pub covered: Option<RecordType>,
    /// The set's TTL in the old zone, when it is there.
    pub old_ttl: Option<u32>,
    /// The set's TTL in the new zone, when it is there.
    pub new_ttl: Option<u32>,
    /// RDATA that only the old zone has.
    pub removed: Vec<&'a [u8]>,
    /// RDATA that only the new zone has.
    pub added: Vec<&'a [u8]>,
    /// How many records both zones have.
    pub kept: usize,
}

/// How much differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DiffReport {
    /// Sets that only the new zone has.
    pub sets_added: u64,
    /// Sets that only the old zone has.
    pub sets_removed: u64,
    /// Sets that both have, with other records or another TTL.
    pub sets_changed: u64,
    /// Sets that both have with another TTL.
    pub ttls_changed: u64,
    /// Records that only the new zone has.
    pub records_added: u64,
    /// Records that only the old zone has.
    pub records_removed: u64,
}

impl DiffReport {
    /// Whether the zones are equal.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.sets_added + self.sets_removed + self.sets_changed == 0
    }

    fn count(&mut self, change: &SetChange<'_>) {
        match (change.old_ttl, change.new_ttl) {
            (None, _) => self.sets_added += 1,
            (_, None) => self.sets_removed += 1,
            (old, new) => {
                self.sets_changed += 1;
                self.ttls_changed += u64::from(old != new);
            }
        }
        let count = |records: &[&[u8]]| u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.records_added += count(&change.added);
        self.records_removed += count(&change.removed);
    }

    fn add(&mut self, other: Self) {
        self.sets_added += other.sets_added;
        self.sets_removed += other.sets_removed;
        self.sets_changed += other.sets_changed;
        self.ttls_changed += other.ttls_changed;
        self.records_added += other.records_added;
        self.records_removed += other.records_removed;
    }
}

/// Compares two zone files. `render` makes the text of a change, side by side; `write` takes it in canonical order.
///
/// # Errors
/// [`Error::Zone`] for a file that cannot be read, and what `write` says.
pub fn diff_zones(
    config: &DiffConfig,
    render: &(dyn Fn(&SetChange<'_>, &mut Vec<u8>) + Sync),
    write: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<DiffReport, Error> {
    let pool = thread_pool(config.threads)?;
    let load = |path| load(path, &config.load);
    let (old, new) = pool.install(|| rayon::join(|| load(&config.old), || load(&config.new)));
    let (old, new) = (old?, new?);
    // The larger one is cut evenly.
    let larger = if old.records > new.records { &old } else { &new };
    let partitions = Partitions::new(&larger.runs, config.load.origin.borrow(), PartitionSize::default());
    let compare = |index| {
        let (mut left, mut right) = (NodeList::new(), NodeList::new());
        partitions.load_from(&old.runs, index, &mut left);
        partitions.load_from(&new.runs, index, &mut right);
        let mut comparison = Comparison {
            ignored: &config.ignored,
            render,
            text: Vec::new(),
            report: DiffReport::default(),
        };
        comparison.walk(&left, &right);
        (comparison.text, comparison.report)
    };
    let mut report = DiffReport::default();
    in_order(&pool, partitions.len(), compare, |(text, part)| {
        report.add(part);
        if text.is_empty() { Ok(()) } else { write(&text) }
    })?;
    old.check_unchanged()?;
    new.check_unchanged()?;
    Ok(report)
}

/// The comparison of one range of names.
struct Comparison<'c> {
    ignored: &'c Ignored,
    render: &'c (dyn Fn(&SetChange<'_>, &mut Vec<u8>) + Sync),
    text: Vec<u8>,
    report: DiffReport,
}

/// A set's type and what its signatures cover, or 0.
type SetKey = (RecordType, u16);

/// A record and the set that it belongs to.
type Keyed<'n> = (SetKey, RecordRef<'n>);

impl Comparison<'_> {
    fn walk(&mut self, left: &NodeList<'_>, right: &NodeList<'_>) {
        let (mut left_nodes, mut right_nodes) = (left.iter().peekable(), right.iter().peekable());
        loop {
            let order = match (left_nodes.peek(), right_nodes.peek()) {
                (None, None) => return,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(one), Some(other)) => one.key.cmp(other.key),
            };
            let old = if order.is_le() { left_nodes.next() } else { None };
            let new = if order.is_ge() { right_nodes.next() } else { None };
            match (&old, &new) {
                (Some(old), Some(new)) if has_same_bytes(old, new) => {}
                _ => self.compare(old.as_ref(), new.as_ref()),
            }
        }
    }

    fn compare(&mut self, old: Option<&Node<'_>>, new: Option<&Node<'_>>) {
        let Some(owner) = old.or(new).map(|node| node.owner) else {
            return;
        };
        let (old, new) = (self.sets(old), self.sets(new));
        let (mut left, mut right) = (old.as_slice(), new.as_slice());
        while let Some(key) = left.iter().chain(right).map(|(key, _)| *key).min() {
            let (in_old, in_new);
            (in_old, left) = split_set(left, key);
            (in_new, right) = split_set(right, key);
            self.compare_set(owner, key, in_old, in_new);
        }
    }

    /// A node's records by set.
    fn sets<'n>(&self, node: Option<&Node<'n>>) -> Vec<Keyed<'n>> {
        let records = node.map_or(&[][..], |node| node.records).iter();
        let wanted = records.filter(|record| !self.ignored.types.contains(&record.rtype));
        let mut keyed: Vec<_> = wanted
            .map(|record| {
                let covered = match (record.rtype, record.rdata) {
                    (RecordType::RRSIG, &[high, low, ..]) => u16::from_be_bytes([high, low]),
                    _ => 0,
                };
                ((record.rtype, covered), *record)
            })
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        keyed
    }

    fn compare_set(&mut self, owner: NameRef<'_>, (rtype, covered): SetKey, old: &[Keyed<'_>], new: &[Keyed<'_>]) {
        let ttl = |set: &[Keyed<'_>]| set.iter().map(|(_, record)| record.ttl).min();
        let (old_records, new_records) = (self.canonical(old), self.canonical(new));
        let only = |one: &[(Vec<u8>, &'_ [u8])], other: &[(Vec<u8>, &'_ [u8])]| -> Vec<usize> {
            let missing = |at: &usize| other.binary_search_by(|known| known.0.cmp(&one[*at].0)).is_err();
            (0..one.len()).filter(missing).collect()
        };
        let removed = only(&old_records, &new_records);
        let added = only(&new_records, &old_records);
        let change = SetChange {
            owner,
            rtype,
            covered: (rtype == RecordType::RRSIG).then_some(RecordType(covered)),
            old_ttl: ttl(old),
            new_ttl: ttl(new),
            kept: old_records.len() - removed.len(),
            removed: removed.into_iter().map(|at| old_records[at].1).collect(),
            added: added.into_iter().map(|at| new_records[at].1).collect(),
        };
        let same_ttl = change.old_ttl == change.new_ttl || self.ignored.ttl;
        if change.removed.is_empty() && change.added.is_empty() && same_ttl {
            return;
        }
        self.report.count(&change);
        (self.render)(&change, &mut self.text);
    }

    /// Records by their canonical form, equal ones once, with what is no difference taken off.
    fn canonical<'n>(&self, set: &[Keyed<'n>]) -> Vec<(Vec<u8>, &'n [u8])> {
        let mut records: Vec<_> = set
            .iter()
            .map(|(_, record)| {
                let mut bytes = Vec::with_capacity(record.rdata.len());
                write_canonical(record.rtype, record.rdata, &mut bytes);
                if self.ignored.soa_serial
                    && record.rtype == RecordType::SOA
                    && let Some(numbers) = bytes.last_chunk_mut::<20>()
                {
                    numbers[..4].fill(0);
                }
                (bytes, record.rdata)
            })
            .collect();
        records.sort();
        records.dedup_by(|later, kept| later.0 == kept.0);
        records
    }
}

/// The records of one set at the start, and the rest.
fn split_set<'s, 'n>(records: &'s [Keyed<'n>], key: SetKey) -> (&'s [Keyed<'n>], &'s [Keyed<'n>]) {
    let length = records.iter().take_while(|(of, _)| *of == key).count();
    records.split_at(length)
}

/// Whether two nodes have the same records in the same order: nearly all do.
fn has_same_bytes(old: &Node<'_>, new: &Node<'_>) -> bool {
    let same = |(one, other): (&RecordRef<'_>, &RecordRef<'_>)| {
        one.rtype == other.rtype && one.ttl == other.ttl && one.rdata == other.rdata
    };
    old.records.len() == new.records.len() && old.records.iter().zip(new.records).all(same)
}
