//! `pkcs11-keygen`: a key pair with BIND's templates, defaults and traps. Key files are dnssec-keyfromlabel's.

use hsm_core::{GenerateSpec, KeyKind, NewId, Protection, RsaExponent};
use signet_pipeline::{AuditEvent, AuditKey};

use super::options::{Options, Taken, c_number, leading_number};
use super::provider::{Place, failure, note};
use super::{Failure, Tool, warn};
use crate::cli::streams;

const TOOL: Tool = Tool::Keygen;

const USAGE: &str = "Usage:
\tpkcs11-keygen [-a algorithm] -b keysize -l label [-P] [-m module] [-s slot] [-e] [-i id] [-p PIN] [-q]
\talgorithm: RSA (default), ECC or ECX, or the name of a DNSSEC algorithm
\tkeysize: RSA in bits; ECC 256 (default) or 384; ECX 256 (default) or 456";

/// What `-a` names: the class alone, the curve comes from `-b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Rsa,
    Ecc,
    Ecx,
}

impl Class {
    /// By the beginning of the name, in any letter case.
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        if begins(&["rsa", "nsec3rsa"]) {
            Some(Self::Rsa)
        } else if begins(&["ecc", "ecdsa"]) {
            Some(Self::Ecc)
        } else if begins(&["ecx", "ed"]) {
            Some(Self::Ecx)
        } else {
            None
        }
    }
}

fn usage(text: &str) -> Failure {
    Failure {
        text: format!("{text}\n{USAGE}").trim_start().to_owned(),
        code: 2,
    }
}

/// The key's kind.
fn kind(class: Class, algorithm: &str, bits: Option<u64>) -> Result<KeyKind, Failure> {
    let wrong = |text: &str| Failure {
        text: text.to_owned(),
        code: 2,
    };
    let kind = match (class, bits) {
        (Class::Rsa, None) => return Err(usage("Key size is required for RSA keys")),
        (Class::Rsa, Some(bits)) => match u32::try_from(bits) {
            Ok(bits @ 1024..=4096) if bits % 8 == 0 => KeyKind::Rsa(bits),
            _ => return Err(wrong("RSA key sizes are 1024 to 4096 bits, a multiple of 8")),
        },
        (Class::Ecc, None | Some(256)) => KeyKind::P256,
        (Class::Ecc, Some(384)) => KeyKind::P384,
        (Class::Ecc, _) => return Err(wrong("ECC keys only support bit sizes of 256 and 384")),
        (Class::Ecx, None | Some(256)) => KeyKind::Ed25519,
        (Class::Ecx, Some(456)) => KeyKind::Ed448,
        (Class::Ecx, _) => return Err(wrong("ECX keys only support bit sizes of 256 and 456")),
    };
    let named = algorithm.to_ascii_lowercase();
    let other = match kind {
        KeyKind::P256 => named.contains("384"),
        KeyKind::P384 => named.contains("256"),
        KeyKind::Ed25519 => named.starts_with("ed448"),
        KeyKind::Ed448 => named.starts_with("ed25519"),
        _ => false,
    };
    if other {
        warn(
            TOOL,
            &format!("-a {algorithm} gives no curve: -b does, and this makes a key of {kind}"),
        );
    }
    if matches!(kind, KeyKind::Rsa(..2048)) {
        warn(TOOL, "RSA keys of fewer than 2048 bits are too short");
    }
    Ok(kind)
}

/// A number as 2 bytes, or 4 where it does not fit.
fn id_bytes(text: &str) -> Option<Vec<u8>> {
    let number = c_number(text)?;
    Some(match u16::try_from(number) {
        Ok(short) => short.to_be_bytes().to_vec(),
        Err(_) => number.to_be_bytes().to_vec(),
    })
}

