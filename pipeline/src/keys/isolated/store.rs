//! Keys on tokens behind worker processes, as a store: each session thread has a process of its own, sends it batches, and
//! takes the signatures as they come. A process that ends is replaced, and signs what the last one had not; one after another
//! that signs nothing at all is the end of that session, and of the run if it is the last.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use dnssec_sign::{Dnskey, KeyIndex, KeyStore, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned};
use hsm_core::{Pace, Pin};

use super::frame::{self, Kind};
use super::message::{Class, Failed, Found, Library, Open, Ready};
use super::process::{Fault, Links, Nursery, Worker};
use crate::audit::{AuditEvent, AuditToken, audit};
use crate::keys::regain::{self, Absence, Regained, Sought};
use crate::keys::token_store::sign_alone;
use crate::keys::token_tally::{TokenTally, least_busy_first, lose};
use crate::keys::tokens::OpenedStore;

/// So many processes of a session may end one after another without a signature.
const FRUITLESS: u32 = 3;
/// So many that end are told of, each token's.
const TOLD: u64 = 4;
/// How long is waited between looks for a token that is not there.
const PAUSE: Duration = Duration::from_millis(100);

/// What it takes to open a token in a worker process.
pub(super) struct Entry {
    pub(super) nursery: Arc<Nursery>,
    pub(super) library: Library,
    pub(super) found: Found,
    pub(super) open: Open,
    /// `None`: it is typed on the token's pad.
    pub(super) pin: Option<Pin>,
}

/// One token of a store.
pub(super) struct Member {
    entry: Entry,
    tally: Arc<TokenTally>,
    /// Processes that nobody has taken yet. Its lock lets one process at a time open the token: the PIN is proven by the
    /// first, and software tokens are not made to be opened by several at once.
    ready: Mutex<Vec<Worker>>,
    links: Links,
    expendable: AtomicBool,
    /// Sessions to begin with.
    sessions: usize,
    absence: Mutex<Absence>,
    /// Processes that ended on their own while they looked for the token, since one last found it.
    vain: AtomicU32,
    /// The PIN was refused, in these words: nobody tries it again.
    refused: OnceLock<Failed>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Member {
    /// Opens the token in `scout`, a process that has the library loaded, or in a new one, and then in others up to
    /// `sessions`; fewer, where the token has no more. Returns random bytes as well, if it gave any.
    ///
    /// # Errors
    /// What the first process says of token, PIN and keys, or how one ended.
    pub(super) fn open(entry: Entry, scout: Option<Worker>, sessions: usize) -> Result<(Self, Option<Vec<u8>>), Fault> {
        let links = Links::default();
        let (first, ready) = entry.worker(scout, &links, entry.open.expendable)?;
        let member = Self {
            tally: Arc::new(TokenTally::new(ready.report)),
            ready: Mutex::new(vec![first]),
            links,
            expendable: AtomicBool::new(entry.open.expendable),
            refused: OnceLock::new(),
            sessions: sessions.max(1),
            absence: Mutex::default(),
            vain: AtomicU32::new(0),
            entry,
        };
        for _ in 1..sessions {
            match member.one_more()? {
                Some(worker) => locked(&member.ready).push(worker),
                None => break,
            }
        }
        Ok((member, ready.random))
    }

    /// A further process; `None` where the token has no more to give, or wants somebody to type for each.
    fn one_more(&self) -> Result<Option<Worker>, Fault> {
        if self.entry.pin.is_none() {
            return Ok(None);
        }
        match self.replacement() {
            Err(Fault::Failed(failed)) if failed.class == Class::SessionLimit => Ok(None),
            worker => worker.map(Some),
        }
    }

    /// A process in place of one that ended.
    fn replacement(&self) -> Result<Worker, Fault> {
        let _alone = locked(&self.ready);
        if self.stopped() {
            return Err(Fault::Failed(Failed {
                class: Class::Store,
                message: format!("{}: no more signatures are wanted", self.tally.name()),
            }));
        }
        if let Some(refused) = self.refused.get() {
            return Err(Fault::Failed(refused.clone()));
        }
        if self.entry.pin.is_none() {
            tracing::warn!("{}: type the PIN on its own pad once more", self.tally.name());
        }
        let expendable = self.expendable.load(Ordering::SeqCst);
        let opened = self.entry.worker(None, &self.links, expendable);
        if let Err(Fault::Failed(failed)) = &opened
            && failed.class == Class::PinRefused
        {
            // The first one: this is behind a lock.
            let _ = self.refused.set(failed.clone());
        }
        let (worker, _) = opened?;
        Ok(worker)
    }

    /// A worker in place of one that ended; a token that went away meanwhile is waited for.
    fn awaited(&self) -> Result<Worker, Fault> {
        let until = Instant::now() + self.entry.open.patience;
        loop {
            match self.replacement() {
                Err(Fault::Failed(failed)) if failed.class == Class::TokenLost && self.waits(until) => {
                    std::thread::sleep(PAUSE);
                }
                answer => return answer,
            }
        }
    }

    fn waits(&self, until: Instant) -> bool {
        let wanted = !self.expendable.load(Ordering::SeqCst) && !self.stopped();
        wanted && Instant::now() < until
    }

    /// No other token stands ready any more.
    fn is_last(&self) {
        self.set_expendable(false);
    }

    fn set_expendable(&self, expendable: bool) {
        if self.expendable.swap(expendable, Ordering::SeqCst) == expendable {
            return;
        }
        let kind = if expendable { Kind::NotAlone } else { Kind::LastOne };
        self.links.tell(|link| {
            // Who does not hear it is gone.
            let _ = link.send(kind, &[]);
        });
    }
}

impl Regained for Member {
    fn tally(&self) -> &TokenTally {
        &self.tally
    }

