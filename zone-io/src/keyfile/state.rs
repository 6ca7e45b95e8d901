//! `K*.state`: what BIND's key manager notes of a key beside its dates: the states of its records, since when they are in
//! them, and what it is for. Dates that the private file holds too are written and not read.

use std::path::Path;

use dnssec_sign::{Dnskey, KeyTimes, NameRef, RecordState, RecordStates, ctime, moment_digits, moment_from_digits};

use super::fault::{KeyFileError, KeyFileFault};
use super::private::KeyNumbers;

/// A record of the key and the state that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateSince {
    /// The state; `None` is unset.
    pub state: Option<RecordState>,
    /// Since when, in seconds since 1970.
    pub since: Option<u32>,
}

/// What a `.state` file holds beside the dates of the private file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyStateFile {
    /// How long the key is to be used, in seconds; 0 is for ever.
    pub lifetime: Option<u32>,
    /// Whether it is used as a KSK.
    pub ksk: Option<bool>,
    /// Whether it is used as a ZSK.
    pub zsk: Option<bool>,
    /// When the DS went from the parent zone.
    pub ds_removed: Option<u32>,
    /// The DNSKEY.
    pub dnskey: StateSince,
    /// The signatures over the zone.
    pub zone_signatures: StateSince,
    /// The signatures over the DNSKEY set.
    pub key_signatures: StateSince,
    /// The DS.
    pub ds: StateSince,
    /// Where all of them are to come to: hidden or omnipresent.
    pub goal: Option<RecordState>,
}

/// Tags of what the other files hold too: written from there, passed over here.
const ELSEWHERE: [&str; 13] = [
    "Algorithm",
    "Length",
    "Predecessor",
    "Successor",
    "Generated",
    "Published",
    "Active",
    "Retired",
    "Revoked",
    "Removed",
    "DSPublish",
    "PublishCDS",
    "DeleteCDS",
];

impl KeyStateFile {
    /// Reads the text of a `.state` file; `path` is for messages.
    ///
    /// # Errors
    /// [`KeyFileError::Syntax`].
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, KeyFileError> {
        let mut file = Self::default();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b";") {
                continue;
            }
            file.take(line).map_err(|fault| KeyFileError::Syntax {
                path: path.to_path_buf(),
                line: number,
                fault,
            })?;
        }
        Ok(file)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), KeyFileFault> {
        let colon = line.iter().position(|&byte| byte == b':').ok_or(KeyFileFault::NoTag)?;
        let (tag, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let is = |name: &&str| tag.eq_ignore_ascii_case(name.as_bytes());
        let word = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let text = std::str::from_utf8(word).ok();
        if let Some((name, date)) = self.dates().into_iter().find(|(name, _)| is(name)) {
            *date = Some(moment_from_digits(word).ok_or(KeyFileFault::Time(name))?);
        } else if let Some((name, state)) = self.states_by_tag().into_iter().find(|(name, _)| is(name)) {
            let parsed = text.and_then(|text| text.parse().ok());
            *state = Some(parsed.ok_or(KeyFileFault::State(name))?);
        } else if let Some((name, role)) = self.roles().into_iter().find(|(name, _)| is(name)) {
            *role = Some(match text {
                Some("yes") => true,
                Some("no") => false,
                _ => return Err(KeyFileFault::State(name)),
            });
        } else if is(&LIFETIME) {
            let parsed = text.and_then(|text| text.parse().ok());
            self.lifetime = Some(parsed.ok_or(KeyFileFault::Number(LIFETIME))?);
        } else if !ELSEWHERE.iter().any(is) {
            let tag = String::from_utf8_lossy(tag.get(..32).unwrap_or(tag)).into();
            return Err(KeyFileFault::UnknownTag(tag));
        }
        Ok(())
    }

    /// The file's text in BIND's order, with what the key's other files hold.
    #[must_use]
    pub fn text(
        &self,
        owner: NameRef<'_>,
        dnskey: &Dnskey,
        times: &KeyTimes,
        ds_publish: Option<u32>,
        numbers: &KeyNumbers,
    ) -> String {
        let mut file = self.clone();
        let mut text = format!(
            "; This is the state of key {}, for {owner}\nAlgorithm: {}\nLength: {}\n",
            dnskey.key_tag(),
            dnskey.algorithm().0,
            dnskey.rsa_bits().unwrap_or(dnskey_bits(dnskey)),
        );
        let counts = [
            (LIFETIME, self.lifetime),
            ("Predecessor", numbers.predecessor),
            ("Successor", numbers.successor),
        ];
        for (tag, number) in counts {
            if let Some(number) = number {
                text.push_str(&format!("{tag}: {number}\n"));
            }
        }
        for (tag, role) in file.roles() {
            if let Some(role) = *role {
                text.push_str(&format!("{tag}: {}\n", if role { "yes" } else { "no" }));
            }
        }
        let of_key = [
            ("Generated", times.created),
            ("Published", times.publish),
            ("Active", times.activate),
            ("Retired", times.inactive),
            ("Revoked", times.revoke),
            ("Removed", times.delete),
            ("DSPublish", ds_publish),
            ("DSRemoved", self.ds_removed),
            ("PublishCDS", times.sync_publish),
            ("DeleteCDS", times.sync_delete),
            ("DNSKEYChange", self.dnskey.since),
            ("ZRRSIGChange", self.zone_signatures.since),
            ("KRRSIGChange", self.key_signatures.since),
            ("DSChange", self.ds.since),
        ];
        for (tag, date) in of_key {
            if let Some(date) = date {
                let digits = moment_digits(date);
                text.push_str(&format!(
                    "{tag}: {} ({})\n",
                    String::from_utf8_lossy(&digits),
                    ctime(date)
                ));
            }
        }
        for (tag, state) in file.states_by_tag() {
            if let Some(state) = *state {
                text.push_str(&format!("{tag}: {state}\n"));
            }
        }
        text
    }

    /// The states, for whoever decides about the key.
    #[must_use]
    pub fn states(&self) -> RecordStates {
        RecordStates {
            dnskey: self.dnskey.state,
            zone_signatures: self.zone_signatures.state,
            key_signatures: self.key_signatures.state,
            ds: self.ds.state,
            signs_zone: self.zsk,
        }
    }

    fn roles(&mut self) -> [(&'static str, &mut Option<bool>); 2] {
        [("KSK", &mut self.ksk), ("ZSK", &mut self.zsk)]
    }

    /// The dates that no other file has.
    fn dates(&mut self) -> [(&'static str, &mut Option<u32>); 5] {
        [
            ("DSRemoved", &mut self.ds_removed),
            ("DNSKEYChange", &mut self.dnskey.since),
            ("ZRRSIGChange", &mut self.zone_signatures.since),
            ("KRRSIGChange", &mut self.key_signatures.since),
            ("DSChange", &mut self.ds.since),
        ]
    }

    fn states_by_tag(&mut self) -> [(&'static str, &mut Option<RecordState>); 5] {
        [
            ("DNSKEYState", &mut self.dnskey.state),
            ("ZRRSIGState", &mut self.zone_signatures.state),
            ("KRRSIGState", &mut self.key_signatures.state),
            ("DSState", &mut self.ds.state),
            ("GoalState", &mut self.goal),
        ]
    }
}

const LIFETIME: &str = "Lifetime";

/// What BIND calls the length of a key that is not RSA.
fn dnskey_bits(dnskey: &Dnskey) -> usize {
    match dnskey.algorithm().0 {
        14 => 384,
        16 => 456,
        _ => 256,
    }
}
