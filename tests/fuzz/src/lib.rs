//! What must hold for any bytes at all. Each module has one function `check` that takes the bytes of one input and
//! panics when the property does not hold; how inputs are found is the engine's business, and `cargo xtask fuzz` runs it.
//!
//! * [`scan`]: the scanner finds what its specification finds, byte by byte and in blocks.
//! * [`round_trip`]: what is read from text, written and read again is the same, in every form.
//! * [`types`]: wire form of every type of the table becomes text and wire form again.
//! * [`any_bytes`]: reading in chunks of any size is reading the whole.
//! * [`key_files`]: what is read from key files, written and read again is the same.
//! * [`verify`]: the verifier judges any records, whole and in partitions alike.
//!
//! The suites include these modules, and replay the seeds and the inputs that once were findings.

pub mod any_bytes;
pub mod key_files;
pub mod round_trip;
pub mod scan;
pub mod types;
pub mod verify;

/// The most bytes of memory that the code under test may hold at once, inputs of the engine not counted.
pub const MOST_MEMORY: usize = 64 << 20;
