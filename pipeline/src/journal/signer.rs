//! A signer in front of another: what the journal has is taken from it, the rest is made and written down.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dnssec_sign::{
    Algorithm, Dnskey, KeyIndex, PublicKeyVerifier, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
use sha2::{Digest as _, Sha256};

use super::Journal;
use super::entry::{Digest, Entry, KeyName};
use super::writer::{Pending, Writer};
use crate::config::{Store, StoreKind};

/// Signatures wait so long at most before they are written: a token may take long for a batch.
const PAUSE: Duration = Duration::from_millis(25);

/// Nor are more bytes than this kept back: they are still in the processor's cache when they are written.
const FULL: usize = 64 << 10;

/// One in so many signatures looks at the clock where none is timed; the slowest software key takes 5 ms for one.
const EVERY: usize = 8;

/// A store's keys, and how its signatures are timed.
pub(super) struct KeysOfStore {
    keys: Vec<Key>,
    timing: Timing,
}

/// What a signer without a journal would time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timing {
    /// Every signature.
    Each,
    /// Batches as a whole.
    Batch,
}

impl KeysOfStore {
    pub(super) fn new(store: &Store) -> Self {
        Self {
            keys: store.keys.keys().iter().map(Key::new).collect(),
            timing: match store.kind {
                StoreKind::Token { .. } => Timing::Each,
                StoreKind::Software => Timing::Batch,
            },
        }
    }
}

/// A key as the journal names it, ready to check its signatures.
struct Key {
    name: KeyName,
    algorithm: Algorithm,
    verifier: Option<PublicKeyVerifier>,
}

impl Key {
    fn new(dnskey: &Dnskey) -> Self {
        Self {
            name: first_bytes(&Sha256::digest(dnskey.rdata())),
            algorithm: dnskey.algorithm(),
            verifier: PublicKeyVerifier::new(dnskey).ok(),
        }
    }
}

/// What finds a signature over these bytes.
fn digest_of(data: &ToBeSigned<'_>, algorithm: Algorithm) -> Digest {
    match data.digest(algorithm) {
        Some(digest) => first_bytes(digest.as_ref()),
        None => first_bytes(&Sha256::digest(data.message())),
    }
}

fn nanoseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
}

fn first_bytes<const N: usize>(digest: &[u8]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

/// What a worker writes in, which is used again for another batch.
#[derive(Debug)]
pub(super) struct Buffers {
    /// Entries that are not written yet.
    pending: Arc<Pending>,
    /// A signature of the journal.
    found: Vec<u8>,
    /// Jobs for a signer that is better given several at once.
    together: SignBatch,
    /// What their entries will say, but for a key that the journal does not know.
    entries: Vec<Option<(KeyName, Digest)>>,
}

impl Buffers {
    pub(super) fn new(writer: &Writer) -> Self {
        Self {
            pending: writer.pending(),
            found: Vec::new(),
            together: SignBatch::new(),
            entries: Vec::new(),
        }
    }
}

/// One worker's signer with a journal, for one batch.
pub(super) struct JournalSigner<'a> {
    journal: &'a Journal,
    store: &'a KeysOfStore,
    inner: &'a mut dyn Signer,
    buffers: Buffers,
    /// Bytes that are not written yet.
    waiting: usize,
    /// When something was written last.
    written: Instant,
}

impl<'a> JournalSigner<'a> {
    pub(super) fn new(
        journal: &'a Journal,
        store: &'a KeysOfStore,
        inner: &'a mut dyn Signer,
        buffers: Buffers,
    ) -> Self {
        Self {
            journal,
            store,
            inner,
            buffers,
            waiting: 0,
            written: Instant::now(),
        }
    }

    /// The buffers, for the next batch.
    pub(super) fn into_buffers(self) -> Buffers {
        self.buffers
    }

