//! Runs a command under GNU time and counts what it signed: wall clock, CPU, peak memory, signatures.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::process;

/// One run.
#[derive(Clone, Debug, Default)]
pub(super) struct Measurement {
    /// Seconds from start to end.
    pub(super) wall: f64,
    /// Seconds of CPU, user and system.
    pub(super) cpu: f64,
    /// Most memory resident at once, in MiB.
    pub(super) peak: f64,
    /// RRSIG records in the output.
    pub(super) signatures: u64,
}

/// Runs the command, which is to write `output`; what it prints goes into a log below `folder`.
///
/// # Errors
/// When it fails or leaves no signature.
pub(super) fn measure(command: &Command, output: &Path, folder: &Path) -> Result<Measurement> {
    let figures = folder.join("time");
    let log = folder.join("log");
    let out = fs::File::create(&log)?.into_file();
    let mut timed = Command::new(process::need("time")?);
    timed
        .args(["-f", "%U %S %M", "-o"])
        .arg(&figures)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    timed.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    let started = Instant::now();
    let status = timed.status()?;
    let wall = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("`{}`: {status}\n{}", process::line(command), fs::read_to_string(&log)?);
    }
    let (cpu, peak) = parse(&fs::read_to_string(&figures)?).context("GNU time printed something else")?;
    let signatures = count(BufReader::new(fs::File::open(output)?))?;
    if signatures == 0 {
        bail!("`{}` left no signature", process::line(command));
    }
    Ok(Measurement {
        wall,
        cpu,
        peak,
        signatures,
    })
}

/// User seconds, system seconds, KiB: as CPU seconds and MiB.
fn parse(figures: &str) -> Option<(f64, f64)> {
    let mut numbers = figures.lines().last()?.split_whitespace().map(str::parse::<f64>);
    let mut number = || numbers.next()?.ok();
    let (user, system, kib) = (number()?, number()?, number()?);
    Some((user + system, kib / 1024.0))
}

/// RRSIG records of algorithm 13 or 8, in any of the signers' layouts; the RRSIG in a type bitmap has no algorithm behind it.
fn count(reader: impl BufRead) -> Result<u64> {
    let mut found = 0;
    for line in reader.split(b'\n') {
        let line = line?;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if word == b"RRSIG" && words.next().is_some() && matches!(words.next(), Some(b"13" | b"8")) {
                found += 1;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_counted_in_every_layout() -> Result<()> {
        let text = "a. 60 IN RRSIG A 13 1 60 20 19 1 a. AA==\n\t\t\t60\tRRSIG\tNSEC 13 1 60 (\n\t\t 20 19 1 a. AA== )\na. 60 NSEC b. A RRSIG NSEC TYPE13\n";
        assert_eq!(count(text.as_bytes())?, 2);
        Ok(())
    }

    #[test]
    fn figures_are_read_from_the_last_line() {
        assert_eq!(parse("Command exited\n1.50 0.50 2048\n"), Some((2.0, 2.0)));
        assert_eq!(parse("nothing"), None);
    }
}
