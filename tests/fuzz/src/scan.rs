//! Any bytes: the tokens that the scanner finds are those that a specification finds byte by byte, blocks have the same
//! masks from both twins, and names written in blocks are those of the plain parser. What tokens mean is not asked here.

use dnssec_sign::{NameRef, parse_name};
use zone_io::fuzzing::{self, BLOCK, Piece};
use zone_io::{ReadOptions, Reader, Reason};

/// Checks one input.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    for block in bytes.windows(BLOCK).filter_map(|window| window.first_chunk()) {
        let (fast, portable) = fuzzing::masks(block);
        assert_eq!(fast, portable, "{block:?}");
    }
    let mut found = Vec::new();
    fuzzing::scan(bytes, |piece| found.push(piece));
    assert_eq!(found, Specification::new(bytes).pieces());
    names(bytes);
}

/// The bytes as one name, where they are one word.
fn names(bytes: &[u8]) {
    let one_word = |byte: &u8| !b" \t\r\n;()\"\\@$".contains(byte);
    let word = &bytes[..bytes.iter().position(|byte| !one_word(byte)).unwrap_or(bytes.len())];
    if word.is_empty() {
        return;
    }
    let origin = NameRef::from_wire(b"\x07example\x00").expect("a name");
    let mut plain = Vec::new();
    let expected = parse_name(word, Some(origin), &mut plain);
    let text = [b"x 1 PTR ", word, b"\n"].concat();
    let mut reader = Reader::new(&text, &ReadOptions::new(origin.to_name()));
    match (reader.next_record(), expected) {
        (Some(Ok(record)), Ok(())) => assert_eq!(record.rdata, plain),
        (Some(Err(_)), Err(_)) => {}
        (read, expected) => panic!("{read:?}, and {expected:?}"),
    }
}

/// The scanner as it is meant, one byte at a time.
struct Specification<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    depth: u32,
    opened_at: usize,
}

impl<'a> Specification<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 0,
            depth: 0,
            opened_at: 0,
        }
    }

    fn pieces(mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while self.at < self.bytes.len() {
            match self.next() {
                Ok(Some(token)) => {
                    pieces.push(token);
                    continue;
                }
                Ok(None) => {
                    self.line += u32::from(self.byte(0).is_some());
                    self.at = (self.at + 1).min(self.bytes.len());
                }
                Err((at, length, reason)) => {
                    pieces.push(Piece::Fault { at, length, reason });
                    self.skip();
                }
            }
            let (at, line) = (self.at, self.line);
            pieces.push(Piece::End { at, line });
        }
        pieces
    }

    fn byte(&self, further: usize) -> Option<u8> {
        self.bytes.get(self.at + further).copied()
    }

    /// Whether nothing can follow the backslash at this distance.
    fn is_last_of_line(&self, further: usize) -> bool {
        matches!(self.byte(further + 1), None | Some(b'\n'))
    }

    fn next(&mut self) -> Result<Option<Piece>, (usize, usize, Reason)> {
        loop {
            match self.byte(0) {
                None if self.depth > 0 => return Err((self.opened_at, 1, Reason::OpenParenthesis)),
                None => return Ok(None),
                Some(b'\n') if self.depth == 0 => return Ok(None),
                Some(b'\n') => self.line += 1,
                Some(b'\r') if !self.is_last_of_line(0) => return Err((self.at, 1, Reason::StrayReturn)),
                Some(b' ' | b'\t' | b'\r') => {}
                Some(b';') => {
                    while !matches!(self.byte(0), None | Some(b'\n')) {
                        self.at += 1;
                    }
                    continue;
                }
                Some(b'(') => {
                    if self.depth == 0 {
                        self.opened_at = self.at;
                    }
                    self.depth += 1;
                }
                Some(b')') if self.depth == 0 => return Err((self.at, 1, Reason::StrayParenthesis)),
                Some(b')') => self.depth -= 1,
                Some(b'"') => return self.quoted().map(Some),
                Some(_) => return self.word().map(Some),
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<Piece, (usize, usize, Reason)> {
        let (mut length, mut escaped) = (0, false);
        loop {
            match self.byte(length) {
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"') => break,
                Some(b'\\') if self.is_last_of_line(length) || self.byte(length + 1) == Some(b'\r') => {
                    return Err((self.at + length, 1, Reason::BadEscape));
                }
                Some(b'\\') => (length, escaped) = (length + 2, true),
                Some(_) => length += 1,
            }
        }
        let at = self.at;
        self.at += length;
        Ok(Piece::Token {
            at,
            length,
            quoted: false,
            escaped,
        })
    }

    /// How long the string is whose quote is here, and whether it is closed and has backslashes.
    fn string(&self) -> (usize, bool, bool) {
        let (mut length, mut escaped) = (0, false);
        loop {
            match self.byte(1 + length) {
                None | Some(b'\n') => return (length, false, escaped),
                Some(b'"') => return (length, true, escaped),
                Some(b'\\') => {
                    escaped = true;
                    length += if self.is_last_of_line(1 + length) { 1 } else { 2 };
                }
                Some(_) => length += 1,
            }
        }
    }

    fn quoted(&mut self) -> Result<Piece, (usize, usize, Reason)> {
        let at = self.at + 1;
        let (length, closed, escaped) = self.string();
        if !closed {
            return Err((self.at, length + 1, Reason::OpenQuote));
        }
        self.at += length + 2;
        Ok(Piece::Token {
            at,
            length,
            quoted: true,
            escaped,
        })
    }

    /// Passes the rest of an entry that is wrong.
    fn skip(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    if self.depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b';' => {
                    while !matches!(self.byte(1), None | Some(b'\n')) {
                        self.at += 1;
                    }
                }
                b'"' => {
                    let (length, closed, _) = self.string();
                    self.at += length + usize::from(closed);
                }
                b'\\' if !self.is_last_of_line(0) => self.at += 1,
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        self.depth = 0;
    }
}
