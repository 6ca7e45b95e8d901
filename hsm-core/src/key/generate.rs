//! Makes a key pair on the token and reads back what the token made of it.
//!
//! The templates are those of BIND's native tool plus CKA_ID, without which libp11 cannot tell two
//! EC keys apart. Nothing is ever made in software here.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys as sys;

use crate::ckr::Ckr;
use crate::error::{Error, Located, Place, Result};
use crate::ffi::HotCall;
use crate::key::find;
use crate::key::object::KeyObject;
use crate::key::public::{EARLY_ED25519, curve_params};
use crate::key::{KeyKind, KeySelector, TokenKey};
use crate::quirks::{Eddsa, Quirks};
use crate::token::Token;

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// CKA_LABEL of both halves; no object on the token may have it yet.
    pub label: String,
    /// CKA_ID of both halves.
    pub id: NewId,
    /// Type and size. RSA: 1024 to 4096 bits, a multiple of 8; fewer than 2048 are for callers who insist.
    pub kind: KeyKind,
    /// CKA_PUBLIC_EXPONENT of an RSA key; not looked at for other kinds.
    pub exponent: RsaExponent,
    /// What the token is asked to do with the private half.
    pub protection: Protection,
}

impl GenerateSpec {
    /// A sensitive pair that cannot be extracted, with a random id and, for RSA, the exponent 65537.
    pub fn new(label: impl Into<String>, kind: KeyKind) -> Self {
        Self {
            label: label.into(),
            id: NewId::Random,
            kind,
            exponent: RsaExponent::F4,
            protection: Protection::Sealed,
        }
    }
}

/// CKA_ID of a new pair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewId {
    /// Eight random bytes.
    Random,
    /// These bytes; no object may have them yet.
    Unique(Vec<u8>),
    /// These bytes, whoever else has them.
    Shared(Vec<u8>),
    /// The attribute is left out: libp11 cannot tell two such EC keys apart.
    Absent,
}

/// The public exponent of a new RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RsaExponent {
    /// 65537.
    F4,
    /// 2^32 + 1, which BIND's tools make with `-e`.
    F5,
}

impl RsaExponent {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::F4 => vec![1, 0, 1],
            Self::F5 => vec![1, 0, 0, 0, 1],
        }
    }
}

/// What the token is asked to do with a new private half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// CKA_SENSITIVE true, CKA_EXTRACTABLE false; read back.
    Sealed,
    /// CKA_SENSITIVE true, CKA_EXTRACTABLE true: it leaves the token wrapped by another key only.
    Wrappable,
    /// CKA_SENSITIVE false, CKA_EXTRACTABLE true: whoever has the PIN can read it.
    Extractable,
}

impl Protection {
    pub(crate) fn is_sensitive(self) -> bool {
        self != Self::Extractable
    }

    pub(crate) fn is_extractable(self) -> bool {
        self != Self::Sealed
    }
}

/// Makes the pair in a read-write session and reads it back.
pub(crate) fn generate(session: &Session, token: &Token, spec: &GenerateSpec) -> Result<TokenKey> {
    if let KeyKind::Rsa(bits) = spec.kind
        && (!(1024..=4096).contains(&bits) || bits % 8 != 0)
    {
        return Err(input(spec, "an RSA key has 1024 to 4096 bits, a multiple of 8"));
    }
    let place = token.place();
    let id = free_id(session, place, &spec.label, &spec.id)?;
    let (public, private) = make(session, token, spec, spec.label.as_bytes(), id.as_deref())?;
    read_back(session, place, token.quirks(), spec, public, private)
}

/// The CKA_ID of a new pair, once it is known that no object has its label or, where it has to be its own, its id.
pub(crate) fn free_id(session: &Session, place: &Place, label: &str, id: &NewId) -> Result<Option<Vec<u8>>> {
    let taken = |wanted| Error::KeyExists {
        wanted,
        token: place.token_label().unwrap_or("the token").to_owned(),
    };
    let input = |reason: &str| Error::Input {
        label: label.to_owned(),
        reason: reason.to_owned(),
    };
    if label.is_empty() {
        return Err(input("a key needs a label"));
    }
    if let NewId::Unique(id) | NewId::Shared(id) = id
        && id.is_empty()
    {
        return Err(input("an id has at least one byte"));
    }
    if find::exists(session, place, Attribute::Label(label.as_bytes().to_vec()))? {
        return Err(taken(KeySelector::label(label)));
    }
    Ok(match id {
        NewId::Unique(id) if find::exists(session, place, Attribute::Id(id.clone()))? => {
            return Err(taken(KeySelector::id(id.clone())));
        }
        NewId::Unique(id) | NewId::Shared(id) => Some(id.clone()),
        NewId::Random => {
            let mut id = vec![0; 8];
            aws_lc_rs::rand::fill(&mut id).map_err(|_| input("this machine gives no random numbers for an id"))?;
            Some(id)
        }
        NewId::Absent => None,
    })
}

