//! One signature in the journal, and the marker that says how much was synced: bytes to values and back.

/// Length of the signature, key, digest, and the checksum behind the signature.
const LENGTH: usize = 2;
const KEY: usize = 8;
const DIGEST: usize = 16;
const HEAD: usize = LENGTH + KEY + DIGEST;
const CHECKSUM: usize = 4;

/// The shortest entry: an Ed25519 or P-256 signature.
pub(super) const LEAST: usize = HEAD + 64 + CHECKSUM;

/// What a marker has in place of length and key.
pub(super) const MARKER: [u8; LENGTH + KEY] = *b"\0\0SYNCED\r\n";

/// A key, by the first bytes of the SHA-256 digest of its DNSKEY RDATA.
pub(super) type KeyName = [u8; KEY];
/// The first bytes of the digest of the bytes signed, which only finds a signature: each is verified before it is used.
pub(super) type Digest = [u8; DIGEST];

/// What stands at a place of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A signature.
    Signature {
        key: KeyName,
        digest: Digest,
        signature: &'a [u8],
    },
    /// So many bytes of the journal were on the disk when this was written.
    Synced(u64),
}

impl<'a> Entry<'a> {
    /// Reads what `bytes` begin with, and how long it is; `None` when that is no whole entry.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
        let (key, rest) = rest.split_first_chunk::<KEY>()?;
        let (digest, rest) = rest.split_first_chunk::<DIGEST>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (signature, rest) = rest.split_at_checked(length)?;
        let checksum = rest.first_chunk::<CHECKSUM>()?;
        let covered = HEAD + length;
        if crc32c::crc32c(bytes.get(..covered)?).to_le_bytes() != *checksum {
            return None;
        }
        let entry = if length == 0 {
            if *bytes.first_chunk()? != MARKER {
                return None;
            }
            Self::Synced(u64::from_le_bytes(*digest.first_chunk()?))
        } else {
            Self::Signature {
                key: *key,
                digest: *digest,
                signature,
            }
        };
        Some((entry, covered + CHECKSUM))
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match self {
            Self::Signature { key, digest, signature } => {
                let length = u16::try_from(signature.len()).unwrap_or(u16::MAX);
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(key);
                out.extend_from_slice(digest);
                out.extend_from_slice(signature);
            }
            Self::Synced(length) => {
                out.extend_from_slice(&MARKER);
                out.extend_from_slice(&length.to_le_bytes());
                out.resize(start + HEAD, 0);
            }
        }
        let checksum = crc32c::crc32c(&out[start..]);
        out.extend_from_slice(&checksum.to_le_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let signature = Entry::Signature {
            key: [1; 8],
            digest: [2; DIGEST],
            signature: &[3; 64],
        };
        let mut bytes = Vec::new();
        signature.write(&mut bytes);
        let first = bytes.len();
        Entry::Synced(77).write(&mut bytes);
        assert_eq!(Entry::read(&bytes).unwrap(), (signature, first));
        assert_eq!(
            Entry::read(&bytes[first..]).unwrap(),
            (Entry::Synced(77), bytes.len() - first)
        );
        for at in 0..first {
            assert_eq!(Entry::read(&bytes[..at]), None, "cut at {at}");
            let mut wrong = bytes.clone();
            wrong[at] ^= 4;
            assert_eq!(Entry::read(&wrong), None, "changed at {at}");
        }
    }
}
