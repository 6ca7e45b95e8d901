//! Skeleton of the pipeline: the flow stands here.

mod config;
mod error;
mod observer;
mod report;

pub use config::{Output, PartitionSize, SignConfig, SigningKeys, Store, StoreKind, VerifyLevel};
pub use error::Error;
pub use observer::{Observer, Phase, Silent};
pub use report::{KeyReport, Report, Stages};
