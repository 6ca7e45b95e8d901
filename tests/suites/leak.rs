//! A PIN is never seen: not in outputs, reports, key files or process arguments. The search finds a planted word.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

use signet_tests::zones::leaf;
use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, children};

use crate::signing::{Pair, Place};

mod memory;

/// A zone of so many hosts that keys on a token are to sign.
fn signing(hosts: usize, algorithm: &str) -> (Scratch, Token, Signet) {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(hosts);
    let pair = Pair::generate(&token, &zone.origin, algorithm, Place::Token, scratch.folder());
    let file = zone.write(&scratch, &[]);
    let sign = Signet::sign(&file, &zone.origin, &scratch.path("signed"), scratch.folder());
    let sign = sign.keys(&pair.both()).on(&token);
    (scratch, token, sign)
}

/// Runs it and gathers what anyone could read: both outputs, the arguments at every millisecond, all files of a folder.
fn seen(signet: Signet, folder: &Scratch) -> (Run, String) {
    let mut arguments = BTreeSet::new();
    let run = signet.watch(|process| {
        let bytes = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        arguments.insert(String::from_utf8_lossy(&bytes).into_owned());
    });
    let mut text = run.output();
    text.extend(arguments);
    for name in folder.listing(".") {
        if folder.path(&name).is_file() {
            text.push_str(&folder.read(&name));
        }
    }
    (run, text)
}

#[test]
fn the_search_finds_a_planted_word() {
    let scratch = Scratch::new();
    scratch.write("file", "planted-in-a-file");
    let (_, text) = seen(Signet::new("sign planted-in-an-argument"), &scratch);
    assert!(text.contains("planted-in-a-file") && text.contains("planted-in-an-argument"));
}

#[test]
fn signing_and_making_keys_shows_no_pin() {
    let (scratch, token, sign) = signing(200, "ECDSAP256SHA256");
    let sign = sign
        .arg("--report")
        .arg(scratch.path("report.json"))
        .arg("--metrics")
        .arg(scratch.path("metrics.prom"))
        .arg("--html")
        .arg(scratch.path("report.html"));
    let list = Signet::new("key list -K").arg(scratch.folder()).on(&token);
    let runs = [
        sign.clone(),
        sign.clone()
            .env("SIGNET_PIN_SOURCE", "env:THE_PIN")
            .env("THE_PIN", token.pin()),
        sign.args(["--progress", "json"]),
        Signet::new("key generate extra.test. -a ED25519 -l extra -K")
            .arg(scratch.folder())
            .on(&token),
        list.clone(),
        list.arg("--json"),
        Signet::new("token list").on(&token),
        Signet::new("token list --json").on(&token),
    ];
    for signet in runs {
        let (run, text) = seen(signet, &scratch);
        run.succeeds();
        assert!(!text.contains(token.pin()), "the PIN is shown: {run:?}");
    }
}

#[test]
fn a_refused_pin_is_not_shown() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let folder = Scratch::new();
    let wrong = folder.write("pin", "wrong-but-secret\n");
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    let make = Signet::new("key generate pin.test. -a ED25519 -l k -K")
        .arg(scratch.folder())
        .on(&token);
    let (run, text) = seen(
        make.env("SIGNET_PIN_SOURCE", format!("file:{}", wrong.display())),
        &scratch,
    );
    run.exits(3);
    assert!(!text.contains("wrong-but-secret"), "{run:?}");
}

#[test]
fn a_pin_in_a_uri_is_not_kept_in_the_key_file() {
    let (scratch, token) = (Scratch::new(), Token::default());
    token
        .pkcs11_tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine"])
        .succeeds();
    let uri = format!("pkcs11:token={};object=mine?pin-value={}", token.label(), token.pin());
    let run = Signet::new("key from-label uri.test.")
        .args(["-l", &uri, "-K"])
        .arg(scratch.folder())
        .on(&token)
        .run();
    run.succeeds();
    assert!(!run.output().contains(token.pin()), "{run:?}");
    let private = scratch.read(&format!("{}.private", run.stdout.trim()));
    let label = private.lines().find_map(|line| line.strip_prefix("Label: ")).unwrap();
    let label = String::from_utf8(data_encoding::BASE64.decode(label.as_bytes()).unwrap()).unwrap();
    assert!(label.contains("object=mine") && label.ends_with('\0'), "{label:?}");
    assert!(
        !label.contains("pin-value") && !label.contains(token.pin()),
        "{label:?}"
    );
}

