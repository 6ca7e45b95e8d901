//! Warnings: what is legal in a zone and rarely meant, each with a name by which it can be turned off. What they say is
//! in `reason`, and where they are found is the business of the parser and of `sets`.

use std::fmt;
use std::str::FromStr;

use crate::fault::Fault;

/// The name of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// A relative name that ends like the zone's: its final dot is missing.
    MissingDot,
    /// A record without TTL, and no $TTL before it.
    MissingTtl,
    /// Two records of a set that differ in letter case only.
    MixedCaseDuplicate,
    /// The records of a set have different TTLs.
    TtlMismatch,
}

impl Lint {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 4] = [
        Self::MissingDot,
        Self::MissingTtl,
        Self::MixedCaseDuplicate,
        Self::TtlMismatch,
    ];

    /// Its name, such as `missing-dot`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingDot => "missing-dot",
            Self::MissingTtl => "missing-ttl",
            Self::MixedCaseDuplicate => "mixed-case-duplicate",
            Self::TtlMismatch => "ttl-mismatch",
        }
    }

    /// What it warns of, in half a line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::MissingDot => "a name without final dot that ends like the zone's: www.example.com in example.com",
            Self::MissingTtl => "no TTL and no $TTL: the SOA's minimum, or the TTL of the record before, is taken",
            Self::MixedCaseDuplicate => "two records of a set that differ in letter case only: one is left out",
            Self::TtlMismatch => "different TTLs in a set: the smallest is taken",
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no warning's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no warning has the name {0:?}")]
pub struct UnknownLint(pub Box<str>);

impl FromStr for Lint {
    type Err = UnknownLint;

    fn from_str(text: &str) -> Result<Self, UnknownLint> {
        let named = Self::ALL.into_iter().find(|lint| lint.name() == text);
        named.ok_or_else(|| UnknownLint(text.into()))
    }
}

/// Which warnings are wanted: all, unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lints(u8);

impl Lints {
    /// All warnings.
    pub const ALL: Self = Self(u8::MAX);
    /// No warnings.
    pub const NONE: Self = Self(0);

    /// These and that one.
    #[must_use]
    pub const fn with(self, lint: Lint) -> Self {
        Self(self.0 | 1 << lint as u8)
    }

    /// These without that one.
    #[must_use]
    pub const fn without(self, lint: Lint) -> Self {
        Self(self.0 & !(1 << lint as u8))
    }

    /// Whether that one is among these.
    #[must_use]
    pub const fn contains(self, lint: Lint) -> bool {
        self.0 & 1 << lint as u8 != 0
    }
}

impl Default for Lints {
    fn default() -> Self {
        Self::ALL
    }
}

/// The warnings of one reading: all are counted, and of each name the first few are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings {
    kept: Vec<Fault>,
    counts: [u64; Lint::ALL.len()],
    kept_of: [usize; Lint::ALL.len()],
}

impl Warnings {
    /// Counts one, and keeps what `fault` makes unless there are `most` of that name.
    pub fn add(&mut self, lint: Lint, most: usize, fault: impl FnOnce() -> Fault) {
        let place = lint.place();
        self.counts[place] += 1;
        if self.kept_of[place] < most {
            self.kept_of[place] += 1;
            self.kept.push(fault());
        }
    }

    /// Takes in those that come behind these.
    pub fn append(&mut self, other: Self, most: usize) {
        for place in 0..self.counts.len() {
            self.counts[place] += other.counts[place];
        }
        for fault in other.kept {
            let Some(place) = fault.lint.map(Lint::place) else {
                continue;
            };
            if self.kept_of[place] < most {
                self.kept_of[place] += 1;
                self.kept.push(fault);
            }
        }
    }

    /// Those kept, in the order in which they were found.
    #[must_use]
    pub fn kept(&self) -> &[Fault] {
        &self.kept
    }

    /// How many there were of one name.
    #[must_use]
    pub fn count(&self, lint: Lint) -> u64 {
        self.counts[lint.place()]
    }

    /// How many of one name were counted and not kept.
    #[must_use]
    pub fn left_out(&self, lint: Lint) -> u64 {
        let kept = u64::try_from(self.kept_of[lint.place()]).unwrap_or(u64::MAX);
        self.count(lint).saturating_sub(kept)
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_stand_for_one_warning_each() {
        for lint in Lint::ALL {
            assert_eq!(lint.name().parse(), Ok(lint));
            assert!(Lints::ALL.contains(lint) && !Lints::NONE.contains(lint));
            let others = Lints::ALL.without(lint);
            for other in Lint::ALL {
                assert_eq!(others.contains(other), other != lint);
                assert_eq!(Lints::NONE.with(lint).contains(other), other == lint);
            }
        }
        assert!("nosuch".parse::<Lint>().is_err());
    }
}
