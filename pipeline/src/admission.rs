//! What an input has to be before a key is used for it: not signed, where that is asked, and about as large as the zone that
//! it takes the place of. Records are counted here, not judged.

use std::path::Path;

use dnssec_sign::{NodeList, RecordRef, RecordType, is_made_by_signing};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use zone_io::visit_records;

use crate::config::{InputDnssec, Output, PartitionSize, SignConfig};
use crate::error::Error;
use crate::load::LoadedZone;
use crate::partition::Partitions;

/// Refuses an input that may not be signed; on the current rayon pool.
///
/// # Errors
/// [`Error::Input`] for a signed zone with [`InputDnssec::Reject`], and for one that grew or shrank too much;
/// [`Error::Zone`] when the previous output cannot be read.
pub(crate) fn admit(zone: &LoadedZone, config: &SignConfig) -> Result<(), Error> {
    let reject = config.reuse.input == InputDnssec::Reject;
    let previous = config.max_change.and_then(|percent| Some((percent, previous(config)?)));
    if !reject && previous.is_none() {
        return Ok(());
    }
    let found = survey(zone, config);
    if reject && let Some(record) = found.signed {
        return Err(Error::Input(format!(
            "{}: signed already ({} record), and --input-dnssec reject refuses that; reuse keeps what is still good, strip makes \
             all anew",
            zone.place(record.locus),
            record.rtype
        )));
    }
    match previous {
        Some((percent, path)) => check_change(found.records, path, percent, config),
        None => Ok(()),
    }
}

/// The zone that the output takes the place of, or else the earlier output that is looked at.
fn previous(config: &SignConfig) -> Option<&Path> {
    match &config.output {
        Output::File(path) if path.exists() => Some(path),
        _ => config.reuse.previous.as_deref(),
    }
}

/// What the input has.
#[derive(Default)]
struct Found<'r> {
    /// Records that a zone has without being signed.
    records: u64,
    /// The first record that signing makes.
    signed: Option<RecordRef<'r>>,
}

fn survey<'z>(zone: &'z LoadedZone, config: &'z SignConfig) -> Found<'z> {
    let partitions = Partitions::new(zone.runs(), config.origin.borrow(), PartitionSize::default());
    (0..partitions.len())
        .into_par_iter()
        .map(|index| {
            let mut nodes = NodeList::new();
            partitions.load(index, &mut nodes);
            let mut found = Found::default();
            for index in 0..nodes.len() {
                for record in nodes.records(index) {
                    found.records += u64::from(is_plain(record.rtype));
                    if is_made_by_signing(record.rtype) && found.signed.is_none_or(|first| record.locus < first.locus) {
                        found.signed = Some(*record);
                    }
                }
            }
            found
        })
        .reduce(Found::default, |one, other| Found {
            records: one.records + other.records,
            signed: [one.signed, other.signed]
                .into_iter()
                .flatten()
                .min_by_key(|record| record.locus),
        })
}

/// Whether records of this type are the zone's own, and none that signing adds.
fn is_plain(rtype: RecordType) -> bool {
    !is_made_by_signing(rtype)
        && !matches!(
            rtype,
            RecordType::DNSKEY | RecordType::CDS | RecordType::CDNSKEY | RecordType::ZONEMD
        )
}

fn check_change(records: u64, previous: &Path, percent: u32, config: &SignConfig) -> Result<(), Error> {
    let options = config.input.load_options(config.origin.clone());
    let visited = visit_records(
        previous,
        &options,
        || 0_u64,
        |count, record| *count += u64::from(is_plain(record.rtype)),
    )?;
    let before: u64 = visited.parts.iter().sum();
    let difference = records.abs_diff(before);
    if u128::from(difference) * 100 <= u128::from(before) * u128::from(percent) {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{} has {records} records, and {} has {before} but for those of DNSSEC: the zone {} by more than the {percent} % of \
         --max-change; raise it if that is meant",
        config.zone_file.display(),
        previous.display(),
        if records > before { "grew" } else { "shrank" }
    )))
}
