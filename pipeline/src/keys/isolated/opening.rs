//! Keys on tokens that only worker processes reach: one process a library finds the tokens of all keys, then each token is
//! opened, first by one process alone. The order of things, and what is an error, is that of `tokens`.

use std::sync::Arc;
use std::time::Duration;

use dnssec_sign::Dnskey;
use hsm_core::{Pace, Pin, PinSource, TokenSelector, copy_of_pin};

use super::Isolation;
use super::message::{Class, Failed, Found, Key, Library, Open, selector_text};
use super::process::{Fault, Nursery, Worker};
use super::store::{Entry, IsolatedStore, Member};
use crate::error::Error;
use crate::keys::access::TokenAccess;
use crate::keys::open::TokenUse;
use crate::keys::tokens::{Group, OpenedStore, Place, UseOf, Wanted, grouped, of_key, with_pin, without};
use crate::observer::Observer;

/// A further token, as the first process found it.
struct Spare {
    access: TokenAccess,
    library: Library,
    found: Found,
    scout: Option<Worker>,
    pin: Option<Pin>,
    use_of: UseOf,
}

/// Opens the stores, one a token and the further tokens with the same keys, as `tokens::open` does.
///
/// # Errors
/// As there; a worker process that ends while it opens a token is an error too.
pub(in crate::keys) fn open(
    wanted: &[Wanted],
    token_use: &TokenUse,
    isolation: &Isolation,
    observer: &dyn Observer,
) -> Result<(Vec<OpenedStore>, Vec<Place>), Error> {
    let TokenUse::Online {
        access,
        also,
        sessions,
        copy,
        offload,
        max_rate,
        patience,
        ..
    } = token_use
    else {
        return Ok((Vec::new(), Vec::new()));
    };
    let library = Library::of(access)?;
    wipe_variables(wanted, std::iter::once(access).chain(also));
    let nursery = Nursery::new(isolation.clone())
        .map_err(|error| Error::Token(format!("no worker processes can be started: {error}")))?;
    let selectors: Vec<TokenSelector> = wanted.iter().map(|key| access.selector(&key.uri)).collect();
    let (scout, located) = locate(&nursery, &library, &selectors, *patience).map_err(said)?;
    let mut scout = Some(scout);
    let mut located = located.into_iter();
    let find = |key: &Wanted| {
        let found = located.next().unwrap_or_else(|| Err(lacking()));
        found.map_err(|failed| of_key(&key.name, &failed.message))
    };
    let (groups, places): (Vec<Group<Found>>, _) = grouped(wanted, find, Found::is)?;
    let mut spares: Vec<Spare> = Vec::new();
    for access in also {
        let Some(mut spare) = spare(&nursery, access, *patience, observer)? else {
            continue;
        };
        let found = &spare.found;
        if groups.iter().any(|group| group.token.is(found)) || spares.iter().any(|spare| spare.found.is(found)) {
            observer.warn(&format!("{} is named twice", found.text));
            continue;
        }
        spare.pin = access.pin(&found.label, found.pad, None)?;
        spares.push(spare);
    }
    let pace = max_rate.map(|rate| Arc::new(Pace::new(rate)));
    let mut stores = Vec::new();
    for group in &groups {
        let keys: Vec<&Wanted> = group.members.iter().filter_map(|at| wanted.get(*at)).collect();
        let entry = |found: &Found, selector: TokenSelector, library: &Library, pin: Option<Pin>| Entry {
            nursery: Arc::clone(&nursery),
            library: library.clone(),
            open: Open {
                token: selector_text(&exactly(selector, found)),
                keys: keys.iter().map(|key| Key::from(*key)).collect(),
                copy: (*copy).into(),
                offload: *offload,
                patience: *patience,
                expendable: !spares.is_empty(),
                pin: pin.is_some(),
            },
            found: found.clone(),
            pin,
        };
        let found = &group.token;
        let pin = access.pin(&found.label, found.pad, with_pin(&keys))?;
        let selector = keys.first().map(|key| access.selector(&key.uri)).unwrap_or_default();
        let first = entry(found, selector, &library, pin);
        let (member, random) = Member::open(first, scout.take(), sessions.at_first()).map_err(said)?;
        let mut members = vec![member];
        let theirs: Vec<Entry> = spares
            .iter()
            .map(|spare| {
                entry(
                    &spare.found,
                    spare.access.token.clone(),
                    &spare.library,
                    spare.pin.as_ref().map(copy_of_pin),
                )
            })
            .collect();
        for (spare, entry) in spares.iter_mut().zip(theirs) {
            if spare.use_of == UseOf::Fails {
                continue;
            }
            match Member::open(entry, spare.scout.take(), sessions.at_first()) {
                Ok((member, _)) => {
                    spare.use_of = UseOf::Serves;
                    members.push(member);
                }
                Err(Fault::Crashed(how)) => {
                    without::<()>(&how, observer);
                    spare.use_of = UseOf::Fails;
                }
                // With keys on several tokens, each further token may hold those of one.
                Err(Fault::Failed(failed)) if groups.len() > 1 && failed.class != Class::PinRefused => {}
                Err(Fault::Failed(failed)) => return Err(failed.into()),
            }
        }
        let dnskeys: Vec<Dnskey> = keys.iter().map(|key| key.dnskey.clone()).collect();
        let store = IsolatedStore::new(members, dnskeys, pace.clone());
        stores.push(store.opened(random));
    }
    if let Some(idle) = spares.iter().find(|spare| spare.use_of == UseOf::Unknown) {
        return Err(Error::Token(format!(
            "{} holds none of the keys of this run",
            idle.found.text
        )));
    }
    Ok((stores, places))
}

