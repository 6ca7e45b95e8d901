//! `signet key import`: key files for a public DNSKEY whose private half is elsewhere, as dnssec-importkey makes them; or,
//! given a K*.private file, the private key brought onto a token (`import_private`).

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dnssec_sign::KeyTimes;
use signet_pipeline::{AuditEvent, AuditKey, Error, audit};
use zone_io::{KeyFiles, PrivateHalf, PublicKeyFile};

use super::dates::DateFlags;
use super::file_flags::prove_writable;
use super::import_private::{self, TokenKeyFlags};
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams, time_flags};

/// Bring a private key onto a token, or write K* files for another signer's public DNSKEY
///
/// With a K*.private file, its private key becomes a key of the token: sensitive, not extractable, read back and proven by
/// a verified signature. --rewrite then makes K*.private say where it is, in place of the key itself.
///
/// With a file that holds one DNSKEY, K* files are written for a key whose private half is elsewhere. It is published by
/// its dates and signs nothing here: another signer's key in a multi-signer setup, or a key that is being taken over.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportFlags {
    /// A K*.private file, or a file with one DNSKEY record, such as another directory's K*.key; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where the K* files are, or go
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// The TTL of the DNSKEY, in seconds or with a unit; that of the record by default
    #[arg(short = 'L', long, value_name = "TTL")]
    ttl: Option<String>,

    #[command(flatten)]
    dates: DateFlags,

    #[command(flatten)]
    private: TokenKeyFlags,

    /// Make K*.private say where the key is, in place of the key itself
    #[arg(long)]
    rewrite: bool,

    #[command(flatten)]
    token: TokenFlags,
}

/// Imports.
///
/// # Errors
/// [`Error::Usage`] for flags of the other kind of file, [`Error::KeyFile`] for what is no key or a tag that clashes,
/// [`Error::Hsm`] for a token that does not take the key.
pub(super) fn run(flags: &ImportFlags) -> Result<Outcome, Error> {
    if flags.file.extension().is_some_and(|extension| extension == "private") {
        if flags.ttl.is_some() || flags.dates != DateFlags::default() {
            return Err(Error::Usage(
                "a private key that is brought onto a token keeps TTL and dates: change them with `signet key times`"
                    .to_owned(),
            ));
        }
        return import_private::run(
            &flags.file,
            &flags.key_directory,
            &flags.private,
            &flags.token,
            flags.rewrite,
        );
    }
    if flags.rewrite || flags.private.are_given() {
        return Err(Error::Usage(
            "--label, --id, --extractable and --rewrite are for a K*.private file, whose key is brought onto a token"
                .to_owned(),
        ));
    }
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
