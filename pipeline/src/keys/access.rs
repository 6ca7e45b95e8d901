//! From "which module, which token, whose PIN" to a token that is logged in. The PIN is read once and tried once;
//! which keys are wanted is not known here.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm_core::{InitMode, LoadOptions, LoggedIn, Module, Pin, PinSource, Token, TokenSelector, Uri, copy_of_pin};

use crate::audit::{AuditEvent, AuditToken, audit};
use crate::error::Error;

/// Where a token is and how to log in: the flags and the environment, or an embedder's own choice.
#[derive(Debug, Clone, Default)]
pub struct TokenAccess {
    /// The provider's library. It comes from a person or a trusted configuration, never from a key file.
    pub module: Option<PathBuf>,
    /// The token, as far as it is said here. What a key's URI says of it counts as well.
    pub token: TokenSelector,
    /// The PIN's source. Without it the URI's counts, then the token's own pad, then a prompt where there is a terminal.
    pub pin_source: Option<PinSource>,
    /// SHA-256 that the library's file must have; it is compared before the library is loaded.
    pub module_sha256: Option<Box<[u8; 32]>>,
    /// What C_Initialize gets, for libraries that are configured so (NSS softokn).
    pub init_arguments: Option<String>,
}

/// Provider libraries that this machine has, as the end of a message.
fn suggestions() -> String {
    let known = Module::known_libraries();
    if known.is_empty() {
        return String::new();
    }
    let paths: Vec<_> = known.iter().map(|path| path.display().to_string()).collect();
    format!("; this machine has {}", paths.join(", "))
}

impl TokenAccess {
    /// Loads the provider's library, or returns the one that is loaded already.
    ///
    /// # Errors
    /// [`Error::Usage`] when none is named, [`Error::Hsm`] when it cannot be used.
    pub fn module(&self) -> Result<Arc<Module>, Error> {
        let path = self.library()?;
        let options = LoadOptions {
            mode: InitMode::Owned,
            sha256: self.module_sha256.as_deref().copied(),
            arguments: self.init_arguments.clone(),
        };
        Ok(Module::load_with(path, &options)?)
    }

    /// The path of the provider's library.
    pub(super) fn library(&self) -> Result<&Path, Error> {
        self.module.as_deref().ok_or_else(|| {
            Error::Usage(format!(
                "a token is needed, and no PKCS#11 library is named: give --module PATH, set PKCS11_PROVIDER, or write it into signet.toml{}",
                suggestions()
            ))
        })
    }

    /// The token's selector for a key's URI: the URI's own attributes, filled up by what is said here.
    #[must_use]
    pub fn selector(&self, uri: &Uri) -> TokenSelector {
        let (theirs, ours) = (uri.token.clone(), self.token.clone());
        TokenSelector {
            label: theirs.label.or(ours.label),
            serial: theirs.serial.or(ours.serial),
            manufacturer: theirs.manufacturer.or(ours.manufacturer),
            model: theirs.model.or(ours.model),
            slot: theirs.slot.or(ours.slot),
        }
    }

    /// Logs in to a token. `uri`, if a key is named by one, may say where the PIN is.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is neither a PIN source nor a terminal, [`Error::Hsm`] when the PIN cannot be
    /// read or is refused. A refused PIN is not tried again.
    pub fn log_in(&self, token: &Token, uri: Option<&Uri>) -> Result<LoggedIn, Error> {
        let place = AuditToken::of(token);
        audit(&AuditEvent::Login(place.clone()))?;
        let login = self.try_log_in(token, uri);
        audit(&match &login {
            Ok(_) => AuditEvent::LoggedIn(place),
            Err(error) => AuditEvent::LoginFailed {
                token: place,
                reason: error.to_string(),
            },
        })?;
        login
    }

    fn try_log_in(&self, token: &Token, uri: Option<&Uri>) -> Result<LoggedIn, Error> {
        let (info, pad) = (token.info(), token.info().flags.protected_authentication_path());
        Ok(match self.pin(&info.label, pad, uri)? {
            Some(pin) => token.login(pin)?,
            None => token.login_on_pad()?,
        })
    }

    /// The PIN of the token with this label, from where the flags, the key's URI or a person have it; `None`: it is typed on
    /// the token's own `pad`, if it has one.
    pub(super) fn pin(&self, label: &str, pad: bool, uri: Option<&Uri>) -> Result<Option<Pin>, Error> {
        let name = format!("token '{label}'");
        if self.pin_source.is_none()
            && let Some(pin) = uri.and_then(|uri| uri.pin_value.as_ref())
        {
            return Ok(Some(copy_of_pin(pin)));
        }
        let named = self.pin_source.as_ref().or(uri.and_then(|uri| uri.pin_source.as_ref()));
        let source = match named {
            Some(source) => source,
            None if pad => {
                tracing::warn!("{name}: type the PIN on its own pad");
                return Ok(None);
            }
            None if std::io::stdin().is_terminal() || std::io::stderr().is_terminal() => &PinSource::Prompt,
            None => {
                return Err(Error::Usage(format!(
                    "{name} wants a PIN and there is no terminal to ask on: give --pin-source file:PATH, env:NAME or fd:N"
                )));
            }
        };
        Ok(Some(source.read(&name)?))
    }
}
