//! A limit of signatures a second, shared by all who sign: each waits until its turn, asleep. It counts turns, not
//! signatures that succeeded: an HSM that others use is asked no more often than was agreed.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a wait does not look whether it is still wanted.
const SLICE: Duration = Duration::from_millis(20);

/// Turns at a fixed rate. After a pause some may be taken at once, as many as fit into a tenth of a second.
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    burst: Duration,
    /// When the next turn is, if all come in time.
    next: Mutex<Instant>,
}

impl Pace {
    /// So many turns a second; a rate that is not positive counts as one in a thousand seconds.
    pub fn new(a_second: f64) -> Self {
        let gap = Duration::try_from_secs_f64(1.0 / a_second.max(0.001)).unwrap_or(Duration::from_secs(1000));
        Self {
            gap,
            burst: Duration::from_millis(100),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Sleeps until it is the caller's turn, or until `stop` says that it is not wanted any more.
    pub fn wait(&self, stop: impl Fn() -> bool) {
        let until = self.book(Instant::now());
        while !stop() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            sleep(left.min(SLICE));
        }
    }

    /// Takes the next turn; tells when it is. Nobody sleeps while the lock is held.
    fn book(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(self.burst).unwrap_or(now);
        let turn = (*next).max(earliest);
        *next = turn + self.gap;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_at_the_rate() {
        let pace = Pace::new(100.0);
        let start = Instant::now();
        let turns: Vec<Instant> = (0..100).map(|_| pace.book(start)).collect();
        let last = turns[99].saturating_duration_since(start);
        // Ten at once at most, then one each 10 ms.
        assert!(last >= Duration::from_millis(880), "{last:?}");
        assert!(last <= Duration::from_millis(1000), "{last:?}");
    }

    #[test]
    fn a_pause_is_made_up_for_by_a_tenth_of_a_second_only() {
        let pace = Pace::new(1000.0);
        let later = Instant::now() + Duration::from_secs(60);
        let at_once = (0..1000).filter(|_| pace.book(later) <= later).count();
        assert!((100..=101).contains(&at_once), "{at_once}");
    }
}
