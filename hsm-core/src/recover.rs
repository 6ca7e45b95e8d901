//! The recovery ladder: from a fault's class to what is done about it, and the way back after a token was lost.
//!
//! ```text
//! transient ──▶ the same session again, after a pause ──▶ after six tries as if the session were lost
//! session lost ──▶ another session, its keys resolved again ──▶ after four as if the token were lost
//! login lost ──▶ C_Login once more ──▶ stop
//! token lost ──▶ every call into the module ends, all its sessions are closed, C_Finalize, C_Initialize, C_Login,
//!                again and again until the token is back or patience ends ──▶ stop
//! bad signature ──▶ once more ──▶ stop: the token is faulty
//! key lost, PIN refused, fatal ──▶ stop
//! ```
//! A token whose work another can do is not waited for: its sessions end, and what they had in hand goes to the other's.
//! What was being signed is signed again; a signature is handed out when it was made and checked, once. Nothing here
//! tries a PIN that was refused, and no wait outlasts [`LoggedIn::stop`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::ckr::FaultClass;
use crate::error::{Error, Result};
use crate::login::LoggedIn;
use crate::mechanism::SignMechanism;
use crate::module::{InitMode, Module};
use crate::session::{KeySlot, SigningSession};

/// The next step for one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    /// On the same session, after a pause.
    Again(Duration),
    /// On another session, after a pause.
    Reopen(Duration),
    /// On another session, after C_Login.
    LogIn,
    /// On another session, after the token came back.
    Return,
}

/// How far up the ladder a piece of work is.
#[derive(Debug, Default)]
struct Ladder {
    again: u32,
    reopened: u32,
    logged_in: u32,
    returned: u32,
    refused: u32,
    bad: u32,
}

const TRIES_AGAIN: u32 = 6;
const TRIES_REOPENED: u32 = 4;
const TRIES_LOGGED_IN: u32 = 1;
const TRIES_RETURNED: u32 = 3;
const TRIES_REFUSED: u32 = 6;
const TRIES_BAD: u32 = 1;

/// Counts one more try, as long as there are any.
fn take(tries: &mut u32, most: u32) -> Option<u32> {
    let tried = *tries;
    *tries += 1;
    (tried < most).then_some(tried)
}

/// 5 ms, doubled with each try.
fn pause(tried: u32) -> Duration {
    Duration::from_millis(5 << tried.min(8))
}

impl Ladder {
    /// The rung for a fault; none: stop.
    fn next(&mut self, class: FaultClass) -> Option<Rung> {
        match class {
            FaultClass::Transient => match take(&mut self.again, TRIES_AGAIN) {
                Some(tried) => Some(Rung::Again(pause(tried))),
                None => self.next(FaultClass::SessionLost),
            },
            FaultClass::SessionLost => match take(&mut self.reopened, TRIES_REOPENED) {
                Some(0) => Some(Rung::Reopen(Duration::ZERO)),
                Some(tried) => Some(Rung::Reopen(pause(tried))),
                None => self.next(FaultClass::TokenLost),
            },
            FaultClass::LoginLost => take(&mut self.logged_in, TRIES_LOGGED_IN).map(|_| Rung::LogIn),
            FaultClass::TokenLost => take(&mut self.returned, TRIES_RETURNED).map(|_| Rung::Return),
            FaultClass::SessionLimit => take(&mut self.refused, TRIES_REFUSED).map(|tried| Rung::Reopen(pause(tried))),
            FaultClass::BadSignature => take(&mut self.bad, TRIES_BAD).map(|_| Rung::Reopen(Duration::ZERO)),
            FaultClass::KeyLost | FaultClass::PinRefused | FaultClass::Fatal => None,
        }
    }
}

/// How long a wait does not look whether it is still wanted.
const SLICE: Duration = Duration::from_millis(20);

/// Sleeps for so long, or until nothing is wanted of the token any more.
fn wait(login: &LoggedIn, pause: Duration) {
    let until = Instant::now() + pause;
    while !login.stopped() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::sleep(left.min(SLICE));
    }
}

