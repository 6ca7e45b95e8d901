//! What a run did: counts, times and identities. Data only; text and JSON are made in `cli`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dnssec_sign::verify::{Finding, Report as Verdict, Severity};
use dnssec_sign::{Fate, KeySetEntry, KeySource};
use serde::Serialize;

use crate::config::{SigningKeys, VerifyConfig};
use crate::context::{Decision, moment};
use crate::load::LoadedZone;
use crate::tally::Tally;

/// The outcome of a signing run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The zone's origin.
    pub origin: String,
    /// The serial of the signed zone.
    pub serial: u32,
    /// Whether there was nothing to do: the old output stays, with its serial.
    pub unchanged: bool,
    /// Records read.
    pub records_in: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Records written, RRSIGs among them.
    pub records_out: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Names that are authoritative or delegations.
    pub names: u64,
    /// NSEC or NSEC3 records written.
    pub denial_records: u64,
    /// Signatures made, by key.
    pub keys: Vec<KeyReport>,
    /// Signatures verified in what was written; 0 when it was not verified.
    pub verified: u64,
    /// What became of signatures: made because they were `new`, `changed`, `expiring`, by another `key` or `forced`; `kept`;
    /// `unrenewed` because their key is not at hand; `dropped`.
    pub decisions: BTreeMap<&'static str, u64>,
    /// The earliest expiry among the signatures, in seconds since 1970.
    pub earliest_expiry: Option<u32>,
    /// Time per stage.
    pub stages: Stages,
    /// Every warning of the run.
    pub warnings: Vec<String>,
}

/// What one key did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeyReport {
    /// The key tag.
    pub tag: u16,
    /// The algorithm's mnemonic.
    pub algorithm: String,
    /// `KSK`, `ZSK` or `CSK`.
    pub role: String,
    /// Where the private half lives.
    pub store: String,
    /// Signatures made.
    pub signatures: u64,
}

/// Wall time of the stages, seconds in JSON; they overlap, so their sum is not the whole.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stages {
    /// Reading, parsing, sorting.
    #[serde(serialize_with = "seconds")]
    pub load: Duration,
    /// Planning, signing, writing.
    #[serde(serialize_with = "seconds")]
    pub sign: Duration,
    /// What verification took after the last byte was written.
    #[serde(serialize_with = "seconds")]
    pub verify: Duration,
    /// Syncing and renaming.
    #[serde(serialize_with = "seconds")]
    pub publish: Duration,
    /// The whole run.
    #[serde(serialize_with = "seconds")]
    pub total: Duration,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Report {
    /// Signatures that end within the refresh window and whose keys are not at hand.
    #[must_use]
    pub fn unrenewed(&self) -> u64 {
        self.decisions.get(Fate::Unrenewed.word()).copied().unwrap_or(0)
    }

    /// All signatures made.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        self.keys.iter().map(|key| key.signatures).sum()
    }
}

/// Puts together what a signing run counted.
pub(crate) fn summarise(zone: &LoadedZone, decision: &Decision, keys: &SigningKeys, tally: &Tally) -> Report {
    let signatures = tally.signatures();
    let key_report = |entry: &KeySetEntry| {
        let KeySource::Store { store, index } = entry.source else {
            return None;
        };
        let role = match (entry.roles.rest, entry.dnskey.is_sep()) {
            (true, true) => "CSK",
            (false, true) => "KSK",
            (_, false) => "ZSK",
        };
        Some(KeyReport {
            tag: entry.dnskey.key_tag(),
            algorithm: entry.dnskey.algorithm().to_string(),
            role: role.to_owned(),
            store: keys
                .stores
                .get(store)
                .map(|store| store.name.clone())
                .unwrap_or_default(),
            signatures: signatures.get(&(store, index)).copied().unwrap_or(0),
        })
    };
    Report {
        origin: decision.context.origin.to_string(),
        serial: decision.serial,
        records_in: zone.records(),
        bytes_in: zone.bytes(),
        records_out: tally.records.load(Ordering::Relaxed),
        names: tally.names.load(Ordering::Relaxed),
        denial_records: tally.denial_records.load(Ordering::Relaxed),
        keys: decision.keys.entries().iter().filter_map(key_report).collect(),
        earliest_expiry: tally.earliest_expiry(),
        decisions: Fate::ALL.iter().map(|fate| (fate.word(), tally.fate(*fate))).collect(),
        warnings: decision.warnings.clone(),
        ..Report::default()
    }
}

