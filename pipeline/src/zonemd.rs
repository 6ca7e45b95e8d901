//! The digests of a written zone for its ZONEMD (RFC 8976): the output read back partition by partition, its two sorted
//! blocks, names and NSEC3 records, merged into one canonical order; and once more to verify them. What is digested of a
//! node is `dnssec_sign`'s, twice: the signer's code and the verifier's have nothing in common.

use dnssec_sign::verify::{ApexFacts, Finding, ZoneDigest};
use dnssec_sign::{NodeList, ZonemdDigest, ZonemdHash, ZonemdWriter};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use zone_io::{Run, merge_range};

use crate::error::Error;
use crate::partition::Partitions;
use crate::rounds::{Chain, Work};
use crate::verify::read_back;

/// Partitions that are read back at once, a thread.
const AHEAD: usize = 4;

/// The digests of the zone that was written, one for each hash.
///
/// # Errors
/// [`Error::Io`] and [`Error::Verification`] when the output cannot be read back.
pub(crate) fn digests(
    work: &Work<'_>,
    partitions: &Partitions<'_>,
    chain: Option<&Chain<'_>>,
    hashes: &[ZonemdHash],
    pool: &ThreadPool,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut states: Vec<ZonemdDigest> = hashes.iter().map(|hash| ZonemdDigest::new(*hash)).collect();
    let ahead = AHEAD * pool.current_num_threads().max(1);
    let mut first = 0;
    while first < partitions.len() {
        let last = partitions.len().min(first + ahead);
        let parts: Result<Vec<Vec<u8>>, Error> = pool.install(|| {
            (first..last)
                .into_par_iter()
                .map(|index| partition(work, partitions, chain, index))
                .collect()
        });
        for bytes in parts? {
            for state in &mut states {
                state.update(&bytes);
            }
        }
        first = last;
    }
    Ok(states.into_iter().map(ZonemdDigest::finish).collect())
}

/// What the verifier finds wrong with the ZONEMD records of the zone that was written; nothing where it has none.
///
/// # Errors
/// [`Error::Io`] and [`Error::Verification`] when the output cannot be read back.
pub(crate) fn verify(
    work: &Work<'_>,
    partitions: &Partitions<'_>,
    chain: Option<&Chain<'_>>,
    facts: &ApexFacts,
    pool: &ThreadPool,
) -> Result<Vec<Finding>, Error> {
    let Some(mut digest) = ZoneDigest::new(facts) else {
        return Ok(Vec::new());
    };
    let ahead = AHEAD * pool.current_num_threads().max(1);
    let mut first = 0;
    while first < partitions.len() {
        let last = partitions.len().min(first + ahead);
        let parts: Result<Vec<Vec<Run>>, Error> = pool.install(|| {
            (first..last)
                .into_par_iter()
                .map(|index| runs(work, partitions, chain, index))
                .collect()
        });
        for (index, runs) in (first..last).zip(parts?) {
            let nodes = nodes(&runs, work, partitions, index);
            nodes.iter().for_each(|node| digest.add(node));
        }
        first = last;
    }
    Ok(digest.finish())
}

/// The bytes to digest of one partition of names and the NSEC3 records whose owners lie in its range.
fn partition(
    work: &Work<'_>,
    partitions: &Partitions<'_>,
    chain: Option<&Chain<'_>>,
    index: usize,
) -> Result<Vec<u8>, Error> {
    let runs = runs(work, partitions, chain, index)?;
    let mut writer = ZonemdWriter::default();
    let mut bytes = Vec::new();
    for node in nodes(&runs, work, partitions, index).iter() {
        writer.write_node(&node, work.context.class, &mut bytes);
    }
    Ok(bytes)
}

/// One partition of names read back, and the partitions of the NSEC3 chain that may have owners in its range.
fn runs(
    work: &Work<'_>,
    partitions: &Partitions<'_>,
    chain: Option<&Chain<'_>>,
    index: usize,
) -> Result<Vec<Run>, Error> {
    let origin = &work.context.origin;
    let (lower, upper) = (partitions.lower(index), partitions.upper(index));
    let mut runs = vec![read_back(origin, work.late.range(index), work.output)?];
    for number in chain.map_or(0..0, |chain| chain.within(lower, upper)) {
        let range = work.late.range(partitions.len() + number);
        runs.push(read_back(origin, range, work.output)?);
    }
    Ok(runs)
}

/// The nodes of those runs that lie in the partition's range.
fn nodes<'r>(runs: &'r [Run], work: &Work<'_>, partitions: &Partitions<'_>, index: usize) -> NodeList<'r> {
    let mut nodes = NodeList::new();
    let (lower, upper) = (partitions.lower(index), partitions.upper(index));
    merge_range(runs, work.context.origin.borrow(), lower, upper, &mut nodes);
    nodes
}
