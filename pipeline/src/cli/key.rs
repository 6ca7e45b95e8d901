//! `signet key`: makes keys, adopts those a token has, lists them, prints their DS records. Each command is a file.

mod dates;
mod ds;
mod file_flags;
mod from_label;
mod generate;
mod list;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet key`.
#[derive(Subcommand)]
pub(super) enum Command {
    Generate(Box<generate::GenerateFlags>),
    FromLabel(Box<from_label::FromLabelFlags>),
    List(list::ListFlags),
    Ds(ds::DsFlags),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub(super) fn run(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::Generate(flags) => generate::run(flags),
        Command::FromLabel(flags) => from_label::run(flags),
        Command::List(flags) => list::run(flags),
        Command::Ds(flags) => ds::run(flags),
    }
}
