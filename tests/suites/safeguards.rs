//! What is refused, and what is warned of, before a zone takes the place of another: clocks, times, keys that vanish, zones
//! that shrink. And what a part of a zone, the children's DS records and an offline KSK's CDS come to.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use signet_tests::judges::{Judge, all_accept, dnssec_verify, ds_from_key, settime};
use signet_tests::zones::{crowded, leaf, tld};
use signet_tests::{Faulty, Key, Role, Scratch, Signet, Token};

use crate::desk::Desk;
use crate::signing::{Denial, Pair, Place};

#[test]
fn a_clock_behind_the_old_output_is_refused() {
    let desk = Desk::new(leaf(3));
    let input = desk.input();
    // What a machine whose clock was two hours ahead left behind.
    let ahead = ["-s", "now+2h", "-e", "now+20d"];
    desk.try_sign(&ahead, &input, "out", &[])
        .exits(2)
        .says(&["only be valid", "seconds from now", "insist"]);
    desk.try_sign(&ahead, &input, "out", &["--insist", "--verify", "none"])
        .succeeds()
        .says(&["not valid yet"]);
    let before = desk.scratch.bytes("out");
    let refused = desk.try_sign(&["-s", "now-1h", "-e", "now+20d"], &input, "out", &["-N", "unixtime"]);
    refused.exits(1).says(&["the clock is", "behind the inception"]);
    assert_eq!(desk.scratch.bytes("out"), before);
    desk.sign(&input, "out", &["-N", "unixtime", "--insist"]);
}

#[test]
fn windows_that_no_resolver_understands_are_refused() {
    let desk = Desk::new(leaf(3));
    let input = desk.input();
    let half = 1_u64 << 31;
    for (start, end) in [
        ("now-1h".to_owned(), format!("+{half}")),
        ("now-1h".to_owned(), "+0".to_owned()),
        ("now-1h".to_owned(), "now-2h".to_owned()),
    ] {
        desk.try_sign(&["-s", &start, "-e", &end], &input, "out", &[])
            .exits(2)
            .says(&["less than 68 years"]);
        desk.try_sign(&["-s", &start, "-X", &end], &input, "out", &[])
            .exits(2)
            .says(&["DNSKEY signatures"]);
    }
    desk.try_sign(&["-s", "now-1h", "-e", &format!("+{}", half - 1)], &input, "out", &[])
        .succeeds();
}

#[test]
fn a_ksk_that_vanished_is_missed() {
    let desk = Desk::new(leaf(3));
    let other = Key::by_bind(&desk.zone.origin, "ED25519", Role::Ksk, desk.keys());
    let plain = desk.scratch.write("plain.zone", &desk.zone.text);
    let sign = |options: &[&str]| {
        Signet::new("sign")
            .arg(&plain)
            .args(["-o", &desk.zone.origin, "--no-token", "-f"])
            .arg(desk.scratch.path("out"))
            .arg("-K")
            .arg(desk.keys())
            .args(options)
            .run()
    };
    let away = |file: &Path| PathBuf::from(format!("{}.away", file.display()));
    sign(&[]).succeeds();
    let before = desk.scratch.bytes("out");
    for file in [other.private_file(), other.public_file()] {
        std::fs::rename(&file, away(&file)).unwrap();
    }
    let tag = format!("ED25519/{}", other.tag());
    sign(&[])
        .exits(1)
        .says(&[&tag, "a DS at the parent may name it", "insist"]);
    assert_eq!(desk.scratch.bytes("out"), before);
    // Its date of deletion says that it is meant.
    for file in [other.private_file(), other.public_file()] {
        std::fs::rename(away(&file), &file).unwrap();
    }
    settime(&other, &["-I", "now-2d", "-D", "now-1d"]).succeeds();
    sign(&[]).succeeds();
    assert!(!desk.scratch.read("out").contains(&format!("\tDNSKEY {} ", other.tag())));
    dnssec_verify(&desk.scratch.path("out"), &desk.zone.origin, &[]).succeeds();
}

