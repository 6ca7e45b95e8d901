//! Rules about Rust source: what a file opens with and where `unsafe` may stand; and the split of source into code and comments.

use super::{File, Finding};

/// Where `unsafe` may stand: exact files, or folders ending in `/`.
const UNSAFE_ALLOWED: &[&str] = &[
    "hsm-core/src/ffi.rs",
    "hsm-core/src/module.rs",
    "hsm-core/src/pin/memory.rs",
    "pipeline/src/sigbus.rs",
    "pipeline/tests/allocations.rs",
    "tests/faulty-provider/",
    "tests/kryoptic/src/lib.rs",
    "zone-io/tests/allocations.rs",
];

/// Prefixes of file names in zone-io that may hold `unsafe`: the mapping and the SIMD scan.
const UNSAFE_ALLOWED_IN_ZONE_IO: &[&str] = &["map", "scan"];

/// Crates whose root forbids `unsafe`.
const UNSAFE_FORBIDDEN: &[&str] = &["dnssec-sign/src/lib.rs"];

/// The shortest text that can say what a file turns into what.
const SHORTEST_HEADING: usize = 20;

/// Every file opens with `//!` and a sentence.
pub(super) fn headings(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .filter(|file| {
            let heading = file.text.lines().next().and_then(|line| line.strip_prefix("//!"));
            heading.is_none_or(|heading| heading.trim().len() < SHORTEST_HEADING)
        })
        .map(|file| {
            Finding::new(
                &file.path,
                1,
                "open it with `//!`: what it turns into what, and what it does not do",
            )
        })
        .collect()
}

/// `unsafe` stands only where it was agreed on, and is forbidden by attribute in the pure crate.
pub(super) fn unsafe_code(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let code = split(&file.text).code;
        if UNSAFE_FORBIDDEN.contains(&file.path.as_str()) && !code.contains("#![forbid(unsafe_code)]") {
            findings.push(Finding::new(
                &file.path,
                1,
                "put #![forbid(unsafe_code)] below its heading",
            ));
        }
        if may_be_unsafe(&file.path) {
            continue;
        }
        for (index, line) in code.lines().enumerate() {
            if words(line).any(|word| word == "unsafe") {
                let advice = "no `unsafe` here; see STYLE for the files that may have it";
                findings.push(Finding::new(&file.path, index + 1, advice));
            }
        }
    }
    findings
}

fn may_be_unsafe(path: &str) -> bool {
    let listed = UNSAFE_ALLOWED
        .iter()
        .any(|allowed| path == *allowed || (allowed.ends_with('/') && path.starts_with(allowed)));
    let in_zone_io = path
        .strip_prefix("zone-io/src/")
        .is_some_and(|rest| UNSAFE_ALLOWED_IN_ZONE_IO.iter().any(|prefix| rest.starts_with(prefix)));
    listed || in_zone_io
}

/// The identifiers and keywords of a line of code.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

/// Source taken apart, with the lines where they were: each part has blanks in place of the other.
pub(super) struct Parts {
    /// Without comments and without what strings and characters hold.
    pub(super) code: String,
    /// Comments only.
    pub(super) comments: String,
}

/// What the splitter is inside of.
enum Inside {
    Code,
    LineComment,
    /// Nested this deep.
    BlockComment(usize),
    Text,
    /// A raw string that ends with this many `#`.
    RawText(usize),
}

