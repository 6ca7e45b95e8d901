//! Where a key's files are: a base name as typed, maybe with its directory, and `-K`.

use std::path::{Path, PathBuf};

use signet_pipeline::Error;
use zone_io::KeyFiles;

/// The directory and base name of key files. A directory in the name wins over `-K`, as with BIND's tools.
pub(in crate::cli) fn locate(directory: &Path, named: &str) -> (PathBuf, String) {
    let path = Path::new(named);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(named);
    let base = name
        .strip_suffix(".key")
        .or_else(|| name.strip_suffix(".private"))
        .or_else(|| name.strip_suffix('.').filter(|name| name.contains('+')))
        .unwrap_or(name);
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => directory.to_owned(),
    };
    (directory, base.to_owned())
}

/// A key's files, and the directory where they are.
///
/// # Errors
/// [`Error::KeyFile`].
pub(in crate::cli) fn read(directory: &Path, named: &str) -> Result<(PathBuf, KeyFiles), Error> {
    let (directory, base) = locate(directory, named);
    let files = KeyFiles::read(&directory, Path::new(&base))?;
    Ok((directory, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_the_name_wins() {
        let at = |named| locate(Path::new("keys"), named);
        let base = "Kx.+013+00007".to_owned();
        assert_eq!(at("Kx.+013+00007"), ("keys".into(), base.clone()));
        assert_eq!(at("Kx.+013+00007.key"), ("keys".into(), base.clone()));
        assert_eq!(at("/a/Kx.+013+00007.private"), ("/a".into(), base));
    }
}
