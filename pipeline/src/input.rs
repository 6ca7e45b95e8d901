//! How zone files are read, as resolved: the same for every command that reads one. Reading itself is `zone_io`'s.

use std::path::PathBuf;

use dnssec_sign::Name;
use zone_io::{Lints, LoadOptions, Reading, Spill};

/// How a zone file and what it includes are read. Results never depend on it, but for the warnings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputOptions {
    /// Whether regular files are mapped.
    pub reading: Reading,
    /// A directory that included files have to lie in, wherever symbolic links lead.
    pub include_root: Option<PathBuf>,
    /// The most bytes of text in one input; without it only what expands beyond all reason is refused.
    pub max_input: Option<u64>,
    /// The bytes of memory that may be in use; sorted records past a half of it go to temporary files, and so do the lists of
    /// an NSEC3 chain past an eighth.
    pub memory: u64,
    /// Where temporary files go; the system's directory for them by default.
    pub temp_dir: Option<PathBuf>,
    /// The most records in a sorted run: a small number is the hardest case, for tests.
    pub run_records: usize,
    /// Which warnings about the text are given.
    pub lints: Lints,
}

impl Default for InputOptions {
    /// Files mapped, as much memory as it takes, and all warnings.
    fn default() -> Self {
        Self {
            reading: Reading::Map,
            include_root: None,
            max_input: None,
            memory: u64::MAX,
            temp_dir: None,
            run_records: usize::MAX,
            lints: Lints::ALL,
        }
    }
}

impl InputOptions {
    /// What `zone_io` takes for the zone `origin`; everything that is not about the input is as by default.
    #[must_use]
    pub fn load_options(&self, origin: Name) -> LoadOptions {
        let mut options = LoadOptions::new(origin);
        options.reading = self.reading;
        options.include_root.clone_from(&self.include_root);
        options.max_text = self.max_input;
        options.memory = self.memory;
        options.temp_dir.clone_from(&self.temp_dir);
        options.run_records = self.run_records;
        options.lints = self.lints;
        options
    }

    /// Where lists go that grow with the zone, beside its records.
    pub(crate) fn lists(&self) -> Spill {
        Spill::new(self.memory / 8, self.temp_dir.clone())
    }
}
