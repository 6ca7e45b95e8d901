//! Turns PKCS#11 return values into their names and into the class of fault they stand for.
//!
//! The table is the one place that says what a code means for a signing run. It does not act on
//! it: the caller does, by [`FaultClass`].

use std::fmt;

use cryptoki::error::{Rv, RvError};
use cryptoki_sys as sys;

/// What a fault asks the caller to do next, from the mildest to the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultClass {
    /// The call may succeed if it is made again on the same session, after a pause.
    Transient,
    /// The session or its handles are of no use any more: reopen it, resolve its keys, replay.
    SessionLost,
    /// The token forgot the login: log in once more, then reopen.
    LoginLost,
    /// The token or the device is away: every worker of the module has to stop and wait for it.
    TokenLost,
    /// The token has no more sessions to give: make do with those that are open.
    SessionLimit,
    /// The token answered with a signature that is wrong: replay once, then call it faulty.
    BadSignature,
    /// The key is gone or may not sign: stop, publish nothing.
    KeyLost,
    /// The PIN was refused, or would be: stop, never try it again.
    PinRefused,
    /// Nothing that this process can do helps: stop, publish nothing.
    Fatal,
}

/// A PKCS#11 return value (`CK_RV`), shown as `CKR_DEVICE_ERROR (0x30)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ckr(sys::CK_RV);

impl Ckr {
    /// Wraps a raw `CK_RV`.
    pub const fn new(code: sys::CK_RV) -> Self {
        Self(code)
    }

    /// The number as PKCS#11 defines it.
    pub const fn code(self) -> sys::CK_RV {
        self.0
    }

    /// The name that the specification gives the code; `CKR_VENDOR_DEFINED` for a vendor's own.
    pub fn name(self) -> &'static str {
        match row(self.0) {
            Some((_, name, _)) => name,
            None if self.0 >= sys::CKR_VENDOR_DEFINED => "CKR_VENDOR_DEFINED",
            None => "an unknown CKR code",
        }
    }

    /// The class of fault; a code that the specification does not know costs the session.
    pub fn class(self) -> FaultClass {
        row(self.0).map_or(FaultClass::SessionLost, |(_, _, class)| *class)
    }

    /// A sentence about what to do, or nothing where the name says it all.
    pub fn advice(self) -> &'static str {
        match self.0 {
            sys::CKR_SESSION_COUNT => "use fewer sessions, or close other users of the token",
            sys::CKR_USER_NOT_LOGGED_IN => {
                "the token forgot the login; was its last session closed, or the token reset?"
            }
            sys::CKR_USER_PIN_NOT_INITIALIZED => "the token has no user PIN yet; set one with the vendor's tool",
            sys::CKR_USER_ANOTHER_ALREADY_LOGGED_IN => "the security officer is logged in; log that session out first",
            sys::CKR_TOKEN_WRITE_PROTECTED | sys::CKR_SESSION_READ_ONLY => {
                "the token refuses changes; check its write protection"
            }
            sys::CKR_CANT_LOCK => "the library cannot be used from several threads",
            sys::CKR_CRYPTOKI_NOT_INITIALIZED => {
                "somebody in this process finalised the library, or it was inherited by a fork"
            }
            sys::CKR_CRYPTOKI_ALREADY_INITIALIZED => {
                "somebody else in this process initialised the library; load it as shared"
            }
            sys::CKR_MECHANISM_INVALID | sys::CKR_MECHANISM_PARAM_INVALID => {
                "this token or this key does not offer the mechanism"
            }
            sys::CKR_CURVE_NOT_SUPPORTED | sys::CKR_DOMAIN_PARAMS_INVALID => "the token does not know this curve",
            sys::CKR_KEY_SIZE_RANGE | sys::CKR_ATTRIBUTE_VALUE_INVALID => {
                "the token does not take this key size or attribute"
            }
            sys::CKR_KEY_FUNCTION_NOT_PERMITTED => "the key's CKA_SIGN is false",
            sys::CKR_DEVICE_MEMORY => "the token is full; remove objects it no longer needs",
            sys::CKR_FIPS_SELF_TEST_FAILED => "the token failed its self-test and must be serviced",
            _ => match self.class() {
                FaultClass::Transient => "the token may answer if it is asked again",
                FaultClass::SessionLost => "the session has to be opened again",
                FaultClass::TokenLost => "check that the token is plugged in, powered and reachable",
                FaultClass::PinRefused => {
                    "check the PIN by hand before another run: a further wrong try can lock the token"
                }
                _ => "",
            },
        }
    }

    /// The code behind cryptoki's own enum, which does not keep the number.
    pub(crate) fn of(error: RvError) -> Self {
        match error {
            RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) => Self(code),
            known => Self(
                TABLE
                    .iter()
                    .map(|(code, _, _)| *code)
                    .take_while(|code| *code < sys::CKR_TOKEN_RESOURCE_EXCEEDED)
                    .find(|code| Rv::from(*code) == Rv::Error(known))
                    .unwrap_or(sys::CKR_GENERAL_ERROR),
            ),
        }
    }
}

