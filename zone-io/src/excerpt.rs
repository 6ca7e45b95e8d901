//! A line of a zone as it may be shown on a terminal, with a mark under a part of it. Whatever stands in the zone,
//! nothing but printable characters comes out: control characters, bytes that are not UTF-8 and invisible characters
//! are written `\DDD`, tabs as blanks, and a long line is cut around the mark.

use std::fmt::{self, Write as _};

/// The cells of a line that are shown.
const SHOWN: usize = 110;
/// The cells before the mark that are shown of a line whose start is cut off.
const BEFORE: usize = 40;
/// Where the mark stands too far to the right for the line's start to be shown.
const FAR: usize = 70;
/// Bytes on either side of the mark that are looked at at all.
const LOOKED_AT: usize = 600;

/// A line, and where the mark under it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// Printable.
    pub(crate) text: Box<str>,
    /// The cells before the mark.
    pub(crate) indent: usize,
    /// The cells that the mark covers.
    pub(crate) marked: usize,
}

/// One character, or one byte that is no part of any.
struct Piece {
    at: usize,
    shown: String,
    cells: usize,
}

impl Excerpt {
    /// Of a line without its line break: `length` bytes from byte `at` on are marked.
    pub(crate) fn new(line: &[u8], at: usize, length: usize) -> Self {
        let at = at.min(line.len());
        let end = at.saturating_add(length).min(line.len());
        let mut from = at.saturating_sub(LOOKED_AT);
        while from > 0 && from < at && is_continuation(line[from]) {
            from += 1;
        }
        let mut to = line.len().min(at.saturating_add(LOOKED_AT));
        while to < line.len() && is_continuation(line[to]) {
            to += 1;
        }
        let pieces = pieces(&line[from..to], from);
        let split = pieces.partition_point(|piece| piece.at < at);
        let (before, behind) = pieces.split_at(split);
        let width = |pieces: &[Piece]| pieces.iter().map(|piece| piece.cells).sum::<usize>();
        let mut first = 0;
        let mut indent = width(before);
        if from > 0 || indent > FAR {
            while indent > BEFORE {
                indent -= before[first].cells;
                first += 1;
            }
        }
        let mut text = String::new();
        if first > 0 || from > 0 {
            text.push('…');
            indent += 1;
        }
        for piece in &before[first..] {
            text.push_str(&piece.shown);
        }
        let mut cells = indent;
        let mut marked = 0;
        let mut shown = 0;
        for piece in behind {
            if cells + piece.cells > SHOWN {
                break;
            }
            text.push_str(&piece.shown);
            cells += piece.cells;
            shown += 1;
            if piece.at < end {
                marked += piece.cells;
            }
        }
        if shown < behind.len() || to < line.len() {
            text.push('…');
        }
        Self {
            text: text.trim_end().into(),
            indent,
            marked: marked.max(1),
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// How many characters there are; each byte that is no part of one counts as one.
pub(crate) fn count_characters(bytes: &[u8]) -> usize {
    let chunks = bytes.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

fn pieces(bytes: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut at, mut cell) = (start, 0);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut shown = String::new();
            let cells = match character {
                '\t' => {
                    let cells = 8 - cell % 8;
                    shown.extend(std::iter::repeat_n(' ', cells));
                    cells
                }
                _ => show(character, &mut shown),
            };
            cell += cells;
            pieces.push(Piece { at, shown, cells });
            at += character.len_utf8();
        }
        for byte in chunk.invalid() {
            let shown = format!("\\{byte:03}");
            cell += shown.len();
            pieces.push(Piece { at, shown, cells: 4 });
            at += 1;
        }
    }
    pieces
}

/// Appends a character in its printable form; returns the cells that it takes.
fn show(character: char, out: &mut String) -> usize {
    if is_printable(character) {
        out.push(character);
        return if is_wide(character) { 2 } else { 1 };
    }
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).bytes();
    let mut cells = 0;
    for byte in bytes {
        let _ = write!(out, "\\{byte:03}");
        cells += 4;
    }
    cells
}

