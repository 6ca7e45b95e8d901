//! Domain names: uncompressed wire form, master-file text, and the canonical key whose byte order is the
//! canonical order of names (RFC 4034 6.1). Letter case is kept in the wire form and folded only in the key
//! and in comparisons. Nothing here knows of message compression.

use std::fmt;

/// The longest wire form of a name in bytes, with the root label (RFC 1035 2.3.4).
pub const MAX_WIRE_LENGTH: usize = 255;
/// The longest label in bytes (RFC 1035 2.3.4).
pub const MAX_LABEL_LENGTH: usize = 63;

/// Why bytes or text are not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The wire form ends before its root label, or goes on behind it.
    #[error("the name does not end at its root label")]
    Unterminated,
    /// A label of more than 63 bytes, or a compression pointer.
    #[error("a label is longer than 63 bytes")]
    LabelTooLong,
    /// More than 255 bytes in wire form.
    #[error("the name is longer than 255 bytes")]
    TooLong,
    /// Two dots in a row, or a dot at the start.
    #[error("an empty label (two dots in a row, or a leading dot)")]
    EmptyLabel,
    /// `\` at the end, or `\DDD` that is no byte.
    #[error("a bad escape: write \\X or \\DDD with DDD from 000 to 255")]
    BadEscape,
    /// A relative name and nothing that it is relative to.
    #[error("a relative name, and no $ORIGIN is in force")]
    NoOrigin,
}

/// A borrowed domain name in uncompressed wire form, letter case as it was given.
///
/// `==` compares as DNS does, without regard to ASCII letter case (RFC 4343).
#[derive(Clone, Copy)]
pub struct NameRef<'a> {
    wire: &'a [u8],
}

impl<'a> NameRef<'a> {
    /// The root: one empty label.
    pub const ROOT: NameRef<'static> = NameRef { wire: &[0] };

    /// Takes `wire` when it is exactly one uncompressed name.
    ///
    /// # Errors
    /// [`NameError`] when it is cut off, longer than allowed or followed by other bytes.
    pub fn from_wire(wire: &'a [u8]) -> Result<Self, NameError> {
        let (name, rest) = Self::split_from(wire)?;
        if rest.is_empty() {
            Ok(name)
        } else {
            Err(NameError::Unterminated)
        }
    }

    /// Takes the name at the start of `bytes` and returns it with the bytes behind it.
    ///
    /// # Errors
    /// [`NameError`] when no uncompressed name stands there.
    pub fn split_from(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), NameError> {
        let mut at = 0;
        loop {
            let Some(&length) = bytes.get(at) else {
                return Err(NameError::Unterminated);
            };
            if usize::from(length) > MAX_LABEL_LENGTH {
                return Err(NameError::LabelTooLong);
            }
            at += 1 + usize::from(length);
            if at > MAX_WIRE_LENGTH {
                return Err(NameError::TooLong);
            }
            if length == 0 {
                let (wire, rest) = bytes.split_at(at);
                return Ok((Self { wire }, rest));
            }
        }
    }

    /// Takes bytes that are known to be one name: the output of this module.
    pub(crate) fn from_known(wire: &'a [u8]) -> Self {
        debug_assert!(Self::from_wire(wire).is_ok());
        Self { wire }
    }

