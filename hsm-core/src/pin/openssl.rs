//! Reads `PIN` and `MODULE_PATH` of the `[pkcs11_section]` in an `openssl.cnf`, where BIND's documentation has people put
//! them for libp11's engine. Nothing else of OpenSSL's configuration is understood: no variables, no `.include`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Pin, PinFault, one_line};

/// Longer than the configuration of any machine.
const ROOM: usize = 256 * 1024;

/// The section in which libp11's engine looks.
const SECTION: &str = "pkcs11_section";

/// The PIN in an open configuration file.
pub(super) fn pin(file: File) -> Result<Pin, PinFault> {
    let text = read(file)?;
    match value(&text, "PIN") {
        Some(pin) => one_line(pin.as_bytes()),
        None => Err(PinFault::NoPinLine),
    }
}

/// The provider's library that the `[pkcs11_section]` of an `openssl.cnf` names. Whoever passes the path trusts the file.
///
/// # Errors
/// The file cannot be read.
pub fn openssl_module_path(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let text = read(fs_err::File::open(path)?.into_file())?;
    Ok(value(&text, "MODULE_PATH").map(PathBuf::from))
}

fn read(file: File) -> std::io::Result<Zeroizing<String>> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(ROOM).min(ROOM);
    // With room to spare, so that reading to the end moves nothing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 64));
    file.take(ROOM as u64).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The last value of a name in the section, as OpenSSL takes it.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (mut inside, mut found) = (false, None);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end_matches(']').trim() == SECTION;
        } else if inside
            && let Some((left, right)) = line.split_once('=')
            && left.trim() == name
        {
            let right = right.trim();
            let quoted = ['"', '\'']
                .into_iter()
                .find_map(|quote| right.strip_prefix(quote)?.strip_suffix(quote));
            found = Some(quoted.unwrap_or(right)).filter(|value| !value.is_empty());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_counts() {
        let text = "openssl_conf = openssl_init\nPIN = no\n[ pkcs11_section ]\nengine_id = pkcs11\n\
                    MODULE_PATH = /usr/lib/p.so\nPIN = 12 34 # the registry's\n[other]\nPIN = no\n";
        assert_eq!(value(text, "PIN"), Some("12 34"));
        assert_eq!(value(text, "MODULE_PATH"), Some("/usr/lib/p.so"));
        assert_eq!(value("[pkcs11_section]\nPIN = \"a b\"\n", "PIN"), Some("a b"));
        assert_eq!(value("[pkcs11_section]\nPIN =\n", "PIN"), None);
        assert_eq!(value("[pkcs11]\nPIN = 1\n", "PIN"), None);
    }
}
