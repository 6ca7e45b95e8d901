//! The NSEC3 chain (RFC 5155 7.1): names become (hash, fingerprint, bitmap) entries, partition by partition;
//! entries of all partitions are sorted by hash, joined and linked. Sorting is the caller's, who has the threads.

use std::collections::HashMap;

use sha1::{Digest as _, Sha1};

use crate::name::NameRef;

/// The parameters of a chain (RFC 5155 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nsec3Params {
    /// Extra iterations.
    pub iterations: u16,
    /// The salt, at most 255 bytes.
    pub salt: Vec<u8>,
    /// Whether the opt-out bit is set on every NSEC3 and insecure delegations are left out.
    pub opt_out: bool,
}

impl Nsec3Params {
    /// Appends the RDATA of the NSEC3PARAM at the apex: flags 0 (RFC 5155 4.1.2).
    pub fn write_nsec3param(&self, out: &mut Vec<u8>) {
        self.write_head(0, out);
    }

    fn write_head(&self, flags: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&[1, flags]);
        out.extend_from_slice(&self.iterations.to_be_bytes());
        let length = u8::try_from(self.salt.len()).unwrap_or(u8::MAX);
        out.push(length);
        out.extend_from_slice(&self.salt[..usize::from(length)]);
    }
}

/// Hashes names (RFC 5155 5): SHA-1 over the name in canonical wire form and the salt, repeated.
#[derive(Debug, Clone)]
pub struct Nsec3Hasher {
    iterations: u16,
    salt: Vec<u8>,
    input: Vec<u8>,
}

impl Nsec3Hasher {
    /// For one set of parameters.
    #[must_use]
    pub fn new(params: &Nsec3Params) -> Self {
        Self {
            iterations: params.iterations,
            salt: params.salt.clone(),
            input: Vec::with_capacity(512),
        }
    }

    /// The hash of `name`, letter case folded, and a 64-bit fingerprint of the same bytes that tells a hash
    /// collision from the same name met twice.
    pub fn hash(&mut self, name: NameRef<'_>) -> ([u8; 20], u64) {
        self.input.clear();
        name.write_folded(&mut self.input);
        let fingerprint = fingerprint(&self.input);
        self.input.extend_from_slice(&self.salt);
        let mut hash: [u8; 20] = Sha1::digest(&self.input).into();
        for _ in 0..self.iterations {
            self.input.clear();
            self.input.extend_from_slice(&hash);
            self.input.extend_from_slice(&self.salt);
            hash = Sha1::digest(&self.input).into();
        }
        (hash, fingerprint)
    }
}

/// FNV-1a: independent of SHA-1, and enough to tell two names with one SHA-1 hash apart.
fn fingerprint(bytes: &[u8]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in bytes {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state
}

/// Appends the owner label of a hash: 32 characters of base32hex, upper case as BIND writes it, with its length byte.
pub fn write_hash_label(hash: &[u8; 20], out: &mut Vec<u8>) {
    let mut label = [0u8; 33];
    label[0] = 32;
    data_encoding::BASE32HEX_NOPAD.encode_mut(hash, &mut label[1..]);
    out.extend_from_slice(&label);
}

/// One name of the chain: 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsec3Entry {
    /// The hash of the name.
    pub hash: [u8; 20],
    /// Which bitmap in the [`Nsec3Names`] or [`Nsec3Chain`] that the entry is of; 0 is the empty one.
    bitmap: u32,
    /// The fingerprint of the name.
    fingerprint: u64,
}

/// The entries of some names, with the bitmaps that they share.
#[derive(Debug, Default)]
pub struct Nsec3Names {
    entries: Vec<Nsec3Entry>,
    bitmaps: Bitmaps,
}

