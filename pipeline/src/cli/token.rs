//! `signet token`: what tokens there are, what they say of themselves, and new ones.

mod init;
mod list;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet token`.
#[derive(Subcommand)]
pub(super) enum Command {
    List(list::ListFlags),
    Init(init::InitFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::List(flags) => list::run(flags),
        Command::Init(flags) => init::run(flags),
    }
}
