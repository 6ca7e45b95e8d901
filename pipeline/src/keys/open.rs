//! From the keys that a person names, or a directory's, to stores whose keys are proven, cheapest checks first. It
//! decides which private halves are needed; roles are decided with the zone at hand.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dnssec_sign::{KeyCandidate, KeyIndex, KeySource, KeyStore, Name, SoftwareKeys};
use hsm_core::{SessionCopy, Token, Uri};
use zone_io::{KeyFiles, PrivateHalf};

use super::access::TokenAccess;
use super::tokens::Wanted;
use super::{disk, tokens};
use crate::config::{SigningKeys, Store, StoreKind};
use crate::error::Error;
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
        /// Sessions to sign with, a token.
        sessions: Sessions,
        /// Whether keys are copied to session objects.
        copy: SessionCopy,
        /// How long a token that goes away is waited for.
        patience: Duration,
    },
}

/// How many sessions sign on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// One for each processor on a software token; a device that is waited for gets at least eight.
    #[default]
    Auto,
    /// So many, as far as the token allows.
    Exactly(NonZeroUsize),
}

/// Sessions to a device whose answers are waited for.
const DEVICE_SESSIONS: usize = 8;

impl Sessions {
    pub(super) fn on(self, token: &Token) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        match self {
            Self::Exactly(count) => count.get(),
            Self::Auto if token.info().flags.hardware_slot() => processors.max(DEVICE_SESSIONS),
            Self::Auto => processors,
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
    for (name, files) in files {
        let needed = explicit || files.times().state(request.now).signs();
        let at = candidates.len();
        let (public, times) = (&files.public, files.times());
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
            token: None,
        });
    }
    if let TokenUse::Online {
        access,
        sessions,
        copy,
        patience,
    } = &request.token
    {
        let (opened, places) = tokens::open(&wanted, access, *sessions, *copy, *patience)?;
        for (at, (store, index)) in on_token.into_iter().zip(places) {
            set_source(&mut candidates, at, stores.len() + store, usize::from(index));
        }
        stores.extend(opened.into_iter().map(|store| Store {
            name: store.name().to_owned(),
            kind: StoreKind::Token {
                sessions: store.sessions(),
            },
            token: Some(store.report().clone()),
            keys: Box::new(store) as Box<dyn KeyStore>,
        }));
    }
    Ok(SigningKeys { stores, candidates })
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
