//! What the commands read: a file, standard input, gzip and zstd data, mapped or read, in memory or sorted on the disk, with
//! what it includes. The answer is the same; an input that changes meanwhile gives none.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread::JoinHandle;

use signet_tests::{Program, Run, Scratch, Signet, program};

use super::ZONE;

const COMMANDS: [&str; 4] = ["format", "check --json", "stats --json", "diff"];

/// A command over this input; `diff` is against the file `plain`, so that equal zones give the exit code 0.
fn answer(command: &str, input: &Path, plain: &Path, flags: &[&str]) -> Run {
    let mut run = Signet::new(&format!("zone {command}")).arg(input);
    if command == "diff" {
        run = run.arg(plain);
    }
    // Not the input's folder: included files are looked for beside the one that names them.
    run.args(["-o", "example.test"]).args(flags).folder("/").run()
}

/// The text in zstd's format, in one block as it stands (RFC 8878 3.1.1).
fn zstd(text: &[u8]) -> Vec<u8> {
    assert!(text.len() < 1 << 17, "one block holds no more");
    let length = u32::try_from(text.len()).unwrap();
    let block = (length << 3 | 1).to_le_bytes();
    let head = [&[0x28, 0xb5, 0x2f, 0xfd, 0xa0][..], &length.to_le_bytes(), &block[..3]].concat();
    [&head, text].concat()
}

/// Names, comments, an included file in another folder that includes one beside itself, and 500 names behind it.
fn zone_with_parts(scratch: &Scratch) -> std::path::PathBuf {
    scratch.make_folder("parts");
    scratch.make_folder("parts/deeper");
    scratch.write(
        "parts/inner",
        "host A 192.0.2.7\n$INCLUDE deeper/last ; beside this file\nafter A 192.0.2.9\n",
    );
    scratch.write(
        "parts/deeper/last",
        "$ORIGIN deep\nlast TXT \"no line break at the end\"",
    );
    let mut text = format!("\u{feff}{ZONE}$INCLUDE parts/inner sub\r\nlast A 192.0.2.8\r\n");
    for number in 0..500 {
        text.push_str(&format!("n{number} A 192.0.2.{} ; of 500\n", number % 256));
    }
    scratch.write("plain.zone", text)
}

#[test]
fn every_command_answers_alike_from_every_input() {
    let scratch = Scratch::new();
    let plain = zone_with_parts(&scratch);
    let text = scratch.bytes("plain.zone");
    Program::new(program("gzip")).arg("-k").arg(&plain).run().succeeds();
    let inputs = [
        plain.clone(),
        scratch.path("plain.zone.gz"),
        scratch.write("plain.zst", zstd(&text)),
    ];
    for command in COMMANDS {
        let expected = answer(command, &plain, &plain, &[]);
        expected.succeeds();
        assert_eq!(expected.stdout.is_empty(), command == "diff", "{expected:?}");
        for input in &inputs {
            for flags in [
                &[][..],
                &["--no-mmap"],
                &["--memory", "0", "--threads", "3"],
                &["--no-mmap", "--memory", "0", "--run-records", "1"],
                &["--run-records", "7"],
            ] {
                let run = answer(command, input, &plain, flags);
                run.succeeds();
                assert_eq!(run.stdout, expected.stdout, "{run:?}");
            }
            let stdin = Signet::new(&format!("zone {command}"))
                .arg("-")
                .args((command == "diff").then_some(&plain))
                .args(["-o", "example.test"])
                .folder(scratch.folder())
                .input(input)
                .run();
            stdin.succeeds();
            assert_eq!(stdin.stdout, expected.stdout, "{stdin:?}");
        }
    }
    let format = answer("format", &plain, &plain, &[]).stdout;
    for line in [
        "host.sub.example.test.\t3600\tIN\tA\t192.0.2.7\n",
        "last.deep.sub.example.test.\t3600\tIN\tTXT\t\"no line break at the end\"\n",
        "after.sub.example.test.\t3600\tIN\tA\t192.0.2.9\n",
        "last.example.test.\t3600\tIN\tA\t192.0.2.8\n",
    ] {
        assert!(format.contains(line), "{line:?}: {format}");
    }
}

