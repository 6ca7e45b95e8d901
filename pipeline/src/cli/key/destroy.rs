//! `signet key destroy`: removes a key from a token, for good, once a person has said which. K* files stay.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use hsm_core::{KeySelector, TokenKey, Uri};
use signet_pipeline::{AuditEvent, AuditKey, Error, audit, dnskey_of};
use zone_io::{KeyFileName, KeyFiles};

use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams, time_flags};

/// Destroy a key on a token, for good
///
/// The key is named by label, URI or ID, has to be the only one that matches, and is confirmed by its fingerprint,
/// which is shown: typed on the terminal, given by --fingerprint, or passed over by --yes.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("selector").args(["label", "id"]).required(true).multiple(true))]
pub(in crate::cli) struct DestroyFlags {
    /// The key: its label on the token, or a URI
    #[arg(short, long, value_name = "LABEL|URI")]
    label: Option<Uri>,

    /// Its CKA_ID, in hexadecimal
    #[arg(long, value_name = "HEX")]
    id: Option<String>,

    /// Destroy it without asking
    #[arg(long)]
    yes: bool,

    /// Destroy it if this is its fingerprint
    #[arg(long, value_name = "HEX", conflicts_with = "yes")]
    fingerprint: Option<String>,

    /// Show what would be destroyed
    #[arg(long)]
    dry_run: bool,

    /// Refuse while key files in this directory say that the key is published or signs
    #[arg(short = 'K', long = "key-directory", value_name = "DIR")]
    key_directory: Option<PathBuf>,

    #[command(flatten)]
    token: TokenFlags,
}

/// Destroys.
///
/// # Errors
/// [`Error::Hsm`] when none or several match, [`Error::Input`] when it is in use or not confirmed.
pub(super) fn run(flags: &DestroyFlags) -> Result<Outcome, Error> {
    let uri = flags.label.clone().unwrap_or_default();
    let mut wanted: KeySelector = uri.key.clone();
    if let Some(text) = &flags.id {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let id = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        wanted.id = Some(id.map_err(|error| Error::Usage(format!("--id {text}: {error}")))?);
    }
    if wanted.label.is_none() && wanted.id.is_none() {
        return Err(Error::Usage(
            "--label names no key: write its label, or a URI with object= or id=".to_owned(),
        ));
    }
    let access = flags.token.access_for(&uri);
    let token = access.module()?.token(&access.selector(&uri))?;
    let login = access.log_in(&token, Some(&uri))?;
    let key = login.find(&wanted)?;
    let fingerprint = key.public().fingerprint();
    streams::say(&format!(
        "key '{}' on {}: id {}, {}, fingerprint {fingerprint}",
        key.label(),
        token.info(),
        data_encoding::HEXLOWER.encode(key.id()),
        key.kind(),
    ));
    if let Some(directory) = &flags.key_directory {
        refuse_in_use(directory, &key)?;
    }
    if flags.dry_run {
        streams::say("nothing was destroyed: --dry-run");
        return Ok(Outcome::Done);
    }
    confirm(flags, &fingerprint)?;
    let objects = login.destroy(&key)?;
    audit(&AuditEvent::Destroyed(AuditKey::on_token(&key, &token)))?;
    streams::say(&format!("destroyed: {objects} objects"));
    Ok(Outcome::Done)
}

/// The person's word for it.
fn confirm(flags: &DestroyFlags, fingerprint: &str) -> Result<(), Error> {
    if flags.yes {
        return Ok(());
    }
    let typed = match &flags.fingerprint {
        Some(typed) => typed.clone(),
        None if std::io::stdin().is_terminal() => {
            let _ = write!(std::io::stderr().lock(), "Type the fingerprint to destroy the key: ");
            let mut line = String::new();
            let _ = std::io::stdin().lock().read_line(&mut line);
            line
        }
        None => {
            return Err(Error::Usage(
                "a key is destroyed for good: confirm it with --fingerprint HEX or --yes".to_owned(),
            ));
        }
    };
    if typed.trim().eq_ignore_ascii_case(fingerprint) {
        return Ok(());
    }
    Err(Error::Input(
        "that is not the key's fingerprint; nothing was destroyed".to_owned(),
    ))
}

/// Files that say that the key is needed now.
fn refuse_in_use(directory: &std::path::Path, key: &TokenKey) -> Result<(), Error> {
    let now = time_flags::now()?;
    let io = |source| Error::Io {
        path: directory.to_owned(),
        source,
    };
    for entry in directory.read_dir().map_err(io)? {
        let file = entry.map_err(io)?.file_name();
        let base = file.to_str().and_then(|name| name.strip_suffix(".key"));
        let Some(base) = base.filter(|base| base.parse::<KeyFileName>().is_ok()) else {
            continue;
        };
        let files = KeyFiles::read(directory, std::path::Path::new(base))?;
        let there = &files.public.dnskey;
        let same = dnskey_of(key.public(), there.flags(), there.algorithm()).is_ok_and(|here| here == *there);
        let state = files.times().state(now);
        if same && (state.is_published() || state.signs()) {
            return Err(Error::Input(format!(
                "{base} is {state}: the zone would lose its key; change its dates with `signet key times` first"
            )));
        }
    }
    Ok(())
}
