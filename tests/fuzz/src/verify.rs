//! Text of a signed zone: the verifier comes to an end on any records, and judges the zone whole as it judges it in two
//! partitions. Whether its verdicts are right is shown by the tests of its rules.

use dnssec_sign::verify::{ApexFacts, Expectations, Level, Report, join, survey_apex, verify_partition};
use dnssec_sign::{Name, NodeList};
use zone_io::{ReadOptions, Reader, Run, RunBuilder, lookup, merge_range};

/// So many records of one input are looked at: $GENERATE makes millions of one line.
const MOST_RECORDS: usize = 100;

/// A moment in 2027, at which the signatures of the seeds hold.
const NOW: u32 = 1_800_000_000;

/// Checks one input. The first byte chooses where the zone is cut.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&how, text)) = bytes.split_first() else {
        return;
    };
    let origin: Name = "example.".parse().expect("a name");
    let runs = [read(text, &origin)];
    let mut expectations = Expectations::new(origin.clone(), NOW);
    expectations.level = if how & 0x80 == 0 { Level::Full } else { Level::Structure };
    // Hashing as often as an input likes is what the limit is there for.
    expectations.max_iterations = 10;
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
    let border = usize::from(how & 0x7f) % nodes.len();
    if border > 0 {
        let key = nodes.key(border).to_vec();
        assert_eq!(summary(&whole), summary(&in_two(&runs, &key, &origin, &facts)));
    }
}

fn read(text: &[u8], origin: &Name) -> Run {
    let mut builder = RunBuilder::new(origin.borrow(), 0);
    let mut reader = Reader::new(text, &ReadOptions::new(origin.clone()));
    let mut count = 0;
    while let Some(result) = reader.next_record() {
        if let Ok(record) = result {
            builder.push(record.owner, record.rtype, record.ttl, record.rdata, record.line);
        }
        count += 1;
        if count >= MOST_RECORDS {
            break;
        }
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
