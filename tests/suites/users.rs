//! What users of signers have hit, where no other suite has it: calls that a run makes of its token, errors that tell
//! where, counts that add up, zones that others read wrongly.

use std::collections::BTreeMap;

use signet_tests::judges::{Judge, all_accept, normalise};
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Key, Role, Scratch, Signet, Token};

use crate::signing::{Pair, Place};

/// A token with a pair of ECDSA keys, and zones to sign with it, whose calls are counted.
struct Counted {
    token: Token,
    pair: Pair,
    scratch: Scratch,
}

impl Counted {
    fn new() -> Self {
        let (token, scratch) = (Token::default(), Scratch::new());
        let pair = Pair::generate(&token, "leaf.test.", "ECDSAP256SHA256", Place::Token, scratch.folder());
        Self { token, pair, scratch }
    }

    /// Signs a zone of so many names; what it says, and the calls.
    fn sign(&self, names: usize, schedule: &str) -> (signet_tests::Run, Faulty) {
        let zone = leaf(names);
        let file = self.scratch.write("zone", &zone.text);
        let faulty = Faulty::new(schedule);
        let run = Signet::sign(&file, "leaf.test.", &self.scratch.path("signed"), self.scratch.folder())
            .keys(&self.pair.both())
            .args(["--sessions", "2"])
            .envs(self.token.faulty_environment(&faulty))
            .run();
        (run, faulty)
    }

    fn signatures(&self) -> u64 {
        normalise(&self.scratch.path("signed"), "leaf.test.").signatures() as u64
    }
}

#[test]
fn a_signature_costs_two_calls_and_nothing_else_grows_with_the_zone() {
    let counted = Counted::new();
    let calls = |names: usize| -> (BTreeMap<&str, u64>, u64) {
        let (run, faulty) = counted.sign(names, "");
        run.succeeds();
        let functions = [
            "C_SignInit",
            "C_Sign",
            "C_SignUpdate",
            "C_SignFinal",
            "C_OpenSession",
            "C_CloseSession",
            "C_Login",
            "C_FindObjectsInit",
            "C_FindObjects",
            "C_GetAttributeValue",
            "C_CreateObject",
        ];
        let calls = functions.map(|function| (function, faulty.calls(function)));
        (calls.into(), counted.signatures())
    };
    let ((few, few_signatures), (many, many_signatures)) = (calls(20), calls(200));
    assert!(many_signatures > 5 * few_signatures);
    for (function, count) in &many {
        match *function {
            // The key's proof is the difference to the signatures of the zone, and the same for both.
            "C_SignInit" | "C_Sign" => {
                assert_eq!(count - many_signatures, few[function] - few_signatures, "{function}")
            }
            _ => assert_eq!(*count, few[function], "{function}"),
        }
    }
    assert_eq!(many["C_SignInit"], many["C_Sign"]);
    assert_eq!(
        (many["C_SignUpdate"], many["C_CreateObject"], many["C_Login"]),
        (0, 0, 1)
    );
}

#[test]
fn a_module_that_would_crash_when_finalised_does_not_spoil_the_run() {
    // SoftHSM's own C_Finalize has crashed with OpenSSL's exit handlers: it is left out, and all is published by then.
    let (run, faulty) = Counted::new().sign(20, "C_Finalize * abort");
    run.succeeds();
    assert_eq!(faulty.calls("C_Finalize"), 0);
}

#[test]
fn a_failed_signature_names_set_key_function_and_code() {
    let counted = Counted::new();
    let (run, _) = counted.sign(20, "C_Sign 30+ answer 0x20");
    run.exits(3);
    let key = format!("with key ECDSAP256SHA256/{}", counted.pair.zsk.tag());
    run.says(&["signing ", "leaf.test. ", &key, "C_Sign", "CKR_DATA_INVALID"]);
    assert!(!counted.scratch.path("signed").exists());
}

#[test]
fn every_key_is_proven_before_the_first_signature_of_the_zone() {
    let counted = Counted::new();
    let other = Scratch::new();
    // A second zone signing key whose private half is gone.
    let gone = Key::on_token_labelled(
        &counted.token,
        "leaf.test.",
        "ECDSAP256SHA256",
        Role::Zsk,
        counted.scratch.folder(),
        "gone",
    );
    Signet::new("key destroy -l gone --yes")
        .on(&counted.token)
        .folder(other.folder())
        .run()
        .succeeds();
    let zone = leaf(20);
    let file = counted.scratch.write("zone", &zone.text);
    let faulty = Faulty::new("");
    let run = Signet::sign(
        &file,
        "leaf.test.",
        &counted.scratch.path("signed"),
        counted.scratch.folder(),
    )
    .keys(&[&counted.pair.ksk, &counted.pair.zsk, &gone])
    .envs(counted.token.faulty_environment(&faulty))
    .run();
    run.exits(3).says(&["gone"]);
    // At most the proofs of the keys that are there.
    assert!(faulty.calls("C_Sign") <= 2, "{}", faulty.calls("C_Sign"));
    assert!(!counted.scratch.path("signed").exists());
}

