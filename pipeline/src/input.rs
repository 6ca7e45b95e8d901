//! How zone files are read, as resolved: the same for every command that reads one. Reading itself is `zone_io`'s.

use std::path::PathBuf;

use dnssec_sign::Name;
use zone_io::{LoadOptions, Reading};

/// How a zone file and what it includes are read. Results never depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputOptions {
    /// Whether regular files are mapped.
    pub reading: Reading,
    /// The bytes of memory that may be in use; sorted records past a half of it go to temporary files.
    pub memory: u64,
    /// Where temporary files go; the system's directory for them by default.
    pub temp_dir: Option<PathBuf>,
    /// The most records in a sorted run: a small number is the hardest case, for tests.
    pub run_records: usize,
}

impl Default for InputOptions {
    /// Files mapped, and as much memory as it takes.
    fn default() -> Self {
        Self {
            reading: Reading::Map,
            memory: u64::MAX,
            temp_dir: None,
            run_records: usize::MAX,
        }
    }
}

impl InputOptions {
    /// What `zone_io` takes for the zone `origin`; everything that is not about the input is as by default.
    #[must_use]
    pub fn load_options(&self, origin: Name) -> LoadOptions {
        let mut options = LoadOptions::new(origin);
        options.reading = self.reading;
        options.memory = self.memory;
        options.temp_dir.clone_from(&self.temp_dir);
        options.run_records = self.run_records;
        options
    }
}
