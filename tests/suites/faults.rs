//! A token that misbehaves on schedule: a run ends complete and verified, or stops with nothing published.

mod codes;
mod ladder;
mod offload;
mod pool;
mod provider;
mod random;
mod release;
pub mod stage;
mod tokens;
