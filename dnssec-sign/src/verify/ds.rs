//! The parent's DS set against the keys (RFC 4035 5.2): which DS lead to a key that signs the DNSKEY set, and what the
//! others are. Digests are computed here anew.

use super::folded::FoldedName;
use super::keys::ZoneKey;
use super::rule::Rule;
use crate::algorithm::Algorithm;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, digest};

/// What is wrong with one DS, or with the set: the rule, the key tag of a DS, and the words.
pub(super) type DsFault = (Rule, Option<u16>, String);

/// What one DS is to the keys.
enum Standing {
    /// Its key signs the DNSKEY set.
    EntryPoint,
    /// Its key is there and does not sign the DNSKEY set, or is revoked.
    Idle,
    /// It does not name a key of the zone.
    Fault(Rule, String),
}

/// Compares DS RDATA with the keys; `keys` know already whether they sign the DNSKEY set.
pub(super) fn compare(set: &[Box<[u8]>], keys: &[ZoneKey], origin: &FoldedName) -> Vec<DsFault> {
    let mut faults = Vec::new();
    let mut algorithms: Vec<(Algorithm, bool)> = Vec::new();
    for ds in set {
        let [high, low, algorithm, digest_type, digest @ ..] = &**ds else {
            faults.push((Rule::DsDigest, None, "a DS that is cut off".to_owned()));
            continue;
        };
        let (key_tag, algorithm) = (u16::from_be_bytes([*high, *low]), Algorithm(*algorithm));
        let mut is_entry = false;
        match standing(key_tag, algorithm, *digest_type, digest, keys, origin) {
            Standing::EntryPoint => is_entry = true,
            Standing::Idle => {}
            Standing::Fault(rule, detail) => faults.push((rule, Some(key_tag), detail)),
        }
        match algorithms.iter_mut().find(|(other, _)| *other == algorithm) {
            Some((_, leads)) => *leads |= is_entry,
            None => algorithms.push((algorithm, is_entry)),
        }
    }
    if !algorithms.iter().any(|(_, leads)| *leads) {
        let detail = "no DS of the parent leads to a key that signs the DNSKEY set: the zone would be bogus";
        faults.push((Rule::DsNoEntry, None, detail.to_owned()));
        return faults;
    }
    for (algorithm, _) in algorithms.iter().filter(|(_, leads)| !leads) {
        let detail = format!("no DS of algorithm {algorithm} leads to a key that signs the DNSKEY set");
        faults.push((Rule::DsAlgorithm, None, detail));
    }
    faults
}

fn standing(
    key_tag: u16,
    algorithm: Algorithm,
    digest_type: u8,
    stated: &[u8],
    keys: &[ZoneKey],
    origin: &FoldedName,
) -> Standing {
    let hash = match digest_type {
        1 => &SHA1_FOR_LEGACY_USE_ONLY,
        2 => &SHA256,
        4 => &SHA384,
        _ => {
            let detail = format!("the DS has digest type {digest_type}, which is not known here");
            return Standing::Fault(Rule::DsUnknown, detail);
        }
    };
    let mut candidates = keys
        .iter()
        .filter(|key| key.key_tag() == key_tag && key.algorithm() == algorithm)
        .peekable();
    if candidates.peek().is_none() {
        let detail = format!("no key of algorithm {algorithm} has the tag of this DS");
        return Standing::Fault(Rule::DsWithoutKey, detail);
    }
    let mut message = origin.wire().to_vec();
    // RFC 4034 5.1.4: digest = hash(owner in canonical form | DNSKEY RDATA)
    let found = candidates.find(|key| {
        message.truncate(origin.wire().len());
        message.extend_from_slice(key.dnskey().rdata());
        digest(hash, &message).as_ref() == stated
    });
    match found {
        Some(key) if key.signs_dnskey && !key.is_revoked() => Standing::EntryPoint,
        Some(_) => Standing::Idle,
        None => Standing::Fault(
            Rule::DsDigest,
            "the digest is not that of the key with this tag".to_owned(),
        ),
    }
}
