//! What can be wrong with a zone beyond its syntax: every rule, and the check of those that a node must keep to be signed
//! (RFC 1034 3.6.2, RFC 2181 10.1, RFC 4035 2.4, RFC 6672 2.4, BIND-compatible). The others are checked in `zone_check`,
//! and what to do about each is said in `advice`.

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
    /// No SOA at the apex (RFC 1035 5.2).
    NoSoa,
    /// DNAME and NS at one name that is not the apex (RFC 6672 2.3).
    DnameAndNs,
    /// A record below a DNAME (RFC 6672 2.4).
    BelowDname(RecordType),
    /// NS or DNAME at a wildcard (RFC 4592 4.2, 4.4).
    AtWildcard(RecordType),
    /// A CNAME that leads to its own owner, or a DNAME that leads there or below.
    AliasOfItself(RecordType),
    /// CNAMEs of the zone that lead to one another in a circle (RFC 1034 3.6.2).
    AliasLoop,
    /// A record that stands there twice (RFC 2181 5).
    Duplicate(RecordType),
    /// The target of NS, MX or SRV is an alias: CNAME, or below a DNAME (RFC 2181 10.3).
    TargetIsAlias(RecordType),
    /// The target of NS, MX, SRV, SVCB or HTTPS is a name of the zone without an address.
    TargetWithoutAddress(RecordType),
    /// A delegation to a server at or below it, and no address of the server (RFC 1034 4.2.1).
    GlueMissing,
    /// A delegation to a server below another delegation, and no address of the server (RFC 9471 2.2).
    SiblingGlueMissing,
    /// An address below a delegation that no delegation needs (RFC 1034 4.2.1).
    GlueUnused(RecordType),
    /// A record below a delegation that is no address.
    BelowDelegation(RecordType),
    /// An alias of SVCB or HTTPS with parameters, which are not looked at (RFC 9460 2.4.2).
    SvcbAliasWithParams(RecordType),
    /// A set of SVCB or HTTPS with an alias and other records (RFC 9460 2.4.1).
    SvcbAliasNotAlone(RecordType),
    /// An alias of SVCB or HTTPS that leads to its own owner (RFC 9460 2.4.2).
    SvcbAliasOfItself(RecordType),
    /// An address hint that is no address of the target (RFC 9460 7.3).
    SvcbHint(RecordType),
    /// The owner of an NSEC3 is not a hash directly below the apex, or the next hash has another length (RFC 5155 3).
    Nsec3Form,
    /// NSEC3PARAM off the apex (RFC 5155 4).
    Nsec3ParamOffApex,
    /// A hash in front of the zone's name makes no name: it has more than 255 bytes (RFC 5155 3).
    NoRoomForNsec3,
}

impl ZoneRule {
    /// Whether the zone can be signed all the same.
    #[must_use]
    pub fn is_warning(self) -> bool {
        match self {
            // An alias costs the servers of other zones a query more; an NS that leads to one does not work.
            Self::TargetIsAlias(rtype) => rtype != RecordType::NS,
            // BIND refuses zones with such delegations.
            Self::AtWildcard(rtype) => rtype != RecordType::NS,
            Self::TargetWithoutAddress(rtype) => matches!(rtype, RecordType::SVCB | RecordType::HTTPS),
            Self::MixedTtl(_)
            | Self::StaleZonemd
            | Self::Duplicate(_)
            | Self::SiblingGlueMissing
            | Self::GlueUnused(_)
            | Self::BelowDelegation(_)
            // It is occluded, and the zone is served all the same.
            | Self::BelowDname(_)
            | Self::SvcbAliasWithParams(_)
            | Self::SvcbAliasNotAlone(_)
            | Self::SvcbHint(_)
            | Self::NoRoomForNsec3 => true,
            _ => false,
        }
    }
}

impl fmt::Display for ZoneRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CnameAndOtherData => f.write_str("CNAME and other data at one name (RFC 2181 10.1)"),
            Self::Singleton(rtype) => write!(f, "more than one {rtype} record at one name"),
            Self::SoaOffApex => f.write_str("SOA record below the zone's apex"),
            Self::DnskeyOffApex => f.write_str("DNSKEY record below the zone's apex (RFC 4035 2.1)"),
            Self::DsWithoutNs => f.write_str("DS record at a name that is no delegation (RFC 4035 2.4)"),
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
            Self::NoSoa => f.write_str("no SOA record at the zone's apex (RFC 1035 5.2)"),
            Self::DnameAndNs => f.write_str("DNAME and NS records at one name (RFC 6672 2.3)"),
            Self::BelowDname(rtype) => write!(f, "{rtype} record below a DNAME (RFC 6672 2.4)"),
            Self::AtWildcard(rtype) => write!(f, "{rtype} record at a wildcard (RFC 4592 4)"),
            Self::AliasOfItself(RecordType::DNAME) => {
                f.write_str("the DNAME record leads to its own owner or below it")
            }
            Self::AliasOfItself(rtype) => write!(f, "the {rtype} record leads to its own owner"),
            Self::AliasLoop => f.write_str("the CNAME record leads back here by way of others (RFC 1034 3.6.2)"),
            Self::Duplicate(rtype) => write!(f, "the {rtype} record stands there twice (RFC 2181 5)"),
            Self::TargetIsAlias(rtype) => write!(f, "the {rtype} record's target is an alias (RFC 2181 10.3)"),
            Self::TargetWithoutAddress(rtype) => write!(f, "the {rtype} record's target has no address in the zone"),
            Self::GlueMissing => {
                f.write_str("the name server is at or below the delegation and has no address here (RFC 1034 4.2.1)")
            }
            Self::SiblingGlueMissing => {
                f.write_str("the name server is below another delegation and has no address here (RFC 9471 2.2)")
            }
            Self::GlueUnused(rtype) => write!(f, "{rtype} record below a delegation, and no delegation needs it"),
            Self::BelowDelegation(rtype) => write!(f, "{rtype} record below a delegation: it is never in an answer"),
            Self::SvcbAliasWithParams(rtype) => {
                write!(f, "the {rtype} record is an alias with parameters (RFC 9460 2.4.2)")
            }
            Self::SvcbAliasNotAlone(rtype) => write!(f, "an alias among several {rtype} records (RFC 9460 2.4.1)"),
            Self::SvcbAliasOfItself(rtype) => write!(f, "the {rtype} record is an alias of itself (RFC 9460 2.4.2)"),
            Self::SvcbHint(rtype) => write!(
                f,
                "an address hint of the {rtype} record is no address of its target (RFC 9460 7.3)"
            ),
            Self::Nsec3Form => {
                f.write_str("the NSEC3 record's owner or next owner is no hash directly below the apex (RFC 5155 3)")
            }
            Self::Nsec3ParamOffApex => f.write_str("NSEC3PARAM record below the zone's apex (RFC 5155 4)"),
            Self::NoRoomForNsec3 => {
                f.write_str("the zone's name is too long for NSEC3: a hash in front of it makes no name (RFC 5155 3)")
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