/// Makes the pair.
///
/// # Errors
/// [`Failure`] with BIND's exit codes: 1 for the token and a label that is taken, 2 for usage.
pub(super) fn run(words: Vec<String>) -> Result<(), Failure> {
    let mut place = Place::default();
    let (mut algorithm, mut bits, mut label, mut id) = ("RSA".to_owned(), None, None, None);
    let (mut exponent, mut protection, mut quiet) = (RsaExponent::F4, Protection::Sealed, false);
    let mut options = Options::new(words, "a:b:ei:l:m:Pp:qs:");
    while let Some(taken) = options.next() {
        match taken {
            Taken::Option('a', name) => algorithm = name,
            Taken::Option('b', value) => bits = Some(leading_number(&value)),
            Taken::Option('e', _) => exponent = RsaExponent::F5,
            Taken::Option('i', value) => {
                id = Some(id_bytes(&value).ok_or_else(|| usage(&format!("-i {value}: no number of 32 bits")))?);
            }
            Taken::Option('l', value) => label = Some(value),
            Taken::Option('m', value) => place.module = Some(value.into()),
            Taken::Option('P', _) => protection = Protection::Extractable,
            Taken::Option('p', value) => place.take_pin(TOOL, &value)?,
            Taken::Option('q', _) => quiet = true,
            Taken::Option('s', value) => place.slot = leading_number(&value),
            Taken::NoValue(letter) => return Err(usage(&format!("Missing operand for -{letter}"))),
            Taken::Option(letter, _) | Taken::Unknown(letter) => {
                return Err(usage(&format!("Unrecognised option: -{letter}")));
            }
        }
    }
    let label = label
        .or(options.rest().into_iter().next())
        .filter(|label| !label.is_empty());
    let Some(label) = label else {
        return Err(usage("A label is required"));
    };
    let Some(class) = Class::of(&algorithm) else {
        return Err(usage(&format!("Unknown algorithm: {algorithm}")));
    };
    if exponent == RsaExponent::F5 && class != Class::Rsa {
        return Err(Failure {
            text: "The -e option is only compatible with RSA key generation".to_owned(),
            code: 2,
        });
    }
    let mut spec = GenerateSpec::new(label, kind(class, &algorithm, bits)?);
    spec.exponent = exponent;
    spec.protection = protection;
    spec.id = id.map_or(NewId::Absent, NewId::Shared);
    if protection == Protection::Extractable {
        warn(
            TOOL,
            "-P: whoever has the PIN can read the private key out of the token",
        );
    }
    if spec.id == NewId::Absent && class != Class::Rsa {
        warn(
            TOOL,
            "without -i the key has no CKA_ID, by which some programs tell keys apart; signet goes by the label as well",
        );
    }
    let login = place.log_in(&place.token(TOOL)?)?;
    let key = login.generate(&spec).map_err(|error| failure(&error))?;
    note(&AuditEvent::Generated(AuditKey::on_token(&key, login.token())))?;
    if !quiet {
        streams::print("Key pair generation complete.\n").map_err(|error| Failure::general(error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_curve_comes_from_the_size() {
        assert_eq!(kind(Class::Ecc, "ECDSAP384SHA384", None).unwrap(), KeyKind::P256);
        assert_eq!(kind(Class::Ecc, "ecc", Some(384)).unwrap(), KeyKind::P384);
        assert_eq!(kind(Class::Ecx, "ED448", None).unwrap(), KeyKind::Ed25519);
        for (class, bits) in [
            (Class::Rsa, None),
            (Class::Rsa, Some(7)),
            (Class::Ecc, Some(521)),
            (Class::Ecx, Some(25519)),
        ] {
            assert_eq!(kind(class, "", bits).unwrap_err().code, 2);
        }
        assert_eq!(Class::of("NSEC3RSASHA1"), Some(Class::Rsa));
        assert_eq!(Class::of("ed25519"), Some(Class::Ecx));
        assert_eq!(Class::of("dsa"), None);
    }

    #[test]
    fn ids_have_two_bytes_or_four() {
        assert_eq!(id_bytes("1"), Some(vec![0, 1]));
        assert_eq!(id_bytes("0xffff"), Some(vec![255, 255]));
        assert_eq!(id_bytes("0x10000"), Some(vec![0, 1, 0, 0]));
        assert_eq!(id_bytes("x"), None);
    }
}