    /// Signs what is not done yet, in order, with the time that each signature took where the store's own signer tells it.
    pub(super) fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let outcome = match self.inner.is_remote() {
            true => self.sign_together(batch),
            false => self.sign_one_by_one(batch),
        };
        // What was made before a fault is kept too.
        let kept = self.write(Instant::now());
        outcome.and(kept)
    }

    fn sign_one_by_one(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let mut signature = SignatureBuf::default();
        let mut last = self.written;
        while let Some((key, message)) = batch.next_job() {
            self.sign(key, message, &mut signature)?;
            match self.store.timing {
                Timing::Each => {
                    let now = Instant::now();
                    batch.deliver_timed(&signature, nanoseconds(now - last));
                    last = now;
                }
                Timing::Batch => {
                    batch.deliver(&signature);
                    if batch.done().is_multiple_of(EVERY) {
                        last = Instant::now();
                    }
                }
            }
            if self.waiting >= FULL || last - self.written >= PAUSE {
                self.write(last)?;
            }
        }
        Ok(())
    }

    /// Has as many made at once as take no longer than they may wait to be written: a way to and fro for each would take
    /// longer than the signature.
    fn sign_together(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let (mut signature, mut of_journal) = (SignatureBuf::default(), SignatureBuf::default());
        let mut most = 1;
        while batch.done() < batch.len() {
            let began = Instant::now();
            let found = self.gather(batch, most, &mut of_journal);
            let wanted = self.buffers.together.len();
            let outcome = match wanted {
                0 => Ok(()),
                _ => self.inner.sign_batch(&mut self.buffers.together),
            };
            let Buffers {
                pending,
                together,
                entries,
                ..
            } = &self.buffers;
            for ((job, time), entry) in (0..).zip(together.times()).zip(entries).take(together.done()) {
                signature.set(together.signature(job));
                batch.deliver_timed(&signature, time);
                if let Some((key, digest)) = *entry {
                    let signature = signature.bytes();
                    self.waiting = pending.push(&Entry::Signature { key, digest, signature });
                }
            }
            outcome?;
            if found {
                batch.deliver_timed(&of_journal, nanoseconds(began.elapsed()));
                self.took_over();
            }
            let now = Instant::now();
            if self.waiting >= FULL || now - self.written >= PAUSE {
                self.write(now)?;
            }
            // From one on, so that a token that is slow is noticed before much is asked of it.
            if wanted == most {
                let rate = most as u128 * PAUSE.as_nanos() / (now - began).as_nanos().max(1);
                most = usize::try_from(rate).unwrap_or(usize::MAX).clamp(1, most * 4);
            }
        }
        Ok(())
    }

    /// Puts the next jobs together, up to `most` and to one that the journal has a good signature for; whether there was such
    /// a one, whose signature is left in `out`.
    fn gather(&mut self, batch: &SignBatch, most: usize, out: &mut SignatureBuf) -> bool {
        let mut together = std::mem::take(&mut self.buffers.together);
        together.clear();
        self.buffers.entries.clear();
        let mut found = false;
        for job in (batch.done()..batch.len()).take(most) {
            let job = u32::try_from(job).unwrap_or(u32::MAX);
            let message = batch.message(job);
            let mut entry = None;
            if let Some(key) = self.key(batch.key(job)) {
                let digest = digest_of(&ToBeSigned::new(message), key.algorithm);
                if self.look_up(key, &digest, message, out) {
                    found = true;
                    break;
                }
                entry = Some((key.name, digest));
            }
            self.buffers.entries.push(entry);
            together.add(batch.key(job), |bytes| bytes.extend_from_slice(message));
        }
        self.buffers.together = together;
        found
    }

    fn key(&self, at: KeyIndex) -> Option<&'a Key> {
        self.store.keys.get(usize::from(at.0))
    }

    fn sign(&mut self, at: KeyIndex, message: &[u8], out: &mut SignatureBuf) -> Result<(), SignError> {
        let Some(key) = self.key(at) else {
            return self.inner.sign(at, &ToBeSigned::new(message), out);
        };
        let data = ToBeSigned::digested(message, key.algorithm);
        let digest = digest_of(&data, key.algorithm);
        if self.look_up(key, &digest, message, out) {
            self.took_over();
            return Ok(());
        }
        self.inner.sign(at, &data, out)?;
        let (key, signature) = (key.name, out.bytes());
        self.waiting = self.buffers.pending.push(&Entry::Signature { key, digest, signature });
        Ok(())
    }

    /// Whether the journal has a signature that is good, which is left in `out`.
    fn look_up(&mut self, key: &Key, digest: &Digest, message: &[u8], out: &mut SignatureBuf) -> bool {
        let (journal, found) = (self.journal, &mut self.buffers.found);
        if !journal.index.find(&journal.file, &key.name, digest, found) {
            return false;
        }
        let good = key
            .verifier
            .as_ref()
            .is_some_and(|verifier| verifier.verify(message, found).is_ok());
        if !good {
            journal.refuted.fetch_add(1, Ordering::Relaxed);
        }
        out.set(found);
        good
    }

    fn took_over(&self) {
        self.journal.reused.fetch_add(1, Ordering::Relaxed);
    }

    fn write(&mut self, now: Instant) -> Result<(), SignError> {
        self.written = now;
        self.waiting = 0;
        let written = self.journal.writer.write(&self.buffers.pending);
        written.map_err(|message| SignError::Store { message })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests;