#[test]
fn a_crash_would_leave_no_core() {
    let (_scratch, _token, sign) = signing(500, "RSASHA256");
    let (run, limits) = last(|look| sign.watch(look), "limits");
    run.succeeds();
    assert_eq!(core_limit(&limits), "0");
}

/// The soft limit of core files in a process's `/proc/PID/limits`, in bytes.
fn core_limit(limits: &str) -> &str {
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    core.and_then(|line| line.split_whitespace().nth(4)).unwrap()
}

/// The last that others could read of a process: `/proc/PID/NAME`.
fn last(program: impl FnOnce(&mut dyn FnMut(u32)) -> Run, name: &str) -> (Run, String) {
    let mut last = String::new();
    let run = program(&mut |process| {
        let bytes = std::fs::read(format!("/proc/{process}/{name}")).unwrap_or_default();
        if !bytes.is_empty() {
            last = String::from_utf8_lossy(&bytes).into_owned();
        }
    });
    (run, last)
}

#[test]
fn a_pin_in_the_environment_is_wiped_once_read() {
    let (_scratch, token, sign) = signing(500, "RSASHA256");
    let sign = sign
        .env("SIGNET_PIN_SOURCE", "env:THE_PIN")
        .env("THE_PIN", token.pin())
        .env("THE_CANARY", "planted-in-the-environment");
    let (run, environment) = last(|look| sign.watch(look), "environ");
    run.succeeds();
    assert!(environment.contains("THE_CANARY=planted-in-the-environment"));
    assert!(environment.contains("THE_PIN=\0") && !environment.contains(token.pin()));
}

#[test]
fn a_pin_typed_behind_p_is_wiped_from_the_arguments() {
    let token = Token::default();
    let folder = Scratch::new();
    Signet::new("install-links").arg(folder.folder()).run().succeeds();
    let list = Signet::new("token list --json").on(&token).run();
    let slots = list
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"slot\": "));
    let slot = slots.map(|slot| slot.trim_end_matches(',').to_owned()).next().unwrap();
    for joined in [false, true] {
        Signet::new("key generate p.test. -a ED25519 -l p -K")
            .arg(folder.folder())
            .on(&token)
            .run()
            .succeeds();
        let mut words = vec![
            "-s".to_owned(),
            slot.clone(),
            "-w1".to_owned(),
            "-l".to_owned(),
            "p".to_owned(),
        ];
        if joined {
            words.insert(0, format!("-p{}", token.pin()));
        } else {
            words.splice(0..0, ["-p".to_owned(), token.pin().to_owned()]);
        }
        let mut program = Program::new(folder.path("pkcs11-destroy")).args(words);
        for (name, value) in token.environment() {
            program = program.env(name, value);
        }
        let (run, arguments) = last(|look| program.watch(look), "cmdline");
        run.succeeds();
        assert!(
            arguments.contains(&slot) && !arguments.contains(token.pin()),
            "{arguments:?}"
        );
    }
}

/// The calls of C_Sign at which memory is looked at: at the beginning, in the middle and near the end of 3,000.
const LOOKS: [u64; 3] = [100, 1000, 2500];

/// A token whose calls [`LOOKS`] take a second: a run is not over before its memory was looked at.
fn slow_at_looks() -> Faulty {
    Faulty::new(&LOOKS.map(|call| format!("C_Sign {call} sleep 1000000")).join("; "))
}

/// What root, or a core dump, would find in the memory of a run: the planted word, and no PIN.
#[test]
fn a_dump_of_the_memory_holds_no_pin() {
    let (_scratch, token, sign) = signing(1500, "RSASHA256");
    let faulty = slow_at_looks();
    let sign = sign
        .envs(token.faulty_environment(&faulty))
        .env("THE_CANARY", "planted-in-memory-4711");
    let (mut dumps, mut found, mut canaries, mut locked) = (0, Vec::new(), 0, Vec::new());
    let run = sign.watch(|process| {
        if dumps == LOOKS.len() || faulty.calls("C_Sign") < LOOKS[dumps] {
            return;
        }
        dumps += 1;
        let dump = memory::dump(process);
        canaries += usize::from(dump.holds(b"planted-in-memory-4711"));
        found.extend(dump.places(token.pin().as_bytes()));
        locked.push(dump.locked);
    });
    run.succeeds();
    assert_eq!((dumps, canaries), (3, 3), "the search finds what is planted");
    assert!(locked.iter().all(|kilobytes| *kilobytes > 0), "{locked:?}");
    assert!(found.is_empty(), "the PIN is in memory that a dump holds: {found:?}");
}

