//! `cargo xtask bench`: signet against the signers in use, on the same zones with the same keys, in one run.
//!
//! Signers take turns, round by round, so that a machine that slows down slows all of them; medians are compared. Absolute times mean
//! little elsewhere, ratios hold. The table goes to stdout and into `target/bench`.

mod bare;
mod measure;
mod pool;
mod signers;
mod table;
mod zone_keys;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fs_err as fs;

use crate::fixtures::{self, Fixture, Kind};
use crate::softhsm::{self, Origin, Pair, Token};
use crate::{demo, layout, process, setup};
use measure::{Measurement, measure};
use signers::{Job, Signer};
use zone_keys::ZoneKeys;

/// What to measure.
#[derive(Args)]
pub(crate) struct Plan {
    /// Small zones, one round: shows that everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// The zones of the project's goals: 500,000 hosts, a million delegations, 10,000 hosts with RSA; takes most of an hour
    #[arg(long, conflicts_with = "quick")]
    large: bool,
    /// Rounds per table [default: 3, or 5 with --large, or 1 with --quick]
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these signers
    #[arg(long, value_delimiter = ',', default_values = ["signet", "bind", "ldns", "knot"])]
    signers: Vec<Signer>,
    /// Only these tables
    #[arg(long, value_delimiter = ',')]
    tables: Vec<Table>,
    /// Instead: the stages of the zone parser with criterion, and crate `domain`'s parser, on a zone of a million delegations
    #[arg(long, conflicts_with_all = ["rounds", "signers", "tables", "large"])]
    parser: bool,
    /// Instead: the stages between runs and text with criterion, on the same zone: merge, plan, denial, signatures, print
    #[arg(long, conflicts_with_all = ["rounds", "signers", "tables", "large", "parser"])]
    stages: bool,
}

/// A table of the report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Hosts, NSEC, keys on disk
    LeafNsec,
    /// Delegations, NSEC, keys on disk
    TldNsec,
    /// Delegations, NSEC3 with opt-out, keys on disk
    TldOptOut,
    /// Hosts, NSEC, keys on disk, and the result verified before it is kept
    LeafVerified,
    /// Hosts, NSEC, RSA keys on disk
    LeafRsa,
    /// Hosts, NSEC, keys on SoftHSM
    LeafToken,
    /// Hosts, NSEC, keys on disk, against a bare loop of signatures on both cores
    BareRate,
    /// Hosts, NSEC, keys on SoftHSM, against the raw rate of C_Sign
    TokenRate,
    /// Sessions on a token that takes 2 ms a signature
    Sessions,
}

/// How a table's zone denies names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Denial {
    Nsec,
    Nsec3OptOut,
}

/// Whether the signer checks what it made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    None,
    Full,
}

/// Where the keys of a table lie.
enum Keys {
    Disk(ZoneKeys),
    Token(Token, Pair),
    /// The table says where its keys are itself.
    None,
}

impl Table {
    fn title(self) -> &'static str {
        match self {
            Self::LeafNsec => "hosts, NSEC, keys on disk",
            Self::TldNsec => "delegations, NSEC, keys on disk",
            Self::TldOptOut => "delegations, NSEC3 with opt-out, keys on disk",
            Self::LeafVerified => "hosts, NSEC, keys on disk, verified before it is kept",
            Self::LeafRsa => "hosts, NSEC, RSASHA256 keys of 2048 bits on disk",
            Self::LeafToken => "hosts, NSEC, keys on SoftHSM",
            Self::BareRate => "end to end against a bare loop of signatures",
            Self::TokenRate => "end to end against raw C_Sign",
            Self::Sessions => "sessions on a token that takes 2 ms a signature",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::TldNsec | Self::TldOptOut => Kind::Tld,
            Self::LeafNsec
            | Self::LeafVerified
            | Self::LeafRsa
            | Self::LeafToken
            | Self::BareRate
            | Self::TokenRate
            | Self::Sessions => Kind::Leaf,
        }
    }

    fn denial(self) -> Denial {
        if self == Self::TldOptOut {
            Denial::Nsec3OptOut
        } else {
            Denial::Nsec
        }
    }

    fn check(self) -> Check {
        if self == Self::LeafVerified {
            Check::Full
        } else {
            Check::None
        }
    }

    fn algorithm(self) -> &'static str {
        if self == Self::LeafRsa {
            "RSASHA256"
        } else {
            "ECDSAP256SHA256"
        }
    }

    fn count(self, plan: &Plan) -> u32 {
        match self {
            Self::LeafRsa if plan.quick => 500,
            Self::LeafRsa => 10_000,
            Self::LeafToken | Self::LeafVerified if plan.quick => 5_000,
            _ if plan.quick => 20_000,
            Self::LeafNsec | Self::BareRate if plan.large => 500_000,
            Self::TldNsec | Self::TldOptOut if plan.large => 1_000_000,
            _ => 100_000,
        }
    }

    /// Who can do this table's work, and why the others cannot.
    fn able(self) -> (&'static [Signer], &'static str) {
        match self {
            Self::LeafNsec | Self::TldNsec => (&[Signer::Signet, Signer::Bind, Signer::Ldns, Signer::Knot], ""),
            Self::TldOptOut => (
                &[Signer::Signet, Signer::Bind, Signer::Knot],
                "ldns-signzone sets the opt-out bit but leaves no name out of its chain: not the same work.",
            ),
            Self::LeafVerified => (
                &[Signer::Signet, Signer::Bind],
                "ldns-signzone and kzonesign do not verify.",
            ),
            Self::BareRate | Self::TokenRate | Self::Sessions => (&[], "signet alone"),
            Self::LeafRsa => (&[Signer::Signet, Signer::Bind, Signer::Ldns, Signer::Knot], ""),
            Self::LeafToken => (
                &[Signer::Signet, Signer::Ldns, Signer::Knot],
                "Debian's dnssec-signzone has no way to a token.",
            ),
        }
    }
}

