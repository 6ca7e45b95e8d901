//! Runs other programs: found on the PATH, shown before they run, judged by their exit code.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use fs_err as fs;

/// How many lines of a failed program's log are shown.
const TAIL: usize = 30;

/// The program's path, from PATH and from the folders for administrators, which a user's PATH often lacks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// [`find`], or an error that names `cargo xtask setup`.
pub(crate) fn need(program: &str) -> Result<PathBuf> {
    find(program).with_context(|| format!("{program} is not installed: run `cargo xtask setup`"))
}

/// The command as a line a shell would take, without its environment.
pub(crate) fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Shows the command on stderr and runs it; a failure is an error that names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// As [`run`], with both outputs appended to a log, of which a failure shows the end.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    eprintln!("$ {}", line(command));
    let file = fs::OpenOptions::new().create(true).append(true).open(log)?.into_file();
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            eprintln!("    {line}");
        }
        bail!(
            "`{}` failed: {status}; the whole log is {}",
            line(command),
            log.display()
        );
    }
    Ok(())
}

/// Shows the command, runs it and returns its stdout; stderr passes through.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    eprintln!("$ {}", line(command));
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The cargo that started this program, or the one on the PATH.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::layout::root());
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let mut command = Command::new("ldns-signzone");
        command.args(["-K", "13,pkcs11:token=a b;object=it's"]);
        assert_eq!(line(&command), r"ldns-signzone -K '13,pkcs11:token=a b;object=it'\''s'");
    }

    #[test]
    fn a_program_that_is_nowhere_is_an_error_with_advice() {
        let error = need("no-such-program-anywhere").map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("no-such-program-anywhere is not installed: run `cargo xtask setup`".to_owned())
        );
    }
}
