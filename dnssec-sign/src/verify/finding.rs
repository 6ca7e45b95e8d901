//! Findings: one breach of one rule each, and the bounded collection that a partition gathers. A collection keeps
//! the first findings of each rule and counts all, so a zone with a million faults costs no memory.

use super::rule::{Rule, Severity};
use crate::name::Name;
use crate::record::Locus;
use crate::rtype::RecordType;
use std::fmt;

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The owner name.
    pub owner: Name,
    /// The type of the set at fault, where there is one.
    pub rtype: Option<RecordType>,
    /// The tag of the key concerned, where there is one.
    pub key_tag: Option<u16>,
    /// Where the record was read; line 0 when no single record is at fault.
    pub locus: Locus,
    /// What was found and what belongs there instead.
    pub detail: String,
}

impl Finding {
    /// Of a rule about a name.
    #[must_use]
    pub fn new(rule: Rule, owner: Name, locus: Locus, detail: impl Into<String>) -> Self {
        Self {
            rule,
            owner,
            rtype: None,
            key_tag: None,
            locus,
            detail: detail.into(),
        }
    }

    /// With the type of the set at fault.
    #[must_use]
    pub fn with_type(mut self, rtype: RecordType) -> Self {
        self.rtype = Some(rtype);
        self
    }

    /// With the tag of the key concerned.
    #[must_use]
    pub fn with_key_tag(mut self, key_tag: u16) -> Self {
        self.key_tag = Some(key_tag);
        self
    }

    /// What it means for the zone: that of its rule.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.owner)?;
        if let Some(rtype) = self.rtype {
            write!(f, " {rtype}")?;
        }
        if let Some(key_tag) = self.key_tag {
            write!(f, ", key {key_tag}")?;
        }
        write!(f, ": {} [{}, {}]", self.detail, self.rule, self.rule.reference())
    }
}

/// Findings, bounded per rule, all counted.
#[derive(Debug, Clone)]
pub(super) struct Findings {
    list: Vec<Finding>,
    counts: Vec<u64>,
    limit: u64,
}

impl Findings {
    /// Keeps at most `limit` findings of each rule.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            list: Vec::new(),
            counts: vec![0; Rule::ALL.len()],
            limit: u64::from(limit),
        }
    }

    /// Counts a breach of `rule`, and keeps what `make` says of it while there is room.
    pub(super) fn add(&mut self, rule: Rule, make: impl FnOnce() -> Finding) {
        let count = &mut self.counts[rule as usize];
        *count += 1;
        if *count <= self.limit {
            self.list.push(make());
        }
    }

    /// Takes over those of another collection, behind the own ones.
    pub(super) fn append(&mut self, other: Self) {
        for finding in other.list {
            let kept = &mut self.counts[finding.rule as usize];
            if *kept < self.limit {
                self.list.push(finding);
            }
            *kept += 1;
        }
        // What the other one counted and did not keep.
        for (at, count) in other.counts.into_iter().enumerate() {
            self.counts[at] += count.saturating_sub(self.limit.min(count));
        }
    }

    /// How often a rule was broken.
    pub(super) fn count(&self, rule: Rule) -> u64 {
        self.counts[rule as usize]
    }

    /// How often each rule was broken that was.
    pub(super) fn totals(&self) -> Vec<(Rule, u64)> {
        Rule::ALL
            .iter()
            .map(|&rule| (rule, self.count(rule)))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    /// The findings kept, in the order they were made.
    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_bounded_and_count_all() {
        let one = |owner: &Name| Finding::new(Rule::NsecNext, owner.clone(), Locus::default(), "x");
        let (mut first, mut second) = (Findings::new(3), Findings::new(3));
        let root = Name::root();
        for _ in 0..2 {
            first.add(Rule::NsecNext, || one(&root));
        }
        for _ in 0..9 {
            second.add(Rule::NsecNext, || one(&root));
        }
        first.append(second);
        assert_eq!(first.count(Rule::NsecNext), 11);
        assert_eq!(first.into_list().len(), 3);
    }

    #[test]
    fn text_names_owner_type_key_and_rule() {
        let finding = Finding::new(
            Rule::SignatureExpired,
            Name::root(),
            Locus::default(),
            "expired yesterday",
        )
        .with_type(RecordType::SOA)
        .with_key_tag(7);
        assert_eq!(
            finding.to_string(),
            ". SOA, key 7: expired yesterday [signature-expired, RFC 4035 5.3.1]"
        );
    }
}
