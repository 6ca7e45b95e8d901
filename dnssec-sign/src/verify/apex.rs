//! The apex surveyed before the partitions: what is expected of the zone becomes facts that every name is judged by:
//! the keys, parsed once; the algorithms that must sign every set (RFC 4035 2.2); the denial chains; the TTL of
//! denial records (RFC 9077). The apex's own sets are judged again, with all others, in its partition.

use super::canonical::name_length;
use super::ds;
use super::expectations::{Expectations, SepFlag};
use super::finding::{Finding, Findings};
use super::folded::FoldedName;
use super::keys::{ZoneKey, key_tag};
use super::nsec3::Nsec3Parameters;
use super::rrsig::Rrsig;
use super::rule::Rule;
use super::signature::{Judge, Judgement, MAX_EQUAL_TAGS};
use super::zonemd::{self, Zonemd};
use crate::algorithm::Algorithm;
use crate::record::{Locus, Node};
use crate::rtype::RecordType;

/// NSEC3 chains that are checked: a zone on the move from one to another has two.
const MAX_CHAINS: usize = 4;

/// What every name of the zone is judged by.
#[derive(Debug, Clone)]
pub struct ApexFacts {
    pub(super) expectations: Expectations,
    pub(super) origin: FoldedName,
    pub(super) keys: Vec<ZoneKey>,
    /// The algorithms that must sign every set.
    pub(super) required: Vec<Algorithm>,
    pub(super) denial_ttl: u32,
    /// Whether names must have NSEC.
    pub(super) nsec: bool,
    /// The chains of NSEC3 that there must be.
    pub(super) nsec3: Vec<Nsec3Parameters>,
    /// The ZONEMD records that are checked.
    pub(super) zonemd: Vec<Zonemd>,
    pub(super) findings: Findings,
    serial: u32,
}

impl ApexFacts {
    /// The keys of the zone, in the order of the input.
    #[must_use]
    pub fn keys(&self) -> &[ZoneKey] {
        &self.keys
    }

    /// The algorithms that must sign every set, ascending.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.required
    }

    /// The SOA's serial.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// Whether the zone denies existence with NSEC.
    #[must_use]
    pub fn has_nsec(&self) -> bool {
        self.nsec
    }

    /// The parameters of the zone's NSEC3 chains; more than one while the zone moves from one to another.
    #[must_use]
    pub fn nsec3_parameters(&self) -> &[Nsec3Parameters] {
        &self.nsec3
    }

    /// Whether nothing is known of how the zone denies existence: a finding of its own, and no further ones.
    pub(super) fn denial_is_unknown(&self) -> bool {
        !self.nsec && self.nsec3.is_empty()
    }

    /// Whether a chain's hashes are computed: not with more iterations than allowed.
    pub(super) fn is_checked(&self, chain: &Nsec3Parameters) -> bool {
        chain.iterations <= self.expectations.max_iterations
    }

    fn add(&mut self, finding: Finding) {
        self.findings.add(finding.rule, || finding);
    }

    fn apex_finding(&self, rule: Rule, locus: Locus, detail: impl Into<String>) -> Finding {
        Finding::new(rule, self.expectations.origin.clone(), locus, detail)
    }
}

/// Surveys the apex, the node at the origin.
///
/// # Errors
/// The findings, when without SOA, keys or signatures no name of the zone can be judged.
pub fn survey_apex(apex: Node<'_>, expectations: &Expectations) -> Result<ApexFacts, Vec<Finding>> {
    let mut facts = ApexFacts {
        expectations: expectations.clone(),
        origin: FoldedName::of(expectations.origin.borrow()),
        keys: Vec::new(),
        required: Vec::new(),
        denial_ttl: 0,
        nsec: apex.has(RecordType::NSEC),
        nsec3: Vec::new(),
        zonemd: Vec::new(),
        findings: Findings::new(expectations.findings_per_rule),
        serial: 0,
    };
    let locus = apex.records.first().map(|record| record.locus).unwrap_or_default();
    let fatal = |facts: ApexFacts, rule, detail: &str| {
        let last = facts.apex_finding(rule, locus, detail);
        let mut list = facts.findings.into_list();
        list.push(last);
        Err(list)
    };
    let Some((ttl, [serial, .., minimum])) = soa_numbers(apex) else {
        return fatal(facts, Rule::SoaNotSingle, "the apex must have exactly one SOA record");
    };
    facts.serial = serial;
    facts.denial_ttl = ttl.min(minimum);
    let rrsigs: Vec<_> = apex.set(RecordType::RRSIG).iter().filter_map(Rrsig::read).collect();
    if rrsigs.is_empty() {
        return fatal(
            facts,
            Rule::NotSigned,
            "the apex has no signatures: the zone is not signed",
        );
    }
    read_keys(&mut facts, apex);
    if facts.keys.is_empty() {
        return fatal(
            facts,
            Rule::DnskeyMissing,
            "the apex has no usable DNSKEY with the ZONE flag",
        );
    }
    find_signers(&mut facts, apex, &rrsigs);
    require_algorithms(&mut facts, locus, &rrsigs);
    judge_key_roles(&mut facts, locus);
    judge_ds(&mut facts, locus);
    read_denial(&mut facts, apex, locus);
    read_zonemd(&mut facts, apex);
    Ok(facts)
}

