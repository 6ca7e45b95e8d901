//! What a caller may watch while a run goes on: phases, counts and warnings, and its way to stop the run.

use std::path::Path;

use dnssec_sign::Name;
use zone_io::Fault;

/// A stage of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The zone file is read, parsed and sorted; counted in bytes.
    Load,
    /// Names are planned, signed and written; counted in records of the input.
    Sign,
    /// The NSEC3 chain is linked, signed and written; counted in NSEC3 records.
    Chain,
    /// A zone is judged ([`verify`](crate::verify())); counted in records. What a run writes is verified while it signs, and not
    /// counted.
    Verify,
    /// The output is synced and renamed.
    Publish,
    /// Many zones are signed, and told of as zones alone; counted in zones.
    Zones,
}

/// Receives a run's progress. Calls come from several threads and must return at once.
pub trait Observer: Sync {
    /// A phase begins; `total` is how much there is to count, when known.
    fn phase(&self, phase: Phase, total: Option<u64>) {
        let _ = (phase, total);
    }

    /// `done` more of the phase's units are done.
    fn advance(&self, phase: Phase, done: u64) {
        let _ = (phase, done);
    }

    /// So many more signatures were made with the keys of the store of this name.
    fn signed(&self, store: &str, signatures: u64) {
        let _ = (store, signatures);
    }

    /// The zone is gone on with where an earlier run stopped, whose journal holds so many signatures.
    fn resumed(&self, zone: &Name, signatures: usize) {
        let _ = (zone, signatures);
    }

    /// Something a person should know, though the run goes on.
    fn warn(&self, message: &str) {
        let _ = message;
    }

    /// What became of signatures, one line each, in the order of the output. Only when the run was asked for it.
    fn explain(&self, lines: &str) {
        let _ = lines;
    }

    /// A warning with its place in the zone's text.
    fn diagnose(&self, warning: &Fault) {
        self.warn(&warning.to_string());
    }

    /// Whether the run shall stop; asked often.
    fn cancelled(&self) -> bool {
        false
    }

    /// Asked once, right before the output takes the place of the old file: whether it may. When it may, the run cannot
    /// be cancelled any more until [`published`](Self::published).
    fn commit(&self) -> bool {
        !self.cancelled()
    }

    /// The output is in its place.
    fn published(&self) {}

    /// A file of this name is there as long as the run lasts: who ends the process without returning from the run removes
    /// it first.
    fn made(&self, file: &Path) {
        let _ = file;
    }

    /// The file that was [`made`](Self::made) is gone again.
    fn removed(&self, file: &Path) {
        let _ = file;
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
