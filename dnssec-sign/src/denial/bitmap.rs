//! Type bitmaps in wire form (RFC 4034 4.1.2).

use crate::rtype::RecordType;

/// Appends the bitmap of `types`, which come in ascending order, possibly with repeats; nothing for no types.
pub fn write_bitmap(types: impl IntoIterator<Item = RecordType>, out: &mut Vec<u8>) {
    let mut window_at = None;
    for RecordType(number) in types {
        let [window, low] = number.to_be_bytes();
        let at = match window_at {
            Some(at) if out[at] == window => at,
            _ => {
                let at = out.len();
                out.extend_from_slice(&[window, 0]);
                window_at = Some(at);
                at
            }
        };
        let octet = low / 8;
        while out[at + 1] <= octet {
            out.push(0);
            out[at + 1] += 1;
        }
        out[at + 2 + usize::from(octet)] |= 0x80 >> (low % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bitmap of RFC 4034 4.3: A MX RRSIG NSEC TYPE1234.
    #[test]
    fn example_of_rfc_4034() {
        let mut out = Vec::new();
        let types = [
            RecordType::A,
            RecordType::MX,
            RecordType::RRSIG,
            RecordType::NSEC,
            RecordType::NSEC,
            RecordType(1234),
        ];
        write_bitmap(types, &mut out);
        let mut expected = vec![0, 6, 0x40, 0x01, 0, 0, 0, 0x03, 4, 27];
        expected.extend_from_slice(&[0; 26]);
        expected.push(0x20);
        assert_eq!(out, expected);
        out.clear();
        write_bitmap([], &mut out);
        assert!(out.is_empty());
    }
}
