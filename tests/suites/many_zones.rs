//! Many zones in one run: one login and one pool for all, each zone's outcome its own; and the library's example, which is a
//! program of somebody else's.

use serde_json::Value;
use signet_tests::judges::dnssec_verify;
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, project};

use crate::signing::{Pair, Place};

/// Zones with the same keys on one token, and the list of them.
struct Zones {
    scratch: Scratch,
    token: Token,
    origins: Vec<String>,
}

impl Zones {
    fn new(count: usize) -> Self {
        let (scratch, token) = (Scratch::new(), Token::default());
        let (first, zone) = (scratch.make_folder("first"), leaf(8));
        let pair = Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", Place::Token, &first);
        let keys = scratch.make_folder("keys");
        let mut list = "# origin zonefile output [keydir]\n".to_owned();
        let mut origins = Vec::new();
        for number in 0..count {
            let origin = format!("zone{number}.test.");
            for key in pair.both() {
                let _ = key.for_zone(&origin, &keys);
            }
            let text = zone.text.replace(&zone.origin, &origin);
            let file = scratch.write(&format!("{number}.zone"), text);
            let signed = scratch.path(&format!("{number}.signed"));
            list.push_str(&format!("{origin} {} {}\n", file.display(), signed.display()));
            origins.push(origin);
        }
        scratch.write("list", list);
        Self {
            scratch,
            token,
            origins,
        }
    }

    fn sign(&self, faulty: &Faulty, flags: &[&str]) -> (Run, Value) {
        let report = self.scratch.path("report.json");
        let run = Signet::new("sign --zones")
            .arg(self.scratch.path("list"))
            .arg("-K")
            .arg(self.scratch.path("keys"))
            .args([
                "-s",
                signet_tests::START,
                "-e",
                signet_tests::END,
                "--sessions",
                "2",
                "--report",
            ])
            .arg(&report)
            .args(flags)
            .envs(self.token.faulty_environment(faulty))
            .run();
        let report = std::fs::read_to_string(report).map(|text| serde_json::from_str(&text).unwrap());
        (run, report.unwrap_or_default())
    }
}

#[test]
fn two_hundred_zones_share_one_login_and_a_bad_one_harms_no_other() {
    let zones = Zones::new(200);
    zones
        .scratch
        .write("77.zone", "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nwww A 1.2.3\n");
    let metrics = zones.scratch.path("all.prom");
    let faulty = Faulty::new("");
    let (run, report) = zones.sign(&faulty, &["--metrics", metrics.to_str().unwrap()]);
    run.exits(1).says(&["zone77.test.", "199 of 200 zones signed", "1.2.3"]);
    assert_eq!(faulty.calls("C_Login"), 1, "one login for all");
    assert_eq!(faulty.calls("C_Initialize"), 1);
    // The guard session and the two that sign, whatever the number of zones.
    assert!(faulty.other("peak") <= 4, "{} sessions at once", faulty.other("peak"));
    assert_eq!(faulty.other("open"), 0);

    assert_eq!(
        (&report["exit_code"], report["zones"].as_array().unwrap().len()),
        (&1.into(), 200)
    );
    let mut signatures = 0;
    for (number, zone) in report["zones"].as_array().unwrap().iter().enumerate() {
        assert_eq!(zone["origin"], zones.origins[number].as_str());
        let bad = number == 77;
        assert_eq!(zone["exit_code"], i32::from(bad));
        assert_eq!(zone["report"].is_null(), bad);
        assert_eq!(zones.scratch.path(&format!("{number}.signed")).is_file(), !bad);
        if !bad {
            signatures += zone["report"]["latencies"][0]["signatures"].as_u64().unwrap();
        }
    }
    assert_eq!(report["signatures"], signatures);
    for number in [0, 78, 199] {
        let signed = zones.scratch.path(&format!("{number}.signed"));
        dnssec_verify(&signed, &zones.origins[number], &[]).succeeds();
    }
    let metrics = zones.scratch.read("all.prom");
    assert_eq!(
        metrics
            .lines()
            .filter(|line| line.starts_with("signet_zone_serial{"))
            .count(),
        199
    );

    // The same list again, mended.
    let good = zones.scratch.read("78.zone").replace("zone78", "zone77");
    zones.scratch.write("77.zone", good);
    zones.sign(&faulty, &[]).0.succeeds().says(&["200 of 200 zones signed"]);
}

#[test]
fn a_token_that_fails_is_the_worst_and_a_list_is_read_with_care() {
    let zones = Zones::new(12);
    zones.scratch.write("3.zone", "no zone\n");
    let (run, report) = zones.sign(&Faulty::new("C_Sign 20+ answer 0x30"), &["--patience", "1s"]);
    run.exits(3);
    assert_eq!(report["exit_code"], 3);
    zones.scratch.write("list", "zone0.test. 0.zone\n");
    let (run, _) = zones.sign(&Faulty::new(""), &[]);
    run.exits(2).says(&["list:1", "KEYDIR"]);
    let run = Signet::new("sign a.zone --zones list")
        .folder(zones.scratch.folder())
        .run();
    run.exits(2);
    Signet::new("sign").run().exits(2);
}

#[test]
fn the_librarys_example_signs_a_zone() {
    let scratch = Scratch::new();
    let zone = leaf(50);
    let keys = scratch.make_folder("keys");
    let _ = Pair::of_bind("ED25519", &zone.origin, &keys);
    let file = zone.write(&scratch, &[]);
    let signed = scratch.path("signed");
    let example = std::env::current_exe().unwrap();
    let example = example.ancestors().nth(2).unwrap().join("examples/sign_zone");
    assert!(
        example.is_file(),
        "{} is built with all tests: cargo test --workspace",
        example.display()
    );
    let run = Program::new(example)
        .arg(&file)
        .arg(&zone.origin)
        .arg(&keys)
        .arg(&signed)
        .folder(project())
        .run();
    run.succeeds().says(&["Load begins", "Publish begins"]);
    assert!(run.stdout.contains("leaf.test. serial"), "{run:?}");
    dnssec_verify(&signed, &zone.origin, &[]).succeeds();
}
