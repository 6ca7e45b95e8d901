//! `cargo xtask fuzz`: the targets of `tests/fuzz` with libFuzzer's engine, guided by coverage on the stable toolchain.
//!
//! The compiler's own pass puts the counters in; std and the engine are left as they are. Inputs that reach new code are kept in
//! `target/fuzz/corpus`, findings in `target/fuzz/findings`; the committed seeds and past findings are read first. What the targets
//! check stands in `tests/fuzz/src`.

mod coverage;
mod seeds;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use fs_err as fs;

use crate::{layout, process};

/// Seconds for each target unless told otherwise.
const SECONDS: u64 = 60;
/// An input that takes longer is a finding.
const LONGEST_SECONDS: u32 = 10;
/// More memory in use is a finding, in MiB: the engine's own included.
const MOST_MEBIBYTES: u32 = 1024;

/// Counters, as libFuzzer reads them. Comparisons are not traced: those of bounds alone would take a quarter of the time, and
/// the words that matter are in the dictionary.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";

/// What to fuzz, and for how long.
#[derive(Args)]
pub(crate) struct Plan {
    /// Only these targets
    targets: Vec<Target>,
    /// Seconds for each target [default: 60, or no limit with --executions]
    #[arg(long)]
    seconds: Option<u64>,
    /// Executions of each target at most
    #[arg(long)]
    executions: Option<u64>,
    /// Run this input once and do not look for others
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "executions", "coverage"])]
    replay: Option<PathBuf>,
    /// Do not look for inputs, but report which lines of the parser the seeds and the kept inputs reach
    #[arg(long, conflicts_with_all = ["seconds", "executions"])]
    coverage: bool,
}

/// A binary of `tests/fuzz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    /// The scanner against its specification
    Scan,
    /// Text, records, text
    RoundTrip,
    /// Wire form, text, wire form, of each type
    Types,
    /// A file whole and in chunks
    AnyBytes,
    /// Key files
    KeyFiles,
    /// The verifier on any records
    Verify,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::RoundTrip => "round_trip",
            Self::Types => "types",
            Self::AnyBytes => "any_bytes",
            Self::KeyFiles => "key_files",
            Self::Verify => "verify",
        }
    }
}

impl Target {
    /// The longest input: short ones run faster.
    fn most_bytes(self) -> u32 {
        match self {
            Self::Verify => 64,
            Self::AnyBytes => 128,
            Self::Scan | Self::Types => 512,
            Self::RoundTrip | Self::KeyFiles => 1024,
        }
    }
}

/// The folders of one target.
struct Folders {
    corpus: PathBuf,
    seeds: PathBuf,
    findings: PathBuf,
    log: PathBuf,
    regressions: PathBuf,
}

impl Folders {
    /// Makes them, and unpacks the seeds.
    fn prepare(target: Target) -> Result<Self> {
        let (name, base) = (target.name(), layout::target().join("fuzz"));
        let folders = Self {
            corpus: base.join("corpus").join(name),
            seeds: base.join("seeds").join(name),
            findings: base.join("findings").join(name),
            log: base.join(format!("{name}.log")),
            regressions: project().join("regressions").join(name),
        };
        for folder in [&folders.corpus, &folders.findings] {
            fs::create_dir_all(folder)?;
        }
        seeds::unpack(&project().join("seeds").join(format!("{name}.txt")), &folders.seeds)?;
        Ok(folders)
    }

    /// Where inputs lie.
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.corpus, &self.seeds, &self.regressions].into_iter();
        all.map(PathBuf::as_path).filter(|folder| folder.is_dir())
    }
}

fn project() -> PathBuf {
    layout::root().join("tests/fuzz")
}

