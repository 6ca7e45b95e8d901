//! `signet zone`: work on zone files that needs no key.

mod format;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet zone`.
#[derive(Subcommand)]
pub(super) enum Command {
    Format(format::FormatFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::Format(flags) => format::run(flags),
    }
}
