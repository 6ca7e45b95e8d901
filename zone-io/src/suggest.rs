//! Suggestions for faults, made only where they are sure: the nearest word of a list when no other is as near, the type
//! that an address belongs to, the parenthesis that was not closed. What is wrong is said elsewhere.

use dnssec_sign::{Algorithm, RecordType};
use memchr::memchr;

use crate::parse::{ALGORITHM_FORM, DIRECTIVES, IPV4_FORM, IPV6_FORM, SVC_PARAM_KEYS, ipv4, ipv6};
use crate::reason::Reason;
use crate::scan::Raw;

/// What to write instead; `bytes` is the whole text.
pub(crate) fn help(raw: &Raw, bytes: &[u8]) -> Option<String> {
    let end = raw.at.saturating_add(raw.length).min(bytes.len());
    let token = bytes.get(raw.at..end).unwrap_or_default();
    match &raw.reason {
        _ if starts_foreign_comment(bytes, raw.at) => Some("a comment starts with ;".into()),
        Reason::UnknownType(word) => nearest(word, type_words()).map(did_you_mean),
        Reason::UnknownDirective(word) => nearest(word, DIRECTIVES.iter().copied()).map(did_you_mean),
        Reason::UnknownSvcParam(word) => nearest(word, SVC_PARAM_KEYS.iter().map(|(word, _)| *word)).map(did_you_mean),
        Reason::NoType if ipv4(token).is_some() => Some("write the type A before an IPv4 address".into()),
        Reason::NoType if ipv6(token).is_some() => Some("write the type AAAA before an IPv6 address".into()),
        Reason::Expected(IPV4_FORM) if ipv6(token).is_some() => {
            Some("this is an IPv6 address: the type for it is AAAA".into())
        }
        Reason::Expected(IPV6_FORM) if ipv4(token).is_some() => {
            Some("this is an IPv4 address: the type for it is A".into())
        }
        Reason::Expected(ALGORITHM_FORM) => {
            let words = (0..=u8::MAX).filter_map(|number| Algorithm(number).mnemonic());
            nearest(std::str::from_utf8(token).ok()?, words).map(did_you_mean)
        }
        Reason::MissingDot { name, .. } => {
            let text = String::from_utf8_lossy(token);
            (raw.length > 0 && name.to_string().starts_with(&*text))
                .then(|| format!("write {text}. with a final dot, or leave the zone's name out"))
        }
        Reason::OpenParenthesis => {
            let line = next_record_behind(bytes, raw.at)?;
            let plural = if line == 1 { "line" } else { "lines" };
            Some(format!(
                "{line} {plural} below, another record seems to start: the parenthesis is to be closed before it"
            ))
        }
        _ if raw.opened.is_some() && starts_line(bytes, raw.at) => {
            Some("if another record starts here, the parenthesis is to be closed before it".into())
        }
        _ => None,
    }
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean {word}?")
}

fn type_words() -> impl Iterator<Item = &'static str> {
    let types = RecordType::named().filter(|rtype| !rtype.is_meta());
    types.filter_map(RecordType::mnemonic)
}

fn starts_line(bytes: &[u8], at: usize) -> bool {
    at == 0 || bytes.get(at - 1) == Some(&b'\n')
}

/// Whether the line of that place begins like a comment of other languages.
fn starts_foreign_comment(bytes: &[u8], at: usize) -> bool {
    let start = memchr::memrchr(b'\n', &bytes[..at.min(bytes.len())]).map_or(0, |before| before + 1);
    let line = &bytes[start..];
    line.starts_with(b"#") || line.starts_with(b"//")
}

/// How many lines below the one of that place a line starts with an owner, a type somewhere behind it.
fn next_record_behind(bytes: &[u8], at: usize) -> Option<usize> {
    const LOOKED_AT: usize = 100;
    let mut rest = &bytes[at.min(bytes.len())..];
    for below in 1..LOOKED_AT {
        rest = &rest[memchr(b'\n', rest)? + 1..];
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        if line.first().is_none_or(|first| b" \t\r;()\"".contains(first)) {
            continue;
        }
        let mut words = line.split(|byte| b" \t".contains(byte)).skip(1).take(4);
        if line[0] == b'$' || words.any(|word| RecordType::from_text(word).is_some()) {
            return Some(below);
        }
    }
    None
}

