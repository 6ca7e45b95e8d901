//! A zone from records that a program has, not from text: pushed in any order, checked one by one, and sorted into the
//! same runs that [`load`](crate::load()) makes, so that everything behind it works on them alike. Rules that concern more
//! than one record are judged elsewhere.

use dnssec_sign::rdata::{self, RdataError};
use dnssec_sign::{Class, Name, NameRef, RecordType};

use crate::fault::Faults;
use crate::merge::{Nodes, nodes_from};
use crate::parse::{Outside, ReadOptions, parse_records};
use crate::run::{Run, RunBuilder};

/// The largest TTL (RFC 2181 8).
const MAX_TTL: u32 = 0x7fff_ffff;
/// A run of so many records is closed.
const RUN_RECORDS: usize = 1 << 20;

/// Why a record cannot be in a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The owner is not the zone's name or below it.
    #[error("{owner} is out of zone {origin}")]
    OutOfZone {
        /// The owner.
        owner: Name,
        /// The zone's name.
        origin: Name,
    },
    /// A type of questions or transactions.
    #[error("{0} stands in messages and type bitmaps only: there are no such records in zones (RFC 6895 3.1)")]
    MetaType(RecordType),
    /// A TTL of 2³¹ or more.
    #[error("a TTL is at most 2147483647 seconds (RFC 2181 8), not {0}")]
    TtlTooLarge(u32),
    /// RDATA of more than 65535 bytes.
    #[error("the data of a record is at most 65535 bytes, not {0}")]
    RdataTooLong(usize),
    /// RDATA that does not have its type's shape.
    #[error("these bytes are no {rtype} record: {error}")]
    Rdata {
        /// The type.
        rtype: RecordType,
        /// What is wrong.
        error: RdataError,
    },
    /// Text that is no record.
    #[error(transparent)]
    Text(#[from] Faults),
}

/// Collects the records of a zone in any order.
///
/// ```
/// use dnssec_sign::{Name, RecordType};
/// use zone_io::ZoneBuilder;
///
/// let origin: Name = "example.".parse()?;
/// let mut builder = ZoneBuilder::new(origin.clone());
/// let www: Name = "www.example.".parse()?;
/// builder.push(www.borrow(), 300, RecordType::A, &[192, 0, 2, 1])?;
/// builder.push_text("@ 3600 SOA ns hostmaster 1 7200 3600 1209600 300")?;
/// builder.push_text("@ 3600 NS ns\nns 3600 A 192.0.2.2")?;
/// // The data of an A record has four bytes.
/// assert!(builder.push(www.borrow(), 300, RecordType::A, &[192, 0, 2]).is_err());
///
/// let zone = builder.finish();
/// let mut owners = Vec::new();
/// let mut nodes = zone.nodes();
/// while let Some(node) = nodes.next_node() {
///     owners.push(format!("{} {}", node.owner, node.records.len()));
/// }
/// assert_eq!(owners, ["example. 2", "ns.example. 1", "www.example. 1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ZoneBuilder {
    origin: Name,
    class: Class,
    open: RunBuilder,
    runs: Vec<Run>,
    records: u64,
}

/// A zone that was built: its records sorted.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuiltZone {
    /// The zone's name, which the keys of the runs are relative to.
    pub origin: Name,
    /// The zone's class.
    pub class: Class,
    /// The runs in the order of the pushes. The line of a record is the number of its push, from 1.
    pub runs: Vec<Run>,
    /// The number of records.
    pub records: u64,
}

impl ZoneBuilder {
    /// An empty zone of class IN.
    #[must_use]
    pub fn new(origin: Name) -> Self {
        Self {
            open: RunBuilder::new(origin.borrow(), 0),
            origin,
            class: Class::IN,
            runs: Vec::new(),
            records: 0,
        }
    }

    /// Gives the zone another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Adds a record; `rdata` has uncompressed wire form. The letter case of all names is kept.
    ///
    /// # Errors
    /// [`BuildError`] when it cannot be in this zone; the zone is as before then.
    pub fn push(&mut self, owner: NameRef<'_>, ttl: u32, rtype: RecordType, rdata: &[u8]) -> Result<(), BuildError> {
        if !owner.is_at_or_below(self.origin.borrow()) {
            let (owner, origin) = (owner.to_name(), self.origin.clone());
            return Err(BuildError::OutOfZone { owner, origin });
        }
        if rtype.is_meta() {
            return Err(BuildError::MetaType(rtype));
        }
        if ttl > MAX_TTL {
            return Err(BuildError::TtlTooLarge(ttl));
        }
        if rdata.len() > usize::from(u16::MAX) {
            return Err(BuildError::RdataTooLong(rdata.len()));
        }
        rdata::check(rtype, rdata).map_err(|error| BuildError::Rdata { rtype, error })?;
        self.add(owner, ttl, rtype, rdata);
        Ok(())
    }

