//! The two streams of a command: data to standard output, everything else to standard error.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use signet_pipeline::Error;

/// Writes data to standard output.
///
/// # Errors
/// [`Error::Io`] when it cannot be written.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(stdout_error)
}

/// Writes a value to standard output as indented JSON and a line end.
///
/// # Errors
/// [`Error::Io`] when it cannot be written.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let mut text = json(value)?;
    text.push('\n');
    print(&text)
}

/// A value as indented JSON.
///
/// # Errors
/// [`Error::Io`] for a value that JSON cannot hold.
pub(super) fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(value).map_err(|error| Error::Io {
        path: "JSON".into(),
        source: error.into(),
    })
}

/// One message to a person. Standard error may be closed: no reason to stop.
pub(super) fn say(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "signet: {message}");
}

/// A warning to a person.
pub(super) fn warn(message: &str) {
    say(&format!("warning: {message}"));
}

/// Text to a person as it stands.
pub(super) fn tell(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The error of a failed write to standard output.
pub(super) fn stdout_error(source: std::io::Error) -> Error {
    Error::Io {
        path: Path::new("standard output").into(),
        source,
    }
}
