//! A key's dates and the moment turned into its state: whether it is published and whether it signs. Knows
//! neither the zone nor other keys.

use std::fmt;

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

    /// The state that the dates give the key at `now`.
    #[must_use]
    pub fn state(&self, now: u32) -> KeyState {
        let passed = |date: Option<u32>| date.is_some_and(|date| date <= now);
        let dates = [self.publish, self.activate, self.revoke, self.inactive, self.delete];
        if dates.iter().all(Option::is_none) {
            return KeyState::Undated;
        }
        if passed(self.delete) {
            return KeyState::Removed;
        }
        // A date of activation without one of publication: the key is seen as soon as it signs, as in BIND.
        let published = passed(self.publish) || self.publish.is_none() && passed(self.activate);
        if published && passed(self.revoke) {
            return KeyState::Revoked;
        }
        if passed(self.activate) && !passed(self.inactive) {
            return if published {
                KeyState::Active
            } else {
                KeyState::SigningUnseen
            };
        }
        match (published, passed(self.inactive)) {
            (true, true) => KeyState::Retired,
            (true, false) => KeyState::StandBy,
            (false, _) => KeyState::Future,
        }
    }
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
mod tests {
    use super::*;

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
}
