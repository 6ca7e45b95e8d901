//! ZONEMD made (RFC 8976): nodes in canonical order turned into the bytes that scheme SIMPLE digests, and the digests
//! into RDATA. The verifier has code of its own for the same.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha384, Sha512};

use crate::rdata::{folds, write_canonical};
use crate::record::{Node, RecordRef};
use crate::rrsig::covered;
use crate::rtype::{Class, RecordType};

/// The one scheme there is (RFC 8976 2.2.2).
const SIMPLE: u8 = 1;

/// The hash of a ZONEMD record (RFC 8976 2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ZonemdHash {
    /// SHA-384, which all verifiers know.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl ZonemdHash {
    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Sha384 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The length of its digests in bytes.
    #[must_use]
    pub fn digest_length(self) -> usize {
        match self {
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// RDATA with this digest.
    #[must_use]
    pub fn rdata(self, serial: u32, digest: &[u8]) -> Vec<u8> {
        let mut rdata = serial.to_be_bytes().to_vec();
        rdata.extend_from_slice(&[SIMPLE, self.number()]);
        rdata.extend_from_slice(digest);
        rdata
    }
}

/// The text is no hash of ZONEMD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of ZONEMD: write sha384 or sha512")]
pub struct UnknownZonemdHash;

impl FromStr for ZonemdHash {
    type Err = UnknownZonemdHash;

    fn from_str(text: &str) -> Result<Self, UnknownZonemdHash> {
        match text.to_ascii_lowercase().as_str() {
            "sha384" | "sha-384" => Ok(Self::Sha384),
            "sha512" | "sha-512" => Ok(Self::Sha512),
            _ => Err(UnknownZonemdHash),
        }
    }
}

impl fmt::Display for ZonemdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

/// A digest under way: the bytes of all nodes, in canonical order, are added.
#[derive(Debug, Clone)]
pub struct ZonemdDigest(State);

#[derive(Debug, Clone)]
enum State {
    Sha384(Sha384),
    Sha512(Sha512),
}

impl ZonemdDigest {
    /// With nothing added.
    #[must_use]
    pub fn new(hash: ZonemdHash) -> Self {
        Self(match hash {
            ZonemdHash::Sha384 => State::Sha384(Sha384::new()),
            ZonemdHash::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Adds what [`ZonemdWriter::write_node`] wrote.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Sha384(state) => state.finalize().to_vec(),
            State::Sha512(state) => state.finalize().to_vec(),
        }
    }
}

/// Writes nodes as they are digested; its scratch is used again.
#[derive(Debug, Default)]
pub struct ZonemdWriter {
    rdata: Vec<u8>,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    end: usize,
    ttl: u32,
}

impl ZonemdWriter {
    /// Appends a node's records: ascending types, in a type ascending canonical RDATA, all RRSIGs as one set each with
    /// its own TTL, equal records once (RFC 8976 3.3.1). At the apex the ZONEMD set and the RRSIGs over it are left out.
    pub fn write_node(&mut self, node: &Node<'_>, class: Class, out: &mut Vec<u8>) {
        let apex = node.key.is_empty();
        for records in node.sets() {
            let rtype = records[0].rtype;
            if apex && rtype == RecordType::ZONEMD {
                continue;
            }
            let left_out = |record: &RecordRef<'_>| {
                apex && covered(record.rdata) == Some(RecordType::ZONEMD) && rtype == RecordType::RRSIG
            };
            self.rdata.clear();
            self.members.clear();
            for record in records.iter().filter(|record| !left_out(record)) {
                let start = self.rdata.len();
                if rtype == RecordType::RRSIG || folds(rtype) {
                    write_canonical(rtype, record.rdata, &mut self.rdata);
                } else {
                    self.rdata.extend_from_slice(record.rdata);
                }
                self.members.push(Member {
                    start,
                    end: self.rdata.len(),
                    ttl: record.ttl,
                });
            }
            let bytes = &self.rdata;
            let of = |member: &Member| &bytes[member.start..member.end];
            self.members.sort_unstable_by(|one, other| of(one).cmp(of(other)));
            self.members.dedup_by(|later, kept| of(later) == of(kept));
            for member in &self.members {
                crate::tbs::write_signed_record(node.owner, rtype, class, member.ttl, of(member), out);
            }
        }
    }
}
