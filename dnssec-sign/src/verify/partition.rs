//! One partition of names judged: order, contents, RDATA, signatures, and its part of the denial chains. Nothing is
//! known of other partitions but the cut in force at the start; what crosses a border is left to the join.

use super::apex::ApexFacts;
use super::content;
use super::decode::{Decoded, decode};
use super::finding::{Finding, Findings};
use super::folded::FoldedName;
use super::keys::AlgorithmSet;
use super::nsec_chain::{NsecEdges, NsecWalk};
use super::nsec3_chain::{Nsec3Parts, Nsec3Walk};
use super::report::{Counts, Expiry};
use super::rrsig::Rrsig;
use super::rule::Rule;
use super::signature::{Judge, Judgement};
use super::site::{Cut, Place, Site};
use crate::kept::Kept;
use crate::name::{Name, NameRef};
use crate::record::{Locus, NodeList, RecordRef};
use crate::rtype::RecordType;
use std::cmp::Ordering;

/// What is known of a partition, for [`join`](super::join) or a [`Joiner`](super::Joiner).
#[derive(Debug)]
pub struct PartitionVerdict {
    pub(super) findings: Findings,
    pub(super) counts: Counts,
    pub(super) expiry: Option<Expiry>,
    pub(super) nsec: Option<NsecEdges>,
    pub(super) nsec3: Nsec3Parts,
    /// The first and last name, places of NSEC3 records not counted.
    pub(super) names: Option<(Name, Name)>,
    /// The cut said to be in force at the first name, and the one found to be behind the last.
    pub(super) cut_before: Option<Name>,
    pub(super) cut_after: Option<Name>,
    cut_key: Option<Box<[u8]>>,
}

impl PartitionVerdict {
    /// The key, relative to the origin, of the last delegation or DNAME met, or of the one in force at the start:
    /// the cut for the next partition, where its first name is below it.
    #[must_use]
    pub fn cut_after(&self) -> Option<&[u8]> {
        self.cut_key.as_deref()
    }

