//! `cargo xtask kryoptic`: Kryoptic from crates.io as a PKCS#11 library, below `target/kryoptic`, built once.
//!
//! The library links to the system's OpenSSL; its bindings are made by libclang.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{layout, process};

/// Builds it, or takes the finished build, and tells where it is.
///
/// # Errors
/// When the build fails.
pub(crate) fn build() -> Result<PathBuf> {
    let folder = layout::target().join("kryoptic");
    let manifest = layout::root().join("tests/kryoptic/Cargo.toml");
    // The compiler's own headers, which libclang alone does not bring.
    let mut include = Command::new("cc");
    let include = process::capture(include.arg("-print-file-name=include"))?;
    process::run(
        process::cargo()
            .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
            .arg(manifest)
            .env("CARGO_TARGET_DIR", &folder)
            .env("BINDGEN_EXTRA_CLANG_ARGS", format!("-I{}", include.trim())),
    )
    .context("Kryoptic was not built")?;
    let library = folder.join("release/libkryoptic_pkcs11.so");
    if !library.is_file() {
        bail!("the build left no {}", library.display());
    }
    Ok(library)
}

/// Builds it and prints its path.
///
/// # Errors
/// Those of [`build`].
pub(crate) fn run() -> Result<()> {
    println!("{}", build()?.display());
    Ok(())
}
