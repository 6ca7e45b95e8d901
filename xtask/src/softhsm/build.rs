//! Builds SoftHSMv2 into `target/softhsm/prefix`, once per source and set of flags.
//!
//! OpenSSL backend, elliptic curves and EdDSA, tokens as files. Nothing is installed outside the prefix.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use super::source::{self, Source};
use super::{Origin, Provider, folder};
use crate::process;

/// Beside the prefix. Locked memory is refused to ordinary users and in containers; p11-kit's module would be registered for the system.
const FLAGS: &[&str] = &[
    "--with-crypto-backend=openssl",
    "--enable-eddsa",
    "--enable-ecc",
    "--disable-gost",
    "--disable-non-paged-memory",
    "--disable-p11-kit",
    "--disable-dependency-tracking",
];

/// Builds, or takes the finished build, or the installed library where that was asked for.
///
/// # Errors
/// When neither is to be had. Under CI (environment variable `CI`) a failed build is final; elsewhere the installed library stands in,
/// with a warning.
pub(crate) fn build(origin: &Origin) -> Result<Provider> {
    fs::create_dir_all(folder())?;
    let provider = if origin.system {
        Provider::installed()?
    } else {
        match from_source(origin.source.as_deref()) {
            Ok(provider) => provider,
            Err(error) if origin.source.is_some() || env::var_os("CI").is_some() => {
                return Err(error);
            }
            Err(error) => {
                eprintln!("WARNING: SoftHSMv2 was not built: {error:#}");
                let installed = Provider::installed()?;
                eprintln!("WARNING: the installed {} is used instead", installed.library.display());
                installed
            }
        }
    };
    provider.store()?;
    Ok(provider)
}

fn from_source(given: Option<&Path>) -> Result<Provider> {
    let prefix = folder().join("prefix");
    let provider = Provider {
        library: prefix.join("lib/softhsm/libsofthsm2.so"),
        util: prefix.join("bin/softhsm2-util"),
    };
    let source = source::locate(given)?;
    let stamp = folder().join("stamp");
    let identity = format!("{}\n{}\n{}\n", source.identity, prefix.display(), FLAGS.join(" "));
    let built = provider.library.is_file() && provider.util.is_file();
    if built && fs::read_to_string(&stamp).is_ok_and(|found| found == identity) {
        eprintln!("softhsm: taking the finished build in {}", prefix.display());
        return Ok(provider);
    }
    eprintln!("softhsm: building from {}", source.path.display());
    let log = folder().join("build.log");
    fs::write(&log, "")?;
    let work = folder().join("build");
    let tree = unpack(&source, &work, &log)?;
    if !tree.join("configure").is_file() {
        autogen(&tree, &log)?;
    }
    for old in [&stamp, &prefix] {
        if old.is_dir() {
            fs::remove_dir_all(old)?;
        } else if old.exists() {
            fs::remove_file(old)?;
        }
    }
    let configure = tree.join("configure");
    process::run_logged(
        Command::new(configure)
            .arg(format!("--prefix={}", prefix.display()))
            .args(FLAGS)
            .current_dir(&tree),
        &log,
    )?;
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let make = |argument: &str| process::run_logged(Command::new("make").arg(argument).current_dir(&tree), &log);
    make(&format!("-j{jobs}"))?;
    make("install")?;
    if !provider.library.is_file() {
        bail!(
            "the build left no {}; its log is {}",
            provider.library.display(),
            log.display()
        );
    }
    fs::write(&stamp, identity)?;
    fs::remove_dir_all(&work)?;
    Ok(provider)
}

/// A private copy of the source, so that building never writes into a folder given by hand.
fn unpack(source: &Source, work: &Path, log: &Path) -> Result<PathBuf> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    fs::create_dir_all(work)?;
    if source.path.is_dir() {
        let tree = work.join("source");
        process::run_logged(Command::new("cp").arg("-a").arg(&source.path).arg(&tree), log)?;
        return Ok(tree);
    }
    process::run_logged(
        Command::new("tar").arg("-xf").arg(&source.path).arg("-C").arg(work),
        log,
    )?;
    let mut entries = fs::read_dir(work)?;
    let only = entries.next().context("the tarball is empty")??.path();
    if entries.next().is_some() || !only.is_dir() {
        bail!("{} does not hold exactly one folder", source.path.display());
    }
    Ok(only)
}

/// Makes `configure` in a checkout, which unlike a release has none.
fn autogen(tree: &Path, log: &Path) -> Result<()> {
    if process::find("autoreconf").is_none() {
        bail!("the source has no ./configure, and making it needs the packages autoconf, automake and libtool");
    }
    process::run_logged(
        Command::new("autoreconf")
            .args(["--install", "--force"])
            .current_dir(tree),
        log,
    )
}
