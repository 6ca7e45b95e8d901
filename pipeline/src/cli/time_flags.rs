//! The flags that hold times in BIND's syntax, resolved against one "now" that a command reads once. What the
//! times do is decided elsewhere.

use std::time::SystemTime;

use clap::Args;
use dnssec_sign::{Jitter, JitterScope, Policy, parse_interval, parse_set_moment};
use signet_pipeline::Error;

/// The one clock of a command, in seconds since 1970 as RRSIGs hold them.
///
/// # Errors
/// [`Error::Input`] for a clock outside 1970 to 2106.
pub(super) fn now() -> Result<u32, Error> {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map(|time| time.as_secs());
    seconds
        .ok()
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| Error::Input("this machine's clock is not between 1970 and 2106: set it".to_owned()))
}

pub(super) const SYNTAX: &str = "YYYYMMDD, YYYYMMDDHHMMSS, ten digits of seconds since 1970, or now, each with an offset such as +30d \
                      or -1h if wanted; units y, mo, w, d, h, mi, s";

/// The window of the signatures.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Times")]
pub(super) struct ValidityFlags {
    /// When signatures begin to be valid; an hour ago is the default
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true, long_help = format!("When signatures begin to be valid; an hour ago is the default.\n{SYNTAX}"))]
    start: Option<String>,

    /// When signatures end; 30 days after the start is the default, and +N counts from the start
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true)]
    end: Option<String>,

    /// When signatures over the DNSKEY set end; as --end by default
    #[arg(short = 'X', long, value_name = "TIME", allow_hyphen_values = true)]
    dnskey_end: Option<String>,

    /// Make signatures anew that end within this time; a quarter of the validity is the default
    #[arg(short = 'i', long, value_name = "TIME")]
    refresh: Option<String>,

    /// Spread the ends of signatures: each comes up to this time earlier
    #[arg(short, long, value_name = "TIME")]
    jitter: Option<String>,

    /// What the spread follows from: the same number, the same ends
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jitter_seed: u64,

    /// Spread the ends over SOA, DNSKEY and ZONEMD too
    #[arg(long)]
    jitter_all: bool,
}

impl ValidityFlags {
    /// Sets the policy's window.
    ///
    /// # Errors
    /// [`Error::Usage`] for a text that is no time.
    pub(super) fn apply(&self, policy: &mut Policy, now: u32) -> Result<(), Error> {
        let validity = policy.validity();
        if let Some(text) = &self.start {
            policy.inception = moment("--start", text, now, now)?;
        }
        policy.expiration = match &self.end {
            Some(text) => moment("--end", text, now, policy.inception)?,
            None => policy.inception.wrapping_add(validity),
        };
        policy.dnskey_expiration = match &self.dnskey_end {
            Some(text) => moment("--dnskey-end", text, now, policy.inception)?,
            None => policy.expiration,
        };
        policy.refresh = self
            .refresh
            .as_deref()
            .map(|text| interval("--refresh", text))
            .transpose()?;
        policy.jitter = Jitter {
            seconds: self
                .jitter
                .as_deref()
                .map_or(Ok(0), |text| interval("--jitter", text))?,
            seed: self.jitter_seed,
            scope: if self.jitter_all {
                JitterScope::All
            } else {
                JitterScope::Most
            },
        };
        Ok(())
    }
}

/// A moment that a flag gives; a bare offset counts from `base`.
///
/// # Errors
/// [`Error::Usage`], which names the flag.
pub(super) fn moment(flag: &str, text: &str, now: u32, base: u32) -> Result<u32, Error> {
    parse_set_moment(text, now, base).map_err(|error| Error::Usage(format!("{flag}: {error}")))
}

/// A length of time that a flag gives, in seconds.
///
/// # Errors
/// [`Error::Usage`], which names the flag.
pub(super) fn interval(flag: &str, text: &str) -> Result<u32, Error> {
    parse_interval(text).map_err(|error| Error::Usage(format!("{flag}: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    const NOW: u32 = 1_795_417_217;

    fn policy(start: Option<&str>, end: Option<&str>, dnskey_end: Option<&str>) -> Policy {
        let flags = ValidityFlags {
            start: start.map(str::to_owned),
            end: end.map(str::to_owned),
            dnskey_end: dnskey_end.map(str::to_owned),
            ..ValidityFlags::default()
        };
        let mut policy = Policy::from_now(NOW);
        flags.apply(&mut policy, NOW).unwrap();
        policy
    }

    #[test]
    fn the_end_follows_the_start() {
        assert_eq!(policy(None, None, None), Policy::from_now(NOW));
        let moved = policy(Some("20260101000000"), None, None);
        assert_eq!(moved.validity(), 30 * 86400);
        assert_eq!(moved.dnskey_expiration, moved.expiration);
    }

    #[test]
    fn offsets_count_from_the_start() {
        let window = policy(Some("now-2d"), Some("+10d"), Some("now+1d"));
        assert_eq!(window.inception, NOW - 2 * 86400);
        assert_eq!(window.expiration, NOW + 8 * 86400);
        assert_eq!(window.dnskey_expiration, NOW + 86400);
    }

    #[test]
    fn a_text_that_is_no_time_is_a_usage_error() {
        let flags = ValidityFlags {
            end: Some("tomorrow".to_owned()),
            ..ValidityFlags::default()
        };
        let error = flags.apply(&mut Policy::from_now(NOW), NOW).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--end"), "{error}");
    }
}
