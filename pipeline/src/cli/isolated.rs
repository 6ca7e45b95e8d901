//! This program as a process of its own, so that a crash in a token's library costs that process: `signet isolated-worker`,
//! the worker processes of `sign --isolate`, which take the socket that stands in for standard input and hand it to the
//! library; and `signet isolated-command`, which is a whole `key` or `token` command.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;

use clap::ArgMatches;
use hsm_core::PinSource;
use rustix::process::{Signal, set_parent_process_death_signal};
use signet_pipeline::{Error, Isolation, isolated_worker};

use super::Outcome;
use crate::sigbus;

/// This program, whatever has become of its file.
const ITSELF: &str = "/proc/self/exe";

/// The first word of a command line that is run in a process of its own.
const COMMAND: &str = "isolated-command";

/// This program as its own worker. None of the PIN's descriptors is left open to it.
pub(super) fn isolation<'a>(pin_sources: impl IntoIterator<Item = &'a PinSource>) -> Isolation {
    for part in pin_sources.into_iter().flat_map(PinSource::parts) {
        if let PinSource::Fd(number) = part {
            sigbus::keep_from_children(*number);
        }
    }
    Isolation {
        program: PathBuf::from(ITSELF),
        arguments: vec!["isolated-worker".into()],
    }
}

/// Serves until the run closes the socket.
///
/// # Errors
/// [`Error::Usage`] when nobody is there who wants it.
pub(super) fn run() -> Result<Outcome, Error> {
    // What is sent to a group of processes reaches workers too: the run decides what becomes of them, and tells how it stands.
    sigbus::ignore_signals();
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

/// Takes the word off a command line that is run in a process of its own; tells whether it was there. The process then ends with
/// the one that started it.
pub(super) fn is_apart(words: &mut Vec<OsString>) -> bool {
    let apart = words.first().is_some_and(|word| word == COMMAND);
    if apart {
        words.remove(0);
        // Who is not told of the other's end goes on to its own.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
    apart
}

/// Runs the command line of `words` in a process of its own, with this one's terminal, files and environment. What it says of
/// failures it says itself. `matches` are what was made of it.
///
/// # Errors
/// [`Error::Token`] when the process ended on its own, as it does when the library crashes.
pub(super) fn run_apart(words: &[OsString], mut matches: &ArgMatches) -> Result<Outcome, Error> {
    while let Some((_, innermost)) = matches.subcommand() {
        matches = innermost;
    }
    let unstarted = |error| {
        Error::Token(format!(
            "a process of its own cannot be started for the library: {error}"
        ))
    };
    let mut process = std::process::Command::new(ITSELF)
        .arg0("signet")
        .arg(COMMAND)
        .args(words)
        .spawn()
        .map_err(unstarted)?;
    if let Ok(Some(source)) = matches.try_get_one::<PinSource>("pin_source") {
        for part in source.parts() {
            if let PinSource::Env(_) = part {
                // The process has a copy of its own; this one is wiped by being read.
                let _ = part.read("the token");
            }
        }
    }
    let status = process.wait().map_err(unstarted)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(Outcome::Done),
        (Some(code), _) => Ok(Outcome::Failed(u8::try_from(code).unwrap_or(u8::MAX))),
        (None, Some(signal)) if signal == Signal::INT.as_raw() => Ok(Outcome::Failed(130)),
        (None, _) => {
            let library = match matches.try_get_one::<PathBuf>("module") {
                Ok(Some(path)) => format!("library {}", path.display()),
                _ => "library".to_owned(),
            };
            Err(Error::Token(format!(
                "the process with the PKCS#11 {library} ended on its own: {status}"
            )))
        }
    }
}
