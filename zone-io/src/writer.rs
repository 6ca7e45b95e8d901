//! A file that is either published whole or leaves no trace: written to a temporary file in the target's directory,
//! then synced and renamed over the target. Where the file system can, the temporary file has no name until then, so
//! even a killed process leaves nothing behind. What is written is the caller's business, and so is who else writes.

use std::ffi::OsString;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::{Builder, TempPath};

use crate::error::Error;

/// Who may read the file, before the process's umask; a file that is replaced hands its own mode on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Mode 0644.
    Public,
    /// Mode 0600.
    Private,
}

impl Access {
    fn bits(self) -> u32 {
        match self {
            Self::Public => 0o644,
            Self::Private => 0o600,
        }
    }
}

/// A file in the making. Dropped without [`publish`](Self::publish), it is gone and the target as it was.
#[derive(Debug)]
pub struct AtomicFile {
    file: Arc<File>,
    /// The name to remove or rename; `None` while the file has none.
    named: Option<TempPath>,
    target: Arc<Path>,
    directory: PathBuf,
    length: u64,
}

impl AtomicFile {
    /// Starts a public file that will be put at `path`; a symbolic link there is followed.
    ///
    /// # Errors
    /// [`Error::Io`] when the directory is missing or not writable, or when something other than a regular file has the name.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Self::create_as(path, Access::Public)
    }

    /// As [`create`](Self::create), with the mode of a new file chosen.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_as(path: &Path, access: Access) -> Result<Self, Error> {
        Self::start(path, access, open_unnamed).map_err(|source| Error::Io {
            path: path.to_path_buf(),
            source,
        })
    }

    fn start(path: &Path, access: Access, unnamed: impl Fn(&Path, Access) -> Option<File>) -> io::Result<Self> {
        let target = match path.symlink_metadata() {
            Ok(found) if found.is_symlink() => path.canonicalize().map_err(|error| match error.kind() {
                ErrorKind::NotFound => io::Error::new(error.kind(), "is a link to nothing: name the file itself"),
                _ => error,
            })?,
            _ => path.to_path_buf(),
        };
        if target.file_name().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the path names no file"));
        }
        let directory = match target.parent() {
            Some(parent) if parent != Path::new("") => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let old = existing(&target)?;
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            let what = "is there and is not a regular file: name another output";
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        }
        if let Some(old) = old {
            check_replaceable(&directory, &old)?;
        }
        let (file, named) = match unnamed(&directory, access) {
            Some(file) => (file, None),
            None => {
                let (file, named) = Builder::new()
                    .prefix(&temporary_prefix(&target))
                    .permissions(Permissions::from_mode(access.bits()))
                    .tempfile_in(&directory)?
                    .into_parts();
                (file, Some(named))
            }
        };
        Ok(Self {
            file: Arc::new(file),
            named,
            target: target.into(),
            directory,
            length: 0,
        })
    }

    /// Appends bytes; in blocks of 64 KiB or more it is quickest.
    ///
    /// # Errors
    /// [`Error::Io`], as when the disk is full.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (&*self.file).write_all(bytes).map_err(|error| self.failed(error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes over bytes that were written before.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|error| self.failed(error))
    }

    /// The number of bytes appended so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where the file will be.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// A means to read what was written, while more is written and from any thread.
    #[must_use]
    pub fn reader(&self) -> Unpublished {
        Unpublished {
            file: Arc::clone(&self.file),
            target: Arc::clone(&self.target),
        }
    }

    /// The name that the file has before it is published; `None` where the file system lets it have none.
    #[must_use]
    pub fn temporary_name(&self) -> Option<&Path> {
        self.named.as_deref()
    }

    /// Brings what was written to the disk, so that [`publish`](Self::publish) takes no time.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| self.failed(error))
    }

    /// Puts the file at its target in place of what is there, whose mode it takes over. The file's data and the
    /// directory are synced to disk: after a crash one of the two is there whole.
    ///
    /// # Errors
    /// [`Error::Io`]; the target is as it was then, unless only the directory could not be synced.
    pub fn publish(mut self) -> Result<(), Error> {
        self.place(Placing::Replace).map_err(|error| self.failed(error))
    }

    /// Puts the file at its target, where nothing may be.
    ///
    /// # Errors
    /// [`Error::Io`], of kind [`ErrorKind::AlreadyExists`] when something is there; it is as it was then.
    pub fn publish_new(mut self) -> Result<(), Error> {
        self.place(Placing::New).map_err(|error| self.failed(error))
    }

    fn place(&mut self, placing: Placing) -> io::Result<()> {
        if placing == Placing::Replace
            && let Some(old) = existing(&self.target)?
        {
            take_over(&self.file, &old)?;
        }
        self.file.sync_all()?;
        match (self.named.take(), placing) {
            (Some(named), Placing::Replace) => named.persist(&self.target)?,
            (Some(named), Placing::New) => named.persist_noclobber(&self.target)?,
            (None, Placing::New) => link(&self.file, &self.target)?,
            (None, Placing::Replace) => {
                // A link cannot replace a file: it gets a name beside the target, and the rename replaces.
                Builder::new()
                    .prefix(&temporary_prefix(&self.target))
                    .make_in(&self.directory, |path| link(&self.file, path))?
                    .into_temp_path()
                    .persist(&self.target)?;
            }
        }
        sync_directory(&self.directory)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io {
            path: self.target.to_path_buf(),
            source,
        }
    }

    /// Removes the named temporary files that earlier writers of `path` left when they were killed; returns how many.
    /// Only for who knows that nobody else is writing `path` now.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove_abandoned(path: &Path) -> Result<usize, Error> {
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let prefix = temporary_prefix(path);
        let remove = || {
            let mut count = 0;
            for entry in directory.read_dir()? {
                let entry = entry?;
                let name = entry.file_name();
                let ours = name
                    .as_encoded_bytes()
                    .strip_prefix(prefix.as_encoded_bytes())
                    .is_some_and(|rest| rest.len() == SUFFIX_LENGTH);
                if ours && entry.file_type()?.is_file() {
                    std::fs::remove_file(entry.path())?;
                    count += 1;
                }
            }
            Ok(count)
        };
        remove().map_err(|source| Error::Io {
            path: directory.to_path_buf(),
            source,
        })
    }
}

