//! The shapes of fields whose length or content depends on their own bytes. Each function takes the bytes that start
//! with the field and gives the field's bytes and the rest, or what is wrong; what the bytes mean in text is not here.

use super::RdataError;
use crate::name::NameRef;

type Split<'a> = Result<(&'a [u8], &'a [u8]), RdataError>;

fn whole(bytes: &[u8]) -> Split<'_> {
    Ok((bytes, &[]))
}

fn at(bytes: &[u8], length: usize) -> Split<'_> {
    bytes.split_at_checked(length).ok_or(RdataError::Short)
}

/// A type, and a digest of the length that `length_of` gives for it, or of any length but 0.
fn digest(bytes: &[u8], length_of: fn(u8) -> Option<usize>) -> Split<'_> {
    let (&kind, digest) = bytes.split_first().ok_or(RdataError::Short)?;
    match length_of(kind) {
        _ if digest.is_empty() => Err(RdataError::Short),
        Some(length) if digest.len() != length => Err(RdataError::Digest(length)),
        _ => whole(bytes),
    }
}

/// IANA "DS RR Type Digest Algorithms".
pub(super) fn ds_digest(bytes: &[u8]) -> Split<'_> {
    digest(bytes, |kind| match kind {
        1 => Some(20),
        2 => Some(32),
        4 => Some(48),
        _ => None,
    })
}

/// RFC 4255 3.1.2, RFC 6594 4.
pub(super) fn fingerprint(bytes: &[u8]) -> Split<'_> {
    digest(bytes, |kind| match kind {
        1 => Some(20),
        2 => Some(32),
        _ => None,
    })
}

/// RFC 8976 2.2.3 and 2.2.4.
pub(super) fn zone_digest(bytes: &[u8]) -> Split<'_> {
    let split = digest(bytes, |kind| match kind {
        1 => Some(48),
        2 => Some(64),
        _ => None,
    })?;
    if bytes.len() < 1 + 12 {
        return Err(RdataError::ZoneDigest);
    }
    Ok(split)
}

/// Windows of types in ascending order, none empty (RFC 4034 4.1.2).
pub(super) fn bitmap(bytes: &[u8]) -> Split<'_> {
    let mut rest = bytes;
    let mut last = None;
    while let [window, length, behind @ ..] = rest {
        let length = usize::from(*length);
        let ascending = last.is_none_or(|last| *window > last);
        let map = behind.get(..length).ok_or(RdataError::Bitmap)?;
        if !ascending || !(1..=32).contains(&length) || map[length - 1] == 0 {
            return Err(RdataError::Bitmap);
        }
        last = Some(*window);
        rest = &behind[length..];
    }
    if rest.is_empty() {
        whole(bytes)
    } else {
        Err(RdataError::Bitmap)
    }
}

/// The types 1 to 127, one bit each; bit 0 stands for another format that was never defined (RFC 2535 5.2).
pub(super) fn nxt_bitmap(bytes: &[u8]) -> Split<'_> {
    match bytes {
        [] => whole(bytes),
        [first, ..] if *first & 0x80 == 0 && bytes.len() <= 16 && bytes.last() != Some(&0) => whole(bytes),
        _ => Err(RdataError::NxtBitmap),
    }
}

/// Prefix length, the bits of an address behind the prefix in whole bytes, and the prefix's name (RFC 2874 3.1).
pub(super) fn a6(bytes: &[u8]) -> Split<'_> {
    let &prefix = bytes.first().ok_or(RdataError::Short)?;
    if prefix > 128 {
        return Err(RdataError::Prefix);
    }
    let name_at = 1 + usize::from((128 - prefix).div_ceil(8));
    let (suffix, name) = at(bytes, name_at)?;
    let covered = !(0xff_u8 >> (prefix % 8));
    if suffix.get(1).is_some_and(|first| first & covered != 0) {
        return Err(RdataError::Prefix);
    }
    if prefix == 0 {
        return Ok((suffix, name));
    }
    let (_, rest) = NameRef::split_from(name)?;
    at(bytes, bytes.len() - rest.len())
}

/// One bit a port (RFC 1035 3.4.2).
pub(super) fn ports(bytes: &[u8]) -> Split<'_> {
    if bytes.len() > 8192 || bytes.last() == Some(&0) {
        return Err(RdataError::Ports);
    }
    whole(bytes)
}

