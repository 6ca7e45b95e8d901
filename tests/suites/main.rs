//! One integration binary: suites by topic. The harness they share is this package's library.
#![allow(missing_docs, reason = "a test binary has no interface")]

mod desk;
mod signing;
mod verdicts;

mod bad_input;
mod determinism;
mod diagnostics;
mod differential;
mod drop_in;
mod end_to_end;
mod equal_to_bind;
mod faults;
mod finding;
mod formats;
mod fuzz_inputs;
mod harness;
mod isolation;
mod key_commands;
mod key_files;
mod key_generate;
mod key_import;
mod key_tags;
mod key_times;
mod leak;
mod many_zones;
mod mutations;
mod openssl;
mod pins;
mod properties;
mod providers;
mod reports;
mod resigning;
mod run;
mod safeguards;
mod settings;
mod token_commands;
mod users;
mod vectors;
mod wildcards;
mod zone_commands;
