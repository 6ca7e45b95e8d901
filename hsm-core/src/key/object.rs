//! Reads one key object's attributes, and joins the two halves of pairs in memory.
//!
//! One C_GetAttributeValue pass an object. Joining is pure: it sees what was read, no session.

use std::collections::HashMap;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crate::error::{KeyFault, Located, Place, Result};
use crate::key::{Halves, KeyAttributes, KeyInfo, PublicPart, TokenKey};
use crate::quirks;

/// A key object as read.
#[derive(Clone, Debug)]
pub(crate) struct KeyObject {
    pub(crate) half: Half,
    pub(crate) key_type: Option<KeyType>,
    pub(crate) label: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) attributes: KeyAttributes,
    pub(crate) always_authenticate: bool,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    params: Vec<u8>,
    point: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    Private,
    Public,
    /// Not a half of a pair: a certificate, a secret key, data.
    Neither,
}

/// CKA_CLASS and CKA_KEY_TYPE come first and alone: cryptoki gives up on a whole answer when one
/// value in it is a number it does not know, and a list must survive a vendor's own object.
const NATURE: &[AttributeType] = &[AttributeType::Class, AttributeType::KeyType];

const PRIVATE: &[AttributeType] = &[
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Sensitive,
    AttributeType::AlwaysSensitive,
    AttributeType::Extractable,
    AttributeType::NeverExtractable,
    AttributeType::Local,
    AttributeType::Sign,
    AttributeType::Copyable,
    AttributeType::AlwaysAuthenticate,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::EcPoint,
];

const PUBLIC: &[AttributeType] = &[
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Local,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::EcPoint,
];

impl KeyObject {
    /// Reads one object. An object that vanished meanwhile or whose nature cannot be read is
    /// [`Half::Neither`].
    pub(crate) fn read(session: &Session, place: &Place, handle: ObjectHandle) -> Result<Self> {
        let mut object = Self {
            half: Half::Neither,
            key_type: None,
            label: Vec::new(),
            id: Vec::new(),
            attributes: KeyAttributes::default(),
            always_authenticate: false,
            modulus: Vec::new(),
            exponent: Vec::new(),
            params: Vec::new(),
            point: Vec::new(),
        };
        let nature = session.get_attributes(handle, NATURE);
        if let Err(cryptoki::error::Error::NotSupported | cryptoki::error::Error::InvalidValue) = nature {
            return Ok(object);
        }
        for attribute in nature.at(place, "C_GetAttributeValue")? {
            match attribute {
                Attribute::Class(ObjectClass::PRIVATE_KEY) => object.half = Half::Private,
                Attribute::Class(ObjectClass::PUBLIC_KEY) => object.half = Half::Public,
                Attribute::KeyType(key_type) => {
                    // A vendor's own number means the same; what curve it is, the parameters say.
                    let edwards = quirks::edwards_key_types().any(|known| known == *key_type);
                    object.key_type = Some(if edwards { KeyType::EC_EDWARDS } else { key_type });
                }
                _ => {}
            }
        }
        let wanted = match object.half {
            Half::Private => PRIVATE,
            Half::Public => PUBLIC,
            Half::Neither => return Ok(object),
        };
        // Software tokens look at an object's file for each attribute: what its type does not have is not asked for.
        let foreign: &[AttributeType] = match object.key_type {
            Some(KeyType::RSA) => &[AttributeType::EcParams, AttributeType::EcPoint],
            Some(KeyType::EC | KeyType::EC_EDWARDS) => &[AttributeType::Modulus, AttributeType::PublicExponent],
            _ => &[],
        };
        let wanted: Vec<AttributeType> = wanted.iter().copied().filter(|kind| !foreign.contains(kind)).collect();
        for attribute in session
            .get_attributes(handle, &wanted)
            .at(place, "C_GetAttributeValue")?
        {
            object.take(attribute);
        }
        Ok(object)
    }

    fn take(&mut self, attribute: Attribute) {
        let says = &mut self.attributes;
        match attribute {
            Attribute::Label(value) => self.label = value,
            Attribute::Id(value) => self.id = value,
            Attribute::Modulus(value) => self.modulus = value,
            Attribute::PublicExponent(value) => self.exponent = value,
            Attribute::EcParams(value) => self.params = value,
            Attribute::EcPoint(value) => self.point = value,
            Attribute::AlwaysAuthenticate(value) => self.always_authenticate = value,
            Attribute::Token(value) => says.token = Some(value),
            Attribute::Private(value) => says.private = Some(value),
            Attribute::Sensitive(value) => says.sensitive = Some(value),
            Attribute::AlwaysSensitive(value) => says.always_sensitive = Some(value),
            Attribute::Extractable(value) => says.extractable = Some(value),
            Attribute::NeverExtractable(value) => says.never_extractable = Some(value),
            Attribute::Local(value) => says.local = Some(value),
            Attribute::Sign(value) => says.sign = Some(value),
            Attribute::Copyable(value) => says.copyable = Some(value),
            _ => {}
        }
    }

    /// CKA_KEY_TYPE as text, `CKK_EC`.
    pub(crate) fn type_name(&self) -> String {
        self.key_type
            .map_or_else(|| "of an unknown type".to_owned(), |known| known.to_string())
    }

    /// The public part, from this object alone.
    ///
    /// # Errors
    /// [`KeyFault::NoPublicHalf`] if this object does not tell it (a private EC key seldom does).
    pub(crate) fn public(&self) -> std::result::Result<PublicPart, KeyFault> {
        match self.key_type {
            Some(KeyType::RSA) if self.modulus.is_empty() || self.exponent.is_empty() => Err(KeyFault::NoPublicHalf),
            Some(KeyType::RSA) => PublicPart::rsa(&self.modulus, &self.exponent),
            Some(KeyType::EC | KeyType::EC_EDWARDS) if self.point.is_empty() => Err(KeyFault::NoPublicHalf),
            Some(KeyType::EC | KeyType::EC_EDWARDS) => PublicPart::curve(&self.params, &self.point),
            _ => Err(KeyFault::Type(self.type_name())),
        }
    }