fn make(
    session: &Session,
    token: &Token,
    spec: &GenerateSpec,
    label: &[u8],
    id: Option<&[u8]>,
) -> Result<(ObjectHandle, ObjectHandle)> {
    let (kind, place) = (spec.kind, token.place());
    let mut common = vec![Attribute::Token(true), Attribute::Label(label.to_vec())];
    common.extend(id.map(|id| Attribute::Id(id.to_vec())));
    let public = [&common[..], &[Attribute::Private(false), Attribute::Verify(true)]].concat();
    let private = [
        &common[..],
        &[
            Attribute::Private(true),
            Attribute::Sensitive(spec.protection.is_sensitive()),
            Attribute::Extractable(spec.protection.is_extractable()),
            Attribute::Sign(true),
        ],
    ]
    .concat();
    let call = "C_GenerateKeyPair";
    let (mechanism, forms) = match kind {
        KeyKind::Rsa(bits) => {
            let template = [
                &public[..],
                &[
                    Attribute::ModulusBits(u64::from(bits).into()),
                    Attribute::PublicExponent(spec.exponent.bytes()),
                ],
            ]
            .concat();
            let mechanism = Mechanism::RsaPkcsKeyPairGen;
            return session
                .generate_key_pair(&mechanism, &template, &private)
                .at(place, call);
        }
        KeyKind::P256 | KeyKind::P384 => (Mechanism::EccKeyPairGen, curve_params(kind)),
        KeyKind::Ed25519 | KeyKind::Ed448 => (Mechanism::EccEdwardsKeyPairGen, curve_params(kind)),
    };
    let eddsa = token.eddsa();
    let vendor = (kind == KeyKind::Ed25519 && eddsa != Eddsa::STANDARD).then_some(eddsa);
    // Tokens with numbers of their own name the curve as it was named before there were any.
    let forms = vendor.map(|_| EARLY_ED25519).into_iter().chain(forms);
    let pair = |template: &[Attribute]| match (vendor, token.module().hot()) {
        (Some(eddsa), HotCall::Direct(functions)) => functions
            .generate_key_pair(session.handle(), eddsa.generate, template, &private)
            .map_err(|(call, code)| Error::call(call, code, place)),
        _ => session
            .generate_key_pair(&mechanism, template, &private)
            .at(place, call),
    };
    let mut refusal = None;
    for params in forms {
        match pair(&[&public[..], &[Attribute::EcParams(params.to_vec())]].concat()) {
            Err(error) if error.code().is_some_and(is_about_the_curve) => refusal = refusal.or(Some(error)),
            done => return done,
        }
    }
    Err(refusal.unwrap_or_else(|| Error::call(call, Ckr::new(sys::CKR_CURVE_NOT_SUPPORTED), place)))
}

/// Codes by which tokens say that they do not read this form of CKA_EC_PARAMS.
pub(crate) fn is_about_the_curve(code: Ckr) -> bool {
    matches!(
        code.code(),
        sys::CKR_ATTRIBUTE_VALUE_INVALID
            | sys::CKR_CURVE_NOT_SUPPORTED
            | sys::CKR_DOMAIN_PARAMS_INVALID
            | sys::CKR_TEMPLATE_INCONSISTENT
            | sys::CKR_ARGUMENTS_BAD
    )
}

/// Reads the new pair; one that the token does not protect, or that cannot be read, is destroyed.
fn read_back(
    session: &Session,
    place: &Place,
    quirks: Quirks,
    spec: &GenerateSpec,
    public: ObjectHandle,
    private: ObjectHandle,
) -> Result<TokenKey> {
    let read = || -> Result<TokenKey> {
        let private = KeyObject::read(session, place, private)?;
        let public = KeyObject::read(session, place, public)?;
        let token = place.token_label().unwrap_or("the token").to_owned();
        let key = private.pair(&[&public]).map_err(|fault| Error::KeyUnusable {
            label: spec.label.clone(),
            token: token.clone(),
            fault,
        })?;
        if spec.protection == Protection::Sealed && !key.attributes.is_safe(quirks) {
            let attributes = key.attributes;
            return Err(Error::KeyUnsafe {
                label: spec.label.clone(),
                token,
                attributes,
            });
        }
        if key.kind() != spec.kind {
            return Err(input(
                spec,
                &format!("the token made {} instead of {}", key.kind(), spec.kind),
            ));
        }
        Ok(key)
    };
    read().inspect_err(|error| {
        for handle in [private, public] {
            if let Err(left) = session.destroy_object(handle).at(place, "C_DestroyObject") {
                tracing::warn!(%error, %left, label = spec.label, "a half of the new key stays on the token");
            }
        }
    })
}

fn input(spec: &GenerateSpec, reason: &str) -> Error {
    Error::Input {
        label: spec.label.clone(),
        reason: reason.to_owned(),
    }
}

/// Removes a key's objects; tells how many they were.
pub(crate) fn destroy(session: &Session, place: &Place, key: &TokenKey) -> Result<usize> {
    let objects = find::objects_of(session, place, key)?;
    for handle in &objects {
        if let Ok(attributes) = session.get_attributes(*handle, &[AttributeType::Destroyable])
            && attributes.contains(&Attribute::Destroyable(false))
        {
            let code = Ckr::new(sys::CKR_ACTION_PROHIBITED);
            return Err(Error::call("C_DestroyObject", code, place));
        }
    }
    for handle in &objects {
        session.destroy_object(*handle).at(place, "C_DestroyObject")?;
    }
    Ok(objects.len())
}