/// Removes a file and brings that to the disk, so that it does not come back after a crash.
///
/// # Errors
/// [`Error::Io`], also when only the directory could not be synced.
pub fn remove_synced(path: &Path) -> Result<(), Error> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::remove_file(path)
        .and_then(|()| sync_directory(directory))
        .map_err(|source| Error::Io {
            path: path.to_path_buf(),
            source,
        })
}

/// What may stand at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placing {
    Replace,
    New,
}

/// Reads an [`AtomicFile`] that is not published yet.
#[derive(Debug, Clone)]
pub struct Unpublished {
    file: Arc<File>,
    target: Arc<Path>,
}

impl Unpublished {
    /// Fills `bytes` with what stands at `offset`.
    ///
    /// # Errors
    /// [`Error::Io`], also when so much was not written yet.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        self.file.read_exact_at(bytes, offset).map_err(|source| Error::Io {
            path: self.target.to_path_buf(),
            source,
        })
    }

    /// Has the system store what was written so far (fdatasync). The file's own `sync` comes sooner to its end then.
    ///
    /// # Errors
    /// [`Error::Io`]. The system tells a failure once only: whoever learns of it here must not publish the file.
    pub fn sync_data(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| Error::Io {
            path: self.target.to_path_buf(),
            source,
        })
    }
}

const SUFFIX_LENGTH: usize = 6;

/// `.NAME.signet-`, which six random letters follow.
fn temporary_prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".signet-");
    prefix
}

/// Opens a file without a name in `directory`; `None` where that cannot be done, or could not be linked later.
fn open_unnamed(directory: &Path, access: Access) -> Option<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(access.bits());
    let file = File::from(rustix::fs::openat(CWD, directory, flags, mode).ok()?);
    descriptor_path(&file).exists().then_some(file)
}

