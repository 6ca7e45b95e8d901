//! Warnings about the sets of a node, which no single entry shows. What a zone may not have at all is judged elsewhere:
//! in `dnssec-sign`, and by `zone check`.

use dnssec_sign::rdata::{folds, write_canonical};
use dnssec_sign::{Locus, Node, RecordRef, RecordType};

use crate::lint::{Lint, Lints};
use crate::reason::Reason;

/// Reports [TTLs that differ](Lint::TtlMismatch) within a set, once a set, and records that
/// [differ in letter case only](Lint::MixedCaseDuplicate), each at the place of the later record.
///
/// RRSIG records are left out: each has the TTL of the set that it covers (RFC 4034 3).
pub fn check_sets(node: &Node<'_>, lints: Lints, mut report: impl FnMut(Locus, Reason)) {
    if node.records.len() < 2 {
        return;
    }
    for set in node.sets() {
        let &[first, _, ..] = set else {
            continue;
        };
        let rtype = first.rtype;
        if rtype == RecordType::RRSIG {
            continue;
        }
        if lints.contains(Lint::TtlMismatch)
            && let Some(other) = set.iter().find(|other| other.ttl != first.ttl)
        {
            let ttls = || set.iter().map(|record| record.ttl);
            let reason = Reason::TtlMismatch {
                owner: node.owner.to_name(),
                rtype,
                least: ttls().min().unwrap_or_default(),
                most: ttls().max().unwrap_or_default(),
            };
            report(other.locus, reason);
        }
        if lints.contains(Lint::MixedCaseDuplicate) && folds(rtype) {
            for_mixed_case(set, |record| {
                let owner = node.owner.to_name();
                report(record.locus, Reason::MixedCase { owner, rtype });
            });
        }
    }
}

/// Calls `found` with each record that is equal to an earlier one in canonical form and is written differently.
fn for_mixed_case(set: &[RecordRef<'_>], mut found: impl FnMut(&RecordRef<'_>)) {
    /// A set of so many is compared pair by pair.
    const FEW: usize = 8;
    if set.len() <= FEW {
        for (at, record) in set.iter().enumerate() {
            let same = |other: &&RecordRef<'_>| {
                other.rdata.eq_ignore_ascii_case(record.rdata) && canonical(other) == canonical(record)
            };
            // The first of equal ones stays.
            if set[..at]
                .iter()
                .find(same)
                .is_some_and(|first| first.rdata != record.rdata)
            {
                found(record);
            }
        }
        return;
    }
    let mut sorted: Vec<(Vec<u8>, usize)> = set.iter().map(canonical).zip(0..).collect();
    sorted.sort_unstable();
    let mut places = Vec::new();
    for same in sorted.chunk_by(|one, other| one.0 == other.0) {
        let first = set[same[0].1].rdata;
        places.extend(same.iter().map(|(_, at)| *at).filter(|at| set[*at].rdata != first));
    }
    places.sort_unstable();
    for at in places {
        found(&set[at]);
    }
}

fn canonical(record: &RecordRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(record.rdata.len());
    write_canonical(record.rtype, record.rdata, &mut bytes);
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::load::{LoadOptions, load};
    use crate::merge::nodes_from;

    /// `line name` of each warning.
    fn warnings(text: &str, lints: Lints) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        std::fs::write(&path, text).unwrap();
        let loaded = load(&path, &LoadOptions::new("example.".parse().unwrap())).unwrap();
        let mut found = Vec::new();
        let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
        while let Some(node) = nodes.next_node() {
            check_sets(&node, lints, |locus, reason| {
                found.push(format!("{} {}", locus.line, reason.lint().unwrap()));
            });
        }
        found
    }

    #[test]
    fn ttls_and_letter_case_within_a_set() {
        let text =
            "@ 1 NS a\n@ 1 NS b\n@ 2 NS A\n@ 2 NS a\n@ 1 TXT x\n@ 1 TXT X\nb 1 MX 1 c\nb 1 MX 1 C\nc 1 A 192.0.2.1\n";
        let expected = ["3 ttl-mismatch", "3 mixed-case-duplicate", "8 mixed-case-duplicate"];
        assert_eq!(warnings(text, Lints::ALL), expected);
        assert_eq!(warnings(text, Lints::ALL.without(Lint::TtlMismatch)), expected[1..]);
        assert_eq!(warnings(text, Lints::NONE.with(Lint::TtlMismatch)), expected[..1]);
        assert!(warnings(text, Lints::NONE).is_empty());
    }

    #[test]
    fn large_sets_are_looked_at_as_small_ones_are() {
        let mut text = String::new();
        for number in 0..40 {
            writeln!(text, "@ 1 NS name-{number}").unwrap();
        }
        text.push_str("@ 1 NS name-7\n@ 1 NS NAME-7\n@ 1 NS Name-3\n");
        let expected = ["42 mixed-case-duplicate", "43 mixed-case-duplicate"];
        assert_eq!(warnings(&text, Lints::ALL), expected);
    }
}
