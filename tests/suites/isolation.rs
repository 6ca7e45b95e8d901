//! `sign --isolate`: a crash or a hang inside the provider's library costs a worker process, and never a signature, the run's
//! last word, or a second try of a PIN.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use signet_tests::judges::{dnssec_verify, kzonecheck, ldns_verify_zone};
use signet_tests::{Faulty, Scratch, Signet, children, runs};

use crate::faults::stage::{ECDSA, Outcome, RSA, Stage};

/// Signs in worker processes.
fn isolated(stage: &Stage, schedule: &str, arguments: &[&str]) -> Outcome {
    stage.sign(schedule, &[&["--isolate"], arguments].concat())
}

/// What the report says of the token.
fn token(outcome: &Outcome) -> Value {
    let report: Value = serde_json::from_str(&outcome.scratch.read("reports/run.json")).unwrap();
    report["tokens"][0].clone()
}

#[test]
fn the_zone_is_the_same_byte_for_byte() {
    for offload in ["sign", "all"] {
        let arguments = ["--offload", offload, "--sessions", "2"];
        let (whole, apart) = (RSA.sign("", &arguments), isolated(&RSA, "", &arguments));
        assert_eq!(apart.complete(), whole.complete());
        assert!(apart.scratch.read("signed") == whole.scratch.read("signed"));
        let (apart_token, whole_token) = (token(&apart), token(&whole));
        assert_eq!(apart_token, whole_token);
        // One login a process.
        assert_eq!(whole.faulty.calls("C_Login"), 1);
        assert_eq!(apart.faulty.calls("C_Login"), 2);
    }
}

#[test]
fn only_worker_processes_load_the_library() {
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 300"), Scratch::new());
    let (mut parent, mut workers) = (0, BTreeSet::new());
    let _alone = ECDSA.alone();
    let loaded = |process: u32| {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        maps.contains("libfaulty_provider") || maps.contains("softhsm")
    };
    let sign = ECDSA.command(&faulty, &scratch).args(["--isolate", "--sessions", "3"]);
    let run = sign.watch(|process| {
        parent += usize::from(loaded(process));
        workers.extend(children(process).into_iter().filter(|child| loaded(*child)));
    });
    run.succeeds();
    assert_eq!((parent, workers.len()), (0, 3));
}

