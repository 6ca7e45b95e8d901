//! Moments and lengths of time as people and BIND's tools write them, and as RRSIGs and key files hold them:
//! seconds since 1970 in 32 bits. Reads no clock: "now" is given.

use std::fmt;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A text that is no moment or length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MomentError {
    /// Of no known form.
    #[error(
        "`{text}` is not a time: write YYYYMMDD, YYYYMMDDHHMMSS, a ten-digit number of seconds since 1970, `now`, \
         or an offset such as `+30d` or `now-1h`"
    )]
    Form {
        /// What was read.
        text: String,
    },
    /// A day or time of day that the calendar does not have.
    #[error("`{text}` names a day or a time of day that does not exist")]
    Calendar {
        /// What was read.
        text: String,
    },
    /// An offset or length without a number, or with one that is none.
    #[error("`{text}` has no number before its unit: write for example `30d`")]
    Number {
        /// What was read.
        text: String,
    },
    /// The unit `m` alone.
    #[error("the unit of `{text}` is ambiguous: write `mi` for minutes or `mo` for months of 30 days")]
    AmbiguousUnit {
        /// What was read.
        text: String,
    },
    /// An unknown unit.
    #[error("`{text}` has an unknown unit: use y, mo, w, d, h, mi or s")]
    Unit {
        /// What was read.
        text: String,
    },
    /// Before 1970 or after 2106-02-07T06:28:15Z, the last moment of 32 bits.
    #[error("`{text}` lies outside 1970 to February 2106")]
    Range {
        /// What was read.
        text: String,
    },
    /// `none` where a moment is needed.
    #[error("`{text}` unsets a time, and one is needed here")]
    Unset {
        /// What was read.
        text: String,
    },
}

/// Reads a moment in BIND's syntax, UTC. `None` says that the time shall be unset (`none`, `never`, `unset`).
///
/// `YYYYMMDD`, `YYYYMMDDHHMMSS`, exactly ten digits (seconds since 1970), `now`, or the form of C's `ctime`
/// (`Mon Nov 23 07:00:17 2026`), each with at most one offset `+N` or `-N` with a unit of [`parse_interval`]; an
/// offset alone counts from `base`. `0` and `-` are the moment 0.
///
/// # Errors
/// [`MomentError`] for any other text; nothing is guessed or cut.
pub fn parse_moment(text: &str, now: u32, base: u32) -> Result<Option<u32>, MomentError> {
    match text {
        "0" | "-" => return Ok(Some(0)),
        "none" | "never" | "unset" => return Ok(None),
        _ => {}
    }
    let sign = text.find(['+', '-']).unwrap_or(text.len());
    let (date, offset) = text.split_at(sign);
    let start = match date {
        "" if offset.is_empty() => return Err(form(text)),
        "" => base,
        "now" => now,
        _ => parse_date(date).map_err(|fault| fault.of(text))?,
    };
    let moment = match offset.split_at_checked(1) {
        None => Some(start),
        Some((sign, length)) => {
            let length = seconds_of(length, text)?;
            if sign == "+" {
                u64::from(start)
                    .checked_add(length)
                    .and_then(|sum| u32::try_from(sum).ok())
            } else {
                u32::try_from(length).ok().and_then(|length| start.checked_sub(length))
            }
        }
    };
    moment
        .map(Some)
        .ok_or_else(|| MomentError::Range { text: text.to_owned() })
}

/// Reads a moment where one is needed: [`parse_moment`] without the words that unset.
///
/// # Errors
/// Those of [`parse_moment`], and [`MomentError::Unset`].
pub fn parse_set_moment(text: &str, now: u32, base: u32) -> Result<u32, MomentError> {
    parse_moment(text, now, base)?.ok_or_else(|| MomentError::Unset { text: text.to_owned() })
}

/// Reads a length of time in seconds: a number with at most one unit, of which the first letters count: `y`
/// (365 days), `mo` (30 days), `w`, `d`, `h`, `mi`, `s`; seconds without one. The number is decimal, octal with
/// a leading 0, or hexadecimal with 0x, as in C.
///
/// # Errors
/// [`MomentError`]; `m` alone is ambiguous.
pub fn parse_interval(text: &str) -> Result<u32, MomentError> {
    let seconds = seconds_of(text, text)?;
    u32::try_from(seconds).map_err(|_| MomentError::Range { text: text.to_owned() })
}

