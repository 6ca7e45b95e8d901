//! Inputs: files that are mapped, everything else read; each with a stamp that tells later whether it changed
//! meanwhile. Where $INCLUDE leads is resolved here; what the text says is not looked at.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use crate::error::{Difference, Error};
use crate::map;

/// How regular files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// Mapped into memory.
    #[default]
    Map,
    /// Read into memory: for file systems where a mapping is slow, and files that may be cut short meanwhile.
    Read,
}

/// An input that is open.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path as it was given, or `<stdin>`.
    pub(crate) name: Arc<str>,
    path: PathBuf,
    text: Text,
    /// Of regular files.
    stamp: Option<Stamp>,
}

#[derive(Debug)]
enum Text {
    Mapped(Mmap),
    Read(Vec<u8>),
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    fn difference(&self, now: &Self) -> Option<Difference> {
        if (self.device, self.inode) != (now.device, now.inode) {
            Some(Difference::Replaced)
        } else if self.size != now.size {
            Some(Difference::Size)
        } else if self.modified != now.modified {
            Some(Difference::Modified)
        } else {
            None
        }
    }
}

/// Whether the path means the standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Source {
    /// Opens a file, or the standard input for `-`.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub(crate) fn open(path: &Path, reading: Reading) -> Result<Self, Error> {
        Self::try_open(path, reading).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }

    fn try_open(path: &Path, reading: Reading) -> io::Result<Self> {
        let mut bytes = Vec::new();
        if is_stdin(path) {
            io::stdin().lock().read_to_end(&mut bytes)?;
            return Ok(Self {
                name: "<stdin>".into(),
                path: path.to_owned(),
                text: Text::Read(bytes),
                stamp: None,
            });
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let stamp = metadata.is_file().then(|| Stamp::of(&metadata));
        let text = if metadata.is_file() && metadata.len() > 0 && reading == Reading::Map {
            Text::Mapped(map::map(&file)?)
        } else {
            file.read_to_end(&mut bytes)?;
            Text::Read(bytes)
        };
        Ok(Self {
            name: path.to_string_lossy().into(),
            path: path.to_owned(),
            text,
            stamp,
        })
    }

    /// The whole text.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.text {
            Text::Mapped(mapped) => mapped,
            Text::Read(bytes) => bytes,
        }
    }

    /// Says that these bytes are not needed again soon.
    pub(crate) fn release(&self, range: Range<usize>) {
        if let Text::Mapped(mapped) = &self.text {
            map::release(mapped, range);
        }
    }

    /// What to check for changes later.
    pub(crate) fn watch(&self) -> Watch {
        Watch {
            name: self.name.clone(),
            path: self.path.clone(),
            stamp: self.stamp,
        }
    }

    /// Where a file lies that this one names: relative to this one's directory.
    pub(crate) fn resolve(&self, named: &[u8]) -> PathBuf {
        let named = Path::new(OsStr::from_bytes(named));
        match self.path.parent() {
            Some(directory) if !is_stdin(&self.path) => directory.join(named),
            _ => named.to_owned(),
        }
    }

    /// Whether both are the same file of the file system.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        match (&self.stamp, &other.stamp) {
            (Some(one), Some(other)) => (one.device, one.inode) == (other.device, other.inode),
            _ => self.path == other.path,
        }
    }
}

/// An input that was read, and the state that it was in then.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) name: Arc<str>,
    path: PathBuf,
    stamp: Option<Stamp>,
}

impl Watch {
    /// Compares the file of that path with what was read.
    ///
    /// # Errors
    /// [`Error::Changed`]; [`Error::Io`] when the path cannot be looked at.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        let Some(stamp) = &self.stamp else {
            return Ok(());
        };
        let what = match std::fs::metadata(&self.path) {
            Ok(metadata) => stamp.difference(&Stamp::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Difference::Gone),
            Err(source) => {
                return Err(Error::Io {
                    path: self.path.clone(),
                    source,
                });
            }
        };
        match what {
            None => Ok(()),
            Some(what) => Err(Error::Changed {
                path: self.path.clone(),
                what,
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn mapped_and_read_are_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        for text in [&b""[..], b"text"] {
            std::fs::write(&path, text).unwrap();
            for reading in [Reading::Map, Reading::Read] {
                assert_eq!(Source::open(&path, reading).unwrap().bytes(), text);
            }
        }
        assert!(matches!(
            Source::open(directory.path(), Reading::Map),
            Err(Error::Io { .. })
        ));
    }

    #[test]
    fn changes_are_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        let watch = || {
            std::fs::write(&path, "text").unwrap();
            let watch = Source::open(&path, Reading::Map).unwrap().watch();
            watch.check_unchanged().unwrap();
            watch
        };
        let what = |watch: &Watch| match watch.check_unchanged() {
            Err(Error::Changed { what, .. }) => Some(what),
            _ => None,
        };
        let seen = watch();
        std::fs::write(&path, "other text").unwrap();
        assert_eq!(what(&seen), Some(Difference::Size));
        let seen = watch();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(what(&seen), Some(Difference::Modified));
        let seen = watch();
        std::fs::write(directory.path().join("new"), "text").unwrap();
        std::fs::rename(directory.path().join("new"), &path).unwrap();
        assert_eq!(what(&seen), Some(Difference::Replaced));
        let seen = watch();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(what(&seen), Some(Difference::Gone));
    }

    #[test]
    fn included_files_lie_beside_the_including_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        std::fs::write(&path, "").unwrap();
        let source = Source::open(&path, Reading::Map).unwrap();
        assert_eq!(source.resolve(b"sub/other"), directory.path().join("sub/other"));
        assert_eq!(source.resolve(b"/etc/other"), Path::new("/etc/other"));
    }
}
