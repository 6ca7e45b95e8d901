//! Rules about what stands at a name, signed or not: CNAME alone (RFC 4035 2.5), DS at delegations only (RFC 4035
//! 2.4), SOA and DNSKEY at the apex only. Shapes, TTLs and signatures of the sets are judged elsewhere.

use super::finding::{Finding, Findings};
use super::rule::Rule;
use super::site::{Place, Site};
use crate::rtype::RecordType;

/// Judges what stands at a name that is not occluded.
pub(super) fn check(site: &Site<'_>, findings: &mut Findings) {
    if site.place == Place::Occluded {
        return;
    }
    let mut found = |rule: Rule, rtype: RecordType, detail: &str| {
        let locus = site
            .node
            .set(rtype)
            .first()
            .map(|record| record.locus)
            .unwrap_or_default();
        findings.add(rule, || {
            Finding::new(rule, site.node.owner.to_name(), locus, detail).with_type(rtype)
        });
    };
    let has = |rtype| site.node.has(rtype);
    let several = |rtype| site.node.set(rtype).len() > 1;
    for rtype in [RecordType::CNAME, RecordType::DNAME] {
        if several(rtype) {
            found(Rule::NotSingle, rtype, "more than one record at the name");
        }
    }
    if has(RecordType::CNAME)
        && site
            .node
            .records
            .iter()
            .any(|record| !stands_beside_cname(record.rtype))
    {
        found(
            Rule::CnameAndOtherData,
            RecordType::CNAME,
            "other data stands beside the CNAME",
        );
    }
    match site.place {
        Place::Apex => {
            if has(RecordType::DS) {
                found(Rule::DsAtApex, RecordType::DS, "a DS set belongs into the parent zone");
            }
            // The survey has seen that there is one; a node that came otherwise is judged all the same.
            if several(RecordType::SOA) {
                found(Rule::SoaNotSingle, RecordType::SOA, "more than one SOA record");
            }
        }
        Place::Authoritative if has(RecordType::DS) => {
            found(
                Rule::DsWithoutNs,
                RecordType::DS,
                "a DS set without NS: the name is no delegation",
            );
        }
        Place::Delegation if has(RecordType::DNAME) => {
            found(
                Rule::DnameBesideNs,
                RecordType::DNAME,
                "a DNAME at a delegation is never answered with",
            );
        }
        _ => {}
    }
    if site.place != Place::Apex {
        if has(RecordType::SOA) {
            found(
                Rule::SoaOffApex,
                RecordType::SOA,
                "an SOA record that is not at the apex",
            );
        }
        // At a delegation it is as obscured as glue, and nobody's key.
        if site.place == Place::Authoritative && has(RecordType::DNSKEY) {
            found(
                Rule::DnskeyOffApex,
                RecordType::DNSKEY,
                "a DNSKEY set that is not at the apex",
            );
        }
    }
}

fn stands_beside_cname(rtype: RecordType) -> bool {
    // KEY by RFC 3007 1.3 (RFC 4035 2.5); NSEC3 where a hashed owner is the name of a CNAME.
    matches!(
        rtype,
        RecordType::CNAME | RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3 | RecordType::KEY
    )
}
