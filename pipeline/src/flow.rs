//! One zone's way from its file to the published output, in the order of the steps; each returns what the next one needs, so none
//! can be skipped:
//!
//! ```text
//! output proven ─▶ inputs read ─▶ decided ─▶ journal begun ─▶ names signed ─▶ chain signed ─▶ verified ─▶ published
//!                                                                                        ├─▶ unchanged: the old output stays
//!                                                                                        └─▶ dry run: estimated
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use dnssec_sign::verify::{Expectations, Level, SepFlag};
use dnssec_sign::{Nsec3Chain, Window};
use rayon::ThreadPool;

use crate::children::Children;
use crate::config::{Contents, Output, PartitionSize, SignConfig, SigningKeys, VerifyLevel};
use crate::context::{Decision, Earlier, moment};
use crate::emit::Explain;
use crate::error::Error;
use crate::journal::{Found, Journal};
use crate::late::{Late, Waiting};
use crate::load::{LoadedZone, load, load_previous};
use crate::meter::{Meter, process_cpu, thread_cpu};
use crate::observer::{Observer, Phase};
use crate::output::ZoneOutput;
use crate::partition::Partitions;
use crate::previous::Previous;
use crate::report::{Digests, OneCore, Report, Stages};
use crate::rounds::{Chain, Names, Work};
use crate::samples::Samples;
use crate::signing::{Crew, Hall};
use crate::tally::Tally;
use crate::unchanged::Comparison;
use crate::verify::Verification;
use crate::{admission, context, digest, dry_run, late, report, space, sync};

/// One zone to be signed, on sessions and threads that other zones may use as well.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) config: &'a SignConfig,
    pub(crate) keys: &'a SigningKeys,
    pub(crate) sessions: &'a Crew<'a>,
    pub(crate) pool: &'a ThreadPool,
    pub(crate) observer: &'a dyn Observer,
}

impl Task<'_> {
    /// Does it all.
    ///
    /// # Errors
    /// [`Error`], whose exit code says what to mend. The old output is untouched then, and no stray file stays.
    pub(crate) fn run(self) -> Result<Report, Error> {
        let mut clock = Clock::start();
        let found = match &self.config.journal {
            Some(journal) if !self.config.dry_run => Some(Found::open(journal)?),
            _ => None,
        };
        let adapted = match &found {
            Some(found) => Some(found.adapt(self.config, self.observer)?),
            None => None,
        };
        let task = Task {
            config: adapted.as_ref().unwrap_or(self.config),
            keys: self.keys,
            sessions: self.sessions,
            pool: self.pool,
            observer: self.observer,
        };
        let output = match task.config.dry_run {
            true => ZoneOutput::counted(task.observer),
            false => ZoneOutput::create(&task.config.output, task.observer)?,
        };
        if !task.config.dry_run {
            space::for_records(task.config, task.observer);
        }
        let inputs = Inputs::read(task, &mut clock)?;
        if !task.config.dry_run {
            space::for_output(task.config, inputs.zone.bytes(), task.observer)?;
        }
        let decision = task.decide(&inputs, found.as_ref())?;
        let journal = match found {
            Some(found) => Some(Arc::new(found.begin(
                task.config,
                &decision,
                &task.keys.stores,
                task.observer,
            )?)),
            None => None,
        };
        let hall = task.hall(&clock, journal.clone());
        let verification = task.verification();
        let comparison = task.comparison()?;
        let tally = Tally::default();
        let late = Late::new(Waiting {
            soa: decision.again && comparison.is_some(),
            zonemd: !task.config.zonemd.is_empty(),
        });
        let lists = task.config.input.lists();
        let work = Work {
            context: &decision.context,
            stores: task.keys.stores.len(),
            output: &output,
            verification: verification.as_ref(),
            tally: &tally,
            observer: task.observer,
            previous: inputs.old.as_ref().map(LoadedZone::runs),
            explain: if task.config.reuse.explain {
                Explain::Yes
            } else {
                Explain::No
            },
            lints: inputs.zone.lints(),
            late: &late,
            lists: &lists,
            children: inputs.children.as_ref(),
            comparison: comparison.as_ref(),
        };
        let outcome = task.sign(&inputs.zone, &decision, work, &hall).map_err(|error| {
            let of_journal = journal.as_ref().and_then(|journal| journal.failure());
            of_journal.unwrap_or(error)
        })?;
        clock.signed = Instant::now();
        inputs.check_unchanged()?;
        let signed = Signed {
            task,
            clock,
            inputs: &inputs,
            decision: &decision,
            hall: &hall,
            tally: &tally,
            journal: journal.as_deref(),
        };
        match outcome {
            Outcome::Unchanged => signed.leave(),
            Outcome::Signed if task.config.dry_run => signed.estimate(&output),
            Outcome::Signed => {
                let same = comparison.is_some_and(|comparison| comparison.is_same());
                signed.publish(output, verification, same)
            }
        }
    }

    fn decide(self, inputs: &Inputs, found: Option<&Found>) -> Result<Decision, Error> {
        let earlier = Earlier {
            output: inputs.replaced.as_ref(),
            runs: inputs.old.as_ref().map(LoadedZone::runs),
            serial: found.and_then(Found::serial),
        };
        let decision = context::decide(inputs.zone.runs(), self.config, self.keys, earlier)?;
        for warning in &decision.warnings {
            self.observer.warn(warning);
        }
        Ok(decision)
    }

    fn hall(&self, clock: &Clock, journal: Option<Arc<Journal>>) -> Hall<'_> {
        let hall = self.sessions.hall(
            self.pool.current_num_threads(),
            Meter::new(self.keys.stores.len(), clock.start),
            Samples::new(self.config, self.keys),
            journal,
        );
        match self.config.dry_run {
            true => hall.without_signatures(),
            false => hall,
        }
    }

    fn verification(self) -> Option<Verification> {
        let config = self.config;
        if config.dry_run {
            return None;
        }
        let mut expectations = Expectations::new(config.origin.clone(), moment(config.now));
        expectations.level = match config.verify {
            VerifyLevel::Full => Level::Full,
            VerifyLevel::Structure => Level::Structure,
            VerifyLevel::None => return None,
        };
        if config.key_options.ignore_ksk {
            expectations.sep_flag = SepFlag::Ignored;
        }
        let holders = self.keys.stores.iter().flat_map(|store| {
            let tags = store.keys.keys().iter().map(|dnskey| dnskey.key_tag());
            tags.map(|tag| (tag, store.name.clone()))
        });
        Some(Verification::new(expectations, holders.collect()))
    }

    /// With the file that the output takes the place of, where that may turn out to be as good.
    fn comparison(self) -> Result<Option<Comparison>, Error> {
        match &self.config.output {
            Output::File(path) if self.config.contents == Contents::Zone => {
                let refresh = self.config.policy.refresh_window(Window::Zone);
                Comparison::open(path, moment(self.config.now).wrapping_add(refresh))
            }
            _ => Ok(None),
        }
    }

    /// The two rounds: the names, then the NSEC3 chain that they make.
    fn sign(self, zone: &LoadedZone, decision: &Decision, work: Work<'_>, hall: &Hall<'_>) -> Result<Outcome, Error> {
        let (config, pool) = (self.config, self.pool);
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
        let chain = Nsec3Chain::build(parts, |bytes| work.lists.keep(bytes).map_err(Error::Zone))?;
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
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The zone is signed.
    Signed,
    /// What is there already is what would be written, but for what follows from the serial.
    Unchanged,
}

