//! Committed seeds, one a line of a text file, into one file each as libFuzzer reads them. Nothing is chosen here.

use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

/// Writes each line of `list` as a file of its own into `folder`, which holds nothing else afterwards.
pub(super) fn unpack(list: &Path, folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (at, line) in fs::read_to_string(list)?.lines().enumerate() {
        let bytes = unescape(line).with_context(|| format!("{}:{}: an escape is wrong", list.display(), at + 1))?;
        fs::write(folder.join(format!("seed-{at:04}")), bytes)?;
    }
    Ok(())
}

/// The bytes of a line: `\n`, `\\` and `\xNN` are escapes, everything else stands for itself.
fn unescape(line: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut parts = line.split('\\');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    while let Some(part) = parts.next() {
        let rest = match part.as_bytes().first() {
            None => {
                bytes.push(b'\\');
                parts.next()?
            }
            Some(b'n') => {
                bytes.push(b'\n');
                &part[1..]
            }
            Some(b'x') => {
                bytes.push(u8::from_str_radix(part.get(1..3)?, 16).ok()?);
                &part[3..]
            }
            _ => return None,
        };
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(unescape(r"a\nb\\n\x00\xffz").as_deref(), Some(&b"a\nb\\n\x00\xffz"[..]));
        assert_eq!(unescape("").as_deref(), Some(&b""[..]));
        for wrong in [r"\q", r"\x1", r"\xzz", r"a\"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }
}
