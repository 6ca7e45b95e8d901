//! SvcParams of SVCB and HTTPS as text (RFC 9460 2.1 and appendix A): keys by name where readers know the name, values in
//! their key's own format. Values that do not have it make the whole RDATA fall back to RFC 3597 form.

use super::number::{write_base64, write_decimal, write_ipv4, write_ipv6};
use super::string::{write_escaped, write_quoted};

/// The names of the keys 0 to 7, which BIND 9.18 and ldns 1.8 read by name.
const NAMES: [&str; 8] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
];

/// Appends the parameters with a space before each; `None` when a value does not have its key's form.
pub(super) fn write_params(mut params: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while let Some((&[key_high, key_low, length_high, length_low], rest)) = params.split_first_chunk() {
        let key = u16::from_be_bytes([key_high, key_low]);
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let (value, rest) = rest.split_at_checked(length)?;
        out.push(b' ');
        write_key(key, out);
        write_value(key, value, out)?;
        params = rest;
    }
    Some(())
}

fn write_key(key: u16, out: &mut Vec<u8>) {
    if let Some(name) = NAMES.get(usize::from(key)) {
        out.extend_from_slice(name.as_bytes());
    } else {
        out.extend_from_slice(b"key");
        write_decimal(u32::from(key), out);
    }
}

/// Appends `=` and the value; nothing for an empty value where that is allowed.
fn write_value(key: u16, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match key {
        0 => write_list::<2>(value, out, |other, out| {
            write_key(u16::from_be_bytes(other), out);
        }),
        1 => write_protocols(value, out),
        2 => value.is_empty().then_some(()),
        3 => {
            let port = u16::from_be_bytes(value.try_into().ok()?);
            out.push(b'=');
            write_decimal(u32::from(port), out);
            Some(())
        }
        4 => write_list(value, out, write_ipv4),
        5 if !value.is_empty() => {
            out.push(b'=');
            write_base64(value, out);
            Some(())
        }
        6 => write_list(value, out, write_ipv6),
        5 => None,
        _ => {
            if !value.is_empty() {
                out.push(b'=');
                write_quoted(value, out);
            }
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

/// Appends `=` and a list of ALPN protocol names, comma and backslash escaped for the list and then as in any string
/// (RFC 9460 A.1).
fn write_protocols(mut value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut separator: &[u8] = b"=\"";
    while let Some((&length, rest)) = value.split_first() {
        let (protocol, rest) = rest.split_at_checked(usize::from(length))?;
        out.extend_from_slice(separator);
        separator = b",";
        if protocol.is_empty() {
            return None;
        }
        for byte in protocol {
            match byte {
                b',' => out.extend_from_slice(b"\\\\,"),
                b'\\' => out.extend_from_slice(b"\\\\\\\\"),
                _ => write_escaped(&[*byte], out),
            }
        }
        value = rest;
    }
    out.push(b'"');
    // Nothing was written for an empty list, which is not allowed.
    (separator == b",").then_some(())
}
