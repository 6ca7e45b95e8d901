//! The flag `-W` of every command that reads a zone file: which warnings about its text are given.

use std::fmt::Write as _;
use std::str::FromStr;

use clap::Args;
use zone_io::{Lint, Lints};

/// Which warnings are given.
#[derive(Args, Debug)]
pub(super) struct WarningFlags {
    /// Turn a warning about the zone file off with no-NAME, or on with NAME; all and no-all stand for all of them, and the
    /// last one counts
    #[arg(short = 'W', long = "warn", value_name = "[no-]NAME", value_delimiter = ',', long_help = long_help())]
    warn: Vec<Switch>,
}

/// The help with the list of names.
fn long_help() -> String {
    let mut text = String::from(
        "Turn a warning about the zone file off with no-NAME, or on with NAME; all and no-all stand for all of them, and \
         the last one counts. All are on unless turned off:\n",
    );
    for lint in Lint::ALL {
        let _ = write!(text, "\n  {:21} {}", lint.name(), lint.about());
    }
    text
}

/// One value of the flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Switch {
    /// `None` for all.
    lint: Option<Lint>,
    on: bool,
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, on) = match text.strip_prefix("no-") {
            Some(name) => (name, false),
            None => (text, true),
        };
        if name == "all" {
            return Ok(Self { lint: None, on });
        }
        match name.parse() {
            Ok(lint) => Ok(Self { lint: Some(lint), on }),
            Err(error) => {
                let names: Vec<_> = Lint::ALL.iter().map(|lint| lint.name()).collect();
                Err(format!("{error}; there are {}", names.join(", ")))
            }
        }
    }
}

impl WarningFlags {
    /// The warnings that are on.
    pub(super) fn lints(&self) -> Lints {
        self.warn.iter().fold(Lints::ALL, |lints, switch| match switch {
            Switch { lint: None, on: true } => Lints::ALL,
            Switch { lint: None, on: false } => Lints::NONE,
            Switch {
                lint: Some(lint),
                on: true,
            } => lints.with(*lint),
            Switch {
                lint: Some(lint),
                on: false,
            } => lints.without(*lint),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: WarningFlags,
    }

    fn lints(line: &str) -> Option<Lints> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        Line::try_parse_from(words).ok().map(|line| line.flags.lints())
    }

    #[test]
    fn the_last_one_counts() {
        assert_eq!(lints(""), Some(Lints::ALL));
        assert_eq!(lints("-W no-missing-dot"), Some(Lints::ALL.without(Lint::MissingDot)));
        assert_eq!(lints("-W no-missing-dot,missing-dot"), Some(Lints::ALL));
        assert_eq!(
            lints("-W no-all --warn ttl-mismatch"),
            Some(Lints::NONE.with(Lint::TtlMismatch))
        );
        assert_eq!(lints("-W nosuch"), None);
        assert_eq!(lints("-W no-nosuch"), None);
    }
}
