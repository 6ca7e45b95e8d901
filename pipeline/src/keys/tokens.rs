//! Keys on tokens: grouped by token, each token logged in to once, each key found, compared with its file and proven.
//! Nothing here reads key files or decides what a key signs.

use std::time::Duration;

use dnssec_sign::Dnskey;
use hsm_core::{SessionCopy, Token, Uri};

use super::access::TokenAccess;
use super::open::Sessions;
use super::token_keys::dnskey_of;
use super::token_store::TokenStore;
use crate::error::Error;

/// A key that lives on a token: what its files say.
pub(super) struct Wanted {
    /// The files' base name, for messages.
    pub(super) name: String,
    pub(super) dnskey: Dnskey,
    pub(super) uri: Uri,
}

/// The keys of one token; `members` are places in the list of wanted keys.
struct Group {
    token: Token,
    members: Vec<usize>,
}

/// Where a wanted key ended: store and place in it.
pub(super) type Place = (usize, u16);

/// Opens the stores, one a token. The places come in the order of the wanted keys.
pub(super) fn open(
    wanted: &[Wanted],
    access: &TokenAccess,
    sessions: Sessions,
    copy: SessionCopy,
    patience: Duration,
) -> Result<(Vec<TokenStore>, Vec<Place>), Error> {
    if wanted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let module = access.module()?;
    let mut groups: Vec<Group> = Vec::new();
    for (at, key) in wanted.iter().enumerate() {
        let token = module
            .token(&access.selector(&key.uri))
            .map_err(|error| of_key(&key.name, &error))?;
        let slot = token.info().slot_id;
        match groups.iter_mut().find(|group| group.token.info().slot_id == slot) {
            Some(group) => group.members.push(at),
            None => groups.push(Group {
                token,
                members: vec![at],
            }),
        }
    }
    let mut places = vec![(0, 0); wanted.len()];
    let mut stores = Vec::new();
    for group in &groups {
        let uris = || {
            group
                .members
                .iter()
                .filter_map(|at| wanted.get(*at))
                .map(|key| &key.uri)
        };
        let with_pin = uris().find(|uri| uri.pin_source.is_some() || uri.pin_value.is_some());
        let login = access.log_in(&group.token, with_pin)?;
        login.set_patience(patience);
        let mut keys = Vec::new();
        for at in &group.members {
            let Some(key) = wanted.get(*at) else { continue };
            let found = login.find(&key.uri.key).map_err(|error| of_key(&key.name, &error))?;
            compare(key, found.public(), &found.label(), &group.token)?;
            if let Some(place) = places.get_mut(*at) {
                *place = (stores.len(), u16::try_from(keys.len()).unwrap_or(u16::MAX));
            }
            keys.push((found, key.dnskey.clone()));
        }
        stores.push(TokenStore::open(&login, keys, sessions.on(&group.token), copy)?);
    }
    Ok((stores, places))
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

fn of_key(name: &str, error: &hsm_core::Error) -> Error {
    Error::Token(format!("{name}: {error}"))
}