/// Neither a control character nor one that is invisible, combines with others or turns the direction of writing.
fn is_printable(character: char) -> bool {
    matches!(character, '\'' | '"' | '\\') || character.escape_debug().len() == 1
}

/// Whether terminals give it two cells (Unicode TR 11, the blocks that matter).
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60
        | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd)
}

/// Text from a zone, such as the name of an included file, in its printable form.
pub(crate) struct Printable<'t>(pub(crate) &'t str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.chars().all(is_printable) {
            return f.write_str(self.0);
        }
        let mut shown = String::new();
        for character in self.0.chars() {
            show(character, &mut shown);
        }
        f.write_str(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line, and what stands above the mark.
    fn shown(line: impl AsRef<[u8]>, at: usize, length: usize) -> (String, String) {
        let excerpt = Excerpt::new(line.as_ref(), at, length);
        let mut cells = Vec::new();
        for character in excerpt.text.chars() {
            cells.push(Some(character));
            if is_wide(character) {
                cells.push(None);
            }
        }
        let marked = cells.iter().skip(excerpt.indent).take(excerpt.marked);
        (excerpt.text.to_string(), marked.filter_map(|cell| *cell).collect())
    }

    #[test]
    fn the_mark_stands_under_the_fault() {
        assert_eq!(shown("www A 1.2.3", 6, 5), ("www A 1.2.3".into(), "1.2.3".into()));
        assert_eq!(shown("www\tA 1.2.3", 6, 5), ("www     A 1.2.3".into(), "1.2.3".into()));
        assert_eq!(shown("日本 A x", 9, 1), ("日本 A x".into(), "x".into()));
        assert_eq!(shown("日本 A x", 3, 3), ("日本 A x".into(), "本".into()));
        assert_eq!(Excerpt::new(b"www A", 5, 1), Excerpt::new(b"www A", 99, 9));
        assert_eq!(Excerpt::new(b"www A", 5, 1).indent, 5);
    }

    #[test]
    fn nothing_reaches_a_terminal_that_is_not_printable() {
        let (text, mark) = shown("a\x1b[31m\x07 \u{202e}x\u{200b}\u{9b}y\r A \u{7f}".as_bytes(), 2, 4);
        assert_eq!(
            text,
            "a\\027[31m\\007 \\226\\128\\174x\\226\\128\\139\\194\\155y\\013 A \\127"
        );
        assert_eq!(mark, "[31m");
        assert_eq!(
            shown(b"a\xff\xc3 \xe4b", 1, 1),
            ("a\\255\\195 \\228b".into(), "\\255".into())
        );
        assert_eq!(Printable("zone\x1b]0;x\u{7}").to_string(), "zone\\027]0;x\\007");
        assert_eq!(Printable("zönë \"'\\").to_string(), "zönë \"'\\");
        for byte in 0..=255u8 {
            let (text, _) = shown([b'a', byte, b'b'], 1, 1);
            assert!(text.chars().all(is_printable), "{byte}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let long = format!("{}xyz{}", "ä".repeat(5000), "b".repeat(5000));
        let (text, mark) = shown(&long, 10_000, 3);
        assert_eq!(mark, "xyz");
        assert!(text.starts_with('…') && text.ends_with('…') && text.chars().count() < SHOWN + 3);
        let (text, mark) = shown(&long, 10_000, 9000);
        assert!(mark.starts_with("xyzb") && text.chars().count() < SHOWN + 3);
        let (text, mark) = shown(&long, 0, 2);
        assert!(text.starts_with('ä') && text.ends_with('…') && mark == "ä");
        let (_, mark) = shown(b"\x80".repeat(5000), 3000, 1);
        assert_eq!(mark, "\\128");
    }

    #[test]
    fn characters_are_counted_and_odd_bytes_one_by_one() {
        assert_eq!(count_characters("aü日".as_bytes()), 3);
        assert_eq!(count_characters(b"a\xe6\x97\xffb"), 5);
    }
}
