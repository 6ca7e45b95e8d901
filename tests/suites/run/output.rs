//! The output as operators know it: one run at a time, mode and owner kept, links followed, a command told of it.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use signet_tests::zones::{Zone, leaf};
use signet_tests::{Faulty, Scratch, Signet, Token, program};

use crate::faults::stage::ECDSA;
use crate::signing::Pair;

/// A folder with a zone and keys on disk.
struct Desk {
    scratch: Scratch,
    zone: Zone,
    file: PathBuf,
    pair: Pair,
}

impl Desk {
    fn new() -> Self {
        let (scratch, zone) = (Scratch::new(), leaf(20));
        let pair = Pair::of_bind("ED25519", &zone.origin, &scratch.make_folder("keys"));
        let file = zone.write(&scratch, &[]);
        scratch.make_folder("out");
        Self {
            scratch,
            zone,
            file,
            pair,
        }
    }

    fn out(&self) -> PathBuf {
        self.scratch.path("out/signed")
    }

    fn sign(&self, out: &str) -> Signet {
        let out = self.scratch.path(out);
        Signet::sign(&self.file, &self.zone.origin, &out, &self.scratch.path("keys")).keys(&self.pair.both())
    }

    fn alone_in_its_folder(&self) {
        let listing = self.scratch.listing("out");
        assert_eq!(listing.into_iter().collect::<Vec<_>>(), ["signed"]);
    }
}

#[test]
fn a_second_run_on_the_same_output_is_refused_and_told_by_whom() {
    let (faulty, scratch) = (Faulty::new("C_Sign * sleep 3000"), Scratch::new());
    let _alone = ECDSA.alone();
    let mut second = None;
    let first = ECDSA
        .command(&faulty, &scratch)
        .args(["--sessions", "1"])
        .watch(|process| {
            if second.is_none() && faulty.calls("C_Sign") >= 20 {
                let desk = Desk::new();
                symlink(scratch.path("signed"), desk.scratch.path("out/link")).unwrap();
                // The name of a link to it is the same output. The target is not there yet: a link to nothing is refused anyway.
                let direct = desk.scratch.path("keys");
                let run = Signet::sign(&desk.file, &desk.zone.origin, &scratch.path("signed"), &direct)
                    .keys(&desk.pair.both())
                    .run();
                second = Some((run, process));
            }
        });
    first.succeeds();
    let (second, process) = second.unwrap();
    let holder = format!("process {process} on");
    second
        .exits(4)
        .says(&["being written by", &holder, ".signed.signet-lock"]);
    assert_eq!(scratch.listing(".").into_iter().collect::<Vec<_>>(), ["signed"]);
}

#[test]
fn a_lock_that_a_killed_run_left_is_taken_over() {
    let desk = Desk::new();
    desk.scratch
        .write("out/.signed.signet-lock", "process 1 on elsewhere\n");
    desk.scratch.write("out/.signed.signet-a1b2c3", "half a zone");
    desk.sign("out/signed").run().succeeds();
    desk.alone_in_its_folder();
}

#[test]
fn mode_and_owner_of_the_old_file_are_kept() {
    let desk = Desk::new();
    desk.scratch.write("out/signed", "; old\n");
    std::fs::set_permissions(desk.out(), std::fs::Permissions::from_mode(0o640)).unwrap();
    // Only root gives files away.
    let given = std::os::unix::fs::chown(desk.out(), Some(1), Some(1)).is_ok();
    desk.sign("out/signed").run().succeeds();
    let now = desk.out().metadata().unwrap();
    assert_eq!(now.mode() & 0o7777, 0o640);
    if given {
        assert_eq!((now.uid(), now.gid()), (1, 1));
    }
    assert!(desk.scratch.read("out/signed").contains("RRSIG"));
}

