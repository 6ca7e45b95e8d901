//! A run as operators meet it: interrupted, killed, taken up again, beside another one.

mod interrupts;
mod journal;
mod memory;
mod output;
mod progress;
mod state;

use std::process::Command;

/// Sends a signal to a process.
pub(crate) fn send(signal: &str, process: u32) {
    let kill = format!("kill -{signal} {process}");
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success(), "{kill}");
}
