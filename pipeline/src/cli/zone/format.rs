//! `signet zone format`: a zone file read and printed in canonical order, one record a line. Signs and judges nothing
//! beyond what every zone has to be.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use dnssec_sign::Name;
use signet_pipeline::{Error, Form, FormatConfig, Rules, format_zone};
use zone_io::AtomicFile;

use crate::cli::input_flags::InputFlags;
use crate::cli::origin::origin_of;
use crate::cli::streams::{stdout_error, tell};
use crate::cli::{Outcome, sign};
use crate::diagnostics;

/// Print a zone file in canonical order, one record a line
#[derive(Args, Debug)]
#[command(
    long_about = "Prints a zone file in canonical order (RFC 4034 6), one record a line, everything absolute, equal records \
                  once. Two files with the same records give the same text, so that diff can compare \
                  them.",
    after_help = "Exit codes:\n  0  done\n  1  the file is no zone; with --records: records at fault were left out\n  2  wrong usage\n  \
                  4  reading or writing a file failed"
)]
pub(in crate::cli) struct FormatFlags {
    /// The zone file; `-` is standard input, and gzip or zstd data is decompressed
    #[arg(value_name = "ZONEFILE")]
    zone_file: PathBuf,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// Write to a file, which is replaced when all is written; `-` is standard output, the default
    #[arg(short = 'f', long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Print class, type and data in the generic form of RFC 3597
    #[arg(long)]
    generic: bool,

    /// Take any list of records: owners out of the zone, no SOA, TTLs that differ within a set; records at fault are
    /// reported and left out
    #[arg(long)]
    records: bool,

    /// How many faults of the file are shown, and with --records left out, before it is refused; 0: no limit
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Threads; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    input: InputFlags,
}

/// Prints.
///
/// # Errors
/// [`Error::Zone`] for a file that cannot be read, [`Error::Input`] for one that is no zone.
pub(super) fn run(flags: &FormatFlags) -> Result<Outcome, Error> {
    let origin = match (&flags.origin, flags.records) {
        (None, true) => Name::root(),
        (typed, _) => origin_of(typed.as_deref(), &flags.zone_file)?,
    };
    let mut load = flags.input.resolve()?.load_options(origin);
    load.max_faults = flags.max_errors;
    let config = FormatConfig {
        zone_file: flags.zone_file.clone(),
        load,
        threads: sign::threads(flags.threads),
        form: if flags.generic { Form::Generic } else { Form::Plain },
        rules: if flags.records { Rules::Records } else { Rules::Zone },
    };
    let report = match flags.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            let mut file = AtomicFile::create(path)?;
            let report = format_zone(&config, &mut |text| Ok(file.write_all(text)?))?;
            file.publish()?;
            report
        }
        None => {
            let mut out = std::io::stdout().lock();
            let report = format_zone(&config, &mut |text| out.write_all(text).map_err(stdout_error))?;
            out.flush().map_err(stdout_error)?;
            report
        }
    };
    diagnostics::show_warnings(&report.warnings);
    report.faults.iter().for_each(diagnostics::show_fault);
    Ok(if report.faults.is_empty() {
        Outcome::Done
    } else {
        tell(&format!(
            "signet: {} records at fault were left out\n",
            report.faults.len()
        ));
        Outcome::Failed(1)
    })
}
