//! Many zones in one run: their keys are opened together, with one login a token and one pool of sessions for all; large
//! zones are signed one after another on all threads, small ones side by side, a thread each. One zone's fault is its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dnssec_sign::Name;
use rayon::ThreadPool;
use serde::Serialize;
use zone_io::Fault;

use crate::config::{Output, RunConfig, SigningKeys};
use crate::error::Error;
use crate::flow::Task;
use crate::keys::open_keys_of_zones;
use crate::observer::{Observer, Phase};
use crate::report::{REPORT_VERSION, Report};
use crate::signing::{Crew, with_sessions};
use crate::thread_pool;

/// A zone file of at least so many bytes keeps all threads busy by itself.
const LARGE: u64 = 4 << 20;
/// More zones than this are not signed side by side, however many sessions there are.
const MOST_LANES: usize = 64;

/// What came of a run over many zones.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ZonesReport {
    /// What this is: `signet zones report`.
    pub format: &'static str,
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The program's version.
    pub program: &'static str,
    /// The exit code of the zone that came off worst.
    pub exit_code: u8,
    /// Signatures made, of all zones together.
    pub signatures: u64,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// The zones, in the order in which they were given.
    pub zones: Vec<ZoneOutcome>,
}

/// What came of one zone.
#[derive(Debug, Clone, Serialize)]
pub struct ZoneOutcome {
    /// The zone's origin.
    pub origin: String,
    /// Its output; none when that is standard output.
    pub output: Option<PathBuf>,
    /// 0, or what a run of this zone alone would have ended with.
    pub exit_code: u8,
    /// Why it was not signed.
    pub error: Option<String>,
    /// Its report, if it was.
    pub report: Option<Report>,
}

/// Exit codes from the least to the worst.
const SEVERITY: [u8; 8] = [0, 6, 2, 1, 5, 4, 3, 130];

fn severity(code: u8) -> usize {
    SEVERITY
        .iter()
        .position(|other| *other == code)
        .unwrap_or(SEVERITY.len())
}

/// Signs many zones. Tokens are used as the first one's keys say. Warnings are told with their zone's name.
///
/// # Errors
/// What keeps all zones from being signed: a token, or a key that is not on it. What is wrong with one zone is in its
/// [`ZoneOutcome`].
pub fn sign_zones(zones: &[RunConfig], observer: &dyn Observer) -> Result<ZonesReport, Error> {
    let began = Instant::now();
    let watches: Vec<OfZone<'_>> = zones.iter().map(|zone| OfZone::new(zone, observer)).collect();
    let requests: Vec<_> = zones.iter().map(|zone| &zone.keys).collect();
    let observers: Vec<&dyn Observer> = watches.iter().map(|watch| watch as &dyn Observer).collect();
    let keys = open_keys_of_zones(&requests, &observers, observer)?;
    observer.phase(Phase::Zones, Some(zones.len() as u64));

    let mut outcomes: Vec<Mutex<Option<ZoneOutcome>>> = Vec::new();
    outcomes.resize_with(zones.len(), Mutex::default);
    let settle = |at: usize, result: Result<Report, Error>| {
        let outcome = watches.get(at).map(|watch| watch.outcome(result));
        if let Some(place) = outcomes.get(at) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
        }
        observer.advance(Phase::Zones, 1);
    };
    let mut work = Vec::new();
    for (at, keys) in keys.into_iter().enumerate() {
        match keys {
            Ok(keys) => work.push((at, keys)),
            Err(error) => settle(at, Err(error)),
        }
    }
    // All have the same stores.
    if let Some((_, shared)) = work.first() {
        with_sessions(shared, observer, |crew| {
            let run = |at: usize, keys: &SigningKeys, pool: &ThreadPool| {
                if let (Some(zone), Some(watch)) = (zones.get(at), watches.get(at)) {
                    let task = Task {
                        config: &zone.sign,
                        keys,
                        sessions: crew,
                        pool,
                        observer: watch,
                    };
                    settle(at, task.run());
                }
            };
            all(zones, &work, crew, &run)
        })?;
    }
    let outcomes = outcomes
        .into_iter()
        .filter_map(|outcome| outcome.into_inner().unwrap_or_else(PoisonError::into_inner));
    let zones: Vec<ZoneOutcome> = outcomes.collect();
    let worst = zones
        .iter()
        .map(|zone| zone.exit_code)
        .max_by_key(|code| severity(*code));
    Ok(ZonesReport {
        format: "signet zones report",
        version: REPORT_VERSION,
        program: env!("CARGO_PKG_VERSION"),
        exit_code: worst.unwrap_or(0),
        signatures: zones
            .iter()
            .filter_map(|zone| zone.report.as_ref())
            .map(Report::signatures)
            .sum(),
        seconds: began.elapsed().as_secs_f64(),
        zones,
    })
}

