//! What a run did: counts, times and identities. Data only; text and JSON are made in `cli`.

use std::time::Duration;

use serde::Serialize;

/// The outcome of a signing run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The zone's origin.
    pub origin: String,
    /// The serial of the signed zone.
    pub serial: u32,
    /// Records read.
    pub records_in: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Records written, RRSIGs among them.
    pub records_out: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Names that are authoritative or delegations.
    pub names: u64,
    /// NSEC or NSEC3 records written.
    pub denial_records: u64,
    /// Signatures made, by key.
    pub keys: Vec<KeyReport>,
    /// Signatures verified in what was written; 0 when it was not verified.
    pub verified: u64,
    /// The earliest expiry among the signatures, in seconds since 1970.
    pub earliest_expiry: Option<u32>,
    /// Time per stage.
    pub stages: Stages,
    /// Every warning of the run.
    pub warnings: Vec<String>,
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

/// Wall time of the stages; they overlap, so their sum is not the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stages {
    /// Reading, parsing, sorting.
    pub load: Duration,
    /// Planning, signing, writing.
    pub sign: Duration,
    /// What verification took after the last byte was written.
    pub verify: Duration,
    /// Syncing and renaming.
    pub publish: Duration,
    /// The whole run.
    pub total: Duration,
}

impl Report {
    /// All signatures made.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        self.keys.iter().map(|key| key.signatures).sum()
    }
}