#[test]
fn what_is_included_is_followed_with_limits() {
    let scratch = Scratch::new();
    let plain = zone_with_parts(&scratch);
    let root = scratch.path("parts/deeper");
    for command in ["format", "check", "stats", "diff"] {
        let run = answer(command, &plain, &plain, &["--include-root", root.to_str().unwrap()]);
        assert_eq!(run.code, Some(if command == "diff" { 2 } else { 1 }), "{run:?}");
        assert!(
            run.output().contains("plain.zone:5:10: ") && run.output().contains("outside"),
            "{run:?}"
        );
    }
    scratch.write("parts/inner", "a A 192.0.2.7\n$INCLUDE ../plain.zone\n");
    let run = answer("format", &plain, &plain, &[]);
    run.exits(1)
        .says(&["inner:2:10: error: ", "includes itself", "note: included from"]);
    for number in 0..20 {
        scratch.write(&format!("step{number}"), format!("$INCLUDE step{}\n", number + 1));
    }
    let deep = scratch.write("deep", format!("{ZONE}$INCLUDE step0\n"));
    let run = answer("format", &deep, &deep, &[]);
    run.exits(1)
        .says(&["more than 16 files inside one another", "included from"]);
    assert!(
        run.stderr.matches("included from").count() > 10,
        "the whole way there: {run:?}"
    );
}

/// A zone that includes a pipe before a long rest, and what happens to its file while the command waits for that pipe.
fn while_it_is_read(scratch: &Scratch, happens: fn(&mut File)) -> (std::path::PathBuf, JoinHandle<()>) {
    let mut text = format!("{ZONE}$INCLUDE pipe\n");
    for number in 0..20_000 {
        text.push_str(&format!("rest-{number} A 192.0.2.1\n"));
    }
    let zone = scratch.write("zone", text);
    let pipe = scratch.path("pipe");
    Program::new(program("mkfifo")).arg(&pipe).run().succeeds();
    let mut file = OpenOptions::new().append(true).open(&zone).unwrap();
    let writer = std::thread::spawn(move || {
        // This returns when the command has opened the other end.
        let mut end = File::create(pipe).unwrap();
        happens(&mut file);
        end.write_all(b"piped A 192.0.2.2\n").unwrap();
    });
    (zone, writer)
}

#[test]
fn an_input_that_changes_is_told() {
    for command in COMMANDS {
        for flags in [&[][..], &["--no-mmap"]] {
            let scratch = Scratch::new();
            let other = scratch.write("other", ZONE);
            let (zone, writer) = while_it_is_read(&scratch, |file| file.write_all(b"; one more line\n").unwrap());
            let run = answer(command, &zone, &other, flags);
            run.exits(4).says(&["changed while it was being read"]);
            writer.join().unwrap();
        }
    }
}

#[test]
fn an_input_cut_short_is_told_and_leaves_no_file() {
    for command in COMMANDS {
        for flags in [&[][..], &["--no-mmap"]] {
            let scratch = Scratch::new();
            let other = scratch.write("other", ZONE);
            let (zone, writer) = while_it_is_read(&scratch, |file| file.set_len(4096).unwrap());
            let out = scratch.make_folder("out").join("old");
            std::fs::write(&out, "old").unwrap();
            let to_file = ["-f", out.to_str().unwrap()];
            let to_file = if command == "format" { &to_file[..] } else { &[] };
            let run = answer(command, &zone, &other, &[flags, to_file].concat());
            // What stands at the cut may be a fault of its own where the text is not mapped.
            let faults = if command == "diff" { 2 } else { 1 };
            match flags.is_empty() {
                true => assert_eq!(run.code, Some(4), "{run:?}"),
                false => assert!(run.code == Some(4) || run.code == Some(faults), "{run:?}"),
            }
            assert!(!run.stderr.contains("panicked"), "{run:?}");
            assert_eq!(scratch.read("out/old"), "old");
            assert_eq!(scratch.listing("out").len(), 1, "no file is left behind");
            writer.join().unwrap();
        }
    }
}
