//! What `key generate` and `key from-label` share: the flags that say what a new key's K* files hold, the check for
//! clashing key tags, and the writing of the pair.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use dnssec_sign::{Dnskey, KeyTimes, Name, REVOKE, SEP, ZONE};
use hsm_core::Uri;
use signet_pipeline::Error;
use zone_io::{KeyFileError, KeyFileName, KeyFiles, PrivateHalf, TokenLabel};

use super::dates::{DateFlags, oddities};
use crate::cli::{streams, time_flags};

/// What the K* files of a new key hold, and where they go.
#[derive(Args, Clone, Debug)]
pub(super) struct KeyFileFlags {
    /// KSK sets the SEP flag (257): a key-signing key
    #[arg(short = 'f', long = "flag", value_name = "KSK", action = clap::ArgAction::Append)]
    flags: Vec<KeyFlag>,

    /// Where the K* files go
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// The TTL of the DNSKEY, in seconds or with a unit; none by default, so that the zone's decides
    #[arg(short = 'L', long, value_name = "TTL")]
    ttl: Option<String>,

    #[command(flatten)]
    dates: DateFlags,
}

/// `-f`: as BIND does, only the first letter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyFlag {
    Ksk,
    Revoke,
}

impl FromStr for KeyFlag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes().first() {
            Some(b'k' | b'K') => Ok(Self::Ksk),
            Some(b'r' | b'R') => Ok(Self::Revoke),
            _ => Err("write KSK or REVOKE"),
        }
    }
}

/// The resolved form.
#[derive(Debug, Clone)]
pub(super) struct FilePlan {
    pub(super) directory: PathBuf,
    /// The DNSKEY's flags field.
    pub(super) flags: u16,
    ttl: Option<u32>,
    times: KeyTimes,
}

impl KeyFileFlags {
    /// What was asked for, checked; warns of dates in an odd order. The directory can be written to then.
    ///
    /// # Errors
    /// [`Error::Usage`] for texts that are no dates or TTL, [`Error::Io`] for the directory.
    pub(super) fn resolve(&self) -> Result<FilePlan, Error> {
        let flags = self.flags.iter().fold(ZONE, |flags, flag| match flag {
            KeyFlag::Ksk => flags | SEP,
            KeyFlag::Revoke => flags | REVOKE,
        });
        let ttl = self.ttl.as_deref().filter(|text| *text != "none");
        let ttl = ttl.map(|text| time_flags::interval("--ttl", text)).transpose()?;
        if ttl.is_some_and(|ttl| ttl > i32::MAX.unsigned_abs()) {
            return Err(Error::Usage(
                "--ttl: a TTL is at most 2147483647 seconds (RFC 2181 8)".to_owned(),
            ));
        }
        let times = self.dates.resolve(time_flags::now()?)?;
        for oddity in oddities(&times, flags & SEP != 0) {
            streams::warn(oddity);
        }
        prove_writable(&self.directory)?;
        Ok(FilePlan {
            directory: self.directory.clone(),
            flags,
            ttl: ttl.filter(|ttl| *ttl > 0),
            times,
        })
    }
}

impl FilePlan {
    /// A key of the zone and algorithm in the directory whose tag, revoked or not, is this one's, revoked or not: RRSIGs and
    /// DS records could not tell them apart.
    ///
    /// # Errors
    /// [`Error::KeyFile`] when the directory or a key in it cannot be read.
    pub(super) fn clash(&self, owner: &Name, dnskey: &Dnskey) -> Result<Option<KeyFileName>, Error> {
        Ok(KeyFiles::collision(&self.directory, owner.borrow(), dnskey)?)
    }

    /// The error that a clash is, where no other key can be made.
    pub(super) fn clash_error(&self, existing: KeyFileName, dnskey: &Dnskey) -> Error {
        Error::KeyFile(KeyFileError::Collision {
            directory: self.directory.clone(),
            existing,
            tag: dnskey.key_tag(),
        })
    }

    /// Writes the pair of files and prints their base name on standard output. Nothing is overwritten.
    ///
    /// # Errors
    /// [`Error::KeyFile`] when they cannot be written.
    pub(super) fn write(&self, owner: &Name, dnskey: Dnskey, half: PrivateHalf) -> Result<(), Error> {
        let files = KeyFiles::new(owner.to_folded(), self.ttl, dnskey, self.times, half);
        let name = files.write(&self.directory)?;
        streams::print(&format!("{name}\n"))
    }
}

/// Where K*.private says that a key is. BIND wants an engine's name beside the label.
pub(super) fn on_token(label: &Uri) -> PrivateHalf {
    PrivateHalf::Token(TokenLabel {
        engine: Some("pkcs11".to_owned()),
        label: label.to_string().into(),
    })
}

/// A new key is worth nothing without its files: find out before it is made. The file has no name and leaves nothing.
fn prove_writable(directory: &Path) -> Result<(), Error> {
    tempfile::tempfile_in(directory).map(drop).map_err(|source| Error::Io {
        path: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_by_their_first_letter() {
        assert_eq!("KSK".parse(), Ok(KeyFlag::Ksk));
        assert_eq!("ksk".parse(), Ok(KeyFlag::Ksk));
        assert_eq!("REVOKE".parse(), Ok(KeyFlag::Revoke));
        assert!("ZSK".parse::<KeyFlag>().is_err());
    }
}
