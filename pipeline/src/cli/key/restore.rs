//! `signet key restore`: a key out of a backup file brought back onto a token, read back and proven. A key that is not
//! proven is destroyed again; K* files are not touched.

use std::path::PathBuf;

use clap::Args;
use hsm_core::{NewId, Uri};
use signet_pipeline::{AuditEvent, AuditKey, Error, KeyBackup, audit};

use super::generate::{destroyed, prove};
use super::import_private::{TokenKeyFlags, refuse_second};
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Bring a key back onto a token from the file that `key backup` wrote
///
/// The token has to hold the AES key that wrapped it. The key has its old label and CKA_ID again, so that K*.private files
/// that name it are right, and cannot leave the token unless that is insisted on.
#[derive(Args, Debug)]
pub(in crate::cli) struct RestoreFlags {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The AES key that wrapped it, where it has another name on this token: its label, or a URI
    #[arg(long, value_name = "LABEL|URI")]
    wrap_with: Option<Uri>,

    #[command(flatten)]
    key: TokenKeyFlags,

    #[command(flatten)]
    token: TokenFlags,
}

/// Restores the key.
///
/// # Errors
/// [`Error::Input`] for a file that is no backup, or a key that is there; [`Error::Hsm`] for a token that does not unwrap it.
pub(super) fn run(flags: &RestoreFlags) -> Result<Outcome, Error> {
    let backup = KeyBackup::read(&flags.file)?;
    let wrapping = match &flags.wrap_with {
        Some(uri) => uri.clone(),
        None => backup.wrapping_key.parse()?,
    };
    let old = backup.selector()?;
    let id = old.id.map_or(NewId::Absent, NewId::Unique);
    let spec = flags.key.spec(backup.public()?, || backup.label.clone(), id);
    let access = flags.token.access();
    let token = access.module()?.token(&access.token)?;
    let login = access.log_in(&token, None)?;
    refuse_second(&login, &spec.public)?;
    let key = login.restore(&spec, &backup.wrapped()?, &wrapping.key)?;
    prove(&login, &key).map_err(|error| destroyed(&login, &key, error))?;
    audit(&AuditEvent::Restored(
        AuditKey::on_token(&key, &token).with_file(flags.file.display()),
    ))?;
    streams::say(&format!(
        "key '{}' is on {}: id {}, {}, fingerprint {}; {}; proven by a verified signature",
        key.label(),
        token.info(),
        data_encoding::HEXLOWER.encode(key.id()),
        key.kind(),
        key.public().fingerprint(),
        key.attributes(),
    ));
    Ok(Outcome::Done)
}