#[derive(Debug)]
struct Bitmaps {
    list: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Default for Bitmaps {
    fn default() -> Self {
        let empty: Box<[u8]> = Box::default();
        Self {
            list: vec![empty.clone()],
            numbers: HashMap::from([(empty, 0)]),
        }
    }
}

impl Bitmaps {
    /// The number of a bitmap; zones have few different ones.
    fn number(&mut self, bitmap: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(bitmap) {
            return number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(bitmap.into());
        self.numbers.insert(bitmap.into(), number);
        number
    }
}

impl Nsec3Names {
    /// No names yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name by its hash and fingerprint; an empty non-terminal has no types.
    pub fn add(&mut self, (hash, fingerprint): ([u8; 20], u64), bitmap: &[u8]) {
        let bitmap = self.bitmaps.number(bitmap);
        self.entries.push(Nsec3Entry {
            hash,
            bitmap,
            fingerprint,
        });
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Two names with one hash (RFC 5155 7.1): another salt has to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two names of the zone have the same NSEC3 hash {}: choose another salt", data_encoding::BASE32HEX_NOPAD.encode(hash))]
pub struct ChainError {
    /// The hash.
    pub hash: [u8; 20],
}

/// All entries of a zone in hash order, each once.
#[derive(Debug, Default)]
pub struct Nsec3Chain {
    entries: Vec<Nsec3Entry>,
    bitmaps: Bitmaps,
}

/// One NSEC3 record: its hash, its successor's, and its types.
#[derive(Debug, Clone, Copy)]
pub struct Nsec3Link<'a> {
    /// The hash of the name.
    pub hash: &'a [u8; 20],
    /// The next hash in the chain.
    pub next: &'a [u8; 20],
    /// The type bitmap in wire form.
    pub bitmap: &'a [u8],
}

impl Nsec3Chain {
    /// Joins the entries of all partitions. `sort` brings the entries in ascending order, on as many threads as it
    /// likes. A name met twice is an empty non-terminal that two partitions share, or one that is a name in the other.
    ///
    /// # Errors
    /// [`ChainError`] for a hash collision.
    pub fn build(
        parts: impl IntoIterator<Item = Nsec3Names>,
        sort: impl FnOnce(&mut [Nsec3Entry]),
    ) -> Result<Self, ChainError> {
        let mut chain = Self::default();
        for part in parts {
            let numbers: Vec<u32> = part
                .bitmaps
                .list
                .iter()
                .map(|bitmap| chain.bitmaps.number(bitmap))
                .collect();
            chain.entries.extend(part.entries.iter().map(|entry| Nsec3Entry {
                bitmap: numbers[entry.bitmap as usize],
                ..*entry
            }));
        }
        sort(&mut chain.entries);
        let mut collision = None;
        chain.entries.dedup_by(|later, kept| {
            if later.hash != kept.hash {
                return false;
            }
            if later.fingerprint != kept.fingerprint {
                collision = Some(ChainError { hash: kept.hash });
            }
            // The empty bitmap sorts first: what comes later has the types, if anything has.
            kept.bitmap = later.bitmap;
            true
        });
        match collision {
            Some(error) => Err(error),
            None => Ok(chain),
        }
    }

    /// The number of NSEC3 records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the chain is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Link `index` of the chain, from 0; the last one's successor is the first. Panics past the end, as indexing does.
    #[must_use]
    pub fn link(&self, index: usize) -> Nsec3Link<'_> {
        let entry = &self.entries[index];
        let next = self.entries.get(index + 1).unwrap_or(&self.entries[0]);
        Nsec3Link {
            hash: &entry.hash,
            next: &next.hash,
            bitmap: &self.bitmaps.list[entry.bitmap as usize],
        }
    }
}

impl Nsec3Link<'_> {
    /// Appends the NSEC3 RDATA (RFC 5155 3.2).
    pub fn write_rdata(&self, params: &Nsec3Params, out: &mut Vec<u8>) {
        params.write_head(u8::from(params.opt_out), out);
        out.push(20);
        out.extend_from_slice(self.next);
        out.extend_from_slice(self.bitmap);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::name::Name;

    fn hash_of(name: &str, params: &Nsec3Params) -> String {
        let name: Name = name.parse().unwrap();
        let mut label = Vec::new();
        write_hash_label(&Nsec3Hasher::new(params).hash(name.borrow()).0, &mut label);
        String::from_utf8(label[1..].to_vec()).unwrap().to_ascii_lowercase()
    }

    /// RFC 5155 appendix A.
    #[test]
    fn hashes_of_rfc_5155() {
        let params = Nsec3Params {
            iterations: 12,
            salt: vec![0xaa, 0xbb, 0xcc, 0xdd],
            opt_out: true,
        };
        for (name, hash) in [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.EXAMPLE.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
            ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
            ("x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"),
        ] {
            assert_eq!(hash_of(name, &params), hash, "{name}");
        }
        let plain = Nsec3Params {
            iterations: 0,
            salt: Vec::new(),
            opt_out: false,
        };
        assert_eq!(hash_of("com.", &plain), "ck0pojmg874ljref7efn8430qvit8bsm");
    }

    #[test]
    fn names_met_twice_are_joined_and_collisions_refused() {
        let mut one = Nsec3Names::new();
        one.add(([2; 20], 7), b"");
        one.add(([1; 20], 9), b"\x00\x01\x40");
        let mut two = Nsec3Names::new();
        two.add(([3; 20], 5), b"");
        two.add(([2; 20], 7), b"\x00\x01\x20");
        let chain = Nsec3Chain::build([one, two], |entries| entries.sort_unstable()).unwrap();
        assert_eq!(chain.len(), 3);
        assert_eq!(chain.link(1).bitmap, b"\x00\x01\x20");
        assert_eq!(chain.link(2).next, &[1; 20]);

        let mut clash = Nsec3Names::new();
        clash.add(([2; 20], 7), b"");
        clash.add(([2; 20], 8), b"");
        assert!(Nsec3Chain::build([clash], |entries| entries.sort_unstable()).is_err());
    }
}
