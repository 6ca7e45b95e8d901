//! Zones that are signed already: what stays and what is made anew, counted, and compared with dnssec-signzone's decisions.

use std::path::Path;

use signet_tests::judges::{SignZone, dnssec_verify, ds_from_key, normalise, settime};
use signet_tests::zones::{crowded, leaf};
use signet_tests::{Key, Role, Scratch, Signet, Token, ZoneText, full};

use crate::desk::{Desk, Done};
use crate::signing::{Denial, Pair, Place};

#[test]
fn a_signed_zone_keeps_what_is_good() {
    for denial in Denial::ALL {
        let desk = Desk::new(crowded());
        let first = desk.sign(&desk.input(), "first", denial.signet());
        assert_eq!(first.made(), first.decided("new"));
        // Another validity shows which signatures are new ones.
        let again = desk.sign_from(
            "now-19d",
            "now+12d",
            &desk.scratch.path("first"),
            "again",
            denial.signet(),
        );
        assert_eq!(
            (again.made(), again.decided("dropped")),
            (0, 0),
            "{denial:?} {:?}",
            again.run
        );
        assert_eq!(again.decided("kept"), first.made());
        assert_eq!(desk.scratch.bytes("again"), desk.scratch.bytes("first"));
    }
}

#[test]
fn what_ends_soon_is_made_anew() {
    let desk = Desk::new(leaf(30));
    let first = desk.sign(&desk.input(), "first", &[]);
    // A quarter of 45 days is more than the 10 that are left.
    let file = desk.scratch.path("first");
    let again = desk.sign_from("now-1h", "now+45d", &file, "again", &[]);
    assert_eq!(again.decided("expiring"), first.made());
    assert_eq!(again.decided("dropped"), first.made());
    let kept = desk.sign_from("now-1h", "now+45d", &file, "kept", &["-i", "9d"]);
    assert_eq!((kept.made(), kept.decided("kept")), (0, first.made()));
    let forced = desk.sign_from("now-1h", "now+45d", &file, "forced", &["-i", "9d", "--force"]);
    assert_eq!(forced.decided("forced"), first.made());
    let stripped = desk.sign_from("now-1h", "now+45d", &file, "stripped", &["--input-dnssec", "strip"]);
    assert_eq!(
        (stripped.decided("new"), stripped.decided("dropped")),
        (first.made(), 0)
    );
    let refused = desk.try_sign(&[], &file, "refused", &["--input-dnssec", "reject"]);
    refused.exits(1).says(&["signed already", "--input-dnssec reject"]);
}

/// A line says of each signature what became of it, as often as the report counts.
#[track_caller]
fn explained(done: &Done, reasons: &[&str]) {
    for word in [
        "new",
        "changed",
        "expiring",
        "key",
        "forced",
        "kept",
        "unrenewed",
        "dropped",
    ] {
        let lines = done.run.stderr.matches(&format!(": {word}\n")).count() as u64;
        assert_eq!(lines, done.decided(word), "{word}: {:?}", done.run);
        assert!(lines > 0 || !reasons.contains(&word), "{word}: {:?}", done.run);
    }
}

#[test]
fn decisions_are_explained() {
    let desk = Desk::new(leaf(30));
    explained(&desk.sign(&desk.input(), "first", &["--explain"]), &["new"]);
    let first = desk.scratch.path("first");
    let again = desk.sign(&first, "again", &["--explain"]);
    explained(&again, &["kept"]);
    let line = format!("leaf.test. SOA ED25519/{}: kept", desk.pair.zsk.tag());
    again.run.says(&[&line]);
    let text = changed(&desk.scratch.read("first"));
    let other = desk.scratch.write("other", text);
    explained(
        &desk.sign(&other, "changed", &["--explain"]),
        &["new", "changed", "kept", "dropped"],
    );
    let later = |out: &str, options: &[&str]| {
        let options = [&["--explain"], options].concat();
        desk.sign_from("now-1h", "now+45d", &first, out, &options)
    };
    explained(&later("expiring", &[]), &["expiring", "dropped"]);
    explained(&later("forced", &["-i", "9d", "--force"]), &["forced", "dropped"]);
    let another = Key::by_bind(&desk.zone.origin, "ED25519", Role::Zsk, desk.keys());
    explained(&later("key", &["-i", "9d", another.base_name()]), &["key", "kept"]);
    std::fs::remove_file(desk.pair.ksk.private_file()).unwrap();
    let times = ["-s", "now-1h", "-e", "now+40d"];
    let due = desk.try_sign(&times, &first, "due", &["--explain", "-i", "15d"]);
    due.exits(6);
    explained(&desk.done(due, "due"), &["unrenewed", "expiring"]);
}

