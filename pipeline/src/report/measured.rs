//! What the meter summed up, as the report has it: seconds and microseconds in place of durations, names in place of places.

use std::time::Duration;

use serde::Serialize;

use crate::config::Store;
use crate::meter::{Step, Sums};

/// What all workers together spent on one kind of task.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// `plan`, `sign` (with keys in software), `fill` (signatures put into the text), `write`, `verify`, or `wait` for anything to do.
    pub step: &'static str,
    /// How many tasks.
    pub tasks: u64,
    /// Seconds that passed.
    pub wall: f64,
    /// Seconds of them on a processor.
    pub cpu: f64,
}

/// What is done by one thread at a time, however many there are: what bounds a run on very many processors.
#[derive(Debug, Clone, Serialize)]
pub struct OneCoreReport {
    /// `read` (the text cut into chunks, and what came of them joined), `lead` (decisions, chain and verdict joined, publishing),
    /// `write` (in order), or `digest` (SHA-256 for the report).
    pub stage: &'static str,
    /// Seconds on a processor.
    pub cpu: f64,
    /// Its part of the process's CPU time during the run.
    pub share: f64,
}

/// The CPU time of what one thread at a time does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OneCore {
    /// Of the whole process during the run.
    pub(crate) process: Duration,
    pub(crate) read: Duration,
    pub(crate) lead: Duration,
    pub(crate) digest: Duration,
}

pub(super) fn on_one_core(times: OneCore, sums: &[StepReport]) -> Vec<OneCoreReport> {
    let all = times.process.as_secs_f64().max(1e-9);
    let written = sums.iter().filter(|step| step.step == Step::Write.word());
    let stages = [
        ("read", times.read.as_secs_f64()),
        ("lead", times.lead.as_secs_f64()),
        ("write", written.map(|step| step.cpu).sum()),
        ("digest", times.digest.as_secs_f64()),
    ];
    let share = |(stage, cpu)| OneCoreReport {
        stage,
        cpu,
        share: cpu / all,
    };
    stages.map(share).into()
}

/// What one session spent its time on.
#[derive(Debug, Clone, Serialize)]
pub struct SessionReport {
    /// Its store.
    pub store: String,
    /// Its number there, from 1.
    pub session: usize,
    /// Signatures made.
    pub signatures: u64,
    /// Batches that they came in.
    pub batches: u64,
    /// Seconds in calls that sign and on the processor.
    pub cpu: f64,
    /// Seconds in calls that sign, waiting for the token.
    pub waiting: f64,
    /// Seconds without work.
    pub idle: f64,
}

/// How long signatures of one store took. A token's are taken one by one; those of software keys are means of batches.
#[derive(Debug, Clone, Serialize)]
pub struct LatencyReport {
    /// The store.
    pub store: String,
    /// Signatures made.
    pub signatures: u64,
    /// The mean, in microseconds, as are the next three.
    pub mean: f64,
    /// Half took no longer.
    pub p50: f64,
    /// 99 in a hundred took no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// The histogram, without empty buckets.
    pub buckets: Vec<LatencyBucket>,
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Serialize)]
pub struct LatencyBucket {
    /// Microseconds that all of its signatures took less than.
    pub below: f64,
    /// Its signatures.
    pub signatures: u64,
}

/// What happened when: slots of equal length from the start of the run on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TimelineReport {
    /// The length of a slot in seconds.
    pub slot: f64,
    /// Signatures a slot, by store.
    pub signatures: Vec<StoreSeries>,
    /// Bytes written a slot.
    pub written: Vec<u64>,
}

/// Signatures of one store, slot by slot.
#[derive(Debug, Clone, Serialize)]
pub struct StoreSeries {
    /// The store.
    pub store: String,
    /// Signatures a slot.
    pub counts: Vec<u64>,
}

pub(super) fn steps(sums: &Sums) -> Vec<StepReport> {
    let steps = Step::ALL.iter().zip(&sums.steps);
    steps
        .map(|(step, sum)| StepReport {
            step: step.word(),
            tasks: sum.tasks,
            wall: sum.times.wall.as_secs_f64(),
            cpu: sum.times.cpu.as_secs_f64(),
        })
        .collect()
}

fn name(stores: &[Store], at: usize) -> String {
    stores.get(at).map(|store| store.name.clone()).unwrap_or_default()
}

pub(super) fn sessions(sums: &Sums, stores: &[Store]) -> Vec<SessionReport> {
    let sessions = sums.sessions.iter();
    sessions
        .map(|((store, number), times)| SessionReport {
            store: name(stores, *store),
            session: number + 1,
            signatures: times.signatures,
            batches: times.batches,
            cpu: times.signing.cpu.as_secs_f64(),
            waiting: times.signing.wall.saturating_sub(times.signing.cpu).as_secs_f64(),
            idle: times.idle.as_secs_f64(),
        })
        .collect()
}

pub(super) fn latencies(sums: &Sums, stores: &[Store]) -> Vec<LatencyReport> {
    let micros = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6;
    let histograms = sums.latencies.iter().enumerate();
    histograms
        .filter(|(_, histogram)| histogram.total > 0)
        .map(|(store, histogram)| LatencyReport {
            store: name(stores, store),
            signatures: histogram.total,
            mean: micros(histogram.sum / histogram.total),
            p50: micros(histogram.quantile(500)),
            p99: micros(histogram.quantile(990)),
            max: micros(histogram.longest),
            buckets: histogram
                .buckets()
                .map(|(end, signatures)| LatencyBucket {
                    below: micros(end),
                    signatures,
                })
                .collect(),
        })
        .collect()
}

pub(super) fn timeline(sums: &Sums, stores: &[Store]) -> TimelineReport {
    let series = sums.timeline.signatures.iter().enumerate();
    TimelineReport {
        slot: sums.timeline.slot.as_secs_f64(),
        signatures: series
            .map(|(store, counts)| StoreSeries {
                store: name(stores, store),
                counts: counts.clone(),
            })
            .collect(),
        written: sums.timeline.written.clone(),
    }
}
