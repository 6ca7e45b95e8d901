//! Zones of several files, chunks and sorted runs: what is loaded does not depend on how it was cut.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::fault::Fault;
use crate::merge::nodes_from;
use crate::print::write_record;
use crate::reason::Reason;

/// A directory with these files; the first one is the zone.
struct Files {
    directory: TempDir,
    first: &'static str,
}

impl Files {
    fn new(files: &[(&'static str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self {
            directory,
            first: files[0].0,
        }
    }

    fn load(&self, change: impl FnOnce(&mut LoadOptions)) -> Result<Loaded, Error> {
        let mut options = LoadOptions::new("example.".parse().unwrap());
        change(&mut options);
        load(&self.directory.path().join(self.first), &options)
    }

    /// `source:line record` of each record in canonical order, white space made single.
    fn records(&self, chunk_size: usize) -> Vec<String> {
        let records = |reading| {
            let loaded = self.load(|options| {
                options.chunk_size = Some(chunk_size);
                options.reading = reading;
            });
            list(&loaded.unwrap())
        };
        let mapped = records(Reading::Map);
        assert_eq!(records(Reading::Read), mapped);
        mapped
    }

    /// `file:line:column: reason` of each fault.
    fn faults(&self, change: impl FnOnce(&mut LoadOptions)) -> Vec<String> {
        match self.load(change) {
            Err(Error::Syntax(faults)) => {
                let prefix = format!("{}/", self.directory.path().display());
                let text = |fault: &Fault| {
                    fault
                        .to_string()
                        .lines()
                        .next()
                        .unwrap()
                        .replace(&prefix, "")
                        .replace(" error: ", " ")
                };
                faults.faults.iter().map(text).collect()
            }
            other => panic!("faults were expected, not {other:?}"),
        }
    }
}

fn list(loaded: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
    while let Some(node) = nodes.next_node() {
        for record in node.records {
            let mut out = Vec::new();
            write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
            let text = String::from_utf8(out).unwrap();
            let words: Vec<_> = text.split_whitespace().collect();
            lines.push(format!(
                "{}:{} {}",
                record.locus.source,
                record.locus.line,
                words.join(" ")
            ));
        }
    }
    assert_eq!(lines.len() as u64, loaded.records);
    lines
}

const ZONE: &str = "\u{feff}; no $TTL here: each TTL comes from the record before
@ IN SOA ns hostmaster ( 1 ; serial (
   2 3 4 300 )
  NS ns ; (

b 60 TXT \"(\" \"\\\"(\"
   A 192.0.2.1
a TXT x$y ( \"
(unclosed
c.a A 192.0.2.2
";

#[test]
fn a_fault_in_every_place_is_reported_once() {
    let files = Files::new(&[("zone", ZONE)]);
    for chunk_size in [1, 10, 1000] {
        let faults = files.faults(|options| options.chunk_size = Some(chunk_size));
        assert!(faults[0].starts_with("zone:8:13: a quoted string"), "{faults:?}");
        assert!(faults.len() <= 2, "{faults:?}");
    }
}

const GOOD: &str = "\u{feff}; no $TTL here: each TTL comes from the record before
@ IN SOA ns hostmaster ( 1 ; serial (
   2 3 4 300 )
  NS ns ; (

b 60 TXT \"(\" \"\\\"(\"
   A 192.0.2.1
a TXT x$y ( \"(\"
  unclosed )
c.a A 192.0.2.2
$ORIGIN d
e 70 NS \\$x
f NS (
 a ) 
$ORIGIN example.
$GENERATE 1-3 g$ A 192.0.2.$
z TXT \"$ORIGIN x\" ; $TTL 1
$TTL 5
y TXT y
 2 NS y";

#[test]
fn chunks_of_any_size_give_the_same_records() {
    let files = Files::new(&[("zone", GOOD)]);
    let whole = files.records(1 << 20);
    assert_eq!(
        whole,
        [
            "0:4 example. 300 IN NS ns.example.",
            "0:2 example. 300 IN SOA ns.example. hostmaster.example. 1 2 3 4 300",
            "0:8 a.example. 300 IN TXT \"x$y\" \"(\" \"unclosed\"",
            "0:10 c.a.example. 300 IN A 192.0.2.2",
            "0:7 b.example. 300 IN A 192.0.2.1",
            "0:6 b.example. 60 IN TXT \"(\" \"\\\"(\"",
            "0:12 e.d.example. 70 IN NS \\$x.d.example.",
            "0:13 f.d.example. 300 IN NS a.d.example.",
            "0:16 g1.example. 300 IN A 192.0.2.1",
            "0:16 g2.example. 300 IN A 192.0.2.2",
            "0:16 g3.example. 300 IN A 192.0.2.3",
            "0:20 y.example. 2 IN NS y.example.",
            "0:19 y.example. 5 IN TXT \"y\"",
            "0:17 z.example. 300 IN TXT \"$ORIGIN\" \"x\"",
        ]
        .map(|line| line.replace("\"$ORIGIN\" \"x\"", "\"$ORIGIN x\""))
    );
    for chunk_size in 0..GOOD.len() + 2 {
        assert_eq!(files.records(chunk_size), whole, "{chunk_size}");
    }
}

#[test]
fn without_a_default_the_last_stated_ttl_crosses_borders() {
    let text = "@ 9 SOA ns h 1 2 3 4 5\na 10 A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\nd 11 A 192.0.2.4\n A 192.0.2.5\ne A 192.0.2.6\n";
    let files = Files::new(&[("zone", text)]);
    let whole = files.records(1 << 20);
    assert!(
        whole[4].contains(" 11 ") && whole[3].contains("c.example. 10 "),
        "{whole:?}"
    );
    for chunk_size in 0..text.len() {
        assert_eq!(files.records(chunk_size), whole);
    }
    let files = Files::new(&[("zone", "a A 192.0.2.1\nb A 192.0.2.2\nc 1 A 192.0.2.3\n")]);
    assert_eq!(
        files.faults(|options| options.chunk_size = Some(1))[0],
        format!("zone:1:3: {}", Reason::NoTtl)
    );
}

#[test]
fn included_files_keep_the_order_and_give_origin_and_owner_back() {
    let zone = "$TTL 60\n@ SOA ns h 1 2 3 4 5\nx A 192.0.2.1\n$INCLUDE inner sub ; comment\n   A 192.0.2.2\n$include \"inner\"\ny A 192.0.2.3\n";
    let inner = "w A 192.0.2.9\n$ORIGIN deep\nv A 192.0.2.9\n$INCLUDE innermost\nu A 192.0.2.9";
    let innermost = "$TTL 70\nt A 192.0.2.9";
    let files = Files::new(&[("zone", zone), ("inner", inner), ("innermost", innermost)]);
    let whole = files.records(1 << 20);
    assert_eq!(
        whole,
        [
            "0:2 example. 60 IN SOA ns.example. h.example. 1 2 3 4 5",
            "4:2 t.deep.example. 70 IN A 192.0.2.9",
            "3:5 u.deep.example. 70 IN A 192.0.2.9",
            "3:3 v.deep.example. 70 IN A 192.0.2.9",
            "2:2 t.deep.sub.example. 70 IN A 192.0.2.9",
            "1:5 u.deep.sub.example. 70 IN A 192.0.2.9",
            "1:3 v.deep.sub.example. 60 IN A 192.0.2.9",
            "1:1 w.sub.example. 60 IN A 192.0.2.9",
            "3:1 w.example. 70 IN A 192.0.2.9",
            "0:3 x.example. 60 IN A 192.0.2.1",
            "0:5 x.example. 70 IN A 192.0.2.2",
            "0:7 y.example. 70 IN A 192.0.2.3",
        ]
    );
    for chunk_size in 0..zone.len() {
        assert_eq!(files.records(chunk_size), whole);
    }
    let loaded = files.load(|_| {}).unwrap();
    assert!(loaded.source_name(4).ends_with("innermost"));
    assert_eq!(loaded.source_names().count(), 5);
    loaded.check_unchanged().unwrap();
}

#[test]
fn includes_that_cannot_be_followed() {
    let files = Files::new(&[
        ("zone", "$INCLUDE other\n$INCLUDE none\n$INCLUDE\n"),
        ("other", "$INCLUDE zone"),
    ]);
    let faults = files.faults(|_| {});
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("other:1:10: ") && faults[0].ends_with("includes itself"));
    assert!(faults[1].starts_with("zone:2:10: "), "{faults:?}");
    assert!(faults[2].starts_with("zone:3:9: "), "{faults:?}");
    let names: Vec<String> = (0..20).map(|at| format!("f{at}")).collect();
    let directory = tempfile::tempdir().unwrap();
    for (at, name) in names.iter().enumerate() {
        fs::write(directory.path().join(name), format!("$INCLUDE f{}\n", at + 1)).unwrap();
    }
    let options = LoadOptions::new(Name::root());
    match load(&directory.path().join("f0"), &options) {
        Err(Error::Syntax(faults)) => assert_eq!(faults.faults[0].reason, Reason::IncludeDepth(16)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn faults_come_in_the_order_of_the_input_and_are_limited() {
    let text: String = (0..100)
        .map(|at| format!("n{at} 1 A x\nm{at} 1 A 192.0.2.1\n"))
        .collect();
    let files = Files::new(&[("zone", &text)]);
    for chunk_size in [1, 100, 100_000] {
        let faults = files.faults(|options| {
            options.chunk_size = Some(chunk_size);
            options.max_faults = 7;
        });
        let lines: Vec<_> = faults
            .iter()
            .map(|fault| fault.split(':').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(lines, ["1", "3", "5", "7", "9", "11", "13"]);
    }
}

#[test]
fn records_at_fault_are_left_out_where_that_is_asked_for() {
    let text = "a A 192.0.2.1\nb A 192.0.2.2\nc 1 A 192.0.2.3\nd A x\ne A 192.0.2.5\n";
    let files = Files::new(&[("zone", text)]);
    for chunk_size in [1, 20, 1000] {
        let load = |most| {
            files.load(|options| {
                options.chunk_size = Some(chunk_size);
                options.on_fault = OnFault::Skip;
                options.max_faults = most;
            })
        };
        let loaded = load(5).unwrap();
        assert_eq!(
            list(&loaded),
            ["0:3 c.example. 1 IN A 192.0.2.3", "0:5 e.example. 1 IN A 192.0.2.5"],
            "{chunk_size}"
        );
        assert!(!loaded.faults.stopped && loaded.faults.faults.len() >= 2);
        assert!(matches!(load(1), Err(Error::Syntax(faults)) if faults.stopped));
    }
}

#[test]
fn owners_out_of_the_zone_are_refused_or_kept() {
    let files = Files::new(&[("zone", "@ 1 NS ns\nother. 1 NS ns\n")]);
    assert_eq!(files.faults(|_| {}), ["zone:2:1: other. is out of zone example."]);
    let loaded = files.load(|options| options.outside = Outside::Keep).unwrap();
    assert_eq!(
        list(&loaded),
        ["0:1 example. 1 IN NS ns.example.", "0:2 other. 1 IN NS ns.example."]
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Path::new("no/such/zone"), &LoadOptions::new(Name::root())).unwrap_err();
    assert!(error.to_string().starts_with("no/such/zone: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_alike_in_chunks_of_any_size(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "a A 192.0.2.1", "b 5 A 192.0.2.2", " A 192.0.2.3", "c TXT \"(\" ( x", " y ) ; z", "$ORIGIN d", "$TTL 7",
                "e TXT \";\" \"\\\"", "", " ; (", "f NS $x", "$ORIGIN example.", "g TXT \\(", "\t7 NS n\\\\", ")", "h NS \\", "@ SOA a b 1 2 3 4 5",
            ]),
            0..20,
        ),
        chunk_size in 1usize..60,
    ) {
        let text = format!("{}\n", lines.join("\n"));
        let files = Files::new(&[("zone", &text)]);
        let load = |chunk_size: usize, reading| {
            files.load(|options| {
                options.chunk_size = Some(chunk_size);
                options.reading = reading;
            })
        };
        let mapped = load(chunk_size, Reading::Map);
        match (&mapped, load(chunk_size, Reading::Read)) {
            (Ok(mapped), Ok(read)) => prop_assert_eq!(list(mapped), list(&read)),
            (Err(Error::Syntax(mapped)), Err(Error::Syntax(read))) => prop_assert_eq!(mapped, &read),
            (mapped, read) => prop_assert!(false, "{:?} {:?}", mapped, read),
        }
        match (load(1 << 20, Reading::Map), mapped) {
            (Ok(whole), Ok(cut)) => prop_assert_eq!(list(&whole), list(&cut)),
            (Err(Error::Syntax(whole)), Err(Error::Syntax(cut))) => prop_assert_eq!(&whole.faults[0], &cut.faults[0]),
            (whole, cut) => prop_assert!(false, "{:?} {:?}", whole, cut),
        }
    }
}
