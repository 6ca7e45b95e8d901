//! Names from tokens: plain ones in place, at the speed of a copy; those with escapes by the parser of `dnssec-sign`.

use dnssec_sign::{MAX_LABEL_LENGTH, MAX_WIRE_LENGTH, NameError, NameRef, parse_name};

use crate::scan::Token;
use crate::scan_block::{BLOCK, dots};

/// Appends the wire form of the name that `token` is; `@` is the origin, and a relative name is completed with it.
/// `out` is as before when it is no name.
#[inline]
pub(crate) fn write_name(token: &Token<'_>, origin: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    let text = token.text;
    if token.escaped || text.len() < 2 {
        return write_odd_name(text, origin, out);
    }
    let start = out.len();
    // The text with a length byte in front is the wire form but for the dots, each of which becomes the next length.
    out.push(0);
    out.extend_from_slice(text);
    let end = out.len();
    // Whole blocks, so that no loop has to stop inside one.
    out.extend_from_slice(&[0; BLOCK]);
    let mut label_at = start;
    let mut at = start + 1;
    while at < end {
        let Some(block) = out[at..].first_chunk() else {
            break;
        };
        let mut found = dots(block);
        while found != 0 {
            let dot = at + found.trailing_zeros() as usize;
            close_label(out, start, label_at, dot)?;
            label_at = dot;
            found &= found - 1;
        }
        at += BLOCK;
    }
    out.truncate(end);
    if label_at + 1 == end {
        out[label_at] = 0;
    } else {
        close_label(out, start, label_at, end)?;
        out.extend_from_slice(origin);
    }
    if out.len() - start > MAX_WIRE_LENGTH {
        out.truncate(start);
        return Err(NameError::TooLong);
    }
    Ok(())
}

#[inline]
fn close_label(out: &mut Vec<u8>, start: usize, label_at: usize, end: usize) -> Result<(), NameError> {
    let length = end - label_at - 1;
    match u8::try_from(length) {
        Ok(short) if (1..=MAX_LABEL_LENGTH).contains(&length) => {
            out[label_at] = short;
            Ok(())
        }
        _ => {
            out.truncate(start);
            Err(if length == 0 {
                NameError::EmptyLabel
            } else {
                NameError::LabelTooLong
            })
        }
    }
}

#[cold]
fn write_odd_name(text: &[u8], origin: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    if text == b"@" {
        out.extend_from_slice(origin);
        return Ok(());
    }
    parse_name(text, NameRef::from_wire(origin).ok(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &[u8], escaped: bool) -> Result<Vec<u8>, NameError> {
        let mut out = b"before".to_vec();
        let token = Token {
            text,
            at: 0,
            quoted: false,
            escaped,
        };
        let result = write_name(&token, b"\x07example\x00", &mut out);
        assert!(out.starts_with(b"before") && (result.is_ok() || out.len() == 6));
        result.map(|()| out.split_off(6))
    }

    #[test]
    fn the_fast_way_is_the_slow_way() {
        let long = [b'a'; 64];
        let many = b"ab.".repeat(85);
        let full = b"abcdefg.".repeat(31);
        for text in [
            &b"www"[..],
            b"www.example.",
            b"WwW.x",
            b".",
            b"..",
            b"a..b",
            b".a",
            b"a.",
            b"a.b..",
            &long[1..],
            &long,
            &many,
            &many[3..],
            &full,
            &full[..247],
            &full[1..],
        ] {
            assert_eq!(write(text, false), write(text, true), "{}", text.escape_ascii());
        }
        assert_eq!(write(b"@", false), Ok(b"\x07example\x00".to_vec()));
        assert_eq!(write(b"a\\.b", true), Ok(b"\x03a.b\x07example\x00".to_vec()));
    }
}
