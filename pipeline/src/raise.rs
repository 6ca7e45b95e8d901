//! How many sessions a token gets when nobody says: doubled while that brings more signatures a second, within the first
//! seconds of work, then left at the number that served best. A run gets faster at its start whatever the number is, so a
//! gain that is not clear is looked at once more from the other side: the smaller number again. Windows in which sessions
//! waited for work tell nothing of the token and are left out. Nothing is signed for the measurement's sake.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::signing::Desk;

/// The work in which the number is found.
const BUDGET: Duration = Duration::from_secs(5);
/// A window lasts so long, or longer until there are enough signatures in it.
const WINDOW: Duration = Duration::from_millis(150);
/// However few signatures, it lasts no longer.
const LONGEST: Duration = Duration::from_millis(800);
/// So long after a change of the number, what is signed is not counted.
const SETTLING: Duration = Duration::from_millis(40);
/// So many signatures a session are enough.
const ENOUGH: u64 = 8;
/// How often sessions are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// More sessions are worth it if they bring this much more.
const GAIN: f64 = 1.1;
/// What brings this much more needs no second look.
const CLEAR: f64 = 1.5;

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
    /// Numbers that each brought more than the one before, with their signatures a second; the last is the one to beat.
    rungs: Vec<(usize, f64)>,
    /// What the best number brought, once no more are tried: the fewest that come close to it are wanted.
    top: Option<f64>,
}

impl Raise {
    fn new(most: usize) -> Self {
        Self {
            most,
            rungs: Vec::new(),
            top: None,
        }
    }

    /// The next step, after `sessions` made `rate` signatures a second.
    fn next(&mut self, sessions: usize, rate: f64) -> Step {
        if let Some(top) = self.top {
            if rate * GAIN < top {
                return self.give_up(sessions);
            }
            self.rungs.pop();
            return self.look_back(sessions);
        }
        match self.rungs.last() {
            Some((_, before)) if rate < before * GAIN => self.look_back(sessions),
            _ => {
                self.rungs.push((sessions, rate));
                if sessions < self.most {
                    Step::Try((2 * sessions).min(self.most))
                } else {
                    self.look_back(sessions)
                }
            }
        }
    }

    /// No more are tried: fewer again, if what brought the best number its place could be the run's own gain in speed.
    fn look_back(&mut self, sessions: usize) -> Step {
        match self.rungs[..] {
            [.., (fewer, low), (_, high)] if high < low * CLEAR => {
                self.top.get_or_insert(high);
                Step::Try(fewer)
            }
            _ => self.give_up(sessions),
        }
    }

    /// The best number so far.
    fn give_up(&self, sessions: usize) -> Step {
        Step::Settle(self.rungs.last().map_or(sessions, |(best, _)| *best))
    }
}

/// Raises the number of a desk's sessions as long as that is worth it, by `more`, which begins one or says that there is no
/// further one. Returns when the number is found, or when the hall closes.
pub(crate) fn govern(desk: &Desk<'_>, most: usize, closed: &Receiver<()>, more: impl Fn() -> Option<()>) {
    let mut raise = Raise::new(most);
    let mut spent = Duration::ZERO;
    // The first batches come while the workers are still filling the queue.
    let mut settling = WINDOW;
    loop {
        let Some(window) = window(desk, closed, settling) else {
            return;
        };
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
        let (Step::Try(wanted) | Step::Settle(wanted)) = step;
        let settled = step == Step::Settle(wanted);
        if settled || wanted < sessions {
            desk.keep(wanted);
        }
        for _ in sessions..wanted {
            if more().is_none() {
                // The token has no more: what there is is tried, and nothing above.
                raise.most = desk.at_work();
                break;
            }
        }
        if settled {
            tracing::debug!(sessions = wanted, "sessions settled on {}", desk.store.name);
            return;
        }
        if wanted > sessions && desk.at_work() <= sessions {
            return;
        }
        // Sessions end when they are done with what they have in hand.
        while desk.at_work() > wanted {
            if wait(closed, LOOK).is_none() {
                return;
            }
        }
        settling = SETTLING;
    }
}

/// A stretch of work.
enum Window {
    /// All sessions were at work for this long, and made so many signatures a second.
    Busy(Duration, f64),
    /// Some waited for work.
    Starved,
}

/// Waits a moment; nothing when the hall closes.
fn wait(closed: &Receiver<()>, time: Duration) -> Option<()> {
    matches!(closed.recv_timeout(time), Err(RecvTimeoutError::Timeout)).then_some(())
}

/// Looks at the sessions for a while, after they had some time to settle; nothing when the hall closes.
fn window(desk: &Desk<'_>, closed: &Receiver<()>, settling: Duration) -> Option<Window> {
    wait(closed, settling)?;
    let (start, before, sessions) = (Instant::now(), desk.signatures(), desk.at_work());
    let (mut looks, mut idle) = (0_u32, 0_u32);
    loop {
        wait(closed, LOOK)?;
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

    /// The numbers tried, and where it ends, on a token whose rate this is, by sessions and how many windows came before.
    fn climb(first: usize, most: usize, rate: impl Fn(usize, usize) -> f64) -> (Vec<usize>, usize) {
        let (mut raise, mut sessions, mut tried) = (Raise::new(most), first, vec![first]);
        loop {
            match raise.next(sessions, rate(sessions, tried.len() - 1)) {
                Step::Try(next) => {
                    sessions = next;
                    tried.push(next);
                }
                Step::Settle(best) => return (tried, best),
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    fn linear_to(limit: usize) -> impl Fn(usize, usize) -> f64 {
        move |sessions, _| 500.0 * sessions.min(limit) as f64
    }

    #[test]
    fn it_ends_within_a_tenth_of_the_best() {
        assert_eq!(climb(2, 64, linear_to(64)), (vec![2, 4, 8, 16, 32, 64], 64));
        assert_eq!(climb(2, 64, linear_to(8)), (vec![2, 4, 8, 16], 8));
        // Eleven at once: sixteen sessions have them, thirty-two have no more, and eight have still fewer.
        assert_eq!(climb(2, 64, linear_to(11)), (vec![2, 4, 8, 16, 32, 8], 16));
        assert_eq!(climb(2, 64, linear_to(2)), (vec![2, 4], 2));
        assert_eq!(climb(2, 11, linear_to(64)), (vec![2, 4, 8, 11, 8], 11));
        // More sessions that are in each other's way.
        let contended = |sessions, _| if sessions == 1 { 9700.0 } else { 7000.0 };
        assert_eq!(climb(1, 64, contended).1, 1);
        for best in 1..=64 {
            let rate = linear_to(best);
            let (_, found) = climb(2, 64, &rate);
            assert!(rate(found, 0) >= 0.9 * rate(64, 0), "{best}: {found}");
        }
    }

    #[test]
    fn a_run_that_gets_faster_by_itself_does_not_make_more_sessions_better() {
        // As fast as it gets after one, two and three windows.
        let gains = [0.6, 0.72, 0.85];
        for slow in 1..=gains.len() {
            let gains = &gains[gains.len() - slow..];
            let rate = |_, window: usize| 30_000.0 * gains.get(window).unwrap_or(&1.0);
            let (tried, found) = climb(2, 64, rate);
            assert_eq!(found, 2, "{slow}: {tried:?}");
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
