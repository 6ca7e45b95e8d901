//! The signing pipeline: where zones, keys and tokens meet. [`sign`] is the whole flow of a run in one screen;
//! each step returns what the next one needs, so none can be skipped:
//!
//! ```text
//! output proven ─▶ zone loaded into runs ─▶ context decided ─▶ names signed ─▶ chain signed ─▶ verified ─▶ published
//! ```
//!
//! [`run`] is the same from key files on, and [`sign_zones`] signs many zones with one login a token and shared sessions.
//!
//! [`check_zone`], [`diff_zones`], [`format_zone`] and [`zone_stats`] work on zone files without keys.
//!
//! The program `signet` is a thin shell around this crate: `cli` resolves flags into a [`SignConfig`] and opens
//! [`SigningKeys`], and everything else is here. No algorithm that an embedder would want is in this crate: those
//! are in `dnssec-sign`, `zone-io` and `hsm-core`.

mod admission;
mod audit;
mod children;
mod config;
mod context;
mod digest;
mod dry_run;
mod emit;
mod error;
mod input;
mod journal;
mod judge;
mod keys;
mod known_keys;
mod late;
mod limit;
mod load;
mod lock;
mod meter;
mod observer;
mod offline;
mod output;
mod partition;
mod previous;
mod raise;
mod report;
mod rounds;
mod samples;
mod signing;
mod stop;
mod sync;
mod tally;
mod unchanged;
mod verify;
mod zone;
mod zonemd;
mod zones;

use std::sync::Arc;
use std::time::Instant;

use dnssec_sign::verify::{Expectations, Level, SepFlag};
use dnssec_sign::{Nsec3Chain, Window};
use rayon::ThreadPool;
use rayon::slice::ParallelSliceMut as _;

use crate::children::Children;
use crate::context::{Decision, Earlier, moment};
use crate::emit::Explain;
use crate::journal::Found;
use crate::late::{Late, Waiting};
use crate::load::{LoadedZone, load, load_previous};
use crate::meter::{Meter, process_cpu};
use crate::output::ZoneOutput;
use crate::partition::Partitions;
use crate::previous::Previous;
use crate::rounds::{Chain, Names, Work};
use crate::samples::Samples;
use crate::signing::{Crew, Hall};
use crate::tally::Tally;
use crate::unchanged::Comparison;
use crate::verify::Verification;

pub use audit::{AuditEvent, AuditKey, AuditSummary, AuditToken, audit, install_audit, verify_audit};
pub use config::{
    ChildrenConfig, Contents, InputDnssec, JournalConfig, MissingDsset, Output, PartitionSize, Resume, ReuseConfig,
    RunConfig, SignConfig, SigningKeys, Store, StoreKind, SyncRecords, VerifyConfig, VerifyLevel,
};
pub use error::Error;
pub use input::InputOptions;
pub use judge::verify;
pub use keys::{
    Ability, Capability, KeyRequest, Offload, Recipe, Sessions, StoreOptions, TokenAccess, TokenStore, TokenTally,
    TokenUse, algorithm_of, capabilities, dnskey_of, kind_of, mechanisms_of, open_keys, prove_software_key, recipe,
};
pub use limit::SignatureLimit;
pub use observer::{Observer, Phase, Silent};
pub use report::{
    AlgorithmReport, Digests, DryRun, ExpiryDay, ExpiryReport, FindingReport, KeyReport, LatencyBucket, LatencyReport,
    REPORT_VERSION, Report, SessionReport, Stages, StepReport, StoreEstimate, StoreSeries, TimelineReport,
    TokenKeyReport, TokenReport, VerifyReport,
};
pub use zone::{
    CheckConfig, CheckFinding, CheckReport, Delegations, Depth, DiffConfig, DiffReport, Form, FormatConfig,
    FormatReport, Ignored, Rules, SetChange, Severity, Signed, StatsConfig, TtlRange, TypeStats, ZoneStats,
    check_rules, check_zone, diff_zones, format_zone, zone_stats,
};
pub use zones::{ZoneOutcome, ZonesReport, sign_zones};

/// Opens and proves the keys, then signs the zone as [`sign`] does. The observer is told of progress and can end the run; the
/// work is done on the configuration's pool, if it has one.
///
/// # Errors
/// Those of [`open_keys`] and [`sign`].
pub fn run(config: &RunConfig, observer: &dyn Observer) -> Result<Report, Error> {
    let keys = open_keys(&config.keys, observer)?;
    sign(&config.sign, &keys, observer)
}

/// Signs a zone: reads it, signs it with the keys, verifies what was written and replaces the output in one step.
///
/// # Errors
/// [`Error`], whose exit code says what to mend. The old output is untouched then, and no stray file stays.
pub fn sign(config: &SignConfig, keys: &SigningKeys, observer: &dyn Observer) -> Result<Report, Error> {
    let pool = match &config.pool {
        Some(pool) => Arc::clone(pool),
        None => Arc::new(thread_pool(config.threads)?),
    };
    signing::with_sessions(keys, observer, |sessions| {
        sign_with(config, keys, sessions, &pool, observer)
    })
}

