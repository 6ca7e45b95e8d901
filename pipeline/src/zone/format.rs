//! `zone format`: a zone file as canonical text, one record a line. Partitions are rendered side by side and handed on in
//! order, so that no more than a few of them are text at a time. Nothing is signed, and judged only whether it is a zone.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use dnssec_sign::{CanonicalSet, Class, Name, NameRef, Node, NodeList, RecordType};
use zone_io::{
    Fault, Lint, LoadOptions, Loaded, OnFault, Outside, Reason, Severity, Warnings, check_sets, load, lookup,
    write_generic, write_record,
};

use super::in_order;
use crate::config::PartitionSize;
use crate::error::Error;
use crate::partition::Partitions;
use crate::thread_pool;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// In the presentation format of their types.
    #[default]
    Plain,
    /// With class, type and data in the generic form of RFC 3597.
    Generic,
}

/// What the input has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// A zone: one SOA, no owner outside, one TTL in a set.
    #[default]
    Zone,
    /// Any list of records: each keeps its TTL, and those at fault are left out.
    Records,
}

/// What to print, and how.
#[derive(Debug, Clone)]
pub struct FormatConfig {
    /// The file; `-` is standard input.
    pub zone_file: PathBuf,
    /// How it is read. [`Rules`] decides about owners outside and faults.
    pub load: LoadOptions,
    /// How many threads work.
    pub threads: usize,
    /// How records are written.
    pub form: Form,
    /// What the input has to be.
    pub rules: Rules,
}

/// What was printed, and what was not.
#[derive(Debug)]
pub struct FormatReport {
    /// Records read.
    pub records: u64,
    /// The faults whose records were left out.
    pub faults: Vec<Fault>,
    /// What was suspicious in the text and in sets.
    pub warnings: Warnings,
}

/// Hands the text of a zone to `write`, block by block.
///
/// # Errors
/// [`Error::Zone`] for a file that cannot be read, [`Error::Input`] for one that is no zone, and what `write` says.
pub fn format_zone(
    config: &FormatConfig,
    write: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<FormatReport, Error> {
    let pool = thread_pool(config.threads)?;
    let mut options = config.load.clone();
    if config.rules == Rules::Records {
        options.outside = Outside::Keep;
        options.on_fault = OnFault::Skip;
    }
    let loaded = pool.install(|| load(&config.zone_file, &options))?;
    if config.rules == Rules::Zone {
        check_soa(&loaded, config)?;
    }
    let partitions = Partitions::new(&loaded.runs, loaded.origin.borrow(), PartitionSize::default());
    let suspects = Mutex::new(Vec::new());
    let lints = match config.rules {
        Rules::Zone => options.lints,
        // The TTLs are kept.
        Rules::Records => options.lints.without(Lint::TtlMismatch),
    };
    let render = |index| {
        let mut nodes = NodeList::new();
        partitions.load(index, &mut nodes);
        let mut text = Vec::with_capacity(80 * nodes.record_count());
        let mut set = CanonicalSet::default();
        for node in nodes.iter() {
            check_sets(&node, lints, |locus, reason| {
                let mut suspects = suspects.lock().unwrap_or_else(PoisonError::into_inner);
                suspects.push((locus, Severity::Warning, reason));
            });
            write_node(&node, config, &mut set, &mut text);
        }
        text
    };
    in_order(&pool, partitions.len(), render, |text| write(&text))?;
    loaded.check_unchanged()?;
    let mut warnings = loaded.warnings.clone();
    let mut suspects = suspects.into_inner().unwrap_or_else(PoisonError::into_inner);
    suspects.sort_by_key(|(locus, _, _)| *locus);
    let most = options.max_faults;
    for lint in Lint::ALL {
        let of_lint = suspects.iter().filter(|(_, _, reason)| reason.lint() == Some(lint));
        let mut located = loaded.locate(of_lint.clone().take(most).cloned()).into_iter();
        for (_, _, reason) in of_lint {
            warnings.add(lint, most, || {
                located.next().unwrap_or_else(|| unlocated(config, reason.clone()))
            });
        }
    }
    Ok(FormatReport {
        records: loaded.records,
        warnings,
        faults: loaded.faults.faults,
    })
}

/// A warning about the file as a whole.
fn unlocated(config: &FormatConfig, reason: Reason) -> Fault {
    let file = config.zone_file.to_string_lossy();
    Fault::new(Severity::Warning, file.into(), 0, reason)
}

fn check_soa(loaded: &Loaded, config: &FormatConfig) -> Result<(), Error> {
    let (file, origin): (_, &Name) = (config.zone_file.display(), &config.load.origin);
    let mut apex = NodeList::new();
    let found = lookup(&loaded.runs, loaded.origin.borrow(), &[], &mut apex);
    let soas = if found {
        apex.node(0).set(RecordType::SOA).len()
    } else {
        0
    };
    match soas {
        1 => Ok(()),
        0 => Err(Error::Input(format!(
            "{file}: no SOA record at {origin}: is this the zone's origin? -o names it, and --records takes any list of records"
        ))),
        count => Err(Error::Input(format!(
            "{file}: {count} SOA records at {origin}: a zone has one"
        ))),
    }
}

fn write_node(node: &Node<'_>, config: &FormatConfig, set: &mut CanonicalSet, text: &mut Vec<u8>) {
    let write: fn(NameRef<'_>, u32, Class, RecordType, &[u8], &mut Vec<u8>) = match config.form {
        Form::Plain => write_record,
        Form::Generic => write_generic,
    };
    let class = config.load.class;
    for records in node.sets() {
        if let [record] = records {
            write(node.owner, record.ttl, class, record.rtype, record.rdata, text);
            continue;
        }
        set.load(records);
        for record in set.order().filter_map(|at| records.get(at)) {
            // Each RRSIG has the TTL of the set it covers (RFC 4034 3); any other set has one TTL (RFC 2181 5.2).
            let ttl = if config.rules == Rules::Records || record.rtype == RecordType::RRSIG {
                record.ttl
            } else {
                set.ttl()
            };
            write(node.owner, ttl, class, record.rtype, record.rdata, text);
        }
    }
}
