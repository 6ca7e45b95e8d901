//! The tools of BIND 9.16 that used PKCS#11, by their own names: `signet` called as `pkcs11-list` is pkcs11-list, with its
//! options, output and exit codes. Where BIND's behaviour is a trap, a warning says so on standard error and the
//! tool goes on; the commands of `signet` itself refuse. Each tool is a file.

mod destroy;
mod keyfromlabel;
mod keyfromlabel_options;
mod keygen;
mod label_dates;
mod label_token;
mod list;
mod options;
mod provider;
mod tokens;

use std::ffi::OsString;
use std::path::Path;

use crate::cli::{audit, settings, streams};

/// A tool that `signet` stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Keygen,
    List,
    Destroy,
    Tokens,
    KeyFromLabel,
}

impl Tool {
    pub(super) const ALL: [Self; 5] = [
        Self::Keygen,
        Self::List,
        Self::Destroy,
        Self::Tokens,
        Self::KeyFromLabel,
    ];

    /// The program's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keygen => "pkcs11-keygen",
            Self::List => "pkcs11-list",
            Self::Destroy => "pkcs11-destroy",
            Self::Tokens => "pkcs11-tokens",
            Self::KeyFromLabel => "dnssec-keyfromlabel",
        }
    }

    /// The tool that the program was called as, by the first word of its command line.
    pub(super) fn called_as(program: Option<&OsString>) -> Option<Self> {
        let name = Path::new(program?).file_name()?;
        Self::ALL.into_iter().find(|tool| name == tool.name())
    }

    /// Runs it; returns its exit code.
    pub(super) fn run(self, arguments: impl Iterator<Item = OsString>) -> u8 {
        if let Err(error) = settings::read_for_tool().and_then(|()| audit::install_for_tool()) {
            return Failure::general(error.to_string()).tell(self);
        }
        audit::end(self.run_words(arguments))
    }

    fn run_words(self, arguments: impl Iterator<Item = OsString>) -> u8 {
        let mut words = Vec::new();
        for argument in arguments {
            match argument.into_string() {
                Ok(word) => words.push(word),
                Err(_) => return Failure::general("an argument is not UTF-8").tell(self),
            }
        }
        let done = match self {
            Self::Keygen => keygen::run(words),
            Self::List => list::run(words),
            Self::Destroy => destroy::run(words),
            Self::Tokens => tokens::run(words),
            Self::KeyFromLabel => keyfromlabel::run(words),
        };
        match done {
            Ok(()) => 0,
            Err(failure) => failure.tell(self),
        }
    }
}

/// Why a tool ended early: what it says, and its exit code.
#[derive(Debug)]
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn general(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: 1,
        }
    }

    fn tell(&self, tool: Tool) -> u8 {
        if tool == Tool::KeyFromLabel && !self.text.starts_with("Usage") {
            streams::tell(&format!("{}: fatal: {}\n", tool.name(), self.text));
        } else if !self.text.is_empty() {
            streams::tell(&format!("{}\n", self.text.trim_end()));
        }
        self.code
    }
}

/// A trap that the tool walks into as BIND's did.
fn warn(tool: Tool, text: &str) {
    streams::tell(&format!("{}: warning: {text}\n", tool.name()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_path_is_the_name() {
        let called = |program: &str| Tool::called_as(Some(&OsString::from(program)));
        assert_eq!(called("/usr/sbin/pkcs11-list"), Some(Tool::List));
        assert_eq!(called("dnssec-keyfromlabel"), Some(Tool::KeyFromLabel));
        assert_eq!(called("/opt/pkcs11-list/signet"), None);
        assert_eq!(Tool::called_as(None), None);
    }
}
