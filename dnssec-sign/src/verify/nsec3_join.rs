//! One NSEC3 chain against the names of the zone (RFC 5155 7.1): both lists in the order of hashes, walked side by
//! side, of which a range is in memory at a time. A name may lack its record only inside a span whose record has the opt-out flag.

use super::bitmap;
use super::finding::{Finding, Findings};
use super::nsec3::{Bitmaps, Expected, Hash, OPT_OUT, Present, hash_owner, hash_text};
use super::nsec3_list::{PackedPart, unpack_expected, unpack_present};
use super::rule::Rule;
use crate::kept::{Ranges, ends};
use crate::name::NameRef;
use crate::record::Locus;
use crate::rtype::RecordType;
use std::sync::Arc;

/// The lists of all partitions, each with the numbers of its bitmaps in the join.
pub(super) type Parts = [(PackedPart, Arc<[u32]>)];

/// Compares what should be with what is, a range of hashes at a time.
pub(super) fn compare(parts: &Parts, bitmaps: &Bitmaps, origin: NameRef<'_>, findings: &mut Findings) {
    let mut fault = |rule: Rule, hash: &Hash, locus: Locus, detail: &dyn Fn() -> String| {
        findings.add(rule, || {
            Finding::new(rule, hash_owner(hash, origin), locus, detail()).with_type(RecordType::NSEC3)
        });
    };
    let numbers = |part: usize| &*parts[part].1;
    let mut all_expected = Ranges::new(parts.iter().map(|(part, _)| &part.expected));
    let mut all_present = Ranges::new(parts.iter().map(|(part, _)| &part.present));
    let ends_of_lists = parts
        .iter()
        .filter_map(|(part, _)| part.present.as_ref().as_chunks().0.last());
    let last = ends_of_lists.max().map(|last| unpack_present(last, &[]));
    let (mut missing, mut first_missing) = (0u64, None);
    let mut chain = Links {
        first: None,
        before: last,
    };
    let (mut expected, mut present) = (Vec::new(), Vec::new());
    for end in ends(all_expected.len().max(all_present.len())) {
        expected.clear();
        present.clear();
        all_expected.take_below(end, |part, packed| {
            expected.push(unpack_expected(packed, numbers(part)))
        });
        all_present.take_below(end, |part, packed| present.push(unpack_present(packed, numbers(part))));
        merge_names(&mut expected, &mut fault);
        merge_records(&mut present, &mut fault);
        if last.is_none() {
            missing += expected.len() as u64;
            first_missing = first_missing.or(expected.first().copied());
            continue;
        }
        let mut names = expected.iter().peekable();
        for record in &present {
            while let Some(name) = names.next_if(|name| name.hash < record.hash) {
                check_left_out(name, &chain, &mut fault);
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
            chain.pass(record, &mut fault);
        }
        for name in names {
            check_left_out(name, &chain, &mut fault);
        }
    }
    if let Some(first) = first_missing {
        fault(Rule::Nsec3Missing, &first.hash, first.locus, &|| {
            format!("the chain is missing: {missing} names have no NSEC3")
        });
    }
    chain.close(&mut fault);
}

type Fault<'a> = dyn FnMut(Rule, &Hash, Locus, &dyn Fn() -> String) + 'a;

/// The names sorted by hash, each once: an empty non-terminal is told by several names and partitions, and a name
/// of one partition may look like an empty non-terminal from the next.
fn merge_names(expected: &mut Vec<Expected>, fault: &mut Fault<'_>) {
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
}

/// The records sorted by hash, each hash once.
fn merge_records(present: &mut Vec<Present>, fault: &mut Fault<'_>) {
    present.sort_by_key(|entry| entry.hash);
    present.dedup_by(|later, earlier| {
        let equal = later.hash == earlier.hash;
        if equal {
            fault(Rule::Nsec3Duplicate, &later.hash, later.locus, &|| {
                "another NSEC3 record with these parameters is at this owner".to_owned()
            });
        }
        equal
    });
}

/// The chain as far as it was walked: each record points to the next hash, the last to the first.
struct Links {
    first: Option<Hash>,
    /// The record walked last; at the start the last one of all, whose span goes over the end.
    before: Option<Present>,
}

impl Links {
    fn pass(&mut self, record: &Present, fault: &mut Fault<'_>) {
        match self.first {
            None => self.first = Some(record.hash),
            Some(_) => self.check(&record.hash, fault),
        }
        self.before = Some(*record);
    }

    fn close(&self, fault: &mut Fault<'_>) {
        if let Some(first) = &self.first {
            self.check(first, fault);
        }
    }

    /// The record walked last points to `next`.
    fn check(&self, next: &Hash, fault: &mut Fault<'_>) {
        let Some(record) = self.before.filter(|record| record.next != *next) else {
            return;
        };
        fault(Rule::Nsec3Next, &record.hash, record.locus, &|| {
            format!(
                "the next hash is given as {}, it is {}",
                hash_text(&record.next),
                hash_text(next)
            )
        });
    }
}

/// A name without a record lies between the record walked last and the one behind it.
fn check_left_out(name: &Expected, chain: &Links, fault: &mut Fault<'_>) {
    let opt_out = chain.before.is_some_and(|before| before.flags & OPT_OUT != 0);
    if name.reason.may_be_left_out() && opt_out {
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
