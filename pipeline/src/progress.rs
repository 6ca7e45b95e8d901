//! Turns a run's [`Observer`] calls into what a person sees on standard error: a bar per phase with rate and
//! ETA on a terminal, at most one line a second elsewhere, warnings at once; and signals into the wish to stop. It
//! measures; it decides nothing.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dnssec_sign::Name;
use indicatif::{HumanCount, HumanDuration};
use signet_pipeline::{Error, Observer, Phase, Report, ZonesReport};

use zone_io::{Fault, Paint};

use crate::state::RunState;
use crate::{diagnostics, sigbus};

mod bars;
mod events;
mod pace;

use bars::Bars;
use events::Events;
use pace::Paces;

/// For whom a run shows its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Bars on a terminal, lines elsewhere.
    Human,
    /// One JSON object a line.
    Json,
}

/// How much a run says while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// Progress and warnings.
    Normal,
    /// Warnings only.
    Quiet,
}

/// Shows a run's progress on standard error.
pub(crate) struct Progress {
    display: Display,
    warnings: Mutex<Vec<String>>,
    state: RunState,
}

enum Display {
    Bars(Bars),
    Lines(Lines),
    Events(Events),
    Quiet,
}

impl Progress {
    /// Bars where standard error is a terminal, lines elsewhere.
    pub(crate) fn new(loudness: Loudness, style: Style) -> Self {
        let display = match loudness {
            _ if style == Style::Json => Display::Events(Events::new()),
            Loudness::Quiet => Display::Quiet,
            Loudness::Normal if std::io::stderr().is_terminal() => Display::Bars(Bars::new()),
            Loudness::Normal => Display::Lines(Lines::new()),
        };
        Self {
            display,
            warnings: Mutex::default(),
            state: RunState::new(),
        }
    }

    /// Every warning so far, in the order in which they came.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether words are wanted.
    pub(crate) fn speaks(&self) -> bool {
        !matches!(self.display, Display::Events(_) | Display::Quiet)
    }

    /// What came of the run, where that is not said in words.
    pub(crate) fn end(&self, result: Result<&Report, &Error>) {
        if let Display::Events(events) = &self.display {
            events.end(result);
        }
    }

    /// How the run stands, in lines.
    pub(crate) fn state(&self) -> String {
        self.state.text()
    }

    /// The same of a run over many zones.
    pub(crate) fn end_zones(&self, report: &ZonesReport) {
        if let Display::Events(events) = &self.display {
            events.zones(report);
        }
    }

    /// Takes the bars away, so that what follows stands on clean lines.
    pub(crate) fn finish(&self) {
        if let Display::Bars(bars) = &self.display {
            bars.clear();
        }
    }
}

impl Observer for Progress {
    fn phase(&self, phase: Phase, total: Option<u64>) {
        self.state.phase(phase, total);
        match &self.display {
            Display::Bars(bars) => bars.phase(phase, total),
            Display::Lines(lines) => lines.phase(phase, total),
            Display::Events(events) => events.phase(phase, total),
            Display::Quiet => {}
        }
    }

    fn advance(&self, phase: Phase, done: u64) {
        self.state.advance(done);
        match &self.display {
            Display::Bars(bars) => bars.advance(phase, done),
            Display::Lines(lines) => lines.advance(phase, done),
            Display::Events(events) => events.advance(phase, done),
            Display::Quiet => {}
        }
    }

    fn signed(&self, store: &str, signatures: u64) {
        self.state.signed(signatures);
        match &self.display {
            Display::Bars(bars) => bars.signed(store, signatures),
            Display::Lines(lines) => lines.paces.signed(store, signatures),
            Display::Events(events) => events.signed(store, signatures),
            Display::Quiet => {}
        }
    }

    fn warn(&self, message: &str) {
        let line = format!("signet: warning: {message}");
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message.to_owned());
        match &self.display {
            Display::Bars(bars) => bars.say(&line),
            Display::Events(events) => events.message("warning", message),
            Display::Lines(_) | Display::Quiet => write_line(&line),
        }
    }

    fn explain(&self, lines: &str) {
        match &self.display {
            Display::Bars(bars) => bars.say(lines.trim_end()),
            Display::Events(events) => events.message("explain", lines.trim_end()),
            Display::Lines(_) | Display::Quiet => write_line(lines.trim_end()),
        }
    }

    fn diagnose(&self, warning: &Fault) {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning.headline(Paint::Plain).to_string());
        let text = warning.painted(diagnostics::paint()).to_string();
        match &self.display {
            Display::Bars(bars) => bars.say(&text),
            Display::Events(events) => events.message("warning", &warning.headline(Paint::Plain).to_string()),
            Display::Lines(_) | Display::Quiet => write_line(&text),
        }
    }

    fn cancelled(&self) -> bool {
        sigbus::asked_to_stop()
    }

    fn resumed(&self, zone: &Name, signatures: usize) {
        let line = format!(
            "signet: {zone}: goes on with {} signatures of the journal",
            HumanCount(signatures as u64)
        );
        match &self.display {
            Display::Bars(bars) => bars.say(&line),
            Display::Lines(_) => write_line(&line),
            Display::Events(events) => events.resumed(zone, signatures),
            Display::Quiet => {}
        }
    }

    fn commit(&self) -> bool {
        sigbus::commit()
    }

    fn published(&self) {
        sigbus::committed();
    }

    fn made(&self, file: &Path) {
        sigbus::add_leftover(file);
    }

    fn removed(&self, file: &Path) {
        sigbus::forget_leftover(file);
    }
}

