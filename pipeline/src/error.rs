//! Why a run stopped, by what its caller does next: each variant is one documented exit code.

use std::io::ErrorKind;
use std::path::PathBuf;

use dnssec_sign::ChainError;
use zone_io::KeyFileError;

/// The error of every operation of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The zone or the keys are wrong: exit code 1. Mend the input.
    #[error("{0}")]
    Input(String),
    /// The zone file could not be read or parsed: exit code 1, or 4 when reading itself failed.
    #[error(transparent)]
    Zone(#[from] zone_io::Error),
    /// A key's files could not be read, do not belong together or were not written: exit code 1, or 4 when the system
    /// refused something.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Flags that contradict each other: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The provider, the token or its keys failed: exit code 3.
    #[error("{0}")]
    Token(String),
    /// PKCS#11 failed: exit code 3.
    #[error(transparent)]
    Hsm(#[from] hsm_core::Error),
    /// A file could not be written: exit code 4.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The signed zone did not pass verification; nothing was published: exit code 5.
    #[error("{0}")]
    Verification(String),
    /// The run was interrupted; nothing was published: exit code 130.
    #[error("interrupted; nothing was published")]
    Interrupted,
}

impl Error {
    /// The program's exit code for this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 1,
            Self::Zone(zone_io::Error::Syntax(_)) => 1,
            Self::Zone(_) => 4,
            Self::KeyFile(KeyFileError::Io(zone_io::Error::Io { source, .. }))
                if source.kind() != ErrorKind::NotFound =>
            {
                4
            }
            Self::KeyFile(_) => 1,
            Self::Usage(_) => 2,
            Self::Token(_) | Self::Hsm(_) => 3,
            Self::Io { .. } => 4,
            Self::Verification(_) => 5,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Self {
        Self::Input(error.to_string())
    }
}