#[test]
fn a_library_that_crashes_costs_processes_and_no_signature() {
    let whole = ECDSA.signatures();
    let outcome = isolated(&ECDSA, "C_Sign 150 abort", &["--sessions", "2"]);
    outcome
        .run
        .succeeds()
        .says(&["libfaulty_provider.so", "SIGABRT", "another takes its place"]);
    let out = outcome.scratch.path("signed");
    dnssec_verify(&out, &ECDSA.zone.origin, &[]).succeeds();
    ldns_verify_zone(&out, None).succeeds();
    kzonecheck(&out, &ECDSA.zone.origin, None).succeeds();
    let text = outcome.scratch.read("signed");
    let signatures = text
        .lines()
        .filter(|line| line.split_ascii_whitespace().nth(3) == Some("RRSIG"));
    let heads: Vec<String> = signatures
        .map(|line| line.split_ascii_whitespace().take(12).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(heads.len(), whole);
    assert_eq!(
        heads.iter().collect::<BTreeSet<_>>().len(),
        whole,
        "a signature stands there twice"
    );
    let token = token(&outcome);
    assert_eq!(token["signatures"].as_u64(), u64::try_from(whole).ok());
    let crashes = token["crashes"].as_u64().unwrap();
    assert!(crashes >= 2, "{token}");
    assert_eq!(outcome.faulty.calls("C_Initialize"), 2 + crashes);
}

#[test]
fn a_library_that_always_crashes_ends_the_run() {
    // Two signatures are the proofs of the keys.
    let outcome = isolated(&ECDSA, "C_Sign 3+ abort", &["--sessions", "2"]);
    outcome.stopped();
    outcome
        .run
        .says(&["libfaulty_provider.so", "SIGABRT", "3 in a row without a signature"]);
    assert!(outcome.faulty.calls("C_Initialize") <= 6);
    for schedule in ["C_Initialize * abort", "C_Login * abort", "C_Sign * abort"] {
        let outcome = isolated(&ECDSA, schedule, &[]);
        outcome.stopped();
        outcome.run.says(&["libfaulty_provider.so", "SIGABRT"]);
        assert_eq!(outcome.faulty.calls("C_Initialize"), 1);
    }
}

#[test]
fn a_call_that_hangs_costs_a_process() {
    let whole = ECDSA.signatures();
    let schedule = format!("C_Sign {} hang", whole * 2 / 3);
    let outcome = isolated(&ECDSA, &schedule, &["--sessions", "1", "--patience", "1s"]);
    outcome
        .run
        .succeeds()
        .says(&["C_Sign", "has not answered", "another takes its place"]);
    dnssec_verify(&outcome.scratch.path("signed"), &ECDSA.zone.origin, &[]).succeeds();
    assert_eq!(token(&outcome)["crashes"], 1);
}

#[test]
fn the_ladder_is_climbed_in_the_process() {
    let whole = ECDSA.signatures();
    for schedule in [
        "C_Sign 200 remove 300",
        "C_SignInit 100..102 answer 0x6",
        "C_Sign 150 logout",
    ] {
        let outcome = isolated(&ECDSA, schedule, &["--sessions", "2"]);
        assert_eq!(outcome.complete(), whole, "{schedule}");
        assert_eq!(token(&outcome)["crashes"], 0, "{schedule}");
        assert!(outcome.faulty.fired() > 0);
    }
    // CKR_KEY_FUNCTION_NOT_PERMITTED: nothing to be done.
    isolated(&ECDSA, "C_SignInit 50+ answer 0x68", &["--sessions", "4"]).stopped();
}

#[test]
fn a_wrong_pin_is_tried_once_by_eight_processes() {
    let (faulty, scratch) = (Faulty::new(""), Scratch::new());
    let folder = Scratch::new();
    let pin = folder.write("pin", "wrong-but-secret\n");
    fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).unwrap();
    {
        let _alone = ECDSA.alone();
        let run = ECDSA
            .command(&faulty, &scratch)
            .args(["--isolate", "--sessions", "8"])
            .env("SIGNET_PIN_SOURCE", format!("file:{}", pin.display()))
            .run();
        run.exits(3).says(&["CKR_PIN_INCORRECT", "will not be tried again"]);
        assert!(!run.output().contains("wrong-but-secret"), "{run:?}");
    }
    assert_eq!(faulty.calls("C_Login"), 1);
    // The right one is given to each.
    let outcome = isolated(&ECDSA, "", &["--sessions", "8"]);
    outcome.complete();
    assert_eq!(outcome.faulty.calls("C_Login"), 8);
    assert_eq!(token(&outcome)["sessions"], 8);
}

/// The PIN is changed on the token while processes are at work; then each of them ends.
#[test]
fn a_pin_that_was_changed_is_tried_once_more_by_all_of_them_together() {
    let stage = Stage::new("ECDSAP256SHA256", 300);
    let (faulty, scratch) = (Faulty::new("C_Sign 30 sleep 2500000; C_Sign 40 abort"), Scratch::new());
    let mut changed = false;
    let sign = stage.command(&faulty, &scratch).args(["--isolate", "--sessions", "2"]);
    let run = sign.watch(|_| {
        // Both sleep.
        if !changed && faulty.calls("C_Sign") >= 60 {
            stage
                .token
                .pkcs11_tool(&["--change-pin", "--new-pin", "another-4711"])
                .succeeds();
            changed = true;
        }
    });
    run.exits(3)
        .says(&["SIGABRT", "CKR_PIN_INCORRECT", "will not be tried again"]);
    assert!(
        changed && faulty.calls("C_Login") == 3,
        "{} logins",
        faulty.calls("C_Login")
    );
    assert_eq!(scratch.listing("."), BTreeSet::new());
    assert!(!run.output().contains(stage.token.pin()));
}

