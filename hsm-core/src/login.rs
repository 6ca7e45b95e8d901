//! The one login to a token, and what a logged-in user can do there.
//!
//! A login is tried once per token and process, behind a barrier, after the token's own flags were
//! asked whether a try would do harm. A refusal is remembered for the life of the process. The
//! login lasts as long as a guard session, which is used for searches and never signs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::session::{Session, UserType};
use cryptoki_sys as sys;
use secrecy::{ExposeSecret, SecretString};

use crate::ckr::{Ckr, FaultClass};
use crate::error::{Error, Located, PinRefusal, Place, Result};
use crate::key::{self, GenerateSpec, KeyInfo, KeySelector, TokenKey};
use crate::pin::secret;
use crate::session::SigningSession;
use crate::token::{Access, Token};

impl Token {
    /// Logs in as the user (CKU_USER), once: `pin` is tried if the token has not refused one in
    /// this process, is not locked, and would not be locked by a wrong one.
    ///
    /// The login lasts until the last clone of the result and the last session from it are gone;
    /// a guard session keeps it. That somebody is logged in already counts as success.
    ///
    /// # Errors
    /// [`Error::PinRefused`] by the token or instead of asking it; [`Error::Call`].
    pub fn login(&self, pin: SecretString) -> Result<LoggedIn> {
        // A copy in memory that is locked and left out of dumps; what came here is zeroed.
        self.log_in(Some(secret(pin.expose_secret())))
    }

    /// Logs in by the token's own PIN pad (CKF_PROTECTED_AUTHENTICATION_PATH): C_Login gets no PIN, and waits until it
    /// was typed there. The rest is as for [`Self::login`].
    ///
    /// # Errors
    /// Those of [`Self::login`].
    pub fn login_on_pad(&self) -> Result<LoggedIn> {
        self.log_in(None)
    }

    fn log_in(&self, pin: Option<SecretString>) -> Result<LoggedIn> {
        let barrier = self.module().login_barrier();
        let name = self.refusal_name();
        if self.module().was_refused(&name) {
            return Err(self.refused(PinRefusal::Earlier));
        }
        let context = self.module().context()?;
        // The flags of now, not of the listing. A token that cannot tell them is asked directly.
        if let Ok(now) = context.get_token_info(self.slot()) {
            if now.user_pin_locked() {
                return Err(self.refused(PinRefusal::Locked));
            }
            if now.user_pin_final_try() {
                return Err(self.refused(PinRefusal::FinalTry));
            }
            if now.user_pin_count_low() {
                tracing::warn!(
                    token = self.info().label,
                    slot = self.info().slot_id,
                    "a wrong PIN was entered since the last login to this token"
                );
            }
        }
        let guard = self.open(Access::ReadOnly)?;
        match guard.login(UserType::User, pin.as_ref()).at(self.place(), "C_Login") {
            Ok(()) => {}
            Err(error) if error.code() == Some(Ckr::new(sys::CKR_USER_ALREADY_LOGGED_IN)) => {}
            Err(error) if error.class() == FaultClass::PinRefused => {
                return Err(self.remember_refusal(error));
            }
            Err(error) => return Err(error),
        }
        drop(barrier);
        let login = Login {
            guard: Mutex::new(guard),
            pin,
            token: self.clone(),
        };
        Ok(LoggedIn(Arc::new(login)))
    }

    /// A serial number survives a slot's renumbering; a token without one goes by its slot.
    fn refusal_name(&self) -> String {
        match self.info().serial.as_str() {
            "" => format!("slot {}", self.info().slot_id),
            serial => format!("serial {serial}"),
        }
    }

    /// Takes note of a C_Login that refused the PIN: nobody in this process tries another.
    pub(crate) fn remember_refusal(&self, error: Error) -> Error {
        let Some(code) = error.code() else { return error };
        self.module().remember_refusal(&self.refusal_name());
        self.refused(PinRefusal::ByToken(code))
    }

    fn refused(&self, refusal: PinRefusal) -> Error {
        Error::PinRefused {
            token: format!("token '{}'", self.info().label),
            slot: self.info().slot_id,
            refusal,
        }
    }
}

/// A token with a user logged in. Cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct LoggedIn(Arc<Login>);

struct Login {
    // Closed before the module may be finalised: fields are dropped in order.
    guard: Mutex<Session>,
    /// `None`: it was typed on the token's own pad.
    pin: Option<SecretString>,
    token: Token,
}

impl LoggedIn {
    /// The token.
    pub fn token(&self) -> &Token {
        &self.0.token
    }

    /// The one private key that matches, with its public part.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`] with near misses, [`Error::KeyAmbiguous`] with all that match,
    /// [`Error::KeyUnusable`] where its halves cannot be read or joined.
    pub fn find(&self, wanted: &KeySelector) -> Result<TokenKey> {
        key::find(&self.guard(), self.place(), wanted)
    }

    /// All keys of the token: pairs, and halves that stand alone, by label and id.
    ///
    /// # Errors
    /// A PKCS#11 call failed.
    pub fn list(&self) -> Result<Vec<KeyInfo>> {
        key::list(&self.guard(), self.place())
    }

    /// Makes a key pair on the token: a token object, sensitive and not extractable, which is read
    /// back and destroyed again if it is not.
    ///
    /// # Errors
    /// [`Error::KeyExists`] if label or id are taken, [`Error::KeyUnsafe`], [`Error::Call`].
    pub fn generate(&self, spec: &GenerateSpec) -> Result<TokenKey> {
        let session = self.token().open(Access::ReadWrite)?;
        key::generate(&session, self.place(), spec)
    }

    /// Removes both halves of a key from the token, for good; tells how many objects they were.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`], [`Error::KeyAmbiguous`]: nothing was removed. [`Error::Call`].
    pub fn destroy(&self, key: &TokenKey) -> Result<usize> {
        let session = self.token().open(Access::ReadWrite)?;
        key::destroy(&session, self.place(), key)
    }

    /// Opens a session to sign in, for one worker.
    ///
    /// # Errors
    /// [`Error::Call`]; its class is [`FaultClass::SessionLimit`] when the token has no more.
    pub fn session(&self) -> Result<SigningSession> {
        SigningSession::open(self)
    }

    pub(crate) fn place(&self) -> &Place {
        self.token().place()
    }

    pub(crate) fn pin(&self) -> Option<&SecretString> {
        self.0.pin.as_ref()
    }

    fn guard(&self) -> MutexGuard<'_, Session> {
        self.0.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoggedIn").field(&self.0.token).finish()
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<LoggedIn>();
};
