//! The nodes of a range of keys, made at once: what each run has there is walked from front to back, and the owners found are
//! sorted by their keys. It costs the same however many runs there are. Nodes one after another are `merge`'s.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dnssec_sign::{NameRef, NodeList};

use crate::merge::{Nodes, push_node};
use crate::order::{Slot, sort};
use crate::run::{Packed, Run, key_prefix};

/// Ranges of keys that cover the runs of a zone, taken in any order and side by side, best in ascending order.
#[derive(Debug)]
pub struct Ranges<'r> {
    runs: &'r [Run],
    origin: NameRef<'r>,
    keys: Vec<Vec<u8>>,
    /// Where each run goes on behind the ranges, as far as it was left by who took the one and not taken by who takes the next.
    ends: Vec<Mutex<Option<Box<[usize]>>>>,
}

impl<'r> Ranges<'r> {
    /// The ranges between `keys`, which are ascending and relative to `origin` as the runs are: one below the first, one from each on.
    #[must_use]
    pub fn new(runs: &'r [Run], origin: NameRef<'r>, keys: Vec<Vec<u8>>) -> Self {
        Self {
            runs,
            origin,
            ends: keys.iter().map(|_| Mutex::new(None)).collect(),
            keys,
        }
    }

    /// How many there are; at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.keys.len() + 1
    }

    /// The runs.
    #[must_use]
    pub fn runs(&self) -> &'r [Run] {
        self.runs
    }

    /// What the keys are relative to.
    #[must_use]
    pub fn origin(&self) -> NameRef<'r> {
        self.origin
    }

    /// The key that range `index` begins at; empty for the first one.
    #[must_use]
    pub fn lower(&self, index: usize) -> &[u8] {
        index
            .checked_sub(1)
            .and_then(|before| self.keys.get(before))
            .map_or(&[], Vec::as_slice)
    }

    /// The key that ends it; `None` for the last one.
    #[must_use]
    pub fn upper(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(Vec::as_slice)
    }

    /// Appends the nodes of range `index` to `out`.
    pub fn merge(&self, index: usize, out: &mut NodeList<'r>) {
        let (lower, upper) = (self.lower(index), self.upper(index));
        let left = index.checked_sub(1).and_then(|before| self.end(before).take());
        let ends = match left {
            Some(starts) => gather(self.runs, self.origin, starts.iter().copied(), lower, upper, out),
            None => gather(self.runs, self.origin, starts(self.runs, lower), lower, upper, out),
        };
        if upper.is_some() {
            *self.end(index) = Some(ends);
        }
    }

    /// The nodes behind range `index`; none behind the last one.
    #[must_use]
    pub fn nodes_behind(&self, index: usize) -> Nodes<'r> {
        let upper = self.upper(index);
        let ends = upper.and_then(|_| self.end(index).clone());
        match (upper, ends) {
            (_, Some(ends)) => Nodes::new(self.runs, self.origin, ends.iter().copied()),
            (Some(upper), None) => Nodes::new(self.runs, self.origin, starts(self.runs, upper)),
            (None, None) => Nodes::new(&[], self.origin, std::iter::empty()),
        }
    }

    fn end(&self, index: usize) -> MutexGuard<'_, Option<Box<[usize]>>> {
        self.ends[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An owner in a run.
#[derive(Debug, Clone, Copy)]
struct Place<'r> {
    run: &'r Run,
    at: usize,
}

impl<'r> Place<'r> {
    fn owner(self) -> Option<Packed<'r>> {
        self.run.owner_at(self.at).map(|(packed, _)| packed)
    }
}

/// Where the owners with keys from `lower` on begin in each run.
pub(crate) fn starts(runs: &[Run], lower: &[u8]) -> impl Iterator<Item = usize> {
    runs.iter()
        .map(move |run| if lower.is_empty() { 0 } else { run.seek(lower) })
}

/// Appends to `out` the nodes with keys from `lower` on (empty: from the apex) and below `upper` (`None`: to the end).
/// The runs are in the order of the input and hold names relative to `origin`.
pub fn merge_range<'r>(
    runs: &'r [Run],
    origin: NameRef<'_>,
    lower: &[u8],
    upper: Option<&[u8]>,
    out: &mut NodeList<'r>,
) {
    gather(runs, origin, starts(runs, lower), lower, upper, out);
}

/// The same from these places in the runs on, which are those of `lower`. Returns the places of `upper`.
fn gather<'r>(
    runs: &'r [Run],
    origin: NameRef<'_>,
    starts: impl Iterator<Item = usize>,
    lower: &[u8],
    upper: Option<&[u8]>,
    out: &mut NodeList<'r>,
) -> Box<[usize]> {
    // All keys between two begin as both do, and are sorted by what comes behind that.
    let depth = upper.map_or(0, |upper| {
        lower.iter().zip(upper).take_while(|(one, other)| one == other).count()
    });
    let end = upper.map(|upper| (key_prefix(upper), upper));
    let is_behind = |key: &[u8]| {
        end.is_some_and(|(end, upper)| {
            let prefix = key_prefix(key);
            prefix > end || prefix == end && key >= upper
        })
    };
    let (mut places, mut slots) = (Vec::new(), Vec::new());
    let mut sorted = true;
    let mut ends = Vec::with_capacity(runs.len());
    for (run, start) in runs.iter().zip(starts) {
        let mut at = start;
        let before = places.len();
        while let Some((packed, next)) = run.owner_at(at) {
            if is_behind(packed.key) {
                break;
            }
            let prefix = key_prefix(packed.key.get(depth..).unwrap_or_default());
            slots.push(Slot::new(prefix, places.len()));
            places.push(Place { run, at });
            at = next;
        }
        sorted &= before == 0 || before == places.len();
        ends.push(at);
    }
    let owner = |number: usize| places[number].owner();
    if !sorted {
        sort(&mut slots, depth, &|number| {
            owner(number).map_or(&[], |packed| packed.key)
        });
    }
    let mut gathered = Vec::new();
    let mut owners = slots.iter().filter_map(|slot| owner(slot.number())).peekable();
    while let Some(packed) = owners.next() {
        let more = std::iter::from_fn(|| owners.next_if(|next| next.key == packed.key));
        push_node(packed, more, origin, &mut gathered, out);
    }
    ends.into()
}
