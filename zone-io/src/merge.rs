//! From sorted runs to nodes, one after another: all records of one owner together, whichever runs hold them; and keys that
//! cut the runs into ranges, which `range` takes at once. Nodes borrow from the runs; nothing is copied but owners and
//! record headers.
//!
//! Records of one owner and type come in the order of the runs and, within a run, of the input: so runs given in
//! the order of the input make the same nodes however the input was cut.

use std::cmp::Ordering;

use dnssec_sign::{Name, NameRef, Node, NodeList, RecordRef};

use crate::range::starts;
use crate::run::{Packed, Run, key_prefix};

/// Fewer samples than this a partition make its size a matter of luck.
const SAMPLES_PER_PARTITION: usize = 32;

/// Keys, relative to the origin and strictly ascending, that cut the runs into partitions of about
/// `target_records_per_partition` records: one partition below the first key, one from each key on.
/// No owner is divided, and where it can be a key is a name directly below the apex, with all that is below it in
/// one partition. A target of 0 makes each owner its own partition.
#[must_use]
pub fn splitters(runs: &[Run], target_records_per_partition: usize) -> Vec<Vec<u8>> {
    if target_records_per_partition == 0 {
        return every_owner(runs);
    }
    let target = target_records_per_partition;
    let records: usize = runs.iter().map(Run::len).sum();
    let partitions = records / target;
    if partitions < 2 {
        return Vec::new();
    }
    let samples: usize = runs.iter().map(Run::sample_count).sum();
    let stride = samples / partitions / SAMPLES_PER_PARTITION;
    let mut samples: Vec<(&[u8], usize)> = runs.iter().flat_map(|run| run.samples(stride)).collect();
    samples.sort_unstable();

    let mut keys = Vec::with_capacity(partitions);
    let mut records = 0;
    let mut previous: &[u8] = &[];
    for (key, weight) in samples {
        // The shortest name above the sample that is not above the one before it.
        let common = previous.iter().zip(key).take_while(|(one, other)| one == other).count();
        let label_end = key[common..].iter().position(|&byte| byte == 0);
        if let Some(length) = label_end {
            let cut = &key[..=common + length];
            let below_apex = cut.iter().filter(|&&byte| byte == 0).count() == 1;
            if records >= 2 * target || records >= target && below_apex {
                keys.push(cut.to_vec());
                records = 0;
            }
        }
        records += weight;
        previous = key;
    }
    keys
}

fn every_owner(runs: &[Run]) -> Vec<Vec<u8>> {
    let mut merge = Merge::new(runs, starts(runs, &[]));
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut last = None;
    while let Some(packed) = merge.next_packed() {
        if last.is_some_and(|last| last != packed.key) {
            keys.push(packed.key.to_vec());
        }
        last = Some(packed.key);
    }
    keys
}

/// Appends the node with exactly this key, relative to the origin, to `out`; `false` when no record has that owner.
///
/// ```
/// use dnssec_sign::{Name, NodeList, RecordType};
/// use zone_io::{ZoneBuilder, lookup};
///
/// let origin: Name = "example.".parse()?;
/// let mut builder = ZoneBuilder::new(origin.clone());
/// builder.push_text("www 300 A 192.0.2.1\nwww 300 AAAA 2001:db8::1")?;
/// let zone = builder.finish();
///
/// let wanted: Name = "WWW.example.".parse()?;
/// let mut found = NodeList::new();
/// assert!(lookup(&zone.runs, origin.borrow(), &wanted.key()[origin.key().len()..], &mut found));
/// assert_eq!(found.node(0).set(RecordType::AAAA).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lookup<'r>(runs: &'r [Run], origin: NameRef<'_>, key: &[u8], out: &mut NodeList<'r>) -> bool {
    let mut merge = Merge::empty();
    for run in runs {
        let at = run.seek(key);
        if let Some((packed, next)) = run.owner_at(at)
            && packed.key == key
        {
            merge.add(run, at, next);
        }
    }
    merge.next_node(origin, out)
}

/// Nodes one after another, made as they are asked for.
#[derive(Debug)]
pub struct Nodes<'r> {
    merge: Merge<'r>,
    origin: Name,
    list: NodeList<'r>,
}

/// The nodes with keys from `key` on.
#[must_use]
pub fn nodes_from<'r>(runs: &'r [Run], origin: NameRef<'_>, key: &[u8]) -> Nodes<'r> {
    Nodes::new(runs, origin, starts(runs, key))
}

impl<'r> Nodes<'r> {
    /// From these places in the runs on.
    pub(crate) fn new(runs: &'r [Run], origin: NameRef<'_>, starts: impl Iterator<Item = usize>) -> Self {
        Self {
            merge: Merge::new(runs, starts),
            origin: origin.to_name(),
            list: NodeList::new(),
        }
    }

