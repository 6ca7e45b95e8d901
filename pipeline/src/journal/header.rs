//! The head of a journal: lines of text that say which run it is of, and what a run that goes on takes over.

use std::collections::BTreeMap;

use dnssec_sign::{KeySetEntry, Policy};
use sha2::{Digest as _, Sha256};

use crate::config::SignConfig;
use crate::context::Decision;

/// The first line of every journal of this form.
const FIRST: &str = "signet journal 2";
/// The last line, before the checksum of all lines above it.
const LAST: &str = "end ";
/// What is taken over and not compared.
const ADOPTED: [&str; 5] = ["inception", "expiration", "dnskey-expiration", "serial", "jitter-seed"];

/// No head is longer.
pub(super) const MOST: u64 = 1 << 20;

/// What a run takes over from the one that it goes on with, so that signatures come out the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adopted {
    pub(super) inception: u32,
    pub(super) expiration: u32,
    pub(super) dnskey_expiration: u32,
    pub(super) serial: u32,
    pub(super) jitter_seed: u64,
}

impl Adopted {
    /// Gives a policy these times.
    pub(super) fn apply(&self, policy: &mut Policy) {
        policy.inception = self.inception;
        policy.expiration = self.expiration;
        policy.dnskey_expiration = self.dnskey_expiration;
        policy.jitter.seed = self.jitter_seed;
    }
}

/// The head of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// What has to be the same: names and values.
    compared: BTreeMap<String, String>,
    pub(super) adopted: Adopted,
}

impl Header {
    /// That of a run.
    pub(super) fn of(config: &SignConfig, decision: &Decision) -> Self {
        let policy = &config.policy;
        let mut compared = BTreeMap::new();
        let mut say = |name: &str, value: String| drop(compared.insert(name.to_owned(), value));
        say("zone", config.origin.to_string());
        say("zone-serial", decision.input_serial.to_string());
        say("denial", format!("{:?}", decision.context.nsec3));
        say("serial-policy", policy.serial.to_string());
        say("refresh", format!("{:?}", policy.refresh));
        say("jitter", format!("{} {:?}", policy.jitter.seconds, policy.jitter.scope));
        say("max-ttl", format!("{:?}", config.max_ttl));
        say("sync", format!("{:?}", config.sync));
        say("zonemd", format!("{:?}", config.zonemd));
        say("input-dnssec", format!("{:?}", config.reuse.input));
        say("force", config.reuse.force.to_string());
        say("dnskey-ttl", decision.keys.ttl().to_string());
        say(
            "dnskey-set",
            digest(decision.keys.published().map(|dnskey| dnskey.rdata())),
        );
        for entry in decision.keys.entries() {
            let name = format!("key-{}/{}", entry.dnskey.algorithm(), entry.dnskey.key_tag());
            say(&name, state(entry));
        }
        Self {
            compared,
            adopted: Adopted {
                inception: policy.inception,
                expiration: policy.expiration,
                dnskey_expiration: policy.dnskey_expiration,
                serial: decision.serial,
                jitter_seed: policy.jitter.seed,
            },
        }
    }

