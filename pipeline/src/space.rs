//! Whether there is room for what a run writes, found out before anything is signed: a run that cannot end well costs no
//! signatures of a token, and one that may not is warned of. What a disk that fills up later does is told by who writes.

use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;

use crate::config::{Output, SignConfig};
use crate::error::Error;
use crate::observer::Observer;

/// The signed zone takes at least this part of the input's text: signatures that were longer may go, and so do comments.
const LEAST_PART: u64 = 8;

/// Free bytes for this user in the file system of a folder; none where that is not known.
fn free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Where an output is written, and the size of the file that it takes the place of.
fn place(output: &Output) -> (PathBuf, Option<u64>) {
    match output {
        Output::Stdout => (std::env::temp_dir(), None),
        Output::File(path) => {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder.to_path_buf(),
                _ => PathBuf::from("."),
            };
            (folder, path.metadata().ok().map(|old| old.len()))
        }
    }
}

/// Looks for room for the signed zone, whose input is so many bytes of text. It stands beside the old one until that is replaced,
/// and is about as large as that.
///
/// # Errors
/// [`Error::Io`] of kind `StorageFull` when there is not even room for a small part of the input.
pub(crate) fn for_output(config: &SignConfig, text: u64, observer: &dyn Observer) -> Result<(), Error> {
    let (folder, old) = place(&config.output);
    let Some(free) = free(&folder) else { return Ok(()) };
    let shown = |bytes: u64| DecimalBytes(bytes).to_string();
    let least = text / LEAST_PART;
    if free < least {
        let path = match &config.output {
            Output::File(path) => path.clone(),
            Output::Stdout => folder,
        };
        let what = format!(
            "no space: {} are free where it is written, and the signed zone takes more than {}: make room, or write elsewhere; \
             nothing was signed",
            shown(free),
            shown(least)
        );
        return Err(Error::io(path)(std::io::Error::new(
            std::io::ErrorKind::StorageFull,
            what,
        )));
    }
    let likely = old.unwrap_or(0).max(text);
    if free < likely {
        observer.warn(&format!(
            "{}: {} are free, and the signed zone is likely to take more than {}",
            folder.display(),
            shown(free),
            shown(likely)
        ));
    }
    Ok(())
}

/// Looks for room for the sorted records that do not stay in memory, which take about as much as their text.
pub(crate) fn for_records(config: &SignConfig, observer: &dyn Observer) {
    let text = config.zone_file.metadata().ok().filter(std::fs::Metadata::is_file);
    let in_memory = config.input.memory / 2;
    let Some(spilled) = text.and_then(|text| text.len().checked_sub(in_memory)) else {
        return;
    };
    let folder = config.input.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    if let Some(free) = free(&folder)
        && free < spilled
    {
        observer.warn(&format!(
            "{}: {} are free, and the records that --memory keeps out of memory are likely to take {}: name another folder with \
             --temp-dir, or allow more memory",
            folder.display(),
            DecimalBytes(free),
            DecimalBytes(spilled)
        ));
    }
}
