//! ldns's tools: ldns-verify-zone, and ldns-read-zone as a second reader of text.

use std::path::Path;

use crate::environment::program;
use crate::process::{Program, Run};

/// `ldns-verify-zone`, at a time `YYYYMMDDhhmmss` when given.
#[must_use]
pub fn ldns_verify_zone(zone: &Path, now: Option<&str>) -> Run {
    let time: Vec<&str> = now.map_or_else(Vec::new, |now| vec!["-t", now]);
    Program::new(program("ldns-verify-zone")).args(time).arg(zone).run()
}

/// `ldns-read-zone -c -z`: the zone's records in canonical order.
#[must_use]
pub fn ldns_read_zone(zone: &Path) -> Run {
    Program::new(program("ldns-read-zone"))
        .args(["-c", "-z"])
        .arg(zone)
        .run()
}
