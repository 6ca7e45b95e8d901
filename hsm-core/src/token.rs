//! Tokens: what they say of themselves and how one is chosen. Logging in is in `login`.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cryptoki::mechanism::{MechanismInfo, MechanismType};
use cryptoki::session::Session;
use cryptoki::slot::{Limit, Slot};

use crate::error::{Error, Located, Place, Result};
use crate::ffi::HotCall;
use crate::mechanism::SignMechanism;
use crate::module::Module;
use crate::quirks::{self, Eddsa, Quirks};
use crate::watch::{Watched, watched};

/// What a token says of itself (C_GetTokenInfo, C_GetSlotInfo), padding removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its label, up to 32 bytes.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// Which model it is.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// Its firmware's version.
    pub firmware: String,
    /// The slot it is in.
    pub slot_id: u64,
    /// Its state.
    pub flags: TokenFlags,
    /// How many sessions it allows; `None` if it sets or tells no limit.
    pub max_sessions: Option<u64>,
    /// Why nothing but the slot is known: C_GetTokenInfo failed.
    pub fault: Option<String>,
}

impl fmt::Display for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}: ", self.slot_id)?;
        match &self.fault {
            Some(fault) => write!(f, "unknown token, {fault}"),
            None if !self.flags.initialised() => write!(f, "not initialised ({} {})", self.manufacturer, self.model),
            None => write!(
                f,
                "token '{}' ({} {}, serial number {})",
                self.label, self.manufacturer, self.model, self.serial
            ),
        }
    }
}

/// Flags of C_GetTokenInfo, and CKF_HW_SLOT of C_GetSlotInfo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenFlags {
    bits: u16,
}

macro_rules! flags {
    ($($bit:literal $name:ident $doc:literal)*) => {
        impl TokenFlags {
            $(#[doc = $doc] pub fn $name(self) -> bool { self.bits & (1 << $bit) != 0 })*
        }
    };
}

flags! {
    0 initialised "CKF_TOKEN_INITIALIZED."
    1 login_required "CKF_LOGIN_REQUIRED."
    2 user_pin_initialised "CKF_USER_PIN_INITIALIZED."
    3 user_pin_count_low "CKF_USER_PIN_COUNT_LOW: a wrong PIN was entered since the last login."
    4 user_pin_final_try "CKF_USER_PIN_FINAL_TRY: one more wrong PIN locks the token."
    5 user_pin_locked "CKF_USER_PIN_LOCKED."
    6 user_pin_to_be_changed "CKF_USER_PIN_TO_BE_CHANGED."
    7 protected_authentication_path "CKF_PROTECTED_AUTHENTICATION_PATH: a PIN pad."
    8 write_protected "CKF_WRITE_PROTECTED."
    9 hardware_slot "CKF_HW_SLOT."
    10 random "CKF_RNG: C_GenerateRandom."
}

impl TokenFlags {
    fn of(info: &cryptoki::slot::TokenInfo, hardware: bool) -> Self {
        let all = [
            info.token_initialized(),
            info.login_required(),
            info.user_pin_initialized(),
            info.user_pin_count_low(),
            info.user_pin_final_try(),
            info.user_pin_locked(),
            info.user_pin_to_be_changed(),
            info.protected_authentication_path(),
            info.write_protected(),
            hardware,
            info.rng(),
        ];
        let bits = all.iter().rev().fold(0, |bits, flag| bits << 1 | u16::from(*flag));
        Self { bits }
    }
}

/// By what a token is chosen. What is `None` matches anything; all `None` matches every
/// initialised token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenSelector {
    /// The token's label.
    pub label: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// The ID of its slot, not an index.
    pub slot: Option<u64>,
    /// Its manufacturer.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
}

impl TokenSelector {
    /// A selector by label only.
    pub fn label(label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..Self::default()
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a token is the one. A token that is not initialised, or tells nothing, can be
    /// chosen by its slot only.
    pub fn matches(&self, token: &TokenInfo) -> bool {
        let same = |wanted: &Option<String>, there: &str| wanted.as_deref().is_none_or(|wanted| wanted == there);
        let usable = token.flags.initialised() && token.fault.is_none();
        (usable || self.slot.is_some())
            && self.slot.is_none_or(|slot| slot == token.slot_id)
            && same(&self.label, &token.label)
            && same(&self.serial, &token.serial)
            && same(&self.manufacturer, &token.manufacturer)
            && same(&self.model, &token.model)
    }
}

impl fmt::Display for TokenSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let texts = [
            ("label", &self.label),
            ("serial number", &self.serial),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
        ];
        for (name, value) in texts {
            parts.extend(value.as_ref().map(|value| format!("{name} '{value}'")));
        }
        parts.extend(self.slot.map(|slot| format!("slot {slot}")));
        if parts.is_empty() {
            return f.write_str("any label");
        }
        f.write_str(&parts.join(", "))
    }
}

