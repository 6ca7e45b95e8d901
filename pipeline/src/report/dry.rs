//! What a run that signed nothing says a real one would cost.

use serde::Serialize;

/// The cost of a run, estimated.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DryRun {
    /// What each store would do.
    pub stores: Vec<StoreEstimate>,
    /// Seconds of planning and writing, as they passed without signatures.
    pub planning: f64,
    /// Seconds of verification, by a measurement of one key a store.
    pub verifying: f64,
    /// Seconds if signing on tokens overlaps with all the rest.
    pub at_best: f64,
    /// Seconds if nothing overlaps, as with a token in software that uses the same processors.
    pub at_worst: f64,
}

/// The work of one store.
#[derive(Debug, Clone, Serialize)]
pub struct StoreEstimate {
    /// Its name.
    pub store: String,
    /// Signatures it would make.
    pub signatures: u64,
    /// Calls that sign, C_SignInit and C_Sign; 0 for keys on disk.
    pub calls: u64,
    /// Signatures a second, as measured for two seconds.
    pub rate: f64,
    /// Seconds that its signatures would take at that rate.
    pub seconds: f64,
}
