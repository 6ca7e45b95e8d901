//! NSEC3 records and parameters taken apart (RFC 5155 3 and 4), the hash of RFC 5155 5 computed here anew, and the
//! two lists that a partition hands to the join: which NSEC3 records there should be, and which there are.

use super::bitmap;
use crate::name::{Name, NameRef};
use crate::record::Locus;
use crate::rtype::RecordType;
use data_encoding::BASE32HEX_NOPAD;
use sha1::{Digest as _, Sha1};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

/// A SHA-1 hash of a name.
pub(super) type Hash = [u8; 20];

/// The opt-out flag (RFC 5155 3.1.2.1).
pub(super) const OPT_OUT: u8 = 1;

/// What one chain of NSEC3 records has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nsec3Parameters {
    /// Additional iterations of the hash.
    pub iterations: u16,
    /// The salt, of at most 255 bytes.
    pub salt: Box<[u8]>,
}

impl Nsec3Parameters {
    /// Takes NSEC3PARAM RDATA.
    ///
    /// # Errors
    /// What keeps it from being used.
    pub(super) fn read(rdata: &[u8]) -> Result<Self, String> {
        let [algorithm, flags, high, low, length, salt @ ..] = rdata else {
            return Err("it is cut off".to_owned());
        };
        if usize::from(*length) != salt.len() {
            return Err("the salt has not the length that its length field says".to_owned());
        }
        if *algorithm != 1 {
            return Err(format!(
                "the hash algorithm {algorithm} is unknown: 1 (SHA-1) is the only one"
            ));
        }
        if *flags != 0 {
            // RFC 5155 4.1.2: records with other flags are not for those who serve the zone.
            return Err(format!("the flags are {flags}, not 0"));
        }
        Ok(Self {
            iterations: u16::from_be_bytes([*high, *low]),
            salt: salt.into(),
        })
    }

    /// The hash of a name in lower-case wire form (RFC 5155 5).
    pub(super) fn hash(&self, folded: &[u8]) -> Hash {
        let mut digest: Hash = Sha1::new_with_prefix(folded).chain_update(&self.salt).finalize().into();
        for _ in 0..self.iterations {
            digest = Sha1::new_with_prefix(digest).chain_update(&self.salt).finalize().into();
        }
        digest
    }
}

/// An NSEC3 record's fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nsec3<'a> {
    pub(super) flags: u8,
    pub(super) iterations: u16,
    pub(super) salt: &'a [u8],
    pub(super) next: Hash,
    pub(super) bitmap: &'a [u8],
}

impl<'a> Nsec3<'a> {
    /// Takes NSEC3 RDATA.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(rdata: &'a [u8]) -> Result<Self, String> {
        let cut_off = || "the record is cut off".to_owned();
        let [algorithm, flags, high, low, rest @ ..] = rdata else {
            return Err(cut_off());
        };
        let (salt, rest) = counted(rest).ok_or_else(cut_off)?;
        let (next, bitmap) = counted(rest).ok_or_else(cut_off)?;
        if *algorithm != 1 {
            return Err(format!(
                "the hash algorithm {algorithm} is unknown: 1 (SHA-1) is the only one"
            ));
        }
        if *flags & !OPT_OUT != 0 {
            return Err(format!("the flags {flags} hold more than opt-out"));
        }
        let next = next
            .try_into()
            .map_err(|_| format!("the next hashed owner has {} bytes, not 20", next.len()))?;
        if bitmap::decode(bitmap).is_none() {
            return Err("the type bitmap is not in the form of RFC 4034 4.1.2".to_owned());
        }
        Ok(Self {
            flags: *flags,
            iterations: u16::from_be_bytes([*high, *low]),
            salt,
            next,
            bitmap,
        })
    }

    /// Whether the record belongs to the chain of these parameters.
    pub(super) fn is_of(&self, parameters: &Nsec3Parameters) -> bool {
        self.iterations == parameters.iterations && self.salt == &*parameters.salt
    }
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// The hash in an owner's first label: 32 digits of base32hex in any letter case (RFC 5155 3.3).
pub(super) fn owner_hash(label: &[u8]) -> Option<Hash> {
    let upper: [u8; 32] = label.to_ascii_uppercase().try_into().ok()?;
    let mut hash = Hash::default();
    let written = BASE32HEX_NOPAD.decode_mut(&upper, &mut hash).ok()?;
    (written == hash.len()).then_some(hash)
}

/// A hash as text.
pub(super) fn hash_text(hash: &Hash) -> String {
    BASE32HEX_NOPAD.encode(hash)
}

/// The owner of the NSEC3 record for a hash.
pub(super) fn hash_owner(hash: &Hash, origin: NameRef<'_>) -> Name {
    let mut wire = vec![32];
    wire.extend_from_slice(BASE32HEX_NOPAD.encode(hash).as_bytes());
    wire.extend_from_slice(origin.wire());
    // An origin too long for a label in front of it has no NSEC3 chain; the origin then stands for the owner.
    NameRef::from_wire(&wire).unwrap_or(origin).to_name()
}

/// A value that tells two names with one hash apart.
pub(super) fn fingerprint(folded: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(folded);
    hasher.finish()
}

