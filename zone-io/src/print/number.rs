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

/// Appends so many decimal digits, zeros in front.
pub(super) fn write_padded(number: u32, digits: usize, out: &mut Vec<u8>) {
    let start = out.len();
    write_decimal(number, out);
    let missing = digits.saturating_sub(out.len() - start);
    out.extend(std::iter::repeat_n(b'0', missing));
    out[start..].rotate_right(missing);
}

/// Appends decimal digits.
pub(super) fn write_u64(number: u64, out: &mut Vec<u8>) {
    const BILLION: u64 = 1_000_000_000;
    let low = u32::try_from(number % BILLION).unwrap_or_default();
    if number < BILLION {
        write_decimal(low, out);
    } else {
        write_u64(number / BILLION, out);
        write_padded(low, 9, out);
    }
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

/// Appends lower-case hexadecimal digits.
pub(super) fn write_hex_lower(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.extend_from_slice(&HEX_LOWER[usize::from(byte)]);
    }
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
pub(super) fn write_time(seconds: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&dnssec_sign::moment_digits(seconds));
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

/// Appends eight bytes as four groups of hexadecimal digits with colons between (RFC 6742 2.1.2), without leading zeros.
pub(super) fn write_node64(node: [u8; 8], out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, g, h] = node;
    let groups = [[a, b], [c, d], [e, f], [g, h]].map(u16::from_be_bytes);
    write_ipv6_groups(&groups, out);
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
        fn longer_numbers_agree_with_the_standard_library(number: u64, shift in 0..64u32, small in 0..1000u32) {
            prop_assert_eq!(text(|out| write_u64(number >> shift, out)), (number >> shift).to_string());
            prop_assert_eq!(text(|out| write_padded(small, 3, out)), format!("{small:03}"));
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
