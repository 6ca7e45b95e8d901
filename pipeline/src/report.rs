//! What a run did: counts, times and identities. Data only; text, JSON, metrics and pictures are made in `cli`.

mod dry;
mod measured;
mod tokens;
mod verdict;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dnssec_sign::{Fate, KeySetEntry, KeySource, moment_digits};
use rayon::ThreadPool;
use serde::{Serialize, Serializer};

use crate::config::{SignConfig, SigningKeys, VerifyLevel};
use crate::context::Decision;
use crate::load::LoadedZone;
use crate::meter::Meter;
use crate::tally::{DAY, Tally};

pub use dry::{DryRun, StoreEstimate};
pub(crate) use measured::OneCore;
pub use measured::{
    LatencyBucket, LatencyReport, OneCoreReport, SessionReport, StepReport, StoreSeries, TimelineReport,
};
pub use tokens::{TokenKeyReport, TokenReport};
pub use verdict::{AlgorithmReport, ExpiryReport, FindingReport, VerifyReport};

/// The version of the report's form. It grows by one when a field changes its meaning or goes; new fields leave it alone.
pub const REPORT_VERSION: u32 = 1;

/// The outcome of a signing run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What this is: `signet report`.
    pub format: &'static str,
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The program's version.
    pub program: &'static str,
    /// When the run began, in seconds since 1970.
    pub started: u64,
    /// The zone's origin.
    pub origin: String,
    /// The serial of the signed zone.
    pub serial: u32,
    /// Whether there was nothing to do: the old output stays, with its serial.
    pub unchanged: bool,
    /// What the run would cost, if it was only to find that out; nothing was signed or written then.
    pub dry_run: Option<DryRun>,
    /// Records read.
    pub records_in: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Records written, RRSIGs among them.
    pub records_out: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Records written by type, in the order of the types' numbers.
    #[serde(serialize_with = "as_map")]
    pub records_by_type: Vec<(String, u64)>,
    /// Names that are authoritative or delegations.
    pub names: u64,
    /// NSEC or NSEC3 records written.
    pub denial_records: u64,
    /// Signatures made, by key.
    pub keys: Vec<KeyReport>,
    /// The tokens that keys live on.
    pub tokens: Vec<TokenReport>,
    /// How what was written was verified: `full`, `structure` or `none`.
    pub verify: &'static str,
    /// How many of them came from the journal of the run that was taken up.
    pub resumed: u64,
    /// Signatures verified in what was written; 0 when it was not verified.
    pub verified: u64,
    /// Signatures verified as they came from their keys, where [`verify`](Self::verify) is not `full`: the first of every
    /// batch and each 64th.
    pub sampled: u64,
    /// What became of signatures: made because they were `new`, `changed`, `expiring`, by another `key` or `forced`; `kept`;
    /// `unrenewed` because their key is not at hand; `dropped`.
    pub decisions: BTreeMap<&'static str, u64>,
    /// The earliest expiry among the signatures, in seconds since 1970.
    pub earliest_expiry: Option<u32>,
    /// How many of the signatures written end on which day.
    pub expiry: Vec<ExpiryDay>,
    /// SHA-256 of files, where the run was asked for them.
    pub digests: Digests,
    /// Threads that parsed, planned, rendered and verified.
    pub threads: usize,
    /// The most memory that the process had resident so far, in bytes.
    pub peak_memory: u64,
    /// Time per stage.
    pub stages: Stages,
    /// The time of all workers together, by what they did.
    pub steps: Vec<StepReport>,
    /// CPU seconds of the whole process during the run.
    pub cpu: f64,
    /// What one thread at a time does.
    pub one_core: Vec<OneCoreReport>,
    /// The time of each session.
    pub sessions: Vec<SessionReport>,
    /// How long signatures took, by store.
    pub latencies: Vec<LatencyReport>,
    /// What happened when.
    pub timeline: TimelineReport,
    /// Every warning of the run.
    pub warnings: Vec<String>,
}

/// Signatures that end on one day.
#[derive(Debug, Clone, Serialize)]
pub struct ExpiryDay {
    /// The day in UTC, `2026-12-23`.
    pub day: String,
    /// Its first second, since 1970.
    pub from: u32,
    /// How many end on it.
    pub signatures: u64,
}

/// SHA-256 of files in hexadecimal.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Digests {
    /// The zone file as it lies there; none of standard input.
    pub input: Option<String>,
    /// What was written.
    pub output: Option<String>,
}

/// What one key did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeyReport {
    /// The key tag.
    pub tag: u16,
    /// The algorithm's mnemonic.
    pub algorithm: String,
    /// `KSK`, `ZSK` or `CSK`.
    pub role: String,
    /// Where the private half lives.
    pub store: String,
    /// Signatures made.
    pub signatures: u64,
}

