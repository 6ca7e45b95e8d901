//! `cargo xtask test-hsm`: all tests, against a SoftHSMv2 built from source.
//!
//! The program under test is the release build, and the tests are built with the same profile, so that each dependency is compiled once.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::softhsm::{self, Origin};
use crate::{demo, kryoptic, process, setup};

/// Which tests.
#[derive(Args, Default)]
pub(crate) struct Extent {
    /// Also the long ones: every border, large zones, every judge
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    origin: Origin,
}

/// Sets up, builds and tests.
///
/// # Errors
/// When a test fails; the tests after it have run all the same.
pub(crate) fn run(extent: &Extent) -> Result<()> {
    let started = Instant::now();
    setup::run()?;
    let token = softhsm::ready(&extent.origin)?;
    let kryoptic = kryoptic::build()?;
    let signet = demo::build()?;
    let mut test = process::cargo();
    test.args(["test", "--workspace", "--release", "--no-fail-fast"]);
    test.args(demo::FEATURES);
    token.lend(&mut test);
    test.env("SIGNET_BIN", signet).env("KRYOPTIC_MODULE", kryoptic);
    if extent.full {
        test.env("SIGNET_FULL", "1");
    }
    let outcome = process::run(&mut test);
    let seconds = started.elapsed().as_secs();
    let which = if extent.full { "full tests" } else { "tests" };
    match outcome {
        Ok(()) => eprintln!(
            "test-hsm: all {which} passed after {} min {} s",
            seconds / 60,
            seconds % 60
        ),
        Err(error) => bail!(
            "{which} failed after {} min {} s: {error:#}",
            seconds / 60,
            seconds % 60
        ),
    }
    Ok(())
}
