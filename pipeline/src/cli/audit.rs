//! `--audit FILE` and `signet audit verify`: the log of what was done with keys, switched on and checked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use signet_pipeline::{AuditEvent, Error, audit, install_audit, verify_audit};

use super::{Outcome, settings, streams};

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

/// Switches the log on for a tool of BIND, where `SIGNET_AUDIT` or the settings name one.
///
/// # Errors
/// Those of [`install_audit`].
pub(super) fn install_for_tool() -> Result<(), Error> {
    match settings::variable("SIGNET_AUDIT") {
        Some(path) => install_audit(Path::new(&path), without_typed_pin(std::env::args_os().collect())),
        None => Ok(()),
    }
}

/// Letters of the tools that take a value, which ends a word of letters.
const WITH_VALUE: &str = "abilmsw";

/// The command line without the value of `-p`, be it behind the letter or the next word.
fn without_typed_pin(words: Vec<OsString>) -> Vec<String> {
    let mut is_pin = false;
    let mut clean = Vec::with_capacity(words.len());
    for word in without_secrets(words) {
        if std::mem::take(&mut is_pin) {
            clean.push("(left out)".to_owned());
            continue;
        }
        // Letters may stand together: -qp PIN, -qpPIN.
        let end = word.strip_prefix('-').and_then(|letters| {
            let at = letters.find(|letter| letter == 'p' || WITH_VALUE.contains(letter))?;
            letters.get(at..)?.starts_with('p').then_some(at + 2)
        });
        match end.and_then(|end| word.split_at_checked(end)) {
            Some((_, "")) => {
                is_pin = true;
                clean.push(word);
            }
            Some((letters, _)) => clean.push(format!("{letters}(left out)")),
            None => clean.push(word),
        }
    }
    clean
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
    fn a_typed_pin_is_left_out() {
        let line = |line: &str| without_typed_pin(line.split(' ').map(OsString::from).collect()).join(" ");
        assert_eq!(
            line("pkcs11-list -s 7 -p 1234 -p1234 -l k -lprivate"),
            "pkcs11-list -s 7 -p (left out) -p(left out) -l k -lprivate"
        );
        assert_eq!(
            line("pkcs11-keygen -qp 1234 -qp1234 label"),
            "pkcs11-keygen -qp (left out) -qp(left out) label"
        );
    }

    #[test]
    fn a_pin_is_left_out() {
        let words = ["signet", "-l", "pkcs11:object=k?pin-value=1234&x=1"].map(OsString::from);
        assert_eq!(
            without_secrets(words.to_vec()),
            ["signet", "-l", "pkcs11:object=k?pin-value=(left out)&x=1"]
        );
    }
}