/// When the steps ended, and the CPU time that reading took.
#[derive(Clone, Copy)]
struct Clock {
    start: Instant,
    cpu: Duration,
    /// The CPU time of the thread that leads the run.
    lead: Duration,
    loaded: Instant,
    load_cpu: Duration,
    signed: Instant,
}

impl Clock {
    fn start() -> Self {
        let start = Instant::now();
        Self {
            start,
            cpu: process_cpu(),
            lead: thread_cpu(),
            loaded: start,
            load_cpu: Duration::ZERO,
            signed: start,
        }
    }
}

/// What a run reads.
struct Inputs {
    zone: LoadedZone,
    /// The earlier output whose signatures are taken over.
    old: Option<LoadedZone>,
    children: Option<Children>,
    /// The head of the file that the output takes the place of.
    replaced: Option<Previous>,
}

impl Inputs {
    fn read(task: Task<'_>, clock: &mut Clock) -> Result<Self, Error> {
        let Task {
            config, pool, observer, ..
        } = task;
        let zone = pool.install(|| load(config, observer))?;
        clock.loaded = Instant::now();
        clock.load_cpu = process_cpu().saturating_sub(clock.cpu);
        let old = match &config.reuse.previous {
            Some(path) => Some(pool.install(|| load_previous(path, config, observer))?),
            None => None,
        };
        pool.install(|| admission::admit(&zone, config))?;
        let children = match &config.children {
            Some(children) => Some(Children::read(children, config)?),
            None => None,
        };
        let replaced = match &config.output {
            Output::File(path) => Previous::read(path, &config.origin)?,
            Output::Stdout => None,
        };
        Ok(Self {
            zone,
            old,
            children,
            replaced,
        })
    }

    fn check_unchanged(&self) -> Result<(), Error> {
        self.zone.check_unchanged()?;
        self.old.as_ref().map_or(Ok(()), LoadedZone::check_unchanged)
    }
}

