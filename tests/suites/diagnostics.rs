//! What a person reads when a zone file is wrong or suspicious: places, marks, suggestions, warnings by name, and no
//! byte of the zone that a terminal could take for a command.

use signet_tests::{Scratch, Signet};

/// What `zone format` says to these files, of which the first is the zone example.com, and its exit code.
fn format(files: &[(&str, &str)], flags: &[&str]) -> (String, Option<i32>) {
    let scratch = Scratch::new();
    let paths: Vec<_> = files.iter().map(|(name, text)| scratch.write(name, text)).collect();
    let run = Signet::new("zone format")
        .args(["-o", "example.com"])
        .args(flags)
        .arg(&paths[0])
        .run();
    let directory = format!("{}/", paths[0].parent().unwrap().display());
    (run.stderr.replace(&directory, ""), run.code)
}

const HEAD: &str = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n";

#[test]
fn a_fault_shows_its_line_the_form_and_the_way_to_it() {
    let zone = format!("{HEAD}$INCLUDE inner\n");
    let (said, code) = format(&[("zone", &zone), ("inner", "a\tMX ten mail\nb CNMAE c\n")], &[]);
    let expected = "\
inner:1:6: error: expected a number from 0 to 65535
    1 | a       MX ten mail
      |            ^^^
      = expected: MX PREFERENCE EXCHANGE
      = note: included from zone:4
inner:2:3: error: \"CNMAE\" is no record type, class or TTL; an unknown type is written TYPEnnn, such as TYPE65280 \\# 2 abcd
    2 | b CNMAE c
      |   ^^^^^
      = help: did you mean CNAME?
      = note: included from zone:4
signet: error: 2 faults in the zone
";
    assert_eq!((said.as_str(), code), (expected, Some(1)));
}

#[test]
fn no_control_character_of_a_zone_reaches_the_terminal() {
    let zone = format!("{HEAD}a\x1b[31m \u{9b}x \u{202e} FOO\x1b]0;title\x07 \x08\n$INCLUDE \"x\\027[2J\"\n");
    let (said, code) = format(&[("zone", &zone)], &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("\\027[31m"), "{said}");
    let odd = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(said.chars().find(odd), None, "{said:?}");
}

#[test]
fn warnings_have_names_are_counted_and_can_be_turned_off() {
    let zone = format!("{HEAD}www.example.com A 192.0.2.1\na 5 MX 1 b\na 6 MX 1 B\n");
    let files = [("zone", zone.as_str())];
    let (said, code) = format(&files, &[]);
    assert_eq!(code, Some(0));
    for expected in [
        "zone:4:1: warning: www.example.com.example.com. has the name",
        "[missing-dot]\n    4 | www.example.com A 192.0.2.1\n      | ^^^^^^^^^^^^^^^\n      = help: write www.example.com. with a final dot",
        "zone:6: warning: a.example.com.: the MX records have TTLs from 5 to 6",
        "[ttl-mismatch]\n    6 | a 6 MX 1 B\n",
        "[mixed-case-duplicate]",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (said, _) = format(&files, &["-W", "no-missing-dot,no-ttl-mismatch"]);
    assert!(said.contains("[mixed-case-duplicate]") && !said.contains("missing-dot") && !said.contains("ttl-mismatch"));
    let (said, _) = format(&files, &["-W", "no-all"]);
    assert_eq!(said, "");
    let (said, code) = format(&files, &["-W", "no-such"]);
    assert!(code == Some(2) && said.contains("missing-dot"), "{said}");
    let many: String = (0..30).map(|at| format!("h{at}.example.com A 192.0.2.1\n")).collect();
    let (said, _) = format(&[("zone", &format!("{HEAD}{many}"))], &["--max-errors", "3"]);
    assert_eq!(said.matches("warning: h").count(), 3, "{said}");
    assert!(said.contains("and 27 more [missing-dot]"), "{said}");
}

#[test]
fn each_warning_is_turned_off_by_its_name() {
    // A zone without $TTL, a name without its dot, two TTLs in a set, a record twice but for its letter case.
    let zone = "@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nwww.example.com A 192.0.2.1\na 5 MX 1 b\na 6 MX 1 B\n";
    let files = [("zone", zone)];
    let names = ["missing-dot", "missing-ttl", "mixed-case-duplicate", "ttl-mismatch"];
    let shown = |said: &str| names.map(|name| said.contains(&format!("[{name}]")));
    let (said, code) = format(&files, &[]);
    assert_eq!((shown(&said), code), ([true; 4], Some(0)), "{said}");
    assert!(
        said.contains("zone:2:3: warning: no TTL, and no $TTL before it"),
        "{said}"
    );
    for (at, name) in names.iter().enumerate() {
        let without = format!("no-{name}");
        let (said, code) = format(&files, &["-W", &without]);
        let others: Vec<bool> = (0..4).map(|other| other != at).collect();
        assert_eq!((&shown(&said)[..], code), (&others[..], Some(0)), "{said}");
        let (said, _) = format(&files, &["-W", "no-all", "-W", name]);
        let alone: Vec<bool> = (0..4).map(|other| other == at).collect();
        assert_eq!(shown(&said)[..], alone[..], "{said}");
    }
}

#[test]
fn as_many_faults_are_shown_as_are_asked_for() {
    let many: String = (0..30).map(|at| format!("h{at} A nothing\n")).collect();
    let zone = format!("{HEAD}{many}");
    for (flags, most) in [(&[][..], 20), (&["--max-errors", "3"], 3), (&["--max-errors", "0"], 30)] {
        let (said, code) = format(&[("zone", &zone)], flags);
        assert_eq!(
            (said.matches("error: expected an IPv4").count(), code),
            (most, Some(1)),
            "{said}"
        );
        let total = if most < 30 {
            format!("more than {most}")
        } else {
            most.to_string()
        };
        assert!(
            said.ends_with(&format!("signet: error: {total} faults in the zone\n")),
            "{said}"
        );
        let last = format!("zone:{}:", 3 + most);
        assert!(said.contains(&last), "in the order of the file: {said}");
    }
}

#[test]
fn suggestions_are_made_where_they_are_sure() {
    for (line, help) in [
        ("a A 2001:db8::1", "this is an IPv6 address: the type for it is AAAA"),
        ("a 192.0.2.1", "write the type A before an IPv4 address"),
        ("a HTTPS 1 . apln=h2", "did you mean alpn?"),
        ("$INCULDE x", "did you mean $INCLUDE?"),
        ("a DS 1 ECDSAP256SHA265 2 00", "did you mean ECDSAP256SHA256?"),
        ("# a comment", "a comment starts with ;"),
        ("a TXT ( b\nc A 192.0.2.1", "the parenthesis is to be closed before it"),
    ] {
        let (said, code) = format(&[("zone", &format!("{HEAD}{line}\n"))], &[]);
        assert!(
            code == Some(1) && said.contains("= help: ") && said.contains(help),
            "{line}: {said}"
        );
    }
    let (said, _) = format(&[("zone", &format!("{HEAD}a NOSUCHTYPE b\n"))], &[]);
    assert!(!said.contains("help:"), "nothing is near: {said}");
}
