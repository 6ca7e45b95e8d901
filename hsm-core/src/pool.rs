//! Signing sessions on one token, one for each worker.
//!
//! Those asked for are opened, loaded and proven before the first signature. More are opened while
//! workers sign only where the caller asks ([`Pool::grow`]); how many are worth it is the caller's
//! to find out.

use crate::ckr::FaultClass;
use crate::error::Result;
use crate::key::TokenKey;
use crate::login::LoggedIn;
use crate::mechanism::SignMechanism;
use crate::recover::persist;
use crate::session::{KeySlot, SessionCopy, SigningSession};
use crate::sign::ProvenOn;

/// Sessions with the same keys loaded, in the same slots.
#[derive(Debug)]
pub struct Pool {
    // Closed before the login's guard session: fields are dropped in order.
    sessions: Vec<SigningSession>,
    slots: Vec<KeySlot>,
    opened: usize,
    proofs: u64,
    keys: Vec<(TokenKey, SignMechanism)>,
    copy: SessionCopy,
    login: LoggedIn,
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
        let keys = keys.iter().map(|key| (key.clone(), key.kind().mechanism())).collect();
        Self::open_by(login, count, keys, copy)
    }

    /// The same with the mechanism that each key is proven by: that which it will sign by.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn open_by(
        login: &LoggedIn,
        count: usize,
        keys: Vec<(TokenKey, SignMechanism)>,
        copy: SessionCopy,
    ) -> Result<Self> {
        let mut pool = Self {
            sessions: Vec::new(),
            slots: Vec::new(),
            opened: 0,
            proofs: 0,
            keys,
            copy,
            login: login.clone(),
        };
        let count = count.max(1);
        while pool.sessions.len() < count {
            if !pool.grow()? {
                tracing::warn!(
                    wanted = count,
                    opened = pool.sessions.len(),
                    "the token has no more sessions"
                );
                break;
            }
        }
        Ok(pool)
    }

    /// Opens one session more, with the keys loaded and its copies proven. False: the token has no more to give.
    ///
    /// # Errors
    /// As of [`Self::open`]. That the token has no more is an error only for the first session.
    pub fn grow(&mut self) -> Result<bool> {
        let first = self.opened == 0;
        // One session of the token's limit guards the login.
        let limit = self.login.token().info().max_sessions;
        let limit = limit.and_then(|most| usize::try_from(most).ok());
        if !first && limit.is_some_and(|most| self.opened >= most.saturating_sub(1)) {
            return Ok(false);
        }
        let mut proofs = 0;
        let opened = persist(&self.login, || {
            let mut session = self.login.session()?;
            let mut slots = Vec::with_capacity(self.keys.len());
            for (key, mechanism) in &self.keys {
                let slot = session.load_key(key, self.copy)?;
                if first || session.is_copy(slot) {
                    session.prove_by(slot, *mechanism, ProvenOn::Host)?;
                    proofs += 1;
                }
                slots.push(slot);
            }
            Ok((session, slots))
        });
        self.proofs += proofs;
        let (session, slots) = match opened {
            Err(error) if error.class() == FaultClass::SessionLimit && !first => return Ok(false),
            opened => opened?,
        };
        self.slots = slots;
        self.sessions.push(session);
        self.opened += 1;
        Ok(true)
    }

    /// Opens up to `count` sessions anew on a token that was lost and is back, with the keys loaded and proven as at first.
    /// Those that are out are no part of the pool any more.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn renew(&mut self, count: usize) -> Result<()> {
        self.sessions.clear();
        self.opened = 0;
        while self.sessions.len() < count.max(1) && self.grow()? {}
        Ok(())
    }

    /// How many sessions were opened, those that are closed again counted in.
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
