//! Finds keys among a token's objects: one key by its selector, all keys as a list, a key's handle
//! in a session, near misses.
//!
//! Every search asks for CKA_TOKEN true: the session copies of other sessions are seen by every
//! session of the application, and would make a second match.

use std::num::NonZeroUsize;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass as Class, ObjectHandle};
use cryptoki::session::{Session, SessionState};
use cryptoki_sys as sys;

use crate::ckr::Ckr;
use crate::error::{Error, KeyFault, Located, Place, Result};
use crate::key::object::{KeyObject, join};
use crate::key::{KeyInfo, KeySelector, ObjectClass, TokenKey};
use crate::quirks;

/// Handles a C_FindObjects call may give; a long list costs few calls.
const BATCH: NonZeroUsize = match NonZeroUsize::new(256) {
    Some(batch) => batch,
    None => NonZeroUsize::MIN,
};

pub(crate) fn search(session: &Session, place: &Place, template: &[Attribute]) -> Result<Vec<ObjectHandle>> {
    let call = "C_FindObjects";
    let found = session.iter_objects_with_cache_size(template, BATCH).at(place, call)?;
    found.map(|handle| handle.at(place, call)).collect()
}

fn template(class: Class, label: Option<&[u8]>, id: Option<&[u8]>) -> Vec<Attribute> {
    let mut template = vec![Attribute::Class(class), Attribute::Token(true)];
    template.extend(label.map(|label| Attribute::Label(label.to_vec())));
    template.extend(id.map(|id| Attribute::Id(id.to_vec())));
    template
}

/// All token objects that are halves of key pairs, in one pass, joined in memory.
pub(crate) fn list(session: &Session, place: &Place) -> Result<Vec<KeyInfo>> {
    let mut objects = Vec::new();
    for handle in search(session, place, &[Attribute::Token(true)])? {
        objects.push(KeyObject::read(session, place, handle)?);
    }
    Ok(join(&objects))
}

/// The one key that matches, read by its two halves.
pub(crate) fn find(session: &Session, place: &Place, wanted: &KeySelector) -> Result<TokenKey> {
    let token = token_name(place);
    let names_a_pair = matches!(wanted.class, None | Some(ObjectClass::Private | ObjectClass::Public));
    if !names_a_pair || (wanted.label.is_none() && wanted.id.is_none()) {
        let near = list(session, place)?;
        return Err(Error::KeyNotFound {
            wanted: wanted.clone(),
            token,
            near,
        });
    }
    let label = wanted.label.as_deref().map(str::as_bytes);
    let privates = search(
        session,
        place,
        &template(Class::PRIVATE_KEY, label, wanted.id.as_deref()),
    )?;
    match privates.as_slice() {
        [] => Err(Error::KeyNotFound {
            wanted: wanted.clone(),
            token,
            near: near(session, place, wanted)?,
        }),
        [handle] => {
            let private = KeyObject::read(session, place, *handle)?;
            let publics = publics_of(session, place, &private)?;
            let publics: Vec<&KeyObject> = publics.iter().map(|(_, public)| public).collect();
            let fault = |fault| Error::KeyUnusable {
                label: String::from_utf8_lossy(&private.label).into_owned(),
                token: token.clone(),
                fault,
            };
            if private.attributes.sign == Some(false) {
                return Err(fault(KeyFault::MayNotSign));
            }
            let mut key = private.pair(&publics).map_err(fault)?;
            key.allowed = allowed(session, *handle);
            Ok(key)
        }
        several => {
            // Each private half for itself: keys that share label and id are still as many as there are.
            let mut candidates = Vec::with_capacity(several.len());
            for handle in several {
                let private = KeyObject::read(session, place, *handle)?;
                let publics = publics_of(session, place, &private)?;
                let mut halves: Vec<KeyObject> = publics.into_iter().map(|(_, public)| public).collect();
                halves.push(private);
                candidates.extend(join(&halves));
            }
            Err(Error::KeyAmbiguous {
                wanted: wanted.clone(),
                token,
                candidates,
            })
        }
    }
}

/// CKA_ALLOWED_MECHANISMS; nothing where the key does not have it or it cannot be read.
fn allowed(session: &Session, key: ObjectHandle) -> Vec<u64> {
    // Alone: a number that cryptoki does not know spoils the answer it stands in.
    let said = session.get_attributes(key, &[AttributeType::AllowedMechanisms]);
    let said = said.unwrap_or_default().into_iter();
    let mechanisms = said.filter_map(|attribute| match attribute {
        Attribute::AllowedMechanisms(mechanisms) => Some(mechanisms),
        _ => None,
    });
    mechanisms.flatten().map(|mechanism| *mechanism).collect()
}

