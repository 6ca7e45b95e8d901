//! A fixed number of signing sessions on one token, one for each worker.
//!
//! All are opened, loaded and proven before the first signature; none is opened or closed while
//! workers sign, except by a worker that reopens its own after a fault.

use crate::ckr::FaultClass;
use crate::error::Result;
use crate::key::TokenKey;
use crate::login::LoggedIn;
use crate::recover::persist;
use crate::session::{KeySlot, SessionCopy, SigningSession};

/// Sessions with the same keys loaded, in the same slots.
#[derive(Debug)]
pub struct Pool {
    sessions: Vec<SigningSession>,
    slots: Vec<KeySlot>,
    opened: usize,
    proofs: u64,
}

impl Pool {
    /// Opens up to `count` sessions (at least one), loads every key into each, and proves every
    /// key once and every session copy once.
    ///
    /// The token's limit, as it states it or as CKR_SESSION_COUNT tells, makes the pool smaller
    /// and is no error as long as one session opens.
    ///
    /// # Errors
    /// As of [`LoggedIn::session`], [`SigningSession::load_key`] and [`SigningSession::prove`];
    /// the sessions opened so far are closed.
    pub fn open(login: &LoggedIn, count: usize, keys: &[TokenKey], copy: SessionCopy) -> Result<Self> {
        // One session of the token's limit guards the login.
        let limit = login
            .token()
            .info()
            .max_sessions
            .and_then(|most| usize::try_from(most).ok());
        let count = count.min(limit.unwrap_or(usize::MAX).saturating_sub(1)).max(1);
        let mut pool = Self {
            sessions: Vec::new(),
            slots: Vec::new(),
            opened: 0,
            proofs: 0,
        };
        while pool.sessions.len() < count {
            let (first, mut proofs) = (pool.sessions.is_empty(), 0);
            let opened = persist(login, || {
                let mut session = login.session()?;
                let mut slots = Vec::with_capacity(keys.len());
                for key in keys {
                    let slot = session.load_key(key, copy)?;
                    if first || session.is_copy(slot) {
                        session.prove(slot)?;
                        proofs += 1;
                    }
                    slots.push(slot);
                }
                Ok((session, slots))
            });
            pool.proofs += proofs;
            let (session, slots) = match opened {
                Err(error) if error.class() == FaultClass::SessionLimit && !first => {
                    tracing::warn!(
                        wanted = count,
                        opened = pool.sessions.len(),
                        "the token has no more sessions"
                    );
                    break;
                }
                opened => opened?,
            };
            pool.slots = slots;
            pool.sessions.push(session);
        }
        pool.opened = pool.sessions.len();
        Ok(pool)
    }

    /// How many sessions were opened.
    pub fn opened(&self) -> usize {
        self.opened
    }

    /// How many signatures were made as proofs; they are no part of any output.
    pub fn proofs(&self) -> u64 {
        self.proofs
    }

    /// The slot of the n-th key, the same in every session; `None` past the last key.
    pub fn slot(&self, key: usize) -> Option<KeySlot> {
        self.slots.get(key).copied()
    }

    /// Hands out a session for a worker to keep; dropping it closes it. `None`: all are out.
    pub fn take(&mut self) -> Option<SigningSession> {
        self.sessions.pop()
    }

    /// Takes a session back, for another worker.
    ///
    /// # Errors
    /// [`crate::Error::NeedsReopen`], and the session closed, if it is unusable.
    pub fn put(&mut self, session: SigningSession) -> Result<()> {
        if session.needs_reopen() {
            return Err(session.closed());
        }
        self.sessions.push(session);
        Ok(())
    }

    /// All sessions that are not out.
    pub fn into_sessions(self) -> Vec<SigningSession> {
        self.sessions
    }
}