#[test]
fn ttls_are_lowered_and_short_validity_is_warned_of() {
    let desk = Desk::new(crowded());
    let done = desk.sign(&desk.input(), "out", &["-M", "300", "--nsec3"]);
    // The SOA's expire field is 14 days, and 10 days are left of the signatures.
    done.run.says(&["expire", "serve expired signatures"]);
    let text = desk.scratch.read("out");
    let ttls: std::collections::BTreeSet<u32> = text
        .lines()
        .map(|line| line.split('\t').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(ttls.last(), Some(&300), "{ttls:?}");
    all_accept(
        &[Judge::Bind, Judge::Ldns],
        &desk.scratch.path("out"),
        &desk.zone.origin,
    );
    let long = desk.sign_from("now-1h", "now+30d", &desk.input(), "long", &[]);
    assert!(!long.run.stderr.contains("serve expired"), "{:?}", long.run);
}

#[test]
fn other_content_under_the_same_serial_is_warned_of() {
    let desk = Desk::new(leaf(3));
    let input = desk.input();
    let first = desk.sign(&input, "out", &["-N", "keep"]);
    assert!(!first.run.stderr.contains("secondaries"), "{:?}", first.run);
    let old = desk.scratch.path("out").display().to_string();
    let same = desk.sign(&input, "out", &["-N", "keep", "--reuse", &old]);
    assert!(!same.run.stderr.contains("secondaries"), "{:?}", same.run);
    let text = desk.scratch.read(&format!("{}.zone", desk.zone.name)) + "more.leaf.test. 60 IN A 192.0.2.9\n";
    let more = desk.scratch.write("more.zone", text);
    let kept = desk.sign(&more, "out", &["-N", "keep", "--reuse", &old]);
    kept.run
        .says(&["its serial is 2026010101 still", "secondaries will not transfer"]);
}

#[test]
fn a_zone_that_grew_or_shrank_too_much_is_refused() {
    let desk = Desk::new(leaf(100));
    let plain = desk.scratch.write("plain.zone", &desk.zone.text);
    let change = ["--max-change", "10"];
    // The first output has nothing to be compared with.
    desk.sign(&plain, "out", &change);
    let before = desk.scratch.bytes("out");
    let lines: Vec<&str> = desk.zone.text.lines().collect();
    let with = |count: usize| {
        let mut text = lines[..count.min(lines.len())].join("\n") + "\n";
        for number in lines.len()..count {
            text.push_str(&format!("more{number}.leaf.test. 60 IN A 192.0.2.1\n"));
        }
        desk.scratch.write("changed.zone", text)
    };
    let tenth = lines.len() / 10;
    let times = ["-s", "now-1h", "-e", "now+20d"];
    let less = desk.try_sign(&times, &with(lines.len() - tenth - 1), "out", &change);
    less.exits(1).says(&["shrank by more than the 10 %", "--max-change"]);
    let more = desk.try_sign(&times, &with(lines.len() + tenth + 1), "out", &change);
    more.exits(1).says(&["grew"]);
    assert_eq!(desk.scratch.bytes("out"), before);
    desk.sign(&with(lines.len() + tenth), "out", &change);
    desk.sign(&with(lines.len() / 2), "out", &[]);
    // Without an output in place the earlier one that is looked at counts.
    let old = desk.scratch.path("out").display().to_string();
    desk.try_sign(&times, &plain, "other", &["--max-change", "90", "--reuse", &old])
        .exits(1)
        .says(&["grew"]);
}

#[test]
fn a_zone_that_is_signed_anywhere_is_rejected_where_that_is_asked() {
    let desk = Desk::new(leaf(20));
    desk.sign(&desk.input(), "signed", &[]);
    let reject = ["--input-dnssec", "reject"];
    let text = desk.scratch.read("signed");
    // One signature is left, far from the apex.
    let last = text.lines().rfind(|line| line.contains("\tRRSIG\t")).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| *line == last || !(line.contains("\tRRSIG\t") || line.contains("\tNSEC\t")))
        .collect();
    assert!(!last.starts_with("leaf.test."));
    let one = desk.scratch.write("one", lines.join("\n") + "\n");
    let refused = desk.try_sign(&[], &one, "out", &reject);
    let line = lines.iter().position(|line| *line == last).unwrap() + 1;
    refused
        .exits(1)
        .says(&[&format!("one:{line}: signed already (RRSIG record)")]);
    desk.sign(&desk.input(), "out", &reject);
}

