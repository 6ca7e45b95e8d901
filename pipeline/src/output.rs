//! The output while it is written: one temp file that partitions are appended to in order and read back from.
//! What has been written where is known here; when it becomes the zone's file is decided in `lib`.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zone_io::{AtomicFile, Unpublished};

use crate::config::Output;
use crate::error::Error;
use crate::lock::OutputLock;
use crate::observer::Observer;
use crate::write_back::WriteBack;

/// So much is read at once of a zone that is written in part.
const BLOCK: u64 = 1 << 20;

/// An output under way.
pub(crate) struct ZoneOutput<'a> {
    target: Target<'a>,
    length: AtomicU64,
    write_back: Option<WriteBack>,
    observer: &'a dyn Observer,
}

enum Target<'a> {
    /// A file beside the one that it will replace.
    File(Temporary<'a>, Unpublished),
    /// A spool without a name, copied to standard output at the end.
    Spool(File),
    /// Nowhere: only the length is wanted.
    Counted,
}

/// A file in the making that nobody else writes meanwhile. Its name, where it needs one, is known to the observer.
struct Temporary<'a> {
    file: Option<AtomicFile>,
    name: Option<PathBuf>,
    observer: &'a dyn Observer,
    _lock: OutputLock<'a>,
}

impl Temporary<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        match &self.file {
            Some(file) => Ok(file.write_all_at(bytes, offset)?),
            None => Ok(()),
        }
    }
}

impl Temporary<'_> {
    /// Takes another file in place of this one, which is gone then.
    fn replace(&mut self, file: AtomicFile) {
        let name = file.temporary_name().map(Path::to_path_buf);
        if let Some(name) = &name {
            self.observer.made(name);
        }
        drop(self.file.replace(file));
        if let Some(old) = std::mem::replace(&mut self.name, name) {
            self.observer.removed(&old);
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        drop(self.file.take());
        if let Some(name) = &self.name {
            self.observer.removed(name);
        }
    }
}

impl<'a> ZoneOutput<'a> {
    /// Proves that the output can be written and published, locks it, removes what killed runs left beside it, and opens it,
    /// under no name where that can be.
    pub(crate) fn create(output: &Output, observer: &'a dyn Observer) -> Result<Self, Error> {
        let target = match output {
            Output::File(path) => {
                // What is wrong with the file itself is told first.
                let path = AtomicFile::create(path)?.target().to_path_buf();
                let lock = OutputLock::take(&path, observer)?;
                AtomicFile::remove_abandoned(&path)?;
                let file = AtomicFile::create(&path)?;
                let reader = file.reader();
                let name = file.temporary_name().map(Path::to_path_buf);
                if let Some(name) = &name {
                    observer.made(name);
                }
                let temporary = Temporary {
                    file: Some(file),
                    name,
                    observer,
                    _lock: lock,
                };
                Target::File(temporary, reader)
            }
            Output::Stdout => Target::Spool(tempfile::tempfile().map_err(Error::io(std::env::temp_dir()))?),
        };
        let write_back = match &target {
            Target::File(_, reader) => WriteBack::begin(reader.clone()),
            Target::Spool(_) | Target::Counted => None,
        };
        Ok(Self {
            target,
            length: AtomicU64::new(0),
            write_back,
            observer,
        })
    }

    /// One that keeps nothing of what is written, and knows how much it was.
    pub(crate) fn counted(observer: &'a dyn Observer) -> Self {
        Self {
            target: Target::Counted,
            length: AtomicU64::new(0),
            write_back: None,
            observer,
        }
    }

