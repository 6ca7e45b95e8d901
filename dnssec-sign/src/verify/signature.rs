//! One signature over one set: its fields, its times, its key, and the bytes that it is over (RFC 4035 5.3). What
//! the answer means for the set is decided where the set is met.

use super::canonical::CanonicalSet;
use super::expectations::{Expectations, Level};
use super::folded::FoldedName;
use super::keys::ZoneKey;
use super::rrsig::{Rrsig, is_after};
use super::rule::Rule;
use crate::record::RecordRef;
use crate::rtype::RecordType;

/// Keys with one algorithm and tag that are tried for a signature (RFC 4034 8 asks for all; a bound keeps a hostile
/// zone from costing square time).
pub(super) const MAX_EQUAL_TAGS: usize = 4;
/// Failed verifications after which a set is given up.
const MAX_FAILURES: u32 = 16;

/// What is known of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It verifies with the key at this place.
    Good(usize),
    /// Its fields are right; the cryptography was not tried (level) or cannot be (algorithm).
    Presumed(usize),
    /// Its fields are right and its key is not in the DNSKEY set.
    UnknownKey,
    /// A revoked key's over something else than the DNSKEY set.
    Revoked,
    /// It breaks a rule.
    Faulty(Rule, String),
}

/// Judges signatures; the room for canonical forms and messages is used again.
#[derive(Debug, Default)]
pub(super) struct Judge {
    set: CanonicalSet,
    records: Vec<u8>,
    message: Vec<u8>,
    rtype: u16,
    ttl: u32,
    failures: u32,
}

impl Judge {
    /// Turns to the set of these records, which is not empty.
    ///
    /// # Errors
    /// The place of a record that does not have the shape of its type.
    pub(super) fn turn_to(
        &mut self,
        owner: &FoldedName,
        records: &[RecordRef<'_>],
        expectations: &Expectations,
    ) -> Result<(), usize> {
        let [first, ..] = records else { return Ok(()) };
        self.rtype = first.rtype.0;
        self.ttl = first.ttl;
        self.failures = 0;
        self.set.fill(records)?;
        self.records.clear();
        for (place, rdata) in self.set.rdata().enumerate() {
            // RFC 4034 3.1.8.1: RR(i) = owner | type | class | original TTL | RDATA length | RDATA
            self.records.extend_from_slice(owner.wire());
            self.records.extend_from_slice(&self.rtype.to_be_bytes());
            self.records.extend_from_slice(&expectations.class.0.to_be_bytes());
            self.records.extend_from_slice(&self.ttl.to_be_bytes());
            let length = u16::try_from(rdata.len()).map_err(|_| place)?;
            self.records.extend_from_slice(&length.to_be_bytes());
            self.records.extend_from_slice(rdata);
        }
        Ok(())
    }

    /// Judges a signature over the set that was last turned to.
    pub(super) fn judge(
        &mut self,
        owner: &FoldedName,
        rrsig: &Rrsig<'_>,
        keys: &[ZoneKey],
        expectations: &Expectations,
    ) -> Judgement {
        if let Some((rule, detail)) = self.fault_of_fields(owner, rrsig, expectations) {
            return Judgement::Faulty(rule, detail);
        }
        let mut candidates = keys
            .iter()
            .enumerate()
            .filter(|(_, key)| key.algorithm() == rrsig.algorithm && key.key_tag() == rrsig.key_tag)
            .peekable();
        let Some(&(_, first)) = candidates.peek() else {
            return Judgement::UnknownKey;
        };
        if first.is_revoked() && self.rtype != RecordType::DNSKEY.0 {
            return Judgement::Revoked;
        }
        if let Some((rule, detail)) = fault_of_times(rrsig, expectations.now) {
            return Judgement::Faulty(rule, detail);
        }
        self.message.clear();
        rrsig.write_head(&mut self.message);
        self.message.extend_from_slice(&self.records);
        for (place, key) in candidates.take(MAX_EQUAL_TAGS) {
            let Some(verifier) = (expectations.level == Level::Full).then_some(key.verifier()).flatten() else {
                return Judgement::Presumed(place);
            };
            if self.failures >= MAX_FAILURES {
                return Judgement::Faulty(
                    Rule::SignatureTries,
                    format!("{MAX_FAILURES} verifications failed; this signature was not tried"),
                );
            }
            if verifier.verify(&self.message, rrsig.signature).is_ok() {
                return Judgement::Good(place);
            }
            self.failures += 1;
        }
        Judgement::Faulty(
            Rule::SignatureInvalid,
            format!("the {} signature does not verify", rrsig.algorithm),
        )
    }

    fn fault_of_fields(
        &self,
        owner: &FoldedName,
        rrsig: &Rrsig<'_>,
        expectations: &Expectations,
    ) -> Option<(Rule, String)> {
        if rrsig.signer != expectations.origin.borrow() {
            return Some((
                Rule::SignerName,
                format!("the signer is {}, not the zone {}", rrsig.signer, expectations.origin),
            ));
        }
        let labels = owner.rrsig_labels();
        if usize::from(rrsig.labels) != labels {
            return Some((
                Rule::Labels,
                format!("the label count is {}, the owner has {labels}", rrsig.labels),
            ));
        }
        if rrsig.original_ttl != self.ttl {
            return Some((
                Rule::OriginalTtl,
                format!("the original TTL is {}, the set's TTL {}", rrsig.original_ttl, self.ttl),
            ));
        }
        None
    }
}

fn fault_of_times(rrsig: &Rrsig<'_>, now: u32) -> Option<(Rule, String)> {
    let (inception, expiration) = (rrsig.inception, rrsig.expiration);
    if is_after(inception, expiration) {
        return Some((
            Rule::SignatureWindow,
            format!("inception {inception} is after expiration {expiration}"),
        ));
    }
    if is_after(now, expiration) {
        let ago = now.wrapping_sub(expiration);
        return Some((
            Rule::SignatureExpired,
            format!("expired {ago} s ago, at {expiration} (seconds since 1970)"),
        ));
    }
    if is_after(inception, now) {
        let ahead = inception.wrapping_sub(now);
        return Some((
            Rule::SignatureNotYetValid,
            format!("valid from {inception} (seconds since 1970), in {ahead} s"),
        ));
    }
    None
}