fn descriptor_path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Gives a file without a name one, which nothing may have.
fn link(file: &File, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::linkat(
        CWD,
        descriptor_path(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

fn existing(path: &Path) -> io::Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// In a sticky directory only a file's owner, the directory's owner and root may rename over it.
fn check_replaceable(directory: &Path, old: &Metadata) -> io::Result<()> {
    let found = directory.metadata()?;
    let user = rustix::process::geteuid().as_raw();
    if found.mode() & 0o1000 != 0 && user != 0 && ![old.uid(), found.uid()].contains(&user) {
        let what = "belongs to another user, and its directory is sticky: it cannot be replaced";
        return Err(io::Error::new(ErrorKind::PermissionDenied, what));
    }
    Ok(())
}

/// Gives the new file the mode of the old one and, where the process may, its owner and group: who could read the old can read the new.
fn take_over(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid())
        && std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())).is_err()
    {
        // Neither is ours to give away, perhaps, but the group may be one that the process is in. If not, the mode is
        // still the old one, and the file the writer's own.
        drop(std::os::unix::fs::fchown(file, None, Some(old.gid())));
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some file systems have no sync for directories.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use std::fs;

    /// Both kinds of temporary file in turn.
    fn each_kind(test: impl Fn(&Path, &dyn Fn(&Path) -> io::Result<AtomicFile>)) {
        let kinds: [fn(&Path, Access) -> Option<File>; 2] = [open_unnamed, |_, _| None];
        for kind in kinds {
            let directory = tempfile::tempdir().unwrap();
            test(directory.path(), &|path| AtomicFile::start(path, Access::Public, kind));
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = directory.read_dir().unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_published_whole_or_not_at_all() {
        each_kind(|directory, create| {
            let target = directory.join("zone.signed");
            let mut file = create(&target).unwrap();
            file.write_all(b"first").unwrap();
            assert!(!target.exists());
            file.publish().unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"first");

            fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
            let mut file = create(&target).unwrap();
            file.write_all(b"never seen").unwrap();
            drop(file);
            assert_eq!(fs::read(&target).unwrap(), b"first");
            assert_eq!(names(directory), ["zone.signed"]);

            let mut file = create(&target).unwrap();
            file.write_all(b"second, hole: ....").unwrap();
            file.write_all_at(b"full", 14).unwrap();
            assert_eq!(file.length(), 18);
            let reader = file.reader();
            let mut bytes = [0; 10];
            reader.read_exact_at(&mut bytes, 8).unwrap();
            assert_eq!(&bytes, b"hole: full");
            assert!(reader.read_exact_at(&mut bytes, 9).is_err());
            file.publish().unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"second, hole: full");
            assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o640);
            assert_eq!(names(directory), ["zone.signed"]);
        });
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        each_kind(|directory, create| {
            let target = directory.join("key");
            create(&target).unwrap().publish_new().unwrap();
            let mut file = create(&target).unwrap();
            file.write_all(b"other").unwrap();
            let Err(Error::Io { path, source }) = file.publish_new() else {
                unreachable!("the file is there already");
            };
            assert_eq!((path, source.kind()), (target.clone(), ErrorKind::AlreadyExists));
            assert_eq!(fs::read(&target).unwrap(), b"");
            assert_eq!(names(directory), ["key"]);
        });
    }

    #[test]
    fn targets_that_cannot_be_are_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(AtomicFile::create(path).is_err());
        assert!(AtomicFile::create(&path.join("missing/zone")).is_err());
        assert!(AtomicFile::create(Path::new("/dev/null")).is_err());
        assert!(AtomicFile::create(Path::new("..")).is_err());
        let message = AtomicFile::create(Path::new("/proc/zone")).unwrap_err().to_string();
        assert!(message.starts_with("/proc/zone: "), "{message}");
    }

    #[test]
    fn modes_follow_access() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("secret");
        AtomicFile::create_as(&target, Access::Private)
            .unwrap()
            .publish()
            .unwrap();
        assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("zone"), directory.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink("zone", &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.publish().unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_file_is_removed_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        fs::write(&path, "").unwrap();
        remove_synced(&path).unwrap();
        assert!(names(directory.path()).is_empty());
        let message = remove_synced(&path).unwrap_err().to_string();
        assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    }

    #[test]
    fn abandoned_files_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("zone");
        for name in [".zone.signet-abcdef", ".zone.signet-more.signet-abcdef", "zone"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(AtomicFile::remove_abandoned(&target).unwrap(), 1);
        assert_eq!(names(directory.path()), [".zone.signet-more.signet-abcdef", "zone"]);
    }
}
