//! Several tokens with the same keys as one pool: the faster does more, a lost one is done without.

use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use fs_err as fs;
use serde_json::Value;
use signet_tests::judges::dnssec_verify;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Faulty, Key, Program, Run, Scratch, Signet, Token, module, program};

/// Three tokens of one SoftHSM, with the same two keys on each, and a zone.
struct Cluster {
    token: Token,
    zone: Zone,
    file: PathBuf,
    keys: [Key; 2],
    scratch: Scratch,
    busy: Mutex<()>,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::new);

/// What came of a run.
struct Outcome {
    run: Run,
    faulty: Faulty,
    scratch: Scratch,
}

fn pem(scratch: &Scratch, name: &str) -> PathBuf {
    let path = scratch.path(name);
    let run = Program::new(program("openssl"))
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
        ])
        .arg(&path)
        .run();
    run.succeeds();
    path
}

impl Cluster {
    fn new() -> Self {
        Self::with_names(400)
    }

    fn with_names(names: usize) -> Self {
        let (scratch, token, zone) = (Scratch::new(), Token::new("one"), leaf(names));
        token.initialise("two");
        token.initialise("three");
        let folder = scratch.make_folder("keys");
        let keys = [("ksk", "01", true), ("zsk", "02", false)].map(|(label, id, ksk)| {
            let file = pem(&scratch, label);
            for name in ["one", "two", "three"] {
                token.import(name, &file, label, id);
            }
            let flags: &[&str] = if ksk { &["-f", "KSK"] } else { &[] };
            let run = Signet::new("key from-label")
                .on(&token)
                .arg(&zone.origin)
                .args(["-l", label, "-K"])
                .arg(&folder)
                .args(flags)
                .run();
            run.succeeds();
            Key::existing(&folder, &run.stdout)
        });
        let file = zone.write(&scratch, &[]);
        Self {
            token,
            zone,
            file,
            keys,
            scratch,
            busy: Mutex::new(()),
        }
    }

    fn sign(&self, schedule: &str, arguments: &[&str]) -> Outcome {
        let (faulty, scratch) = (Faulty::new(schedule), Scratch::new());
        let _alone = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let run = Signet::sign(
            &self.file,
            &self.zone.origin,
            &scratch.path("signed"),
            &self.scratch.path("keys"),
        )
        .keys(&[&self.keys[0], &self.keys[1]])
        .envs(self.token.faulty_environment(&faulty))
        .arg("--report")
        .arg(scratch.path("report.json"))
        .args(arguments)
        .run();
        Outcome { run, faulty, scratch }
    }
}

impl Outcome {
    /// It ended well; returns what each token did.
    #[track_caller]
    fn complete(&self, origin: &str) -> Vec<Value> {
        self.run.succeeds();
        dnssec_verify(&self.scratch.path("signed"), origin, &[]).succeeds();
        assert_eq!(self.faulty.other("open"), 0, "sessions left open: {:?}", self.run);
        let report: Value = serde_json::from_str(&self.scratch.read("report.json")).unwrap();
        report["tokens"].as_array().unwrap().clone()
    }
}

const ALL: [&str; 4] = ["--also-on", "two", "--also-on", "three"];

#[test]
fn three_tokens_share_the_work() {
    let outcome = CLUSTER.sign("C_Sign * sleep 1000", &[&ALL[..], &["--sessions", "1"]].concat());
    let tokens = outcome.complete(&CLUSTER.zone.origin);
    assert_eq!(tokens.len(), 3);
    for token in &tokens {
        assert!(token["signatures"].as_u64().unwrap() > 100, "{tokens:?}");
        assert_eq!(token["lost"], false);
        assert_eq!(token["sessions"], 1);
    }
    assert_eq!(outcome.faulty.calls("C_Login"), 3);
}

#[test]
fn tokens_behind_several_libraries_are_one_pool() {
    // A copy of the library is another library: it is loaded, initialised and logged in to beside the first.
    let scratch = Scratch::new();
    let copy = scratch.path("another.so");
    std::fs::copy(module(), &copy).unwrap();
    let (copy, pin) = (copy.display(), CLUSTER.token.pin_file());
    let also = format!("pkcs11:token=two?module-path={copy}&pin-source=file:{}", pin.display());
    let outcome = CLUSTER.sign("C_Sign * sleep 1000", &["--also-on", &also, "--sessions", "1"]);
    let tokens = outcome.complete(&CLUSTER.zone.origin);
    assert_eq!(tokens.len(), 2);
    for token in &tokens {
        assert!(token["signatures"].as_u64().unwrap() > 50, "{tokens:?}");
    }
    // What misbehaves is the first alone.
    assert_eq!(outcome.faulty.calls("C_Login"), 1);
}

#[test]
fn one_is_slow_and_one_dies_on_the_way() {
    let schedule = "@two C_Sign * sleep 18000; C_Sign * sleep 2000; @three C_Sign 60 remove 100000000";
    let outcome = CLUSTER.sign(schedule, &[&ALL[..], &["--sessions", "4"]].concat());
    let tokens = outcome.complete(&CLUSTER.zone.origin);
    let made = |name: &str| {
        let token = tokens.iter().find(|token| token["label"] == name);
        token.unwrap()["signatures"].as_u64().unwrap()
    };
    eprintln!("one of three slowed ten times, one lost: {}", outcome.run.stderr);
    let (fast, slow, lost) = (made("one"), made("two"), made("three"));
    assert!(fast > 3 * slow && slow > 0 && lost < 80, "{tokens:?}");
    assert_eq!(tokens[2]["lost"], true, "{tokens:?}");
    // It was neither waited for nor the library initialised again under the others.
    assert_eq!(outcome.faulty.calls("C_Initialize"), 1);
}