    /// This private half and those public objects that match it, as a key.
    pub(crate) fn pair(&self, publics: &[&Self]) -> std::result::Result<TokenKey, KeyFault> {
        let mut found = publics.iter().map(|half| half.public());
        let public = match found.next() {
            None => self.public()?,
            Some(first) => {
                let first = first?;
                for other in found {
                    if other? != first {
                        return Err(KeyFault::PublicHalves(publics.len()));
                    }
                }
                first
            }
        };
        Ok(TokenKey {
            label: self.label.clone(),
            id: self.id.clone(),
            public,
            attributes: self.attributes,
            always_authenticate: self.always_authenticate,
            allowed: Vec::new(),
        })
    }

    fn info(&self, publics: &[&Self]) -> KeyInfo {
        let public = match self.half {
            Half::Private => self.pair(publics).map(|key| key.public),
            _ => self.public(),
        };
        KeyInfo {
            label: String::from_utf8_lossy(&self.label).into_owned(),
            id: self.id.clone(),
            kind: public.as_ref().ok().map(PublicPart::kind),
            key_type: self.type_name(),
            public: public.ok(),
            halves: match self.half {
                Half::Private if publics.is_empty() => Halves::PrivateOnly,
                Half::Private => Halves::Both,
                _ => Halves::PublicOnly,
            },
            attributes: self.attributes,
        }
    }

    /// Whether a public object is this private one's other half: the id decides where both have
    /// one, else the label.
    pub(crate) fn matches(&self, public: &Self) -> bool {
        if self.key_type != public.key_type {
            return false;
        }
        if self.id.is_empty() || public.id.is_empty() {
            !self.label.is_empty() && self.label == public.label
        } else {
            self.id == public.id
        }
    }
}

/// Joins halves into pairs, sorted by label and id. Linear in the number of objects.
pub(crate) fn join(objects: &[KeyObject]) -> Vec<KeyInfo> {
    let mut by_id: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let mut by_label: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, object) in objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.half == Half::Public)
    {
        by_id.entry(&object.id).or_default().push(at);
        by_label.entry(&object.label).or_default().push(at);
    }
    let mut taken = vec![false; objects.len()];
    let mut list = Vec::new();
    for object in objects.iter().filter(|object| object.half == Half::Private) {
        let same_id = by_id.get(&*object.id).filter(|_| !object.id.is_empty());
        let same_label = by_label.get(&*object.label);
        let mut candidates: Vec<usize> = same_id.into_iter().chain(same_label).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut publics = Vec::new();
        for at in candidates {
            if let Some(public) = objects.get(at).filter(|public| object.matches(public)) {
                publics.push(public);
                if let Some(taken) = taken.get_mut(at) {
                    *taken = true;
                }
            }
        }
        list.push(object.info(&publics));
    }
    let alone = objects
        .iter()
        .zip(&taken)
        .filter(|(object, taken)| object.half == Half::Public && !**taken);
    list.extend(alone.map(|(object, _)| object.info(&[])));
    list.sort_by(|a, b| (&a.label, &a.id).cmp(&(&b.label, &b.id)));
    list
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn object(half: Half, label: &str, id: &[u8], point: u8) -> KeyObject {
        KeyObject {
            half,
            key_type: Some(KeyType::EC_EDWARDS),
            label: label.as_bytes().to_vec(),
            id: id.to_vec(),
            attributes: KeyAttributes::default(),
            always_authenticate: false,
            modulus: Vec::new(),
            exponent: Vec::new(),
            params: b"\x13\x0cedwards25519".to_vec(),
            point: if half == Half::Private {
                Vec::new()
            } else {
                vec![point; 32]
            },
        }
    }

    #[test]
    fn halves_join_by_id_then_by_label() {
        let objects = [
            object(Half::Public, "b", &[2], 2),
            object(Half::Private, "a", &[1], 0),
            object(Half::Public, "renamed", &[1], 1),
            object(Half::Private, "b", &[], 0),
            object(Half::Public, "stray", &[9], 9),
            object(Half::Private, "lonely", &[7], 0),
            object(Half::Neither, "cert", &[1], 0),
        ];
        let list: Vec<String> = join(&objects).iter().map(ToString::to_string).collect();
        assert_eq!(
            list,
            [
                "label 'a', id 0x01, Ed25519",
                "label 'b', id 0x, Ed25519",
                "label 'lonely', id 0x07, CKK_EC_EDWARDS, private half only",
                "label 'stray', id 0x09, Ed25519, public half only",
            ]
        );
    }

    #[test]
    fn an_id_that_differs_is_no_match_by_label() {
        let private = object(Half::Private, "same", &[1], 0);
        assert!(!private.matches(&object(Half::Public, "same", &[2], 1)));
        assert!(private.matches(&object(Half::Public, "same", &[], 1)));
    }

    #[test]
    fn public_halves_that_differ_are_refused() {
        let private = object(Half::Private, "a", &[1], 0);
        let (one, two) = (object(Half::Public, "a", &[1], 1), object(Half::Public, "a", &[1], 2));
        assert_eq!(private.pair(&[&one, &two]).unwrap_err(), KeyFault::PublicHalves(2));
        assert!(private.pair(&[&one, &one]).is_ok());
        assert_eq!(private.pair(&[]).unwrap_err(), KeyFault::NoPublicHalf);
    }
}