/// The 14 digits `YYYYMMDDHHMMSS` of a moment in UTC: the form of RRSIGs (RFC 4034 3.2) and key files.
#[must_use]
pub fn moment_digits(moment: u32) -> [u8; 14] {
    let civil = Civil::of(moment);
    let mut digits = [b'0'; 14];
    put(&mut digits[..4], civil.year);
    put(&mut digits[4..6], civil.month);
    put(&mut digits[6..8], civil.day);
    put(&mut digits[8..10], civil.hour);
    put(&mut digits[10..12], civil.minute);
    put(&mut digits[12..], civil.second);
    digits
}

/// The moment that 14 digits `YYYYMMDDHHMMSS` name in UTC; `None` when they name none in 32 bits.
#[must_use]
pub fn moment_from_digits(digits: &[u8]) -> Option<u32> {
    if digits.len() != 14 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        digits[range]
            .iter()
            .fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    Civil {
        year: number(0..4),
        month: number(4..6),
        day: number(6..8),
        hour: number(8..10),
        minute: number(10..12),
        second: number(12..14),
    }
    .moment()
}

/// A moment in the form of C's `ctime`, UTC, as comments in key files have it: `Mon Nov 23 07:00:17 2026`.
#[must_use]
pub fn ctime(moment: u32) -> String {
    Civil::of(moment).to_string()
}

/// The number YYYYMMDD of a moment's day in UTC: what date serials begin with.
#[must_use]
pub fn date_number(moment: u32) -> u32 {
    let civil = Civil::of(moment);
    civil.year * 10_000 + civil.month * 100 + civil.day
}

/// Whether `one` comes before `other` in serial arithmetic (RFC 1982 3.2), which SOA serials and the times of
/// RRSIGs follow. Numbers exactly 2^31 apart are in no order: neither comes first.
#[must_use]
pub fn serial_before(one: u32, other: u32) -> bool {
    one != other && other.wrapping_sub(one) < 1 << 31
}

/// The later of two numbers in serial arithmetic; the first when they are in no order.
#[must_use]
pub fn serial_later(one: u32, other: u32) -> u32 {
    if serial_before(one, other) { other } else { one }
}