    /// As it stands in the file.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = format!("{FIRST}\n");
        let adopted = &self.adopted;
        let times = [
            adopted.inception,
            adopted.expiration,
            adopted.dnskey_expiration,
            adopted.serial,
        ];
        let numbers = times.map(u64::from).into_iter().chain([adopted.jitter_seed]);
        for (name, value) in self
            .compared
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .chain(ADOPTED.into_iter().zip(numbers.map(|number| number.to_string())))
        {
            text.push_str(&format!("{name} {}\n", value.replace('\n', " ")));
        }
        let checksum = crc32c::crc32c(text.as_bytes());
        text.push_str(&format!("{LAST}{checksum:08x}\n"));
        text.into_bytes()
    }

    /// Reads the beginning of a file; also where the entries begin.
    ///
    /// # Errors
    /// What is wrong with it, to be said behind the file's name.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, u64), &'static str> {
        const DAMAGED: &str = "the head of this journal is damaged: remove it and begin anew";
        if !bytes.starts_with(format!("{FIRST}\n").as_bytes()) {
            let known = FIRST.len() - 1;
            return Err(match bytes.starts_with(&FIRST.as_bytes()[..known]) {
                true => "this journal is of another version of signet: finish it with that one, or remove it",
                false => "this is no journal of signet: name another file",
            });
        }
        let mut at = 0;
        let mut values = BTreeMap::new();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = std::str::from_utf8(line).ok().and_then(|text| text.strip_suffix('\n'));
            let text = text.ok_or(DAMAGED)?;
            if let Some(checksum) = text.strip_prefix(LAST) {
                let expected = format!("{:08x}", crc32c::crc32c(&bytes[..at]));
                if checksum != expected {
                    return Err(DAMAGED);
                }
                let adopted = Self::take_adopted(&mut values).ok_or(DAMAGED)?;
                let compared = values;
                return Ok((Self { compared, adopted }, (at + line.len()) as u64));
            }
            if at > 0 {
                let (name, value) = text.split_once(' ').ok_or(DAMAGED)?;
                values.insert(name.to_owned(), value.to_owned());
            }
            at += line.len();
        }
        Err(DAMAGED)
    }

    fn take_adopted(values: &mut BTreeMap<String, String>) -> Option<Adopted> {
        let [inception, expiration, dnskey_expiration, serial, seed] =
            ADOPTED.map(|name| values.remove(name).and_then(|value| value.parse::<u64>().ok()));
        let short = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
        Some(Adopted {
            inception: short(inception)?,
            expiration: short(expiration)?,
            dnskey_expiration: short(dnskey_expiration)?,
            serial: short(serial)?,
            jitter_seed: seed?,
        })
    }

    /// In what a run differs from the one that this journal is of.
    pub(super) fn difference(&self, run: &Self) -> Option<String> {
        let names = self.compared.keys().chain(run.compared.keys());
        let differing = names.filter(|name| self.compared.get(*name) != run.compared.get(*name));
        differing.min().map(|name| {
            let value = |header: &Self| {
                header
                    .compared
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| "not there".to_owned())
            };
            format!(
                "{} was {}, and is {}",
                name.replacen('-', " ", 1),
                value(self),
                value(run)
            )
        })
    }
}

/// What a key is in this run.
fn state(entry: &KeySetEntry) -> String {
    let mut text = digest(std::iter::once(entry.dnskey.rdata()))[..16].to_owned();
    text.push_str(&format!(" {:?}", entry.state));
    if !entry.published {
        text.push_str(" unpublished");
    }
    let roles = [
        (entry.roles.dnskey, " signs-DNSKEY"),
        (entry.roles.sync, " signs-CDS"),
        (entry.roles.rest, " signs-zone"),
    ];
    text.extend(roles.into_iter().filter(|(has, _)| *has).map(|(_, role)| role));
    text
}

fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut state = Sha256::new();
    for part in parts {
        state.update((part.len() as u64).to_be_bytes());
        state.update(part);
    }
    data_encoding::HEXLOWER.encode(&state.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            compared: [("zone", "a."), ("denial", "None"), ("key-13/7", "Active")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            adopted: Adopted {
                inception: 1,
                expiration: 2,
                dnskey_expiration: 3,
                serial: u32::MAX,
                jitter_seed: u64::MAX,
            },
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let mut text = header().text();
        let length = text.len() as u64;
        text.extend_from_slice(b"\x40\0entries");
        assert_eq!(Header::read(&text).unwrap(), (header(), length));
        for at in 0..header().text().len() {
            assert!(Header::read(&text[..at]).is_err(), "cut at {at}");
            let mut wrong = text.clone();
            wrong[at] ^= 1;
            assert!(Header::read(&wrong).is_err(), "changed at {at}");
        }
        assert!(Header::read(b"a. 60 IN SOA").unwrap_err().contains("no journal"));
        assert!(
            Header::read(b"signet journal 3\n")
                .unwrap_err()
                .contains("another version")
        );
    }

    #[test]
    fn a_difference_is_named() {
        assert_eq!(header().difference(&header()), None);
        let mut other = header();
        other.compared.insert("denial".to_owned(), "Some".to_owned());
        other.adopted.serial = 5;
        assert_eq!(header().difference(&other).unwrap(), "denial was None, and is Some");
        other = header();
        other.compared.remove("key-13/7");
        assert_eq!(
            header().difference(&other).unwrap(),
            "key 13/7 was Active, and is not there"
        );
    }
}
