//! The NSEC records of one partition (RFC 4035 2.3): one at each authoritative name, its types and its next name
//! right, none elsewhere. The ends are handed to the join, which closes the chain.

use super::apex::ApexFacts;
use super::bitmap;
use super::canonical::name_length;
use super::finding::{Finding, Findings};
use super::nsec3;
use super::rule::Rule;
use super::site::{Place, Site};
use crate::name::{Name, NameRef};
use crate::record::{Locus, RecordRef};
use crate::rtype::RecordType;

/// A name of the chain and where its NSEC points; nowhere when it has none that can be read.
#[derive(Debug, Clone, Copy)]
struct Link<'l> {
    owner: NameRef<'l>,
    next: Option<NameRef<'l>>,
    locus: Locus,
}

/// The chain while names pass.
#[derive(Debug, Default)]
pub(super) struct NsecWalk<'l> {
    first: Option<NameRef<'l>>,
    last: Option<Link<'l>>,
    types: Vec<RecordType>,
    bitmap: Vec<u8>,
}

/// The ends of one partition's part of the chain.
#[derive(Debug)]
pub(super) struct NsecEdges {
    pub(super) first: Name,
    pub(super) last: Name,
    /// Where the last name's NSEC points; `None` when it has none that can be read.
    pub(super) next: Option<Name>,
    pub(super) locus: Locus,
}

impl<'l> NsecWalk<'l> {
    /// Takes the next name.
    pub(super) fn pass(&mut self, site: &Site<'l>, facts: &ApexFacts, findings: &mut Findings) {
        let set = site.node.set(RecordType::NSEC);
        let owner = site.node.owner;
        let fault = |rule: Rule, locus: Locus, detail: String| {
            Finding::new(rule, owner.to_name(), locus, detail).with_type(RecordType::NSEC)
        };
        if facts.denial_is_unknown() {
            return;
        }
        let here = set
            .first()
            .or(site.node.records.first())
            .map(|record| record.locus)
            .unwrap_or_default();
        if !facts.nsec || !site.is_in_zone() {
            if !set.is_empty() {
                let (rule, detail) = if !facts.nsec {
                    (Rule::NsecUnexpected, "the apex has no NSEC")
                } else if site.place == Place::Occluded {
                    (Rule::NsecExtra, "the name is below a zone cut or a DNAME")
                } else {
                    (Rule::NsecExtra, "the name has no other data")
                };
                findings.add(rule, || fault(rule, here, detail.to_owned()));
            }
            return;
        }
        if let Some(Link {
            owner: last,
            next: Some(next),
            locus,
        }) = self.last
            && next != owner
        {
            findings.add(Rule::NsecNext, || wrong_next(last.to_name(), next, owner, locus));
        }
        self.first.get_or_insert(owner);
        if set.len() > 1 {
            findings.add(Rule::NsecNotSingle, || {
                fault(Rule::NsecNotSingle, here, format!("{} NSEC records", set.len()))
            });
        }
        let mut next = None;
        match set.first() {
            None => findings.add(Rule::NsecMissing, || {
                fault(Rule::NsecMissing, here, "the name has no NSEC".to_owned())
            }),
            Some(record) => {
                if record.ttl != facts.denial_ttl {
                    findings.add(Rule::DenialTtl, || {
                        fault(Rule::DenialTtl, here, ttl_detail(record.ttl, facts.denial_ttl))
                    });
                }
                next = self.check_record(record, site, &fault, findings);
            }
        }
        self.last = Some(Link {
            owner,
            next,
            locus: here,
        });
    }

    fn check_record(
        &mut self,
        record: &RecordRef<'l>,
        site: &Site<'l>,
        fault: &dyn Fn(Rule, Locus, String) -> Finding,
        findings: &mut Findings,
    ) -> Option<NameRef<'l>> {
        let (next, found) = record.rdata.split_at(name_length(record.rdata)?);
        let delegation = site.place == Place::Delegation;
        let types = site
            .node
            .sets()
            .filter_map(|set| Some(set.first()?.rtype))
            // RFC 4035 2.3: at a delegation NS and what the parent is authoritative for.
            .filter(|&rtype| !delegation || matches!(rtype, RecordType::NS | RecordType::DS | RecordType::NSEC));
        nsec3::listed_types(types, true, &mut self.types);
        self.bitmap.clear();
        bitmap::encode(&self.types, &mut self.bitmap);
        if found != self.bitmap {
            findings.add(Rule::NsecBitmap, || {
                fault(Rule::NsecBitmap, record.locus, bitmap::difference(found, &self.bitmap))
            });
        }
        NameRef::from_wire(next).ok()
    }

    /// The ends, when a name of the chain passed.
    pub(super) fn into_edges(self) -> Option<NsecEdges> {
        let last = self.last?;
        Some(NsecEdges {
            first: self.first?.to_name(),
            last: last.owner.to_name(),
            next: last.next.map(NameRef::to_name),
            locus: last.locus,
        })
    }
}

/// What is said of a denial record's TTL.
pub(super) fn ttl_detail(found: u32, expected: u32) -> String {
    format!("the TTL is {found}, the lesser of the SOA's TTL and its MINIMUM is {expected}")
}

/// The finding about an NSEC that skips a name or points to one that is not the next.
pub(super) fn wrong_next(owner: Name, found: NameRef<'_>, expected: NameRef<'_>, locus: Locus) -> Finding {
    let detail = format!("the next name is given as {found}, it is {expected}");
    Finding::new(Rule::NsecNext, owner, locus, detail).with_type(RecordType::NSEC)
}
