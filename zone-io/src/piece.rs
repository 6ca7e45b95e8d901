//! One piece of the input parsed: its records as sorted runs, its faults, and what it takes over from the pieces
//! before it, which is filled in when all are there. Cutting is `chunk`'s, and the whole is `load`'s.

use dnssec_sign::NameRef;

use crate::chunk::{Chunk, Zone};
use crate::error::Error;
use crate::fault::Fault;
use crate::lint::Warnings;
use crate::load::Progress;
use crate::parse::Outside;
use crate::reason::Reason;
use crate::run::{Run, RunBuilder};
use crate::scan::Raw;
use crate::spill::Spill;

/// What came of one piece.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) runs: Vec<Run>,
    /// Stands when there are records that have the last TTL of the pieces before, and there is none.
    no_ttl: Option<Box<Fault>>,
    /// The last TTL stated in it.
    last_ttl: Option<u32>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Warnings,
}

impl Parsed {
    /// A piece that is nothing but a fault.
    pub(crate) fn of_fault(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
            ..Self::default()
        }
    }
}

/// What it takes to parse a piece.
pub(crate) struct Parser<'a> {
    pub(crate) zone: &'a Zone,
    pub(crate) most_faults: usize,
    pub(crate) run_records: usize,
    pub(crate) spill: &'a Spill,
    pub(crate) progress: Progress<'a>,
}

impl Parser<'_> {
    /// Reads a chunk to its end, or to its last fault.
    ///
    /// # Errors
    /// [`Error::Io`] when a run cannot be spilled.
    pub(crate) fn parse(&self, chunk: &Chunk) -> Result<Parsed, Error> {
        let mut reader = chunk.reader(self.zone);
        let mut builder = RunBuilder::new(run_origin(self.zone), chunk.number);
        let mut parsed = Parsed::default();
        while let Some(result) = reader.advance() {
            match result {
                Ok(()) => {
                    let record = reader.record();
                    builder.push(record.owner, record.rtype, record.ttl, record.rdata, record.line);
                    if builder.len() >= self.run_records {
                        let next = RunBuilder::new(run_origin(self.zone), chunk.number);
                        let full = std::mem::replace(&mut builder, next);
                        parsed.runs.push(self.finish(full, chunk)?);
                    }
                }
                Err(raw) => {
                    parsed.faults.push(reader.fault(*raw));
                    if parsed.faults.len() >= self.most_faults {
                        break;
                    }
                }
            }
        }
        chunk.release();
        if (self.progress)(u64::try_from(chunk.text().len()).unwrap_or(u64::MAX)).is_break() {
            return Err(Error::Cancelled);
        }
        let pending = reader.state.pending;
        if pending.count > 0 {
            let raw = Raw::new(pending.at, pending.length, Reason::NoTtl);
            parsed.no_ttl = Some(Box::new(reader.fault(raw)));
        }
        parsed.last_ttl = reader.state.last_ttl;
        parsed.warnings = std::mem::take(&mut reader.warnings);
        if !builder.is_empty() {
            parsed.runs.push(self.finish(builder, chunk)?);
        }
        Ok(parsed)
    }

    fn finish(&self, builder: RunBuilder, chunk: &Chunk) -> Result<Run, Error> {
        let mut run = builder.finish(chunk.first_line);
        self.spill.keep_run(&mut run)?;
        Ok(run)
    }
}

/// Gives the records that were read before any TTL of their chunk the last one stated before (RFC 1035 5.1).
pub(crate) fn fill_in_ttls(pieces: &mut [Parsed]) {
    let mut last = None;
    for piece in pieces {
        if let Some(fault) = piece.no_ttl.take() {
            match last {
                Some(ttl) => piece.runs.iter_mut().for_each(|run| run.set_inherited_ttl(ttl)),
                None => {
                    piece.faults.insert(0, *fault);
                    piece.runs.iter_mut().for_each(Run::forget_inherited);
                }
            }
        }
        last = piece.last_ttl.or(last);
    }
}

/// What the keys of runs are relative to.
pub(crate) fn run_origin(zone: &Zone) -> NameRef<'_> {
    match zone.outside {
        Outside::Refuse => zone.origin.borrow(),
        Outside::Keep => NameRef::ROOT,
    }
}
