//! Type bitmaps (RFC 4034 4.1.2): the verifier's own encoder and strict decoder. A bitmap has one right encoding,
//! so what a record should hold is compared byte by byte; decoding serves the message.

use crate::rtype::RecordType;

/// Appends the bitmap of these types, which are in ascending order.
pub(super) fn encode(types: &[RecordType], out: &mut Vec<u8>) {
    for window in types.chunk_by(|one, other| one.0 >> 8 == other.0 >> 8) {
        let mut map = [0u8; 32];
        let mut used = 0u8;
        let mut number = 0;
        for rtype in window {
            let [high, low] = rtype.0.to_be_bytes();
            number = high;
            map[usize::from(low >> 3)] |= 0x80 >> (low & 7);
            used = used.max((low >> 3) + 1);
        }
        out.extend_from_slice(&[number, used]);
        out.extend_from_slice(&map[..usize::from(used)]);
    }
}

/// The types of a bitmap in ascending order; `None` when it is not in the one right encoding: windows ascending,
/// none empty, no trailing zero bytes.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<RecordType>> {
    let mut types = Vec::new();
    let mut last = None;
    while let [window, length, rest @ ..] = bytes {
        let (map, rest) = rest.split_at_checked(usize::from(*length))?;
        if last.is_some_and(|last| *window <= last) || *length > 32 || matches!(map, [] | [.., 0]) {
            return None;
        }
        last = Some(*window);
        for (at, byte) in (0u8..).zip(map) {
            for bit in 0..8 {
                if byte & (0x80 >> bit) != 0 {
                    types.push(RecordType(u16::from_be_bytes([*window, at << 3 | bit])));
                }
            }
        }
        bytes = rest;
    }
    bytes.is_empty().then_some(types)
}

/// In words, how a bitmap differs from the one expected.
pub(super) fn difference(found: &[u8], expected: &[u8]) -> String {
    let Some(found) = decode(found) else {
        return "the type bitmap is not in the form of RFC 4034 4.1.2".to_owned();
    };
    let expected = decode(expected).unwrap_or_default();
    let list = |types: &[RecordType], others: &[RecordType]| {
        let names: Vec<_> = types
            .iter()
            .filter(|rtype| !others.contains(rtype))
            .map(RecordType::to_string)
            .collect();
        names.join(" ")
    };
    let (extra, lacking) = (list(&found, &expected), list(&expected, &found));
    match (extra.is_empty(), lacking.is_empty()) {
        (true, true) => "the type bitmap is encoded otherwise than RFC 4034 4.1.2 says".to_owned(),
        (false, true) => format!("the types {extra} are listed and are not there"),
        (true, false) => format!("the types {lacking} are there and are not listed"),
        (false, false) => {
            format!("the types {extra} are listed and are not there, {lacking} are there and are not listed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(numbers: &[u16]) -> Vec<RecordType> {
        numbers.iter().map(|&number| RecordType(number)).collect()
    }

    #[test]
    fn the_example_of_rfc_4034_4_3() {
        let list = types(&[1, 15, 46, 47, 1234]);
        let mut out = Vec::new();
        encode(&list, &mut out);
        let mut expected = vec![0, 6, 0x40, 0x01, 0, 0, 0, 0x03, 4, 0x1b];
        expected.extend([0; 26]);
        expected.push(0x20);
        assert_eq!(out, expected);
        assert_eq!(decode(&out), Some(list));
    }

    #[test]
    fn other_encodings_are_refused() {
        for bad in [
            &b"\x00"[..],
            b"\x00\x00",
            b"\x00\x01\x00",
            b"\x00\x02\x40\x00",
            b"\x01\x01\x40\x00\x01\x40",
            b"\x00\x01\x40\x00\x01\x40",
            b"\x00\x02\x40",
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert_eq!(decode(b""), Some(Vec::new()));
        let long = [&[0u8, 33][..], &[1; 33]].concat();
        assert_eq!(decode(&long), None);
    }

    #[test]
    fn differences_are_named() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        encode(&types(&[1, 2]), &mut one);
        encode(&types(&[1, 15]), &mut other);
        assert_eq!(
            difference(&one, &other),
            "the types NS are listed and are not there, MX are there and are not listed"
        );
    }
}
