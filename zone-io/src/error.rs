//! What goes wrong with files and their text: one enum by what the caller does next. Faults in the text are in `fault`.

use std::path::PathBuf;

use crate::fault::Faults;

/// Why reading or writing failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is wrong: the author of the file corrects it.
    #[error("{0}")]
    Syntax(#[from] Faults),
    /// The operating system refused something; its message names the path.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The caller did not want the rest.
    #[error("reading was called off")]
    Cancelled,
    /// An input is not what it was when reading began: read it again.
    #[error("{path} changed while it was being read ({what}): start again when nothing writes to it", path = path.display())]
    Changed {
        /// The input.
        path: PathBuf,
        /// What differs.
        what: Difference,
    },
}

/// How a file differs from when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// No file has the name any more.
    #[error("it is gone")]
    Gone,
    /// Another file has the name.
    #[error("another file took its place")]
    Replaced,
    /// It has another length.
    #[error("its size is another")]
    Size,
    /// It was written to.
    #[error("its time of modification is another")]
    Modified,
}