/// What a disk does to a zone that was written: an address that no signature covers is another one once the digest of the zone is made. The
/// token is at the signature over the ZONEMD then.
#[test]
fn a_zone_that_its_zonemd_does_not_fit_is_not_published() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(5);
    let pair = Pair::generate(&token, &zone.origin, "ED25519", Place::Token, scratch.folder());
    let glue = "cut.leaf.test. 300 IN NS ns.cut.leaf.test.\nns.cut.leaf.test. 300 IN A 192.0.2.177\n";
    let file = scratch.write("glue.zone", zone.text.clone() + glue);
    let outputs = scratch.make_folder("outputs");
    let out = outputs.join("out");
    let sign = |faulty: &Faulty| {
        Signet::sign(&file, &zone.origin, &out, scratch.folder())
            .keys(&pair.both())
            .args(["--zonemd", "sha384", "--session-copy", "never", "--sessions", "1"])
            .on(&token)
            .envs(token.faulty_environment(faulty))
    };
    let whole = Faulty::new("");
    sign(&whole).run().succeeds();
    let before = std::fs::read(&out).unwrap();
    let last = whole.calls("C_Sign");
    let faulty = Faulty::new(&format!("C_Sign {last} sleep 2000000"));
    let mut changed = false;
    let run = sign(&faulty).watch(|process| {
        if !changed && faulty.calls("C_Sign") >= last {
            changed = change_what_is_open(process, &outputs, b"192.0.2.177", b"192.0.2.178");
        }
    });
    assert!(changed, "{run:?}");
    run.exits(5)
        .says(&["ZONEMD: the zone's SHA384 digest", "zonemd-digest"]);
    assert_eq!(std::fs::read(&out).unwrap(), before);
    let names: Vec<_> = outputs
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["out"], "{run:?}");
}

/// Puts other bytes of the same number over the first such ones in a file of the folder that the process has open.
fn change_what_is_open(process: u32, folder: &Path, from: &[u8], to: &[u8]) -> bool {
    let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    open.flatten().any(|entry| {
        let path = entry.path();
        if !std::fs::read_link(&path).is_ok_and(|target| target.starts_with(folder)) {
            return false;
        }
        let text = std::fs::read(&path).unwrap_or_default();
        let Some(at) = text.windows(from.len()).position(|bytes| bytes == from) else {
            return false;
        };
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(to, at as u64).unwrap();
        true
    })
}

#[test]
fn a_part_is_included_in_its_zone() {
    for denial in Denial::ALL {
        let desk = Desk::new(crowded());
        let plain = desk.scratch.write("plain.zone", &desk.zone.text);
        desk.sign(&plain, "part", &[denial.signet(), &["-D"]].concat());
        let part = desk.scratch.read("part");
        for plain in ["\tSOA\t", "\tA\t", "\tNS\t"] {
            assert!(!part.contains(plain), "{denial:?}: {plain}");
        }
        let include = format!("{}$INCLUDE {}\n", desk.zone.text, desk.scratch.path("part").display());
        let whole = desk.scratch.write("whole.zone", include);
        desk.sign(&plain, "direct", denial.signet());
        let at_once = desk.normal("direct").without(|rtype| rtype.starts_with("RRSIG"));
        let of_parts = desk.normal("whole.zone").without(|rtype| rtype.starts_with("RRSIG"));
        of_parts.assert_same(&at_once, &format!("{denial:?}"));
        all_accept(&[Judge::Bind], &whole, &desk.zone.origin);
        Signet::new("verify")
            .arg(&whole)
            .args(["-o", &desk.zone.origin])
            .run()
            .succeeds();
        // Signed again with its own part: nothing is made, and the part is the same.
        let again = desk.sign(&whole, "part", &[denial.signet(), &["-D"]].concat());
        assert_eq!(again.made(), 0, "{denial:?}");
        assert_eq!(desk.scratch.read("part"), part);
        for options in [&["-D", "-N", "increment"][..], &["-D", "-M", "60"], &["-D", "-g"]] {
            desk.try_sign(&[], &plain, "refused", options)
                .exits(2)
                .says(&["--dnssec-only"]);
        }
    }
}

