//! DNS master files at the speed of memory: parsed in parallel to sorted runs, merged to nodes in canonical order,
//! written as text again. Beside them BIND's `K*.key` and `K*.private` files.
//!
//! ```text
//!  file ─map─▶ chunks ─▶ tokens ─▶ records ─▶ sorted runs ─merge─▶ nodes in canonical order ─▶ text ─▶ atomic file
//!              chunk     scan      parse      run, load           merge                        print   writer
//! ```
//!
//! [`load`] goes from a path to [`Run`]s. It uses the current rayon pool and takes none of its own. A chunk is a part of
//! a file that starts with an owner outside parentheses; the origin, the default TTL and the line number in force there
//! are found by one fast pass, so that chunks are parsed side by side, and the result does not depend on their size. A
//! run is what came of one chunk, packed and sorted; [`merge_range`] and [`nodes_from`] walk over all runs at once, by
//! ranges of keys, so that parts of a zone can be worked on side by side too.
//!
//! Records have uncompressed wire form from the parser on, and their letter case. Which fields the types have is the
//! table of [`dnssec_sign::rdata`]; any type at all is read and written in the form of RFC 3597. Nothing is allocated
//! for each record.
//!
//! [`visit_records`] reads a zone side by side too and stores nothing: for whoever counts.
//!
//! [`Reader`] and [`parse_records`] are the lower level: the records of a text in memory, lent one by one. A program with
//! records of its own pushes them into a [`ZoneBuilder`], which makes the same runs, and a [`ZoneFile`] writes nodes or
//! records to a file that is replaced in one step. `examples/` has a program for each way.
//!
//! What is wrong in a text is a [`Fault`] with file, line, column, a [`Reason`], a mark under the place, the form that was
//! expected and help where it is sure; reading goes on behind it. What is legal and rarely meant is a warning with the
//! name of a [`Lint`], counted in [`Warnings`]; those about sets are found by [`check_sets`]. [`Fault::painted`] has
//! colours, and nothing of a zone is ever shown that a terminal could take for a command.
//!
//! ```
//! use dnssec_sign::Class;
//! use zone_io::{ReadOptions, parse_records, write_record};
//!
//! let text = b"$TTL 1h\nwww (192.0.2.1 ; no type\n)\nmail MX 10 (\n  Mx1 )\n";
//! let mut out = Vec::new();
//! let faults = parse_records(text, &ReadOptions::new("example.".parse()?), |record| {
//!     write_record(record.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
//! })
//! .unwrap_err();
//! assert!(faults.to_string().starts_with("<text>:2:6: error: a record needs a type"));
//! assert_eq!(out, b"mail.example.\t3600\tIN\tMX\t10 Mx1.example.\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: what records mean to a zone (`dnssec-sign`), keys beyond their files (`hsm-core`), and message
//! compression, which master files do not have.

// What everything below may say.
mod error;
mod reason;

mod lint;

mod excerpt;

mod fault;

mod suggest;

// The way in: bytes, tokens, records, sorted runs.
mod compressed;
mod confine;
mod map;
mod window;

mod source;

mod scan;

mod scan_block;

mod parse;

mod chunk;

mod order;

mod run;

mod spill;

mod piece;

mod load;

mod visit;

mod build;

// The way out: nodes in canonical order, text.
mod locate;
mod merge;
mod print;
mod range;
mod sets;
mod writer;
mod zone_file;

// Keys' files.
mod keyfile;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub use build::{BuildError, BuiltZone, ZoneBuilder};
pub use error::{Difference, Error};
pub use fault::{Fault, Faults, Inclusion, Paint, Severity};
pub use keyfile::{
    InFileName, KeyFileError, KeyFileFault, KeyFileFormat, KeyFileName, KeyFiles, KeyMismatch, KeyNumbers,
    KeyStateFile, NoKeyFileName, PrivateHalf, PrivateKeyFile, PublicKeyFile, StateSince, TokenLabel,
};
pub use lint::{Lint, Lints, UnknownLint, Warnings};
pub use load::{LoadOptions, Loaded, OnFault, Progress, load, load_with_progress};
pub use merge::{Nodes, lookup, nodes_from, splitters};
pub use parse::{Outside, ReadOptions, Reader, TextRecord, parse_records};
pub use print::{Mnemonics, OwnerLines, write_generic, write_generic_rdata, write_rdata, write_record};
pub use range::{Ranges, merge_range};
pub use reason::Reason;
pub use run::{Run, RunBuilder};
pub use sets::check_sets;
pub use source::Reading;
pub use spill::Spill;
pub use visit::{Visited, visit_records};
pub use writer::{Access, AtomicFile, Unpublished, remove_synced};
pub use zone_file::{TextForm, ZoneFile};
