//! What a zone is signed with besides keys: the signatures' window, the serial, the kind of denial. Defaults
//! follow from a given "now"; faults are found before anything is signed. Which signatures are renewed, and
//! when, is not decided here.

use crate::denial::Nsec3Params;
use crate::moment::serial_before;
use crate::name::NameRef;
use crate::rtype::RecordType;
use std::fmt;
use std::str::FromStr;

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// The NSEC3 iterations above which resolvers in use treat the zone as insecure, or refuse it (RFC 9276 3.2).
pub const ITERATIONS_NEEDING_INSISTENCE: u16 = 50;
/// The most NSEC3 iterations that any key size allows (RFC 5155 10.3).
pub const MAX_ITERATIONS: u16 = 2500;

/// Whether what is dangerous but possible shall be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Insist {
    /// Refuse it.
    #[default]
    No,
    /// Do it.
    Yes,
}

/// How a zone is signed. Times are seconds since 1970 in 32 bits, compared in serial arithmetic (RFC 4034 3.1.5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// From when the signatures are valid.
    pub inception: u32,
    /// Until when they are, except over the DNSKEY set.
    pub expiration: u32,
    /// Until when the signatures over the DNSKEY set are.
    pub dnskey_expiration: u32,
    /// What becomes of the SOA serial.
    pub serial: SerialPolicy,
    /// How the absence of names and types is shown.
    pub denial: Denial,
    /// Existing signatures that end within so many seconds are made anew; `None` is a quarter of the validity of those
    /// that take their place.
    pub refresh: Option<u32>,
    /// By how much the ends of signatures are spread.
    pub jitter: Jitter,
}

impl Policy {
    /// The defaults: valid from an hour before `now` for 30 days, serial incremented, NSEC.
    #[must_use]
    pub fn from_now(now: u32) -> Self {
        let inception = now.wrapping_sub(HOUR);
        let expiration = inception.wrapping_add(30 * DAY);
        Self {
            inception,
            expiration,
            dnskey_expiration: expiration,
            serial: SerialPolicy::Increment,
            denial: Denial::Nsec,
            refresh: None,
            jitter: Jitter::default(),
        }
    }

    /// The window of the signatures over sets other than DNSKEY, in seconds.
    #[must_use]
    pub fn validity(&self) -> u32 {
        self.expiration.wrapping_sub(self.inception)
    }

    /// How long before their end signatures are made anew, in seconds.
    #[must_use]
    pub fn refresh_window(&self, window: Window) -> u32 {
        let expiration = match window {
            Window::Zone => self.expiration,
            Window::Dnskey => self.dnskey_expiration,
        };
        self.refresh.unwrap_or(expiration.wrapping_sub(self.inception) / 4)
    }

    /// Finds the faults of a policy at the moment `now`; what can stand but should be known comes back as warnings.
    ///
    /// # Errors
    /// [`PolicyError`], the first fault.
    pub fn validate(&self, now: u32, insist: Insist) -> Result<Vec<PolicyWarning>, PolicyError> {
        let mut warnings = Vec::new();
        for (what, expiration) in [
            (Window::Zone, self.expiration),
            (Window::Dnskey, self.dnskey_expiration),
        ] {
            if !serial_before(self.inception, expiration) {
                return Err(PolicyError::Window {
                    what,
                    inception: self.inception,
                    expiration,
                });
            }
            if !serial_before(now, expiration) {
                warnings.push(PolicyWarning::Expired { what });
            }
            let jitter = match what {
                Window::Dnskey if self.jitter.scope == JitterScope::Most => 0,
                _ => self.jitter.seconds,
            };
            let (refresh, validity) = (self.refresh_window(what), expiration.wrapping_sub(self.inception));
            if u64::from(jitter) + u64::from(refresh) >= u64::from(validity) {
                return Err(PolicyError::Refresh {
                    what,
                    jitter,
                    refresh,
                    validity,
                });
            }
        }
        if serial_before(now, self.inception) {
            if insist == Insist::No {
                return Err(PolicyError::FutureInception {
                    seconds: self.inception.wrapping_sub(now),
                });
            }
            warnings.push(PolicyWarning::FutureInception);
        }
        if let Denial::Nsec3(nsec3) = &self.denial {
            check_nsec3(nsec3, insist, &mut warnings)?;
        }
        Ok(warnings)
    }
}

/// By how much the ends of signatures are spread, so that not all of a zone's are due at once. Which signature ends
/// when follows from a hash of seed, owner and type: it is the same in every run with the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Jitter {
    /// An end comes up to so many seconds earlier, this number left out; 0 is no jitter.
    pub seconds: u32,
    /// The key of the hash.
    pub seed: u64,
    /// Which sets.
    pub scope: JitterScope,
}

