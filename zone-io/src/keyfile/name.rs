//! The names of key files: `Kexample.+013+12345`, from owner, algorithm and key tag, and back. Whether the files hold
//! that key is checked elsewhere.

use std::fmt;
use std::str::FromStr;

use dnssec_sign::{Algorithm, Dnskey, Name, NameRef};

/// The base name of a key's files, which have `.key` and `.private` behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFileName {
    /// The zone that the key is for, in lower case.
    pub owner: Name,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// The key's tag (RFC 4034 appendix B).
    pub tag: u16,
}

impl KeyFileName {
    /// The name of the files of this key.
    #[must_use]
    pub fn of(owner: NameRef<'_>, dnskey: &Dnskey) -> Self {
        Self {
            owner: owner.to_name().to_folded(),
            algorithm: dnskey.algorithm(),
            tag: dnskey.key_tag(),
        }
    }

    /// The name of the file with the public half.
    #[must_use]
    pub fn public(&self) -> String {
        format!("{self}.key")
    }

    /// The name of the file with the private half, or where it is to be found.
    #[must_use]
    pub fn private(&self) -> String {
        format!("{self}.private")
    }

    /// The name of the file with what BIND's key manager notes.
    #[must_use]
    pub fn state(&self) -> String {
        format!("{self}.state")
    }
}

impl fmt::Display for KeyFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "K{}+{:03}+{:05}",
            InFileName(self.owner.borrow()),
            self.algorithm.0,
            self.tag
        )
    }
}

/// A name as the names of files have it: in lower case, a dot behind each label, bytes that would not do in a file name as
/// `%XX`. The root is a dot.
#[derive(Debug, Clone, Copy)]
pub struct InFileName<'a>(pub NameRef<'a>);

impl fmt::Display for InFileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.0.labels() {
            for &byte in label {
                match byte.to_ascii_lowercase() {
                    plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => write!(f, "{}", char::from(plain))?,
                    other => write!(f, "%{other:02X}")?,
                }
            }
            f.write_str(".")?;
        }
        if self.0.is_root() {
            f.write_str(".")?;
        }
        Ok(())
    }
}

/// The text is not the base name of key files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a key file, which is like Kexample.+013+12345")]
pub struct NoKeyFileName;

impl FromStr for KeyFileName {
    type Err = NoKeyFileName;

    fn from_str(text: &str) -> Result<Self, NoKeyFileName> {
        let mut parts = text.strip_prefix('K').ok_or(NoKeyFileName)?.rsplitn(3, '+');
        let mut part = || parts.next().ok_or(NoKeyFileName);
        let (tag, algorithm, owner) = (part()?, part()?, part()?);
        let algorithm = number(algorithm, 3).and_then(|number| u8::try_from(number).ok());
        Ok(Self {
            owner: owner_from(owner).ok_or(NoKeyFileName)?.to_folded(),
            algorithm: Algorithm(algorithm.ok_or(NoKeyFileName)?),
            tag: number(tag, 5).ok_or(NoKeyFileName)?,
        })
    }
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u16> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The name in a file name: labels each with a dot behind, bytes as `%XX` where they would not do in a file name.
fn owner_from(text: &str) -> Option<Name> {
    if text == "." {
        return Some(Name::root());
    }
    let mut wire = Vec::with_capacity(text.len() + 1);
    for label in text.strip_suffix('.')?.split('.') {
        let length_at = wire.len();
        wire.push(0);
        let mut bytes = label.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = 16 * digit()? + digit()?;
                wire.push(u8::try_from(value).ok()?);
            } else {
                wire.push(byte);
            }
        }
        // An empty label would end the name here, which from_wire refuses below.
        wire[length_at] = u8::try_from(wire.len() - length_at - 1).ok()?;
    }
    wire.push(0);
    Some(NameRef::from_wire(&wire).ok()?.to_name())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    /// Names that dnssec-keygen 9.18 made.
    #[test]
    fn names_are_those_of_bind() {
        for (owner, algorithm, tag, text) in [
            ("Ex-a_m.ple.", 8, 52301, "Kex-a_m.ple.+008+52301"),
            (".", 15, 19704, "K.+015+19704"),
            (
                "a\\.b\\032\\255/c.Example.",
                15,
                912,
                "Ka%2Eb%20%FF%2Fc.example.+015+00912",
            ),
        ] {
            let name = KeyFileName {
                owner: owner.parse::<Name>().unwrap().to_folded(),
                algorithm: Algorithm(algorithm),
                tag,
            };
            assert_eq!(name.to_string(), text);
            assert_eq!(text.parse(), Ok(name));
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "K",
            "Kexample+013+12345",
            "Kexample..+013+12345",
            "K.example.+013+12345",
            "Kexample.+13+12345",
            "Kexample.+013+1234",
            "Kexample.+013+65536",
            "Kexample.+256+12345",
            "Kexample.+013+12345.key",
            "kexample.+013+12345",
            "Kexam%2.+013+12345",
            "Kexam%+1.+013+12345",
            "+013+12345",
            "K+013+12345",
        ] {
            assert_eq!(text.parse::<KeyFileName>(), Err(NoKeyFileName), "{text}");
        }
    }
}
