//! Blocks of sixteen bytes into bit masks, bit 0 for the first byte: where a word may end, where dots are. With SSE2,
//! which every x86-64 has, where that is the machine; the portable twin beside it says what is meant.

/// The bytes of a block.
pub(crate) const BLOCK: usize = 16;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::{dots, word_ends};
/// Control characters and blanks, quotes, parentheses, semicolons and backslashes.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn word_ends(block: &[u8; BLOCK]) -> u32 {
    // SAFETY: the function needs SSE2 and nothing else, and every x86-64 processor has it.
    unsafe { sse2::word_ends(block) }
}

/// Dots.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn dots(block: &[u8; BLOCK]) -> u32 {
    // SAFETY: the function needs SSE2 and nothing else, and every x86-64 processor has it.
    unsafe { sse2::dots(block) }
}

/// What the masks are.
#[cfg(any(test, feature = "fuzzing", not(target_arch = "x86_64")))]
pub(crate) mod portable {
    use super::BLOCK;

    fn mask(block: &[u8; BLOCK], wanted: impl Fn(u8) -> bool) -> u32 {
        (0..)
            .zip(block)
            .fold(0, |mask, (bit, byte)| mask | u32::from(wanted(*byte)) << bit)
    }

    /// Control characters and blanks, quotes, parentheses, semicolons and backslashes.
    pub(crate) fn word_ends(block: &[u8; BLOCK]) -> u32 {
        mask(block, |byte| byte <= b' ' || b"\"();\\".contains(&byte))
    }

    /// Dots.
    pub(crate) fn dots(block: &[u8; BLOCK]) -> u32 {
        mask(block, |byte| byte == b'.')
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };

    use super::BLOCK;

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(block: &[u8; BLOCK]) -> __m128i {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *block;
        let low = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = i64::from_le_bytes([i, j, k, l, m, n, o, p]);
        _mm_set_epi64x(high, low)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn all(byte: u8) -> __m128i {
        _mm_set1_epi8(i8::from_ne_bytes([byte]))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn mask(found: __m128i) -> u32 {
        _mm_movemask_epi8(found).cast_unsigned()
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn word_ends(block: &[u8; BLOCK]) -> u32 {
        let bytes = load(block);
        let low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, all(b' ')), bytes);
        let quotes = _mm_cmpeq_epi8(bytes, all(b'"'));
        // ( and ) differ in the lowest bit.
        let parentheses = _mm_cmpeq_epi8(_mm_and_si128(bytes, all(0xfe)), all(b'('));
        let semicolons = _mm_cmpeq_epi8(bytes, all(b';'));
        let backslashes = _mm_cmpeq_epi8(bytes, all(b'\\'));
        let one = _mm_or_si128(_mm_or_si128(low, quotes), parentheses);
        mask(_mm_or_si128(one, _mm_or_si128(semicolons, backslashes)))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn dots(block: &[u8; BLOCK]) -> u32 {
        mask(_mm_cmpeq_epi8(load(block), all(b'.')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_twins_find_the_same() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                for fill in [b'a', b'.', b' ', 0xff] {
                    let mut block = [fill; BLOCK];
                    block[at] = byte;
                    assert_eq!(word_ends(&block), portable::word_ends(&block), "{block:?}");
                    assert_eq!(dots(&block), portable::dots(&block), "{block:?}");
                }
            }
        }
    }
}
