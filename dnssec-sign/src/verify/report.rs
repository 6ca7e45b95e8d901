//! What is known of the whole zone: findings, counts, and the signature that expires first. Plain values; text and
//! JSON are made by whoever prints them.

use super::finding::Finding;
use super::keys::{KeyUse, ZoneKey};
use super::rrsig::Rrsig;
use super::rule::{Rule, Severity};
use crate::algorithm::Algorithm;
use crate::name::{Name, NameRef};
use crate::rtype::RecordType;

/// What was counted. All are numbers of things in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Names with authoritative data, and delegations.
    pub names: u64,
    /// Delegations.
    pub delegations: u64,
    /// Delegations without DS.
    pub insecure_delegations: u64,
    /// Names below a delegation or a DNAME.
    pub occluded: u64,
    /// Sets that must be signed.
    pub sets: u64,
    /// RRSIG records.
    pub signatures: u64,
    /// Signatures that were verified with their key and are good.
    pub verified: u64,
    /// NSEC3 records.
    pub nsec3: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.names += other.names;
        self.delegations += other.delegations;
        self.insecure_delegations += other.insecure_delegations;
        self.occluded += other.occluded;
        self.sets += other.sets;
        self.signatures += other.signatures;
        self.verified += other.verified;
        self.nsec3 += other.nsec3;
    }
}

/// A signature and when it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// The owner.
    pub owner: Name,
    /// The type covered.
    pub rtype: RecordType,
    /// The key.
    pub key_tag: u16,
}

impl Expiry {
    /// Seconds left, of a signature that is valid at `now`.
    #[must_use]
    pub fn left(&self, now: u32) -> u32 {
        self.expiration.wrapping_sub(now)
    }

    pub(super) fn note(earliest: &mut Option<Self>, rrsig: &Rrsig<'_>, owner: NameRef<'_>, now: u32) {
        let left = rrsig.expiration.wrapping_sub(now);
        if earliest.as_ref().is_none_or(|earliest| left < earliest.left(now)) {
            *earliest = Some(Self {
                expiration: rrsig.expiration,
                owner: owner.to_name(),
                rtype: rrsig.covered,
                key_tag: rrsig.key_tag,
            });
        }
    }
}

/// One algorithm's keys, as dnssec-verify counts them; a key with the SEP flag is a KSK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmSummary {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// KSKs: active, stand-by, revoked.
    pub ksks: [u32; 3],
    /// ZSKs: active, stand-by, revoked.
    pub zsks: [u32; 3],
}

pub(super) fn summarise(keys: &[ZoneKey]) -> Vec<AlgorithmSummary> {
    let mut summaries: Vec<AlgorithmSummary> = Vec::new();
    for key in keys {
        let algorithm = key.algorithm();
        let place = match summaries.binary_search_by_key(&algorithm, |summary| summary.algorithm) {
            Ok(place) => place,
            Err(place) => {
                let empty = AlgorithmSummary {
                    algorithm,
                    ksks: [0; 3],
                    zsks: [0; 3],
                };
                summaries.insert(place, empty);
                place
            }
        };
        let summary = &mut summaries[place];
        let counts = if key.dnskey().is_sep() {
            &mut summary.ksks
        } else {
            &mut summary.zsks
        };
        counts[match key.usage() {
            KeyUse::Active => 0,
            KeyUse::StandBy => 1,
            KeyUse::Revoked => 2,
        }] += 1;
    }
    summaries
}

/// The verdict on a zone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The findings kept: those of the apex's survey, of the partitions in order, of the join.
    pub findings: Vec<Finding>,
    /// How often each rule was broken, rules that were not left out.
    pub totals: Vec<(Rule, u64)>,
    /// What was counted.
    pub counts: Counts,
    /// The good signature that expires first.
    pub earliest_expiry: Option<Expiry>,
    /// The keys by algorithm, ascending.
    pub keys: Vec<AlgorithmSummary>,
    /// The SOA's serial.
    pub serial: u32,
}

impl Report {
    /// Whether the zone may be published: no finding is an error.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.totals.iter().all(|(rule, _)| rule.severity() != Severity::Error)
    }

    /// How often a rule was broken.
    #[must_use]
    pub fn count(&self, rule: Rule) -> u64 {
        self.totals
            .iter()
            .find(|(broken, _)| *broken == rule)
            .map_or(0, |&(_, count)| count)
    }

    /// How many findings of a severity were made, kept or not.
    #[must_use]
    pub fn total(&self, severity: Severity) -> u64 {
        self.totals
            .iter()
            .filter(|(rule, _)| rule.severity() == severity)
            .map(|(_, count)| count)
            .sum()
    }
}