    /// Whether nothing is kept.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self.target, Target::Counted)
    }

    /// Writes behind all that was written; one caller at a time. Returns where it stands.
    pub(crate) fn append(&self, text: &[u8]) -> Result<Range<u64>, Error> {
        let start = self.length.load(Ordering::Acquire);
        match &self.target {
            Target::File(file, _) => file.write_all_at(text, start)?,
            Target::Spool(spool) => spool
                .write_all_at(text, start)
                .map_err(Error::io(std::env::temp_dir()))?,
            Target::Counted => {}
        }
        let end = start + text.len() as u64;
        self.length.store(end, Ordering::Release);
        if let Some(write_back) = &self.write_back {
            write_back.written(end);
        }
        Ok(start..end)
    }

    /// Writes over bytes that were written before.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        match &self.target {
            Target::File(file, _) => file.write_all_at(bytes, offset)?,
            Target::Spool(spool) => spool
                .write_all_at(bytes, offset)
                .map_err(Error::io(std::env::temp_dir()))?,
            Target::Counted => {}
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
            Target::Counted => buffer.fill(0),
        }
        Ok(())
    }

    /// Bytes written.
    pub(crate) fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    /// Leaves only the lines that signing made, to be included in a zone.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Zone`].
    pub(crate) fn keep_dnssec(&mut self) -> Result<(), Error> {
        let mut length = 0;
        let target = match &self.target {
            Target::File(whole, _) => {
                let Some(path) = whole.file.as_ref().map(AtomicFile::target) else {
                    return Ok(());
                };
                let mut part = AtomicFile::create(path)?;
                self.copy_dnssec(|lines| {
                    length += lines.len() as u64;
                    Ok(part.write_all(lines)?)
                })?;
                Ok(part)
            }
            Target::Spool(_) => {
                let mut part = tempfile::tempfile().map_err(Error::io(std::env::temp_dir()))?;
                self.copy_dnssec(|lines| {
                    length += lines.len() as u64;
                    part.write_all(lines).map_err(Error::io(std::env::temp_dir()))
                })?;
                Err(part)
            }
            Target::Counted => return Ok(()),
        };
        match (target, &mut self.target) {
            (Ok(part), Target::File(temporary, reader)) => {
                // The file that it was busy with is no longer wanted.
                self.write_back = None;
                *reader = part.reader();
                temporary.replace(part);
            }
            (Err(part), target) => *target = Target::Spool(part),
            (Ok(_), Target::Spool(_) | Target::Counted) => {}
        }
        self.length.store(length, Ordering::Release);
        Ok(())
    }

    /// Hands the lines that signing made on, block by block.
    fn copy_dnssec(&self, mut write: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let (mut block, mut text, mut part) = (Vec::new(), Vec::new(), Vec::new());
        let (mut at, length) = (0, self.length());
        while at < length {
            let end = length.min(at + BLOCK);
            self.read(at..end, &mut block)?;
            at = end;
            text.extend_from_slice(&block);
            // Every line ends with a line feed, so what follows the last one is the head of another.
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
            part.clear();
            for line in text[..whole].split_inclusive(|&byte| byte == b'\n') {
                if is_made(line) {
                    part.extend_from_slice(line);
                }
            }
            write(&part)?;
            text.drain(..whole);
        }
        Ok(())
    }

    /// Makes it the zone's file in one step, or copies it to standard output.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Interrupted`] when the caller does not want it any more.
    pub(crate) fn publish(self) -> Result<(), Error> {
        match self.target {
            Target::File(mut temporary, _) => {
                let Some(file) = temporary.file.take() else {
                    return Ok(());
                };
                // The long part comes before it can be no longer called off.
                if let Some(write_back) = self.write_back {
                    write_back.end()?;
                }
                file.sync()?;
                if !self.observer.commit() {
                    return Err(Error::Interrupted);
                }
                let published = file.publish();
                self.observer.published();
                published?;
            }
            Target::Spool(mut spool) => {
                let mut stdout = std::io::stdout().lock();
                spool
                    .rewind()
                    .and_then(|()| std::io::copy(&mut spool, &mut stdout))
                    .and_then(|_| stdout.flush())
                    .map_err(Error::io(Path::new("standard output")))?;
            }
            Target::Counted => {}
        }
        Ok(())
    }
}

/// Whether a line `owner TTL class type data` is of a type that signing makes.
fn is_made(line: &[u8]) -> bool {
    let rtype = line.split(|&byte| byte == b'\t').nth(3).unwrap_or_default();
    matches!(
        rtype,
        b"RRSIG" | b"NSEC" | b"NSEC3" | b"NSEC3PARAM" | b"DNSKEY" | b"CDS" | b"CDNSKEY" | b"ZONEMD"
    )
}
