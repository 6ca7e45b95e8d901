//! `signet key import`: key files for a public DNSKEY whose private half is elsewhere, as dnssec-importkey makes them.
//! Private keys are not imported.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dnssec_sign::KeyTimes;
use signet_pipeline::{AuditEvent, AuditKey, Error, audit};
use zone_io::{KeyFiles, PrivateHalf, PublicKeyFile};

use super::dates::DateFlags;
use super::file_flags::prove_writable;
use crate::cli::{Outcome, streams, time_flags};

/// Write K* files for a public DNSKEY whose private half is elsewhere
///
/// Such a key is published by its dates and signs nothing here: another signer's key in a multi-signer setup, or a
/// key that is being taken over.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportFlags {
    /// A file with one DNSKEY record, such as another directory's K*.key; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the K* files go
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// The TTL of the DNSKEY, in seconds or with a unit; that of the record by default
    #[arg(short = 'L', long, value_name = "TTL")]
    ttl: Option<String>,

    #[command(flatten)]
    dates: DateFlags,
}

/// Imports.
///
/// # Errors
/// [`Error::Usage`] for dates that only a signing key has, [`Error::KeyFile`] for what is no DNSKEY or a tag that clashes.
pub(super) fn run(flags: &ImportFlags) -> Result<Outcome, Error> {
    let now = time_flags::now()?;
    let mut times = KeyTimes {
        created: Some(now),
        ..KeyTimes::default()
    };
    flags.dates.put(&mut times, now)?;
    if times.activate.is_some() || times.inactive.is_some() || times.revoke.is_some() || flags.dates.no_dates {
        return Err(Error::Usage(
            "a key without its private half has --publish, --delete, --sync-publish and --sync-delete only".to_owned(),
        ));
    }
    prove_writable(&flags.key_directory)?;
    let public = PublicKeyFile::parse(&text(&flags.file)?, &flags.file)?;
    let ttl = match flags.ttl.as_deref() {
        Some(text) => Some(time_flags::interval("--ttl", text)?).filter(|ttl| *ttl > 0),
        None => public.ttl,
    };
    let files = KeyFiles::new(
        public.owner.to_folded(),
        ttl,
        public.dnskey,
        times,
        PrivateHalf::External,
    );
    let name = files.write(&flags.key_directory)?;
    audit(&AuditEvent::Imported(AuditKey::default().with_file(&name)))?;
    streams::print(&format!("{name}\n"))?;
    Ok(Outcome::Done)
}

fn text(file: &Path) -> Result<Vec<u8>, Error> {
    let io = |source| Error::Io {
        path: file.to_owned(),
        source,
    };
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map_err(io)?;
        return Ok(text);
    }
    std::fs::read(file).map_err(io)
}
