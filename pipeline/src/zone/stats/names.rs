//! Sorted prints into names: which exist, which stand below cuts, which sets there are and which of them are signed.
//! Names are known by print, depth and the print of the name above; that is all that the questions need.

use dnssec_sign::RecordType;
use serde::Serialize;

use super::types::TypeTable;

/// One set at one name, or one name that has owners below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    print: u64,
    above: u64,
    rtype: u16,
    covered: u16,
    depth: u8,
    wildcard: bool,
}

impl Entry {
    pub(super) fn set(print: u64, above: u64, depth: usize, wildcard: bool, set: (RecordType, u16)) -> Self {
        let (rtype, covered) = set;
        Self {
            print,
            above,
            rtype: rtype.0,
            covered,
            depth: u8::try_from(depth).unwrap_or(u8::MAX),
            wildcard,
        }
    }

    /// Type 0 is none that a record can have.
    pub(super) fn ancestor(print: u64, above: u64, depth: usize) -> Self {
        Self::set(print, above, depth, false, (RecordType(0), 0))
    }

    /// Entries of one name are together, and those of one set.
    pub(super) fn order(&self) -> (u64, u32) {
        (self.print, u32::from(self.rtype) << 16 | u32::from(self.covered))
    }

    fn is(&self, rtype: RecordType) -> bool {
        self.rtype == rtype.0
    }
}

/// Delegations by whether the parent vouches for the child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Delegations {
    /// All of them.
    pub total: u64,
    /// Those with DS records.
    pub secure: u64,
    /// Those without.
    pub insecure: u64,
}

/// How much of the zone is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Signed {
    /// The sets that the zone's keys have to sign: all but those below cuts, and the NS sets at delegations.
    pub sets: u64,
    /// Those that have a signature.
    pub signed: u64,
    /// The second number as a share of the first; 0 when there is none.
    pub share: f64,
}

/// Names of one depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// Labels below the apex.
    pub labels: usize,
    /// Owner names with so many.
    pub names: u64,
}

/// A name: an owner, or a name with owners below it.
#[derive(Debug, Clone, Copy)]
struct Place {
    print: u64,
    above: u64,
    first: u32,
    depth: u8,
    cut: bool,
    occluded: bool,
}

/// All names, in the order of their prints.
pub(super) struct Names {
    places: Vec<Place>,
    /// Where the prints with so many leading bits begin.
    starts: Vec<u32>,
    shift: u32,
    apex: u64,
}

/// What the names of a zone give.
#[derive(Debug, Default)]
pub(super) struct NameCounts {
    pub(super) names: u64,
    pub(super) hashed_names: u64,
    pub(super) empty_non_terminals: u64,
    pub(super) wildcards: u64,
    pub(super) names_below_cuts: u64,
    pub(super) delegations: Delegations,
    pub(super) dnames: u64,
    pub(super) signed: Signed,
    pub(super) depth: Vec<Depth>,
}

