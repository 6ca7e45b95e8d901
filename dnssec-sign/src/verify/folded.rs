//! Owner names in lower case with their labels marked: the verifier's own canonical comparison (RFC 4034 6.1),
//! label by label from the right, beside the signer's sort keys. One value is used again and again.

use crate::name::{MAX_WIRE_LENGTH, Name, NameRef};
use std::cmp::Ordering;

/// A name in lower case and where its labels start.
#[derive(Debug, Clone)]
pub(super) struct FoldedName {
    wire: [u8; MAX_WIRE_LENGTH],
    length: usize,
    /// Offsets of the labels' length bytes from left to right, the root label not among them.
    starts: [u8; 127],
    labels: usize,
}

impl FoldedName {
    /// The root.
    pub(super) fn root() -> Self {
        Self {
            wire: [0; MAX_WIRE_LENGTH],
            length: 1,
            starts: [0; 127],
            labels: 0,
        }
    }

    /// That name in lower case.
    pub(super) fn of(name: NameRef<'_>) -> Self {
        let mut folded = Self::root();
        folded.set(name);
        folded
    }

    /// Becomes that name.
    pub(super) fn set(&mut self, name: NameRef<'_>) {
        let wire = name.wire();
        self.length = wire.len();
        self.wire[..wire.len()].copy_from_slice(wire);
        // Length bytes are at most 63, below every letter.
        self.wire[..wire.len()].make_ascii_lowercase();
        self.labels = 0;
        let mut at = 0u8;
        while let Some(&length @ 1..) = wire.get(usize::from(at)) {
            self.starts[self.labels] = at;
            self.labels += 1;
            at = at.saturating_add(length).saturating_add(1);
        }
    }

    /// Becomes a copy of another.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.length = other.length;
        self.wire[..other.length].copy_from_slice(other.wire());
        self.labels = other.labels;
        self.starts[..other.labels].copy_from_slice(&other.starts[..other.labels]);
    }

    /// The wire form in lower case.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire[..self.length]
    }

    /// The number of labels without the root.
    pub(super) fn labels(&self) -> usize {
        self.labels
    }

    /// The number of labels in the sense of RFC 4034 3.1.3: a leading `*` does not count.
    pub(super) fn rrsig_labels(&self) -> usize {
        self.labels - usize::from(self.wire().starts_with(&[1, b'*']))
    }

    /// Label `index` from the right, from 0: its bytes without the length.
    fn label_from_right(&self, index: usize) -> &[u8] {
        let start = usize::from(self.starts[self.labels - 1 - index]);
        let length = usize::from(self.wire[start]);
        &self.wire[start + 1..start + 1 + length]
    }

    /// The wire form of the ancestor with so many labels, which is at most the own number.
    pub(super) fn ancestor(&self, labels: usize) -> &[u8] {
        if labels == 0 {
            return &self.wire[self.length - 1..self.length];
        }
        &self.wire[usize::from(self.starts[self.labels - labels])..self.length]
    }

    /// Whether this name is `other` or below it.
    pub(super) fn is_at_or_below(&self, other: &Self) -> bool {
        self.labels >= other.labels && self.ancestor(other.labels) == other.wire()
    }

    /// Canonical order, and how many labels from the right both share.
    pub(super) fn compare(&self, other: &Self) -> (Ordering, usize) {
        let both = self.labels.min(other.labels);
        for shared in 0..both {
            // Slices compare as RFC 4034 6.1 compares labels: by unsigned bytes, an absent byte first.
            match self.label_from_right(shared).cmp(other.label_from_right(shared)) {
                Ordering::Equal => {}
                unequal => return (unequal, shared),
            }
        }
        (self.labels.cmp(&other.labels), both)
    }

    /// An owned name.
    pub(super) fn to_name(&self) -> Name {
        NameRef::from_known(self.wire()).to_name()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> FoldedName {
        FoldedName::of(text.parse::<Name>().unwrap().borrow())
    }

    #[test]
    fn the_example_of_rfc_4034_6_1() {
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (behind, other) in sorted.iter().enumerate() {
                assert_eq!(folded(one).compare(&folded(other)).0, at.cmp(&behind));
            }
        }
    }

    #[test]
    fn ancestors_and_labels() {
        let name = folded("*.b.C.example.");
        assert_eq!(name.rrsig_labels(), 3);
        assert_eq!(name.ancestor(1), folded("example.").wire());
        assert_eq!(name.ancestor(4), name.wire());
        assert_eq!(name.ancestor(0), [0]);
        assert_eq!(name.compare(&folded("x.c.example.")).1, 2);
        assert!(name.is_at_or_below(&folded("c.EXAMPLE.")));
        assert!(!name.is_at_or_below(&folded("bc.example.")));
        assert!(name.is_at_or_below(&FoldedName::root()));
        assert_eq!(FoldedName::root().rrsig_labels(), 0);
    }

    fn wire_name() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(0u8), Just(1), Just(b'a'), Just(b'A'), Just(b'*'), any::<u8>()];
        proptest::collection::vec(proptest::collection::vec(byte, 1..5), 0..5).prop_map(|labels| {
            let mut wire = Vec::new();
            for label in labels {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend(label);
            }
            wire.push(0);
            wire
        })
    }

    proptest! {
        /// The signer's keys order names as this comparison does.
        #[test]
        fn agrees_with_the_keys(one in wire_name(), other in wire_name()) {
            let (one, other) = (NameRef::from_wire(&one).unwrap(), NameRef::from_wire(&other).unwrap());
            let by_key = one.to_name().key().cmp(&other.to_name().key());
            prop_assert_eq!(FoldedName::of(one).compare(&FoldedName::of(other)).0, by_key);
        }
    }
}