/// The word of the list that a misspelt one was meant to be: nearer than a third of its length, and nearer than every
/// other.
fn nearest(word: &str, list: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let most = word.chars().count() / 3;
    let mut best = None;
    let mut least = most + 1;
    for candidate in list {
        let distance = distance(word.as_bytes(), candidate.as_bytes(), most);
        if distance < least {
            least = distance;
            best = Some(candidate);
        } else if distance == least {
            best = None;
        }
    }
    best
}

/// How many letters are to be changed, left out, put in or swapped with their neighbour, letter case aside; `most` + 1
/// for more than that.
fn distance(one: &[u8], other: &[u8], most: usize) -> usize {
    if one.len().abs_diff(other.len()) > most || one.len() > 40 {
        return most + 1;
    }
    let same = |row: usize, column: usize| one[row].eq_ignore_ascii_case(&other[column]);
    let width = other.len() + 1;
    let mut rows = vec![0; (one.len() + 1) * width];
    for (column, cell) in rows.iter_mut().take(width).enumerate() {
        *cell = column;
    }
    for row in 1..=one.len() {
        rows[row * width] = row;
        for column in 1..width {
            let changed = usize::from(!same(row - 1, column - 1));
            let mut least = rows[(row - 1) * width + column - 1] + changed;
            least = least.min(rows[(row - 1) * width + column] + 1);
            least = least.min(rows[row * width + column - 1] + 1);
            if row > 1 && column > 1 && same(row - 1, column - 2) && same(row - 2, column - 1) {
                least = least.min(rows[(row - 2) * width + column - 2] + 1);
            }
            rows[row * width + column] = least;
        }
    }
    rows[one.len() * width + other.len()].min(most + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use crate::{ReadOptions, Reader};

    /// The help of the only fault of a text.
    #[track_caller]
    fn help(text: &str) -> Option<String> {
        let options = ReadOptions::new("example.".parse().unwrap());
        let mut reader = Reader::new(text.as_bytes(), &options);
        let mut faults = Vec::new();
        while let Some(result) = reader.next_record() {
            faults.extend(result.err());
        }
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.pop().unwrap().help.map(String::from)
    }

    #[track_caller]
    fn means(text: &str, word: &str) {
        assert_eq!(help(text), Some(format!("did you mean {word}?")), "{text}");
    }

    #[test]
    fn misspelt_words() {
        means("a 1 CNMAE b", "CNAME");
        means("a 1 in cnam b", "CNAME");
        means("a 1 DNSKYE 257 3 13 AAAA", "DNSKEY");
        means("a 1 NSCE3 b", "NSEC3");
        means("a 1 TXXT b", "TXT");
        means("$ORIGN b", "$ORIGIN");
        means("$INCULDE b", "$INCLUDE");
        means("a 1 HTTPS 1 . apln=h2", "alpn");
        means("a 1 DS 1 ECDSAP256SHA265 2 00", "ECDSAP256SHA256");
        for unsure in [
            "a 1 FOO b",
            "a 1 AAA b",
            "a 1 X b",
            "a 1 HELLO b",
            "$FOO b",
            "a 1 DS 1 NOSUCH 2 00",
        ] {
            assert_eq!(help(unsure), None, "{unsure}");
        }
    }

    #[test]
    fn addresses_of_the_other_kind_and_without_type() {
        assert!(help("a 1 A 2001:db8::1").unwrap().ends_with("AAAA"));
        assert!(help("a 1 AAAA 192.0.2.1").unwrap().ends_with(" A"));
        assert!(help("a 1 192.0.2.1").unwrap().contains("type A "));
        assert!(help("a 1 2001:db8::1").unwrap().contains("type AAAA "));
        assert_eq!(help("a 1 A 192.0.2"), None);
    }

    #[test]
    fn comments_of_other_languages() {
        for text in ["# a comment of shells", "// a comment"] {
            assert_eq!(help(text).unwrap(), "a comment starts with ;", "{text}");
        }
    }

    #[test]
    fn parentheses_that_are_not_closed() {
        let text = "@ 1 SOA ns h (1 2\n 3 4 5\n ; x\n\nwww 1 A 192.0.2.1\n";
        assert!(help(text).unwrap().starts_with("if another record starts here"));
        let text = "t 1 TXT ( a\n  b\nwww 1 A 192.0.2.1\n";
        assert!(help(text).unwrap().starts_with("2 lines below"));
        assert_eq!(help("t 1 TXT ( a\n  b\nc\n"), None);
    }
}
