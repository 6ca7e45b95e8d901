//! `signet isolated-worker`: the worker processes of `sign --isolate`. It takes the socket that stands in for standard input
//! and hands it to the library; how the program starts itself as one is here too.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use hsm_core::PinSource;
use signet_pipeline::{Error, Isolation, isolated_worker};

use super::Outcome;
use crate::sigbus;

/// This program as its own worker, whatever has become of its file. None of the PIN's descriptors is left open to it.
pub(super) fn isolation<'a>(pin_sources: impl IntoIterator<Item = &'a PinSource>) -> Isolation {
    for part in pin_sources.into_iter().flat_map(PinSource::parts) {
        if let PinSource::Fd(number) = part {
            sigbus::keep_from_children(*number);
        }
    }
    Isolation {
        program: PathBuf::from("/proc/self/exe"),
        arguments: vec!["isolated-worker".into()],
    }
}

/// Serves until the run closes the socket.
///
/// # Errors
/// [`Error::Usage`] when nobody is there who wants it.
pub(super) fn run() -> Result<Outcome, Error> {
    // A terminal's interrupt reaches worker processes too: the run decides what becomes of them.
    sigbus::ignore_interrupts();
    let foreign = |source| Error::Io {
        path: "standard input".into(),
        source,
    };
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(foreign)?;
    // A library that asks on standard input shall not read what is for the worker.
    let nothing = File::open("/dev/null").map_err(foreign)?;
    rustix::stdio::dup2_stdin(nothing).map_err(|error| foreign(error.into()))?;
    isolated_worker(UnixStream::from(socket))?;
    Ok(Outcome::Done)
}
