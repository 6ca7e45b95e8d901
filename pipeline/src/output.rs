//! The output while it is written: one temp file that partitions are appended to in order and read back from.
//! What has been written where is known here; when it becomes the zone's file is decided in `lib`.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use zone_io::{AtomicFile, Unpublished};

use crate::config::Output;
use crate::error::Error;

/// An output under way.
pub(crate) struct ZoneOutput {
    target: Target,
    length: AtomicU64,
}

enum Target {
    /// A file beside the one that it will replace.
    File(AtomicFile, Unpublished),
    /// A spool without a name, copied to standard output at the end.
    Spool(File),
}

impl ZoneOutput {
    /// Proves that the output can be written and published, and opens it under no name.
    pub(crate) fn create(output: &Output) -> Result<Self, Error> {
        let target = match output {
            Output::File(path) => {
                let file = AtomicFile::create(path)?;
                let reader = file.reader();
                Target::File(file, reader)
            }
            Output::Stdout => Target::Spool(tempfile::tempfile().map_err(Error::io(std::env::temp_dir()))?),
        };
        Ok(Self {
            target,
            length: AtomicU64::new(0),
        })
    }

    /// Writes behind all that was written; one caller at a time. Returns where it stands.
    pub(crate) fn append(&self, text: &[u8]) -> Result<Range<u64>, Error> {
        let start = self.length.load(Ordering::Acquire);
        match &self.target {
            Target::File(file, _) => file.write_all_at(text, start)?,
            Target::Spool(spool) => spool
                .write_all_at(text, start)
                .map_err(Error::io(std::env::temp_dir()))?,
        }
        let end = start + text.len() as u64;
        self.length.store(end, Ordering::Release);
        Ok(start..end)
    }

    /// Writes over bytes that were written before.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        match &self.target {
            Target::File(file, _) => file.write_all_at(bytes, offset)?,
            Target::Spool(spool) => spool
                .write_all_at(bytes, offset)
                .map_err(Error::io(std::env::temp_dir()))?,
        }
        Ok(())
    }

    /// Reads back what was written, into `buffer` in place of what was there.
    pub(crate) fn read(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        buffer.resize(usize::try_from(range.end - range.start).unwrap_or(usize::MAX), 0);
        match &self.target {
            Target::File(_, reader) => reader.read_exact_at(buffer, range.start)?,
            Target::Spool(spool) => {
                spool
                    .read_exact_at(buffer, range.start)
                    .map_err(Error::io(std::env::temp_dir()))?;
            }
        }
        Ok(())
    }

    /// Bytes written.
    pub(crate) fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    /// Makes it the zone's file in one step, or copies it to standard output.
    pub(crate) fn publish(self) -> Result<(), Error> {
        match self.target {
            Target::File(file, _) => file.publish()?,
            Target::Spool(mut spool) => {
                let mut stdout = std::io::stdout().lock();
                spool
                    .rewind()
                    .and_then(|()| std::io::copy(&mut spool, &mut stdout))
                    .and_then(|_| stdout.flush())
                    .map_err(Error::io(Path::new("standard output")))?;
            }
        }
        Ok(())
    }
}
