//! The end of a journal: entries gathered and appended by any thread, and a thread that brings them to the disk every 200 ms,
//! those too whose worker is stuck in a call.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::entry::Entry;

/// The time between two syncs.
const PAUSE: Duration = Duration::from_millis(200);

/// Entries of one worker that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    entries: u64,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One entry more; returns how many bytes wait.
    pub(super) fn push(&self, entry: &Entry<'_>) -> usize {
        let mut waiting = self.lock();
        entry.write(&mut waiting.bytes);
        waiting.entries += 1;
        waiting.bytes.len()
    }
}

/// Appends to a file that is opened for that, and syncs it.
pub(super) struct Writer {
    shared: Arc<Shared>,
    ending: Option<Sender<()>>,
    syncer: Option<JoinHandle<()>>,
}

struct Shared {
    file: File,
    /// What each worker has.
    pending: Mutex<Vec<Arc<Pending>>>,
    /// Held while something is appended: entries are not mixed.
    appending: Mutex<()>,
    entries: AtomicU64,
    dirty: AtomicBool,
    failure: Mutex<Option<io::Error>>,
}

impl Writer {
    /// Begins to sync.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            file,
            pending: Mutex::default(),
            appending: Mutex::default(),
            entries: AtomicU64::new(0),
            dirty: AtomicBool::new(false),
            failure: Mutex::default(),
        });
        let (ending, end) = bounded(0);
        let of_thread = Arc::clone(&shared);
        let syncer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || of_thread.sync_until(&end))?;
        Ok(Self {
            shared,
            ending: Some(ending),
            syncer: Some(syncer),
        })
    }

    /// A place for one worker's entries.
    pub(super) fn pending(&self) -> Arc<Pending> {
        let pending = Arc::default();
        self.shared.pending().push(Arc::clone(&pending));
        pending
    }

    /// Appends what waits. What fails once fails for good.
    pub(super) fn write(&self, pending: &Pending) -> Result<(), String> {
        self.shared.write(pending).map_err(|error| self.shared.fail(error))
    }

    /// How many entries were appended.
    pub(super) fn entries(&self) -> u64 {
        self.shared.entries.load(Ordering::Relaxed)
    }

    /// What was appended so far is not wanted any more.
    pub(super) fn need_not_sync(&self) {
        self.shared.dirty.store(false, Ordering::Release);
    }

    /// Why appending or syncing failed.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.shared.failure()
    }

    /// Syncs for the last time.
    pub(super) fn stop(&mut self) {
        drop(self.ending.take());
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join();
        }
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Vec<Arc<Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> Option<io::Error> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure
            .as_ref()
            .map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    fn write(&self, pending: &Pending) -> io::Result<()> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let mut waiting = pending.lock();
        if waiting.entries == 0 {
            return Ok(());
        }
        let written = self.append(&waiting.bytes);
        waiting.bytes.clear();
        let entries = std::mem::take(&mut waiting.entries);
        written?;
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.dirty.store(true, Ordering::Release);
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let _alone = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.file).write_all(bytes)
    }

    fn fail(&self, error: io::Error) -> String {
        let message = error.to_string();
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        message
    }

    fn sync_until(&self, end: &Receiver<()>) {
        loop {
            let over = end.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout);
            let all = self.pending().clone();
            let written = all.iter().try_for_each(|pending| self.write(pending));
            let dirty = self.dirty.swap(false, Ordering::AcqRel);
            if let Err(error) = written.and_then(|()| if dirty { self.sync() } else { Ok(()) }) {
                self.fail(error);
            }
            if over {
                return;
            }
        }
    }

    /// Brings everything to the disk, and says so in a marker.
    fn sync(&self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.file.sync_data()?;
        let mut marker = Vec::new();
        Entry::Synced(length).write(&mut marker);
        self.append(&marker)
    }
}
