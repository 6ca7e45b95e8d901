//! What a zone is held to, beside the rules that hold for all: its name, the moment, how much is verified. Values
//! only; nothing is judged here.

use crate::name::Name;
use crate::rtype::Class;

/// How much is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Everything.
    #[default]
    Full,
    /// Everything but the cryptography: a signature whose fields are right counts as good.
    Structure,
}

/// What the SEP flag of keys means (RFC 4034 2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SepFlag {
    /// A key with the flag must sign the DNSKEY set, when there are keys with it.
    #[default]
    Heeded,
    /// Any key may (dnssec-verify's `-z`).
    Ignored,
}

/// What the zone is held to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Expectations {
    /// The zone's name.
    pub origin: Name,
    /// The zone's class.
    pub class: Class,
    /// The moment that signatures must be valid at, in seconds since 1970 modulo 2^32.
    pub now: u32,
    /// How much is verified.
    pub level: Level,
    /// What the SEP flag means.
    pub sep_flag: SepFlag,
    /// The NSEC3 iterations above which a chain is at fault and not computed.
    pub max_iterations: u16,
    /// The parent's DS set as RDATA; empty when it is not known.
    pub ds: Vec<Box<[u8]>>,
    /// A signature that expires in fewer seconds is warned of.
    pub warn_within: Option<u32>,
    /// A signature that expires in fewer seconds is an error.
    pub critical_within: Option<u32>,
    /// How many findings of one rule are kept; all are counted.
    pub findings_per_rule: u32,
}

impl Expectations {
    /// The usual ones: class IN, everything verified, at most 150 NSEC3 iterations, 20 findings of a rule; no DS, and
    /// a signature is good until it expires.
    #[must_use]
    pub fn new(origin: Name, now: u32) -> Self {
        Self {
            origin,
            class: Class::IN,
            now,
            level: Level::Full,
            sep_flag: SepFlag::Heeded,
            max_iterations: 150,
            ds: Vec::new(),
            warn_within: None,
            critical_within: None,
            findings_per_rule: 20,
        }
    }
}