/// Wipes the variables that PINs are in, which are read for that: worker processes would inherit them, and get theirs by the
/// socket.
fn wipe_variables<'a>(wanted: &[Wanted], accesses: impl Iterator<Item = &'a TokenAccess>) {
    let named = accesses.filter_map(|access| access.pin_source.as_ref());
    let in_uris = wanted.iter().filter_map(|key| key.uri.pin_source.as_ref());
    for part in named.chain(in_uris).flat_map(PinSource::parts) {
        if let PinSource::Env(_) = part {
            // Whoever wants the PIN has it, or is told what is wrong with it.
            let _ = part.read("a token");
        }
    }
}

/// What a process with this library finds for each selector.
fn locate(
    nursery: &Arc<Nursery>,
    library: &Library,
    selectors: &[TokenSelector],
    patience: Duration,
) -> Result<(Worker, Vec<Result<Found, Failed>>), Fault> {
    let mut worker = Worker::start(nursery, library)?;
    let found = worker.locate(library, selectors.iter().map(selector_text).collect(), patience)?;
    Ok((worker, found))
}

/// Without a token that is needed there is no run.
fn said(fault: Fault) -> Error {
    match fault {
        Fault::Failed(failed) => failed.into(),
        Fault::Crashed(how) => Error::Token(how),
    }
}

/// A further token. One that is not there is warned of, and the others do its work; so do they where its library crashes or hangs.
fn spare(
    nursery: &Arc<Nursery>,
    access: &TokenAccess,
    patience: Duration,
    observer: &dyn Observer,
) -> Result<Option<Spare>, Error> {
    let library = Library::of(access)?;
    let (scout, located) = match locate(nursery, &library, std::slice::from_ref(&access.token), patience) {
        Ok(located) => located,
        Err(Fault::Crashed(how)) => return Ok(without(&how, observer)),
        Err(fault) => return Err(said(fault)),
    };
    match located.into_iter().next().unwrap_or_else(|| Err(lacking())) {
        Ok(found) => Ok(Some(Spare {
            access: access.clone(),
            library,
            found,
            scout: Some(scout),
            pin: None,
            use_of: UseOf::Unknown,
        })),
        Err(failed) if failed.class == Class::TokenLost => Ok(without(&failed.message, observer)),
        Err(failed) => Err(failed.into()),
    }
}

fn lacking() -> Failed {
    Failed {
        class: Class::Token,
        message: "a worker process did not tell of a token".to_owned(),
    }
}

/// What was asked for, and what identifies the one that was found: numbers of slots may be others in the next process.
fn exactly(mut selector: TokenSelector, found: &Found) -> TokenSelector {
    if found.serial.is_empty() {
        selector.slot = Some(found.slot);
    } else {
        selector.serial = Some(found.serial.clone());
    }
    if !found.label.is_empty() {
        selector.label = Some(found.label.clone());
    }
    selector
}