impl SigningSession {
    /// Signs as [`Self::sign`] does, and climbs the recovery ladder when that fails: waits, reopens the session, logs in once
    /// more, or waits for the token to come back as long as [`LoggedIn::patience`] says.
    ///
    /// # Errors
    /// The fault that ended it. [`FaultClass::SessionLimit`] means that this session is spent while others may serve;
    /// any other that the token or the key is lost.
    pub fn sign_through(
        &mut self,
        slot: KeySlot,
        mechanism: SignMechanism,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize> {
        match self.sign(slot, mechanism, data, out) {
            Err(error) if !matches!(error, Error::Input { .. }) => self.climb(error, slot, mechanism, data, out),
            done => done,
        }
    }

    #[cold]
    fn climb(
        &mut self,
        mut error: Error,
        slot: KeySlot,
        mechanism: SignMechanism,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize> {
        let mut ladder = Ladder::default();
        loop {
            // A session that recovery closed for another's sake is no fault of its own.
            let rung = match ladder.next(error.class()) {
                None => return Err(error),
                Some(_) if self.login.stopped() => return Err(error),
                Some(Rung::Return) if self.login.is_expendable() => return Err(error),
                Some(rung) => rung,
            };
            tracing::warn!(%error, next = ?rung, "a token's fault");
            let mended = match rung {
                Rung::Again(pause) => {
                    wait(&self.login, pause);
                    if self.needs_reopen() { self.reopen() } else { Ok(()) }
                }
                Rung::Reopen(pause) => {
                    wait(&self.login, pause);
                    self.reopen()
                }
                Rung::LogIn => self.login.log_in_again().and_then(|()| self.reopen()),
                Rung::Return => await_return(&self.login, self.initialised()).and_then(|()| self.reopen()),
            };
            match mended.and_then(|()| self.sign(slot, mechanism, data, out)) {
                Ok(length) => return Ok(length),
                Err(next) => error = next,
            }
        }
    }
}

/// Makes what is done before signing (a login, a search, a session with its keys) with the same ladder. A C_Login that
/// failed is not made again, whatever its answer: the PIN is not yet known to be right.
///
/// # Errors
/// The fault that ended it.
pub(crate) fn persist<T>(login: &LoggedIn, mut make: impl FnMut() -> Result<T>) -> Result<T> {
    let mut ladder = Ladder::default();
    loop {
        let seen = login.token().module().initialised();
        // What a rung opens again is subject to faults as well.
        let error = match login.establish().and_then(|()| make()) {
            Err(error) => error,
            made => return made,
        };
        let doubtful = matches!(&error, Error::Call(call) if call.call == "C_Login");
        let rung = match error.class() {
            _ if doubtful || login.stopped() => None,
            // Others may give theirs up; the guard session is not given up for that.
            FaultClass::SessionLimit => take(&mut ladder.refused, TRIES_REFUSED).map(|tried| Rung::Again(pause(tried))),
            class => ladder.next(class),
        };
        match rung {
            None => return Err(error),
            Some(Rung::Again(pause)) => wait(login, pause),
            Some(Rung::Reopen(pause)) => {
                login.drop_guard();
                wait(login, pause);
            }
            Some(Rung::LogIn) => login.log_in_again()?,
            Some(Rung::Return) if login.is_expendable() => return Err(error),
            Some(Rung::Return) => await_return(login, seen)?,
        }
        tracing::warn!(%error, "a token's fault before signing; tried again");
    }
}

/// Waits until a lost token serves again. Whoever of the module's workers comes first does it for all; `seen` is the
/// initialisation that the fault was seen in.
///
/// # Errors
/// What was wrong when patience ended; a PIN that was refused.
fn await_return(login: &LoggedIn, seen: u64) -> Result<()> {
    let module = login.token().module();
    // Every call into the module has ended, and none begins.
    let Some(_alone) = module.stop_traffic() else {
        login.give_up();
        return Err(login.lost());
    };
    if module.initialised() != seen {
        return Ok(());
    }
    if login.given_up() {
        return Err(login.lost());
    }
    module.close_seats();
    tracing::warn!(token = login.token().info().label, patience = ?login.patience(), "waiting for the token to come back");
    let began = Instant::now();
    let mut tries = 0;
    loop {
        let back = match module.mode() {
            InitMode::Owned => module.initialise_again().and_then(|()| login.relocate()),
            InitMode::Shared => Ok(()),
        };
        let error = match back.and_then(|()| login.establish_alone()) {
            Ok(()) => {
                module.count_initialisation();
                return Ok(());
            }
            Err(error) => error,
        };
        let hopeless = matches!(error.class(), FaultClass::PinRefused);
        if hopeless || login.stopped() || began.elapsed() >= login.patience() {
            login.give_up();
            return Err(error);
        }
        let left = login.patience().saturating_sub(began.elapsed());
        wait(login, pause(tries).min(left.max(pause(0))));
        tries += 1;
    }
}

/// Who else uses a lost token's library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryUse {
    /// Nobody: it may be initialised again.
    Alone,
    /// Tokens that are at work.
    Shared,
}

impl LoggedIn {
    /// Looks once whether a token that was lost is back, and logs in. Sessions that were open on it are lost.
    ///
    /// # Errors
    /// It is not back; a PIN that it refuses now, which is not tried again.
    pub fn rejoin(&self, library: LibraryUse) -> Result<()> {
        let module = self.token().module();
        if library == LibraryUse::Alone && module.mode() == InitMode::Owned {
            let alone = module.stop_traffic();
            if alone.is_none() {
                return Err(self.lost());
            }
            module.close_seats();
            module.initialise_again()?;
            self.relocate()?;
            self.establish_alone()?;
            module.count_initialisation();
            return Ok(());
        }
        self.drop_guard();
        {
            let _traffic = module.traffic();
            self.relocate()?;
        }
        self.establish()
    }

