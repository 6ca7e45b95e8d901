//! Partitions joined: the borders, the NSEC chain closed, the NSEC3 chains compared with the names. Verdicts come in
//! the order of their names; partitions of NSEC3 records alone may come anywhere.

use super::apex::ApexFacts;
use super::finding::{Finding, Findings};
use super::folded::FoldedName;
use super::nsec_chain::{NsecEdges, wrong_next};
use super::nsec3::Bitmaps;
use super::nsec3_join::Comparison;
use super::nsec3_list::PackedPart;
use super::partition::PartitionVerdict;
use super::report::{Counts, Expiry, Report, summarise};
use super::rule::Rule;
use super::zonemd::ZoneDigest;
use crate::name::Name;
use crate::record::Locus;
use std::cmp::Ordering;
use std::sync::Arc;

/// Takes verdicts as they come and keeps what the whole needs.
#[derive(Debug)]
pub struct Joiner<'f> {
    facts: &'f ApexFacts,
    findings: Findings,
    counts: Counts,
    expiry: Option<Expiry>,
    last_name: Option<Name>,
    cut: Option<Name>,
    first_in_chain: Option<Name>,
    end_of_chain: Option<NsecEdges>,
    chains: Vec<Vec<(PackedPart, Arc<[u32]>)>>,
    bitmaps: Bitmaps,
}

/// Joins the verdicts on all partitions of a zone, in the order of their names.
#[must_use]
pub fn join(verdicts: impl IntoIterator<Item = PartitionVerdict>, facts: &ApexFacts) -> Report {
    let mut joiner = Joiner::new(facts);
    for verdict in verdicts {
        joiner.add(verdict);
    }
    joiner.finish()
}

impl<'f> Joiner<'f> {
    /// With nothing but the apex's facts.
    #[must_use]
    pub fn new(facts: &'f ApexFacts) -> Self {
        Self {
            facts,
            findings: facts.findings.clone(),
            counts: Counts::default(),
            expiry: None,
            last_name: None,
            cut: None,
            first_in_chain: None,
            end_of_chain: None,
            chains: facts.nsec3.iter().map(|_| Vec::new()).collect(),
            bitmaps: Bitmaps::default(),
        }
    }

    /// Takes the next partition's verdict.
    pub fn add(&mut self, mut verdict: PartitionVerdict) {
        self.join_borders(&verdict);
        self.findings.append(verdict.findings);
        self.counts.add(&verdict.counts);
        if let Some(expiry) = verdict.expiry.take() {
            let now = self.facts.expectations.now;
            if self
                .expiry
                .as_ref()
                .is_none_or(|earliest| expiry.left(now) < earliest.left(now))
            {
                self.expiry = Some(expiry);
            }
        }
        if let Some(edges) = verdict.nsec.take() {
            self.join_nsec(edges);
        }
        let bitmaps = verdict.nsec3.bitmaps.iter();
        let numbers: Arc<[u32]> = bitmaps.map(|bitmap| self.bitmaps.number(bitmap)).collect();
        for (chain, part) in self.chains.iter_mut().zip(verdict.nsec3.parts) {
            self.counts.nsec3 += part.records as u64;
            chain.push((part, numbers.clone()));
        }
    }

    /// The first name comes behind the last one so far, and was judged under the cut that is in force there.
    fn join_borders(&mut self, verdict: &PartitionVerdict) {
        let Some((first, last)) = &verdict.names else {
            return;
        };
        let name = FoldedName::of(first.borrow());
        let mut fault = |rule: Rule, detail: String| {
            self.findings
                .add(rule, || Finding::new(rule, first.clone(), Locus::default(), detail));
        };
        match &self.last_name {
            None if name.wire() != self.facts.origin.wire() => {
                fault(Rule::Border, "the first name is not the apex".to_owned());
            }
            Some(before) if FoldedName::of(before.borrow()).compare(&name).0 != Ordering::Less => {
                fault(Rule::CanonicalOrder, format!("the name comes behind {before}"));
            }
            _ => {}
        }
        let over = |cut: &Option<Name>| {
            cut.as_ref()
                .map(|cut| FoldedName::of(cut.borrow()))
                .filter(|cut| name.labels() > cut.labels() && name.is_at_or_below(cut))
        };
        let (said, found) = (over(&verdict.cut_before), over(&self.cut));
        if said.as_ref().map(FoldedName::wire) != found.as_ref().map(FoldedName::wire) {
            let text = |cut: &Option<FoldedName>| match cut {
                Some(cut) => format!("below {}", cut.to_name()),
                None => "below no cut".to_owned(),
            };
            let detail = format!("judged as {}, and it is {}", text(&said), text(&found));
            fault(Rule::Border, detail);
        }
        self.last_name = Some(last.clone());
        self.cut.clone_from(&verdict.cut_after);
    }

