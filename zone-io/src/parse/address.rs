//! IPv4, IPv6, EUI and locator addresses from text (RFC 1035 3.4.1, RFC 4291 2.2, RFC 7043, RFC 6742), strictly:
//! no leading zeros that some read as octal, no short forms of IPv4.

/// A dotted quad.
#[inline]
pub(crate) fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    if !(7..=15).contains(&text.len()) {
        return None;
    }
    let mut address = [0u8; 4];
    let (mut part, mut value, mut digits) = (0, 0u32, 0u32);
    for &byte in text {
        if byte == b'.' {
            if digits == 0 || part == 3 {
                return None;
            }
            address[part] = u8::try_from(value).ok()?;
            part += 1;
            (value, digits) = (0, 0);
        } else {
            let digit = byte.wrapping_sub(b'0');
            // A second digit behind a 0 would be a leading zero.
            if digit > 9 || (digits > 0 && value == 0) || digits == 3 {
                return None;
            }
            value = value * 10 + u32::from(digit);
            digits += 1;
        }
    }
    if digits == 0 || part != 3 {
        return None;
    }
    address[3] = u8::try_from(value).ok()?;
    Some(address)
}

/// Eight groups of hexadecimal digits, one run of zero groups as `::`, the last two groups possibly as a dotted quad.
#[inline]
pub(crate) fn ipv6(text: &[u8]) -> Option<[u8; 16]> {
    let mut address = [0u8; 16];
    // Bytes written, and how many of them stand before the `::`.
    let mut filled = 0;
    let mut gap = None;
    let mut at = 0;
    if text.starts_with(b"::") {
        gap = Some(0);
        at = 2;
    }
    while at < text.len() {
        let start = at;
        let mut value = 0u32;
        while let Some(digit) = text.get(at).and_then(|byte| hex_digit(*byte)) {
            value = value << 4 | u32::from(digit);
            at += 1;
            if at - start > 4 {
                return None;
            }
        }
        if text.get(at) == Some(&b'.') {
            if filled > 12 {
                return None;
            }
            address[filled..filled + 4].copy_from_slice(&ipv4(&text[start..])?);
            filled += 4;
            break;
        }
        if at == start || filled == 16 {
            return None;
        }
        address[filled..filled + 2].copy_from_slice(&value.to_be_bytes()[2..]);
        filled += 2;
        match (text.get(at), text.get(at + 1)) {
            (None, _) => break,
            (Some(b':'), Some(b':')) if gap.is_none() => {
                gap = Some(filled);
                at += 2;
            }
            // A colon has another group behind it.
            (Some(b':'), Some(next)) if *next != b':' => at += 1,
            _ => return None,
        }
    }
    match gap {
        None if filled == 16 => {}
        Some(gap) if filled < 16 => {
            address.copy_within(gap..filled, 16 - (filled - gap));
            address[gap..16 - (filled - gap)].fill(0);
        }
        _ => return None,
    }
    Some(address)
}

/// The value of a hexadecimal digit.
#[inline]
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// `N` bytes as pairs of hexadecimal digits with hyphens between them.
pub(crate) fn eui<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 3 * N - 1 {
        return None;
    }
    let mut address = [0; N];
    for (pair, byte) in text.chunks(3).zip(&mut address) {
        if pair.len() == 3 && pair[2] != b'-' {
            return None;
        }
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(address)
}

/// Four groups of one to four hexadecimal digits with colons between them.
pub(crate) fn node64(text: &[u8]) -> Option<[u8; 8]> {
    let mut address = [0; 8];
    let mut groups = text.split(|byte| *byte == b':');
    for pair in address.chunks_mut(2) {
        let group = groups.next().filter(|group| (1..=4).contains(&group.len()))?;
        let mut value = 0u16;
        for byte in group {
            value = value << 4 | u16::from(hex_digit(*byte)?);
        }
        pair.copy_from_slice(&value.to_be_bytes());
    }
    groups.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in [
            "192.0.2.1",
            "0.0.0.0",
            "255.255.255.255",
            "256.0.0.1",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "1..2.3",
            "1.2.3.",
            ".1.2.3",
            "1.2.3.4 ",
            "",
            "::",
            "::1",
            "1::",
            "2001:db8::1",
            "2001:DB8:0:0:8:800:200C:417A",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4::5:6:7:8",
            "::1::",
            ":::",
            ":1",
            "1:",
            "1::2::3",
            "12345::",
            "g::",
            "::ffff:192.0.2.1",
            "::192.0.2.1",
            "1:2:3:4:5:6:192.0.2.1",
            "1:2:3:4:5:6:7:192.0.2.1",
            "192.0.2.1::",
            "::ffff:192.0.2",
            "1:2:3:4:5:192.0.2.1",
        ] {
            let bytes = text.as_bytes();
            assert_eq!(ipv4(bytes), text.parse::<Ipv4Addr>().ok().map(|a| a.octets()), "{text}");
            assert_eq!(ipv6(bytes), text.parse::<Ipv6Addr>().ok().map(|a| a.octets()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_standard_library_does(text in "[0-9a-f:.]{0,40}|([0-9a-f]{1,4}:{1,2}){0,8}[0-9a-f]{0,4}|([0-9]{1,3}\\.){3}[0-9]{1,3}") {
            prop_assert_eq!(ipv4(text.as_bytes()), text.parse::<Ipv4Addr>().ok().map(|a| a.octets()));
            prop_assert_eq!(ipv6(text.as_bytes()), text.parse::<Ipv6Addr>().ok().map(|a| a.octets()));
        }
    }

    #[test]
    fn hyphens_and_colons() {
        assert_eq!(eui(b"00-00-5e-00-53-2a"), Some([0, 0, 0x5e, 0, 0x53, 0x2a]));
        assert_eq!(eui::<6>(b"00-00-5e-00-53-2"), None);
        assert_eq!(eui::<6>(b"00:00-5e-00-53-2a"), None);
        assert_eq!(
            node64(b"2001:db8:1140:1000"),
            Some([0x20, 1, 0xd, 0xb8, 0x11, 0x40, 0x10, 0])
        );
        for bad in ["2001:db8:1140", "1:2:3:4:5", "1:2::4", "12345:1:1:1"] {
            assert_eq!(node64(bad.as_bytes()), None, "{bad}");
        }
    }
}
