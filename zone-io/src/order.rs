//! Things put in the order of their canonical keys: a part of each key as a number, with the number of the thing, so that
//! nearly all comparisons are of two numbers that lie side by side. Neither things nor keys are moved or kept.

use crate::run::key_prefix;

/// Fewer things than this are compared by their whole keys.
const FEW: usize = 16;

/// The place of a thing in the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// Eight bytes of the key, from where the sort stands in it.
    prefix: u64,
    number: usize,
}

impl Slot {
    /// For thing `number`, whose key goes on with these eight bytes where the sort begins.
    pub(crate) fn new(prefix: u64, number: usize) -> Self {
        Self { prefix, number }
    }

    /// The thing's number.
    pub(crate) fn number(self) -> usize {
        self.number
    }

    /// One number, so that a comparison takes no branch.
    fn rank(self) -> u128 {
        u128::from(self.prefix) << 64 | self.number as u128
    }
}

/// Sorts by key, then by number. All keys are equal in their first `depth` bytes, and the slots' prefixes are of the bytes there.
pub(crate) fn sort<'k>(slots: &mut [Slot], depth: usize, key: &impl Fn(usize) -> &'k [u8]) {
    if slots.len() <= FEW {
        slots.sort_unstable_by(|one, other| {
            (one.prefix.cmp(&other.prefix))
                .then_with(|| key(one.number).cmp(key(other.number)))
                .then(one.number.cmp(&other.number))
        });
        return;
    }
    slots.sort_unstable_by_key(|slot| slot.rank());
    for same in slots.chunk_by_mut(|one, other| one.prefix == other.prefix) {
        // No label starts with a 0 byte: keys with such a prefix end here, so they are equal, and in the order of their numbers.
        if same.len() > 1 && same[0].prefix != 0 {
            // A key of fewer than eight bytes from here shares its prefix only with equal keys.
            let depth = depth + 8;
            for slot in &mut *same {
                slot.prefix = key_prefix(key(slot.number).get(depth..).unwrap_or_default());
            }
            sort(same, depth, key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_keys_and_numbers(
            start in prop::collection::vec(1u8.., 0..20),
            rests in prop::collection::vec(prop::collection::vec(1u8..4, 0..20), 0..60),
        ) {
            let keys: Vec<Vec<u8>> = rests.iter().map(|rest| [&start[..], rest].concat()).collect();
            let slot = |(number, key): (usize, &Vec<u8>)| Slot::new(key_prefix(&key[start.len()..]), number);
            let mut slots: Vec<Slot> = keys.iter().enumerate().map(slot).collect();
            sort(&mut slots, start.len(), &|number| &keys[number]);
            let mut numbers: Vec<usize> = (0..keys.len()).collect();
            numbers.sort_by_key(|&number| &keys[number]);
            prop_assert_eq!(slots.iter().map(|slot| slot.number()).collect::<Vec<_>>(), numbers);
        }
    }
}
