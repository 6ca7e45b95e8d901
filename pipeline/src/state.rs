//! How a command stands right now, told when SIGUSR1 asks: phase, records, signatures, and what every session is at. It
//! counts what the [`Observer`](signet_pipeline::Observer) is told; it shows nothing by itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hsm_core::Activity;
use rustix::time::{ClockId, clock_gettime};
use signet_pipeline::Phase;

use crate::progress::progress_line;

/// The counts of a run.
pub(crate) struct RunState {
    started: Instant,
    current: Mutex<Option<Current>>,
    done: AtomicU64,
    signatures: AtomicU64,
}

/// The phase that the run is in.
#[derive(Clone, Copy)]
struct Current {
    phase: Phase,
    total: Option<u64>,
    began: Instant,
}

impl RunState {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            current: Mutex::default(),
            done: AtomicU64::new(0),
            signatures: AtomicU64::new(0),
        }
    }

    fn current(&self) -> Option<Current> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phase begins.
    pub(crate) fn phase(&self, phase: Phase, total: Option<u64>) {
        let began = Instant::now();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Current { phase, total, began });
        self.done.store(0, Ordering::Relaxed);
    }

    /// So much more of the phase is done.
    pub(crate) fn advance(&self, done: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// So many more signatures are made.
    pub(crate) fn signed(&self, signatures: u64) {
        self.signatures.fetch_add(signatures, Ordering::Relaxed);
    }

    /// All of it in lines.
    pub(crate) fn text(&self) -> String {
        let mut text = since(self.started);
        match self.current() {
            None => text.push_str("flags, keys and outputs are being proven\n"),
            Some(Current { phase, total, began }) => {
                let done = self.done.load(Ordering::Relaxed);
                text.push_str(&progress_line(phase, done, total, began.elapsed()));
                match self.signatures.load(Ordering::Relaxed) {
                    0 => text.push('\n'),
                    signatures => text.push_str(&format!("; {signatures} signatures made\n")),
                }
            }
        }
        text.push_str(&sessions(&hsm_core::activity()));
        text
    }
}

/// The same of a command that counts nothing: its CPU time tells whether it gets on.
pub(crate) fn at_work(began: Instant) -> String {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    let mut text = since(began);
    text.push_str(&format!("at work, {cpu:.1} s of CPU time\n"));
    text.push_str(&sessions(&hsm_core::activity()));
    text
}

fn since(began: Instant) -> String {
    format!("signet: {:.1} s: ", began.elapsed().as_secs_f64())
}

/// A line for each session that did something or does; the others are counted.
fn sessions(activity: &[Activity]) -> String {
    let mut text = String::new();
    let mut idle = 0;
    for (number, session) in activity.iter().enumerate() {
        let at = match session.call {
            Some((call, waited)) => format!("in {call} for {} ms", waited.as_millis()),
            None if session.signatures == 0 => {
                idle += 1;
                continue;
            }
            None => "waits for work".to_owned(),
        };
        let (signed, token) = (session.signatures, session.token.trim_end());
        text.push_str(&match token.strip_prefix("of ") {
            Some(library) => format!("signet:   {library}: {at}\n"),
            None => format!("signet:   session {} {token}: {at}, {signed} signatures\n", number + 1),
        });
    }
    if idle > 0 {
        text.push_str(&format!("signet:   {idle} more sessions without work yet\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_names_phase_records_and_signatures() {
        let state = RunState::new();
        assert!(state.text().contains("being proven"));
        state.phase(Phase::Sign, Some(400));
        state.advance(100);
        assert!(state.text().ends_with(" records (25 %)\n"), "{}", state.text());
        state.signed(90);
        let text = state.text();
        assert!(text.contains("signing: 100 of 400 records (25 %)"), "{text}");
        assert!(text.contains("; 90 signatures made\n"), "{text}");
    }
}