    /// The uncompressed wire form with the root label, letter case kept.
    #[must_use]
    pub fn wire(self) -> &'a [u8] {
        self.wire
    }

    /// The labels from left to right, without the root label.
    pub fn labels(self) -> Labels<'a> {
        Labels { rest: self.wire }
    }

    /// The RRSIG "labels" field: labels without the root and without a leading `*` (RFC 4034 3.1.3).
    #[must_use]
    pub fn rrsig_labels(self) -> u8 {
        let count = self.labels().count() - usize::from(self.is_wildcard());
        u8::try_from(count).unwrap_or(u8::MAX)
    }

    /// Whether the first label is `*` (RFC 4592 2.1.1).
    #[must_use]
    pub fn is_wildcard(self) -> bool {
        self.wire.starts_with(&[1, b'*'])
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(self) -> bool {
        self.wire.len() == 1
    }

    /// The name with its first label taken off; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<NameRef<'a>> {
        let length = usize::from(*self.wire.first()?);
        (length != 0).then(|| NameRef {
            wire: &self.wire[1 + length..],
        })
    }

    /// Whether this name is `other` or below it.
    #[must_use]
    pub fn is_at_or_below(self, other: NameRef<'_>) -> bool {
        let (mine, theirs) = (self.wire, other.wire);
        if theirs.len() > mine.len() {
            return false;
        }
        let cut = mine.len() - theirs.len();
        // The suffix must start at a label, not inside one.
        let mut at = 0;
        while at < cut {
            at += 1 + usize::from(mine[at]);
        }
        at == cut && mine[cut..].eq_ignore_ascii_case(theirs)
    }

    /// Appends the wire form with ASCII letters folded to lower case: the form in digests and signatures.
    pub fn write_folded(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.wire);
        // Length bytes are at most 63, below every letter.
        out[start..].make_ascii_lowercase();
    }

    /// Appends the canonical key: labels from right to left, folded, each closed by a 0 byte; the bytes 0 and 1
    /// inside a label become `1 1` and `1 2`. The byte order of keys is the canonical order of names
    /// (RFC 4034 6.1), and a key is a prefix of exactly the keys at or below its name. The root's key is empty.
    pub fn write_key(self, out: &mut Vec<u8>) {
        let mut starts = [0u8; 128];
        let mut count = 0;
        let mut at = 0;
        while self.wire[at] != 0 {
            // A wire form of at most 255 bytes has offsets below 255 and at most 127 labels.
            starts[count] = u8::try_from(at).unwrap_or(u8::MAX);
            count += 1;
            at += 1 + usize::from(self.wire[at]);
        }
        for &start in starts[..count].iter().rev() {
            let start = usize::from(start);
            let label = &self.wire[start + 1..start + 1 + usize::from(self.wire[start])];
            if label.iter().any(|&byte| byte < 2) {
                for &byte in label {
                    match byte {
                        0 => out.extend_from_slice(&[1, 1]),
                        1 => out.extend_from_slice(&[1, 2]),
                        _ => out.push(byte.to_ascii_lowercase()),
                    }
                }
            } else {
                let begin = out.len();
                out.extend_from_slice(label);
                out[begin..].make_ascii_lowercase();
            }
            out.push(0);
        }
    }

    /// Appends master-file text: absolute, ending in a dot, everything special escaped (RFC 1035 5.1).
    pub fn write_text(self, out: &mut Vec<u8>) {
        if self.is_root() {
            out.push(b'.');
            return;
        }
        for label in self.labels() {
            if label.iter().all(|&byte| PLAIN[usize::from(byte)]) {
                out.extend_from_slice(label);
            } else {
                for &byte in label {
                    write_label_byte(byte, out);
                }
            }
            out.push(b'.');
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_name(self) -> Name {
        Name { wire: self.wire.into() }
    }
}

/// Bytes that stand for themselves in a label's text.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = !matches!(byte, b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$');
        byte += 1;
    }
    table
};

fn write_label_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => out.extend_from_slice(&[b'\\', byte]),
        0x21..=0x7e => out.push(byte),
        _ => out.extend_from_slice(&[b'\\', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]),
    }
}

impl PartialEq for NameRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(other.wire)
    }
}

impl Eq for NameRef<'_> {}

impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(self.wire.len() + 1);
        self.write_text(&mut text);
        // write_text makes ASCII only.
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The labels of a name, left to right, without the root label.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at(usize::from(length));
        self.rest = rest;
        Some(label)
    }
}

/// An owned domain name in uncompressed wire form. `==` is without regard to letter case.
#[derive(Clone)]
pub struct Name {
    wire: Box<[u8]>,
}

impl Name {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        NameRef::ROOT.to_name()
    }

    /// Reads master-file text; a name without a final dot is completed with `origin`, or taken as absolute when there is none.
    ///
    /// # Errors
    /// [`NameError`] when the text is no name.
    pub fn parse(text: &str, origin: Option<NameRef<'_>>) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(text.len() + 2);
        parse_name(text.as_bytes(), Some(origin.unwrap_or(NameRef::ROOT)), &mut wire)?;
        Ok(Self { wire: wire.into() })
    }

    /// The borrowed form, which has all the operations.
    #[must_use]
    pub fn borrow(&self) -> NameRef<'_> {
        NameRef { wire: &self.wire }
    }

    /// The same name in lower case.
    #[must_use]
    pub fn to_folded(&self) -> Self {
        Self {
            wire: self.wire.to_ascii_lowercase().into(),
        }
    }

    /// The canonical key of the name: see [`NameRef::write_key`].
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.wire.len());
        self.borrow().write_key(&mut key);
        key
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.borrow() == other.borrow()
    }
}

impl Eq for Name {}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text, None)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

/// Reads the master-file text of one name (no `@`, no white space) and appends its wire form to `out`.
/// A relative name is completed with `origin`.
///
/// # Errors
/// [`NameError`]; `out` is as before then.
pub fn parse_name(text: &[u8], origin: Option<NameRef<'_>>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    parse_name_inner(text, origin, out, start).inspect_err(|_| out.truncate(start))
}

fn parse_name_inner(
    text: &[u8],
    origin: Option<NameRef<'_>>,
    out: &mut Vec<u8>,
    start: usize,
) -> Result<(), NameError> {
    if text == b"." {
        out.push(0);
        return Ok(());
    }
    let mut label_at = out.len();
    out.push(0);
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        match byte {
            b'.' => {
                close_label(out, label_at)?;
                label_at = out.len();
                out.push(0);
            }
            b'\\' => {
                let (value, taken) = unescape(&text[at..]).ok_or(NameError::BadEscape)?;
                out.push(value);
                at += taken;
            }
            _ => out.push(byte),
        }
        if out.len() - start > MAX_WIRE_LENGTH + 1 {
            return Err(if out.len() - label_at > MAX_LABEL_LENGTH + 1 {
                NameError::LabelTooLong
            } else {
                NameError::TooLong
            });
        }
    }
    if out.len() == label_at + 1 {
        // The text ended in a dot: the open label is the root label. Empty text is an empty label.
        if label_at == start {
            return Err(NameError::EmptyLabel);
        }
    } else {
        close_label(out, label_at)?;
        out.extend_from_slice(origin.ok_or(NameError::NoOrigin)?.wire());
    }
    if out.len() - start > MAX_WIRE_LENGTH {
        return Err(NameError::TooLong);
    }
    Ok(())
}

