//! Bytes into the tokens of master files (RFC 1035 5.1): blanks, comments, parentheses, quotes and escapes are
//! seen here and nowhere else. Tokens borrow the text as it stands, escapes undecoded; they have no meaning yet.
//!
//! A line break ends a quoted string and a comment without exception, so that only parentheses join lines: whoever
//! knows the depth of parentheses at a line's start knows all that is to be known there.

use dnssec_sign::RecordType;
use memchr::{memchr, memchr3};

use crate::reason::Reason;
use crate::scan_block::{BLOCK, word_ends};

/// A fault with its place as an offset into the text that is scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) reason: Reason,
    /// The type of the record whose data is at fault.
    pub(crate) rtype: Option<RecordType>,
    /// Where the parenthesis stands that is open there.
    pub(crate) opened: Option<usize>,
}

impl Raw {
    #[cold]
    pub(crate) fn new(at: usize, length: usize, reason: impl Into<Reason>) -> Self {
        Self {
            at,
            length,
            reason: reason.into(),
            rtype: None,
            opened: None,
        }
    }
}

pub(crate) type Scanned<T> = Result<T, Box<Raw>>;

#[cold]
pub(crate) fn raw<T>(at: usize, length: usize, reason: impl Into<Reason>) -> Scanned<T> {
    Err(Box::new(Raw::new(at, length, reason)))
}

/// One word or quoted string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// As it stands, without the quotes.
    pub(crate) text: &'a [u8],
    /// Where `text` starts.
    pub(crate) at: usize,
    pub(crate) quoted: bool,
    /// Whether there is a backslash in it.
    pub(crate) escaped: bool,
}

impl Token<'_> {
    /// A fault of the whole token.
    #[cold]
    pub(crate) fn fault<T>(&self, reason: impl Into<Reason>) -> Scanned<T> {
        raw(self.at, self.text.len(), reason)
    }

    /// The text for a message.
    #[cold]
    pub(crate) fn shown(&self) -> Box<str> {
        String::from_utf8_lossy(self.text).into()
    }
}

/// Bytes that go on a word.
const WORD: [bool; 256] = {
    let mut table = [true; 256];
    let mut at = 0;
    let ends = b" \t\r\n;()\"\\";
    while at < ends.len() {
        table[ends[at] as usize] = false;
        at += 1;
    }
    table
};

/// No byte: the end of an entry.
pub(crate) const END: usize = 256;

