//! Zone text as we read and write it against named-compilezone and ldns: the same records from every way of writing them.

use std::path::{Path, PathBuf};

use signet_tests::judges::{ldns_read_zone, normalise};
use signet_tests::zones::{Spice, crowded, handmade, nasty};
use signet_tests::{Program, Run, Scratch, Signet, program, project};

const FILES: [(&str, &str); 2] = [("everyday.zone", "format.test."), ("types.zone", "types.test.")];

fn data(name: &str) -> PathBuf {
    project().join("tests/data/formats").join(name)
}

/// `signet zone format`, run in the file's folder as BIND's tools are, for the sake of `$INCLUDE`.
fn format(file: &Path, origin: &str, flags: &[&str]) -> Run {
    let folder = file.parent().unwrap().to_path_buf();
    Signet::new("zone format")
        .arg(file)
        .args(["-o", origin])
        .args(flags)
        .folder(folder)
        .run()
}

/// What we write of a file is, to named-compilezone, the file.
fn the_same_records(file: &Path, origin: &str, flags: &[&str]) {
    let scratch = Scratch::new();
    let run = format(file, origin, flags);
    run.succeeds();
    let ours = scratch.write("ours.zone", &run.stdout);
    let (ours, theirs) = (normalise(&ours, origin), normalise(file, origin));
    // Of two records that differ in letter case alone, BIND keeps the last and we the first.
    let (ours, theirs) = match file.ends_with("duplicates.zone") {
        true => (ours.folded(), theirs.folded()),
        false => (ours, theirs),
    };
    ours.assert_same(&theirs, &format!("{} {flags:?}", file.display()));
}

#[test]
fn every_way_of_writing_is_read_as_bind_reads_it() {
    for (name, origin) in FILES {
        the_same_records(&data(name), origin, &[]);
    }
}

#[test]
fn the_generic_form_holds_the_same_records() {
    for (name, origin) in FILES {
        the_same_records(&data(name), origin, &["--generic"]);
        let run = format(&data(name), origin, &["--generic"]);
        let typed = run.stdout.lines().filter(|line| !line.contains("\\#")).count();
        assert_eq!(typed, 0, "RFC 3597 form throughout: {run:?}");
    }
}

#[test]
fn zones_made_here_are_read_as_bind_reads_them() {
    let scratch = Scratch::new();
    let mut zones = handmade();
    zones.push(crowded());
    zones.extend((1..=6).map(|seed| nasty(seed, 120, Spice::Hot)));
    for zone in zones {
        the_same_records(&zone.write(&scratch, &[]), &zone.origin, &[]);
    }
}

#[test]
fn what_is_written_is_read_again_as_it_was() {
    let scratch = Scratch::new();
    for (name, origin) in FILES {
        for flags in [&[][..], &["--generic"]] {
            let once = format(&data(name), origin, flags);
            let again = format(&scratch.write("once.zone", &once.stdout), origin, flags);
            assert_eq!(once.stdout, again.stdout, "{name} {flags:?}");
        }
        let generic = format(&data(name), origin, &["--generic"]);
        let plain = format(&scratch.write("generic.zone", &generic.stdout), origin, &[]);
        assert_eq!(
            plain.stdout,
            format(&data(name), origin, &[]).stdout,
            "{name}: from the generic form back to text"
        );
    }
}

