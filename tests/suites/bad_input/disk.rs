//! Outputs that cannot be written, disks that fill up, runs that are interrupted.

use std::path::Path;
use std::time::{Duration, Instant};

use signet_tests::zones::leaf;
use signet_tests::{Faulty, Program, Signet, Token, program};

use crate::signing::{Pair, Place};

use super::{Desk, OLD};

#[test]
fn an_output_in_no_folder() {
    let desk = Desk::new();
    let out = desk.scratch.path("no/such/folder/zone.signed");
    let sign = Signet::sign(&desk.file, &desk.zone.origin, &out, &desk.keys());
    desk.refuses(sign.keys(&desk.pair.both()), 4, &["no/such/folder"]);
}

#[test]
fn an_output_that_is_a_folder() {
    let desk = Desk::new();
    let out = desk.scratch.make_folder("folder");
    let sign = Signet::sign(&desk.file, &desk.zone.origin, &out, &desk.keys());
    desk.refuses(sign.keys(&desk.pair.both()), 4, &["folder"]);
    assert!(desk.scratch.listing("folder").is_empty());
}

#[test]
fn an_output_that_cannot_be_made_costs_no_signature() {
    // It fails before the token is asked for anything: the PIN is never read.
    let (desk, token) = (Desk::new(), Token::default());
    let pair = Pair::generate(&token, &desk.zone.origin, "ECDSAP256SHA256", Place::Token, &desk.keys());
    let log = desk.scratch.write("spy.log", "");
    let out = desk.scratch.path("no/such/folder/zone.signed");
    let sign = Signet::sign(&desk.file, &desk.zone.origin, &out, &desk.keys()).keys(&pair.both());
    desk.refuses(sign.envs(token.spied_environment(&log)), 4, &["no/such/folder"]);
    assert!(!desk.scratch.read("spy.log").contains(": C_Sign\n"));
}

/// Whether this user may mount a file system of its own.
pub(super) fn may_mount() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    ways.into_iter().find(|way| {
        let mount = "mount -t tmpfs -o size=64k none /mnt";
        let run = Program::new(program("unshare"))
            .args(*way)
            .args(["sh", "-c", mount])
            .run();
        run.code == Some(0)
    })
}

/// Signs into a file system of its own of 256 KiB, mounted with these options; afterwards the old output and the folder's listing.
fn in_a_small_file_system(way: &[&str], remount: &str) -> (signet_tests::Run, String, String) {
    let desk = Desk::with(leaf(3000));
    let folder = desk.scratch.make_folder("small");
    let script = format!(
        "folder=$1; shift; mount -t tmpfs -o size=256k none \"$folder\" || exit 99; printf '%s' '{OLD}' > \"$folder/old.signed\"
         {remount}
         \"$@\"; code=$?
         cat \"$folder/old.signed\" > \"$folder.old\"; ls -A \"$folder\" > \"$folder.listing\"; exit $code"
    );
    let sign = Signet::sign(&desk.file, &desk.zone.origin, &folder.join("old.signed"), &desk.keys());
    let options: Vec<&str> = way
        .iter()
        .copied()
        .chain(["sh", "-c", &script, "sh", folder.to_str().unwrap()])
        .collect();
    let run = sign.keys(&desk.pair.both()).under(program("unshare"), &options).run();
    (run, desk.scratch.read("small.old"), desk.scratch.read("small.listing"))
}

/// The same where nothing can be mounted: no file may grow beyond 64 KiB.
fn under_a_file_size_limit() {
    let desk = Desk::with(leaf(3000));
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let sign = desk
        .sign()
        .keys(&desk.pair.both())
        .under("/bin/sh", &["-c", script, "sh"]);
    desk.refuses(sign, 4, &["old.signed"]);
}

#[test]
fn a_disk_that_is_full() {
    match may_mount() {
        Some(way) => {
            let (run, old, listing) = in_a_small_file_system(way, "");
            run.exits(4).says(&["space", "old.signed"]);
            assert_eq!(old, OLD);
            assert_eq!(listing, "old.signed\n", "no stray file");
        }
        None => under_a_file_size_limit(),
    }
}

#[test]
fn a_disk_that_is_full_from_the_start() {
    let Some(way) = may_mount() else {
        return under_a_file_size_limit();
    };
    let fill = "cat /dev/zero > \"$folder/fill\" 2> /dev/null";
    let (run, old, listing) = in_a_small_file_system(way, fill);
    run.exits(4).says(&["space", "old.signed"]);
    assert_eq!((old.as_str(), listing.as_str()), (OLD, "fill\nold.signed\n"));
}

