//! What a run and its worker processes say to each other before the first batch, and why one failed, as JSON bodies of
//! frames. No PIN is in any of them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use dnssec_sign::{Algorithm, Dnskey, SignError};
use hsm_core::{FaultClass, InitMode, LoadOptions, SessionCopy, TokenInfo, TokenSelector, Uri};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keys::access::TokenAccess;
use crate::keys::offload::Offload;
use crate::keys::tokens::Wanted;
use crate::report::TokenReport;

/// A provider's library, as it is to be loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Library {
    path: OsString,
    sha256: Option<[u8; 32]>,
    arguments: Option<String>,
}

impl Library {
    /// What flags and environment say.
    ///
    /// # Errors
    /// [`Error::Usage`] when none is named.
    pub(super) fn of(access: &TokenAccess) -> Result<Self, Error> {
        Ok(Self {
            path: access.library()?.into(),
            sha256: access.module_sha256.as_deref().copied(),
            arguments: access.init_arguments.clone(),
        })
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(&self.path)
    }

    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            mode: InitMode::Owned,
            sha256: self.sha256,
            arguments: self.arguments.clone(),
        }
    }
}

/// The first that a worker gets.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) library: Library,
    /// Tokens to look for, as [`selector_text`] writes them.
    pub(super) tokens: Vec<String>,
    /// How long a call is waited for.
    pub(super) patience: Duration,
}

/// A token that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) label: String,
    pub(super) serial: String,
    pub(super) slot: u64,
    /// The library's canonical path.
    pub(super) module: OsString,
    /// Whether PINs are typed on a pad of its own.
    pub(super) pad: bool,
    /// As messages show it.
    pub(super) text: String,
}

impl Found {
    pub(super) fn new(info: &TokenInfo, module: &std::path::Path) -> Self {
        Self {
            label: info.label.clone(),
            serial: info.serial.clone(),
            slot: info.slot_id,
            module: module.into(),
            pad: info.flags.protected_authentication_path(),
            text: info.to_string(),
        }
    }

    /// Whether it is the same token.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.slot, &self.module) == (other.slot, &other.module)
    }
}

/// The token to open, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Open {
    /// As [`selector_text`] writes it.
    pub(super) token: String,
    pub(super) keys: Vec<Key>,
    pub(super) copy: KeyCopy,
    pub(super) offload: Offload,
    /// How long a token that goes away is waited for.
    pub(super) patience: Duration,
    /// Whether other tokens stand ready to do its work.
    pub(super) expendable: bool,
    /// Whether the PIN follows; else the token has a pad.
    pub(super) pin: bool,
}

/// A key, as its files say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Key {
    name: String,
    flags: u16,
    algorithm: u8,
    public_key: Vec<u8>,
    uri: String,
}

impl From<&Wanted> for Key {
    fn from(wanted: &Wanted) -> Self {
        let mut uri = Uri::default();
        uri.key = wanted.uri.key.clone();
        Self {
            name: wanted.name.clone(),
            flags: wanted.dnskey.flags(),
            algorithm: wanted.dnskey.algorithm().0,
            public_key: wanted.dnskey.public_key().to_vec(),
            uri: uri.to_string(),
        }
    }
}

impl TryFrom<&Key> for Wanted {
    type Error = Error;

    fn try_from(key: &Key) -> Result<Self, Error> {
        let dnskey = Dnskey::new(key.flags, Algorithm(key.algorithm), &key.public_key);
        Ok(Self {
            name: key.name.clone(),
            dnskey: dnskey.map_err(|error| Error::Input(format!("{}: {error}", key.name)))?,
            uri: key.uri.parse()?,
        })
    }
}

/// A [`SessionCopy`] that can be said.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum KeyCopy {
    Auto,
    Never,
    Always,
}

impl From<SessionCopy> for KeyCopy {
    fn from(copy: SessionCopy) -> Self {
        match copy {
            SessionCopy::Never => Self::Never,
            SessionCopy::Always => Self::Always,
            _ => Self::Auto,
        }
    }
}

impl From<KeyCopy> for SessionCopy {
    fn from(copy: KeyCopy) -> Self {
        match copy {
            KeyCopy::Auto => Self::Auto,
            KeyCopy::Never => Self::Never,
            KeyCopy::Always => Self::Always,
        }
    }
}

/// A worker that is logged in, with its keys found and proven.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) report: TokenReport,
    /// Random bytes of the token's own, where tokens do what they can.
    pub(super) random: Option<Vec<u8>>,
}

/// Why a worker could not do something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) class: Class,
    pub(super) message: String,
}

/// By what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Class {
    /// [`Error::Input`].
    Input,
    /// [`Error::Usage`].
    Usage,
    /// The PIN is wrong, or may not be tried: nobody tries it again.
    PinRefused,
    /// The token has no more sessions.
    SessionLimit,
    /// The token is not there.
    TokenLost,
    /// Any other fault of the token.
    Token,
    /// A call hangs: the process is of no use any more.
    Hung,
    /// [`SignError::Job`].
    Job,
    /// [`SignError::Worker`].
    Worker,
    /// [`SignError::Store`].
    Store,
}

impl From<&Error> for Failed {
    fn from(error: &Error) -> Self {
        let class = match error {
            Error::Input(_) => Class::Input,
            Error::Usage(_) => Class::Usage,
            Error::Hsm(error) => match error.class() {
                FaultClass::PinRefused => Class::PinRefused,
                FaultClass::SessionLimit => Class::SessionLimit,
                FaultClass::TokenLost => Class::TokenLost,
                _ => Class::Token,
            },
            _ => Class::Token,
        };
        Self {
            class,
            message: error.to_string(),
        }
    }
}

impl From<&SignError> for Failed {
    fn from(error: &SignError) -> Self {
        let class = match error {
            SignError::Job { .. } => Class::Job,
            SignError::Worker { .. } => Class::Worker,
            _ => Class::Store,
        };
        Self {
            class,
            message: error.to_string(),
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed.class {
            Class::Input => Self::Input(failed.message),
            Class::Usage => Self::Usage(failed.message),
            _ => Self::Token(failed.message),
        }
    }
}

/// A selector as a URI's text, which [`selector`] reads.
pub(super) fn selector_text(selector: &TokenSelector) -> String {
    let mut uri = Uri::default();
    uri.token = selector.clone();
    uri.to_string()
}

/// A selector from a URI's text.
///
/// # Errors
/// For what is no URI.
pub(super) fn selector(text: &str) -> Result<TokenSelector, hsm_core::Error> {
    Ok(text.parse::<Uri>()?.token)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_keys_arrive_as_they_were() {
        let tokens = [
            TokenSelector::default(),
            TokenSelector {
                slot: Some(7),
                serial: Some("a;b?c%".to_owned()),
                ..TokenSelector::label("with blank / ü")
            },
        ];
        for token in tokens {
            assert_eq!(selector(&selector_text(&token)).unwrap(), token);
        }
        let wanted = Wanted {
            name: "Kx.+015+1".to_owned(),
            dnskey: Dnskey::new(257, Algorithm::ED25519, &[7; 32]).unwrap(),
            uri: "pkcs11:token=x;object=my%20key;id=%00%FF?pin-value=1234"
                .parse()
                .unwrap(),
        };
        let key = Key::from(&wanted);
        assert!(!serde_json::to_string(&key).unwrap().contains("1234"));
        let back = Wanted::try_from(&key).unwrap();
        assert_eq!((back.name, back.dnskey), (wanted.name, wanted.dnskey));
        assert_eq!(back.uri.key, wanted.uri.key);
    }
}
