//! One NSEC3 chain against the names of the zone (RFC 5155 7.1): both lists in the order of hashes, walked side by
//! side, of which a range is in memory at a time; pieces of many ranges do not depend on one another. A name may lack its record only inside a span whose record has the opt-out flag.

use super::bitmap;
use super::finding::{Finding, Findings};
use super::nsec3::{Bitmaps, Expected, Hash, OPT_OUT, Present, hash_owner, hash_text};
use super::nsec3_list::{EXPECTED, PRESENT, PackedPart, unpack_expected, unpack_present};
use super::rule::Rule;
use crate::kept::{Ranges, below, ends, entries};
use crate::name::NameRef;
use crate::record::Locus;
use crate::rtype::RecordType;
use std::sync::{Arc, OnceLock};

/// The lists of all partitions, each with the numbers of its bitmaps in the join.
pub(super) type Parts = [(PackedPart, Arc<[u32]>)];

/// So many pieces of the hashes can be compared at once.
const PIECES: usize = 16;

/// What all pieces are compared by.
pub(super) struct Comparison<'a> {
    pub(super) parts: &'a Parts,
    pub(super) bitmaps: &'a Bitmaps,
    pub(super) origin: NameRef<'a>,
    /// Findings kept of each rule.
    pub(super) limit: u32,
}

/// What comes of a piece.
struct Compared {
    findings: Findings,
    /// Names without a record where there is no record at all, and the first of them.
    missing: u64,
    first_missing: Option<Expected>,
}

