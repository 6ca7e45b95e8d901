//! A token that misbehaves on schedule: a run ends complete and verified, or stops with nothing published.

mod codes;
mod ladder;
mod pool;
mod provider;
mod random;
pub mod stage;
