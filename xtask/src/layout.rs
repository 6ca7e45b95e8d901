//! Where things lie: the repository's root, the target directory and what the commands keep below it.
//!
//! Only paths are made here; nothing is created or read.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root: the parent of this crate's folder.
///
/// Cargo sets `CARGO_MANIFEST_DIR` for `cargo run` and `cargo test`; the value of the build serves a binary that is started by hand.
pub(crate) fn root() -> PathBuf {
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Cargo's target directory: `CARGO_TARGET_DIR` if set, else `target` below the root. Always absolute.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => {
            let dir = PathBuf::from(dir);
            env::current_dir().map_or(dir.clone(), |here| here.join(dir))
        }
        _ => root().join("target"),
    }
}

/// The release build of the program.
pub(crate) fn signet() -> PathBuf {
    target().join("release/signet")
}
