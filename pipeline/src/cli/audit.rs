//! `--audit FILE` and `signet audit verify`: the log of what was done with keys, switched on and checked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use signet_pipeline::{AuditEvent, Error, audit, install_audit, verify_audit};

use super::{Outcome, streams};

/// The commands of `signet audit`.
#[derive(Subcommand)]
pub(super) enum Command {
    Verify(VerifyFlags),
}

/// Check that no line of an audit log was changed, taken out or put in
#[derive(Args, Debug)]
pub(super) struct VerifyFlags {
    /// The log
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The digest that an earlier check printed: without its line, lines were cut off the end
    #[arg(long, value_name = "HEX")]
    expect: Option<String>,
}

/// Runs one of them.
///
/// # Errors
/// [`Error::Input`] with the line at fault.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    let Command::Verify(flags) = command;
    let summary = verify_audit(&flags.file, flags.expect.as_deref())?;
    if !summary.found {
        return Err(Error::Input(format!(
            "{}: no line has the digest that was expected: lines were cut off, or it is another log",
            flags.file.display()
        )));
    }
    streams::say(&format!("{} lines, each follows from the one before", summary.lines));
    streams::print(&format!("{}\n", summary.last))?;
    Ok(Outcome::Done)
}

/// Switches the log on.
///
/// # Errors
/// Those of [`install_audit`].
pub(super) fn install(path: &Path) -> Result<(), Error> {
    install_audit(path, without_secrets(std::env::args_os().collect()))
}

/// Notes how the command ended; says so where that fails, and makes it a failure.
pub(super) fn end(exit_code: u8) -> u8 {
    match audit(&AuditEvent::Ended { exit_code }) {
        Ok(()) => exit_code,
        Err(error) => {
            streams::say(&format!("error: {error}"));
            if exit_code == 0 { error.exit_code() } else { exit_code }
        }
    }
}

/// The command line with the values of `pin-value` taken out.
fn without_secrets(words: Vec<OsString>) -> Vec<String> {
    let name = "pin-value=";
    let clean = |word: OsString| {
        let word = word.to_string_lossy().into_owned();
        let Some((before, behind)) = word.split_once(name) else {
            return word;
        };
        let rest = behind
            .find(['&', ';'])
            .map_or("", |end| behind.get(end..).unwrap_or_default());
        format!("{before}{name}(left out){rest}")
    };
    words.into_iter().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_left_out() {
        let words = ["signet", "-l", "pkcs11:object=k?pin-value=1234&x=1"].map(OsString::from);
        assert_eq!(
            without_secrets(words.to_vec()),
            ["signet", "-l", "pkcs11:object=k?pin-value=(left out)&x=1"]
        );
    }
}
