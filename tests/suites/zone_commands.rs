//! `signet zone check`, `diff`, `stats` and `format` as a person or a program uses them: output, JSON and exit codes.

mod check;
mod diff;
mod examples;
mod format;
mod inputs;
mod stats;

use std::path::Path;

use serde_json::Value;
use signet_tests::{Run, Signet};

/// A zone without faults.
const ZONE: &str = "$TTL 3600\n\
    @ SOA ns1 hostmaster 1 7200 3600 1209600 300\n\
    @ NS ns1\n\
    ns1 A 192.0.2.1\n";

/// `signet zone COMMAND FILE -o example.test FLAGS`.
fn zone(command: &str, file: &Path, flags: &[&str]) -> Run {
    Signet::new(&format!("zone {command}"))
        .arg(file)
        .args(["-o", "example.test"])
        .args(flags)
        .run()
}

#[track_caller]
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {run:?}"))
}
