//! `signet token`: what tokens there are and what they say of themselves.

mod list;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet token`.
#[derive(Subcommand)]
pub(super) enum Command {
    List(list::ListFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::List(flags) => list::run(flags),
    }
}
