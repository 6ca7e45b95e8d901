//! The signed example zones of RFC 4035 A and RFC 5155 A: verified as they stand, and their chains made again by us. The
//! zones of RFC 8976 A: their digests.

use std::path::PathBuf;

use signet_tests::judges::{ldns_verify_zone, normalise};
use signet_tests::{Program, Run, Scratch, Signet, ZoneText, program, project};

use crate::signing::Pair;

fn data(name: &str) -> PathBuf {
    project().join("tests/data/vectors").join(name)
}

fn verify(file: &std::path::Path, flags: &[&str], now: &str) -> Run {
    Signet::new("verify")
        .arg(file)
        .args(["-o", "example."])
        .args(flags)
        .args(["--now", now])
        .run()
}

#[test]
fn the_zone_of_rfc_4035_verifies() {
    let run = verify(&data("rfc4035.zone"), &[], "20040501000000");
    run.succeeds();
    assert!(run.stdout.contains("27 signatures, 27 verified"), "{run:?}");
    assert_eq!(
        ldns_verify_zone(&data("rfc4035.zone"), Some("20040501000000")).code,
        Some(0)
    );
}

#[test]
fn the_zone_of_rfc_4035_is_valid_in_its_time_only() {
    for now in ["20040409183618", "20040509183620"] {
        verify(&data("rfc4035.zone"), &[], now).exits(5);
    }
    for now in ["20040409183619", "20040509183619"] {
        verify(&data("rfc4035.zone"), &[], now).succeeds();
    }
}

#[test]
fn a_changed_zone_of_rfc_4035_does_not_verify() {
    let scratch = Scratch::new();
    let text = std::fs::read_to_string(data("rfc4035.zone")).unwrap();
    for (from, to) in [
        ("\tA\t192.0.2.9", "\tA\t192.0.2.10"),
        ("\tMX\t1 ai.example.", "\tMX\t2 ai.example."),
        ("NSEC\tb.example. A HINFO AAAA", "NSEC\tb.example. A AAAA"),
        ("NSEC\tns2.example.", "NSEC\txx.example."),
        ("\"TOPS-20\"", "\"TOPS-21\""),
        ("57855 5 1 B6", "57855 5 1 B7"),
        ("2001:db8::f00:baaa", "2001:db8::f00:baab"),
    ] {
        assert!(text.contains(from), "{from}");
        let file = scratch.write("changed.zone", text.replacen(from, to, 1));
        verify(&file, &[], "20040501000000").exits(5);
    }
}

#[test]
fn the_zone_of_rfc_5155_has_a_sound_chain() {
    // Its keys have 512 bits, which no current library verifies with: that is said, and the rest is checked.
    let run = verify(&data("rfc5155.zone"), &["-x"], "20100101000000");
    run.succeeds();
    assert!(run.output().contains("512 bits"), "{run:?}");
    assert_eq!(
        ldns_verify_zone(&data("rfc5155.zone"), Some("20100101000000")).code,
        Some(0)
    );
}

