//! Inputs: files that are mapped, everything else read; each with a stamp that tells later whether it changed
//! meanwhile. Where $INCLUDE leads is resolved here; what the text says is not looked at.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use crate::compressed::{Compression, decompressed};
use crate::confine::IncludeRoot;
use crate::error::{Difference, Error};
use crate::fault::Inclusion;
use crate::map;
use crate::window::{Positioned, Window};

/// How regular files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// Mapped into memory.
    #[default]
    Map,
    /// Read a piece at a time: for file systems where a mapping is slow, and files that may be cut short meanwhile.
    Read,
}

/// How inputs are opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    pub(crate) reading: Reading,
    /// Where included files have to be.
    pub(crate) include_root: Option<Arc<IncludeRoot>>,
    /// The most bytes of text in one input.
    pub(crate) most: Option<u64>,
}

/// An input that is open.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path as it was given, or `<stdin>`.
    pub(crate) name: Arc<str>,
    /// The $INCLUDE by which it was reached.
    pub(crate) included: Option<Arc<Inclusion>>,
    path: PathBuf,
    /// Where the text is a mapping.
    mapped: Option<Mmap>,
    /// Of regular files.
    stamp: Option<Stamp>,
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
    /// Opens a file, or the standard input for `-`. Text that is not mapped comes through a window.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub(crate) fn open(path: &Path, opening: &Opening) -> Result<(Self, Option<Window>), Error> {
        let open = || {
            if is_stdin(path) {
                let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
                return Ok((
                    Self {
                        name: "<stdin>".into(),
                        included: None,
                        path: path.to_owned(),
                        mapped: None,
                        stamp: None,
                    },
                    Some(Window::new(decompressed(input, opening.most)?)),
                ));
            }
            Self::of_file(File::open(path)?, path, opening)
        };
        open().map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// Opens a file that another one includes.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub(crate) fn include(path: &Path, opening: &Opening) -> Result<(Self, Option<Window>), Error> {
        let open = || {
            let file = match &opening.include_root {
                Some(root) => root.open(path)?,
                None => File::open(path)?,
            };
            Self::of_file(file, path, opening)
        };
        open().map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }

    fn of_file(file: File, path: &Path, opening: &Opening) -> io::Result<(Self, Option<Window>)> {
        let metadata = file.metadata()?;
        let mut source = Self {
            name: path.to_string_lossy().into(),
            included: None,
            path: path.to_owned(),
            mapped: None,
            stamp: metadata.is_file().then(|| Stamp::of(&metadata)),
        };
        if !metadata.is_file() {
            return Ok((source, Some(Window::new(decompressed(file, opening.most)?))));
        }
        if opening.reading == Reading::Map
            && metadata.len() > 0
            && opening.most.is_none_or(|most| metadata.len() <= most)
        {
            let mut start = [0; 4];
            let length = file.read_at(&mut start, 0)?;
            if Compression::of(&start[..length]).is_none() {
                source.mapped = Some(map::map(&file)?);
                return Ok((source, None));
            }
        }
        let input = decompressed(Positioned::new(file), opening.most)?;
        Ok((source, Some(Window::new(input))))
    }

    /// Reached by that $INCLUDE.
    pub(crate) fn included(mut self, inclusion: Inclusion) -> Self {
        self.included = Some(Arc::new(inclusion));
        self
    }

    /// The whole text where it is mapped, else nothing.
    pub(crate) fn mapped(&self) -> &[u8] {
        self.mapped.as_deref().unwrap_or_default()
    }

    /// Says that these bytes are not needed again soon.
    pub(crate) fn release(&self, range: Range<usize>) {
        if let Some(mapped) = &self.mapped {
            map::release(mapped, range);
        }
    }

    /// An error of this input.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        let path = if is_stdin(&self.path) {
            PathBuf::from(&*self.name)
        } else {
            self.path.clone()
        };
        Error::Io { path, source }
    }

    /// What to check for changes later.
    pub(crate) fn watch(&self) -> Watch {
        Watch {
            name: self.name.clone(),
            included: self.included.clone(),
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
    /// The $INCLUDE by which it was reached.
    pub(crate) included: Option<Arc<Inclusion>>,
    path: PathBuf,
    stamp: Option<Stamp>,
}

impl Watch {
    /// Opens the input again; `None` where that cannot be done, or something else stands there now.
    pub(crate) fn reopen(&self) -> Option<(Source, Option<Window>)> {
        self.stamp?;
        let (source, window) = Source::open(&self.path, &Opening::default()).ok()?;
        (source.stamp == self.stamp).then_some((source, window))
    }

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

    fn open(path: &Path) -> Source {
        Source::open(path, &Opening::default()).unwrap().0
    }

    #[test]
    fn regular_files_are_mapped_unless_told_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        let read = Opening {
            reading: Reading::Read,
            ..Opening::default()
        };
        for text in [&b""[..], b"text"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(open(&path).mapped(), text);
            let (source, window) = Source::open(&path, &read).unwrap();
            let mut window = window.unwrap();
            window.fill(100).unwrap();
            assert_eq!((source.mapped(), window.bytes()), (&b""[..], text));
        }
        assert!(
            Source::open(directory.path(), &Opening::default()).is_err(),
            "a directory is no text"
        );
    }

    #[test]
    fn changes_are_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        let watch = || {
            std::fs::write(&path, "text").unwrap();
            let watch = open(&path).watch();
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
        let source = open(&path);
        assert_eq!(source.resolve(b"sub/other"), directory.path().join("sub/other"));
        assert_eq!(source.resolve(b"/etc/other"), Path::new("/etc/other"));
    }
}
