//! A PKCS#11 module for tests: it forwards every call to a real module and misbehaves on a schedule.
//!
//! ```text
//! program under test ──C_*──▶ exports ──▶ gate: count, look into the schedule ──▶ the real module
//!                                               │ answer a code, sleep, hang, abort, lose the token
//!                             mangle ◀──────────┘ signatures, EC points, attributes on the way back
//! ```
//! What it is told by the environment:
//!
//! | variable | what |
//! |---|---|
//! | `FAULTY_PROVIDER_MODULE` | the real module's path |
//! | `FAULTY_PROVIDER_SCHEDULE` | the schedule itself, or `@` and the path of a file with it; its language is in [`Schedule`] |
//! | `FAULTY_PROVIDER_COUNTERS` | a file of [`COUNTERS_LENGTH`] bytes or none yet, in which calls are counted ([`Counters`]) |
//!
//! It checks nothing about its caller but one thing: that C_Finalize is not called while another call is under way.

mod counters;
mod environment;
mod exports;
mod functions;
mod gate;
mod mangle;
mod real;
mod schedule;

pub use counters::{COUNTERS_LENGTH, Counters};
pub use exports::{C_GetFunctionList, C_GetInterface};
pub use functions::Function;
pub use schedule::{Action, EcPoint, Rule, Schedule, Signature, When};
