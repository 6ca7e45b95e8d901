//! Calls under way, so that one that hangs can be named, and what every session is at. Nothing is ended here: a call
//! into a library cannot be.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::Place;

/// The functions that are watched, by number.
const WATCHED: &[&str] = &[
    "C_SignInit",
    "C_Sign",
    "C_OpenSession",
    "C_Login",
    "C_FindObjects",
    "C_Initialize",
    "C_GetInfo",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_CopyObject",
    "C_Digest",
    "C_Verify",
    "C_GenerateRandom",
    "C_CloseSession",
];

/// A function that is watched: its place in [`WATCHED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    SignInit,
    Sign,
    OpenSession,
    Login,
    FindObjects,
    Initialize,
    GetInfo,
    GetSlotList,
    GetSlotInfo,
    GetTokenInfo,
    GetMechanismList,
    CopyObject,
    Digest,
    Verify,
    GenerateRandom,
    CloseSession,
}

/// A call that has been under way for longer than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overdue {
    /// The function, `C_Sign`.
    pub call: &'static str,
    /// Slot and token, or the library.
    pub token: String,
    /// How long it has been under way.
    pub waited: Duration,
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}has not answered for {} s: the provider or its token hangs",
            self.call,
            self.token,
            self.waited.as_secs()
        )
    }
}

/// The call of this process that has been under way the longest, if that is longer than `limit`. A program asks now and
/// then, and ends when a call hangs: there is no way back from one. Calls under an [`Oversight`] are left out.
pub fn overdue(limit: Duration) -> Option<Overdue> {
    let mut cells = cells();
    cells.retain(|cell| cell.strong_count() > 0);
    let cells: Vec<Arc<Cell>> = cells.iter().filter_map(Weak::upgrade).collect();
    longest(cells.iter().filter(|cell| !cell.overseen()), limit)
}

fn longest<'a>(cells: impl Iterator<Item = &'a Arc<Cell>>, limit: Duration) -> Option<Overdue> {
    let now = now();
    let longest = cells
        .filter_map(|cell| match cell.since.load(Ordering::Relaxed) {
            0 => None,
            since => Some((now.saturating_sub(since), cell)),
        })
        .max_by_key(|(waited, _)| *waited)?;
    let waited = Duration::from_millis(longest.0);
    (waited > limit).then(|| Overdue {
        call: longest.1.call(),
        token: longest.1.place.clone(),
        waited,
    })
}

/// Calls that somebody looks after who can do without their answers: those of a thread that can be left behind. A clone is
/// the same oversight.
#[derive(Clone, Debug, Default)]
pub struct Oversight(Arc<Overseen>);

#[derive(Debug, Default)]
struct Overseen {
    cells: Mutex<Vec<Weak<Cell>>>,
    ended: AtomicBool,
}

thread_local! {
    /// The oversight that calls of this thread are under.
    static OVERSIGHT: RefCell<Option<Oversight>> = const { RefCell::new(None) };
}

impl Oversight {
    /// Puts what this thread calls from now on under it, to the thread's end.
    pub fn cover_thread(&self) {
        OVERSIGHT.with_borrow_mut(|oversight| *oversight = Some(self.clone()));
    }

    /// The call under it that has been under way the longest, if that is longer than `limit`.
    pub fn overdue(&self, limit: Duration) -> Option<Overdue> {
        let cells: Vec<Arc<Cell>> = self.cells().iter().filter_map(Weak::upgrade).collect();
        longest(cells.iter(), limit)
    }