impl fmt::Display for Ckr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#x})", self.name(), self.0)
    }
}

impl fmt::Debug for Ckr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn row(code: sys::CK_RV) -> Option<&'static (sys::CK_RV, &'static str, FaultClass)> {
    TABLE
        .binary_search_by_key(&code, |(code, _, _)| *code)
        .ok()
        .and_then(|at| TABLE.get(at))
}

macro_rules! table {
    ($($class:ident: $($name:ident)*;)*) => {{
        [$($((sys::$name, stringify!($name), FaultClass::$class),)*)*]
    }};
}

/// Every code of PKCS#11 3.2 with its class, sorted by number.
///
/// A stale handle (`CKR_KEY_HANDLE_INVALID`) counts as a lost session, because reopening resolves
/// the key again; if the key is really gone, that resolution says so. `CKR_DEVICE_ERROR` counts as
/// a lost token: it is known to make every later call fail until the library is initialised again.
static TABLE: &[(sys::CK_RV, &str, FaultClass)] = &sorted(table! {
    Transient: CKR_CANCEL CKR_HOST_MEMORY CKR_FUNCTION_FAILED CKR_DEVICE_MEMORY
        CKR_FUNCTION_CANCELED CKR_FUNCTION_NOT_PARALLEL CKR_NO_EVENT CKR_TOKEN_RESOURCE_EXCEEDED
        CKR_PENDING CKR_RANDOM_NO_RNG CKR_SEED_RANDOM_REQUIRED;
    SessionLost: CKR_GENERAL_ERROR CKR_KEY_HANDLE_INVALID CKR_OBJECT_HANDLE_INVALID
        CKR_OPERATION_ACTIVE CKR_OPERATION_NOT_INITIALIZED CKR_OPERATION_CANCEL_FAILED
        CKR_SESSION_CLOSED CKR_SESSION_HANDLE_INVALID CKR_STATE_UNSAVEABLE
        CKR_SAVED_STATE_INVALID;
    LoginLost: CKR_USER_NOT_LOGGED_IN;
    TokenLost: CKR_SLOT_ID_INVALID CKR_DEVICE_ERROR CKR_DEVICE_REMOVED CKR_TOKEN_NOT_PRESENT
        CKR_TOKEN_NOT_RECOGNIZED CKR_CRYPTOKI_NOT_INITIALIZED;
    SessionLimit: CKR_SESSION_COUNT;
    BadSignature: CKR_SIGNATURE_INVALID CKR_SIGNATURE_LEN_RANGE;
    KeyLost: CKR_KEY_SIZE_RANGE CKR_KEY_TYPE_INCONSISTENT CKR_KEY_CHANGED
        CKR_KEY_FUNCTION_NOT_PERMITTED CKR_KEY_EXHAUSTED CKR_PUBLIC_KEY_INVALID
        CKR_OPERATION_NOT_VALIDATED;
    PinRefused: CKR_PIN_INCORRECT CKR_PIN_INVALID CKR_PIN_LEN_RANGE CKR_PIN_EXPIRED CKR_PIN_LOCKED
        CKR_USER_PIN_NOT_INITIALIZED CKR_NEW_PIN_MODE CKR_NEXT_OTP CKR_PIN_TOO_WEAK;
    Fatal: CKR_OK CKR_ARGUMENTS_BAD CKR_NEED_TO_CREATE_THREADS CKR_CANT_LOCK
        CKR_ATTRIBUTE_READ_ONLY CKR_ATTRIBUTE_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID
        CKR_ATTRIBUTE_VALUE_INVALID CKR_ACTION_PROHIBITED CKR_DATA_INVALID CKR_DATA_LEN_RANGE
        CKR_ENCRYPTED_DATA_INVALID CKR_ENCRYPTED_DATA_LEN_RANGE CKR_AEAD_DECRYPT_FAILED
        CKR_FUNCTION_NOT_SUPPORTED CKR_KEY_NOT_NEEDED CKR_KEY_NEEDED CKR_KEY_INDIGESTIBLE
        CKR_KEY_NOT_WRAPPABLE CKR_KEY_UNEXTRACTABLE CKR_MECHANISM_INVALID
        CKR_MECHANISM_PARAM_INVALID CKR_SESSION_PARALLEL_NOT_SUPPORTED CKR_SESSION_READ_ONLY
        CKR_SESSION_EXISTS CKR_SESSION_READ_ONLY_EXISTS CKR_SESSION_READ_WRITE_SO_EXISTS
        CKR_TEMPLATE_INCOMPLETE CKR_TEMPLATE_INCONSISTENT CKR_TOKEN_WRITE_PROTECTED
        CKR_UNWRAPPING_KEY_HANDLE_INVALID CKR_UNWRAPPING_KEY_SIZE_RANGE
        CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT CKR_USER_ALREADY_LOGGED_IN CKR_USER_TYPE_INVALID
        CKR_USER_ANOTHER_ALREADY_LOGGED_IN CKR_USER_TOO_MANY_TYPES CKR_WRAPPED_KEY_INVALID
        CKR_WRAPPED_KEY_LEN_RANGE CKR_WRAPPING_KEY_HANDLE_INVALID CKR_WRAPPING_KEY_SIZE_RANGE
        CKR_WRAPPING_KEY_TYPE_INCONSISTENT CKR_RANDOM_SEED_NOT_SUPPORTED CKR_DOMAIN_PARAMS_INVALID
        CKR_CURVE_NOT_SUPPORTED CKR_BUFFER_TOO_SMALL CKR_INFORMATION_SENSITIVE
        CKR_CRYPTOKI_ALREADY_INITIALIZED CKR_MUTEX_BAD CKR_MUTEX_NOT_LOCKED
        CKR_EXCEEDED_MAX_ITERATIONS CKR_FIPS_SELF_TEST_FAILED CKR_LIBRARY_LOAD_FAILED
        CKR_FUNCTION_REJECTED CKR_SESSION_ASYNC_NOT_SUPPORTED CKR_TOKEN_NOT_INITIALIZED
        CKR_PARAMETER_SET_NOT_SUPPORTED;
});

