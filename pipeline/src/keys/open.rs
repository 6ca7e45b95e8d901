//! From the keys that a person names, or a directory's, to stores whose keys are proven, cheapest checks first. It
//! decides which private halves are needed; roles are decided with the zone at hand.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dnssec_sign::{KeyCandidate, KeyIndex, KeySource, Name, SoftwareKey, SoftwareKeys, Succession};
use hsm_core::{SessionCopy, Uri};
use zone_io::{KeyFiles, PrivateHalf};

use super::access::TokenAccess;
use super::isolated::Isolation;
use super::offload::Offload;
use super::tokens::Wanted;
use super::{disk, tokens};
use crate::audit::audited_signatures;
use crate::config::{SigningKeys, Store, StoreKind};
use crate::error::Error;
use crate::limit::SignatureLimit;
use crate::observer::Observer;

/// Which keys a run wants, and how tokens are used.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// The zone.
    pub origin: Name,
    /// Where key files are.
    pub directory: PathBuf,
    /// Base names of key files. Without any, the directory is scanned.
    pub named: Vec<String>,
    /// Tokens, or that they are left alone.
    pub token: TokenUse,
    /// The moment that key times are compared with.
    pub now: u32,
    /// Keys, by base name or key tag, that may make no more than so many signatures, those on record in the audit log
    /// counted in.
    pub max_signatures: Vec<(String, u64)>,
}

/// Whether tokens are used.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one a run")]
pub enum TokenUse {
    /// They are left alone: keys that need one are offline.
    Offline,
    /// They are used.
    Online {
        /// Where they are.
        access: TokenAccess,
        /// Further tokens that hold the same keys and share the work.
        also: Vec<TokenAccess>,
        /// Sessions to sign with, a token.
        sessions: Sessions,
        /// Whether keys are copied to session objects.
        copy: SessionCopy,
        /// How much of the work tokens are given.
        offload: Offload,
        /// The most signatures a second, of all tokens together.
        max_rate: Option<f64>,
        /// How long a token that goes away is waited for.
        patience: Duration,
        /// How worker processes are started, if they shall use the tokens: the libraries are then not loaded here.
        isolate: Option<Isolation>,
    },
}

/// How many sessions sign on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// One for each processor to begin with, and more as long as more bring more signatures.
    #[default]
    Auto,
    /// So many, as far as the token allows.
    Exactly(NonZeroUsize),
}

/// So many sessions are tried at most, a token.
const MOST_SESSIONS: usize = 64;

