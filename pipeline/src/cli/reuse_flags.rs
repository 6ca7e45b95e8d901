//! The flags that say what is taken over from what was signed before, resolved to a [`ReuseConfig`]. What is still good
//! is decided by the library.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use signet_pipeline::{InputDnssec, ReuseConfig};

/// What becomes of signatures that exist.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Signing again")]
#[allow(clippy::struct_excessive_bools, reason = "switches of the command line")]
pub(super) struct ReuseFlags {
    /// What becomes of signatures and denial records in the zone file
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Input::Reuse)]
    input_dnssec: Input,

    /// Take signatures that are still good from an earlier output too
    #[arg(long, value_name = "OLD")]
    reuse: Option<PathBuf>,

    /// Drop signatures of keys that are not active any more
    #[arg(short = 'Q', long)]
    drop_inactive: bool,

    /// Drop signatures of keys that are not published any more
    #[arg(short = 'R', long)]
    drop_removed: bool,

    /// Sign everything anew, though signatures are still good
    #[arg(long)]
    force: bool,

    /// A DNSKEY set with its signatures, made where the KSK is; it takes the place of the zone's
    #[arg(long, value_name = "FILE")]
    dnskey_set: Option<PathBuf>,

    /// Tell of each signature why it was made, or that it was kept, on standard error
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Input {
    /// Signatures that are still good stay
    Reuse,
    /// All are made anew
    Strip,
    /// There must be none
    Reject,
}

impl ReuseFlags {
    /// What the library takes. `keep_chain`: whether no flag says how absence is proven.
    pub(super) fn resolve(&self, keep_chain: bool) -> ReuseConfig {
        ReuseConfig {
            input: match self.input_dnssec {
                Input::Reuse => InputDnssec::Reuse,
                Input::Strip => InputDnssec::Strip,
                Input::Reject => InputDnssec::Reject,
            },
            previous: self.reuse.clone(),
            drop_inactive: self.drop_inactive,
            drop_removed: self.drop_removed,
            force: self.force,
            dnskey_set: self.dnskey_set.clone(),
            keep_chain,
            explain: self.explain,
        }
    }
}
