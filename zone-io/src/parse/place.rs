//! Places in a text: offsets into lines, columns and the line's text, for faults. What a fault says is decided elsewhere.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::mark_length;
use crate::excerpt::{Excerpt, count_characters};
use crate::fault::{Fault, Inclusion, Severity};
use crate::scan::Raw;
use crate::suggest;

/// A text and its name, in which faults are given their place.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    bytes: &'a [u8],
    name: Arc<str>,
    included: Option<Arc<Inclusion>>,
    /// The number of the line that starts at byte `counted`.
    line: u32,
    counted: usize,
    /// The length of the byte order mark in front.
    mark: usize,
}

impl<'a> Place<'a> {
    /// A text whose first line has this number.
    pub(crate) fn new(bytes: &'a [u8], name: Arc<str>, line: u32) -> Self {
        Self {
            bytes,
            name,
            included: None,
            line,
            counted: 0,
            mark: mark_length(bytes),
        }
    }

    /// The text is that of a file that was reached by $INCLUDE.
    pub(crate) fn included(self, included: Option<Arc<Inclusion>>) -> Self {
        Self { included, ..self }
    }

    /// The text has `mark` bytes of a byte order mark in front: none, where it starts inside its file.
    pub(crate) fn marked(self, mark: usize) -> Self {
        Self { mark, ..self }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The fault with its line, its column, the line's text, and help where there is some.
    pub(crate) fn fault(&mut self, raw: Raw) -> Fault {
        let at = raw.at.min(self.bytes.len());
        let (line, start, column) = self.locate(at);
        let opened = match raw.opened.map(|opened| self.locate(opened)) {
            Some((opened_line, _, opened_column)) if opened_line < line => Some((opened_line, opened_column)),
            _ => None,
        };
        let help = suggest::help(&raw, self.bytes);
        let end = memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |more| at + more);
        let text = &self.bytes[start..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let stop = at.saturating_add(raw.length).clamp(at, end);
        Fault {
            column,
            width: number(count_characters(&self.bytes[at..stop])).max(1),
            rtype: raw.rtype,
            help: help.map(String::into_boxed_str),
            opened,
            included: self.included.clone(),
            excerpt: Excerpt::new(text, at - start, stop - at).into(),
            ..Fault::new(
                if raw.reason.lint().is_some() {
                    Severity::Warning
                } else {
                    Severity::Error
                },
                self.name.clone(),
                line,
                raw.reason,
            )
        }
    }

    /// The number of the line of a byte, where the line starts, and the byte's column.
    fn locate(&mut self, at: usize) -> (u32, usize, u32) {
        let start = memrchr(b'\n', &self.bytes[..at]).map_or(0, |before| before + 1);
        let count = |bytes: &[u8]| number(memchr_iter(b'\n', bytes).count());
        // Faults come nearly in order, so that lines are counted once.
        self.line = if start >= self.counted {
            self.line.saturating_add(count(&self.bytes[self.counted..start]))
        } else {
            self.line.saturating_sub(count(&self.bytes[start..self.counted]))
        };
        self.counted = start;
        let start = if start == 0 { self.mark.min(at) } else { start };
        let column = number(count_characters(&self.bytes[start..at])).saturating_add(1);
        (self.line, start, column)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
