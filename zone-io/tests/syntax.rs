//! The syntax of master files point by point: RFC 1035 5, 2308 4, 3597 5, 9460 2.1, and BIND's $GENERATE and TTL units;
//! each text with what becomes of it, whole and in chunks of every size. What types look like is in `types.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]

use dnssec_sign::Class;
use zone_io::{Error, LoadOptions, Loaded, ReadOptions, Reader, Reason, load, nodes_from, write_record};

/// Each record in the order of the text, blanks made single; `! REASON` for a fault.
fn read(text: &[u8]) -> Vec<String> {
    let options = ReadOptions::new("Example.".parse().unwrap());
    let mut reader = Reader::new(text, &options);
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
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            }
            Err(fault) => format!("! {}", fault.reason),
        });
    }
    lines
}

#[track_caller]
fn reads(text: impl AsRef<[u8]>, expected: &[&str]) {
    assert_eq!(read(text.as_ref()), expected, "{}", text.as_ref().escape_ascii());
}

#[track_caller]
fn refuses(text: impl AsRef<[u8]>, reason: &Reason) {
    reads(text, &[&format!("! {reason}")]);
}

#[test]
fn line_ends_and_the_ends_of_the_text() {
    let one = ["a.Example. 1 IN A 192.0.2.1"];
    for text in [
        "a 1 A 192.0.2.1",
        "a 1 A 192.0.2.1\n",
        "a 1 A 192.0.2.1\r\n",
        "a 1 A 192.0.2.1\r",
        "\u{feff}a 1 A 192.0.2.1",
        "a 1 A 192.0.2.1 ; no line break",
        "a 1 A 192.0.2.1;touching",
        "\r\n\n \t\r\n; x\r\na 1 A (192.0.2.1\r\n)\r\n",
        "a\t1\tA\t192.0.2.1\t",
    ] {
        reads(text, &one);
    }
    reads("", &[]);
    reads("\u{feff}", &[]);
    refuses("a 1 A 192.0.2.1 \r x", &Reason::StrayReturn);
}

#[test]
fn bytes_of_every_kind_in_names_and_strings() {
    reads(
        b"a\xc3\xa4 1 TXT \xff\x00\x01",
        &["a\\195\\164.Example. 1 IN TXT \"\\255\\000\\001\""],
    );
    reads(b"a\\000b 1 TXT \"\x00\"", &["a\\000b.Example. 1 IN TXT \"\\000\""]);
    reads(
        "a\\.b 1 NS \\046.c\\046d",
        &["a\\.b.Example. 1 IN NS \\..c\\.d.Example."],
    );
    reads(
        b"\x00\xff\x7f 1 NS \x80.\x01",
        &["\\000\\255\\127.Example. 1 IN NS \\128.\\001.Example."],
    );
    // Only the first three bytes of a text can be a byte order mark.
    reads(
        "a 1 TXT x\n\u{feff}b 1 TXT y\n",
        &["a.Example. 1 IN TXT \"x\"", "\\239\\187\\191b.Example. 1 IN TXT \"y\""],
    );
    reads("\\@ 1 NS \\@", &["\\@.Example. 1 IN NS \\@.Example."]);
    reads("\\$ORIGIN 1 NS $x", &["\\$ORIGIN.Example. 1 IN NS \\$x.Example."]);
    reads(
        "a\\;b 1 TXT a\\;b \"a;b\"",
        &["a\\;b.Example. 1 IN TXT \"a;b\" \"a;b\""],
    );
    reads(
        "a\\(b\\) 1 TXT \\\" \"\\\"\"",
        &["a\\(b\\).Example. 1 IN TXT \"\\\"\" \"\\\"\""],
    );
    reads("a 1 TXT \"\\097\\b\\\\\"", &["a.Example. 1 IN TXT \"ab\\\\\""]);
    for bad in ["a 1 TXT \\256", "a 1 TXT \\25", "a 1 TXT \"\\2\"", "a 1 TXT \\999"] {
        refuses(bad, &Reason::BadEscape);
    }
}

