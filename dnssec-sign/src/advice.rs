//! A zone's rules by name, with the type that each is about and what to do when it is broken. What is wrong is said in
//! `fault`.

use crate::fault::ZoneRule;
use crate::rtype::RecordType;

/// Every name that a rule can have, in alphabetical order, with what it asks for.
const NAMES: &[(&str, &str)] = &[
    ("alias-loop", "no circle of CNAMEs"),
    ("alias-of-itself", "CNAME and DNAME lead to other names"),
    ("at-wildcard", "no NS and DNAME at wildcards"),
    ("below-delegation", "nothing but addresses below delegations"),
    ("below-dname", "nothing below a DNAME"),
    ("cname-and-other-data", "nothing beside a CNAME but what signing makes"),
    ("dname-and-ns", "no NS beside a DNAME off the apex"),
    ("dnskey-off-apex", "DNSKEY at the apex only"),
    ("ds-off-cut", "DS at delegations only"),
    ("duplicate-record", "each record once"),
    (
        "glue-missing",
        "an address for every name server at or below its delegation",
    ),
    ("glue-unused", "no address below a delegation that no delegation needs"),
    ("mx-target-address", "an address for every MX target in the zone"),
    ("mx-target-alias", "no MX target in the zone is an alias"),
    ("no-apex-ns", "NS at the apex"),
    ("no-soa", "SOA at the apex"),
    ("ns-target-address", "an address for every NS target in the zone"),
    ("ns-target-alias", "no NS target in the zone is an alias"),
    ("nsec3-form", "NSEC3 owners are hashes directly below the apex"),
    ("nsec3-room", "room for a hash in front of the zone's name"),
    ("nsec3param-off-apex", "NSEC3PARAM at the apex only"),
    ("several-cname", "one CNAME at a name"),
    ("several-dname", "one DNAME at a name"),
    ("several-soa", "one SOA"),
    (
        "sibling-glue-missing",
        "an address for every name server below another delegation",
    ),
    ("soa-off-apex", "SOA at the apex only"),
    ("srv-target-address", "an address for every SRV target in the zone"),
    ("srv-target-alias", "no SRV target in the zone is an alias"),
    ("stale-zonemd", "no ZONEMD in a zone that is signed anew"),
    ("svcb-alias-alone", "an SVCB or HTTPS alias is alone in its set"),
    ("svcb-alias-of-itself", "an SVCB or HTTPS alias leads to another name"),
    ("svcb-alias-params", "no parameters on SVCB and HTTPS aliases"),
    ("svcb-hint", "address hints that are addresses of the target"),
    (
        "svcb-target-address",
        "an address for every SVCB and HTTPS target in the zone",
    ),
    ("ttl-mismatch", "one TTL in a set"),
];

