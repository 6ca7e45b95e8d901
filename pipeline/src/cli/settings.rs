//! `signet.toml`: what is so on this machine, said once for every command. Here flags, environment, file and defaults meet: what
//! the file says becomes a flag's default, below the environment and the flag itself.
//!
//! The file may name a library to load, so one that others could have written is refused, and it is never looked for in the
//! folder that the program runs in. Nothing in it is passed over: a key that is not known is an error.

mod trusted;

use std::collections::HashSet;
use std::error::Error as _;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::{Arg, ArgMatches, Command};
use hsm_core::{PinSource, TokenInfo};
use signet_pipeline::Error;
use toml::de::{DeTable, DeValue};

/// Where the file is, unless it is said otherwise; it need not be there.
pub(super) const PLACE: &str = "/etc/signet/signet.toml";

/// The variable that names another one; empty: none is read.
pub(super) const VARIABLE: &str = "SIGNET_CONFIG";

const PIN_SOURCE: &str = "SIGNET_PIN_SOURCE";

/// What may stand in the file, and the variable that says the same: the flag that has both is the one that is meant.
const KEYS: &[(&str, &str)] = &[
    ("module", "PKCS11_PROVIDER"),
    ("module-sha256", "SIGNET_MODULE_SHA256"),
    ("init-args", "SIGNET_INIT_ARGS"),
    ("token", "SIGNET_TOKEN"),
    ("serial-number", "SIGNET_SERIAL_NUMBER"),
    ("slot", "SIGNET_SLOT"),
    ("pin-source", PIN_SOURCE),
    ("sessions", "SIGNET_SESSIONS"),
    ("session-copy", "SIGNET_SESSION_COPY"),
    ("offload", "SIGNET_OFFLOAD"),
    ("max-rate", "SIGNET_MAX_RATE"),
    ("patience", "SIGNET_PATIENCE"),
    ("audit", "SIGNET_AUDIT"),
];

/// Keys that choose a token: who names one by any of them does not mean the file's.
const CHOOSE_TOKEN: &[&str] = &["token", "serial-number", "slot"];

/// Keys that are about the file's library, and no other.
const OF_MODULE: &[&str] = &["module-sha256", "init-args"];

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    key: &'static str,
    variable: &'static str,
    value: String,
    /// File, line and column, for messages.
    place: String,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<Setting>);

impl Settings {
    /// Those of the file that was named, else of the one in its place, if it is there. An empty name: there are none.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read or is named and not there; [`Error::Usage`] for a file that is not to be
    /// trusted, is no TOML, or says what is not known.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, Error> {
        let path = named.unwrap_or(Path::new(PLACE));
        if path.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        match trusted::read(path)? {
            Some(text) => Self::parse(path, &text),
            None if named.is_none() => Ok(Self::default()),
            None => Err(Error::Io {
                path: path.to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let place = |offset: usize| {
            let before = text.get(..offset).unwrap_or(text);
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
            format!("{}:{line}:{column}", path.display())
        };
        let table = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Error::Usage(format!("{}: {}", place(offset), error.message()))
        })?;
        let mut lines: Vec<_> = table.get_ref().iter().collect();
        lines.sort_by_key(|(key, _)| key.span().start);
        let mut settings = Vec::new();
        for (key, value) in lines {
            let (at, name) = (place(key.span().start), key.get_ref().as_ref());
            let Some((key, variable)) = KEYS.iter().find(|(known, _)| *known == name) else {
                return Err(Error::Usage(format!("{at}: {}", unknown(name))));
            };
            let at = place(value.span().start);
            let value = text_of(value.get_ref())
                .ok_or_else(|| Error::Usage(format!("{at}: {key} wants a text or a number, as its flag does")))?;
            if depends_on_folder(key, &value) {
                return Err(Error::Usage(format!(
                    "{at}: {key} wants a whole path, which begins with a slash"
                )));
            }
            settings.push(Setting {
                key,
                variable,
                value,
                place: at,
            });
        }
        Ok(Self(settings))
    }

