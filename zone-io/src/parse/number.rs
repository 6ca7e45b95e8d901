//! Decimal numbers, TTLs with units (RFC 1035 5.1 as BIND widened it) and DNSSEC times (RFC 4034 3.2) from text.

use super::mnemonic::{Words, number_of};
use crate::reason::Reason;

/// The largest TTL (RFC 2181 8).
pub(crate) const MAX_TTL: u32 = 0x7fff_ffff;

/// A decimal number that fits four bytes; nothing but digits.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 10 {
        return leading_zeros(text);
    }
    let mut value = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    u32::try_from(value).ok()
}

/// Numbers of more than ten digits, whose first ones must be 0.
#[cold]
fn leading_zeros(text: &[u8]) -> Option<u32> {
    let zeros = text.iter().take_while(|byte| **byte == b'0').count();
    let rest = &text[zeros..];
    match (zeros, rest.len()) {
        (0, _) | (_, 11..) => None,
        (_, 0) => Some(0),
        _ => decimal(rest),
    }
}

/// A number of eight bytes, plain or as its two halves with a dot between.
pub(super) fn node_number(text: &[u8]) -> Option<u64> {
    match text.iter().position(|byte| *byte == b'.') {
        None => fixed_point(text, 0),
        Some(dot) => Some(u64::from(decimal(&text[..dot])?) << 32 | u64::from(decimal(&text[dot + 1..])?)),
    }
}

/// A decimal number with at most so many digits behind a dot, which need not be there, in units of the last one.
pub(super) fn fixed_point(text: &[u8], decimals: usize) -> Option<u64> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) if decimals > 0 => (&text[..dot], &text[dot + 1..]),
        _ => (text, &[][..]),
    };
    if whole.is_empty() || fraction.len() > decimals {
        return None;
    }
    let zeros = std::iter::repeat_n(&b'0', decimals - fraction.len());
    whole.iter().chain(fraction).chain(zeros).try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let digit = (digit <= 9).then_some(u64::from(digit))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// A number from 0 to 255, or a word that stands for one.
#[inline]
pub(super) fn u8_or_word(text: &[u8], words: &Words<u8>) -> Option<u8> {
    match decimal(text) {
        Some(number) => u8::try_from(number).ok(),
        None => number_of(words, text),
    }
}

/// A number of seconds, plain or as numbers with the units w, d, h, m, s.
#[inline]
pub(crate) fn period(text: &[u8]) -> Option<u32> {
    decimal(text).or_else(|| units(text))
}

fn units(text: &[u8]) -> Option<u32> {
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = u64::from(decimal(&rest[..digits])?);
        let unit = match rest.get(digits)?.to_ascii_lowercase() {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total += value * unit;
        if total > u64::from(u32::MAX) {
            return None;
        }
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then(|| u32::try_from(total).ok()).flatten()
}

/// A TTL of at most [`MAX_TTL`].
#[inline]
pub(crate) fn ttl(text: &[u8]) -> Result<u32, Reason> {
    match period(text) {
        Some(ttl) if ttl <= MAX_TTL => Ok(ttl),
        Some(_) => Err(Reason::TtlTooLarge),
        None if text.iter().all(u8::is_ascii_digit) => Err(Reason::TtlTooLarge),
        None => Err(Reason::BadTtl),
    }
}

/// YYYYMMDDHHMMSS in UTC, or seconds since 1970; modulo 2³² (RFC 4034 3.1.5).
#[inline]
pub(crate) fn time(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        return decimal(text);
    }
    let part = |from: usize, to: usize| decimal(&text[from..to]);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // 60 is a leap second.
    if year < 1970 || !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1 March of year 0: the leap day is then a year's last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = u64::from(y) * 365 + u64::from(y / 4 - y / 100 + y / 400) + u64::from((m * 153 + 2) / 5 + day - 1);
    let seconds = (days - 719_468) * 86_400 + u64::from(hour * 3_600 + minute * 60 + second);
    u32::try_from(seconds & u64::from(u32::MAX)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"4294967295"), Some(u32::MAX));
        assert_eq!(decimal(b"00000000000042"), Some(42));
        assert_eq!(decimal(b"000000000000"), Some(0));
        for bad in ["", "4294967296", "-1", "+1", "1a", "99999999999", "0x10"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_with_digits_behind_a_dot() {
        assert_eq!(fixed_point(b"12.5", 3), Some(12_500));
        assert_eq!(fixed_point(b"12", 2), Some(1_200));
        assert_eq!(fixed_point(b"12.", 2), Some(1_200));
        for bad in ["", ".", ".5", "1.234", "-1", "1.-", "1.2.3", "184467440737095517"] {
            assert_eq!(fixed_point(bad.as_bytes(), 2), None, "{bad}");
        }
    }

    #[test]
    fn node_numbers_are_whole_or_halves() {
        for whole in ["18446744073709551615", "4294967295.4294967295"] {
            assert_eq!(node_number(whole.as_bytes()), Some(u64::MAX), "{whole}");
        }
        assert_eq!(node_number(b"1.2"), Some((1 << 32) + 2));
        for bad in ["18446744073709551616", "1.", ".1", "1.4294967296", "1.2.3", ""] {
            assert_eq!(node_number(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn periods_have_units() {
        assert_eq!(
            period(b"1w2d3h4m5s"),
            Some(604_800 + 2 * 86_400 + 3 * 3_600 + 4 * 60 + 5)
        );
        assert_eq!(period(b"1H30M"), Some(5_400));
        for bad in ["", "h", "1h30", "1x", "1h-2m", "9999999w"] {
            assert_eq!(period(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(ttl(b"2147483647"), Ok(MAX_TTL));
        assert_eq!(ttl(b"2147483648"), Err(Reason::TtlTooLarge));
        assert_eq!(ttl(b"99999999999"), Err(Reason::TtlTooLarge));
        assert_eq!(ttl(b"1y"), Err(Reason::BadTtl));
    }

    #[test]
    fn times_are_dates_or_seconds() {
        assert_eq!(time(b"19700101000000"), Some(0));
        assert_eq!(time(b"20040509183619"), Some(1_084_127_779));
        assert_eq!(time(b"20240229120000"), Some(1_709_208_000));
        assert_eq!(time(b"1084127779"), Some(1_084_127_779));
        // 2³² seconds after 1970 the number starts again.
        assert_eq!(time(b"21060207062816"), Some(0));
        for bad in [
            "20230229120000",
            "20231301000000",
            "20230100000000",
            "2023010100000",
            "19691231235959",
            "20230101250000",
        ] {
            assert_eq!(time(bad.as_bytes()), None, "{bad}");
        }
    }
}
