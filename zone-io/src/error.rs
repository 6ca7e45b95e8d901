//! What goes wrong with files and their text: one enum by what the caller does next, and faults in the text with
//! file, line, column and a mark under the place. What a fault says is in `reason`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::reason::Reason;

/// Why reading or writing failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is wrong: the author of the file corrects it.
    #[error("{0}")]
    Syntax(#[from] Faults),
    /// The operating system refused something; its message names the path.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An input is not what it was when reading began: read it again.
    #[error("{path} changed while it was being read ({what}): start again when nothing writes to it", path = path.display())]
    Changed {
        /// The input.
        path: PathBuf,
        /// What differs.
        what: Difference,
    },
}

/// How a file differs from when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// No file has the name any more.
    #[error("it is gone")]
    Gone,
    /// Another file has the name.
    #[error("another file took its place")]
    Replaced,
    /// It has another length.
    #[error("its size is another")]
    Size,
    /// It was written to.
    #[error("its time of modification is another")]
    Modified,
}

/// One fault in the text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The file's name as it was given, or `<stdin>`.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong, and what was expected.
    pub reason: Reason,
    /// The whole line; bytes that are not UTF-8 are replaced.
    pub text: Box<str>,
    /// How many characters of the line the fault covers, at least 1.
    pub width: u32,
}

/// The most characters of a line that a message shows.
const SHOWN: usize = 120;
/// How many of them stand before the fault when the line's start is left out.
const BEFORE: usize = 60;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.source, self.line, self.column, self.reason)?;
        if self.text.trim().is_empty() {
            return Ok(());
        }
        let before = (self.column as usize).saturating_sub(1);
        let first = if before + 20 > SHOWN { before - BEFORE } else { 0 };
        let shown = || self.text.chars().skip(first).take(SHOWN);
        let visible = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        let mark = shown().take(before - first).map(|c| if c == '\t' { '\t' } else { ' ' });
        let room = SHOWN
            .min(self.text.chars().count() - first.min(before))
            .saturating_sub(before - first);
        let width = (self.width as usize).clamp(1, room.max(1));
        write!(f, "\n    {}\n    ", shown().map(visible).collect::<String>())?;
        write!(f, "{}{}", mark.collect::<String>(), "^".repeat(width))
    }
}

impl std::error::Error for Fault {}

/// The faults of one reading in the order of the input: the first few, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Faults {
    /// The first faults, as many as were asked for.
    pub faults: Vec<Fault>,
    /// Whether reading went no further because there were so many.
    pub stopped: bool,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        if self.stopped {
            write!(f, "\nno further than {} faults: correct these first", self.faults.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str, column: u32, width: u32) -> String {
        Fault {
            source: "zone".into(),
            line: 7,
            column,
            reason: Reason::NoType,
            text: text.into(),
            width,
        }
        .to_string()
    }

    #[test]
    fn the_mark_stands_under_the_fault() {
        let text = fault("www\tA 1.2.3", 7, 5);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("zone:7:7: "));
        assert_eq!(lines[1], "    www\tA 1.2.3");
        assert_eq!(lines[2], "       \t  ^^^^^");
    }

    #[test]
    fn a_long_line_is_shown_around_the_fault() {
        let long = format!("{}x{}", "a".repeat(300), "b".repeat(300));
        let text = fault(&long, 301, 400);
        let lines: Vec<_> = text.lines().collect();
        let at = lines[2].find('^').unwrap_or(0);
        assert_eq!(lines[1].as_bytes()[at], b'x');
        assert!(lines[1].len() <= 4 + SHOWN && lines[2].len() <= 4 + SHOWN);
    }

    #[test]
    fn a_fault_past_the_end_is_shown_too() {
        assert!(fault("www A", 6, 1).ends_with("\n         ^"));
        assert_eq!(fault("", 1, 1).lines().count(), 1);
    }
}