/// The token is pulled out, and a process that was at work on it ends; it is put back a while later.
#[test]
fn a_token_that_is_away_when_a_process_is_replaced_is_waited_for() {
    let stage = Stage::new("ECDSAP256SHA256", 600);
    let (mut away, mut put_back) = (None, false);
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 1000"), Scratch::new());
    let sign = stage.command(&faulty, &scratch).args(["--isolate", "--sessions", "2"]);
    let run = sign.watch(|process| match &away {
        None if !put_back && faulty.calls("C_Sign") > 100 => {
            away = Some((stage.token.pull_out(stage.token.label()), Instant::now()));
            let worker = children(process)[0];
            kill_process(Pid::from_raw(worker.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
        Some((_, since)) if since.elapsed() > Duration::from_millis(500) => {
            away = None;
            put_back = true;
        }
        _ => {}
    });
    run.succeeds().says(&["SIGKILL", "another takes its place"]);
    assert!(put_back);
    dnssec_verify(&scratch.path("signed"), &stage.zone.origin, &[]).succeeds();
    assert_eq!(faulty.calls("C_Login"), 3);
}

/// `key` and `token` commands with --isolate: one process for all of it.
#[test]
fn a_crash_in_a_command_is_told() {
    let scratch = Scratch::new();
    let command = |schedule: &str, words: &str| {
        let faulty = Faulty::new(schedule);
        let _alone = ECDSA.alone();
        Signet::new(words)
            .envs(ECDSA.token.faulty_environment(&faulty))
            .folder(scratch.folder())
            .run()
    };
    for words in [
        "token list",
        "token check",
        "key list",
        "key generate x. -a ECDSAP256SHA256 -l new",
    ] {
        for function in ["C_GetTokenInfo", "C_OpenSession"] {
            if (words, function) == ("token list", "C_OpenSession") {
                continue;
            }
            let schedule = format!("{function} 1 abort");
            command(&schedule, &format!("{words} --isolate")).exits(3).says(&[
                "libfaulty_provider.so",
                "SIGABRT",
                "ended on its own",
            ]);
            assert_eq!(command(&schedule, words).code, None);
        }
    }
    assert_eq!(scratch.listing("."), BTreeSet::new());
    // What it prints and how it ends is the same.
    for (words, code) in [
        ("key list --json", 0),
        ("token list", 0),
        ("key from-label x. -l nowhere", 3),
        ("key generate x. -a NONE -l new", 2),
    ] {
        let (whole, apart) = (command("", words), command("", &format!("{words} --isolate")));
        apart.exits(code);
        assert_eq!(
            (apart.code, apart.stdout, apart.stderr),
            (whole.code, whole.stdout, whole.stderr)
        );
    }
    // The PIN from everywhere.
    let pin = ECDSA.token.pin();
    let audit = scratch.path("audit");
    let listed = |source: &str| {
        let _alone = ECDSA.alone();
        Signet::new("key list --isolate")
            .on(&ECDSA.token)
            .env("SIGNET_PIN_SOURCE", source)
            .env("THE_PIN", pin)
            .arg("--audit")
            .arg(&audit)
            .run()
    };
    listed("env:THE_PIN").succeeds();
    let log = scratch.read("audit");
    assert_eq!(log.matches("logged-in").count(), 1, "{log}");
    // Its end is that of the command.
    let faulty = Faulty::new("C_FindObjects * hang");
    let mut started = Vec::new();
    let _alone = ECDSA.alone();
    let run = Signet::new("key list --isolate")
        .envs(ECDSA.token.faulty_environment(&faulty))
        .watch(|process| {
            if started.is_empty() && faulty.calls("C_FindObjects") > 0 {
                started = children(process);
                kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
            }
        });
    assert_eq!((run.code, started.len()), (None, 1));
    assert!(gone(&started));
}

#[test]
fn an_interrupted_run_ends_in_time_and_leaves_no_process() {
    for (schedule, calls) in [("C_Sign 150+ hang", 150), ("C_Sign * sleep 20000", 30)] {
        let (faulty, scratch) = (Faulty::new(schedule), Scratch::new());
        let (mut sent, mut workers) = (None, Vec::new());
        let _alone = ECDSA.alone();
        let sign = ECDSA.command(&faulty, &scratch).args(["--isolate", "--sessions", "3"]);
        let run = sign.watch(|process| {
            if sent.is_none() && faulty.calls("C_Sign") >= calls {
                workers = children(process);
                kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
                sent = Some(Instant::now());
            }
        });
        let took = sent.unwrap().elapsed();
        run.exits(130).says(&["interrupted", "nothing was published"]);
        assert!(took < Duration::from_millis(1500), "{took:?}: {run:?}");
        assert_eq!(scratch.listing("."), BTreeSet::new());
        assert_eq!(workers.len(), 3);
        assert!(gone(&workers), "{run:?}");
    }
}

#[test]
fn a_killed_run_leaves_no_process() {
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 20000"), Scratch::new());
    let mut workers = Vec::new();
    let _alone = ECDSA.alone();
    let sign = ECDSA.command(&faulty, &scratch).args(["--isolate", "--sessions", "3"]);
    let run = sign.watch(|process| {
        if workers.is_empty() && faulty.calls("C_Sign") >= 30 {
            workers = children(process);
            kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
    });
    assert_eq!((run.code, workers.len()), (None, 3));
    assert!(gone(&workers));
}

/// Whether all have ended within a second.
fn gone(workers: &[u32]) -> bool {
    let until = Instant::now() + Duration::from_secs(1);
    while workers.iter().any(|worker| runs(*worker)) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}
