//! The end of a journal: entries appended by any thread, and a thread that brings them to the disk every 200 ms.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::entry::Entry;

/// The time between two syncs.
const PAUSE: Duration = Duration::from_millis(200);

/// Appends to a file that is opened for that, and syncs it.
pub(super) struct Writer {
    shared: Arc<Shared>,
    ending: Option<Sender<()>>,
    syncer: Option<JoinHandle<()>>,
}

struct Shared {
    file: File,
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

    /// Appends whole entries. What fails once fails for good.
    pub(super) fn append(&self, bytes: &[u8], entries: u64) -> Result<(), String> {
        let failed = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failed.as_ref() {
            return Err(error.to_string());
        }
        drop(failed);
        self.shared.append(bytes).map_err(|error| self.shared.fail(error))?;
        self.shared.entries.fetch_add(entries, Ordering::Relaxed);
        self.shared.dirty.store(true, Ordering::Release);
        Ok(())
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
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure
            .as_ref()
            .map(|error| io::Error::new(error.kind(), error.to_string()))
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
            if self.dirty.swap(false, Ordering::AcqRel)
                && let Err(error) = self.sync()
            {
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
