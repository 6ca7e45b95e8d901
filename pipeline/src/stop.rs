//! The caller's wish to stop, carried to stores whose sessions may be waiting for a token. Workers see it by themselves.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::config::Store;
use crate::observer::Observer;

/// Stops the stores as soon as the caller wants that, since their sessions may be waiting for a token; until `over` has no
/// sender any more.
pub(crate) fn stop_when_cancelled(stores: &[Store], observer: &dyn Observer, over: &Receiver<()>) {
    while !observer.cancelled() {
        if over.recv_timeout(Duration::from_millis(50)) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    // The workers may have seen it first.
    if observer.cancelled() {
        for store in stores {
            store.keys.stop();
        }
    }
}
