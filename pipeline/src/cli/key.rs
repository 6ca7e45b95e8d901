//! `signet key`: makes keys, adopts those a token has, lists, shows, dates, revokes, imports, backs up and destroys them,
//! prints their DS records. Each command is a file.

mod backup;
pub(super) mod dates;
mod destroy;
mod ds;
pub(super) mod file_flags;
mod from_label;
pub(super) mod generate;
mod import;
mod import_private;
pub(super) mod key_path;
mod list;
mod restore;
mod revoke;
mod show;
mod states;
pub(super) mod succession;
mod times;

use std::ffi::OsString;

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
    Show(show::ShowFlags),
    Times(Box<times::TimesFlags>),
    Revoke(revoke::RevokeFlags),
    Import(Box<import::ImportFlags>),
    Backup(Box<backup::BackupFlags>),
    Restore(Box<restore::RestoreFlags>),
    Destroy(Box<destroy::DestroyFlags>),
}

/// BIND's `-P sync DATE`, `-D sync DATE`, `-P ds DATE` and `-D ds DATE` of `signet key`, two words behind one letter, as one option each.
pub(super) fn two_word_options(words: Vec<OsString>) -> Vec<OsString> {
    if words.first().is_none_or(|word| word != "key") {
        return words;
    }
    let mut out = Vec::with_capacity(words.len());
    let mut rest = words.into_iter().peekable();
    while let Some(word) = rest.next() {
        let next = rest.peek().and_then(|next| next.to_str());
        let (long, taken) = match (word.to_str(), next) {
            (Some("-P"), Some("sync")) => ("--sync-publish", true),
            (Some("-D"), Some("sync")) => ("--sync-delete", true),
            (Some("-P"), Some("ds")) => ("--ds-publish", true),
            (Some("-D"), Some("ds")) => ("--ds-delete", true),
            (Some("-Psync"), _) => ("--sync-publish", false),
            (Some("-Dsync"), _) => ("--sync-delete", false),
            (Some("-Pds"), _) => ("--ds-publish", false),
            (Some("-Dds"), _) => ("--ds-delete", false),
            _ => {
                out.push(word);
                continue;
            }
        };
        out.push(long.into());
        if taken {
            rest.next();
        }
    }
    out
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
        Command::Show(flags) => show::run(flags),
        Command::Times(flags) => times::run(flags),
        Command::Revoke(flags) => revoke::run(flags),
        Command::Import(flags) => import::run(flags),
        Command::Backup(flags) => backup::run(flags),
        Command::Restore(flags) => restore::run(flags),
        Command::Destroy(flags) => destroy::run(flags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_is_a_word_of_its_own() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            two_word_options(words("key times K -P sync now -D now -P ds +1d")),
            words("key times K --sync-publish now -D now --ds-publish +1d")
        );
        assert_eq!(two_word_options(words("sign -P sync")), words("sign -P sync"));
    }
}
