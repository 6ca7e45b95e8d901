//! What `key generate` and `key from-label` share: the flags that say what a new key's K* files hold, the check for
//! clashing key tags, and the writing of the pair.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use dnssec_sign::{Dnskey, KeyTimes, Name, REVOKE, SEP, ZONE};
use hsm_core::Uri;
use signet_pipeline::Error;
use zone_io::{KeyFileError, KeyFileFormat, KeyFileName, KeyFiles, PrivateHalf, TokenLabel};

use super::dates::{DateFlags, oddities};
use super::succession;
use crate::cli::origin::zone_name;
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

    /// Write files of the old format 1.2, without dates: the key is always published and always signs
    #[arg(short = 'C', long, conflicts_with_all = ["publish", "activate", "revoke", "inactive", "delete", "sync_publish",
          "sync_delete", "no_dates", "successor_of", "prepublish"])]
    old_format: bool,

    /// Make the successor of this key: same zone, algorithm and flags; published before the old one becomes inactive, and active then
    #[arg(short = 'S', long, value_name = "KEY", conflicts_with_all = ["flags", "publish", "activate", "no_dates"])]
    successor_of: Option<String>,

    /// How long before it signs the key is published; 30 days for a successor by default
    #[arg(short = 'i', long, value_name = "INTERVAL")]
    prepublish: Option<String>,
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
pub(in crate::cli) struct FilePlan {
    pub(in crate::cli) directory: PathBuf,
    /// The DNSKEY's flags field.
    pub(in crate::cli) flags: u16,
    pub(in crate::cli) ttl: Option<u32>,
    pub(in crate::cli) times: KeyTimes,
    /// Whether the files are to be of the old format, which has no dates.
    pub(in crate::cli) old_format: bool,
    /// The key that the new one follows.
    pub(in crate::cli) predecessor: Option<KeyFiles>,
}

impl KeyFileFlags {
    /// What was asked for, checked; warns of dates in an odd order. The directory can be written to then.
    ///
    /// # Errors
    /// [`Error::Usage`] for texts that are no dates or TTL, [`Error::Io`] for the directory.
    pub(super) fn resolve(&self) -> Result<FilePlan, Error> {
        let now = time_flags::now()?;
        let interval = self.prepublish.as_deref();
        let interval = interval
            .map(|text| time_flags::interval("--prepublish", text))
            .transpose()?;
        let predecessor = match &self.successor_of {
            Some(named) => Some(KeyFiles::read(&self.directory, Path::new(named))?),
            None => None,
        };
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
        let (flags, times) = match &predecessor {
            Some(old) => {
                let mut times = succession::times(old, interval, now)?;
                self.dates.put(&mut times, now)?;
                (old.public.dnskey.flags(), times)
            }
            None if self.old_format => (flags, KeyTimes::default()),
            None => (flags, self.dates.resolve(now, interval)?),
        };
        for oddity in oddities(&times, flags & SEP != 0) {
            streams::warn(oddity);
        }
        prove_writable(&self.directory)?;
        Ok(FilePlan {
            directory: self.directory.clone(),
            flags,
            ttl: ttl.filter(|ttl| *ttl > 0),
            times,
            old_format: self.old_format,
            predecessor,
        })
    }
}

impl FilePlan {
    /// The zone: the one that was named, or the predecessor's.
    ///
    /// # Errors
    /// [`Error::Usage`] for a text that is no name, for another zone than the predecessor's, and without either.
    pub(super) fn zone(&self, named: Option<&str>) -> Result<Name, Error> {
        let named = named.map(|zone| zone_name("ZONE", zone)).transpose()?;
        match (named, &self.predecessor) {
            (Some(named), Some(old)) if named.borrow() != old.public.owner.borrow() => Err(Error::Usage(format!(
                "the key to follow is of {}, not of {named}",
                old.public.owner
            ))),
            (None, Some(old)) => Ok(old.public.owner.clone()),
            (Some(named), _) => Ok(named),
            (None, None) => Err(Error::Usage("name the zone that the key is for".to_owned())),
        }
    }

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
    pub(super) fn write(&self, owner: &Name, dnskey: Dnskey, half: PrivateHalf) -> Result<KeyFileName, Error> {
        let mut files = KeyFiles::new(owner.to_folded(), self.ttl, dnskey, self.times, half);
        self.complete(&mut files);
        let name = files.write(&self.directory)?;
        self.note_successor(&files)?;
        streams::print(&format!("{name}\n"))?;
        Ok(name)
    }

    /// Notes the predecessor in the new key's files, and gives them their format.
    pub(in crate::cli) fn complete(&self, files: &mut KeyFiles) {
        let Some(private) = &mut files.private else {
            return;
        };
        if let Some(old) = &self.predecessor {
            private.numbers.predecessor = Some(old.public.dnskey.key_tag().into());
        }
        if self.old_format {
            private.format = KeyFileFormat::Legacy;
        }
    }

    /// Notes the new key in its predecessor's files.
    ///
    /// # Errors
    /// [`Error::KeyFile`] when they cannot be written.
    pub(in crate::cli) fn note_successor(&self, files: &KeyFiles) -> Result<(), Error> {
        let Some(mut old) = self.predecessor.clone() else {
            return Ok(());
        };
        if let Some(private) = &mut old.private {
            private.numbers.successor = Some(files.public.dnskey.key_tag().into());
        }
        old.replace(&self.directory)?;
        Ok(())
    }
}

/// Where K*.private says that a key is. BIND wants an engine's name beside the label.
pub(in crate::cli) fn on_token(label: &Uri) -> PrivateHalf {
    PrivateHalf::Token(TokenLabel {
        engine: Some("pkcs11".to_owned()),
        label: label.to_string().into(),
    })
}

/// A new key is worth nothing without its files: find out before it is made. The file has no name and leaves nothing.
pub(in crate::cli) fn prove_writable(directory: &Path) -> Result<(), Error> {
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
