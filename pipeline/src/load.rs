//! A zone file as sorted runs, counted, with its places in files for messages. Parsing is `zone_io`'s.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use dnssec_sign::{Locus, Name, ZoneFault, ZoneRule};
use zone_io::{Fault, Faults, Lint, Lints, Loaded, Reason, Run, Severity, Warnings, load_with_progress};

use crate::config::{SignConfig, VerifyConfig};
use crate::error::Error;
use crate::input::InputOptions;
use crate::observer::{Observer, Phase};

/// Where to read a zone, and how.
pub(crate) struct Source<'a> {
    pub(crate) zone_file: &'a Path,
    pub(crate) input: &'a InputOptions,
    pub(crate) origin: &'a Name,
    pub(crate) max_errors: usize,
}

impl<'a> From<&'a SignConfig> for Source<'a> {
    fn from(config: &'a SignConfig) -> Self {
        Self {
            zone_file: &config.zone_file,
            input: &config.input,
            origin: &config.origin,
            max_errors: config.max_errors,
        }
    }
}

impl<'a> From<&'a VerifyConfig> for Source<'a> {
    fn from(config: &'a VerifyConfig) -> Self {
        Self {
            zone_file: &config.zone_file,
            input: &config.input,
            origin: &config.origin,
            max_errors: config.max_errors,
        }
    }
}

/// Reads the output of an earlier run on the current rayon pool.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_previous(path: &Path, config: &SignConfig, observer: &dyn Observer) -> Result<LoadedZone, Error> {
    let source = Source {
        zone_file: path,
        ..config.into()
    };
    load(source, observer)
}

/// A zone in memory.
pub(crate) struct LoadedZone {
    loaded: Loaded,
    lints: Lints,
}

/// Reads a zone on the current rayon pool.
///
/// # Errors
/// [`Error::Zone`] with the places of all faults, up to the limit; [`Error::Interrupted`] when the observer wants that.
pub(crate) fn load<'a>(source: impl Into<Source<'a>>, observer: &dyn Observer) -> Result<LoadedZone, Error> {
    let source = source.into();
    observer.phase(Phase::Load, None);
    let mut options = source.input.load_options(source.origin.clone());
    options.max_faults = source.max_errors;
    let loaded = load_with_progress(source.zone_file, &options, &|bytes| {
        observer.advance(Phase::Load, bytes);
        match observer.cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let loaded = loaded.map_err(|error| match error {
        zone_io::Error::Cancelled => Error::Interrupted,
        error => error.into(),
    })?;
    warn(&loaded.warnings, observer);
    let lints = options.lints;
    Ok(LoadedZone { loaded, lints })
}

/// Passes warnings on, and how many more there are of each name.
fn warn(warnings: &Warnings, observer: &dyn Observer) {
    for warning in warnings.kept() {
        observer.diagnose(warning);
    }
    for lint in Lint::ALL {
        let left_out = warnings.left_out(lint);
        if left_out > 0 {
            observer.warn(&format!("and {left_out} more [{lint}]"));
        }
    }
}

impl LoadedZone {
    /// The runs, in the order of the input.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.loaded.runs
    }

    /// Records read.
    pub(crate) fn records(&self) -> u64 {
        self.loaded.records
    }

    /// Bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        self.loaded.bytes
    }

    /// `file:line` of a record.
    pub(crate) fn place(&self, locus: Locus) -> String {
        format!("{}:{}", self.loaded.source_name(locus.source), locus.line)
    }

    /// How long one thread alone was at work while it was read.
    pub(crate) fn on_one_thread(&self) -> Duration {
        self.loaded.on_one_thread
    }

    /// Whether the input is still what was read.
    ///
    /// # Errors
    /// [`Error::Zone`] when it changed.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        Ok(self.loaded.check_unchanged()?)
    }

    /// Passes warnings on and refuses a zone that breaks a rule.
    ///
    /// # Errors
    /// [`Error::Zone`] with the faults and their lines, up to `max_errors`.
    pub(crate) fn refuse_faults(
        &self,
        faults: &[ZoneFault],
        max_errors: usize,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let (warnings, errors): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| fault.rule.is_warning());
        let wanted = |fault: &&&ZoneFault| lint(fault.rule).is_none_or(|lint| self.lints.contains(lint));
        let warnings: Vec<_> = warnings.iter().filter(wanted).copied().collect();
        for warning in self.located(&warnings, max_errors) {
            observer.diagnose(&warning);
        }
        if let Some(more) = warnings.len().checked_sub(max_errors.saturating_add(1)) {
            observer.warn(&format!("and {} more warnings of this kind", more + 1));
        }
        if errors.is_empty() {
            return Ok(());
        }
        let mut refused = Faults::default();
        refused.stopped = errors.len() > max_errors;
        refused.faults = self.located(&errors, max_errors);
        Err(zone_io::Error::Syntax(refused).into())
    }

    /// The first of the faults, with their places and lines.
    fn located(&self, faults: &[&ZoneFault], most: usize) -> Vec<Fault> {
        let faults = &faults[..faults.len().min(most)];
        let found = faults.iter().map(|fault| {
            let severity = if fault.rule.is_warning() {
                Severity::Warning
            } else {
                Severity::Error
            };
            let (owner, rule) = (fault.owner.clone(), fault.rule);
            let reason = match rule {
                ZoneRule::Duplicate(rtype) => Reason::MixedCase { owner, rtype },
                rule => Reason::Rule { owner, rule },
            };
            (fault.locus, severity, reason)
        });
        let mut located = self.loaded.locate(found);
        for (fault, place) in faults.iter().zip(&mut located) {
            place.lint = lint(fault.rule);
            place.help = Some(fault.rule.advice().into());
        }
        located
    }

    /// The warnings that are wanted.
    pub(crate) fn lints(&self) -> Lints {
        self.lints
    }
}

/// The name by which a rule's warning is turned off. Duplicates are reported to signing when their letter case differs.
fn lint(rule: ZoneRule) -> Option<Lint> {
    match rule {
        ZoneRule::MixedTtl(_) => Some(Lint::TtlMismatch),
        ZoneRule::Duplicate(_) => Some(Lint::MixedCaseDuplicate),
        _ => None,
    }
}
