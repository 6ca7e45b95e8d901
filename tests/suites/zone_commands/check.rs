//! Faults and who finds them: each case is a zone, the rules that `signet zone check` names, and the exit codes of it and of
//! named-checkzone. Where the two differ, the case says why.

use std::collections::BTreeSet;

use signet_tests::{Program, Scratch, Signet, program};

use super::{ZONE, json, zone};

struct Case {
    /// Lines behind those of [`ZONE`].
    lines: &'static str,
    /// The rules that are broken, in the order of the findings.
    rules: &'static [&'static str],
    /// Our exit code and named-checkzone's.
    codes: (i32, i32),
}

const fn case(lines: &'static str, rules: &'static [&'static str], ours: i32, bind: i32) -> Case {
    Case {
        lines,
        rules,
        codes: (ours, bind),
    }
}

#[rustfmt::skip]
const FAULTS: &[Case] = &[
    case("", &[], 0, 0),
    // The apex.
    case("@ SOA ns1 hostmaster 2 7200 3600 1209600 300", &["several-soa"], 1, 1),
    case("x SOA ns1 hostmaster 2 7200 3600 1209600 300", &["soa-off-apex"], 1, 1),
    // Aliases. named-checkzone does not look at where they lead, nor at DNAME beside NS.
    case("x CNAME ns1\nx A 192.0.2.9", &["cname-and-other-data"], 1, 1),
    case("x CNAME ns1\nx CNAME ns2.other.", &["several-cname"], 1, 1),
    case("x CNAME ns1\nx NSEC ns1.example.test. CNAME", &[], 0, 0),
    case("x CNAME ns1\nx DNAME a.other.", &["cname-and-other-data"], 1, 1),
    case("x CNAME x", &["alias-of-itself"], 1, 0),
    case("x CNAME y\ny CNAME x", &["alias-loop"; 2], 1, 0),
    case("x CNAME y\ny CNAME Z\nz CNAME Y", &["alias-loop"; 2], 1, 0),
    case("x CNAME y\ny CNAME z\nz CNAME ns1\nw CNAME x.other.", &[], 0, 0),
    case("x DNAME x", &["alias-of-itself"], 1, 0),
    case("x DNAME y.X", &["alias-of-itself"], 1, 0),
    case("y.x DNAME x", &[], 0, 0),
    case("x DNAME a.other.\nx DNAME b.other.", &["several-dname"], 1, 1),
    case("x DNAME a.other.\nx A 192.0.2.9", &[], 0, 0),
    case("x DNAME a.other.\ny.x A 192.0.2.9", &["below-dname"], 0, 0),
    case("x DNAME a.other.\nx NS ns.other.", &["dname-and-ns"], 1, 0),
    case("*.x NS ns.elsewhere.", &["at-wildcard"], 1, 1),
    case("*.x DNAME elsewhere.", &["at-wildcard"], 0, 0),
    // Records of the wrong place, which named-checkzone loads.
    case("x DNSKEY 256 3 8 AwEAAag=", &["dnskey-off-apex"], 1, 0),
    case("x DS 1 8 1 000102030405060708090A0B0C0D0E0F10111213\nx A 192.0.2.9", &["ds-off-cut"], 1, 0),
    case("x DS 1 8 1 000102030405060708090A0B0C0D0E0F10111213\nx NS ns.elsewhere.", &[], 0, 0),
    case("@ DS 1 8 1 000102030405060708090A0B0C0D0E0F10111213", &["ds-off-cut"], 1, 1),
    case("x NSEC3PARAM 1 0 0 -", &["nsec3param-off-apex"], 1, 0),
    case("@ NSEC3PARAM 1 0 0 -", &[], 0, 0),
    // Owners of NSEC3 that are no hash, not directly below the apex, or a digit short; and a next hash of 16 bytes.
    // named-checkzone wants the first label in base32hex, whatever its length and wherever it stands.
    case("x NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &["nsec3-form"], 1, 1),
    case("@ NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &["nsec3-form"], 1, 1),
    case("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.x NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &["nsec3-form"], 1, 0),
    case("0p9mhaveqvm6t7vbl5lop2u3t2rp3to NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &["nsec3-form"], 1, 0),
    case("0p9mhaveqvm6t7vbl5lop2u3t2rp3tow NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &["nsec3-form"], 1, 1),
    case("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T0 A", &["nsec3-form"], 1, 1),
    case("0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A", &[], 0, 0),
    case("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", &[], 0, 0),
    // Targets.
    case("@ NS ns2", &["ns-target-address"], 1, 1),
    case("@ NS ns2\nx.ns2 A 192.0.2.9", &["ns-target-address"], 1, 1),
    case("@ NS ns2\n*.ns2 A 192.0.2.9", &["ns-target-address"], 1, 1),
    case("@ NS ns2\nns2 CNAME ns1", &["ns-target-alias"], 1, 1),
    case("@ NS ns2.x\nx DNAME a.other.", &["ns-target-alias"], 1, 1),
    case("@ NS ns2.x\n*.x AAAA 2001:db8::1", &[], 0, 0),
    case("@ NS ns.elsewhere.\n@ MX 0 .\n_x._tcp SRV 0 0 0 .", &[], 0, 0),
    // named-checkzone tells of these and loads the zone.
    case("@ MX 1 mail", &["mx-target-address"], 1, 0),
    case("@ MX 1 mail\nmail CNAME ns1", &["mx-target-alias"], 0, 0),
    case("@ MX 1 mail\n* A 192.0.2.9", &[], 0, 0),
    case("@ MX 1 mail.x\nx NS ns.elsewhere.", &[], 0, 0),
    case("_x._tcp SRV 0 0 1 host", &["srv-target-address"], 1, 0),
    case("_x._tcp SRV 0 0 1 host\nhost CNAME ns1", &["srv-target-alias"], 0, 0),
    // Glue. named-checkzone tells of what is missing and loads the zone; it does not look for what nobody needs.
    case("sub NS ns.sub\nns.sub AAAA 2001:db8::1", &[], 0, 0),
    case("sub NS sub\nsub A 192.0.2.9", &[], 0, 0),
    case("sub NS ns.sub", &["glue-missing"], 1, 0),
    case("sub NS ns.other\nother NS ns.elsewhere.", &["sibling-glue-missing"], 0, 0),
    case("sub NS ns.other\nother NS ns.elsewhere.\nns.other A 192.0.2.9", &[], 0, 0),
    case("other NS ns.elsewhere.\nns.other A 192.0.2.9\nsub NS ns.other", &[], 0, 0),
    case("sub NS ns.elsewhere.\nns.sub A 192.0.2.9", &["glue-unused"], 0, 0),
    case("sub NS ns.elsewhere.\nx.sub TXT a", &["below-delegation"], 0, 0),
    // Sets.
    case("x A 192.0.2.9\nx A 192.0.2.9", &["duplicate-record"], 0, 0),
    case("x MX 1 NS1\nx MX 1 ns1", &["duplicate-record"], 0, 0),
    case("x 60 A 192.0.2.9\nx 61 A 192.0.2.10", &["ttl-mismatch"], 0, 0),
    case("x 60 MX 1 NS1\nx 61 MX 1 ns1", &["duplicate-record", "ttl-mismatch"], 0, 0),
    // SVCB: named-checkzone looks at the form alone.
    case("x HTTPS 0 ns1 port=1", &["svcb-alias-params"], 0, 0),
    case("x HTTPS 0 x", &["svcb-alias-of-itself"], 1, 0),
    case("x HTTPS 0 ns1\nx HTTPS 1 ns1", &["svcb-alias-alone"], 0, 0),
    case("x HTTPS 1 ns1 ipv4hint=192.0.2.1", &[], 0, 0),
    case("x HTTPS 1 ns1 ipv4hint=192.0.2.77", &["svcb-hint"], 0, 0),
    case("x HTTPS 1 ns1 ipv6hint=2001:db8::1", &[], 0, 0),
    case("x HTTPS 1 .", &["svcb-target-address"], 0, 0),
    case("x SVCB 0 ns1\nx SVCB 0 ns1.other.", &["svcb-alias-alone"], 0, 0),
    case("x SVCB 1 none", &["svcb-target-address"], 0, 0),
    case("x HTTPS 1 ns1 port=1 mandatory=port", &[], 0, 0),
    case("x HTTPS 1 ns1 no-default-alpn", &["syntax"], 1, 1),
    case("x HTTPS 1 ns1 port=1 port=2", &["syntax"], 1, 1),
    case("x HTTPS 1 ns1 mandatory=port", &["syntax"], 1, 1),
    case("x HTTPS 1 ns1 ipv4hint=", &["syntax"], 1, 1),
    // The text. named-checkzone leaves out what is out of the zone.
    case("x A 192.0.2.300", &["syntax"], 1, 1),
    case("x.other. A 192.0.2.9", &["out-of-zone"], 1, 0),
    case("x.other. A 192.0.2.9\n@ MX 1 mail", &["out-of-zone", "mx-target-address"], 1, 0),
    case("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa A 192.0.2.9", &["name-length"], 1, 1),
];

#[test]
fn faults_are_found_by_their_rules_beside_named_checkzone() {
    let scratch = Scratch::new();
    let mut wrong = Vec::new();
    for Case { lines, rules, codes } in FAULTS {
        let file = scratch.write("case.zone", format!("{ZONE}{lines}\n"));
        let run = zone("check", &file, &["--json"]);
        let bind = Program::new(program("named-checkzone"))
            .arg("example.test")
            .arg(&file)
            .run();
        let report = json(&run);
        let findings = report["findings"].as_array().unwrap();
        let found: Vec<&str> = findings
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap())
            .collect();
        if found != *rules || (run.code, bind.code) != (Some(codes.0), Some(codes.1)) {
            wrong.push(format!("{lines:?}: {found:?} {:?} {:?}", run.code, bind.code));
        }
        for finding in findings {
            assert!(finding["line"].as_u64() > Some(1), "{run:?}");
            assert!(finding["file"].as_str().unwrap().ends_with("case.zone"), "{run:?}");
            assert!(!finding["advice"].as_str().unwrap().is_empty(), "{run:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn signed_zones_have_no_findings_of_their_own() {
    let scratch = Scratch::new();
    let keys = scratch.make_folder("keys");
    let key = |flags: &[&str]| {
        let run = Signet::new("key generate example.test --on-disk -a ECDSAP256SHA256")
            .args(flags)
            .arg("-K")
            .arg(&keys)
            .run();
        run.succeeds();
    };
    key(&["-f", "KSK"]);
    key(&[]);
    let file = scratch.write(
        "zone",
        format!("{ZONE}a.b A 192.0.2.9\n*.w TXT a\nsub NS ns.sub\nns.sub A 192.0.2.9\nx CNAME ns1\n"),
    );
    for denial in [&["--nsec"][..], &["--nsec3"], &["--nsec3", "--opt-out"]] {
        let signed = scratch.path("signed");
        let run = Signet::sign(&file, "example.test", &signed, &keys).args(denial).run();
        run.succeeds();
        let run = zone("check", &signed, &["--strict"]);
        run.succeeds();
        assert!(run.stdout.ends_with("0 errors, 0 warnings\n"), "{run:?}");
        let stats = json(&zone("stats", &signed, &["--json"]));
        assert_eq!(stats["signed"]["share"], 1.0, "{stats}");
        let run = Signet::new("zone diff --ignore dnssec,soa-serial")
            .arg(&file)
            .arg(&signed)
            .args(["-o", "example.test"])
            .run();
        assert_eq!((run.code, run.output()), (Some(0), String::new()));
    }
}

#[test]
fn a_zone_without_apex_is_no_zone() {
    let scratch = Scratch::new();
    for (text, rules) in [
        ("@ 60 NS ns.elsewhere.\n", &["no-soa"][..]),
        ("@ 60 SOA a. b. 1 2 3 4 5\n", &["no-apex-ns"]),
        ("x 60 A 192.0.2.1\n", &["no-apex-ns", "no-soa"]),
    ] {
        let file = scratch.write("case.zone", text);
        let run = zone("check", &file, &["--json"]);
        let report = json(&run);
        let findings = report["findings"].as_array().unwrap();
        let found: Vec<&str> = findings
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap())
            .collect();
        assert_eq!((found.as_slice(), run.code), (rules, Some(1)), "{run:?}");
    }
}

#[test]
fn names_are_as_long_as_they_may_be_and_no_longer() {
    let scratch = Scratch::new();
    let label = "l".repeat(63);
    // With the zone's name of 14 bytes, 255 in all.
    let longest = format!("{label}.{label}.{label}.{}", "m".repeat(48));
    for (owner, rules) in [
        (longest.clone(), &[][..]),
        (format!("{longest}m"), &["name-length"]),
        (format!("{label}l"), &["name-length"]),
    ] {
        for (line, column) in [(format!("{owner} A 192.0.2.1"), 1), (format!("x PTR {owner}"), 7)] {
            let file = scratch.write("case.zone", format!("{ZONE}{line}\n"));
            let run = zone("check", &file, &["--json"]);
            let report = json(&run);
            let findings = report["findings"].as_array().unwrap();
            let found: Vec<_> = findings
                .iter()
                .map(|finding| finding["rule"].as_str().unwrap())
                .collect();
            assert_eq!(
                (&found[..], run.code),
                (rules, Some(i32::from(!rules.is_empty()))),
                "{run:?}"
            );
            if let [finding] = &findings[..] {
                assert_eq!(
                    (&finding["line"], &finding["column"]),
                    (&5.into(), &column.into()),
                    "{run:?}"
                );
            }
        }
    }
    // A zone's name in front of which there is no room for a hash.
    let origin = format!("{label}.{label}.{label}.{}.", "m".repeat(31));
    let file = scratch.write("case.zone", format!("{ZONE}ns1 TXT x\n"));
    let check = |flags: &[&str]| {
        Signet::new("zone check")
            .arg(&file)
            .args(["-o", &origin])
            .args(flags)
            .run()
    };
    check(&[]).succeeds();
    let run = check(&["--strict"]);
    assert!(run.code == Some(1) && run.stdout.contains("[nsec3-room]"), "{run:?}");
}

#[test]
fn every_rule_has_a_case() {
    let listed = Signet::new("zone check --list-rules").run();
    let listed: BTreeSet<&str> = listed
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    // These have tests of their own.
    let apart = ["no-apex-ns", "no-soa", "nsec3-room"];
    let cases = FAULTS.iter().flat_map(|case| case.rules).copied();
    assert_eq!(cases.chain(apart).collect::<BTreeSet<_>>(), listed);
}

#[test]
fn findings_say_where_what_and_what_to_do() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "case.zone",
        format!("{ZONE}x 60 A 192.0.2.9\nx 61 A 192.0.2.10\n@ MX 1 Mail\n"),
    );
    let run = zone("check", &file, &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let name = file.display();
    let expected = format!(
        "{name}:7: error: example.test.: the MX record's target has no address in the zone: Mail.example.test.\n\
         {:>5} | @ MX 1 Mail\n      | ^^^^^^^^^^^\n    \
         [mx-target-address] add A or AAAA records of the target",
        7
    );
    assert!(run.stdout.starts_with(&expected), "{run:?}");
    assert!(
        run.stdout.contains(&format!("{name}:6: warning: x.example.test.: ")),
        "{run:?}"
    );
    assert!(
        run.stdout.ends_with("example.test.: 6 records, 1 errors, 1 warnings\n"),
        "{run:?}"
    );
    let first = &json(&zone("check", &file, &["--json"]))["findings"][0];
    for (key, value) in [
        ("rule", "mx-target-address"),
        ("severity", "error"),
        ("owner", "example.test."),
        ("type", "MX"),
        ("target", "Mail.example.test."),
    ] {
        assert_eq!(first[key], value, "{first}");
    }
}

#[test]
fn rules_are_turned_off_by_name_and_warnings_count_when_told() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "case.zone",
        format!("{ZONE}x A 192.0.2.9\nx A 192.0.2.9\n@ MX 1 mail\n"),
    );
    let code = |flags: &[&str]| zone("check", &file, flags).code;
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--ignore", "mx-target-address"]), Some(0));
    assert_eq!(code(&["--ignore", "mx-target-address", "--strict"]), Some(1));
    assert_eq!(
        code(&["--ignore", "mx-target-address,duplicate-record", "--strict"]),
        Some(0)
    );
    zone("check", &file, &["--ignore", "no-such-rule"]).says(&["--list-rules"]);
    assert_eq!(code(&["--ignore", "no-such-rule"]), Some(2));
    assert_eq!(code(&["--ignore", "syntax"]), Some(2));
    let rules = Signet::new("zone check --list-rules").run();
    rules.succeeds();
    let names: Vec<&str> = rules.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    for rule in FAULTS.iter().flat_map(|case| case.rules) {
        assert!(names.contains(rule), "{rule} is not listed: {rules:?}");
    }
}

#[test]
fn findings_are_counted_beyond_those_shown_whatever_the_threads() {
    let scratch = Scratch::new();
    let mut text = ZONE.to_owned();
    for number in 0..60_000 {
        text.push_str(&format!("d{number} NS ns.d{number}\nd{number} NS ns.d{}\n", number / 2));
    }
    let file = scratch.write("case.zone", text);
    let one = zone("check", &file, &["--json", "--max-errors", "7", "--threads", "1"]);
    let four = zone("check", &file, &["--json", "--max-errors", "7", "--threads", "4"]);
    assert_eq!(one.stdout, four.stdout);
    let report = json(&one);
    // d0 names its own server twice: an error more, and a duplicate in place of a sibling.
    assert_eq!(report["errors"], 60_001, "{one:?}");
    assert_eq!(report["warnings"], 60_000, "{one:?}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 7);
    let all = json(&zone("check", &file, &["--json", "--max-errors", "0"]));
    assert_eq!(all["findings"].as_array().unwrap().len(), 120_001);
    let lines: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [5, 6, 7, 9, 11, 13, 15]);
    assert_eq!(report["left_out"], 119_994, "{one:?}");
}
