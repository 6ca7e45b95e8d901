//! Each type of the RDATA table three ways (text, RFC 3597 form, wire bytes), converted between all of them and compared
//! with what BIND makes of them. The types stand in `types.txt`; what they look like in whole zones is not tested here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::HEXUPPER;
use dnssec_sign::{Class, NameRef, RecordType, rdata};
use proptest::prelude::*;
use zone_io::{
    Faults, Mnemonics, OwnerLines, ReadOptions, Reason, parse_records, write_generic, write_generic_rdata, write_rdata,
};

/// One way to write a record.
struct Entry {
    rtype: RecordType,
    text: &'static str,
    canonical: &'static str,
    wire: Vec<u8>,
    bind: Bind,
}

/// What BIND makes of an entry.
#[derive(PartialEq, Eq)]
enum Bind {
    Canonical,
    Other(&'static str),
    DoesNotRead,
}

/// A text that is no data of a type.
struct Refused {
    rtype: RecordType,
    text: &'static str,
    reason: &'static str,
}

fn stated() -> (Vec<Entry>, Vec<Refused>) {
    let mut entries = Vec::new();
    let mut refused = Vec::new();
    let lines = include_str!("types.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<_> = line.trim_start_matches("! ").split(" | ").collect();
        let rtype = columns[0].parse().unwrap();
        match (line.starts_with('!'), &columns[1..]) {
            (true, &[text, reason]) => refused.push(Refused {
                rtype,
                text: if text == "-" { "" } else { text },
                reason,
            }),
            (false, &[text, canonical, wire, ref bind @ ..]) => entries.push(Entry {
                rtype,
                text,
                canonical: if canonical == "=" { text } else { canonical },
                wire: HEXUPPER.decode(wire.trim_matches('-').as_bytes()).unwrap(),
                bind: match bind {
                    [] => Bind::Canonical,
                    ["?"] => Bind::DoesNotRead,
                    ["-"] => Bind::Other(""),
                    [other] => Bind::Other(other),
                    _ => panic!("{line}"),
                },
            }),
            _ => panic!("{line}"),
        }
    }
    (entries, refused)
}

/// The wire form of the one record `x TYPE DATA`.
fn read(rtype: &str, data: &str) -> Result<Vec<u8>, Faults> {
    let mut found = Vec::new();
    let options = ReadOptions::new("example.".parse().unwrap());
    let text = format!("x 60 IN {rtype} {data}\n");
    parse_records(text.as_bytes(), &options, |record| found.push(record.rdata.to_vec()))?;
    assert_eq!(found.len(), 1, "{text}");
    Ok(found.pop().unwrap())
}

fn written(rtype: RecordType, wire: &[u8], mnemonics: Mnemonics) -> String {
    let mut out = Vec::new();
    write_rdata(rtype, wire, mnemonics, &mut out);
    String::from_utf8(out).unwrap()
}

fn generic(wire: &[u8]) -> String {
    let mut out = Vec::new();
    write_generic_rdata(wire, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn no_type_of_the_table_is_forgotten() {
    let (entries, refused) = stated();
    let table: BTreeSet<_> = (0..=u16::MAX)
        .map(RecordType)
        .filter(|rtype| rdata::fields(*rtype).is_some())
        .collect();
    assert_eq!(table, entries.iter().map(|entry| entry.rtype).collect());
    assert_eq!(table, refused.iter().map(|refused| refused.rtype).collect());
    // A type has a name, and is in the table or cannot stand in a zone.
    for rtype in (0..=u16::MAX).map(RecordType) {
        let listed = table.contains(&rtype) || (rtype.is_meta() && rtype.mnemonic().is_some());
        assert_eq!(rtype.mnemonic().is_some(), listed, "{rtype}");
    }
    // Where a type has a text, one entry is in it and is not RFC 3597 form.
    for rtype in table.into_iter().filter(|rtype| rdata::has_text(*rtype)) {
        let mut texts = entries.iter().filter(|entry| entry.rtype == rtype);
        assert!(texts.any(|entry| !entry.canonical.starts_with("\\#")), "{rtype}");
    }
}

#[test]
fn text_generic_form_and_wire_become_one_another() {
    for entry in stated().0 {
        let Entry {
            rtype,
            text,
            canonical,
            ref wire,
            ..
        } = entry;
        let name = rtype.to_string();
        let number = format!("TYPE{}", rtype.0);
        let hexadecimal = generic(wire);
        for (rtype, data) in [
            (&name, text),
            (&name, canonical),
            (&name, &hexadecimal),
            (&number, text),
            (&number, &hexadecimal),
            (&name.to_lowercase(), &hexadecimal.to_lowercase()),
        ] {
            assert_eq!(&read(rtype, data).unwrap(), wire, "{rtype} {data}");
        }
        assert_eq!(written(rtype, wire, Mnemonics::All), canonical, "{rtype} {text}");
        let portable = written(rtype, wire, Mnemonics::Portable);
        assert_eq!(&read(&number, &portable).unwrap(), wire, "{rtype} {portable}");

        let mut line = Vec::new();
        write_generic(NameRef::ROOT, 60, Class::IN, rtype, wire, &mut line);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            format!(".\t60\tCLASS1\t{number}\t{hexadecimal}\n")
        );
        assert_eq!(rdata::check(rtype, wire), Ok(()), "{rtype} {text}");
    }
}

#[test]
fn what_is_no_data_of_the_type_is_refused_with_the_reason() {
    for Refused { rtype, text, reason } in stated().1 {
        let faults = read(&rtype.to_string(), text).unwrap_err().faults;
        let reasons: Vec<_> = faults.iter().map(|fault| fault.reason.to_string()).collect();
        assert_eq!(reasons, [reason], "{rtype} {text}");
    }
}

#[test]
fn types_of_messages_are_refused() {
    let meta: Vec<_> = (0..=u16::MAX).map(RecordType).filter(|rtype| rtype.is_meta()).collect();
    for name in ["OPT", "NXNAME", "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY"] {
        assert!(meta.contains(&name.parse().unwrap()), "{name}");
    }
    for rtype in meta {
        for name in [rtype.to_string(), format!("TYPE{}", rtype.0)] {
            for data in ["\\# 0", "\\# 1 00", "text", ""] {
                let faults = read(&name, data).unwrap_err().faults;
                assert_eq!(faults[0].reason, Reason::MetaType(rtype), "{name} {data}");
            }
        }
    }
}

/// RFC 4034 6.2 point 3, without HINFO, which has no names, and NSEC, which RFC 6840 5.1 takes out.
const FOLDED: &[&str] = &[
    "NS", "MD", "MF", "CNAME", "SOA", "MB", "MG", "MR", "PTR", "MINFO", "MX", "RP", "AFSDB", "RT", "SIG", "PX", "NXT",
    "NAPTR", "KX", "SRV", "DNAME", "A6", "RRSIG",
];

#[test]
fn canonical_form_folds_the_names_of_the_listed_types_only() {
    let mut folded = BTreeSet::new();
    for entry in stated().0 {
        let mut canonical = Vec::new();
        rdata::write_canonical(entry.rtype, &entry.wire, &mut canonical);
        if canonical == entry.wire {
            continue;
        }
        folded.insert(entry.rtype);
        // Nothing but letters of names changed.
        assert_eq!(canonical.len(), entry.wire.len());
        assert!(rdata::folds(entry.rtype));
        let text = written(entry.rtype, &canonical, Mnemonics::All);
        assert!(text.eq_ignore_ascii_case(entry.canonical), "{} {text}", entry.rtype);
    }
    assert_eq!(folded, FOLDED.iter().map(|name| name.parse().unwrap()).collect());
}

/// Type and data in the form for any reader.
fn portable(entry: &Entry) -> String {
    let mut line = Vec::new();
    OwnerLines::new(Class::IN).write_record(60, entry.rtype, &entry.wire, &mut line);
    let line = String::from_utf8(line).unwrap();
    line.trim_start_matches(".\t60\tIN\t").trim_end().to_owned()
}

/// The texts of the owners x0, x1 … in a zone of these records, as BIND's normaliser prints them, or what it says.
fn bind(folder: &Path, records: &[String]) -> Result<Vec<String>, String> {
    let mut zone = "$ORIGIN example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n".to_owned();
    for (at, record) in records.iter().enumerate() {
        zone += &format!("x{at} IN {record}\n");
    }
    let (input, output) = (folder.join("zone"), folder.join("normal"));
    fs::write(&input, zone).unwrap();
    let run = Command::new("named-compilezone")
        .args([
            "-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-s", "full", "-o",
        ])
        .args([&output, Path::new("example."), &input])
        .output()
        .expect("named-compilezone of BIND 9 runs: install it, this test compares with it");
    if !run.status.success() {
        return Err(String::from_utf8(run.stdout).unwrap());
    }
    let mut printed = vec![String::new(); records.len()];
    for line in fs::read_to_string(output).unwrap().lines() {
        let (owner, record) = line.split_once(|byte: char| byte.is_ascii_whitespace()).unwrap();
        if let Some(at) = owner.strip_prefix('x').and_then(|rest| rest.strip_suffix(".example.")) {
            let (_, data) = record.trim_start().split_once(" IN ").unwrap();
            printed[at.parse::<usize>().unwrap()] = data.to_owned();
        }
    }
    Ok(printed)
}

/// Without blanks: BIND cuts long hexadecimal and base64 text into words.
fn joined(text: &str) -> String {
    text.split_ascii_whitespace().collect()
}

#[test]
fn bind_reads_the_same_and_prints_the_same() {
    let entries = stated().0;
    let known: Vec<_> = entries.iter().filter(|entry| entry.bind != Bind::DoesNotRead).collect();
    let folder = tempfile::tempdir().unwrap();
    let printed = |write: fn(&Entry) -> String| {
        let records: Vec<_> = known.iter().map(|entry| write(entry)).collect();
        bind(folder.path(), &records).unwrap()
    };
    let of_text = printed(|entry| format!("{} {}", entry.rtype, entry.text));
    let of_canonical = printed(|entry| format!("{} {}", entry.rtype, entry.canonical));
    let of_generic = printed(|entry| format!("TYPE{} {}", entry.rtype.0, generic(&entry.wire)));
    let of_portable = printed(portable);
    for (at, entry) in known.into_iter().enumerate() {
        let Entry { rtype, text, .. } = entry;
        assert_eq!(of_text[at], of_generic[at], "{rtype} {text}");
        assert_eq!(of_canonical[at], of_generic[at], "{rtype} {text}");
        assert_eq!(of_portable[at], of_generic[at], "{rtype} {text}");
        let expected = match entry.bind {
            Bind::Other(other) => other,
            _ => entry.canonical,
        };
        assert_eq!(
            joined(&of_text[at]),
            joined(&format!("{rtype} {expected}")),
            "{rtype} {text}"
        );
        read_back(entry, &of_text[at]);
    }
    for entry in entries.iter().filter(|entry| entry.bind == Bind::DoesNotRead) {
        let one = |record| bind(folder.path(), &[record]);
        let of_text = one(format!("{} {}", entry.rtype, entry.text));
        assert!(of_text.is_err(), "BIND reads {} {}", entry.rtype, entry.text);
        if let Ok(of_generic) = one(format!("TYPE{} {}", entry.rtype.0, generic(&entry.wire))) {
            read_back(entry, &of_generic[0]);
        }
    }
}

#[test]
fn ldns_reads_the_portable_form_the_same() {
    // It takes one SOA record, and refuses an IPSECKEY record without a key in any form, as BIND does.
    let refused = |entry: &Entry| entry.rtype == RecordType::SOA || entry.text == "10 3 0 Gw";
    let entries: Vec<_> = stated().0.into_iter().filter(|entry| !refused(entry)).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    let printed = |write: fn(&Entry) -> String| {
        let mut zone = "$ORIGIN example.\n@ 60 IN SOA ns h 1 2 3 4 5\n".to_owned();
        for (at, entry) in entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.rtype != RecordType::SOA)
        {
            zone += &format!("x{at} 60 IN {}\n", write(entry));
        }
        fs::write(&file, zone).unwrap();
        let run = Command::new("ldns-read-zone").arg(&file).output();
        let run = run.expect("ldns-read-zone of ldns runs: install it, this test compares with it");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        // It puts more than one blank between some words.
        let text = String::from_utf8(run.stdout).unwrap();
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let of_portable = printed(portable);
    let of_generic = printed(|entry| format!("TYPE{} {}", entry.rtype.0, generic(&entry.wire)));
    assert_eq!(of_generic.len(), entries.len() + 1);
    assert_eq!(of_portable, of_generic);
}

/// What BIND prints has the same bytes.
#[track_caller]
fn read_back(entry: &Entry, printed: &str) {
    let (name, data) = printed.split_once(|byte: char| byte.is_ascii_whitespace()).unwrap();
    assert_eq!(read(name, data).unwrap(), entry.wire, "{} {data}", entry.rtype);
}

/// Bytes that have a chance to be data of a type: the stated ones with changes, and any.
fn data() -> impl Strategy<Value = (RecordType, Vec<u8>)> {
    let stated: Vec<_> = stated().0.into_iter().map(|entry| (entry.rtype, entry.wire)).collect();
    let types: Vec<_> = stated.iter().map(|(rtype, _)| *rtype).collect();
    let byte = prop_oneof![any::<u8>(), 0u8..10, Just(b'\\'), Just(b'"'), Just(b','), Just(0x80)];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), byte.clone(), 0..4u8), 0..4);
    let changed = (prop::sample::select(stated), edits).prop_map(|((rtype, mut wire), edits)| {
        for (at, byte, how) in edits {
            let at = at.index(wire.len() + 1);
            match how {
                0 => wire.insert(at, byte),
                1 if at < wire.len() => drop(wire.remove(at)),
                2 => wire.truncate(at),
                _ if at < wire.len() => wire[at] = byte,
                _ => wire.push(byte),
            }
        }
        (rtype, wire)
    });
    let any = (prop::sample::select(types), prop::collection::vec(byte, 0..40));
    prop_oneof![3 => changed, 1 => any]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn data_of_any_type_is_printed_and_read_as_it_was((rtype, wire) in data()) {
        let number = format!("TYPE{}", rtype.0);
        let checked = rdata::check(rtype, &wire);
        prop_assert_eq!(read(&number, &generic(&wire)).is_ok(), checked.is_ok(), "{:?}", checked);
        for mnemonics in [Mnemonics::All, Mnemonics::Portable] {
            let text = written(rtype, &wire, mnemonics);
            prop_assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", text);
            if checked.is_ok() {
                prop_assert_eq!(&read(&number, &text).unwrap(), &wire, "{} {}", rtype, text);
            } else {
                prop_assert!(text.starts_with("\\#"), "{} {}", rtype, text);
            }
        }
    }

    #[test]
    fn what_the_parser_makes_has_the_shape_of_its_type(
        rtype in prop::sample::select(stated().0.iter().map(|entry| entry.rtype).collect::<Vec<_>>()),
        words in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(stated().0.iter().flat_map(|entry| entry.text.split(' ')).collect::<Vec<_>>()),
                1 => prop::sample::select(vec!["0", "1", "255", "65535", "-", ".", "@", "\"\"", "\\000", "a..b", "1:2", "::", "N", "1m"]),
            ],
            0..8,
        ),
    ) {
        if let Ok(wire) = read(&rtype.to_string(), &words.join(" ")) {
            prop_assert_eq!(rdata::check(rtype, &wire), Ok(()), "{} {:?}", rtype, words);
        }
    }
}
