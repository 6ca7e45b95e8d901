//! The files that tell of a run: `--report`, `--metrics`, `--html`. All are opened before the run, so that a path that
//! cannot be written is known at once, and put into place after it, each in one step. A run that fails leaves the old ones.

use std::path::Path;

use signet_pipeline::{Error, Report};
use zone_io::AtomicFile;

use super::OutputFlags;
use crate::cli::{html, metrics, streams};

/// The files, under no name yet.
pub(super) struct Outputs {
    report: Option<AtomicFile>,
    metrics: Option<AtomicFile>,
    html: Option<AtomicFile>,
}

impl Outputs {
    /// Opens them.
    ///
    /// # Errors
    /// [`Error::Zone`] with the system's reason.
    pub(super) fn create(flags: &OutputFlags) -> Result<Self, Error> {
        let open = |path: &Option<_>| path.as_deref().map(|path: &Path| AtomicFile::create(path)).transpose();
        Ok(Self {
            report: open(&flags.report)?,
            metrics: open(&flags.metrics)?,
            html: open(&flags.html)?,
        })
    }

    /// Writes and publishes them.
    ///
    /// # Errors
    /// [`Error::Zone`] with the system's reason.
    pub(super) fn write(self, report: &Report) -> Result<(), Error> {
        let mut text = streams::json(report)?;
        text.push('\n');
        put(self.report, || Ok(text))?;
        put(self.metrics, || Ok(metrics::text(&[report])))?;
        put(self.html, || html::page(report))
    }
}

fn put(file: Option<AtomicFile>, text: impl FnOnce() -> Result<String, Error>) -> Result<(), Error> {
    match file {
        Some(mut file) => {
            file.write_all(text()?.as_bytes())?;
            Ok(file.publish()?)
        }
        None => Ok(()),
    }
}
