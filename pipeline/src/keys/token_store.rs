//! The adapter between sessions on tokens and the signer's seam: DNSSEC's bytes to sign become what the token's mechanism
//! takes, and its faults become what the run does next. Several tokens with the same keys are one store: each session
//! takes the next work when it is done with the last, so the faster token gets more, and a token that is lost, or hangs,
//! leaves its work to the others until it is back. Which keys, tokens and how many sessions is decided by the caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dnssec_sign::{
    Algorithm, Dnskey, KeyIndex, KeyStore, MAX_SIGNATURE_LENGTH, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
use hsm_core::{
    DigestInfo, FaultClass, KeySlot, LibraryUse, LoggedIn, Pace, Pool, ProvenOn, SessionCopy, SigningSession, TokenKey,
};

use super::offload::{Given, Hasher, Offload, Recipe, left_to_host, recipe, verifies};
use super::overseen::{OverseenSigner, unless_it_hangs};
use super::regain::{self, Absence, Regained, Sought};
use super::token_tally::{self, TokenTally, least_busy_first};
use crate::error::Error;
use crate::report::TokenReport;

/// How the sessions of a store are used.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// Sessions to begin with, a token.
    pub sessions: usize,
    /// Whether keys are copied to session objects.
    pub copy: SessionCopy,
    /// How much of the work the token is given.
    pub offload: Offload,
    /// The limit of signatures a second, shared with other stores.
    pub pace: Option<Arc<Pace>>,
}

/// Keys on one token, or on several that all hold them, found and proven, with a session for each worker.
pub struct TokenStore {
    name: String,
    keys: Vec<Dnskey>,
    members: Arc<[Member]>,
    offload: Offload,
    pace: Option<Arc<Pace>>,
}

/// One token of a store.
pub(super) struct Member {
    loaded: Vec<Loaded>,
    pool: Mutex<Pool>,
    pub(super) tally: Arc<TokenTally>,
    /// Sessions to begin with.
    sessions: usize,
    absence: Mutex<Absence>,
    // Behind the sessions, which it guards: fields are dropped in order.
    pub(super) login: LoggedIn,
}

/// What a worker has to know of a key.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    slot: KeySlot,
    algorithm: Algorithm,
    tag: u16,
    recipe: Recipe,
    /// Whether the PIN is typed on the token's pad for each signature.
    by_hand: bool,
}

impl TokenStore {
    /// Opens sessions on each token, loads its keys into each and proves them by verified signatures. Each login comes with
    /// its token's own keys, in the order of `keys`, the DNSKEYs that they are to sign for and whose public halves must
    /// be the tokens'. A further token on which a call hangs meanwhile is done without.
    ///
    /// # Errors
    /// [`Error::Hsm`] when a key cannot be loaded or proven, [`Error::Input`] for a key that no RRSIG is made with here,
    /// [`Error::Token`] for one that the token has no mechanism for.
    pub fn open(
        logins: Vec<(LoggedIn, Vec<TokenKey>)>,
        keys: Vec<Dnskey>,
        options: &StoreOptions,
    ) -> Result<Self, Error> {
        let several = logins.len() > 1;
        let mut members = Vec::with_capacity(logins.len());
        for (login, token_keys) in logins {
            // Nobody waits for it while others can do its work.
            login.set_expendable(several);
            if members.is_empty() {
                members.push(Member::open(login, token_keys, &keys, options)?);
                continue;
            }
            let (module, patience) = (Arc::clone(login.token().module()), login.patience());
            let (keys, options) = (keys.clone(), options.clone());
            let open = move || Member::open(login, token_keys, &keys, &options);
            match unless_it_hangs(Some(&module), patience, open) {
                Ok(member) => members.push(member?),
                Err(hangs) => tracing::warn!("{hangs}: the run goes on without it"),
            }
        }
        if let ([only], true) = (&members[..], several) {
            only.login.set_expendable(false);
        }
        let names: Vec<&str> = members.iter().map(|member| member.tally.name()).collect();
        Ok(Self {
            name: names.join(" and "),
            keys,
            members: members.into(),
            offload: options.offload,
            pace: options.pace.clone(),
        })
    }

