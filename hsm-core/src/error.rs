//! Turns whatever went wrong into one [`Error`]: which call, which code, where, and what to do.
//!
//! Variants follow what the caller does next; [`Error::class`] says it in one word. No variant can
//! carry a PIN.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::ckr::{Ckr, FaultClass};
use crate::key::{KeyAttributes, KeyInfo, KeySelector};
use crate::pin::{PinFault, PinSource};
use crate::token::{TokenInfo, TokenSelector};

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, located, with advice in its text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provider library cannot be loaded or initialised.
    #[error("PKCS#11 module {}: {fault}", path.display())]
    Module {
        /// The library as it was asked for.
        path: PathBuf,
        /// Why it cannot be used.
        fault: ModuleFault,
    },

    /// A PKCS#11 function answered with something else than `CKR_OK`.
    #[error("{0}")]
    Call(Box<CallError>),

    /// A PKCS#11 function succeeded, but its answer makes no sense.
    #[error("{call} {place}gave an answer that cannot be read: {reason}")]
    Answer {
        /// The function.
        call: String,
        /// Slot and token.
        place: Place,
        /// What is odd about it.
        reason: String,
    },

    /// No token matches.
    #[error("no token with {wanted} in this module; {}", seen(found))]
    TokenNotFound {
        /// What was asked for.
        wanted: Box<TokenSelector>,
        /// What is there instead.
        found: Vec<TokenInfo>,
    },

    /// More than one token matches.
    #[error("{} tokens match {wanted}; name one by label, serial number or slot: {}", matching.len(), list(matching))]
    TokenAmbiguous {
        /// What was asked for.
        wanted: Box<TokenSelector>,
        /// Those that match.
        matching: Vec<TokenInfo>,
    },

    /// No key matches, or the one that was there is gone.
    #[error("no private key with {wanted} on {token}{}", near_misses(near))]
    KeyNotFound {
        /// What was asked for.
        wanted: KeySelector,
        /// The token's label.
        token: String,
        /// Keys that resemble it.
        near: Vec<KeyInfo>,
    },

    /// More than one key matches.
    #[error("{} keys match {wanted} on {token}; name one by label and id: {}", candidates.len(), list(candidates))]
    KeyAmbiguous {
        /// What was asked for.
        wanted: KeySelector,
        /// The token's label.
        token: String,
        /// Those that match.
        candidates: Vec<KeyInfo>,
    },

    /// A new key would share its label or its id with something on the token.
    #[error("{token} already holds an object with {wanted}; choose another, or destroy that one first")]
    KeyExists {
        /// The label or the id that is taken.
        wanted: KeySelector,
        /// The token's label.
        token: String,
    },

    /// The key is there, but cannot serve.
    #[error("key '{label}' on {token}: {fault}")]
    KeyUnusable {
        /// The key's label.
        label: String,
        /// The token's label.
        token: String,
        /// Why it cannot.
        fault: KeyFault,
    },

    /// The token says that it has no room for another key; it was not asked to make one.
    #[error(
        "{token} is full: of its {total} bytes for private objects none is free; remove objects that it no longer needs"
    )]
    TokenFull {
        /// The token's label.
        token: String,
        /// Its memory for private objects, in bytes.
        total: usize,
    },

    /// The token made a key that it does not protect; the key was destroyed again.
    #[error(
        "{token} has the new key '{label}' as {attributes}, but it must be a token object, sensitive, not extractable and, unless it was brought here, made on the token; it was destroyed again"
    )]
    KeyUnsafe {
        /// The key's label.
        label: String,
        /// The token's label.
        token: String,
        /// What was read back.
        attributes: KeyAttributes,
    },

    /// A private key that is at hand cannot be brought onto the token: it takes it neither bare nor wrapped.
    #[error(
        "{token} takes no private keys from outside: bare, {bare}; wrapped by a temporary key, {wrapped}; key '{label}' stays where it was"
    )]
    NotImportable {
        /// The label that the key was to have.
        label: String,
        /// The token's label.
        token: String,
        /// The answer to C_CreateObject.
        bare: Box<Error>,
        /// What failed on the way by C_UnwrapKey.
        wrapped: Box<Error>,
    },

    /// There is not exactly one AES key to wrap by.
    #[error(
        "{found} AES keys with {wanted} on {token}, where one that wraps has to be; make or import it with the vendor's tool, on each token that is to have the backups"
    )]
    WrappingKey {
        /// What was asked for.
        wanted: KeySelector,
        /// The token's label.
        token: String,
        /// How many there are.
        found: usize,
    },

    /// The token wraps keys by no mechanism that is known here.
    #[error(
        "{token} wraps by none of CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD and CKM_AES_KEY_WRAP: {answer}; back its keys up by the vendor's means"
    )]
    NoWrapping {
        /// The token's label.
        token: String,
        /// Its answer to the last one.
        answer: Box<Error>,
    },

    /// The PIN cannot be read; the token was not asked.
    #[error("PIN for {what} from {from}: {fault}")]
    Pin {
        /// What the PIN is for.
        what: String,
        /// Where it should have come from.
        from: PinSource,
        /// Why it cannot be read.
        fault: PinFault,
    },

    /// The token refused the PIN, or would, so that it was not tried.
    #[error("PIN of {token} (slot {slot}): {refusal}")]
    PinRefused {
        /// The token's label.
        token: String,
        /// Its slot.
        slot: u64,
        /// By whom and why.
        refusal: PinRefusal,
    },

    /// A PKCS#11 URI cannot be read. The text itself is not repeated: it may hold a PIN.
    #[error("PKCS#11 URI, {at}: {reason}")]
    Uri {
        /// The attribute at fault, or its place.
        at: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The token made a signature that is not one.
    #[error("key '{label}' on {token}: {fault}; a token that repeats this is faulty")]
    BadSignature {
        /// The key's label.
        label: String,
        /// The token's label.
        token: String,
        /// What is wrong with it.
        fault: SignatureFault,
    },

    /// What was handed to the token does not fit the mechanism; the token was not asked.
    #[error("key '{label}': {reason}")]
    Input {
        /// The key's label.
        label: String,
        /// What does not fit.
        reason: String,
    },

    /// An earlier error left the session unusable.
    #[error("the session on {token} failed earlier and has to be reopened")]
    NeedsReopen {
        /// The token's label.
        token: String,
    },

    /// The process forked after C_Initialize: PKCS#11 state does not survive that.
    #[error("module {} was initialised by process {by}, this is process {here}: load it after the fork", path.display())]
    Forked {
        /// The library.
        path: PathBuf,
        /// The process that initialised it.
        by: u32,
        /// This one.
        here: u32,
    },
}

