//! The seeds of the fuzz targets, and each input that once was a finding, against the properties of `tests/fuzz`. No other
//! inputs are looked for here: that is `cargo xtask fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fs_err as fs;
use signet_tests::project;

#[path = "../fuzz/src/any_bytes.rs"]
mod any_bytes;
#[path = "../fuzz/src/key_files.rs"]
mod key_files;
#[path = "../fuzz/src/round_trip.rs"]
mod round_trip;
#[path = "../fuzz/src/scan.rs"]
mod scan;
#[path = "../fuzz/src/types.rs"]
mod types;
#[path = "../fuzz/src/verify.rs"]
mod verify;

/// Checks all committed inputs of a target.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = project().join("tests/fuzz");
    let list = folder.join("seeds").join(format!("{target}.txt"));
    let mut inputs: Vec<(String, Vec<u8>)> = fs::read_to_string(&list)
        .unwrap()
        .lines()
        .enumerate()
        .map(|(at, line)| (format!("{}:{}", list.display(), at + 1), unescape(line)))
        .collect();
    let once_found = folder.join("regressions").join(target);
    if once_found.is_dir() {
        inputs.extend(
            fs::read_dir(&once_found)
                .unwrap()
                .map(|entry| read(&entry.unwrap().path())),
        );
    }
    assert!(inputs.len() > 5, "{target}: {} inputs", inputs.len());
    for (name, input) in inputs {
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(outcome.is_ok(), "{target} fails on {name}");
    }
}

fn read(path: &Path) -> (String, Vec<u8>) {
    (path.display().to_string(), fs::read(path).unwrap())
}

/// The bytes of a line: `\n`, `\\` and `\xNN` are escapes, everything else stands for itself.
fn unescape(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escape = (byte == b'\\').then(|| behind[0]);
        let (value, length) = match escape {
            None => (byte, 1),
            Some(b'n') => (b'\n', 2),
            Some(b'x') => (
                u8::from_str_radix(std::str::from_utf8(&rest[2..4]).unwrap(), 16).unwrap(),
                4,
            ),
            Some(other) => (other, 2),
        };
        bytes.push(value);
        rest = &rest[length..];
    }
    bytes
}

#[test]
fn the_scanner_finds_what_its_specification_finds() {
    replay("scan", scan::check);
}

#[test]
fn what_is_written_is_read_as_it_was() {
    replay("round_trip", round_trip::check);
}

#[test]
fn wire_form_of_each_type_becomes_text_and_wire_form() {
    replay("types", types::check);
}

#[test]
fn chunks_of_any_size_hold_the_same_records() {
    replay("any_bytes", any_bytes::check);
}

#[test]
fn key_files_are_written_as_they_were_read() {
    replay("key_files", key_files::check);
}

#[test]
fn partitions_are_judged_as_the_whole() {
    replay("verify", verify::check);
}