impl Sessions {
    /// Sessions to begin with, a token.
    pub(super) fn at_first(self) -> usize {
        match self {
            Self::Exactly(count) => count.get(),
            Self::Auto => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Sessions that `tokens` tokens have at most, when they have so many now.
    fn most(self, tokens: usize, now: usize) -> usize {
        match self {
            Self::Exactly(_) => now,
            Self::Auto => now.max(MOST_SESSIONS * tokens),
        }
    }
}

/// Reads the key files, opens what the needed private keys live in, and proves every one of them.
///
/// # Errors
/// [`Error::Input`] and [`Error::Zone`] for key files, [`Error::Usage`] where a module or PIN source is missing,
/// [`Error::Hsm`] and [`Error::Token`] for the token.
pub fn open_keys(request: &KeyRequest, observer: &dyn Observer) -> Result<SigningKeys, Error> {
    let mut gathered = gather(request, observer)?;
    let names = std::mem::take(&mut gathered.names);
    let mut opened = open_stores(vec![gathered], &request.token, observer)?;
    let limits = limits(
        &request.max_signatures,
        &[(&request.origin, &names)],
        &opened.candidates,
        &opened.by_hand,
    )?;
    let candidates = opened.candidates.pop().unwrap_or_default();
    Ok(SigningKeys {
        limits: Arc::new(limits),
        stores: Arc::new(opened.stores),
        candidates,
        random: opened.random,
    })
}

/// The same for several zones, whose keys share stores: one login a token, one session a worker for all. Tokens are used as
/// the first request says, and so are limits, which count the signatures of all zones together. A zone whose key files are
/// wrong has an error of its own.
///
/// # Errors
/// Those of tokens and of keys on them.
pub(crate) fn open_keys_of_zones(
    requests: &[&KeyRequest],
    observers: &[&dyn Observer],
    observer: &dyn Observer,
) -> Result<Vec<Result<SigningKeys, Error>>, Error> {
    let Some(first) = requests.first() else {
        return Ok(Vec::new());
    };
    let each = requests.iter().zip(observers);
    let (mut good, mut errors, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (request, observer) in each {
        match gather(request, *observer) {
            Ok(mut zone) => {
                names.push((&request.origin, std::mem::take(&mut zone.names)));
                good.push(zone);
                errors.push(None);
            }
            Err(error) => errors.push(Some(error)),
        }
    }
    let opened = open_stores(good, &first.token, observer)?;
    let names: Vec<_> = names
        .iter()
        .map(|(origin, names)| (*origin, names.as_slice()))
        .collect();
    let limits = Arc::new(limits(
        &first.max_signatures,
        &names,
        &opened.candidates,
        &opened.by_hand,
    )?);
    let (stores, mut candidates) = (Arc::new(opened.stores), opened.candidates.into_iter());
    let keys = errors.into_iter().map(|error| match error {
        Some(error) => Err(error),
        None => Ok(SigningKeys {
            stores: Arc::clone(&stores),
            candidates: candidates.next().unwrap_or_default(),
            random: opened.random.clone(),
            limits: Arc::clone(&limits),
        }),
    });
    Ok(keys.collect())
}

/// One zone's keys as their files say, and the candidates whose private halves wait for a store's number.
#[derive(Default)]
struct Gathered {
    /// The base names of the keys' files.
    names: Vec<String>,
    candidates: Vec<KeyCandidate>,
    software: Vec<SoftwareKey>,
    wanted: Vec<Wanted>,
    on_disk: Vec<usize>,
    on_token: Vec<usize>,
}

fn gather(request: &KeyRequest, observer: &dyn Observer) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    let explicit = !request.named.is_empty();
    for (name, files) in read_files(request, observer)? {
        gathered.names.push(name.clone());
        let at = gathered.candidates.len();
        let (public, times, states) = (&files.public, files.times(), files.states());
        let needed = explicit || times.state_with(&states, &public.dnskey, request.now).signs();
        let succession = succession(&files);
        match files.private.as_ref().map(|private| &private.half) {
            Some(PrivateHalf::Fields(fields)) if needed => {
                let key = disk::software_key(&name, public.dnskey.clone(), fields)?;
                gathered.software.push(key);
                gathered.on_disk.push(at);
            }
            Some(PrivateHalf::Token(token)) if needed => match &request.token {
                TokenUse::Offline => {
                    observer.warn(&format!(
                        "{name} is on a token, which is left alone: the key is offline"
                    ));
                }
                TokenUse::Online { .. } => {
                    gathered.wanted.push(Wanted {
                        uri: uri_of(&name, &token.label, observer)?,
                        dnskey: public.dnskey.clone(),
                        name,
                    });
                    gathered.on_token.push(at);
                }
            },
            None | Some(PrivateHalf::External) if explicit => {
                observer.warn(&format!(
                    "{name} has no private half here: it is published and signs nothing"
                ));
            }
            _ => {}
        }
        gathered.candidates.push(KeyCandidate {
            dnskey: files.public.dnskey,
            source: KeySource::PublicOnly,
            times,
            states,
            explicit,
            ttl: files.public.ttl,
            in_zone: false,
            succession,
        });
    }
    Ok(gathered)
}

/// What [`open_stores`] opened.
struct Opened {
    stores: Vec<Store>,
    /// Zone by zone, with their places in the stores.
    candidates: Vec<Vec<KeyCandidate>>,
    random: Option<Vec<u8>>,
    /// Keys whose PIN is typed for each signature, by store and place.
    by_hand: Vec<(usize, KeyIndex)>,
}

/// Opens what the private keys of some zones live in: all software keys are one store, and each token is one.
fn open_stores(zones: Vec<Gathered>, token_use: &TokenUse, observer: &dyn Observer) -> Result<Opened, Error> {
    let (mut software, mut wanted): (Vec<SoftwareKey>, Vec<Wanted>) = (Vec::new(), Vec::new());
    let (mut candidates, mut on_disk, mut on_token) = (Vec::new(), Vec::new(), Vec::new());
    for (zone, gathered) in zones.into_iter().enumerate() {
        for (key, at) in gathered.software.into_iter().zip(gathered.on_disk) {
            on_disk.push((zone, at, software.len()));
            software.push(key);
        }
        for (key, at) in gathered.wanted.into_iter().zip(gathered.on_token) {
            // Zones may have keys in common, which are found and loaded once.
            let same = |other: &Wanted| {
                other.dnskey == key.dnskey && other.uri.key == key.uri.key && other.uri.token == key.uri.token
            };
            let place = wanted.iter().position(same).unwrap_or(wanted.len());
            on_token.push((zone, at, place));
            if place == wanted.len() {
                wanted.push(key);
            }
        }
        candidates.push(gathered.candidates);
    }
    let mut stores = Vec::new();
    if !software.is_empty() {
        for (zone, at, index) in on_disk {
            set_source(&mut candidates, (zone, at), stores.len(), index);
        }
        stores.push(Store {
            name: "disk".to_owned(),
            kind: StoreKind::Software,
            keys: Box::new(SoftwareKeys::new(software)),
            tokens: Vec::new(),
        });
    }
    let (mut random, mut by_hand) = (None, Vec::new());
    if let TokenUse::Online { sessions, .. } = token_use {
        let (opened, places) = tokens::open(&wanted, token_use, observer)?;
        random = opened.iter().find_map(|store| store.random.clone());
        for (zone, at, place) in on_token {
            if let Some((store, index)) = places.get(place) {
                set_source(&mut candidates, (zone, at), stores.len() + store, usize::from(*index));
            }
        }
        for (place, store) in (stores.len()..).zip(&opened) {
            by_hand.extend(store.by_hand.iter().map(|key| (place, *key)));
        }
        stores.extend(opened.into_iter().map(|store| Store {
            name: store.name,
            kind: StoreKind::Token {
                sessions: store.sessions,
                most: sessions.most(store.tallies.len(), store.sessions),
            },
            tokens: store.tallies,
            keys: store.keys,
        }));
    }
    Ok(Opened {
        stores,
        candidates,
        random,
        by_hand,
    })
}

/// The limits of the keys that sign here, from what was asked for, the zones with the base names of their keys, and those keys. A
/// key that several zones share has one limit. One whose PIN is typed for each signature has a limit without being asked for.
fn limits(
    asked: &[(String, u64)],
    zones: &[(&Name, &[String])],
    candidates: &[Vec<KeyCandidate>],
    by_hand: &[(usize, KeyIndex)],
) -> Result<Vec<SignatureLimit>, Error> {
    let keys = || {
        let of_zone = |((origin, names), candidates)| {
            let (names, candidates): (&[String], &Vec<KeyCandidate>) = (names, candidates);
            let named = names.iter().zip(candidates);
            named.map(move |(name, candidate)| (origin, name, candidate))
        };
        zones.iter().copied().zip(candidates).flat_map(of_zone)
    };
    let mut limits = Vec::new();
    for (wanted, most) in asked {
        let is = |(_, name, candidate): &(&Name, &String, &KeyCandidate)| {
            *name == wanted || candidate.dnskey.key_tag().to_string() == *wanted
        };
        let mut found = keys().filter(is).peekable();
        if found.peek().is_none() {
            let names: Vec<&str> = keys().map(|(_, name, _)| name.as_str()).take(10).collect();
            return Err(Error::Usage(format!(
                "--max-signatures {wanted}: no key of this run has that name or tag: {}",
                names.join(", ")
            )));
        }
        let mut places: BTreeMap<(usize, KeyIndex), (&str, u64)> = BTreeMap::new();
        for (origin, name, candidate) in found {
            if let KeySource::Store { store, index } = candidate.source {
                let (_, made) = places.entry((store, index)).or_insert((name, 0));
                *made += audited_signatures(origin, &candidate.dnskey)?;
            }
        }
        let limit = |(place, (name, made))| SignatureLimit::new(name, place, *most, made);
        limits.extend(places.into_iter().map(limit));
    }
    for &(store, index) in by_hand {
        let is =
            |(_, _, candidate): &(&Name, &String, &KeyCandidate)| candidate.source == KeySource::Store { store, index };
        if let Some((_, name, _)) = keys().find(is)
            && !limits.iter().any(|limit: &SignatureLimit| limit.is_of(store, index))
        {
            limits.push(SignatureLimit::by_hand(name, (store, index)));
        }
    }
    Ok(limits)
}

/// The keys before and after one, as its private file names them.
fn succession(files: &KeyFiles) -> Succession {
    let tag = |number: Option<u32>| number.and_then(|number| u16::try_from(number).ok());
    files
        .private
        .as_ref()
        .map_or(Succession::default(), |private| Succession {
            predecessor: tag(private.numbers.predecessor),
            successor: tag(private.numbers.successor),
        })
}

fn set_source(candidates: &mut [Vec<KeyCandidate>], (zone, at): (usize, usize), store: usize, index: usize) {
    let candidate = candidates.get_mut(zone).and_then(|zone| zone.get_mut(at));
    if let (Some(candidate), Ok(index)) = (candidate, u16::try_from(index)) {
        candidate.source = KeySource::Store {
            store,
            index: KeyIndex(index),
        };
    }
}

/// The files of the named keys, or of the directory's for the zone, each with its base name for messages.
fn read_files(request: &KeyRequest, observer: &dyn Observer) -> Result<Vec<(String, KeyFiles)>, Error> {
    let origin = &request.origin;
    if request.named.is_empty() {
        let found = KeyFiles::scan(&request.directory, origin.borrow())?;
        if found.is_empty() {
            return Err(Error::Input(format!(
                "{} has no key files of {origin}: -K names the directory, -o the zone, and `signet key generate` makes keys",
                request.directory.display()
            )));
        }
        return Ok(found
            .into_iter()
            .map(|files| (files.name().to_string(), files))
            .collect());
    }
    let mut read: Vec<(String, KeyFiles)> = Vec::new();
    for name in &request.named {
        let files = KeyFiles::read(&request.directory, Path::new(name))?;
        let public = &files.public;
        if public.owner.borrow() != origin.borrow() {
            return Err(Error::Input(format!(
                "{name} is a key of {}, not of {origin}",
                public.owner
            )));
        }
        if read.iter().any(|(_, other)| other.public.dnskey == public.dnskey) {
            observer.warn(&format!("{name} is named twice"));
            continue;
        }
        read.push((files.name().to_string(), files));
    }
    Ok(read)
}

/// The URI in a key file. It may not name a library: what is loaded is never decided by data.
fn uri_of(name: &str, label: &str, observer: &dyn Observer) -> Result<Uri, Error> {
    let uri: Uri = label
        .parse()
        .map_err(|error| Error::Input(format!("{name}.private: Label: {error}")))?;
    if uri.names_no_key() {
        return Err(Error::Input(format!(
            "{name}.private: Label names no key: it has neither object nor id"
        )));
    }
    if uri.module_path.is_some() {
        observer.warn(&format!(
            "{name}.private names a module-path, which is not followed: libraries are named by --module or PKCS11_PROVIDER only"
        ));
    }
    if uri.pin_value.is_some() {
        observer.warn(&format!(
            "{name}.private holds a PIN: anybody who reads the file has it; use pin-source instead"
        ));
    }
    Ok(uri)
}
