//! `signet key`: makes keys, adopts those a token has, lists them, prints their DS records. Each command is a file.

mod dates;
mod ds;
mod from_label;
mod generate;
mod list;
mod file_flags;

use clap::Subcommand;
use signet_pipeline::Error;

use super::Outcome;

/// The commands of `signet key`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key pair on a token, or on disk, and write its K* files
    Generate(generate::GenerateFlags),
    /// Write K* files for a key that is on a token already
    FromLabel(from_label::FromLabelFlags),
    /// List keys on a token and in a key directory
    List(list::ListFlags),
    /// Print the DS records of keys
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