impl Names {
    /// The names that sorted entries speak of; a zone has less than 2^32 sets.
    pub(super) fn from_sorted(entries: &[Entry], apex: u64) -> Self {
        let mut places: Vec<Place> = Vec::with_capacity(entries.len());
        for (first, entry) in entries.iter().enumerate() {
            let cut = entry.is(RecordType::DNAME) || entry.is(RecordType::NS) && entry.depth > 0;
            match places.last_mut() {
                Some(last) if last.print == entry.print => last.cut |= cut,
                _ => places.push(Place {
                    print: entry.print,
                    above: entry.above,
                    first: u32::try_from(first).unwrap_or(u32::MAX),
                    depth: entry.depth,
                    cut,
                    occluded: false,
                }),
            }
        }
        // One or two names for each start.
        let bits = places.len().max(2).ilog2();
        let shift = 64 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for place in &places {
            starts[bucket(place.print, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut names = Self {
            places,
            starts,
            shift,
            apex,
        };
        names.occlude();
        names
    }

    fn find(&self, print: u64) -> Option<&Place> {
        let bucket = bucket(print, self.shift);
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        self.places[start..end].iter().find(|place| place.print == print)
    }

    /// Finds what stands below a cut, from the names directly below the apex on.
    fn occlude(&mut self) {
        let apex_cut = self.find(self.apex).is_some_and(|apex| apex.cut);
        let mut by_depth: Vec<Vec<u32>> = Vec::new();
        for (at, place) in self.places.iter_mut().enumerate() {
            let depth = usize::from(place.depth);
            if depth == 1 {
                place.occluded = apex_cut;
            } else if depth > 1 {
                if by_depth.len() < depth - 1 {
                    by_depth.resize_with(depth - 1, Vec::new);
                }
                by_depth[depth - 2].push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        for places in by_depth {
            for at in places {
                let above = self.find(self.places[at as usize].above);
                let occluded = above.is_some_and(|above| above.cut || above.occluded);
                self.places[at as usize].occluded = occluded;
            }
        }
    }

    /// Counts the names, and their sets by type.
    pub(super) fn count(&self, entries: &[Entry], types: &mut TypeTable) -> NameCounts {
        let mut counts = NameCounts::default();
        let mut depth = [0u64; 256];
        for (at, place) in self.places.iter().enumerate() {
            let end = self
                .places
                .get(at + 1)
                .map_or(entries.len(), |next| next.first as usize);
            let sets = &entries[place.first as usize..end];
            let first = sets.iter().position(|entry| entry.rtype > 0);
            let Some(first) = first else {
                counts.empty_non_terminals += u64::from(!place.occluded);
                continue;
            };
            let sets = &sets[first..];
            if counts.count_name(place, sets, types) {
                depth[usize::from(place.depth)] += 1;
            }
        }
        let deepest = depth
            .iter()
            .rposition(|names| *names > 0)
            .map_or(0, |deepest| deepest + 1);
        let histogram = depth.into_iter().take(deepest).enumerate();
        counts.depth = histogram.map(|(labels, names)| Depth { labels, names }).collect();
        let Signed { sets, signed, .. } = counts.signed;
        if sets > 0 {
            #[allow(clippy::cast_precision_loss, reason = "a share has few digits")]
            let share = signed as f64 / sets as f64;
            counts.signed.share = share;
        }
        counts
    }
}

impl NameCounts {
    /// Counts an owner and its sets, which may stand there more than once; `false` for a hashed name.
    fn count_name(&mut self, place: &Place, sets: &[Entry], types: &mut TypeTable) -> bool {
        let delegation = place.depth > 0 && sets.iter().any(|set| set.is(RecordType::NS));
        let mut hashed = true;
        let mut last = None;
        for set in sets {
            if last.replace((set.rtype, set.covered)) == Some((set.rtype, set.covered)) {
                continue;
            }
            let rtype = RecordType(set.rtype);
            types.count_set(rtype);
            hashed &= rtype == RecordType::NSEC3 || RecordType(set.covered) == RecordType::NSEC3;
            if place.occluded || rtype == RecordType::RRSIG {
                continue;
            }
            if !delegation || matches!(rtype, RecordType::DS | RecordType::NSEC) {
                self.signed.sets += 1;
                let signature = |other: &&Entry| other.is(RecordType::RRSIG) && other.covered == set.rtype;
                self.signed.signed += u64::from(sets.iter().any(|other| signature(&other)));
            }
        }
        if hashed {
            self.hashed_names += 1;
            return false;
        }
        self.names += 1;
        self.wildcards += u64::from(sets[0].wildcard);
        if place.occluded {
            self.names_below_cuts += 1;
        } else if delegation {
            let secure = sets.iter().any(|set| set.is(RecordType::DS));
            self.delegations.total += 1;
            self.delegations.secure += u64::from(secure);
            self.delegations.insecure += u64::from(!secure);
        } else if place.cut {
            self.dnames += 1;
        }
        true
    }
}

/// The leading bits of a print.
fn bucket(print: u64, shift: u32) -> usize {
    usize::try_from(print >> shift).unwrap_or(usize::MAX)
}
