//! How many sessions a token gets when nobody says: doubled while that brings more signatures a second, within the first
//! seconds of work, then left at the number that served best. Windows in which sessions waited for work tell nothing of
//! the token and are left out. Nothing is signed for the measurement's sake.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::signing::Desk;

/// The work in which the number is found.
const BUDGET: Duration = Duration::from_secs(5);
/// A window lasts so long, or longer until there are enough signatures in it.
const WINDOW: Duration = Duration::from_millis(150);
/// However few signatures, it lasts no longer.
const LONGEST: Duration = Duration::from_millis(800);
/// So many signatures a session are enough.
const ENOUGH: u64 = 8;
/// How often sessions are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// More sessions are worth it if they bring this much more.
const GAIN: f64 = 1.1;

/// What to do after a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Try so many.
    Try(usize),
    /// Leave it at so many.
    Settle(usize),
}

/// The numbers tried so far, and what they brought.
#[derive(Debug)]
struct Raise {
    most: usize,
    /// The number that served best, and its signatures a second.
    best: Option<(usize, f64)>,
}

impl Raise {
    fn new(most: usize) -> Self {
        Self { most, best: None }
    }

    /// The next step, after `sessions` made `rate` signatures a second.
    fn next(&mut self, sessions: usize, rate: f64) -> Step {
        match self.best {
            Some((best, before)) if rate < before * GAIN => return Step::Settle(best),
            _ => self.best = Some((sessions, rate)),
        }
        if sessions >= self.most {
            return Step::Settle(sessions);
        }
        Step::Try((2 * sessions).min(self.most))
    }

    /// When time is up.
    fn give_up(&self, sessions: usize) -> Step {
        Step::Settle(self.best.map_or(sessions, |(best, _)| best))
    }
}

/// Raises the number of a desk's sessions as long as that is worth it, by `more`, which begins one or says that there is no
/// further one. Returns when the number is found, or when the hall closes.
pub(crate) fn govern(desk: &Desk<'_>, most: usize, closed: &Receiver<()>, more: impl Fn() -> Option<()>) {
    let mut raise = Raise::new(most);
    let mut spent = Duration::ZERO;
    loop {
        let Some(window) = window(desk, closed) else { return };
        let sessions = desk.at_work();
        let step = match window {
            Window::Starved => continue,
            Window::Busy(time, rate) => {
                spent += time;
                let step = raise.next(sessions, rate);
                tracing::debug!(sessions, rate, ?step, "sessions on {}", desk.store.name);
                if spent < BUDGET { step } else { raise.give_up(sessions) }
            }
        };
        match step {
            Step::Settle(best) => {
                desk.keep(best);
                tracing::debug!(sessions = best, "sessions settled on {}", desk.store.name);
                return;
            }
            Step::Try(wanted) => {
                for _ in sessions..wanted {
                    if more().is_none() {
                        // The token has no more: what there is is tried, and nothing above.
                        raise.most = desk.at_work();
                        break;
                    }
                }
                if desk.at_work() <= sessions {
                    return;
                }
            }
        }
    }
}

/// A stretch of work.
enum Window {
    /// All sessions were at work for this long, and made so many signatures a second.
    Busy(Duration, f64),
    /// Some waited for work.
    Starved,
}

/// Looks at the sessions for a while; nothing when the hall closes.
fn window(desk: &Desk<'_>, closed: &Receiver<()>) -> Option<Window> {
    let (start, before, sessions) = (Instant::now(), desk.signatures(), desk.at_work());
    let (mut looks, mut idle) = (0_u32, 0_u32);
    loop {
        match closed.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return None,
        }
        looks += 1;
        idle += u32::from(desk.is_idle());
        let (time, made) = (start.elapsed(), desk.signatures() - before);
        let enough = made >= ENOUGH * sessions as u64;
        if time >= WINDOW && enough || time >= LONGEST {
            // A session that takes its next parcel may be seen idle for a moment.
            if idle * 4 > looks {
                return Some(Window::Starved);
            }
            #[allow(clippy::cast_precision_loss, reason = "a rate")]
            return Some(Window::Busy(time, made as f64 / time.as_secs_f64()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers tried, and where it ends, on a token whose rate this is.
    fn climb(first: usize, most: usize, rate: impl Fn(usize) -> f64) -> (Vec<usize>, usize) {
        let (mut raise, mut sessions, mut tried) = (Raise::new(most), first, vec![first]);
        loop {
            match raise.next(sessions, rate(sessions)) {
                Step::Try(next) => {
                    sessions = next;
                    tried.push(next);
                }
                Step::Settle(best) => return (tried, best),
            }
        }
    }

    #[test]
    fn it_ends_within_a_tenth_of_the_best() {
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        let linear_to = |limit: usize| move |sessions: usize| 500.0 * sessions.min(limit) as f64;
        assert_eq!(climb(2, 64, linear_to(64)), (vec![2, 4, 8, 16, 32, 64], 64));
        assert_eq!(climb(2, 64, linear_to(8)), (vec![2, 4, 8, 16], 8));
        // Eleven at once: sixteen sessions have them, thirty-two have no more.
        assert_eq!(climb(2, 64, linear_to(11)), (vec![2, 4, 8, 16, 32], 16));
        assert_eq!(climb(2, 64, linear_to(2)), (vec![2, 4], 2));
        assert_eq!(climb(2, 11, linear_to(64)), (vec![2, 4, 8, 11], 11));
        // More sessions that are in each other's way.
        assert_eq!(
            climb(1, 64, |sessions| if sessions == 1 { 9700.0 } else { 7000.0 }).1,
            1
        );
        for best in 1..=64 {
            let rate = linear_to(best);
            let (_, found) = climb(2, 64, rate);
            assert!(rate(found) >= 0.9 * rate(64), "{best}: {found}");
        }
    }

    #[test]
    fn time_ends_it_with_the_best_so_far() {
        let mut raise = Raise::new(64);
        assert_eq!(raise.give_up(2), Step::Settle(2));
        assert_eq!(raise.next(2, 10.0), Step::Try(4));
        assert_eq!(raise.next(4, 20.0), Step::Try(8));
        assert_eq!(raise.give_up(8), Step::Settle(4));
    }
}
