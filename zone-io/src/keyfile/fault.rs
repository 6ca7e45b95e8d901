//! What goes wrong with key files, by what the caller does next; and what a key file's text can have wrong. No
//! message shows what a private key file holds.

use std::path::PathBuf;

use dnssec_sign::{Algorithm, DnskeyError, Name, RecordType};

use super::KeyFileName;
use crate::error::Error;
use crate::reason::Reason;

/// Why key files were not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The operating system refused something; the message names the path.
    #[error(transparent)]
    Io(#[from] Error),
    /// There is no such directory to look for keys in or to put them into.
    #[error("{directory}: there is no such key directory: make it (mode 0700 does), or name another", directory = _0.display())]
    NoDirectory(PathBuf),
    /// A file is not of the form that its kind has.
    #[error("{path}:{line}: {fault}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// What is wrong there.
        fault: KeyFileFault,
    },
    /// Two things that belong together are not of the same key: the file name and what is inside, or the two files.
    #[error("{path}: {mismatch}", path = path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What differs.
        mismatch: KeyMismatch,
    },
    /// A key with the same tag is there, or one that would have it once revoked: make another key.
    #[error(
        "{directory}: the key {existing} is there, and its tag and the new key's, {tag}, are or could become the same \
         (RFC 5011 revocation changes the tag): make another key",
        directory = directory.display()
    )]
    Collision {
        /// Where the key is.
        directory: PathBuf,
        /// The key that is there.
        existing: KeyFileName,
        /// The new key's tag.
        tag: u16,
    },
    /// The file is of a format newer than 1.3, of which not all is understood: it is left as it is.
    #[error("{path}: the file has format 1.{minor}, which cannot be written here", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The minor version.
        minor: u32,
    },
}

/// What is wrong with the text of a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileFault {
    /// The text is no master file.
    #[error("{0}")]
    Text(#[from] Reason),
    /// There is no record.
    #[error("there is no DNSKEY record in the file")]
    NoKey,
    /// A record of another type.
    #[error("a record of type {0}, where one DNSKEY belongs")]
    OtherType(RecordType),
    /// More than one record.
    #[error("a second record, where one DNSKEY belongs")]
    SecondRecord,
    /// The DNSKEY is none.
    #[error("{0}")]
    Dnskey(#[from] DnskeyError),
    /// More bytes than any key has.
    #[error("the file is longer than any key file")]
    TooLong,
    /// The first line of a private key file is something else.
    #[error("the file does not begin with `Private-key-format: v1.3`")]
    NoFormat,
    /// A major version other than 1.
    #[error("the format's major version is {0}; known is 1")]
    Major(u32),
    /// A line without a tag.
    #[error("the line is not of the form `Tag: value`")]
    NoTag,
    /// A tag that the format does not have.
    #[error("the tag `{0}` is unknown in format 1.3 and older")]
    UnknownTag(Box<str>),
    /// A tag twice.
    #[error("a second `{0}`")]
    Repeated(&'static str),
    /// A value that is not base64.
    #[error("the value of `{0}` is not base64")]
    Base64(&'static str),
    /// A value that is no number.
    #[error("the value of `{0}` is not a number of 32 bits")]
    Number(&'static str),
    /// A value that is no moment.
    #[error("the value of `{0}` is not a moment in the form YYYYMMDDHHMMSS")]
    Time(&'static str),
    /// A value that is no state of a record, or neither yes nor no.
    #[error("the value of `{0}` is unknown")]
    State(&'static str),
    /// A value that has more bytes than the algorithm's keys, or fewer.
    #[error("the value of `{0}` does not have the length that the algorithm asks for")]
    Length(&'static str),
    /// A label or engine that is not UTF-8 text.
    #[error("the value of `{0}` is not text")]
    NotText(&'static str),
    /// A tag that the key cannot do without.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A private key of an algorithm whose fields are unknown here.
    #[error("the fields of a private key of algorithm {0} are unknown here")]
    Algorithm(Algorithm),
}

/// How two halves of a key differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyMismatch {
    /// The record has another owner than the file name.
    #[error("the file is named for {named} and holds a key of {found}")]
    Owner {
        /// The name in the file's name.
        named: Name,
        /// The record's owner.
        found: Name,
    },
    /// The key has another algorithm than the file name or the other file.
    #[error("the algorithm should be {expected} and is {found}")]
    Algorithm {
        /// What the file name or the public half says.
        expected: Algorithm,
        /// What the file holds.
        found: Algorithm,
    },
    /// The key has another tag than the file name.
    #[error("the file is named for the key tag {named} and holds a key with the tag {found}")]
    Tag {
        /// The tag in the file's name.
        named: u16,
        /// The tag of the key in the file.
        found: u16,
    },
    /// An RSA modulus or public exponent is not the public half's.
    #[error("`{0}` is not that of the public half in the .key file")]
    Number(&'static str),
}
