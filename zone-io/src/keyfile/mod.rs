//! BIND's key files: `K*.key` and `K*.private` in a directory, read, found and made as pairs, and `K*.state` beside them. What dates mean and whether
//! private fields form the key is not known here; nothing here signs.

mod fault;
mod name;
mod private;
mod public;
mod state;

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use dnssec_sign::{Dnskey, KeyTimes, Name, NameRef, RecordStates};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::writer::{Access, AtomicFile};

pub use fault::{KeyFileError, KeyFileFault, KeyMismatch};
pub use name::{InFileName, KeyFileName, NoKeyFileName};
pub use private::{KeyFileFormat, KeyNumbers, PrivateHalf, PrivateKeyFile, TokenLabel};
pub use public::PublicKeyFile;
pub use state::{KeyStateFile, StateSince};

/// Longer than the files of any key.
const MAX_LENGTH: u64 = 64 * 1024;

/// A key's files: the public half, and the private one and the states of its records where they are there.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    /// The public half.
    pub public: PublicKeyFile,
    /// The private half; `None` when there is no `.private` file.
    pub private: Option<PrivateKeyFile>,
    /// The states of the key's records; `None` when there is no `.state` file.
    pub state: Option<KeyStateFile>,
}

impl KeyFiles {
    /// The files of a new key, in format 1.3.
    #[must_use]
    pub fn new(owner: Name, ttl: Option<u32>, dnskey: Dnskey, times: KeyTimes, half: PrivateHalf) -> Self {
        Self {
            private: Some(PrivateKeyFile {
                format: KeyFileFormat::Current,
                algorithm: dnskey.algorithm(),
                half,
                times,
                ds_publish: None,
                numbers: KeyNumbers::default(),
            }),
            public: PublicKeyFile {
                owner,
                ttl,
                dnskey,
                times,
            },
            state: None,
        }
    }

    /// The base name of the files.
    #[must_use]
    pub fn name(&self) -> KeyFileName {
        KeyFileName::of(self.public.owner.borrow(), &self.public.dnskey)
    }

    /// The key's dates: those of the private file, else those in the public file's comments.
    #[must_use]
    pub fn times(&self) -> KeyTimes {
        self.private.as_ref().map_or(self.public.times, |private| private.times)
    }

    /// The states of the key's records; all unset without a `.state` file.
    #[must_use]
    pub fn states(&self) -> RecordStates {
        self.state.as_ref().map(KeyStateFile::states).unwrap_or_default()
    }

    /// Reads a key's files. `base` is their base name, with or without `.key` or `.private` behind it, relative to
    /// `directory` unless it is an absolute path. Where it has the form of a [`KeyFileName`], the key must be that one.
    ///
    /// # Errors
    /// [`KeyFileError`]; the `.key` file must be there, the `.private` file need not.
    pub fn read(directory: &Path, base: &Path) -> Result<Self, KeyFileError> {
        let text = base.as_os_str().to_string_lossy();
        let base = text
            .strip_suffix(".key")
            .or_else(|| text.strip_suffix(".private"))
            .unwrap_or(&text);
        let base = directory.join(base);
        let named = base.file_name().and_then(|name| name.to_str());
        read_pair(&base, named.and_then(|name| name.parse().ok()).as_ref())
    }

    /// Reads all key files in `directory` that are named for `origin`, in the order of algorithm and tag.
    ///
    /// # Errors
    /// [`KeyFileError`] for the first pair that cannot be read, a `.private` file without its `.key` among them.
    pub fn scan(directory: &Path, origin: NameRef<'_>) -> Result<Vec<Self>, KeyFileError> {
        let names = names_of(directory, origin)?;
        names
            .iter()
            .map(|name| read_pair(&directory.join(name.to_string()), Some(name)))
            .collect()
    }