/// The SOA's TTL and its five numbers: serial, refresh, retry, expire, minimum.
fn soa_numbers(apex: Node<'_>) -> Option<(u32, [u32; 5])> {
    let [soa] = apex.set(RecordType::SOA) else {
        return None;
    };
    let (_, rest) = soa.rdata.split_at(name_length(soa.rdata)?);
    let (_, rest) = rest.split_at(name_length(rest)?);
    let (words, []) = rest.as_chunks::<4>() else {
        return None;
    };
    let words: [[u8; 4]; 5] = words.try_into().ok()?;
    Some((soa.ttl, words.map(u32::from_be_bytes)))
}

/// The serial of the apex's only SOA.
pub(super) fn soa_serial(apex: Node<'_>) -> Option<u32> {
    soa_numbers(apex).map(|(_, [serial, ..])| serial)
}

fn read_keys(facts: &mut ApexFacts, apex: Node<'_>) {
    for record in apex.set(RecordType::DNSKEY) {
        let finding = |facts: &ApexFacts, rule, detail: String| {
            facts
                .apex_finding(rule, record.locus, detail)
                .with_type(RecordType::DNSKEY)
                .with_key_tag(key_tag(record.rdata))
        };
        match ZoneKey::read(record.rdata) {
            // A key without the ZONE flag signs nothing in the zone (RFC 4034 2.1.1).
            Ok((key, _)) if !key.dnskey().is_zone_key() => {}
            Ok((key, _)) if facts.keys.iter().any(|other| other.dnskey() == key.dnskey()) => {}
            Ok((key, unverifiable)) => {
                facts.keys.push(key);
                if let Some(detail) = unverifiable {
                    facts.add(finding(facts, Rule::AlgorithmUnverifiable, detail));
                }
            }
            Err(detail) => facts.add(finding(facts, Rule::DnskeyMalformed, detail)),
        }
    }
    let mut pairs: Vec<_> = facts.keys.iter().map(|key| (key.algorithm(), key.key_tag())).collect();
    pairs.sort_unstable();
    for equal in pairs.chunk_by(|one, other| one == other) {
        if let [(algorithm, key_tag), ..] = *equal
            && equal.len() > MAX_EQUAL_TAGS
        {
            let detail = format!(
                "{} keys of algorithm {algorithm} share one tag; {MAX_EQUAL_TAGS} are tried",
                equal.len()
            );
            let finding = facts.apex_finding(Rule::EqualTags, Locus::default(), detail);
            facts.add(finding.with_type(RecordType::DNSKEY).with_key_tag(key_tag));
        }
    }
}

/// Marks the keys that sign the DNSKEY set and the SOA.
fn find_signers(facts: &mut ApexFacts, apex: Node<'_>, rrsigs: &[Rrsig<'_>]) {
    let mut judge = Judge::default();
    for rtype in [RecordType::DNSKEY, RecordType::SOA] {
        if judge
            .turn_to(&facts.origin, apex.set(rtype), &facts.expectations)
            .is_err()
        {
            // The set's own partition says what is wrong with it.
            continue;
        }
        for rrsig in rrsigs.iter().filter(|rrsig| rrsig.covered == rtype) {
            let judgement = judge.judge(&facts.origin, rrsig, &facts.keys, &facts.expectations);
            if let Judgement::Good(place) | Judgement::Presumed(place) = judgement {
                let key = &mut facts.keys[place];
                if rtype == RecordType::SOA {
                    key.signs_soa = true;
                } else {
                    key.signs_dnskey = true;
                }
            }
        }
    }
}

