//! Several tokens with the same keys as one pool: the faster does more, a lost one is done without.

use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use signet_tests::judges::dnssec_verify;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Faulty, Key, Program, Role, Run, Scratch, Signet, Token, children, faulty_module, program};

use crate::providers::provider::Provider;

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
        self.watch(schedule, arguments, |_, _| ())
    }

    /// The same, looked at while it runs.
    fn watch(&self, schedule: &str, arguments: &[&str], mut look: impl FnMut(u32, &Faulty)) -> Outcome {
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
        .watch(|process| look(process, &faulty));
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
    // Where there was time to look for it, it is back: to a new process it is there.
    outcome.run.says(&["token 'two'", "is lost"]);
    assert_eq!(report["tokens"][2]["lost"], false, "{report}");
    assert!(report["tokens"][2]["crashes"].as_u64().unwrap() > 0, "{report}");

    // One whose processes all end without a signature is lost too, and the one that is left is waited for.
    let schedule = "@two C_Sign 3+ abort; @three C_Sign 3+ abort; @one C_Sign * take 1000; @one C_Sign 200 remove 300";
    let outcome = CLUSTER.sign(schedule, &[&ALL[..], &["--isolate", "--sessions", "1"]].concat());
    outcome.run.succeeds();
    dnssec_verify(&outcome.scratch.path("signed"), &CLUSTER.zone.origin, &[]).succeeds();
    let report: Value = serde_json::from_str(&outcome.scratch.read("report.json")).unwrap();
    let lost: Vec<bool> = (0..3).map(|at| report["tokens"][at]["lost"] == true).collect();
    assert_eq!(lost, [false, true, true], "{report}");
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

/// The token is pulled out, and the process that was at work on it ends; it is put back a while later.
#[test]
fn one_that_was_lost_has_worker_processes_again() {
    let cluster = Cluster::with_names(1500);
    let (mut away, mut put_back) = (None, false);
    let arguments = ["--also-on", "two", "--isolate", "--sessions", "1"];
    let outcome = cluster.watch("C_Sign * sleep 2000", &arguments, |process, faulty| match &away {
        None if !put_back && faulty.calls("C_Sign") > 200 => {
            away = Some((cluster.token.pull_out("two"), Instant::now()));
            // The first token is opened first.
            let worker = children(process).into_iter().max().unwrap();
            kill_process(Pid::from_raw(worker.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
        Some((_, since)) if since.elapsed() > Duration::from_millis(500) => {
            away = None;
            put_back = true;
        }
        _ => {}
    });
    outcome
        .run
        .succeeds()
        .says(&["SIGKILL", "token 'two'", "is lost", "is back"]);
    dnssec_verify(&outcome.scratch.path("signed"), &cluster.zone.origin, &[]).succeeds();
    let report: Value = serde_json::from_str(&outcome.scratch.read("report.json")).unwrap();
    let two = &report["tokens"][1];
    assert!(two["signatures"].as_u64().unwrap() > 300, "{report}");
    assert_eq!((&two["lost"], &two["crashes"]), (&false.into(), &1.into()), "{report}");
    // Once each, and once more by the one that came back.
    assert_eq!(outcome.faulty.calls("C_Login"), 3);
}

#[test]
fn one_that_hangs_while_it_is_opened_is_done_without() {
    let arguments = [&ALL[..], &["--sessions", "2", "--patience", "1s"]].concat();
    let isolated = [&arguments[..], &["--isolate"]].concat();
    for (schedule, arguments) in [
        ("@two C_Login * hang", &arguments),
        ("@two C_FindObjects 1 hang", &arguments),
        ("@two C_Sign 1 hang", &arguments),
        ("@two C_Login * hang", &isolated),
        ("@two C_Login * abort", &isolated),
    ] {
        let outcome = CLUSTER.sign(schedule, arguments);
        let how = if schedule.ends_with("hang") {
            "has not answered"
        } else {
            "SIGABRT"
        };
        outcome.run.succeeds().says(&[how, "the run goes on without it"]);
        dnssec_verify(&outcome.scratch.path("signed"), &CLUSTER.zone.origin, &[]).succeeds();
        let report: Value = serde_json::from_str(&outcome.scratch.read("report.json")).unwrap();
        let labels: Vec<&Value> = (0..3).map(|at| &report["tokens"][at]["label"]).collect();
        assert_eq!(
            labels,
            [&Value::from("one"), &"three".into(), &Value::Null],
            "{schedule}"
        );
    }
}

#[test]
fn tokens_behind_two_libraries_are_one_pool() {
    let (scratch, token, other) = (Scratch::new(), Token::new("one"), Provider::ready("Kryoptic"));
    let zone = leaf(400);
    let keys = [(Role::Ksk, "01"), (Role::Zsk, "02")].map(|(role, id)| {
        let key = Key::on_disk(&zone.origin, "ECDSAP256SHA256", role, scratch.folder());
        let import = || {
            let import = Signet::new("key import --id")
                .arg(id)
                .args(["--label", key.base_name()]);
            import.arg(key.private_file())
        };
        other.lend(import()).run().succeeds();
        import().on(&token).arg("--rewrite").run().succeeds();
        key
    });
    let (file, out, uri) = (zone.write(&scratch, &[]), scratch.path("signed"), other.uri());
    for isolate in [&[][..], &["--isolate"]] {
        let run = other
            .lend(Signet::sign(&file, &zone.origin, &out, scratch.folder()))
            .on(&token)
            .keys(&[&keys[0], &keys[1]])
            .args(["--sessions", "1", "--also-on", &uri, "--report"])
            .arg(scratch.path("report.json"))
            .args(isolate)
            .run();
        run.succeeds();
        dnssec_verify(&out, &zone.origin, &[]).succeeds();
        let report: Value = serde_json::from_str(&scratch.read("report.json")).unwrap();
        let made = |at: usize| report["tokens"][at]["signatures"].as_u64().unwrap();
        assert!(made(0) > 0 && made(1) > 0, "{report}");
        assert_ne!(report["tokens"][0]["module"], report["tokens"][1]["module"], "{report}");
    }
}

/// Two further tokens behind another library, which cannot even be initialised.
#[test]
fn a_library_that_hangs_is_done_without() {
    let library = faulty_module().display().to_string();
    let further = ["two", "three"].map(|label| format!("pkcs11:token={label}?module-path={library}"));
    for isolate in [&[][..], &["--isolate"]] {
        let (faulty, scratch) = (Faulty::new("C_Initialize * hang"), Scratch::new());
        let mut environment = CLUSTER.token.faulty_environment(&faulty);
        environment.retain(|(name, _)| *name != "PKCS11_PROVIDER");
        let _alone = CLUSTER.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let out = scratch.path("signed");
        let keys = CLUSTER.scratch.path("keys");
        let run = Signet::sign(&CLUSTER.file, &CLUSTER.zone.origin, &out, &keys)
            .keys(&[&CLUSTER.keys[0], &CLUSTER.keys[1]])
            .on(&CLUSTER.token)
            .envs(environment)
            .args(["--also-on", &further[0], "--also-on", &further[1], "--patience", "1s"])
            .args(isolate)
            .run();
        run.succeeds()
            .says(&["C_Initialize of", &library, "has not answered", "goes on without it"]);
        assert_eq!(run.stderr.matches("goes on without it").count(), 2, "{run:?}");
        dnssec_verify(&out, &CLUSTER.zone.origin, &[]).succeeds();
    }
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