/// Version 0: three precisions of a digit and a power of ten, latitude, longitude, altitude (RFC 1876 2).
pub(super) fn location(bytes: &[u8]) -> Split<'_> {
    /// Thousandths of a second of arc in a degree.
    const DEGREE: u32 = 3_600_000;
    match bytes {
        [] => Err(RdataError::Short),
        [0, ..] => {
            let (field, rest) = at(bytes, 16)?;
            let angle = |at: usize| {
                u32::from_be_bytes([field[at], field[at + 1], field[at + 2], field[at + 3]]).abs_diff(1 << 31)
            };
            // A digit of 0 has a power of 0.
            let precise = |byte: &u8| byte >> 4 <= 9 && byte & 15 <= 9 && (byte >> 4 > 0 || byte & 15 == 0);
            if angle(4) > 90 * DEGREE || angle(8) > 180 * DEGREE || !field[1..4].iter().all(precise) {
                return Err(RdataError::Location);
            }
            Ok((field, rest))
        }
        _ => whole(bytes),
    }
}

/// Family, prefix length, negation and length, the address without its last zero bytes (RFC 3123 4).
pub(super) fn prefixes(bytes: &[u8]) -> Split<'_> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (head, behind) = rest.split_first_chunk::<4>().ok_or(RdataError::Short)?;
        let [family_high, family_low, prefix, length] = *head;
        let (address, behind) = at(behind, usize::from(length & 0x7f))?;
        let most = match u16::from_be_bytes([family_high, family_low]) {
            1 => 4,
            2 => 16,
            // Unknown families have prefixes of any length.
            _ => 127,
        };
        let too_long = address.len() > most || (most <= 16 && usize::from(prefix) > most * 8);
        if too_long || address.last() == Some(&0) {
            return Err(RdataError::Prefixes);
        }
        rest = behind;
    }
    whole(bytes)
}

/// The lengths of tag and key around the algorithm, tag and key, names to the end (RFC 8005 5).
pub(super) fn hip(bytes: &[u8]) -> Split<'_> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(RdataError::Short)?;
    let [tag, _, key_high, key_low] = *head;
    let key = u16::from_be_bytes([key_high, key_low]);
    if tag == 0 || key == 0 {
        return Err(RdataError::Short);
    }
    let (_, mut names) = at(rest, usize::from(tag) + usize::from(key))?;
    while !names.is_empty() {
        names = NameRef::split_from(names)?.1;
    }
    whole(bytes)
}

/// How many bytes the gateway or relay of a type has: nothing, IPv4, IPv6, a name, all there is.
fn gateway_length(kind: u8, bytes: &[u8]) -> Result<usize, RdataError> {
    Ok(match kind {
        0 => 0,
        1 => 4,
        2 => 16,
        3 => NameRef::split_from(bytes)?.0.wire().len(),
        _ => bytes.len(),
    })
}

/// Gateway type, algorithm, gateway (RFC 4025 2.1).
pub(super) fn gateway(bytes: &[u8]) -> Split<'_> {
    let (&[kind, _], rest) = bytes.split_first_chunk::<2>().ok_or(RdataError::Short)?;
    at(bytes, 2 + gateway_length(kind, rest)?)
}

/// Discovery bit and relay type in one byte, relay (RFC 8777 4.2).
pub(super) fn relay(bytes: &[u8]) -> Split<'_> {
    let (kind, rest) = bytes.split_first().ok_or(RdataError::Short)?;
    at(bytes, 1 + gateway_length(kind & 0x7f, rest)?)
}

/// Flags, protocol, algorithm; and a key unless both of the first two flags are set (RFC 2535 3.1.2).
pub(super) fn key(bytes: &[u8]) -> Split<'_> {
    let (head, key) = bytes.split_first_chunk::<4>().ok_or(RdataError::Short)?;
    match (head[0] >= 0xc0, key.is_empty()) {
        (false, true) => Err(RdataError::Short),
        (true, false) => Err(RdataError::Long),
        _ => whole(bytes),
    }
}

/// Format 0 has bytes, format 1 digits; others are not defined.
pub(super) fn atma(bytes: &[u8]) -> Split<'_> {
    match bytes {
        [] | [_] => Err(RdataError::Short),
        [1, digits @ ..] if !digits.iter().all(u8::is_ascii_digit) => Err(RdataError::Digits),
        _ => whole(bytes),
    }
}
