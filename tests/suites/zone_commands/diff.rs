//! Two zones compared: what differs, what is told to be no difference, and the exit codes that scripts rely on.

use std::path::Path;

use signet_tests::{Run, Scratch, Signet};

use super::{ZONE, json};

fn diff(old: &Path, new: &Path, flags: &[&str]) -> Run {
    Signet::new("zone diff")
        .arg(old)
        .arg(new)
        .args(["-o", "example.test"])
        .args(flags)
        .run()
}

const NEW: &str = "$ORIGIN test.\n\
    example 3600 IN NS NS1.example\n\
    example 3600 IN SOA ns1.EXAMPLE hostmaster.example ( 2 2h 1h 2w 5m )\n\
    ns1.example 60 IN A 192.0.2.1\n\
    www.example 60 IN A 192.0.2.3\n\
    www.example 60 IN A 192.0.2.2\n\
    new.example 60 IN TXT \"x\"\n";

fn zones() -> (Scratch, std::path::PathBuf, std::path::PathBuf) {
    let scratch = Scratch::new();
    let old = format!("{ZONE}www 60 A 192.0.2.2\nwww 60 A 192.0.2.4\ngone 60 A 192.0.2.5\n");
    let (old, new) = (scratch.write("old", old), scratch.write("new", NEW));
    (scratch, old, new)
}

#[test]
fn changes_are_shown_record_by_record_in_canonical_order() {
    let (_scratch, old, new) = zones();
    let run = diff(&old, &new, &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let expected = format!(
        "--- {}\n+++ {}\n\
         - example.test.\t3600\tIN\tSOA\tns1.example.test. hostmaster.example.test. 1 7200 3600 1209600 300\n\
         + example.test.\t3600\tIN\tSOA\tns1.EXAMPLE.test. hostmaster.example.test. 2 7200 3600 1209600 300\n\
         - gone.example.test.\t60\tIN\tA\t192.0.2.5\n\
         + new.example.test.\t60\tIN\tTXT\t\"x\"\n\
         ~ ns1.example.test.\t3600 -> 60\tIN\tA\t; TTL of 1 records\n\
         - www.example.test.\t60\tIN\tA\t192.0.2.4\n\
         + www.example.test.\t60\tIN\tA\t192.0.2.3\n",
        old.display(),
        new.display()
    );
    assert_eq!(run.stdout, expected);
    run.says(&["1 sets added, 1 removed, 3 changed (1 in their TTL)"]);
}

#[test]
fn a_zone_is_equal_to_itself_in_any_order_and_letter_case() {
    let (scratch, old, _) = zones();
    let run = diff(&old, &old, &[]);
    assert_eq!((run.code, run.output()), (Some(0), String::new()));
    let text = Signet::new("zone format")
        .arg(&old)
        .args(["-o", "example.test"])
        .run()
        .stdout;
    let mut lines: Vec<String> = text.lines().map(str::to_uppercase).collect();
    lines.reverse();
    let shuffled = scratch.write("shuffled", lines.join("\n"));
    assert_eq!(diff(&old, &shuffled, &[]).code, Some(0));
}

#[test]
fn what_is_ignored_is_no_difference() {
    let scratch = Scratch::new();
    let old = scratch.write("old", ZONE);
    for (lines, ignore) in [
        (ZONE.replace(" 1 7200", " 9 7200"), "soa-serial"),
        (ZONE.replace("$TTL 3600", "$TTL 60"), "ttl"),
        (format!("{ZONE}x TXT a\nx TYPE65280 \\# 1 00\n"), "txt,TYPE65280"),
        (
            format!("{ZONE}@ RRSIG A 8 2 60 20370101000000 20200101000000 1 example.test. AAAA\n@ NSEC ns1 A\n"),
            "rrsig,nsec",
        ),
        (format!("{ZONE}@ NSEC ns1 A\n@ NSEC3PARAM 1 0 0 -\n"), "dnssec"),
    ] {
        let new = scratch.write("new", lines);
        assert_eq!(diff(&old, &new, &[]).code, Some(1), "{ignore}");
        let run = diff(&old, &new, &["--ignore", ignore]);
        assert_eq!((run.code, run.output()), (Some(0), String::new()), "{ignore}");
    }
    let new = scratch.write("new", ZONE.replace("hostmaster 1", "root 2"));
    assert_eq!(diff(&old, &new, &["--ignore", "soa-serial"]).code, Some(1));
}

#[test]
fn signatures_are_compared_by_what_they_cover() {
    let scratch = Scratch::new();
    let sign = |covered: &str, bytes: &str| {
        format!("@ RRSIG {covered} 8 2 3600 20370101000000 20200101000000 1 example.test. {bytes}\n")
    };
    let old = scratch.write("old", format!("{ZONE}{}{}", sign("NS", "AAAA"), sign("SOA", "AAAA")));
    let new = scratch.write("new", format!("{ZONE}{}{}", sign("SOA", "BBBB"), sign("NS", "AAAA")));
    let run = diff(&old, &new, &["--json"]);
    let report = json(&run);
    assert_eq!(report["changes"].as_array().unwrap().len(), 1, "{run:?}");
    assert_eq!(report["changes"][0]["covered"], "SOA", "{run:?}");
}

#[test]
fn json_has_the_same_changes() {
    let (_scratch, old, new) = zones();
    let run = diff(&old, &new, &["--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = json(&run);
    assert_eq!(report["equal"], false);
    assert_eq!(report["records_removed"], 3);
    let changes = report["changes"].as_array().unwrap();
    let kinds: Vec<_> = changes
        .iter()
        .map(|change| (change["owner"].as_str().unwrap(), change["change"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("example.test.", "changed"),
            ("gone.example.test.", "removed"),
            ("new.example.test.", "added"),
            ("ns1.example.test.", "changed"),
            ("www.example.test.", "changed"),
        ]
    );
    assert_eq!(changes[4]["added"][0], "192.0.2.3");
    let equal = json(&diff(&old, &old, &["--json"]));
    assert_eq!(
        (&equal["equal"], &equal["changes"]),
        (&true.into(), &serde_json::json!([]))
    );
}

#[test]
fn a_file_that_cannot_be_compared_is_not_said_to_differ() {
    let (scratch, old, _) = zones();
    let broken = scratch.write("broken", "@ 60 A x\n");
    let run = diff(&old, &broken, &[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    run.says(&["broken:1:"]);
    assert_eq!(diff(&old, &scratch.path("none"), &[]).code, Some(4));
    assert_eq!(diff(&old, &old, &["--ignore", "nonsense"]).code, Some(2));
}