/// One zone, on sessions that others may use as well.
fn sign_with(
    config: &SignConfig,
    keys: &SigningKeys,
    sessions: &Crew<'_>,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Result<Report, Error> {
    let (start, cpu) = (Instant::now(), process_cpu());
    let found = config
        .journal
        .as_ref()
        .filter(|_| !config.dry_run)
        .map(Found::open)
        .transpose()?;
    let adapted = found.as_ref().map(|found| found.adapt(config, observer)).transpose()?;
    let config = adapted.as_ref().unwrap_or(config);
    let mut output = match config.dry_run {
        true => ZoneOutput::counted(observer),
        false => ZoneOutput::create(&config.output, observer)?,
    };
    let zone = pool.install(|| load(config, observer))?;
    let (loaded, load_cpu) = (Instant::now(), process_cpu() - cpu);
    let old = match &config.reuse.previous {
        Some(path) => Some(pool.install(|| load_previous(path, config, observer))?),
        None => None,
    };
    pool.install(|| admission::admit(&zone, config))?;
    let children = config
        .children
        .as_ref()
        .map(|children| Children::read(children, config))
        .transpose()?;
    let replaced = match &config.output {
        Output::File(path) => Previous::read(path, &config.origin)?,
        Output::Stdout => None,
    };
    let earlier = Earlier {
        output: replaced.as_ref(),
        runs: old.as_ref().map(LoadedZone::runs),
        serial: found.as_ref().and_then(Found::serial),
    };
    let decision = context::decide(zone.runs(), config, keys, earlier)?;
    for warning in &decision.warnings {
        observer.warn(warning);
    }
    let begin = |found: Found| found.begin(config, &decision, &keys.stores, observer);
    let journal = found.map(begin).transpose()?.map(Arc::new);
    let hall = sessions.hall(
        pool.current_num_threads(),
        Meter::new(keys.stores.len(), start),
        Samples::new(config, keys),
        journal.clone(),
    );
    let hall = match config.dry_run {
        true => hall.without_signatures(),
        false => hall,
    };
    let verification = match config.dry_run {
        true => None,
        false => verification(config, keys),
    };
    let tally = Tally::default();
    let now = moment(config.now);
    let comparison = match &config.output {
        Output::File(path) if config.contents == Contents::Zone => {
            let due = now.wrapping_add(config.policy.refresh_window(Window::Zone));
            Comparison::open(path, due)?
        }
        _ => None,
    };
    let late = Late::new(Waiting {
        soa: decision.again && comparison.is_some(),
        zonemd: !config.zonemd.is_empty(),
    });
    let work = Work {
        context: &decision.context,
        stores: keys.stores.len(),
        output: &output,
        verification: verification.as_ref(),
        tally: &tally,
        observer,
        previous: earlier.runs,
        explain: if config.reuse.explain {
            Explain::Yes
        } else {
            Explain::No
        },
        lints: zone.lints(),
        late: &late,
        children: children.as_ref(),
        comparison: comparison.as_ref(),
    };
    let outcome = sign_zone(&zone, config, &decision, work, &hall, pool).map_err(|error| {
        let of_journal = journal.as_ref().and_then(|journal| journal.failure());
        of_journal.unwrap_or(error)
    })?;
    let signed = Instant::now();
    zone.check_unchanged()?;
    if let Some(old) = &old {
        old.check_unchanged()?;
    }
    let resumed = journal.as_ref().map_or(0, |journal| journal.reused());
    if outcome == Outcome::Unchanged {
        journal.map_or(Ok(()), |journal| journal.remove())?;
        let mut report = report::summarise(&zone, &decision, keys, &tally, hall.meter());
        report.complete(config, pool, load_cpu);
        report.unchanged = true;
        report.serial = replaced.map_or(decision.serial, |replaced| replaced.serial);
        report.stages.load = loaded - start;
        report.stages.sign = signed - loaded;
        report.stages.total = start.elapsed();
        return Ok(report);
    }
    if config.dry_run {
        let mut report = report::summarise(&zone, &decision, keys, &tally, hall.meter());
        report.complete(config, pool, load_cpu);
        report.bytes_out = output.length();
        report.stages.load = loaded - start;
        report.stages.sign = signed - loaded;
        let meter = Meter::new(keys.stores.len(), start);
        let trial = sessions.hall(pool.current_num_threads(), meter, Samples::new(config, keys), None);
        let trial = trial.without_limits();
        let estimate = dry_run::estimate(config, &report, &tally, &keys.stores, &trial, pool, observer)?;
        report.dry_run = Some(estimate);
        report.stages.total = start.elapsed();
        return Ok(report);
    }
    let verdict = verification.map(Verification::finish).transpose()?;
    let verified = Instant::now();
    observer.phase(Phase::Publish, None);
    if config.contents == Contents::Dnssec {
        output.keep_dnssec()?;
    }
    let bytes_out = output.length();
    let digests = match config.digests {
        true => pool.install(|| digest::of_run(config, &output))?,
        false => Digests::default(),
    };
    output.publish()?;
    if let Some(journal) = &journal {
        if journal.refuted() > 0 {
            observer.warn(&format!(
                "{} signatures of the journal did not verify and were made anew",
                journal.refuted()
            ));
        }
        journal.remove()?;
    }
    if let Some(folder) = &config.dsset_folder {
        sync::write_dsset(folder, &decision.keys, config)?;
    }

    let same = comparison.is_some_and(|comparison| comparison.is_same());
    if let Some(replaced) = &replaced
        && replaced.serial == decision.serial
        && !same
    {
        observer.warn(&format!(
            "the output is not what it was, and its serial is {} still: secondaries will not transfer it",
            replaced.serial
        ));
    }
    if let (Some(children), Some(from)) = (&children, &config.children)
        && let Some(warning) = children.warning(&from.folder)
    {
        observer.warn(&warning);
    }
    if let Some(warning) = decision.short_validity(&tally, now) {
        observer.warn(&warning);
    }
    let mut report = report::summarise(&zone, &decision, keys, &tally, hall.meter());
    report.complete(config, pool, load_cpu);
    report.bytes_out = bytes_out;
    report.resumed = resumed;
    report.digests = digests;
    if config.digests {
        digest::of_libraries(&mut report);
    }
    report.verified = verdict.as_ref().map_or(0, |verdict| verdict.counts.verified);
    report.sampled = hall.sampled();
    report.stages = Stages {
        load: loaded - start,
        load_cpu,
        sign: signed - loaded,
        verify: verified - signed,
        publish: verified.elapsed(),
        total: start.elapsed(),
    };
    Ok(report)
}

