//! From a label to the key on its token, as dnssec-keyfromlabel looks for it: library and PIN may come from the
//! `openssl.cnf` of BIND's documentation, the first token serves where none is named, the first key where several match.

use std::path::{Path, PathBuf};

use dnssec_sign::Algorithm;
use hsm_core::{
    Error, KeySelector, LoggedIn, Module, PinFileCheck, PinSource, Token, TokenKey, Uri, openssl_module_path,
};

use super::keyfromlabel::engine_path;
use super::keyfromlabel_options::Asked;
use super::provider::{audited, failure, load, pin_source};
use super::{Failure, Tool, warn};
use crate::cli::settings;

const TOOL: Tool = Tool::KeyFromLabel;

/// A key, and the login under which it was found.
pub(super) struct Found {
    pub(super) login: LoggedIn,
    pub(super) key: TokenKey,
}

/// Finds the key that the label names.
///
/// # Errors
/// [`Failure`], as BIND's tool says that it got no key.
pub(super) fn find(asked: &Asked, uri: &Uri, algorithm: Algorithm) -> Result<Found, Failure> {
    let configuration = std::env::var_os("OPENSSL_CONF").map(PathBuf::from);
    let path = library(asked, uri, configuration.as_ref())?;
    let module = load(&path)?;
    let token = token(&module, uri)?;
    let login = audited(&token, || log_in(&token, uri, configuration))?;
    let name = asked
        .name
        .as_deref()
        .or(asked.successor_of.as_deref())
        .unwrap_or_default();
    let key = key(&login, &uri.key)
        .map_err(|error| Failure::general(format!("failed to get key {name}/{algorithm}: {error}")))?;
    Ok(Found { login, key })
}

fn library(asked: &Asked, uri: &Uri, configuration: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    let named = asked.engine.as_deref().and_then(engine_path);
    let variable = || std::env::var_os("PKCS11_PROVIDER").map(PathBuf::from);
    let configured = || openssl_module_path(configuration?).ok().flatten();
    named
        .or_else(variable)
        .or_else(|| uri.module_path.clone())
        .or_else(configured)
        .or_else(|| settings::variable("PKCS11_PROVIDER").map(PathBuf::from))
        .ok_or_else(|| {
            let mut text = "no PKCS#11 library is named: set PKCS11_PROVIDER, or give its path with -E".to_owned();
            for path in Module::known_libraries() {
                text.push_str(&format!("\n  this machine has {}", path.display()));
            }
            Failure::general(text)
        })
}

fn token(module: &std::sync::Arc<Module>, uri: &Uri) -> Result<Token, Failure> {
    match module.token(&uri.token) {
        Err(Error::TokenAmbiguous { matching, .. }) if uri.token.is_empty() => {
            let all = module.tokens().map_err(|error| failure(&error))?;
            let first = all.into_iter().find(|token| token.info().flags.initialised());
            let first = first.ok_or_else(|| Failure::general("no token is initialised"))?;
            warn(
                TOOL,
                &format!(
                    "the label names none of {} tokens, and the first is taken: {}; write token=… into it",
                    matching.len(),
                    first.info()
                ),
            );
            Ok(first)
        }
        token => token.map_err(|error| failure(&error)),
    }
}

fn log_in(token: &Token, uri: &Uri, configuration: Option<PathBuf>) -> Result<LoggedIn, Failure> {
    let what = token.info().to_string();
    let said = || pin_source(token).map_err(|error| failure(&error));
    // The configuration that BIND's documentation describes is named by the environment, and nearer than our own file.
    let configuration = configuration.filter(|path| std::env::var_os("SIGNET_PIN_SOURCE").is_none() && has_pin(path));
    let read = |source: &PinSource| source.read_checked(&what, PinFileCheck::Warn);
    let pin = if let Some(pin) = &uri.pin_value {
        Ok(pin.clone())
    } else if let Some(source) = &uri.pin_source {
        read(source)
    } else if let Some(path) = configuration {
        read(&PinSource::Openssl(path))
    } else if let Some(source) = said()? {
        read(&source)
    } else if token.info().flags.protected_authentication_path() {
        return token.login_on_pad().map_err(|error| failure(&error));
    } else {
        read(&PinSource::Prompt)
    };
    token
        .login(pin.map_err(|error| failure(&error))?)
        .map_err(|error| failure(&error))
}

/// Whether an `openssl.cnf` is one with a section for PKCS#11.
fn has_pin(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains("pkcs11_section"))
}

fn key(login: &LoggedIn, wanted: &KeySelector) -> Result<TokenKey, Error> {
    match login.find(wanted) {
        Err(Error::KeyAmbiguous { candidates, .. }) if !candidates.is_empty() => {
            let Some(first) = candidates.first() else {
                return login.find(wanted);
            };
            warn(
                TOOL,
                &format!(
                    "{} keys match, and the first is taken: {first}; write id=… into the label",
                    candidates.len()
                ),
            );
            login.find(&KeySelector {
                label: Some(first.label.clone()).filter(|label| !label.is_empty()),
                id: Some(first.id.clone()).filter(|id| !id.is_empty()),
                class: None,
            })
        }
        found => found,
    }
}
