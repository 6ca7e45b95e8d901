//! `cargo xtask ci`: everything that must hold before a change lands.
//!
//! The cheap checks come first; each fuzz target has 20 seconds. All builds share the release profile, so C code in dependencies is compiled once. Every step runs under
//! `CI=1`: a stand-in for what could not be built is a failure.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{process, setup, tidy};

/// Runs the steps in order and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let mut took = Vec::new();
    let mut step = |name: &'static str, work: &dyn Fn() -> Result<()>| -> Result<()> {
        eprintln!("ci: {name}");
        let started = Instant::now();
        work().with_context(|| format!("ci: {name} failed"))?;
        took.push((name, started.elapsed()));
        Ok(())
    };
    step("setup", &setup::run)?;
    step("formatting", &|| {
        cargo(&["fmt", "--all", "--check"], &[])?;
        cargo(&["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"], &[])?;
        cargo(&["fmt", "--manifest-path", "tests/bench/Cargo.toml", "--check"], &[])?;
        cargo(&["fmt", "--manifest-path", "tests/kryoptic/Cargo.toml", "--check"], &[])
    })?;
    step("tidy", &tidy::run)?;
    step("clippy", &|| {
        let scope = ["clippy", "--workspace", "--all-targets", "--all-features", "--release"];
        cargo(&[&scope[..], &["--", "-D", "warnings"]].concat(), &[])?;
        // A workspace of its own, which the one above says nothing about.
        cargo(
            &[
                "check",
                "--quiet",
                "--release",
                "--manifest-path",
                "tests/bench/Cargo.toml",
                "--target-dir",
                "target/bench/build",
                "--bins",
                "--benches",
            ],
            &[],
        )
    })?;
    step("docs", &|| {
        cargo(
            &["doc", "--workspace", "--no-deps", "--release"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        )
    })?;
    step("test-hsm", &|| cargo(&["xtask", "test-hsm"], &[]))?;
    step("other features", &|| {
        // What the program has no use for: software keys of aws-lc-rs alone, types of hickory-proto.
        let scope = ["test", "--release", "--package", "dnssec-sign", "--lib"];
        cargo(&[&scope[..], &["--features", "software,verify,hickory"]].concat(), &[])
    })?;
    step("fuzz", &|| cargo(&["xtask", "fuzz", "--seconds", "20"], &[]))?;
    step("bench", &|| cargo(&["xtask", "bench", "--quick"], &[]))?;
    step("demo", &|| cargo(&["xtask", "demo"], &[]))?;
    report(&took);
    Ok(())
}

/// A cargo command as a person would type it, so that the README's commands are the ones that are tried.
fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let environment = environment.iter().copied();
    process::run(process::cargo().args(arguments).env("CI", "1").envs(environment))
}

fn report(took: &[(&str, Duration)]) {
    for (name, time) in took {
        eprintln!("ci: {name:<14} {:>5} s", time.as_secs());
    }
    eprintln!("ci: everything holds");
}
