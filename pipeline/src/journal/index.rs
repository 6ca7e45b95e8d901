//! The signatures of a journal by what they are over: read once at the start, then looked up from any thread. The
//! signatures themselves stay in the file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use super::entry::{Digest, Entry, KeyName, LEAST, MARKER};

/// The longest entry: a signature of RSA with 4096 bits.
const MOST: usize = LEAST + 512;

/// Where signatures are: ascending fingerprints of digest and key.
#[derive(Debug, Default)]
pub(super) struct Index(Vec<(u64, u64)>);

/// The bytes that an index of so many signatures takes.
pub(super) fn memory(signatures: u64) -> u64 {
    signatures.saturating_mul(size_of::<(u64, u64)>() as u64)
}

/// Why a journal cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    /// What stands there is wrong, though it had been written safely.
    Damaged {
        at: u64,
    },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn fingerprint(key: &KeyName, digest: &Digest) -> u64 {
    let head = digest.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
    head ^ u64::from_le_bytes(*key)
}

impl Index {
    /// Reads the entries from `start` on; also where the last whole one ends.
    pub(super) fn read(file: &File, start: u64) -> Result<(Self, u64), Fault> {
        let mut found = Vec::new();
        let mut at = start;
        let mut reader = Window::new(file, start);
        while let Some((entry, length)) = Entry::read(reader.look()?) {
            if let Entry::Signature { key, digest, .. } = entry {
                found.push((fingerprint(&key, &digest), at));
            }
            reader.skip(length);
            at += length as u64;
        }
        if synced_beyond(reader, at)? {
            return Err(Fault::Damaged { at });
        }
        found.sort_unstable();
        Ok((Self(found), at))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The signature of this key over these bytes, into `buffer`; the last that was made, if there are several.
    pub(super) fn find(&self, file: &File, key: &KeyName, digest: &Digest, buffer: &mut Vec<u8>) -> bool {
        let wanted = fingerprint(key, digest);
        let end = self.0.partition_point(|(found, _)| *found <= wanted);
        let candidates = self.0[..end].iter().rev().take_while(|(found, _)| *found == wanted);
        for (_, at) in candidates {
            let mut bytes = [0; MOST];
            let Ok(length) = read_up_to(file, &mut bytes, *at) else {
                continue;
            };
            if let Some((
                Entry::Signature {
                    key: k,
                    digest: d,
                    signature,
                },
                _,
            )) = Entry::read(&bytes[..length])
                && (k, d) == (*key, *digest)
            {
                buffer.clear();
                buffer.extend_from_slice(signature);
                return true;
            }
        }
        false
    }
}

fn read_up_to(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], at + length as u64)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// Whether a marker behind the place `at` says that what stands there was on the disk.
fn synced_beyond(mut rest: Window<'_>, at: u64) -> io::Result<bool> {
    loop {
        let bytes = rest.look()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        if bytes.starts_with(&MARKER)
            && let Some((Entry::Synced(length), _)) = Entry::read(bytes)
            && length > at
        {
            return Ok(true);
        }
        rest.skip(1);
    }
}

/// A file's bytes from a place on, a longest entry at a time.
struct Window<'a> {
    file: BufReader<At<'a>>,
    bytes: Vec<u8>,
    start: usize,
}

struct At<'a>(&'a File, u64);

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read_at(buffer, self.1)?;
        self.1 += length as u64;
        Ok(length)
    }
}

impl<'a> Window<'a> {
    fn new(file: &'a File, start: u64) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, At(file, start)),
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// At least a longest entry, or all that is left.
    fn look(&mut self) -> io::Result<&[u8]> {
        if self.bytes.len() - self.start < MOST {
            self.bytes.drain(..self.start);
            self.start = 0;
            let room = (1 << 16) - self.bytes.len().min(1 << 15);
            self.file.by_ref().take(room as u64).read_to_end(&mut self.bytes)?;
        }
        Ok(&self.bytes[self.start..])
    }

    fn skip(&mut self, length: usize) {
        self.start += length.min(self.bytes.len() - self.start);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn journal(entries: usize, synced_every: usize) -> Vec<u8> {
        let mut bytes = b"header".to_vec();
        for number in 0..entries {
            let mut digest = Digest::default();
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            let signature = vec![number.to_le_bytes()[0]; 64 + number % 3];
            Entry::Signature {
                key: [9; 8],
                digest,
                signature: &signature,
            }
            .write(&mut bytes);
            if number % synced_every == synced_every - 1 {
                Entry::Synced(bytes.len() as u64).write(&mut bytes);
            }
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(File, Index, u64), Fault> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let (index, end) = Index::read(&file, 6)?;
        Ok((file, index, end))
    }

    #[test]
    fn every_signature_is_found_again() {
        let bytes = journal(5000, 700);
        let (file, index, end) = read(&bytes).unwrap();
        assert_eq!((index.len(), end), (5000, bytes.len() as u64));
        let mut signature = Vec::new();
        for number in [0_usize, 1, 2, 3000, 4999] {
            let mut digest = Digest::default();
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            assert!(index.find(&file, &[9; 8], &digest, &mut signature));
            assert_eq!(signature, vec![number.to_le_bytes()[0]; 64 + number % 3]);
            assert!(!index.find(&file, &[8; 8], &digest, &mut signature));
        }
    }

    #[test]
    fn a_torn_tail_is_told_from_damage() {
        let bytes = journal(100, 40);
        // 100 entries, the last marker behind the 80th: what is wrong behind it may be torn.
        let (_, whole, end) = read(&bytes).unwrap();
        assert_eq!((whole.len(), end), (100, bytes.len() as u64));
        for cut in 1..=120 {
            let (_, index, end) = read(&bytes[..bytes.len() - cut]).unwrap();
            // The last entry is a shortest one.
            let last = LEAST;
            assert_eq!(index.len(), if cut <= last { 99 } else { 98 }, "{cut}");
            assert!(end < (bytes.len() - cut) as u64 || cut == last);
        }
        let mut torn = bytes.clone();
        let place = torn.len() - 500;
        torn[place] ^= 1;
        assert!(read(&torn).unwrap().1.len() >= 94);
        for place in [20, 2000, 5000] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            let Err(Fault::Damaged { at }) = read(&damaged) else {
                unreachable!("damage at {place} is not seen")
            };
            assert!(at <= place as u64);
        }
    }
}
