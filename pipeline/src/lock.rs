//! The lock against two runs on one output: `.NAME.signet-lock` beside the file, which says who holds it. The kernel gives
//! it up when its holder is killed; the file may stay then, and the next run takes it over. What is written to the
//! output is not looked at here.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::error::Error;
use crate::observer::Observer;

/// An output that no other run writes meanwhile. The file goes with it.
pub(crate) struct OutputLock<'a> {
    _file: File,
    path: PathBuf,
    observer: &'a dyn Observer,
}

/// The lock file of an output.
fn lock_path(output: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(output.file_name().unwrap_or_default());
    name.push(".signet-lock");
    output.with_file_name(name)
}

impl<'a> OutputLock<'a> {
    /// Takes the lock of the file at `output`, which is no link.
    ///
    /// # Errors
    /// [`Error::Io`] when another run has it, which is named, or when there can be none.
    pub(crate) fn take(output: &Path, observer: &'a dyn Observer) -> Result<Self, Error> {
        let path = lock_path(output);
        loop {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o644))
                .map_err(|error| Error::io(&path)(error.into()))?;
            let mut file = File::from(file);
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(in_use(output, &path, &file)),
                Err(error) => {
                    observer.warn(&format!(
                        "{}: this file system has no locks ({error}): see that no other run writes the same output",
                        path.display()
                    ));
                }
            }
            // Who held it may have removed the file between the two calls: then this lock is on no name.
            let held = file.metadata().map_err(Error::io(&path))?;
            match path.symlink_metadata() {
                Ok(found) if (found.dev(), found.ino()) == (held.dev(), held.ino()) => {}
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&path)(error)),
            }
            observer.made(&path);
            // Its text is for people; a full disk is no reason to go without the lock.
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let text = format!("process {} on {}\n", std::process::id(), host.trim());
            let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
            return Ok(Self {
                _file: file,
                path,
                observer,
            });
        }
    }
}

impl Drop for OutputLock<'_> {
    fn drop(&mut self) {
        // While it is held: nobody else has locked what this removes.
        let _ = std::fs::remove_file(&self.path);
        self.observer.removed(&self.path);
    }
}

fn in_use(output: &Path, lock: &Path, mut file: &File) -> Error {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => "another run",
        holder => holder,
    };
    let what = format!(
        "is being written by {holder}, which holds {}: wait until it has ended",
        lock.display()
    );
    Error::io(output)(std::io::Error::new(ErrorKind::ResourceBusy, what))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::observer::Silent;

    #[test]
    fn one_holds_it_at_a_time_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("zone.signed");
        // As a killed run leaves it.
        std::fs::write(folder.path().join(".zone.signed.signet-lock"), "process 1 on old\n").unwrap();
        let held = OutputLock::take(&output, &Silent).unwrap();
        let message = OutputLock::take(&output, &Silent).err().unwrap().to_string();
        let holder = format!("being written by process {} on", std::process::id());
        assert!(
            message.contains(&holder) && message.contains(".zone.signed.signet-lock"),
            "{message}"
        );
        OutputLock::take(&folder.path().join("other"), &Silent).unwrap();
        drop(held);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        OutputLock::take(&output, &Silent).unwrap();
    }
}
