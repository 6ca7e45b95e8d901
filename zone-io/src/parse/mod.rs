//! The text of a master file, or of a part of it, into records that are lent one by one. Files are not opened here:
//! $INCLUDE is the business of `load`.

mod address;
mod directive;
mod encoding;
mod entry;
mod field;
pub(crate) mod form;
mod gateway;
mod generate;
mod hip;
mod key;
mod location;
pub(crate) mod mnemonic;
mod name;
mod network;
mod number;
mod place;
mod prefix;
mod rdata;
mod suspicion;
mod svcb;
mod types;

use std::sync::Arc;

use dnssec_sign::{Class, Name, NameRef, RecordType};

pub(crate) use address::{ipv4, ipv6};
pub(crate) use directive::{DIRECTIVES, Directive, Include, directive};
pub use entry::Outside;
pub(crate) use entry::{Before, State};
pub(crate) use field::{ALGORITHM_FORM, IPV4_FORM, IPV6_FORM};
use generate::Generate;
pub(crate) use mnemonic::SVC_PARAM_KEYS;
pub(crate) use place::Place;

use crate::fault::{Fault, Faults};
use crate::lint::{Lints, Warnings};
use crate::reason::Reason;
use crate::scan::{Raw, Scanned, Scanner};

/// How many faults are collected unless told otherwise.
pub(crate) const MAX_FAULTS: usize = 20;

/// How text is read that comes from no file of its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The zone's name: the first origin, and the measure of what is outside.
    pub zone: Name,
    /// The zone's class; another one is a fault.
    pub class: Class,
    /// What happens to owners out of the zone.
    pub outside: Outside,
    /// The TTL of records without one, as if $TTL stood before them.
    pub ttl: Option<u32>,
    /// The text's name in faults.
    pub name: Arc<str>,
    /// The number of the text's first line.
    pub first_line: u32,
    /// How many faults [`parse_records`] collects before it stops, and how many warnings of one name are kept.
    pub max_faults: usize,
    /// Which warnings are looked for.
    pub lints: Lints,
}

impl ReadOptions {
    /// Class IN, owners out of the zone refused, no TTL, lines from 1, 20 faults, all warnings.
    #[must_use]
    pub fn new(zone: Name) -> Self {
        Self {
            zone,
            class: Class::IN,
            outside: Outside::Refuse,
            ttl: None,
            name: "<text>".into(),
            first_line: 1,
            max_faults: MAX_FAULTS,
            lints: Lints::ALL,
        }
    }
}

/// A record that is lent until the next one is read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TextRecord<'r> {
    /// The owner, absolute, letter case kept.
    pub owner: NameRef<'r>,
    /// The type.
    pub rtype: RecordType,
    /// The TTL in seconds, stated or inherited.
    pub ttl: u32,
    /// RDATA in uncompressed wire form, of its type's shape.
    pub rdata: &'r [u8],
    /// The line that the record starts on.
    pub line: u32,
}