/// Goes forward over text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    /// Line breaks passed.
    pub(crate) line: u32,
    depth: u32,
    opened_at: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a line outside parentheses.
    pub(crate) fn new(bytes: &'a [u8], at: usize, line: u32) -> Self {
        Self {
            bytes,
            at,
            line,
            depth: 0,
            opened_at: 0,
        }
    }

    /// Where the outermost parenthesis stands that is open here.
    pub(crate) fn opened(&self) -> Option<usize> {
        (self.depth > 0).then_some(self.opened_at)
    }

    /// The byte here.
    #[inline]
    pub(crate) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes to where the entry's next token starts and returns its first byte, [`END`] at the end of the entry.
    #[inline(always)]
    pub(crate) fn seek_token(&mut self) -> Scanned<usize> {
        while let Some(b' ' | b'\t') = self.byte() {
            self.at += 1;
        }
        match self.byte() {
            Some(b'\n') if self.depth == 0 => Ok(END),
            Some(byte) if WORD[usize::from(byte)] => Ok(usize::from(byte)),
            _ => self.seek_further(),
        }
    }

    #[inline(never)]
    fn seek_further(&mut self) -> Scanned<usize> {
        loop {
            match self.byte() {
                None if self.depth > 0 => return raw(self.opened_at, 1, Reason::OpenParenthesis),
                None => return Ok(END),
                Some(b'\n') if self.depth == 0 => return Ok(END),
                Some(b'\n') => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                }
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\r') => {
                    if !matches!(self.bytes.get(self.at + 1), None | Some(b'\n')) {
                        return raw(self.at, 1, Reason::StrayReturn);
                    }
                    self.at += 1;
                }
                Some(b';') => self.skip_comment(),
                Some(b'(') => {
                    if self.depth == 0 {
                        self.opened_at = self.at;
                    }
                    self.depth = self.depth.saturating_add(1);
                    self.at += 1;
                }
                Some(b')') => {
                    if self.depth == 0 {
                        return raw(self.at, 1, Reason::StrayParenthesis);
                    }
                    self.depth -= 1;
                    self.at += 1;
                }
                Some(byte) => return Ok(usize::from(byte)),
            }
        }
    }

    /// The entry's next token; `None` at its end.
    // Only numbers come back from the functions that are not inlined: a token that is never in memory costs nothing.
    #[inline(always)]
    pub(crate) fn token(&mut self) -> Scanned<Option<Token<'a>>> {
        const QUOTE: usize = b'"' as usize;
        let (start, quoted, mut escaped);
        let length = match self.seek_token()? {
            END => return Ok(None),
            QUOTE => {
                let found = self.quoted()?;
                (start, quoted, escaped) = (self.at + 1, true, found & 1 == 1);
                self.at = start + found / 2 + 1;
                found / 2
            }
            _ => {
                (start, quoted, escaped) = (self.at, false, false);
                let rest = &self.bytes[start..];
                let mut length = word_length(rest);
                if rest.get(length) == Some(&b'\\') {
                    length = self.escaped_word(length)?;
                    escaped = true;
                }
                self.at = start + length;
                length
            }
        };
        Ok(Some(Token {
            text: &self.bytes[start..start + length],
            at: start,
            quoted,
            escaped,
        }))
    }

    /// The length of the word here, whose first backslash is known.
    #[inline(never)]
    fn escaped_word(&self, mut length: usize) -> Scanned<usize> {
        let rest = &self.bytes[self.at..];
        while let Some(&byte) = rest.get(length) {
            if byte == b'\\' {
                if matches!(rest.get(length + 1), None | Some(b'\n' | b'\r')) {
                    return raw(self.at + length, 1, Reason::BadEscape);
                }
                length += 2;
            } else if WORD[usize::from(byte)] {
                length += 1;
            } else {
                break;
            }
        }
        Ok(length)
    }

    /// Twice the length of the quoted string here, and 1 more when there are backslashes in it.
    #[inline(never)]
    fn quoted(&self) -> Scanned<usize> {
        match closing_quote(&self.bytes[self.at + 1..]) {
            (length, true, escaped) => Ok(length * 2 + usize::from(escaped)),
            (length, false, _) => raw(self.at, length + 1, Reason::OpenQuote),
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// Passes the line break that ends an entry, or stands at the end of the text.
    #[inline]
    pub(crate) fn end_entry(&mut self) {
        if self.at < self.bytes.len() {
            self.at += 1;
            self.line = self.line.saturating_add(1);
        }
    }

    /// Passes everything up to the end of the entry and its line break, whatever stands there.
    pub(crate) fn skip_entry(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' => {
                    self.end_entry();
                    if self.depth == 0 {
                        return;
                    }
                    continue;
                }
                b';' => {
                    self.skip_comment();
                    continue;
                }
                b'"' => {
                    let (length, closed, _) = closing_quote(&self.bytes[self.at + 1..]);
                    self.at += 1 + length + usize::from(closed);
                    continue;
                }
                b'\\' if !matches!(self.bytes.get(self.at + 1), None | Some(b'\n')) => self.at += 1,
                b'(' => self.depth = self.depth.saturating_add(1),
                b')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        self.depth = 0;
    }
}

