//! Brings a private key onto a token, bare, carried or out of a backup; puts its public half beside it, and reads both back.
//! What the token does not protect as asked, or shows another public key for, is destroyed again.

use std::fmt;

use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys as sys;

use crate::ckr::Ckr;
use crate::error::{Error, KeyFault, Located, Place, Result};
use crate::key::generate::{NewId, Protection, free_id, is_about_the_curve};
use crate::key::object::KeyObject;
use crate::key::pkcs8::private_key_info;
use crate::key::private::{SecretTemplate, padded, significant};
use crate::key::public::curve_params;
use crate::key::transport::carry;
use crate::key::wrap::{unwrap, wrapping_key};
use crate::key::{KeySelector, PrivatePart, PublicPart, TokenKey, WrapMechanism, WrappedKey};
use crate::token::Token;

/// What a key becomes that is brought onto a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSpec {
    /// CKA_LABEL of both halves; no object on the token may have it yet.
    pub label: String,
    /// CKA_ID of both halves.
    pub id: NewId,
    /// The public half.
    pub public: PublicPart,
    /// What the token is asked to do with the private half.
    pub protection: Protection,
}

impl ImportSpec {
    /// A sensitive key that cannot be extracted, with a random id.
    pub fn new(label: impl Into<String>, public: PublicPart) -> Self {
        Self {
            label: label.into(),
            id: NewId::Random,
            public,
            protection: Protection::Sealed,
        }
    }
}

/// How a private key came onto a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportWay {
    /// By C_CreateObject: the library saw it bare.
    Created,
    /// By C_UnwrapKey, under a temporary AES key.
    Unwrapped(WrapMechanism),
}

impl fmt::Display for ImportWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => f.write_str("C_CreateObject"),
            Self::Unwrapped(mechanism) => write!(f, "C_UnwrapKey with {mechanism}"),
        }
    }
}

/// Brings a key that is at hand onto the token.
pub(crate) fn import(
    session: &Session,
    token: &Token,
    spec: &ImportSpec,
    private: &PrivatePart,
) -> Result<(TokenKey, ImportWay)> {
    let place = token.place();
    let id = free_id(session, place, &spec.label, &spec.id)?;
    let common = common(spec, id.as_deref());
    let secret = secret(&spec.public, private).ok_or_else(|| input(spec, "its private half is of another type"))?;
    let (handle, way) = match create(
        session,
        place,
        &spec.public,
        &[common.clone(), of_private(spec)].concat(),
        secret,
    ) {
        Ok(handle) => (handle, ImportWay::Created),
        Err(bare) if bare.code().is_some_and(is_about_bare_secrets) => {
            let document = private_key_info(&spec.public, private)
                .ok_or_else(|| input(spec, "its private half is of another type"))?;
            match carry(session, token, &document, &wrapped_template(spec, &common)) {
                Ok((handle, mechanism)) => (handle, ImportWay::Unwrapped(mechanism)),
                Err(wrapped) => {
                    return Err(Error::NotImportable {
                        label: spec.label.clone(),
                        token: name(place),
                        bare: Box::new(bare),
                        wrapped: Box::new(wrapped),
                    });
                }
            }
        }
        Err(error) => return Err(error),
    };
    complete(session, place, spec, &common, handle).map(|key| (key, way))
}

/// Brings a wrapped key back.
pub(crate) fn restore(
    session: &Session,
    token: &Token,
    spec: &ImportSpec,
    wrapped: &WrappedKey,
    wrapping: &KeySelector,
) -> Result<TokenKey> {
    let place = token.place();
    let id = free_id(session, place, &spec.label, &spec.id)?;
    let common = common(spec, id.as_deref());
    let by = wrapping_key(session, place, wrapping)?;
    let handle = unwrap(session, token, by, wrapped, &wrapped_template(spec, &common))?;
    complete(session, place, spec, &common, handle)
}

/// What both halves have.
fn common(spec: &ImportSpec, id: Option<&[u8]>) -> Vec<Attribute> {
    let mut common = vec![
        Attribute::KeyType(spec.public.kind().key_type()),
        Attribute::Token(true),
        Attribute::Label(spec.label.as_bytes().to_vec()),
    ];
    common.extend(id.map(|id| Attribute::Id(id.to_vec())));
    common
}

/// What the private half has beside it.
fn of_private(spec: &ImportSpec) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Private(true),
        Attribute::Sensitive(spec.protection.is_sensitive()),
        Attribute::Extractable(spec.protection.is_extractable()),
        Attribute::Sign(true),
    ]
}

/// The template for C_UnwrapKey: the document tells curve and numbers.
fn wrapped_template(spec: &ImportSpec, common: &[Attribute]) -> Vec<Attribute> {
    let mut template = of_private(spec);
    template.extend_from_slice(common);
    template
}