/// The zone with the addresses of every tenth host changed, a host gone and one more, in the signed text or the plain one.
fn changed(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(3) == Some(&"AAAA") && fields[0] != "ns1.leaf.test." {
            count += 1;
            if count % 10 == 0 {
                lines.push(line.replace(fields[4], "2001:db8:ffff::1"));
                continue;
            }
            if count == 5 {
                continue;
            }
        }
        lines.push(line.to_owned());
    }
    lines.push("another.leaf.test. 3600 IN A 192.0.2.77".to_owned());
    lines.join("\n") + "\n"
}

/// Both tools sign the same signed zone again, at the same times: the same sets, the same signatures.
fn as_bind_does(denial: Denial, times: (&str, &str), options: &[&str]) {
    let desk = Desk::new(leaf(60));
    let bind = SignZone::new(&desk.input(), &desk.zone.origin, desk.keys())
        .keys(&desk.pair.both())
        .options(denial.bind())
        .times("now-20d", "now+10d");
    bind.run(&desk.scratch.path("first")).succeeds();
    let text = changed(&desk.scratch.read("first"));
    let input = desk.scratch.write("input", text);
    // dnssec-signzone and signet read the clock each for themselves: absolute times are the same for both.
    let bind = SignZone::new(&input, &desk.zone.origin, desk.keys())
        .keys(&desk.pair.both())
        .options(denial.bind())
        .options(if denial == Denial::Nsec { &[] } else { &["-u"] })
        .options(options)
        .times(times.0, times.1);
    let theirs = bind.signed();
    desk.sign_from(times.0, times.1, &input, "ours", &[denial.signet(), options].concat());
    desk.normal("ours")
        .assert_same(&theirs, &format!("{denial:?} {times:?} {options:?}"));
}

#[test]
fn retention_is_that_of_dnssec_signzone() {
    for denial in Denial::ALL {
        as_bind_does(denial, ("20260601000000", "20370101000000"), &["-i", "432000"]);
        as_bind_does(denial, ("20260601000000", "20370101000000"), &["-i", "950400"]);
    }
    as_bind_does(Denial::Nsec, ("20260601000000", "20370101000000"), &[]);
    as_bind_does(
        Denial::Nsec,
        ("20260601000000", "20370101000000"),
        &["-i", "432000", "-Q", "-R"],
    );
    as_bind_does(
        Denial::Nsec3,
        ("20260601000000", "20370101000000"),
        &["-i", "432000", "-x"],
    );
}

#[test]
fn chains_change_and_stale_records_go() {
    for from in Denial::ALL {
        for to in Denial::ALL {
            let desk = Desk::new(crowded());
            desk.sign(&desk.input(), "first", from.signet());
            let first = desk.scratch.path("first");
            let again = desk.sign(&first, "again", to.signet());
            let fresh = desk.sign(&desk.input(), "fresh", to.signet());
            let (ours, plain) = (desk.normal("again"), desk.normal("fresh"));
            let unsigned = |zone: &ZoneText| zone.without(|rtype| rtype.starts_with("RRSIG"));
            unsigned(&ours).assert_same(&unsigned(&plain), &format!("{from:?} to {to:?}"));
            assert_eq!(ours.signatures(), plain.signatures());
            assert!(
                from == to || again.made() > 0 && again.made() < fresh.made(),
                "{from:?} {to:?}"
            );
            dnssec_verify(&desk.scratch.path("again"), &desk.zone.origin, &[]).succeeds();
        }
        // Without a word of how absence is proven the chain stays.
        let desk = Desk::new(crowded());
        desk.sign(&desk.input(), "first", from.signet());
        let again = desk.sign(&desk.scratch.path("first"), "again", &[]);
        assert_eq!(again.made(), 0, "{from:?}");
        assert_eq!(desk.scratch.bytes("again"), desk.scratch.bytes("first"));
    }
}

#[test]
fn a_bad_signature_is_replaced() {
    let desk = Desk::new(leaf(20));
    let first = desk.sign(&desk.input(), "first", &[]);
    let text = desk.scratch.read("first");
    let line = text.lines().find(|line| line.contains("RRSIG\tAAAA")).unwrap();
    let mut bad = line.to_owned();
    let at = bad.len() - 20;
    let other = if &bad[at..=at] == "A" { "B" } else { "A" };
    bad.replace_range(at..=at, other);
    let file = desk.scratch.write("bad", text.replace(line, &bad));
    let again = desk.sign(&file, "again", &[]);
    assert_eq!((again.decided("changed"), again.made()), (1, 1));
    assert_eq!(again.decided("kept"), first.made() - 1);
}

