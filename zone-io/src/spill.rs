//! Sorted runs, and other lists that grow with a zone, out of memory and into temp files once they are too many: files without
//! a name that nobody else can open, mapped again as the same bytes. What a run is, is in `run`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::Kept;
use memmap2::Mmap;

use crate::error::Error;
use crate::map;
use crate::run::Run;

/// Where sorted records and other lists go that grow with a zone, and how many bytes of them stay in memory.
#[derive(Debug)]
pub struct Spill {
    /// So many bytes are kept in memory.
    limit: u64,
    directory: PathBuf,
    held: AtomicU64,
}

impl Spill {
    /// Nothing is held yet. Without a directory it is the system's for temporary files.
    #[must_use]
    pub fn new(limit: u64, directory: Option<PathBuf>) -> Self {
        Self {
            limit,
            directory: directory.unwrap_or_else(std::env::temp_dir),
            held: AtomicU64::new(0),
        }
    }

    /// Counts the bytes, and moves them to a file when there is no more room in memory.
    ///
    /// # Errors
    /// [`Error::Io`] with the directory, as when the disk is full.
    pub fn keep(&self, bytes: Kept) -> Result<Kept, Error> {
        Ok(match self.spilled(bytes.as_ref())? {
            Some(mapped) => Kept::new(mapped),
            None => bytes,
        })
    }

    /// The same with the bytes of a run.
    pub(crate) fn keep_run(&self, run: &mut Run) -> Result<(), Error> {
        if let Some(mapped) = self.spilled(run.bytes())? {
            run.move_to(mapped);
        }
        Ok(())
    }

    /// The bytes in a file, when there is no room for them in memory.
    fn spilled(&self, bytes: &[u8]) -> Result<Option<Mmap>, Error> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let held = self.held.fetch_add(size, Ordering::Relaxed);
        if size == 0 || held.saturating_add(size) <= self.limit {
            return Ok(None);
        }
        self.held.fetch_sub(size, Ordering::Relaxed);
        self.write(bytes).map(Some).map_err(|cause| Error::Io {
            path: self.directory.clone(),
            source: io::Error::new(
                cause.kind(),
                format!("{size} bytes of sorted records or lists do not go to a temporary file: {cause}; name another directory for them, or allow more memory"),
            ),
        })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<Mmap> {
        let mut file = tempfile::tempfile_in(&self.directory)?;
        file.write_all(bytes)?;
        map::map(&file)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use dnssec_sign::{Name, RecordType};

    use super::*;
    use crate::run::RunBuilder;

    fn run() -> Run {
        let origin: Name = "zone.test.".parse().unwrap();
        let mut builder = RunBuilder::new(origin.borrow(), 0);
        builder.push(origin.borrow(), RecordType::A, 5, &[1, 2, 3, 4], 0);
        builder.finish(1)
    }

    #[test]
    fn runs_past_the_limit_go_to_files_without_names() {
        let directory = tempfile::tempdir().unwrap();
        let mut runs = [run(), run(), run()];
        let size = runs[0].memory();
        let spill = Spill::new(2 * size as u64, Some(directory.path().to_owned()));
        runs.iter_mut().try_for_each(|run| spill.keep_run(run)).unwrap();
        assert_eq!(runs.each_ref().map(Run::memory), [size, size, 0]);
        assert_eq!(runs[2].bytes(), runs[0].bytes());
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
        let list = spill.keep(Kept::from(vec![1, 2, 3])).unwrap();
        assert_eq!(list.as_ref(), [1, 2, 3]);
    }

    #[test]
    fn a_directory_that_is_gone_is_named() {
        let spill = Spill::new(0, Some("/no/such/directory".into()));
        let message = spill.keep_run(&mut run()).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/directory: "), "{message}");
    }
}
