//! `signet key backup`: a key wrapped by its own token and written to a file. The private key is never seen outside it.

use std::path::PathBuf;

use clap::Args;
use hsm_core::Uri;
use signet_pipeline::{AuditEvent, AuditKey, Error, KeyBackup, audit};

use super::generate::prove;
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Write a key of a token to a file, wrapped by an AES key of that token
///
/// The token has to let the key leave (CKA_EXTRACTABLE: `key generate --extractable --insist`) and to hold an AES key that
/// may wrap. The file is of use on a token that holds the same AES key only: `key restore`. It never holds the key in the clear.
#[derive(Args, Debug)]
pub(in crate::cli) struct BackupFlags {
    /// The key: its label on the token, or a URI
    #[arg(short, long, value_name = "LABEL|URI")]
    label: Uri,

    /// The AES key to wrap it by: its label, or a URI
    #[arg(long, value_name = "LABEL|URI")]
    wrap_with: Uri,

    /// The file, which must not be there yet
    #[arg(short = 'f', long = "out", value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    token: TokenFlags,
}

/// Backs the key up.
///
/// # Errors
/// [`Error::Hsm`] for a key that may not leave, a token that does not wrap, or no AES key; [`Error::Zone`] for the file.
pub(super) fn run(flags: &BackupFlags) -> Result<Outcome, Error> {
    if flags.label.names_no_key() || flags.wrap_with.names_no_key() {
        return Err(Error::Usage(
            "--label and --wrap-with name a key each: write its label, or a URI with object= or id=".to_owned(),
        ));
    }
    if flags.out.exists() {
        return Err(Error::Input(format!(
            "{}: the file is there already",
            flags.out.display()
        )));
    }
    let access = flags.token.access_for(&flags.label);
    let token = access.module()?.token(&access.selector(&flags.label))?;
    let login = access.log_in(&token, Some(&flags.label))?;
    let key = login.find(&flags.label.key)?;
    prove(&login, &key)?;
    let wrapped = login.wrap(&key, &flags.wrap_with.key)?;
    let mut by = Uri::default();
    by.key = flags.wrap_with.key.clone();
    let backup = KeyBackup::new(&key, &token, &by.to_string(), &wrapped)?;
    backup.write(&flags.out)?;
    audit(&AuditEvent::BackedUp(
        AuditKey::on_token(&key, &token).with_file(flags.out.display()),
    ))?;
    streams::say(&format!(
        "key '{}' of {}, fingerprint {}, is in {}, wrapped by {} with '{}'; try it out with `signet key restore`",
        key.label(),
        token.info(),
        backup.fingerprint,
        flags.out.display(),
        backup.mechanism,
        backup.wrapping_key,
    ));
    Ok(Outcome::Done)
}