#[test]
fn the_numbers_of_a_report_add_up() {
    let scratch = Scratch::new();
    let zone = leaf(300);
    let file = zone.write(&scratch, &[]);
    let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
    for denial in ["--nsec", "--nsec3"] {
        let out = scratch.path(denial);
        Signet::sign(&file, &zone.origin, &out, scratch.folder())
            .keys(&pair.both())
            .args([denial, "--report"])
            .arg(scratch.path("report"))
            .run()
            .succeeds();
        let report: serde_json::Value = serde_json::from_str(&scratch.read("report")).unwrap();
        let sum = |value: &serde_json::Value| -> u64 {
            let numbers = value.as_object().unwrap().values();
            numbers.map(|number| number.as_u64().unwrap()).sum()
        };
        let of_keys: u64 = report["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["signatures"].as_u64().unwrap())
            .sum();
        let text = normalise(&out, &zone.origin);
        let rrsigs = text.signatures() as u64;
        assert_eq!(report["records_by_type"]["RRSIG"], rrsigs);
        assert_eq!(of_keys, rrsigs);
        assert_eq!(report["verified"], rrsigs);
        assert_eq!(sum(&report["records_by_type"]), report["records_out"].as_u64().unwrap());
        assert_eq!(report["records_out"], text.count(|_| true) as u64);
        let denials = text.count(|rtype| rtype == "NSEC" || rtype == "NSEC3") as u64;
        assert_eq!(report["denial_records"], denials);
        let names = report["names"].as_u64().unwrap();
        assert!(
            names <= denials && denials < 2 * names,
            "{names} names, {denials} denial records"
        );
        let expiring: u64 = report["expiry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["signatures"].as_u64().unwrap())
            .sum();
        assert_eq!(expiring, rrsigs);
    }
}

#[test]
fn a_zone_without_origin_or_apex_name_in_it_is_signed_whole() {
    // "signed successfully", and only the DNSKEY set was: here the names are relative to -o, and each set is signed.
    let scratch = Scratch::new();
    let file = scratch.write(
        "zone",
        "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n",
    );
    let pair = Pair::of_bind("ED25519", "plain.test.", scratch.folder());
    let out = scratch.path("signed");
    Signet::sign(&file, "plain.test.", &out, scratch.folder())
        .keys(&pair.both())
        .run()
        .succeeds();
    let zone = normalise(&out, "plain.test.");
    for (owner, rtype) in zone.sets.keys().filter(|(_, rtype)| !rtype.starts_with("RRSIG ")) {
        assert!(zone.set(owner, &format!("RRSIG {rtype}")).is_some(), "{owner} {rtype}");
    }
    // Another origin leaves the zone without an apex: refused, not signed to nothing.
    let run = Signet::sign(&file, "other.test.", &scratch.path("none"), scratch.folder())
        .keys(&pair.both())
        .run();
    run.exits(1);
}

#[test]
fn what_other_parsers_alter_is_signed_as_it_stands() {
    let scratch = Scratch::new();
    scratch.write("inner", "$ORIGIN deep.raw.test.\nx A 192.0.2.9\n");
    let file = scratch.write(
        "zone",
        "$ORIGIN raw.test.\n$TTL 1h\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n\
         bytes TXT \"\\200\\255\" \"caf\u{e9}\"\n\
         $INCLUDE inner\n\
         after A 192.0.2.2\n\
         svc HTTPS 1 target alpn=h2\n\
         WwW MX 10 MaiL\n\
         a\\.b A 192.0.2.3\n\
         own CAA 0 issue \"x\"\n\
         loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n\
         $GENERATE 1-3 h$ A 192.0.2.$\n\
         new TYPE65280 \\# 2 0102\n",
    );
    let pair = Pair::of_bind("ED25519", "raw.test.", scratch.folder());
    let out = scratch.path("signed");
    let sign = Signet::sign(&file, "raw.test.", &out, scratch.folder()).keys(&pair.both());
    sign.run().succeeds();
    all_accept(&[Judge::Bind, Judge::Ldns, Judge::Knot], &out, "raw.test.");
    let (ours, bind) = (normalise(&out, "raw.test."), normalise(&file, "raw.test."));
    for ((owner, rtype), set) in &bind.sets {
        if rtype != "SOA" {
            assert_eq!(ours.set(owner, rtype), Some(set), "{owner} {rtype}");
        }
    }
    for owner in ["x.deep.raw.test.", "after.raw.test.", "h3.raw.test.", r"a\.b.raw.test."] {
        assert!(ours.set(owner, "RRSIG A").is_some(), "{owner}");
    }
    assert!(scratch.read("signed").contains("WwW.raw.test."));
    // The signed zone is input again, and each RRSIG has the TTL of its set.
    for ((owner, rtype), set) in &ours.sets {
        if let Some(covered) = rtype.strip_prefix("RRSIG ") {
            assert_eq!(
                Some(&set.ttls),
                ours.set(owner, covered).map(|set| &set.ttls),
                "{owner} {covered}"
            );
        }
    }
    let again = scratch.path("again");
    Signet::sign(&out, "raw.test.", &again, scratch.folder())
        .keys(&pair.both())
        .run()
        .succeeds();
    normalise(&again, "raw.test.").assert_same(&ours, "signed again");
    // A line without type is an error with its place.
    let file = scratch.write(
        "typeless",
        "$ORIGIN raw.test.\n$TTL 1h\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nnothing\n",
    );
    let run = Signet::sign(&file, "raw.test.", &again, scratch.folder())
        .keys(&pair.both())
        .run();
    run.exits(1).says(&["typeless:5"]);
}

/// Row 11: what was initialised before a fork is of no use behind it; both sides are told apart, and the parent goes on.
#[test]
fn a_process_that_forks_behind_the_librarys_back_is_told() {
    let (scratch, token) = (Scratch::new(), Token::default());
    // Behind a C_Login both would write the token's files, one beside the other, and SoftHSM fails either.
    let faulty = Faulty::new("C_GetTokenInfo 2 fork");
    let run = Signet::new("key generate fork.test. -a ED25519 -l forked")
        .envs(token.faulty_environment(&faulty))
        .folder(scratch.folder())
        .run();
    run.succeeds()
        .says(&["proven", "was initialised by process", "load it after the fork"]);
    assert_eq!(faulty.calls("C_GenerateKeyPair"), 1, "{run:?}");
    assert_eq!(
        token
            .pkcs11_tool(&["--list-objects"])
            .stdout
            .matches("Key Object;")
            .count(),
        2
    );
}

/// Row 20: hashed on the host, in one part, by the plain mechanisms.
#[test]
fn tokens_get_digests_by_the_plain_mechanisms() {
    for (algorithm, mechanism) in [("ECDSAP256SHA256", "CKM_ECDSA"), ("RSASHA256", "CKM_RSA_PKCS")] {
        let (scratch, token) = (Scratch::new(), Token::default());
        let zone = leaf(3);
        let pair = Pair::generate(&token, &zone.origin, algorithm, Place::Token, scratch.folder());
        let (file, log) = (zone.write(&scratch, &[]), scratch.path("spy"));
        Signet::sign(&file, &zone.origin, &scratch.path("signed"), scratch.folder())
            .keys(&pair.both())
            .envs(token.spied_environment(&log))
            .run()
            .succeeds();
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
        let asked: Vec<&str> = text
            .split(": C_SignInit")
            .skip(1)
            .map(|call| {
                let call = call.split("[out]").next().unwrap_or(call);
                call.split_whitespace()
                    .find(|word| word.starts_with("CKM_"))
                    .unwrap_or("none")
            })
            .collect();
        assert!(
            asked.len() > 5 && asked.iter().all(|asked| *asked == mechanism),
            "{algorithm}: {asked:?}"
        );
        for function in ["C_SignUpdate", "C_SignFinal", "C_DigestInit"] {
            assert!(!text.contains(&format!(": {function}")), "{algorithm}: {function}");
        }
    }
}

/// Row 34: a token that says that it is full is not asked for a key.
#[test]
fn a_full_token_is_seen_before_a_key_is_made() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let faulty = Faulty::new("full");
    let disk = Key::on_disk("full.test.", "ED25519", Role::Zsk, scratch.folder());
    let there = scratch.listing(".");
    let lend = |signet: Signet| {
        signet
            .envs(token.faulty_environment(&faulty))
            .folder(scratch.folder())
            .run()
    };
    lend(Signet::new("key generate full.test. -a ED25519"))
        .exits(3)
        .says(&["is full", "4096 bytes"]);
    lend(Signet::new("key import").arg(disk.private_file()))
        .exits(3)
        .says(&["is full"]);
    assert_eq!(
        (faulty.calls("C_GenerateKeyPair"), faulty.calls("C_CreateObject")),
        (0, 0)
    );
    assert_eq!(scratch.listing("."), there);
    lend(Signet::new("key list")).succeeds();
}
