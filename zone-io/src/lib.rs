//! DNS master files at the speed of memory.

mod error;
mod reason;
mod run;

pub use error::{Difference, Error, Fault, Faults};
pub use reason::Reason;
pub use run::{Run, RunBuilder};
