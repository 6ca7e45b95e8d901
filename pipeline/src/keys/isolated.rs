//! Tokens behind worker processes (`--isolate`): the provider's library is loaded by child processes alone, one for each
//! session, so that a crash or a hang inside it costs a process and not the run.
//!
//! ```text
//! session thread ──batch──▶ socket ──▶ child: TokenStore with one session, its recovery ladder, the vendor's library
//!                ◀─signatures, one by one as they are made─┘
//! ```
//! The first child finds the tokens and proves PIN and keys alone; only then do the others start, one after another, each with
//! the PIN by its socket. A child that ends is replaced, and what it had not signed is signed by the next: a signature counts
//! when it arrived, once. What to do about a token's own faults is decided in the child, as without isolation.

mod frame;
mod message;
mod opening;
mod process;
mod store;
mod worker;

use std::ffi::OsString;
use std::path::PathBuf;

pub(super) use opening::open;
pub use worker::isolated_worker;

/// How worker processes are started: a program that calls [`isolated_worker`] with the socket that is its standard input, and
/// does nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolation {
    /// The program. One of its own path is best, such as `/proc/self/exe`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}