/// The sets whose signatures' ends are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JitterScope {
    /// All but SOA, DNSKEY and ZONEMD.
    #[default]
    Most,
    /// All.
    All,
}

impl Jitter {
    /// How much earlier the signatures over the set of `rtype` at `owner` end, in seconds.
    #[must_use]
    pub fn of(&self, owner: NameRef<'_>, rtype: RecordType) -> u32 {
        let steady = matches!(rtype, RecordType::SOA | RecordType::DNSKEY | RecordType::ZONEMD);
        if self.seconds == 0 || steady && self.scope == JitterScope::Most {
            return 0;
        }
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.seed.to_be_bytes().into_iter().for_each(&mut add);
        owner.wire().iter().for_each(|byte| add(byte.to_ascii_lowercase()));
        rtype.0.to_be_bytes().into_iter().for_each(&mut add);
        // FNV-1a leaves the high bits of short inputs alike: mixed as SplitMix64 does.
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
        u32::try_from(state % u64::from(self.seconds)).unwrap_or(0)
    }
}

/// How the absence of names and types is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Denial {
    /// NSEC records (RFC 4034 4).
    #[default]
    Nsec,
    /// NSEC3 records (RFC 5155).
    Nsec3(Nsec3Params),
}

/// The limits of NSEC3 parameters (RFC 9276 3.1 asks for no iterations and no salt).
fn check_nsec3(nsec3: &Nsec3Params, insist: Insist, warnings: &mut Vec<PolicyWarning>) -> Result<(), PolicyError> {
    let length = nsec3.salt.len();
    if length > 255 {
        return Err(PolicyError::SaltLength { length });
    }
    let iterations = nsec3.iterations;
    if iterations > MAX_ITERATIONS {
        return Err(PolicyError::Iterations {
            iterations,
            limit: MAX_ITERATIONS,
        });
    }
    if iterations > ITERATIONS_NEEDING_INSISTENCE && insist == Insist::No {
        return Err(PolicyError::Iterations {
            iterations,
            limit: ITERATIONS_NEEDING_INSISTENCE,
        });
    }
    if iterations > 0 {
        warnings.push(PolicyWarning::Iterations { iterations });
    }
    if length > 0 {
        warnings.push(PolicyWarning::Salt);
    }
    Ok(())
}

/// What becomes of the SOA serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SerialPolicy {
    /// It stays.
    Keep,
    /// One more, 0 skipped.
    #[default]
    Increment,
    /// The seconds since 1970, where that advances it.
    UnixTime,
    /// YYYYMMDD00 in UTC, where that advances it.
    Date,
}

/// The text is no serial policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a serial policy: write keep, increment, unixtime or date")]
pub struct UnknownSerialPolicy;

impl FromStr for SerialPolicy {
    type Err = UnknownSerialPolicy;

    /// BIND's words of `-N`, in any letter case.
    fn from_str(text: &str) -> Result<Self, UnknownSerialPolicy> {
        match text.to_ascii_lowercase().as_str() {
            "keep" => Ok(Self::Keep),
            "increment" | "incr" => Ok(Self::Increment),
            "unixtime" => Ok(Self::UnixTime),
            "date" => Ok(Self::Date),
            _ => Err(UnknownSerialPolicy),
        }
    }
}

impl fmt::Display for SerialPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Keep => "keep",
            Self::Increment => "increment",
            Self::UnixTime => "unixtime",
            Self::Date => "date",
        })
    }
}

/// Something about the new serial that the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SerialWarning {
    /// The wanted form would not come after the old serial, so one was added instead.
    #[error("the serial {old} is not before its {policy} form {wanted}: incremented instead")]
    NotAdvancing {
        /// The serial before.
        old: u32,
        /// What the policy would have made.
        wanted: u32,
        /// The policy.
        policy: SerialPolicy,
    },
    /// The step is so wide that secondaries may take the new serial for an older one.
    #[error("the serial jumps from {old} to {new}: secondaries may not transfer the zone")]
    Jump {
        /// The serial before.
        old: u32,
        /// The serial after.
        new: u32,
    },
}

/// The serial after `old`: `now` for unixtime, `date` (YYYYMMDD) for date serials. All but `keep` advance it in
/// serial arithmetic (RFC 1982) and never yield 0.
#[must_use]
pub fn next_serial(old: u32, policy: SerialPolicy, now: u32, date: u32) -> (u32, Option<SerialWarning>) {
    let incremented = match old.wrapping_add(1) {
        0 => 1,
        next => next,
    };
    let (wanted, last) = match policy {
        SerialPolicy::Keep => return (old, None),
        SerialPolicy::Increment => return (incremented, None),
        SerialPolicy::UnixTime => (now, now),
        // A date allows a hundred serials a day: advancing within them is what the form is for.
        SerialPolicy::Date => {
            let first = date.wrapping_mul(100);
            (first, first.wrapping_add(99))
        }
    };
    if wanted == 0 || !serial_before(old, wanted) {
        let warning = SerialWarning::NotAdvancing { old, wanted, policy };
        return (incremented, (!serial_before(old, last)).then_some(warning));
    }
    let jump = wanted.wrapping_sub(old) >= (1 << 31) - 1;
    (wanted, jump.then_some(SerialWarning::Jump { old, new: wanted }))
}

