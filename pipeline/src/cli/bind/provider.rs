//! Which library, which slot, whose PIN, as BIND's pkcs11-* tools decide it: `PKCS11_PROVIDER` wins over `-m`, a slot is
//! named by its ID and is 0 by default, the PIN is `-p` or typed. Failures are told in the tools' form.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm_core::{Error, InitMode, LoadOptions, LoggedIn, Module, Pin, PinSource, Token, pin_from_argument, prompt_pin};

use signet_pipeline::{AuditEvent, AuditToken, audit};

use super::{Failure, Tool, warn};
use crate::cli::settings;
use crate::cli::token_flags::{Sha256, sha256};

/// What `-m`, `-s` and `-p` say.
#[derive(Default)]
pub(super) struct Place {
    pub(super) module: Option<PathBuf>,
    pub(super) slot: u64,
    pin: Option<Pin>,
}

impl Place {
    /// `-p PIN`: it is wiped from the process's arguments.
    ///
    /// # Errors
    /// For what is no PIN.
    pub(super) fn take_pin(&mut self, tool: Tool, text: &str) -> Result<(), Failure> {
        warn(
            tool,
            "a PIN on the command line could be seen by every user until now; leave -p out to be asked, or set SIGNET_PIN_SOURCE",
        );
        self.pin = Some(pin_from_argument(text).map_err(|error| failure(&error))?);
        Ok(())
    }

    /// Loads the library.
    ///
    /// # Errors
    /// Where none is named or it cannot be used.
    pub(super) fn load(&self, tool: Tool) -> Result<Arc<Module>, Failure> {
        let variable = std::env::var_os("PKCS11_PROVIDER").map(PathBuf::from);
        if let (Some(variable), Some(flag)) = (&variable, &self.module)
            && variable != flag
        {
            warn(
                tool,
                &format!("-m {} is passed over: PKCS11_PROVIDER is set", flag.display()),
            );
        }
        let named = variable.or_else(|| self.module.clone());
        let path = named.or_else(|| settings::variable("PKCS11_PROVIDER").map(PathBuf::from));
        load(&path.ok_or_else(unnamed)?)
    }

    /// The token in the slot.
    ///
    /// # Errors
    /// Where the slot has none.
    pub(super) fn token(&self, tool: Tool) -> Result<Token, Failure> {
        let tokens = self.load(tool)?.tokens().map_err(|error| failure(&error))?;
        let there = tokens.iter().find(|token| token.info().slot_id == self.slot);
        there.cloned().ok_or_else(|| {
            let mut text = "Unrecoverable error initializing PKCS#11: not found".to_owned();
            for token in &tokens {
                text.push_str(&format!("\n  -s {}: {}", token.info().slot_id, token.info()));
            }
            Failure::general(text)
        })
    }

    /// Logs in to it, once.
    ///
    /// # Errors
    /// When the PIN cannot be had or is refused.
    pub(super) fn log_in(&self, token: &Token) -> Result<LoggedIn, Failure> {
        audited(token, || self.try_log_in(token))
    }

    fn try_log_in(&self, token: &Token) -> Result<LoggedIn, Failure> {
        let typed = || match pin_source(token)? {
            Some(source) => source.read(&token.info().to_string()),
            None => prompt_pin("Enter Pin: "),
        };
        let pin = match &self.pin {
            Some(pin) => pin.clone(),
            None if token.info().flags.protected_authentication_path() => {
                return token.login_on_pad().map_err(|error| failure(&error));
            }
            None => typed().map_err(|error| failure(&error))?,
        };
        token.login(pin).map_err(|error| failure(&error))
    }
}

/// A login, noted in the audit log before and after.
///
/// # Errors
/// Those of the login, and of the log.
pub(super) fn audited(token: &Token, log_in: impl FnOnce() -> Result<LoggedIn, Failure>) -> Result<LoggedIn, Failure> {
    let place = AuditToken::of(token);
    note(&AuditEvent::Login(place.clone()))?;
    let login = log_in();
    note(&match &login {
        Ok(_) => AuditEvent::LoggedIn(place),
        Err(failure) => AuditEvent::LoginFailed {
            token: place,
            reason: failure.text.clone(),
        },
    })?;
    login
}

/// Notes an event in the audit log.
///
/// # Errors
/// When it cannot be written.
pub(super) fn note(event: &AuditEvent) -> Result<(), Failure> {
    audit(event).map_err(|error| Failure::general(error.to_string()))
}

/// Where environment or settings say that a token's PIN is.
///
/// # Errors
/// For what is no source.
pub(super) fn pin_source(token: &Token) -> Result<Option<PinSource>, Error> {
    let text = settings::pin_source_of(token.info()).map(|text| text.to_string_lossy().into_owned());
    text.map(|text| text.parse()).transpose()
}

/// Loads a library; its digest and the arguments for its C_Initialize come from the environment or the settings, since BIND's
/// tools have no options for them.
///
/// # Errors
/// When it cannot be loaded.
pub(super) fn load(path: &Path) -> Result<Arc<Module>, Failure> {
    let said = |name| settings::variable_for(name, Some(path)).map(|text| text.to_string_lossy().into_owned());
    let pinned = said("SIGNET_MODULE_SHA256").map(|text| sha256(&text)).transpose();
    let options = LoadOptions {
        mode: InitMode::Owned,
        sha256: pinned
            .map_err(|reason| Failure::general(format!("SIGNET_MODULE_SHA256: {reason}")))?
            .map(|Sha256(digest)| digest),
        arguments: said("SIGNET_INIT_ARGS"),
    };
    Module::load_with(path, &options).map_err(|error| failure(&error))
}

fn unnamed() -> Failure {
    let mut text = "Can't load PKCS#11 provider: none is named; give -m or set PKCS11_PROVIDER".to_owned();
    for path in Module::known_libraries() {
        text.push_str(&format!("\n  this machine has {}", path.display()));
    }
    Failure::general(text)
}

/// A failure in BIND's form: the function and its return value, or the library.
pub(super) fn failure(error: &Error) -> Failure {
    Failure::general(match error {
        Error::Call(call) => format!("{}: Error = 0x{:08X} ({})", call.call, call.code.code(), call.code),
        Error::PinRefused { .. } => match error.code() {
            Some(code) => format!("C_Login: Error = 0x{:08X} ({error})", code.code()),
            None => format!("C_Login: {error}"),
        },
        Error::Module { .. } => format!("Can't load PKCS#11 provider: {error}"),
        Error::KeyExists { .. } => "Key already exists.".to_owned(),
        other => other.to_string(),
    })
}