#[test]
fn too_little_space_is_known_before_anything_is_signed() {
    let Some(way) = may_mount() else { return };
    let (desk, token, faulty) = (Desk::with(leaf(3000)), Token::default(), Faulty::new(""));
    let pair = Pair::generate(&token, &desk.zone.origin, "ED25519", Place::Token, &desk.keys());
    let folder = desk.scratch.make_folder("small");
    let sign = |size: &str, old: &str, out: &Path, flags: &[&str]| {
        let script = format!(
            "folder=$1; shift; mount -t tmpfs -o size={size} none \"$folder\" || exit 99; {old}
             \"$@\"; code=$?; ls -A \"$folder\" > \"$folder.listing\"; exit $code"
        );
        let options = ["sh", "-c", &script, "sh", folder.to_str().unwrap()];
        let options: Vec<&str> = way.iter().copied().chain(options).collect();
        Signet::sign(&desk.file, &desk.zone.origin, out, &desk.keys())
            .keys(&pair.both())
            .args(flags)
            .envs(token.faulty_environment(&faulty))
            .under(program("unshare"), &options)
            .run()
    };
    let text = desk.file.metadata().unwrap().len();
    let inside = folder.join("signed");
    let run = sign("16k", "true", &inside, &[]);
    run.exits(4).says(&["small/signed", "no space", "nothing was signed"]);
    // The proofs of the two keys, and none of the zone.
    assert!(
        faulty.other("signed") <= 4,
        "{} of {text} bytes",
        faulty.other("signed")
    );
    assert_eq!(desk.scratch.read("small.listing"), "");
    // Where it may do, the run goes on: the old output says how large the new one will be.
    let old = "printf '; %01000000d\\n' 0 > \"$folder/signed\"";
    let run = sign("1200k", old, &inside, &[]);
    run.says(&["small: ", "are free", "likely to take more than 1.00 MB"]);
    assert!(faulty.other("signed") > 4);
    // So much for records that do not fit into memory.
    let out = desk.scratch.path("elsewhere");
    let run = sign(
        "64k",
        "true",
        &out,
        &["--memory", "0", "--temp-dir", folder.to_str().unwrap()],
    );
    run.exits(4).says(&["small: ", "are free", "--temp-dir"]);
    assert!(!out.exists());
}

#[test]
fn a_journal_on_a_full_disk() {
    let desk = Desk::with(leaf(3000));
    let folder = desk.scratch.make_folder("small");
    let sign = desk
        .sign()
        .keys(&desk.pair.both())
        .arg("--journal")
        .arg(folder.join("journal"));
    let run = match may_mount() {
        Some(way) => {
            let script = "folder=$1; shift; mount -t tmpfs -o size=64k none \"$folder\" || exit 99; exec \"$@\"";
            let options = ["sh", "-c", script, "sh", folder.to_str().unwrap()];
            let options: Vec<&str> = way.iter().copied().chain(options).collect();
            let run = sign.under(program("unshare"), &options).run();
            run.exits(4).says(&["small/journal", "space"]);
            run
        }
        None => {
            let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
            let run = sign.under("/bin/sh", &["-c", script, "sh"]).run();
            run.exits(4);
            run
        }
    };
    desk.untouched(&run);
}

#[test]
fn a_file_that_may_not_grow() {
    under_a_file_size_limit();
}

#[test]
fn a_folder_that_is_read_only() {
    let Some(way) = may_mount() else {
        // Without a mount of its own this is an unprivileged user, whom a mode stops.
        let desk = Desk::new();
        let folder = desk.scratch.path("out");
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
        desk.refuses(desk.sign().keys(&desk.pair.both()), 4, &["old.signed"]);
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        return;
    };
    let (run, old, listing) = in_a_small_file_system(way, "mount -o remount,ro \"$folder\"");
    run.exits(4).says(&["read-only"]);
    assert_eq!((old.as_str(), listing.as_str()), (OLD, "old.signed\n"));
}

#[test]
fn an_interrupted_run_publishes_nothing() {
    for signal in ["INT", "TERM"] {
        let (desk, token) = (Desk::with(leaf(4000)), Token::default());
        let pair = Pair::generate(&token, &desk.zone.origin, "RSASHA256", Place::Token, &desk.keys());
        let began = Instant::now();
        let mut sent = false;
        let run = desk.sign().keys(&pair.both()).on(&token).watch(|process| {
            if !sent && began.elapsed() > Duration::from_millis(700) {
                sent = true;
                Program::new(program("kill"))
                    .args([&format!("-{signal}"), &process.to_string()])
                    .run()
                    .succeeds();
            }
        });
        assert!(sent, "4000 names take RSA on a token longer than that: {run:?}");
        run.exits(130).says(&["interrupted"]);
        desk.untouched(&run);
    }
}

#[test]
fn a_killed_run_leaves_the_old_output_and_the_next_run_tidies_up() {
    let (desk, token) = (Desk::with(leaf(4000)), Token::default());
    let pair = Pair::generate(&token, &desk.zone.origin, "RSASHA256", Place::Token, &desk.keys());
    let began = Instant::now();
    let mut sent = false;
    let run = desk.sign().keys(&pair.both()).on(&token).watch(|process| {
        if !sent && began.elapsed() > Duration::from_millis(700) {
            sent = true;
            Program::new(program("kill"))
                .args(["-KILL", &process.to_string()])
                .run()
                .succeeds();
        }
    });
    assert_eq!(run.code, None, "killed: {run:?}");
    assert_eq!(desk.scratch.read("out/old.signed"), OLD);
    desk.sign().keys(&desk.pair.both()).run().succeeds();
    assert_eq!(
        desk.scratch.listing("out").len(),
        1,
        "{:?}",
        desk.scratch.listing("out")
    );
}

#[test]
fn a_good_run_leaves_the_output_alone_in_its_folder() {
    let desk = Desk::new();
    desk.sign().keys(&desk.pair.both()).run().succeeds();
    assert_eq!(
        desk.scratch.listing("out").into_iter().collect::<Vec<_>>(),
        ["old.signed"]
    );
    assert_ne!(desk.scratch.read("out/old.signed"), OLD);
}
