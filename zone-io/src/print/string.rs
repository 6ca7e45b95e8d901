//! Character-strings (RFC 1035 5.1) as quoted text. Every byte survives: what is not printable ASCII becomes `\DDD`.

/// Bytes that stand for themselves between quotes.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    table
};

/// Appends `bytes` between quotes.
pub(super) fn write_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(bytes, out);
    out.push(b'"');
}

/// Appends what stands between the quotes.
pub(super) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.iter().all(|&byte| PLAIN[usize::from(byte)]) {
        out.extend_from_slice(bytes);
        return;
    }
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ if PLAIN[usize::from(byte)] => out.push(byte),
            _ => out.extend_from_slice(&[b'\\', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]),
        }
    }
}

/// Appends `bytes`, which are not none, as one word.
pub(super) fn write_unquoted(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b' ' => out.extend_from_slice(b"\\032"),
            b';' | b'(' | b')' => out.extend_from_slice(&[b'\\', byte]),
            _ => write_escaped(&[byte], out),
        }
    }
}

/// Appends counted strings, each between quotes, with single spaces between.
pub(super) fn write_all_quoted(mut strings: &[u8], out: &mut Vec<u8>) {
    let mut first = true;
    while let Some((&length, rest)) = strings.split_first() {
        let Some((string, rest)) = rest.split_at_checked(usize::from(length)) else {
            return;
        };
        if !first {
            out.push(b' ');
        }
        first = false;
        write_quoted(string, out);
        strings = rest;
    }
}
