//! Measures how fast sessions sign: each on a thread of its own, one signature after another for a while. What is signed
//! means nothing; nothing is searched or opened meanwhile.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::mechanism::{DigestInfo, Hash, SignMechanism};
use crate::session::{KeySlot, SigningSession};

/// What sessions did together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// How many there were.
    pub sessions: usize,
    /// Signatures of all of them.
    pub signatures: u64,
    /// Wall time.
    pub elapsed: Duration,
    /// The latency that half of the signatures kept within.
    pub p50: Duration,
    /// Nine in ten.
    pub p90: Duration,
    /// Ninety-nine in a hundred.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Rate {
    /// Measures what these sessions do with the key in that slot of theirs, for at least `time` and one signature each. They
    /// are closed afterwards.
    ///
    /// # Errors
    /// The first fault of any session; nothing is tried again. [`Error::Input`] for a slot that is not theirs.
    pub fn measure(
        sessions: Vec<SigningSession>,
        slot: KeySlot,
        mechanism: SignMechanism,
        time: Duration,
    ) -> Result<Self> {
        let count = sessions.len();
        let start = Instant::now();
        let results: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
            let workers: Vec<_> = sessions
                .into_iter()
                .map(|session| scope.spawn(move || work(session, slot, mechanism, start, time)))
                .collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker.join().unwrap_or_else(|_| {
                        Err(Error::Input {
                            label: String::new(),
                            reason: "a worker met a fault of the program itself".to_owned(),
                        })
                    })
                })
                .collect()
        });
        let elapsed = start.elapsed();
        let mut latencies = Vec::new();
        for result in results {
            latencies.extend(result?);
        }
        latencies.sort_unstable();
        let at = |percent: usize| {
            let place = (latencies.len() * percent).div_ceil(100).saturating_sub(1);
            latencies.get(place).copied().unwrap_or_default()
        };
        Ok(Self {
            sessions: count,
            signatures: latencies.len() as u64,
            elapsed,
            p50: at(50),
            p90: at(90),
            p99: at(99),
            max: at(100),
        })
    }

    /// Signatures a second.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub fn per_second(&self) -> f64 {
        self.signatures as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

fn work(
    mut session: SigningSession,
    slot: KeySlot,
    mechanism: SignMechanism,
    start: Instant,
    time: Duration,
) -> Result<Vec<Duration>> {
    let kind = session
        .key(slot)
        .map(|key| key.kind())
        .ok_or_else(|| session.closed())?;
    let (mut latencies, mut out, mut text) = (Vec::new(), [0; 1024], [0_u8; 64]);
    loop {
        // Another message each time: a token could remember the last one's signature.
        let number = latencies.len() as u64;
        for (byte, new) in text.iter_mut().zip(number.to_be_bytes()) {
            *byte = new;
        }
        let info;
        let data = match (mechanism, kind.digest_len()) {
            (SignMechanism::Ecdsa, Some(length)) => text.get(..length).unwrap_or_default(),
            (SignMechanism::RsaPkcs, _) => {
                info = DigestInfo::new(Hash::Sha256, text.get(..32).unwrap_or_default());
                info.as_ref().map(AsRef::as_ref).unwrap_or_default()
            }
            _ => &text,
        };
        let began = Instant::now();
        session.sign(slot, mechanism, data, &mut out)?;
        latencies.push(began.elapsed());
        if start.elapsed() >= time {
            return Ok(latencies);
        }
    }
}
