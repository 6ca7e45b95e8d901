//! Zones signed with keys on a token, on disk and mixed, as the judges and dnssec-signzone see them.

use std::path::{Path, PathBuf};

use signet_tests::judges::{Judge, SignZone, all_accept, dnssec_verify, normalise};
use signet_tests::zones::{Spice, Zone, crowded, handmade, leaf, nasty, root_like, tld};
use signet_tests::{END, Key, Program, Role, Scratch, Signet, Token, ZoneText, full, program, project, shared_data};

use crate::signing::{Denial, Pair, Place};
use crate::verdicts;

/// A zone file, and what it is called in the table of verdicts.
struct Input {
    name: String,
    origin: String,
    file: PathBuf,
}

impl Input {
    fn of(zone: &Zone, scratch: &Scratch) -> Self {
        Self {
            name: zone.name.clone(),
            origin: zone.origin.clone(),
            file: zone.write(scratch, &[]),
        }
    }
}

/// Signs the zone with new keys; every judge that knows the algorithm accepts it; its denial records and the number of
/// its RRSIGs are those of dnssec-signzone.
fn signed_and_judged(input: &Input, algorithm: &str, place: Place, denial: Denial) {
    let (scratch, token) = (Scratch::new(), Token::default());
    let keys = scratch.make_folder("keys");
    let pair = Pair::generate(&token, &input.origin, algorithm, place, &keys);
    let out = scratch.path("signed");
    let run = Signet::sign(&input.file, &input.origin, &out, &keys)
        .keys(&pair.both())
        .args(denial.signet())
        .args(["--sessions", "2", "--threads", "2"])
        .on(&token)
        .run();
    run.succeeds();
    assert_eq!(run.stdout, "", "data alone goes to stdout");
    verdicts::check(verdicts::judges(algorithm), &out, &input.name, &input.origin, denial);
    let own = Signet::new("verify").arg(&out).args(["-o", &input.origin]).run();
    own.succeeds();

    let ours = normalise(&out, &input.origin);
    let theirs = by_bind(input, algorithm, denial);
    // Letter case is compared in `equal_to_bind`, with its two intended differences.
    let plain = |zone: &ZoneText| {
        zone.without(|rtype| rtype.contains("RRSIG") || rtype == "DNSKEY")
            .folded()
    };
    plain(&ours).assert_same(
        &plain(&theirs),
        &format!("{} {algorithm} {place:?} {denial:?}", input.name),
    );
    assert_eq!(
        ours.signatures(),
        theirs.signatures(),
        "{}: RRSIGs as dnssec-signzone's",
        input.name
    );
}

/// The same zone signed by dnssec-signzone, with keys of its own.
fn by_bind(input: &Input, algorithm: &str, denial: Denial) -> ZoneText {
    let scratch = Scratch::new();
    let pair = Pair::of_bind(algorithm, &input.origin, scratch.folder());
    let mut text = std::fs::read_to_string(&input.file).unwrap();
    for key in pair.both() {
        text.push_str(&key.record_with_ttl(3600));
    }
    let file = scratch.write("zone", text);
    SignZone::new(&file, &input.origin, scratch.folder())
        .keys(&pair.both())
        .options(denial.bind())
        .signed()
}

fn judged(zone: &Zone, algorithm: &str, place: Place, denial: Denial) {
    let scratch = Scratch::new();
    signed_and_judged(&Input::of(zone, &scratch), algorithm, place, denial);
}

/// A zone of `cargo xtask fixtures`, for the long run.
fn fixture(kind: &str, count: usize) -> Input {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = Program::new(cargo)
        .args(["xtask", "fixtures", kind, &count.to_string()])
        .folder(project())
        .run();
    run.succeeds();
    let (path, origin) = run.stdout.trim().rsplit_once(' ').expect("path and origin");
    Input {
        name: format!("{kind}-{count}"),
        origin: origin.to_owned(),
        file: path.into(),
    }
}

