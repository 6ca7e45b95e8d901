//! `signet zone`: work on zone files that needs no key.

mod check;
mod diff;
mod format;
mod stats;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet zone`.
#[derive(Subcommand)]
pub(super) enum Command {
    Check(check::CheckFlags),
    Diff(diff::DiffFlags),
    Format(format::FormatFlags),
    Stats(stats::StatsFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::Check(flags) => check::run(flags),
        Command::Diff(flags) => diff::run(flags),
        Command::Format(flags) => format::run(flags),
        Command::Stats(flags) => stats::run(flags),
    }
}