    /// Nobody can do without the answers any more: [`overdue`] tells of the calls again.
    pub fn end(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take(&self, cell: &Arc<Cell>) {
        *cell.oversight.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
        let mut cells = self.cells();
        cells.retain(|cell| cell.strong_count() > 0);
        cells.push(Arc::downgrade(cell));
    }

    fn cells(&self) -> MutexGuard<'_, Vec<Weak<Cell>>> {
        self.0.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one session of this process is at, or one call without a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// Slot and token.
    pub token: String,
    /// The function that is under way, `C_Sign`, and for how long; `None`: the session waits for work.
    pub call: Option<(&'static str, Duration)>,
    /// Calls of C_Sign so far.
    pub signatures: u64,
}

/// What every session is at, in the order in which they were opened.
pub fn activity() -> Vec<Activity> {
    let now = now();
    let cells: Vec<Arc<Cell>> = cells().iter().filter_map(Weak::upgrade).collect();
    let look = |cell: &Arc<Cell>| Activity {
        token: cell.place.clone(),
        call: match cell.since.load(Ordering::Relaxed) {
            0 => None,
            since => Some((cell.call(), Duration::from_millis(now.saturating_sub(since)))),
        },
        signatures: cell.signatures.load(Ordering::Relaxed),
    };
    cells.iter().map(look).collect()
}

/// Where one session, or one call without a session, says what it is at.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Milliseconds of [`now`]; 0 for idle.
    since: AtomicU64,
    call: AtomicU8,
    signatures: AtomicU64,
    place: String,
    oversight: Mutex<Option<Oversight>>,
}

static CELLS: Mutex<Vec<Weak<Cell>>> = Mutex::new(Vec::new());
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn cells() -> MutexGuard<'static, Vec<Weak<Cell>>> {
    CELLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since the first call that was watched, from 1.
fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}

impl Cell {
    pub(crate) fn new(place: &Place) -> Arc<Self> {
        Self::named(place.to_string())
    }

    fn named(place: String) -> Arc<Self> {
        let cell = Arc::new(Self {
            since: AtomicU64::new(0),
            call: AtomicU8::new(0),
            signatures: AtomicU64::new(0),
            place,
            oversight: Mutex::default(),
        });
        cells().push(Arc::downgrade(&cell));
        if let Some(oversight) = OVERSIGHT.with_borrow(Clone::clone) {
            oversight.take(&cell);
        }
        cell
    }

    fn overseen(&self) -> bool {
        let oversight = self.oversight.lock().unwrap_or_else(PoisonError::into_inner);
        oversight
            .as_ref()
            .is_some_and(|oversight| !oversight.0.ended.load(Ordering::Relaxed))
    }

    fn call(&self) -> &'static str {
        let number = usize::from(self.call.load(Ordering::Relaxed));
        WATCHED.get(number).copied().unwrap_or("a call")
    }

    /// Notes that the call begins; it ends when the result is dropped.
    pub(crate) fn begin(&self, call: Watched) -> UnderWay<'_> {
        if call == Watched::Sign {
            self.signatures.fetch_add(1, Ordering::Relaxed);
        }
        self.call.store(call as u8, Ordering::Relaxed);
        self.since.store(now(), Ordering::Relaxed);
        UnderWay(self)
    }
}

/// A call until it is dropped.
pub(crate) struct UnderWay<'a>(&'a Cell);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.since.store(0, Ordering::Relaxed);
    }
}

/// Watches a call that is made seldom.
pub(crate) fn watched<T>(place: &Place, call: Watched, make: impl FnOnce() -> T) -> T {
    let cell = Cell::new(place);
    let _under_way = cell.begin(call);
    make()
}

/// The same of a call that is about a library as a whole.
pub(crate) fn watched_in<T>(library: &Path, call: Watched, make: impl FnOnce() -> T) -> T {
    let cell = Cell::named(format!("of {} ", library.display()));
    let _under_way = cell.begin(call);
    make()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_lasts_is_named() {
        let cell = Cell::new(&Place::token(3, "prod"));
        let under_way = cell.begin(Watched::Sign);
        std::thread::sleep(Duration::from_millis(30));
        let found = overdue(Duration::from_millis(10)).unwrap();
        assert!(
            found
                .to_string()
                .starts_with("C_Sign on token 'prod' (slot 3) has not answered")
        );
        let oversight = Oversight::default();
        oversight.take(&cell);
        assert_eq!(overdue(Duration::from_millis(10)), None);
        assert_eq!(oversight.overdue(Duration::from_millis(10)).unwrap().call, "C_Sign");
        oversight.end();
        assert!(overdue(Duration::from_millis(10)).is_some());
        drop(under_way);
        assert_eq!(overdue(Duration::from_millis(10)), None);
        assert_eq!(oversight.overdue(Duration::from_millis(10)), None);
    }
}
