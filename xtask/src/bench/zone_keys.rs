//! Keys on disk for the benchmarks: made by dnssec-keygen, once per zone, and used by every signer.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use fs_err as fs;

use crate::process;

/// A key-signing and a zone-signing key in BIND's files.
pub(super) struct ZoneKeys {
    /// Holds only these two keys.
    pub(super) folder: PathBuf,
    /// Base names of the key files.
    pub(super) ksk: String,
    pub(super) zsk: String,
}

/// The zone's keys, made unless they are there.
pub(super) fn on_disk(folder: &Path, origin: &str, algorithm: &str) -> Result<ZoneKeys> {
    let folder = folder.join(algorithm).join(origin);
    fs::create_dir_all(&folder)?;
    let key = |role: &str, flags: &[&str]| -> Result<String> {
        let note = folder.join(role);
        if let Ok(base) = std::fs::read_to_string(&note) {
            return Ok(base);
        }
        let mut generate = Command::new(process::need("dnssec-keygen")?);
        generate
            .args(["-q", "-a", algorithm, "-K"])
            .arg(&folder)
            .args(flags)
            .arg(origin);
        let base = process::capture(&mut generate)?.trim().to_owned();
        fs::write(&note, &base)?;
        Ok(base)
    };
    let ksk = key("ksk", &["-f", "KSK"])?;
    let zsk = key("zsk", &[])?;
    Ok(ZoneKeys { folder, ksk, zsk })
}
