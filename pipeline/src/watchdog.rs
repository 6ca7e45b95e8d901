//! Looks after a command from a thread of its own, since its threads may all be stuck in the provider's library: SIGUSR1 is
//! answered whatever it is at, a run's call that does not come back is named and ends the program, and so does an interrupted
//! run that does not end by itself. A call that hangs cannot be ended from outside, and no thread that waits for it can be joined.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{sigbus, state};

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How long an interrupted run may take to end by itself: sessions are closed and the library finalised then.
const GRACE: Duration = Duration::from_millis(750);

/// Says how a command stands.
type State = Arc<dyn Fn() -> String + Send + Sync>;

/// What is known of the command.
#[derive(Default)]
struct Watched {
    /// `None`: it does not say more than that it is at work.
    state: Option<State>,
    /// Whether interrupts are seen to here.
    interruptible: bool,
    /// A call to a token that takes longer is overdue.
    patience: Option<Duration>,
    /// Journals that have to be on the disk when the program ends.
    journals: Vec<PathBuf>,
    /// Whether there is something to bring to an end: before that an interrupt ends the program at once.
    running: bool,
    /// Whether all is published, and an interrupt is for those that come after.
    over: bool,
}

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);
static TERMINAL: OnceLock<Termios> = OnceLock::new();

fn update(change: impl FnOnce(&mut Watched)) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    change(watched.get_or_insert_default());
}

fn look<T>(read: impl FnOnce(&Watched) -> T) -> T {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    read(watched.get_or_insert_default())
}

/// Begins to look, for any command.
pub(crate) fn start() {
    let began = Instant::now();
    // A program without a watchdog is better than none: a thread that cannot be started is no reason to stop.
    let _ = std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        let mut interrupted = None;
        loop {
            std::thread::sleep(PAUSE);
            if sigbus::asked_for_state() {
                let told = look(|watched| watched.state.clone());
                sigbus::say(&told.map_or_else(|| state::at_work(began), |told| told()));
            }
            if let Some(limit) = look(|watched| watched.patience)
                && let Some(overdue) = hsm_core::overdue(limit)
            {
                end(&format!("error: {overdue}; {}", sigbus::what_was_published()), 3);
            }
            if sigbus::asked_to_stop() && look(|watched| watched.interruptible && !watched.over) {
                let since: Instant = *interrupted.get_or_insert_with(Instant::now);
                let grace = if look(|watched| watched.running) {
                    GRACE
                } else {
                    Duration::ZERO
                };
                if since.elapsed() >= grace && sigbus::may_end() {
                    end(&interrupted_line(), 130);
                }
            }
        }
    });
}

/// From now on `state` says how the command stands.
pub(crate) fn tell_of(state: impl Fn() -> String + Send + Sync + 'static) {
    update(|watched| watched.state = Some(Arc::new(state)));
}

/// From now on SIGINT and SIGTERM call off what the command is at.
pub(crate) fn see_to_interrupts() {
    // A prompt for a PIN turns the echo off.
    if let Ok(terminal) = tcgetattr(std::io::stdin()) {
        let _ = TERMINAL.set(terminal);
    }
    update(|watched| watched.interruptible = true);
    sigbus::install_interrupts();
}

/// A call to a token that takes longer than `patience` ends the program with exit code 3.
pub(crate) fn limit_calls(patience: Duration) {
    update(|watched| watched.patience = Some(patience.max(Duration::from_secs(1))));
}

/// From now on an interrupted run is given time to end by itself; `journals` are what it writes.
pub(crate) fn run_begins(journals: impl IntoIterator<Item = PathBuf>) {
    update(|watched| {
        watched.running = true;
        watched.journals.extend(journals);
    });
}

/// All that is published is published: an interrupt comes too late to call it off.
pub(crate) fn run_is_over() {
    update(|watched| watched.over = true);
}

/// What an interrupted run says of itself, and how it is taken up again.
pub(crate) fn interrupted_line() -> String {
    let journals: Vec<PathBuf> = look(|watched| watched.journals.clone());
    let there: Vec<String> = journals
        .iter()
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    let what = sigbus::what_was_published();
    match there.as_slice() {
        [] if journals.is_empty() => {
            format!("error: interrupted; {what}; a run with --journal FILE can be resumed where it was interrupted")
        }
        [] => format!("error: interrupted; {what}"),
        there => format!(
            "error: interrupted; {what}; the signatures made so far are in {}: the same command with --resume goes on from \
             there",
            there.join(", ")
        ),
    }
}

/// Ends the program from outside of the run: journals synced, temporary files removed, the terminal as it was.
fn end(message: &str, code: i32) {
    // Those of zones that are done, or not begun, are not there.
    for journal in look(|watched| watched.journals.clone()) {
        if let Ok(file) = std::fs::File::open(journal) {
            let _ = file.sync_all();
        }
    }
    if let Some(terminal) = TERMINAL.get() {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, terminal);
    }
    sigbus::end_at_once(&format!("signet: {message}\n"), code);
}