    /// The tokens' names, for messages and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many sessions are open: so many signers there are at once. More may be had one by one.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.members.iter().map(|member| member.pool().opened()).sum()
    }

    /// Eight random bytes of a token's own (C_GenerateRandom), where tokens are given all that they can do.
    pub(super) fn random(&self) -> Option<Vec<u8>> {
        let mut members = self.members.iter().filter(|_| self.offload == Offload::All);
        members.find_map(|member| member.login.random(8).ok())
    }

    /// The keys whose PIN is typed on a token's pad for each signature.
    pub(super) fn by_hand(&self) -> Vec<KeyIndex> {
        let typed = |at: &usize| {
            let mut loaded = self.members.iter().filter_map(|member| member.loaded.get(*at));
            loaded.any(|key| key.by_hand)
        };
        let typed = (0..self.keys.len()).filter(typed);
        typed.filter_map(|at| u16::try_from(at).ok().map(KeyIndex)).collect()
    }

    /// Says whether other tokens stand ready to do the work of those here.
    pub(super) fn set_expendable(&self, expendable: bool) {
        self.members
            .iter()
            .for_each(|member| member.login.set_expendable(expendable));
    }

    /// What each token did.
    #[must_use]
    pub fn tallies(&self) -> Vec<Arc<TokenTally>> {
        self.members.iter().map(|member| Arc::clone(&member.tally)).collect()
    }
}

impl Drop for TokenStore {
    fn drop(&mut self) {
        regain::settle(&self.members);
    }
}

