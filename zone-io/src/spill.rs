//! Sorted runs out of memory and into temp files once they are too many: files without a name that nobody else can
//! open, mapped again as the same bytes. What a run is, is in `run`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::map;
use crate::run::Run;

/// Where runs go, and how many bytes of them stay.
#[derive(Debug)]
pub(crate) struct Spill {
    /// So many bytes of runs are kept in memory.
    limit: u64,
    directory: PathBuf,
    held: AtomicU64,
}

impl Spill {
    /// Nothing is held yet. Without a directory it is the system's for temporary files.
    pub(crate) fn new(limit: u64, directory: Option<PathBuf>) -> Self {
        Self {
            limit,
            directory: directory.unwrap_or_else(std::env::temp_dir),
            held: AtomicU64::new(0),
        }
    }

    /// Counts a run, and moves it to a file when there is no more room in memory.
    ///
    /// # Errors
    /// [`Error::Io`] with the directory, as when the disk is full.
    pub(crate) fn keep(&self, run: &mut Run) -> Result<(), Error> {
        let size = u64::try_from(run.memory()).unwrap_or(u64::MAX);
        if self.held.fetch_add(size, Ordering::Relaxed).saturating_add(size) <= self.limit {
            return Ok(());
        }
        self.held.fetch_sub(size, Ordering::Relaxed);
        self.write(run).map_err(|cause| Error::Io {
            path: self.directory.clone(),
            source: io::Error::new(
                cause.kind(),
                format!("{size} bytes of sorted records do not go to a temporary file: {cause}; name another directory for them, or allow more memory"),
            ),
        })
    }

    fn write(&self, run: &mut Run) -> io::Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        let mut file = tempfile::tempfile_in(&self.directory)?;
        file.write_all(run.bytes())?;
        run.move_to(map::map(&file)?);
        Ok(())
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
        runs.iter_mut().try_for_each(|run| spill.keep(run)).unwrap();
        assert_eq!(runs.each_ref().map(Run::memory), [size, size, 0]);
        assert_eq!(runs[2].bytes(), runs[0].bytes());
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_gone_is_named() {
        let spill = Spill::new(0, Some("/no/such/directory".into()));
        let message = spill.keep(&mut run()).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/directory: "), "{message}");
    }
}
