//! A session that signs: one worker's own, with the handles of its keys.
//!
//! Handles belong to the session and are resolved again when it is reopened; what the caller holds
//! is a [`KeySlot`], which stays the same. The hot call itself is in `sign`.

use std::fmt;
use std::sync::Arc;

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;

use crate::ckr::FaultClass;
use crate::error::{Error, KeyFault, Located, Result};
use crate::ffi::HotCall;
use crate::key::{self, KeyKind, TokenKey};
use crate::login::LoggedIn;
use crate::seat::Seat;
use crate::token::Access;
use crate::verify::PreparedVerifier;
use crate::watch::{Oversight, Watched, watched};

/// Whether private keys are copied to session objects (C_CopyObject) before they sign.
///
/// A software token decrypts a token object for every signature; a copy in the session saves that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionCopy {
    /// For software tokens that are known to gain by it, and keys that can be copied.
    #[default]
    Auto,
    /// Sign with the token objects.
    Never,
    /// Copy, and fail where that is refused.
    Always,
}

/// A key loaded into a session; survives [`SigningSession::reopen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySlot(pub(crate) usize);

/// One PKCS#11 session with keys loaded, for one worker at a time.
pub struct SigningSession {
    // Closed before the login's guard session: fields are dropped in order.
    pub(crate) seat: Arc<Seat>,
    pub(crate) keys: Vec<LoadedKey>,
    generation: u64,
    /// The module's initialisation that the session belongs to.
    initialised: u64,
    pub(crate) login: LoggedIn,
}

pub(crate) struct LoadedKey {
    pub(crate) key: TokenKey,
    pub(crate) handle: ObjectHandle,
    copy: SessionCopy,
    pub(crate) copied: bool,
    pub(crate) verifier: Option<PreparedVerifier>,
}

const _: () = {
    const fn moves_between_threads<T: Send>() {}
    moves_between_threads::<SigningSession>();
};

impl SigningSession {
    pub(crate) fn open(login: &LoggedIn) -> Result<Self> {
        let module = login.token().module();
        let _traffic = module.traffic();
        let session = login.token().open(Access::ReadOnly)?;
        Ok(Self {
            seat: Seat::new(module, login.place(), Some(session)),
            keys: Vec::new(),
            generation: 0,
            initialised: module.initialised(),
            login: login.clone(),
        })
    }

    /// Resolves a key in this session, and copies it to a session object where that is wanted.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`], [`Error::KeyAmbiguous`]; [`Error::KeyUnusable`] if
    /// [`SessionCopy::Always`] cannot be had, or RSA signatures cannot be checked on the host.
    pub fn load_key(&mut self, key: &TokenKey, copy: SessionCopy) -> Result<KeySlot> {
        let verifier = match PreparedVerifier::new(key.public()) {
            Ok(verifier) => Some(verifier),
            // RSA must be verified; for Ed448 there may be nothing on the host that can.
            Err(KeyFault::NoVerifier(_)) if !matches!(key.kind(), KeyKind::Rsa(_)) => None,
            Err(fault) => return Err(self.unusable(key, fault)),
        };
        let module = self.login.token().module();
        if key.always_authenticate() && matches!(module.hot(), HotCall::Indirect) {
            return Err(self.unusable(key, KeyFault::AlwaysAuthenticate));
        }
        let (handle, copied) = {
            let _traffic = module.traffic();
            self.handle(key, copy)?
        };
        let slot = KeySlot(self.keys.len());
        self.keys.push(LoadedKey {
            key: key.clone(),
            handle,
            copy,
            copied,
            verifier,
        });
        Ok(slot)
    }

    /// Whether a loaded key signs as a session copy.
    pub fn is_copy(&self, slot: KeySlot) -> bool {
        self.keys.get(slot.0).is_some_and(|loaded| loaded.copied)
    }

    /// The key behind a slot of this session.
    pub fn key(&self, slot: KeySlot) -> Option<&TokenKey> {
        self.keys.get(slot.0).map(|loaded| &loaded.key)
    }

    /// How often the session was reopened. Handles of an earlier generation are void.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether an error has made the session useless until it is reopened.
    pub fn needs_reopen(&self) -> bool {
        self.seat.lock().is_none()
    }

    pub(crate) fn initialised(&self) -> u64 {
        self.initialised
    }

    /// Has its calls looked after by `oversight` alone: [`crate::overdue`] does not tell of them any more.
    pub fn oversee(&self, oversight: &Oversight) {
        oversight.take(&self.seat.cell);
    }

    /// The token that it is open on.
    pub fn login(&self) -> &LoggedIn {
        &self.login
    }

