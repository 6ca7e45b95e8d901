//! What all workers add to: counts, signatures by key, and the faults of the zone. A fault that is not a mere
//! warning stops the signing, though planning goes on so that all faults are found in one run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dnssec_sign::{Fate, KeyIndex, RecordType, ZoneFault, serial_before};

use crate::emit::{Emission, Signing};

/// Shared by all workers of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) names: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) denial_records: AtomicU64,
    max_ttl: AtomicU32,
    fates: [AtomicU64; Fate::ALL.len()],
    expiry: Mutex<Option<u32>>,
    faulty: AtomicBool,
    faults: Mutex<Vec<ZoneFault>>,
    signatures: Mutex<BTreeMap<(usize, KeyIndex), u64>>,
    types: Mutex<BTreeMap<RecordType, u64>>,
    days: Mutex<BTreeMap<u32, u64>>,
}

/// Seconds of a day.
pub(crate) const DAY: u32 = 86_400;

impl Tally {
    /// Whether sets are still signed.
    pub(crate) fn signing(&self) -> Signing {
        if self.faulty.load(Ordering::Relaxed) {
            Signing::Off
        } else {
            Signing::On
        }
    }

    /// Takes a partition's faults.
    pub(crate) fn take_faults(&self, faults: &mut Vec<ZoneFault>) {
        if faults.is_empty() {
            return;
        }
        if faults.iter().any(|fault| !fault.rule.is_warning()) {
            self.faulty.store(true, Ordering::Relaxed);
        }
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(faults);
    }

    /// Counts a partition that is written.
    pub(crate) fn count(&self, emission: &Emission) {
        self.records.fetch_add(emission.records, Ordering::Relaxed);
        self.max_ttl.fetch_max(emission.max_ttl, Ordering::Relaxed);
        for (total, count) in self.fates.iter().zip(emission.fates) {
            total.fetch_add(count, Ordering::Relaxed);
        }
        if let Some(end) = emission.expiry {
            let mut expiry = self.expiry.lock().unwrap_or_else(PoisonError::into_inner);
            *expiry = Some(expiry.map_or(end, |least| earlier(least, end)));
        }
        let mut signatures = self.signatures.lock().unwrap_or_else(PoisonError::into_inner);
        for (store, key, count) in emission.signatures() {
            *signatures.entry((store, key)).or_default() += count;
        }
        drop(signatures);
        add(&self.types, &emission.types);
        add(&self.days, &emission.days);
    }

    /// Records written by type.
    pub(crate) fn types(&self) -> impl Iterator<Item = (RecordType, u64)> {
        self.types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .into_iter()
    }

    /// Signatures written by the day since 1970 that they end on.
    pub(crate) fn days(&self) -> impl Iterator<Item = (u32, u64)> {
        self.days
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .into_iter()
    }

    /// Counts what became of signatures.
    pub(crate) fn count_fates(&self, fates: &[Fate]) {
        for fate in fates {
            self.fates[fate.number()].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many signatures met this fate.
    pub(crate) fn fate(&self, fate: Fate) -> u64 {
        self.fates[fate.number()].load(Ordering::Relaxed)
    }

    /// The largest TTL written.
    pub(crate) fn max_ttl(&self) -> u32 {
        self.max_ttl.load(Ordering::Relaxed)
    }

    /// When the first of the signatures written ends.
    pub(crate) fn earliest_expiry(&self) -> Option<u32> {
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All faults in the order of the input.
    pub(crate) fn faults(&self) -> Vec<ZoneFault> {
        let mut faults = std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner));
        faults.sort_by_key(|fault| fault.locus);
        faults
    }

    /// Signatures made by each key, a key being named by its store and its place there.
    pub(crate) fn signatures(&self) -> BTreeMap<(usize, KeyIndex), u64> {
        self.signatures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn add<K: Ord + Copy>(sums: &Mutex<BTreeMap<K, u64>>, counts: &[(K, u64)]) {
    let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, count) in counts {
        *sums.entry(*key).or_default() += count;
    }
}

/// The earlier of two moments modulo 2^32 (RFC 4034 3.1.5).
pub(crate) fn earlier(one: u32, other: u32) -> u32 {
    if serial_before(one, other) { one } else { other }
}
