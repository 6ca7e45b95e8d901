//! `signet zone check`: a zone file judged by the rules of a zone. The rules are the libraries'; here is what a person types
//! and reads.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use indicatif::HumanCount;
use serde::Serialize;
use signet_pipeline::{CheckConfig, CheckFinding, CheckReport, Error, check_rules, check_zone};

use crate::cli::input_flags::InputFlags;
use crate::cli::origin::origin_of;
use crate::cli::{Outcome, sign, streams};

/// Check a zone file: syntax, apex, aliases, delegations and glue, targets, SVCB, NSEC3
#[derive(Args, Debug)]
#[command(
    long_about = "Checks a zone file by the rules of a zone: syntax, SOA and NS at the apex, CNAME and DNAME, delegations and their \
                  glue, DS, targets with addresses, duplicates, TTLs, SVCB and HTTPS, NSEC3. Signatures and chains are what \
                  'signet verify' checks.",
    after_help = "Exit codes:\n  0  no errors (with --strict: no warnings either)\n  1  errors\n  2  wrong usage\n  4  reading the file failed"
)]
pub(in crate::cli) struct CheckFlags {
    /// The zone file; `-` is standard input
    #[arg(value_name = "ZONEFILE", required_unless_present = "list_rules")]
    zone_file: Option<PathBuf>,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// Rules to leave out, by name
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,

    /// List the rules by name
    #[arg(long)]
    list_rules: bool,

    /// Let warnings count as errors
    #[arg(long)]
    strict: bool,

    /// How many findings are shown; 0: all
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Print findings and counts as JSON
    #[arg(long)]
    json: bool,

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    input: InputFlags,
}

/// Checks and prints what was found.
///
/// # Errors
/// [`Error::Usage`] for a rule that there is not, [`Error::Zone`] for a file that cannot be read.
pub(super) fn run(flags: &CheckFlags) -> Result<Outcome, Error> {
    let rules = check_rules();
    let Some(zone_file) = flags.zone_file.as_ref().filter(|_| !flags.list_rules) else {
        let lines: String = rules.iter().map(|(name, asks)| format!("{name:22} {asks}\n")).collect();
        streams::print(&lines)?;
        return Ok(Outcome::Done);
    };
    for name in &flags.ignore {
        if !rules.iter().any(|(rule, _)| rule == name) {
            return Err(Error::Usage(format!(
                "--ignore {name}: no rule has that name; --list-rules shows them all"
            )));
        }
        if name == "syntax" || name == "name-length" {
            return Err(Error::Usage(format!(
                "--ignore {name}: a record that cannot be read cannot be left unsaid"
            )));
        }
    }
    let mut load = flags
        .input
        .resolve()?
        .load_options(origin_of(flags.origin.as_deref(), zone_file)?);
    load.max_faults = flags.max_errors;
    let report = check_zone(&CheckConfig {
        zone_file: zone_file.clone(),
        load,
        threads: sign::threads(flags.threads),
        ignore: flags.ignore.iter().cloned().collect(),
    })?;
    let passed = report.passed(flags.strict);
    if flags.json {
        streams::print_json(&Json {
            passed,
            left_out: report.left_out(),
            report: &report,
        })?;
    } else {
        streams::print(&text(&report))?;
    }
    Ok(if passed { Outcome::Done } else { Outcome::Failed(1) })
}

#[derive(Serialize)]
struct Json<'r> {
    /// Whether the exit code is 0.
    passed: bool,
    /// Findings beyond `--max-errors`.
    left_out: u64,
    #[serde(flatten)]
    report: &'r CheckReport,
}

fn text(report: &CheckReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        write_finding(finding, &mut text);
    }
    if report.left_out() > 0 {
        let _ = writeln!(
            text,
            "{} more are not shown: --max-errors",
            HumanCount(report.left_out())
        );
    }
    let _ = write!(
        text,
        "{}: {} records, {} errors, {} warnings",
        report.origin,
        HumanCount(report.records),
        HumanCount(report.errors),
        HumanCount(report.warnings),
    );
    text.push_str(if report.syntax_only {
        "; other rules wait until the text can be read\n"
    } else {
        "\n"
    });
    text
}

fn write_finding(finding: &CheckFinding, text: &mut String) {
    if let Some(excerpt) = &finding.excerpt {
        let (headline, lines) = excerpt.split_at(excerpt.find('\n').unwrap_or(excerpt.len()));
        text.push_str(headline);
        if let Some(target) = &finding.target {
            let _ = write!(text, ": {target}");
        }
        let _ = writeln!(text, "{lines}\n    [{}] {}", finding.rule, finding.advice);
        return;
    }
    let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
    let _ = write!(text, "{}{line}: {}: ", finding.file, finding.severity);
    if let Some(owner) = &finding.owner {
        let _ = write!(text, "{owner}: ");
    }
    text.push_str(&finding.message);
    if let Some(target) = &finding.target {
        let _ = write!(text, ": {target}");
    }
    let _ = writeln!(text, "\n    [{}] {}", finding.rule, finding.advice);
}
