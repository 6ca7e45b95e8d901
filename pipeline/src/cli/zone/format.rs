//! `signet zone format`: a zone file read and printed in canonical order, one record a line. Signs and judges nothing
//! beyond what every zone has to be.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use dnssec_sign::{CanonicalSet, Class, Name, Node, NodeList, RecordType};
use signet_pipeline::Error;
use zone_io::{Loaded, Outside, load, lookup, nodes_from, write_generic, write_record};

use crate::cli::Outcome;
use crate::cli::input_flags::InputFlags;
use crate::cli::origin::origin_of;
use crate::cli::streams::stdout_error;

/// Print a zone file in canonical order, one record a line
#[derive(Args, Debug)]
#[command(
    long_about = "Prints a zone file in canonical order (RFC 4034 6), one record a line, everything absolute, equal records \
                  once. Two files with the same records give the same text, so that diff can compare \
                  them."
)]
pub(in crate::cli) struct FormatFlags {
    /// The zone file; `-` is standard input, and gzip or zstd data is decompressed
    #[arg(value_name = "ZONEFILE")]
    zone_file: PathBuf,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// Print class, type and data in the generic form of RFC 3597
    #[arg(long)]
    generic: bool,

    /// Take any list of records: owners out of the zone, no SOA, TTLs that differ within a set
    #[arg(long)]
    records: bool,

    /// How many faults of the file are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_errors: usize,

    #[command(flatten)]
    input: InputFlags,
}

/// Text is handed on in blocks of this size.
const BLOCK: usize = 64 * 1024;

/// Prints.
///
/// # Errors
/// [`Error::Zone`] for a file that cannot be read, [`Error::Input`] for one that is no zone.
pub(super) fn run(flags: &FormatFlags) -> Result<Outcome, Error> {
    let origin = match (&flags.origin, flags.records) {
        (None, true) => Name::root(),
        (typed, _) => origin_of(typed.as_deref(), &flags.zone_file)?,
    };
    let mut options = flags.input.resolve()?.load_options(origin.clone());
    options.max_faults = flags.max_errors;
    if flags.records {
        options.outside = Outside::Keep;
    }
    let loaded = load(&flags.zone_file, &options)?;
    if !flags.records {
        check_soa(&loaded, flags, &origin)?;
    }
    let mut out = std::io::stdout().lock();
    let mut text = Vec::with_capacity(2 * BLOCK);
    let mut set = CanonicalSet::default();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
    while let Some(node) = nodes.next_node() {
        write_node(&node, flags, &mut set, &mut text);
        if text.len() >= BLOCK {
            out.write_all(&text).map_err(stdout_error)?;
            text.clear();
        }
    }
    out.write_all(&text).and_then(|()| out.flush()).map_err(stdout_error)?;
    loaded.check_unchanged()?;
    Ok(Outcome::Done)
}

fn check_soa(loaded: &Loaded, flags: &FormatFlags, origin: &Name) -> Result<(), Error> {
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
            "{}: no SOA record at {origin}: is this the zone's origin? -o names it, and --records takes any list of records",
            flags.zone_file.display()
        ))),
        count => Err(Error::Input(format!(
            "{}: {count} SOA records at {origin}: a zone has one",
            flags.zone_file.display()
        ))),
    }
}

fn write_node(node: &Node<'_>, flags: &FormatFlags, set: &mut CanonicalSet, text: &mut Vec<u8>) {
    let write = if flags.generic { write_generic } else { write_record };
    for records in node.sets() {
        set.load(records);
        for record in set.order().filter_map(|at| records.get(at)) {
            // Each RRSIG has the TTL of the set it covers (RFC 4034 3); any other set has one TTL (RFC 2181 5.2).
            let ttl = if flags.records || record.rtype == RecordType::RRSIG {
                record.ttl
            } else {
                set.ttl()
            };
            write(node.owner, ttl, Class::IN, record.rtype, record.rdata, text);
        }
    }
}
