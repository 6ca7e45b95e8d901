//! `signet verify`: reads a signed zone and says what is wrong with it. The rules are `dnssec-sign`'s, the run is
//! the library's; here is what a person types and reads.

use std::path::PathBuf;

use clap::Args;
use signet_pipeline::{Error, VerifyConfig};

use super::input_flags::InputFlags;
use super::origin::origin_of;
use super::role_flags::RoleFlags;
use super::{Outcome, report_text, streams, time_flags};
use crate::progress::{Loudness, Progress};

/// Verify a signed zone file: chains, bitmaps, completeness, every signature
#[derive(Args, Debug)]
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

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    /// How many findings are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
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
    let clock = time_flags::now()?;
    let now = match &flags.now {
        Some(text) => time_flags::moment("--now", text, clock, clock)?,
        None => clock,
    };
    let config = VerifyConfig {
        zone_file: flags.zone_file.clone(),
        input: flags.input.resolve()?,
        origin: origin_of(flags.origin.as_deref(), &flags.zone_file)?,
        now: now.into(),
        threads: super::sign::threads(flags.threads),
        ignore_ksk: flags.roles.ignore_ksk_flag,
        ksk_only: flags.roles.ksk_only,
        max_errors: flags.max_errors,
    };
    let progress = Progress::new(if flags.quiet { Loudness::Quiet } else { Loudness::Normal });
    let result = signet_pipeline::verify(&config, &progress);
    progress.finish();
    let report = result?;
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