    /// The grammar of the command line with these settings as defaults of their flags. `typed` is what command line and
    /// environment say alone, and decides what is not meant: the file's token and PIN where another token is named, and what
    /// the file says of its library where another is used.
    ///
    /// # Errors
    /// [`Error::Usage`] for a value that its flag would not take.
    pub(super) fn beneath(&self, command: Command, typed: &ArgMatches) -> Result<Command, Error> {
        let mut checked = HashSet::new();
        self.check(&command, &mut checked)?;
        let mut leaf = typed;
        while let Some((_, deeper)) = leaf.subcommand() {
            leaf = deeper;
        }
        let said = |key: &str| {
            let id = key.replace('-', "_");
            let mut values = leaf.try_get_raw(&id).ok().flatten()?;
            values.next().map(|value| value.to_string_lossy().into_owned())
        };
        let ours = |key: &str| self.0.iter().find(|setting| setting.key == key);
        let named: Vec<_> = CHOOSE_TOKEN.iter().filter_map(|key| Some((*key, said(key)?))).collect();
        let names_token = !named.is_empty();
        let names_other = CHOOSE_TOKEN.iter().any(|key| ours(key).is_some())
            && named
                .iter()
                .any(|(key, value)| ours(key).is_none_or(|setting| setting.value != *value));
        let engine = leaf.try_get_one::<String>("engine").ok().flatten();
        let module = engine.map(Path::new).filter(|path| path.starts_with("/"));
        let module = module.or_else(|| {
            leaf.try_get_one::<PathBuf>("module")
                .ok()
                .flatten()
                .map(PathBuf::as_path)
        });
        let meant: Vec<&Setting> = self.of(module);
        let meant = meant.into_iter();
        let meant = meant.filter(|setting| !names_token || !CHOOSE_TOKEN.contains(&setting.key));
        // The file's PIN on another token would be a wrong try there.
        let meant = meant.filter(|setting| !names_other || setting.key != "pin-source");
        Ok(with_defaults(command, &meant.collect::<Vec<_>>()))
    }

    /// Whether what they say of a token fits this one.
    fn mean(&self, token: &TokenInfo) -> bool {
        self.0.iter().all(|setting| match setting.key {
            "token" => setting.value == token.label,
            "serial-number" => setting.value == token.serial,
            "slot" => setting.value == token.slot_id.to_string(),
            _ => true,
        })
    }

    /// The settings for a run with this library, or with the file's own.
    fn of(&self, module: Option<&Path>) -> Vec<&Setting> {
        let own = self.0.iter().find(|setting| setting.key == "module");
        let other = match (own, module) {
            (Some(own), Some(module)) => Path::new(&own.value) != module,
            _ => false,
        };
        let settings = self.0.iter();
        let meant = settings.filter(|setting| !other || !OF_MODULE.contains(&setting.key));
        meant.collect()
    }

    /// Has each value read by its flag, wherever that is used.
    fn check<'s>(&'s self, command: &Command, checked: &mut HashSet<&'s str>) -> Result<(), Error> {
        for arg in command.get_arguments() {
            let Some(setting) = self.0.iter().find(|setting| is_for(setting, arg)) else {
                continue;
            };
            if checked.insert(setting.key) {
                let alone = Command::new("signet").no_binary_name(true).arg(arg.clone());
                let word = format!("--{}={}", setting.key, setting.value);
                if let Err(error) = alone.try_get_matches_from([word]) {
                    return Err(Error::Usage(format!(
                        "{}: {}: {}",
                        setting.place,
                        setting.key,
                        reason(&error)
                    )));
                }
            }
        }
        command
            .get_subcommands()
            .try_for_each(|command| self.check(command, checked))
    }
}

fn is_for(setting: &Setting, arg: &Arg) -> bool {
    arg.get_env().is_some_and(|variable| variable == setting.variable)
}

fn with_defaults(command: Command, settings: &[&Setting]) -> Command {
    command
        .mut_args(|arg| match settings.iter().find(|setting| is_for(setting, &arg)) {
            Some(setting) => arg.default_value(setting.value.clone()),
            None => arg,
        })
        .mut_subcommands(|command| with_defaults(command, settings))
}

/// Whether a value is a path that depends on the folder that the program runs in. A PIN in the place of its source looks like
/// one.
fn depends_on_folder(key: &str, value: &str) -> bool {
    match key {
        "module" | "audit" => !value.starts_with('/'),
        "pin-source" => value.parse().is_ok_and(|source: PinSource| {
            let mut parts = source.parts().into_iter();
            parts.any(|part| matches!(part, PinSource::File(path) | PinSource::Openssl(path) if path.is_relative()))
        }),
        _ => false,
    }
}

