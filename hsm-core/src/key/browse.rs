//! All objects of a token as they are, whatever their class: listed and destroyed one by one, as BIND's pkcs11-list and
//! pkcs11-destroy do. Objects are not joined into keys here; a key is destroyed by [`LoggedIn::destroy`].

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;

use crate::error::{Located, Place, Result};
use crate::key::KeySelector;
use crate::key::find::search;
use crate::login::LoggedIn;
use crate::token::{Access, Token};

/// One object of a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectInfo {
    object: ObjectHandle,
    /// CKA_CLASS as a number; `None` where the token does not tell it or tells one of its own.
    pub class: Option<u64>,
    /// CKA_LABEL, empty if it has none.
    pub label: Vec<u8>,
    /// CKA_ID, empty if it has none.
    pub id: Vec<u8>,
    /// CKA_EXTRACTABLE, of private and secret keys.
    pub extractable: Option<bool>,
    /// CKA_NEVER_EXTRACTABLE, of private and secret keys.
    pub never_extractable: Option<bool>,
}

impl ObjectInfo {
    /// Its handle, which means something only to the browser that it comes from.
    pub fn handle(&self) -> u64 {
        self.object.handle()
    }
}

/// What a browser may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowseMode {
    /// Look, in a read-only session.
    Look,
    /// Destroy as well, in a read-write session.
    Change,
}

/// A session in which objects are looked at.
#[derive(Debug)]
pub struct ObjectBrowser {
    // Closed before the login may end: fields are dropped in order.
    session: Session,
    place: Place,
    _login: Option<LoggedIn>,
}

impl Token {
    /// Looks at the objects that need no login.
    ///
    /// # Errors
    /// [`crate::Error::Call`]: no session was to be had.
    pub fn browse(&self) -> Result<ObjectBrowser> {
        Ok(ObjectBrowser {
            session: self.open(Access::ReadOnly)?,
            place: self.place().clone(),
            _login: None,
        })
    }
}

impl LoggedIn {
    /// Looks at all objects.
    ///
    /// # Errors
    /// [`crate::Error::Call`]: no session was to be had.
    pub fn browse(&self, mode: BrowseMode) -> Result<ObjectBrowser> {
        let access = match mode {
            BrowseMode::Look => Access::ReadOnly,
            BrowseMode::Change => Access::ReadWrite,
        };
        Ok(ObjectBrowser {
            session: self.token().open(access)?,
            place: self.place().clone(),
            _login: Some(self.clone()),
        })
    }
}

impl ObjectBrowser {
    /// The objects with this label and this id, of any class, in the order in which the token gives them. What the
    /// selector leaves open matches anything.
    ///
    /// # Errors
    /// [`crate::Error::Call`]. What a single object does not tell is left empty.
    pub fn find(&self, wanted: &KeySelector) -> Result<Vec<ObjectInfo>> {
        let label = wanted
            .label
            .as_ref()
            .map(|label| Attribute::Label(label.clone().into_bytes()));
        let id = wanted.id.as_ref().map(|id| Attribute::Id(id.clone()));
        let template: Vec<Attribute> = label.into_iter().chain(id).collect();
        let found = search(&self.session, &self.place, &template)?;
        Ok(found.into_iter().map(|object| self.read(object)).collect())
    }

    /// Destroys one object, for good.
    ///
    /// # Errors
    /// [`crate::Error::Call`].
    pub fn destroy(&self, object: &ObjectInfo) -> Result<()> {
        self.session
            .destroy_object(object.object)
            .at(&self.place, "C_DestroyObject")
    }

    fn read(&self, object: ObjectHandle) -> ObjectInfo {
        let mut info = ObjectInfo {
            object,
            class: None,
            label: Vec::new(),
            id: Vec::new(),
            extractable: None,
            never_extractable: None,
        };
        // Class alone: a number that cryptoki does not know spoils the answer it stands in.
        for wanted in [
            &[AttributeType::Class][..],
            &[AttributeType::Label],
            &[AttributeType::Id],
        ] {
            for attribute in self.session.get_attributes(object, wanted).unwrap_or_default() {
                match attribute {
                    Attribute::Class(class) => info.class = Some(*class),
                    Attribute::Label(label) => info.label = label,
                    Attribute::Id(id) => info.id = id,
                    _ => {}
                }
            }
        }
        if matches!(
            info.class,
            Some(cryptoki_sys::CKO_PRIVATE_KEY | cryptoki_sys::CKO_SECRET_KEY)
        ) {
            let wanted = [AttributeType::Extractable, AttributeType::NeverExtractable];
            for attribute in self.session.get_attributes(object, &wanted).unwrap_or_default() {
                match attribute {
                    Attribute::Extractable(value) => info.extractable = Some(value),
                    Attribute::NeverExtractable(value) => info.never_extractable = Some(value),
                    _ => {}
                }
            }
        }
        info
    }
}
