//! A signer in front of another: what the journal has is taken from it, the rest is made and written down.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dnssec_sign::{
    Algorithm, Dnskey, KeyIndex, PublicKeyVerifier, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
use sha2::{Digest as _, Sha256};

use super::Journal;
use super::entry::{Digest, Entry, KeyName};
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

fn first_bytes<const N: usize>(digest: &[u8]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

/// What a worker writes in, which is used again for another batch.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// Entries that are not written yet.
    pending: Vec<u8>,
    /// A signature of the journal.
    found: Vec<u8>,
}

/// One worker's signer with a journal, for one batch.
pub(super) struct JournalSigner<'a> {
    journal: &'a Journal,
    store: &'a KeysOfStore,
    inner: &'a mut dyn Signer,
    buffers: Buffers,
    /// How many entries are not written yet.
    waiting: u64,
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
        let mut signature = SignatureBuf::default();
        let mut outcome = Ok(());
        let mut last = self.written;
        while let Some((key, message)) = batch.next_job() {
            outcome = self.sign(key, message, &mut signature);
            if outcome.is_err() {
                break;
            }
            match self.store.timing {
                Timing::Each => {
                    let now = Instant::now();
                    let took = u32::try_from((now - last).as_nanos()).unwrap_or(u32::MAX);
                    batch.deliver_timed(&signature, took);
                    last = now;
                }
                Timing::Batch => {
                    batch.deliver(&signature);
                    if batch.done().is_multiple_of(EVERY) {
                        last = Instant::now();
                    }
                }
            }
            if self.buffers.pending.len() >= FULL || last - self.written >= PAUSE {
                outcome = self.write(last);
                if outcome.is_err() {
                    break;
                }
            }
        }
        // What was made before a fault is kept too.
        let kept = self.write(last);
        outcome.and(kept)
    }

    fn sign(&mut self, at: KeyIndex, message: &[u8], out: &mut SignatureBuf) -> Result<(), SignError> {
        let Some(key) = self.store.keys.get(usize::from(at.0)) else {
            return self.inner.sign(at, &ToBeSigned::new(message), out);
        };
        let data = ToBeSigned::digested(message, key.algorithm);
        let digest: Digest = match data.digest(key.algorithm) {
            Some(digest) => first_bytes(digest.as_ref()),
            None => first_bytes(&Sha256::digest(message)),
        };
        if self.look_up(key, &digest, message, out) {
            return Ok(());
        }
        self.inner.sign(at, &data, out)?;
        let (key, signature) = (key.name, out.bytes());
        Entry::Signature { key, digest, signature }.write(&mut self.buffers.pending);
        self.waiting += 1;
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
        let count = if good { &journal.reused } else { &journal.refuted };
        count.fetch_add(1, Ordering::Relaxed);
        out.set(found);
        good
    }

    fn write(&mut self, now: Instant) -> Result<(), SignError> {
        self.written = now;
        if self.waiting == 0 {
            return Ok(());
        }
        let written = self.journal.writer.append(&self.buffers.pending, self.waiting);
        self.buffers.pending.clear();
        self.waiting = 0;
        written.map_err(|message| SignError::Store { message })
    }
}
