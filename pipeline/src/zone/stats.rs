//! `zone stats`: a zone file counted in one parallel pass over its text. Records are not stored; what must be known once for
//! each name or set is kept as fingerprints, sorted when all are there (`stats/names`). What each type has is in
//! `stats/types`.

mod fingerprint;
mod names;
mod types;

use std::path::PathBuf;

use dnssec_sign::RecordType;
use rayon::slice::ParallelSliceMut as _;
use serde::Serialize;
use zone_io::{LoadOptions, TextRecord, visit_records};

use crate::error::Error;
use crate::thread_pool;
use fingerprint::Fingerprints;
use names::{Entry, Names};
use types::TypeTable;

pub use names::{Delegations, Depth, Signed};
pub use types::{TtlRange, TypeStats};

/// What to count, and how.
#[derive(Debug, Clone)]
pub struct StatsConfig {
    /// The zone's file; `-` is standard input.
    pub zone_file: PathBuf,
    /// How it is read.
    pub load: LoadOptions,
    /// How many threads work.
    pub threads: usize,
}

/// A zone in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZoneStats {
    /// The zone.
    pub origin: String,
    /// The serial of the SOA record, when there is one.
    pub serial: Option<u32>,
    /// Bytes of text read.
    pub text_bytes: u64,
    /// Bytes of all records in uncompressed wire form.
    pub wire_bytes: u64,
    /// Records as they stand in the text.
    pub records: u64,
    /// RRsets; RRSIG records count by the type that they cover.
    pub sets: u64,
    /// Owner names without the hashed ones, below cuts too.
    pub names: u64,
    /// Owners of NSEC3 records and nothing else.
    pub hashed_names: u64,
    /// Names of the zone without a record, and with an owner below them.
    pub empty_non_terminals: u64,
    /// Owners whose first label is `*`.
    pub wildcards: u64,
    /// Owners below a delegation or a DNAME.
    pub names_below_cuts: u64,
    /// Delegations.
    pub delegations: Delegations,
    /// DNAME records' owners.
    pub dnames: u64,
    /// Sets that the zone's keys sign.
    pub signed: Signed,
    /// The TTLs that occur; none in an empty file.
    pub ttl: Option<TtlRange>,
    /// Owner names by the number of their labels below the apex, without the hashed ones.
    pub depth: Vec<Depth>,
    /// By type, those with the most records first.
    pub types: Vec<TypeStats>,
}

/// Counts a zone file.
///
/// # Errors
/// [`Error::Zone`] when it cannot be read.
pub fn zone_stats(config: &StatsConfig) -> Result<ZoneStats, Error> {
    let pool = thread_pool(config.threads)?;
    let prints = Fingerprints::new(config.load.origin.borrow());
    let visited = pool.install(|| {
        visit_records(
            &config.zone_file,
            &config.load,
            || Part::new(&prints),
            |part, record| part.add(record),
        )
    })?;
    visited.check_unchanged()?;
    let mut entries = Vec::with_capacity(visited.parts.iter().map(|part| part.entries.len()).sum());
    let mut types = TypeTable::default();
    let mut serial = None;
    for part in visited.parts {
        entries.extend_from_slice(&part.entries);
        types.add(&part.types);
        serial = serial.or(part.serial);
    }
    pool.install(|| entries.par_sort_unstable_by_key(Entry::order));
    let names = Names::from_sorted(&entries, prints.apex());
    let counts = names.count(&entries, &mut types);
    Ok(ZoneStats {
        origin: config.load.origin.to_string(),
        serial,
        text_bytes: visited.bytes,
        wire_bytes: types.wire_bytes(),
        records: types.records(),
        sets: types.sets(),
        names: counts.names,
        hashed_names: counts.hashed_names,
        empty_non_terminals: counts.empty_non_terminals,
        wildcards: counts.wildcards,
        names_below_cuts: counts.names_below_cuts,
        delegations: counts.delegations,
        dnames: counts.dnames,
        signed: counts.signed,
        ttl: types.ttl(),
        depth: counts.depth,
        types: types.into_stats(),
    })
}

/// What is gathered from one chunk.
struct Part<'p> {
    prints: &'p Fingerprints,
    /// The owner of the record before, and the prints of its ancestors from depth 0 on to itself.
    owner: Vec<u8>,
    chain: Vec<u64>,
    wildcard: bool,
    /// Type and covered type of the record before.
    set: Option<(RecordType, u16)>,
    entries: Vec<Entry>,
    types: TypeTable,
    serial: Option<u32>,
}

impl<'p> Part<'p> {
    fn new(prints: &'p Fingerprints) -> Self {
        Self {
            prints,
            owner: Vec::with_capacity(256),
            chain: Vec::with_capacity(128),
            wildcard: false,
            set: None,
            entries: Vec::new(),
            types: TypeTable::default(),
            serial: None,
        }
    }

    #[inline]
    fn add(&mut self, record: &TextRecord<'_>) {
        let wire = record.owner.wire();
        if wire != self.owner {
            self.start_owner(record);
        }
        let covered = match (record.rtype, record.rdata) {
            (RecordType::RRSIG, &[high, low, ..]) => u16::from_be_bytes([high, low]),
            _ => 0,
        };
        let set = Some((record.rtype, covered));
        if self.set != set {
            self.set = set;
            let depth = self.chain.len() - 1;
            self.entries.push(Entry::set(
                self.chain[depth],
                self.chain[depth.saturating_sub(1)],
                depth,
                self.wildcard,
                (record.rtype, covered),
            ));
            if record.rtype == RecordType::SOA && depth == 0 {
                self.serial = self.serial.or_else(|| serial_of(record.rdata));
            }
        }
        self.types
            .count(record.rtype, wire.len(), record.rdata.len(), record.ttl);
    }

    #[cold]
    fn start_owner(&mut self, record: &TextRecord<'_>) {
        let wire = record.owner.wire();
        self.owner.clear();
        self.owner.extend_from_slice(wire);
        self.set = None;
        self.wildcard = record.owner.is_wildcard();
        let known = self.prints.replace_chain(record.owner, &mut self.chain);
        // Every ancestor that the owner before does not share, for the sake of those without records.
        for depth in known.max(1)..self.chain.len() - 1 {
            self.entries
                .push(Entry::ancestor(self.chain[depth], self.chain[depth - 1], depth));
        }
    }
}

fn serial_of(rdata: &[u8]) -> Option<u32> {
    let numbers = rdata.last_chunk::<20>()?;
    numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}