/// Which signatures' window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Those over all sets but DNSKEY.
    Zone,
    /// Those over the DNSKEY set.
    Dnskey,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zone => "signatures",
            Self::Dnskey => "DNSKEY signatures",
        })
    }
}

/// A policy by which nothing can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The end is not after the start, or 2^31 seconds or more after it (RFC 4034 3.1.5).
    #[error(
        "the {what} would be valid from {} to {}: the end must come after the start, by less than 68 years",
        digits(*inception), digits(*expiration)
    )]
    Window {
        /// Which.
        what: Window,
        /// The start.
        inception: u32,
        /// The end.
        expiration: u32,
    },
    /// The start lies in the future: until then no signature would be valid.
    #[error(
        "the signatures would only be valid {seconds} seconds from now: check the clock and the inception time, or insist"
    )]
    FutureInception {
        /// By how much.
        seconds: u32,
    },
    /// Signatures would be due for renewal as soon as they are made.
    #[error(
        "the {what} would be valid for {validity} s, and are made anew {refresh} s before their end, which jitter brings \
         forward by up to {jitter} s: the two must be less than the validity"
    )]
    Refresh {
        /// Which.
        what: Window,
        /// The jitter in seconds.
        jitter: u32,
        /// The refresh window in seconds.
        refresh: u32,
        /// The validity in seconds.
        validity: u32,
    },
    /// Too many iterations of NSEC3.
    #[error(
        "{iterations} NSEC3 iterations are above the limit of {limit}: resolvers treat such zones as insecure (RFC 9276 3.2); use 0{}",
        if *.limit < MAX_ITERATIONS { ", or insist (--insist)" } else { "" }
    )]
    Iterations {
        /// How many.
        iterations: u16,
        /// The limit that was passed: [`ITERATIONS_NEEDING_INSISTENCE`] or [`MAX_ITERATIONS`].
        limit: u16,
    },
    /// A salt that its length byte cannot tell.
    #[error("an NSEC3 salt of {length} bytes: at most 255 are possible")]
    SaltLength {
        /// Its length.
        length: usize,
    },
}

/// A policy that can stand, and what should be known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// The end has passed: no resolver would accept the signatures now.
    #[error("the {what} have expired already")]
    Expired {
        /// Which.
        what: Window,
    },
    /// The start lies in the future, and that was insisted on.
    #[error("the signatures are not valid yet")]
    FutureInception,
    /// Extra iterations cost resolvers time and give nothing.
    #[error("{iterations} NSEC3 iterations: RFC 9276 3.1 asks for 0")]
    Iterations {
        /// How many.
        iterations: u16,
    },
    /// A salt gives nothing in a zone, since names are hashed in full.
    #[error("an NSEC3 salt gives no protection: RFC 9276 3.1 advises against one")]
    Salt,
}

