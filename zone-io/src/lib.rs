//! DNS master files at the speed of memory.

mod error;
mod reason;
mod scan;
mod parse;
mod run;
mod merge;
mod print;

pub use error::{Difference, Error, Fault, Faults};
pub use merge::{Nodes, lookup, merge_range, nodes_from, splitters};
pub use parse::{Outside, ReadOptions, Reader, TextRecord, parse_records};
pub use print::{OwnerLines, write_generic, write_generic_rdata, write_rdata, write_record};
pub use reason::Reason;
pub use run::{Run, RunBuilder};
