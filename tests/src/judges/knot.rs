//! Knot's kzonecheck: a signed zone into its verdict. It signs nothing here.

use std::path::Path;

use crate::environment::program;
use crate::process::{Program, Run};

/// `kzonecheck -o ORIGIN -d on`, at a time in seconds since 1970 when given.
#[must_use]
pub fn kzonecheck(zone: &Path, origin: &str, now: Option<u64>) -> Run {
    let time: Vec<String> = now.map_or_else(Vec::new, |now| vec!["-t".to_owned(), now.to_string()]);
    Program::new(program("kzonecheck"))
        .args(["-o", origin, "-d", "on"])
        .args(time)
        .arg(zone)
        .run()
}