/// Takes Rust source apart.
pub(super) fn split(source: &str) -> Parts {
    let chars: Vec<char> = source.chars().collect();
    let mut parts = Parts {
        code: String::new(),
        comments: String::new(),
    };
    let mut inside = Inside::Code;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or('\0');
        let (mut taken, mut code, mut comment) = (1, false, false);
        match inside {
            Inside::Code => match (c, next) {
                ('/', '/') => inside = Inside::LineComment,
                ('/', '*') => (inside, taken) = (Inside::BlockComment(1), 2),
                ('"', _) => inside = Inside::Text,
                ('r', '"' | '#') if !continues_word(&chars, at) && raw_hashes(&chars, at + 1).is_some() => {
                    let hashes = raw_hashes(&chars, at + 1).unwrap_or_default();
                    (inside, taken) = (Inside::RawText(hashes), hashes + 2);
                }
                ('\'', _) => (taken, code) = (character(&chars, at), false),
                _ => code = true,
            },
            Inside::LineComment if c == '\n' => inside = Inside::Code,
            Inside::LineComment => comment = true,
            Inside::BlockComment(depth) => match (c, next) {
                ('*', '/') if depth == 1 => (inside, taken) = (Inside::Code, 2),
                ('*', '/') => (inside, taken) = (Inside::BlockComment(depth - 1), 2),
                ('/', '*') => (inside, taken) = (Inside::BlockComment(depth + 1), 2),
                _ => comment = true,
            },
            Inside::Text if c == '\\' => taken = 2,
            Inside::Text if c == '"' => inside = Inside::Code,
            Inside::Text => {}
            Inside::RawText(hashes) => {
                if c == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
                    (inside, taken) = (Inside::Code, hashes + 1);
                }
            }
        }
        for &c in &chars[at..(at + taken).min(chars.len())] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            parts.code.push(if code { c } else { blank });
            parts.comments.push(if comment { c } else { blank });
        }
        at += taken;
    }
    parts
}

/// Whether the character before is part of the same word, as the `r` of `for"` would be; a byte string's `b` is not.
fn continues_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| chars.get(i));
    let prefix = at.checked_sub(2).and_then(|i| chars.get(i));
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    match before {
        Some('b' | 'c') => word(prefix),
        before => word(before),
    }
}

/// How many `#` stand before the quote that opens a raw string, if one opens here.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + hashes) == Some(&'"')).then_some(hashes)
}

/// The length of a character literal, or 1 for the quote of a lifetime.
fn character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let rest = chars.get(at + 3..).unwrap_or_default();
            rest.iter().position(|c| *c == '\'').map_or(1, |end| end + 4)
        }
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_file_without_a_telling_heading_is_found() {
        let files = [
            file("zone-io/src/a.rs", "use std::fs;\n"),
            file("zone-io/src/b.rs", "//! Short.\n"),
            file(
                "zone-io/src/c.rs",
                "//! Text into tokens; no meaning is given to them.\n",
            ),
        ];
        assert_eq!(headings(&files).len(), 2);
    }

    #[test]
    fn unsafe_is_found_outside_the_agreed_files() {
        let block = "//! x\nfn f() { unsafe { g() } }\n";
        let files = [
            file("pipeline/src/emit.rs", block),
            file("hsm-core/src/ffi.rs", block),
            file("zone-io/src/scan_avx2.rs", block),
            file("tests/faulty-provider/src/lib.rs", block),
        ];
        assert_eq!(
            unsafe_code(&files)
                .iter()
                .map(|f| (f.path.as_str(), f.line))
                .collect::<Vec<_>>(),
            [("pipeline/src/emit.rs", 2)]
        );
    }

    #[test]
    fn the_pure_crate_forbids_unsafe() {
        assert_eq!(unsafe_code(&[file("dnssec-sign/src/lib.rs", "//! x\n")]).len(), 1);
        assert_eq!(
            unsafe_code(&[file("dnssec-sign/src/lib.rs", "//! x\n#![forbid(unsafe_code)]\n")]),
            []
        );
    }

    #[test]
    fn words_in_comments_and_strings_are_not_code() {
        let text = "// unsafe\n/* unsafe /* unsafe */ */ let a = \"unsafe \\\" unsafe\";\nlet b = r#\"unsafe \" unsafe\"#; let c: &'a u8 = b'\\''; '\"'\n";
        let parts = split(text);
        assert!(!parts.code.contains("unsafe"), "{}", parts.code);
        assert!(parts.code.contains("&'a u8") || parts.code.contains("& a u8"));
        assert_eq!(parts.comments.matches("unsafe").count(), 3);
        assert_eq!(parts.code.lines().count(), text.lines().count());
    }
}
