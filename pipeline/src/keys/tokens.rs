//! Keys on tokens: grouped by token, each token logged in to once, each key found, compared with its file and proven.
//! Nothing here reads key files or decides what a key signs.

use std::sync::Arc;
use std::time::Duration;

use dnssec_sign::{Dnskey, KeyIndex, KeyStore};
use hsm_core::{LoggedIn, Pace, Token, TokenKey, Uri};

use super::access::TokenAccess;
use super::isolated;
use super::open::TokenUse;
use super::overseen::unless_it_hangs;
use super::token_keys::dnskey_of;
use super::token_store::{StoreOptions, TokenStore};
use super::token_tally::TokenTally;
use crate::error::Error;
use crate::observer::Observer;

/// A key that lives on a token: what its files say.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The files' base name, for messages.
    pub(super) name: String,
    pub(super) dnskey: Dnskey,
    pub(super) uri: Uri,
}

/// The keys of one token; `members` are places in the list of wanted keys.
pub(super) struct Group<T> {
    pub(super) token: T,
    pub(super) members: Vec<usize>,
}

/// A store that is open, as a run needs it.
pub(super) struct OpenedStore {
    pub(super) name: String,
    /// Sessions that are open.
    pub(super) sessions: usize,
    pub(super) tallies: Vec<Arc<TokenTally>>,
    /// Random bytes of a token's own, where tokens do what they can.
    pub(super) random: Option<Vec<u8>>,
    /// Keys whose PIN is typed on the token's pad for each signature.
    pub(super) by_hand: Vec<KeyIndex>,
    pub(super) keys: Box<dyn KeyStore + Send>,
}

impl From<TokenStore> for OpenedStore {
    fn from(store: TokenStore) -> Self {
        Self {
            name: store.name().to_owned(),
            sessions: store.sessions(),
            tallies: store.tallies(),
            random: store.random(),
            by_hand: store.by_hand(),
            keys: Box::new(store),
        }
    }
}

/// Where a wanted key ended: store and place in it.
pub(super) type Place = (usize, u16);

/// A further token that is logged in to.
struct Spare {
    login: LoggedIn,
    use_of: UseOf,
}

/// What a further token is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UseOf {
    /// It has shown no key yet.
    Unknown,
    Serves,
    /// A call hangs on it, or its library crashed.
    Fails,
}

/// Opens the stores, one a token and the further tokens with the same keys; in worker processes, if they are to be isolated.
/// The places come in the order of the wanted keys.
pub(super) fn open(
    wanted: &[Wanted],
    token_use: &TokenUse,
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
        isolate,
    } = token_use
    else {
        return Ok((Vec::new(), Vec::new()));
    };
    if wanted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    if let Some(isolation) = isolate {
        return isolated::open(wanted, token_use, isolation, observer);
    }
    let module = access.module()?;
    let find = |key: &Wanted| {
        let token = module.token(&access.selector(&key.uri));
        token.map_err(|error| of_key(&key.name, &error))
    };
    let (groups, places) = grouped(wanted, find, |one: &Token, other| {
        one.info().slot_id == other.info().slot_id
    })?;
    let mut spares: Vec<Spare> = Vec::new();
    for access in also {
        let taken = |token: &Token| {
            let is = |other: &Token| {
                other.info().slot_id == token.info().slot_id && other.module().path() == token.module().path()
            };
            groups.iter().any(|group| is(&group.token)) || spares.iter().any(|spare| is(spare.login.token()))
        };
        if let Some(login) = spare(access, *patience, taken, observer)? {
            spares.push(Spare {
                login,
                use_of: UseOf::Unknown,
            });
        }
    }
    let options = StoreOptions {
        sessions: sessions.at_first(),
        copy: *copy,
        offload: *offload,
        pace: max_rate.map(|rate| Arc::new(Pace::new(rate))),
    };
    let mut stores = Vec::new();
    for group in &groups {
        let members: Vec<&Wanted> = group.members.iter().filter_map(|at| wanted.get(*at)).collect();
        let login = access.log_in(&group.token, with_pin(&members))?;
        login.set_patience(*patience);
        let mut keys = Vec::new();
        for key in &members {
            keys.push(found(key, &login)?);
        }
        let mut logins = vec![(login, keys)];
        for spare in spares.iter_mut().filter(|spare| spare.use_of != UseOf::Fails) {
            let theirs: Vec<Wanted> = members.iter().map(|key| (*key).clone()).collect();
            let login = spare.login.clone();
            let find = move || theirs.iter().map(|key| found(key, &login)).collect();
            let keys: Result<Result<Vec<_>, Error>, Error> =
                unless_it_hangs(Some(spare.login.token().module()), *patience, find);
            match keys {
                Ok(Ok(keys)) => {
                    spare.use_of = UseOf::Serves;
                    logins.push((spare.login.clone(), keys));
                }
                // With keys on several tokens, each further token may hold those of one.
                Ok(Err(_)) if groups.len() > 1 => {}
                Ok(Err(error)) => return Err(error),
                Err(hangs) => {
                    without::<()>(&hangs, observer);
                    spare.use_of = UseOf::Fails;
                }
            }
        }
        let dnskeys = members.iter().map(|key| key.dnskey.clone()).collect();
        stores.push(TokenStore::open(logins, dnskeys, &options)?.into());
    }
    if let Some(idle) = spares.iter().find(|spare| spare.use_of == UseOf::Unknown) {
        return Err(Error::Token(format!(
            "{} holds none of the keys of this run",
            idle.login.token().info()
        )));
    }
    Ok((stores, places))
}

