//! Normalised zone text (one record a line, all fields) as RRsets that can be compared. Knows no types: names and data stay text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The records of one owner and type; RRSIGs count by what they cover.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RrSet {
    /// TTLs that occur.
    pub ttls: BTreeSet<u32>,
    /// The records' data, as the normaliser wrote it.
    pub records: BTreeSet<String>,
}

/// A zone: owner in lower case and type (`A`, `RRSIG A`) to RRset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneText {
    /// The RRsets.
    pub sets: BTreeMap<(String, String), RrSet>,
}

/// One RRset that two zones do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The owner, in lower case.
    pub owner: String,
    /// The type; `RRSIG T` for the signatures over T.
    pub rtype: String,
    /// What the first zone has.
    pub left: Option<RrSet>,
    /// What the second zone has.
    pub right: Option<RrSet>,
}

impl ZoneText {
    /// Reads lines `owner TTL class type data`, which may have tabs between fields, and lines that are comments.
    ///
    /// # Panics
    /// When a line is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut zone = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')) {
            zone.add(line);
        }
        zone
    }

    fn add(&mut self, line: &str) {
        let (owner, rest) = field(line);
        let (ttl, rest) = field(rest);
        let (_class, rest) = field(rest);
        let ttl = ttl.parse().unwrap_or_else(|_| panic!("no TTL in {line:?}"));
        let (rtype, data) = field(rest);
        let rtype = if rtype == "RRSIG" {
            format!("RRSIG {}", data.split_whitespace().next().unwrap_or_default())
        } else {
            rtype.to_owned()
        };
        let set = self.sets.entry((owner.to_lowercase(), rtype)).or_default();
        set.ttls.insert(ttl);
        set.records.insert(data.to_owned());
    }

    /// The number of RRSIG records.
    #[must_use]
    pub fn signatures(&self) -> usize {
        self.count(|rtype| rtype.starts_with("RRSIG "))
    }

    /// The number of records whose type is so.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&str) -> bool) -> usize {
        let sets = self.sets.iter().filter(|((_, rtype), _)| wanted(rtype));
        sets.map(|(_, set)| set.records.len()).sum()
    }

    /// An RRset by owner (in lower case, absolute) and type.
    #[must_use]
    pub fn set(&self, owner: &str, rtype: &str) -> Option<&RrSet> {
        self.sets.get(&(owner.to_owned(), rtype.to_owned()))
    }

    /// Without the RRsets whose type is so.
    #[must_use]
    pub fn without(&self, unwanted: impl Fn(&str) -> bool) -> Self {
        let sets = self.sets.iter().filter(|((_, rtype), _)| !unwanted(rtype));
        Self {
            sets: sets.map(|(key, set)| (key.clone(), set.clone())).collect(),
        }
    }

    /// With all data in lower case: for names whose letter case the tools choose differently.
    #[must_use]
    pub fn folded(&self) -> Self {
        let fold = |set: &RrSet| RrSet {
            ttls: set.ttls.clone(),
            records: set.records.iter().map(|record| record.to_lowercase()).collect(),
        };
        Self {
            sets: self.sets.iter().map(|(key, set)| (key.clone(), fold(set))).collect(),
        }
    }

    /// Every RRset that is not the same in both.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let keys: BTreeSet<_> = self.sets.keys().chain(other.sets.keys()).collect();
        keys.into_iter()
            .filter(|key| self.sets.get(key) != other.sets.get(key))
            .map(|key| Difference {
                owner: key.0.clone(),
                rtype: key.1.clone(),
                left: self.sets.get(key).cloned(),
                right: other.sets.get(key).cloned(),
            })
            .collect()
    }

    /// Both zones are the same.
    ///
    /// # Panics
    /// When they are not, with the first differences.
    #[track_caller]
    pub fn assert_same(&self, other: &Self, what: &str) {
        let differences = self.differences(other);
        let shown: Vec<String> = differences.iter().take(10).map(ToString::to_string).collect();
        assert!(
            differences.is_empty(),
            "{what}: {} RRsets differ\n{}",
            differences.len(),
            shown.join("\n")
        );
    }
}

/// The first field of a line, and what follows it.
fn field(line: &str) -> (&str, &str) {
    let (field, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (field, rest.trim_start())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.owner, self.rtype)?;
        for (side, set) in [("left ", &self.left), ("right", &self.right)] {
            match set {
                None => writeln!(f, "  {side}: nothing")?,
                Some(set) => {
                    for record in &set.records {
                        writeln!(f, "  {side}: {:?} {record}", set.ttls)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_its_rrsets() {
        let zone = ZoneText::parse("; c\nA.test.\t60 IN\tA\t192.0.2.1\na.test. 60 IN RRSIG A 13 2 60 x\n");
        assert_eq!(zone.signatures(), 1);
        assert_eq!(zone.set("a.test.", "A").unwrap().ttls, BTreeSet::from([60]));
        assert!(zone.set("a.test.", "RRSIG A").is_some());
    }

    #[test]
    fn a_difference_of_one_ttl_is_seen() {
        let one = ZoneText::parse("a.test. 60 IN A 192.0.2.1\n");
        let other = ZoneText::parse("a.test. 61 IN A 192.0.2.1\n");
        assert_eq!(one.differences(&other).len(), 1);
        assert!(one.differences(&one).is_empty());
    }
}
