//! Zones that cannot be signed: unparsable, without a sound apex, with data that may not be.

use signet_tests::judges::settime;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Key, Role, Signet};

use crate::signing::Pair;

use super::{Desk, name};

/// A zone of this text, whatever is wrong with it, signed with keys on disk.
#[track_caller]
fn refused(text: &str, code: i32, says: &[&str]) {
    let desk = Desk::with(Zone {
        name: "bad".to_owned(),
        origin: "leaf.test.".to_owned(),
        text: text.to_owned(),
    });
    desk.refuses(desk.sign().keys(&desk.pair.both()), code, says);
}

/// A good zone with these lines at its end.
#[track_caller]
fn refused_lines(lines: &str, code: i32, says: &[&str]) {
    let desk = Desk::with_lines(lines);
    desk.refuses(desk.sign().keys(&desk.pair.both()), code, says);
}

#[test]
fn an_unparsable_record_is_located() {
    let zone = leaf(20);
    let line = zone.text.lines().count() + 1;
    let desk = Desk::with(Zone {
        text: format!("{}x.leaf.test. 60 IN A 192.0.2.999\n", zone.text),
        ..zone
    });
    let run = desk.refuses(desk.sign().keys(&desk.pair.both()), 1, &["192.0.2.999"]);
    let place = format!("{}:{line}:22", name(&desk.file));
    assert!(run.stderr.contains(&place), "{place} was expected: {run:?}");
}

#[test]
fn faults_are_shown_up_to_twenty() {
    let bad: String = (0..50)
        .map(|n| format!("x{n}.leaf.test. 60 IN A 192.0.2.{}\n", 300 + n))
        .collect();
    let zone = leaf(3);
    let desk = Desk::with(Zone {
        text: format!("{}{bad}", zone.text),
        ..zone
    });
    let run = desk.refuses(desk.sign().keys(&desk.pair.both()), 1, &["192.0.2.300", "192.0.2.319"]);
    let places = run.stderr.matches(&format!("{}:", name(&desk.file))).count();
    assert_eq!(places, 20, "{run:?}");
    assert!(!run.stderr.contains("192.0.2.320"), "{run:?}");
    assert!(
        run.stderr.contains("30") || run.stderr.to_lowercase().contains("more"),
        "how many there are is said: {run:?}"
    );
    let three = desk.refuses(
        desk.sign().keys(&desk.pair.both()).args(["--max-errors", "3"]),
        1,
        &["192.0.2.302"],
    );
    assert_eq!(
        three.stderr.matches(&format!("{}:", name(&desk.file))).count(),
        3,
        "{three:?}"
    );
}