#[test]
fn a_zone_comes_from_a_file_a_pipe_or_gzip_data() {
    let scratch = Scratch::new();
    let zone = leaf(50);
    let file = zone.write(&scratch, &[]);
    let compressed = scratch.path("compressed.gz");
    let gzip = Program::new(program("gzip")).arg("-k").arg(&file).run();
    gzip.succeeds();
    std::fs::rename(scratch.path("leaf-50.zone.gz"), &compressed).unwrap();
    let format = || Signet::new("zone format").args(["-o", &zone.origin]);
    let expected = format().arg(&file).run().succeeds().stdout.clone();
    assert!(expected.lines().count() > 100);
    for input in [&file, &compressed] {
        assert_eq!(format().arg("-").input(input).run().succeeds().stdout, expected);
        assert_eq!(format().arg(input).run().succeeds().stdout, expected);
        let read = format().arg(input).args(["--no-mmap", "--memory", "1M"]);
        assert_eq!(read.run().succeeds().stdout, expected);
    }
}

#[test]
fn hosts_with_nsec_on_a_token() {
    if full() {
        let input = fixture("leaf", 100_000);
        return signed_and_judged(&input, "ECDSAP256SHA256", Place::Token, Denial::Nsec);
    }
    judged(&leaf(5000), "ECDSAP256SHA256", Place::Token, Denial::Nsec);
}

#[test]
fn delegations_with_opt_out_on_a_token() {
    if full() {
        let input = fixture("tld", 100_000);
        return signed_and_judged(&input, "ECDSAP256SHA256", Place::Token, Denial::OptOut);
    }
    judged(&tld(5000), "ECDSAP256SHA256", Place::Token, Denial::OptOut);
}

#[test]
fn delegations_with_nsec3_on_a_token() {
    judged(&tld(500), "ECDSAP256SHA256", Place::Token, Denial::Nsec3);
}

#[test]
fn rsa_on_a_token_and_on_disk() {
    judged(&leaf(200), "RSASHA256", Place::Token, Denial::Nsec);
    judged(&tld(200), "RSASHA256", Place::Disk, Denial::OptOut);
}

#[test]
fn ed25519_on_a_token_and_on_disk() {
    judged(&leaf(300), "ED25519", Place::Token, Denial::Nsec3);
    judged(&tld(300), "ED25519", Place::Disk, Denial::Nsec);
}

#[test]
fn ecdsa_on_disk() {
    judged(&leaf(300), "ECDSAP256SHA256", Place::Disk, Denial::Salted);
}

#[test]
fn a_ksk_on_a_token_with_a_zsk_on_disk() {
    for algorithm in ["ECDSAP256SHA256", "RSASHA256", "ED25519"] {
        judged(&leaf(60), algorithm, Place::Mixed, Denial::Nsec);
    }
}

#[test]
fn every_handmade_zone() {
    let mut zones = handmade();
    zones.extend([root_like(20), crowded()]);
    for zone in &zones {
        for denial in Denial::ALL {
            judged(zone, "ED25519", Place::Disk, denial);
        }
    }
}

#[test]
fn handmade_zones_before_the_judge_that_knows_rsa() {
    for name in [
        "apex-only",
        "cuts",
        "empty-non-terminals",
        "ttls",
        "every-type",
        "odd-labels",
        "wildcards",
    ] {
        let zones = handmade();
        let zone = zones.iter().find(|zone| zone.name == name).unwrap();
        judged(zone, "RSASHA256", Place::Disk, Denial::Nsec);
    }
}

#[test]
fn random_zones() {
    for seed in 1..=3 {
        for denial in [Denial::Nsec, Denial::OptOut] {
            judged(&nasty(seed, 120, Spice::Hot), "ECDSAP256SHA256", Place::Disk, denial);
        }
    }
    for seed in 5..=if full() { 60 } else { 12 } {
        let denial = Denial::ALL[usize::try_from(seed).unwrap() % 4];
        judged(&nasty(seed, 120, Spice::Mild), "ED25519", Place::Disk, denial);
    }
}