    /// The next node in canonical order; it is lent until the one after it is asked for.
    pub fn next_node(&mut self) -> Option<Node<'_>> {
        self.list.clear();
        self.merge
            .next_node(self.origin.borrow(), &mut self.list)
            .then(|| self.list.node(0))
    }
}

/// The state of a merge: where each run stands, and a heap of the runs by the key they stand at.
#[derive(Debug)]
struct Merge<'r> {
    heads: Vec<Head<'r>>,
    heap: Vec<Key>,
    /// The records of an owner that several runs hold.
    gathered: Vec<RecordRef<'r>>,
}

/// A run's next owner.
#[derive(Debug)]
struct Head<'r> {
    packed: Packed<'r>,
    run: &'r Run,
    next: usize,
    end: usize,
}

/// The heap's entry for a head: enough of its key to order most pairs.
#[derive(Debug, Clone, Copy)]
struct Key {
    prefix: u64,
    head: usize,
}

impl<'r> Merge<'r> {
    fn empty() -> Self {
        Self {
            heads: Vec::new(),
            heap: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// At these places in the runs.
    fn new(runs: &'r [Run], starts: impl Iterator<Item = usize>) -> Self {
        let mut merge = Self::empty();
        merge.heads.reserve(runs.len());
        merge.heap.reserve(runs.len());
        for (run, start) in runs.iter().zip(starts) {
            merge.add(run, start, usize::MAX);
        }
        merge
    }

    /// Adds the owners of a run that start at `start` and before `end`.
    fn add(&mut self, run: &'r Run, start: usize, end: usize) {
        if start >= end {
            return;
        }
        if let Some((packed, next)) = run.owner_at(start) {
            let head = self.heads.len();
            self.heads.push(Head { packed, run, next, end });
            self.heap.push(Key {
                prefix: key_prefix(packed.key),
                head,
            });
            self.sift_up(self.heap.len() - 1);
        }
    }

    /// Whether `one` comes before `other`: by key, then by the order of the runs.
    fn is_less(&self, one: Key, other: Key) -> bool {
        one.prefix
            .cmp(&other.prefix)
            .then_with(|| {
                let (one, other) = (&self.heads[one.head], &self.heads[other.head]);
                one.packed.key.cmp(other.packed.key)
            })
            .then(one.head.cmp(&other.head))
            == Ordering::Less
    }

    /// The next owner of any one run.
    fn next_packed(&mut self) -> Option<Packed<'r>> {
        let head = self.heap.first()?.head;
        let head = &mut self.heads[head];
        let packed = head.packed;
        let following = (head.next < head.end).then(|| head.run.owner_at(head.next)).flatten();
        if let Some((packed, next)) = following {
            head.packed = packed;
            head.next = next;
            self.heap[0].prefix = key_prefix(packed.key);
        } else {
            self.heap.swap_remove(0);
        }
        self.sift_down();
        Some(packed)
    }

    /// Brings the first entry of the heap to its place: down to a leaf along the lesser children, and up again from there.
    /// A run's next owner mostly belongs far down, so that this takes about one comparison a level and not two.
    fn sift_down(&mut self) {
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            let child = match (self.heap.get(left), self.heap.get(left + 1)) {
                (Some(&one), Some(&other)) => left + usize::from(self.is_less(other, one)),
                (Some(_), None) => left,
                (None, _) => break,
            };
            self.heap.swap(at, child);
            at = child;
        }
        self.sift_up(at);
    }