impl Error {
    /// What the caller does next.
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Call(error) => error.code.class(),
            Self::Answer { .. } | Self::NeedsReopen { .. } => FaultClass::SessionLost,
            Self::BadSignature { .. } => FaultClass::BadSignature,
            Self::KeyNotFound { .. } | Self::KeyAmbiguous { .. } | Self::KeyUnusable { .. } => FaultClass::KeyLost,
            Self::Pin { .. } | Self::PinRefused { .. } => FaultClass::PinRefused,
            Self::TokenNotFound { .. } => FaultClass::TokenLost,
            _ => FaultClass::Fatal,
        }
    }

    /// The return value, where a PKCS#11 function answered with one.
    pub fn code(&self) -> Option<Ckr> {
        match self {
            Self::Call(error) => Some(error.code),
            Self::PinRefused {
                refusal: PinRefusal::ByToken(code),
                ..
            } => Some(*code),
            _ => None,
        }
    }

    pub(crate) fn call(call: &str, code: Ckr, place: &Place) -> Self {
        Self::Call(Box::new(CallError {
            call: call.to_owned(),
            code,
            place: place.clone(),
        }))
    }
}

/// A PKCS#11 function's refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallError {
    /// The function, `C_Sign`.
    pub call: String,
    /// Its answer.
    pub code: Ckr,
    /// Slot and token.
    pub place: Place,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}answered {}", self.call, self.place, self.code)?;
        match self.code.advice() {
            "" => Ok(()),
            advice => write!(f, ": {advice}"),
        }
    }
}

/// Where a call was made: a slot and its token, or the module as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    slot: Option<(u64, Arc<str>)>,
}

impl Place {
    pub(crate) fn token(slot: u64, label: &str) -> Self {
        Self {
            slot: Some((slot, Arc::from(label))),
        }
    }

    /// The slot's number.
    pub fn slot(&self) -> Option<u64> {
        self.slot.as_ref().map(|(slot, _)| *slot)
    }

