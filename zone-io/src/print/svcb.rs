//! SvcParams of SVCB and HTTPS as text (RFC 9460 2.1 and appendix A): keys by name where readers know the name, values in
//! their key's own format. Values that do not have it make the whole RDATA fall back to RFC 3597 form.

use super::Mnemonics;
use super::number::{write_base64, write_decimal, write_ipv4, write_ipv6};
use super::string::{write_escaped, write_quoted};
use crate::parse::mnemonic::{SVC_PARAM_KEYS, word_of};

/// Appends the parameters with a space before each; `None` when a value does not have its key's form.
pub(super) fn write_params(mut params: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    while let Some((&[key_high, key_low, length_high, length_low], rest)) = params.split_first_chunk() {
        let key = u16::from_be_bytes([key_high, key_low]);
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let (value, rest) = rest.split_at_checked(length)?;
        out.push(b' ');
        if write_key(key, mnemonics, out)? {
            write_value(key, value, mnemonics, out)?;
        } else if !value.is_empty() {
            out.push(b'=');
            write_quoted(value, out);
        }
        params = rest;
    }
    Some(())
}

/// Appends a key, and says whether by name. BIND 9.18 and ldns 1.8 know the names of the keys 0 to 7; 65535 is no key.
fn write_key(key: u16, mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<bool> {
    match word_of(SVC_PARAM_KEYS, key) {
        Some(name) if key <= 7 || mnemonics == Mnemonics::All => {
            out.extend_from_slice(name.as_bytes());
            Some(true)
        }
        _ if key == u16::MAX => None,
        _ => {
            out.extend_from_slice(b"key");
            write_decimal(u32::from(key), out);
            Some(false)
        }
    }
}

/// Appends `=` and the value; nothing for an empty value where that is allowed.
fn write_value(key: u16, value: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    match key {
        0 => write_list::<2>(value, out, |other, out| {
            // 65535 is written for no key, and reads as none.
            let _named = write_key(u16::from_be_bytes(other), mnemonics, out);
        }),
        1 => write_names(value, mnemonics, out),
        2 | 8 | 11 => value.is_empty().then_some(()),
        3 => {
            let port = u16::from_be_bytes(value.try_into().ok()?);
            out.push(b'=');
            write_decimal(u32::from(port), out);
            Some(())
        }
        4 => write_list(value, out, write_ipv4),
        5 if value.is_empty() => None,
        5 => {
            out.push(b'=');
            write_base64(value, out);
            Some(())
        }
        6 => write_list(value, out, write_ipv6),
        9 => write_list(value, out, |group, out| {
            write_decimal(u32::from(u16::from_be_bytes(group)), out);
        }),
        10 if value.is_empty() => Some(()),
        10 => write_names(value, mnemonics, out),
        12 => write_weights(value, mnemonics, out),
        _ => {
            out.push(b'=');
            write_quoted(value, out);
            Some(())
        }
    }
}

/// Appends `=` and one or more items of `N` bytes with commas between.
fn write_list<const N: usize>(value: &[u8], out: &mut Vec<u8>, write: impl Fn([u8; N], &mut Vec<u8>)) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    let mut separator = b'=';
    for item in value.chunks(N) {
        let item = item.try_into().ok()?;
        out.push(separator);
        write(item, out);
        separator = b',';
    }
    Some(())
}

/// Appends `=` and a list of counted names, comma and backslash escaped for the list and then as in any string
/// (RFC 9460 A.1).
fn write_names(mut value: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    let mut separator: &[u8] = b"=\"";
    while let Some((&length, rest)) = value.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        out.extend_from_slice(separator);
        separator = b",";
        write_member(name, mnemonics, out)?;
        value = rest;
    }
    out.push(b'"');
    // Nothing was written for an empty list, which is not allowed.
    (separator == b",").then_some(())
}

/// Appends `=` and a list of counted names, each with a colon and the byte behind it; a weight is at most 100.
fn write_weights(mut value: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    let mut separator: &[u8] = b"=\"";
    while let Some((&length, rest)) = value.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        let (&weight, rest) = rest.split_first().filter(|(weight, _)| **weight <= 100)?;
        out.extend_from_slice(separator);
        separator = b",";
        write_member(name, mnemonics, out)?;
        out.push(b':');
        write_decimal(u32::from(weight), out);
        value = rest;
    }
    out.push(b'"');
    (separator == b",").then_some(())
}

fn write_member(name: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    for byte in name {
        // ldns undoes the escapes of the string, and not those of the list.
        if mnemonics == Mnemonics::Portable && matches!(byte, b',' | b'\\') {
            return None;
        }
        match byte {
            b',' => out.extend_from_slice(b"\\\\,"),
            b'\\' => out.extend_from_slice(b"\\\\\\\\"),
            _ => write_escaped(&[*byte], out),
        }
    }
    (!name.is_empty()).then_some(())
}