/// Measures every table of the plan.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    if plan.parser {
        return criterion("zone_text", plan.quick);
    }
    if plan.stages {
        return criterion("stages", plan.quick);
    }
    setup::run()?;
    let signet = if plan.signers.contains(&Signer::Signet) {
        demo::build()?
    } else {
        layout::signet()
    };
    let folder = layout::target().join("bench");
    fs::create_dir_all(&folder)?;
    let mut report = table::heading(plan.quick);
    for table in Table::value_variants() {
        if !plan.tables.is_empty() && !plan.tables.contains(table) {
            continue;
        }
        report.push_str(&one_table(*table, plan, &folder, &signet)?);
    }
    let path = folder.join("report.md");
    fs::write(&path, &report)?;
    println!("{report}");
    eprintln!("bench: written to {}", path.display());
    Ok(())
}

/// A benchmark of stages, each over one file, in `tests/bench`.
fn criterion(bench: &str, quick: bool) -> Result<()> {
    let kind = Kind::Tld;
    let zone = fixtures::make(&Fixture::new(kind, if quick { 20_000 } else { 1_000_000 }))?;
    let mut cargo = stages(&["bench", "--bench", bench]);
    cargo
        .env("SIGNET_BENCH_ZONE", zone)
        .env("SIGNET_BENCH_ORIGIN", kind.origin());
    process::run(&mut cargo)
}

/// Cargo on the package of the benchmarks by stage, which is a workspace of its own.
fn stages(arguments: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo.args(arguments).arg("--manifest-path");
    cargo.arg(layout::root().join("tests/bench/Cargo.toml"));
    cargo.arg("--target-dir").arg(layout::target().join("bench/build"));
    cargo
}

fn one_table(table: Table, plan: &Plan, folder: &std::path::Path, signet: &std::path::Path) -> Result<String> {
    let usual = match (plan.quick, plan.large) {
        (true, _) => 1,
        (_, true) => 5,
        _ => 3,
    };
    let rounds = plan.rounds.unwrap_or(usual);
    match table {
        Table::BareRate => return bare::rate(signet, folder, table.count(plan), rounds),
        Table::TokenRate => return pool::raw_rate(signet, folder, plan.quick, rounds),
        Table::Sessions => return pool::sessions(signet, folder, plan.quick),
        _ => {}
    }
    let kind = table.kind();
    let count = table.count(plan);
    let zone = fixtures::make(&Fixture::new(kind, count))?;
    let keys = if table == Table::LeafToken {
        let token = softhsm::ready(&Origin::default())?;
        let pair = softhsm::pair(&token, signet, "bench", kind.origin())?;
        Keys::Token(token, pair)
    } else {
        Keys::Disk(zone_keys::on_disk(
            &folder.join("keys"),
            kind.origin(),
            table.algorithm(),
        )?)
    };
    let job = Job {
        signet: signet.to_path_buf(),
        zone,
        origin: kind.origin(),
        denial: table.denial(),
        check: table.check(),
        keys,
        folder: folder.join("work"),
    };
    let (able, why) = table.able();
    let signers: Vec<Signer> = able.iter().copied().filter(|s| plan.signers.contains(s)).collect();
    let mut measured: Vec<(Signer, Vec<Measurement>)> = signers.iter().map(|s| (*s, Vec::new())).collect();
    for _ in 0..rounds {
        for (signer, results) in &mut measured {
            results.push(one_run(*signer, &job)?);
        }
        // Whoever was first is last in the next round.
        measured.reverse();
    }
    measured.sort_by_key(|(signer, _)| signers.iter().position(|other| other == signer));
    Ok(table::render(table.title(), count, why, &measured))
}

/// One signer, once, into an empty folder.
fn one_run(signer: Signer, job: &Job) -> Result<Measurement> {
    if job.folder.exists() {
        fs::remove_dir_all(&job.folder)?;
    }
    fs::create_dir_all(&job.folder)?;
    let (command, output): (Command, PathBuf) = signer.prepare(job)?;
    let result = measure(&command, &output, &job.folder)
        .with_context(|| format!("{} did not sign {}", signer.title(), job.zone.display()))?;
    fs::remove_dir_all(&job.folder)?;
    eprintln!("bench: {} took {:.2} s", process::line(&command), result.wall);
    Ok(result)
}
