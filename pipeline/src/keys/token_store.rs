//! The adapter between a token's sessions and the signer's seam: DNSSEC's bytes to sign become what the token's plain
//! mechanism takes, and its faults become what the run does next. Which keys and how many sessions is decided
//! by the caller; what a session is, and that a signature has its length and (RSA) verifies, is `hsm-core`'s.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use dnssec_sign::{
    Algorithm, Dnskey, KeyIndex, KeyStore, MAX_SIGNATURE_LENGTH, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
use hsm_core::{
    DigestInfo, FaultClass, Hash, KeySlot, LoggedIn, Pool, SessionCopy, SignMechanism, SigningSession, TokenKey,
};

use crate::error::Error;
use crate::report::TokenReport;

/// Keys on one token, found and proven, with a session for each worker.
pub struct TokenStore {
    name: String,
    keys: Vec<Dnskey>,
    loaded: Vec<Loaded>,
    pool: Mutex<Pool>,
    sessions: usize,
    report: TokenReport,
    // Behind the sessions, which it guards: fields are dropped in order.
    login: LoggedIn,
}

/// What a worker has to know of a key.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    slot: KeySlot,
    algorithm: Algorithm,
    tag: u16,
}

impl TokenStore {
    /// Opens up to `sessions` sessions, loads the keys into each and proves them by verified signatures. Each key comes
    /// with the DNSKEY that it is to sign for, whose public half must be the token's.
    ///
    /// # Errors
    /// [`Error::Hsm`] when a key cannot be loaded or proven, [`Error::Input`] for a key that no RRSIG is made with here.
    pub fn open(
        login: &LoggedIn,
        keys: Vec<(TokenKey, Dnskey)>,
        sessions: usize,
        copy: SessionCopy,
    ) -> Result<Self, Error> {
        for (token_key, dnskey) in &keys {
            recipe(dnskey.algorithm()).ok_or_else(|| {
                Error::Input(format!(
                    "key {} '{}' is for algorithm {}, which this build does not sign with",
                    dnskey.key_tag(),
                    token_key.label(),
                    dnskey.algorithm()
                ))
            })?;
            if token_key.kind().signature_len() > MAX_SIGNATURE_LENGTH {
                return Err(Error::Input(format!(
                    "key {} '{}' is of type {}; RSA keys of up to 4096 bits are served",
                    dnskey.key_tag(),
                    token_key.label(),
                    token_key.kind()
                )));
            }
        }
        let (token_keys, keys): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let pool = Pool::open(login, sessions, &token_keys, copy)?;
        let loaded = keys.iter().enumerate().map(|(at, dnskey)| {
            Ok(Loaded {
                slot: pool
                    .slot(at)
                    .ok_or_else(|| Error::Token(format!("key {} got no slot", dnskey.key_tag())))?,
                algorithm: dnskey.algorithm(),
                tag: dnskey.key_tag(),
            })
        });
        let loaded = loaded.collect::<Result<_, Error>>()?;
        let name = format!("token '{}'", login.token().info().label);
        Ok(Self {
            report: TokenReport::of(&name, login, &token_keys, pool.opened()),
            name,
            sessions: pool.opened(),
            keys,
            loaded,
            pool: Mutex::new(pool),
            login: login.clone(),
        })
    }

    /// The token's name, for messages and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a report says of the token and its keys.
    #[must_use]
    pub fn report(&self) -> &TokenReport {
        &self.report
    }

    /// How many sessions are open: so many signers there are.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions
    }
}

impl KeyStore for TokenStore {
    fn keys(&self) -> &[Dnskey] {
        &self.keys
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let taken = self.pool.lock().unwrap_or_else(PoisonError::into_inner).take();
        let session = taken.ok_or_else(|| SignError::Worker {
            message: format!("{}: all {} sessions are in use", self.name, self.sessions),
        })?;
        Ok(Box::new(TokenSigner {
            session,
            keys: self.loaded.clone(),
        }))
    }

    fn stop(&self) {
        self.login.stop();
    }
}

/// One session and the keys loaded in it.
struct TokenSigner {
    session: SigningSession,
    keys: Vec<Loaded>,
}

impl Signer for TokenSigner {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        let Some(&key) = self.keys.get(usize::from(key.0)) else {
            return Err(SignError::Job {
                message: format!("no key {} in this store", key.0),
            });
        };
        if self.session.login().stopped() {
            let message = format!("{}: no more signatures are wanted", key.tag);
            return Err(SignError::Store { message });
        }
        attempt(&mut self.session, key, data, out).map_err(|error| sign_error(key, &error))
    }

    /// One by one, with the time that each took.
    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        let mut signature = SignatureBuf::default();
        let mut began = Instant::now();
        while let Some((key, message)) = batch.next_job() {
            self.sign(key, &ToBeSigned::new(message), &mut signature)?;
            let now = Instant::now();
            let took = u32::try_from((now - began).as_nanos()).unwrap_or(u32::MAX);
            batch.deliver_timed(&signature, took);
            began = now;
        }
        Ok(())
    }
}

/// The mechanism that an algorithm is made with, and its hash where RSA's DigestInfo names one.
fn recipe(algorithm: Algorithm) -> Option<(SignMechanism, Option<Hash>)> {
    Some(match algorithm {
        Algorithm::RSASHA256 => (SignMechanism::RsaPkcs, Some(Hash::Sha256)),
        Algorithm::RSASHA512 => (SignMechanism::RsaPkcs, Some(Hash::Sha512)),
        Algorithm::ECDSAP256SHA256 | Algorithm::ECDSAP384SHA384 => (SignMechanism::Ecdsa, None),
        Algorithm::ED25519 => (SignMechanism::Eddsa, None),
        _ => return None,
    })
}

/// The host hashes; the token gets a digest (RFC 6605), a DigestInfo (RFC 5702 3) or the message (RFC 8080 4).
fn attempt(
    session: &mut SigningSession,
    key: Loaded,
    data: &ToBeSigned<'_>,
    out: &mut SignatureBuf,
) -> hsm_core::Result<()> {
    let misfit = || hsm_core::Error::Input {
        label: format!("key tag {}", key.tag),
        reason: format!("algorithm {} is not one that a token signs with here", key.algorithm),
    };
    let (mechanism, hash) = recipe(key.algorithm).ok_or_else(misfit)?;
    let length = match (data.digest(key.algorithm), hash) {
        (Some(digest), Some(hash)) => {
            let info = DigestInfo::new(hash, digest.as_ref()).ok_or_else(misfit)?;
            session.sign_through(key.slot, mechanism, info.as_ref(), out.room())?
        }
        (Some(digest), None) => session.sign_through(key.slot, mechanism, digest.as_ref(), out.room())?,
        (None, _) => session.sign_through(key.slot, mechanism, data.message(), out.room())?,
    };
    out.set_length(length);
    Ok(())
}

/// What the run does next, by the class of the fault that the recovery ladder ended with.
fn sign_error(key: Loaded, error: &hsm_core::Error) -> SignError {
    let message = format!("signing with key {}/{}: {error}", key.algorithm, key.tag);
    match error.class() {
        _ if matches!(error, hsm_core::Error::Input { .. }) => SignError::Job { message },
        // Other sessions may be open while this one cannot be had again.
        FaultClass::SessionLimit => SignError::Worker { message },
        _ => SignError::Store { message },
    }
}
