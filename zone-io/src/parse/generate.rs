//! $GENERATE: a range of numbers and an entry with `$` in it, as BIND defines them, into the text of one entry after
//! the other. The entries are read like any other text.

use super::number;
use super::types::record_type;
use crate::reason::Reason;
use crate::scan::{END, Scanned, Scanner, Token, raw};

/// The most records of one directive.
const MOST: u64 = 1 << 24;
/// The most digits that a modifier can ask for: a name has no room for more.
const WIDEST: u32 = 255;

const USAGE: &str =
    "$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA, with $ or ${OFFSET,WIDTH,BASE} for the number";
const MODIFIER: &str =
    "${OFFSET,WIDTH,BASE} with an offset, and possibly a width of at most 255 and a base out of d, o, x, X, n, N";

/// A directive on its way through its range.
#[derive(Debug)]
pub(crate) struct Generate {
    first: u64,
    next: u64,
    last: u64,
    step: u64,
    template: Vec<Piece>,
    /// Where the directive stands in the text, for faults in what it makes.
    pub(super) at: usize,
    pub(super) length: usize,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Number { offset: i64, width: u32, base: Base },
}

#[derive(Debug, Clone, Copy)]
enum Base {
    Decimal,
    Octal,
    Hex,
    UpperHex,
    /// Hexadecimal digits, the lowest first, with dots between them: for ip6.arpa.
    Nibbles,
    UpperNibbles,
}

impl Generate {
    /// Reads what follows the word `$GENERATE`, up to the end of the entry.
    pub(super) fn read(word: &Token<'_>, scan: &mut Scanner<'_>) -> Scanned<Self> {
        let Some(token) = scan.token()? else {
            return raw(scan.at, 1, Reason::Usage(USAGE));
        };
        let Some((next, last, step)) = range(token.text) else {
            return token.fault(Reason::Usage(USAGE));
        };
        if (last - next) / step >= MOST {
            return token.fault(Reason::GenerateTooMany(MOST));
        }
        let mut template = vec![Piece::Text(Vec::new())];
        // Words behind the type.
        let mut data = None;
        let mut count = 0;
        while let Some(token) = scan.token()? {
            if count > 0 {
                push(&mut template, b' ');
            }
            // Quotes around all of the data only hold it together, as BIND has it.
            let wrapped = data == Some(0) && scan.seek_token()? == END;
            let quotes = token.quoted && !wrapped;
            if quotes {
                push(&mut template, b'"');
            }
            read_template(&token, &mut template)?;
            if quotes {
                push(&mut template, b'"');
            }
            match &mut data {
                Some(words) => *words += 1,
                None if count > 0 && record_type(token.text).is_some() => data = Some(0),
                None => {}
            }
            count += 1;
        }
        if count < 3 {
            return raw(scan.at, 1, Reason::Usage(USAGE));
        }
        push(&mut template, b'\n');
        Ok(Self {
            first: next,
            next,
            last,
            step,
            template,
            at: word.at,
            length: scan.at - word.at,
        })
    }

    /// Whether the next entry is the first one.
    pub(super) fn is_first(&self) -> bool {
        self.next == self.first
    }

    /// Replaces `out` with the next entry; `None` when there are no more.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) -> Option<Result<(), Reason>> {
        if self.next > self.last {
            return None;
        }
        let number = i64::try_from(self.next).ok()?;
        self.next += self.step;
        out.clear();
        for piece in &self.template {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Number { offset, width, base } => match u64::try_from(number + offset) {
                    Ok(value) => write_number(value, *width, *base, out),
                    Err(_) => return Some(Err(Reason::Expected("an offset that leaves the number above or at 0"))),
                },
            }
        }
        Some(Ok(()))
    }
}

/// START-STOP or START-STOP/STEP.
fn range(text: &[u8]) -> Option<(u64, u64, u64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (bounds, step) = text.split_once('/').unwrap_or((text, "1"));
    let (first, last) = bounds.split_once('-')?;
    let number = |text: &str| number::decimal(text.as_bytes()).map(u64::from);
    let (first, last, step) = (number(first)?, number(last)?, number(step)?);
    (first <= last && step > 0).then_some((first, last, step))
}

fn push(template: &mut Vec<Piece>, byte: u8) {
    match template.last_mut() {
        Some(Piece::Text(text)) => text.push(byte),
        _ => template.push(Piece::Text(vec![byte])),
    }
}

