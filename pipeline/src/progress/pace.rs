//! How fast each store signs: signatures since the last look, and since when.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The stores of a run.
pub(super) struct Paces(Mutex<State>);

struct State {
    since: Instant,
    stores: Vec<(String, u64, u64)>,
}

/// One store's pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) store: String,
    /// Signatures since the run began.
    pub(super) signatures: u64,
    /// Signatures since the last look.
    recent: u64,
    /// How long ago that was.
    elapsed: Duration,
}

impl Pace {
    /// Signatures a second since the last look.
    pub(super) fn a_second(&self) -> u64 {
        let rate = u128::from(self.recent) * 1_000_000 / self.elapsed.as_micros().max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

impl Paces {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            since: Instant::now(),
            stores: Vec::new(),
        }))
    }

    /// A store made so many more signatures.
    pub(super) fn signed(&self, store: &str, signatures: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.stores.iter_mut().find(|(name, ..)| name == store) {
            Some((_, all, recent)) => {
                *all += signatures;
                *recent += signatures;
            }
            None => state.stores.push((store.to_owned(), signatures, signatures)),
        }
    }

    /// A look at all stores, from which the next one counts.
    pub(super) fn take(&self) -> Vec<Pace> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = state.since.elapsed();
        state.since = Instant::now();
        let stores = state.stores.iter_mut();
        stores
            .map(|(store, all, recent)| Pace {
                store: store.clone(),
                signatures: *all,
                recent: std::mem::take(recent),
                elapsed,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_counts_from_the_one_before() {
        let paces = Paces::new();
        paces.signed("a", 3);
        paces.signed("b", 1);
        paces.signed("a", 4);
        let first = paces.take();
        assert_eq!((first[0].signatures, first[0].recent), (7, 7));
        paces.signed("a", 1);
        let second = paces.take();
        assert_eq!((second[0].signatures, second[0].recent, second[1].recent), (8, 1, 0));
    }
}
