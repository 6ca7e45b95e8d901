//! `verify`: a signed zone file judged. The same rules as the check before publishing, over a file that anyone may
//! have written, in any order; with them the zone's ZONEMD and the parent's DS set.

use std::path::Path;

use dnssec_sign::verify::{
    ApexFacts, Expectations, Finding, Joiner, PartitionVerdict, SepFlag, ZoneDigest, verify_partition,
};
use dnssec_sign::{Name, NodeList, RecordType};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use zone_io::{Outside, ReadOptions, Reader, Spill, lookup};

use crate::config::{PartitionSize, VerifyConfig};
use crate::context::moment;
use crate::error::Error;
use crate::load::{LoadedZone, load};
use crate::observer::{Observer, Phase};
use crate::partition::Partitions;
use crate::report::VerifyReport;
use crate::verify::survey;
use crate::{side_by_side, thread_pool};

/// Judges a signed zone. The report has what was found; a zone that cannot be judged at all is reported with the
/// findings that say why.
///
/// # Errors
/// [`Error::Zone`] when the file cannot be read, [`Error::Io`] and [`Error::Input`] for the file of DS records,
/// [`Error::Usage`] when threads cannot be had.
pub fn verify(config: &VerifyConfig, observer: &dyn Observer) -> Result<VerifyReport, Error> {
    let expectations = expectations(config)?;
    let pool = thread_pool(config.threads)?;
    let zone = pool.install(|| load(config, observer))?;
    let facts = match survey(zone.runs(), &expectations) {
        Ok(facts) => facts,
        Err(mut findings) => {
            findings.extend(pool.install(|| digest_of_unsigned(&zone, &expectations)));
            return Ok(VerifyReport::unjudged(&zone, config, &findings));
        }
    };
    observer.phase(Phase::Verify, Some(zone.records()));
    let partitions = Partitions::new(zone.runs(), config.origin.borrow(), PartitionSize::default());
    // The digest is one pass over all names in order; the partitions are judged beside it.
    let (verdicts, digest) = pool.install(|| {
        rayon::join(
            || judge_partitions(&partitions, &facts, &config.input.lists(), observer),
            || ZoneDigest::new(&facts).map(|digest| add_all(digest, &partitions)),
        )
    });
    zone.check_unchanged()?;
    let mut joiner = Joiner::new(&facts);
    for verdict in verdicts? {
        joiner.add(verdict);
    }
    if let Some(digest) = digest {
        joiner.compare_digests(digest);
    }
    Ok(VerifyReport::new(
        &zone,
        config,
        &pool.install(|| joiner.finish_by(side_by_side)),
    ))
}

fn expectations(config: &VerifyConfig) -> Result<Expectations, Error> {
    let mut expectations = Expectations::new(config.origin.clone(), moment(config.now));
    expectations.findings_per_rule = u32::try_from(config.max_errors).unwrap_or(u32::MAX);
    if config.ignore_ksk {
        expectations.sep_flag = SepFlag::Ignored;
    }
    if let Some(file) = &config.ds_file {
        expectations.ds = read_ds(file, &config.origin)?;
    }
    let seconds = |days: u32| days.saturating_mul(86400);
    expectations.warn_within = config.warn_days.map(seconds);
    expectations.critical_within = config.critical_days.map(seconds);
    Ok(expectations)
}

/// What is to be compared at the end goes to `lists`.
fn judge_partitions(
    partitions: &Partitions<'_>,
    facts: &ApexFacts,
    lists: &Spill,
    observer: &dyn Observer,
) -> Result<Vec<PartitionVerdict>, Error> {
    (0..partitions.len())
        .into_par_iter()
        .map_init(NodeList::new, |nodes, index| {
            partitions.load(index, nodes);
            let verdict = verify_partition(nodes, partitions.cut(index).as_deref(), facts);
            observer.advance(Phase::Verify, nodes.record_count() as u64);
            Ok(verdict.keep(|bytes| lists.keep(bytes))?)
        })
        .collect()
}

/// A zone without signatures can have a ZONEMD all the same (RFC 8976 4).
fn digest_of_unsigned(zone: &LoadedZone, expectations: &Expectations) -> Vec<Finding> {
    let origin = expectations.origin.borrow();
    let mut apex = NodeList::new();
    if !lookup(zone.runs(), origin, &[], &mut apex) {
        return Vec::new();
    }
    let (digest, mut findings) = ZoneDigest::of_unsigned(apex.node(0), expectations);
    if let Some(digest) = digest {
        let partitions = Partitions::new(zone.runs(), origin, PartitionSize::default());
        findings.extend(add_all(digest, &partitions).finish());
    }
    findings
}

fn add_all(mut digest: ZoneDigest, partitions: &Partitions<'_>) -> ZoneDigest {
    let mut nodes = NodeList::new();
    for index in 0..partitions.len() {
        partitions.load(index, &mut nodes);
        for node in nodes.iter() {
            digest.add(node);
        }
    }
    digest
}

/// The DS records of a zone in a file of records, such as a dsset file: other owners and types are left out.
fn read_ds(file: &Path, origin: &Name) -> Result<Vec<Box<[u8]>>, Error> {
    let text = std::fs::read(file).map_err(Error::io(file))?;
    let mut options = ReadOptions::new(origin.clone());
    options.outside = Outside::Keep;
    options.ttl = Some(0);
    options.name = file.display().to_string().into();
    let mut reader = Reader::new(&text, &options);
    let mut set = Vec::new();
    while let Some(record) = reader.next_record() {
        let record = record.map_err(|fault| Error::Input(fault.to_string()))?;
        if record.rtype == RecordType::DS && record.owner == origin.borrow() {
            set.push(record.rdata.into());
        }
    }
    if set.is_empty() {
        let file = file.display();
        return Err(Error::Input(format!("{file} has no DS record of {origin}")));
    }
    Ok(set)
}