/// A moment taken apart, UTC, months and days from 1.
struct Civil {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

const SECONDS_A_DAY: u32 = 86_400;
/// Days of four years with a leap day among them.
const FOUR_YEARS: u32 = 1461;

impl Civil {
    fn of(moment: u32) -> Self {
        let days = moment / SECONDS_A_DAY;
        let second = moment % SECONDS_A_DAY;
        // Within 1970 to 2106 only 2100 breaks the rule of a leap day every fourth year: count as if it had one.
        let days = if days >= days_before(2100) + 59 { days + 1 } else { days };
        // From 1969 on each block of four years ends with its leap year.
        let days = days + 365;
        let year_in_block = (days % FOUR_YEARS / 365).min(3);
        let year = 1969 + days / FOUR_YEARS * 4 + year_in_block;
        let mut day = days % FOUR_YEARS - year_in_block * 365;
        let mut month = 1;
        while day >= month_length(year, month, true) {
            day -= month_length(year, month, true);
            month += 1;
        }
        Self {
            year,
            month,
            day: day + 1,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    fn moment(&self) -> Option<u32> {
        if !(1970..=2106).contains(&self.year)
            || !(1..=12).contains(&self.month)
            || self.day == 0
            || self.day > month_length(self.year, self.month, false)
            || self.hour > 23
            || self.minute > 59
            || self.second > 59
        {
            return None;
        }
        let days = days_before(self.year)
            + (1..self.month)
                .map(|month| month_length(self.year, month, false))
                .sum::<u32>()
            + self.day
            - 1;
        days.checked_mul(SECONDS_A_DAY)?
            .checked_add(self.hour * 3600 + self.minute * 60 + self.second)
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = days_before(self.year)
            + (1..self.month)
                .map(|month| month_length(self.year, month, false))
                .sum::<u32>()
            + self.day
            - 1;
        // The first of January 1970 was a Thursday.
        write!(
            f,
            "{} {} {:2} {:02}:{:02}:{:02} {}",
            WEEKDAYS[(days as usize + 4) % 7],
            MONTHS[self.month as usize - 1],
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.year
        )
    }
}

/// Days from 1970 to the first of January of `year`, 1970 to 2106.
fn days_before(year: u32) -> u32 {
    let years = year - 1970;
    let leap_days = (years + 1) / 4 - u32::from(year > 2100);
    years * 365 + leap_days
}

/// `julian`: as if 2100 were a leap year.
fn month_length(year: u32, month: u32, julian: bool) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (julian || year != 2100) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

/// What is wrong with a date, before it is told of which text.
enum DateFault {
    Form,
    Calendar,
}

impl DateFault {
    fn of(self, text: &str) -> MomentError {
        match self {
            Self::Form => form(text),
            Self::Calendar => MomentError::Calendar { text: text.to_owned() },
        }
    }
}

fn form(text: &str) -> MomentError {
    MomentError::Form { text: text.to_owned() }
}

fn parse_date(date: &str) -> Result<u32, DateFault> {
    if date.bytes().all(|byte| byte.is_ascii_digit()) {
        let mut digits = [b'0'; 14];
        return match date.len() {
            8 | 14 => {
                digits[..date.len()].copy_from_slice(date.as_bytes());
                moment_from_digits(&digits).ok_or(DateFault::Calendar)
            }
            10 => date.parse().map_err(|_| DateFault::Calendar),
            _ => Err(DateFault::Form),
        };
    }
    parse_ctime(date)
}

/// `Mon Nov 23 07:00:17 2026`.
fn parse_ctime(text: &str) -> Result<u32, DateFault> {
    let mut words = text.split_ascii_whitespace();
    let mut word = || words.next().ok_or(DateFault::Form);
    let weekday = word()?;
    let month = word()?;
    let day = word()?;
    let time = word()?;
    let year = word()?;
    if words.next().is_some() {
        return Err(DateFault::Form);
    }
    let month = (1..)
        .zip(MONTHS)
        .find_map(|(number, name)| name.eq_ignore_ascii_case(month).then_some(number))
        .ok_or(DateFault::Form)?;
    let mut clock = time.split(':');
    let mut part = || {
        clock
            .next()
            .filter(|part| part.len() == 2)
            .and_then(digits)
            .ok_or(DateFault::Form)
    };
    let civil = Civil {
        year: digits(year).ok_or(DateFault::Form)?,
        month,
        day: digits(day).ok_or(DateFault::Form)?,
        hour: part()?,
        minute: part()?,
        second: part()?,
    };
    if clock.next().is_some() {
        return Err(DateFault::Form);
    }
    let moment = civil.moment().ok_or(DateFault::Calendar)?;
    let days = moment / SECONDS_A_DAY;
    if !WEEKDAYS[(days as usize + 4) % 7].eq_ignore_ascii_case(weekday) {
        return Err(DateFault::Calendar);
    }
    Ok(moment)
}

fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The seconds of a number with a unit; `whole` is what the errors show.
fn seconds_of(length: &str, whole: &str) -> Result<u64, MomentError> {
    let text = || whole.to_owned();
    let hexadecimal = length.strip_prefix("0x").or_else(|| length.strip_prefix("0X"));
    let (digits, radix) = match hexadecimal {
        Some(rest) => (rest, 16),
        None if length.len() > 1 && length.starts_with('0') => (&length[1..], 8),
        None => (length, 10),
    };
    let end = digits
        .find(|letter: char| !letter.is_digit(if radix == 16 { 16 } else { 10 }))
        .unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let number = match number {
        // A single 0 before a unit.
        "" if radix == 8 => 0,
        "" => return Err(MomentError::Number { text: text() }),
        _ => u64::from_str_radix(number, radix).map_err(|error| match error.kind() {
            std::num::IntErrorKind::PosOverflow => MomentError::Range { text: text() },
            _ => MomentError::Number { text: text() },
        })?,
    };
    if !unit.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(MomentError::Unit { text: text() });
    }
    let unit = match unit.to_ascii_lowercase().as_bytes() {
        [] | [b's', ..] => 1,
        [b'y', ..] => 365 * DAY,
        [b'm', b'o', ..] => 30 * DAY,
        [b'm', b'i', ..] => MINUTE,
        [b'm'] => return Err(MomentError::AmbiguousUnit { text: text() }),
        [b'w', ..] => 7 * DAY,
        [b'd', ..] => DAY,
        [b'h', ..] => HOUR,
        _ => return Err(MomentError::Unit { text: text() }),
    };
    number
        .checked_mul(unit)
        .ok_or_else(|| MomentError::Range { text: text() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    const NOW: u32 = 1_795_417_217; // Mon Nov 23 07:00:17 2026

    #[test]
    fn every_day_of_32_bits_goes_both_ways() {
        let mut previous = 19_691_231;
        for day in 0..=u32::MAX / SECONDS_A_DAY {
            let moment = day * SECONDS_A_DAY + day % 20_000;
            let digits = moment_digits(moment);
            assert_eq!(moment_from_digits(&digits), Some(moment));
            assert!(date_number(moment) > previous);
            previous = date_number(moment);
        }
        assert_eq!(&moment_digits(0), b"19700101000000");
        assert_eq!(&moment_digits(u32::MAX), b"21060207062815");
        assert_eq!(moment_from_digits(b"21060207062816"), None);
        assert_eq!(moment_from_digits(b"21000229000000"), None);
        assert_eq!(&moment_digits(4_107_542_400), b"21000301000000");
        // RFC 4034 3.2 and RFC 4035 A.
        assert_eq!(moment_from_digits(b"20040409183619"), Some(1_081_535_779));
    }

    #[test]
    fn forms_of_bind() {
        let at = |text: &str| parse_moment(text, NOW, 1000).unwrap();
        assert_eq!(ctime(NOW), "Mon Nov 23 07:00:17 2026");
        for text in [
            "20261123070017",
            "1795417217",
            "now",
            "Mon Nov 23 07:00:17 2026",
            "mon nov 23 07:00:17 2026",
            "now+0",
            "20261123+25217",
        ] {
            assert_eq!(at(text), Some(NOW), "{text}");
        }
        assert_eq!(at("20261123"), Some(NOW - 7 * 3600 - 17));
        assert_eq!(at("+30d"), Some(1000 + 30 * 86400));
        assert_eq!(at("-999"), Some(1));
        assert_eq!(at("now-1h"), Some(NOW - 3600));
        assert_eq!(at("now+864000seconds"), Some(NOW + 864_000));
        assert_eq!(at("Mon Nov 23 07:00:17 2026+1mi"), Some(NOW + 60));
        assert_eq!(at("0"), Some(0));
        assert_eq!(at("-"), Some(0));
        for unset in ["none", "never", "unset"] {
            assert_eq!(at(unset), None);
            assert!(parse_set_moment(unset, NOW, NOW).is_err());
        }
        assert_eq!(ctime(1_081_535_779), "Fri Apr  9 18:36:19 2004");
    }

    #[test]
    fn everything_else_is_refused() {
        let fault = |text: &str| parse_moment(text, NOW, NOW).unwrap_err();
        for text in [
            "",
            "1",
            "+",
            "now+",
            "Now",
            "2026112",
            "202611230700",
            "179541721",
            "now+1d+1d",
            "now 1",
            "2026-11-23",
            "+1d2h",
            "+m1",
            "+08",
            "+0xg",
            "tomorrow",
            "now+1x",
            "Mon Nov 23 7:00:17 2026",
            "Mon Nov 23 07:00 2026",
            "+-1",
            "20261123 ",
        ] {
            let message = fault(text).to_string();
            assert!(message.contains(text), "{text}: {message}");
        }
        assert!(matches!(fault("20260230"), MomentError::Calendar { .. }));
        assert!(matches!(
            fault("Tue Nov 23 07:00:17 2026"),
            MomentError::Calendar { .. }
        ));
        assert!(matches!(fault("+1m"), MomentError::AmbiguousUnit { .. }));
        assert!(matches!(fault("now+200y"), MomentError::Range { .. }));
        assert!(matches!(fault("now-100y"), MomentError::Range { .. }));
        assert!(matches!(fault("+99999999999999999999"), MomentError::Range { .. }));
    }

    #[test]
    fn lengths() {
        assert_eq!(parse_interval("0"), Ok(0));
        assert_eq!(parse_interval("0d"), Ok(0));
        assert_eq!(parse_interval("30"), Ok(30));
        assert_eq!(parse_interval("1y"), Ok(31_536_000));
        assert_eq!(parse_interval("2mo"), Ok(5_184_000));
        assert_eq!(parse_interval("1W"), Ok(604_800));
        assert_eq!(parse_interval("10mins"), Ok(600));
        assert_eq!(parse_interval("0x10"), Ok(16));
        assert_eq!(parse_interval("010"), Ok(8));
        for bad in ["", "d", "-1", "1 d", "09", "1m", "0x", "200y"] {
            assert!(parse_interval(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn serial_arithmetic_of_rfc_1982() {
        assert!(serial_before(1, 2));
        assert!(!serial_before(2, 1));
        assert!(!serial_before(7, 7));
        assert!(serial_before(u32::MAX, 0));
        assert!(serial_before(0, (1 << 31) - 1));
        assert!(!serial_before(0, 1 << 31));
        assert!(!serial_before(1 << 31, 0));
        assert_eq!(serial_later(u32::MAX, 5), 5);
    }
}