    fn sift_up(&mut self, mut at: usize) {
        while at > 0 && self.is_less(self.heap[at], self.heap[(at - 1) / 2]) {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /// Appends the next node; `false` when there is none.
    fn next_node(&mut self, origin: NameRef<'_>, out: &mut NodeList<'r>) -> bool {
        let Some(packed) = self.next_packed() else {
            return false;
        };
        let mut gathered = std::mem::take(&mut self.gathered);
        let more = std::iter::from_fn(|| self.stands_at(packed.key).then(|| self.next_packed()).flatten());
        push_node(packed, more, origin, &mut gathered, out);
        self.gathered = gathered;
        true
    }

    fn stands_at(&self, key: &[u8]) -> bool {
        self.heap
            .first()
            .is_some_and(|first| self.heads[first.head].packed.key == key)
    }
}

/// Appends the node of the owner `packed` and of what other runs have of it, in their order. `gathered` is memory to use.
pub(crate) fn push_node<'r>(
    packed: Packed<'r>,
    mut more: impl Iterator<Item = Packed<'r>>,
    origin: NameRef<'_>,
    gathered: &mut Vec<RecordRef<'r>>,
    out: &mut NodeList<'r>,
) {
    match packed.written {
        Some(owner) => out.start_node_as(packed.key, owner),
        None => out.start_node(packed.key, origin),
    }
    let Some(second) = more.next() else {
        packed.records().for_each(|record| out.push(record));
        return;
    };
    gathered.clear();
    gathered.extend([packed, second].into_iter().chain(more).flat_map(Packed::records));
    gathered.sort_by_key(|record| record.rtype);
    gathered.iter().for_each(|record| out.push(*record));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::range::{Ranges, merge_range};
    use crate::run::{INHERITED, RunBuilder};
    use dnssec_sign::RecordType;
    use proptest::prelude::*;

    /// A record as a test states it: owner text, type, one byte of RDATA. TTL and line follow from its place.
    type Stated = (String, u16, u8);

    fn origin() -> Name {
        "Zone.test.".parse().unwrap()
    }

    /// Runs of the records, cut behind the given places.
    fn runs(records: &[Stated], cuts: &[usize]) -> Vec<Run> {
        let origin = origin();
        let mut runs = Vec::new();
        let mut builder = RunBuilder::new(origin.borrow(), 7);
        let mut first = 0;
        for (at, (owner, rtype, byte)) in records.iter().enumerate() {
            let owner = Name::parse(owner, Some(origin.borrow())).unwrap();
            let line = u32::try_from(at - first).unwrap();
            let rtype = RecordType(*rtype);
            builder.push(owner.borrow(), rtype, 60, &[*byte], line);
            if cuts.contains(&at) {
                let next = RunBuilder::new(origin.borrow(), 7);
                let full = std::mem::replace(&mut builder, next);
                runs.push(full.finish(u32::try_from(first).unwrap()));
                first = at + 1;
            }
        }
        runs.push(builder.finish(u32::try_from(first).unwrap()));
        runs
    }

    /// What a list says: key, owner in wire form, and each record's type, RDATA and line.
    type Listed = Vec<(Vec<u8>, Vec<u8>, Vec<(u16, Vec<u8>, u32)>)>;

    fn listed(list: &NodeList<'_>) -> Listed {
        let record = |record: &RecordRef<'_>| {
            assert_eq!((record.ttl, record.locus.source), (60, 7));
            (record.rtype.0, record.rdata.to_vec(), record.locus.line)
        };
        list.iter()
            .map(|node| {
                let records = node.records.iter().map(record).collect();
                (node.key.to_vec(), node.owner.wire().to_vec(), records)
            })
            .collect()
    }

    /// The same by sorting everything at once.
    fn sorted(records: &[Stated]) -> Listed {
        let origin = origin();
        let skip = origin.key().len();
        let mut all: Vec<_> = records
            .iter()
            .enumerate()
            .map(|(line, (owner, rtype, byte))| {
                let owner = Name::parse(owner, Some(origin.borrow())).unwrap();
                (owner.key().split_off(skip), *rtype, line, owner, *byte)
            })
            .collect();
        all.sort_by(|one, other| (&one.0, one.1, one.2).cmp(&(&other.0, other.1, other.2)));
        let mut list: Listed = Vec::new();
        for same in all.chunk_by(|one, other| one.0 == other.0) {
            let first = same.iter().min_by_key(|record| record.2).unwrap();
            let records = same
                .iter()
                .map(|record| (record.1, vec![record.4], u32::try_from(record.2).unwrap()))
                .collect();
            list.push((same[0].0.clone(), first.3.borrow().wire().to_vec(), records));
        }
        list
    }

    fn records() -> impl Strategy<Value = Vec<Stated>> {
        let label = prop_oneof!["[abAB]{1,2}", "host-00000[0-9]{1,2}", "\\\\00[0-3]", "\\*"];
        let owner = prop_oneof![
            1 => Just("@".to_string()),
            9 => prop::collection::vec(label, 1..4).prop_map(|labels| labels.join(".")),
        ]
        .prop_map(|owner| match owner.as_str() {
            "@" => "zone.TEST.".to_string(),
            _ => owner,
        });
        prop::collection::vec((owner, 1u16..5, any::<u8>()), 0..200)
    }