#[test]
fn worker_processes_of_several_tokens_do_the_same() {
    let schedule = "@two C_Sign 50 remove 100000000; @three C_Sign 60 abort";
    let outcome = CLUSTER.sign(schedule, &[&ALL[..], &["--isolate", "--sessions", "1"]].concat());
    outcome.run.succeeds();
    dnssec_verify(&outcome.scratch.path("signed"), &CLUSTER.zone.origin, &[]).succeeds();
    let report: Value = serde_json::from_str(&outcome.scratch.read("report.json")).unwrap();
    let lost: Vec<bool> = (0..3).map(|at| report["tokens"][at]["lost"] == true).collect();
    assert_eq!(lost, [false, true, false], "{report}");
    assert!(report["tokens"][2]["crashes"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn the_last_one_is_waited_for() {
    let schedule = "@two C_Sign 50 remove 100000000; @three C_Sign 50 remove 100000000; @one C_Sign 200 remove 300";
    let outcome = CLUSTER.sign(
        schedule,
        &[&ALL[..], &["--sessions", "2", "--patience", "20s"]].concat(),
    );
    let tokens = outcome.complete(&CLUSTER.zone.origin);
    let lost: Vec<bool> = tokens.iter().map(|token| token["lost"] == true).collect();
    assert_eq!(lost, [false, true, true], "{tokens:?}");
    assert!(outcome.faulty.calls("C_Initialize") >= 2);
}

/// In milliseconds; each signature takes two, so that the run lasts longer than that.
const AWAY: &str = "C_Sign * sleep 2000; @two C_Sign 30 remove 300";

#[test]
fn one_that_was_lost_takes_its_share_again() {
    let cluster = Cluster::with_names(1500);
    let outcome = cluster.sign(AWAY, &["--also-on", "two", "--sessions", "2"]);
    let tokens = outcome.complete(&cluster.zone.origin);
    outcome.run.says(&["token 'two'", "is lost", "is back"]);
    let made = |at: usize| tokens[at]["signatures"].as_u64().unwrap();
    eprintln!("away for 300 ms: {} and {} signatures", made(0), made(1));
    assert!(made(1) > 100, "{tokens:?}");
    assert_eq!(tokens[1]["lost"], false, "{tokens:?}");
    assert_eq!(outcome.faulty.calls("C_Initialize"), 1);
    // Once each, and once more by the one that came back.
    assert_eq!(outcome.faulty.calls("C_Login"), 3);
}

#[test]
fn one_that_hangs_costs_itself_and_not_the_run() {
    for schedule in [
        "C_Sign * sleep 500; @two C_Sign 40 hang",
        "C_Sign * sleep 500; @two C_SignInit 40+ hang",
        "C_Sign * sleep 500; @two C_Sign 40 answer 0xb3; @two C_OpenSession 4+ hang",
    ] {
        let outcome = CLUSTER.sign(schedule, &[&ALL[..], &["--sessions", "2", "--patience", "1s"]].concat());
        outcome
            .run
            .succeeds()
            .says(&["token 'two'", "has not answered", "is lost"]);
        dnssec_verify(&outcome.scratch.path("signed"), &CLUSTER.zone.origin, &[]).succeeds();
        let report: Value = serde_json::from_str(&outcome.scratch.read("report.json")).unwrap();
        assert_eq!(report["tokens"][1]["lost"], true, "{schedule}: {report}");
        assert!(
            outcome.run.elapsed.as_secs() < 20,
            "{schedule}: {:?}",
            outcome.run.elapsed
        );
    }
    // The last one is named, as a token alone is.
    let outcome = CLUSTER.sign(
        "@two C_Sign 20 remove 100000000; @one C_Sign 100+ hang",
        &["--also-on", "two", "--sessions", "2", "--patience", "1s"],
    );
    outcome.run.exits(3).says(&["token 'one'", "has not answered"]);
    assert!(!outcome.scratch.path("signed").exists());
}

#[test]
fn without_any_left_nothing_is_published() {
    let schedule = "C_Sign 300 remove 100000000; @two C_Sign 50 remove 100000000; @one C_Sign 50 remove 100000000";
    let arguments = ["--also-on", "two", "--sessions", "2", "--patience", "1s"];
    let outcome = CLUSTER.sign(schedule, &arguments);
    outcome.run.exits(3);
    assert!(!outcome.scratch.path("signed").exists());
}

#[test]
fn one_that_is_not_there_is_warned_of_and_another_key_is_refused() {
    let outcome = CLUSTER.sign("", &["--also-on", "nowhere", "--also-on", "pkcs11:token=three"]);
    let tokens = outcome.complete(&CLUSTER.zone.origin);
    assert_eq!(tokens.len(), 2);
    assert!(outcome.run.stderr.contains("nowhere"), "{:?}", outcome.run);

    // The same label and ID, but another key.
    let scratch = Scratch::new();
    let other = pem(&scratch, "other");
    CLUSTER.token.initialise("other");
    for (label, id) in [("ksk", "01"), ("zsk", "02")] {
        CLUSTER.token.import("other", &other, label, id);
    }
    let outcome = CLUSTER.sign("", &["--also-on", "other"]);
    outcome.run.exits(1);
    assert!(outcome.run.stderr.contains("another public key"), "{:?}", outcome.run);
    assert!(!outcome.scratch.path("signed").exists());
    for wrong in ["pkcs11:object=x", "pkcs11:token=a?pin-value=1"] {
        CLUSTER.sign("", &["--also-on", wrong]).run.exits(2);
    }
    fs::remove_file(other).unwrap();
}
