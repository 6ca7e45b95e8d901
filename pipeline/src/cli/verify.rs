//! `signet verify`: reads a signed zone and says what is wrong with it. The rules are `dnssec-sign`'s, the run is
//! the library's; here is what a person types and reads.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use signet_pipeline::{Error, VerifyConfig, VerifyReport};

use super::input_flags::InputFlags;
use super::origin::origin_of;
use super::role_flags::RoleFlags;
use super::{Outcome, monitor, report_text, streams, time_flags};
use crate::progress::{Loudness, Progress, Style};
use crate::watchdog;

/// Verify a signed zone file: chains, bitmaps, completeness, every signature
#[derive(Args, Debug)]
#[command(after_help = "\
With --monitor the exit codes are those of monitoring plug-ins: 0 good, 1 a signature expires within --warn-days,
2 within --critical-days or the zone does not verify, 3 it could not be looked at.")]
pub(super) struct VerifyFlags {
    /// The signed zone file; `-` is standard input, and gzip or zstd data is decompressed
    #[arg(value_name = "ZONEFILE")]
    zone_file: PathBuf,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// The moment at which the signatures have to be valid; now is the default
    #[arg(long, value_name = "TIME")]
    now: Option<String>,

    /// A file with the parent's DS records (a dsset file): they have to lead to keys of the zone
    #[arg(long, value_name = "FILE")]
    ds: Option<PathBuf>,

    /// Warn when a signature expires in fewer days
    #[arg(long, value_name = "N")]
    warn_days: Option<u32>,

    /// Fail when a signature expires in fewer days
    #[arg(long, value_name = "N")]
    critical_days: Option<u32>,

    /// Print one line for a monitoring system and exit with 0, 1, 2 or 3; 7 and 3 days unless given
    #[arg(long, conflicts_with = "json")]
    monitor: bool,

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    /// How many findings are shown; 0: all
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Print findings and counts as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    roles: RoleFlags,

    #[command(flatten)]
    input: InputFlags,
}

/// Verifies, prints findings and counts; a zone that fails gives exit code 5.
///
/// # Errors
/// [`Error`] when the zone cannot be read.
pub(super) fn run(flags: &VerifyFlags) -> Result<Outcome, Error> {
    if flags.monitor {
        return monitor::tell(&flags.zone_file, judge(flags));
    }
    let report = judge(flags)?;
    if flags.json {
        streams::print_json(&report)?;
    } else {
        streams::print(&report_text::verify_report(&report))?;
    }
    Ok(if report.passed() {
        Outcome::Done
    } else {
        Outcome::Failed(5)
    })
}

fn judge(flags: &VerifyFlags) -> Result<VerifyReport, Error> {
    let config = resolve(flags)?;
    let loudness = if flags.quiet || flags.monitor {
        Loudness::Quiet
    } else {
        Loudness::Normal
    };
    let progress = Arc::new(Progress::new(loudness, Style::Human));
    let told = Arc::clone(&progress);
    watchdog::tell_of(move || told.state());
    let result = signet_pipeline::verify(&config, &*progress);
    progress.finish();
    result
}

fn resolve(flags: &VerifyFlags) -> Result<VerifyConfig, Error> {
    let clock = time_flags::now()?;
    let now = match &flags.now {
        Some(text) => time_flags::moment("--now", text, clock, clock)?,
        None => clock,
    };
    let default = |days| flags.monitor.then_some(days);
    let (warn_days, critical_days) = (flags.warn_days.or(default(7)), flags.critical_days.or(default(3)));
    if flags.warn_days.is_some() && flags.critical_days.is_some() && warn_days < critical_days {
        return Err(Error::Usage(
            "--warn-days is below --critical-days: the warning would never be given".into(),
        ));
    }
    Ok(VerifyConfig {
        zone_file: flags.zone_file.clone(),
        input: flags.input.resolve()?,
        origin: origin_of(flags.origin.as_deref(), &flags.zone_file)?,
        now: now.into(),
        ds_file: flags.ds.clone(),
        warn_days,
        critical_days,
        threads: super::sign::threads(flags.threads),
        ignore_ksk: flags.roles.ignore_ksk_flag,
        ksk_only: flags.roles.ksk_only,
        max_errors: flags.max_errors,
    })
}
