//! A signer in front of another: what the journal has is taken from it, the rest is made and written down.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dnssec_sign::{Dnskey, KeyIndex, PublicKeyVerifier, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned};
use sha2::{Digest as _, Sha256};

use super::Journal;
use super::entry::{Digest, Entry, KeyName};

/// Signatures wait so long at most before they are written: a token may take long for a batch.
const PAUSE: Duration = Duration::from_millis(25);

/// A key as the journal names it, ready to check its signatures.
pub(super) struct Key {
    name: KeyName,
    verifier: Option<PublicKeyVerifier>,
}

impl Key {
    pub(super) fn new(dnskey: &Dnskey) -> Self {
        let digest: Digest = Sha256::digest(dnskey.rdata()).into();
        Self {
            name: digest.first_chunk().copied().unwrap_or_default(),
            verifier: PublicKeyVerifier::new(dnskey).ok(),
        }
    }
}

/// One worker's signer with a journal, for one batch.
pub(super) struct JournalSigner<'a> {
    journal: &'a Journal,
    keys: &'a [Key],
    inner: &'a mut dyn Signer,
    /// Entries that are not written yet.
    pending: Vec<u8>,
    waiting: u64,
    /// When something was written last.
    written: Instant,
    found: Vec<u8>,
}

impl<'a> JournalSigner<'a> {
    pub(super) fn new(journal: &'a Journal, keys: &'a [Key], inner: &'a mut dyn Signer) -> Self {
        Self {
            journal,
            keys,
            inner,
            pending: Vec::new(),
            waiting: 0,
            written: Instant::now(),
            found: Vec::new(),
        }
    }

    /// Signs what is not done yet, in order, with the time that each signature took.
    pub(super) fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let mut signature = SignatureBuf::default();
        let mut outcome = Ok(());
        let mut began = self.written;
        while let Some((key, message)) = batch.next_job() {
            outcome = self.sign(key, message, &mut signature);
            let now = Instant::now();
            if outcome.is_ok() {
                let took = u32::try_from((now - began).as_nanos()).unwrap_or(u32::MAX);
                batch.deliver_timed(&signature, took);
                if now - self.written >= PAUSE {
                    outcome = self.write(now);
                }
            }
            if outcome.is_err() {
                break;
            }
            began = now;
        }
        // What was made before a fault is kept too.
        let kept = self.write(began);
        outcome.and(kept)
    }

    fn sign(&mut self, key: KeyIndex, message: &[u8], out: &mut SignatureBuf) -> Result<(), SignError> {
        let digest: Digest = Sha256::digest(message).into();
        if self.look_up(key, &digest, message, out) {
            return Ok(());
        }
        self.inner.sign(key, &ToBeSigned::new(message), out)?;
        if let Some(key) = self.keys.get(usize::from(key.0)) {
            let (key, signature) = (key.name, out.bytes());
            Entry::Signature { key, digest, signature }.write(&mut self.pending);
            self.waiting += 1;
        }
        Ok(())
    }

    /// Whether the journal has a signature that is good, which is left in `out`.
    fn look_up(&mut self, key: KeyIndex, digest: &Digest, message: &[u8], out: &mut SignatureBuf) -> bool {
        let journal = self.journal;
        let Some(key) = self.keys.get(usize::from(key.0)) else {
            return false;
        };
        if !journal.index.find(&journal.file, &key.name, digest, &mut self.found) {
            return false;
        }
        let good = key
            .verifier
            .as_ref()
            .is_some_and(|verifier| verifier.verify(message, &self.found).is_ok());
        let count = if good { &journal.reused } else { &journal.refuted };
        count.fetch_add(1, Ordering::Relaxed);
        out.set(&self.found);
        good
    }

    fn write(&mut self, now: Instant) -> Result<(), SignError> {
        self.written = now;
        if self.waiting == 0 {
            return Ok(());
        }
        let written = self.journal.writer.append(&self.pending, self.waiting);
        self.pending.clear();
        self.waiting = 0;
        written.map_err(|message| SignError::Store { message })
    }
}