#[test]
fn children_bring_their_ds_records() {
    for denial in Denial::ALL {
        let desk = Desk::new(tld(60));
        let sets = desk.scratch.make_folder("sets");
        let text = &desk.zone.text;
        let mut delegations: Vec<&str> = text
            .lines()
            .filter(|line| line.contains(" IN NS ") && !line.starts_with("tld.test."))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        delegations.dedup();
        let secure = |name: &&&str| text.contains(&format!("{name} 3600 IN DS "));
        let insecure = *delegations.iter().find(|name| !secure(name)).unwrap();
        let kept: Vec<&&str> = delegations.iter().filter(secure).collect();
        let child = Key::by_bind(insecure, "ED25519", Role::Ksk, desk.scratch.folder());
        std::fs::write(sets.join(format!("dsset-{insecure}")), ds_from_key(&child, &["-2"])).unwrap();
        let folder = sets.display().to_string();
        let options = [denial.signet(), &["-g", "-d", &folder]].concat();
        let done = desk.sign(&desk.input(), "out", &options);
        done.run.says(&[
            &format!("{} delegations without a dsset- file", kept.len()),
            "keep the DS records",
        ]);
        let zone = desk.normal("out");
        assert_eq!(zone.count(|rtype| rtype == "DS"), kept.len() + 1);
        assert_eq!(zone.set(insecure, "DS").unwrap().ttls, [86400].into());
        all_accept(
            &[Judge::Bind, Judge::Ldns],
            &desk.scratch.path("out"),
            &desk.zone.origin,
        );
        let dropped = desk.sign(&desk.input(), "dropped", &[options.as_slice(), &["--drop-ds"]].concat());
        dropped.run.says(&["lose their DS records"]);
        assert_eq!(desk.normal("dropped").count(|rtype| rtype == "DS"), 1);
        all_accept(
            &[Judge::Bind, Judge::Ldns],
            &desk.scratch.path("dropped"),
            &desk.zone.origin,
        );
        // What is no DS set of its child is refused.
        for (content, words) in [
            ("", "no DS record"),
            ("tld.test. IN NS ns1.tld.test.\n", "DS records of"),
        ] {
            std::fs::write(sets.join(format!("dsset-{insecure}")), content).unwrap();
            desk.try_sign(&[], &desk.input(), "refused", &options)
                .exits(1)
                .says(&[words]);
        }
        desk.try_sign(&[], &desk.input(), "refused", &["--drop-ds"]).exits(2);
    }
}

#[test]
fn an_offline_ksk_announces_what_it_signed() {
    let desk = Desk::new(leaf(3));
    settime(&desk.pair.ksk, &["-P", "sync", "now-1d"]).succeeds();
    let plain = desk.scratch.write("plain.zone", &desk.zone.text);
    desk.sign(&plain, "ceremony", &["-x"]);
    let apex = |types: &[&str]| -> String {
        let of_type = |line: &&str| {
            let fields: Vec<&str> = line.split(['\t', ' ']).collect();
            types.contains(&fields[3]) || fields[3] == "RRSIG" && types.contains(&fields[4])
        };
        let text = desk.scratch.read("ceremony");
        text.lines().filter(of_type).map(|line| format!("{line}\n")).collect()
    };
    let keys = desk.scratch.write("keys", apex(&["DNSKEY"])).display().to_string();
    let all = desk
        .scratch
        .write("all", apex(&["DNSKEY", "CDS", "CDNSKEY"]))
        .display()
        .to_string();
    std::fs::remove_file(desk.pair.ksk.private_file()).unwrap();
    let with = |file: &str, options: &[&str]| {
        let options = [options, &["--dnskey-set", file]].concat();
        desk.try_sign(&["-s", "now-20d", "-e", "now+10d"], &plain, "out", &options)
    };
    // Its dates ask for CDS, which a ZSK cannot vouch for.
    for roles in [&["-x"][..], &[]] {
        with(&keys, roles)
            .exits(1)
            .says(&["CDS: no KSK at hand signs it", "--dnskey-set"]);
    }
    for roles in [&["-x"][..], &[]] {
        with(&all, roles).succeeds();
        let text = desk.scratch.read("out");
        assert!(text.contains("\tCDS\t") && text.contains("\tCDNSKEY\t"));
        dnssec_verify(
            &desk.scratch.path("out"),
            &desk.zone.origin,
            if roles.is_empty() { &[] } else { &["-x"] },
        )
        .succeeds();
    }
    // The signatures that are there stay when the zone is signed again.
    let file = desk.scratch.path("ceremony");
    let again = desk.sign(&file, "again", &["-x", "--force"]);
    assert_eq!(again.decided("kept"), 3);
    dnssec_verify(&desk.scratch.path("again"), &desk.zone.origin, &["-x"]).succeeds();
}
