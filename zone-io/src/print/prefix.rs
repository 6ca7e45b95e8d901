//! The prefixes of APL (RFC 3123 5) and the suffix of A6 (RFC 2874 3.2) as text.

use dnssec_sign::NameRef;

use super::number::{write_decimal, write_ipv4, write_ipv6};

/// Appends prefixes with spaces between; `None` for a family without text, and for none at all: a line without any
/// data reads like one that was cut off.
pub(super) fn write_prefixes(mut prefixes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut first = true;
    loop {
        let (&[0, family, length, flag_and_size], rest) = prefixes.split_first_chunk::<4>()? else {
            return None;
        };
        let (part, rest) = rest.split_at_checked(usize::from(flag_and_size & 0x7f))?;
        if !first {
            out.push(b' ');
        }
        first = false;
        if flag_and_size & 0x80 != 0 {
            out.push(b'!');
        }
        let mut address = [0; 16];
        address.get_mut(..part.len())?.copy_from_slice(part);
        match family {
            1 => {
                out.extend_from_slice(b"1:");
                write_ipv4(*address.first_chunk()?, out);
            }
            2 => {
                out.extend_from_slice(b"2:");
                write_ipv6(address, out);
            }
            _ => return None,
        }
        out.push(b'/');
        write_decimal(u32::from(length), out);
        if rest.is_empty() {
            return Some(());
        }
        prefixes = rest;
    }
}

/// Appends prefix length, the address behind the prefix, and the prefix's name.
pub(super) fn write_a6(rdata: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&prefix, rest) = rdata.split_first()?;
    let (suffix, name) = rest.split_at_checked(usize::from(128u8.checked_sub(prefix)?.div_ceil(8)))?;
    write_decimal(u32::from(prefix), out);
    if prefix < 128 {
        let mut address = [0; 16];
        address[16 - suffix.len()..].copy_from_slice(suffix);
        out.push(b' ');
        write_ipv6(address, out);
    }
    if prefix > 0 {
        out.push(b' ');
        NameRef::from_wire(name).ok()?.write_text(out);
    }
    Some(())
}
