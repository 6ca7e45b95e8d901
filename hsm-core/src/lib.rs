//! PKCS#11 for programs that sign in bulk: modules, tokens and keys found by RFC 7512 URI, PINs,
//! and sessions that sign without a lock between them.
//!
//! ```text
//! Module::load ──▶ Token ──login──▶ LoggedIn ──find, list, generate, destroy──▶ TokenKey
//!  C_Initialize    C_GetTokenInfo   C_Login,        C_FindObjects,                  │
//!  once a process                   guard session   C_GenerateKeyPair               │
//!                                       │                                           ▼
//!                                       └──────▶ Pool ──one a worker──▶ SigningSession ──sign──▶ bytes
//!                                              C_OpenSession            C_SignInit + C_Sign
//! ```
//!
//! # What it holds to
//! - One C_Initialize per library and process ([`Module`]), never after a fork, C_Finalize last
//!   and only for what this crate initialised.
//! - One login per token, kept by a guard session. A refused PIN is never tried again in the
//!   process, and none is tried where it could lock the token.
//! - One session a worker. In the hot call there is no search, no login, no allocation and no
//!   length query: [`SigningSession::sign`] makes two calls.
//! - A key is found among token objects by class, type, label and id. Two that match are an error
//!   that lists them. It is proven by one verified signature before it is used.
//! - A signature's length is checked, and an RSA signature is verified, before anybody sees it.
//! - A fault is not the end: [`SigningSession::sign_through`] climbs a ladder from a second try to a token that is waited
//!   for, initialised again and logged in to again, and gives each signature once. [`overdue`] names a call that hangs.
//! - Every error says which call failed, with which code, on which token, and what to do;
//!   [`Error::class`] says what a program does next.
//!
//! It knows no DNS, hashes nothing but its own proofs, and never falls back to keys in software.
//!
//! # Example
//! ```no_run
//! use hsm_core::{InitMode, KeySelector, Module, PinSource, Pool, SessionCopy, TokenSelector};
//!
//! let module = Module::load("/usr/lib/softhsm/libsofthsm2.so".as_ref(), InitMode::Owned)?;
//! let token = module.token(&TokenSelector::label("prod"))?;
//! let login = token.login(PinSource::File("/run/pin".into()).read("token 'prod'")?)?;
//! let key = login.find(&KeySelector::label("zsk"))?;
//! let mut pool = Pool::open(&login, 2, &[key.clone()], SessionCopy::Auto)?;
//! if let (Some(mut session), Some(slot)) = (pool.take(), pool.slot(0)) {
//!     let digest = [0; 32];
//!     let mut signature = [0; 64];
//!     session.sign(slot, key.kind().mechanism(), &digest, &mut signature)?;
//! }
//! # Ok::<(), hsm_core::Error>(())
//! ```

mod module;

mod pin;
mod uri;

mod initialise;
mod login;
mod token;

mod key;
mod mechanism;

mod barrier;
mod offload;
mod pace;
mod pool;
mod rate;
mod recover;
mod seat;
mod session;
mod sign;
mod verify;

mod ffi;
mod quirks;
mod watch;

mod ckr;
mod error;

pub use ckr::{Ckr, FaultClass};
pub use error::{CallError, Error, KeyFault, ModuleFault, PinRefusal, Place, Result, SignatureFault};
pub use key::{
    BrowseMode, GenerateSpec, Halves, ImportSpec, ImportWay, KeyAttributes, KeyInfo, KeySelector, NewId, ObjectBrowser,
    ObjectClass, ObjectInfo, PrivatePart, Protection, PublicPart, RsaExponent, TokenKey, WrapMechanism, WrappedKey,
};
pub use login::LoggedIn;
pub use mechanism::{DigestInfo, Hash, KeyKind, SignMechanism};
pub use module::{InitMode, LoadOptions, Module, ModuleInfo};
pub use pace::Pace;
pub use pin::{
    Pin, PinFault, PinFileCheck, PinSource, copy_of_pin, hand_over_pin, openssl_module_path, pin_from_argument,
    prompt_pin, take_over_pin,
};
pub use pool::Pool;
pub use rate::Rate;
pub use recover::{LibraryUse, leave_behind, left_behind};
pub use session::{KeySlot, SessionCopy, SigningSession};
pub use sign::ProvenOn;
pub use token::{MechanismUses, Token, TokenFlags, TokenInfo, TokenSelector};
pub use uri::Uri;
pub use verify::{PreparedVerifier, verify};
pub use watch::{Activity, Overdue, Oversight, activity, overdue};
