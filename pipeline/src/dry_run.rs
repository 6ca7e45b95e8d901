//! What a run would cost, from one that planned everything and signed nothing: calls to tokens from the counts of
//! signatures, and time from a measurement of each store for two seconds. The signatures of the measurement are over bytes
//! that no RRSIG covers and are thrown away.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dnssec_sign::{Algorithm, KeyIndex, PublicKeyVerifier, SignBatch};
use rayon::ThreadPool;

use crate::config::{SignConfig, Store, StoreKind, VerifyLevel};
use crate::emit::{Emission, StoreBatch};
use crate::error::Error;
use crate::observer::Observer;
use crate::report::{DryRun, Report, StoreEstimate};
use crate::signing::{Hall, Round, Written};
use crate::tally::Tally;

/// How long each store is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// A measurement of its own takes at least so long; shorter ones only say how much to ask for.
const LEAST: Duration = Duration::from_millis(250);
/// So long signatures are verified to know what that costs.
const VERIFIED: Duration = Duration::from_millis(100);
/// Jobs of a batch, few enough that a token of ten signatures a second is not asked for too many.
const JOBS: u64 = 16;
/// What is signed: the type and algorithm in front are 0, which no RRSIG has (RFC 4034 3.1).
const MESSAGE: [u8; 160] = [0; 160];
/// C_SignInit and C_Sign.
const CALLS: u64 = 2;

/// Batches of one store for one key.
struct Trial {
    store: usize,
    key: KeyIndex,
    batches: usize,
    /// One of the signatures, to be verified.
    sample: Mutex<Option<Vec<u8>>>,
}

impl Round for Trial {
    type Scratch = ();

    fn len(&self) -> usize {
        self.batches
    }

    fn scratch(&self) -> Self::Scratch {}

    fn plan(&self, _: usize, _: Vec<u8>, (): &mut Self::Scratch) -> Result<Emission, Error> {
        let mut jobs = SignBatch::new();
        for _ in 0..JOBS {
            jobs.add(self.key, |message| message.extend_from_slice(&MESSAGE));
        }
        let mut emission = Emission::default();
        emission.batches.push(StoreBatch {
            store: self.store,
            jobs,
        });
        Ok(emission)
    }

    fn write(&self, index: usize, emission: Emission) -> Result<(Vec<u8>, Written), Error> {
        if index == 0
            && let Some(batch) = emission.batches.first()
        {
            let signature = batch.jobs.signature(0).to_vec();
            *self.sample.lock().unwrap_or_else(PoisonError::into_inner) = Some(signature);
        }
        Ok((emission.text, Written::Done))
    }

    fn verify(&self, _: usize, (): &mut Self::Scratch) -> Result<(), Error> {
        Ok(())
    }
}

/// What was measured of a key: the zones of a run share it, so that they neither wait for each other's measurements nor disturb
/// them.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Signatures a second.
    signing: f64,
    /// Seconds that a verification takes on one thread.
    verification: f64,
}

/// The measurements of a run, by store and algorithm.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<BTreeMap<(usize, Algorithm), Rate>>);

impl Rates {
    /// What was measured, or else what `measure` finds out while nobody else measures.
    fn of(&self, what: (usize, Algorithm), measure: impl FnOnce() -> Result<Rate, Error>) -> Result<Rate, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = known.get(&what) {
            return Ok(*rate);
        }
        let rate = measure()?;
        known.insert(what, rate);
        Ok(rate)
    }
}

/// Measures the stores that would sign, and puts together what the run would cost.
///
/// # Errors
/// Those of signing.
pub(crate) fn estimate(
    config: &SignConfig,
    report: &Report,
    tally: &Tally,
    stores: &[Store],
    hall: &Hall<'_>,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Result<DryRun, Error> {
    let signatures = tally.signatures();
    let mut dry_run = DryRun::default();
    let mut on_tokens: f64 = 0.0;
    for (at, store) in stores.iter().enumerate() {
        let own = signatures.iter().filter(|((place, _), _)| *place == at);
        let total: u64 = own.clone().map(|(_, count)| count).sum();
        // The key with the most to do stands for all.
        let Some(((_, key), _)) = own.max_by_key(|(_, count)| **count) else {
            continue;
        };
        let Some(dnskey) = store.keys.keys().get(usize::from(key.0)) else {
            continue;
        };
        let rate = hall.rates().of((at, dnskey.algorithm()), || {
            let (signing, sample) = measure(at, *key, hall, pool, observer)?;
            let verifier = PublicKeyVerifier::new(dnskey).ok();
            Ok(Rate {
                signing,
                verification: verifier.map_or(0.0, |verifier| verification(&verifier, &sample)),
            })
        })?;
        let seconds = total as f64 / rate.signing;
        let is_token = matches!(store.kind, StoreKind::Token { .. });
        if is_token {
            on_tokens += seconds;
        }
        if config.verify == VerifyLevel::Full {
            dry_run.verifying += total as f64 * rate.verification / pool.current_num_threads() as f64;
        }
        dry_run.stores.push(StoreEstimate {
            store: store.name.clone(),
            signatures: total,
            calls: if is_token { CALLS * total } else { 0 },
            rate: rate.signing,
            seconds,
        });
    }
    let signing: f64 = dry_run.stores.iter().map(|store| store.seconds).sum();
    dry_run.planning = report.stages.sign.as_secs_f64();
    let load = report.stages.load.as_secs_f64();
    let host = dry_run.planning + dry_run.verifying + signing - on_tokens;
    dry_run.at_best = load + host.max(on_tokens);
    dry_run.at_worst = load + host + on_tokens;
    Ok(dry_run)
}

/// Signatures a second of one key, and one of them.
fn measure(
    store: usize,
    key: KeyIndex,
    hall: &Hall<'_>,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Result<(f64, Vec<u8>), Error> {
    let began = Instant::now();
    let mut trial = Trial {
        store,
        key,
        batches: 2 * pool.current_num_threads(),
        sample: Mutex::default(),
    };
    let (mut made, mut took) = (0, Duration::ZERO);
    while made == 0 || began.elapsed() < MEASURED {
        let start = Instant::now();
        hall.run(&trial, pool, observer)?;
        let elapsed = start.elapsed();
        if elapsed < LEAST && began.elapsed() < MEASURED {
            // Too short to say more than that there can be more at once.
            trial.batches *= 2;
            continue;
        }
        made += JOBS * trial.batches as u64;
        took += elapsed;
    }
    let sample = trial.sample.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((made as f64 / took.as_secs_f64().max(1e-9), sample.unwrap_or_default()))
}

/// Seconds that a verification takes on one thread.
fn verification(verifier: &PublicKeyVerifier, signature: &[u8]) -> f64 {
    let began = Instant::now();
    let mut count = 0u32;
    while began.elapsed() < VERIFIED {
        if verifier.verify(&MESSAGE, signature).is_err() {
            return 0.0;
        }
        count += 1;
    }
    began.elapsed().as_secs_f64() / f64::from(count.max(1))
}