/// The wanted keys by their tokens, in the order in which tokens come up, and where each key is: which group, and its place
/// there.
pub(super) fn grouped<T>(
    wanted: &[Wanted],
    mut find: impl FnMut(&Wanted) -> Result<T, Error>,
    same: impl Fn(&T, &T) -> bool,
) -> Result<(Vec<Group<T>>, Vec<Place>), Error> {
    let (mut groups, mut places): (Vec<Group<T>>, Vec<Place>) = (Vec::new(), Vec::new());
    for (at, key) in wanted.iter().enumerate() {
        let token = find(key)?;
        let there = groups.iter().position(|group| same(&group.token, &token));
        let number = there.unwrap_or(groups.len());
        if there.is_none() {
            groups.push(Group {
                token,
                members: Vec::new(),
            });
        }
        if let Some(group) = groups.get_mut(number) {
            places.push((number, u16::try_from(group.members.len()).unwrap_or(u16::MAX)));
            group.members.push(at);
        }
    }
    Ok((groups, places))
}

/// The URI that says where the PIN of these keys' token is, if one does.
pub(super) fn with_pin<'a>(keys: &[&'a Wanted]) -> Option<&'a Uri> {
    let mut uris = keys.iter().map(|key| &key.uri);
    uris.find(|uri| uri.pin_source.is_some() || uri.pin_value.is_some())
}

/// A further token, logged in to. One that is not there, or hangs, is warned of, and the others do its work; so is one that is
/// `taken`.
fn spare(
    access: &TokenAccess,
    patience: Duration,
    taken: impl Fn(&Token) -> bool,
    observer: &dyn Observer,
) -> Result<Option<LoggedIn>, Error> {
    let theirs = access.clone();
    let module = match unless_it_hangs(None, patience, move || theirs.module()) {
        Ok(module) => module?,
        Err(hangs) => return Ok(without(&hangs, observer)),
    };
    let (theirs, there) = (access.token.clone(), Arc::clone(&module));
    let token = match unless_it_hangs(Some(&module), patience, move || there.token(&theirs)) {
        Ok(Ok(token)) => token,
        Ok(Err(error @ hsm_core::Error::TokenNotFound { .. })) => return Ok(without(&error, observer)),
        Ok(Err(error)) => return Err(error.into()),
        Err(hangs) => return Ok(without(&hangs, observer)),
    };
    if taken(&token) {
        observer.warn(&format!("{} is named twice", token.info()));
        return Ok(None);
    }
    let theirs = access.clone();
    let login = match unless_it_hangs(Some(&module), patience, move || theirs.log_in(&token, None)) {
        Ok(login) => login?,
        Err(hangs) => return Ok(without(&hangs, observer)),
    };
    login.set_patience(patience);
    Ok(Some(login))
}

/// What is said of a further token that cannot be used, whose work the others do.
pub(super) fn without<T>(why: &dyn std::fmt::Display, observer: &dyn Observer) -> Option<T> {
    observer.warn(&format!("{why}: the run goes on without it"));
    None
}

/// A wanted key on a token, its public half compared.
pub(super) fn found(key: &Wanted, login: &LoggedIn) -> Result<TokenKey, Error> {
    let found = login.find(&key.uri.key).map_err(|error| of_key(&key.name, &error))?;
    compare(key, found.public(), &found.label(), login.token())?;
    Ok(found)
}

/// The public half on the token has to be that of the file: else what it signs is worth nothing.
fn compare(key: &Wanted, public: &hsm_core::PublicPart, label: &str, token: &Token) -> Result<(), Error> {
    let here = &key.dnskey;
    let place = format!(
        "key '{label}' on token '{}' (slot {})",
        token.info().label,
        token.info().slot_id
    );
    let there = dnskey_of(public, here.flags(), here.algorithm())
        .map_err(|error| Error::Input(format!("{}: {place}: {error}", key.name)))?;
    if there == *here {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{}.key holds another public key than {place}: the file's has tag {}, the token's would have tag {}; name the right key in \
         K*.private, or adopt this one with `signet key from-label`",
        key.name,
        here.key_tag(),
        there.key_tag()
    )))
}

/// A fault of the token that a key is on.
pub(super) fn of_key(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Token(format!("{name}: {error}"))
}
