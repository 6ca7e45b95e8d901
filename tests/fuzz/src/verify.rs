//! Signed zones with some of their records changed as the input says: the verifier comes to an end on any of them, and
//! judges a zone whole as it judges it in two partitions. Whether its verdicts are right is shown by the tests of its
//! rules, and text is the business of `round_trip`.

use std::sync::OnceLock;

use dnssec_sign::verify::{ApexFacts, Expectations, Level, Report, join, survey_apex, verify_partition};
use dnssec_sign::{Name, NameRef, NodeList, RecordType, rdata};
use zone_io::{ReadOptions, Reader, Run, RunBuilder, lookup, merge_range};

/// A moment in 2027, at which the signatures of the zones hold.
const NOW: u32 = 1_800_000_000;

/// So many changes of one input are made.
const MOST_CHANGES: usize = 40;

#[derive(Clone)]
struct Record {
    /// The owner's wire form.
    owner: Vec<u8>,
    rtype: RecordType,
    ttl: u32,
    rdata: Vec<u8>,
}

/// Checks one input. The first byte chooses the zone and how much of it is judged, the second where it is cut, and changes
/// follow.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&[how, border], changes)) = bytes.split_first_chunk() else {
        return;
    };
    let origin: Name = "example.".parse().expect("a name");
    let zones = zones(&origin);
    let mut records = zones[usize::from(how & 3) % zones.len()].clone();
    let mut expectations = Expectations::new(origin.clone(), NOW);
    // Hashing as often as an input likes is what the limit is there for.
    expectations.max_iterations = 10;
    expectations.level = Level::Structure;
    if how >= 0xf8 {
        // Signatures are verified, of few records: a signature takes as long as everything else.
        expectations.level = Level::Full;
        records.retain(|record| record.owner == origin.borrow().wire());
    }
    let mut changes = Changes { rest: changes };
    for _ in 0..MOST_CHANGES {
        if changes.make_one(&mut records).is_none() {
            break;
        }
    }
    let runs = [run(&records, &origin)];
    let mut apex = NodeList::new();
    if !lookup(&runs, origin.borrow(), &[], &mut apex) {
        return;
    }
    let Ok(facts) = survey_apex(apex.node(0), &expectations) else {
        return;
    };
    let mut nodes = NodeList::new();
    merge_range(&runs, origin.borrow(), &[], None, &mut nodes);
    let whole = join([verify_partition(&nodes, None, &facts)], &facts);
    let border = usize::from(border) % nodes.len();
    if border > 0 {
        let key = nodes.key(border).to_vec();
        assert_eq!(summary(&whole), summary(&in_two(&runs, &key, &origin, &facts)));
    }
}

/// The records of zones that are signed with NSEC, with NSEC3, and with opt-out.
fn zones(origin: &Name) -> &'static [Vec<Record>] {
    static ZONES: OnceLock<Vec<Vec<Record>>> = OnceLock::new();
    ZONES.get_or_init(|| {
        let texts = [
            include_str!("../zones/nsec.zone"),
            include_str!("../zones/nsec3.zone"),
            include_str!("../zones/nsec3-opt-out.zone"),
        ];
        texts.map(|text| read(text.as_bytes(), origin)).to_vec()
    })
}

fn read(text: &[u8], origin: &Name) -> Vec<Record> {
    let mut reader = Reader::new(text, &ReadOptions::new(origin.clone()));
    let mut records = Vec::new();
    while let Some(result) = reader.next_record() {
        let record = result.expect("the zones have no faults");
        records.push(Record {
            owner: record.owner.wire().to_vec(),
            rtype: record.rtype,
            ttl: record.ttl,
            rdata: record.rdata.to_vec(),
        });
    }
    records
}

/// The bytes that say what is changed.
struct Changes<'a> {
    rest: &'a [u8],
}

impl Changes<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn bytes(&mut self, length: u8) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(taken)
    }

    /// Makes the next change; nothing when there is none. A record that is no data of its type afterwards stays as it was.
    fn make_one(&mut self, records: &mut Vec<Record>) -> Option<()> {
        let (what, at) = (self.byte()?, self.byte()?);
        let at = usize::from(at).checked_rem(records.len())?;
        let mut changed = records[at].clone();
        match what % 10 {
            0 => {
                records.swap_remove(at);
                return Some(());
            }
            1 => {
                let (place, value) = (usize::from(self.byte()?), self.byte()?);
                let place = place.checked_rem(changed.rdata.len()).unwrap_or_default();
                if let Some(byte) = changed.rdata.get_mut(place) {
                    *byte = value;
                }
            }
            2 => changed.owner = other(records, self.byte()?).owner,
            3 => changed.rtype = RecordType(u16::from(self.byte()?)),
            4 => changed.ttl = u32::from(self.byte()?),
            5 => {
                let other = other(records, self.byte()?);
                (changed.rtype, changed.rdata) = (other.rtype, other.rdata);
            }
            6 => {
                let label = [1, self.byte()?];
                changed.owner.splice(..0, label);
            }
            7 => {
                let (place, count) = (usize::from(self.byte()?), usize::from(self.byte()?));
                let start = place.min(changed.rdata.len());
                let end = start.saturating_add(count).min(changed.rdata.len());
                let length = self.byte()? % 40;
                changed.rdata.splice(start..end, self.bytes(length)?.iter().copied());
            }
            8 => {
                let first = changed.owner.first().copied().unwrap_or_default();
                if first > 0 && changed.owner.len() > "example.".len() + 1 {
                    changed.owner.drain(..=usize::from(first));
                }
            }
            _ => {
                let another = other(records, self.byte()?);
                records.push(another);
                changed.ttl ^= 1;
            }
        }
        let is_name = NameRef::from_wire(&changed.owner).is_ok();
        if is_name && !changed.rtype.is_meta() && rdata::check(changed.rtype, &changed.rdata) == Ok(()) {
            records[at] = changed;
        }
        Some(())
    }
}

/// A record by number.
fn other(records: &[Record], number: u8) -> Record {
    records[usize::from(number) % records.len()].clone()
}

fn run(records: &[Record], origin: &Name) -> Run {
    let mut builder = RunBuilder::new(origin.borrow(), 0);
    for (line, record) in (0..).zip(records) {
        let owner = NameRef::from_wire(&record.owner).expect("owners are names");
        builder.push(owner, record.rtype, record.ttl, &record.rdata, line);
    }
    builder.finish(0)
}

fn in_two(runs: &[Run], key: &[u8], origin: &Name, facts: &ApexFacts) -> Report {
    let (mut before, mut behind) = (NodeList::new(), NodeList::new());
    merge_range(runs, origin.borrow(), &[], Some(key), &mut before);
    merge_range(runs, origin.borrow(), key, None, &mut behind);
    let first = verify_partition(&before, None, facts);
    let cut = first.cut_after().filter(|cut| key.starts_with(cut)).map(<[u8]>::to_vec);
    let second = verify_partition(&behind, cut.as_deref(), facts);
    join([first, second], facts)
}

/// What does not depend on partitions.
fn summary(report: &Report) -> String {
    let expiry = report.earliest_expiry.as_ref().map(|expiry| expiry.expiration);
    format!(
        "{} {:?} {:?} {expiry:?}",
        report.is_good(),
        report.totals,
        report.counts
    )
}