/// The public objects that are a private one's other half.
pub(crate) fn publics_of(
    session: &Session,
    place: &Place,
    private: &KeyObject,
) -> Result<Vec<(ObjectHandle, KeyObject)>> {
    let by_id = (!private.id.is_empty()).then(|| template(Class::PUBLIC_KEY, None, Some(&private.id)));
    let by_label = (!private.label.is_empty()).then(|| template(Class::PUBLIC_KEY, Some(&private.label), None));
    let mut found = Vec::new();
    // By label only where the id finds nothing: a public half may lack its id.
    for template in [by_id, by_label].into_iter().flatten() {
        for handle in search(session, place, &template)? {
            let public = KeyObject::read(session, place, handle)?;
            if private.matches(&public) {
                found.push((handle, public));
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// The handle of a key's private half, valid in this session until it closes.
pub(crate) fn resolve(session: &Session, place: &Place, key: &TokenKey) -> Result<ObjectHandle> {
    let mut found = exact(session, place, Class::PRIVATE_KEY, key)?;
    if found.is_empty() && logged_in(session, place)? {
        // Another worker may have logged in since the search.
        found = exact(session, place, Class::PRIVATE_KEY, key)?;
    }
    match found.as_slice() {
        [handle] => Ok(*handle),
        // Without a login private objects are not refused but invisible.
        [] if !logged_in(session, place)? => {
            let code = Ckr::new(sys::CKR_USER_NOT_LOGGED_IN);
            Err(Error::call("C_FindObjects", code, place))
        }
        [] => {
            let (wanted, token) = (key.selector(), token_name(place));
            let near = near(session, place, &wanted)?;
            Err(Error::KeyNotFound { wanted, token, near })
        }
        several => {
            let mut objects = Vec::new();
            for handle in several {
                objects.push(KeyObject::read(session, place, *handle)?);
            }
            Err(Error::KeyAmbiguous {
                wanted: key.selector(),
                token: token_name(place),
                candidates: join(&objects),
            })
        }
    }
}

/// The handle of a key's public half, valid in this session until it closes.
pub(crate) fn public_handle(session: &Session, place: &Place, key: &TokenKey) -> Result<ObjectHandle> {
    let private = KeyObject::read(session, place, resolve(session, place, key)?)?;
    let publics = publics_of(session, place, &private)?;
    let none = || Error::KeyNotFound {
        wanted: KeySelector {
            class: Some(ObjectClass::Public),
            ..key.selector()
        },
        token: token_name(place),
        near: Vec::new(),
    };
    publics.first().map(|(handle, _)| *handle).ok_or_else(none)
}

fn logged_in(session: &Session, place: &Place) -> Result<bool> {
    let info = session.get_session_info().at(place, "C_GetSessionInfo")?;
    Ok(matches!(
        info.session_state(),
        SessionState::RoUser | SessionState::RwUser
    ))
}

/// Every object of a key, private half first, each with its handle.
pub(crate) fn objects_of(session: &Session, place: &Place, key: &TokenKey) -> Result<Vec<ObjectHandle>> {
    let private = resolve(session, place, key)?;
    let read = KeyObject::read(session, place, private)?;
    let mut objects = vec![private];
    for (handle, public) in publics_of(session, place, &read)? {
        // A public half under another name may serve somebody else.
        if public.label == key.label || public.id == key.id {
            objects.push(handle);
        }
    }
    Ok(objects)
}

/// Whether any token object carries this label or id, of whatever class.
pub(crate) fn exists(session: &Session, place: &Place, attribute: Attribute) -> Result<bool> {
    Ok(!search(session, place, &[Attribute::Token(true), attribute])?.is_empty())
}

/// Keys that resemble what was asked for: a part of the label, the same id, or a public half alone.
pub(crate) fn near(session: &Session, place: &Place, wanted: &KeySelector) -> Result<Vec<KeyInfo>> {
    let mut all = list(session, place)?;
    all.retain(|key| resembles(key, wanted));
    Ok(all)
}

fn resembles(key: &KeyInfo, wanted: &KeySelector) -> bool {
    let same_id = wanted.id.as_ref().is_some_and(|id| *id == key.id);
    let like_label = wanted.label.as_ref().is_some_and(|label| {
        let (wanted, there) = (label.to_lowercase(), key.label.to_lowercase());
        !there.is_empty() && (there.contains(&wanted) || wanted.contains(&there) || one_edit(&wanted, &there))
    });
    same_id || like_label
}

/// Equal but for one character inserted, left out or replaced.
fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same_start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - same_start;
    let same_end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(room)
        .take_while(|(x, y)| x == y)
        .count();
    same_start + same_end + 1 >= a.len().max(b.len())
}

/// The objects with a key's label, id and type.
fn exact(session: &Session, place: &Place, class: Class, key: &TokenKey) -> Result<Vec<ObjectHandle>> {
    let label = (!key.label.is_empty()).then_some(&*key.label);
    let id = (!key.id.is_empty()).then_some(&*key.id);
    let kinds = match key.kind().key_type() {
        // Some tokens have a number of their own for these.
        KeyType::EC_EDWARDS => quirks::edwards_key_types()
            .filter_map(|number| KeyType::try_from(number).ok())
            .collect(),
        other => vec![other],
    };
    for kind in kinds {
        let mut template = template(class, label, id);
        template.push(Attribute::KeyType(kind));
        let found = search(session, place, &template)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn token_name(place: &Place) -> String {
    match (place.token_label(), place.slot()) {
        (Some(label), Some(slot)) => format!("token '{label}' (slot {slot})"),
        _ => "the token".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_near() {
        for (a, b) in [("zsk", "zsk1"), ("zsk1", "zsk"), ("ksk", "zsk"), ("a", "b"), ("", "x")] {
            assert!(one_edit(a, b), "{a} {b}");
        }
        for (a, b) in [("zsk", "kzs"), ("abc", "axyz"), ("ab", "ba")] {
            assert!(!one_edit(a, b), "{a} {b}");
        }
    }
}
