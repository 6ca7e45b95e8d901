//! `signet token`: what tokens there are, what they say of themselves, what they can do and how fast, and new ones.

mod bench;
mod check;
mod environment;
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
    Check(check::CheckFlags),
    Bench(bench::BenchFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::List(flags) => list::run(flags),
        Command::Init(flags) => init::run(flags),
        Command::Check(flags) => check::run(flags),
        Command::Bench(flags) => bench::run(flags),
    }
}
