//! `cargo xtask demo`: from a bare machine to a small signed zone whose keys never left a token.
//!
//! Everything is made once and taken again on the next run; only the zone is signed anew. Nothing outside the target directory is written,
//! beside the system's packages.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use fs_err as fs;

use crate::softhsm::{self, Origin, Token};
use crate::{layout, process, setup};

/// The sample zone, and its name.
const ZONE: &str = include_str!("demo.zone");
const ORIGIN: &str = "example.test.";

/// Sets up, signs, verifies, and tells what to look at.
pub(crate) fn run(origin: &Origin) -> Result<()> {
    let started = Instant::now();
    setup::run()?;
    let token = softhsm::ready(origin)?;
    let signet = build()?;
    let folder = layout::target().join("demo");
    fs::create_dir_all(&folder)?;
    let (zone, signed) = (folder.join("example.test.zone"), folder.join("example.test.signed"));
    fs::write(&zone, ZONE)?;
    let keys = softhsm::pair(&token, &signet, "demo", ORIGIN)?;
    let mut sign = Command::new(&signet);
    sign.arg("sign").arg(&zone).args([&keys.ksk, &keys.zsk]);
    sign.args(["-o", ORIGIN, "-f"]).arg(&signed).arg("-K").arg(&keys.folder);
    token.lend(&mut sign);
    process::run(&mut sign)?;
    process::run(Command::new(&signet).arg("verify").arg(&signed).args(["-o", ORIGIN]))?;
    let judge = process::need("dnssec-verify")?;
    process::run(Command::new(judge).args(["-o", ORIGIN]).arg(&signed))?;
    tell(&token, &signed, &keys, started);
    Ok(())
}

/// The features that the program is built and tested with.
pub(crate) const FEATURES: [&str; 2] = ["--features", "signet-pipeline/openssl"];

/// The release build of the program.
pub(crate) fn build() -> Result<std::path::PathBuf> {
    let build = ["build", "--release", "--package", "signet-pipeline"];
    process::run(process::cargo().args(build).args(FEATURES))?;
    Ok(layout::signet())
}

fn tell(token: &Token, signed: &Path, keys: &softhsm::Pair, started: Instant) {
    let signet = layout::signet();
    let (signet, signed, folder) = (signet.display(), signed.display(), keys.folder.display());
    println!(
        "
Signed and verified in {} s: {signed}
The keys {} and {} are on the token; only their public halves are in
{folder}

Next:
  eval \"$(cargo xtask softhsm env)\"    # use the token (PIN file: {})
  {signet} token list
  {signet} key list -K {folder}
  {signet} key ds -K {folder} {}
  {signet} sign YOUR.zone {} {} -o {ORIGIN} -f YOUR.signed -K {folder} --nsec3
  cargo xtask test-hsm",
        started.elapsed().as_secs(),
        keys.ksk_label,
        keys.zsk_label,
        token.pin_file.display(),
        keys.ksk,
        keys.ksk,
        keys.zsk,
    );
}
