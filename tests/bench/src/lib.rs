//! The stages between a zone's text and text again, each as one function from what the stage before left to a number that
//! depends on all of its work. Time is taken elsewhere; errors end the run, since a fixture has none.

mod signed;
mod verified;

use std::path::Path;

pub use signed::{Counted, chain, context, linked, planned, signatures, signer_keys};
pub use verified::{signed, verified};

use dnssec_sign::{Class, Name};
use rayon::{ThreadPool, ThreadPoolBuilder};
use zone_io::fuzzing::{Piece, scan};
use zone_io::{LoadOptions, Loaded, OwnerLines, ReadOptions, load, nodes_from, parse_records, visit_records};

/// A pool of so many threads.
///
/// # Panics
/// When the system has no threads.
#[must_use]
pub fn pool(threads: usize) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("the system has threads")
}

/// The number of tokens: the scanner alone.
#[must_use]
pub fn tokens(text: &[u8]) -> usize {
    let mut count = 0;
    scan(text, |piece| count += usize::from(matches!(piece, Piece::Token { .. })));
    count
}

/// The bytes of RDATA: records of a text in memory, lent one by one.
///
/// # Panics
/// When the text is no zone.
#[must_use]
pub fn lent(text: &[u8], origin: &Name) -> usize {
    let mut bytes = 0;
    let options = ReadOptions::new(origin.clone());
    parse_records(text, &options, |record| bytes += record.rdata.len()).expect("the fixture is a zone");
    bytes
}

/// The bytes of RDATA: records of a file, lent by chunks on all threads of the pool.
///
/// # Panics
/// When the file is no zone.
#[must_use]
pub fn visited(path: &Path, origin: &Name, pool: &ThreadPool) -> usize {
    let options = LoadOptions::new(origin.clone());
    let visit = |bytes: &mut usize, record: &zone_io::TextRecord<'_>| *bytes += record.rdata.len();
    let visited = pool.install(|| visit_records(path, &options, || 0, visit));
    visited.expect("the fixture is a zone").parts.iter().sum()
}

/// Sorted runs.
///
/// # Panics
/// When the file is no zone.
#[must_use]
pub fn runs(path: &Path, origin: &Name, pool: &ThreadPool) -> Loaded {
    let options = LoadOptions::new(origin.clone());
    pool.install(|| load(path, &options)).expect("the fixture is a zone")
}

/// The number of records: runs merged to nodes in canonical order.
#[must_use]
pub fn merged(loaded: &Loaded) -> usize {
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
    let mut records = 0;
    while let Some(node) = nodes.next_node() {
        records += node.records.len();
    }
    records
}

/// The bytes of text: runs merged and printed.
#[must_use]
pub fn printed(loaded: &Loaded) -> usize {
    const BLOCK: usize = 64 << 10;
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
    let mut lines = OwnerLines::new(Class::IN);
    let mut text = Vec::with_capacity(2 * BLOCK);
    let mut bytes = 0;
    while let Some(node) = nodes.next_node() {
        lines.set_owner(node.owner);
        for record in node.records {
            lines.write_record(record.ttl, record.rtype, record.rdata, &mut text);
        }
        if text.len() >= BLOCK {
            bytes += text.len();
            text.clear();
        }
    }
    bytes + text.len()
}
