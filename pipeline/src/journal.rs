//! The journal of a run: every signature as it is made, so that a run that was interrupted or killed is taken up again
//! where it stopped. What to sign is decided anew; only signatures are taken over, each after it was verified once.
//!
//! ```text
//! header   text, published whole: compared (zone, keys and their states, policy), adopted (times, serial, jitter seed)
//! entries  digest of the bytes signed, key, signature, CRC-32C; appended as they come, synced every 200 ms
//! markers  how much was on the disk when they were written: what is wrong below that is damage, above it a torn tail
//! ```

mod entry;
mod header;
mod index;
mod signer;
mod writer;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dnssec_sign::{Policy, SignBatch, SignError, Signer};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use zone_io::{Access, AtomicFile, remove_synced};

use crate::config::{JournalConfig, Resume, SignConfig, Store};
use crate::context::{Decision, moment};
use crate::error::Error;
use crate::observer::Observer;

use header::Header;
use index::Index;
use signer::{Buffers, JournalSigner, KeysOfStore};
use writer::Writer;

/// A journal that was looked at and is locked, but neither compared nor changed.
pub(crate) struct Found {
    path: PathBuf,
    /// What is there already.
    old: Option<Old>,
}

struct Old {
    file: File,
    header: Header,
    /// Where the entries begin.
    start: u64,
    length: u64,
}

impl Found {
    /// Looks at what the run is told to write, or to go on with.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is a journal that the run was not told to take up, [`Error::Input`] when the file is no
    /// journal or its head is damaged, [`Error::Io`] when it cannot be opened or another run has it.
    pub(crate) fn open(config: &JournalConfig) -> Result<Self, Error> {
        let path = config.path.clone();
        let opened = File::options().read(true).append(true).open(&path);
        let mut file = match opened {
            Ok(_) if config.resume == Resume::No => {
                return Err(Error::Usage(format!(
                    "{}: the journal of an earlier run is there: go on with it with --resume, or remove it",
                    path.display()
                )));
            }
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Whether it can be made is found out now.
                drop(AtomicFile::create_as(&path, Access::Private)?);
                return Ok(Self { path, old: None });
            }
            Err(error) => return Err(Error::io(path)(error)),
        };
        lock(&path, &file)?;
        let mut head = Vec::new();
        (&mut file)
            .take(header::MOST)
            .read_to_end(&mut head)
            .map_err(Error::io(&path))?;
        let (header, start) = Header::read(&head).map_err(|fault| refused(&path, fault))?;
        let length = file.metadata().map_err(Error::io(&path))?.len();
        let old = Old {
            file,
            header,
            start,
            length,
        };
        Ok(Self { path, old: Some(old) })
    }

    /// The serial of the run that is taken up.
    pub(crate) fn serial(&self) -> Option<u32> {
        self.old.as_ref().map(|old| old.header.adopted.serial)
    }

    /// The configuration with the times of the run that is taken up, and without the memory that the index takes.
    ///
    /// # Errors
    /// [`Error::Input`] when those times do not serve any more.
    pub(crate) fn adapt(&self, config: &SignConfig, observer: &dyn Observer) -> Result<SignConfig, Error> {
        let mut config = config.clone();
        let Some(old) = &self.old else { return Ok(config) };
        old.header.adopted.apply(&mut config.policy);
        let taken = index::memory((old.length - old.start.min(old.length)).div_ceil(entry::LEAST as u64));
        config.input.memory = config.input.memory.saturating_sub(taken);
        let warnings = validated(&config.policy, &config).map_err(|fault| {
            refused(
                &self.path,
                format!("the times that it was begun with do not serve any more: {fault}"),
            )
        })?;
        warnings.iter().for_each(|warning| observer.warn(warning));
        Ok(config)
    }

    /// Begins the journal of this run, or goes on with the one that is there.
    ///
    /// # Errors
    /// [`Error::Input`] when it is that of another run, with what is different, or damaged; [`Error::Io`].
    pub(crate) fn begin(
        self,
        config: &SignConfig,
        decision: &Decision,
        stores: &[Store],
        observer: &dyn Observer,
    ) -> Result<Journal, Error> {
        let header = Header::of(config, decision);
        let Some(old) = self.old else {
            let mut made = AtomicFile::create_as(&self.path, Access::Private)?;
            made.write_all(&header.text())?;
            made.publish_new()?;
            let file = File::options().read(true).append(true).open(&self.path);
            let file = file.map_err(Error::io(&self.path))?;
            lock(&self.path, &file)?;
            return Journal::new(self.path, file, Index::default(), stores);
        };
        if let Some(difference) = old.header.difference(&header) {
            return Err(refused(
                &self.path,
                format!(
                    "it is the journal of another run: {difference}; sign with the flags, keys and zone that it was begun with, \
                 or remove it"
                ),
            ));
        }
        let (index, end) = Index::read(&old.file, old.start).map_err(|fault| match fault {
            index::Fault::Io(error) => Error::io(&self.path)(error),
            index::Fault::Damaged { at } => refused(&self.path, format!(
                "it is damaged at byte {at}, in a part that was on the disk: nothing of it can be trusted; remove it and begin anew"
            )),
        })?;
        if end < old.length {
            tracing::warn!(journal = %self.path.display(), bytes = old.length - end, "a torn tail is cut off");
            old.file.set_len(end).map_err(Error::io(&self.path))?;
        }
        observer.resumed(&config.origin, index.len());
        Journal::new(self.path, old.file, index, stores)
    }
}

