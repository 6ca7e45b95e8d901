//! The project's own commands: `cargo xtask COMMAND`.
//!
//! Flags are parsed here and handed to one file per command. No crate of the workspace is used, so these commands build before anything
//! else does and work on a tree that does not compile.

mod bench;
mod ci;
mod demo;
mod download;
mod fixtures;
mod fuzz;
mod kryoptic;
mod layout;
mod process;
mod setup;
mod softhsm;
mod test_hsm;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, tests, measures and tidies signet.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find what this machine lacks for building and testing; install it as root, else print the command
    Setup,
    /// Build SoftHSMv2 and keep a throwaway token in it, below target/softhsm
    #[command(subcommand)]
    Softhsm(softhsm::Action),
    /// Build Kryoptic from crates.io into target/kryoptic, for the suites; prints the library's path
    Kryoptic,
    /// From nothing to a signed, verified sample zone with keys on a token
    Demo(softhsm::Origin),
    /// Build and initialise SoftHSMv2 and run all tests against it
    TestHsm(test_hsm::Extent),
    /// Formatting, tidy, clippy, docs, all tests, 20 seconds of each fuzz target, the demo
    Ci,
    /// Measure signet against dnssec-signzone, ldns-signzone and kzonesign; a Markdown table
    Bench(bench::Plan),
    /// Make a large zone below target/fixtures; prints its path and origin
    Fixtures(fixtures::Fixture),
    /// Look for inputs that break the parser, the writer or the verifier
    Fuzz(fuzz::Plan),
    /// Check the project's conventions: arrows between crates, files, headings, `unsafe`, wording
    Tidy,
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task) -> Result<()> {
    match task {
        Task::Setup => setup::run(),
        Task::Softhsm(action) => softhsm::run(&action),
        Task::Kryoptic => kryoptic::run(),
        Task::Demo(origin) => demo::run(&origin),
        Task::TestHsm(extent) => test_hsm::run(&extent),
        Task::Ci => ci::run(),
        Task::Bench(plan) => bench::run(&plan),
        Task::Fixtures(fixture) => fixtures::run(&fixture),
        Task::Fuzz(plan) => fuzz::run(&plan),
        Task::Tidy => tidy::run(),
    }
}
