//! The NSEC3 chain (RFC 5155 7.1): names become (hash, fingerprint, bitmap) entries, partition by partition;
//! entries of all partitions are sorted by hash, joined and linked, a range of hashes at a time. Where the lists are
//! kept is the caller's to say.

use std::collections::HashMap;

use sha1::{Digest as _, Sha1};

use crate::kept::{Kept, Ranges, ends};
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

/// One name of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The hash of the name.
    hash: [u8; 20],
    /// Which bitmap of the names or of the chain; 0 is the empty one.
    bitmap: u32,
    /// The fingerprint of the name.
    fingerprint: u64,
}

impl Entry {
    /// The bytes of a packed entry: hash, bitmap, fingerprint.
    const PACKED: usize = 32;

    fn pack(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(&self.bitmap.to_be_bytes());
        out.extend_from_slice(&self.fingerprint.to_be_bytes());
    }

    /// An entry of a part, whose bitmaps have these numbers in the chain.
    fn unpack(packed: &[u8; Self::PACKED], numbers: &[u32]) -> Self {
        let (hash, rest) = packed.split_first_chunk().unwrap_or((&[0; 20], &[]));
        let (bitmap, rest) = rest.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (fingerprint, _) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        Self {
            hash: *hash,
            bitmap: numbers.get(u32::from_be_bytes(*bitmap) as usize).copied().unwrap_or(0),
            fingerprint: u64::from_be_bytes(*fingerprint),
        }
    }
}

/// The entries of some names, with the bitmaps that they share.
#[derive(Debug, Default)]
pub struct Nsec3Names {
    entries: Vec<Entry>,
    bitmaps: Bitmaps,
}