/// A value as its flag takes it.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
            Some(number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// What is wrong with a value, without the value itself where that can be: it may be a PIN in the wrong place.
fn reason(error: &clap::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => {
            let text = error.to_string();
            let lines = text.lines().take_while(|line| !line.is_empty());
            let first: Vec<&str> = lines.map(|line| line.trim_start_matches("error: ").trim()).collect();
            first.join(" ")
        }
    }
}

fn unknown(name: &str) -> String {
    if name.eq_ignore_ascii_case("pin") || name.eq_ignore_ascii_case("pin-value") {
        return "no PIN belongs into this file: keep it in one of its own, of mode 0600, and write pin-source = \"file:PATH\""
            .to_owned();
    }
    let keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    format!("{name} is not known here; known are {}", keys.join(", "))
}

static OF_TOOLS: OnceLock<Settings> = OnceLock::new();

/// Reads the settings for a tool of BIND, which has no flag to name a file; [`variable`] tells them from then on.
///
/// # Errors
/// Those of [`Settings::read`].
pub(super) fn read_for_tool() -> Result<(), Error> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let _ = OF_TOOLS.set(Settings::read(named.as_deref())?);
    Ok(())
}

/// A variable of the environment, else what the file says in its stead, for the tools of BIND.
pub(super) fn variable(name: &str) -> Option<OsString> {
    variable_for(name, None)
}

/// Where the PIN of a token is, for the tools of BIND, which find tokens in their own way: the file's is that of the token that
/// it names, if it names one, and would be a wrong try on another.
pub(super) fn pin_source_of(token: &TokenInfo) -> Option<OsString> {
    std::env::var_os(PIN_SOURCE).or_else(|| {
        let settings = OF_TOOLS.get()?;
        settings.mean(token).then(|| variable(PIN_SOURCE))?
    })
}

