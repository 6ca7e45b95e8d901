//! The two tables about a token's sessions: signing end to end against the raw rate of C_Sign, and how the number of sessions
//! scales on a token that is waited for. Both by the program, on the throwaway token.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use fs_err as fs;

use super::measure::measure;
use super::signers::{Job, signet_token};
use super::table::middle;
use super::{Check, Denial, Keys};
use crate::fixtures::{self, Fixture, Kind};
use crate::process;
use crate::softhsm::{self, Origin, Pair, Token};

/// What both tables are measured on.
struct Bench<'a> {
    signet: &'a Path,
    folder: std::path::PathBuf,
    token: Token,
    pair: Pair,
}

/// Signatures a second of a whole run, from start to end.
struct Whole {
    wall: f64,
    rate: f64,
}

impl<'a> Bench<'a> {
    fn new(signet: &'a Path, folder: &Path) -> Result<Self> {
        let token = softhsm::ready(&Origin::default())?;
        let pair = softhsm::pair(&token, signet, "bench", Kind::Leaf.origin())?;
        Ok(Self {
            signet,
            folder: folder.join("work"),
            token,
            pair,
        })
    }

    /// Signs a zone of so many hosts, without verification.
    fn sign(&self, count: u32, arguments: &[&str], environment: &[(&str, String)]) -> Result<Whole> {
        let zone = fixtures::make(&Fixture::new(Kind::Leaf, count))?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        let output = self.folder.join("signed");
        let job = Job {
            signet: self.signet.to_path_buf(),
            zone,
            origin: Kind::Leaf.origin(),
            denial: Denial::Nsec,
            check: Check::None,
            keys: Keys::None,
            folder: self.folder.clone(),
        };
        let mut command = signet_token(&job, &self.token, &self.pair, &output);
        command.args(arguments);
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        let measured = measure(&command, &output, &self.folder)?;
        fs::remove_dir_all(&self.folder)?;
        eprintln!("bench: {} took {:.2} s", process::line(&command), measured.wall);
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate = measured.signatures as f64 / measured.wall;
        Ok(Whole {
            wall: measured.wall,
            rate,
        })
    }

    /// C_SignInit and C_Sign alone on the token object, with two sessions: signatures a second.
    fn raw(&self, seconds: &str) -> Result<f64> {
        let mut bench = Command::new(self.signet);
        bench.args([
            "token",
            "bench",
            "--json",
            "--sessions",
            "2",
            "--seconds",
            seconds,
            "--key",
        ]);
        bench.arg(&self.pair.zsk_label);
        self.token.lend(&mut bench);
        let printed = process::capture(&mut bench)?;
        let row = printed
            .split("\"object\": \"token object\"")
            .nth(1)
            .context("no row of the token object")?;
        number(row, "signatures_per_second").context("no rate in what token bench printed")
    }
}

/// The first number under this name.
fn number(json: &str, name: &str) -> Option<f64> {
    let rest = json.split(&format!("\"{name}\": ")).nth(1)?;
    rest.split([',', '\n', '}']).next()?.trim().parse().ok()
}

/// End to end against the raw rate, taking turns.
pub(super) fn raw_rate(signet: &Path, folder: &Path, quick: bool, rounds: usize) -> Result<String> {
    let bench = Bench::new(signet, folder)?;
    let (count, seconds) = if quick { (5_000, "0.5") } else { (100_000, "4") };
    let mut text = format!(
        "\n## end to end against raw C_Sign, hosts, NSEC, keys on SoftHSM ({count} names)\n\n\
         | round | C_Sign on the token object, 2 sessions, a second | signed zone, a second | ratio |\n|---|---|---|---|\n"
    );
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let raw = bench.raw(seconds)?;
        let whole = bench.sign(count, &["--sessions", "2"], &[])?;
        let ratio = whole.rate / raw;
        let _infallible = writeln!(text, "| {round} | {raw:.0} | {:.0} | {ratio:.2} |", whole.rate);
        ratios.push(ratio);
    }
    let _infallible = writeln!(
        text,
        "\nMedian of the ratios: {:.2}. A zone's rate is all its signatures by the whole time from start to end.",
        middle(ratios)
    );
    Ok(text)
}

/// Sessions on a token that takes 2 ms a signature.
pub(super) fn sessions(signet: &Path, folder: &Path, quick: bool) -> Result<String> {
    let bench = Bench::new(signet, folder)?;
    process::run(process::cargo().args(["build", "--release", "--package", "faulty-provider"]))?;
    let library = signet.with_file_name("libfaulty_provider.so");
    let slow = [
        ("PKCS11_PROVIDER", library.display().to_string()),
        ("FAULTY_PROVIDER_MODULE", bench.token.module().display().to_string()),
        ("FAULTY_PROVIDER_SCHEDULE", "C_Sign * sleep 2000".to_owned()),
    ];
    let (few, many) = if quick { (500, 5_000) } else { (4_000, 100_000) };
    let mut text = format!(
        "\n## sessions on a token that takes 2 ms a signature\n\n{few} names, hosts, NSEC, no verification:\n\n\
         | sessions | wall s | a second | of linear |\n|---|---|---|---|\n"
    );
    let mut alone = None;
    for sessions in [1_u32, 2, 4, 8, 16, 32] {
        let whole = bench.sign(few, &["--sessions", &sessions.to_string()], &slow)?;
        let one = *alone.get_or_insert(whole.rate);
        let _infallible = writeln!(
            text,
            "| {sessions} | {:.2} | {:.0} | {:.2} |",
            whole.wall,
            whole.rate,
            whole.rate / one / f64::from(sessions)
        );
    }
    let _infallible = write!(
        text,
        "\n{many} names, taking turns:\n\n| sessions | wall s | a second |\n|---|---|---|\n"
    );
    for sessions in ["16", "32", "64", "auto"] {
        let whole = bench.sign(many, &["--sessions", sessions], &slow)?;
        let _infallible = writeln!(text, "| {sessions} | {:.2} | {:.0} |", whole.wall, whole.rate);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_name() {
        let json = "{\n  \"sessions\": 2,\n  \"signatures_per_second\": 31000.5\n}";
        assert_eq!(number(json, "signatures_per_second"), Some(31000.5));
        assert_eq!(number(json, "sessions"), Some(2.0));
        assert_eq!(number(json, "p50"), None);
    }
}
