//! Signatures verified as they come from their keys, where what is written is not verified: the first of every batch that a
//! signer takes and every 64th of it. So a key that signs wrongly is noticed at once, at the cost of less than one
//! microsecond a signature. What is written is not read here; lengths and RSA are the token's own checks.

use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::{PublicKeyVerifier, SignBatch, ToBeSigned};

use crate::config::{SignConfig, SigningKeys, Store, VerifyLevel};
use crate::error::Error;

/// One signature in so many is verified.
const EVERY: usize = 64;

/// The keys that samples are verified with, by store and place in it.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// None where every signature is verified in what was written.
    verifiers: Option<Vec<Vec<Option<PublicKeyVerifier>>>>,
    verified: AtomicU64,
}

impl Samples {
    /// As the configuration has it: nothing is sampled where all is verified.
    pub(crate) fn new(config: &SignConfig, keys: &SigningKeys) -> Self {
        let of = |store: &Store| {
            let keys = store.keys.keys().iter();
            keys.map(|dnskey| PublicKeyVerifier::new(dnskey).ok()).collect()
        };
        let verifiers = match config.verify {
            VerifyLevel::Full => None,
            VerifyLevel::Structure | VerifyLevel::None => Some(keys.stores.iter().map(of).collect()),
        };
        Self {
            verifiers,
            verified: AtomicU64::new(0),
        }
    }

    /// How many were verified.
    pub(crate) fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// Samples the signatures that a signer of store `at` has just made: those of the jobs from `before` on.
    ///
    /// # Errors
    /// [`Error::Verification`] for a signature that is wrong, with its set, key and store.
    pub(crate) fn check(&self, at: usize, store: &Store, batch: &SignBatch, before: usize) -> Result<(), Error> {
        let Some(verifiers) = self.verifiers.as_ref().and_then(|stores| stores.get(at)) else {
            return Ok(());
        };
        for job in (before..batch.done()).filter(|&job| job == before || job % EVERY == 0) {
            let Ok(job) = u32::try_from(job) else { break };
            let key = usize::from(batch.key(job).0);
            let Some(Some(verifier)) = verifiers.get(key) else {
                continue;
            };
            if verifier.verify(batch.message(job), batch.signature(job)).is_err() {
                return Err(wrong(store, key, batch.message(job)));
            }
            self.verified.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn wrong(store: &Store, key: usize, message: &[u8]) -> Error {
    let set = match ToBeSigned::new(message).set() {
        Some((owner, rtype)) => format!("{owner} {rtype}"),
        None => "a set".to_owned(),
    };
    let key = match store.keys.keys().get(key) {
        Some(dnskey) => format!("{}/{}", dnskey.algorithm(), dnskey.key_tag()),
        None => "?".to_owned(),
    };
    Error::Verification(format!(
        "{}: the signature over {set} by key {key} does not verify as it came from there; nothing was published. Look \
         at the key and what holds it: --verify full tells all signatures that are wrong",
        store.name
    ))
}
