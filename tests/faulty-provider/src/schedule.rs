//! The schedule: text turned into rules that say which call misbehaves, when and how. Nothing is done here.

use std::time::Duration;

use crate::functions::Function;

/// What a module does wrong.
///
/// Its text has one entry a line, or several parted by `;`; what follows `#` is a comment. An entry is either a property
/// of the module as a whole, or a rule `[@LABEL] FUNCTION WHEN ACTION`. `@LABEL` means calls to that token only; FUNCTION is
/// a name of the specification, or `any`. WHEN counts the calls that the rule applies to, from 1: `7`, `7..9`, `7+`, `%100`
/// (each hundredth), `*` (all).
///
/// | action | what happens |
/// |---|---|
/// | `answer CODE` | the call is answered so, and not made |
/// | `after CODE` | the call is made, and answered so |
/// | `sleep MICROSECONDS` | it takes that much longer |
/// | `take MICROSECONDS` | it returns no earlier than that, what the real module needs counted in: a token with a time of its own, which costs this machine nothing |
/// | `tail MICROSECONDS EVERY LONG` | the same, but each EVERY-th call takes LONG microseconds |
/// | `signature KIND` | the signature is `wrong`, `stale` (the one before), `short`, `long`, `der` or `trimmed` (leading zeros of r and s are left out) |
/// | `remove MILLISECONDS` | the token is gone for so long, with its sessions |
/// | `fail MILLISECONDS` | the same, and then everything answers CKR_DEVICE_ERROR until the module is initialised again |
/// | `logout` | the user is logged out before the call |
/// | `close` | the session is closed before the call |
/// | `hang` | the call never returns |
/// | `abort` | the process ends, as if the module had crashed |
/// | `fork` | the process forks, and both go on |
///
/// | property | what is so |
/// |---|---|
/// | `sessions N` | no more than N sessions at once |
/// | `without MECHANISM` | the mechanism, a number, does not exist |
/// | `always-authenticate` | every private key wants a login for each signature |
/// | `ec-point raw`, `ec-point bit-string` | CKA_EC_POINT comes in that form, not as an OCTET STRING |
/// | `manufacturer NAME`, `model NAME` | C_GetTokenInfo gives these |
/// | `token-flags NUMBER` | C_GetTokenInfo has these flags too |
/// | `pad PIN` | there is a PIN pad, on which somebody types this when C_Login gets no PIN |
/// | `vendor-eddsa` | EdDSA and its keys have the numbers that Thales gave them before PKCS#11 3.0, and not the standard's |
/// | `full` | C_GetTokenInfo says that no room is left for private objects |
/// | `interface CODE` | C_GetInterface is answered so |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// What happens at which calls.
    pub rules: Vec<Rule>,
    /// The most sessions.
    pub sessions: Option<u64>,
    /// Mechanisms that are missing.
    pub without: Vec<u64>,
    /// Whether every signature wants a login of its own.
    pub always_authenticate: bool,
    /// The form of public points.
    pub ec_point: Option<EcPoint>,
    /// The manufacturer that the token gives.
    pub manufacturer: Option<String>,
    /// The model that the token gives.
    pub model: Option<String>,
    /// Flags that the token has beside its own.
    pub token_flags: u64,
    /// What is typed on the token's PIN pad, if it has one.
    pub pad: Option<String>,
    /// Whether EdDSA has a vendor's numbers.
    pub vendor_eddsa: bool,
    /// Whether the token says that it is full.
    pub full: bool,
    /// What C_GetInterface is answered with.
    pub interface: Option<u64>,
}

/// The form of CKA_EC_POINT, where it is not a DER OCTET STRING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EcPoint {
    /// Bare.
    Raw,
    /// In a DER BIT STRING.
    BitString,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The token it is for; without one, all.
    pub token: Option<String>,
    /// The function; without one, any.
    pub function: Option<Function>,
    /// Which of the calls.
    pub when: When,
    /// What happens.
    pub action: Action,
}

/// Which calls, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From the first to the last of these, both counted in.
    Range(u64, u64),
    /// Each of so many.
    Every(u64),
}