/// The root zone of 2021 where it lies beside the project, else a zone of its shape.
fn root(scratch: &Scratch) -> Input {
    match shared_data("root-2021051901.zone") {
        Some(file) => Input {
            name: "root".to_owned(),
            origin: ".".to_owned(),
            file,
        },
        None => Input {
            name: "root-committed".to_owned(),
            ..Input::of(&root_like(400), scratch)
        },
    }
}

/// validns cannot judge the root; the others can.
fn root_judged(algorithm: &str) {
    let (scratch, token) = (Scratch::new(), Token::default());
    let input = root(&scratch);
    let keys = scratch.make_folder("keys");
    let pair = Pair::generate(&token, ".", algorithm, Place::Token, &keys);
    let out = scratch.path("root.signed");
    let run = Signet::sign(&input.file, ".", &out, &keys)
        .keys(&pair.both())
        .on(&token)
        .run();
    run.succeeds();
    verdicts::check(
        &[Judge::Bind, Judge::Ldns, Judge::Knot],
        &out,
        &input.name,
        ".",
        Denial::Nsec,
    );
    let (ours, theirs) = (normalise(&out, "."), by_bind(&input, algorithm, Denial::Nsec));
    assert_eq!(ours.signatures(), theirs.signatures(), "RRSIGs as dnssec-signzone's");
    let chain = |zone: &ZoneText| zone.without(|rtype| rtype != "NSEC");
    chain(&ours).assert_same(&chain(&theirs), "the root's NSEC chain");
}

#[test]
fn the_root_with_rsa() {
    root_judged("RSASHA256");
}

#[test]
fn the_root_with_ecdsa() {
    root_judged("ECDSAP256SHA256");
}

#[test]
fn one_key_signs_all_when_told_so() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(30);
    let key = Key::on_token(&token, &zone.origin, "ECDSAP256SHA256", Role::Ksk, scratch.folder());
    let out = scratch.path("signed");
    let file = zone.write(&scratch, &[]);
    let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .keys(&[&key])
        .on(&token);
    sign.clone().arg("-z").run().succeeds();
    dnssec_verify(&out, &zone.origin, &["-z"]).succeeds();
    for judge in [Judge::Ldns, Judge::Knot] {
        assert_eq!(judge.complaint(&out, &zone.origin), None);
    }
}

#[test]
fn keys_are_found_in_the_key_directory_when_none_is_named() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(30);
    let keys = scratch.make_folder("keys");
    let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", Place::Mixed, &keys);
    let _ = Key::by_bind("other.test.", "ED25519", Role::Zsk, &keys);
    let file = zone.write(&scratch, &[]);
    let out = scratch.path("signed");
    // Keys made now are active from now on.
    let run = Signet::new("sign")
        .arg(&file)
        .args(["-o", &zone.origin, "-K"])
        .arg(&keys)
        .arg("-f")
        .arg(&out)
        .on(&token)
        .run();
    run.succeeds();
    verdicts::check(
        &[Judge::Bind, Judge::Ldns, Judge::Knot],
        &out,
        &zone.name,
        &zone.origin,
        Denial::Nsec,
    );
    let signed = normalise(&out, &zone.origin);
    assert_eq!(signed.set(&zone.origin, "DNSKEY").unwrap().records.len(), 2);
    let tags: Vec<String> = pair.both().iter().map(|key| format!(" {} ", key.tag())).collect();
    let over_keys = &signed.set(&zone.origin, "RRSIG DNSKEY").unwrap().records;
    assert!(
        tags.iter()
            .all(|tag| over_keys.iter().any(|record| record.contains(tag)))
    );
}

