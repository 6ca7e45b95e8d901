//! What the suites sign with: the ways to prove absence as flags of both signers, and key pairs on a token, on disk, or mixed.

use std::path::Path;
use std::sync::LazyLock;

use signet_tests::{Key, Role, Scratch, Token};

/// How absence is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Nsec,
    Nsec3,
    /// With a salt of two bytes and five iterations.
    Salted,
    /// As [`Self::Salted`], with opt-out.
    OptOut,
}

impl Denial {
    pub const ALL: [Self; 4] = [Self::Nsec, Self::Nsec3, Self::Salted, Self::OptOut];

    pub fn signet(self) -> &'static [&'static str] {
        match self {
            Self::Nsec => &["--nsec"],
            Self::Nsec3 => &["--nsec3"],
            Self::Salted => &["--nsec3", "--salt", "BEEF", "--iterations", "5"],
            Self::OptOut => &["--nsec3", "--salt", "BEEF", "--iterations", "5", "--opt-out"],
        }
    }

    pub fn bind(self) -> &'static [&'static str] {
        match self {
            Self::Nsec => &[],
            Self::Nsec3 => &["-3", "-"],
            Self::Salted => &["-3", "BEEF", "-H", "5"],
            Self::OptOut => &["-3", "BEEF", "-H", "5", "-A"],
        }
    }
}

/// Where the private keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Token,
    Disk,
    /// The KSK on the token, the ZSK on disk.
    Mixed,
}

/// A KSK and a ZSK.
#[derive(Debug, Clone)]
pub struct Pair {
    pub ksk: Key,
    pub zsk: Key,
}

impl Pair {
    pub fn both(&self) -> [&Key; 2] {
        [&self.ksk, &self.zsk]
    }

    /// Made by signet.
    pub fn generate(token: &Token, zone: &str, algorithm: &str, place: Place, folder: &Path) -> Self {
        let make = |role| match (place, role) {
            (Place::Token, _) | (Place::Mixed, Role::Ksk) => Key::on_token(token, zone, algorithm, role, folder),
            (Place::Disk, _) | (Place::Mixed, Role::Zsk) => Key::on_disk(zone, algorithm, role, folder),
        };
        Self {
            ksk: make(Role::Ksk),
            zsk: make(Role::Zsk),
        }
    }

    /// On disk, made by dnssec-keygen: RSASHA256 or ED25519, the same numbers for every zone of this run.
    pub fn of_bind(algorithm: &str, zone: &str, folder: &Path) -> Self {
        static RSA: LazyLock<(Scratch, Pair)> = LazyLock::new(|| Pair::first_of_bind("RSASHA256"));
        static ECDSA: LazyLock<(Scratch, Pair)> = LazyLock::new(|| Pair::first_of_bind("ECDSAP256SHA256"));
        static EDDSA: LazyLock<(Scratch, Pair)> = LazyLock::new(|| Pair::first_of_bind("ED25519"));
        let (_, pair) = match algorithm {
            "RSASHA256" => &*RSA,
            "ECDSAP256SHA256" => &*ECDSA,
            "ED25519" => &*EDDSA,
            other => panic!("no keys of {other} are kept"),
        };
        Self {
            ksk: pair.ksk.for_zone(zone, folder),
            zsk: pair.zsk.for_zone(zone, folder),
        }
    }

    fn first_of_bind(algorithm: &str) -> (Scratch, Self) {
        let scratch = Scratch::new();
        let make = |role| Key::by_bind("any.test.", algorithm, role, scratch.folder());
        let pair = Self {
            ksk: make(Role::Ksk),
            zsk: make(Role::Zsk),
        };
        (scratch, pair)
    }
}