type Row = (sys::CK_RV, &'static str, FaultClass);

const fn sorted<const N: usize>(mut rows: [Row; N]) -> [Row; N] {
    let mut end = 1;
    while end < N {
        let mut at = end;
        while at > 0 && rows[at - 1].0 > rows[at].0 {
            let held = rows[at - 1];
            rows[at - 1] = rows[at];
            rows[at] = held;
            at -= 1;
        }
        end += 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_free_of_doubles() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(TABLE.len(), 104, "every code of the specification");
    }

    #[test]
    fn names_and_classes() {
        assert_eq!(Ckr::new(0x30).to_string(), "CKR_DEVICE_ERROR (0x30)");
        assert_eq!(Ckr::new(0x30).class(), FaultClass::TokenLost);
        assert_eq!(Ckr::new(0xa0).class(), FaultClass::PinRefused);
        assert_eq!(Ckr::new(0xb3).class(), FaultClass::SessionLost);
        assert_eq!(Ckr::new(0x101).class(), FaultClass::LoginLost);
        assert_eq!(Ckr::new(0xb1).class(), FaultClass::SessionLimit);
        assert_eq!(Ckr::new(0x6).class(), FaultClass::Transient);
        assert_eq!(Ckr::new(0x68).class(), FaultClass::KeyLost);
        assert_eq!(Ckr::new(0x7).class(), FaultClass::Fatal);
        assert_eq!(Ckr::new(0x8000_0123).to_string(), "CKR_VENDOR_DEFINED (0x80000123)");
        assert_eq!(Ckr::new(0x7fff).name(), "an unknown CKR code");
    }

    #[test]
    fn cryptokis_enum_leads_back_to_the_number() {
        for (code, name, _) in TABLE.iter().filter(|row| row.0 != 0) {
            let Rv::Error(error) = Rv::from(*code) else { continue };
            assert_eq!(Ckr::of(error).code(), *code, "{name}");
        }
        assert_eq!(Ckr::of(RvError::VendorDefined(0x8000_0001)).code(), 0x8000_0001);
    }
}