#[test]
fn the_longest_labels_and_names() {
    let label = "l".repeat(63);
    let owner = format!("{label}.{label}.{label}.{}.", "m".repeat(61));
    reads(
        format!("{label} 1 NS {label}\n"),
        &[&format!("{label}.Example. 1 IN NS {label}.Example.")],
    );
    assert_eq!(
        read(format!("a 1 NS {owner}").as_bytes()),
        [format!("a.Example. 1 IN NS {owner}")]
    );
    let long = format!("a 1 NS {label}.{label}.{label}.{}.", "m".repeat(62));
    assert!(read(long.as_bytes())[0].starts_with("! "), "256 bytes");
    assert!(
        read(format!("a 1 NS l{label}").as_bytes())[0].starts_with("! "),
        "64 bytes"
    );
    // The origin counts too.
    let relative = format!("a 1 NS {label}.{label}.{label}.{}", "m".repeat(53));
    assert!(!read(relative.as_bytes())[0].starts_with("! "), "255 bytes");
    assert!(
        read(format!("{relative}m").as_bytes())[0].starts_with("! "),
        "256 bytes"
    );
    let escaped = format!("{} 1 NS b", "\\108".repeat(63));
    assert_eq!(
        read(escaped.as_bytes()),
        [format!("{label}.Example. 1 IN NS b.Example.")]
    );
    let string = "s".repeat(255);
    assert!(!read(format!("a 1 TXT {string}").as_bytes())[0].starts_with("! "));
    refuses(format!("a 1 TXT s{string}"), &Reason::StringTooLong);
}

#[test]
fn ttl_and_class() {
    for (text, ttl) in [
        ("1", "1"),
        ("1h", "3600"),
        ("1H30M", "5400"),
        ("1w2d3h4m5s", "788645"),
        ("0", "0"),
        ("2147483647", "2147483647"),
    ] {
        reads(
            format!("a {text} IN NS b"),
            &[&format!("a.Example. {ttl} IN NS b.Example.")],
        );
        reads(
            format!("a IN {text} NS b"),
            &[&format!("a.Example. {ttl} IN NS b.Example.")],
        );
        reads(
            format!("$TTL {text}\na NS b"),
            &[&format!("a.Example. {ttl} IN NS b.Example.")],
        );
    }
    refuses("a 2147483648 NS b", &Reason::TtlTooLarge);
    refuses("a 1x NS b", &Reason::BadTtl);
    reads("a 1 CLASS1 NS b", &["a.Example. 1 IN NS b.Example."]);
    let (found, zone) = (Class::CH, Class::IN);
    refuses("a 1 CLASS3 NS b", &Reason::WrongClass { found, zone });
    // RFC 2308 4: $TTL holds for what follows it, and a stated TTL for its record alone.
    reads(
        "$TTL 5\na NS b\nc 6 NS d\ne NS f\n$TTL 7\ng NS h",
        &[
            "a.Example. 5 IN NS b.Example.",
            "c.Example. 6 IN NS d.Example.",
            "e.Example. 5 IN NS f.Example.",
            "g.Example. 7 IN NS h.Example.",
        ],
    );
    // Names that could be types, classes or TTLs.
    reads(
        "IN 1 NS A\nA 1 NS 5\n5 1 NS IN",
        &[
            "IN.Example. 1 IN NS A.Example.",
            "A.Example. 1 IN NS 5.Example.",
            "5.Example. 1 IN NS IN.Example.",
        ],
    );
}