/// The verdict on a signed zone.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// The zone's origin.
    pub origin: String,
    /// Its serial, when it has one.
    pub serial: Option<u32>,
    /// Records read.
    pub records: u64,
    /// Names that are authoritative or delegations.
    pub names: u64,
    /// RRsets looked at.
    pub sets: u64,
    /// RRSIGs found.
    pub signatures: u64,
    /// RRSIGs whose signature was verified.
    pub verified: u64,
    /// The keys by algorithm.
    pub algorithms: Vec<AlgorithmReport>,
    /// The good signature that expires first, in seconds since 1970, and what it covers.
    pub earliest_expiry: Option<ExpiryReport>,
    /// Seconds from the moment of the verification until it expires.
    pub expires_in: Option<u32>,
    /// How many findings are errors, shown or not.
    pub errors: u64,
    /// How many are warnings.
    pub warnings: u64,
    /// The findings, the first of each rule.
    pub findings: Vec<FindingReport>,
}

/// The keys of one algorithm.
#[derive(Debug, Clone, Serialize)]
pub struct AlgorithmReport {
    /// The algorithm's mnemonic.
    pub algorithm: String,
    /// Active, stand-by and revoked key-signing keys.
    pub ksks: [u32; 3],
    /// Active, stand-by and revoked zone-signing keys.
    pub zsks: [u32; 3],
}

/// The signature that expires first.
#[derive(Debug, Clone, Serialize)]
pub struct ExpiryReport {
    /// When, in seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// The owner of the set.
    pub owner: String,
    /// The type of the set.
    pub rtype: String,
    /// The tag of the key.
    pub key_tag: u16,
}

/// One breach of one rule.
#[derive(Debug, Clone, Serialize)]
pub struct FindingReport {
    /// The rule's stable name.
    pub rule: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Where the rule comes from.
    pub reference: &'static str,
    /// The owner name.
    pub owner: String,
    /// The type of the set at fault.
    pub rtype: Option<String>,
    /// The tag of the key concerned.
    pub key_tag: Option<u16>,
    /// `file:line` of the record, when one is at fault.
    pub place: Option<String>,
    /// All of it in one line for a person.
    pub message: String,
}

impl VerifyReport {
    /// Whether no finding is an error.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.errors == 0
    }

    pub(crate) fn new(zone: &LoadedZone, config: &VerifyConfig, verdict: &Verdict) -> Self {
        let mut report = Self {
            serial: Some(verdict.serial),
            names: verdict.counts.names,
            sets: verdict.counts.sets,
            signatures: verdict.counts.signatures,
            verified: verdict.counts.verified,
            algorithms: verdict
                .keys
                .iter()
                .map(|keys| AlgorithmReport {
                    algorithm: keys.algorithm.to_string(),
                    ksks: keys.ksks,
                    zsks: keys.zsks,
                })
                .collect(),
            earliest_expiry: verdict.earliest_expiry.as_ref().map(|expiry| ExpiryReport {
                expiration: expiry.expiration,
                owner: expiry.owner.to_string(),
                rtype: expiry.rtype.to_string(),
                key_tag: expiry.key_tag,
            }),
            expires_in: verdict
                .earliest_expiry
                .as_ref()
                .map(|expiry| expiry.left(moment(config.now))),
            ..Self::unjudged(zone, config, &verdict.findings)
        };
        report.errors = verdict.total(Severity::Error);
        report.warnings = verdict.total(Severity::Warning);
        report
    }

    /// Of a zone of which only the apex was looked at.
    pub(crate) fn unjudged(zone: &LoadedZone, config: &VerifyConfig, findings: &[Finding]) -> Self {
        Self {
            origin: config.origin.to_string(),
            records: zone.records(),
            errors: findings
                .iter()
                .filter(|finding| finding.severity() == Severity::Error)
                .count() as u64,
            warnings: findings
                .iter()
                .filter(|finding| finding.severity() == Severity::Warning)
                .count() as u64,
            findings: findings
                .iter()
                .map(|finding| FindingReport::new(zone, finding))
                .collect(),
            ..Self::default()
        }
    }
}

impl FindingReport {
    fn new(zone: &LoadedZone, finding: &Finding) -> Self {
        Self {
            rule: finding.rule.name(),
            severity: match finding.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            reference: finding.rule.reference(),
            owner: finding.owner.to_string(),
            rtype: finding.rtype.map(|rtype| rtype.to_string()),
            key_tag: finding.key_tag,
            place: (finding.locus.line > 0).then(|| zone.place(finding.locus)),
            message: finding.to_string(),
        }
    }
}