fn close_label(out: &mut [u8], label_at: usize) -> Result<(), NameError> {
    let length = out.len() - label_at - 1;
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    if length > MAX_LABEL_LENGTH {
        return Err(NameError::LabelTooLong);
    }
    out[label_at] = u8::try_from(length).map_err(|_| NameError::LabelTooLong)?;
    Ok(())
}

/// Reads what follows a backslash: the byte meant and how many bytes of text it took (RFC 1035 5.1).
#[must_use]
pub fn unescape(text: &[u8]) -> Option<(u8, usize)> {
    let &first = text.first()?;
    if !first.is_ascii_digit() {
        return Some((first, 1));
    }
    let digits = text.get(..3)?;
    let mut value = 0u16;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok().map(|byte| (byte, 3))
}

/// Appends the wire form, in lower case, of the name whose key relative to `origin` is `key`:
/// the way back from [`NameRef::write_key`] with the origin's own key taken off.
pub fn write_wire_from_key(key: &[u8], origin: NameRef<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    // The key has the labels from right to left: find each label's bytes from the end of the key.
    let mut end = key.len();
    while end > 0 {
        let stop = end - 1;
        let begin = key[..stop].iter().rposition(|&byte| byte == 0).map_or(0, |at| at + 1);
        let label_at = out.len();
        out.push(0);
        let mut at = begin;
        while at < stop {
            if key[at] == 1 {
                out.push(key[at + 1] - 1);
                at += 2;
            } else {
                out.push(key[at]);
                at += 1;
            }
        }
        out[label_at] = u8::try_from(out.len() - label_at - 1).unwrap_or(u8::MAX);
        end = begin;
    }
    origin.write_folded(out);
    debug_assert!(NameRef::from_wire(&out[start..]).is_ok());
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn canonical_order_is_that_of_rfc_4034_6_1() {
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let keys: Vec<_> = sorted.iter().map(|text| name(text).key()).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn keys_of_odd_bytes_order_like_labels() {
        // A shorter label sorts before a longer one that starts with it, even when the next byte is 0.
        let keys: Vec<_> = [
            "a.",
            "b.a.",
            "a\\000.",
            "a\\000\\000.",
            "a\\000\\001.",
            "a\\001.",
            "a\\002.",
            "ab.",
        ]
        .iter()
        .map(|text| name(text).key())
        .collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn keys_go_back_to_names() {
        let origin = name("example.");
        for text in [
            "example.",
            "a.example.",
            "b\\000\\001\\002.A\\.b.example.",
            "*.x.example.",
        ] {
            let full = name(text);
            let key = full.key();
            let mut wire = Vec::new();
            write_wire_from_key(&key[origin.key().len()..], origin.borrow(), &mut wire);
            assert_eq!(wire, full.to_folded().borrow().wire());
        }
    }

    #[test]
    fn text_and_wire_agree() {
        assert_eq!(name("a\\.b.c.").borrow().wire(), b"\x03a.b\x01c\0");
        assert_eq!(name("a\\.b.c.").to_string(), "a\\.b.c.");
        assert_eq!(name("\\255\\ x.").to_string(), "\\255\\032x.");
        assert_eq!(
            Name::parse("www", Some(name("ex.").borrow())).unwrap().to_string(),
            "www.ex."
        );
        assert_eq!(Name::parse("a..b.", None), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse(".a.", None), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse("", None), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse("a\\25", None), Err(NameError::BadEscape));
        assert_eq!(Name::parse("a\\256.", None), Err(NameError::BadEscape));
        assert_eq!(Name::parse(&"x".repeat(64), None), Err(NameError::LabelTooLong));
        let long = format!("{0}.{0}.{0}.{1}.", "x".repeat(63), "y".repeat(61));
        assert_eq!(name(&long).borrow().wire().len(), MAX_WIRE_LENGTH);
        assert_eq!(Name::parse(&format!("z{long}"), None), Err(NameError::LabelTooLong));
        assert_eq!(Name::parse(&format!("z.{long}"), None), Err(NameError::TooLong));
    }

    #[test]
    fn below_is_by_labels() {
        assert!(name("a.Example.").borrow().is_at_or_below(name("eXample.").borrow()));
        assert!(!name("aexample.").borrow().is_at_or_below(name("example.").borrow()));
        assert!(name("x.").borrow().is_at_or_below(NameRef::ROOT));
        assert_eq!(name("A.b."), name("a.B."));
        assert_eq!(name("*.a.b.").borrow().rrsig_labels(), 2);
        assert_eq!(name(".").borrow().rrsig_labels(), 0);
    }
}