/// Finds out whether the output can be written and published, and whether no other run is writing it. Nothing is left of
/// that.
///
/// # Errors
/// [`Error::Zone`] and [`Error::Io`] with the reason.
pub fn prove_output(output: &Output, observer: &dyn Observer) -> Result<(), Error> {
    match output {
        Output::File(_) => ZoneOutput::create(output, observer).map(drop),
        Output::Stdout => Ok(()),
    }
}

/// Finds out whether the journal of a run can be written, or taken up. Nothing is changed.
///
/// # Errors
/// [`Error::Usage`] for one that is there and is not to be taken up, [`Error::Input`] for a file that is none,
/// [`Error::Io`] and [`Error::Zone`] with the system's reason.
pub fn prove_journal(journal: &JournalConfig) -> Result<(), Error> {
    Found::open(journal).map(drop)
}

/// The two rounds: the names, then the NSEC3 chain that they make.
fn sign_zone(
    zone: &LoadedZone,
    config: &SignConfig,
    decision: &Decision,
    work: Work<'_>,
    hall: &Hall<'_>,
    pool: &ThreadPool,
) -> Result<Outcome, Error> {
    let partitions = Partitions::new(zone.runs(), config.origin.borrow(), config.partition);
    let names = Names::new(work, &partitions);
    work.observer.phase(Phase::Sign, Some(zone.records()));
    hall.run(&names, pool, work.observer)?;
    zone.refuse_faults(&work.tally.faults(), config.max_errors, work.observer)?;
    let finish = |chain: Option<&Chain<'_>>| {
        if decision.again && work.comparison.is_some_and(Comparison::is_same) {
            return Ok(Outcome::Unchanged);
        }
        if work.late.waiting.any() {
            late::finish(work, &partitions, chain, &config.zonemd, hall, pool)?;
        }
        Ok(Outcome::Signed)
    };
    if work.context.nsec3.is_none() {
        return finish(None);
    }
    let parts = names.into_chain();
    let chain = Nsec3Chain::build(parts, |entries| pool.install(|| entries.par_sort_unstable()))
        .map_err(|error| Error::Input(error.to_string()))?;
    work.observer.phase(Phase::Chain, Some(chain.len() as u64));
    let size = match config.partition {
        PartitionSize::Records(records) => records.max(1),
        PartitionSize::EveryOwner => 1,
    };
    let round = Chain {
        work,
        chain: &chain,
        size,
        before: partitions.len(),
        input: decision.input_has_chain.then(|| zone.runs()),
    };
    hall.run(&round, pool, work.observer)?;
    finish(Some(&round))
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The zone is signed.
    Signed,
    /// What is there already is what would be written, but for what follows from the serial.
    Unchanged,
}

fn verification(config: &SignConfig, keys: &SigningKeys) -> Option<Verification> {
    let mut expectations = Expectations::new(config.origin.clone(), moment(config.now));
    expectations.level = match config.verify {
        VerifyLevel::Full => Level::Full,
        VerifyLevel::Structure => Level::Structure,
        VerifyLevel::None => return None,
    };
    if config.key_options.ignore_ksk {
        expectations.sep_flag = SepFlag::Ignored;
    }
    let holders = keys.stores.iter().flat_map(|store| {
        let tags = store.keys.keys().iter().map(|dnskey| dnskey.key_tag());
        tags.map(|tag| (tag, store.name.clone()))
    });
    Some(Verification::new(expectations, holders.collect()))
}

fn thread_pool(threads: usize) -> Result<ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("worker {number}"))
        .build()
        .map_err(|error| Error::Usage(format!("{threads} worker threads cannot be started: {error}")))
}