    proptest! {
        #[test]
        fn runs_cut_anywhere_merge_to_the_sort_of_all(
            records in records(),
            cuts in prop::collection::vec(0usize..200, 0..8),
        ) {
            let runs = runs(&records, &cuts);
            let mut list = NodeList::new();
            merge_range(&runs, origin().borrow(), &[], None, &mut list);
            prop_assert_eq!(listed(&list), sorted(&records));
        }

        #[test]
        fn partitions_together_are_the_whole(
            records in records(),
            cuts in prop::collection::vec(0usize..200, 0..4),
            target in 0usize..60,
        ) {
            let origin = origin();
            let runs = runs(&records, &cuts);
            let keys = splitters(&runs, target);
            prop_assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(keys.first().is_none_or(|key| !key.is_empty()));
            let mut whole = NodeList::new();
            let mut lower: &[u8] = &[];
            for upper in keys.iter().map(|key| Some(key.as_slice())).chain([None]) {
                let before = whole.len();
                merge_range(&runs, origin.borrow(), lower, upper, &mut whole);
                if target == 0 && !records.is_empty() {
                    prop_assert_eq!(whole.len(), before + 1);
                }
                lower = upper.unwrap_or_default();
            }
            prop_assert_eq!(listed(&whole), sorted(&records));

            // The ranges are the same in any order, and each knows what is behind it.
            let ranges = Ranges::new(&runs, origin.borrow(), keys);
            let order = (0..ranges.len()).chain((0..ranges.len()).rev());
            let mut parts = vec![Vec::new(); ranges.len()];
            for index in order {
                let mut list = NodeList::new();
                ranges.merge(index, &mut list);
                parts[index] = listed(&list);
                let behind = ranges.nodes_behind(index).next_node().map(|node| node.key.to_vec());
                let mut all = whole.iter().map(|node| node.key.to_vec());
                let first = ranges.upper(index).and_then(|upper| all.find(|key| &**key >= upper));
                prop_assert_eq!(behind, first);
            }
            prop_assert_eq!(parts.concat(), listed(&whole));
        }

        #[test]
        fn nodes_are_found_by_key(records in records(), cuts in prop::collection::vec(0usize..200, 0..4)) {
            let origin = origin();
            let runs = runs(&records, &cuts);
            let all = sorted(&records);
            for (at, node) in all.iter().enumerate() {
                let mut list = NodeList::new();
                prop_assert!(lookup(&runs, origin.borrow(), &node.0, &mut list));
                prop_assert_eq!(&listed(&list)[..], &all[at..=at]);
                let mut nodes = nodes_from(&runs, origin.borrow(), &node.0);
                for expected in all[at..].iter().take(3) {
                    let found = nodes.next_node().unwrap();
                    prop_assert_eq!(found.key, &expected.0[..]);
                    prop_assert_eq!(found.records.len(), expected.2.len());
                }
            }
            let mut list = NodeList::new();
            prop_assert!(!lookup(&runs, origin.borrow(), b"zz-not-there\0", &mut list));
            prop_assert!(list.is_empty());
            prop_assert!(nodes_from(&runs, origin.borrow(), b"zz-not-there\0").next_node().is_none());
        }
    }

    #[test]
    fn borders_stand_directly_below_the_apex_where_they_can() {
        let mut flat = Vec::new();
        let mut deep = Vec::new();
        for number in 0..5000 {
            flat.push((format!("ns.name-{number:05}"), 1, 0));
            flat.push((format!("name-{number:05}"), 2, 0));
            deep.push((format!("x{number:05}.one"), 1, 0));
        }
        let keys = splitters(&runs(&flat, &[2000, 7000]), 1000);
        assert!((8..=10).contains(&keys.len()), "{}", keys.len());
        assert!(
            keys.iter()
                .all(|key| key.iter().filter(|&&byte| byte == 0).count() == 1)
        );
        let keys = splitters(&runs(&deep, &[2000]), 500);
        assert!((4..=9).contains(&keys.len()), "{}", keys.len());
        assert!(splitters(&[], 10).is_empty());
    }

    #[test]
    fn inherited_ttls_and_first_lines_are_set_later() {
        let origin = origin();
        let mut builder = RunBuilder::new(origin.borrow(), 0);
        for (owner, ttl) in [
            ("b.zone.test.", INHERITED),
            ("a.zone.test.", INHERITED),
            ("zone.test.", 7),
        ] {
            let owner: Name = owner.parse().unwrap();
            builder.push(owner.borrow(), RecordType::A, ttl, &[1, 2, 3, 4], 0);
        }
        let mut run = builder.finish(1);
        run.set_inherited_ttl(9);
        run.set_first_line(5);
        let runs = [run];
        let mut list = NodeList::new();
        merge_range(&runs, origin.borrow(), &[], None, &mut list);
        let ttls: Vec<_> = list
            .iter()
            .map(|node| (node.records[0].ttl, node.records[0].locus.line))
            .collect();
        assert_eq!(ttls, [(7, 5), (9, 5), (9, 5)]);
    }

    #[test]
    fn a_run_is_smaller_than_its_bound() {
        let origin: Name = "zone.test.".parse().unwrap();
        let mut builder = RunBuilder::new(origin.borrow(), 0);
        for number in 0..10_000u32 {
            let owner = Name::parse(&format!("host-{:06}", number * 7919 % 10_000), Some(origin.borrow())).unwrap();
            builder.push(owner.borrow(), RecordType::A, 60, &number.to_be_bytes(), number);
        }
        let run = builder.finish(1);
        assert_eq!((run.len(), run.owners()), (10_000, 10_000));
        assert!(run.memory() / run.len() <= 40, "{}", run.memory());
    }
}
