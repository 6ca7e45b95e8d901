//! What one partition says about the NSEC3 chains (RFC 5155 7.1): for each name and empty non-terminal the entry
//! that there should be, and each NSEC3 record that there is. Both are lists; the join compares them.

use super::apex::ApexFacts;
use super::bitmap;
use super::finding::{Finding, Findings};
use super::folded::FoldedName;
use super::nsec_chain::ttl_detail;
use super::nsec3::{Bitmaps, ChainPart, Expected, Nsec3, Present, Reason, fingerprint, listed_types, owner_hash};
use super::nsec3_list::PackedPart;
use super::rule::Rule;
use super::site::{Place, Site};
use crate::record::{Locus, RecordRef};
use crate::rtype::RecordType;

/// The chains while names pass.
#[derive(Debug)]
pub(super) struct Nsec3Walk {
    parts: Vec<ChainPart>,
    bitmaps: Bitmaps,
    /// The last name of the zone, and the last one that may not lie in an opt-out span.
    last: Option<FoldedName>,
    last_secure: Option<FoldedName>,
    types: Vec<RecordType>,
    bitmap: Vec<u8>,
}

/// What a partition hands to the join.
#[derive(Debug)]
pub(super) struct Nsec3Parts {
    /// One for each chain, in the order of the apex's facts.
    pub(super) parts: Vec<PackedPart>,
    pub(super) bitmaps: Bitmaps,
}

impl Nsec3Walk {
    /// For the chains of the zone.
    pub(super) fn new(facts: &ApexFacts) -> Self {
        Self {
            parts: facts.nsec3.iter().map(|_| ChainPart::default()).collect(),
            bitmaps: Bitmaps::default(),
            last: None,
            last_secure: None,
            types: Vec::new(),
            bitmap: Vec::new(),
        }
    }

    /// Takes the next name, `name` being its owner in lower case.
    pub(super) fn pass(&mut self, site: &Site<'_>, name: &FoldedName, facts: &ApexFacts, findings: &mut Findings) {
        if facts.denial_is_unknown() {
            return;
        }
        let set = site.node.set(RecordType::NSEC3);
        if !set.is_empty() {
            self.take_records(site, set, name, facts, findings);
        }
        if !facts.nsec3.is_empty() && site.is_in_zone() {
            self.expect_name(site, name, facts);
        }
    }

    fn expect_name(&mut self, site: &Site<'_>, name: &FoldedName, facts: &ApexFacts) {
        let locus = site.node.records.first().map(|record| record.locus).unwrap_or_default();
        let insecure = site.is_insecure();
        // Ancestors that the name before does not share exist only as empty non-terminals: a name of the zone there
        // would lie between the two. At a partition's start all are taken; the join drops those that are names.
        let (before, reason) = if insecure {
            (&self.last, Reason::InsecureNonTerminal)
        } else {
            (&self.last_secure, Reason::NonTerminal)
        };
        let origin = facts.origin.labels();
        let shared = before
            .as_ref()
            .map_or(origin, |before| name.compare(before).1.max(origin));
        let empty = self.bitmaps.number(&[]);
        for labels in shared + 1..name.labels() {
            self.expect(name.ancestor(labels), empty, reason, locus, facts);
        }
        let delegation = site.place == Place::Delegation;
        let signed = !insecure || site.node.has(RecordType::NSEC);
        let types = site
            .node
            .sets()
            .filter_map(|set| Some(set.first()?.rtype))
            .filter(|&rtype| !delegation || matches!(rtype, RecordType::NS | RecordType::DS | RecordType::NSEC));
        listed_types(types, signed, &mut self.types);
        self.bitmap.clear();
        bitmap::encode(&self.types, &mut self.bitmap);
        let number = self.bitmaps.number(&self.bitmap);
        let reason = if insecure {
            Reason::InsecureDelegation
        } else {
            Reason::Authoritative
        };
        self.expect(name.wire(), number, reason, locus, facts);
        self.last.get_or_insert_with(FoldedName::root).copy_from(name);
        if !insecure {
            self.last_secure.get_or_insert_with(FoldedName::root).copy_from(name);
        }
    }

    fn expect(&mut self, folded: &[u8], bitmap: u32, reason: Reason, locus: Locus, facts: &ApexFacts) {
        let fingerprint = fingerprint(folded);
        for (chain, part) in facts.nsec3.iter().zip(&mut self.parts) {
            if facts.is_checked(chain) {
                part.expected.push(Expected {
                    hash: chain.hash(folded),
                    bitmap,
                    fingerprint,
                    locus,
                    reason,
                });
            }
        }
    }

    fn take_records(
        &mut self,
        site: &Site<'_>,
        set: &[RecordRef<'_>],
        name: &FoldedName,
        facts: &ApexFacts,
        findings: &mut Findings,
    ) {
        let fault = |rule: Rule, locus: Locus, detail: String| {
            Finding::new(rule, site.node.owner.to_name(), locus, detail).with_type(RecordType::NSEC3)
        };
        let locus = set.first().map(|record| record.locus).unwrap_or_default();
        let ttl = set.first().map_or(facts.denial_ttl, |record| record.ttl);
        if ttl != facts.denial_ttl {
            findings.add(Rule::DenialTtl, || {
                fault(Rule::DenialTtl, locus, ttl_detail(ttl, facts.denial_ttl))
            });
        }
        let below_apex = name.labels() == facts.origin.labels() + 1;
        let first_label = site.node.owner.labels().next().unwrap_or_default();
        let Some(hash) = owner_hash(first_label).filter(|_| below_apex) else {
            findings.add(Rule::Nsec3Owner, || {
                let detail = "the owner is not 32 digits of base32hex directly below the apex";
                fault(Rule::Nsec3Owner, locus, detail.to_owned())
            });
            return;
        };
        for record in set {
            let nsec3 = match Nsec3::read(record.rdata) {
                Ok(nsec3) => nsec3,
                Err(detail) => {
                    findings.add(Rule::Nsec3Malformed, || {
                        fault(Rule::Nsec3Malformed, record.locus, detail)
                    });
                    continue;
                }
            };
            let Some(place) = facts.nsec3.iter().position(|chain| nsec3.is_of(chain)) else {
                findings.add(Rule::Nsec3Parameters, || {
                    let detail = format!(
                        "{} iterations and a salt of {} bytes are in no NSEC3PARAM record",
                        nsec3.iterations,
                        nsec3.salt.len()
                    );
                    fault(Rule::Nsec3Parameters, record.locus, detail)
                });
                continue;
            };
            let bitmap = self.bitmaps.number(nsec3.bitmap);
            self.parts[place].present.push(Present {
                hash,
                next: nsec3.next,
                bitmap,
                locus: record.locus,
                flags: nsec3.flags,
            });
        }
    }

    /// Both lists of each chain, in the order of hashes.
    pub(super) fn into_parts(self) -> Nsec3Parts {
        Nsec3Parts {
            parts: self.parts.into_iter().map(PackedPart::new).collect(),
            bitmaps: self.bitmaps,
        }
    }
}