/// The same in the order of hashes, kept until the chain is made.
#[derive(Debug)]
pub struct Nsec3Part {
    entries: Kept,
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
        self.entries.push(Entry {
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

    /// Sorts the entries, and hands them to `keep`, which may put them anywhere: 32 bytes each.
    ///
    /// # Errors
    /// What `keep` says.
    pub fn keep<E>(mut self, keep: impl FnOnce(Kept) -> Result<Kept, E>) -> Result<Nsec3Part, E> {
        self.entries.sort_unstable();
        let mut packed = Vec::with_capacity(self.entries.len() * Entry::PACKED);
        self.entries.iter().for_each(|entry| entry.pack(&mut packed));
        Ok(Nsec3Part {
            entries: keep(packed.into())?,
            bitmaps: self.bitmaps,
        })
    }
}

/// Two names with one hash (RFC 5155 7.1): another salt has to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two names of the zone have the same NSEC3 hash {}: choose another salt", data_encoding::BASE32HEX_NOPAD.encode(hash))]
pub struct ChainError {
    /// The hash.
    pub hash: [u8; 20],
}

/// All names of a zone in hash order, each once.
#[derive(Debug, Default)]
pub struct Nsec3Chain {
    blocks: Vec<Kept>,
    length: usize,
    bitmaps: Bitmaps,
}

/// Links in a block of a chain.
const BLOCK: usize = 1 << 15;
/// The bytes of a link in a block: its hash, and the number of its bitmap.
const LINK: usize = 24;

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
    /// Joins the entries of all partitions, a range of hashes at a time. The chain goes to `keep` in blocks. A name met twice is
    /// an empty non-terminal that two partitions share, or one that is a name in the other.
    ///
    /// # Errors
    /// [`ChainError`] for a hash collision, and what `keep` says.
    pub fn build<E: From<ChainError>>(
        parts: impl IntoIterator<Item = Nsec3Part>,
        mut keep: impl FnMut(Kept) -> Result<Kept, E>,
    ) -> Result<Self, E> {
        let mut chain = Self::default();
        let parts: Vec<(Kept, Vec<u32>)> = parts
            .into_iter()
            .map(|part| {
                let bitmaps = part.bitmaps.list.iter();
                let numbers = bitmaps.map(|bitmap| chain.bitmaps.number(bitmap)).collect();
                (part.entries, numbers)
            })
            .collect();
        let mut ranges = Ranges::new(parts.iter().map(|(entries, _)| entries));
        let mut entries: Vec<Entry> = Vec::new();
        let mut block = Vec::with_capacity(BLOCK.min(ranges.len()) * LINK);
        for end in ends(ranges.len()) {
            entries.clear();
            ranges.take_below(end, |part, packed| entries.push(Entry::unpack(packed, &parts[part].1)));
            entries.sort_unstable();
            for same in entries.chunk_by(|one, other| one.hash == other.hash) {
                let (first, last) = (same[0], same[same.len() - 1]);
                if same.iter().any(|entry| entry.fingerprint != first.fingerprint) {
                    return Err(ChainError { hash: first.hash }.into());
                }
                block.extend_from_slice(&first.hash);
                // The empty bitmap sorts first: what comes last has the types, if anything has.
                block.extend_from_slice(&last.bitmap.to_be_bytes());
                chain.length += 1;
                if block.len() == BLOCK * LINK {
                    let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK * LINK));
                    chain.blocks.push(keep(full.into())?);
                }
            }
        }
        if !block.is_empty() {
            chain.blocks.push(keep(block.into())?);
        }
        Ok(chain)
    }

    /// The number of NSEC3 records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the chain is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Link `index` of the chain, from 0; the last one's successor is the first. Panics past the end, as indexing does.
    #[must_use]
    pub fn link(&self, index: usize) -> Nsec3Link<'_> {
        let (hash, bitmap) = self.at(index);
        let (next, _) = self.at(if index + 1 < self.length { index + 1 } else { 0 });
        Nsec3Link {
            hash,
            next,
            bitmap: &self.bitmaps.list[bitmap as usize],
        }
    }

    fn at(&self, index: usize) -> (&[u8; 20], u32) {
        let links: &[[u8; LINK]] = self.blocks[index / BLOCK].as_ref().as_chunks().0;
        let (hash, rest) = links[index % BLOCK].split_first_chunk().unwrap_or((&[0; 20], &[]));
        let number = rest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        (hash, number)
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
        let build = |names: Vec<Nsec3Names>| {
            let keep = Ok::<_, ChainError>;
            Nsec3Chain::build(names.into_iter().map(|names| names.keep(keep).unwrap()), keep)
        };
        let chain = build(vec![one, two]).unwrap();
        assert_eq!(chain.len(), 3);
        assert_eq!(chain.link(1).bitmap, b"\x00\x01\x20");
        assert_eq!(chain.link(2).next, &[1; 20]);

        let mut clash = Nsec3Names::new();
        clash.add(([2; 20], 7), b"");
        clash.add(([2; 20], 8), b"");
        assert_eq!(build(vec![clash]).unwrap_err().hash, [2; 20]);
    }

    #[test]
    fn a_long_chain_is_the_sort_of_all_names() {
        let hash = |number: u32| {
            let mut hash = [0; 20];
            hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
            hash
        };
        let count = 3 * u32::try_from(BLOCK).unwrap() + 5;
        let mut parts: Vec<Nsec3Names> = (0..7).map(|_| Nsec3Names::new()).collect();
        for number in 0..count {
            parts[number as usize % 7].add((hash(number), 0), &number.to_be_bytes()[3..]);
        }
        let keep = Ok::<_, ChainError>;
        let chain = Nsec3Chain::build(parts.into_iter().map(|names| names.keep(keep).unwrap()), keep).unwrap();
        let mut sorted: Vec<([u8; 20], u32)> = (0..count).map(|number| (hash(number), number)).collect();
        sorted.sort_unstable();
        assert_eq!(chain.len(), sorted.len());
        for (index, (hash, number)) in sorted.iter().enumerate() {
            let link = chain.link(index);
            assert_eq!((link.hash, link.bitmap), (hash, &number.to_be_bytes()[3..]));
            assert_eq!(link.next, &sorted[(index + 1) % sorted.len()].0);
        }
    }
}