impl ZoneRule {
    /// The names of all rules in alphabetical order, each with what it asks for in half a line.
    #[must_use]
    pub fn names() -> &'static [(&'static str, &'static str)] {
        NAMES
    }

    /// The rule's name, such as `glue-missing`; it says the type where a rule is another for another type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AliasLoop => "alias-loop",
            Self::AliasOfItself(_) => "alias-of-itself",
            Self::AtWildcard(_) => "at-wildcard",
            Self::BelowDelegation(_) => "below-delegation",
            Self::BelowDname(_) => "below-dname",
            Self::CnameAndOtherData => "cname-and-other-data",
            Self::DnameAndNs => "dname-and-ns",
            Self::DnskeyOffApex => "dnskey-off-apex",
            Self::DsWithoutNs => "ds-off-cut",
            Self::Duplicate(_) => "duplicate-record",
            Self::GlueMissing => "glue-missing",
            Self::GlueUnused(_) => "glue-unused",
            Self::TargetWithoutAddress(RecordType::MX) => "mx-target-address",
            Self::TargetIsAlias(RecordType::MX) => "mx-target-alias",
            Self::NoNsAtApex => "no-apex-ns",
            Self::NoSoa => "no-soa",
            Self::TargetWithoutAddress(RecordType::NS) => "ns-target-address",
            Self::TargetIsAlias(RecordType::NS) => "ns-target-alias",
            Self::Nsec3Form => "nsec3-form",
            Self::NoRoomForNsec3 => "nsec3-room",
            Self::Nsec3ParamOffApex => "nsec3param-off-apex",
            Self::Singleton(RecordType::CNAME) => "several-cname",
            Self::Singleton(RecordType::DNAME) => "several-dname",
            Self::Singleton(_) => "several-soa",
            Self::SiblingGlueMissing => "sibling-glue-missing",
            Self::SoaOffApex => "soa-off-apex",
            Self::TargetIsAlias(_) => "srv-target-alias",
            Self::StaleZonemd => "stale-zonemd",
            Self::SvcbAliasNotAlone(_) => "svcb-alias-alone",
            Self::SvcbAliasOfItself(_) => "svcb-alias-of-itself",
            Self::SvcbAliasWithParams(_) => "svcb-alias-params",
            Self::SvcbHint(_) => "svcb-hint",
            Self::TargetWithoutAddress(RecordType::SVCB | RecordType::HTTPS) => "svcb-target-address",
            Self::TargetWithoutAddress(_) => "srv-target-address",
            Self::MixedTtl(_) => "ttl-mismatch",
        }
    }

    /// The type that the rule is about.
    #[must_use]
    pub fn rtype(self) -> RecordType {
        match self {
            Self::AliasOfItself(rtype)
            | Self::AtWildcard(rtype)
            | Self::BelowDelegation(rtype)
            | Self::BelowDname(rtype)
            | Self::Duplicate(rtype)
            | Self::GlueUnused(rtype)
            | Self::MixedTtl(rtype)
            | Self::Singleton(rtype)
            | Self::SvcbAliasNotAlone(rtype)
            | Self::SvcbAliasOfItself(rtype)
            | Self::SvcbAliasWithParams(rtype)
            | Self::SvcbHint(rtype)
            | Self::TargetIsAlias(rtype)
            | Self::TargetWithoutAddress(rtype) => rtype,
            Self::AliasLoop | Self::CnameAndOtherData => RecordType::CNAME,
            Self::DnameAndNs => RecordType::DNAME,
            Self::DnskeyOffApex => RecordType::DNSKEY,
            Self::DsWithoutNs => RecordType::DS,
            Self::GlueMissing | Self::SiblingGlueMissing | Self::NoNsAtApex => RecordType::NS,
            Self::NoSoa | Self::SoaOffApex => RecordType::SOA,
            Self::Nsec3Form | Self::NoRoomForNsec3 => RecordType::NSEC3,
            Self::Nsec3ParamOffApex => RecordType::NSEC3PARAM,
            Self::StaleZonemd => RecordType::ZONEMD,
        }
    }

    /// What to do about it, as half a sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::AliasLoop => "let one of them lead to a host",
            Self::AliasOfItself(_) => "name the target that is meant, or take the record out",
            Self::AtWildcard(RecordType::NS) => {
                "delegate each name by itself: resolvers treat such delegations differently"
            }
            Self::AtWildcard(_) => "write the DNAME at the name above: it covers all names below it anyway",
            Self::BelowDelegation(_) | Self::GlueUnused(_) => {
                "move it to the zone that is delegated, take it out, or correct the delegation's NS records"
            }
            Self::BelowDname(_) => {
                "move it away from below the DNAME, or take the DNAME out: it leads all names below it elsewhere"
            }
            Self::CnameAndOtherData => "keep either the CNAME or the other records",
            Self::DnameAndNs => "keep either the delegation or the DNAME",
            Self::DnskeyOffApex | Self::Nsec3ParamOffApex | Self::SoaOffApex => {
                "take it out: it belongs to the apex of a zone, and this name is none; or check the origin"
            }
            Self::DsWithoutNs => "add the delegation's NS records, or take the DS records out",
            Self::Duplicate(_) => "take one of them out",
            Self::GlueMissing | Self::SiblingGlueMissing => "add A or AAAA records of the name server to this zone",
            Self::MixedTtl(_) => "give all records of the set one TTL",
            Self::NoNsAtApex => "add the zone's own NS records",
            Self::NoSoa => "add the SOA record, or check the origin: -o names it",
            Self::Nsec3Form => "take the NSEC3 records out and sign again",
            Self::NoRoomForNsec3 => "sign with NSEC",
            Self::Singleton(_) => "keep one of them",
            Self::StaleZonemd => "nothing: a new one is made where it is asked for",
            Self::SvcbAliasNotAlone(_) => {
                "keep the alias alone, or take it out: clients follow it and ignore the others"
            }
            Self::SvcbAliasOfItself(_) => {
                "name the target that is meant; a record for the owner itself has a priority above 0"
            }
            Self::SvcbAliasWithParams(_) => "take the parameters out, or give the record a priority above 0",
            Self::SvcbHint(_) => "bring the hint and the target's addresses into line",
            Self::TargetIsAlias(_) => "name the host that the alias leads to",
            Self::TargetWithoutAddress(_) => {
                "add A or AAAA records of the target, or correct it: a name without final dot is taken below the origin"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_name_in_the_list() {
        use RecordType as T;
        let rules = [
            ZoneRule::CnameAndOtherData,
            ZoneRule::Singleton(T::CNAME),
            ZoneRule::Singleton(T::DNAME),
            ZoneRule::Singleton(T::SOA),
            ZoneRule::SoaOffApex,
            ZoneRule::DnskeyOffApex,
            ZoneRule::DsWithoutNs,
            ZoneRule::NoNsAtApex,
            ZoneRule::MixedTtl(T::A),
            ZoneRule::StaleZonemd,
            ZoneRule::NoSoa,
            ZoneRule::DnameAndNs,
            ZoneRule::BelowDname(T::A),
            ZoneRule::AtWildcard(T::NS),
            ZoneRule::AliasOfItself(T::CNAME),
            ZoneRule::AliasLoop,
            ZoneRule::Duplicate(T::A),
            ZoneRule::TargetIsAlias(T::NS),
            ZoneRule::TargetIsAlias(T::MX),
            ZoneRule::TargetIsAlias(T::SRV),
            ZoneRule::TargetWithoutAddress(T::NS),
            ZoneRule::TargetWithoutAddress(T::MX),
            ZoneRule::TargetWithoutAddress(T::SRV),
            ZoneRule::TargetWithoutAddress(T::HTTPS),
            ZoneRule::GlueMissing,
            ZoneRule::SiblingGlueMissing,
            ZoneRule::GlueUnused(T::A),
            ZoneRule::BelowDelegation(T::TXT),
            ZoneRule::SvcbAliasWithParams(T::SVCB),
            ZoneRule::SvcbAliasNotAlone(T::SVCB),
            ZoneRule::SvcbAliasOfItself(T::SVCB),
            ZoneRule::SvcbHint(T::HTTPS),
            ZoneRule::Nsec3Form,
            ZoneRule::Nsec3ParamOffApex,
            ZoneRule::NoRoomForNsec3,
        ];
        let mut names: Vec<_> = rules.iter().map(|rule| rule.name()).collect();
        names.sort_unstable();
        let listed: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, listed);
        assert!(rules.iter().all(|rule| !rule.advice().is_empty()));
    }
}
