//! Tokens of several that were lost are looked for, each on a thread of its own and seldom, and are one of the pool again when
//! they are back: logged in once, keys found and proven anew. A token on which a call hung, or that refuses its PIN now, is not.
//! How a token is looked for is its store's business.

use std::sync::{Arc, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hsm_core::Oversight;

use super::token_tally::TokenTally;

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

/// What came of a look.
pub(super) enum Sought {
    /// So many sessions are open that were not open before.
    Found(usize),
    NotYet,
    /// There is no use in another look.
    Never,
}

/// One token of several.
pub(super) trait Regained: Sized + Send + Sync + 'static {
    fn tally(&self) -> &TokenTally;

    fn absence(&self) -> MutexGuard<'_, Absence>;

    /// Looks for the token at this place once, on a thread of its own.
    fn look_for(members: &[Self], at: usize) -> Sought;

    /// How long a call of a look may take.
    fn patience(&self) -> Duration;

    /// Whether nothing is wanted of it any more.
    fn stopped(&self) -> bool;

    /// Nothing is wanted of it any more.
    fn stop(&self);

    /// A look hangs, and its thread is left behind.
    fn leave_behind(&self);

    /// Another token stands ready again to do its work.
    fn has_company(&self);
}

/// Starts to look for what is lost where that is due; tells how many sessions there are that were not there before.
pub(super) fn look<M: Regained>(members: &Arc<[M]>) -> usize {
    let now = Instant::now();
    let mut back = 0;
    for (at, member) in members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.tally().is_lost())
    {
        let mut absence = member.absence();
        match &absence.state {
            State::GivenUp => {}
            State::Present => {
                absence.pause = SOON;
                absence.state = State::Awaited(now + SOON);
            }
            State::Awaited(due) if now < *due || member.stopped() => {}
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
                let patience = member.patience().max(Duration::from_secs(1));
                if oversight.overdue(patience).is_some() {
                    absence.give_up();
                    member.leave_behind();
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
pub(super) fn settle<M: Regained>(members: &[M]) {
    let began = Instant::now();
    for member in members {
        let looks = || matches!(&member.absence().state, State::LookedFor(thread, _) if !thread.is_finished());
        while looks() {
            member.stop();
            if began.elapsed() > SETTLE {
                member.leave_behind();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The token is one of several again.
fn rejoin<M: Regained>(members: &[M], at: usize) {
    let tally = members[at].tally();
    tally.regain();
    for present in members.iter().filter(|member| !member.tally().is_lost()) {
        present.has_company();
    }
    tracing::warn!(token = tally.name(), "the token is back, and takes its share again");
}

/// One look, on a thread of its own.
fn search<M: Regained>(members: &[M], at: usize) {
    let found = M::look_for(members, at);
    let mut absence = members[at].absence();
    if matches!(absence.state, State::GivenUp) {
        return;
    }
    match found {
        Sought::Found(sessions) => absence.state = State::Back(sessions),
        Sought::Never => absence.give_up(),
        Sought::NotYet => {
            absence.pause = (absence.pause * 2).min(SELDOM);
            absence.state = State::Awaited(Instant::now() + absence.pause);
        }
    }
}
