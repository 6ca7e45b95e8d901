//! The one login to a token, and what a logged-in user can do there.
//!
//! A login is tried once per token and process, behind a barrier, after the token's own flags were
//! asked whether a try would do harm. A refusal is remembered for the life of the process. The
//! login lasts as long as a guard session, which is used for searches and never signs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cryptoki::session::{Session, SessionState, UserType};
use cryptoki_sys as sys;
use secrecy::SecretString;

use crate::ckr::{Ckr, FaultClass};
use crate::error::{Error, Located, PinRefusal, Place, Result};
use crate::key::{self, GenerateSpec, ImportSpec, ImportWay, KeyInfo, KeySelector, PrivatePart, TokenKey, WrappedKey};
use crate::pin::copy_of_pin;
use crate::recover::persist;
use crate::seat::Seat;
use crate::session::SigningSession;
use crate::token::{Access, Token};
use crate::watch::{Watched, watched};

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
        self.log_in(Some(copy_of_pin(&pin)))
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
        let login = LoggedIn(Arc::new(Login {
            guard: Seat::new(self.module(), self.place(), None),
            pin,
            patience: AtomicU64::new(PATIENCE),
            given_up: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            expendable: AtomicBool::new(false),
            token: self.clone(),
        }));
        persist(&login, || login.establish())?;
        Ok(login)
    }

    /// Whether a try to log in would do no harm: by what was refused before, and by the flags of now, not of the listing. A
    /// token that cannot tell them is asked directly.
    fn may_log_in(&self) -> Result<()> {
        if self.module().was_refused(&self.refusal_name()) {
            return Err(self.refused(PinRefusal::Earlier));
        }
        let context = self.module().context()?;
        let now = watched(self.place(), Watched::GetTokenInfo, || {
            context.get_token_info(self.slot())
        });
        if let Ok(now) = now {
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
        Ok(())
    }

    /// C_Login in a session, once. That somebody is logged in already counts as success.
    fn try_once(&self, session: &Session, pin: Option<&SecretString>) -> Result<()> {
        self.may_log_in()?;
        // On a PIN pad a person types: that may take its time.
        let answer = match pin {
            Some(_) => watched(self.place(), Watched::Login, || session.login(UserType::User, pin)),
            None => session.login(UserType::User, None),
        };
        match answer.at(self.place(), "C_Login") {
            Ok(()) => Ok(()),
            Err(error) if error.code() == Some(Ckr::new(sys::CKR_USER_ALREADY_LOGGED_IN)) => Ok(()),
            Err(error) if error.class() == FaultClass::PinRefused => Err(self.remember_refusal(error)),
            // Behind a fork that is the reason, whatever the library says.
            Err(error) => Err(self.module().context().err().unwrap_or(error)),
        }
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
    guard: Arc<Seat>,
    /// `None`: it was typed on the token's own pad.
    pin: Option<SecretString>,
    /// Milliseconds.
    patience: AtomicU64,
    given_up: AtomicBool,
    stopped: AtomicBool,
    expendable: AtomicBool,
    token: Token,
}

/// How long a token that went away is waited for, in milliseconds, unless it is said otherwise.
const PATIENCE: u64 = 60_000;

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
        let find = |session: &Session| key::find(session, self.place(), wanted);
        persist(self, || self.search(Watched::FindObjects, find))
    }

    /// All keys of the token: pairs, and halves that stand alone, by label and id.
    ///
    /// # Errors
    /// A PKCS#11 call failed.
    pub fn list(&self) -> Result<Vec<KeyInfo>> {
        let list = |session: &Session| key::list(session, self.place());
        persist(self, || self.search(Watched::FindObjects, list))
    }

    /// Makes a key pair on the token: a token object, sensitive and not extractable, which is read
    /// back and destroyed again if it is not.
    ///
    /// # Errors
    /// [`Error::KeyExists`] if label or id are taken, [`Error::TokenFull`], [`Error::KeyUnsafe`], [`Error::Call`].
    pub fn generate(&self, spec: &GenerateSpec) -> Result<TokenKey> {
        self.token().has_room()?;
        let session = self.token().open(Access::ReadWrite)?;
        key::generate(&session, self.token(), spec)
    }

    /// Brings a private key that is at hand onto the token: by C_CreateObject, or, where the token refuses bare secrets, by
    /// C_UnwrapKey under an AES key that lives for this one call. It is read back, and destroyed again if the token does not
    /// protect it as asked. It is not proven to sign: [`Self::session`] and a proof do that.
    ///
    /// # Errors
    /// [`Error::KeyExists`] if label or id are taken, [`Error::NotImportable`], [`Error::KeyUnsafe`], [`Error::Call`].
    pub fn import(&self, spec: &ImportSpec, private: &PrivatePart) -> Result<(TokenKey, ImportWay)> {
        self.token().has_room()?;
        let session = self.token().open(Access::ReadWrite)?;
        key::import(&session, self.token(), spec, private)
    }

    /// Has the token wrap a key by an AES key that it holds: C_WrapKey. Nothing that leaves the token can be read without
    /// that AES key.
    ///
    /// # Errors
    /// [`Error::KeyUnusable`] for a key that may not leave or is not wrapped, [`Error::WrappingKey`],
    /// [`Error::NoWrapping`], [`Error::Call`].
    pub fn wrap(&self, key: &TokenKey, wrapping: &KeySelector) -> Result<WrappedKey> {
        let session = self.token().open(Access::ReadOnly)?;
        key::wrap(&session, self.token(), key, wrapping)
    }

    /// Brings back a key that [`Self::wrap`] gave, of this token or of one that holds the same AES key: C_UnwrapKey. It is
    /// read back as after [`Self::import`].
    ///
    /// # Errors
    /// Those of [`Self::import`], and [`Error::WrappingKey`].
    pub fn restore(&self, spec: &ImportSpec, wrapped: &WrappedKey, wrapping: &KeySelector) -> Result<TokenKey> {
        self.token().has_room()?;
        let session = self.token().open(Access::ReadWrite)?;
        key::restore(&session, self.token(), spec, wrapped, wrapping)
    }

    /// Removes both halves of a key from the token, for good; tells how many objects they were.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`], [`Error::KeyAmbiguous`]: nothing was removed. [`Error::Call`].
    pub fn destroy(&self, key: &TokenKey) -> Result<usize> {
        let session = self.token().open(Access::ReadWrite)?;
        key::destroy(&session, self.place(), key)
    }

    /// Whether the PIN was typed on the token's own pad: it is typed there again for whatever wants one more login.
    pub fn by_pad(&self) -> bool {
        self.0.pin.is_none()
    }

    /// How long a token that went away is waited for: a minute, unless [`Self::set_patience`] said otherwise.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.0.patience.load(Ordering::Relaxed))
    }

    /// Says how long a token that went away is waited for, by every clone of this login.
    pub fn set_patience(&self, patience: Duration) {
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.0.patience.store(millis, Ordering::Relaxed);
    }

    /// Nothing is wanted of the token any more: every wait for it, by every clone of this login, ends within a few
    /// hundredths of a second with the fault that was waited out. For good; a call that is under way is not ended by it.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::stop`] was called.
    pub fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Says whether another token stands ready to do this one's work: if so, and it goes away, it is neither waited for
    /// nor is its library initialised again, under the hands of whoever else uses it.
    pub fn set_expendable(&self, expendable: bool) {
        self.0.expendable.store(expendable, Ordering::Relaxed);
    }

    /// Whether another token stands ready.
    pub(crate) fn is_expendable(&self) -> bool {
        self.0.expendable.load(Ordering::Relaxed)
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

    /// Makes calls in the guard session; `call` is what they are watched as.
    pub(crate) fn search<T>(&self, call: Watched, make: impl FnOnce(&Session) -> Result<T>) -> Result<T> {
        let _traffic = self.token().module().traffic();
        let _alone = self.token().module().login_barrier();
        let guard = self.0.guard.lock();
        let session = guard.as_ref().ok_or_else(|| self.lost())?;
        watched(self.place(), call, || make(session))
    }

    /// Closes the guard session, in which an operation may be stuck; [`Self::establish`] opens another.
    pub(crate) fn drop_guard(&self) {
        let _traffic = self.token().module().traffic();
        self.0.guard.clear();
    }

    /// Opens the guard session and logs in, if recovery has closed it.
    pub(crate) fn establish(&self) -> Result<()> {
        let _traffic = self.token().module().traffic();
        self.establish_alone()
    }

    /// As [`Self::establish`], for callers that have seen to the traffic.
    pub(crate) fn establish_alone(&self) -> Result<()> {
        let token = self.token();
        let _barrier = token.module().login_barrier();
        let mut guard = self.0.guard.lock();
        if guard.is_some() {
            return Ok(());
        }
        let session = token.open_alone(Access::ReadOnly)?;
        token.try_once(&session, self.pin())?;
        *guard = Some(session);
        Ok(())
    }

    /// Logs in once more after the token forgot the login; another worker may have done so already.
    pub(crate) fn log_in_again(&self) -> Result<()> {
        let _traffic = self.token().module().traffic();
        {
            let _barrier = self.token().module().login_barrier();
            let mut guard = self.0.guard.lock();
            if let Some(session) = guard.as_ref() {
                match session.get_session_info().map(|info| info.session_state()) {
                    Ok(SessionState::RoUser | SessionState::RwUser) => return Ok(()),
                    Ok(_) => return self.token().try_once(session, self.pin()),
                    // The guard itself is lost.
                    Err(_) => drop(guard.take()),
                }
            }
        }
        self.establish_alone()
    }

    /// Looks for the token after the library was initialised again.
    pub(crate) fn relocate(&self) -> Result<()> {
        self.token().relocate()
    }

    /// Whether the token was waited for in vain.
    pub(crate) fn given_up(&self) -> bool {
        self.0.given_up.load(Ordering::Relaxed)
    }

    pub(crate) fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }

    /// The error of whoever finds the token given up.
    pub(crate) fn lost(&self) -> Error {
        Error::call("C_OpenSession", Ckr::new(sys::CKR_TOKEN_NOT_PRESENT), self.place())
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