fn digits(moment: u32) -> String {
    crate::moment::moment_digits(moment)
        .iter()
        .map(|&digit| char::from(digit))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    const NOW: u32 = 1_795_417_217;

    #[test]
    fn the_defaults_are_valid() {
        let policy = Policy::from_now(NOW);
        assert_eq!(policy.inception, NOW - 3600);
        assert_eq!(policy.expiration, NOW - 3600 + 30 * 86400);
        assert_eq!(policy.validity(), 30 * 86400);
        assert_eq!(policy.validate(NOW, Insist::No), Ok(vec![]));
        // Around the end of 32 bits too.
        assert_eq!(Policy::from_now(u32::MAX).validate(u32::MAX, Insist::No), Ok(vec![]));
    }

    #[test]
    fn windows_are_checked() {
        let mut policy = Policy::from_now(NOW);
        policy.expiration = policy.inception;
        assert!(matches!(
            policy.validate(NOW, Insist::Yes),
            Err(PolicyError::Window { what: Window::Zone, .. })
        ));
        policy.expiration = policy.inception.wrapping_add(1 << 31);
        assert!(policy.validate(NOW, Insist::Yes).is_err());
        policy.expiration = policy.inception.wrapping_add((1 << 31) - 1);
        assert_eq!(policy.validate(NOW, Insist::No), Ok(vec![]));
        policy.dnskey_expiration = policy.inception - 1;
        let error = policy.validate(NOW, Insist::No).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the DNSKEY signatures would be valid from 20261123060017 to 20261123060016")
        );
        let mut future = Policy::from_now(NOW);
        future.inception = NOW + 1;
        assert_eq!(
            future.validate(NOW, Insist::No),
            Err(PolicyError::FutureInception { seconds: 1 })
        );
        assert_eq!(
            future.validate(NOW, Insist::Yes),
            Ok(vec![PolicyWarning::FutureInception])
        );
        assert_eq!(
            Policy::from_now(NOW).validate(NOW + 40 * 86400, Insist::No),
            Ok(vec![
                PolicyWarning::Expired { what: Window::Zone },
                PolicyWarning::Expired { what: Window::Dnskey }
            ])
        );
    }

    #[test]
    fn jitter_is_spread_and_the_same_each_time() {
        let mut policy = Policy::from_now(NOW);
        assert_eq!(policy.refresh_window(Window::Zone), 30 * 86400 / 4);
        policy.jitter = Jitter {
            seconds: 100,
            seed: 7,
            scope: JitterScope::Most,
        };
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..1000 {
            let owner: crate::name::Name = format!("Host{number}.test.").parse().unwrap();
            let jitter = policy.jitter.of(owner.borrow(), RecordType::A);
            assert_eq!(jitter, policy.jitter.of(owner.to_folded().borrow(), RecordType::A));
            assert_eq!(policy.jitter.of(owner.borrow(), RecordType::SOA), 0);
            seen.insert(jitter);
        }
        assert!(
            seen.len() > 90 && seen.iter().all(|&jitter| jitter < 100),
            "{}",
            seen.len()
        );
        assert_eq!(policy.validate(NOW, Insist::No), Ok(vec![]));
        policy.refresh = Some(policy.validity() - 100);
        assert!(matches!(
            policy.validate(NOW, Insist::Yes),
            Err(PolicyError::Refresh { what: Window::Zone, .. })
        ));
        policy.jitter.seconds = 99;
        assert_eq!(policy.validate(NOW, Insist::No), Ok(vec![]));
    }

    #[test]
    fn nsec3_is_held_to_rfc_9276() {
        let with = |iterations, salt: usize| {
            let mut policy = Policy::from_now(NOW);
            policy.denial = Denial::Nsec3(Nsec3Params {
                iterations,
                salt: vec![1; salt],
                opt_out: true,
            });
            policy
        };
        assert_eq!(with(0, 0).validate(NOW, Insist::No), Ok(vec![]));
        assert_eq!(
            with(50, 255).validate(NOW, Insist::No),
            Ok(vec![PolicyWarning::Iterations { iterations: 50 }, PolicyWarning::Salt])
        );
        assert!(with(51, 0).validate(NOW, Insist::No).is_err());
        assert!(with(2500, 0).validate(NOW, Insist::Yes).is_ok());
        assert!(with(2501, 0).validate(NOW, Insist::Yes).is_err());
        assert!(with(0, 256).validate(NOW, Insist::Yes).is_err());
    }

    #[test]
    fn serials_advance() {
        let next = |old, policy| next_serial(old, policy, NOW, 20_261_123);
        assert_eq!(next(7, SerialPolicy::Keep), (7, None));
        assert_eq!(next(7, SerialPolicy::Increment), (8, None));
        assert_eq!(next(u32::MAX, SerialPolicy::Increment), (1, None));
        assert_eq!(next(7, SerialPolicy::UnixTime), (NOW, None));
        assert_eq!(next(4_294_967_290, SerialPolicy::UnixTime), (NOW, None));
        assert_eq!(
            next(2_026_010_101, SerialPolicy::UnixTime),
            (
                2_026_010_102,
                Some(SerialWarning::NotAdvancing {
                    old: 2_026_010_101,
                    wanted: NOW,
                    policy: SerialPolicy::UnixTime
                })
            )
        );
        assert_eq!(next(2_026_010_101, SerialPolicy::Date), (2_026_112_300, None));
        assert_eq!(next(2_026_112_300, SerialPolicy::Date), (2_026_112_301, None));
        let (serial, warning) = next(2_026_112_399, SerialPolicy::Date);
        assert_eq!(serial, 2_026_112_400);
        assert!(warning.is_some());
        let old = NOW.wrapping_sub((1 << 31) - 1);
        assert_eq!(
            next(old, SerialPolicy::UnixTime),
            (NOW, Some(SerialWarning::Jump { old, new: NOW }))
        );
        assert_eq!("INCR".parse(), Ok(SerialPolicy::Increment));
        assert_eq!("auto".parse::<SerialPolicy>(), Err(UnknownSerialPolicy));
    }
}
