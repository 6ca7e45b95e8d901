//! The table that holds a whole run against a bare loop of the same signatures on both cores: what the CPU could do if
//! there were no zone.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use super::measure::measure;
use super::signers::{Job, signet_disk};
use super::table::middle;
use super::{Check, Denial, Keys, stages, zone_keys};
use crate::fixtures::{self, Fixture, Kind};
use crate::process;

/// A zone of so many hosts and the bare loop, taking turns.
pub(super) fn rate(signet: &Path, folder: &Path, count: u32, rounds: usize) -> Result<String> {
    let kind = Kind::Leaf;
    let keys = zone_keys::on_disk(&folder.join("keys"), kind.origin(), "ECDSAP256SHA256")?;
    let job = Job {
        signet: signet.to_path_buf(),
        zone: fixtures::make(&Fixture::new(kind, count))?,
        origin: kind.origin(),
        denial: Denial::Nsec,
        check: Check::None,
        keys: Keys::None,
        folder: folder.join("work"),
    };
    process::run(&mut stages(&["build", "--release", "--bin", "bare_rate"]))?;
    let mut text = format!(
        "\n## end to end against a bare loop of signatures, hosts, NSEC, keys on disk ({count} names)\n\n\
         | round | bare loop on 2 cores, a second | wall s | signatures | wall of the bare loop's |\n|---|---|---|---|---|\n"
    );
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let printed = process::capture(&mut stages(&["run", "--release", "--quiet", "--bin", "bare_rate"]))?;
        let bare: f64 = printed.trim().parse().context("the bare loop printed no rate")?;
        if job.folder.exists() {
            fs::remove_dir_all(&job.folder)?;
        }
        fs::create_dir_all(&job.folder)?;
        let output = job.folder.join("signed");
        let command = signet_disk(&job, &keys, &output);
        let measured = measure(&command, &output, &job.folder)?;
        fs::remove_dir_all(&job.folder)?;
        eprintln!("bench: {} took {:.2} s", process::line(&command), measured.wall);
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let ratio = measured.wall / (measured.signatures as f64 / bare);
        let (wall, signatures) = (measured.wall, measured.signatures);
        let _infallible = writeln!(text, "| {round} | {bare:.0} | {wall:.2} | {signatures} | {ratio:.2} |");
        ratios.push(ratio);
    }
    let _infallible = writeln!(
        text,
        "\nMedian of the ratios: {:.2}. Reading, sorting, planning, writing and the sync to disk are in the wall time.",
        middle(ratios)
    );
    Ok(text)
}