/// Why a name should have an NSEC3 record; of two reasons for one name the later counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// An empty non-terminal above insecure delegations only: may lie in an opt-out span.
    InsecureNonTerminal,
    /// An empty non-terminal above authoritative data.
    NonTerminal,
    /// A delegation without DS: may lie in an opt-out span.
    InsecureDelegation,
    /// A name with authoritative data, or a delegation with DS.
    Authoritative,
}

impl Reason {
    /// The reason that is this number.
    pub(super) fn of_number(number: u8) -> Self {
        match number {
            0 => Self::InsecureNonTerminal,
            1 => Self::NonTerminal,
            2 => Self::InsecureDelegation,
            _ => Self::Authoritative,
        }
    }

    /// Whether an opt-out span may cover the name instead (RFC 5155 6 and 7.1).
    pub(super) fn may_be_left_out(self) -> bool {
        matches!(self, Self::InsecureNonTerminal | Self::InsecureDelegation)
    }

    /// In words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::InsecureNonTerminal => "an empty non-terminal above insecure delegations",
            Self::NonTerminal => "an empty non-terminal",
            Self::InsecureDelegation => "an insecure delegation",
            Self::Authoritative => "a name with authoritative data",
        }
    }
}

/// A name that should have an NSEC3 record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) hash: Hash,
    pub(super) bitmap: u32,
    pub(super) fingerprint: u64,
    /// The first record at the name, or below the empty non-terminal.
    pub(super) locus: Locus,
    pub(super) reason: Reason,
}

/// An NSEC3 record that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present {
    pub(super) hash: Hash,
    pub(super) next: Hash,
    pub(super) bitmap: u32,
    pub(super) locus: Locus,
    pub(super) flags: u8,
}

/// Type bitmaps, each stored once: a zone has few.
#[derive(Debug, Default)]
pub(super) struct Bitmaps {
    numbers: HashMap<Box<[u8]>, u32>,
    bytes: Vec<Box<[u8]>>,
}

impl Bitmaps {
    /// The number of a bitmap.
    pub(super) fn number(&mut self, bitmap: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(bitmap) {
            return number;
        }
        let number = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.numbers.insert(bitmap.into(), number);
        self.bytes.push(bitmap.into());
        number
    }

    /// The bitmap of a number.
    pub(super) fn bytes(&self, number: u32) -> &[u8] {
        self.bytes.get(number as usize).map_or(&[], |bytes| bytes)
    }

    /// The bitmaps in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.iter().map(|bytes| &**bytes)
    }
}

/// What one partition knows of one chain.
#[derive(Debug, Default)]
pub(super) struct ChainPart {
    pub(super) expected: Vec<Expected>,
    pub(super) present: Vec<Present>,
}

/// The types that an NSEC3 record lists (RFC 5155 7.1): all at the name but NSEC3 itself, and RRSIG only where
/// something else than the NSEC3 set is signed.
pub(super) fn listed_types(types: impl Iterator<Item = RecordType>, signed: bool, out: &mut Vec<RecordType>) {
    out.clear();
    out.extend(types.filter(|&rtype| rtype != RecordType::NSEC3 && rtype != RecordType::RRSIG));
    if signed {
        let at = out.partition_point(|&rtype| rtype < RecordType::RRSIG);
        out.insert(at, RecordType::RRSIG);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    /// RFC 5155 appendix A: the hashes of the example zone, 12 iterations, salt aabbccdd.
    #[test]
    fn hashes_of_rfc_5155_a() {
        let parameters = Nsec3Parameters::read(&[1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd]).unwrap();
        for (name, hash) in [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"),
            ("ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
            ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
            ("x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"),
        ] {
            let name: Name = name.parse().unwrap();
            let hash = owner_hash(hash.as_bytes()).unwrap();
            assert_eq!(parameters.hash(name.borrow().wire()), hash);
        }
        let com: Name = "com.".parse().unwrap();
        let plain = Nsec3Parameters::read(&[1, 0, 0, 0, 0]).unwrap();
        let hash = plain.hash(com.borrow().wire());
        assert_eq!(hash_text(&hash), "CK0POJMG874LJREF7EFN8430QVIT8BSM");
        let owner: Name = "ck0pojmg874ljref7efn8430qvit8bsm.com.".parse().unwrap();
        assert_eq!(hash_owner(&hash, com.borrow()).borrow(), owner.borrow());
    }

    #[test]
    fn unusable_records_are_refused() {
        assert!(Nsec3Parameters::read(&[1, 1, 0, 0, 0]).is_err());
        assert!(Nsec3Parameters::read(&[2, 0, 0, 0, 0]).is_err());
        assert!(Nsec3Parameters::read(&[1, 0, 0, 0, 1]).is_err());
        let mut rdata = vec![1, 1, 0, 0, 0, 20];
        rdata.extend([7; 20]);
        rdata.extend([0, 1, 0x40]);
        let nsec3 = Nsec3::read(&rdata).unwrap();
        assert_eq!((nsec3.flags, nsec3.next, nsec3.bitmap), (1, [7; 20], &[0, 1, 0x40][..]));
        assert!(Nsec3::read(&rdata[..20]).is_err());
        rdata[1] = 3;
        assert!(Nsec3::read(&rdata).is_err());
        assert!(owner_hash(b"35mthgpgcu1qg68fab165klnsnk3dpv").is_none());
        assert!(owner_hash(b"35mthgpgcu1qg68fab165klnsnk3dpvz").is_none());
    }
}
