//! Which token, key and library a run used: what identifies them, and nothing that opens them.

use std::path::PathBuf;

use hsm_core::{LoggedIn, TokenKey};
use serde::{Deserialize, Serialize};

use crate::config::Store;

/// A token that signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenReport {
    /// The store's name in the rest of the report.
    pub store: String,
    /// CK_TOKEN_INFO: its label.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// Who made it.
    pub manufacturer: String,
    /// What it is.
    pub model: String,
    /// Its slot.
    pub slot: u64,
    /// The provider's library.
    pub module: PathBuf,
    /// SHA-256 of the library's file, where the run was asked for digests.
    pub module_sha256: Option<String>,
    /// Sessions that signed on it in the end.
    pub sessions: usize,
    /// Signatures that it made.
    pub signatures: u64,
    /// Whether it was lost, and others did the rest of its work.
    pub lost: bool,
    /// Worker processes that ended on their own and were replaced, where there were any.
    pub crashes: u64,
    /// What the host did that `--offload all` would have the token do.
    pub host: Vec<String>,
    /// The keys, in the store's order.
    pub keys: Vec<TokenKeyReport>,
}

/// A key on a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenKeyReport {
    /// CKA_LABEL.
    pub label: String,
    /// CKA_ID in hexadecimal.
    pub id: String,
    /// `P-256`, `RSA 2048` and so on.
    pub kind: String,
}

impl TokenReport {
    /// What a report says of a token and its keys before anything is signed.
    #[must_use]
    pub fn of(store: &str, login: &LoggedIn, keys: &[TokenKey]) -> Self {
        let (info, module) = (login.token().info(), login.token().module());
        Self {
            store: store.to_owned(),
            label: info.label.clone(),
            serial: info.serial.clone(),
            manufacturer: info.manufacturer.clone(),
            model: info.model.clone(),
            slot: info.slot_id,
            module: module.path().to_owned(),
            module_sha256: None,
            sessions: 0,
            signatures: 0,
            lost: false,
            crashes: 0,
            host: Vec::new(),
            keys: keys
                .iter()
                .map(|key| TokenKeyReport {
                    label: key.label(),
                    id: data_encoding::HEXLOWER.encode(key.id()),
                    kind: key.kind().to_string(),
                })
                .collect(),
        }
    }
}

/// The tokens among the stores.
pub(super) fn reports(stores: &[Store]) -> Vec<TokenReport> {
    let tokens = stores.iter().flat_map(|store| &store.tokens);
    tokens.map(|token| token.report()).collect()
}
