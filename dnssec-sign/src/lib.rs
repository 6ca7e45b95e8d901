#![forbid(unsafe_code)]
//! Offline DNSSEC signing as pure functions.
//!
//! ```text
//! NodeList (canonical order) + KeySet + Policy + Border ─▶ zone cuts ─▶ denial chain ─▶ bytes to sign ─▶ RRSIGs
//! ```

mod algorithm;
#[cfg(any(feature = "software", feature = "verify"))]
mod crypto;
mod dnskey;
mod name;
pub mod rdata;
mod record;
mod rtype;
mod signer;

pub use algorithm::{Algorithm, DigestType, UnknownAlgorithm};
#[cfg(any(feature = "software", feature = "verify"))]
pub use crypto::{BadSignature, PublicKeyVerifier, VerifierError, VerifyError, verify_signature};
pub use dnskey::{Dnskey, DnskeyError, REVOKE, SEP, ZONE, key_tag};
pub use name::{
    Labels, MAX_LABEL_LENGTH, MAX_WIRE_LENGTH, Name, NameError, NameRef, parse_name, unescape, write_wire_from_key,
};
pub use record::{Locus, Node, NodeList, RecordRef};
pub use rtype::{Class, RecordType, UnknownType};
pub use signer::{
    DigestBuf, KeyIndex, KeyStore, MAX_SIGNATURE_LENGTH, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
