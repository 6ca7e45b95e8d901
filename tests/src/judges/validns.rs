//! validns: a signed zone into its verdict. It knows RSA alone.

use std::path::Path;

use crate::environment::program;
use crate::process::{Program, Run};

/// `validns -z ORIGIN`, at a time in seconds since 1970 when given.
#[must_use]
pub fn validns(zone: &Path, origin: &str, now: Option<u64>) -> Run {
    let time: Vec<String> = now.map_or_else(Vec::new, |now| vec!["-t".to_owned(), now.to_string()]);
    Program::new(program("validns"))
        .args(["-z", origin])
        .args(time)
        .arg(zone)
        .run()
}
