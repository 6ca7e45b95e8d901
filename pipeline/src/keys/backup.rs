//! A key that its token has wrapped, as a file of JSON text: what was wrapped and how, by which key, and the public half,
//! so that a restore can prove what comes back. Nothing in it is of use without the wrapping key, which stays on tokens; it
//! is written with mode 0600 all the same. Makes no PKCS#11 call.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use hsm_core::{KeySelector, PublicPart, Token, TokenKey, WrappedKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zone_io::{Access, AtomicFile};

use crate::error::Error;

/// What stands in `format`.
const FORMAT: &str = "signet key backup 1";

/// Longer than any backup.
const LONGEST: u64 = 64 * 1024;

/// A backup file's content. Binary values are base64, CKA_ID is hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBackup {
    format: String,
    /// CKA_LABEL of the key.
    pub label: String,
    /// CKA_ID of the key.
    pub id: String,
    /// Type and size.
    pub kind: String,
    /// The public key's fingerprint.
    pub fingerprint: String,
    public: Public,
    /// The label of the token that wrapped it.
    pub token: String,
    /// Its serial number.
    pub serial: String,
    /// The label or URI of the key that it was wrapped by.
    pub wrapping_key: String,
    /// CKM_…
    pub mechanism: String,
    wrapped: String,
    /// SHA-256 of the text with this empty.
    sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Public {
    Rsa { modulus: String, exponent: String },
    P256(String),
    P384(String),
    Ed25519(String),
    Ed448(String),
}

impl KeyBackup {
    /// What a token gave for a key.
    ///
    /// # Errors
    /// [`Error::Input`] for a type of key that backups do not have.
    pub fn new(key: &TokenKey, token: &Token, wrapping_key: &str, wrapped: &WrappedKey) -> Result<Self, Error> {
        let public = match key.public() {
            PublicPart::Rsa { modulus, exponent } => Public::Rsa {
                modulus: BASE64.encode(modulus),
                exponent: BASE64.encode(exponent),
            },
            PublicPart::P256(point) => Public::P256(BASE64.encode(point)),
            PublicPart::P384(point) => Public::P384(BASE64.encode(point)),
            PublicPart::Ed25519(point) => Public::Ed25519(BASE64.encode(point)),
            PublicPart::Ed448(point) => Public::Ed448(BASE64.encode(point)),
            _ => return Err(Error::Input(format!("keys of type {} have no backups", key.kind()))),
        };
        let mut backup = Self {
            format: FORMAT.to_owned(),
            label: key.label(),
            id: HEXLOWER.encode(key.id()),
            kind: key.kind().to_string(),
            fingerprint: key.public().fingerprint(),
            public,
            token: token.info().label.clone(),
            serial: token.info().serial.clone(),
            wrapping_key: wrapping_key.to_owned(),
            mechanism: wrapped.mechanism.to_string(),
            wrapped: BASE64.encode(&wrapped.bytes),
            sha256: String::new(),
        };
        backup.sha256 = backup.digest()?;
        Ok(backup)
    }

    /// Writes a new file, of mode 0600, which is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Zone`] when it cannot be written, or something is there.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut file = AtomicFile::create_as(path, Access::Private)?;
        let mut text = self.text()?;
        text.push(b'\n');
        file.write_all(&text)?;
        Ok(file.publish_new()?)
    }

    /// Reads a file and checks that it is whole.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] for another form, or a file that was damaged.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut text = Vec::new();
        let file = File::open(path).map_err(Error::io(path))?;
        file.take(LONGEST).read_to_end(&mut text).map_err(Error::io(path))?;
        let wrong = |what: String| Error::Input(format!("{}: {what}", path.display()));
        let backup: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("no backup of a key: {error}")))?;
        if backup.format != FORMAT {
            return Err(wrong(format!(
                "a backup of the format '{}', where '{FORMAT}' is known",
                backup.format
            )));
        }
        if backup.digest()? != backup.sha256 {
            return Err(wrong("the backup is damaged: its checksum is another".to_owned()));
        }
        Ok(backup)
    }

    /// The public half.
    ///
    /// # Errors
    /// [`Error::Input`] for values that are none.
    pub fn public(&self) -> Result<PublicPart, Error> {
        Ok(match &self.public {
            Public::Rsa { modulus, exponent } => PublicPart::Rsa {
                modulus: bytes("modulus", modulus)?,
                exponent: bytes("exponent", exponent)?,
            },
            Public::P256(point) => PublicPart::P256(fixed(point)?),
            Public::P384(point) => PublicPart::P384(fixed(point)?),
            Public::Ed25519(point) => PublicPart::Ed25519(fixed(point)?),
            Public::Ed448(point) => PublicPart::Ed448(fixed(point)?),
        })
    }

    /// What the token is to unwrap.
    ///
    /// # Errors
    /// [`Error::Input`] for values that are none, or a mechanism that is unknown.
    pub fn wrapped(&self) -> Result<WrappedKey, Error> {
        Ok(WrappedKey {
            mechanism: self
                .mechanism
                .parse()
                .map_err(|()| Error::Input(format!("the backup's mechanism {} is unknown here", self.mechanism)))?,
            bytes: bytes("wrapped key", &self.wrapped)?,
        })
    }

    /// How the key is found where it was, and where it comes back.
    ///
    /// # Errors
    /// [`Error::Input`] for an ID that is none.
    pub fn selector(&self) -> Result<KeySelector, Error> {
        let id = HEXLOWER.decode(self.id.as_bytes());
        let id = id.map_err(|error| Error::Input(format!("the backup's id: {error}")))?;
        Ok(KeySelector {
            label: Some(self.label.clone()),
            id: (!id.is_empty()).then_some(id),
            class: None,
        })
    }

    fn text(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec_pretty(self).map_err(|error| Error::Input(format!("the backup has no JSON form: {error}")))
    }

    fn digest(&self) -> Result<String, Error> {
        let open = Self {
            sha256: String::new(),
            ..self.clone()
        };
        Ok(HEXLOWER.encode(&Sha256::digest(open.text()?)))
    }
}

fn bytes(what: &str, text: &str) -> Result<Vec<u8>, Error> {
    let decoded = BASE64.decode(text.as_bytes());
    decoded.map_err(|error| Error::Input(format!("the backup's {what}: {error}")))
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    let point = bytes("point", text)?;
    point
        .try_into()
        .map_err(|_| Error::Input("the backup's point is of another length than its curve's".to_owned()))
}
