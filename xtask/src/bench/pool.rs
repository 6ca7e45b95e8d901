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

    /// C_SignInit and C_Sign alone with so many sessions.
    fn raw(&self, sessions: u32, seconds: &str, environment: &[(&str, String)]) -> Result<Raw> {
        let mut bench = Command::new(self.signet);
        bench.args(["token", "bench", "--json", "--sessions", &sessions.to_string()]);
        bench.args(["--seconds", seconds, "--key", &self.pair.zsk_label]);
        self.token.lend(&mut bench);
        bench.envs(environment.iter().map(|(name, value)| (*name, value)));
        let printed = process::capture(&mut bench)?;
        let rate = |object: &str| {
            let row = printed.split(&format!("\"object\": \"{object}\"")).nth(1);
            row.and_then(|row| number(row, "signatures_per_second"))
        };
        let object = rate("token object").context("no row of the token object in what token bench printed")?;
        Ok(Raw {
            object,
            best: rate("session copy").map_or(object, |copy| copy.max(object)),
        })
    }
}

/// Signatures a second that `token bench` measures.
struct Raw {
    /// Of the token object.
    object: f64,
    /// Of the faster of the token object and its copies in the sessions.
    best: f64,
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
        "\n## end to end against raw C_Sign, hosts, NSEC, keys on SoftHSM ({count} names, 2 sessions)\n\n\
         | round | C_Sign on the token object, a second | C_Sign at its best | signed zone | of the object | of the best |\n\
         |---|---|---|---|---|---|\n"
    );
    let mut ratios = Vec::new();
    let mut of_best = Vec::new();
    for round in 1..=rounds {
        let raw = bench.raw(2, seconds, &[])?;
        let whole = bench.sign(count, &["--sessions", "2"], &[])?;
        let (object, best) = (whole.rate / raw.object, whole.rate / raw.best);
        let _infallible = writeln!(
            text,
            "| {round} | {:.0} | {:.0} | {:.0} | {object:.2} | {best:.2} |",
            raw.object, raw.best, whole.rate
        );
        ratios.push(object);
        of_best.push(best);
    }
    let _infallible = writeln!(
        text,
        "\nMedians: {:.2} of C_Sign on the token object, {:.2} of the best. A zone's rate is all its signatures by the whole \
         time from start to end.",
        middle(ratios),
        middle(of_best)
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
        ("FAULTY_PROVIDER_SCHEDULE", "C_Sign * take 2000".to_owned()),
    ];
    let (each, many) = if quick { (50, 5_000) } else { (4_000, 100_000) };
    let mut text = format!(
        "\n## sessions on a token that takes 2 ms a signature\n\n{each} names a session, hosts, NSEC, no verification:\n\n\
         | sessions | wall s | a second | of linear |\n|---|---|---|---|\n"
    );
    let mut alone = None;
    for sessions in [1_u32, 2, 4, 8, 16, 32] {
        let whole = bench.sign(each * sessions, &["--sessions", &sessions.to_string()], &slow)?;
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
        "\n{many} names, taking turns; C_Sign alone with as many sessions beside it:\n\n\
         | sessions | wall s | a second | C_Sign alone | of it |\n|---|---|---|---|---|\n"
    );
    let seconds = if quick { "0.5" } else { "4" };
    for sessions in [16_u32, 32, 64] {
        let raw = bench.raw(sessions, seconds, &slow)?.best;
        let whole = bench.sign(many, &["--sessions", &sessions.to_string()], &slow)?;
        let _infallible = writeln!(
            text,
            "| {sessions} | {:.2} | {:.0} | {raw:.0} | {:.2} |",
            whole.wall,
            whole.rate,
            whole.rate / raw
        );
    }
    let whole = bench.sign(many, &["--sessions", "auto"], &slow)?;
    let _infallible = writeln!(text, "| auto | {:.2} | {:.0} | | |", whole.wall, whole.rate);
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
