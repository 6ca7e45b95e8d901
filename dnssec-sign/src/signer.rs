//! The seam between what is signed and who signs: a [`Signer`] is one worker's means to sign, a [`KeyStore`]
//! makes them, and a [`SignBatch`] carries jobs to a worker and back. No key material passes here.

use crate::algorithm::Algorithm;
use crate::dnskey::Dnskey;
use crate::name::NameRef;
use crate::rtype::RecordType;
use sha2::Digest as _;

/// A key's place in its store's [`KeyStore::keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIndex(pub u16);

/// The bytes that a signature is over (RFC 4034 3.1.8.1): RRSIG RDATA without the signature, then the set.
#[derive(Debug, Clone, Copy)]
pub struct ToBeSigned<'a> {
    message: &'a [u8],
    digest: Option<(Algorithm, DigestBuf)>,
}

impl<'a> ToBeSigned<'a> {
    /// Over these bytes.
    #[must_use]
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, digest: None }
    }

    /// The same with the digest that the algorithm wants made now, for a caller that needs it as well: it is not made again by
    /// the signer.
    #[must_use]
    pub fn digested(message: &'a [u8], algorithm: Algorithm) -> Self {
        let plain = Self::new(message);
        Self {
            digest: plain.digest(algorithm).map(|digest| (algorithm, digest)),
            ..plain
        }
    }

    /// The bytes themselves: EdDSA signs these, and so do a token's combined mechanisms.
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The set that they are of, for messages: its owner in lower case and its type, read from the bytes again; `None` for
    /// bytes of another form.
    #[must_use]
    pub fn set(&self) -> Option<(NameRef<'a>, RecordType)> {
        let name = |bytes: &'a [u8]| -> Option<(NameRef<'a>, &'a [u8])> {
            let mut end = 0;
            while *bytes.get(end)? != 0 {
                end += 1 + usize::from(bytes[end]);
            }
            let (name, rest) = bytes.split_at_checked(end + 1)?;
            Some((NameRef::from_wire(name).ok()?, rest))
        };
        // The type is the first of the RRSIG's fields, which are 18 bytes; behind them are the signer and the first owner.
        let (rtype, _) = self.message.split_first_chunk::<2>()?;
        let (_, rest) = name(self.message.get(18..)?)?;
        let (owner, _) = name(rest)?;
        Some((owner, RecordType(u16::from_be_bytes(*rtype))))
    }

    /// Their digest as the algorithm wants it: SHA-1 for 5 and 7, SHA-256 for 8 and 13, SHA-384 for 14, SHA-512 for 10;
    /// `None` for algorithms that sign the message itself and for unknown ones.
    #[must_use]
    pub fn digest(&self, algorithm: Algorithm) -> Option<DigestBuf> {
        if let Some(made) = self.made(algorithm) {
            return Some(*made);
        }
        let mut out = DigestBuf {
            bytes: [0; 64],
            length: 0,
        };
        match algorithm {
            Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => out.set(&sha1::Sha1::digest(self.message)),
            Algorithm::RSASHA256 | Algorithm::ECDSAP256SHA256 => out.set(&sha2::Sha256::digest(self.message)),
            Algorithm::ECDSAP384SHA384 => out.set(&sha2::Sha384::digest(self.message)),
            Algorithm::RSASHA512 => out.set(&sha2::Sha512::digest(self.message)),
            _ => return None,
        }
        Some(out)
    }

    /// The digest for this algorithm, if it is [made](Self::digested) already.
    pub(crate) fn made(&self, algorithm: Algorithm) -> Option<&DigestBuf> {
        self.digest
            .as_ref()
            .filter(|(of, _)| *of == algorithm)
            .map(|(_, digest)| digest)
    }
}

/// A digest of up to 64 bytes.
#[derive(Debug, Clone, Copy)]
pub struct DigestBuf {
    bytes: [u8; 64],
    length: usize,
}

impl DigestBuf {
    fn set(&mut self, digest: &[u8]) {
        self.bytes[..digest.len()].copy_from_slice(digest);
        self.length = digest.len();
    }
}

impl AsRef<[u8]> for DigestBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The longest signature in bytes: RSA of 4096 bits.
pub const MAX_SIGNATURE_LENGTH: usize = 512;

/// Room for one signature in the form of the RRSIG's signature field.
#[derive(Debug, Clone)]
pub struct SignatureBuf {
    bytes: [u8; MAX_SIGNATURE_LENGTH],
    length: usize,
}