/// Reads the records of a text one by one; nothing is allocated for each.
///
/// ```
/// use zone_io::{ReadOptions, Reader};
///
/// let options = ReadOptions::new("example.".parse()?);
/// let mut reader = Reader::new(b"www 3600 IN A 192.0.2.1\n    IN TXT hello\n", &options);
/// let mut lines = Vec::new();
/// while let Some(record) = reader.next_record() {
///     let record = record?;
///     lines.push(format!("{} {} {}", record.owner, record.ttl, record.rtype));
/// }
/// assert_eq!(lines, ["www.example. 3600 A", "www.example. 3600 TXT"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    scan: Scanner<'a>,
    pub(crate) state: State,
    place: Place<'a>,
    generate: Option<Box<Generate>>,
    generated: Vec<u8>,
    /// The line that the $GENERATE in progress starts on.
    generated_line: u32,
    most_warnings: usize,
    pub(crate) warnings: Warnings,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`, which is the start of a line.
    #[must_use]
    pub fn new(text: &'a [u8], options: &ReadOptions) -> Self {
        let place = Place::new(text, options.name.clone(), options.first_line);
        let mut state = State::new(options.zone.clone(), options.class, options.outside, Before::Nothing);
        state.default_ttl = options.ttl;
        state.set_lints(options.lints);
        let mut reader = Self::with_state(place, state, mark_length(text), options.first_line);
        reader.most_warnings = options.max_faults;
        reader
    }

    /// A reader that starts with `state` at byte `at`; the lines of records are counted from `line`.
    pub(crate) fn with_state(place: Place<'a>, state: State, at: usize, line: u32) -> Self {
        Self {
            scan: Scanner::new(place.bytes(), at, line),
            state,
            place,
            generate: None,
            generated: Vec::new(),
            generated_line: line,
            most_warnings: MAX_FAULTS,
            warnings: Warnings::default(),
        }
    }

    /// The warnings found so far.
    #[must_use]
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// The next record, or the next fault: reading goes on behind it.
    pub fn next_record(&mut self) -> Option<Result<TextRecord<'_>, Fault>> {
        match self.advance()? {
            Ok(()) => Some(Ok(self.record())),
            Err(raw) => Some(Err(self.fault(*raw))),
        }
    }

    /// The record that was read last.
    #[inline]
    pub(crate) fn record(&self) -> TextRecord<'_> {
        TextRecord {
            // The state has an owner when a record was read.
            owner: self.state.owner().unwrap_or(NameRef::ROOT),
            rtype: self.state.parsed.rtype,
            ttl: self.state.parsed.ttl,
            rdata: &self.state.rdata,
            line: self.state.parsed.line,
        }
    }

    /// Reads up to the next record or fault.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<Scanned<()>> {
        if self.generate.is_some()
            && let Some(made) = self.advance_generated()
        {
            return Some(made);
        }
        loop {
            let result = match self.scan.byte()? {
                b'\n' => {
                    self.scan.end_entry();
                    continue;
                }
                b';' => {
                    self.scan.skip_entry();
                    continue;
                }
                b'$' => match self.obey() {
                    Ok(()) => match self.advance_generated() {
                        Some(made) => return Some(made),
                        None => continue,
                    },
                    Err(raw) => Err(raw),
                },
                _ => self.state.entry(&mut self.scan),
            };
            if !self.state.warned().is_empty() {
                self.keep_warnings(None);
            }
            match result {
                Ok(false) => {}
                Ok(true) => return Some(Ok(())),
                Err(mut raw) => {
                    raw.opened = self.scan.opened();
                    self.scan.skip_entry();
                    return Some(Err(raw));
                }
            }
        }
    }

    /// Takes the warnings of the entry read last, which came of the directive at `made_at` unless it is its own.
    #[cold]
    fn keep_warnings(&mut self, made_at: Option<(usize, usize)>) {
        let most = self.most_warnings;
        for mut raw in std::mem::take(self.state.warned()) {
            if let Some(place) = made_at {
                (raw.at, raw.length) = place;
            }
            if let Some(lint) = raw.reason.lint() {
                let place = &mut self.place;
                self.warnings.add(lint, most, || place.fault(raw));
            }
        }
    }

    /// Reads a directive and does what it says.
    #[cold]
    fn obey(&mut self) -> Scanned<()> {
        let before = self.scan.clone();
        match directive(&mut self.scan, self.state.origin())? {
            Directive::Origin(origin) => self.state.set_origin(origin.borrow()),
            Directive::Ttl(ttl) => self.state.default_ttl = Some(ttl),
            Directive::Generate(generate) => {
                self.generate = Some(generate);
                self.generated_line = before.line;
            }
            Directive::Include(Include { at, length, .. }) => {
                // A fault leaves the scanner inside its entry.
                self.scan = before;
                return crate::scan::raw(at, length, Reason::IncludeHere);
            }
        }
        Ok(())
    }

    /// The next record of a $GENERATE in progress; `None` when there is none in progress any more.
    #[cold]
    fn advance_generated(&mut self) -> Option<Scanned<()>> {
        loop {
            let generate = self.generate.as_mut()?;
            let (at, length, first) = (generate.at, generate.length, generate.is_first());
            let fault = match generate.write_next(&mut self.generated) {
                None => {
                    self.generate = None;
                    return None;
                }
                Some(Err(reason)) => reason,
                Some(Ok(())) => {
                    let line = self.generated_line;
                    let mut scan = Scanner::new(&self.generated, 0, line);
                    let result = self.state.entry(&mut scan);
                    // What is odd in one is odd in all.
                    if first {
                        self.keep_warnings(Some((at, length)));
                    } else {
                        self.state.warned().clear();
                    }
                    match result {
                        Ok(false) => continue,
                        Ok(true) => {
                            self.state.parsed.line = line;
                            return Some(Ok(()));
                        }
                        Err(raw) => raw.reason,
                    }
                }
            };
            // What is wrong with one is nearly always wrong with all.
            self.generate = None;
            return Some(crate::scan::raw(at, length, fault));
        }
    }

    /// The fault with its place in this text.
    pub(crate) fn fault(&mut self, raw: Raw) -> Fault {
        self.place.fault(raw)
    }
}

/// The length of the UTF-8 byte order mark at the start of a text.
pub(crate) fn mark_length(text: &[u8]) -> usize {
    if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// Reads a whole text and lends each record to `emit`. $INCLUDE in it is a fault.
///
/// # Errors
/// All faults, up to the options' number of them; the records between them were lent.
///
/// ```
/// use zone_io::{ReadOptions, parse_records};
///
/// let options = ReadOptions::new("example.".parse()?);
/// let mut count = 0;
/// parse_records(b"@ 3600 IN NS ns1\n", &options, |record| count += record.rdata.len())?;
/// assert_eq!(count, 13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn parse_records(text: &[u8], options: &ReadOptions, mut emit: impl FnMut(TextRecord<'_>)) -> Result<(), Faults> {
    let mut reader = Reader::new(text, options);
    let mut faults = Faults::default();
    while let Some(result) = reader.advance() {
        match result {
            Ok(()) => emit(reader.record()),
            Err(_) if faults.faults.len() >= options.max_faults => {
                faults.stopped = true;
                break;
            }
            Err(raw) => faults.faults.push(reader.fault(*raw)),
        }
    }
    if faults.faults.is_empty() && !faults.stopped {
        Ok(())
    } else {
        Err(faults)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::print::write_record;

    /// Each record as text, each fault as its line, column and reason.
    fn read(text: impl AsRef<[u8]>) -> Vec<String> {
        let options = ReadOptions::new("Example.".parse().unwrap());
        let mut reader = Reader::new(text.as_ref(), &options);
        let mut lines = Vec::new();
        while let Some(result) = reader.next_record() {
            lines.push(match result {
                Ok(record) => {
                    let mut out = Vec::new();
                    write_record(
                        record.owner,
                        record.ttl,
                        Class::IN,
                        record.rtype,
                        record.rdata,
                        &mut out,
                    );
                    let text = String::from_utf8(out).unwrap();
                    let words: Vec<_> = text.split_whitespace().collect();
                    format!("{} {}", record.line, words.join(" "))
                }
                Err(fault) => format!("{}:{} {}", fault.line, fault.column, fault.reason),
            });
        }
        lines
    }

    #[track_caller]
    fn one_fault(text: &str, line: u32, column: u32, reason: &Reason) {
        assert_eq!(read(text), [format!("{line}:{column} {reason}")], "{text:?}");
    }

    #[test]
    fn ttl_and_class_in_either_order_and_inherited() {
        let text = "$TTL 1h\na 60 IN A 192.0.2.1\n IN 1m A 192.0.2.2\n 5 A 192.0.2.3\n in A 192.0.2.4\n A 192.0.2.5\n";
        assert_eq!(
            read(text),
            [
                "2 a.Example. 60 IN A 192.0.2.1",
                "3 a.Example. 60 IN A 192.0.2.2",
                "4 a.Example. 5 IN A 192.0.2.3",
                "5 a.Example. 3600 IN A 192.0.2.4",
                "6 a.Example. 3600 IN A 192.0.2.5",
            ]
        );
        // Without $TTL the last stated one is inherited (RFC 1035 5.1).
        assert_eq!(
            read("a 60 A 192.0.2.1\nb A 192.0.2.2"),
            ["1 a.Example. 60 IN A 192.0.2.1", "2 b.Example. 60 IN A 192.0.2.2"]
        );
    }

    #[test]
    fn a_soa_record_without_ttl_takes_its_minimum() {
        let text = "@ SOA ns h 1 2 3 4 77\n NS ns\nx 5 A 192.0.2.1\n A 192.0.2.2";
        let ttls: Vec<_> = read(text)
            .iter()
            .map(|line| line.split(' ').nth(2).unwrap().to_owned())
            .collect();
        assert_eq!(ttls, ["77", "77", "5", "77"]);
        one_fault("a A 192.0.2.1", 1, 3, &Reason::NoTtl);
    }

    #[test]
    fn comments_blank_lines_parentheses_line_ends_and_byte_order_mark() {
        let text = "\u{feff}; head\r\n\r\n  ; x\n\t\n$ORIGIN sub\r\na 1 ( IN ; c )\r\n\n TXT \"(;\" \n x ) ; end\r\n@ 1 A 192.0.2.1";
        assert_eq!(
            read(text),
            [
                "6 a.sub.Example. 1 IN TXT \"(;\" \"x\"",
                "10 sub.Example. 1 IN A 192.0.2.1"
            ]
        );
        assert_eq!(read("\u{feff}a 1 A 192.0.2.1"), ["1 a.Example. 1 IN A 192.0.2.1"]);
        assert_eq!(read(""), [""; 0]);
    }

    #[test]
    fn letter_case_and_odd_bytes_are_kept() {
        assert_eq!(
            read(b"WwW\\.x.EXAMPLE. 1 MX 1 MaiL\n\\@ 1 TXT \xc3\xa4\xff\n"),
            [
                "1 WwW\\.x.EXAMPLE. 1 IN MX 1 MaiL.Example.",
                "2 \\@.Example. 1 IN TXT \"\\195\\164\\255\""
            ]
        );
    }

    #[test]
    fn a_line_without_type_is_a_fault() {
        one_fault("www 3600 IN\n", 1, 12, &Reason::NoType);
        one_fault("www\n", 1, 4, &Reason::NoType);
        one_fault("www 192.0.2.1\n", 1, 5, &Reason::NoType);
        one_fault("a 1 FOO x", 1, 5, &Reason::UnknownType("FOO".into()));
        one_fault("a 1 ANY x", 1, 5, &Reason::MetaType(RecordType::ANY));
        one_fault(
            "a 1 A",
            1,
            6,
            &Reason::Short {
                rtype: RecordType::A,
                expected: "an IPv4 address such as 192.0.2.1",
            },
        );
    }

    #[test]
    fn faults_of_the_head() {
        one_fault(" 1 A 192.0.2.1", 1, 2, &Reason::NoOwner);
        one_fault("a 1 2 A 192.0.2.1", 1, 5, &Reason::Repeated("TTL"));
        one_fault("a 1 IN IN A 192.0.2.1", 1, 8, &Reason::Repeated("class"));
        let wrong = Reason::WrongClass {
            found: Class::CH,
            zone: Class::IN,
        };
        one_fault("a 1 CH A 192.0.2.1", 1, 5, &wrong);
        one_fault("a 2147483648 A 192.0.2.1", 1, 3, &Reason::TtlTooLarge);
        one_fault(
            "a..b 1 A 192.0.2.1\n 1 A 192.0.2.1",
            1,
            1,
            &Reason::Name(dnssec_sign::NameError::EmptyLabel),
        );
        one_fault("\"a\" 1 A 192.0.2.1", 1, 2, &Reason::Quoted);
        let outside = Reason::OutOfZone {
            name: "b.test.".parse().unwrap(),
            origin: "Example.".parse().unwrap(),
        };
        one_fault("b.test. 1 A 192.0.2.1\n 2 A 192.0.2.2\n", 1, 1, &outside);
    }

    #[test]
    fn reading_goes_on_behind_a_fault() {
        let text = "a 1 A x\nb 1 A 192.0.2.1\nc 1 TXT \"open\nd 1 A 192.0.2.2\n";
        let lines = read(text);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], "2 b.Example. 1 IN A 192.0.2.1");
        assert!(lines[2].starts_with("3:9 "), "{}", lines[2]);
        assert_eq!(lines[3], "4 d.Example. 1 IN A 192.0.2.2");
    }

    #[test]
    fn columns_are_characters() {
        one_fault("a 1 TXT ü \"ö", 1, 11, &Reason::OpenQuote);
        let fault = parse_records("a 1 A ü.ö x".as_bytes(), &ReadOptions::new(Name::root()), |_| {}).unwrap_err();
        assert_eq!((fault.faults[0].column, fault.faults[0].width), (7, 3));
    }

    #[test]
    fn directives() {
        one_fault("$FOO x\n", 1, 1, &Reason::UnknownDirective("$FOO".into()));
        one_fault("$INCLUDE file\n", 1, 10, &Reason::IncludeHere);
        one_fault(
            "$TTL\n",
            1,
            5,
            &Reason::Usage("$TTL SECONDS, or with units such as 1h30m"),
        );
        assert_eq!(read("$ORIGIN a b\nx 1 A 192.0.2.1").len(), 2);
        assert_eq!(
            read("$TTL 9\n$GENERATE 1-2 h$ A 192.0.2.$\nz A 192.0.2.3\n"),
            [
                "2 h1.Example. 9 IN A 192.0.2.1",
                "2 h2.Example. 9 IN A 192.0.2.2",
                "3 z.Example. 9 IN A 192.0.2.3"
            ]
        );
        one_fault(
            "$GENERATE 1-9 h$ 1 A 192.0.2.x$\n",
            1,
            1,
            &Reason::Expected("an IPv4 address such as 192.0.2.1"),
        );
    }

    #[test]
    fn an_open_parenthesis_is_found_where_it_stands() {
        let lines = read("a 1 A x\n\nb 1 TXT (\n\"\n)\nc 1 TXT (\nd\n");
        let places: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(places, ["1:7", "4:1", "6:9"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_what_is_read_reads_again(
            words in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "a", "b.c.", "@", "1h", "IN", "A", "TXT", "NS", "MX", "SVCB", "RRSIG", "NSEC", "CAA", "SOA", "\\#", "192.0.2.1",
                        "10", "alpn=h2", "\"x y\"", "(", ")", "\n", "\n", "\n", ";", "\\", "\"", "$TTL", "$ORIGIN", "$GENERATE", "1-2", "$",
                        "${0,1,x}", "\\065", "issue", "20240101000000", "AAAA", "::1", "key9=a", "TYPE65280", "ab", "\r\n",
                    ]).prop_map(|word| word.as_bytes().to_vec()),
                    prop::collection::vec(any::<u8>(), 0..3),
                ],
                0..60,
            ),
        ) {
            let options = ReadOptions::new(Name::root());
            let text = words.join(&b' ');
            let mut reader = Reader::new(&text, &options);
            let mut records = Vec::new();
            let mut printed = Vec::new();
            let mut count = 0;
            while let Some(result) = reader.advance() {
                count += 1;
                prop_assert!(count <= text.len());
                if result.is_ok() {
                    let record = reader.record();
                    write_record(record.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut printed);
                    records.push((record.owner.to_name(), record.ttl, record.rtype, record.rdata.to_vec()));
                }
            }
            let mut again = Vec::new();
            let read = parse_records(&printed, &options, |record| {
                again.push((record.owner.to_name(), record.ttl, record.rtype, record.rdata.to_vec()));
            });
            prop_assert!(read.is_ok(), "{:?}", read);
            prop_assert_eq!(records, again);
        }
    }

    #[test]
    fn faults_are_counted_and_the_rest_is_left() {
        let options = ReadOptions {
            max_faults: 2,
            ..ReadOptions::new(Name::root())
        };
        let faults = parse_records(b"a\nb\n", &options, |_| {}).unwrap_err();
        assert_eq!((faults.faults.len(), faults.stopped), (2, false));
        let faults = parse_records(b"a\nb\nc\n", &options, |_| {}).unwrap_err();
        assert_eq!((faults.faults.len(), faults.stopped), (2, true));
    }
}
