//! Ends the program when a call into the provider's library does not come back: it is named, and nothing is published.
//! A call that hangs cannot be ended from outside, and no thread that waits for it can be joined.

use std::time::Duration;

use crate::sigbus;

/// Looks after the calls to tokens from now on; one that takes longer than `patience` ends the program with exit code 3.
pub(crate) fn start(patience: Duration) {
    let limit = patience.max(Duration::from_secs(1));
    // A program without a watchdog is better than none: a thread that cannot be started is no reason to stop.
    let _ = std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            if let Some(overdue) = hsm_core::overdue(limit) {
                sigbus::end_at_once(&format!("signet: error: {overdue}; nothing was published\n"), 3);
            }
        }
    });
}