/// RFC 4035 2.2: every algorithm of the DNSKEY set signs every set. One that signs nothing at the apex, foreign
/// keys' (RFC 8901) included, is one finding instead of one for each set of the zone.
fn require_algorithms(facts: &mut ApexFacts, locus: Locus, rrsigs: &[Rrsig<'_>]) {
    let mut algorithms: Vec<_> = facts
        .keys
        .iter()
        .filter(|key| !key.is_revoked())
        .map(|key| key.algorithm())
        .collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    for algorithm in algorithms {
        let signs = rrsigs.iter().any(|rrsig| {
            rrsig.algorithm == algorithm
                && facts
                    .keys
                    .iter()
                    .any(|key| key.algorithm() == algorithm && key.key_tag() == rrsig.key_tag)
        });
        if signs {
            facts.required.push(algorithm);
        } else {
            let detail = format!("keys of algorithm {algorithm} are published and sign nothing at the apex");
            let finding = facts.apex_finding(Rule::AlgorithmSignsNothing, locus, detail);
            facts.add(finding.with_type(RecordType::DNSKEY));
        }
    }
}

fn judge_key_roles(facts: &mut ApexFacts, locus: Locus) {
    let mut found = Vec::new();
    for key in facts.keys.iter().filter(|key| key.is_revoked() && !key.signs_dnskey) {
        found.push(
            facts
                .apex_finding(
                    Rule::RevokedNotSelfSigned,
                    locus,
                    "the revoked key must sign the DNSKEY set",
                )
                .with_key_tag(key.key_tag()),
        );
    }
    if facts.expectations.sep_flag == SepFlag::Heeded {
        let entry_points = || {
            facts
                .keys
                .iter()
                .filter(|key| !key.is_revoked() && key.dnskey().is_sep())
        };
        if entry_points().next().is_none() {
            found.push(facts.apex_finding(Rule::NoSepKey, locus, "no key has the SEP flag"));
        } else if !entry_points().any(|key| key.signs_dnskey) {
            found.push(facts.apex_finding(
                Rule::KskNotSelfSigned,
                locus,
                "no key with the SEP flag signs the DNSKEY set: keys offline or inactive?",
            ));
        } else {
            // An algorithm that signs the zone and has keys with the flag has one that signs the DNSKEY set.
            for &algorithm in &facts.required {
                let mut own = entry_points().filter(|key| key.algorithm() == algorithm).peekable();
                if own.peek().is_some() && !own.any(|key| key.signs_dnskey) {
                    let detail = format!("no key of algorithm {algorithm} with the SEP flag signs the DNSKEY set");
                    found.push(facts.apex_finding(Rule::KskNotSelfSigned, locus, detail));
                }
            }
        }
    }
    for finding in found {
        facts.add(finding.with_type(RecordType::DNSKEY));
    }
}

fn judge_ds(facts: &mut ApexFacts, locus: Locus) {
    if facts.expectations.ds.is_empty() {
        return;
    }
    for (rule, key_tag, detail) in ds::compare(&facts.expectations.ds, &facts.keys, &facts.origin) {
        let mut finding = facts.apex_finding(rule, locus, detail).with_type(RecordType::DS);
        finding.key_tag = key_tag;
        facts.add(finding);
    }
}

fn read_zonemd(facts: &mut ApexFacts, apex: Node<'_>) {
    let mut faults = Vec::new();
    facts.zonemd = zonemd::read(apex.set(RecordType::ZONEMD), facts.serial, |rule, locus, detail| {
        faults.push((rule, locus, detail));
    });
    for (rule, locus, detail) in faults {
        let finding = facts.apex_finding(rule, locus, detail);
        facts.add(finding.with_type(RecordType::ZONEMD));
    }
}

fn read_denial(facts: &mut ApexFacts, apex: Node<'_>, locus: Locus) {
    let parameters = apex.set(RecordType::NSEC3PARAM);
    for record in parameters {
        let fault = match Nsec3Parameters::read(record.rdata) {
            Ok(_) if facts.nsec3.len() == MAX_CHAINS => Some((
                Rule::Nsec3Param,
                format!("more than {MAX_CHAINS} chains; this one was not checked"),
            )),
            Ok(one) => {
                let fault = fault_of_iterations(one.iterations, facts.expectations.max_iterations);
                if !facts.nsec3.contains(&one) {
                    facts.nsec3.push(one);
                }
                fault
            }
            Err(detail) => Some((Rule::Nsec3Param, detail)),
        };
        if let Some((rule, detail)) = fault {
            let finding = facts.apex_finding(rule, record.locus, detail);
            facts.add(finding.with_type(RecordType::NSEC3PARAM));
        }
    }
    if !facts.nsec && parameters.is_empty() {
        facts.add(facts.apex_finding(Rule::DenialMissing, locus, "the apex has neither NSEC nor NSEC3PARAM"));
    }
    if facts.nsec3.is_empty() {
        return;
    }
    let nsec_only: Vec<_> = facts
        .keys
        .iter()
        .filter(|key| key.algorithm().is_nsec_only())
        .map(|key| {
            let detail = format!("algorithm {} does not stand beside NSEC3", key.algorithm());
            facts
                .apex_finding(Rule::Nsec3Algorithm, locus, detail)
                .with_type(RecordType::DNSKEY)
                .with_key_tag(key.key_tag())
        })
        .collect();
    for finding in nsec_only {
        facts.add(finding);
    }
}

fn fault_of_iterations(iterations: u16, most: u16) -> Option<(Rule, String)> {
    if iterations > most {
        let detail = format!("{iterations} additional iterations are more than {most}; the chain was not checked");
        Some((Rule::Nsec3Iterations, detail))
    } else if iterations > 0 {
        let detail = format!("{iterations} additional iterations, where 0 is the advice");
        Some((Rule::Nsec3SomeIterations, detail))
    } else {
        None
    }
}