    /// Closes the session, opens another and resolves all loaded keys in it.
    ///
    /// After any error of a call a session may hold an operation that cannot be ended
    /// (C_SignFinal does not end a single-part operation), so nothing else makes it usable again.
    ///
    /// # Errors
    /// As of opening and of [`Self::load_key`]; the session then still needs to be reopened.
    pub fn reopen(&mut self) -> Result<()> {
        let login = self.login.clone();
        let module = login.token().module();
        let _traffic = module.traffic();
        self.seat.clear();
        self.generation += 1;
        self.initialised = module.initialised();
        login.establish_alone()?;
        *self.seat.lock() = Some(login.token().open(Access::ReadOnly)?);
        for at in 0..self.keys.len() {
            let Some((key, copy)) = self.keys.get(at).map(|loaded| (loaded.key.clone(), loaded.copy)) else {
                break;
            };
            match self.handle(&key, copy) {
                Ok((handle, copied)) => {
                    if let Some(loaded) = self.keys.get_mut(at) {
                        (loaded.handle, loaded.copied) = (handle, copied);
                    }
                }
                Err(error) => {
                    self.seat.clear();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn handle(&self, key: &TokenKey, copy: SessionCopy) -> Result<(ObjectHandle, bool)> {
        // One session at a time finds and copies: SoftHSM shows a copy that is being made as the token object that it is copied
        // from, and another session would find two.
        let _alone = self.login.token().module().login_barrier();
        let seat = self.seat.lock();
        let session = seat.as_ref().ok_or_else(|| self.closed())?;
        let place = self.login.place();
        let original = watched(place, Watched::FindObjects, || key::resolve(session, place, key))?;
        let wanted = match copy {
            SessionCopy::Never => false,
            SessionCopy::Always => true,
            SessionCopy::Auto => {
                self.login.token().quirks().session_copy
                    && !key.always_authenticate()
                    && key.attributes().copyable != Some(false)
            }
        };
        if !wanted {
            return Ok((original, false));
        }
        match self.copied(session, key, original) {
            Ok(handle) => Ok((handle, true)),
            Err(error) if copy == SessionCopy::Always => match error.class() {
                // Not a refusal: recovery opens the session again, and copies there.
                FaultClass::SessionLost | FaultClass::LoginLost | FaultClass::TokenLost => Err(error),
                _ => Err(self.unusable(key, KeyFault::NoCopy(error.to_string()))),
            },
            Err(error) => {
                tracing::debug!(%error, key = key.label(), "no session copy: signing with the token object");
                Ok((original, false))
            }
        }
    }

    /// Only CKA_TOKEN is changed; a copy that is less protected than its original is destroyed.
    fn copied(&self, session: &Session, key: &TokenKey, original: ObjectHandle) -> Result<ObjectHandle> {
        let place = self.login.place();
        let copied = watched(place, Watched::CopyObject, || {
            session.copy_object(original, &[Attribute::Token(false)])
        });
        let copy = copied.at(place, "C_CopyObject")?;
        let asked = [
            AttributeType::Token,
            AttributeType::Sensitive,
            AttributeType::Extractable,
        ];
        let said = session.get_attributes(copy, &asked).at(place, "C_GetAttributeValue")?;
        let kept =
            |value: Option<bool>, make: fn(bool) -> Attribute| value.is_none_or(|value| said.contains(&make(value)));
        let attributes = key.attributes();
        if said.contains(&Attribute::Token(false))
            && kept(attributes.sensitive, Attribute::Sensitive)
            && kept(attributes.extractable, Attribute::Extractable)
        {
            return Ok(copy);
        }
        session.destroy_object(copy).at(place, "C_DestroyObject")?;
        Err(self.unusable(
            key,
            KeyFault::NoCopy("the copy is less protected than the key".to_owned()),
        ))
    }

    pub(crate) fn unusable(&self, key: &TokenKey, fault: KeyFault) -> Error {
        Error::KeyUnusable {
            label: key.label(),
            token: self.token_name(),
            fault,
        }
    }

    pub(crate) fn closed(&self) -> Error {
        Error::NeedsReopen {
            token: self.token_name(),
        }
    }

    pub(crate) fn token_name(&self) -> String {
        let info = self.login.token().info();
        format!("token '{}' (slot {})", info.label, info.slot_id)
    }
}

impl Drop for SigningSession {
    fn drop(&mut self) {
        let _traffic = self.login.token().module().traffic();
        self.seat.clear();
    }
}

impl fmt::Debug for SigningSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSession")
            .field("token", &self.token_name())
            .field("keys", &self.keys.len())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
