//! `cargo xtask fuzz --coverage`: which lines of the code under test the inputs reach, by the compiler's own counters and LLVM's
//! tools, which `rustup component add llvm-tools` brings. The engine's instrumentation has no part in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use fs_err as fs;

use super::{Folders, Target, build, host};
use crate::{layout, process};

/// Whose lines are counted.
const SOURCES: &[&str] = &[
    "zone-io/src/scan.rs",
    "zone-io/src/scan_block.rs",
    "zone-io/src/parse",
    "zone-io/src/print",
    "zone-io/src/chunk.rs",
    "zone-io/src/load.rs",
    "zone-io/src/run.rs",
    "zone-io/src/merge.rs",
    "zone-io/src/keyfile",
    "dnssec-sign/src/rdata",
    "dnssec-sign/src/verify",
];
/// So many inputs are given to one process: a command line has an end.
const INPUTS_A_PROCESS: usize = 500;

/// Runs every input once, and prints the table of LLVM's report.
pub(super) fn report(targets: &[Target]) -> Result<()> {
    let tools = tools()?;
    let programs = build("coverage", "-Cinstrument-coverage")?;
    let profiles = layout::target().join("fuzz/profiles");
    if profiles.is_dir() {
        fs::remove_dir_all(&profiles)?;
    }
    fs::create_dir_all(&profiles)?;
    let mut objects = Vec::new();
    for target in targets {
        let program = programs.join(target.name());
        let inputs = inputs(&Folders::prepare(*target)?)?;
        eprintln!("fuzz: {}: {} inputs", target.name(), inputs.len());
        for some in inputs.chunks(INPUTS_A_PROCESS) {
            let mut command = Command::new(&program);
            command.args(some).stderr(std::process::Stdio::null());
            command.env("LLVM_PROFILE_FILE", profiles.join("%m-%p.profraw"));
            let status = command.status()?;
            if !status.success() {
                bail!("{} failed on a kept input: {status}", target.name());
            }
        }
        objects.push(program);
    }
    let merged = profiles.join("all.profdata");
    let mut merge = Command::new(tools.join("llvm-profdata"));
    merge.args(["merge", "-sparse", "-o"]).arg(&merged);
    for entry in fs::read_dir(&profiles)? {
        merge.arg(entry?.path());
    }
    process::run(&mut merge)?;
    let mut report = Command::new(tools.join("llvm-cov"));
    report.arg("report").arg("--instr-profile").arg(&merged);
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            report.arg("--object");
        }
        report.arg(object);
    }
    report.args(SOURCES.iter().map(|source| layout::root().join(source)));
    process::run(&mut report)
}

/// LLVM's tools of this toolchain.
fn tools() -> Result<PathBuf> {
    let sysroot = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host()?).join("bin");
    if !folder.join("llvm-cov").is_file() {
        bail!("llvm-cov of this toolchain is missing: run `rustup component add llvm-tools`");
    }
    Ok(folder)
}

fn inputs(folders: &Folders) -> Result<Vec<PathBuf>> {
    let mut inputs = Vec::new();
    for folder in folders.inputs() {
        for entry in fs::read_dir(folder)? {
            inputs.push(entry?.path());
        }
    }
    Ok(inputs)
}
