//! What the environment says: the real module, the schedule, the counters. Read once, at the first call.

use std::path::PathBuf;

use crate::counters::Counters;
use crate::schedule::Schedule;

/// What this module was told.
pub(crate) struct Told {
    pub(crate) module: PathBuf,
    pub(crate) schedule: Schedule,
    pub(crate) counters: Counters,
}

impl Told {
    /// Reads the environment.
    ///
    /// # Errors
    /// What is missing or cannot be read.
    pub(crate) fn read() -> Result<Self, String> {
        let module = std::env::var_os("FAULTY_PROVIDER_MODULE").ok_or("FAULTY_PROVIDER_MODULE is not set")?;
        let text = std::env::var("FAULTY_PROVIDER_SCHEDULE").unwrap_or_default();
        let text = match text.strip_prefix('@') {
            // A rule for one token starts like this as well, but with more than a path behind it.
            Some(path) if !path.contains(char::is_whitespace) => {
                fs_err::read_to_string(path).map_err(|error| error.to_string())?
            }
            _ => text,
        };
        let counters = match std::env::var_os("FAULTY_PROVIDER_COUNTERS") {
            Some(path) => Counters::open(path.as_ref()).map_err(|error| error.to_string())?,
            None => Counters::own(),
        };
        Ok(Self {
            module: module.into(),
            schedule: Schedule::parse(&text)?,
            counters,
        })
    }
}
