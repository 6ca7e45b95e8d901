//! The form of NSEC3 owners and where NSEC3PARAM stands (RFC 5155 3 and 4). Whether the chain is right is `verify`'s.

use super::Report;
use crate::fault::ZoneRule;
use crate::record::Node;
use crate::rtype::RecordType;

/// A SHA-1 hash in bytes, and as base32hex.
const HASH: usize = 20;
const HASH_TEXT: usize = 32;

pub(super) fn check(node: &Node<'_>, report: &mut Report<'_, '_>) {
    if let (Some(record), false) = (node.set(RecordType::NSEC3PARAM).first(), node.key.is_empty()) {
        report.add(record.locus, ZoneRule::Nsec3ParamOffApex, None);
    }
    let chain = node.set(RecordType::NSEC3);
    if let Some(first) = chain.first()
        && !is_hashed_owner(node.key)
    {
        report.add(first.locus, ZoneRule::Nsec3Form, None);
        return;
    }
    for record in chain {
        if next_hash_length(record.rdata) != Some(HASH) {
            report.add(record.locus, ZoneRule::Nsec3Form, None);
        }
    }
}

/// Whether the name is one label of 32 base32hex digits below the apex; keys are folded.
fn is_hashed_owner(key: &[u8]) -> bool {
    match key.split_last() {
        Some((0, label)) => {
            label.len() == HASH_TEXT && label.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
        }
        _ => false,
    }
}

/// The length of the next hash behind algorithm, flags, iterations and salt.
fn next_hash_length(rdata: &[u8]) -> Option<usize> {
    let salt = usize::from(*rdata.get(4)?);
    rdata.get(5 + salt).map(|&length| usize::from(length))
}
