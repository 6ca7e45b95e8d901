//! A key's dates and the moment turned into its state: whether it is published and whether it signs; what BIND's key
//! manager notes of the key's records counts more. Knows neither the zone nor other keys.

use std::fmt;
use std::str::FromStr;

use crate::dnskey::Dnskey;

/// The dates of a key as its files hold them, in seconds since 1970; `None` is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyTimes {
    /// When the key was made.
    pub created: Option<u32>,
    /// From when it is in the DNSKEY set.
    pub publish: Option<u32>,
    /// From when it signs.
    pub activate: Option<u32>,
    /// From when its REVOKE bit is set (RFC 5011).
    pub revoke: Option<u32>,
    /// From when it no longer signs.
    pub inactive: Option<u32>,
    /// From when it is out of the DNSKEY set.
    pub delete: Option<u32>,
    /// From when CDS and CDNSKEY announce it.
    pub sync_publish: Option<u32>,
    /// From when they no longer do.
    pub sync_delete: Option<u32>,
}

impl KeyTimes {
    /// The dates of a key that is always published and always signs: what a key file older than format 1.3 means.
    pub const ALWAYS: KeyTimes = KeyTimes {
        created: None,
        publish: Some(0),
        activate: Some(0),
        revoke: None,
        inactive: None,
        delete: None,
        sync_publish: None,
        sync_delete: None,
    };

    /// The state that the dates give a key at `now`.
    #[must_use]
    pub fn state(&self, now: u32) -> KeyState {
        self.decide(None, None, now)
    }

    /// The state at `now` of a key whose records are in these states. Where they are known they count, and the dates do not:
    /// the DNSKEY's for publication and removal, and for a key that signs the zone that of its signatures. A KSK signs by its
    /// dates, and every key is revoked by them, as in BIND.
    #[must_use]
    pub fn state_with(&self, states: &RecordStates, dnskey: &Dnskey, now: u32) -> KeyState {
        let signs_zone = states.signs_zone.unwrap_or(!dnskey.is_sep());
        self.decide(states.dnskey, states.zone_signatures.filter(|_| signs_zone), now)
    }

    fn decide(&self, dnskey: Option<RecordState>, signatures: Option<RecordState>, now: u32) -> KeyState {
        let passed = |date: Option<u32>| date.is_some_and(|date| date <= now);
        let dates = [self.publish, self.activate, self.revoke, self.inactive, self.delete];
        if dates.iter().all(Option::is_none) && dnskey.or(signatures).is_none() {
            return KeyState::Undated;
        }
        if dnskey.map_or(passed(self.delete), |state| !state.is_seen()) {
            return KeyState::Removed;
        }
        let started = signatures.map_or(passed(self.activate), RecordState::is_seen);
        let signing = signatures.map_or(started && !passed(self.inactive), RecordState::is_seen);
        // A date of activation without one of publication: the key is seen as soon as it signs, as in BIND.
        let published = dnskey.map_or(
            passed(self.publish) || self.publish.is_none() && started,
            RecordState::is_seen,
        );
        if published && passed(self.revoke) {
            return KeyState::Revoked;
        }
        match (published, signing) {
            (true, true) => KeyState::Active,
            (false, true) => KeyState::SigningUnseen,
            (true, false) if passed(self.inactive) => KeyState::Retired,
            (true, false) => KeyState::StandBy,
            (false, false) => KeyState::Future,
        }
    }
}

/// How far a record has come into the caches of the world, or out of them (BIND's key manager).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordState {
    /// Nowhere any more, or not yet.
    Hidden,
    /// In the zone, but not yet in every cache.
    Rumoured,
    /// In the zone, and nothing else in any cache.
    Omnipresent,
    /// Out of the zone, but still in some caches.
    Unretentive,
}

impl RecordState {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Hidden, "hidden"),
        (Self::Rumoured, "rumoured"),
        (Self::Omnipresent, "omnipresent"),
        (Self::Unretentive, "unretentive"),
    ];

    /// Whether the record is in the zone.
    #[must_use]
    pub fn is_seen(self) -> bool {
        matches!(self, Self::Rumoured | Self::Omnipresent)
    }
}

impl fmt::Display for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(state, _)| state == self);
        f.pad(name.map_or("", |(_, name)| name))
    }
}

/// The text is no state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state: write hidden, rumoured, omnipresent or unretentive")]
pub struct NoRecordState;

impl FromStr for RecordState {
    type Err = NoRecordState;

    fn from_str(text: &str) -> Result<Self, NoRecordState> {
        let found = Self::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        found.map(|(state, _)| *state).ok_or(NoRecordState)
    }
}

/// The states of a key's records, as BIND's `.state` files hold them; `None` is unset: the dates decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordStates {
    /// Of the DNSKEY.
    pub dnskey: Option<RecordState>,
    /// Of the signatures over the zone (`ZRRSIG`).
    pub zone_signatures: Option<RecordState>,
    /// Of the signatures over the DNSKEY set (`KRRSIG`).
    pub key_signatures: Option<RecordState>,
    /// Of the DS at the parent.
    pub ds: Option<RecordState>,
    /// Whether the key signs the zone, where that is noted.
    pub signs_zone: Option<bool>,
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// No date says anything: neither published nor signing.
    Undated,
    /// Not yet published.
    Future,
    /// Signs but is not yet published: the first step of a conservative algorithm roll (RFC 6781 4.1.4).
    SigningUnseen,
    /// Published, not yet signing.
    StandBy,
    /// Published and signing.
    Active,
    /// Still published, no longer signing.
    Retired,
    /// Published with the REVOKE bit; signs the DNSKEY set only.
    Revoked,
    /// Taken out.
    Removed,
}