impl Default for SignatureBuf {
    fn default() -> Self {
        Self {
            bytes: [0; MAX_SIGNATURE_LENGTH],
            length: 0,
        }
    }
}

impl SignatureBuf {
    /// The whole room, to be written by a signer; [`set_length`](Self::set_length) says how much was.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Sets how many bytes of the room are the signature; more than the room holds is cut to it.
    pub fn set_length(&mut self, length: usize) {
        self.length = length.min(MAX_SIGNATURE_LENGTH);
    }

    /// Copies a signature of at most [`MAX_SIGNATURE_LENGTH`] bytes in; a longer one is cut.
    pub fn set(&mut self, signature: &[u8]) {
        self.set_length(signature.len());
        self.bytes[..self.length].copy_from_slice(&signature[..self.length]);
    }

    /// The signature.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Why a signature was not made, by what the caller does next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// This job can never succeed; others can.
    #[error("{message}")]
    Job {
        /// What was tried and what came back.
        message: String,
    },
    /// This worker is spent: its undone jobs belong to another.
    #[error("{message}")]
    Worker {
        /// What was tried and what came back.
        message: String,
    },
    /// The whole store is of no use any more: the run stops.
    #[error("{message}")]
    Store {
        /// What was tried and what came back.
        message: String,
    },
}

/// One worker's means to sign: a PKCS#11 session, or a software key's context. An embedder's own one needs a single
/// function; what the planner's [`Sink`](crate::Sink) gathered in a batch is then signed by it:
///
/// ```
/// use dnssec_sign::{KeyIndex, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned};
///
/// /// Asks a service that holds the keys.
/// struct Remote;
///
/// fn ask(key: KeyIndex, message: &[u8]) -> Result<[u8; 64], String> {
///     # let _ = key;
///     Ok([message[0]; 64]) // here goes the call
/// }
///
/// impl Signer for Remote {
///     fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
///         let signature = ask(key, data.message()).map_err(|message| SignError::Worker { message })?;
///         out.set(&signature);
///         Ok(())
///     }
/// }
///
/// let mut batch = SignBatch::new();
/// let job = batch.add(KeyIndex(0), |message| message.extend(b"RRSIG head, then the set"));
/// Remote.sign_batch(&mut batch)?;
/// assert_eq!(batch.done(), 1);
/// assert_eq!(batch.signature(job).len(), 64);
/// # Ok::<(), SignError>(())
/// ```
pub trait Signer: Send {
    /// Signs `data` with `key` and leaves the signature, in the form of RRSIG's signature field, in `out`.
    ///
    /// # Errors
    /// [`SignError`], by what the caller does next.
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError>;

    /// Signs the jobs of a batch that are not done yet, in order. After an error the jobs done are kept, and
    /// another worker can go on with the rest.
    ///
    /// # Errors
    /// That of the first job that failed.
    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let mut signature = SignatureBuf::default();
        while let Some((key, message)) = batch.next_job() {
            self.sign(key, &ToBeSigned::new(message), &mut signature)?;
            batch.deliver(&signature);
        }
        Ok(())
    }

    /// Whether every call is a way to and fro, as to another process: then jobs are better given to
    /// [`sign_batch`](Self::sign_batch) together, also by a caller that has something to do with each signature.
    fn is_remote(&self) -> bool {
        false
    }
}

/// Where private keys live: a token, or files on disk.
pub trait KeyStore: Sync {
    /// The public halves; a [`KeyIndex`] is a place in this slice.
    fn keys(&self) -> &[Dnskey];

    /// A new worker's signer.
    ///
    /// # Errors
    /// [`SignError`] when no further one can be had.
    fn signer(&self) -> Result<Box<dyn Signer>, SignError>;

    /// Looks after what was lost on the way, without waiting; tells how many signers can be had again that could not be had
    /// when this was last asked.
    fn regain(&self) -> usize {
        0
    }

    /// No further signature is wanted: signers that wait for the store shall give up, and all refuse what comes yet.
    fn stop(&self) {}
}

#[derive(Debug, Clone, Copy)]
struct Job {
    key: KeyIndex,
    start: u32,
    /// Where the message ends, and where the signature starts and ends: one after another in one vector each.
    end: u32,
    signature_start: u32,
    signature_end: u32,
    nanoseconds: u32,
}