/// The private numbers as attributes; `None` where the halves are of different kinds.
fn secret(public: &PublicPart, private: &PrivatePart) -> Option<SecretTemplate> {
    Some(SecretTemplate(match (public, private) {
        (
            PublicPart::Rsa {
                modulus,
                exponent: public_exponent,
            },
            PrivatePart::Rsa {
                exponent,
                prime1,
                prime2,
                exponent1,
                exponent2,
                coefficient,
            },
        ) => {
            let bytes = |number: &[u8]| significant(number).to_vec();
            vec![
                Attribute::Modulus(modulus.clone()),
                Attribute::PublicExponent(public_exponent.clone()),
                Attribute::PrivateExponent(bytes(exponent)),
                Attribute::Prime1(bytes(prime1)),
                Attribute::Prime2(bytes(prime2)),
                Attribute::Exponent1(bytes(exponent1)),
                Attribute::Exponent2(bytes(exponent2)),
                Attribute::Coefficient(bytes(coefficient)),
            ]
        }
        (PublicPart::Rsa { .. }, _) | (_, PrivatePart::Rsa { .. }) => return None,
        (_, PrivatePart::Scalar(scalar)) => match public.kind().digest_len() {
            Some(size) => vec![Attribute::Value(padded(scalar, size)?.to_vec())],
            None => vec![Attribute::Value(scalar.to_vec())],
        },
    }))
}

/// C_CreateObject, for curves with each form of CKA_EC_PARAMS.
fn create(
    session: &Session,
    place: &Place,
    public: &PublicPart,
    template: &[Attribute],
    mut whole: SecretTemplate,
) -> Result<ObjectHandle> {
    whole.0.reserve(template.len() + 1);
    whole.0.extend_from_slice(template);
    let call = "C_CreateObject";
    let PublicPart::Rsa { .. } = public else {
        let mut refusal = None;
        for params in curve_params(public.kind()) {
            whole.0.retain(|attribute| !matches!(attribute, Attribute::EcParams(_)));
            whole.0.push(Attribute::EcParams(params.to_vec()));
            match session.create_object(&whole.0).at(place, call) {
                Err(error) if error.code().is_some_and(is_about_the_curve) => refusal = refusal.or(Some(error)),
                done => return done,
            }
        }
        let none = || Error::call(call, Ckr::new(sys::CKR_CURVE_NOT_SUPPORTED), place);
        return Err(refusal.unwrap_or_else(none));
    };
    session.create_object(&whole.0).at(place, call)
}

/// Puts the public half beside the private one and reads both back.
fn complete(
    session: &Session,
    place: &Place,
    spec: &ImportSpec,
    common: &[Attribute],
    private: ObjectHandle,
) -> Result<TokenKey> {
    let mut made = vec![private];
    let finish = |made: &mut Vec<ObjectHandle>| -> Result<TokenKey> {
        let mut template = common.to_vec();
        template.extend([
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::Private(false),
            Attribute::Verify(true),
        ]);
        let numbers = match &spec.public {
            PublicPart::Rsa { modulus, exponent } => vec![
                Attribute::Modulus(modulus.clone()),
                Attribute::PublicExponent(exponent.clone()),
            ],
            curve => vec![Attribute::EcPoint(curve.point_attribute())],
        };
        let public = create(session, place, &spec.public, &template, SecretTemplate(numbers))?;
        made.push(public);
        let private = KeyObject::read(session, place, private)?;
        let public = KeyObject::read(session, place, public)?;
        let unusable = |fault| Error::KeyUnusable {
            label: spec.label.clone(),
            token: name(place),
            fault,
        };
        let key = private.pair(&[&public]).map_err(unusable)?;
        if key.public != spec.public {
            return Err(unusable(KeyFault::OtherPublic(key.public.fingerprint())));
        }
        if spec.protection == Protection::Sealed && !key.attributes.is_sealed() {
            return Err(Error::KeyUnsafe {
                label: spec.label.clone(),
                token: name(place),
                attributes: key.attributes,
            });
        }
        Ok(key)
    };
    finish(&mut made).inspect_err(|error| {
        for handle in made {
            if let Err(left) = session.destroy_object(handle).at(place, "C_DestroyObject") {
                tracing::warn!(%error, %left, label = spec.label, "a half of the new key stays on the token");
            }
        }
    })
}

/// Codes by which tokens say that they take no private key that comes bare.
fn is_about_bare_secrets(code: Ckr) -> bool {
    matches!(
        code.code(),
        sys::CKR_ACTION_PROHIBITED
            | sys::CKR_ARGUMENTS_BAD
            | sys::CKR_ATTRIBUTE_READ_ONLY
            | sys::CKR_ATTRIBUTE_SENSITIVE
            | sys::CKR_ATTRIBUTE_TYPE_INVALID
            | sys::CKR_ATTRIBUTE_VALUE_INVALID
            | sys::CKR_FUNCTION_NOT_SUPPORTED
            | sys::CKR_FUNCTION_REJECTED
            | sys::CKR_TEMPLATE_INCOMPLETE
            | sys::CKR_TEMPLATE_INCONSISTENT
    )
}

fn name(place: &Place) -> String {
    format!("token '{}'", place.token_label().unwrap_or_default())
}

fn input(spec: &ImportSpec, reason: &str) -> Error {
    Error::Input {
        label: spec.label.clone(),
        reason: reason.to_owned(),
    }
}
