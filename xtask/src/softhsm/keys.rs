//! Pairs of zone keys on the throwaway token, made once by the program and kept with the token.
//!
//! Their key files lie beside the token and are removed with it, so a file never names a key that is gone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use fs_err as fs;

use super::{Token, folder};
use crate::process;

/// A key-signing and a zone-signing key of one zone, both ECDSAP256SHA256.
pub(crate) struct Pair {
    /// The folder of the key files.
    pub(crate) folder: PathBuf,
    /// Base names of the key files.
    pub(crate) ksk: String,
    pub(crate) zsk: String,
    /// The labels on the token.
    pub(crate) ksk_label: String,
    pub(crate) zsk_label: String,
}

/// Where key files of keys on the token lie.
pub(super) fn key_files() -> PathBuf {
    folder().join("keys")
}

/// The pair that goes by `name`, made on the token unless it is there.
pub(crate) fn pair(token: &Token, signet: &Path, name: &str, zone: &str) -> Result<Pair> {
    let make = |label: &str, role: &[&str]| -> Result<String> {
        let folder = key_files();
        fs::create_dir_all(&folder)?;
        let note = folder.join(label);
        if let Ok(base) = std::fs::read_to_string(&note)
            && folder.join(format!("{base}.key")).is_file()
        {
            return Ok(base);
        }
        let mut generate = Command::new(signet);
        generate.args(["key", "generate", zone, "-a", "ECDSAP256SHA256", "-l", label]);
        generate.args(role).arg("-K").arg(&folder);
        token.lend(&mut generate);
        let printed = process::capture(&mut generate)
            .context("if an interrupted run left the key on the token, start over: cargo xtask softhsm clean")?;
        let base = printed.split_whitespace().last().context("signet named no key file")?;
        fs::write(&note, base)?;
        Ok(base.to_owned())
    };
    let (ksk_label, zsk_label) = (format!("{name}-ksk"), format!("{name}-zsk"));
    let ksk = make(&ksk_label, &["-f", "KSK"])?;
    let zsk = make(&zsk_label, &[])?;
    Ok(Pair {
        folder: key_files(),
        ksk,
        zsk,
        ksk_label,
        zsk_label,
    })
}