impl Member {
    fn open(
        login: LoggedIn,
        token_keys: Vec<TokenKey>,
        keys: &[Dnskey],
        options: &StoreOptions,
    ) -> Result<Self, Error> {
        let token = login.token().clone();
        let name = format!("token '{}'", token.info().label);
        let mut host = Vec::new();
        let mut recipes = Vec::with_capacity(keys.len());
        for (token_key, dnskey) in token_keys.iter().zip(keys) {
            if super::offload::mechanisms_of(dnskey.algorithm()).is_none() {
                return Err(Error::Input(format!(
                    "key {} '{}' is for algorithm {}, which this build does not sign with",
                    dnskey.key_tag(),
                    token_key.label(),
                    dnskey.algorithm()
                )));
            }
            if token_key.kind().signature_len() > MAX_SIGNATURE_LENGTH {
                return Err(Error::Input(format!(
                    "key {} '{}' is of type {}; RSA keys of up to 4096 bits are served",
                    dnskey.key_tag(),
                    token_key.label(),
                    token_key.kind()
                )));
            }
            let recipe = recipe(&token, Some(token_key), dnskey.algorithm(), options.offload).map_err(|missing| {
                Error::Token(format!(
                    "{name} cannot sign with algorithm {}: it has {missing}",
                    dnskey.algorithm()
                ))
            })?;
            if options.offload == Offload::All {
                for left in left_to_host(&token, dnskey.algorithm(), recipe) {
                    if !host.contains(&left) {
                        host.push(left);
                    }
                }
            }
            recipes.push(recipe);
        }
        if options.offload == Offload::All && !token.info().flags.random() {
            host.push("random numbers: the token has no C_GenerateRandom (CKF_RNG)".to_owned());
        }
        let mut report = TokenReport::of(&name, &login, &token_keys);
        report.host = host;
        let always: Vec<bool> = token_keys.iter().map(TokenKey::always_authenticate).collect();
        let proven = token_keys
            .into_iter()
            .zip(&recipes)
            .map(|(key, recipe)| (key, recipe.mechanism))
            .collect();
        let mut pool = Pool::open_by(&login, options.sessions, proven, options.copy)?;
        let mut loaded = Vec::with_capacity(keys.len());
        for (at, (dnskey, recipe)) in keys.iter().zip(recipes).enumerate() {
            let slot = pool
                .slot(at)
                .ok_or_else(|| Error::Token(format!("key {} got no slot", dnskey.key_tag())))?;
            loaded.push(Loaded {
                slot,
                algorithm: dnskey.algorithm(),
                tag: dnskey.key_tag(),
                recipe,
                by_hand: login.by_pad() && always.get(at).copied().unwrap_or_default(),
            });
        }
        if options.offload == Offload::All
            && let Some(mut session) = pool.take()
        {
            for key in &loaded {
                if verifies(&token, key.recipe.mechanism) {
                    session.prove_by(key.slot, key.recipe.mechanism, ProvenOn::Token)?;
                }
            }
            pool.put(session)?;
        }
        Ok(Self {
            tally: Arc::new(TokenTally::new(report)),
            sessions: options.sessions.max(1),
            absence: Mutex::default(),
            login,
            loaded,
            pool: Mutex::new(pool),
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Regained for Member {
    fn tally(&self) -> &TokenTally {
        &self.tally
    }

    fn absence(&self) -> MutexGuard<'_, Absence> {
        self.absence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_for(members: &[Self], at: usize) -> Sought {
        let member = &members[at];
        let module = member.login.token().module();
        let others = members.iter().enumerate().any(|(other, present)| {
            other != at && !present.tally.is_lost() && Arc::ptr_eq(present.login.token().module(), module)
        });
        let library = if others { LibraryUse::Shared } else { LibraryUse::Alone };
        // Those that have not noticed the loss open their sessions again by themselves.
        let missing = member.sessions.saturating_sub(member.tally.sessions());
        let found = member.login.rejoin(library).and_then(|()| {
            if missing > 0 {
                member.pool().renew(missing)?;
            }
            Ok(())
        });
        match found {
            Ok(()) => Sought::Found(missing),
            Err(error) if error.class() == FaultClass::PinRefused => Sought::Never,
            Err(error) => {
                tracing::debug!(token = member.tally.name(), %error, "the token is not back yet");
                Sought::NotYet
            }
        }
    }

    fn patience(&self) -> Duration {
        self.login.patience()
    }

    fn stopped(&self) -> bool {
        self.login.stopped()
    }

    fn stop(&self) {
        self.login.stop();
    }

    fn leave_behind(&self) {
        self.login.leave_behind();
    }

    fn has_company(&self) {
        self.login.set_expendable(true);
    }
}

impl KeyStore for TokenStore {
    fn keys(&self) -> &[Dnskey] {
        &self.keys
    }

    /// A session that is open, of the token that has the fewest at work, else one opened now.
    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let order = least_busy_first(&self.members, |member| &member.tally);
        let mut message = format!("{}: all sessions are in use", self.name);
        for at in order {
            let member = &self.members[at];
            let mut pool = member.pool();
            let session = match pool.take() {
                Some(session) => Ok(Some(session)),
                None => pool.grow().map(|_| pool.take()),
            };
            drop(pool);
            match session {
                Ok(Some(session)) => {
                    let at_work = AtWork::begin(member);
                    let signer = TokenSigner {
                        session,
                        at,
                        members: Arc::clone(&self.members),
                        pace: self.pace.clone(),
                    };
                    if self.members.len() > 1 {
                        return Ok(Box::new(OverseenSigner::start(signer, at_work)?));
                    }
                    return Ok(Box::new(Lone(signer, at_work)));
                }
                Ok(None) => {}
                Err(error) => message = format!("{}: {error}", member.tally.name()),
            }
        }
        Err(SignError::Worker { message })
    }

    fn stop(&self) {
        self.members.iter().for_each(|member| member.login.stop());
    }

    fn regain(&self) -> usize {
        regain::look(&self.members)
    }
}

/// A session that is counted as at work until this is dropped.
pub(super) struct AtWork(Arc<TokenTally>);

impl AtWork {
    fn begin(member: &Member) -> Self {
        member.tally.begin_session();
        Self(Arc::clone(&member.tally))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.end_session();
    }
}

/// A signer on the only token, at work.
struct Lone(
    TokenSigner,
    #[allow(dead_code, reason = "counts until it is dropped")] AtWork,
);

impl Signer for Lone {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        self.0.sign(key, data, out)
    }

    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        self.0.sign_batch(batch)
    }
}

/// Notes that a token is lost, for whoever comes first; false if it was the last, which is waited for like any other.
pub(super) fn lose(members: &[Member], at: usize, reason: &dyn std::fmt::Display) -> bool {
    let go_on = |last: &Member| last.login.set_expendable(false);
    token_tally::lose(members, at, |member| &member.tally, reason, go_on)
}

/// One session, the keys loaded in it, and the other tokens with the same keys.
pub(super) struct TokenSigner {
    pub(super) session: SigningSession,
    pub(super) at: usize,
    pub(super) members: Arc<[Member]>,
    pace: Option<Arc<Pace>>,
}

impl Signer for TokenSigner {
    fn sign(&mut self, key: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
        let member = &self.members[self.at];
        let Some(&key) = member.loaded.get(usize::from(key.0)) else {
            return Err(SignError::Job {
                message: format!("no key {} in this store", key.0),
            });
        };
        if member.tally.is_lost() {
            return Err(SignError::Worker {
                message: format!("{} is lost", member.tally.name()),
            });
        }
        if let Some(pace) = &self.pace {
            pace.wait(|| member.login.stopped());
        }
        if member.login.stopped() {
            let message = format!("{}: no more signatures are wanted", key.tag);
            return Err(SignError::Store { message });
        }
        match attempt(&mut self.session, key, data, out) {
            Ok(()) => {
                member.tally.count();
                Ok(())
            }
            Err(error) => Err(self.failed(key, data, &error)),
        }
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

impl TokenSigner {
    /// What the run does next, by the class of the fault that the recovery ladder ended with. Of several tokens one that
    /// fails is done with; the last is waited for like any other.
    fn failed(&self, key: Loaded, data: &ToBeSigned<'_>, error: &hsm_core::Error) -> SignError {
        let set = data.set().map(|(owner, rtype)| format!(" {owner} {rtype}"));
        let set = set.unwrap_or_default();
        let message = format!("signing{set} with key {}/{}: {error}", key.algorithm, key.tag);
        match error.class() {
            _ if matches!(error, hsm_core::Error::Input { .. }) => return SignError::Job { message },
            // Other sessions may be open while this one cannot be had again.
            FaultClass::SessionLimit => return SignError::Worker { message },
            _ => {}
        }
        if self.session.login().stopped() || !lose(&self.members, self.at, error) {
            return SignError::Store { message };
        }
        SignError::Worker { message }
    }
}

/// Signs one job by a signer whose way is to sign batches.
///
/// # Errors
/// As its [`Signer::sign_batch`].
pub(in crate::keys) fn sign_alone(
    signer: &mut dyn Signer,
    key: KeyIndex,
    data: &ToBeSigned<'_>,
    out: &mut SignatureBuf,
) -> Result<(), SignError> {
    let mut batch = SignBatch::new();
    let job = batch.add(key, |message| message.extend_from_slice(data.message()));
    signer.sign_batch(&mut batch)?;
    out.set(batch.signature(job));
    Ok(())
}

/// The host or the token hashes; C_Sign gets a digest (RFC 6605), a DigestInfo (RFC 5702 3) or the message (RFC 8080 4, and
/// combined mechanisms).
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
    let host;
    let token;
    let hasher = match key.recipe.given {
        Given::Message => None,
        Given::Digest(hasher) | Given::DigestInfo(hasher, _) => Some(hasher),
    };
    let by_token = match hasher {
        // Where it fails the host hashes: the digest is the same, and signing mends the session.
        Some(Hasher::Token(hash)) => session.digest(hash, data.message()).ok(),
        _ => None,
    };
    let digest: &[u8] = match (hasher, by_token) {
        (None, _) => &[],
        (Some(_), Some(made)) => {
            token = made;
            &token
        }
        (Some(_), None) => {
            host = data.digest(key.algorithm).ok_or_else(misfit)?;
            host.as_ref()
        }
    };
    let mechanism = key.recipe.mechanism;
    let length = match key.recipe.given {
        Given::Message => session.sign_through(key.slot, mechanism, data.message(), out.room())?,
        Given::Digest(_) => session.sign_through(key.slot, mechanism, digest, out.room())?,
        Given::DigestInfo(_, hash) => {
            let info = DigestInfo::new(hash, digest).ok_or_else(misfit)?;
            session.sign_through(key.slot, mechanism, info.as_ref(), out.room())?
        }
    };
    out.set_length(length);
    Ok(())
}
