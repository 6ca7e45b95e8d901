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
