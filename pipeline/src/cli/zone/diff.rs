//! `signet zone diff`: two zone files compared set by set. The comparison is the library's; here is what a person types, and
//! the two ways in which changes are written.

use std::cell::Cell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use dnssec_sign::{Class, RecordType};
use serde::Serialize;
use signet_pipeline::{DiffConfig, DiffReport, Error, Ignored, SetChange, diff_zones};
use zone_io::{Mnemonics, write_rdata, write_record};

use crate::cli::input_flags::InputFlags;
use crate::cli::origin::origin_of;
use crate::cli::streams::{say, stdout_error};
use crate::cli::{Outcome, sign};

/// Compare two zone files, set by set
#[derive(Args, Debug)]
#[command(
    long_about = "Compares two zone files set by set, whatever their order and way of writing. '-' stands before records that only \
                  the old zone has, '+' before those that only the new one has, '~' before sets with another TTL.",
    after_help = "Exit codes:\n  0  the zones are equal\n  1  they differ\n  2  wrong usage, or a file is no zone\n  \
                  4  reading a file failed"
)]
pub(in crate::cli) struct DiffFlags {
    /// The old zone file; `-` is standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The new zone file
    #[arg(value_name = "NEW")]
    new: PathBuf,

    /// The zone's origin; the old file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// What is no difference: types such as rrsig,nsec,nsec3; 'dnssec' for all that signing makes; 'ttl'; 'soa-serial'
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    ignore: Vec<Ignore>,

    /// Print the changes as JSON
    #[arg(long)]
    json: bool,

    /// Print nothing: the exit code says it
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// How many faults of a file are shown; 0: all
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    input: InputFlags,
}

/// One word of `--ignore`.
#[derive(Debug, Clone, Copy)]
enum Ignore {
    Type(RecordType),
    Dnssec,
    Ttl,
    SoaSerial,
}

impl FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "dnssec" => Ok(Self::Dnssec),
            "ttl" => Ok(Self::Ttl),
            "soa-serial" => Ok(Self::SoaSerial),
            _ => text
                .parse()
                .map(Self::Type)
                .map_err(|_| "write a type such as rrsig or TYPE65280, 'dnssec', 'ttl' or 'soa-serial'".to_owned()),
        }
    }
}

fn ignored(words: &[Ignore]) -> Ignored {
    let mut ignored = Ignored::default();
    for word in words {
        match word {
            Ignore::Type(rtype) => {
                ignored.types.insert(*rtype);
            }
            Ignore::Dnssec => ignored.types.extend([
                RecordType::RRSIG,
                RecordType::NSEC,
                RecordType::NSEC3,
                RecordType::NSEC3PARAM,
                RecordType::DNSKEY,
                RecordType::CDS,
                RecordType::CDNSKEY,
                RecordType::ZONEMD,
            ]),
            Ignore::Ttl => ignored.ttl = true,
            Ignore::SoaSerial => ignored.soa_serial = true,
        }
    }
    ignored
}

/// Compares and prints. A file that is no zone gives exit code 2, because 1 says that the zones differ.
///
/// # Errors
/// [`Error`] with another exit code than 1.
pub(super) fn run(flags: &DiffFlags) -> Result<Outcome, Error> {
    match compare(flags) {
        Ok(report) if report.is_equal() => Ok(Outcome::Done),
        Ok(_) => Ok(Outcome::Failed(1)),
        Err(error) if error.exit_code() == 1 => {
            say(&format!("error: {error}"));
            Ok(Outcome::Failed(2))
        }
        Err(error) => Err(error),
    }
}

fn compare(flags: &DiffFlags) -> Result<DiffReport, Error> {
    let standard_input = Path::new("-");
    if flags.old == standard_input && flags.new == standard_input {
        return Err(Error::Usage(
            "only one of the two zones can come from standard input".to_owned(),
        ));
    }
    let named = if flags.old == standard_input {
        &flags.new
    } else {
        &flags.old
    };
    let mut load = flags
        .input
        .resolve()?
        .load_options(origin_of(flags.origin.as_deref(), named)?);
    load.max_faults = flags.max_errors;
    // Both zones are in memory.
    load.memory /= 2;
    let config = DiffConfig {
        old: flags.old.clone(),
        new: flags.new.clone(),
        load,
        threads: sign::threads(flags.threads),
        ignored: ignored(&flags.ignore),
    };
    let mut out = std::io::stdout().lock();
    let names = [&flags.old, &flags.new].map(|path| path.display().to_string());
    let report = if flags.quiet {
        diff_zones(&config, &|_, _| {}, &mut |_| Ok(()))?
    } else if flags.json {
        write_json(&config, &names, &mut out)?
    } else {
        write_text(&config, &names, &mut out)?
    };
    out.flush().map_err(stdout_error)?;
    Ok(report)
}

