//! One integration binary: suites by topic. The harness they share is this package's library.
#![allow(missing_docs, reason = "a test binary has no interface")]

mod harness;
