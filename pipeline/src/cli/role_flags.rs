//! The flags that say which keys sign what, for signing and verifying alike.

use clap::Args;

/// Which keys sign what.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Roles of keys")]
pub(super) struct RoleFlags {
    /// Every key signs everything, whatever its KSK flag says
    #[arg(short = 'z', long)]
    pub(super) ignore_ksk_flag: bool,

    /// KSKs alone sign DNSKEY, CDS and CDNSKEY
    #[arg(short = 'x', long)]
    pub(super) ksk_only: bool,
}