    fn absence(&self) -> MutexGuard<'_, Absence> {
        locked(&self.absence)
    }

    /// By new processes: what is wrong with the token may be so in a process alone.
    fn look_for(members: &[Self], at: usize) -> Sought {
        let member = &members[at];
        let missing = member.sessions.saturating_sub(member.tally.sessions());
        let mut found = 0;
        while found < missing {
            match member.one_more() {
                Ok(Some(worker)) => locked(&member.ready).push(worker),
                // The token has no more sessions, or somebody would have to type for each.
                Ok(None) if found > 0 => break,
                Ok(None) if member.entry.pin.is_some() => return Sought::NotYet,
                Ok(None) => return Sought::Never,
                Err(Fault::Failed(failed)) if failed.class == Class::PinRefused => return Sought::Never,
                Err(Fault::Crashed(how)) if member.vain.fetch_add(1, Ordering::Relaxed) + 1 >= FRUITLESS => {
                    tracing::warn!("{how}; {} is not looked for any more", member.tally.name());
                    return Sought::Never;
                }
                Err(fault) => {
                    tracing::debug!(token = member.tally.name(), %fault, "the token is not back yet");
                    return Sought::NotYet;
                }
            }
            found += 1;
        }
        member.vain.store(0, Ordering::Relaxed);
        Sought::Found(found)
    }

    fn patience(&self) -> Duration {
        self.entry.open.patience
    }

    fn stopped(&self) -> bool {
        self.links.closed()
    }

    fn stop(&self) {
        self.links.close();
    }

    /// The process that it waits for ends with this one.
    fn leave_behind(&self) {}

    fn has_company(&self) {
        self.set_expendable(true);
    }
}

impl Entry {
    /// A process with the token open.
    fn worker(&self, scout: Option<Worker>, links: &Links, expendable: bool) -> Result<(Worker, Ready), Fault> {
        let scouted = scout.is_some();
        let mut worker = match scout {
            Some(worker) => worker,
            None => Worker::start(&self.nursery, &self.library)?,
        };
        worker.join(links);
        if !scouted {
            worker.locate(&self.library, Vec::new(), self.open.patience)?;
        }
        let found = &self.found;
        let place = AuditToken::reached_by(found.module.as_ref(), (&found.label, &found.serial, found.slot));
        let recorded = |event| audit(&event).map_err(|error| Fault::Failed(Failed::from(&error)));
        recorded(AuditEvent::Login(place.clone()))?;
        let open = Open {
            expendable,
            ..self.open.clone()
        };
        let opened = worker.open(&open, self.pin.as_ref());
        recorded(match &opened {
            Ok(_) => AuditEvent::LoggedIn(place),
            Err(fault) => AuditEvent::LoginFailed {
                token: place,
                reason: fault.to_string(),
            },
        })?;
        Ok((worker, opened?))
    }
}

/// Keys on one token, or on several that all hold them, behind worker processes.
pub(super) struct IsolatedStore {
    keys: Vec<Dnskey>,
    members: Arc<[Member]>,
    pace: Option<Arc<Pace>>,
}

impl IsolatedStore {
    pub(super) fn new(members: Vec<Member>, keys: Vec<Dnskey>, pace: Option<Arc<Pace>>) -> Self {
        if let [only] = &members[..] {
            // The others may not have been opened.
            only.is_last();
        }
        Self {
            keys,
            members: members.into(),
            pace,
        }
    }

    /// As a run sees it, with random bytes of a token if there are any.
    pub(super) fn opened(self, random: Option<Vec<u8>>) -> OpenedStore {
        let names: Vec<&str> = self.members.iter().map(|member| member.tally.name()).collect();
        OpenedStore {
            name: names.join(" and "),
            sessions: self.members.iter().map(|member| locked(&member.ready).len()).sum(),
            tallies: self.members.iter().map(|member| Arc::clone(&member.tally)).collect(),
            random,
            // A pad is typed on for one process; it tells nothing of single signatures.
            by_hand: Vec::new(),
            keys: Box::new(self),
        }
    }
}

impl KeyStore for IsolatedStore {
    fn keys(&self) -> &[Dnskey] {
        &self.keys
    }

