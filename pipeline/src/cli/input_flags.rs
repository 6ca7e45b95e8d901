//! The flags of every command that reads a zone file: how it is read, and in how much memory.

use std::path::PathBuf;

use clap::Args;
use signet_pipeline::{Error, InputOptions};
use zone_io::Reading;

use super::byte_size::{ByteSize, half_of_memory};
use super::warning_flags::WarningFlags;

/// How the zone file is read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Input")]
pub(super) struct InputFlags {
    /// Memory for the zone, such as 64M or 2G: what is more goes to temporary files; half of the machine's memory, or
    /// of the control group's limit, by default
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,

    /// Where temporary files go; TMPDIR or /tmp by default
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,

    /// Read files instead of mapping them: for network file systems, and files that others may cut short
    #[arg(long)]
    no_mmap: bool,

    /// Refuse files that $INCLUDE names outside this directory, also by symbolic links
    #[arg(long, value_name = "DIR")]
    include_root: Option<PathBuf>,

    /// The most text in one input, decompressed; a compressed one may have 200 times its size by default
    #[arg(long, value_name = "SIZE")]
    max_input: Option<ByteSize>,

    /// Records a sorted run
    #[arg(long, value_name = "N", hide = true)]
    run_records: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    warnings: WarningFlags,
}

impl InputFlags {
    /// What the library takes; a directory that was named is proven to take temporary files.
    ///
    /// # Errors
    /// [`Error::Io`] with the directory.
    pub(super) fn resolve(&self) -> Result<InputOptions, Error> {
        if let Some(directory) = &self.temp_dir {
            tempfile::tempfile_in(directory).map_err(|source| Error::Io {
                path: directory.clone(),
                source,
            })?;
        }
        let defaults = InputOptions::default();
        Ok(InputOptions {
            reading: if self.no_mmap { Reading::Read } else { Reading::Map },
            include_root: self.include_root.clone(),
            max_input: self.max_input.map(|size| size.0),
            memory: self.memory.map_or_else(half_of_memory, |size| size.0),
            temp_dir: self.temp_dir.clone(),
            run_records: self.run_records.map_or(defaults.run_records, Into::into),
            lints: self.warnings.lints(),
        })
    }
}
