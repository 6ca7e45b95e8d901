//! Keys on a token: how they are named, what is known of them, and what is done with them.
//!
//! A [`TokenKey`] is a logical reference (label, id, kind, public part), never a handle: handles
//! belong to a session and die with it.

mod browse;
mod find;
mod generate;
mod import;
mod object;
mod pkcs8;
mod private;
mod public;
mod transport;
mod wrap;

use std::fmt;
use std::str::FromStr;

use crate::mechanism::SignMechanism;
use crate::quirks::Quirks;
use crate::token::{TokenInfo, TokenSelector};
use crate::uri::Uri;

pub use self::browse::{BrowseMode, ObjectBrowser, ObjectInfo};
pub use self::generate::{GenerateSpec, NewId, Protection, RsaExponent};
pub use self::import::{ImportSpec, ImportWay};
pub use self::private::PrivatePart;
pub use self::public::PublicPart;
pub use self::wrap::{WrapMechanism, WrappedKey};
pub(crate) use crate::mechanism::KeyKind;

pub(crate) use self::find::{find, list, public_handle, resolve};
pub(crate) use self::generate::{destroy, generate};
pub(crate) use self::import::{import, restore};
pub(crate) use self::wrap::wrap;

/// CKA_CLASS, as far as a URI can name it (`type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectClass {
    /// `private`.
    Private,
    /// `public`.
    Public,
    /// `cert`.
    Certificate,
    /// `secret-key`.
    SecretKey,
    /// `data`.
    Data,
}

impl FromStr for ObjectClass {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "private" => Self::Private,
            "public" => Self::Public,
            "cert" => Self::Certificate,
            "secret-key" => Self::SecretKey,
            "data" => Self::Data,
            _ => return Err(()),
        })
    }
}

impl fmt::Display for ObjectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Certificate => "cert",
            Self::SecretKey => "secret-key",
            Self::Data => "data",
        })
    }
}

/// By what a key is searched on a token. What is `None` matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeySelector {
    /// CKA_LABEL.
    pub label: Option<String>,
    /// CKA_ID.
    pub id: Option<Vec<u8>>,
    /// The half that a URI named. A key is always found by its private half and read by its
    /// public one, so both name the same key; the other classes name none.
    pub class: Option<ObjectClass>,
}

impl KeySelector {
    /// A selector by label only.
    pub fn label(label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..Self::default()
        }
    }

    /// A selector by id only.
    pub fn id(id: impl Into<Vec<u8>>) -> Self {
        Self {
            id: Some(id.into()),
            ..Self::default()
        }
    }
}

impl fmt::Display for KeySelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.label, &self.id) {
            (Some(label), Some(id)) => write!(f, "label '{label}' and id 0x{}", hex(id)),
            (Some(label), None) => write!(f, "label '{label}'"),
            (None, Some(id)) => write!(f, "id 0x{}", hex(id)),
            (None, None) => f.write_str("neither label nor id"),
        }
    }
}

/// What a token says of a private key. `None`: it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyAttributes {
    /// CKA_TOKEN: it outlives the session.
    pub token: Option<bool>,
    /// CKA_PRIVATE: only a logged-in user sees it.
    pub private: Option<bool>,
    /// CKA_SENSITIVE: its value cannot be read.
    pub sensitive: Option<bool>,
    /// CKA_ALWAYS_SENSITIVE.
    pub always_sensitive: Option<bool>,
    /// CKA_EXTRACTABLE: it can be wrapped out of the token.
    pub extractable: Option<bool>,
    /// CKA_NEVER_EXTRACTABLE.
    pub never_extractable: Option<bool>,
    /// CKA_LOCAL: it was made on the token.
    pub local: Option<bool>,
    /// CKA_SIGN: it may sign.
    pub sign: Option<bool>,
    /// CKA_COPYABLE: C_CopyObject may copy it.
    pub copyable: Option<bool>,
}

impl KeyAttributes {
    /// What a key made by [`crate::LoggedIn::generate`] has to be.
    pub(crate) fn is_safe(&self, quirks: Quirks) -> bool {
        self.is_sealed() && (self.local != Some(false) || quirks.local_unkept)
    }