    /// The token's label.
    pub fn token_label(&self) -> Option<&str> {
        self.slot.as_ref().map(|(_, label)| &**label)
    }
}

impl fmt::Display for Place {
    /// With a space behind it, nothing at all for the module as a whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.slot {
            Some((slot, label)) if label.is_empty() => write!(f, "on slot {slot} "),
            Some((slot, label)) => write!(f, "on token '{label}' (slot {slot}) "),
            None => Ok(()),
        }
    }
}

/// Why a library cannot serve as a PKCS#11 module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// There is no such file.
    #[error("no such file{}", known_modules(known))]
    NotFound {
        /// Provider libraries that this machine has.
        known: Vec<PathBuf>,
    },
    /// The file is there, but the path cannot be followed to it.
    #[error("{0}")]
    Unreachable(std::io::Error),
    /// The dynamic loader gave up: wrong architecture, a missing dependency.
    #[error("the dynamic loader refuses it: {0}")]
    NotLoadable(String),
    /// It is for another kind of machine.
    #[error("it is for {library}, and this program is for {program}: install the provider's library for {program}")]
    Architecture {
        /// What the library is for.
        library: String,
        /// What this program is for.
        program: String,
    },
    /// A library that it depends on is not there.
    #[error("it needs the library {library}, which is not found: install it, or name its directory in LD_LIBRARY_PATH")]
    Dependency {
        /// The library that is missing.
        library: String,
    },
    /// Its file is not the one that was asked for.
    #[error("its SHA-256 is {}, not the one asked for: it was not loaded", data_encoding::HEXLOWER.encode(found))]
    Digest {
        /// The digest of the file.
        found: [u8; 32],
    },
    /// It is a library, but not a PKCS#11 one.
    #[error("it is no PKCS#11 library: {0}")]
    NotPkcs11(String),
    /// The arguments for C_Initialize cannot be handed over.
    #[error("the arguments for C_Initialize: {0}")]
    Arguments(String),
    /// C_Initialize failed.
    #[error("{call}{advice}", call = .0, advice = wants_arguments(.0))]
    Initialise(Box<CallError>),
    /// It is loaded in this process in the other mode already.
    #[error("it is already in use as {0:?} in this process, and cannot be {1:?} as well")]
    Mode(crate::module::InitMode, crate::module::InitMode),
}

/// Why a key cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// Neither half tells the public key.
    #[error(
        "its public half is not on the token, and the private half does not tell it; put the public key object beside it"
    )]
    NoPublicHalf,
    /// The key is of a type or on a curve that is not served.
    #[error("type {0} is not served; use RSA, P-256, P-384, Ed25519 or Ed448")]
    Type(String),
    /// CKA_EC_POINT, CKA_EC_PARAMS or the modulus cannot be decoded.
    #[error("{0}")]
    Encoding(String),
    /// Several public objects claim to be its other half, and differ.
    #[error("{0} public objects match it and differ from each other; keep the right one")]
    PublicHalves(usize),
    /// CKA_ALWAYS_AUTHENTICATE with a module whose function list changes from call to call.
    #[error(
        "it wants a login for every signature, which cannot be given through this module; load the provider's own library instead of the proxy"
    )]
    AlwaysAuthenticate,
    /// CKA_SIGN is false.
    #[error("its CKA_SIGN is false: it may not sign")]
    MayNotSign,
    /// CKA_EXTRACTABLE is false, where it was to be wrapped.
    #[error(
        "its CKA_EXTRACTABLE is false: it can never leave the token, wrapped or not, and cannot be backed up; only a key that was made or imported with --extractable can"
    )]
    NotExtractable,
    /// The token does not wrap keys of this type.
    #[error("the token does not wrap keys of its type ({0})")]
    NotWrappable(Ckr),
    /// The private half that came from outside is not of the public key.
    #[error("the public key that the token shows is not the one that was brought: {0}")]
    OtherPublic(String),
    /// A session copy was demanded and cannot be had.
    #[error("it cannot be copied to a session object: {0}")]
    NoCopy(String),
    /// The signature of the proof does not verify: the halves do not belong together.
    #[error("what it signs does not verify with the public key on the token: the two halves do not belong together")]
    HalvesDiffer,
    /// The host has no means to check its signatures.
    #[error("signatures by {0} cannot be verified on the host: that needs a build with OpenSSL (feature openssl)")]
    NoVerifier(&'static str),
}