/// Fuzzes each target in turn.
///
/// # Errors
/// When there is a finding; the other targets were fuzzed all the same.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let targets = match &plan.targets[..] {
        [] => Target::value_variants(),
        chosen => chosen,
    };
    if plan.coverage {
        return coverage::report(targets);
    }
    let folder = build("build", INSTRUMENTATION)?;
    if let Some(input) = &plan.replay {
        let [target] = targets else {
            bail!("name the one target that the input is for");
        };
        return process::run(Command::new(folder.join(target.name())).arg(input));
    }
    let seconds = match plan.executions {
        None => Some(plan.seconds.unwrap_or(SECONDS)),
        Some(_) => plan.seconds,
    };
    let mut found = Vec::new();
    for target in targets {
        if !fuzz(*target, &folder, seconds, plan.executions)? {
            found.push(target.name());
        }
    }
    if !found.is_empty() {
        bail!("findings in {}", found.join(", "));
    }
    Ok(())
}

/// Builds all targets with these compiler flags and returns the binaries' folder.
fn build(name: &str, flags: &str) -> Result<PathBuf> {
    let host = host()?;
    let target = layout::target().join("fuzz").join(name);
    // With a target named, the flags are for the targets alone and not for build scripts.
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--quiet", "--target", &host]);
    cargo.arg("--manifest-path").arg(project().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&target).env("RUSTFLAGS", flags);
    process::run(&mut cargo)?;
    Ok(target.join(host).join("release"))
}

/// The triple of this machine.
fn host() -> Result<String> {
    let version = process::capture(Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Fuzzes one target; false when there is a finding.
fn fuzz(target: Target, programs: &Path, seconds: Option<u64>, executions: Option<u64>) -> Result<bool> {
    let name = target.name();
    let folders = Folders::prepare(target)?;
    let mut command = Command::new(programs.join(name));
    command.args(folders.inputs());
    command.arg(format!("-max_len={}", target.most_bytes()));
    command.arg(format!("-timeout={LONGEST_SECONDS}"));
    command.arg(format!("-rss_limit_mb={MOST_MEBIBYTES}"));
    command.arg(format!("-dict={}", project().join("zone.dict").display()));
    command.arg(format!("-artifact_prefix={}/", folders.findings.display()));
    command.args(["-print_final_stats=1", "-reload=0"]);
    if let Some(seconds) = seconds {
        command.arg(format!("-max_total_time={seconds}"));
    }
    if let Some(executions) = executions {
        command.arg(format!("-runs={executions}"));
    }
    eprintln!("$ {}", process::line(&command));
    let log = fs::File::create(&folders.log)?.into_file();
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    let log = String::from_utf8_lossy(&fs::read(&folders.log)?).into_owned();
    eprintln!("fuzz: {name}: {}", Tally::of(&log));
    if status.success() {
        return Ok(true);
    }
    let reproducer = log.lines().find_map(|line| line.split_once("Test unit written to "));
    match reproducer {
        Some((_, path)) => eprintln!("fuzz: {name}: finding {path}\n  cargo xtask fuzz {name} --replay {path}"),
        None => eprintln!("fuzz: {name}: {status}"),
    }
    eprintln!("fuzz: {name}: the whole log is {}", folders.log.display());
    Ok(false)
}

/// What a log says at its end.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    executions: u64,
    a_second: u64,
    /// Places in the code that were reached.
    places: u64,
    inputs: u64,
}

impl Tally {
    fn of(log: &str) -> Self {
        let last = |mark: &str| {
            let (_, rest) = log.rsplit_once(mark)?;
            let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        Self {
            executions: last("stat::number_of_executed_units:").unwrap_or_default(),
            a_second: last("stat::average_exec_per_sec:").unwrap_or_default(),
            places: last(" cov: ").unwrap_or_default(),
            inputs: last(" corp: ").unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            executions,
            a_second,
            places,
            inputs,
        } = self;
        write!(
            f,
            "{executions} executions, {a_second}/s, {places} places reached, {inputs} inputs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_summed_up() {
        let log = "#2\tINITED cov: 10 ft: 11 corp: 1/1b exec/s: 0\n#9\tDONE   cov: 31 ft: 39 corp: 12/64b lim: 4\n\
            stat::number_of_executed_units: 900\nstat::average_exec_per_sec:     450\n";
        let tally = Tally {
            executions: 900,
            a_second: 450,
            places: 31,
            inputs: 12,
        };
        assert_eq!(Tally::of(log), tally);
        assert_eq!(Tally::of("").executions, 0);
    }
}
