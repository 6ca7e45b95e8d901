//! The engine's entry to [`signet_fuzz::any_bytes`].
#![no_main]

use cap::Cap;

#[global_allocator]
static MEMORY: Cap<std::alloc::System> = Cap::new(std::alloc::System, signet_fuzz::MOST_MEMORY);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signet_fuzz::any_bytes::check(bytes));
