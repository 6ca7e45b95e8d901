//! Many zones in one run: one login and one pool for all, each zone's outcome its own; and the library's example, which is a
//! program of somebody else's.

use serde_json::Value;
use signet_tests::judges::dnssec_verify;
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, misfits, project};

use crate::signing::{Pair, Place};

/// Zones with the same keys on one token, and the list of them.
struct Zones {
    scratch: Scratch,
    token: Token,
    origins: Vec<String>,
}

impl Zones {
    fn new(count: usize) -> Self {
        Self::of(count, 8)
    }

    /// So many zones of so many names.
    fn of(count: usize, names: usize) -> Self {
        let (scratch, token) = (Scratch::new(), Token::default());
        let (first, zone) = (scratch.make_folder("first"), leaf(names));
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

    /// With two sessions, where no flag says how many.
    fn command(&self, faulty: &Faulty, flags: &[&str]) -> Signet {
        let own = flags.contains(&"--sessions");
        let sessions: &[&str] = if own { &[] } else { &["--sessions", "2"] };
        Signet::new("sign --zones")
            .arg(self.scratch.path("list"))
            .arg("-K")
            .arg(self.scratch.path("keys"))
            .args(["-s", signet_tests::START, "-e", signet_tests::END, "--report"])
            .arg(self.scratch.path("report.json"))
            .args(sessions)
            .args(flags)
            .envs(self.token.faulty_environment(faulty))
            .folder(self.scratch.folder())
    }

    /// The report of the last run.
    fn report(&self) -> Value {
        let report = std::fs::read_to_string(self.scratch.path("report.json"));
        report.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    fn sign(&self, faulty: &Faulty, flags: &[&str]) -> (Run, Value) {
        let run = self.command(faulty, flags).run();
        (run, self.report())
    }

    /// A field of each zone's outcome.
    fn outcomes(&self, field: &str) -> Vec<Value> {
        let report = self.report();
        let zones = report["zones"].as_array().unwrap().iter();
        zones.map(|zone| zone[field].clone()).collect()
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
    let schema = |name: &str| -> Value {
        let text = std::fs::read_to_string(project().join("pipeline").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(
        misfits(&schema("zones-report.schema.json"), &report),
        Vec::<String>::new()
    );
    let of_one = schema("report.schema.json");
    for zone in report["zones"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|zone| zone["exit_code"] == 0)
    {
        assert_eq!(misfits(&of_one, &zone["report"]), Vec::<String>::new());
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
fn small_zones_are_signed_side_by_side() {
    let zones = Zones::new(16);
    let faulty = Faulty::new("C_Sign * take 10000");
    let (run, report) = zones.sign(&faulty, &["--sessions", "8"]);
    run.succeeds();
    // One after another each zone would wait for its own signatures alone: all but those over its DNSKEY set in one batch.
    let alone = report["signatures"].as_f64().unwrap() * 0.01;
    let took = report["seconds"].as_f64().unwrap();
    assert!(took < alone / 2.0, "{took} s, {alone} s one after another");
}

#[test]
fn a_dry_run_measures_a_token_once_for_all_zones() {
    let zones = Zones::new(12);
    let faulty = Faulty::new("");
    let (run, report) = zones.sign(&faulty, &["--dry-run"]);
    run.succeeds().says(&[
        "12 of 12 zones would be signed; ",
        " s as measured; nothing was written",
    ]);
    let rate = |zone: &Value| zone["report"]["dry_run"]["stores"][0]["rate"].clone();
    let rates: Vec<Value> = report["zones"].as_array().unwrap().iter().map(rate).collect();
    assert!(
        rates[0].as_f64().unwrap() > 10.0 && rates.iter().all(|rate| *rate == rates[0]),
        "{rates:?}"
    );
    assert!(run.elapsed < std::time::Duration::from_secs(12), "{:?}", run.elapsed);
    assert!(!zones.scratch.listing(".").iter().any(|name| name.ends_with(".signed")));
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
fn each_zone_has_its_own_page_old_output_and_key_set() {
    let zones = Zones::new(3);
    let faulty = Faulty::new("");
    zones.scratch.make_folder("pages");
    let (run, _) = zones.sign(&faulty, &["--html", "pages/{zone}.html"]);
    run.succeeds();
    for origin in &zones.origins {
        let page = zones.scratch.read(&format!("pages/{}html", origin));
        assert!(page.contains(&format!("<h1>{origin}</h1>")));
    }
    assert_eq!(zones.scratch.listing("pages").len(), 3);

    // What was signed before is found under the zone's name: only what is new is signed.
    for number in 0..3 {
        let signed = zones.scratch.read(&format!("{number}.signed"));
        zones.scratch.write(&format!("zone{number}.test.old"), &signed);
        let set: Vec<&str> = signed.lines().filter(|line| line.contains("\tDNSKEY")).collect();
        assert!(set.len() > 2, "two keys and their signatures");
        zones
            .scratch
            .write(&format!("zone{number}.test.keys"), set.join("\n") + "\n");
    }
    let changed = format!("{}new.zone1.test. 60 A 192.0.2.9\n", zones.scratch.read("1.zone"));
    zones.scratch.write("1.zone", changed);
    let (run, report) = zones.sign(&faulty, &["--reuse", "{zone}.old", "--dnskey-set", "{zone}.keys"]);
    run.succeeds();
    let signatures = |at: usize| -> u64 {
        let keys = report["zones"][at]["report"]["keys"].as_array().unwrap();
        keys.iter().map(|key| key["signatures"].as_u64().unwrap()).sum()
    };
    // The record, its NSEC and the one before, and the SOA.
    assert_eq!([0, 1, 2].map(signatures), [0, 4, 0]);
    assert_eq!(report["zones"][0]["report"]["unchanged"], true);
    for number in 0..3 {
        let signed = zones.scratch.path(&format!("{number}.signed"));
        dnssec_verify(&signed, &zones.origins[number], &[]).succeeds();
    }

    // What is wrong with one zone's files is that zone's fault.
    std::fs::remove_file(zones.scratch.path("zone2.test.old")).unwrap();
    let other = zones.scratch.read("zone2.test.keys");
    zones.scratch.write("zone0.test.keys", other);
    let (run, _) = zones.sign(&faulty, &["--reuse", "{zone}.old", "--dnskey-set", "{zone}.keys"]);
    run.exits(4).says(&["zone2.test.old", "1 of 3 zones signed"]);
    assert_eq!(zones.outcomes("exit_code"), [1, 0, 4]);

    for flags in [
        ["--html", "pages/all.html"],
        ["--journal", "journal"],
        ["--reuse", "old"],
        ["--dnskey-set", "set"],
    ] {
        let (run, _) = zones.sign(&faulty, &flags);
        run.exits(2).says(&[flags[0], "{zone}"]);
    }
}

#[test]
fn each_zone_has_its_own_journal() {
    let zones = Zones::of(8, 80);
    let journals = ["--journal", "{zone}.journal"];
    let faulty = Faulty::new("C_Sign * sleep 1000");
    let mut sent = false;
    let run = zones.command(&faulty, &journals).watch(|process| {
        if !sent && faulty.other("signed") >= 900 {
            sent = true;
            crate::run::send("INT", process);
        }
    });
    run.exits(130).says(&["interrupted", "--resume", ".journal"]);
    let left = |suffix: &str| {
        let listing = zones.scratch.listing(".");
        listing.into_iter().filter(|name| name.ends_with(suffix)).count()
    };
    let (under_way, done) = (left(".journal"), left(".signed"));
    assert!(
        under_way >= 1 && under_way + done <= 8,
        "{under_way} under way, {done} done"
    );
    // Without --resume nobody's work is lost, and no token is touched.
    let untouched = Faulty::new("");
    let (run, _) = zones.sign(&untouched, &journals);
    run.exits(2).says(&[".journal", "--resume"]);
    assert_eq!((untouched.calls("C_Login"), left(".journal")), (0, under_way));

    let (run, report) = zones.sign(&untouched, &[&journals[..], &["--resume"]].concat());
    run.succeeds().says(&["8 of 8 zones signed"]);
    for zone in report["zones"].as_array().unwrap() {
        let resumed = zone["report"]["resumed"].as_u64().unwrap();
        let origin = zone["origin"].as_str().unwrap();
        let told = run.stderr.contains(&format!("signet: {origin}: goes on with "));
        assert_eq!(told, resumed > 0, "{origin}: {resumed}: {run:?}");
    }
    let reports = report["zones"].as_array().unwrap().iter();
    let resumed: Vec<u64> = reports
        .map(|zone| zone["report"]["resumed"].as_u64().unwrap())
        .collect();
    assert!(
        resumed.iter().filter(|count| **count > 0).count() <= under_way && resumed.iter().sum::<u64>() > 0,
        "{resumed:?}"
    );
    assert_eq!(left(".journal"), 0);
    for number in 0..8 {
        let signed = zones.scratch.path(&format!("{number}.signed"));
        dnssec_verify(&signed, &zones.origins[number], &[]).succeeds();
    }
}

#[test]
fn a_limit_counts_the_signatures_of_all_zones() {
    let zones = Zones::new(3);
    let faulty = Faulty::new("");
    let (run, report) = zones.sign(&faulty, &[]);
    run.succeeds();
    // All zones have the same two keys: the one that signs most is the ZSK.
    let keys = report["zones"][0]["report"]["keys"].as_array().unwrap();
    let key = keys.iter().max_by_key(|key| key["signatures"].as_u64()).unwrap();
    let (tag, each) = (&key["tag"], key["signatures"].as_u64().unwrap());
    let limit = |most: u64| format!("{tag}={most}");
    let force = |most: u64| zones.sign(&faulty, &["--force", "--max-signatures", &limit(most)]).0;
    force(3 * each).succeeds();
    force(3 * each - 1)
        .exits(1)
        .says(&["--max-signatures", "2 of 3 zones signed"]);
    let mut codes = zones.outcomes("exit_code");
    codes.sort_by_key(Value::as_u64);
    assert_eq!(codes, [0, 0, 1]);
    let (run, _) = zones.sign(&faulty, &["--max-signatures", "Kno.test.+013+00001=5"]);
    run.exits(2).says(&["--max-signatures", "zone0.test"]);
}

#[test]
fn a_command_is_told_of_each_zone_that_was_published() {
    let zones = Zones::new(3);
    zones.scratch.write("1.zone", "no zone\n");
    let told = zones.scratch.path("told");
    let command = format!(
        "echo $SIGNET_ZONE $SIGNET_SERIAL $SIGNET_FILE >> {}; test $SIGNET_ZONE != zone2.test.",
        told.display()
    );
    // The zone that is wrong is worse than the command that failed for another.
    let (run, report) = zones.sign(&Faulty::new(""), &["--on-publish", &command]);
    run.exits(1).says(&["zone2.test.", "is published in", "exit code 1"]);
    let lines = zones.scratch.read("told");
    let expected = [0, 2].map(|number: usize| {
        let zone = &report["zones"][number];
        let file = zones.scratch.path(&format!("{number}.signed"));
        format!("zone{number}.test. {} {}", zone["report"]["serial"], file.display())
    });
    assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
    // Those that stay as they are are not told of.
    let good = zones.scratch.read("2.zone").replace("zone2", "zone1");
    zones.scratch.write("1.zone", good);
    zones.scratch.write("told", "");
    let (run, _) = zones.sign(&Faulty::new(""), &["--on-publish", &format!("{command}; exit 7")]);
    run.exits(4).says(&["zone1.test.", "is published in", "exit code 7"]);
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