#[test]
fn a_key_that_is_not_at_hand_keeps_its_signatures() {
    let desk = Desk::new(leaf(10));
    let first = desk.sign(&desk.input(), "first", &["-x"]);
    std::fs::remove_file(desk.pair.ksk.private_file()).unwrap();
    let file = desk.scratch.path("first");
    let again = desk.sign(&file, "again", &["-x", "--force"]);
    assert_eq!(again.decided("kept"), 1);
    assert_eq!(again.made(), first.made() - 1);
    dnssec_verify(&desk.scratch.path("again"), &desk.zone.origin, &["-x"]).succeeds();
    // Ten days are left of the KSK's signature.
    let due = desk.try_sign(&["-s", "now-1h", "-e", "now+40d"], &file, "due", &["-x", "-i", "15d"]);
    due.exits(6).says(&["due for renewal"]);
    assert_eq!(desk.done(due, "due").decided("unrenewed"), 1);
    dnssec_verify(&desk.scratch.path("due"), &desk.zone.origin, &["-x"]).succeeds();
    // An unsigned zone with the same keys has no signature to keep.
    let bare = desk.try_sign(&[], &desk.input(), "bare", &["-x"]);
    bare.exits(1).says(&["not at hand", "--dnskey-set"]);
    // The set as it was signed elsewhere.
    let set: String = desk
        .scratch
        .read("first")
        .lines()
        .filter(|line| line.contains("\tDNSKEY\t") || line.contains("RRSIG\tDNSKEY"))
        .map(|line| format!("{line}\n"))
        .collect();
    let set = desk.scratch.write("set", set);
    let option = set.display().to_string();
    let plain = desk.scratch.write("plain.zone", &desk.zone.text);
    let given = desk.sign(&plain, "given", &["-x", "--dnskey-set", &option]);
    assert_eq!(given.decided("kept"), 1);
    dnssec_verify(&desk.scratch.path("given"), &desk.zone.origin, &["-x"]).succeeds();
}

/// The names of a unit's signatures that the change asked for: each set that is new or other than before.
fn sets_that_changed(before: &ZoneText, after: &ZoneText) -> usize {
    let unsigned = |zone: &ZoneText| zone.without(|rtype| rtype.starts_with("RRSIG"));
    let (before, after) = (unsigned(before), unsigned(after));
    let signed = |difference: &signet_tests::Difference| difference.left.is_some();
    after
        .differences(&before)
        .iter()
        .filter(|difference| signed(difference))
        .count()
}

#[test]
fn a_thousandth_of_the_records_changed_costs_their_signatures_alone() {
    let count = if full() { 100_000 } else { 2000 };
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let (scratch, token) = (Scratch::new(), Token::default());
        let zone = leaf(count);
        let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", Place::Token, scratch.folder());
        let sign = |file: &Path, out: &Path| {
            Signet::new("sign")
                .arg(file)
                .args(["-o", &zone.origin, "-K"])
                .arg(scratch.folder())
                .arg("-f")
                .arg(out)
                .args(denial.signet())
                .args(["--sessions", "2"])
                .keys(&pair.both())
        };
        let (old, new) = (scratch.path("old"), scratch.path("new"));
        sign(&zone.write(&scratch, &[]), &old).on(&token).run().succeeds();

        let every = 1000;
        let mut text = String::new();
        for (number, line) in zone.text.lines().enumerate() {
            match number % every {
                100 => text.push_str(&format!("new-{number}.{} 3600 IN A 192.0.2.9\n", zone.origin)),
                500 if line.contains(" A ") => {
                    let at = line.rfind(' ').unwrap();
                    text.push_str(&format!("{} 203.0.113.1\n", &line[..at]));
                    continue;
                }
                900 if line.contains(" AAAA ") || line.contains(" TXT ") => continue,
                _ => {}
            }
            text.push_str(line);
            text.push('\n');
        }
        let changed = scratch.write("changed.zone", text);
        let log = scratch.write("spy.log", "");
        let report = scratch.path("report.json");
        let run = sign(&changed, &new)
            .args(["--session-copy", "never"])
            .arg("--reuse")
            .arg(&old)
            .arg("--report")
            .arg(&report)
            .on(&token)
            .envs(token.spied_environment(&log))
            .run();
        run.succeeds();
        let report: serde_json::Value = serde_json::from_str(&scratch.read("report.json")).unwrap();
        let decisions = &report["decisions"];
        let (before, after) = (normalise(&old, &zone.origin), normalise(&new, &zone.origin));
        let expected = sets_that_changed(&before, &after);
        assert!(expected >= 4, "{denial:?}: {expected}");
        let made: u64 = ["new", "changed", "expiring", "key", "forced"]
            .iter()
            .map(|word| decisions[word].as_u64().unwrap())
            .sum();
        assert_eq!(made, expected as u64, "{denial:?}: {decisions}");
        assert_eq!(decisions["kept"].as_u64().unwrap() + made, after.signatures() as u64);
        // At the border of PKCS#11: these, and one proof for each key.
        let calls = scratch.read("spy.log").matches(": C_Sign\n").count();
        assert_eq!(calls, expected + 2, "{denial:?}");
    }
}