    /// Puts the lists that grow with the names where `keep` says, until the verdicts are joined.
    ///
    /// # Errors
    /// What `keep` says.
    pub fn keep<E>(mut self, mut keep: impl FnMut(Kept) -> Result<Kept, E>) -> Result<Self, E> {
        let parts = self.nsec3.parts.into_iter();
        self.nsec3.parts = parts.map(|part| part.keep(&mut keep)).collect::<Result<_, E>>()?;
        Ok(self)
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// Judges the names of one partition, which come in canonical order. `cut` is the key, relative to the origin, of
/// the delegation or DNAME that the first name is below, if it is below one; the join checks that it is right.
///
/// A partition may hold names of the zone, NSEC3 records at their hashed owners, or both.
#[must_use]
pub fn verify_partition(nodes: &NodeList<'_>, cut: Option<&[u8]>, facts: &ApexFacts) -> PartitionVerdict {
    let mut walk = Walk::new(cut, facts);
    for node in nodes.iter() {
        walk.current.set(node.owner);
        let site = walk.cut.pass(node, &walk.current, &facts.origin);
        walk.pass(&site);
    }
    walk.into_verdict()
}

struct Walk<'l, 'f> {
    facts: &'f ApexFacts,
    findings: Findings,
    counts: Counts,
    expiry: Option<Expiry>,
    judge: Judge,
    rrsigs: Vec<Rrsig<'l>>,
    current: FoldedName,
    previous: Option<FoldedName>,
    names: Option<(NameRef<'l>, NameRef<'l>)>,
    cut: Cut,
    cut_before: Option<Name>,
    nsec: NsecWalk<'l>,
    nsec3: Nsec3Walk,
}

impl<'l, 'f> Walk<'l, 'f> {
    fn new(cut: Option<&[u8]>, facts: &'f ApexFacts) -> Self {
        let cut = Cut::new(cut, facts.expectations.origin.borrow());
        Self {
            facts,
            findings: Findings::new(facts.expectations.findings_per_rule),
            counts: Counts::default(),
            expiry: None,
            judge: Judge::default(),
            rrsigs: Vec::new(),
            current: FoldedName::root(),
            previous: None,
            names: None,
            cut_before: cut.name().map(FoldedName::to_name),
            cut,
            nsec: NsecWalk::default(),
            nsec3: Nsec3Walk::new(facts),
        }
    }

    fn pass(&mut self, site: &Site<'l>) {
        self.check_order(site);
        self.count_name(site);
        content::check(site, &mut self.findings);
        self.read_rrsigs(site);
        for set in site.node.sets() {
            if let [first, ..] = set
                && first.rtype != RecordType::RRSIG
            {
                self.check_set(site, set, first);
            }
        }
        self.check_strays(site);
        self.nsec.pass(site, self.facts, &mut self.findings);
        self.nsec3.pass(site, &self.current, self.facts, &mut self.findings);
    }

    fn check_order(&mut self, site: &Site<'l>) {
        let owner = site.node.owner;
        if !self.current.is_at_or_below(&self.facts.origin) {
            self.findings.add(Rule::OutOfZone, || {
                let detail = format!("the name is not at or below {}", self.facts.expectations.origin);
                Finding::new(Rule::OutOfZone, owner.to_name(), Locus::default(), detail)
            });
        }
        match &mut self.previous {
            Some(previous) => {
                if previous.compare(&self.current).0 != Ordering::Less {
                    self.findings.add(Rule::CanonicalOrder, || {
                        let detail = format!("the name comes behind {}", previous.to_name());
                        Finding::new(Rule::CanonicalOrder, owner.to_name(), Locus::default(), detail)
                    });
                }
                previous.copy_from(&self.current);
            }
            None => self.previous = Some(self.current.clone()),
        }
    }

    fn count_name(&mut self, site: &Site<'l>) {
        if site.is_denial_only() {
            return;
        }
        let owner = site.node.owner;
        self.names = Some((self.names.map_or(owner, |(first, _)| first), owner));
        match site.place {
            Place::Occluded => self.counts.occluded += 1,
            _ if !site.has_data => {}
            Place::Delegation => {
                self.counts.names += 1;
                self.counts.delegations += 1;
                self.counts.insecure_delegations += u64::from(site.is_insecure());
            }
            Place::Apex | Place::Authoritative => self.counts.names += 1,
        }
    }

    fn report(
        &mut self,
        site: &Site<'l>,
        rule: Rule,
        rtype: RecordType,
        locus: Locus,
        detail: impl FnOnce() -> String,
    ) {
        self.findings.add(rule, || {
            Finding::new(rule, site.node.owner.to_name(), locus, detail()).with_type(rtype)
        });
    }

    fn report_signature(&mut self, site: &Site<'l>, rule: Rule, rrsig: &Rrsig<'l>, detail: impl FnOnce() -> String) {
        self.findings.add(rule, || {
            Finding::new(rule, site.node.owner.to_name(), rrsig.locus, detail())
                .with_type(rrsig.covered)
                .with_key_tag(rrsig.key_tag)
        });
    }

    fn read_rrsigs(&mut self, site: &Site<'l>) {
        self.rrsigs.clear();
        for record in site.node.set(RecordType::RRSIG) {
            self.counts.signatures += 1;
            self.check_rdata(site, record);
            match Rrsig::read(record) {
                Some(rrsig) => self.rrsigs.push(rrsig),
                None => self.report(site, Rule::RrsigMalformed, record.rtype, record.locus, || {
                    "the RRSIG is cut off or has no signature".to_owned()
                }),
            }
        }
    }

    fn check_rdata(&mut self, site: &Site<'l>, record: &RecordRef<'l>) {
        let (rule, detail) = match decode(record.rtype, record.rdata) {
            Decoded::Good => return,
            Decoded::Doubtful(detail) => (Rule::RdataDoubtful, detail),
            Decoded::Malformed(detail) => (Rule::RdataMalformed, detail),
        };
        self.report(site, rule, record.rtype, record.locus, || detail);
    }

    fn check_set(&mut self, site: &Site<'l>, set: &'l [RecordRef<'l>], first: &RecordRef<'l>) {
        for record in set {
            self.check_rdata(site, record);
            if record.ttl != first.ttl {
                self.report(site, Rule::TtlDiffers, record.rtype, record.locus, || {
                    format!("TTLs {} and {} in one set", first.ttl, record.ttl)
                });
            }
        }
        let must_be_signed = site.must_be_signed(first.rtype);
        if !must_be_signed && !self.rrsigs.iter().any(|rrsig| rrsig.covered == first.rtype) {
            return;
        }
        // The signatures are lent out while the rest of the walk is written to.
        let mut rrsigs = std::mem::take(&mut self.rrsigs);
        let covering = rrsigs.iter_mut().filter(|rrsig| rrsig.covered == first.rtype);
        if must_be_signed {
            self.check_signatures(site, set, first, covering);
        } else {
            for rrsig in covering {
                rrsig.met = true;
                self.report_signature(site, Rule::SignatureNotAuthoritative, rrsig, || {
                    "the set is not authoritative here and is not to be signed".to_owned()
                });
            }
        }
        self.rrsigs = rrsigs;
    }

    fn check_signatures<'s>(
        &mut self,
        site: &Site<'l>,
        set: &'l [RecordRef<'l>],
        first: &RecordRef<'l>,
        covering: impl Iterator<Item = &'s mut Rrsig<'l>>,
    ) where
        'l: 's,
    {
        let facts = self.facts;
        self.counts.sets += 1;
        let shape = self.judge.turn_to(&self.current, set, &facts.expectations);
        if let Err(place) = shape {
            let locus = set.get(place).map_or(first.locus, |record| record.locus);
            self.report(site, Rule::RdataMalformed, first.rtype, locus, || {
                "the RDATA has not the shape of its type, and the set no canonical form".to_owned()
            });
        }
        // A signature at fault has a finding of its own; its algorithm is then not called missing as well.
        let mut signed_by = AlgorithmSet::default();
        let (mut known, mut unknown) = (false, false);
        for rrsig in covering {
            rrsig.met = true;
            if shape.is_err() {
                known = true;
                signed_by.insert(rrsig.algorithm);
                continue;
            }
            if rrsig.ttl != first.ttl {
                self.report_signature(site, Rule::SignatureTtl, rrsig, || {
                    format!("the RRSIG's TTL is {}, the set's {}", rrsig.ttl, first.ttl)
                });
            }
            match self.judge.judge(&self.current, rrsig, &facts.keys, &facts.expectations) {
                Judgement::UnknownKey => {
                    unknown = true;
                    self.report_signature(site, Rule::SignerUnknown, rrsig, || {
                        format!("no {} key with this tag is in the DNSKEY set", rrsig.algorithm)
                    });
                    continue;
                }
                Judgement::Revoked => {
                    self.report_signature(site, Rule::SignerRevoked, rrsig, || {
                        "a revoked key's signature counts over the DNSKEY set alone".to_owned()
                    });
                    continue;
                }
                Judgement::Faulty(rule, detail) => self.report_signature(site, rule, rrsig, || detail),
                Judgement::Good(_) => {
                    self.counts.verified += 1;
                    Expiry::note(&mut self.expiry, rrsig, site.node.owner, facts.expectations.now);
                }
                Judgement::Presumed(_) => {
                    Expiry::note(&mut self.expiry, rrsig, site.node.owner, facts.expectations.now);
                }
            }
            known = true;
            signed_by.insert(rrsig.algorithm);
        }
        if !known {
            self.report(site, Rule::SignatureMissing, first.rtype, first.locus, || {
                if unknown {
                    "the set has signatures by keys that are not in the DNSKEY set only".to_owned()
                } else {
                    "the set has no signature".to_owned()
                }
            });
            return;
        }
        for &algorithm in facts
            .required
            .iter()
            .filter(|&&algorithm| !signed_by.contains(algorithm))
        {
            self.report(site, Rule::AlgorithmMissing, first.rtype, first.locus, || {
                format!("the set has no signature of algorithm {algorithm}")
            });
        }
    }

    fn check_strays(&mut self, site: &Site<'l>) {
        let rrsigs = std::mem::take(&mut self.rrsigs);
        for rrsig in rrsigs.iter().filter(|rrsig| !rrsig.met) {
            self.report_signature(site, Rule::StrayRrsig, rrsig, || {
                if rrsig.covered == RecordType::RRSIG {
                    "RRSIG records are not signed".to_owned()
                } else {
                    "no set of the type covered is at the name".to_owned()
                }
            });
        }
        self.rrsigs = rrsigs;
    }

    fn into_verdict(self) -> PartitionVerdict {
        let (cut_key, cut_after) = self
            .cut
            .into_parts()
            .map_or((None, None), |(key, name)| (Some(key), Some(name.to_name())));
        PartitionVerdict {
            findings: self.findings,
            counts: self.counts,
            expiry: self.expiry,
            nsec: self.nsec.into_edges(),
            nsec3: self.nsec3.into_parts(),
            names: self.names.map(|(first, last)| (first.to_name(), last.to_name())),
            cut_before: self.cut_before,
            cut_after,
            cut_key,
        }
    }
}
