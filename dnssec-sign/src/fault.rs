//! What can be wrong with a zone beyond its syntax: the rules that a node must keep to be signed
//! (RFC 1034 3.6.2, RFC 2181 10.1, RFC 4035 2.4, RFC 6672 2.4, BIND-compatible).

use std::fmt;

use crate::name::Name;
use crate::record::{Locus, Node, RecordRef};
use crate::rtype::RecordType;
use crate::zone_cut::is_made_by_signing;

/// Which rule a node breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneRule {
    /// A CNAME beside other data (RFC 1034 3.6.2; RFC 2181 10.1).
    CnameAndOtherData,
    /// More than one CNAME, DNAME or SOA at a name.
    Singleton(RecordType),
    /// An SOA off the apex.
    SoaOffApex,
    /// A DNSKEY off the apex (RFC 4035 2.1).
    DnskeyOffApex,
    /// A DS where no delegation is (RFC 4035 2.4).
    DsWithoutNs,
    /// No NS set at the apex (RFC 1035 5.2).
    NoNsAtApex,
    /// A set's records with different TTLs; the smallest is taken (RFC 2181 5.2).
    MixedTtl(RecordType),
    /// A ZONEMD of the input, which signing makes untrue; it is left out (RFC 8976 2).
    StaleZonemd,
}

impl ZoneRule {
    /// Whether the zone can be signed all the same.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, Self::MixedTtl(_) | Self::StaleZonemd)
    }
}

impl fmt::Display for ZoneRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CnameAndOtherData => f.write_str("CNAME and other data at one name (RFC 2181 10.1)"),
            Self::Singleton(rtype) => write!(f, "more than one {rtype} record at one name"),
            Self::SoaOffApex => f.write_str("SOA record below the zone's apex"),
            Self::DnskeyOffApex => f.write_str("DNSKEY record below the zone's apex (RFC 4035 2.1)"),
            Self::DsWithoutNs => f.write_str("DS record without NS records: not a delegation (RFC 4035 2.4)"),
            Self::NoNsAtApex => f.write_str("no NS records at the zone's apex (RFC 1035 5.2)"),
            Self::MixedTtl(rtype) => {
                write!(
                    f,
                    "the {rtype} records have different TTLs: the smallest is taken (RFC 2181 5.2)"
                )
            }
            Self::StaleZonemd => {
                f.write_str("the ZONEMD of the input is left out: signing changes the zone (RFC 8976)")
            }
        }
    }
}

/// A rule broken, and where.
#[derive(Debug, Clone)]
pub struct ZoneFault {
    /// The owner name.
    pub owner: Name,
    /// The record that shows it.
    pub locus: Locus,
    /// The rule.
    pub rule: ZoneRule,
}

impl fmt::Display for ZoneFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.owner, self.rule)
    }
}

/// Reports each rule that a node breaks; `set` order and TTLs are looked at when the set is made canonical.
pub(crate) fn check_node(node: &Node<'_>, occluded: bool, mut report: impl FnMut(Locus, ZoneRule)) {
    let apex = node.key.is_empty();
    if let [record] = node.records {
        // Nearly every node of a large zone: one set that breaks no rule by itself.
        if !matches!(record.rtype, RecordType::SOA | RecordType::DNSKEY | RecordType::DS) && !apex {
            return;
        }
    }
    if let Some(cname) = node.set(RecordType::CNAME).first() {
        // NSEC and RRSIG stand beside it (RFC 4034 2.5), KEY may (RFC 2535 2.3.5).
        let stranger = |record: &&RecordRef<'_>| {
            !matches!(record.rtype, RecordType::CNAME | RecordType::KEY) && !is_made_by_signing(record.rtype)
        };
        if node.records.iter().any(|record| stranger(&record)) {
            report(cname.locus, ZoneRule::CnameAndOtherData);
        }
    }
    for rtype in [RecordType::CNAME, RecordType::DNAME, RecordType::SOA] {
        if let [first, rest @ ..] = node.set(rtype)
            && let Some(other) = rest.iter().find(|other| !other.rdata.eq_ignore_ascii_case(first.rdata))
        {
            report(other.locus, ZoneRule::Singleton(rtype));
        }
    }
    if apex {
        if !node.has(RecordType::NS) {
            report(
                node.records.first().map_or_else(Locus::default, |record| record.locus),
                ZoneRule::NoNsAtApex,
            );
        }
        if let Some(record) = node.set(RecordType::DS).first() {
            report(record.locus, ZoneRule::DsWithoutNs);
        }
        if let Some(record) = node.set(RecordType::ZONEMD).first() {
            report(record.locus, ZoneRule::StaleZonemd);
        }
        return;
    }
    if let Some(record) = node.set(RecordType::SOA).first() {
        report(record.locus, ZoneRule::SoaOffApex);
    }
    if occluded {
        return;
    }
    if let Some(record) = node.set(RecordType::DNSKEY).first() {
        report(record.locus, ZoneRule::DnskeyOffApex);
    }
    if let (Some(record), false) = (node.set(RecordType::DS).first(), node.has(RecordType::NS)) {
        report(record.locus, ZoneRule::DsWithoutNs);
    }
}
