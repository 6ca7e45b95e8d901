//! DNS master files at the speed of memory.

// What everything below may say.
mod error;
mod reason;

// The way in: bytes, tokens, records, sorted runs.
mod map;
mod source;

mod scan;

mod scan_block;

mod parse;

mod chunk;

mod run;

mod load;

// The way out: nodes in canonical order, text.
mod merge;
mod print;
mod writer;

// Keys' files.
mod keyfile;

pub use error::{Difference, Error, Fault, Faults};
pub use keyfile::{
    KeyFileError, KeyFileFault, KeyFileFormat, KeyFileName, KeyFiles, KeyMismatch, KeyNumbers, NoKeyFileName,
    PrivateHalf, PrivateKeyFile, PublicKeyFile, TokenLabel,
};
pub use load::{LoadOptions, Loaded, Progress, load, load_with_progress};
pub use merge::{Nodes, lookup, merge_range, nodes_from, splitters};
pub use parse::{Outside, ReadOptions, Reader, TextRecord, parse_records};
pub use print::{OwnerLines, write_generic, write_generic_rdata, write_rdata, write_record};
pub use reason::Reason;
pub use run::{Run, RunBuilder};
pub use source::Reading;
pub use writer::{Access, AtomicFile, Unpublished};
