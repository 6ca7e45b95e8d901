//! The zone's origin: as typed, or the zone file's name as BIND takes it.

use std::path::Path;

use dnssec_sign::Name;
use signet_pipeline::Error;

/// `-o`, or else the file's name without its directory.
///
/// # Errors
/// [`Error::Usage`] for a text that is no name, and for standard input without `-o`.
pub(super) fn origin_of(typed: Option<&str>, zone_file: &Path) -> Result<Name, Error> {
    match typed {
        Some(text) => zone_name("--origin", text),
        None if zone_file == Path::new("-") => Err(Error::Usage(
            "the zone comes from standard input: name its origin with -o".to_owned(),
        )),
        None => {
            let name = zone_file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.parse().map_err(|error| {
                Error::Usage(format!(
                    "{} is not named like a zone ({error}): name the origin with -o",
                    zone_file.display()
                ))
            })
        }
    }
}

/// A zone's name as typed, with or without its final dot.
///
/// # Errors
/// [`Error::Usage`], which names the flag.
pub(super) fn zone_name(flag: &str, text: &str) -> Result<Name, Error> {
    text.parse()
        .map_err(|error| Error::Usage(format!("{flag} '{text}': {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_stands_in_for_the_origin() {
        let origin = |typed, file: &str| origin_of(typed, Path::new(file)).map(|name| name.to_string());
        assert_eq!(origin(None, "zones/example.com").unwrap(), "example.com.");
        assert_eq!(origin(Some("."), "root.zone").unwrap(), ".");
        assert_eq!(origin(Some("example.org"), "-").unwrap(), "example.org.");
        for (typed, file) in [(None, "-"), (Some("a..b"), "x"), (None, "..")] {
            assert_eq!(origin(typed, file).unwrap_err().exit_code(), 2, "{file}");
        }
    }
}
