//! What is counted for each type. The types of nearly every zone have a place in an array, all others in a map.

use std::collections::BTreeMap;

use dnssec_sign::RecordType;
use serde::Serialize;

/// The smallest and the largest TTL, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TtlRange {
    /// The smallest.
    pub min: u32,
    /// The largest.
    pub max: u32,
}

/// What there is of one type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeStats {
    /// The type.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Records.
    pub records: u64,
    /// RRsets; those of RRSIG count by the type that they cover.
    pub sets: u64,
    /// Bytes in uncompressed wire form.
    pub wire_bytes: u64,
    /// Bytes of RDATA.
    pub rdata_bytes: u64,
    /// The TTLs.
    pub ttl: TtlRange,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    records: u64,
    sets: u64,
    wire_bytes: u64,
    rdata_bytes: u64,
    ttl: TtlRange,
}

impl Count {
    const NONE: Self = Self {
        records: 0,
        sets: 0,
        wire_bytes: 0,
        rdata_bytes: 0,
        ttl: TtlRange { min: u32::MAX, max: 0 },
    };

    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.sets += other.sets;
        self.wire_bytes += other.wire_bytes;
        self.rdata_bytes += other.rdata_bytes;
        self.ttl.min = self.ttl.min.min(other.ttl.min);
        self.ttl.max = self.ttl.max.max(other.ttl.max);
    }
}

/// Types below this have a place in the array.
const NEAR: usize = 72;

/// Counts by type.
#[derive(Debug)]
pub(super) struct TypeTable {
    near: Box<[Count; NEAR]>,
    far: BTreeMap<RecordType, Count>,
}

impl Default for TypeTable {
    fn default() -> Self {
        Self {
            near: Box::new([Count::NONE; NEAR]),
            far: BTreeMap::new(),
        }
    }
}

impl TypeTable {
    #[inline]
    fn of(&mut self, rtype: RecordType) -> &mut Count {
        match self.near.get_mut(usize::from(rtype.0)) {
            Some(count) => count,
            None => self.far.entry(rtype).or_insert(Count::NONE),
        }
    }

    /// Counts a record with an owner and RDATA of so many bytes.
    #[inline]
    pub(super) fn count(&mut self, rtype: RecordType, owner: usize, rdata: usize, ttl: u32) {
        let bytes = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let count = self.of(rtype);
        count.records += 1;
        // Type, class, TTL and length take ten bytes.
        count.wire_bytes += bytes(owner + 10 + rdata);
        count.rdata_bytes += bytes(rdata);
        count.ttl.min = count.ttl.min.min(ttl);
        count.ttl.max = count.ttl.max.max(ttl);
    }

    /// Counts a set.
    #[inline]
    pub(super) fn count_set(&mut self, rtype: RecordType) {
        self.of(rtype).sets += 1;
    }

    /// Takes in what another table has.
    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.near.iter_mut().zip(other.near.iter()) {
            count.add(more);
        }
        for (rtype, more) in &other.far {
            self.of(*rtype).add(more);
        }
    }

    fn all(&self) -> impl Iterator<Item = (RecordType, &Count)> {
        let near = (0u16..).map(RecordType).zip(self.near.iter());
        let far = self.far.iter().map(|(rtype, count)| (*rtype, count));
        near.chain(far).filter(|(_, count)| count.records > 0)
    }

    pub(super) fn records(&self) -> u64 {
        self.all().map(|(_, count)| count.records).sum()
    }

    pub(super) fn sets(&self) -> u64 {
        self.all().map(|(_, count)| count.sets).sum()
    }

    pub(super) fn wire_bytes(&self) -> u64 {
        self.all().map(|(_, count)| count.wire_bytes).sum()
    }

    /// The TTLs of all types.
    pub(super) fn ttl(&self) -> Option<TtlRange> {
        let ranges = self.all().map(|(_, count)| count.ttl);
        ranges.reduce(|one, other| TtlRange {
            min: one.min.min(other.min),
            max: one.max.max(other.max),
        })
    }

    /// All types, those with the most records first.
    pub(super) fn into_stats(self) -> Vec<TypeStats> {
        let mut stats: Vec<_> = self
            .all()
            .map(|(rtype, count)| TypeStats {
                rtype: rtype.to_string(),
                records: count.records,
                sets: count.sets,
                wire_bytes: count.wire_bytes,
                rdata_bytes: count.rdata_bytes,
                ttl: count.ttl,
            })
            .collect();
        stats.sort_by_key(|of_type| std::cmp::Reverse(of_type.records));
        stats
    }
}