impl Comparison<'_> {
    /// Compares what should be with what is. `each` is given a number of pieces of work and the work, which may be done side
    /// by side.
    pub(super) fn run(&self, findings: &mut Findings, each: impl FnOnce(usize, &(dyn Fn(usize) + Sync))) {
        let entries = self.expected().len().max(self.present().len());
        let ends: Vec<usize> = ends(entries).collect();
        self.run_in(&ends, ends.len().div_ceil(PIECES), findings, each);
    }

    /// The same with the ends of the ranges, and the number of ranges that go together.
    fn run_in(
        &self,
        ends: &[usize],
        together: usize,
        findings: &mut Findings,
        each: impl FnOnce(usize, &(dyn Fn(usize) + Sync)),
    ) {
        let begin = |piece: usize| match piece * together {
            0 => 0,
            range => ends[range - 1],
        };
        let pieces: Vec<(OnceLock<Compared>, &[usize])> =
            ends.chunks(together).map(|ends| (OnceLock::new(), ends)).collect();
        let work = |piece: usize| {
            let (compared, ends) = &pieces[piece];
            compared.get_or_init(|| self.compare(begin(piece), ends));
        };
        each(pieces.len(), &work);
        let (mut missing, mut first_missing) = (0, None);
        for (piece, (compared, ends)) in pieces.into_iter().enumerate() {
            let compared = compared
                .into_inner()
                .unwrap_or_else(|| self.compare(begin(piece), ends));
            findings.append(compared.findings);
            missing += compared.missing;
            first_missing = first_missing.or(compared.first_missing);
        }
        if let Some(first) = first_missing {
            self.fault(findings, Rule::Nsec3Missing, &first.hash, first.locus, &|| {
                format!("the chain is missing: {missing} names have no NSEC3")
            });
        }
    }

    fn expected(&self) -> Ranges<'_, EXPECTED> {
        Ranges::new(self.parts.iter().map(|(part, _)| &part.expected))
    }

    fn present(&self) -> Ranges<'_, PRESENT> {
        Ranges::new(self.parts.iter().map(|(part, _)| &part.present))
    }

    fn fault(&self, findings: &mut Findings, rule: Rule, hash: &Hash, locus: Locus, detail: &dyn Fn() -> String) {
        findings.add(rule, || {
            Finding::new(rule, hash_owner(hash, self.origin), locus, detail()).with_type(RecordType::NSEC3)
        });
    }

    /// Compares the ranges behind `begin` with these ends.
    fn compare(&self, begin: usize, ends: &[usize]) -> Compared {
        let mut findings = Findings::new(self.limit);
        let mut fault = |rule: Rule, hash: &Hash, locus: Locus, detail: &dyn Fn() -> String| {
            self.fault(&mut findings, rule, hash, locus, detail);
        };
        let numbers = |part: usize| &*self.parts[part].1;
        let (mut all_expected, mut all_present) = (self.expected(), self.present());
        let is_empty = all_present.len() == 0;
        // The span of the last record goes over the end to the first one.
        let before = self.last_below(begin).or_else(|| self.last_below(usize::MAX));
        all_expected.skip_below(begin);
        all_present.skip_below(begin);
        let mut chain = Links { before };
        let (mut missing, mut first_missing) = (0u64, None);
        let (mut expected, mut present) = (Vec::new(), Vec::new());
        for &end in ends {
            expected.clear();
            present.clear();
            all_expected.take_below(end, |part, packed| {
                expected.push(unpack_expected(packed, numbers(part)))
            });
            all_present.take_below(end, |part, packed| present.push(unpack_present(packed, numbers(part))));
            merge_names(&mut expected, &mut fault);
            merge_records(&mut present, &mut fault);
            if is_empty {
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
                            bitmap::difference(self.bitmaps.bytes(record.bitmap), self.bitmaps.bytes(name.bitmap))
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
        Compared {
            findings,
            missing,
            first_missing,
        }
    }

    /// The record with the largest hash in the ranges up to this end; of several the one that stays when they are merged.
    fn last_below(&self, end: usize) -> Option<Present> {
        let lists = self
            .parts
            .iter()
            .map(|(part, numbers)| (entries(&part.present), numbers));
        let lists = lists.map(|(list, numbers)| (&list[..below(list, end)], numbers));
        let mut last: Option<Present> = None;
        for (list, numbers) in lists {
            let Some(largest) = list.last().map(|packed| unpack_present(packed, numbers)) else {
                continue;
            };
            if last.is_none_or(|last| last.hash < largest.hash) {
                let first = list.partition_point(|packed| unpack_present(packed, numbers).hash < largest.hash);
                last = list.get(first).map(|packed| unpack_present(packed, numbers));
            }
        }
        last
    }
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
    /// The record walked last; before the first one the last one of all.
    before: Option<Present>,
}

impl Links {
    fn pass(&mut self, record: &Present, fault: &mut Fault<'_>) {
        self.check(&record.hash, fault);
        self.before = Some(*record);
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

#[cfg(test)]
mod tests {
    use super::super::nsec3::{ChainPart, Reason};
    use super::*;
    use crate::name::Name;

    /// Numbers that are the same at every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }
    }

    fn hash(number: u64) -> Hash {
        let mut hash = [0; 20];
        hash[..8].copy_from_slice(&(number << 48).to_be_bytes());
        hash[19] = 7;
        hash
    }

    /// Lists of five partitions with faults of every kind: records that are too many, missing, twice there or that point elsewhere.
    fn lists(numbers: &mut Numbers, hashes: u64) -> Vec<(PackedPart, Arc<[u32]>)> {
        let mut parts: Vec<ChainPart> = (0..5).map(|_| ChainPart::default()).collect();
        let mut owners: Vec<u64> = (0..hashes).map(|_| numbers.below(1 << 16)).collect();
        owners.sort_unstable();
        for (at, &owner) in owners.iter().enumerate() {
            let mut part = || usize::try_from(numbers.below(5)).unwrap_or_default();
            let (of_name, of_record) = (part(), part());
            let locus = Locus {
                source: 0,
                line: u32::try_from(at).unwrap_or_default(),
            };
            if numbers.below(20) > 0 {
                parts[of_name].expected.push(Expected {
                    hash: hash(owner),
                    bitmap: 0,
                    fingerprint: owner,
                    locus,
                    reason: [Reason::InsecureDelegation, Reason::Authoritative][usize::from(numbers.below(3) > 0)],
                });
            }
            if numbers.below(20) > 0 {
                let next = match numbers.below(20) {
                    0 => owner,
                    _ => owners[(at + 1) % owners.len()],
                };
                parts[of_record].present.push(Present {
                    hash: hash(owner),
                    next: hash(next),
                    bitmap: u32::from(numbers.below(20) == 0),
                    locus,
                    flags: u8::from(numbers.below(2) == 0),
                });
            }
        }
        let packed = parts.into_iter().map(PackedPart::new);
        packed.map(|part| (part, Arc::from([0, 1]))).collect()
    }

    #[test]
    fn pieces_and_ranges_of_any_size_find_the_same() {
        let mut numbers = Numbers(0x5eed);
        let mut bitmaps = Bitmaps::default();
        bitmaps.number(&[0, 1, 0x40]);
        bitmaps.number(&[0, 1, 0x60]);
        let origin = Name::root();
        for round in 0..200 {
            let hashes = numbers.below(400) + 1;
            let mut parts = lists(&mut numbers, hashes);
            if round % 10 == 0 {
                for (part, _) in &mut parts {
                    part.present = Vec::new().into();
                }
            }
            let comparison = Comparison {
                parts: &parts,
                bitmaps: &bitmaps,
                origin: origin.borrow(),
                limit: 5,
            };
            let found = |ranges: usize, together: usize, skipped: usize| {
                let ends: Vec<usize> = (1..=ranges).map(|range| range * ((1 << 16) / ranges)).collect();
                let mut findings = Findings::new(5);
                comparison.run_in(&ends, together, &mut findings, |pieces, work| {
                    (0..pieces).rev().filter(|piece| piece % 3 != skipped).for_each(work);
                });
                let totals = findings.totals();
                let mut list = findings.into_list();
                // Within a range the lists are looked at before they are compared.
                list.sort_by_key(|finding| finding.rule);
                (totals, list)
            };
            let whole = found(1, 1, 3);
            assert!(hashes < 100 || whole.0.len() > 3 || round % 10 == 0, "{:?}", whole.0);
            for (ranges, together, skipped) in [(2, 1, 3), (64, 7, 0), (256, 1, 1), (256, 256, 3), (1024, 100, 2)] {
                assert_eq!(
                    found(ranges, together, skipped),
                    whole,
                    "{round}: {ranges} by {together}"
                );
            }
        }
    }
}
