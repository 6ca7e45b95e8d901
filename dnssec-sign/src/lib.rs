#![forbid(unsafe_code)]
//! Offline DNSSEC signing as pure functions.
//!
//! ```text
//! NodeList (canonical order) + KeySet + Policy + Border ─▶ zone cuts ─▶ denial chain ─▶ bytes to sign ─▶ RRSIGs
//! ```

mod algorithm;
#[cfg(any(feature = "software", feature = "verify"))]
mod crypto;
mod denial;
mod dnskey;
mod fault;
mod keyset;
mod moment;
mod name;
mod plan;
mod policy;
mod private_key;
pub mod rdata;
mod record;
mod rtype;
mod signer;
#[cfg(feature = "software")]
mod software;
mod tbs;
#[cfg(feature = "verify")]
pub mod verify;
mod zone_cut;

pub use algorithm::{Algorithm, DigestType, UnknownAlgorithm};
#[cfg(any(feature = "software", feature = "verify"))]
pub use crypto::{BadSignature, PublicKeyVerifier, VerifierError, VerifyError, verify_signature};
pub use denial::{
    ChainError, Nsec3Chain, Nsec3Entry, Nsec3Hasher, Nsec3Link, Nsec3Names, Nsec3Params, write_bitmap, write_hash_label,
};
pub use dnskey::{Dnskey, DnskeyError, REVOKE, SEP, ZONE, key_tag};
pub use fault::{ZoneFault, ZoneRule};
pub use keyset::{
    KeyCandidate, KeyId, KeyRoles, KeySet, KeySetEntry, KeySetError, KeySetOptions, KeySetWarning, KeySource, KeyState,
    KeyTimes, Lacking, UnusedKey,
};
pub use moment::{
    MomentError, ctime, date_number, moment_digits, moment_from_digits, parse_interval, parse_moment, parse_set_moment,
    serial_before, serial_later,
};
pub use name::{
    Labels, MAX_LABEL_LENGTH, MAX_WIRE_LENGTH, Name, NameError, NameRef, parse_name, unescape, write_wire_from_key,
};
pub use plan::{Border, OwnedRecord, Planner, Sink, ZoneContext, ZoneSigner};
pub use policy::{
    Denial, ITERATIONS_NEEDING_INSISTENCE, Insist, MAX_ITERATIONS, Policy, PolicyError, PolicyWarning,
    SerialPolicy, SerialWarning, UnknownSerialPolicy, Window, next_serial,
};
pub use private_key::PrivateKeyFields;
pub use record::{Locus, Node, NodeList, RecordRef};
pub use rtype::{Class, RecordType, UnknownType};
pub use signer::{
    DigestBuf, KeyIndex, KeyStore, MAX_SIGNATURE_LENGTH, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
#[cfg(feature = "software")]
pub use software::{SoftwareKey, SoftwareKeyError, SoftwareKeys, generate_key};
pub use tbs::{CanonicalSet, RrsigFields, write_signed_record};
pub use zone_cut::{Cut, CutTracker, Delegation, Standing, ancestors, cut_above, cut_at, is_made_by_signing};