#[test]
fn with_nothing_to_do_the_file_and_its_serial_stay() {
    for denial in [Denial::Nsec, Denial::OptOut] {
        let desk = Desk::new(crowded());
        let input = desk.input();
        let serials = ["-N", "increment", "--zonemd", "sha384"];
        desk.sign(&input, "out", &[denial.signet(), &serials].concat());
        let before = desk.scratch.bytes("out");
        let old = desk.scratch.path("out").display().to_string();
        let reuse = [denial.signet(), &serials, &["--reuse", &old]].concat();
        let again = desk.sign_from("now-19d", "now+12d", &input, "out", &reuse);
        again.run.says(&["nothing to do", "the output stays"]);
        assert_eq!(again.report["unchanged"], true);
        assert_eq!((again.made(), again.decided("dropped")), (0, again.decided("dropped")));
        assert_eq!(desk.scratch.bytes("out"), before);
        // One record more: the SOA, the set, denial and ZONEMD are signed.
        let mut text = desk.scratch.read(&format!("{}.zone", desk.zone.name));
        text.push_str(&format!("one-more.{} 3600 IN A 192.0.2.5\n", desk.zone.origin));
        let more = desk.scratch.write("more.zone", text);
        let changed = desk.sign_from("now-19d", "now+12d", &more, "out", &reuse);
        assert_eq!(changed.report["unchanged"], false);
        assert_eq!(changed.report["serial"], again.report["serial"].as_u64().unwrap() + 1);
        assert!((4..8).contains(&changed.made()), "{:?}", changed.report["decisions"]);
        let zone = desk.scratch.path("out");
        dnssec_verify(&zone, &desk.zone.origin, &[]).succeeds();
        Signet::new("verify")
            .arg(&zone)
            .args(["-o", &desk.zone.origin])
            .run()
            .succeeds();
        // All is due: a file of the same content is written anew.
        let due = desk.sign_from("now-19d", "now+40d", &more, "out", &reuse);
        assert_eq!(
            (due.report["unchanged"].clone(), due.decided("kept")),
            (false.into(), 0)
        );
    }
}

#[test]
fn zonemd_is_made_and_verifies() {
    for denial in Denial::ALL {
        for (zone, partition) in [(crowded(), "every-owner"), (leaf(300), "50")] {
            let desk = Desk::new(zone);
            let options = ["--zonemd", "sha512,sha384", "--partition-records", partition];
            desk.sign(&desk.input(), "out", &[denial.signet(), &options].concat());
            let out = desk.scratch.path("out");
            let verified = Signet::new("verify").arg(&out).args(["-o", &desk.zone.origin]).run();
            verified.succeeds();
            dnssec_verify(&out, &desk.zone.origin, &[]).succeeds();
            let text = desk.scratch.read("out");
            assert_eq!(text.matches("\tZONEMD\t").count(), 2);
            // One digit of a digest changed is found.
            let line = text.lines().find(|line| line.contains("\tZONEMD\t")).unwrap();
            let mut bad = line.to_owned();
            let last = if bad.pop() == Some('0') { '1' } else { '0' };
            bad.push(last);
            let bad = desk.scratch.write("bad", text.replace(line, &bad));
            Signet::new("verify")
                .arg(&bad)
                .args(["-o", &desk.zone.origin])
                .run()
                .exits(5);
            // Without the flag the one of the input goes.
            desk.sign(&out, "without", denial.signet());
            assert_eq!(desk.scratch.read("without").matches("ZONEMD").count(), 0);
        }
    }
}