#[test]
fn without_a_token_keys_on_disk_sign() {
    let scratch = Scratch::new();
    let zone = leaf(30);
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let file = zone.write(&scratch, &[]);
    for flags in [&["-E", ""][..], &["--no-token"], &[]] {
        let out = scratch.path("signed");
        let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder());
        sign.keys(&pair.both()).args(flags).run().succeeds();
        verdicts::check(
            &[Judge::Bind, Judge::Ldns, Judge::Knot],
            &out,
            &zone.name,
            &zone.origin,
            Denial::Nsec,
        );
        std::fs::remove_file(&out).unwrap();
    }
}

#[test]
fn a_zone_from_standard_input_to_standard_output() {
    let scratch = Scratch::new();
    let zone = leaf(30);
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let out = scratch.path("signed");
    let sign = |zone_file: &str, output: &str| {
        Signet::sign(zone_file.as_ref(), &zone.origin, output.as_ref(), scratch.folder())
            .keys(&pair.both())
            .input(&file)
            .run()
    };
    let to_file = sign(file.to_str().unwrap(), out.to_str().unwrap());
    to_file.succeeds();
    let piped = sign("-", "-");
    piped.succeeds();
    assert_eq!(piped.stdout, scratch.read("signed"));
}

#[test]
fn the_report_says_what_was_done() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(30);
    let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", Place::Token, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let (out, report) = (scratch.path("signed"), scratch.path("report.json"));
    let run = Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .keys(&pair.both())
        .arg("--report")
        .arg(&report)
        .on(&token)
        .run();
    run.succeeds()
        .says(&["leaf.test. signed", "signatures", token.label(), "KSK", "ZSK"]);
    let json: serde_json::Value = serde_json::from_str(&scratch.read("report.json")).unwrap();
    let signatures: u64 = json["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["signatures"].as_u64().unwrap())
        .sum();
    assert_eq!(signatures, normalise(&out, &zone.origin).signatures() as u64);
    assert_eq!(json["origin"], "leaf.test.");
    assert_eq!(json["verified"].as_u64().unwrap(), signatures);
    assert!(END.starts_with("2037"), "the expiry below is that of END");
    assert_eq!(json["earliest_expiry"], 2_114_380_800_u64);
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let scratch = Scratch::new();
    let zone = leaf(30);
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let out = scratch.path("signed");
    let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder());
    let run = sign.keys(&pair.both()).arg("--quiet").run();
    run.succeeds();
    assert_eq!(run.output(), "");
}

/// A name whose one label is the hash of another name has data of its own, and so have a name below such a one and a delegation: they
/// are hashed like any other, beside the NSEC3 record at the same place.
#[test]
fn names_that_are_nsec3_owners_besides() {
    for options in [&["--nsec3"][..], &["--nsec3", "--opt-out"]] {
        let scratch = Scratch::new();
        let zone = leaf(8);
        let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
        let sign = |file: &Path, out: &str| {
            let out = scratch.path(out);
            let sign = Signet::sign(file, &zone.origin, &out, scratch.folder()).args(options);
            sign.keys(&pair.both()).run().succeeds();
            out
        };
        let first = sign(&zone.write(&scratch, &[]), "first");
        let hashed = normalise(&first, &zone.origin);
        let mut owners = hashed
            .sets
            .keys()
            .filter(|(_, rtype)| rtype == "NSEC3")
            .map(|(owner, _)| owner);
        let mut text = zone.text.clone();
        for record in ["60 IN A 192.0.2.5", "60 IN NS ns1.leaf.test.", "60 IN TXT x"] {
            text.push_str(&format!("{} {record}\n", owners.next().unwrap()));
        }
        text.push_str(&format!("below.{} 60 IN TXT y\n", owners.next().unwrap()));
        let out = sign(&scratch.write("besides.zone", text), "out");
        let verified = Signet::new("verify").arg(&out).args(["-o", &zone.origin]).run();
        verified.succeeds();
        all_accept(&[Judge::Bind, Judge::Ldns], &out, &zone.origin);
        // Signed again, the records of the chain are told from those of the names.
        let again = sign(&out, "again");
        assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&out).unwrap());
    }
}
