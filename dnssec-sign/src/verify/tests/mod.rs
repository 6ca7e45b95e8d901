//! The rules tried on small zones: signed by a signer of a few lines that shares nothing with the crate's own, then
//! broken in one place each, or left odd but valid.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may unwrap")]

mod faults;
mod flips;
mod layouts;
mod nsec3_faults;
mod odd;
mod parent;
mod zone;