impl KeyState {
    /// Whether a key in this state is in the DNSKEY set.
    #[must_use]
    pub fn is_published(self) -> bool {
        matches!(self, Self::StandBy | Self::Active | Self::Retired | Self::Revoked)
    }

    /// Whether a key in this state signs anything.
    #[must_use]
    pub fn signs(self) -> bool {
        matches!(self, Self::SigningUnseen | Self::Active | Self::Revoked)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Undated => "without dates",
            Self::Future => "not yet published",
            Self::SigningUnseen => "active, not yet published",
            Self::StandBy => "stand-by",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Removed => "removed",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    #[test]
    fn a_life() {
        let times = KeyTimes {
            created: Some(5),
            publish: Some(10),
            activate: Some(20),
            inactive: Some(30),
            delete: Some(40),
            ..KeyTimes::default()
        };
        for (now, state) in [
            (9, KeyState::Future),
            (10, KeyState::StandBy),
            (19, KeyState::StandBy),
            (20, KeyState::Active),
            (29, KeyState::Active),
            (30, KeyState::Retired),
            (40, KeyState::Removed),
        ] {
            assert_eq!(times.state(now), state, "at {now}");
        }
        let revoked = KeyTimes {
            revoke: Some(25),
            ..times
        };
        assert_eq!(revoked.state(24), KeyState::Active);
        assert_eq!(revoked.state(25), KeyState::Revoked);
        assert_eq!(revoked.state(35), KeyState::Revoked);
        assert_eq!(revoked.state(40), KeyState::Removed);
    }

    #[test]
    fn dates_that_are_missing() {
        assert_eq!(KeyTimes::default().state(7), KeyState::Undated);
        let created = KeyTimes {
            created: Some(1),
            ..KeyTimes::default()
        };
        assert_eq!(created.state(7), KeyState::Undated);
        assert_eq!(KeyTimes::ALWAYS.state(0), KeyState::Active);
        let activate = KeyTimes {
            activate: Some(10),
            ..KeyTimes::default()
        };
        assert_eq!(activate.state(9), KeyState::Future);
        assert_eq!(activate.state(10), KeyState::Active);
        let unseen = KeyTimes {
            publish: Some(10),
            activate: Some(5),
            ..KeyTimes::default()
        };
        assert_eq!(unseen.state(5), KeyState::SigningUnseen);
        assert_eq!(unseen.state(10), KeyState::Active);
        let never_seen = KeyTimes {
            revoke: Some(1),
            inactive: Some(2),
            ..KeyTimes::default()
        };
        assert_eq!(never_seen.state(7), KeyState::Future);
    }

    #[test]
    fn states_of_records_count_more_than_dates() {
        let (past, future) = (Some(5), Some(15));
        let seen = Some(RecordState::Rumoured);
        let gone = Some(RecordState::Unretentive);
        let times = |publish, activate, delete| KeyTimes {
            publish,
            activate,
            delete,
            ..KeyTimes::default()
        };
        let states = |dnskey, zone_signatures| RecordStates {
            dnskey,
            zone_signatures,
            ..RecordStates::default()
        };
        let [zsk, ksk] = [256, 257].map(|flags| Dnskey::new(flags, Algorithm::ED25519, &[7; 32]).unwrap());
        for (times, states, of_zsk, of_ksk) in [
            (
                times(past, past, None),
                states(gone, seen),
                KeyState::Removed,
                KeyState::Removed,
            ),
            (
                times(past, past, None),
                states(seen, gone),
                KeyState::StandBy,
                KeyState::Active,
            ),
            (
                times(future, future, None),
                states(seen, seen),
                KeyState::Active,
                KeyState::StandBy,
            ),
            (
                times(future, future, None),
                states(None, seen),
                KeyState::SigningUnseen,
                KeyState::Future,
            ),
            (
                times(None, future, None),
                states(None, seen),
                KeyState::Active,
                KeyState::Future,
            ),
            (
                times(past, past, past),
                states(seen, None),
                KeyState::Active,
                KeyState::Active,
            ),
            (
                times(None, None, None),
                states(seen, seen),
                KeyState::Active,
                KeyState::StandBy,
            ),
            (
                times(None, None, None),
                states(None, seen),
                KeyState::Active,
                KeyState::Undated,
            ),
        ] {
            assert_eq!(times.state_with(&states, &zsk, 10), of_zsk, "{times:?} {states:?}");
            assert_eq!(times.state_with(&states, &ksk, 10), of_ksk, "{times:?} {states:?}");
        }
        let signs_all = RecordStates {
            signs_zone: Some(true),
            ..states(seen, seen)
        };
        let later = times(future, future, None);
        assert_eq!(later.state_with(&signs_all, &ksk, 10), KeyState::Active);
        for (state, name) in RecordState::NAMES {
            assert_eq!((name.parse(), state.to_string()), (Ok(state), name.to_owned()));
        }
        assert!("omni".parse::<RecordState>().is_err());
    }
}