#[test]
fn a_link_is_followed_and_stays() {
    let desk = Desk::new();
    desk.scratch.make_folder("real");
    desk.scratch.write("real/zone", "; old\n");
    symlink("../real/zone", desk.out()).unwrap();
    desk.sign("out/signed").run().succeeds();
    assert!(desk.out().symlink_metadata().unwrap().is_symlink());
    assert!(desk.scratch.read("real/zone").contains("RRSIG"));
    desk.alone_in_its_folder();
    assert_eq!(desk.scratch.listing("real").len(), 1);
    symlink("nowhere", desk.scratch.path("out/dangling")).unwrap();
    let run = desk.sign("out/dangling").run();
    run.exits(4).says(&["dangling: is a link to nothing"]);
    assert!(
        desk.scratch
            .path("out/dangling")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn a_command_is_told_of_what_was_published_and_of_no_secret() {
    let (scratch, token, zone) = (Scratch::new(), Token::default(), leaf(5));
    let keys = scratch.make_folder("keys");
    let pair = Pair::generate(&token, &zone.origin, "ED25519", crate::signing::Place::Token, &keys);
    let (file, out, told) = (zone.write(&scratch, &[]), scratch.path("signed"), scratch.path("told"));
    let command = format!(
        "printf '%s|%s|%s\\n' \"$SIGNET_ZONE\" \"$SIGNET_SERIAL\" \"$SIGNET_FILE\" > '{told}'; env >> '{told}'; \
         echo said by the command; ls -l /proc/self/fd >> '{told}'",
        told = told.display()
    );
    let sign = || Signet::sign(&file, &zone.origin, &out, &keys).keys(&pair.both());
    let run = sign()
        .on(&token)
        .env("SIGNET_PIN_SOURCE", "env:HOUSE_PIN")
        .env("HOUSE_PIN", token.pin())
        .args(["--on-publish", &command])
        .run();
    run.succeeds().says(&["said by the command"]);
    assert_eq!(run.stdout, "");
    let text = scratch.read("told");
    let serial = scratch
        .read("signed")
        .split_ascii_whitespace()
        .nth(6)
        .unwrap()
        .to_owned();
    let first = format!("{}|{serial}|{}", zone.origin, out.display());
    assert_eq!(text.lines().next(), Some(first.as_str()));
    assert!(!text.contains("HOUSE_PIN=") && !text.contains(token.pin()), "{text}");
    // It fails: the zone is published all the same.
    std::fs::remove_file(&out).unwrap();
    let run = sign().on(&token).args(["--on-publish", "exit 7"]).run();
    run.exits(4).says(&["is published in", "exit code 7", "--on-publish"]);
    assert!(scratch.read("signed").contains("RRSIG"));
    // Nothing is published, so nothing is told.
    let run = sign()
        .on(&token)
        .env("PKCS11_PROVIDER", "/no/such/library")
        .args(["--on-publish", "echo told"])
        .run();
    run.exits(3);
    assert!(!run.stderr.contains("\ntold"), "{run:?}");
    let to_stdout = Signet::sign(&file, &zone.origin, std::path::Path::new("-"), &keys).args(["--on-publish", "true"]);
    to_stdout.run().exits(2).says(&["--on-publish"]);
}

/// The changes to the disk that strace saw, in the order in which they were done: what was synced, renamed, removed.
fn traced(sign: Signet, log: &Path) -> Vec<String> {
    let calls = "trace=fsync,fdatasync,/rename,/unlink";
    let options = ["-f", "-y", "-e", calls, "-o", log.to_str().unwrap()];
    sign.under(program("strace"), &options).run().succeeds();
    let (mut begun, mut done) = (BTreeMap::new(), Vec::new());
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim();
        if let Some(call) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread.to_owned(), call.to_owned());
        } else if call.ends_with("= 0") {
            let resumed = call.starts_with("<...");
            done.push(match begun.remove(thread).filter(|_| resumed) {
                Some(begun) => begun,
                None => call.to_owned(),
            });
        }
    }
    done
}

#[test]
fn what_is_published_comes_to_the_disk_in_order() {
    let desk = Desk::new();
    let (out, journal) = (desk.scratch.path("out"), desk.scratch.path("journal"));
    let metrics = desk.scratch.path("run.prom");
    let sign = desk.sign("out/signed").arg("--journal").arg(&journal);
    let calls = traced(sign.arg("--metrics").arg(&metrics), &desk.scratch.path("trace"));
    let mut rest = calls.iter();
    let mut next = |what: &str, is: &dyn Fn(&str) -> bool| {
        assert!(
            rest.any(|call| is(call)),
            "{what} is not there, or too early: {calls:#?}"
        );
    };
    let of = |call: &str, name: &str, path: &str| call.starts_with(name) && call.contains(path);
    let (inside, folder) = (format!("<{}/", out.display()), format!("<{}>", out.display()));
    let target = format!("\"{}/signed\"", out.display());
    next("the sync of the new file", &|call| of(call, "fsync", &inside));
    next("the rename", &|call| of(call, "rename", &target));
    next("the sync of its folder", &|call| of(call, "fsync", &folder));
    next("the removal of the journal", &|call| {
        of(call, "unlink", &format!("\"{}\"", journal.display()))
    });
    let folder = format!("<{}>", desk.scratch.folder().display());
    next("the sync of the journal's folder", &|call| of(call, "fsync", &folder));
    // Whoever collects the figures sees the old ones or the new ones.
    let target = format!("\"{}\"", metrics.display());
    next("the sync of the figures", &|call| {
        of(call, "fsync", &format!("<{}/", desk.scratch.folder().display()))
    });
    next("their rename", &|call| of(call, "rename", &target));
}
