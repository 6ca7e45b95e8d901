//! A lock for calls that must not overlap, which does not stay shut when its holder hangs in one of them and is left behind.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One thread at a time is behind it.
#[derive(Default)]
pub(crate) struct Barrier {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    /// Since when somebody is behind it.
    held: Option<Instant>,
    /// How often a holder was left behind.
    relieved: u64,
}

/// Behind the barrier, until it is dropped.
pub(crate) struct Behind<'a> {
    barrier: &'a Barrier,
    relieved: u64,
}

impl Barrier {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody is behind it.
    pub(crate) fn pass(&self) -> Behind<'_> {
        let mut state = self.state();
        while state.held.is_some() {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.held = Some(Instant::now());
        Behind {
            barrier: self,
            relieved: state.relieved,
        }
    }

    /// Lets the next one pass, if whoever is behind it has been there for longer than this: it hangs.
    pub(crate) fn relieve(&self, longer: Duration) {
        let mut state = self.state();
        if state.held.is_some_and(|since| since.elapsed() > longer) {
            state.held = None;
            state.relieved += 1;
            self.freed.notify_one();
        }
    }
}

impl Drop for Behind<'_> {
    fn drop(&mut self) {
        let mut state = self.barrier.state();
        // Another one is behind it, if this one was left behind and comes back after all.
        if state.relieved == self.relieved {
            state.held = None;
            self.barrier.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_hangs_does_not_keep_the_others_out() {
        let barrier = Barrier::default();
        drop(barrier.pass());
        let stuck = barrier.pass();
        barrier.relieve(Duration::from_secs(60));
        assert!(barrier.state().held.is_some());
        barrier.relieve(Duration::ZERO);
        let next = barrier.pass();
        drop(stuck);
        assert!(barrier.state().held.is_some(), "it is the next one's");
        drop(next);
        assert!(barrier.state().held.is_none());
    }
}