#[test]
fn ldns_reads_what_we_write_as_what_bind_writes() {
    let scratch = Scratch::new();
    let (file, origin) = (data("types.zone"), "types.test.");
    let ours = scratch.write("ours.zone", format(&file, origin, &[]).stdout);
    let theirs = scratch.write("theirs.zone", signet_tests::judges::normalise_text(&file, origin));
    let (ours, theirs) = (ldns_read_zone(&ours), ldns_read_zone(&theirs));
    ours.succeeds();
    theirs.succeeds();
    // BIND writes some names and digits in other letter case, and SvcParams without quotes.
    assert_eq!(ours.stdout.lines().count(), theirs.stdout.lines().count());
    let owners = |run: &Run| -> Vec<String> {
        run.stdout
            .lines()
            .map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(owners(&ours), owners(&theirs));
}

/// One record a line: is it taken by named-compilezone, and by us?
fn verdicts(line: &str) -> (bool, Run) {
    let scratch = Scratch::new();
    let text = format!("@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS ns.example.\n{line}\n");
    let file = scratch.write("one.zone", text);
    let bind = Program::new(program("named-compilezone"))
        .args([
            "-q",
            "-i",
            "none",
            "-k",
            "ignore",
            "-n",
            "ignore",
            "-m",
            "ignore",
            "-s",
            "full",
            "-o",
            "/dev/null",
            "one.test.",
        ])
        .arg(&file)
        .run();
    (bind.code == Some(0), format(&file, "one.test.", &[]))
}

#[test]
fn records_that_bind_refuses_are_refused() {
    let mut wrong = Vec::new();
    for line in [
        "x 60 IN A 192.0.2.256",
        "x 60 IN A 192.0.2",
        "x 60 IN A",
        "x 60 IN A 192.0.2.1 extra",
        "x 60 IN AAAA 1::2::3",
        "x 60 IN AAAA 12345::",
        "x 60 IN MX 65536 mail",
        "x 60 IN MX mail",
        "x 60 IN SRV 1 2 3",
        "x 60 IN TXT",
        "x 60 IN CAA 256 issue \"a\"",
        "x 60 IN CAA 0 is-sue \"a\"",
        "x 60 IN DS 1 8 2 0001",
        "x 60 IN DS 65536 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "x 60 IN CNAME",
        "x 60 IN CNAME a b",
        "x 60 IN SSHFP 1 1",
        "x 60 IN TLSA 3 1 1 0",
        "x 60 IN TYPE65280 \\# 2 00",
        "x 60 IN TYPE65280 \\# 2 000000",
        "x 60 IN TYPE65280 no-hash",
        "x 60 IN A \\# 3 c00002",
        "x 60 IN HTTPS 1",
        "x 60 IN HTTPS 1 . alpn=h2 alpn=h3",
        "x 60 IN HTTPS 1 . port=65536",
        "x 60 IN HTTPS 1 . mandatory=port",
        "x..y 60 IN A 192.0.2.1",
        "x 60 IN LOC 91 0 0 N 0 0 0 E 0m",
        "x 60 IN CDNSKEY 256 3 13 ====",
        "x 60 IN NSEC3PARAM 1 0 0",
        "x 60 XX A 192.0.2.1",
    ] {
        let (taken, ours) = verdicts(line);
        assert!(!taken, "named-compilezone takes {line:?}");
        assert!(!ours.stderr.contains("panicked"), "{ours:?}");
        if ours.code != Some(1) || !ours.stderr.contains("one.zone:3:") {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "taken, or refused without their place: {wrong:#?}");
}

#[test]
fn records_that_bind_takes_are_taken() {
    let mut wrong = Vec::new();
    for line in [
        "x 60 IN A 192.0.2.1",
        "x IN 60 A 192.0.2.1",
        "x A 192.0.2.1",
        "x 1h A 192.0.2.1",
        "x 60 A ( 192.0.2.1 )",
        "x 60 IN TXT \"a\"\"b\"",
        "x 60 IN TXT a\\\"b \\097",
        "x 60 IN TXT \"\u{e9}\u{20ac}\"",
        "x 60 IN AAAA ::",
        "x 60 IN AAAA ::ffff:1.2.3.4",
        "x 60 IN MX 0 .",
        "x 60 IN DS 1 RSASHA256 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\nx 60 IN NS a.",
        "x 60 IN HTTPS 1 . alpn=\"h2\\,x\" ipv4hint=1.2.3.4",
        "x 60 IN HTTPS 1 . key1=\"\\002h2\"",
        "x 60 IN SVCB 1 a.example. key65000=x",
        "x 60 IN type1 \\# 4 c0000201",
        "x 60 IN TYPE65280 \\# 4 c000 0201",
        "x 60 IN URI 1 2 \"\"",
        "x 60 IN LOC 52 N 4 E 0",
        "x 60 IN CAA 0 issue \"\"",
        "x\\.y 60 IN A 192.0.2.1",
        "X 60 in a 192.0.2.1",
        "_x 60 IN A 192.0.2.1",
        "x 60 IN A 192.0.2.1;comment",
        "x 60 IN A 192.0.2.1\r",
        "$ORIGIN sub\nx 60 IN A 192.0.2.1",
        "$TTL 5\nx A 192.0.2.1",
        "$GENERATE 1-3 y$ 60 A 192.0.2.$",
    ] {
        let (taken, ours) = verdicts(line);
        assert!(taken, "named-compilezone refuses {line:?}");
        if ours.code != Some(0) {
            wrong.push(ours);
        }
    }
    assert!(wrong.is_empty(), "refused: {wrong:#?}");
}

#[test]
fn any_list_of_records_is_formatted_without_the_rules_of_a_zone() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "list",
        "b.test. 60 IN A 192.0.2.2\na.other. 60 IN CNAME x.\na.other. 60 IN A 192.0.2.1\n",
    );
    let run = Signet::new("zone format --records")
        .arg(&file)
        .args(["-o", "test."])
        .run();
    run.succeeds();
    assert_eq!(run.stdout.lines().count(), 3, "{run:?}");
    assert!(
        format(&file, "test.", &[]).code == Some(1),
        "without --records the rules hold"
    );
}

#[test]
fn data_is_on_stdout_alone_and_owners_are_absolute() {
    let run = format(&data("everyday.zone"), "format.test.", &[]);
    run.succeeds();
    for line in run.stdout.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        assert!(fields.len() == 5 || line.split_whitespace().count() >= 5, "{line:?}");
        assert!(line.split_whitespace().next().unwrap().ends_with('.'), "{line:?}");
    }
    assert!(run.stdout.contains("Upper.format.test."), "the letter case is kept");
}
