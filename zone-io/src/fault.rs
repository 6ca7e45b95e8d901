//! Faults and warnings in a zone's text as a person reads them: the place, what is wrong, the line with a mark under
//! the place, the form that was expected, a suggestion where one is sure, and through which files it was reached. What
//! is wrong is said in `reason`, suggestions are made in `suggest`.
//!
//! ```text
//! example.zone:3:8: error: expected a number from 0 to 65535
//!     3 | www MX ten mail
//!       |        ^^^
//!       = expected: MX PREFERENCE EXCHANGE
//! ```

use std::fmt;
use std::sync::Arc;

use dnssec_sign::RecordType;

use crate::excerpt::{Excerpt, Printable};
use crate::lint::Lint;
use crate::parse::form;
use crate::reason::Reason;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The zone can be used all the same.
    Warning,
    /// The zone cannot be used.
    Error,
}

/// One fault in the text of a file, or one warning.
///
/// [`Display`](fmt::Display) shows all of it in several lines, [`painted`](Self::painted) the same with colours, and
/// [`headline`](Self::headline) the first line alone. None of them shows a character that a terminal would take for a
/// command, whatever stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Whether it is an error or a warning.
    pub severity: Severity,
    /// The file's name as it was given, or `<stdin>`.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; 0 where only the line is known.
    pub column: u32,
    /// How many characters of the line it covers, at least 1.
    pub width: u32,
    /// What is wrong, and what was expected.
    pub reason: Reason,
    /// The warning's name.
    pub lint: Option<Lint>,
    /// The type of the record whose data is at fault.
    pub rtype: Option<RecordType>,
    /// What to write instead, where that is sure.
    pub help: Option<Box<str>>,
    /// Line and column of the parenthesis that is open there, when it is one of an earlier line.
    pub opened: Option<(u32, u32)>,
    /// The $INCLUDE by which the file was reached.
    pub included: Option<Arc<Inclusion>>,
    pub(crate) excerpt: Box<Excerpt>,
}

/// A place with $INCLUDE.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inclusion {
    /// The including file.
    pub source: Arc<str>,
    /// Its line.
    pub line: u32,
    /// How that file was reached.
    pub included: Option<Arc<Self>>,
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// Plain text.
    #[default]
    Plain,
    /// With the escape sequences of ANSI terminals.
    Ansi,
}

/// What is painted.
#[derive(Clone, Copy)]
enum Part {
    Place,
    Error,
    Warning,
    Frame,
    Help,
}

impl Paint {
    /// What turns the colour on, and off again.
    fn around(self, part: Part) -> (&'static str, &'static str) {
        let on = match (self, part) {
            (Self::Plain, _) => return ("", ""),
            (Self::Ansi, Part::Place) => "\x1b[1m",
            (Self::Ansi, Part::Error) => "\x1b[1;31m",
            (Self::Ansi, Part::Warning) => "\x1b[1;33m",
            (Self::Ansi, Part::Frame) => "\x1b[34m",
            (Self::Ansi, Part::Help) => "\x1b[36m",
        };
        (on, "\x1b[0m")
    }
}

impl Fault {
    /// A fault of a whole line, or of no line in particular when it is 0.
    #[must_use]
    pub fn new(severity: Severity, source: Arc<str>, line: u32, reason: Reason) -> Self {
        Self {
            severity,
            source,
            line,
            column: 0,
            width: 1,
            lint: reason.lint(),
            reason,
            rtype: None,
            help: None,
            opened: None,
            included: None,
            excerpt: Box::default(),
        }
    }

    /// The first line: `FILE:LINE:COLUMN: error: what is wrong`.
    pub fn headline(&self, paint: Paint) -> impl fmt::Display {
        Headline { fault: self, paint }
    }

    /// All of it, with colours or without.
    pub fn painted(&self, paint: Paint) -> impl fmt::Display {
        Painted { fault: self, paint }
    }

    /// The line as it is shown: printable characters only, cut around the fault when it is long.
    #[must_use]
    pub fn line_text(&self) -> &str {
        &self.excerpt.text
    }

    /// The form that the record's data has, such as `MX PREFERENCE EXCHANGE`.
    #[must_use]
    pub fn form(&self) -> Option<String> {
        let rtype = self.rtype?;
        let form = form::of(rtype)?;
        Some(format!("{rtype} {form}"))
    }
}

struct Headline<'f> {
    fault: &'f Fault,
    paint: Paint,
}

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, paint } = self;
        let (on, off) = paint.around(Part::Place);
        write!(f, "{on}{}", Printable(&fault.source))?;
        for number in [fault.line, fault.column] {
            if number > 0 {
                write!(f, ":{number}")?;
            }
        }
        write!(f, ":{off} ")?;
        let (word, part) = match fault.severity {
            Severity::Error => ("error", Part::Error),
            Severity::Warning => ("warning", Part::Warning),
        };
        let (on, off) = paint.around(part);
        write!(f, "{on}{word}:{off} {}", fault.reason)?;
        match fault.lint {
            Some(lint) => write!(f, " [{lint}]"),
            None => Ok(()),
        }
    }
}