fn read_template(token: &Token<'_>, template: &mut Vec<Piece>) -> Scanned<()> {
    let mut at = 0;
    while let Some(&byte) = token.text.get(at) {
        at += 1;
        match (byte, token.text.get(at)) {
            (b'\\', Some(&next)) => {
                push(template, b'\\');
                push(template, next);
                at += 1;
            }
            (b'$', Some(b'$')) => {
                push(template, b'$');
                at += 1;
            }
            (b'$', Some(b'{')) => {
                let rest = &token.text[at + 1..];
                let end = rest.iter().position(|byte| *byte == b'}');
                let Some((piece, end)) = end.and_then(|end| Some((modifier(&rest[..end])?, end))) else {
                    return raw(token.at + at - 1, 2, Reason::Usage(MODIFIER));
                };
                template.push(piece);
                at += end + 2;
            }
            (b'$', _) => template.push(Piece::Number {
                offset: 0,
                width: 0,
                base: Base::Decimal,
            }),
            _ => push(template, byte),
        }
    }
    Ok(())
}

/// What stands between the braces of `${…}`.
fn modifier(text: &[u8]) -> Option<Piece> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split(',');
    let offset = i64::from(parts.next()?.parse::<i32>().ok()?);
    let width = match parts.next() {
        Some(width) => number::decimal(width.as_bytes()).filter(|width| *width <= WIDEST)?,
        None => 0,
    };
    let base = match parts.next() {
        None | Some("d") => Base::Decimal,
        Some("o") => Base::Octal,
        Some("x") => Base::Hex,
        Some("X") => Base::UpperHex,
        Some("n") => Base::Nibbles,
        Some("N") => Base::UpperNibbles,
        Some(_) => return None,
    };
    parts.next().is_none().then_some(Piece::Number { offset, width, base })
}

fn write_number(mut value: u64, width: u32, base: Base, out: &mut Vec<u8>) {
    let wide = width as usize;
    let digits: &[u8; 16] = match base {
        Base::Decimal => return out.extend_from_slice(format!("{value:0wide$}").as_bytes()),
        Base::Octal => return out.extend_from_slice(format!("{value:0wide$o}").as_bytes()),
        Base::Hex => return out.extend_from_slice(format!("{value:0wide$x}").as_bytes()),
        Base::UpperHex => return out.extend_from_slice(format!("{value:0wide$X}").as_bytes()),
        Base::Nibbles => b"0123456789abcdef",
        Base::UpperNibbles => b"0123456789ABCDEF",
    };
    // The width counts digits and dots.
    let mut left = width;
    loop {
        let [.., low] = value.to_be_bytes();
        out.push(digits[usize::from(low & 15)]);
        value >>= 4;
        left = left.saturating_sub(1);
        if value == 0 && left == 0 {
            return;
        }
        out.push(b'.');
        left = left.saturating_sub(1);
        if value == 0 && left == 0 {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<Vec<String>, Reason> {
        let mut scan = Scanner::new(text.as_bytes(), 0, 0);
        let word = scan.token().unwrap().unwrap();
        let mut generate = Generate::read(&word, &mut scan).map_err(|raw| raw.reason)?;
        let (mut entries, mut out) = (Vec::new(), Vec::new());
        while let Some(made) = generate.write_next(&mut out) {
            made?;
            entries.push(String::from_utf8(out.clone()).unwrap());
        }
        Ok(entries)
    }

    #[test]
    fn ranges_steps_and_modifiers() {
        assert_eq!(
            expand("$GENERATE 1-3/2 host$ 3600 IN A 192.0.2.$").unwrap(),
            ["host1 3600 IN A 192.0.2.1\n", "host3 3600 IN A 192.0.2.3\n"]
        );
        assert_eq!(
            expand("$GENERATE 10-10 ${-5,3}-${0,4,x}-${0,0,X}-${0,3,o}\\$$$ NS $").unwrap(),
            ["005-000a-A-012\\$$ NS 10\n"]
        );
        assert_eq!(
            expand("$GENERATE 26-26 ${0,7,n}.x PTR ${230,0,N}.y").unwrap(),
            ["a.1.0.0.x PTR 0.0.1.y\n"]
        );
    }

    #[test]
    fn quotes_around_all_data_hold_it_together() {
        assert_eq!(expand("$GENERATE 1-1 a$ MX \"10 mx$\"").unwrap(), ["a1 MX 10 mx1\n"]);
        assert_eq!(expand("$GENERATE 1-1 a$ TXT \"x $\"").unwrap(), ["a1 TXT x 1\n"]);
        assert_eq!(
            expand("$GENERATE 1-1 a$ TXT \"x  $\" y").unwrap(),
            ["a1 TXT \"x  1\" y\n"]
        );
    }

    #[test]
    fn faults() {
        for bad in [
            "",
            "1",
            "2-1 a$ A 192.0.2.$",
            "1-2/0 a$ A 192.0.2.$",
            "1-2 a$",
            "1-2 a${x} A 192.0.2.1",
            "1-2 a${0,1,q} A 192.0.2.1",
            "1-2 a${0 A 192.0.2.1",
            "0-4294967295 a$ A 192.0.2.1",
            "1-2 a${-2} A 192.0.2.1",
        ] {
            assert!(expand(&format!("$GENERATE {bad}")).is_err(), "{bad}");
        }
    }
}
