//! One NSEC3 chain against the names of the zone (RFC 5155 7.1): both lists in the order of hashes, walked side by
//! side. A name may lack its record only inside a span whose record has the opt-out flag.

use super::bitmap;
use super::finding::{Finding, Findings};
use super::nsec3::{Bitmaps, ChainPart, Expected, Hash, OPT_OUT, Present, hash_owner, hash_text};
use super::rule::Rule;
use crate::name::NameRef;
use crate::record::Locus;
use crate::rtype::RecordType;
use std::cmp::Ordering;

/// Compares what should be with what is.
pub(super) fn compare(mut chain: ChainPart, bitmaps: &Bitmaps, origin: NameRef<'_>, findings: &mut Findings) {
    let mut fault = |rule: Rule, hash: &Hash, locus: Locus, detail: &dyn Fn() -> String| {
        findings.add(rule, || {
            Finding::new(rule, hash_owner(hash, origin), locus, detail()).with_type(RecordType::NSEC3)
        });
    };
    // Partitions hand over sorted lists: the stable sort finds their runs and merges them.
    chain.present.sort_by_key(|entry| entry.hash);
    chain.present.dedup_by(|later, earlier| {
        let equal = later.hash == earlier.hash;
        if equal {
            fault(Rule::Nsec3Duplicate, &later.hash, later.locus, &|| {
                "another NSEC3 record with these parameters is at this owner".to_owned()
            });
        }
        equal
    });
    let expected = merge_names(chain.expected, &mut fault);
    let present = &chain.present;
    if present.is_empty() {
        if let [first, ..] = &*expected {
            fault(Rule::Nsec3Missing, &first.hash, first.locus, &|| {
                format!("the chain is missing: {} names have no NSEC3", expected.len())
            });
        }
        return;
    }
    check_links(present, &mut fault);
    let mut names = expected.iter().peekable();
    for (place, record) in present.iter().enumerate() {
        let before = &present[place.checked_sub(1).unwrap_or(present.len() - 1)];
        while let Some(name) = names.next_if(|name| name.hash < record.hash) {
            check_left_out(name, before, &mut fault);
        }
        match names.next_if(|name| name.hash == record.hash) {
            None => fault(Rule::Nsec3Extra, &record.hash, record.locus, &|| {
                "no name of the zone has this hash".to_owned()
            }),
            Some(name) if name.bitmap != record.bitmap => {
                fault(Rule::Nsec3Bitmap, &record.hash, record.locus, &|| {
                    bitmap::difference(bitmaps.bytes(record.bitmap), bitmaps.bytes(name.bitmap))
                });
            }
            Some(_) => {}
        }
    }
    if let Some(last) = present.last() {
        for name in names {
            check_left_out(name, last, &mut fault);
        }
    }
}

type Fault<'a> = dyn FnMut(Rule, &Hash, Locus, &dyn Fn() -> String) + 'a;

/// The names sorted by hash, each once: an empty non-terminal is told by several names and partitions, and a name
/// of one partition may look like an empty non-terminal from the next.
fn merge_names(mut expected: Vec<Expected>, fault: &mut Fault<'_>) -> Vec<Expected> {
    expected.sort_by_key(|entry| entry.hash);
    expected.dedup_by(|later, earlier| {
        if later.hash != earlier.hash {
            return false;
        }
        if later.fingerprint != earlier.fingerprint {
            fault(Rule::Nsec3Collision, &later.hash, later.locus, &|| {
                "two names have this hash: another salt is needed".to_owned()
            });
        }
        if later.reason > earlier.reason {
            *earlier = *later;
        }
        true
    });
    expected
}

/// Each record points to the next hash, the last to the first.
fn check_links(present: &[Present], fault: &mut Fault<'_>) {
    for (place, record) in present.iter().enumerate() {
        let next = present
            .get(place + 1)
            .or(present.first())
            .map_or(record.hash, |next| next.hash);
        if record.next.cmp(&next) != Ordering::Equal {
            fault(Rule::Nsec3Next, &record.hash, record.locus, &|| {
                format!(
                    "the next hash is given as {}, it is {}",
                    hash_text(&record.next),
                    hash_text(&next)
                )
            });
        }
    }
}

/// A name without a record lies between `before` and the record behind it.
fn check_left_out(name: &Expected, before: &Present, fault: &mut Fault<'_>) {
    if name.reason.may_be_left_out() && before.flags & OPT_OUT != 0 {
        return;
    }
    fault(Rule::Nsec3Missing, &name.hash, name.locus, &|| {
        let why = if name.reason.may_be_left_out() {
            ", and the record over its span has not the opt-out flag"
        } else {
            ""
        };
        format!("no NSEC3 for {}{why}", name.reason.text())
    });
}