    /// A process that is open, of the token that has the fewest at work, else one started now.
    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let mut message = "all worker processes are in use".to_owned();
        for at in least_busy_first(&self.members, |member| &member.tally) {
            let member = &self.members[at];
            let there = locked(&member.ready).pop();
            let worker = match there {
                Some(worker) => Ok(Some(worker)),
                None => member.one_more(),
            };
            match worker {
                Ok(Some(worker)) => {
                    member.tally.begin_session();
                    return Ok(Box::new(IsolatedSigner {
                        worker: Some(worker),
                        fruitless: 0,
                        at,
                        members: Arc::clone(&self.members),
                        pace: self.pace.clone(),
                        body: Vec::new(),
                    }));
                }
                Ok(None) => {}
                Err(fault) => message = format!("{}: {fault}", member.tally.name()),
            }
        }
        Err(SignError::Worker { message })
    }

    fn regain(&self) -> usize {
        regain::look(&self.members)
    }

    fn stop(&self) {
        self.members.iter().for_each(Regained::stop);
    }
}

impl Drop for IsolatedStore {
    fn drop(&mut self) {
        regain::settle(&self.members);
    }
}

/// One session thread's process, and what it takes to have another.
struct IsolatedSigner {
    worker: Option<Worker>,
    /// How many have ended in a row without a signature.
    fruitless: u32,
    at: usize,
    members: Arc<[Member]>,
    pace: Option<Arc<Pace>>,
    body: Vec<u8>,
}

impl Drop for IsolatedSigner {
    fn drop(&mut self) {
        self.members[self.at].tally.end_session();
    }
}

impl Signer for IsolatedSigner {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        sign_alone(self, key, data, out)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        while batch.done() < batch.len() {
            let member = &self.members[self.at];
            if member.tally.is_lost() {
                return Err(SignError::Worker {
                    message: format!("{} is lost", member.tally.name()),
                });
            }
            if let Some(pace) = &self.pace {
                pace.wait(|| member.stopped());
            }
            if member.stopped() {
                return Err(unwanted(&member.tally));
            }
            match self.exchange(batch) {
                Ok(()) => {}
                Err(Fault::Failed(failed)) => return Err(self.failed(failed)),
                Err(Fault::Crashed(message)) => self.crashed(message)?,
            }
        }
        Ok(())
    }
}

fn unwanted(tally: &TokenTally) -> SignError {
    SignError::Store {
        message: format!("{}: no more signatures are wanted", tally.name()),
    }
}

impl IsolatedSigner {
    /// Has jobs of the batch signed: all that are left, or one at a time where there is a pace to keep.
    fn exchange(&mut self, batch: &mut SignBatch) -> Result<(), Fault> {
        let member = &self.members[self.at];
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => member.awaited()?,
        };
        let most = if self.pace.is_some() { 1 } else { usize::MAX };
        self.body.clear();
        let due = (batch.done()..batch.len()).take(most);
        let jobs = due.len();
        for job in due {
            let job = u32::try_from(job).unwrap_or(u32::MAX);
            frame::push_job(&mut self.body, batch.key(job), batch.message(job));
        }
        let (mut signature, mut signed) = (SignatureBuf::default(), worker.send_jobs(&self.body));
        for _ in 0..jobs {
            signed = signed.and_then(|()| {
                let (nanoseconds, bytes) = worker.signature()?;
                signature.set(bytes);
                batch.deliver_timed(&signature, nanoseconds);
                member.tally.count();
                Ok(())
            });
        }
        if worker.made > 0 {
            self.fruitless = 0;
        }
        match signed {
            // What it says it says as one that goes on.
            Ok(()) | Err(Fault::Failed(_)) => self.worker = Some(worker),
            Err(Fault::Crashed(_)) => {}
        }
        signed
    }

    /// What a process's end means for its session.
    fn crashed(&mut self, message: String) -> Result<(), SignError> {
        let member = &self.members[self.at];
        if member.stopped() {
            return Err(unwanted(&member.tally));
        }
        self.fruitless += 1;
        let before = member.tally.count_crash();
        if self.fruitless < FRUITLESS {
            match before {
                0..TOLD => tracing::warn!("{message}; another takes its place"),
                TOLD => tracing::warn!("{message}; further ones are counted, not told"),
                _ => {}
            }
            return Ok(());
        }
        let message = format!("{message}; so did {FRUITLESS} in a row without a signature");
        if member.tally.sessions() <= 1 && locked(&member.ready).is_empty() {
            // It was the token's last session; the next processes would end as these did.
            member.absence().give_up();
            self.lose(&message);
        }
        Err(SignError::Worker { message })
    }

    /// The token is done with, if another can do its work; false if none can.
    fn lose(&self, message: &str) -> bool {
        lose(
            &self.members,
            self.at,
            |member| &member.tally,
            &message,
            Member::is_last,
        )
    }

    /// As a session's faults: this job's, this session's, or the token's, which others may stand in for.
    fn failed(&mut self, failed: Failed) -> SignError {
        let message = failed.message;
        match failed.class {
            Class::Job => return SignError::Job { message },
            Class::Worker | Class::SessionLimit => return SignError::Worker { message },
            _ => {}
        }
        if self.members[self.at].stopped() || !self.lose(&message) {
            return SignError::Store { message };
        }
        SignError::Worker { message }
    }
}