#[test]
fn an_output_is_not_replaced_by_an_older_one() {
    let desk = Desk::new(leaf(5));
    let input = desk.input();
    desk.sign(&input, "out", &["-N", "unixtime"]);
    let before = desk.scratch.bytes("out");
    let times = ["-s", "now-20d", "-e", "now+10d"];
    let older = desk.try_sign(&times, &input, "out", &[]);
    older.exits(1).says(&["serial", "is before", "--serial increment"]);
    let clock = desk.try_sign(&["-s", "now-20d", "-e", "now+10d"], &input, "other", &[]);
    clock.succeeds();
    assert_eq!(desk.scratch.bytes("out"), before);
    let insisted = desk.sign(&input, "out", &["--insist"]);
    assert_eq!(insisted.report["serial"], 2_026_010_101);
    let advanced = desk.sign(&input, "out", &["-N", "increment"]);
    assert_eq!(advanced.report["serial"], 2_026_010_102);
    let further = desk.sign(&input, "out", &["-N", "increment"]);
    assert_eq!(further.report["serial"], 2_026_010_103);
}

#[test]
fn jitter_spreads_ends_and_is_the_same_again() {
    let desk = Desk::new(leaf(100));
    let input = desk.input();
    let absolute = |out: &str, options: &[&str]| {
        desk.sign_from(
            "20260601000000",
            "20360601000000",
            &input,
            out,
            &[&["-j", "100d"], options].concat(),
        );
        desk.scratch.read(out)
    };
    let one = absolute("one", &[]);
    assert_eq!(
        one,
        absolute("two", &["--threads", "1", "--partition-records", "every-owner"])
    );
    assert_ne!(one, absolute("three", &["--jitter-seed", "1"]));
    let ends = |text: &str, rtype: &str| -> std::collections::BTreeSet<String> {
        let lines = text.lines().filter(|line| line.contains(&format!("\tRRSIG\t{rtype} ")));
        lines
            .map(|line| line.split_whitespace().nth(8).unwrap().to_owned())
            .collect()
    };
    assert!(ends(&one, "A").len() > 90);
    for rtype in ["SOA", "DNSKEY"] {
        assert_eq!(ends(&one, rtype), ["20360601000000".to_owned()].into());
    }
    assert_ne!(
        ends(&absolute("all", &["--jitter-all"]), "SOA"),
        ["20360601000000".to_owned()].into()
    );
    let refused = desk.try_sign(&["-e", "+10d"], &input, "refused", &["-j", "8d"]);
    refused.exits(2).says(&["less than the validity"]);
}

#[test]
fn keys_are_announced_by_their_dates() {
    let desk = Desk::new(leaf(5));
    let input = desk.input();
    let out = desk.scratch.path("out");
    let has = |rtype: &str| desk.scratch.read("out").matches(&format!("\t{rtype}\t")).count();
    desk.sign(&input, "out", &[]);
    assert_eq!((has("CDS"), has("CDNSKEY")), (0, 0));
    settime(&desk.pair.ksk, &["-P", "sync", "now-1d"]).succeeds();
    let folder = desk.scratch.make_folder("sets").display().to_string();
    desk.sign(&input, "out", &["-d", &folder]);
    assert_eq!((has("CDS"), has("CDNSKEY")), (1, 1));
    dnssec_verify(&out, &desk.zone.origin, &[]).succeeds();
    let digits = |text: &str| text.split_whitespace().collect::<String>();
    let set = desk.scratch.read(&format!("sets/dsset-{}", desk.zone.origin));
    assert_eq!(digits(&set), digits(&ds_from_key(&desk.pair.ksk, &["-2"])));
    // What is announced stays in a zone that is signed again, until the date of its end.
    let signed = desk.scratch.path("out");
    desk.sign(&signed, "out", &["--sync", "cds:sha-384"]);
    assert_eq!((has("CDS"), has("CDNSKEY")), (2, 1));
    settime(&desk.pair.ksk, &["-D", "sync", "now-1h"]).succeeds();
    desk.sign(&signed, "out", &[]);
    assert_eq!((has("CDS"), has("CDNSKEY")), (0, 0));
    desk.sign(&signed, "out", &["--sync-delete"]);
    let text = desk.scratch.read("out");
    assert!(text.contains("\tCDS\t0 0 0 00\n") && text.contains("\tCDNSKEY\t0 3 0 AA==\n"));
    dnssec_verify(&out, &desk.zone.origin, &[]).succeeds();
    desk.try_sign(&[], &input, "other", &["--sync", "cds:md5"])
        .exits(2)
        .says(&["cds:md5"]);
}
