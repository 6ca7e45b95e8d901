//! The dates of a new key: flags in BIND's syntax and BIND's defaults, resolved to [`KeyTimes`]. What the dates
//! do is `dnssec-sign`'s.

use clap::Args;
use dnssec_sign::{KeyTimes, parse_moment};
use signet_pipeline::Error;

use crate::cli::time_flags::SYNTAX;

/// When a key is published, signs, and goes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Dates")]
pub(super) struct DateFlags {
    /// From when the key is in the DNSKEY set; as --activate, or now, by default; none leaves it unset
    #[arg(short = 'P', long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "no_dates",
          long_help = format!("From when the key is in the DNSKEY set; as --activate, or now, by default; none leaves it unset.\n{SYNTAX}"))]
    publish: Option<String>,

    /// From when the key signs; now by default
    #[arg(
        short = 'A',
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        conflicts_with = "no_dates"
    )]
    activate: Option<String>,

    /// From when the key's REVOKE bit is set (RFC 5011)
    #[arg(short = 'R', long, value_name = "TIME", allow_hyphen_values = true)]
    revoke: Option<String>,

    /// From when the key no longer signs
    #[arg(short = 'I', long, value_name = "TIME", allow_hyphen_values = true)]
    inactive: Option<String>,

    /// From when the key is out of the DNSKEY set
    #[arg(short = 'D', long, value_name = "TIME", allow_hyphen_values = true)]
    delete: Option<String>,

    /// From when CDS and CDNSKEY announce the key
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    sync_publish: Option<String>,

    /// From when CDS and CDNSKEY no longer do
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    sync_delete: Option<String>,

    /// Set neither --publish nor --activate: the key is made and not yet used
    #[arg(short = 'G', long)]
    no_dates: bool,
}

impl DateFlags {
    /// The dates of a key made at `now`.
    ///
    /// # Errors
    /// [`Error::Usage`], which names the flag.
    pub(super) fn resolve(&self, now: u32) -> Result<KeyTimes, Error> {
        let date = |flag: &str, typed: &Option<String>, default: Option<u32>| match typed {
            Some(text) => parse_moment(text, now, now).map_err(|error| Error::Usage(format!("{flag}: {error}"))),
            None => Ok(default),
        };
        let default = Some(now).filter(|_| !self.no_dates);
        let activate = date("--activate", &self.activate, default)?;
        // `-A none` unsets that date alone.
        let publish_default = if self.activate.is_some() {
            activate.or(default)
        } else {
            default
        };
        Ok(KeyTimes {
            created: Some(now),
            publish: date("--publish", &self.publish, publish_default)?,
            activate,
            revoke: date("--revoke", &self.revoke, None)?,
            inactive: date("--inactive", &self.inactive, None)?,
            delete: date("--delete", &self.delete, None)?,
            sync_publish: date("--sync-publish", &self.sync_publish, None)?,
            sync_delete: date("--sync-delete", &self.sync_delete, None)?,
        })
    }
}

/// What a person may not have meant.
pub(super) fn oddities(times: &KeyTimes, is_ksk: bool) -> Vec<&'static str> {
    let before = |one: Option<u32>, other: Option<u32>| one.zip(other).is_some_and(|(one, other)| one < other);
    let odd = [
        (
            before(times.delete, times.inactive),
            "the key is deleted before it is inactive",
        ),
        (
            before(times.delete, times.publish),
            "the key is deleted before it is published",
        ),
        (
            before(times.inactive, times.activate),
            "the key is inactive before it is active",
        ),
        (
            before(times.activate, times.publish),
            "the key signs before it is published",
        ),
        (
            times.revoke.is_some() && !is_ksk,
            "only a KSK is of use revoked (RFC 5011)",
        ),
    ];
    odd.into_iter().filter_map(|(is, text)| is.then_some(text)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::Parser;

    use super::*;

    const NOW: u32 = 1_795_417_217;
    const DAY: u32 = 86400;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        dates: DateFlags,
    }

    fn times(line: &[&str]) -> KeyTimes {
        Line::try_parse_from([&["x"], line].concat())
            .unwrap()
            .dates
            .resolve(NOW)
            .unwrap()
    }

    #[test]
    fn binds_defaults() {
        let plain = times(&[]);
        assert_eq!(
            (plain.created, plain.publish, plain.activate),
            (Some(NOW), Some(NOW), Some(NOW))
        );
        let later = times(&["-A", "+2d"]);
        assert_eq!(
            (later.publish, later.activate),
            (Some(NOW + 2 * DAY), Some(NOW + 2 * DAY))
        );
        let seen = times(&["-A", "none"]);
        assert_eq!((seen.publish, seen.activate), (Some(NOW), None));
        let none = times(&["-G"]);
        assert_eq!((none.publish, none.activate), (None, None));
        assert_eq!(times(&["-P", "-1d"]).publish, Some(NOW - DAY));
        assert_eq!(times(&["--delete", "20270101", "-R", "now+1d"]).revoke, Some(NOW + DAY));
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [&["x", "-G", "-P", "now"][..], &["x", "-A", "now", "-A", "now"]] {
            assert!(Line::try_parse_from(line).is_err(), "{line:?}");
        }
        let wrong = Line::try_parse_from(["x", "-I", "soon"])
            .unwrap()
            .dates
            .resolve(NOW)
            .unwrap_err();
        assert!(wrong.to_string().contains("--inactive"), "{wrong}");
    }

    #[test]
    fn odd_orders_are_named() {
        let odd = oddities(&times(&["-I", "+3d", "-D", "+1d", "-R", "+1d"]), false);
        assert_eq!(odd.len(), 2, "{odd:?}");
        assert!(oddities(&times(&["-I", "+3d", "-D", "+4d"]), false).is_empty());
    }
}
