//! `--on-publish`: a command that is told of a zone that was just published. It runs when the PKCS#11 library is finalised
//! and unloaded from use, and nothing secret reaches it: neither the variable nor the descriptor that a PIN came from.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use hsm_core::PinSource;
use signet_pipeline::{Error, Output, Report};

use crate::sigbus;

/// What the command gets to know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Published {
    zone: String,
    serial: u32,
    file: PathBuf,
}

/// Where the zone went, as an absolute path; `None`: nothing was published to a file.
fn published(report: &Report, output: &Output) -> Option<Published> {
    let Output::File(path) = output else { return None };
    (!report.unchanged).then(|| Published {
        zone: report.origin.clone(),
        serial: report.serial,
        file: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
    })
}

/// Runs the command through the shell, if something was published. What it prints goes to standard error.
///
/// # Errors
/// [`Error::Io`] when it cannot be started or does not end with exit code 0; the zone is published all the same.
pub(super) fn run(
    command: &str,
    report: &Report,
    output: &Output,
    pin_source: Option<&PinSource>,
) -> Result<(), Error> {
    let Some(published) = published(report, output) else {
        return Ok(());
    };
    let failed = |source: std::io::Error| Error::Io {
        path: Path::new("--on-publish").into(),
        source,
    };
    for part in pin_source.map(PinSource::parts).unwrap_or_default() {
        if let PinSource::Fd(number) = part {
            sigbus::keep_from_children(*number);
        }
    }
    let stderr = std::io::stderr().as_fd().try_clone_to_owned().map_err(failed)?;
    let status = shell(command, &published, pin_source)
        .stdin(Stdio::null())
        .stdout(stderr)
        .status()
        .map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    let file = published.file.display();
    Err(failed(std::io::Error::other(format!(
        "{} (serial {}) is published in {file}, but the command told of it {}",
        published.zone,
        published.serial,
        how_it_ended(status)
    ))))
}

fn shell(command: &str, published: &Published, pin_source: Option<&PinSource>) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .env("SIGNET_ZONE", &published.zone)
        .env("SIGNET_SERIAL", published.serial.to_string())
        .env("SIGNET_FILE", &published.file);
    for part in pin_source.map(PinSource::parts).unwrap_or_default() {
        if let PinSource::Env(name) = part {
            shell.env_remove(name);
        }
    }
    shell
}

fn how_it_ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended: {status}"),
    }
}
