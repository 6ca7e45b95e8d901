//! The zone cut into partitions by ranges of owner names, and what each must know of its neighbours. What
//! crosses a border is looked up in the runs, never guessed, so results do not depend on where borders lie.

use dnssec_sign::{Border, CutTracker, Name, NameRef, NodeList, cut_above, cut_at};
use zone_io::{Ranges, Run, lookup, merge_range, splitters};

use crate::config::PartitionSize;

/// Partitions of fewer records than this were asked for on purpose.
const LEAST_SPREAD: usize = 4096;
/// So many records of a partition for each run, so that what a run has there fills more than a few lines of a processor's cache.
const RECORDS_PER_RUN: usize = 16;

/// Ranges of relative keys that cover a zone, in canonical order.
pub(crate) struct Partitions<'r> {
    ranges: Ranges<'r>,
}

/// What lies beyond a partition's two ends.
pub(crate) struct Neighbours {
    cut: Option<Vec<u8>>,
    next_owner: Option<Name>,
}

impl Neighbours {
    pub(crate) fn border(&self) -> Border<'_> {
        Border {
            cut: self.cut.as_deref(),
            next_owner: self.next_owner.as_ref().map(Name::borrow),
        }
    }

    /// The key of the cut in force where the partition begins.
    pub(crate) fn cut(&self) -> Option<&[u8]> {
        self.cut.as_deref()
    }
}

impl<'r> Partitions<'r> {
    pub(crate) fn new(runs: &'r [Run], origin: NameRef<'r>, size: PartitionSize) -> Self {
        let target = match size {
            // Each partition goes to a place in every run: what that costs is spread over enough records.
            PartitionSize::Records(records) if records >= LEAST_SPREAD => records.max(RECORDS_PER_RUN * runs.len()),
            PartitionSize::Records(records) => records.max(1),
            PartitionSize::EveryOwner => 0,
        };
        Self {
            ranges: Ranges::new(runs, origin, splitters(runs, target)),
        }
    }

    /// How many there are; at least one.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The key that partition `index` begins at.
    pub(crate) fn lower(&self, index: usize) -> &[u8] {
        self.ranges.lower(index)
    }

    /// The key that ends it; `None` for the last one.
    pub(crate) fn upper(&self, index: usize) -> Option<&[u8]> {
        self.ranges.upper(index)
    }

    /// Brings the nodes of partition `index` into `nodes`, in place of those that were there.
    pub(crate) fn load(&self, index: usize, nodes: &mut NodeList<'r>) {
        nodes.clear();
        self.ranges.merge(index, nodes);
    }

    /// Brings the nodes that other runs of the zone have in the range of partition `index` into `nodes`.
    pub(crate) fn load_from(&self, runs: &'r [Run], index: usize, nodes: &mut NodeList<'r>) {
        nodes.clear();
        merge_range(runs, self.ranges.origin(), self.lower(index), self.upper(index), nodes);
    }

    /// The same, and what partition `index` must know of its neighbours.
    pub(crate) fn load_with_neighbours(&self, index: usize, nodes: &mut NodeList<'r>) -> Neighbours {
        self.load(index, nodes);
        Neighbours {
            cut: self.cut(index),
            next_owner: self.first_behind(index),
        }
    }

    /// The key of the cut in force where partition `index` begins.
    pub(crate) fn cut(&self, index: usize) -> Option<Vec<u8>> {
        self.cut_at(self.lower(index))
    }

    /// The cut above a key. An ancestor of any owner at or behind the key that lies before it is the key's ancestor too.
    fn cut_at(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut found = NodeList::new();
        cut_above(key, |ancestor| {
            found.clear();
            lookup(self.ranges.runs(), self.ranges.origin(), ancestor, &mut found)
                .then(|| cut_at(&found.node(0)))
                .flatten()
        })
        .map(<[u8]>::to_vec)
    }

    /// The first owner behind partition `index` that is authoritative or a delegation.
    fn first_behind(&self, index: usize) -> Option<Name> {
        let upper = self.upper(index)?;
        let mut nodes = self.ranges.nodes_behind(index);
        let mut tracker = CutTracker::new();
        tracker.restart(self.cut_at(upper).as_deref());
        while let Some(node) = nodes.next_node() {
            if tracker.standing(&node).is_in_zone() {
                return Some(node.owner.to_name());
            }
        }
        None
    }
}