/// Runs every zone: the large ones first.
fn all(
    zones: &[RunConfig],
    work: &[(usize, SigningKeys)],
    crew: &Crew<'_>,
    run: &(dyn Fn(usize, &SigningKeys, &ThreadPool) + Sync),
) -> Result<(), Error> {
    let is_large = |zone: &RunConfig| zone.sign.zone_file.metadata().is_ok_and(|file| file.len() >= LARGE);
    let (large, small): (Vec<_>, Vec<_>) = work.iter().partition(|(at, _)| zones.get(*at).is_some_and(is_large));
    let Some(first) = zones.first() else { return Ok(()) };
    if !large.is_empty() {
        let pool = match &first.sign.pool {
            Some(pool) => Arc::clone(pool),
            None => Arc::new(thread_pool(first.sign.threads)?),
        };
        for (at, keys) in large {
            run(*at, keys, &pool);
        }
    }
    // Enough of them that all sessions have work while each zone waits for its own last signature.
    let threads = first
        .sign
        .pool
        .as_ref()
        .map_or(first.sign.threads, |pool| pool.current_num_threads());
    let lanes = (threads + crew.count()).clamp(1, MOST_LANES).min(small.len());
    let pools = (0..lanes).map(|_| thread_pool(1)).collect::<Result<Vec<_>, Error>>()?;
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| {
                while let Some((at, keys)) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(*at, keys, pool);
                }
            });
        }
    });
    Ok(())
}

/// Watches one zone of many: its warnings bear its name and are kept for its report, its progress is not told.
struct OfZone<'a> {
    observer: &'a dyn Observer,
    zone: &'a RunConfig,
    origin: String,
    warnings: Mutex<Vec<String>>,
}

impl<'a> OfZone<'a> {
    fn new(zone: &'a RunConfig, observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            zone,
            origin: zone.sign.origin.to_string(),
            warnings: Mutex::default(),
        }
    }

    fn keep(&self, warning: String) {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning);
    }

    fn outcome(&self, result: Result<Report, Error>) -> ZoneOutcome {
        let mut outcome = ZoneOutcome {
            origin: self.origin.clone(),
            output: match &self.zone.sign.output {
                Output::File(path) => Some(path.clone()),
                Output::Stdout => None,
            },
            exit_code: 0,
            error: None,
            report: None,
        };
        match result {
            Ok(mut report) => {
                report.warnings = std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
                outcome.exit_code = if report.unrenewed() > 0 { 6 } else { 0 };
                outcome.report = Some(report);
            }
            Err(error) => {
                outcome.exit_code = error.exit_code();
                outcome.error = Some(error.to_string());
            }
        }
        outcome
    }
}

impl Observer for OfZone<'_> {
    fn signed(&self, store: &str, signatures: u64) {
        self.observer.signed(store, signatures);
    }

    fn resumed(&self, zone: &Name, signatures: usize) {
        self.observer.resumed(zone, signatures);
    }

    fn warn(&self, message: &str) {
        self.keep(message.to_owned());
        self.observer.warn(&format!("{}: {message}", self.origin));
    }

    fn explain(&self, lines: &str) {
        self.observer.explain(lines);
    }

    fn diagnose(&self, warning: &Fault) {
        self.keep(warning.to_string());
        self.observer.diagnose(warning);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }

    fn commit(&self) -> bool {
        self.observer.commit()
    }

    fn published(&self) {
        self.observer.published();
    }

    fn made(&self, file: &Path) {
        self.observer.made(file);
    }

    fn removed(&self, file: &Path) {
        self.observer.removed(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_token_is_worse_than_one_of_a_zone() {
        let worst = |codes: &[u8]| codes.iter().copied().max_by_key(|code| severity(*code));
        assert_eq!(worst(&[0, 1, 6, 0]), Some(1));
        assert_eq!(worst(&[1, 3, 5]), Some(3));
        assert_eq!(worst(&[0, 6]), Some(6));
        assert_eq!(worst(&[3, 130, 1]), Some(130));
    }
}