/// A zone that is signed, and one of three ends before it.
struct Signed<'a> {
    task: Task<'a>,
    clock: Clock,
    inputs: &'a Inputs,
    decision: &'a Decision,
    hall: &'a Hall<'a>,
    tally: &'a Tally,
    journal: Option<&'a Journal>,
}

impl Signed<'_> {
    /// The old output stays as it is.
    fn leave(self) -> Result<Report, Error> {
        self.journal.map_or(Ok(()), Journal::remove)?;
        let mut report = self.report();
        report.unchanged = true;
        if let Some(replaced) = &self.inputs.replaced {
            report.serial = replaced.serial;
        }
        report.stages.total = self.clock.start.elapsed();
        Ok(report)
    }

    /// What the run would cost; nothing was signed or written.
    fn estimate(self, output: &ZoneOutput<'_>) -> Result<Report, Error> {
        let Task {
            config,
            keys,
            pool,
            observer,
            ..
        } = self.task;
        let mut report = self.report();
        report.bytes_out = output.length();
        let trial = self.task.sessions.hall(
            pool.current_num_threads(),
            Meter::new(keys.stores.len(), self.clock.start),
            Samples::new(config, keys),
            None,
        );
        let trial = trial.without_limits();
        let estimate = dry_run::estimate(config, &report, self.tally, &keys.stores, &trial, pool, observer)?;
        report.dry_run = Some(estimate);
        report.stages.total = self.clock.start.elapsed();
        Ok(report)
    }

    /// Ends the verification, and puts the output in its place.
    fn publish(
        self,
        mut output: ZoneOutput<'_>,
        verification: Option<Verification>,
        same: bool,
    ) -> Result<Report, Error> {
        let Task {
            config, pool, observer, ..
        } = self.task;
        let verdict = pool.install(|| verification.map(Verification::finish).transpose())?;
        let verified = Instant::now();
        observer.phase(Phase::Publish, None);
        if config.contents == Contents::Dnssec {
            output.keep_dnssec()?;
        }
        let bytes_out = output.length();
        let (digests, digest_cpu) = match config.digests {
            true => pool.install(|| digest::of_run(config, &output))?,
            false => (Digests::default(), Duration::ZERO),
        };
        output.publish()?;
        if let Some(journal) = self.journal {
            if journal.refuted() > 0 {
                observer.warn(&format!(
                    "{} signatures of the journal did not verify and were made anew",
                    journal.refuted()
                ));
            }
            journal.remove()?;
        }
        if let Some(folder) = &config.dsset_folder {
            sync::write_dsset(folder, &self.decision.keys, config)?;
        }
        self.warn(same);
        let mut report = self.report();
        report.bytes_out = bytes_out;
        report.resumed = self.journal.map_or(0, Journal::reused);
        report.digests = digests;
        if config.digests {
            digest::of_libraries(&mut report);
        }
        report.one_core(self.one_core(digest_cpu));
        report.verified = verdict.as_ref().map_or(0, |verdict| verdict.counts.verified);
        report.sampled = self.hall.sampled();
        report.stages = Stages {
            verify: verified - self.clock.signed,
            publish: verified.elapsed(),
            total: self.clock.start.elapsed(),
            ..report.stages
        };
        Ok(report)
    }

    /// Says what is published, but may not be what was meant.
    fn warn(&self, same: bool) {
        let Task { config, observer, .. } = self.task;
        if let Some(replaced) = &self.inputs.replaced
            && replaced.serial == self.decision.serial
            && !same
        {
            observer.warn(&format!(
                "the output is not what it was, and its serial is {} still: secondaries will not transfer it",
                replaced.serial
            ));
        }
        if let (Some(children), Some(from)) = (&self.inputs.children, &config.children)
            && let Some(warning) = children.warning(&from.folder)
        {
            observer.warn(&warning);
        }
        if let Some(warning) = self.decision.short_validity(self.tally, moment(config.now)) {
            observer.warn(&warning);
        }
    }

    /// The CPU time of what one thread at a time does, so far.
    fn one_core(&self, digest: Duration) -> OneCore {
        OneCore {
            process: process_cpu().saturating_sub(self.clock.cpu),
            read: self.inputs.zone.on_one_thread(),
            lead: thread_cpu().saturating_sub(self.clock.lead),
            digest,
        }
    }

    /// What all three ends report.
    fn report(&self) -> Report {
        let Task { config, keys, pool, .. } = self.task;
        let mut report = report::summarise(&self.inputs.zone, self.decision, keys, self.tally, self.hall.meter());
        report.complete(config, pool, self.clock.load_cpu);
        report.one_core(self.one_core(Duration::ZERO));
        report.stages.load = self.clock.loaded - self.clock.start;
        report.stages.sign = self.clock.signed - self.clock.loaded;
        report
    }
}
