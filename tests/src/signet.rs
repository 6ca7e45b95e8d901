//! The program under test with nothing of the caller's settings: only what a test gives it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::environment::signet_binary;
use crate::keys::Key;
use crate::process::{Program, Run};
use crate::token::Token;
use crate::{END, START};

/// One call of `signet`.
#[derive(Debug, Clone)]
pub struct Signet {
    program: Program,
}

impl Signet {
    /// `signet COMMAND`, with words that may be several: `Signet::new("key generate")`.
    #[must_use]
    pub fn new(command: &str) -> Self {
        let program = [
            "SIGNET_TOKEN",
            "SIGNET_PIN_SOURCE",
            "SIGNET_SERIAL_NUMBER",
            "PKCS11_PROVIDER",
            "SOFTHSM2_CONF",
        ]
        .into_iter()
        .fold(Program::new(signet_binary()), Program::without_env)
        // Nor what this machine's own file says.
        .env("SIGNET_CONFIG", "")
        .limit(Duration::from_secs(if crate::full() { 1800 } else { 180 }));
        Self {
            program: program.args(command.split_whitespace()),
        }
    }

    /// `signet sign ZONEFILE -o ORIGIN -f OUT -K KEYDIR`, from [`START`] to [`END`], with the serial that the zone has.
    #[must_use]
    pub fn sign(zone: &Path, origin: &str, out: &Path, keys: &Path) -> Self {
        Self::sign_with_serial("keep", zone, origin, out, keys)
    }

    /// The same with a way to advance the serial.
    #[must_use]
    pub fn sign_with_serial(serial: &str, zone: &Path, origin: &str, out: &Path, keys: &Path) -> Self {
        Self::new("sign")
            .arg(zone)
            .args(["-o", origin])
            .arg("-f")
            .arg(out)
            .arg("-K")
            .arg(keys)
            .args(["-s", START, "-e", END, "--serial", serial])
    }

    /// Names keys to sign with.
    #[must_use]
    pub fn keys(self, keys: &[&Key]) -> Self {
        self.args(keys.iter().map(|key| key.base_name()))
    }

    /// Lets it use this token.
    #[must_use]
    pub fn on(self, token: &Token) -> Self {
        self.envs(token.environment())
    }

    /// Lets the keys' own labels say where the PIN is.
    #[must_use]
    pub fn without_pin_source(self) -> Self {
        Self {
            program: self.program.without_env("SIGNET_PIN_SOURCE"),
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(self, argument: impl AsRef<OsStr>) -> Self {
        Self {
            program: self.program.arg(argument),
        }
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            program: self.program.args(arguments),
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        Self {
            program: self.program.env(name, value),
        }
    }

    /// Sets environment variables.
    #[must_use]
    pub fn envs(self, variables: Vec<(&'static str, String)>) -> Self {
        variables
            .into_iter()
            .fold(self, |signet, (name, value)| signet.env(name, value))
    }

    /// The folder to run in.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            program: self.program.folder(folder),
        }
    }

    /// A file as its standard input.
    #[must_use]
    pub fn input(self, file: impl Into<PathBuf>) -> Self {
        Self {
            program: self.program.input(file),
        }
    }

    /// Started by another program.
    #[must_use]
    pub fn under(self, starter: impl Into<PathBuf>, options: &[&str]) -> Self {
        Self {
            program: self.program.under(starter, options),
        }
    }

    /// Runs it.
    #[must_use]
    pub fn run(self) -> Run {
        self.program.run()
    }

    /// Runs it and looks at it while it runs.
    #[must_use]
    pub fn watch(self, look: impl FnMut(u32)) -> Run {
        self.program.watch(look)
    }
}