#[test]
fn faults_are_in_the_order_of_the_file_whatever_the_threads() {
    let mut zone = leaf(20_000);
    for (at, number) in [(500, 1), (9000, 2), (19_000, 3)] {
        let line = zone.text.lines().nth(at).unwrap().to_owned();
        zone.text = zone
            .text
            .replacen(&line, &format!("bad{number}.leaf.test. 60 IN A nonsense"), 1);
    }
    let desk = Desk::with(zone);
    let mut said = Vec::new();
    for threads in ["1", "2", "8"] {
        let sign = desk.sign().keys(&desk.pair.both()).args(["--threads", threads]);
        let run = desk.refuses(sign, 1, &["zone:501:", "zone:9001:", "zone:19001:"]);
        let places: Vec<String> = run
            .stderr
            .lines()
            .filter(|line| line.contains(".zone:"))
            .map(str::to_owned)
            .collect();
        said.push(places);
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
}

#[test]
fn records_that_are_no_records() {
    for (line, word) in [
        ("x.leaf.test. 60 IN MX mail", "MX"),
        ("x.leaf.test. 60 IN A 192.0.2.1 192.0.2.2", "192.0.2.2"),
        ("x.leaf.test. 60 IN AAAA 1::2::3", "1::2::3"),
        ("x.leaf.test. 60 IN NOSUCHTYPE 1", "NOSUCHTYPE"),
        ("x.leaf.test. 60 IN TXT \"open", "quot"),
        ("x.leaf.test. 60 IN TXT ( \"open\"", "parenthes"),
        ("x.leaf.test. 60 IN TXT \"closed\" )", "parenthes"),
        ("x..leaf.test. 60 IN A 192.0.2.1", "x..leaf.test."),
        ("x.leaf.test. 4294967296 IN A 192.0.2.1", "4294967296"),
        ("x.leaf.test. 60 CH A 192.0.2.1", "CH"),
        ("x.leaf.test. 60 IN TYPE65280 \\# 3 0102", "3"),
        ("x.leaf.test. 60 IN DS 1 8 2 00zz", "00zz"),
        (
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop.leaf.test. 60 IN A 192.0.2.1",
            "63",
        ),
        ("$TTL", "$TTL"),
        ("$INCLUDE no-such-file.zone", "no-such-file.zone"),
        ("$NOSUCH directive", "$NOSUCH"),
        ("x.leaf.test. 60 IN A \\256", "\\256"),
    ] {
        refused_lines(&format!("{line}\n"), 1, &[word]);
    }
}

#[test]
fn an_apex_without_or_with_two_soas() {
    let text = leaf(3).text;
    let without: String = text
        .lines()
        .filter(|line| !line.contains(" SOA "))
        .map(|line| format!("{line}\n"))
        .collect();
    refused(&without, 1, &["SOA", "leaf.test."]);
    let soa = text.lines().find(|line| line.contains(" SOA ")).unwrap();
    refused(
        &format!("{text}{}\n", soa.replace("2026010101", "2026010102")),
        1,
        &["SOA", "leaf.test."],
    );
    refused("", 1, &["SOA"]);
    refused("; nothing\n", 1, &["SOA"]);
}

#[test]
fn a_soa_below_the_apex() {
    refused_lines(
        "sub.leaf.test. 60 IN SOA ns1.leaf.test. h.leaf.test. 1 2 3 4 5\n",
        1,
        &["SOA", "sub.leaf.test."],
    );
}

#[test]
fn an_apex_without_name_servers() {
    let text = leaf(3).text;
    let without: String = text
        .lines()
        .filter(|line| !line.contains(" NS "))
        .map(|line| format!("{line}\n"))
        .collect();
    refused(&without, 1, &["NS", "leaf.test."]);
}

#[test]
fn names_out_of_the_zone() {
    refused_lines(
        "host.elsewhere.test. 60 IN A 192.0.2.1\n",
        1,
        &["host.elsewhere.test.", "leaf.test."],
    );
    refused_lines("xleaf.test. 60 IN A 192.0.2.1\n", 1, &["xleaf.test."]);
}

#[test]
fn the_wrong_origin() {
    let desk = Desk::new();
    let pair = Pair::of_bind("ED25519", "other.test.", &desk.keys());
    let sign = Signet::sign(&desk.file, "other.test.", &desk.out(), &desk.keys());
    desk.refuses(sign.keys(&pair.both()), 1, &["other.test."]);
}

#[test]
fn an_alias_beside_other_data() {
    refused_lines(
        "c.leaf.test. 60 IN CNAME x.example.\nc.leaf.test. 60 IN A 192.0.2.1\n",
        1,
        &["CNAME", "c.leaf.test."],
    );
    refused_lines(
        "c.leaf.test. 60 IN CNAME x.example.\nc.leaf.test. 60 IN CNAME y.example.\n",
        1,
        &["CNAME", "c.leaf.test."],
    );
    refused_lines(
        "d.leaf.test. 60 IN DNAME x.example.\nd.leaf.test. 60 IN DNAME y.example.\n",
        1,
        &["DNAME", "d.leaf.test."],
    );
}

#[test]
fn a_ds_without_a_delegation() {
    refused_lines(
        "d.leaf.test. 60 IN DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
        1,
        &["DS", "d.leaf.test."],
    );
}

#[test]
fn a_zone_file_that_is_not_there() {
    let desk = Desk::new();
    let missing = desk.scratch.path("missing.zone");
    let sign = Signet::sign(&missing, &desk.zone.origin, &desk.out(), &desk.keys());
    let run = sign.keys(&desk.pair.both()).run();
    assert!(matches!(run.code, Some(1 | 4)), "{run:?}");
    run.says(&["missing.zone"]);
    desk.untouched(&run);
}

#[test]
fn a_key_file_that_is_not_there() {
    let desk = Desk::new();
    desk.refuses(desk.sign().arg("Kleaf.test.+015+00001"), 1, &["Kleaf.test.+015+00001"]);
}

#[test]
fn a_key_of_another_zone() {
    let desk = Desk::new();
    let other = Key::by_bind("other.test.", "ED25519", Role::Zsk, &desk.keys());
    desk.refuses(
        desk.sign().keys(&[&desk.pair.ksk, &other]),
        1,
        &["other.test.", "leaf.test."],
    );
}

#[test]
fn a_key_directory_without_keys() {
    let desk = Desk::new();
    let empty = desk.scratch.make_folder("empty");
    let sign = Signet::sign(&desk.file, &desk.zone.origin, &desk.out(), &empty);
    desk.refuses(sign, 1, &["key"]);
}

#[test]
fn a_zone_signing_key_alone() {
    let desk = Desk::new();
    desk.refuses(desk.sign().keys(&[&desk.pair.zsk]), 1, &["KSK"]);
}

#[test]
fn a_key_signing_key_alone() {
    let desk = Desk::new();
    desk.refuses(desk.sign().keys(&[&desk.pair.ksk]), 1, &["ZSK", "-z"]);
}

#[test]
fn keys_whose_dates_do_not_let_them_sign() {
    // Nothing would sign SOA and DNSKEY; no level of verification makes that right.
    let desk = Desk::new();
    for key in desk.pair.both() {
        settime(key, &["-A", "none", "-P", "now"]).succeeds();
    }
    for level in ["full", "none"] {
        let run = desk.sign().args(["--verify", level]).run();
        assert!(matches!(run.code, Some(1 | 5)), "{run:?}");
        assert!(!run.stderr.trim().is_empty());
        desk.untouched(&run);
    }
}

#[test]
fn a_private_file_that_does_not_belong_to_its_key() {
    let desk = Desk::new();
    let (ksk, zsk) = (&desk.pair.ksk, &desk.pair.zsk);
    std::fs::copy(ksk.private_file(), zsk.private_file()).unwrap();
    desk.refuses(desk.sign().keys(&desk.pair.both()), 1, &[zsk.base_name()]);
}

#[test]
fn times_that_make_no_signature() {
    let desk = Desk::new();
    let sign = |start: &str, end: &str| {
        Signet::new("sign")
            .arg(&desk.file)
            .args(["-o", &desk.zone.origin, "-K"])
            .arg(desk.keys())
            .arg("-f")
            .arg(desk.out())
            .args(["-s", start, "-e", end])
            .keys(&desk.pair.both())
    };
    for (start, end) in [
        ("20260101000000", "20260101000000"),
        ("20260201000000", "20260101000000"),
        ("20000101", "20700101"),
    ] {
        let run = sign(start, end).run();
        assert!(matches!(run.code, Some(1 | 2)), "{run:?}");
        desk.untouched(&run);
    }
    desk.refuses(sign("soon", "later"), 2, &["soon"]);
}

#[test]
fn flags_that_contradict_each_other() {
    let desk = Desk::new();
    let keys = desk.pair.both();
    desk.refuses(desk.sign().keys(&keys).args(["--nsec", "--nsec3"]), 2, &["--nsec"]);
    desk.refuses(desk.sign().keys(&keys).args(["--nsec", "--opt-out"]), 2, &["--opt-out"]);
    desk.refuses(desk.sign().keys(&keys).args(["--nsec3", "--salt", "xyz"]), 2, &["xyz"]);
    desk.refuses(desk.sign().keys(&keys).args(["--no-such-flag"]), 2, &["--no-such-flag"]);
    let run = desk.sign().keys(&keys).args(["--nsec3", "--iterations", "51"]).run();
    assert!(
        matches!(run.code, Some(1 | 2)),
        "more than 50 iterations have to be insisted on: {run:?}"
    );
    run.says(&["--insist"]);
    desk.untouched(&run);
}
