//! Tokens of several that were lost are looked for, each on a thread of its own and seldom, and are one of the pool again when
//! they are back: logged in once, keys found and proven anew. A token on which a call hung, or that refuses its PIN now, is not.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hsm_core::{FaultClass, LibraryUse, Oversight};

use super::token_store::Member;

/// The first look, and how seldom the last ones are.
const SOON: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(8);

/// How long a look may last that is under way when the work is done.
const SETTLE: Duration = Duration::from_secs(2);

/// How it stands with a token that is lost.
#[derive(Debug, Default)]
pub(super) struct Absence {
    state: State,
    /// How long the next look has to wait.
    pause: Duration,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Present,
    /// It is looked for when this comes.
    Awaited(Instant),
    /// A thread looks for it.
    LookedFor(JoinHandle<()>, Oversight),
    /// It is back, with so many sessions.
    Back(usize),
    /// It is not looked for any more.
    GivenUp,
}

impl Absence {
    /// It is not looked for any more.
    pub(super) fn give_up(&mut self) {
        self.state = State::GivenUp;
    }
}

impl Member {
    pub(super) fn absence(&self) -> MutexGuard<'_, Absence> {
        self.absence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts to look for what is lost where that is due; tells how many sessions there are that were not there before.
pub(super) fn look(members: &Arc<[Member]>) -> usize {
    let now = Instant::now();
    let mut back = 0;
    for (at, member) in members.iter().enumerate().filter(|(_, member)| member.tally.is_lost()) {
        let mut absence = member.absence();
        match &absence.state {
            State::GivenUp => {}
            State::Present => {
                absence.pause = SOON;
                absence.state = State::Awaited(now + SOON);
            }
            State::Awaited(due) if now < *due || member.login.stopped() => {}
            State::Awaited(_) => {
                let oversight = Oversight::default();
                let (members, covered) = (Arc::clone(members), oversight.clone());
                let search = move || {
                    covered.cover_thread();
                    search(&members, at);
                };
                // What it finds waits for the lock that is held here.
                let thread = std::thread::Builder::new().name("regain".to_owned()).spawn(search);
                absence.state = match thread {
                    Ok(thread) => State::LookedFor(thread, oversight),
                    Err(_) => State::GivenUp,
                };
            }
            State::LookedFor(_, oversight) => {
                let patience = member.login.patience().max(Duration::from_secs(1));
                if oversight.overdue(patience).is_some() {
                    absence.give_up();
                    member.login.leave_behind();
                }
            }
            State::Back(sessions) => {
                back += *sessions;
                absence.state = State::Present;
                drop(absence);
                rejoin(members, at);
            }
        }
    }
    back
}

/// Waits for the end of what looks for tokens; a look that hangs is left behind.
pub(super) fn settle(members: &[Member]) {
    let began = Instant::now();
    for member in members {
        let looks = || matches!(&member.absence().state, State::LookedFor(thread, _) if !thread.is_finished());
        while looks() {
            member.login.stop();
            if began.elapsed() > SETTLE {
                member.login.leave_behind();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The token is one of several again.
fn rejoin(members: &[Member], at: usize) {
    let member = &members[at];
    member.tally.regain();
    for present in members.iter().filter(|member| !member.tally.is_lost()) {
        present.login.set_expendable(true);
    }
    tracing::warn!(
        token = member.tally.name(),
        "the token is back, and takes its share again"
    );
}

/// One look, on a thread of its own.
fn search(members: &[Member], at: usize) {
    let member = &members[at];
    let module = member.login.token().module();
    let others = members.iter().enumerate().any(|(other, present)| {
        other != at && !present.tally.is_lost() && Arc::ptr_eq(present.login.token().module(), module)
    });
    let library = if others { LibraryUse::Shared } else { LibraryUse::Alone };
    // Those that have not noticed the loss open their sessions again by themselves.
    let missing = member.sessions.saturating_sub(member.tally.sessions());
    let found = member.login.rejoin(library).and_then(|()| {
        if missing > 0 {
            member.pool().renew(missing)?;
        }
        Ok(())
    });
    let mut absence = member.absence();
    if matches!(absence.state, State::GivenUp) {
        return;
    }
    match found {
        Ok(()) => absence.state = State::Back(missing),
        Err(error) if error.class() == FaultClass::PinRefused => absence.give_up(),
        Err(error) => {
            tracing::debug!(token = member.tally.name(), %error, "the token is not back yet");
            absence.pause = (absence.pause * 2).min(SELDOM);
            absence.state = State::Awaited(Instant::now() + absence.pause);
        }
    }
}