/// How many bytes at the start of `text` go on a word.
#[inline(always)]
fn word_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        let ends = word_ends(block);
        if ends == 0 {
            at += BLOCK;
            continue;
        }
        at += ends.trailing_zeros() as usize;
        // Control characters that are no blanks are parts of words.
        if !WORD[usize::from(text[at])] {
            return at;
        }
        at += 1;
    }
    while text.get(at).is_some_and(|byte| WORD[usize::from(*byte)]) {
        at += 1;
    }
    at
}

/// How many bytes stand before the closing quote or the end of the line, whether the quote is there, and whether
/// there are backslashes.
fn closing_quote(text: &[u8]) -> (usize, bool, bool) {
    let mut at = 0;
    let mut escaped = false;
    while let Some(more) = memchr3(b'"', b'\\', b'\n', &text[at..]) {
        at += more;
        match text[at] {
            b'"' => return (at, true, escaped),
            b'\n' => return (at, false, escaped),
            _ if matches!(text.get(at + 1), None | Some(b'\n')) => at += 1,
            _ => at += 2,
        }
        escaped = true;
    }
    (text.len(), false, escaped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut scanner = Scanner::new(text.as_bytes(), 0, 0);
        let mut tokens = Vec::new();
        while let Some(token) = scanner.token().unwrap() {
            tokens.push(String::from_utf8_lossy(token.text).into_owned());
        }
        tokens
    }

    fn fault(text: &str) -> (usize, Reason) {
        let mut scanner = Scanner::new(text.as_bytes(), 0, 0);
        loop {
            match scanner.token() {
                Ok(token) => assert!(token.is_some(), "no fault in {text:?}"),
                Err(raw) => return (raw.at, raw.reason),
            }
        }
    }

    #[test]
    fn words_quotes_and_comments() {
        assert_eq!(tokens("a  b\tc;d\ne"), ["a", "b", "c"]);
        assert_eq!(tokens("\"a b;(\" c\"d\""), ["a b;(", "c", "d"]);
        assert_eq!(tokens("a\\ b \\\"c \"x\\\"y\""), ["a\\ b", "\\\"c", "x\\\"y"]);
        assert_eq!(tokens("a\r\nb"), ["a"]);
        assert_eq!(tokens("a\r"), ["a"]);
        assert_eq!(tokens(""), [""; 0]);
        assert_eq!(tokens("\"\""), [""]);
    }

    #[test]
    fn parentheses_join_lines() {
        assert_eq!(tokens("a (b ; x )\n ) c\nd"), ["a", "b", "c"]);
        assert_eq!(tokens("a((b\n)c\r\n)d\ne"), ["a", "b", "c", "d"]);
        let mut scanner = Scanner::new(b"a (\n\n) b\nc", 0, 0);
        scanner.skip_entry();
        assert_eq!((scanner.at, scanner.line), (9, 3));
    }

    #[test]
    fn faults_stand_where_they_begin() {
        assert_eq!(fault("a \"b\nc"), (2, Reason::OpenQuote));
        assert_eq!(fault("a (b\n\n c"), (2, Reason::OpenParenthesis));
        assert_eq!(fault("a )"), (2, Reason::StrayParenthesis));
        assert_eq!(fault("a b\\\nc"), (3, Reason::BadEscape));
        assert_eq!(fault("a b\rc"), (3, Reason::StrayReturn));
    }

    #[test]
    fn skipping_and_reading_end_an_entry_in_the_same_place() {
        for text in [
            "a b\nc",
            "a ( \" ) \n\" ) \nc",
            "a ; ( \nc",
            "a \\( b\nc",
            "a \"(\" \nc",
            "a \"\\\"(\" \nc",
            "a (\nb\n)\nc",
        ] {
            let mut skipping = Scanner::new(text.as_bytes(), 0, 0);
            let mut reading = skipping.clone();
            skipping.skip_entry();
            while let Ok(Some(_)) = reading.token() {}
            reading.skip_entry();
            assert_eq!((skipping.at, skipping.line), (reading.at, reading.line), "{text:?}");
        }
    }
}
