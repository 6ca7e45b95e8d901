//! What is done with one token of several on a thread of its own that can be left behind: opening it, and signing. Where a call
//! hangs, the token is lost and what was in hand goes to the others, though the thread never comes back. The last token's
//! calls are the watchdog's again.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use dnssec_sign::{KeyIndex, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned};
use hsm_core::{Module, Oversight};

use super::regain::Regained as _;
use super::token_store::{AtWork, Member, TokenSigner, lose, sign_alone};
use crate::error::Error;

/// How often it is looked whether a call hangs.
const LOOK: Duration = Duration::from_millis(50);

/// Does what it takes to open a further token on a thread of its own. Where a call hangs for longer than `patience` the thread is
/// left behind, in `module` if that is loaded.
///
/// # Errors
/// The call that hangs, in words: the token cannot be used.
pub(super) fn unless_it_hangs<T: Send + 'static>(
    module: Option<&Arc<Module>>,
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (done, made) = bounded(1);
    let oversight = Oversight::default();
    let covered = oversight.clone();
    let task = move || {
        covered.cover_thread();
        // Nobody waits for it once it was left behind.
        let _ = done.send(work());
    };
    let started = std::thread::Builder::new().name("opening".to_owned()).spawn(task);
    started.map_err(|error| Error::Token(format!("a thread to open a token cannot be started: {error}")))?;
    let patience = patience.max(Duration::from_secs(1));
    loop {
        match made.recv_timeout(LOOK) {
            Ok(made) => {
                oversight.end();
                return Ok(made);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Token("the thread that opens a token ended".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(overdue) = oversight.overdue(patience) {
            hsm_core::leave_behind(module.map(Arc::as_ref), patience);
            return Err(Error::Token(overdue.to_string()));
        }
    }
}

/// What was made of a batch.
type Answer = (SignBatch, Result<(), SignError>);

/// The near end: batches are copied to the thread and signatures back, so that nothing is lost with it.
pub(super) struct OverseenSigner {
    work: Option<Sender<SignBatch>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
    oversight: Oversight,
    members: Arc<[Member]>,
    at: usize,
    _at_work: AtWork,
}

impl OverseenSigner {
    /// Gives the signer a thread.
    ///
    /// # Errors
    /// [`SignError::Worker`] when there is none to be had.
    pub(super) fn start(mut signer: TokenSigner, at_work: AtWork) -> Result<Self, SignError> {
        let (work, batches) = bounded::<SignBatch>(1);
        let (done, answers) = bounded::<Answer>(1);
        let oversight = Oversight::default();
        let (members, at, covered) = (Arc::clone(&signer.members), signer.at, oversight.clone());
        let serve = move || {
            covered.cover_thread();
            signer.session.oversee(&covered);
            for mut batch in batches {
                let outcome = signer.sign_batch(&mut batch);
                if done.send((batch, outcome)).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("session".to_owned()).spawn(serve);
        let thread = thread.map_err(|error| SignError::Worker {
            message: format!("a thread for a session cannot be started: {error}"),
        })?;
        Ok(Self {
            work: Some(work),
            answers,
            thread: Some(thread),
            oversight,
            members,
            at,
            _at_work: at_work,
        })
    }

    /// Waits for what comes of a batch, unless a call hangs and another token can do the work.
    fn answer(&mut self) -> Result<Answer, SignError> {
        let member = &self.members[self.at];
        let patience = member.login.patience().max(Duration::from_secs(1));
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    let message = format!("{}: the thread of a session ended", member.tally.name());
                    return Err(SignError::Store { message });
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let Some(overdue) = self.oversight.overdue(patience) else {
                continue;
            };
            if !lose(&self.members, self.at, &overdue) {
                // Nobody else can: the program's watchdog ends the run.
                self.oversight.end();
                continue;
            }
            member.absence().give_up();
            member.login.leave_behind();
            self.work = None;
            self.thread = None;
            return Err(SignError::Worker {
                message: overdue.to_string(),
            });
        }
    }
}

impl Signer for OverseenSigner {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        sign_alone(self, key, data, out)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let mut copy = SignBatch::new();
        for job in (0..batch.len()).skip(batch.done()) {
            let job = u32::try_from(job).unwrap_or(u32::MAX);
            copy.add(batch.key(job), |message| message.extend_from_slice(batch.message(job)));
        }
        let sent = self.work.as_ref().is_some_and(|work| work.send(copy).is_ok());
        if !sent {
            let message = format!("{}: the session was left behind", self.members[self.at].tally.name());
            return Err(SignError::Worker { message });
        }
        let (copy, outcome) = self.answer()?;
        let mut signature = SignatureBuf::default();
        for (job, time) in (0..).zip(copy.times()).take(copy.done()) {
            signature.set(copy.signature(job));
            batch.deliver_timed(&signature, time);
        }
        outcome
    }
}

impl Drop for OverseenSigner {
    /// The session is closed before the login may end.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