/// The same of worker processes: their arguments, environments, limits and memory.
#[test]
fn worker_processes_show_no_pin_either() {
    let (_scratch, token, sign) = signing(1500, "RSASHA256");
    let faulty = slow_at_looks();
    let sign = sign
        .envs(token.faulty_environment(&faulty))
        .env("SIGNET_PIN_SOURCE", "env:THE_PIN")
        .env("THE_PIN", token.pin())
        .env("THE_CANARY", "planted-in-memory-4711")
        .args(["--isolate", "--sessions", "2"]);
    let (mut dumps, mut found, mut canaries) = (0, Vec::new(), 0);
    let (mut shown, mut limits) = (BTreeSet::new(), BTreeMap::new());
    let run = sign.watch(|process| {
        let read = |child: u32, name: &str| {
            let bytes = std::fs::read(format!("/proc/{child}/{name}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let workers = children(process);
        for child in &workers {
            shown.extend(["cmdline", "environ"].map(|name| read(*child, name)));
            let now = read(*child, "limits");
            if !now.is_empty() {
                limits.insert(*child, now);
            }
        }
        if dumps < LOOKS.len() && faulty.calls("C_Sign") >= LOOKS[dumps] {
            dumps += 1;
            for process in workers.into_iter().chain([process]) {
                let dump = memory::dump(process);
                canaries += usize::from(dump.holds(b"planted-in-memory-4711"));
                found.extend(dump.places(token.pin().as_bytes()));
            }
        }
    });
    run.succeeds();
    assert_eq!((dumps, canaries), (3, 9), "the search finds what is planted");
    assert!(found.is_empty(), "the PIN is in memory that a dump holds: {found:?}");
    assert!(!run.output().contains(token.pin()));
    let shown: String = shown.into_iter().collect();
    assert!(shown.contains("isolated-worker") && shown.contains("THE_CANARY=planted-in-memory-4711"));
    assert!(
        !shown.contains(token.pin()),
        "the PIN is shown to who looks at worker processes"
    );
    assert!(limits.len() >= 2, "{limits:?}");
    for limits in limits.values() {
        assert_eq!(core_limit(limits), "0");
    }
}

/// `key` and `token` commands with --isolate: the process that is started has the variable too, and both wipe it.
#[test]
fn a_command_in_a_process_of_its_own_shows_no_pin() {
    let (token, faulty) = (Token::default(), Faulty::new("C_FindObjectsInit 1 sleep 1500000"));
    let list = Signet::new("key list --isolate")
        .envs(token.faulty_environment(&faulty))
        .env("SIGNET_PIN_SOURCE", "env:THE_PIN")
        .env("THE_PIN", token.pin())
        .env("THE_CANARY", "planted-in-memory-4711");
    let (mut shown, mut found, mut canaries) = (String::new(), Vec::new(), 0);
    let run = list.watch(|process| {
        if faulty.calls("C_FindObjectsInit") == 0 || canaries > 0 {
            return;
        }
        for process in children(process).into_iter().chain([process]) {
            for name in ["cmdline", "environ"] {
                let bytes = std::fs::read(format!("/proc/{process}/{name}")).unwrap_or_default();
                shown.push_str(&String::from_utf8_lossy(&bytes));
            }
            let dump = memory::dump(process);
            canaries += usize::from(dump.holds(b"planted-in-memory-4711"));
            found.extend(dump.places(token.pin().as_bytes()));
        }
    });
    run.succeeds();
    assert_eq!((canaries, shown.matches("THE_PIN=\0").count()), (2, 2), "{shown}");
    assert!(found.is_empty(), "the PIN is in memory that a dump holds: {found:?}");
    assert!(!shown.contains(token.pin()) && !run.output().contains(token.pin()));
}
