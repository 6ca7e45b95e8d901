//! What a run measures of itself: where the time of workers and sessions goes, how long signatures take, and how many
//! there are at which moment. Sums only, added to once a batch or task; what they mean is said in `report`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dnssec_sign::SignBatch;
use rustix::time::{ClockId, clock_gettime};

/// Time that passed, and the part of it that a thread was computing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// Both clocks of the thread that holds it.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: Instant,
    cpu: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_time(ClockId::ThreadCPUTime),
        }
    }

    /// What passed since the start or the last lap.
    pub(crate) fn lap(&mut self) -> Times {
        let now = Self::start();
        let times = Times {
            wall: now.wall - self.wall,
            cpu: now.cpu.saturating_sub(self.cpu),
        };
        *self = now;
        times
    }
}

/// CPU time used so far by the whole process.
pub(crate) fn process_cpu() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

/// CPU time used so far by the thread that asks.
pub(crate) fn thread_cpu() -> Duration {
    cpu_time(ClockId::ThreadCPUTime)
}

fn cpu_time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Plan,
    /// With keys in software; those of tokens are the sessions' work.
    Sign,
    Fill,
    Write,
    Verify,
    Wait,
}

impl Step {
    pub(crate) const ALL: [Self; 6] = [
        Self::Plan,
        Self::Sign,
        Self::Fill,
        Self::Write,
        Self::Verify,
        Self::Wait,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Sign => "sign",
            Self::Fill => "fill",
            Self::Write => "write",
            Self::Verify => "verify",
            Self::Wait => "wait",
        }
    }
}

/// One worker's time, step by step.
#[derive(Debug)]
pub(crate) struct WorkerTimes {
    clock: Clock,
    steps: [StepTimes; Step::ALL.len()],
}

/// How often a step was done, and its time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepTimes {
    pub(crate) tasks: u64,
    pub(crate) times: Times,
}

impl WorkerTimes {
    pub(crate) fn start() -> Self {
        Self {
            clock: Clock::start(),
            steps: Default::default(),
        }
    }

    /// All since the last call, or the start, was this.
    pub(crate) fn took(&mut self, step: Step) -> Times {
        let times = self.clock.lap();
        let sum = &mut self.steps[step as usize];
        sum.tasks += 1;
        sum.times.add(times);
        times
    }
}

/// One session's time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SessionTimes {
    pub(crate) signatures: u64,
    pub(crate) batches: u64,
    /// In the calls that sign.
    pub(crate) signing: Times,
    /// Waiting for work.
    pub(crate) idle: Duration,
}

/// Quarters of an octave, from a quarter of a microsecond to more than a minute.
const BUCKETS: usize = 4 * 28;

/// How long signatures took: counts by quarters of an octave.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: [u64; BUCKETS],
    pub(crate) total: u64,
    /// Nanoseconds.
    pub(crate) sum: u64,
    pub(crate) longest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            total: 0,
            sum: 0,
            longest: 0,
        }
    }
}

/// The octave that the first bucket begins: 2^8 ns.
const FIRST_OCTAVE: u32 = 8;

impl Histogram {
    fn bucket(nanoseconds: u64) -> usize {
        let octave = nanoseconds.max(1).ilog2();
        let Some(above) = octave.checked_sub(FIRST_OCTAVE) else {
            return 0;
        };
        let quarter = (nanoseconds >> (octave - 2)) & 3;
        (4 * above as usize + usize::try_from(quarter).unwrap_or(0)).min(BUCKETS - 1)
    }

    /// Where a bucket ends, in nanoseconds.
    fn end(bucket: usize) -> u64 {
        let next = bucket as u64 + 1;
        (4 + next % 4) << (next / 4 + u64::from(FIRST_OCTAVE) - 2)
    }

    pub(crate) fn add(&mut self, nanoseconds: u64, count: u64) {
        self.counts[Self::bucket(nanoseconds)] += count;
        self.total += count;
        self.sum += nanoseconds * count;
        self.longest = self.longest.max(nanoseconds);
    }

    /// The buckets that hold something: their ends in nanoseconds, and their counts.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| (Self::end(bucket), *count))
    }

    /// The end of the bucket in which so many in a thousand are reached, in nanoseconds.
    pub(crate) fn quantile(&self, per_thousand: u64) -> u64 {
        let wanted = (self.total * per_thousand).div_ceil(1000);
        let mut seen = 0;
        for (end, count) in self.buckets() {
            seen += count;
            if seen >= wanted {
                return end.min(self.longest);
            }
        }
        self.longest
    }
}

/// So many slots has the timeline at most; then pairs of them become one.
const SLOTS: usize = 240;
/// A slot to begin with.
const SLOT: Duration = Duration::from_millis(25);

/// What happened when: signatures of each store, and bytes written, in slots of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    pub(crate) slot: Duration,
    pub(crate) signatures: Vec<Vec<u64>>,
    pub(crate) written: Vec<u64>,
}

impl Timeline {
    fn new(stores: usize) -> Self {
        Self {
            slot: SLOT,
            signatures: vec![Vec::new(); stores],
            written: Vec::new(),
        }
    }

