//! Progress for programs: one JSON object a line on standard error. Every one has `event` and `elapsed`; which others
//! there are is said in the README. What is said in words is for people and is not told twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dnssec_sign::Name;
use serde_json::{Value, json};
use signet_pipeline::{Error, Phase, Report, ZonesReport};

use super::pace::Paces;
use super::{PHASES, place, write_line};

/// The pause between two events of progress.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Events {
    started: Instant,
    last: Mutex<Instant>,
    done: [AtomicU64; PHASES],
    phases: Mutex<[Option<Begun>; PHASES]>,
    paces: Paces,
}

/// When a phase began, and how much there is to do if that is known.
type Begun = (Instant, Option<u64>);

/// A phase's word.
fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Load => "load",
        Phase::Sign => "sign",
        Phase::Chain => "chain",
        Phase::Verify => "verify",
        Phase::Publish => "publish",
        Phase::Zones => "zones",
        _ => "other",
    }
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            last: Mutex::new(Instant::now()),
            done: Default::default(),
            phases: Mutex::default(),
            paces: Paces::new(),
        }
    }

    fn emit(&self, event: &str, fields: Value) {
        let mut object = json!({ "event": event, "elapsed": self.started.elapsed().as_secs_f64() });
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
            object.extend(fields);
        }
        write_line(&object.to_string());
    }

    pub(super) fn phase(&self, phase: Phase, total: Option<u64>) {
        if let Ok(mut phases) = self.phases.lock() {
            let began = phases[place(phase)].map_or_else(Instant::now, |(began, _)| began);
            phases[place(phase)] = Some((began, total));
        }
        self.emit("phase", json!({ "phase": word(phase), "total": total }));
    }

    pub(super) fn advance(&self, phase: Phase, done: u64) {
        let done = self.done[place(phase)].fetch_add(done, Ordering::Relaxed) + done;
        // Whoever finds the lock taken leaves the telling to who has it.
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.elapsed() < PAUSE {
            return;
        }
        *last = Instant::now();
        let known = self.phases.lock().ok().and_then(|phases| phases[place(phase)]);
        let (began, total) = known.unwrap_or((self.started, None));
        let rate = done as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let left = total
            .and_then(|total| total.checked_sub(done))
            .map(|left| left as f64 / rate);
        let stores: Vec<Value> = self
            .paces
            .take()
            .iter()
            .map(|pace| json!({ "store": pace.store, "signatures": pace.signatures, "rate": pace.a_second() }))
            .collect();
        self.emit(
            "progress",
            json!({ "phase": word(phase), "done": done, "total": total, "rate": rate, "eta": left, "stores": stores }),
        );
    }

    pub(super) fn signed(&self, store: &str, signatures: u64) {
        self.paces.signed(store, signatures);
    }

    pub(super) fn message(&self, event: &str, message: &str) {
        self.emit(event, json!({ "message": message }));
    }

    pub(super) fn resumed(&self, zone: &Name, signatures: usize) {
        self.emit(
            "resumed",
            json!({ "origin": zone.to_string(), "signatures": signatures }),
        );
    }

    /// What came of a run over many zones.
    pub(super) fn zones(&self, report: &ZonesReport) {
        for zone in &report.zones {
            let (origin, code, error) = (&zone.origin, zone.exit_code, &zone.error);
            self.emit("zone", json!({ "origin": origin, "exit_code": code, "error": error }));
        }
        self.emit(
            "done",
            json!({ "zones": report.zones.len(), "exit_code": report.exit_code }),
        );
    }

    pub(super) fn end(&self, result: Result<&Report, &Error>) {
        match result {
            Ok(report) => self.emit(
                "done",
                json!({
                    "origin": report.origin,
                    "serial": report.serial,
                    "unchanged": report.unchanged,
                    "signatures": report.signatures(),
                    "records": report.records_out,
                }),
            ),
            Err(error) => self.emit(
                "failed",
                json!({ "exit_code": error.exit_code(), "message": error.to_string() }),
            ),
        }
    }
}
