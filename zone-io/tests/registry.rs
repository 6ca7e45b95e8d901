//! The table of types and that of SvcParamKeys against IANA's registries, which stand in `registry.txt`: nothing that is
//! registered is missing, and nothing is known that is not registered. What the data looks like is in `types.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]

use std::collections::BTreeMap;

use dnssec_sign::{RecordType, rdata};
use zone_io::{Mnemonics, ReadOptions, parse_records, write_rdata};

/// The columns of each line, those of keys or those of types.
fn rows(keys: bool) -> Vec<Vec<&'static str>> {
    let lines = include_str!("registry.txt").lines();
    let stated = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    stated
        .map(|line| line.split(" | ").collect::<Vec<_>>())
        .filter(|columns| (columns[0] == "key") == keys)
        .collect()
}

#[test]
fn the_types_are_those_of_the_registry() {
    let mut registered = BTreeMap::new();
    for columns in rows(false) {
        let [number, mnemonic, kind, source] = columns[..] else {
            panic!("{columns:?}");
        };
        assert!(
            !source.is_empty() && ["text", "generic", "meta"].contains(&kind),
            "{columns:?}"
        );
        let twice = registered.insert(number.parse::<u16>().unwrap(), (mnemonic, kind));
        assert_eq!(twice, None, "{number}");
    }
    assert_eq!(registered.len(), 99);
    for rtype in (0..=u16::MAX).map(RecordType) {
        let known = rtype.mnemonic().map(|mnemonic| {
            let kind = match (rtype.is_meta(), rdata::fields(rtype).is_some(), rdata::has_text(rtype)) {
                (true, false, false) => "meta",
                (false, true, true) => "text",
                (false, true, false) => "generic",
                other => panic!("{rtype}: {other:?}"),
            };
            (mnemonic, kind)
        });
        assert_eq!(known.as_ref(), registered.get(&rtype.0), "type {}", rtype.0);
    }
}

/// The wire form of SvcParams.
fn params(text: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let options = ReadOptions::new("example.".parse().unwrap());
    parse_records(format!("x 60 SVCB 1 . {text}\n").as_bytes(), &options, |record| {
        found.extend_from_slice(&record.rdata[3..]);
    })
    .unwrap_or_else(|faults| panic!("{text}: {faults}"));
    found
}

#[test]
fn the_service_parameter_keys_are_those_of_the_registry() {
    let registered = rows(true);
    for (at, columns) in registered.iter().enumerate() {
        let [_, number, name, text, _] = columns[..] else {
            panic!("{columns:?}");
        };
        assert_eq!(number.parse(), Ok(at), "{columns:?}");
        let wire = params(text);
        // By its name and by its number it is the same key; others it needs stand behind it or before it.
        let wanted = number.parse::<u16>().unwrap();
        let keys = |wire: &[u8]| {
            let (mut keys, mut rest) = (Vec::new(), wire.to_vec());
            while let [high, low, length_high, length_low, ..] = rest[..] {
                keys.push(u16::from_be_bytes([high, low]));
                rest.drain(..4 + usize::from(u16::from_be_bytes([length_high, length_low])));
            }
            keys
        };
        assert!(keys(&wire).contains(&wanted), "{columns:?}");
        let mut printed = Vec::new();
        write_rdata(
            RecordType::SVCB,
            &[b"\0\x01\0", &wire[..]].concat(),
            Mnemonics::All,
            &mut printed,
        );
        let printed = String::from_utf8(printed).unwrap();
        let named = |word: &str| word.split('=').next() == Some(name);
        assert!(printed.split(' ').any(named), "{printed}");
        assert_eq!(params(printed.strip_prefix("1 . ").unwrap()), wire);
    }
    // Every other number is written as such; 65535 is reserved as no key (RFC 9460 14.3.2).
    for number in registered.len()..65535 {
        let text = format!("key{number}=x");
        let wire = params(&text);
        assert_eq!(wire[..2], u16::try_from(number).unwrap().to_be_bytes());
        let mut printed = Vec::new();
        write_rdata(
            RecordType::SVCB,
            &[b"\0\x01\0", &wire[..]].concat(),
            Mnemonics::All,
            &mut printed,
        );
        assert_eq!(String::from_utf8(printed).unwrap(), format!("1 . key{number}=\"x\""));
    }
}
