//! `signet zone stats`: a zone file in numbers. The counting is the library's; here is what a person types and reads.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use indicatif::{DecimalBytes, HumanCount};
use signet_pipeline::{Error, StatsConfig, ZoneStats, zone_stats};

use crate::cli::input_flags::InputFlags;
use crate::cli::origin::origin_of;
use crate::cli::table::table;
use crate::cli::{Outcome, sign, streams};

/// Count a zone file: records by type, sizes, names, delegations, signatures
#[derive(Args, Debug)]
pub(in crate::cli) struct StatsFlags {
    /// The zone file; `-` is standard input
    #[arg(value_name = "ZONEFILE")]
    zone_file: PathBuf,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// How many faults of the file are shown; 0: all
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    input: InputFlags,
}

/// Counts and prints.
///
/// # Errors
/// [`Error::Zone`] for a file that cannot be read.
pub(super) fn run(flags: &StatsFlags) -> Result<Outcome, Error> {
    let mut load = flags
        .input
        .resolve()?
        .load_options(origin_of(flags.origin.as_deref(), &flags.zone_file)?);
    load.max_faults = flags.max_errors;
    let stats = zone_stats(&StatsConfig {
        zone_file: flags.zone_file.clone(),
        load,
        threads: sign::threads(flags.threads),
    })?;
    if flags.json {
        streams::print_json(&stats)?;
    } else {
        streams::print(&text(&stats))?;
    }
    Ok(Outcome::Done)
}

fn text(stats: &ZoneStats) -> String {
    let count = |number: u64| HumanCount(number).to_string();
    let serial = stats
        .serial
        .map(|serial| format!(", serial {serial}"))
        .unwrap_or_default();
    let mut text = format!("{}{serial}\n", stats.origin);
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:22}{value}");
    };
    line(
        "size",
        format!(
            "{} of text, {} in wire form",
            DecimalBytes(stats.text_bytes),
            DecimalBytes(stats.wire_bytes)
        ),
    );
    line(
        "records",
        format!("{} in {} sets", count(stats.records), count(stats.sets)),
    );
    line(
        "names",
        format!(
            "{} with records ({} wildcards, {} below cuts), {} empty non-terminals, {} hashed",
            count(stats.names),
            count(stats.wildcards),
            count(stats.names_below_cuts),
            count(stats.empty_non_terminals),
            count(stats.hashed_names)
        ),
    );
    line(
        "delegations",
        format!(
            "{}: {} secure, {} insecure; {} DNAME",
            count(stats.delegations.total),
            count(stats.delegations.secure),
            count(stats.delegations.insecure),
            count(stats.dnames)
        ),
    );
    line(
        "signed",
        format!(
            "{} of {} sets, {:.1} %",
            count(stats.signed.signed),
            count(stats.signed.sets),
            100.0 * stats.signed.share
        ),
    );
    if let Some(ttl) = stats.ttl {
        line("TTL", format!("{} to {} seconds", ttl.min, ttl.max));
    }
    let depth: Vec<String> = stats
        .depth
        .iter()
        .map(|depth| format!("{}: {}", depth.labels, count(depth.names)))
        .collect();
    line("labels below the apex", depth.join(", "));
    let rows: Vec<_> = stats
        .types
        .iter()
        .map(|of_type| {
            [
                of_type.rtype.clone(),
                count(of_type.records),
                count(of_type.sets),
                count(of_type.wire_bytes),
                format!("{}-{}", of_type.ttl.min, of_type.ttl.max),
            ]
        })
        .collect();
    text.push('\n');
    text.push_str(&table(["TYPE", "RECORDS", "SETS", "BYTES", "TTL"], &rows));
    text
}