impl When {
    /// Whether the n-th call is one of them.
    #[must_use]
    pub fn holds(self, call: u64) -> bool {
        match self {
            Self::Range(first, last) => (first..=last).contains(&call),
            Self::Every(every) => call.is_multiple_of(every),
        }
    }
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is answered so.
    Answer(u64),
    /// It is made, then answered so.
    After(u64),
    /// It takes longer.
    Sleep(Duration),
    /// It takes that long in all.
    Take(Duration),
    /// It takes longer, and one in so many much longer.
    Tail(Duration, u64, Duration),
    /// What it signs is not what was asked for.
    Signature(Signature),
    /// The token goes away and comes back.
    Remove(Duration),
    /// The token fails, and serves again after a new C_Initialize.
    Fail(Duration),
    /// The user is logged out.
    Logout,
    /// The session is closed.
    Close,
    /// It never returns.
    Hang,
    /// The process ends.
    Abort,
    /// The process forks, and both go on.
    Fork,
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// One bit.
    Wrong,
    /// It is the one before.
    Stale,
    /// The last byte is missing.
    Short,
    /// There is a byte too many.
    Long,
    /// r and s are in a DER SEQUENCE.
    Der,
    /// r and s lack their leading zeros.
    Trimmed,
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// The entry that cannot be read, with the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut schedule = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            for entry in line.split(';') {
                let words: Vec<&str> = entry.split_whitespace().collect();
                if !words.is_empty() {
                    schedule
                        .add(&words)
                        .ok_or_else(|| format!("the schedule's entry `{}` cannot be read", entry.trim()))?;
                }
            }
        }
        Ok(schedule)
    }

    fn add(&mut self, words: &[&str]) -> Option<()> {
        match words {
            ["sessions", most] => self.sessions = Some(number(most)?),
            ["without", mechanism] => self.without.push(number(mechanism)?),
            ["always-authenticate"] => self.always_authenticate = true,
            ["ec-point", "raw"] => self.ec_point = Some(EcPoint::Raw),
            ["ec-point", "bit-string"] => self.ec_point = Some(EcPoint::BitString),
            ["manufacturer", name] => self.manufacturer = Some((*name).to_owned()),
            ["model", name] => self.model = Some((*name).to_owned()),
            ["token-flags", flags] => self.token_flags = number(flags)?,
            ["pad", pin] => self.pad = Some((*pin).to_owned()),
            ["vendor-eddsa"] => self.vendor_eddsa = true,
            ["full"] => self.full = true,
            ["interface", code] => self.interface = Some(number(code)?),
            _ => self.rules.push(rule(words)?),
        }
        Some(())
    }
}

fn rule(words: &[&str]) -> Option<Rule> {
    let (token, words) = match words {
        [token, rest @ ..] if token.starts_with('@') => (Some(token.trim_start_matches('@').to_owned()), rest),
        words => (None, words),
    };
    let [function, when, action @ ..] = words else {
        return None;
    };
    Some(Rule {
        token,
        function: match *function {
            "any" => None,
            name => Some(Function::named(name)?),
        },
        when: moment(when)?,
        action: match action {
            ["answer", code] => Action::Answer(number(code)?),
            ["after", code] => Action::After(number(code)?),
            ["sleep", micros] => Action::Sleep(Duration::from_micros(number(micros)?)),
            ["take", micros] => Action::Take(Duration::from_micros(number(micros)?)),
            ["tail", micros, every, long] => Action::Tail(
                Duration::from_micros(number(micros)?),
                number(every).filter(|every| *every > 0)?,
                Duration::from_micros(number(long)?),
            ),
            ["signature", kind] => Action::Signature(match *kind {
                "wrong" => Signature::Wrong,
                "stale" => Signature::Stale,
                "short" => Signature::Short,
                "long" => Signature::Long,
                "der" => Signature::Der,
                "trimmed" => Signature::Trimmed,
                _ => return None,
            }),
            ["remove", millis] => Action::Remove(Duration::from_millis(number(millis)?)),
            ["fail", millis] => Action::Fail(Duration::from_millis(number(millis)?)),
            ["logout"] => Action::Logout,
            ["close"] => Action::Close,
            ["hang"] => Action::Hang,
            ["abort"] => Action::Abort,
            ["fork"] => Action::Fork,
            _ => return None,
        },
    })
}

fn moment(text: &str) -> Option<When> {
    if text == "*" {
        return Some(When::Range(1, u64::MAX));
    }
    if let Some(every) = text.strip_prefix('%') {
        return number(every).filter(|every| *every > 0).map(When::Every);
    }
    if let Some(first) = text.strip_suffix('+') {
        return Some(When::Range(number(first)?, u64::MAX));
    }
    match text.split_once("..") {
        Some((first, last)) => Some(When::Range(number(first)?, number(last)?)),
        None => number(text).map(|only| When::Range(only, only)),
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn entries_become_rules_and_properties() {
        let text = "sessions 4; without 0x1041\n# nothing\n@b C_Sign 7..9 answer 0x30 # one\nany %100 sleep 2000\nC_Sign 5+ signature der";
        let schedule = Schedule::parse(text).unwrap();
        assert_eq!(
            (schedule.sessions, schedule.without.as_slice()),
            (Some(4), &[0x1041][..])
        );
        let [first, second, third] = &schedule.rules[..] else {
            unreachable!()
        };
        assert_eq!(first.token.as_deref(), Some("b"));
        assert_eq!(
            (first.function, first.action),
            (Some(Function::C_Sign), Action::Answer(0x30))
        );
        assert!(first.when.holds(7) && first.when.holds(9) && !first.when.holds(10));
        assert!(second.function.is_none() && second.when.holds(200) && !second.when.holds(201));
        assert!(third.when.holds(u64::MAX));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in [
            "C_Sing 1 hang",
            "C_Sign x hang",
            "C_Sign 1 explode",
            "sessions",
            "C_Sign %0 hang",
        ] {
            assert!(Schedule::parse(text).unwrap_err().contains(text), "{text}");
        }
    }
}
