//! A zone file as sorted runs, counted, with its places in files for messages. Parsing is `zone_io`'s.

use std::path::Path;

use dnssec_sign::{Locus, Name, ZoneFault};
use zone_io::{Loaded, Run, load_with_progress};

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
}

/// Reads a zone on the current rayon pool.
///
/// # Errors
/// [`Error::Zone`] with the places of all faults, up to the limit.
pub(crate) fn load<'a>(source: impl Into<Source<'a>>, observer: &dyn Observer) -> Result<LoadedZone, Error> {
    let source = source.into();
    observer.phase(Phase::Load, None);
    let mut options = source.input.load_options(source.origin.clone());
    options.max_faults = source.max_errors;
    let loaded = load_with_progress(source.zone_file, &options, &|bytes| {
        observer.advance(Phase::Load, bytes)
    })?;
    Ok(LoadedZone { loaded })
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
    /// [`Error::Input`] with the places of the faults, up to `max_errors`.
    pub(crate) fn refuse_faults(
        &self,
        faults: &[ZoneFault],
        max_errors: usize,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let line = |fault: &ZoneFault| format!("{}: {fault}", self.place(fault.locus));
        let (warnings, errors): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| fault.rule.is_warning());
        for warning in warnings.iter().take(max_errors) {
            observer.warn(&line(warning));
        }
        if let Some(more) = warnings.len().checked_sub(max_errors + 1) {
            observer.warn(&format!("and {} more warnings of this kind", more + 1));
        }
        if errors.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<String> = errors.iter().take(max_errors).map(|fault| line(fault)).collect();
        if errors.len() > max_errors {
            lines.push(format!("and {} more", errors.len() - max_errors));
        }
        Err(Error::Input(lines.join("\n")))
    }
}