    /// The key in `directory` whose tag is this key's, or would be after one of the two is revoked (RFC 5011 7):
    /// same owner and algorithm.
    ///
    /// # Errors
    /// [`KeyFileError`] when the directory or a key in it cannot be read.
    pub fn collision(
        directory: &Path,
        owner: NameRef<'_>,
        dnskey: &Dnskey,
    ) -> Result<Option<KeyFileName>, KeyFileError> {
        let tags = |key: &Dnskey| [key.key_tag(), key.revoked().key_tag()];
        let new = tags(dnskey);
        for name in names_of(directory, owner)? {
            if name.algorithm != dnskey.algorithm() {
                continue;
            }
            let path = directory.join(name.public());
            let old = match read_public(&path) {
                Ok(public) => tags(&public.dnskey),
                // A private file alone: all that is known is the tag in its name.
                Err(KeyFileError::Io(Error::Io { source, .. })) if source.kind() == ErrorKind::NotFound => {
                    [name.tag, name.tag]
                }
                Err(error) => return Err(error),
            };
            if old.iter().any(|tag| new.contains(tag)) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Writes new files into `directory`: `.key` with mode 0644, `.private` with mode 0600, both or none. Nothing that
    /// is there is overwritten.
    ///
    /// # Errors
    /// [`KeyFileError::Collision`] as [`collision`](Self::collision) finds it; I/O errors.
    pub fn write(&self, directory: &Path) -> Result<KeyFileName, KeyFileError> {
        let (owner, dnskey) = (self.public.owner.borrow(), &self.public.dnskey);
        if let Some(existing) = Self::collision(directory, owner, dnskey)? {
            return Err(KeyFileError::Collision {
                directory: directory.to_path_buf(),
                existing,
                tag: dnskey.key_tag(),
            });
        }
        self.write_unchecked(directory)
    }

    /// Writes new files as [`write`](Self::write) does, without looking for keys whose tags clash. A key of the same
    /// name is an error still.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_unchecked(&self, directory: &Path) -> Result<KeyFileName, KeyFileError> {
        let dnskey = &self.public.dnskey;
        let name = self.name();
        let private_path = directory.join(name.private());
        let mut public = AtomicFile::create(&directory.join(name.public()))?;
        let mut text = Vec::new();
        self.public.write_text(&mut text);
        public.write_all(&text)?;
        let Some(private) = &self.private else {
            public.publish_new()?;
            return Ok(name);
        };
        let Some(text) = private.text(dnskey) else {
            return Err(newer(&private_path, private.format));
        };
        let mut file = AtomicFile::create_as(&private_path, Access::Private)?;
        file.write_all(&text)?;
        file.publish_new()?;
        if let Err(error) = public.publish_new() {
            // Without its public half the private file just made is of no use; the first error is the one to tell.
            drop(std::fs::remove_file(&private_path));
            return Err(error.into());
        }
        Ok(name)
    }
}

impl KeyFiles {
    /// Writes the key's files over those that are there, the private one first; each is replaced in one step.
    ///
    /// # Errors
    /// [`KeyFileError::Newer`] for a format that is not all understood; I/O errors.
    pub fn replace(&self, directory: &Path) -> Result<KeyFileName, KeyFileError> {
        let (name, dnskey) = (self.name(), &self.public.dnskey);
        if let Some(private) = &self.private {
            let path = directory.join(name.private());
            let text = private.text(dnskey).ok_or_else(|| newer(&path, private.format))?;
            let mut file = AtomicFile::create_as(&path, Access::Private)?;
            file.write_all(&text)?;
            file.publish()?;
        }
        let mut text = Vec::new();
        self.public.write_text(&mut text);
        let mut public = AtomicFile::create(&directory.join(name.public()))?;
        public.write_all(&text)?;
        public.publish()?;
        Ok(name)
    }

    /// Writes the key's `.state` file, over one that is there; nothing where it has no states.
    ///
    /// # Errors
    /// I/O errors.
    pub fn replace_state(&self, directory: &Path) -> Result<(), KeyFileError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let private = self.private.as_ref();
        let text = state.text(
            self.public.owner.borrow(),
            &self.public.dnskey,
            &self.times(),
            private.and_then(|private| private.ds_publish),
            &private.map(|private| private.numbers).unwrap_or_default(),
        );
        let mut file = AtomicFile::create(&directory.join(self.name().state()))?;
        file.write_all(text.as_bytes())?;
        Ok(file.publish()?)
    }