/// The same for what is said of a library: what the file says of another one is not meant.
pub(super) fn variable_for(name: &str, module: Option<&Path>) -> Option<OsString> {
    std::env::var_os(name).or_else(|| {
        let settings = OF_TOOLS.get()?.of(module);
        let setting = settings.into_iter().find(|setting| setting.variable == name);
        setting.map(|setting| OsString::from(&setting.value))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::CommandFactory as _;
    use clap::builder::Resettable;

    use super::*;
    use crate::cli::Cli;

    fn parsed(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("signet.toml"), text).map_err(|error| error.to_string())
    }

    /// What a command sees of a setting, with these flags typed.
    fn seen(text: &str, line: &str, id: &str) -> Option<String> {
        // Without the environment of whoever runs the tests.
        fn bare(command: Command) -> Command {
            let command = command.mut_args(|arg| arg.env(Resettable::Reset));
            command.mut_subcommands(bare)
        }
        let words = || std::iter::once("signet").chain(line.split_whitespace());
        let typed = bare(Cli::command()).try_get_matches_from(words()).unwrap();
        let beneath = parsed(text).unwrap().beneath(Cli::command(), &typed).unwrap();
        let mut matches = bare(beneath).try_get_matches_from(words()).unwrap();
        while let Some((_, deeper)) = matches.remove_subcommand() {
            matches = deeper;
        }
        let mut values = matches.get_raw(id)?;
        values.next().map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn every_key_is_a_flag_with_its_variable() {
        fn flags(command: &Command, found: &mut HashSet<(String, String)>) {
            for arg in command.get_arguments() {
                if let (Some(long), Some(variable)) = (arg.get_long(), arg.get_env()) {
                    found.insert((long.to_owned(), variable.to_string_lossy().into_owned()));
                }
            }
            command.get_subcommands().for_each(|command| flags(command, found));
        }
        let mut found = HashSet::new();
        flags(&Cli::command(), &mut found);
        found.remove(&("config".to_owned(), VARIABLE.to_owned()));
        let keys = KEYS
            .iter()
            .map(|(key, variable)| ((*key).to_owned(), (*variable).to_owned()));
        assert_eq!(found, keys.collect());
    }

    #[test]
    fn what_is_not_known_is_an_error_with_its_place() {
        let fault = |text: &str| parsed(text).unwrap_err();
        let error = fault("token = 'a'\n  modul = '/p.so'\n");
        assert!(error.starts_with("signet.toml:2:3: modul is not known here"), "{error}");
        assert!(fault("[token]\nlabel = 'a'").starts_with("signet.toml:1:"));
        assert!(fault("token = 'a'\ntoken = 'b'\n").starts_with("signet.toml:2:1: "));
        assert!(fault("token =\n").starts_with("signet.toml:1:"));
        assert!(fault("module = 'p.so'").contains("whole path"));
        let error = fault("pin-source = '4711'");
        assert!(error.contains("whole path") && !error.contains("4711"), "{error}");
        let error = fault("pin = '4711'");
        assert!(error.contains("pin-source") && !error.contains("4711"), "{error}");
    }

    #[test]
    fn a_value_that_its_flag_would_not_take_is_an_error_with_its_place() {
        let fault = |text: &str| {
            let typed = Cli::command()
                .try_get_matches_from(["signet", "token", "list"])
                .unwrap();
            let error = parsed(text).unwrap().beneath(Cli::command(), &typed).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        assert_eq!(
            fault("token = 'a'\nsessions = 0\n"),
            "signet.toml:2:12: sessions: write auto, or a number of at least 1"
        );
        assert!(fault("offload = 'some'").starts_with("signet.toml:1:11: offload: "));
        assert!(fault("slot = -1").starts_with("signet.toml:1:8: slot: "));
        assert!(fault("max-rate = 0.0").contains("max-rate"));
        assert!(fault("patience = 'soon'").contains("patience"));
        let error = fault("pin-source = 'env:47=11'");
        assert!(!error.contains("47"), "{error}");
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let text = "module = '/p.so'\ntoken = 'registry'\nsessions = 4\nmax-rate = 1.5\ninit-args = 'x'\n";
        let list = |line: &str, id: &str| seen(text, &format!("token list {line}"), id);
        assert_eq!(list("", "module").unwrap(), "/p.so");
        assert_eq!(list("-m /q.so", "module").unwrap(), "/q.so");
        assert_eq!(list("", "token").unwrap(), "registry");
        assert_eq!(seen(text, "sign z", "sessions").unwrap(), "4");
        assert_eq!(seen(text, "sign z --sessions auto", "sessions").unwrap(), "auto");
        assert_eq!(seen(text, "sign z", "max_rate").unwrap(), "1.5");
        assert_eq!(seen("", "sign z", "sessions").unwrap(), "auto");
        // A token named in another way, another library: what the file says is not of these.
        assert_eq!(list("--slot 3", "token"), None);
        let (with_pin, pin_only) = ("token = 'registry'\npin-source = 'fd:3'\n", "pin-source = 'fd:3'\n");
        let pin = |text: &str, line: &str| seen(text, &format!("token check {line}"), "pin_source");
        assert_eq!(pin(with_pin, "").unwrap(), "fd:3");
        assert_eq!(pin(with_pin, "--token registry").unwrap(), "fd:3");
        assert_eq!(pin(with_pin, "--token other"), None);
        assert_eq!(pin(with_pin, "--slot 3"), None);
        assert_eq!(pin(pin_only, "--token other").unwrap(), "fd:3");
        assert_eq!(list("-m /q.so", "init_args"), None);
        assert_eq!(list("-m /p.so", "init_args").unwrap(), "x");
        assert_eq!(seen(text, "sign z -E /q.so", "init_args"), None);
        // The flag of another command that has the same name and another meaning.
        assert_eq!(
            seen(text, "token bench --key k", "sessions"),
            seen("", "token bench --key k", "sessions")
        );
    }

    #[test]
    fn the_pin_is_that_of_the_token_that_is_named() {
        let mut token = TokenInfo::default();
        (token.label, token.serial, token.slot_id) = ("registry".to_owned(), "0f".to_owned(), 7);
        for text in [
            "",
            "token = 'registry'",
            "serial-number = '0f'\nslot = 7",
            "pin-source = 'fd:3'",
        ] {
            assert!(parsed(text).unwrap().mean(&token), "{text}");
        }
        for text in [
            "token = 'other'",
            "token = 'registry'\nserial-number = '10'",
            "slot = 8",
        ] {
            assert!(!parsed(text).unwrap().mean(&token), "{text}");
        }
    }
}