    fn series(&mut self, store: Option<usize>, at: Duration, count: u64) {
        let mut slot = usize::try_from(at.as_nanos() / self.slot.as_nanos()).unwrap_or(usize::MAX);
        while slot >= SLOTS {
            self.slot *= 2;
            slot /= 2;
            for series in self.signatures.iter_mut().chain([&mut self.written]) {
                *series = series.chunks(2).map(|pair| pair.iter().sum()).collect();
            }
        }
        let series = match store {
            Some(store) => self.signatures.get_mut(store),
            None => Some(&mut self.written),
        };
        if let Some(series) = series {
            if series.len() <= slot {
                series.resize(slot + 1, 0);
            }
            series[slot] += count;
        }
    }

    /// All series of one length.
    fn levelled(mut self) -> Self {
        let all = || self.signatures.iter().chain([&self.written]);
        let length = all().map(Vec::len).max().unwrap_or(0);
        for series in self.signatures.iter_mut().chain([&mut self.written]) {
            series.resize(length, 0);
        }
        self
    }
}

/// Everything that is measured of one zone's signing.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    sums: Mutex<Sums>,
}

/// The sums of a [`Meter`].
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    pub(crate) steps: [StepTimes; Step::ALL.len()],
    /// By place of the store and number of the session in it.
    pub(crate) sessions: BTreeMap<(usize, usize), SessionTimes>,
    /// By place of the store.
    pub(crate) latencies: Vec<Histogram>,
    pub(crate) timeline: Timeline,
}

impl Meter {
    /// One for so many stores; the run began at this moment.
    pub(crate) fn new(stores: usize, began: Instant) -> Self {
        Self {
            began,
            sums: Mutex::new(Sums {
                steps: Default::default(),
                sessions: BTreeMap::new(),
                latencies: vec![Histogram::default(); stores],
                timeline: Timeline::new(stores),
            }),
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker has ended.
    pub(crate) fn worker(&self, worker: WorkerTimes) {
        let mut sums = self.sums();
        for (sum, own) in sums.steps.iter_mut().zip(worker.steps) {
            sum.tasks += own.tasks;
            sum.times.add(own.times);
        }
    }

    /// A batch was signed by a store, which took so long.
    pub(crate) fn batch(&self, store: usize, batch: &SignBatch, took: Times) {
        signed(&mut self.sums(), self.began.elapsed(), store, (batch, 0), took);
    }

    /// A session signed the jobs of a batch from number `before` on, after waiting for it for a while.
    pub(crate) fn session(&self, place: (usize, usize), batch: &SignBatch, before: usize, idle: Duration, took: Times) {
        let mut sums = self.sums();
        signed(&mut sums, self.began.elapsed(), place.0, (batch, before), took);
        let session = sums.sessions.entry(place).or_default();
        session.signatures += (batch.done() - before) as u64;
        session.batches += 1;
        session.signing.add(took);
        session.idle += idle;
    }

    /// So many bytes were written.
    pub(crate) fn written(&self, bytes: u64) {
        let at = self.began.elapsed();
        self.sums().timeline.series(None, at, bytes);
    }

    /// The sums so far.
    pub(crate) fn read(&self) -> Sums {
        let mut sums = self.sums().clone();
        sums.timeline = sums.timeline.levelled();
        sums
    }
}

fn signed(sums: &mut Sums, at: Duration, store: usize, (batch, before): (&SignBatch, usize), took: Times) {
    let count = (batch.done() - before) as u64;
    if count == 0 {
        return;
    }
    sums.timeline.series(Some(store), at, count);
    let Some(histogram) = sums.latencies.get_mut(store) else {
        return;
    };
    // A signer that does not say how long each took is known by its batches.
    let mean = u64::try_from(took.wall.as_nanos()).unwrap_or(u64::MAX) / count;
    for each in batch.times().take(batch.done()).skip(before) {
        histogram.add(if each == 0 { mean } else { each.into() }, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_bucket_that_ends_behind_it() {
        for nanoseconds in [
            0,
            1,
            255,
            256,
            300,
            319,
            320,
            40_000,
            41_000,
            1_000_000_007,
            60_000_000_000,
        ] {
            let bucket = Histogram::bucket(nanoseconds);
            assert!(nanoseconds < Histogram::end(bucket), "{nanoseconds}");
            if bucket > 0 {
                assert!(nanoseconds >= Histogram::end(bucket - 1), "{nanoseconds}");
            }
        }
        assert_eq!(Histogram::bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_come_from_the_buckets() {
        let mut histogram = Histogram::default();
        histogram.add(1000, 990);
        histogram.add(1_000_000, 10);
        assert!((1000..1300).contains(&histogram.quantile(500)));
        assert!((1000..1300).contains(&histogram.quantile(990)));
        assert_eq!(histogram.quantile(999), 1_000_000);
        assert_eq!(histogram.total, 1000);
    }

    #[test]
    fn a_long_run_has_longer_slots_and_loses_no_signature() {
        let mut timeline = Timeline::new(1);
        for tenth in 0..600 {
            timeline.series(Some(0), Duration::from_millis(100 * tenth), 5);
        }
        timeline.series(None, Duration::from_secs(1), 7);
        let timeline = timeline.levelled();
        assert_eq!(timeline.signatures[0].iter().sum::<u64>(), 3000);
        assert!(timeline.signatures[0].len() <= SLOTS && timeline.slot > SLOT);
        assert_eq!(timeline.written.len(), timeline.signatures[0].len());
        assert_eq!(timeline.written.iter().sum::<u64>(), 7);
    }
}
