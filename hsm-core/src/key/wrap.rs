//! C_WrapKey and C_UnwrapKey by an AES key of the token: mechanisms tried in the order of what they can take. What is wrapped
//! is a PKCS#8 document that the token writes; its bytes are of no interest here.

use std::fmt;
use std::str::FromStr;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys as sys;

use crate::ckr::Ckr;
use crate::error::{Error, KeyFault, Located, Place, Result};
use crate::ffi::HotCall;
use crate::key::find::{resolve, search};
use crate::key::{KeySelector, TokenKey};
use crate::token::Token;

/// A mechanism that wraps keys by an AES key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WrapMechanism {
    /// CKM_AES_KEY_WRAP_KWP: RFC 5649, any length.
    AesKeyWrapKwp,
    /// CKM_AES_KEY_WRAP_PAD, the older name, by which some tokens pad otherwise.
    AesKeyWrapPad,
    /// CKM_AES_KEY_WRAP: RFC 3394, lengths that are multiples of 8.
    AesKeyWrap,
}

impl WrapMechanism {
    /// In the order to try them in.
    const ALL: [Self; 3] = [Self::AesKeyWrapKwp, Self::AesKeyWrapPad, Self::AesKeyWrap];

    /// Those that take a key of any length.
    pub(super) const PADDED: [Self; 2] = [Self::AesKeyWrapKwp, Self::AesKeyWrapPad];

    fn number(self) -> sys::CK_MECHANISM_TYPE {
        match self {
            Self::AesKeyWrapKwp => sys::CKM_AES_KEY_WRAP_KWP,
            Self::AesKeyWrapPad => sys::CKM_AES_KEY_WRAP_PAD,
            Self::AesKeyWrap => sys::CKM_AES_KEY_WRAP,
        }
    }

    /// cryptoki's name for it, if it has one.
    fn known(self) -> Option<Mechanism<'static>> {
        match self {
            Self::AesKeyWrapKwp => None,
            Self::AesKeyWrapPad => Some(Mechanism::AesKeyWrapPad),
            Self::AesKeyWrap => Some(Mechanism::AesKeyWrap),
        }
    }
}

impl fmt::Display for WrapMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AesKeyWrapKwp => "CKM_AES_KEY_WRAP_KWP",
            Self::AesKeyWrapPad => "CKM_AES_KEY_WRAP_PAD",
            Self::AesKeyWrap => "CKM_AES_KEY_WRAP",
        })
    }
}

impl FromStr for WrapMechanism {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let known = Self::ALL.into_iter().find(|mechanism| mechanism.to_string() == text);
        known.ok_or(())
    }
}

/// A key outside its token, of use only with the AES key that wrapped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// How it was wrapped.
    pub mechanism: WrapMechanism,
    /// What the token gave.
    pub bytes: Vec<u8>,
}

/// More than the longest key wrapped, RSA with 4096 bits.
const ROOM: usize = 8192;

/// Wraps a key of the token.
pub(crate) fn wrap(session: &Session, token: &Token, key: &TokenKey, wrapping: &KeySelector) -> Result<WrappedKey> {
    let place = token.place();
    let unusable = |fault| Error::KeyUnusable {
        label: key.label(),
        token: name(place),
        fault,
    };
    if key.attributes.extractable == Some(false) {
        return Err(unusable(KeyFault::NotExtractable));
    }
    let by = wrapping_key(session, place, wrapping)?;
    let handle = resolve(session, place, key)?;
    let mut last = None;
    for mechanism in WrapMechanism::ALL {
        let wrapped = match (token.module().hot(), mechanism.known()) {
            (HotCall::Direct(functions), _) => functions
                .wrap(session.handle(), mechanism.number(), by.handle(), handle.handle(), ROOM)
                .map_err(|(call, code)| Error::call(call, code, place)),
            (HotCall::Indirect, Some(known)) => session.wrap_key(&known, by, handle).at(place, "C_WrapKey"),
            (HotCall::Indirect, None) => continue,
        };
        match wrapped {
            Ok(bytes) => return Ok(WrappedKey { mechanism, bytes }),
            Err(error) => match error.code().map(Ckr::code) {
                Some(sys::CKR_KEY_UNEXTRACTABLE) => return Err(unusable(KeyFault::NotExtractable)),
                Some(code @ sys::CKR_KEY_NOT_WRAPPABLE) => {
                    return Err(unusable(KeyFault::NotWrappable(Ckr::new(code))));
                }
                Some(code) if is_about_the_mechanism(code) => last = Some(error),
                _ => return Err(error),
            },
        }
    }
    Err(none_wraps(place, last))
}

/// Makes an object of what was wrapped.
pub(super) fn unwrap(
    session: &Session,
    token: &Token,
    by: ObjectHandle,
    wrapped: &WrappedKey,
    template: &[Attribute],
) -> Result<ObjectHandle> {
    let (place, mechanism) = (token.place(), wrapped.mechanism);
    match (token.module().hot(), mechanism.known()) {
        (HotCall::Direct(functions), _) => functions
            .unwrap(
                session.handle(),
                mechanism.number(),
                by.handle(),
                &wrapped.bytes,
                template,
            )
            .map_err(|(call, code)| Error::call(call, code, place)),
        (HotCall::Indirect, Some(known)) => session
            .unwrap_key(&known, by, &wrapped.bytes, template)
            .at(place, "C_UnwrapKey"),
        (HotCall::Indirect, None) => {
            let code = Ckr::new(sys::CKR_MECHANISM_INVALID);
            Err(Error::call("C_UnwrapKey", code, place))
        }
    }
}

/// The AES key to wrap by.
pub(super) fn wrapping_key(session: &Session, place: &Place, wanted: &KeySelector) -> Result<ObjectHandle> {
    let mut template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
    ];
    template.extend(
        wanted
            .label
            .as_ref()
            .map(|label| Attribute::Label(label.as_bytes().to_vec())),
    );
    template.extend(wanted.id.clone().map(Attribute::Id));
    match search(session, place, &template)?.as_slice() {
        [one] => Ok(*one),
        several => Err(Error::WrappingKey {
            wanted: wanted.clone(),
            token: name(place),
            found: several.len(),
        }),
    }
}

/// Codes by which tokens say that another mechanism may do.
pub(super) fn is_about_the_mechanism(code: u64) -> bool {
    matches!(
        code,
        sys::CKR_MECHANISM_INVALID
            | sys::CKR_MECHANISM_PARAM_INVALID
            | sys::CKR_FUNCTION_NOT_SUPPORTED
            | sys::CKR_KEY_SIZE_RANGE
            | sys::CKR_DATA_LEN_RANGE
            | sys::CKR_WRAPPING_KEY_TYPE_INCONSISTENT
            | sys::CKR_WRAPPED_KEY_LEN_RANGE
    )
}

/// The error for a token that has no mechanism.
pub(super) fn none_wraps(place: &Place, last: Option<Error>) -> Error {
    let none = || Error::call("C_WrapKey", Ckr::new(sys::CKR_MECHANISM_INVALID), place);
    Error::NoWrapping {
        token: name(place),
        answer: Box::new(last.unwrap_or_else(none)),
    }
}

fn name(place: &Place) -> String {
    format!("token '{}'", place.token_label().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_go_by_their_names() {
        for mechanism in WrapMechanism::ALL {
            assert_eq!(mechanism.to_string().parse(), Ok(mechanism));
        }
        assert!("CKM_AES_CBC_PAD".parse::<WrapMechanism>().is_err());
    }
}