    /// What a key has to be that was brought onto the token.
    pub(crate) fn is_sealed(&self) -> bool {
        self.token == Some(true) && self.sensitive == Some(true) && self.extractable == Some(false)
    }
}

impl fmt::Display for KeyAttributes {
    /// `TOKEN, SENSITIVE, !EXTRACTABLE, LOCAL`; what the token does not say is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("TOKEN", self.token),
            ("PRIVATE", self.private),
            ("SENSITIVE", self.sensitive),
            ("EXTRACTABLE", self.extractable),
            ("NEVER_EXTRACTABLE", self.never_extractable),
            ("LOCAL", self.local),
        ];
        let mut separator = "";
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, "{separator}{}{name}", if value { "" } else { "!" })?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// A private key on a token and its public part, found and ready to be loaded into sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    pub(crate) label: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) public: PublicPart,
    pub(crate) attributes: KeyAttributes,
    pub(crate) always_authenticate: bool,
    /// CKA_ALLOWED_MECHANISMS, by their numbers; empty: it says nothing of them.
    pub(crate) allowed: Vec<u64>,
}

impl TokenKey {
    /// CKA_LABEL; bytes that are not UTF-8 are shown as U+FFFD.
    pub fn label(&self) -> String {
        String::from_utf8_lossy(&self.label).into_owned()
    }

    /// CKA_ID, empty if the key has none.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Type and size.
    pub fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// The public key.
    pub fn public(&self) -> &PublicPart {
        &self.public
    }

    /// What the token says of the private half.
    pub fn attributes(&self) -> &KeyAttributes {
        &self.attributes
    }

    /// CKA_ALWAYS_AUTHENTICATE: every signature needs a C_Login of its own.
    pub fn always_authenticate(&self) -> bool {
        self.always_authenticate
    }

    /// Whether CKA_ALLOWED_MECHANISMS lets the key sign by this mechanism. A key that says nothing of them signs by all.
    pub fn allows(&self, mechanism: SignMechanism) -> bool {
        self.allowed.is_empty() || self.allowed.contains(&mechanism.number())
    }

    /// The selector that finds this key again.
    pub fn selector(&self) -> KeySelector {
        KeySelector {
            label: (!self.label.is_empty()).then(|| self.label()),
            id: (!self.id.is_empty()).then(|| self.id.clone()),
            class: None,
        }
    }

    /// The URI for a key file: the token by its label, the key by label and id. The serial number
    /// is left out, so that a replica of the token serves as well.
    pub fn uri(&self, token: &TokenInfo) -> Uri {
        let mut uri = Uri::default();
        uri.token = TokenSelector::label(&token.label);
        uri.key = self.selector();
        uri
    }
}

/// One key of a token's list: a pair, or one half of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// CKA_LABEL of the private half, else of the public one.
    pub label: String,
    /// CKA_ID of the private half, else of the public one.
    pub id: Vec<u8>,
    /// Type and size, where both are ones we serve and the public part can be read.
    pub kind: Option<KeyKind>,
    /// CKA_KEY_TYPE as the token says it, `CKK_EC`.
    pub key_type: String,
    /// The public key.
    pub public: Option<PublicPart>,
    /// Which halves are on the token.
    pub halves: Halves,
    /// What the token says of the private half, or of the public one where that is all there is.
    pub attributes: KeyAttributes,
}

/// Which halves of a pair are on the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Halves {
    /// Private and public.
    Both,
    /// The private half alone.
    PrivateOnly,
    /// The public half alone: it cannot sign.
    PublicOnly,
}

impl fmt::Display for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "label '{}', id 0x{}, ", self.label, hex(&self.id))?;
        match self.kind {
            Some(kind) => write!(f, "{kind}")?,
            None => f.write_str(&self.key_type)?,
        }
        match self.halves {
            Halves::Both => Ok(()),
            Halves::PrivateOnly => f.write_str(", private half only"),
            Halves::PublicOnly => f.write_str(", public half only"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