#[test]
fn a_changed_chain_of_rfc_5155_does_not_verify() {
    let scratch = Scratch::new();
    let text = std::fs::read_to_string(data("rfc5155.zone")).unwrap();
    for (from, to) in [
        ("AABBCCDD kohar7", "AABBCCDD kohar8"),
        (
            "2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
            "35mthgpgcu1qg68fab165klnsnk3dpvl A RRSIG",
        ),
        (
            "ji6neoaepv8b5o6k4ev33abha8ht9fgc A HINFO AAAA",
            "ji6neoaepv8b5o6k4ev33abha8ht9fgc A AAAA",
        ),
        ("NSEC3PARAM\t1 0 12 AABBCCDD", "NSEC3PARAM\t1 0 13 AABBCCDD"),
        (
            "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A HINFO",
            "2t7b4g4vsa5smi47k61mv5bv1a22bojr A HINFO",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let file = scratch.write("changed.zone", text.replacen(from, to, 1));
        verify(&file, &["-x"], "20100101000000").exits(5);
    }
}

/// The zone without its DNSSEC records, signed by us; and as it stands in the RFC.
fn made_again(name: &str, denial: &[&str]) -> (ZoneText, ZoneText) {
    let scratch = Scratch::new();
    let text = std::fs::read_to_string(data(name)).unwrap();
    let dnssec = ["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY"];
    let plain: String = text
        .lines()
        .filter(|line| !line.split('\t').nth(3).is_some_and(|rtype| dnssec.contains(&rtype)))
        .map(|line| format!("{line}\n"))
        .collect();
    let pair = Pair::of_bind("ED25519", "example.", scratch.folder());
    let (file, out) = (scratch.write("plain.zone", plain), scratch.path("signed"));
    let sign = Signet::sign(&file, "example.", &out, scratch.folder());
    sign.keys(&pair.both()).args(denial).run().succeeds();
    (normalise(&out, "example."), normalise(&data(name), "example."))
}

#[test]
fn the_nsec_chain_of_rfc_4035_is_made_again() {
    let (ours, theirs) = made_again("rfc4035.zone", &["--nsec"]);
    let chain = |zone: &ZoneText| zone.without(|rtype| rtype != "NSEC");
    assert_eq!(chain(&theirs).sets.len(), 10);
    chain(&ours).assert_same(&chain(&theirs), "the NSEC records of RFC 4035 A");
}

#[test]
fn the_nsec3_chain_of_rfc_5155_is_made_again() {
    let flags = ["--nsec3", "--salt", "AABBCCDD", "--iterations", "12", "--opt-out"];
    let (ours, theirs) = made_again("rfc5155.zone", &flags);
    let chain = |zone: &ZoneText| zone.without(|rtype| rtype != "NSEC3");
    assert_eq!(chain(&theirs).sets.len(), 12);
    chain(&ours).assert_same(&chain(&theirs), "the NSEC3 records of RFC 5155 A");
    let parameters = ours.set("example.", "NSEC3PARAM").unwrap();
    assert_eq!(
        parameters.records,
        theirs.set("example.", "NSEC3PARAM").unwrap().records
    );
}

#[test]
fn signatures_cover_what_they_cover_in_the_rfcs() {
    // Owners, types, label counts and original TTLs are the same; keys, times and signatures are ours.
    for (name, flags) in [
        ("rfc4035.zone", &["--nsec"][..]),
        (
            "rfc5155.zone",
            &["--nsec3", "--salt", "AABBCCDD", "--iterations", "12", "--opt-out"],
        ),
    ] {
        let (ours, theirs) = made_again(name, flags);
        let covered = |zone: &ZoneText| -> Vec<(String, String, String)> {
            let sets = zone
                .sets
                .iter()
                .filter(|((_, rtype), _)| rtype.starts_with("RRSIG ") && rtype != "RRSIG NSEC3PARAM");
            sets.map(|((owner, rtype), set)| {
                let fields: Vec<&str> = set.records.first().unwrap().split_whitespace().collect();
                (
                    owner.clone(),
                    rtype.clone(),
                    format!("labels {} TTL {}", fields[2], fields[3]),
                )
            })
            .collect()
        };
        assert_eq!(covered(&ours), covered(&theirs), "{name}");
    }
}

/// The rules that a zone breaks, by the program's JSON.
fn rules_broken(file: &std::path::Path, origin: &str, flags: &[&str]) -> Vec<String> {
    let run = Signet::new("verify --json")
        .arg(file)
        .args(["-o", origin])
        .args(flags)
        .run();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    let mut rules: Vec<_> = findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .filter(|rule| rule != "not-signed")
        .collect();
    rules.sort_unstable();
    rules
}

#[test]
fn the_digests_of_rfc_8976_are_computed() {
    // The zones are not signed: that is said, and their ZONEMD compared all the same.
    let scratch = Scratch::new();
    for (name, expected, changed) in [
        ("rfc8976-a1.zone", vec![], ("203.0.113.63", "203.0.113.64")),
        (
            "rfc8976-a2.zone",
            vec![],
            ("occluded but must be", "occluded and must be"),
        ),
        (
            "rfc8976-a3.zone",
            vec!["zonemd-unknown"],
            ("multiple digests", "several digests"),
        ),
    ] {
        assert_eq!(rules_broken(&data(name), "example.", &[]), expected, "{name}");
        let text = std::fs::read_to_string(data(name)).unwrap();
        let other = text.replacen(changed.0, changed.1, 1);
        assert_ne!(text, other);
        let broken = rules_broken(&scratch.write("changed.zone", other), "example.", &[]);
        assert!(broken.contains(&"zonemd-digest".to_owned()), "{name}: {broken:?}");
        let serial = text.replacen("admin 2018031900", "admin 2018031901", 1);
        let broken = rules_broken(&scratch.write("changed.zone", serial), "example.", &[]);
        assert!(broken.contains(&"zonemd-serial".to_owned()), "{name}: {broken:?}");
    }
}

#[test]
fn uri_arpa_of_rfc_8976_verifies_with_its_own_signatures() {
    // The digest is right. The signatures are those of 2018, from before the ZONEMD was put in: that is what is wrong.
    let now = ["--now", "20181015000000"];
    let file = data("rfc8976-a4.zone");
    assert_eq!(
        rules_broken(&file, "uri.arpa.", &now),
        ["nsec-bitmap", "signature-missing"]
    );
    let scratch = Scratch::new();
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("600 IN MX 10 pechora", "600 IN MX 11 pechora", 1);
    assert_ne!(text, changed);
    let changed = scratch.write("changed.zone", changed);
    assert_eq!(
        rules_broken(&changed, "uri.arpa.", &now),
        ["nsec-bitmap", "signature-invalid", "signature-missing", "zonemd-digest"]
    );
    let plain: String = text
        .lines()
        .filter(|line| !line.contains(" ZONEMD "))
        .fold(String::new(), |text, line| text + line + "\n");
    let plain = scratch.write("plain.zone", plain);
    let run = Signet::new("verify -o uri.arpa.").arg(&plain).args(now).run();
    run.succeeds();
    assert!(run.stdout.contains("14 signatures, 14 verified"), "{run:?}");
    assert_eq!(ldns_verify_zone(&plain, Some("20181015000000")).code, Some(0));
}

#[test]
fn root_servers_net_of_rfc_8976_has_the_digest_of_the_rfc() {
    let file = data("rfc8976-a5.zone");
    assert_eq!(rules_broken(&file, "root-servers.net.", &[]), Vec::<String>::new());
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in [
        ("199.9.14.201", "170.247.170.2"),
        ("MX 20 mail.isi.edu", "MX 20 mail.isi.eu"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed);
        let scratch = Scratch::new();
        let changed = scratch.write("changed.zone", changed);
        assert_eq!(rules_broken(&changed, "root-servers.net.", &[]), ["zonemd-digest"]);
    }
}

#[test]
fn signet_makes_the_digests_of_rfc_8976() {
    // Signed by us the zones change, so their ZONEMD does: it is ours, and ldns computes the same.
    for (name, origin) in [
        ("rfc8976-a4.zone", "uri.arpa."),
        ("rfc8976-a5.zone", "root-servers.net."),
    ] {
        let scratch = Scratch::new();
        let pair = Pair::of_bind("ED25519", origin, scratch.folder());
        let out = scratch.path("signed");
        let signed = [" RRSIG ", " NSEC ", " DNSKEY "];
        let text = std::fs::read_to_string(data(name)).unwrap();
        let plain: Vec<&str> = text
            .lines()
            .filter(|line| !signed.iter().any(|rtype| line.contains(rtype)))
            .collect();
        let zone = scratch.write("zone", plain.join("\n") + "\n");
        Signet::sign(&zone, origin, &out, scratch.folder())
            .keys(&pair.both())
            .args(["--zonemd", "sha384"])
            .run()
            .succeeds();
        assert_eq!(rules_broken(&out, origin, &[]), Vec::<String>::new(), "{name}");
        let run = Program::new(program("ldns-verify-zone")).arg("-ZZ").arg(&out).run();
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
    }
}