struct Painted<'f> {
    fault: &'f Fault,
    paint: Paint,
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, paint } = self;
        write!(f, "{}", fault.headline(*paint))?;
        let (frame, off) = paint.around(Part::Frame);
        let excerpt = &fault.excerpt;
        if !excerpt.text.trim().is_empty() {
            write!(f, "\n{frame}{:5} |{off} {}", fault.line, excerpt.text)?;
            let (on, off) = paint.around(match fault.severity {
                Severity::Error => Part::Error,
                Severity::Warning => Part::Warning,
            });
            let (indent, marks) = (excerpt.indent, "^".repeat(excerpt.marked));
            write!(f, "\n{frame}      |{} {:indent$}{on}{marks}{off}", self.off(), "")?;
        }
        if let Some(form) = fault.form() {
            self.note(f, Part::Frame, "expected", &form)?;
        }
        if let Some(help) = &fault.help {
            self.note(f, Part::Help, "help", help)?;
        }
        if let Some((line, column)) = fault.opened {
            let note = format!("inside the parenthesis opened at {line}:{column}");
            self.note(f, Part::Frame, "note", &note)?;
        }
        let mut included = fault.included.as_deref();
        while let Some(inclusion) = included {
            let note = format!("included from {}:{}", Printable(&inclusion.source), inclusion.line);
            self.note(f, Part::Frame, "note", &note)?;
            included = inclusion.included.as_deref();
        }
        Ok(())
    }
}

impl Painted<'_> {
    fn off(&self) -> &'static str {
        self.paint.around(Part::Frame).1
    }

    fn note(&self, f: &mut fmt::Formatter<'_>, part: Part, label: &str, text: &str) -> fmt::Result {
        let (frame, off) = self.paint.around(Part::Frame);
        let (on, end) = self.paint.around(part);
        write!(f, "\n{frame}      ={off} {on}{label}:{end} {text}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.painted(Paint::Plain))
    }
}

impl std::error::Error for Fault {}

/// The faults of one reading in the order of the input: the first few, and whether there were more.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Faults {
    /// The first faults, as many as were asked for.
    pub faults: Vec<Fault>,
    /// Whether reading went no further because there were so many.
    pub stopped: bool,
}

impl Faults {
    /// All of them, with colours or without.
    pub fn painted(&self, paint: Paint) -> impl fmt::Display {
        PaintedFaults { faults: self, paint }
    }
}

struct PaintedFaults<'f> {
    faults: &'f Faults,
    paint: Paint,
}

impl fmt::Display for PaintedFaults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Faults { faults, stopped } = self.faults;
        for (number, fault) in faults.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", fault.painted(self.paint))?;
        }
        if *stopped {
            let count = faults.len();
            write!(f, "\nthere are more than {count} faults: correct these first")?;
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.painted(Paint::Plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Fault {
        Fault {
            column: 8,
            rtype: Some(RecordType::MX),
            help: Some("write a number".into()),
            opened: Some((2, 3)),
            included: Some(Arc::new(Inclusion {
                source: "zo\x1bne".into(),
                line: 4,
                included: Some(Arc::new(Inclusion {
                    source: "first".into(),
                    line: 5,
                    included: None,
                })),
            })),
            excerpt: Excerpt::new(b"www MX ten mail", 7, 3).into(),
            ..Fault::new(Severity::Error, "in\x07ner".into(), 7, Reason::Number(65_535))
        }
    }

    #[test]
    fn everything_that_is_known_is_shown() {
        let expected = "\
in\\007ner:7:8: error: expected a number from 0 to 65535
    7 | www MX ten mail
      |        ^^^
      = expected: MX PREFERENCE EXCHANGE
      = help: write a number
      = note: inside the parenthesis opened at 2:3
      = note: included from zo\\027ne:4
      = note: included from first:5";
        assert_eq!(fault().to_string(), expected);
        let painted = fault().painted(Paint::Ansi).to_string();
        assert!(painted.contains("\x1b[1;31merror:\x1b[0m"));
        let mut plain = String::new();
        for part in painted.split('\x1b') {
            plain.push_str(
                part.split_once('m')
                    .filter(|_| part.starts_with('['))
                    .map_or(part, |(_, rest)| rest),
            );
        }
        assert_eq!(plain, expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let fault = Fault::new(Severity::Warning, "zone".into(), 7, Reason::NoTtl);
        assert_eq!(fault.to_string(), format!("zone:7: warning: {}", Reason::NoTtl));
        let fault = Fault::new(Severity::Error, "zone".into(), 0, Reason::NoTtl);
        assert!(fault.to_string().starts_with("zone: error: "));
    }
}