/// A token in a slot. Cheap to clone; keeps its module loaded.
#[derive(Clone, Debug)]
pub struct Token(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    /// Where it is now: a token that comes back may be in another slot.
    slot: Mutex<Slot>,
    info: TokenInfo,
    place: Place,
    quirks: Quirks,
    /// By what numbers it does EdDSA, once that was asked.
    eddsa: OnceLock<Eddsa>,
    module: Arc<Module>,
}

impl Token {
    pub(crate) fn read(module: &Arc<Module>, slot: Slot) -> Result<Self> {
        let context = module.context()?;
        let place = Place::token(slot.id(), "");
        let hardware = watched(&place, Watched::GetSlotInfo, || context.get_slot_info(slot));
        let hardware = hardware.is_ok_and(|slot| slot.hardware_slot());
        let said = watched(&place, Watched::GetTokenInfo, || context.get_token_info(slot));
        let info = match said.at(&place, "C_GetTokenInfo") {
            Ok(said) => TokenInfo {
                label: said.label().to_owned(),
                manufacturer: said.manufacturer_id().to_owned(),
                model: said.model().to_owned(),
                serial: said.serial_number().to_owned(),
                firmware: said.firmware_version().to_string(),
                slot_id: slot.id(),
                flags: TokenFlags::of(&said, hardware),
                max_sessions: match said.max_session_count() {
                    Limit::Max(0) | Limit::Infinite | Limit::Unavailable => None,
                    Limit::Max(most) => Some(most),
                },
                fault: None,
            },
            Err(error) => TokenInfo {
                slot_id: slot.id(),
                fault: Some(error.to_string()),
                ..TokenInfo::default()
            },
        };
        let mut quirks = quirks::of(&info.manufacturer, &info.model);
        quirks.session_copy &= !info.flags.hardware_slot();
        let place = Place::token(slot.id(), &info.label);
        Ok(Self(Arc::new(Inside {
            slot: Mutex::new(slot),
            info,
            place,
            quirks,
            eddsa: OnceLock::new(),
            module: Arc::clone(module),
        })))
    }

    /// What it said of itself when it was listed.
    pub fn info(&self) -> &TokenInfo {
        &self.0.info
    }

    /// Its module.
    pub fn module(&self) -> &Arc<Module> {
        &self.0.module
    }

    /// What the slot lets a mechanism do, by its number (CKM_…): `None` if it does not offer it.
    ///
    /// # Errors
    /// C_GetMechanismList failed.
    pub fn mechanism_uses(&self, mechanism: u64) -> Result<Option<MechanismUses>> {
        let context = self.module().context()?;
        let eddsa = [Eddsa::STANDARD.sign, Eddsa::STANDARD.generate].contains(&mechanism);
        if eddsa && self.eddsa() != Eddsa::STANDARD {
            // By its own numbers; C_Verify is not asked for by them.
            return Ok(Some(MechanismUses {
                sign: mechanism == Eddsa::STANDARD.sign,
                verify: false,
                digest: false,
                generate_key_pair: mechanism == Eddsa::STANDARD.generate,
            }));
        }
        let Ok(wanted) = MechanismType::try_from(mechanism) else {
            return Ok(None);
        };
        let offered = watched(self.place(), Watched::GetMechanismList, || {
            context.get_mechanism_list(self.slot())
        });
        let offered = offered.at(self.place(), "C_GetMechanismList")?;
        if !offered.contains(&wanted) {
            return Ok(None);
        }
        // A mechanism that is listed and says nothing of itself is taken by its name.
        let said = context.get_mechanism_info(self.slot(), wanted).ok();
        let says = |flag: fn(&MechanismInfo) -> bool| said.as_ref().is_none_or(flag);
        Ok(Some(MechanismUses {
            sign: says(MechanismInfo::sign),
            verify: says(MechanismInfo::verify),
            digest: says(MechanismInfo::digest),
            generate_key_pair: says(MechanismInfo::generate_key_pair),
        }))
    }