#[test]
fn generate_as_bind_has_it() {
    let owners = |text: &str| {
        let lines = read(format!("$GENERATE {text} 1 NS x\n").as_bytes());
        let owner = |line: &String| {
            line.strip_suffix(".Example. 1 IN NS x.Example.")
                .unwrap_or(line)
                .to_owned()
        };
        lines.iter().map(owner).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(owners("1-3 a$"), "a1 a2 a3");
    assert_eq!(owners("0-6/3 $"), "0 3 6");
    assert_eq!(owners("8-11 ${0,3,d}"), "008 009 010 011");
    assert_eq!(owners("8-9 ${2,0,o}"), "12 13");
    assert_eq!(owners("29-30 ${1,4,x}-${1,4,X}"), "001e-001E 001f-001F");
    assert_eq!(owners("9-9 ${-9}"), "0");
    assert_eq!(owners("291-291 ${0,5,n}"), "3.2.1");
    assert_eq!(owners("171-171 ${0,3,n}-${0,3,N}"), "b.a-B.A");
    assert_eq!(owners("1-1 ${0,7,n}"), "1.0.0.0");
    assert_eq!(owners("1-1 a$$b"), "a\\$b");
    assert_eq!(owners("1-1 a\\$b"), "a\\$b");
    reads(
        "$GENERATE 1-2 $ 5 IN TXT \"a $\"\n",
        &["1.Example. 5 IN TXT \"a\" \"1\"", "2.Example. 5 IN TXT \"a\" \"2\""],
    );
    for bad in [
        "3-1 a$",
        "1-2/0 a$",
        "a-b a$",
        "1 a$",
        "1-2 a${0,256}",
        "1-2 a${0,1,z}",
        "1-2 a${",
    ] {
        assert!(owners(bad).starts_with("! "), "{bad}");
    }
    for text in [
        "\n\n$GENERATE 1-2 a$ 1 NS x",
        "\n\n$GENERATE 1-2 ( a$ 1\n NS x )\nb 1 NS x",
    ] {
        let options = ReadOptions::new("Example.".parse().unwrap());
        let mut reader = Reader::new(text.as_bytes(), &options);
        for _ in 0..2 {
            assert_eq!(reader.next_record().unwrap().unwrap().line, 3, "{text}");
        }
    }
    let many = read(b"$GENERATE 0-4294967295 a$ 1 NS x");
    assert!(
        many.len() == 1 && many[0].contains("$GENERATE of more than"),
        "{many:?}"
    );
}

#[test]
fn rfc_3597_and_9460() {
    reads("a 1 TYPE1 \\# 4 c0000201", &["a.Example. 1 IN A 192.0.2.1"]);
    reads(
        "a 1 CLASS1 TYPE65280 \\# ( 3 0a ; x\n 0b0c )",
        &["a.Example. 1 IN TYPE65280 \\# 3 0A0B0C"],
    );
    reads("a 1 TYPE65280 \\# 0", &["a.Example. 1 IN TYPE65280 \\# 0"]);
    reads(
        "a 1 SVCB 1 b alpn=\"f\\\\\\\\oo\\\\,bar,h2\" key9999=\"a\\032b\"",
        &["a.Example. 1 IN SVCB 1 b.Example. alpn=\"f\\\\\\\\oo\\\\,bar,h2\" key9999=\"a b\""],
    );
}

fn list(loaded: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
    while let Some(node) = nodes.next_node() {
        for record in node.records {
            let mut out = Vec::new();
            write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
            lines.push(format!("{} {}", record.locus.line, String::from_utf8(out).unwrap()));
        }
    }
    lines
}

#[test]
fn borders_of_chunks_in_every_place() {
    let long = format!("{}.{}", "n".repeat(63), "o".repeat(63));
    let text = format!(
        "\u{feff}$TTL 1h ; ( \"\r\n@ SOA ns h ( 1 ; )\r\n 2 3\n\n 4 5 )\n{long} NS {long} ; ( \" \\\n  TXT \"; (\" \\; \\( \"\\\"\"\n\
         a\\.b\\(c NS ns\n; $ORIGIN x\n$ORIGIN Sub\n$TTL 5\nq TXT ( \"a\n\" )\n"
    );
    // A string over a line's end is a fault; without it every border gives the same records and warnings.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zone");
    let load_in = |text: &str, size: Option<usize>| {
        std::fs::write(&path, text).unwrap();
        let mut options = LoadOptions::new("example.".parse().unwrap());
        options.chunk_size = size;
        load(&path, &options)
    };
    let place = |result: Result<Loaded, Error>| match result {
        Err(Error::Syntax(faults)) => (faults.faults[0].line, faults.faults[0].column),
        other => panic!("{other:?}"),
    };
    let whole = place(load_in(&text, None));
    assert_eq!(whole, (12, 9));
    let good = text.replace(
        "( \"a\n\" )",
        "( \"a\"\n \"b.example\" )\nb.example NS c.example\nd.e NS d.e\n",
    );
    let expected = load_in(&good, None).unwrap();
    let lines = list(&expected);
    assert_eq!((lines.len(), expected.warnings.total()), (7, 2));
    for size in 0..good.len() + 2 {
        assert_eq!(place(load_in(&text, Some(size))), whole, "{size}");
        let cut = load_in(&good, Some(size)).unwrap();
        assert_eq!(list(&cut), lines, "{size}");
        assert_eq!(cut.warnings, expected.warnings, "{size}");
    }
}

#[test]
fn warnings_do_not_depend_on_chunks() {
    let text = "@ 9 SOA ns.a.b h 1 2 3 4 5\n@ NS ns.a.b\nx.A.b 4 NS y\n\ny NS c\n NS d.a.b\nz 3 NS e\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zone");
    std::fs::write(&path, text).unwrap();
    let warnings = |size| {
        let mut options = LoadOptions::new("a.b.".parse().unwrap());
        options.chunk_size = size;
        load(&path, &options).unwrap().warnings
    };
    let whole = warnings(None);
    assert_eq!((whole.total(), whole.kept().len()), (7, 7));
    for size in 1..text.len() {
        assert_eq!(warnings(Some(size)), whole, "{size}");
    }
}
