//! Signatures verified as they come from their keys, where what is written is not verified: the first of every key, and of
//! those after it one in a fixed number. So a key that signs wrongly is noticed at once, at the cost of about one percent of
//! an ECDSA signature on disk. What is written is not read here; lengths and RSA are the token's own checks.

use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::{Dnskey, PublicKeyVerifier, SignBatch, ToBeSigned};

use crate::config::{SignConfig, SigningKeys, Store, StoreKind, VerifyLevel};
use crate::error::Error;

/// Of the signatures of a key in this process's memory, one in so many is verified.
const EVERY_ON_DISK: u64 = 256;
/// Of those of a key on a token.
const EVERY_ON_TOKEN: u64 = 64;

/// The keys that samples are verified with.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// By store; none where every signature is verified in what was written.
    stores: Option<Vec<Sampled>>,
    verified: AtomicU64,
}

/// A store's keys.
#[derive(Debug)]
struct Sampled {
    every: u64,
    /// By place in the store; none for a key that nothing here can verify.
    keys: Vec<Option<SampledKey>>,
}

#[derive(Debug)]
struct SampledKey {
    verifier: PublicKeyVerifier,
    /// Signatures that it has made.
    made: AtomicU64,
}

impl Samples {
    /// As the configuration has it: nothing is sampled where all is verified.
    pub(crate) fn new(config: &SignConfig, keys: &SigningKeys) -> Self {
        let key = |dnskey: &Dnskey| {
            Some(SampledKey {
                verifier: PublicKeyVerifier::new(dnskey).ok()?,
                made: AtomicU64::new(0),
            })
        };
        let of = |store: &Store| Sampled {
            every: match store.kind {
                StoreKind::Software => EVERY_ON_DISK,
                StoreKind::Token { .. } => EVERY_ON_TOKEN,
            },
            keys: store.keys.keys().iter().map(key).collect(),
        };
        let stores = match config.verify {
            VerifyLevel::Full => None,
            VerifyLevel::Structure | VerifyLevel::None => Some(keys.stores.iter().map(of).collect()),
        };
        Self {
            stores,
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
        let Some(sampled) = self.stores.as_ref().and_then(|stores| stores.get(at)) else {
            return Ok(());
        };
        let done = u32::try_from(batch.done()).unwrap_or(u32::MAX);
        let mut job = u32::try_from(before).unwrap_or(u32::MAX);
        while job < done {
            let key = batch.key(job);
            let end = (job..done).find(|&other| batch.key(other) != key).unwrap_or(done);
            let place = usize::from(key.0);
            if let Some(Some(sampled_key)) = sampled.keys.get(place) {
                let made = sampled_key.made.fetch_add(u64::from(end - job), Ordering::Relaxed);
                for (_, job) in (made..).zip(job..end).filter(|(made, _)| made % sampled.every == 0) {
                    if sampled_key
                        .verifier
                        .verify(batch.message(job), batch.signature(job))
                        .is_err()
                    {
                        return Err(wrong(store, place, batch.message(job)));
                    }
                    self.verified.fetch_add(1, Ordering::Relaxed);
                }
            }
            job = end;
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