/// Wall time of the stages, seconds in JSON; they overlap, so their sum is not the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stages {
    /// Reading, parsing, sorting.
    #[serde(serialize_with = "seconds")]
    pub load: Duration,
    /// Processor time of the whole process while it read, parsed and sorted.
    #[serde(serialize_with = "seconds")]
    pub load_cpu: Duration,
    /// Planning, signing, writing.
    #[serde(serialize_with = "seconds")]
    pub sign: Duration,
    /// What verification took after the last byte was written.
    #[serde(serialize_with = "seconds")]
    pub verify: Duration,
    /// Syncing and renaming.
    #[serde(serialize_with = "seconds")]
    pub publish: Duration,
    /// The whole run.
    #[serde(serialize_with = "seconds")]
    pub total: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

fn as_map<S: Serializer>(counts: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(name, count)| (name, count)))
}

impl Report {
    /// Signatures that end within the refresh window and whose keys are not at hand.
    #[must_use]
    pub fn unrenewed(&self) -> u64 {
        self.decisions.get(Fate::Unrenewed.word()).copied().unwrap_or(0)
    }

    /// Fills in what the configuration says, and what loading cost.
    pub(crate) fn complete(&mut self, config: &SignConfig, pool: &ThreadPool, load_cpu: Duration) {
        self.started = config.now;
        self.verify = config.verify.word();
        self.threads = pool.current_num_threads();
        self.stages.load_cpu = load_cpu;
    }

    /// Fills in what one thread at a time took.
    pub(crate) fn one_core(&mut self, times: OneCore) {
        self.cpu = times.process.as_secs_f64();
        self.one_core = measured::on_one_core(times, &self.steps);
    }

    /// All signatures made.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        self.keys.iter().map(|key| key.signatures).sum()
    }
}

/// Puts together what a signing run counted.
pub(crate) fn summarise(
    zone: &LoadedZone,
    decision: &Decision,
    keys: &SigningKeys,
    tally: &Tally,
    meter: &Meter,
) -> Report {
    let sums = meter.read();
    let signatures = tally.signatures();
    let key_report = |entry: &KeySetEntry| {
        let KeySource::Store { store, index } = entry.source else {
            return None;
        };
        let role = match (entry.roles.rest, entry.dnskey.is_sep()) {
            (true, true) => "CSK",
            (false, true) => "KSK",
            (_, false) => "ZSK",
        };
        Some(KeyReport {
            tag: entry.dnskey.key_tag(),
            algorithm: entry.dnskey.algorithm().to_string(),
            role: role.to_owned(),
            store: keys
                .stores
                .get(store)
                .map(|store| store.name.clone())
                .unwrap_or_default(),
            signatures: signatures.get(&(store, index)).copied().unwrap_or(0),
        })
    };
    Report {
        format: "signet report",
        version: REPORT_VERSION,
        program: env!("CARGO_PKG_VERSION"),
        peak_memory: peak_memory(),
        records_by_type: tally.types().map(|(rtype, count)| (rtype.to_string(), count)).collect(),
        expiry: tally
            .days()
            .map(|(day, signatures)| ExpiryDay {
                day: day_name(day),
                from: day.saturating_mul(DAY),
                signatures,
            })
            .collect(),
        tokens: tokens::reports(&keys.stores),
        steps: measured::steps(&sums),
        sessions: measured::sessions(&sums, &keys.stores),
        latencies: measured::latencies(&sums, &keys.stores),
        timeline: measured::timeline(&sums, &keys.stores),
        origin: decision.context.origin.to_string(),
        serial: decision.serial,
        records_in: zone.records(),
        bytes_in: zone.bytes(),
        records_out: tally.records.load(Ordering::Relaxed),
        names: tally.names.load(Ordering::Relaxed),
        denial_records: tally.denial_records.load(Ordering::Relaxed),
        keys: decision.keys.entries().iter().filter_map(key_report).collect(),
        earliest_expiry: tally.earliest_expiry(),
        decisions: Fate::ALL.iter().map(|fate| (fate.word(), tally.fate(*fate))).collect(),
        warnings: decision.warnings.clone(),
        ..Report::default()
    }
}

impl VerifyLevel {
    /// Its word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Structure => "structure",
            Self::None => "none",
        }
    }
}

/// `2026-12-23`, of a number of days since 1970.
fn day_name(day: u32) -> String {
    let digits: String = moment_digits(day.saturating_mul(DAY)).map(char::from).iter().collect();
    let part = |range| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}", part(0..4), part(4..6), part(6..8))
}

/// The most memory that the process had resident, as the system counts it; 0 where it does not.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_names() {
        assert_eq!(day_name(0), "1970-01-01");
        assert_eq!(day_name(20_780), "2026-11-23");
    }

    #[test]
    fn the_system_counts_memory() {
        assert!(peak_memory() > 1 << 20);
    }
}