    /// Adds the records of a text in the form of master files. Names in it are relative to the zone's.
    ///
    /// # Errors
    /// [`BuildError::Text`] with the places in the text; none of its records is added then.
    pub fn push_text(&mut self, text: &str) -> Result<(), BuildError> {
        let mut options = ReadOptions::new(self.origin.clone());
        options.class = self.class;
        options.outside = Outside::Refuse;
        parse_records(text.as_bytes(), &options, |_| {})?;
        parse_records(text.as_bytes(), &options, |record| {
            self.add(record.owner, record.ttl, record.rtype, record.rdata);
        })?;
        Ok(())
    }

    fn add(&mut self, owner: NameRef<'_>, ttl: u32, rtype: RecordType, rdata: &[u8]) {
        if self.open.len() >= RUN_RECORDS {
            self.close();
        }
        let line = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        self.open.push(owner, rtype, ttl, rdata, line);
        self.records += 1;
    }

    fn close(&mut self) {
        let next = RunBuilder::new(self.origin.borrow(), 0);
        let full = std::mem::replace(&mut self.open, next);
        let before = self.records - u64::try_from(full.len()).unwrap_or(self.records);
        let first = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        self.runs.push(full.finish(first));
    }

    /// The number of records so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether there are none so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Sorts what was pushed.
    #[must_use]
    pub fn finish(mut self) -> BuiltZone {
        self.close();
        BuiltZone {
            origin: self.origin,
            class: self.class,
            runs: self.runs,
            records: self.records,
        }
    }
}

impl BuiltZone {
    /// The names and their records in canonical order.
    #[must_use]
    pub fn nodes(&self) -> Nodes<'_> {
        nodes_from(&self.runs, self.origin.borrow(), &[])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn builder() -> ZoneBuilder {
        ZoneBuilder::new("Example.".parse().unwrap())
    }

    #[test]
    fn what_cannot_be_in_the_zone_is_refused() {
        let mut builder = builder();
        let apex = builder.origin.clone();
        let other: Name = "other.".parse().unwrap();
        let mut push = |owner: &Name, ttl, rtype, rdata: &[u8]| builder.push(owner.borrow(), ttl, rtype, rdata);
        assert!(matches!(
            push(&other, 1, RecordType::A, &[1; 4]),
            Err(BuildError::OutOfZone { .. })
        ));
        assert_eq!(
            push(&apex, 1, RecordType::ANY, &[]),
            Err(BuildError::MetaType(RecordType::ANY))
        );
        assert_eq!(
            push(&apex, 1 << 31, RecordType::A, &[1; 4]),
            Err(BuildError::TtlTooLarge(1 << 31))
        );
        assert!(matches!(
            push(&apex, 1, RecordType::A, &[1; 5]),
            Err(BuildError::Rdata { .. })
        ));
        let long = vec![0; 65_536];
        assert_eq!(
            push(&apex, 1, RecordType(65_280), &long),
            Err(BuildError::RdataTooLong(65_536))
        );
        assert_eq!(push(&apex, 1, RecordType(65_280), &long[1..]), Ok(()));
        assert!(matches!(
            builder.push_text("a 1 NS b\nc 1 A x\n"),
            Err(BuildError::Text(_))
        ));
        assert_eq!(builder.len(), 1);
    }

    #[test]
    fn any_order_gives_the_canonical_one_and_letter_case_is_kept() {
        let mut builder = builder();
        assert!(builder.is_empty());
        builder.push_text("b.A 1 NS x\nz 1 NS y\n@ 1 NS Z").unwrap();
        builder.push_text("B.a 2 A 192.0.2.1").unwrap();
        let zone = builder.finish();
        let mut seen = Vec::new();
        let mut nodes = zone.nodes();
        while let Some(node) = nodes.next_node() {
            for record in node.records {
                seen.push(format!("{} {} {}", node.owner, record.rtype, record.locus.line));
            }
        }
        assert_eq!(
            seen,
            [
                "Example. NS 3",
                "b.A.Example. A 4",
                "b.A.Example. NS 1",
                "z.Example. NS 2"
            ]
        );
        assert_eq!(zone.records, 4);
    }
}