/// Who refused a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinRefusal {
    /// The token, just now.
    #[error(
        "refused with {0}; it was tried once and will not be tried again; check it by hand before another run, a further wrong try can lock the token"
    )]
    ByToken(Ckr),
    /// The token, earlier in this process.
    #[error("refused earlier in this run; not tried again, since a further wrong try can lock the token")]
    Earlier,
    /// The token says that it is locked.
    #[error("the token says that the PIN is locked; not tried; the security officer has to reset it")]
    Locked,
    /// The token says that one more wrong try locks it.
    #[error(
        "the token says that one more wrong try locks it; not tried; log in once with the vendor's tool to clear this"
    )]
    FinalTry,
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// Not r‖s of the curve's size, or not as long as the modulus.
    #[error("the token gave a signature of {got} bytes where {want} are due")]
    Length {
        /// As the token said.
        got: usize,
        /// As the key demands.
        want: usize,
    },
    /// The public key does not accept it.
    #[error("the token gave a signature that does not verify")]
    DoesNotVerify,
}

/// Gives cryptoki's errors their place.
pub(crate) trait Located<T> {
    /// Names the slot and token in the error; `call` is used where cryptoki does not name it.
    fn at(self, place: &Place, call: &str) -> Result<T>;
}

impl<T> Located<T> for cryptoki::error::Result<T> {
    fn at(self, place: &Place, call: &str) -> Result<T> {
        self.map_err(|error| match error {
            cryptoki::error::Error::Pkcs11(rv, function) => Error::call(&format!("C_{function:?}"), Ckr::of(rv), place),
            other => Error::Answer {
                call: call.to_owned(),
                place: place.clone(),
                reason: other.to_string(),
            },
        })
    }
}

/// How many tokens or keys a message lists.
const LISTED: usize = 20;

fn list<T: fmt::Display>(items: &[T]) -> String {
    let mut text: String = items.iter().take(LISTED).map(|item| format!("\n  {item}")).collect();
    if items.len() > LISTED {
        text.push_str(&format!("\n  and {} more", items.len() - LISTED));
    }
    text
}

fn seen(found: &[TokenInfo]) -> String {
    if found.is_empty() {
        "it has no token at all; check the provider's configuration".to_owned()
    } else {
        format!("it has: {}", list(found))
    }
}

fn near_misses(near: &[KeyInfo]) -> String {
    if near.is_empty() {
        "; nothing there resembles it".to_owned()
    } else {
        format!("; what resembles it: {}", list(near))
    }
}

/// What libraries say that are configured by arguments (NSS softokn) and got none, or wrong ones.
fn wants_arguments(refused: &CallError) -> &'static str {
    if refused.code == Ckr::new(cryptoki_sys::CKR_ARGUMENTS_BAD) {
        "; a library that is configured by arguments to C_Initialize gets them by --init-args or SIGNET_INIT_ARGS \
         (NSS: configdir='sql:DIR' flags=)"
    } else {
        ""
    }
}

fn known_modules(known: &[PathBuf]) -> String {
    if known.is_empty() {
        return "; give the full path of the provider's library".to_owned();
    }
    let paths: Vec<_> = known.iter().map(|path| path.display().to_string()).collect();
    format!("; this machine has {}", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_function_code_slot_and_token() {
        let error = Error::call("C_Sign", Ckr::new(0x30), &Place::token(7, "prod"));
        assert_eq!(
            error.to_string(),
            "C_Sign on token 'prod' (slot 7) answered CKR_DEVICE_ERROR (0x30): check that the \
             token is plugged in, powered and reachable"
        );
        assert_eq!(error.class(), FaultClass::TokenLost);
    }

    #[test]
    fn classes_of_our_own_errors() {
        let lost = Error::KeyNotFound {
            wanted: KeySelector::label("ksk"),
            token: "prod".to_owned(),
            near: Vec::new(),
        };
        assert_eq!(lost.class(), FaultClass::KeyLost);
        let refused = Error::PinRefused {
            token: "prod".to_owned(),
            slot: 1,
            refusal: PinRefusal::ByToken(Ckr::new(0xa0)),
        };
        assert_eq!(refused.class(), FaultClass::PinRefused);
        assert_eq!(refused.code(), Some(Ckr::new(0xa0)));
        assert!(refused.to_string().contains("CKR_PIN_INCORRECT"));
    }
}