    /// Gives the key these dates, in both halves; a file of the old format becomes one of format 1.3.
    pub fn set_times(&mut self, times: KeyTimes) {
        self.public.times = times;
        if let Some(private) = &mut self.private {
            private.times = times;
            if private.format == KeyFileFormat::Legacy {
                private.format = KeyFileFormat::Current;
            }
        }
    }
}

fn newer(path: &Path, format: KeyFileFormat) -> KeyFileError {
    KeyFileError::Newer {
        path: path.to_path_buf(),
        minor: match format {
            KeyFileFormat::Newer(minor) => minor,
            _ => 3,
        },
    }
}

/// The names of key files for `owner` in a directory, each once, in the order of algorithm and tag.
fn names_of(directory: &Path, owner: NameRef<'_>) -> Result<Vec<KeyFileName>, KeyFileError> {
    let list = || -> io::Result<Vec<KeyFileName>> {
        let mut names = Vec::new();
        for entry in directory.read_dir()? {
            let file = entry?.file_name();
            let Some(file) = file.to_str() else {
                continue;
            };
            let base = file.strip_suffix(".key").or_else(|| file.strip_suffix(".private"));
            if let Some(Ok(name)) = base.map(str::parse::<KeyFileName>)
                && name.owner.borrow() == owner
            {
                names.push(name);
            }
        }
        Ok(names)
    };
    let mut names = list().map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyFileError::NoDirectory(directory.to_path_buf()),
        _ => failed(directory, error),
    })?;
    names.sort_by_key(|name| (name.algorithm, name.tag));
    names.dedup();
    Ok(names)
}

fn read_pair(base: &Path, named: Option<&KeyFileName>) -> Result<KeyFiles, KeyFileError> {
    let with = |extension: &str| {
        let mut path = base.as_os_str().to_owned();
        path.push(extension);
        PathBuf::from(path)
    };
    let path = with(".key");
    let public = read_public(&path)?;
    if let Some(named) = named
        && let Some(mismatch) = mismatch(named, &public)
    {
        return Err(KeyFileError::Mismatch { path, mismatch });
    }
    let path = with(".private");
    let private = match read_text(&path) {
        Ok(text) => Some(PrivateKeyFile::parse(&text, &public.dnskey, &path)?),
        Err(KeyFileError::Io(Error::Io { source, .. })) if source.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let path = with(".state");
    let state = match read_text(&path) {
        Ok(text) => Some(KeyStateFile::parse(&text, &path)?),
        Err(KeyFileError::Io(Error::Io { source, .. })) if source.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(KeyFiles { public, private, state })
}

/// How the key in a file differs from the one that the file is named for.
fn mismatch(named: &KeyFileName, public: &PublicKeyFile) -> Option<KeyMismatch> {
    let (algorithm, tag) = (public.dnskey.algorithm(), public.dnskey.key_tag());
    if named.owner.borrow() != public.owner.borrow() {
        Some(KeyMismatch::Owner {
            named: named.owner.clone(),
            found: public.owner.clone(),
        })
    } else if named.algorithm != algorithm {
        Some(KeyMismatch::Algorithm {
            expected: named.algorithm,
            found: algorithm,
        })
    } else {
        (named.tag != tag).then_some(KeyMismatch::Tag {
            named: named.tag,
            found: tag,
        })
    }
}

fn read_public(path: &Path) -> Result<PublicKeyFile, KeyFileError> {
    PublicKeyFile::parse(&read_text(path)?, path)
}

/// Reads a whole file into memory that is wiped afterwards and was never moved.
fn read_text(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let read = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len().min(MAX_LENGTH);
        // With room to spare, so that reading to the end needs no more.
        let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length + 1024).unwrap_or_default()));
        file.take(MAX_LENGTH + 1).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| failed(path, error))?;
    if text.len() as u64 > MAX_LENGTH {
        return Err(KeyFileError::Syntax {
            path: path.to_path_buf(),
            line: 1,
            fault: KeyFileFault::TooLong,
        });
    }
    Ok(text)
}

fn failed(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io(Error::Io {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests;
