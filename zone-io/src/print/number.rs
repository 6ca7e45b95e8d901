//! Numbers, times, addresses and encodings as text, straight into the output. Names and strings are elsewhere.

/// Appends decimal digits.
#[inline]
pub(crate) fn write_decimal(mut number: u32, out: &mut Vec<u8>) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    while number >= 100 {
        let pair = PAIRS[(number % 100) as usize];
        number /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair);
    }
    let [tens, units] = PAIRS[number as usize];
    at -= 1;
    digits[at] = units;
    if number >= 10 {
        at -= 1;
        digits[at] = tens;
    }
    out.extend_from_slice(&digits[at..]);
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number = 0u8;
    while number < 100 {
        table[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    table
};

/// The upper-case hexadecimal digits of each byte.
const HEX: [[u8; 2]; 256] = hex_table(b"0123456789ABCDEF");
/// The lower-case hexadecimal digits of each byte.
const HEX_LOWER: [[u8; 2]; 256] = hex_table(b"0123456789abcdef");

const fn hex_table(digits: &[u8; 16]) -> [[u8; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
}

/// Appends upper-case hexadecimal digits.
pub(super) fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    for (pair, &byte) in out[start..].chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&HEX[usize::from(byte)]);
    }
}

/// Appends lower-case hexadecimal pairs with hyphens between (RFC 7043).
pub(super) fn write_hyphenated(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, &byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        out.extend_from_slice(&HEX_LOWER[usize::from(byte)]);
    }
}

/// Appends groups of four lower-case hexadecimal digits with colons between (RFC 6742 2.1.2).
pub(super) fn write_groups(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, pair) in bytes.chunks(2).enumerate() {
        if at > 0 {
            out.push(b':');
        }
        for &byte in pair {
            out.extend_from_slice(&HEX_LOWER[usize::from(byte)]);
        }
    }
}

/// Appends padded base64 (RFC 4648 4).
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    base64_simd::STANDARD.encode_append(bytes, out);
}

/// Appends upper-case base32hex without padding (RFC 4648 7): the form of hashed owners.
pub(super) fn write_base32hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for chunk in bytes.chunks(5) {
        let mut word = [0; 8];
        word[3..3 + chunk.len()].copy_from_slice(chunk);
        let word = u64::from_be_bytes(word);
        let mut digits = [0; 8];
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = DIGITS[(word >> (35 - 5 * at) & 31) as usize];
        }
        out.extend_from_slice(&digits[..(chunk.len() * 8).div_ceil(5)]);
    }
}

/// Appends a moment in seconds since 1970 as YYYYMMDDHHMMSS in UTC (RFC 4034 3.2).
pub(crate) fn write_time(seconds: u32, out: &mut Vec<u8>) {
    let (year, month, day) = date(seconds / 86400);
    let second = seconds % 86400;
    let mut text = [0; 14];
    let pairs = [
        year / 100,
        year % 100,
        month,
        day,
        second / 3600,
        second / 60 % 60,
        second % 60,
    ];
    for (place, number) in text.chunks_exact_mut(2).zip(pairs) {
        place.copy_from_slice(&PAIRS[number as usize]);
    }
    out.extend_from_slice(&text);
}

/// Year, month and day of a day counted from 1970-01-01, for days up to the year 2106.
pub(crate) fn date(days: u32) -> (u32, u32, u32) {
    // Days are counted from 1900-03-01, so that a leap day is the last of its year; 1900 itself would need a
    // century's rule, and days before 1970 do not come here, 2000 being a leap year and 2100 the one exception.
    const FROM_1900_03_01: u32 = 25_508;
    const FROM_2100_03_01: u32 = 47_541;
    let days = days + FROM_1900_03_01 + u32::from(days >= FROM_2100_03_01);
    let quarter_days = 4 * days + 3;
    let (year, day_of_year) = (quarter_days / 1461, quarter_days % 1461 / 4);
    // Months from March have 31 30 31 30 31 days, twice, then two more: a line of slope 153/5.
    let (month, day) = ((5 * day_of_year + 2) / 153, (5 * day_of_year + 2) % 153 / 5 + 1);
    if month < 10 {
        (1900 + year, month + 3, day)
    } else {
        (1901 + year, month - 9, day)
    }
}

/// Appends a dotted quad.
pub(super) fn write_ipv4(address: [u8; 4], out: &mut Vec<u8>) {
    for (at, byte) in address.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        write_decimal(u32::from(byte), out);
    }
}