fn validated(policy: &Policy, config: &SignConfig) -> Result<Vec<String>, String> {
    policy
        .validate(moment(config.now), config.key_options.insist)
        .map(|warnings| warnings.iter().map(ToString::to_string).collect())
        .map_err(|error| error.to_string())
}

fn refused(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::Input(format!("{}: {why}", path.display()))
}

/// Two runs must not write one journal.
fn lock(path: &Path, file: &File) -> Result<(), Error> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => {
            let what = "another run is writing this journal: wait until it has ended";
            Err(Error::io(path)(std::io::Error::new(ErrorKind::ResourceBusy, what)))
        }
        // Where there are no locks, the one on the output stands alone.
        _ => Ok(()),
    }
}

/// The journal of a run that signs.
pub(crate) struct Journal {
    path: PathBuf,
    writer: Writer,
    index: Index,
    file: File,
    stores: Vec<KeysOfStore>,
    /// Those that no worker has in hand.
    buffers: Mutex<Vec<Buffers>>,
    reused: AtomicU64,
    refuted: AtomicU64,
}

impl Journal {
    fn new(path: PathBuf, file: File, index: Index, stores: &[Store]) -> Result<Self, Error> {
        let for_writer = file.try_clone().map_err(Error::io(&path))?;
        let writer = Writer::start(for_writer).map_err(Error::io(&path))?;
        Ok(Self {
            writer,
            index,
            file,
            path,
            stores: stores.iter().map(KeysOfStore::new).collect(),
            buffers: Mutex::default(),
            reused: AtomicU64::new(0),
            refuted: AtomicU64::new(0),
        })
    }

    /// Signs a batch as `inner` does, a signer of the store at this place: what the journal has is taken from it, what is made
    /// is written down.
    ///
    /// # Errors
    /// Those of `inner`, and [`SignError::Store`] when the journal cannot be written; [`failure`](Self::failure) says why then.
    pub(crate) fn sign_batch(
        &self,
        store: usize,
        inner: &mut dyn Signer,
        batch: &mut SignBatch,
    ) -> Result<(), SignError> {
        let Some(store) = self.stores.get(store) else {
            return inner.sign_batch(batch);
        };
        let buffers = self.buffers().pop();
        let buffers = buffers.unwrap_or_else(|| Buffers::new(&self.writer));
        let mut signer = JournalSigner::new(self, store, inner, buffers);
        let outcome = signer.sign_batch(batch);
        let buffers = signer.into_buffers();
        self.buffers().push(buffers);
        outcome
    }

    fn buffers(&self) -> MutexGuard<'_, Vec<Buffers>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many signatures were taken over.
    pub(crate) fn reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// How many signatures of the journal did not verify; they were made anew.
    pub(crate) fn refuted(&self) -> u64 {
        self.refuted.load(Ordering::Relaxed)
    }

    /// Why a signer that writes to it failed, where it was the journal's fault.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.writer.failure().map(Error::io(&self.path))
    }

    /// Removes it, on the disk too: the zone is published.
    ///
    /// # Errors
    /// [`Error::Zone`] with the system's reason.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        self.writer.need_not_sync();
        Ok(remove_synced(&self.path)?)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.writer.stop();
        // One that holds nothing would only be in the way.
        if self.index.len() == 0 && self.writer.entries() == 0 {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