    /// Whether there is room for a private key, before one is made: by what the token says of its memory now. One that tells
    /// nothing of it is asked for the key.
    ///
    /// # Errors
    /// [`Error::TokenFull`].
    pub(crate) fn has_room(&self) -> Result<()> {
        let Ok(now) = self.module().context()?.get_token_info(self.slot()) else {
            return Ok(());
        };
        match (now.total_private_memory(), now.free_private_memory()) {
            // No memory at all is no statement.
            (Some(total), Some(0)) if total > 0 => Err(Error::TokenFull {
                token: format!("token '{}'", self.info().label),
                total,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        *self.0.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for the token after the library was initialised again, by its serial number where it has one.
    ///
    /// # Errors
    /// [`crate::Error::TokenNotFound`] if it is not there.
    pub(crate) fn relocate(&self) -> Result<()> {
        let context = self.module().context()?;
        let info = self.info();
        let slots = self.module().slots()?;
        let told = |slot: Slot| watched(self.place(), Watched::GetTokenInfo, || context.get_token_info(slot));
        let found = slots.into_iter().find(|slot| match told(*slot) {
            Ok(there) if info.serial.is_empty() => slot.id() == info.slot_id && there.label() == info.label,
            Ok(there) => there.serial_number() == info.serial && there.label() == info.label,
            // A token that tells nothing of itself was chosen by its slot.
            Err(_) => info.fault.is_some() && slot.id() == info.slot_id,
        });
        let Some(slot) = found else {
            return Err(Error::TokenNotFound {
                wanted: Box::new(TokenSelector {
                    label: Some(info.label.clone()),
                    serial: (!info.serial.is_empty()).then(|| info.serial.clone()),
                    ..TokenSelector::default()
                }),
                found: Vec::new(),
            });
        };
        *self.0.slot.lock().unwrap_or_else(PoisonError::into_inner) = slot;
        Ok(())
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0.place
    }

    pub(crate) fn quirks(&self) -> Quirks {
        self.0.quirks
    }

    /// By what numbers it does EdDSA: a vendor's own only where it lists those and not the standard's.
    pub(crate) fn eddsa(&self) -> Eddsa {
        *self.0.eddsa.get_or_init(|| {
            let (Some(vendor), HotCall::Direct(functions)) = (self.quirks().vendor_eddsa, self.module().hot()) else {
                return Eddsa::STANDARD;
            };
            let listed = functions.mechanisms(self.slot().id()).unwrap_or_default();
            match listed.contains(&vendor.sign) && !listed.contains(&Eddsa::STANDARD.sign) {
                true => vendor,
                false => Eddsa::STANDARD,
            }
        })
    }

    /// The number of a mechanism for C_SignInit on this token.
    pub(crate) fn number_of(&self, mechanism: SignMechanism) -> u64 {
        match mechanism {
            SignMechanism::Eddsa => self.eddsa().sign,
            other => other.number(),
        }
    }

    /// Opens a session while nobody logs in or looks for keys: tokens lose keys in searches that run beside either.
    pub(crate) fn open(&self, access: Access) -> Result<Session> {
        let _alone = self.module().login_barrier();
        self.open_alone(access)
    }

    /// As [`Self::open`], for callers that stand behind the barrier already.
    pub(crate) fn open_alone(&self, access: Access) -> Result<Session> {
        let context = self.module().context()?;
        let slot = self.slot();
        watched(self.place(), Watched::OpenSession, || match access {
            Access::ReadOnly => context.open_ro_session(slot),
            Access::ReadWrite => context.open_rw_session(slot),
        })
        .at(self.place(), "C_OpenSession")
    }
}

/// CKF_SIGN, CKF_VERIFY, CKF_DIGEST and CKF_GENERATE_KEY_PAIR of a slot's mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of CK_MECHANISM_INFO")]
pub struct MechanismUses {
    /// It signs.
    pub sign: bool,
    /// It verifies.
    pub verify: bool,
    /// It hashes.
    pub digest: bool,
    /// It makes key pairs.
    pub generate_key_pair: bool,
}

/// CKF_RW_SESSION or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Token>();
};

#[cfg(test)]
mod tests {
    use super::*;

    fn token(label: &str, slot_id: u64, bits: u16) -> TokenInfo {
        TokenInfo {
            label: label.to_owned(),
            slot_id,
            flags: TokenFlags { bits },
            ..TokenInfo::default()
        }
    }

    #[test]
    fn selectors() {
        let (ready, blank) = (token("prod", 3, 1), token("", 4, 0));
        assert!(TokenSelector::default().matches(&ready));
        assert!(!TokenSelector::default().matches(&blank));
        assert!(TokenSelector::label("prod").matches(&ready));
        assert!(!TokenSelector::label("pro").matches(&ready));
        let by_slot = TokenSelector {
            slot: Some(4),
            ..TokenSelector::default()
        };
        assert!(by_slot.matches(&blank) && !by_slot.matches(&ready));
        assert_eq!(by_slot.to_string(), "slot 4");
    }

    #[test]
    fn flags_keep_their_places() {
        let flags = TokenFlags { bits: 1 << 4 };
        assert!(flags.user_pin_final_try() && !flags.user_pin_locked() && !flags.initialised());
    }
}
