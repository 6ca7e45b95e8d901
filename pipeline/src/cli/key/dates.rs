//! The dates of a key: flags in BIND's syntax, resolved to [`KeyTimes`] of a new key with BIND's defaults, or put over
//! those that a key has. What the dates do is `dnssec-sign`'s.

use clap::Args;
use dnssec_sign::{KeyTimes, parse_moment};
use signet_pipeline::Error;

use crate::cli::time_flags::SYNTAX;

/// When a key is published, signs, and goes.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Dates")]
pub(in crate::cli) struct DateFlags {
    /// From when the key is in the DNSKEY set; as --activate, or now, by default; none leaves it unset
    #[arg(short = 'P', long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "no_dates",
          long_help = format!("From when the key is in the DNSKEY set; as --activate, or now, by default; none leaves it unset.\n{SYNTAX}"))]
    pub(in crate::cli) publish: Option<String>,

    /// From when the key signs; now by default
    #[arg(
        short = 'A',
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        conflicts_with = "no_dates"
    )]
    pub(in crate::cli) activate: Option<String>,

    /// From when the key's REVOKE bit is set (RFC 5011)
    #[arg(short = 'R', long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) revoke: Option<String>,

    /// From when the key no longer signs
    #[arg(short = 'I', long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) inactive: Option<String>,

    /// From when the key is out of the DNSKEY set
    #[arg(short = 'D', long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) delete: Option<String>,

    /// From when CDS and CDNSKEY announce the key
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) sync_publish: Option<String>,

    /// From when CDS and CDNSKEY no longer do
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) sync_delete: Option<String>,

    /// Set neither --publish nor --activate: the key is made and not yet used
    #[arg(short = 'G', long)]
    pub(in crate::cli) no_dates: bool,
}

impl DateFlags {
    /// The dates of a key made at `now`.
    ///
    /// # Errors
    /// [`Error::Usage`], which names the flag.
    pub(in crate::cli) fn resolve(&self, now: u32, prepublication: Option<u32>) -> Result<KeyTimes, Error> {
        let date = |flag: &str, typed: &Option<String>, default: Option<u32>| match typed {
            Some(text) => parse_moment(text, now, now).map_err(|error| Error::Usage(format!("{flag}: {error}"))),
            None => Ok(default),
        };
        if let Some(interval) = prepublication.filter(|interval| *interval > 0) {
            return self.prepublished(now, interval);
        }
        let default = Some(now).filter(|_| !self.no_dates);
        let activate = date("--activate", &self.activate, default)?;
        // `-A none` unsets that date alone.
        let publish_default = if self.activate.is_some() {
            activate.or(default)
        } else {
            default
        };
        let mut times = KeyTimes {
            created: Some(now),
            publish: date("--publish", &self.publish, publish_default)?,
            activate,
            ..KeyTimes::default()
        };
        self.put_others(&mut times, now)?;
        Ok(times)
    }

    /// The dates of a new key that is published so long before it signs: the one of the two dates that is not given
    /// follows from the other, as with `dnssec-keygen -i`.
    fn prepublished(&self, now: u32, interval: u32) -> Result<KeyTimes, Error> {
        let early = || {
            Error::Usage(format!(
                "activation is less than {interval} seconds away, the prepublication interval: activate later, or give a shorter -i"
            ))
        };
        let mut times = KeyTimes {
            created: Some(now),
            ..KeyTimes::default()
        };
        self.put(&mut times, now)?;
        match (times.publish, times.activate) {
            (Some(publish), Some(activate)) if activate.saturating_sub(interval) < publish => {
                return Err(Error::Usage(
                    "--publish and --activate are closer together than the prepublication interval".to_owned(),
                ));
            }
            (Some(publish), None) if self.activate.is_none() => {
                times.activate = Some(publish.checked_add(interval).ok_or_else(early)?);
            }
            (None, Some(activate)) if self.publish.is_none() => {
                times.publish = Some(activate.checked_sub(interval).ok_or_else(early)?);
            }
            (None, None) if self.publish.is_none() && self.activate.is_none() && !self.no_dates => {
                return Err(early());
            }
            _ => {}
        }
        if times
            .activate
            .is_some_and(|activate| activate.saturating_sub(interval) < now)
        {
            return Err(early());
        }
        Ok(times)
    }

    /// Puts the dates that are given over those that are there; `none` takes one away. Says whether any was given.
    ///
    /// # Errors
    /// [`Error::Usage`], which names the flag.
    pub(in crate::cli) fn put(&self, times: &mut KeyTimes, now: u32) -> Result<bool, Error> {
        let one = put("--publish", &self.publish, &mut times.publish, now)?;
        let two = put("--activate", &self.activate, &mut times.activate, now)?;
        Ok(self.put_others(times, now)? | one | two)
    }

    fn put_others(&self, times: &mut KeyTimes, now: u32) -> Result<bool, Error> {
        let mut any = false;
        for (flag, typed, place) in [
            ("--revoke", &self.revoke, &mut times.revoke),
            ("--inactive", &self.inactive, &mut times.inactive),
            ("--delete", &self.delete, &mut times.delete),
            ("--sync-publish", &self.sync_publish, &mut times.sync_publish),
            ("--sync-delete", &self.sync_delete, &mut times.sync_delete),
        ] {
            any |= put(flag, typed, place, now)?;
        }
        Ok(any)
    }
}

/// Puts one date, if it was given.
///
/// # Errors
/// [`Error::Usage`], which names the flag.
pub(super) fn put(flag: &str, typed: &Option<String>, place: &mut Option<u32>, now: u32) -> Result<bool, Error> {
    if let Some(text) = typed {
        *place = parse_moment(text, now, now).map_err(|error| Error::Usage(format!("{flag}: {error}")))?;
    }
    Ok(typed.is_some())
}

/// What a person may not have meant.
pub(in crate::cli) fn oddities(times: &KeyTimes, is_ksk: bool) -> Vec<&'static str> {
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
            .resolve(NOW, None)
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
    fn prepublication_fills_in_the_other_date() {
        let times = |line: &[&str]| {
            let line = Line::try_parse_from([&["x"], line].concat()).unwrap();
            line.dates.resolve(NOW, Some(10 * DAY))
        };
        assert_eq!(times(&["-P", "now"]).unwrap().activate, Some(NOW + 10 * DAY));
        assert_eq!(times(&["-A", "+15d"]).unwrap().publish, Some(NOW + 5 * DAY));
        assert_eq!(times(&["-A", "none"]).unwrap().publish, None);
        for line in [&["-A", "+5d"][..], &["-P", "now", "-A", "+5d"], &[]] {
            assert!(times(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [&["x", "-G", "-P", "now"][..], &["x", "-A", "now", "-A", "now"]] {
            assert!(Line::try_parse_from(line).is_err(), "{line:?}");
        }
        let wrong = Line::try_parse_from(["x", "-I", "soon"])
            .unwrap()
            .dates
            .resolve(NOW, None)
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