    fn join_nsec(&mut self, edges: NsecEdges) {
        if let Some(end) = &self.end_of_chain
            && let Some(next) = &end.next
            && next.borrow() != edges.first.borrow()
        {
            self.findings.add(Rule::NsecNext, || {
                wrong_next(end.last.clone(), next.borrow(), edges.first.borrow(), end.locus)
            });
        }
        self.first_in_chain.get_or_insert_with(|| edges.first.clone());
        self.end_of_chain = Some(edges);
    }

    /// Takes the digests of the whole zone and compares them with its ZONEMD records.
    pub fn compare_digests(&mut self, digest: ZoneDigest) {
        for finding in digest.finish() {
            self.findings.add(finding.rule, || finding);
        }
    }

    /// The expectations say how many days the signatures must last.
    fn judge_expiry(&mut self) {
        let expectations = &self.facts.expectations;
        let Some(expiry) = &self.expiry else { return };
        let left = expiry.left(expectations.now);
        let within = |limit: Option<u32>| limit.is_some_and(|limit| left < limit);
        let rule = if within(expectations.critical_within) {
            Rule::ExpiresCritically
        } else if within(expectations.warn_within) {
            Rule::ExpiresSoon
        } else {
            return;
        };
        self.findings.add(rule, || {
            let detail = format!(
                "the signature expires in {left} s ({:.1} days)",
                f64::from(left) / 86400.0
            );
            Finding::new(rule, expiry.owner.clone(), Locus::default(), detail)
                .with_type(expiry.rtype)
                .with_key_tag(expiry.key_tag)
        });
    }

    /// Closes the chains and reports.
    #[must_use]
    pub fn finish(self) -> Report {
        self.finish_by(|pieces, work| (0..pieces).for_each(work))
    }

    /// Closes the chains and reports. `each` is given a number of pieces of work and what to do for each of them, 0 and up: in
    /// any order, side by side where it has threads for that. The report does not depend on it; what it leaves out is done
    /// behind it.
    #[must_use]
    pub fn finish_by(mut self, each: impl Fn(usize, &(dyn Fn(usize) + Sync))) -> Report {
        if let (Some(first), Some(end)) = (&self.first_in_chain, &self.end_of_chain)
            && let Some(next) = &end.next
            && next.borrow() != first.borrow()
        {
            self.findings.add(Rule::NsecNext, || {
                wrong_next(end.last.clone(), next.borrow(), first.borrow(), end.locus)
            });
        }
        for (chain, parts) in self.facts.nsec3.iter().zip(&self.chains) {
            if self.facts.is_checked(chain) {
                let expectations = &self.facts.expectations;
                let comparison = Comparison {
                    parts,
                    bitmaps: &self.bitmaps,
                    origin: expectations.origin.borrow(),
                    limit: expectations.findings_per_rule,
                };
                comparison.run(&mut self.findings, &each);
            }
        }
        if self.last_name.is_none() {
            let origin = self.facts.expectations.origin.clone();
            self.findings.add(Rule::Border, || {
                Finding::new(Rule::Border, origin, Locus::default(), "no partition has a name")
            });
        }
        self.judge_expiry();
        let totals = self.findings.totals();
        Report {
            findings: self.findings.into_list(),
            totals,
            counts: self.counts,
            earliest_expiry: self.expiry,
            keys: summarise(&self.facts.keys),
            serial: self.facts.serial(),
        }
    }
}