/// Appends an IPv6 address as RFC 5952 recommends: lower case, no leading zeros, the first of the longest runs of two
/// or more zero groups left out, an IPv4-mapped address with a dotted quad at its end.
pub(super) fn write_ipv6(address: [u8; 16], out: &mut Vec<u8>) {
    if let [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] = address {
        out.extend_from_slice(b"::ffff:");
        write_ipv4([a, b, c, d], out);
        return;
    }
    let mut groups = [0u16; 8];
    for (group, pair) in groups.iter_mut().zip(address.chunks_exact(2)) {
        *group = u16::from_be_bytes([pair[0], pair[1]]);
    }
    let (mut zeros_at, mut zeros) = (0, 1);
    let mut run = 0;
    for (at, &group) in groups.iter().enumerate() {
        run = if group == 0 { run + 1 } else { 0 };
        if run > zeros {
            (zeros_at, zeros) = (at + 1 - run, run);
        }
    }
    if zeros < 2 {
        write_ipv6_groups(&groups, out);
    } else {
        write_ipv6_groups(&groups[..zeros_at], out);
        out.extend_from_slice(b"::");
        write_ipv6_groups(&groups[zeros_at + zeros..], out);
    }
}

fn write_ipv6_groups(groups: &[u16], out: &mut Vec<u8>) {
    for (at, group) in groups.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        let [high, low] = group.to_be_bytes().map(usize::from);
        let ([a, b], [c, d]) = (HEX_LOWER[high], HEX_LOWER[low]);
        let digits = [a, b, c, d];
        let skipped = digits[..3].iter().take_while(|&&digit| digit == b'0').count();
        out.extend_from_slice(&digits[skipped..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn times_are_dates() {
        for (seconds, expected) in [
            (0, "19700101000000"),
            (68_169_599, "19720228235959"),
            (68_169_600, "19720229000000"),
            (951_782_400, "20000229000000"),
            (951_868_800, "20000301000000"),
            (1_795_417_174, "20261123065934"),
            (4_107_542_399, "21000228235959"),
            (4_107_542_400, "21000301000000"),
            (u32::MAX, "21060207062815"),
        ] {
            assert_eq!(text(|out| write_time(seconds, out)), expected);
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut last = date(0);
        for day in 1..=u32::MAX / 86400 {
            let (year, month, number) = date(day);
            let next_day = (year, month, number) == (last.0, last.1, last.2 + 1);
            let next_month = number == 1 && last.2 >= 28 && (12 * year + month == 12 * last.0 + last.1 + 1);
            assert!(next_day || next_month, "{day}: {last:?}");
            last = (year, month, number);
        }
        assert_eq!(last, (2106, 2, 7));
    }

    #[test]
    fn hashed_owners_are_base32hex() {
        let hash = data_encoding::HEXLOWER.decode(b"a7d9e1f2").unwrap_or_default();
        assert_eq!(
            text(|out| write_base32hex(&hash, out)),
            data_encoding::BASE32HEX_NOPAD.encode(&hash)
        );
    }

    proptest! {
        #[test]
        fn encodings_agree_with_data_encoding(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(text(|out| write_hex(&bytes, out)), data_encoding::HEXUPPER.encode(&bytes));
            prop_assert_eq!(text(|out| write_base64(&bytes, out)), data_encoding::BASE64.encode(&bytes));
            prop_assert_eq!(
                text(|out| write_base32hex(&bytes, out)),
                data_encoding::BASE32HEX_NOPAD.encode(&bytes)
            );
        }

        #[test]
        fn numbers_agree_with_the_standard_library(number: u32) {
            prop_assert_eq!(text(|out| write_decimal(number, out)), number.to_string());
            prop_assert_eq!(text(|out| write_decimal(number % 1000, out)), (number % 1000).to_string());
        }

        #[test]
        fn addresses_agree_with_the_standard_library(address: [u8; 16], zeros: u16) {
            let mut address = address;
            for (at, group) in address.chunks_exact_mut(2).enumerate() {
                if zeros >> at & 1 == 1 {
                    group.fill(0);
                }
            }
            let standard = std::net::Ipv6Addr::from(address).to_string();
            prop_assert_eq!(text(|out| write_ipv6(address, out)), standard);
            let [a, b, c, d, ..] = address;
            let mapped = std::net::Ipv4Addr::new(a, b, c, d);
            prop_assert_eq!(text(|out| write_ipv4([a, b, c, d], out)), mapped.to_string());
            let mapped = mapped.to_ipv6_mapped();
            prop_assert_eq!(text(|out| write_ipv6(mapped.octets(), out)), mapped.to_string());
        }
    }
}