type Out<'o> = std::io::StdoutLock<'o>;

fn write_text(config: &DiffConfig, [old, new]: &[String; 2], out: &mut Out<'_>) -> Result<DiffReport, Error> {
    let mut head = Some(format!("--- {old}\n+++ {new}\n"));
    let report = diff_zones(config, &text_of, &mut |text| {
        let head = head.take().unwrap_or_default();
        out.write_all(head.as_bytes())
            .and_then(|()| out.write_all(text))
            .map_err(stdout_error)
    })?;
    if !report.is_equal() {
        say(&format!(
            "{} sets added, {} removed, {} changed ({} in their TTL); {} records added, {} removed",
            report.sets_added,
            report.sets_removed,
            report.sets_changed,
            report.ttls_changed,
            report.records_added,
            report.records_removed
        ));
    }
    Ok(report)
}

/// Lines of one change.
fn text_of(change: &SetChange<'_>, text: &mut Vec<u8>) {
    let mut lines = |sign: &[u8], ttl: Option<u32>, records: &[&[u8]]| {
        for rdata in records {
            text.extend_from_slice(sign);
            write_record(
                change.owner,
                ttl.unwrap_or_default(),
                Class::IN,
                change.rtype,
                rdata,
                text,
            );
        }
    };
    lines(b"- ", change.old_ttl, &change.removed);
    lines(b"+ ", change.new_ttl, &change.added);
    if let (Some(old), Some(new)) = (change.old_ttl, change.new_ttl)
        && old != new
        && change.kept > 0
    {
        let rtype = match change.covered {
            Some(covered) => format!("RRSIG {covered}"),
            None => change.rtype.to_string(),
        };
        let line = format!(
            "~ {}\t{old} -> {new}\tIN\t{rtype}\t; TTL of {} records\n",
            change.owner, change.kept
        );
        text.extend_from_slice(line.as_bytes());
    }
}

#[derive(Serialize)]
struct JsonChange {
    owner: String,
    #[serde(rename = "type")]
    rtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    covered: Option<String>,
    change: &'static str,
    old_ttl: Option<u32>,
    new_ttl: Option<u32>,
    removed: Vec<String>,
    added: Vec<String>,
}

impl From<&SetChange<'_>> for JsonChange {
    fn from(change: &SetChange<'_>) -> Self {
        let texts = |records: &[&[u8]]| {
            let text = |rdata: &&[u8]| {
                let mut out = Vec::new();
                write_rdata(change.rtype, rdata, Mnemonics::All, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            };
            records.iter().map(text).collect()
        };
        Self {
            owner: change.owner.to_string(),
            rtype: change.rtype.to_string(),
            covered: change.covered.map(|covered| covered.to_string()),
            change: match (change.old_ttl, change.new_ttl) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            old_ttl: change.old_ttl,
            new_ttl: change.new_ttl,
            removed: texts(&change.removed),
            added: texts(&change.added),
        }
    }
}

#[derive(Serialize)]
struct JsonEnd {
    equal: bool,
    #[serde(flatten)]
    report: DiffReport,
}

/// One object whose changes are written as they are found.
fn write_json(config: &DiffConfig, [old, new]: &[String; 2], out: &mut Out<'_>) -> Result<DiffReport, Error> {
    let render = |change: &SetChange<'_>, text: &mut Vec<u8>| {
        text.extend_from_slice(b",\n    ");
        // Strings and numbers have JSON.
        let _ = serde_json::to_writer(&mut *text, &JsonChange::from(change));
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let head = format!(
        "{{\n  \"old\": {},\n  \"new\": {},\n  \"changes\": [",
        quoted(old),
        quoted(new)
    );
    out.write_all(head.as_bytes()).map_err(stdout_error)?;
    let first = Cell::new(true);
    let report = diff_zones(config, &render, &mut |text| {
        // The first change has no comma in front.
        let text = if first.replace(false) { &text[1..] } else { text };
        out.write_all(text).map_err(stdout_error)
    })?;
    let end = serde_json::to_string(&JsonEnd {
        equal: report.is_equal(),
        report,
    })
    .unwrap_or_default();
    let end = end.trim_start_matches('{');
    out.write_all(format!("\n  ],\n  {end}\n").as_bytes())
        .map_err(stdout_error)?;
    Ok(report)
}
