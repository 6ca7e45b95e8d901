//! Other people's validators as judges: each turns a signed zone into accept or reject, with what the tool said.
//!
//! Who can judge what is written down in `JUDGES` of the suites; here is only how each is asked.

mod bind;
mod knot;
mod ldns;
mod resolver;
mod validns;

use std::path::Path;

pub use bind::{SignZone, dnssec_verify, ds_from_key, normalise, normalise_text, settime};
pub use knot::kzonecheck;
pub use ldns::{ldns_read_zone, ldns_verify_zone};
pub use resolver::Served;
pub use validns::validns;

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judge {
    /// dnssec-verify.
    Bind,
    /// ldns-verify-zone.
    Ldns,
    /// kzonecheck with DNSSEC.
    Knot,
    /// validns.
    Validns,
}

impl Judge {
    /// The tool's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bind => "dnssec-verify",
            Self::Ldns => "ldns-verify-zone",
            Self::Knot => "kzonecheck",
            Self::Validns => "validns",
        }
    }

    /// The tool's verdict on a signed zone: nothing when it accepts, else what it said.
    #[must_use]
    pub fn complaint(self, zone: &Path, origin: &str) -> Option<String> {
        let run = match self {
            Self::Bind => dnssec_verify(zone, origin, &[]),
            Self::Ldns => ldns_verify_zone(zone, None),
            Self::Knot => kzonecheck(zone, origin, None),
            Self::Validns => validns(zone, origin, None),
        };
        (run.code != Some(0)).then(|| format!("{run:?}"))
    }
}

/// All of these accept the zone.
///
/// # Panics
/// When one does not, with what it said.
#[track_caller]
pub fn all_accept(judges: &[Judge], zone: &Path, origin: &str) {
    for judge in judges {
        if let Some(complaint) = judge.complaint(zone, origin) {
            panic!("{} rejects {origin}: {complaint}", judge.name());
        }
    }
}
