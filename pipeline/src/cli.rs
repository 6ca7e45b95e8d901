//! Turns the command line into one command's run, and its outcome into an exit code. Flags as typed live in
//! each command's file; what they share lies in files of its own. No DNS and no PKCS#11 is done here.

mod audit;
mod bind;
mod byte_size;
mod denial_flags;
mod error_limit;
mod html;
mod input_flags;
mod install_links;
mod isolated;
mod key;
mod metrics;
mod monitor;
mod origin;
mod report_text;
mod reuse_flags;
mod role_flags;
mod settings;
mod sign;
mod streams;
mod table;
mod time_flags;
mod token;
mod token_flags;
mod verify;
mod warning_flags;
mod zone;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use signet_pipeline::Error;

use self::settings::Settings;

use crate::{diagnostics, watchdog};

/// Signs DNS zones with keys that never leave a PKCS#11 token
#[derive(Parser)]
#[command(
    name = "signet",
    version,
    max_term_width = 110,
    arg_required_else_help = true,
    subcommand_required = true
)]
#[command(
    long_about = "Signs DNS zones in batch with keys that never leave a PKCS#11 token (an HSM, a smart card, SoftHSM), with keys \
                  on disk, or with both. What it writes is verified first; when anything fails, the old file stays as it was."
)]
#[command(after_help = EXIT_CODES)]
struct Cli {
    /// Take what no flag and no variable says from this file, signet.toml; '' takes it from none
    ///
    /// Its keys are the names of flags: module, module-sha256, init-args, token, serial-number, slot, pin-source, sessions,
    /// session-copy, offload, max-rate, patience, audit. It may name a library to load, so it has to be yours or root's,
    /// and nobody else's to change.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = settings::VARIABLE,
        hide_env_values = true,
        help = format!("Take what no flag and no variable says from this file; {} is the default, if it is there", settings::PLACE)
    )]
    config: Option<OsString>,

    /// Append what is done with keys to this log: JSON lines, each with the digest of the one before
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SIGNET_AUDIT",
        hide_env_values = true
    )]
    audit: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done                                  4  reading or writing a file failed
  1  the zone or the keys are wrong        5  verification failed
  2  wrong usage                           6  done, but a signature due for renewal was not renewed
  3  the token or its provider failed    130  interrupted";

#[derive(Subcommand)]
enum Command {
    Sign(Box<sign::SignFlags>),
    Verify(Box<verify::VerifyFlags>),
    /// Make, adopt, list, show, date, revoke, import, back up and destroy keys, and print their DS records
    #[command(arg_required_else_help = true, subcommand_required = true)]
    Key {
        /// Load the token's library in a process of its own: a crash in it is told with exit code 3
        #[arg(long, global = true)]
        isolate: bool,
        #[command(subcommand)]
        command: key::Command,
    },
    /// Look at tokens, and make new ones
    #[command(arg_required_else_help = true, subcommand_required = true)]
    Token {
        /// Load the token's library in a process of its own: a crash in it is told with exit code 3
        #[arg(long, global = true)]
        isolate: bool,
        #[command(subcommand)]
        command: token::Command,
    },
    /// Work on zone files without signing
    #[command(subcommand, arg_required_else_help = true)]
    Zone(zone::Command),
    /// Check an audit log
    #[command(subcommand, arg_required_else_help = true)]
    Audit(audit::Command),
    InstallLinks(install_links::InstallLinksFlags),
    /// A worker process of `sign --isolate`, which serves it by its standard input
    #[command(hide = true)]
    IsolatedWorker,
}

/// What a command that did not fail has to say to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Done: exit code 0.
    Done,
    /// The command ran and its finding is bad news, told already: this exit code.
    Failed(u8),
}

/// Runs the command line of this process; returns its exit code. Usage errors end the process with 2.
pub(crate) fn run() -> u8 {
    let mut words = std::env::args_os();
    let program = words.next();
    if let Some(tool) = bind::Tool::called_as(program.as_ref()) {
        watchdog::start();
        return tool.run(words);
    }
    let mut words: Vec<OsString> = words.collect();
    let apart = isolated::is_apart(&mut words);
    let line = program.into_iter().chain(key::two_word_options(words.clone()));
    let (cli, matches) = match parse(line.collect()) {
        Ok(parsed) => parsed,
        Err(error) => return told(Err(error)),
    };
    // Worker processes are looked after by the run.
    if !matches!(cli.command, Command::IsolatedWorker) {
        watchdog::start();
    }
    if let (false, Command::Key { isolate: true, .. } | Command::Token { isolate: true, .. }) = (apart, &cli.command) {
        return told(isolated::run_apart(&words, &matches));
    }
    // Looking at a log adds nothing to it, and what worker processes do is written down by the run.
    let silent = matches!(cli.command, Command::Audit(_) | Command::IsolatedWorker);
    let log = cli.audit.as_ref().filter(|_| !silent);
    let code = told(match log {
        Some(log) => audit::install(log).and_then(|()| dispatch(&cli.command)),
        None => dispatch(&cli.command),
    });
    audit::end(code)
}

/// Flags, environment, `signet.toml`, defaults: what comes first counts. Usage errors end the process with 2.
///
/// # Errors
/// Those of the file.
fn parse(words: Vec<OsString>) -> Result<(Cli, ArgMatches), Error> {
    let grammar = Cli::command();
    let typed = grammar.clone().get_matches_from(&words);
    // A worker process is told everything by its run.
    let matches = if typed.subcommand_name() == Some("isolated-worker") {
        typed
    } else {
        let settings = Settings::read(typed.get_one::<OsString>("config").map(Path::new))?;
        settings.beneath(grammar, &typed)?.get_matches_from(words)
    };
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Ok((cli, matches))
}

fn dispatch(command: &Command) -> Result<Outcome, Error> {
    match command {
        Command::Sign(flags) => sign::run(flags),
        Command::Verify(flags) => verify::run(flags),
        Command::Key { command, .. } => key::run(command),
        Command::Token { command, .. } => token::run(command),
        Command::Zone(command) => zone::run(command),
        Command::Audit(command) => audit::run(command),
        Command::InstallLinks(flags) => install_links::run(flags),
        Command::IsolatedWorker => isolated::run(),
    }
}

/// Tells of a failure; returns the exit code.
fn told(outcome: Result<Outcome, Error>) -> u8 {
    match outcome {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Failed(code)) => code,
        // Whoever read our output has seen enough.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(Error::Zone(zone_io::Error::Syntax(faults))) => {
            diagnostics::show_faults(&faults);
            1
        }
        Err(error) => {
            streams::say(&format!("error: {error}"));
            error.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
