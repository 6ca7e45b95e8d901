//! What a verification found, as data: the verdict, the keys, the signature that expires first, the findings.

use dnssec_sign::verify::{Finding, Report as Verdict, Severity};
use serde::Serialize;

use crate::config::VerifyConfig;
use crate::context::moment;
use crate::load::LoadedZone;

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
