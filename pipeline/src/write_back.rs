//! The output on its way to the disk while more of it is made: whenever a stretch has been written, a thread of its own has
//! the system store it, so that little is left to wait for when the zone is published. What the last sync must do, it
//! still does; a failure here is kept for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use zone_io::Unpublished;

use crate::error::Error;

/// A stretch, in bytes: a few tenths of a second of output, far more than a disk wants at once.
const STRETCH: u64 = 32 << 20;

/// The thread that has an output stored.
#[derive(Debug)]
pub(crate) struct WriteBack {
    /// Where the next stretch ends.
    next: AtomicU64,
    stretches: Sender<()>,
    thread: JoinHandle<Result<(), zone_io::Error>>,
}

impl WriteBack {
    /// Begins with a file that nothing was written to. None where there can be no further thread: the last sync has more
    /// to do then.
    pub(crate) fn begin(file: Unpublished) -> Option<Self> {
        // A stretch that ends while the one before is on its way goes with the next.
        let (stretches, ended) = bounded(1);
        let store = move || {
            for () in ended {
                file.sync_data()?;
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("write back".to_owned()).spawn(store);
        Some(Self {
            next: AtomicU64::new(STRETCH),
            stretches,
            thread: thread.ok()?,
        })
    }

    /// So many bytes stand in the file now. One caller at a time; never waits.
    pub(crate) fn written(&self, length: u64) {
        if length >= self.next.load(Ordering::Relaxed) {
            self.next.store(length + STRETCH, Ordering::Relaxed);
            let _ = self.stretches.try_send(());
        }
    }

    /// Waits for what is on its way.
    ///
    /// # Errors
    /// [`Error::Zone`] when a stretch could not be stored: the system tells that once only, so no later sync will.
    pub(crate) fn end(self) -> Result<(), Error> {
        drop(self.stretches);
        match self.thread.join() {
            Ok(stored) => Ok(stored?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