/// An owned batch of jobs for one store: messages in, signatures out. It travels to a worker and back.
#[derive(Debug, Default)]
pub struct SignBatch {
    messages: Vec<u8>,
    jobs: Vec<Job>,
    signatures: Vec<u8>,
    done: usize,
}

impl SignBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for so many jobs of the usual size, so that it does not grow step by step.
    #[must_use]
    pub fn with_capacity(jobs: usize) -> Self {
        Self {
            messages: Vec::with_capacity(jobs * 128),
            jobs: Vec::with_capacity(jobs),
            signatures: Vec::with_capacity(jobs * 64),
            done: 0,
        }
    }

    /// Adds a job whose message `write` appends; returns the job's number in the batch.
    pub fn add(&mut self, key: KeyIndex, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        let start = narrow(self.messages.len());
        write(&mut self.messages);
        let end = narrow(self.messages.len());
        self.jobs.push(Job {
            key,
            start,
            end,
            signature_start: 0,
            signature_end: 0,
            nanoseconds: 0,
        });
        narrow(self.jobs.len() - 1)
    }

    /// The number of jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether there are no jobs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// How many jobs have their signature: the first so many.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done
    }

    /// The next job without a signature: its key and message.
    #[must_use]
    pub fn next_job(&self) -> Option<(KeyIndex, &[u8])> {
        let job = self.jobs.get(self.done)?;
        Some((job.key, &self.messages[job.start as usize..job.end as usize]))
    }

    /// Takes the signature of [`next_job`](Self::next_job).
    pub fn deliver(&mut self, signature: &SignatureBuf) {
        let start = narrow(self.signatures.len());
        self.signatures.extend_from_slice(signature.bytes());
        let end = narrow(self.signatures.len());
        if let Some(job) = self.jobs.get_mut(self.done) {
            job.signature_start = start;
            job.signature_end = end;
            self.done += 1;
        }
    }

    /// As [`deliver`](Self::deliver), by a signer that knows how long the signature took: nanoseconds, at most 4 s.
    pub fn deliver_timed(&mut self, signature: &SignatureBuf, nanoseconds: u32) {
        let job = self.done;
        self.deliver(signature);
        if let Some(job) = self.jobs.get_mut(job) {
            job.nanoseconds = nanoseconds;
        }
    }

    /// How long each signature took in nanoseconds, in the order of the jobs; 0 where the signer did not say.
    pub fn times(&self) -> impl Iterator<Item = u32> {
        self.jobs.iter().map(|job| job.nanoseconds)
    }

    /// The keys of the jobs in order, each with how many jobs in a row are its.
    pub fn keys(&self) -> impl Iterator<Item = (KeyIndex, u64)> {
        self.jobs
            .chunk_by(|one, other| one.key == other.key)
            .filter_map(|jobs| jobs.first().map(|job| (job.key, jobs.len() as u64)))
    }

    /// The key of a job.
    #[must_use]
    pub fn key(&self, job: u32) -> KeyIndex {
        self.jobs[job as usize].key
    }

    /// The message of a job.
    #[must_use]
    pub fn message(&self, job: u32) -> &[u8] {
        let job = &self.jobs[job as usize];
        &self.messages[job.start as usize..job.end as usize]
    }

    /// The signature of a job; empty until it is done.
    #[must_use]
    pub fn signature(&self, job: u32) -> &[u8] {
        let job = &self.jobs[job as usize];
        &self.signatures[job.signature_start as usize..job.signature_end as usize]
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.jobs.clear();
        self.signatures.clear();
        self.done = 0;
    }
}

/// Offsets inside one batch, which is far below 4 GiB.
fn narrow(offset: usize) -> u32 {
    debug_assert!(u32::try_from(offset).is_ok());
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_to_sign_tell_their_set() {
        let head = b"\x00\x01\x0d\x02\x00\x00\x0e\x10\x00\x00\x00\x09\x00\x00\x00\x08\x30\x39";
        let message = [&head[..], b"\x01b\x00", b"\x01a\x01b\x00", b"\x00\x01\x00\x01"].concat();
        let set = |end: usize| ToBeSigned::new(&message[..end]).set();
        let told = set(message.len()).map(|(owner, rtype)| format!("{owner} {rtype}"));
        assert_eq!(told.as_deref(), Some("a.b. A"));
        for end in 0..message.len() - 4 {
            assert_eq!(set(end), None, "{end}");
        }
    }
}
