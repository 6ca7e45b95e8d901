//! How faults and warnings reach a person on standard error: those in a zone's text with colours where that is a terminal
//! and NO_COLOR is not set; the libraries' own, said through `tracing`, as lines, and anything quieter than a
//! warning not at all.

use std::fmt;
use std::io::{IsTerminal, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use zone_io::{Fault, Faults, Lint, Paint, Warnings};

/// Whether standard error has colours (<https://no-color.org>).
pub(crate) fn paint() -> Paint {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    if refused || dumb || !std::io::stderr().is_terminal() {
        Paint::Plain
    } else {
        Paint::Ansi
    }
}

/// Shows the faults that stopped a command, and how many there are.
pub(crate) fn show_faults(faults: &Faults) {
    let count = faults.faults.len();
    let (than, plural) = (
        if faults.stopped { "more than " } else { "" },
        if count == 1 { "" } else { "s" },
    );
    tell(&faults.painted(paint()));
    tell(&format_args!("signet: error: {than}{count} fault{plural} in the zone"));
}

/// Shows a fault that stopped nothing.
pub(crate) fn show_fault(fault: &Fault) {
    tell(&fault.painted(paint()));
}

/// Shows warnings, and how many more there are of each name.
pub(crate) fn show_warnings(warnings: &Warnings) {
    warnings.kept().iter().for_each(show_fault);
    for lint in Lint::ALL {
        let left_out = warnings.left_out(lint);
        if left_out > 0 {
            tell(&format_args!("signet: warning: and {left_out} more [{lint}]"));
        }
    }
}

/// Standard error may be closed: no reason to stop.
fn tell(text: &dyn fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Shows warnings and errors of the libraries from now on.
pub(crate) fn install() {
    // It fails where one is installed already, which this program does not do.
    let _ = tracing::subscriber::set_global_default(LibraryWarnings);
}

struct LibraryWarnings;

impl Subscriber for LibraryWarnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let _ = writeln!(
            std::io::stderr().lock(),
            "signet: warning: {}{}",
            line.message,
            line.fields
        );
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The message, and the other fields as ` (name: value)` behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields.push_str(&format!(" ({name}: {value:?})")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
