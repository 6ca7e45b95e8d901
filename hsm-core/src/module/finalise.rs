//! C_Finalize at the end of a library's life, which nobody has to wait out: by then everything is done.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cryptoki::context::Pkcs11;

use crate::error::{Located, Place};
use crate::recover::leave_behind;

/// How long it may take: devices on a network take their time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finalises the library. Where that hangs the call is left behind on a thread of its own, and this is false: the library has to
/// stay loaded.
pub(super) fn finalise(context: &Pkcs11) -> bool {
    let (done, ended) = channel();
    let context = context.clone();
    let call = move || done.send(context.finalize());
    let Ok(thread) = thread::Builder::new().name("finalise".to_owned()).spawn(call) else {
        // The library learns of the end when the process ends.
        return true;
    };
    let answer = match ended.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            let seconds = PATIENCE.as_secs();
            tracing::warn!("C_Finalize has not answered for {seconds} s: the library is left as it is");
            leave_behind(None, PATIENCE);
            return false;
        }
        Err(RecvTimeoutError::Disconnected) => return true,
        Ok(answer) => answer,
    };
    // What the library does at the end of a thread it does before it is unloaded.
    let _ = thread.join();
    if let Err(error) = answer.at(&Place::default(), "C_Finalize") {
        tracing::warn!(%error, "finalising failed");
    }
    true
}