/// What is counted in a phase, and what it is called.
fn words(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::Load => ("reading", "bytes"),
        Phase::Sign => ("signing", "records"),
        Phase::Chain => ("NSEC3 chain", "records"),
        Phase::Verify => ("verifying", "records"),
        Phase::Publish => ("publishing", "files"),
        Phase::Zones => ("signing", "zones"),
        _ => ("working", "steps"),
    }
}

/// The number of phases that are told apart.
const PHASES: usize = 6;

/// Phases in the order in which they follow each other; verification, which overlaps with them, comes last.
fn place(phase: Phase) -> usize {
    match phase {
        Phase::Load => 0,
        Phase::Sign => 1,
        Phase::Chain => 2,
        Phase::Publish => 3,
        Phase::Verify => 4,
        _ => 5,
    }
}

/// Standard error may be closed or full: progress is no reason to stop a run.
fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The pause between two lines; less is not told as what is left.
const PAUSE: Duration = Duration::from_secs(1);

/// Lines for logs: none for a run of less than a second, then at most one a second.
struct Lines {
    started: Instant,
    /// When the last line was written, in milliseconds of the run.
    last: AtomicU64,
    counters: [Counter; PHASES],
    paces: Paces,
}

#[derive(Default)]
struct Counter {
    done: AtomicU64,
    /// 0 while it is not known.
    total: AtomicU64,
    /// When the phase began, in milliseconds of the run.
    began: AtomicU64,
}

impl Lines {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
            counters: Default::default(),
            paces: Paces::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn phase(&self, phase: Phase, total: Option<u64>) {
        let counter = &self.counters[place(phase)];
        counter.total.store(total.unwrap_or(0), Ordering::Relaxed);
        let _ = counter
            .began
            .compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
    }

    fn advance(&self, phase: Phase, done: u64) {
        self.counters[place(phase)].done.fetch_add(done, Ordering::Relaxed);
        self.speak(phase, self.now());
    }

    fn speak(&self, phase: Phase, now: u64) {
        let last = self.last.load(Ordering::Relaxed);
        let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
        if now < last.saturating_add(pause)
            || self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let counter = &self.counters[place(phase)];
        let elapsed = now.saturating_sub(counter.began.load(Ordering::Relaxed));
        let done = counter.done.load(Ordering::Relaxed);
        let total = Some(counter.total.load(Ordering::Relaxed)).filter(|total| *total > 0);
        let mut line = progress_line(phase, done, total, Duration::from_millis(elapsed));
        for pace in self.paces.take() {
            line.push_str(&format!(
                "; {}: {} signatures a second",
                pace.store,
                HumanCount(pace.a_second())
            ));
        }
        write_line(&line);
    }
}

/// `signing: 120,000 of 400,000 records (30 %), 60,000 a second, 5 seconds left`.
pub(crate) fn progress_line(phase: Phase, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let (doing, unit) = words(phase);
    let mut line = format!("{doing}: {}", HumanCount(done));
    if let Some(total) = total {
        let percent = u128::from(done) * 100 / u128::from(total.max(1));
        line.push_str(&format!(" of {} {unit} ({percent} %)", HumanCount(total)));
    } else {
        line.push_str(&format!(" {unit}"));
    }
    let milliseconds = elapsed.as_millis();
    if done > 0 && milliseconds > 0 {
        let rate = u64::try_from(u128::from(done) * 1000 / milliseconds).unwrap_or(u64::MAX);
        if rate > 0 {
            line.push_str(&format!(", {} a second", HumanCount(rate)));
        }
        if let Some(rest) = total.and_then(|total| total.checked_sub(done)).filter(|rest| *rest > 0) {
            let left = u128::from(rest) * milliseconds / u128::from(done);
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX));
            if left >= PAUSE {
                line.push_str(&format!(", {} left", HumanDuration(left)));
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_and_what_is_left() {
        let line = progress_line(Phase::Sign, 120_000, Some(400_000), Duration::from_secs(2));
        assert_eq!(
            line,
            "signing: 120,000 of 400,000 records (30 %), 60,000 a second, 5 seconds left"
        );
        let line = progress_line(Phase::Zones, 1, Some(3), Duration::from_secs(2));
        assert_eq!(line, "signing: 1 of 3 zones (33 %), 4 seconds left");
        let line = progress_line(Phase::Verify, 10, None, Duration::from_secs(1));
        assert_eq!(line, "verifying: 10 records, 10 a second");
        assert_eq!(
            progress_line(Phase::Chain, 0, Some(7), Duration::ZERO),
            "NSEC3 chain: 0 of 7 records (0 %)"
        );
    }

    #[test]
    fn lines_are_a_second_apart() {
        let lines = Lines::new();
        lines.speak(Phase::Sign, 500);
        assert_eq!(lines.last.load(Ordering::Relaxed), 0);
        lines.speak(Phase::Sign, 1200);
        assert_eq!(lines.last.load(Ordering::Relaxed), 1200);
        lines.speak(Phase::Sign, 2100);
        assert_eq!(lines.last.load(Ordering::Relaxed), 1200);
    }
}