    /// A call on this token hangs, and its thread is left behind: the library is never finalised nor initialised again, and
    /// [`left_behind`] says so from now on.
    pub fn leave_behind(&self) {
        leave_behind(Some(self.token().module()), self.patience());
    }
}

/// A call has hung for longer than this, and its thread is left behind, as by [`LoggedIn::leave_behind`]: before there is a
/// login, or where not even the library could be initialised.
pub fn leave_behind(module: Option<&Module>, longer: Duration) {
    if let Some(module) = module {
        module.leave_behind(longer);
    }
    LEFT_BEHIND.store(true, Ordering::Release);
}

static LEFT_BEHIND: AtomicBool = AtomicBool::new(false);

/// Whether a thread of this process was left in a call that hangs: it should end without the libraries' own clean-up, which
/// could hang or crash on it.
pub fn left_behind() -> bool {
    LEFT_BEHIND.load(Ordering::Acquire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climbed(class: FaultClass) -> Vec<Rung> {
        let mut ladder = Ladder::default();
        std::iter::from_fn(|| ladder.next(class)).collect()
    }

    #[test]
    fn every_class_ends() {
        let transient = climbed(FaultClass::Transient);
        assert_eq!(transient.len(), 6 + 4 + 3);
        assert_eq!(transient[0], Rung::Again(Duration::from_millis(5)));
        assert_eq!(transient[6], Rung::Reopen(Duration::ZERO));
        assert_eq!(transient[10..], [Rung::Return; 3]);
        assert_eq!(climbed(FaultClass::LoginLost), [Rung::LogIn]);
        assert_eq!(climbed(FaultClass::BadSignature), [Rung::Reopen(Duration::ZERO)]);
        for class in [FaultClass::KeyLost, FaultClass::PinRefused, FaultClass::Fatal] {
            assert_eq!(climbed(class), []);
        }
    }
}
