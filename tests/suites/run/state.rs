//! SIGUSR1 tells how a command stands, whichever it is, and ends none.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, children, program, signet_binary};

use super::send;
use crate::faults::stage::ECDSA;

#[test]
fn the_state_is_told_when_it_is_asked_for() {
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 2000"), Scratch::new());
    let mut sent = false;
    let _alone = ECDSA.alone();
    let run = ECDSA
        .command(&faulty, &scratch)
        .args(["--sessions", "2"])
        .watch(|process| {
            if !sent && faulty.calls("C_Sign") >= 200 {
                send("USR1", process);
                sent = true;
            }
        });
    run.succeeds().says(&[
        "signing: ",
        " records",
        "signatures made",
        " on token ",
        "in C_Sign for",
    ]);
}

/// Runs a command that reads this zone from a pipe, and asks it how it stands while it waits there.
fn asked_while_it_reads(command: &str, more: &[&str]) -> Run {
    let (scratch, zone) = (Scratch::new(), leaf(5));
    let pipe = scratch.path("pipe");
    Program::new(program("mkfifo")).arg(&pipe).run().succeeds();
    scratch.write("zone", &zone.text);
    let reads = Arc::new(AtomicBool::new(false));
    let (ask, asked) = mpsc::channel();
    let (told, end, text) = (Arc::clone(&reads), pipe.clone(), zone.text.clone());
    let writer = std::thread::spawn(move || {
        // This returns when the program has opened the other end.
        let mut end = OpenOptions::new().write(true).open(end).unwrap();
        told.store(true, Ordering::SeqCst);
        asked.recv().unwrap();
        std::thread::sleep(Duration::from_millis(250));
        end.write_all(text.as_bytes()).unwrap();
    });
    let mut sent = false;
    let run = Signet::new(command).arg(&pipe).args(more).folder(scratch.folder());
    let run = run.watch(|process| {
        if !sent && reads.load(Ordering::SeqCst) {
            send("USR1", process);
            ask.send(()).unwrap();
            sent = true;
        }
    });
    if !sent {
        // It never opened the pipe: nor must the other side wait for ever.
        drop(File::open(&pipe));
        panic!("{command} did not read: {run:?}");
    }
    writer.join().unwrap();
    run
}

#[test]
fn commands_that_read_zones() {
    let origin = ["-o", "leaf.test."];
    for (command, says) in [
        ("zone check", "at work"),
        ("zone format", "at work"),
        ("zone stats", "at work"),
        ("verify", "reading: "),
    ] {
        let run = asked_while_it_reads(command, &origin);
        run.says(&["signet: ", " s: ", says]);
        // The zone is not signed.
        run.exits(if command == "verify" { 5 } else { 0 });
    }
    let run = asked_while_it_reads("zone diff", &["zone", "-o", "leaf.test."]);
    run.succeeds().says(&["at work", "s of CPU time"]);
}

#[test]
fn commands_that_use_a_token() {
    let (token, folder) = (Token::default(), Scratch::new());
    let tool = folder.path("pkcs11-tokens");
    symlink(signet_binary(), &tool).unwrap();
    let schedule = "C_Initialize 1 sleep 400000";
    let says = ["signet: ", "at work", "in C_Initialize for"];
    for command in [
        "key list",
        "key generate state.test. -a ED25519 -l state -K .",
        "token list",
        "token check",
        "token bench -a ECDSAP256SHA256 --seconds 0.1 --sessions 1",
    ] {
        let (faulty, mut sent) = (Faulty::new(schedule), false);
        let run = Signet::new(command).envs(token.faulty_environment(&faulty));
        let run = run.folder(folder.folder()).watch(|process| {
            if !sent && faulty.calls("C_Initialize") > 0 {
                send("USR1", process);
                sent = true;
            }
        });
        run.succeeds().says(&says);
    }
    let (faulty, mut sent) = (Faulty::new(schedule), false);
    let tool = token
        .faulty_environment(&faulty)
        .into_iter()
        .fold(Program::new(tool), |tool, (name, value)| tool.env(name, value));
    let run = tool.watch(|process| {
        if !sent && faulty.calls("C_Initialize") > 0 {
            send("USR1", process);
            sent = true;
        }
    });
    run.succeeds().says(&says);
}

#[test]
fn worker_processes_that_get_it_too() {
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 1000"), Scratch::new());
    let mut sent = false;
    let _alone = ECDSA.alone();
    let sign = ECDSA.command(&faulty, &scratch);
    let run = sign.args(["--isolate", "--sessions", "2"]).watch(|process| {
        if !sent && faulty.calls("C_Sign") >= 200 {
            for one in children(process).into_iter().chain([process]) {
                kill_process(Pid::from_raw(one.try_into().unwrap()).unwrap(), Signal::USR1).unwrap();
            }
            sent = true;
        }
    });
    run.succeeds().says(&["signing: ", "signatures made"]);
    assert!(!run.stderr.contains("takes its place"), "{run:?}");
}
