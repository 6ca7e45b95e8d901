//! Owner names as 64-bit fingerprints, and those of their ancestors with them: the hash of a name goes on from that of the
//! name above it. The key is new in every run, so that nobody can prepare names with one print; among a hundred million
//! names two have the same with a probability of 1 in 3700.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use dnssec_sign::{MAX_LABEL_LENGTH, NameRef};

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes the prints of one run.
pub(super) struct Fingerprints {
    apex: u64,
    multiplier: u64,
    origin_length: usize,
}

impl Fingerprints {
    /// For names at or below `origin`.
    pub(super) fn new(origin: NameRef<'_>) -> Self {
        let random = RandomState::new();
        Self {
            apex: random.hash_one(0u8),
            multiplier: random.hash_one(1u8) | 1,
            origin_length: origin.wire().len(),
        }
    }

    /// The print of the apex.
    pub(super) fn apex(&self) -> u64 {
        self.apex
    }

    /// Puts the prints of all names from the apex down to `owner` into `chain`, in place of those of another name; returns
    /// from which depth on they differ.
    pub(super) fn replace_chain(&self, owner: NameRef<'_>, chain: &mut Vec<u64>) -> usize {
        let wire = owner.wire();
        let mut starts = [0u8; 128];
        let mut depth = 0;
        let mut at = 0;
        while at + self.origin_length < wire.len() {
            starts[depth] = u8::try_from(at).unwrap_or(u8::MAX);
            depth += 1;
            at += 1 + usize::from(wire[at]);
        }
        let mut print = self.apex;
        let mut differ = chain.len().min(depth + 1);
        chain.truncate(depth + 1);
        if chain.is_empty() {
            chain.push(print);
        }
        for (below, &start) in starts[..depth].iter().rev().enumerate() {
            let start = usize::from(start);
            let label = &wire[start + 1..start + 1 + usize::from(wire[start])];
            print = self.extend(print, label);
            match chain.get_mut(below + 1) {
                Some(known) if *known == print => {}
                Some(known) => {
                    differ = differ.min(below + 1);
                    *known = print;
                }
                None => {
                    differ = differ.min(below + 1);
                    chain.push(print);
                }
            }
        }
        differ
    }

    /// The print of a label in front of the name with the print `above`; letter case does not matter.
    #[inline]
    fn extend(&self, above: u64, label: &[u8]) -> u64 {
        let mut folded = [0u8; MAX_LABEL_LENGTH + 1];
        let words = label.len() / 8 + 1;
        folded[..label.len()].copy_from_slice(label);
        folded[..8 * words].make_ascii_lowercase();
        let length = u64::try_from(label.len()).unwrap_or(u64::MAX);
        let mut print = self.mix(above ^ length);
        for word in folded.as_chunks::<8>().0.iter().take(words) {
            print = self.mix(print ^ u64::from_le_bytes(*word));
        }
        print
    }

    /// Both halves of a product of 128 bits, one over the other: every bit of the number has its say in the result.
    #[inline]
    fn mix(&self, number: u64) -> u64 {
        let wide = u128::from(number.wrapping_add(MULTIPLIER)) * u128::from(self.multiplier);
        let high = u64::try_from(wide >> 64).unwrap_or(u64::MAX);
        let low = number.wrapping_add(MULTIPLIER).wrapping_mul(self.multiplier);
        (high ^ low).rotate_left(23)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::collections::HashMap;

    use dnssec_sign::Name;

    use super::*;

    #[test]
    fn a_name_has_one_print_and_its_ancestors_prints_before_it() {
        let prints = Fingerprints::new("example.".parse::<Name>().unwrap().borrow());
        let chain = |text: &str| {
            let mut chain = Vec::new();
            prints.replace_chain(text.parse::<Name>().unwrap().borrow(), &mut chain);
            chain
        };
        assert_eq!(chain("example."), [prints.apex()]);
        let long = chain("a.b.c.example.");
        assert_eq!(long.len(), 4);
        assert_eq!(chain("B.C.Example."), long[..3]);
        let mut reused = chain("x.y.c.example.");
        let name: Name = "a.b.c.example.".parse().unwrap();
        assert_eq!(prints.replace_chain(name.borrow(), &mut reused), 2);
        assert_eq!(reused, long);
        let name: Name = "c.example.".parse().unwrap();
        assert_eq!(prints.replace_chain(name.borrow(), &mut reused), 2);
        assert_eq!(reused, long[..2]);
    }

    #[test]
    fn different_names_have_different_prints() {
        let prints = Fingerprints::new(NameRef::ROOT);
        let mut seen = HashMap::new();
        for number in 0..200_000u32 {
            for text in [
                format!("{number}."),
                format!("a{number}.b."),
                format!("{}.{}.", number % 500, number / 500),
            ] {
                let name: Name = text.parse().unwrap();
                let mut chain = Vec::new();
                prints.replace_chain(name.borrow(), &mut chain);
                let print = chain.last().copied().unwrap();
                assert_eq!(seen.insert(print, text.clone()).unwrap_or(text.clone()), text);
            }
        }
    }
}
