//! From the keys that a person names, or a directory's, to stores whose keys are proven, cheapest checks first. It
//! decides which private halves are needed; roles are decided with the zone at hand.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dnssec_sign::{KeyCandidate, KeyIndex, KeySource, KeyStore, Name, SoftwareKeys, Succession};
use hsm_core::{SessionCopy, Uri};
use zone_io::{KeyFiles, PrivateHalf};

use super::access::TokenAccess;
use super::offload::Offload;
use super::token_store::TokenStore;
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
    let files = read_files(request, observer)?;
    let mut candidates = Vec::with_capacity(files.len());
    let mut software = Vec::new();
    let mut wanted = Vec::new();
    // Candidates whose private halves wait for a store's number.
    let (mut on_disk, mut on_token) = (Vec::new(), Vec::new());
    let explicit = !request.named.is_empty();
    let mut names = Vec::with_capacity(files.len());
    for (name, files) in files {
        names.push(name.clone());
        let needed = explicit || files.times().state(request.now).signs();
        let at = candidates.len();
        let (public, times) = (&files.public, files.times());
        let succession = succession(&files);
        match files.private.as_ref().map(|private| &private.half) {
            Some(PrivateHalf::Fields(fields)) if needed => {
                software.push(disk::software_key(&name, public.dnskey.clone(), fields)?);
                on_disk.push(at);
            }
            Some(PrivateHalf::Token(token)) if needed => match &request.token {
                TokenUse::Offline => {
                    observer.warn(&format!(
                        "{name} is on a token, which is left alone: the key is offline"
                    ));
                }
                TokenUse::Online { .. } => {
                    wanted.push(Wanted {
                        uri: uri_of(&name, &token.label, observer)?,
                        dnskey: public.dnskey.clone(),
                        name,
                    });
                    on_token.push(at);
                }
            },
            None | Some(PrivateHalf::External) if explicit => {
                observer.warn(&format!(
                    "{name} has no private half here: it is published and signs nothing"
                ));
            }
            _ => {}
        }
        candidates.push(KeyCandidate {
            dnskey: files.public.dnskey,
            source: KeySource::PublicOnly,
            times,
            explicit,
            ttl: files.public.ttl,
            in_zone: false,
            succession,
        });
    }

    let mut stores = Vec::new();
    if !software.is_empty() {
        for (index, at) in on_disk.into_iter().enumerate() {
            set_source(&mut candidates, at, stores.len(), index);
        }
        stores.push(Store {
            name: "disk".to_owned(),
            kind: StoreKind::Software,
            keys: Box::new(SoftwareKeys::new(software)),
            tokens: Vec::new(),
        });
    }
    let mut random = None;
    if let TokenUse::Online { sessions, .. } = &request.token {
        let (opened, places) = tokens::open(&wanted, &request.token, observer)?;
        random = opened.iter().find_map(TokenStore::random);
        for (at, (store, index)) in on_token.into_iter().zip(places) {
            set_source(&mut candidates, at, stores.len() + store, usize::from(index));
        }
        stores.extend(opened.into_iter().map(|store| Store {
            name: store.name().to_owned(),
            kind: StoreKind::Token {
                sessions: store.sessions(),
                most: sessions.most(store.tallies().len(), store.sessions()),
            },
            tokens: store.tallies(),
            keys: Box::new(store) as Box<dyn KeyStore>,
        }));
    }
    let limits = limits(request, &names, &candidates)?;
    Ok(SigningKeys {
        stores,
        candidates,
        random,
        limits,
    })
}

/// The limits of the keys that sign here.
fn limits(request: &KeyRequest, names: &[String], candidates: &[KeyCandidate]) -> Result<Vec<SignatureLimit>, Error> {
    let mut limits = Vec::new();
    for (wanted, most) in &request.max_signatures {
        let is = |(name, candidate): &(&String, &KeyCandidate)| {
            *name == wanted || candidate.dnskey.key_tag().to_string() == *wanted
        };
        let mut found = names.iter().zip(candidates).filter(is).peekable();
        if found.peek().is_none() {
            return Err(Error::Usage(format!(
                "--max-signatures {wanted}: no key of this run has that name or tag: {}",
                names.join(", ")
            )));
        }
        for (name, candidate) in found {
            if let KeySource::Store { store, index } = candidate.source {
                let made = audited_signatures(&request.origin, &candidate.dnskey)?;
                limits.push(SignatureLimit::new(name, (store, index), *most, made));
            }
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

fn set_source(candidates: &mut [KeyCandidate], at: usize, store: usize, index: usize) {
    if let (Some(candidate), Ok(index)) = (candidates.get_mut(at), u16::try_from(index)) {
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
