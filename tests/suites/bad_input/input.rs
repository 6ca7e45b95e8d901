//! Inputs that change, shrink or never end while they are read, and sorted records that find no room on the disk.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::thread::JoinHandle;

use signet_tests::zones::leaf;
use signet_tests::{Program, Run, Signet, program};

use super::disk::may_mount;
use super::{Desk, OLD};

/// A desk whose zone includes a pipe before a long rest, and what happens to the zone's file while the program waits
/// for that pipe.
fn while_it_is_read(happens: impl FnOnce(&File) + Send + 'static) -> (Desk, JoinHandle<()>) {
    let mut zone = leaf(3);
    zone.text.push_str("$INCLUDE pipe\n");
    for number in 0..20_000 {
        zone.text
            .push_str(&format!("rest-{number}.leaf.test. 60 IN A 192.0.2.1\n"));
    }
    let desk = Desk::with(zone);
    let pipe: PathBuf = desk.scratch.path("pipe");
    Program::new(program("mkfifo")).arg(&pipe).run().succeeds();
    let file = OpenOptions::new().append(true).open(&desk.file).unwrap();
    let writer = std::thread::spawn(move || {
        // This returns when the program has opened the other end.
        let mut end = File::create(pipe).unwrap();
        happens(&file);
        end.write_all(b"piped.leaf.test. 60 IN A 192.0.2.2\n").unwrap();
    });
    (desk, writer)
}

#[test]
fn a_file_cut_short_under_the_mapping() {
    let (desk, writer) = while_it_is_read(|file| file.set_len(4096).unwrap());
    let run = desk.refuses(
        desk.sign().keys(&desk.pair.both()),
        4,
        &["cut short", "nothing was published"],
    );
    assert!(!run.stderr.contains("panicked"));
    writer.join().unwrap();
}

#[test]
fn a_file_cut_short_that_is_not_mapped() {
    let (desk, writer) = while_it_is_read(|file| file.set_len(4096).unwrap());
    let sign = desk.sign().keys(&desk.pair.both()).arg("--no-mmap");
    let run = sign.run();
    // What stands at the cut may be a fault of its own; either way nothing is published.
    assert!(matches!(run.code, Some(1 | 4)), "{run:?}");
    desk.untouched(&run);
    writer.join().unwrap();
}

#[test]
fn a_file_that_is_written_to() {
    for flags in [&[][..], &["--no-mmap"]] {
        let (desk, writer) = while_it_is_read(|mut file| file.write_all(b"; one more line\n").unwrap());
        let sign = desk.sign().keys(&desk.pair.both()).args(flags);
        desk.refuses(sign, 4, &["changed while it was being read"]);
        writer.join().unwrap();
    }
}

#[test]
fn an_included_file_out_of_the_root() {
    let desk = Desk::with_lines("$INCLUDE out/old.signed\n");
    let inside = desk.scratch.make_folder("inside");
    let sign = desk.sign().keys(&desk.pair.both()).arg("--include-root").arg(inside);
    desk.refuses(sign, 1, &["old.signed", "outside"]);
}

#[test]
fn compressed_data_that_expands_beyond_reason() {
    let desk = Desk::new();
    let plain = desk.scratch.write("bomb", vec![b'\n'; 70 << 20]);
    Program::new(program("gzip")).arg(&plain).run().succeeds();
    let bomb = desk.scratch.path("bomb.gz");
    let sign = Signet::sign(&bomb, &desk.zone.origin, &desk.out(), &desk.keys()).keys(&desk.pair.both());
    desk.refuses(sign, 4, &["bomb.gz", "200 times"]);
}

#[test]
fn a_directory_for_temporary_files_that_is_not_there() {
    let desk = Desk::new();
    let gone = desk.scratch.path("gone");
    let named = desk
        .sign()
        .keys(&desk.pair.both())
        .args(["--memory", "0", "--temp-dir"]);
    desk.refuses(named.arg(&gone), 4, &["gone"]);
    let by_environment = desk.sign().keys(&desk.pair.both()).args(["--memory", "0"]);
    desk.refuses(by_environment.env("TMPDIR", &gone), 4, &["gone", "temporary file"]);
}

#[test]
fn a_directory_for_temporary_files_that_goes_away() {
    let scratch = signet_tests::Scratch::new();
    let temp = scratch.make_folder("temp");
    let gone = temp.clone();
    let (desk, writer) = while_it_is_read(move |_| std::fs::remove_dir_all(gone).unwrap());
    let sign = desk
        .sign()
        .keys(&desk.pair.both())
        .args(["--memory", "0", "--temp-dir"]);
    desk.refuses(sign.arg(&temp), 4, &["temp"]);
    writer.join().unwrap();
}

/// Signs with all sorted records in a file system of 128 KiB; afterwards what is in it.
fn spilled_to_a_small_file_system(way: &[&str]) -> (Desk, Run, String) {
    let desk = Desk::with(leaf(3000));
    let folder = desk.scratch.make_folder("small");
    let script = "folder=$1; shift; mount -t tmpfs -o size=128k none \"$folder\" || exit 99
         \"$@\"; code=$?; ls -A \"$folder\" > \"$folder.listing\"; exit $code";
    let options: Vec<&str> = way
        .iter()
        .copied()
        .chain(["sh", "-c", script, "sh", folder.to_str().unwrap()])
        .collect();
    let sign = desk
        .sign()
        .keys(&desk.pair.both())
        .args(["--memory", "0", "--temp-dir"]);
    let run = sign.arg(&folder).under(program("unshare"), &options).run();
    let listing = desk.scratch.read("small.listing");
    (desk, run, listing)
}

#[test]
fn a_directory_for_temporary_files_that_is_full() {
    match may_mount() {
        Some(way) => {
            let (desk, run, listing) = spilled_to_a_small_file_system(way);
            run.exits(4).says(&["small", "sorted records", "space"]);
            assert_eq!(desk.scratch.read("out/old.signed"), OLD);
            assert_eq!(desk.scratch.listing("out").len(), 1);
            assert_eq!(listing, "", "no stray file");
        }
        None => {
            let desk = Desk::with(leaf(3000));
            let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
            let sign = desk.sign().keys(&desk.pair.both()).args(["--memory", "0"]);
            let sign = sign.under("/bin/sh", &["-c", script, "sh"]);
            desk.refuses(sign, 4, &["sorted records"]);
        }
    }
}
