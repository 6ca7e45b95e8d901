//! Lists that grow with the zone, as sorted bytes that a caller may put where it has room, and several of them taken together
//! range by range of what they are sorted by. What an entry means is with whoever packed it; nothing is written anywhere here.

use std::fmt;

/// Bytes in memory, or wherever the caller put them.
pub struct Kept(Box<dyn AsRef<[u8]> + Send + Sync>);

impl Kept {
    /// The same bytes in another place.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Box::new(bytes))
    }
}

impl From<Vec<u8>> for Kept {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into_boxed_slice())
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.as_ref().len())
    }
}

/// So many entries are in memory at once, about.
const TOGETHER: usize = 1 << 15;
/// The most ranges: two bytes of an entry tell which it is in.
const MOST_RANGES: usize = 1 << 16;

/// Lists of entries of `N` bytes, each sorted by its first two bytes at least, of which the ranges are taken in order.
pub(crate) struct Ranges<'k, const N: usize> {
    lists: Vec<&'k [[u8; N]]>,
}

impl<'k, const N: usize> Ranges<'k, N> {
    pub(crate) fn new(lists: impl Iterator<Item = &'k Kept>) -> Self {
        Self {
            lists: lists.map(entries).collect(),
        }
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.lists.iter().map(|list| list.len()).sum()
    }

    /// Leaves out what is below the number `end` of the first two bytes.
    #[cfg(feature = "verify")]
    pub(crate) fn skip_below(&mut self, end: usize) {
        for list in &mut self.lists {
            *list = &list[below(list, end)..];
        }
    }

    /// Lends what is left of all lists below the number `end` of the first two bytes, with the number of its list.
    pub(crate) fn take_below(&mut self, end: usize, mut take: impl FnMut(usize, &'k [u8; N])) {
        for (number, list) in self.lists.iter_mut().enumerate() {
            let length = list.iter().take_while(|entry| number_of(entry) < end).count();
            let (taken, rest) = list.split_at(length);
            taken.iter().for_each(|entry| take(number, entry));
            *list = rest;
        }
    }
}

/// A list as its entries.
pub(crate) fn entries<const N: usize>(list: &Kept) -> &[[u8; N]] {
    list.as_ref().as_chunks().0
}

/// How many entries of a sorted list are below the number `end` of the first two bytes.
#[cfg(feature = "verify")]
pub(crate) fn below<const N: usize>(list: &[[u8; N]], end: usize) -> usize {
    list.partition_point(|entry| number_of(entry) < end)
}

fn number_of<const N: usize>(entry: &[u8; N]) -> usize {
    usize::from(entry[0]) << 8 | usize::from(entry[1])
}

/// The ends of the ranges in which so many entries are taken, as [`Ranges::take_below`] wants them.
pub(crate) fn ends(entries: usize) -> impl Iterator<Item = usize> {
    let ranges = (entries / TOGETHER + 1).next_power_of_two().min(MOST_RANGES);
    (1..=ranges).map(move |range| range * (MOST_RANGES / ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_all_lists_in_order() {
        let list = |entries: &[[u8; 3]]| Kept::from(entries.concat());
        let lists = [
            list(&[[0, 0, 1], [1, 0, 2], [255, 255, 3]]),
            list(&[]),
            list(&[[1, 0, 1], [7, 0, 0]]),
        ];
        assert_eq!(format!("{:?}", lists[0]), "Kept(9 bytes)");
        for entries in [0, TOGETHER, 5 * TOGETHER, usize::MAX] {
            let mut ranges = Ranges::<3>::new(lists.iter());
            assert_eq!(ranges.len(), 5);
            let (mut taken, mut last) = (Vec::new(), 0);
            for end in ends(entries) {
                assert!(end > last);
                last = end;
                let mut range = Vec::new();
                ranges.take_below(end, |number, entry| range.push((*entry, number)));
                range.sort_unstable();
                taken.extend(range);
            }
            let all = [
                ([0, 0, 1], 0),
                ([1, 0, 1], 2),
                ([1, 0, 2], 0),
                ([7, 0, 0], 2),
                ([255, 255, 3], 0),
            ];
            assert_eq!((taken, last), (all.to_vec(), MOST_RANGES));
        }
    }
}
