//! Offline DNSSEC signing as pure functions: nodes in canonical order go in, records, sets to sign and names of the
//! denial chain come out. No file, thread, clock or token is touched here.
//!
//! ```text
//! NodeList ─▶ CutTracker ─▶ Planner ─▶ Sink: records, bytes to sign ─▶ Signer ─▶ signatures
//!     ▲           ▲            ▲             names ─▶ Nsec3Chain ─▶ Planner ─▶ Sink …
//!  merged      Border     ZoneContext (KeySet, Policy, SOA)
//! ```
//!
//! * [`Name`], [`RecordType`], [`rdata`] and [`NodeList`] are the one wire codec of the workspace: uncompressed, letter
//!   case kept, with keys whose byte order is the canonical order of names.
//! * [`Planner`] decides about one partition of a zone: a [`NodeList`] and what its [`Border`] says of the neighbours.
//!   The same function serves a whole zone in one list, or one name of a zone held in memory.
//! * [`Sink`] receives the output in order; jobs for a [`Signer`] travel in a [`SignBatch`].
//! * [`KeySet`] says which keys are published and which sign what; [`Policy`] when, how long and with which denial.
//! * `verify` (feature) judges a signed zone by code that shares none of the above but the wire form of names.
//!
//! Features: `software` (keys in this process, by aws-lc-rs), `verify` (the verifier), `openssl` (beside the two: Ed448,
//! RSA with SHA-1 and RSA keys of unusual size, by OpenSSL), `hickory` (`From` and `TryFrom` for hickory-proto's names, types and
//! records).
//!
//! # Example
//!
//! A zone of two names in memory, signed by a [`Signer`] of one's own with a fresh Ed25519 key:
//!
//! ```
//! # #[cfg(feature = "software")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use dnssec_sign::{
//!     Algorithm, Border, Class, Earlier, Jitter, KeyIndex, Locus, Name, NameRef, NodeList, OwnedRecord, Planner, RecordRef,
//!     RecordType, SignBatch, SignError, SignatureBuf, Signer, Sink, SoftwareKey, ToBeSigned, ZoneContext, ZoneFault,
//!     ZoneSigner, generate_key,
//! };
//!
//! let (dnskey, private) = generate_key(257, Algorithm::ED25519, None)?;
//! let signer = ZoneSigner {
//!     store: 0,
//!     index: KeyIndex(0),
//!     algorithm: dnskey.algorithm().0,
//!     key_tag: dnskey.key_tag(),
//!     signature_length: 64,
//! };
//! let soa = b"\x02ns\x00\x01h\x00\0\0\0\x01\0\0\x0e\x10\0\0\x03\x84\0\x01\x51\x80\0\0\x01\x2c";
//! let context = ZoneContext {
//!     origin: "example.".parse()?,
//!     class: Class::IN,
//!     negative_ttl: 300,
//!     nsec3: None,
//!     apex: vec![
//!         OwnedRecord { rtype: RecordType::SOA, ttl: 3600, rdata: soa.to_vec() },
//!         OwnedRecord { rtype: RecordType::DNSKEY, ttl: 3600, rdata: dnskey.rdata().to_vec() },
//!     ],
//!     key_signers: vec![signer],
//!     sync_signers: vec![signer],
//!     zone_signers: vec![signer],
//!     inception: 1_800_000_000,
//!     expiration: 1_802_592_000,
//!     dnskey_expiration: 1_802_592_000,
//!     jitter: Jitter::default(),
//!     max_ttl: u32::MAX,
//!     retention: None,
//!     supplied: Vec::new(),
//!     sync: None,
//! };
//!
//! // The nodes, in canonical order; the apex has the empty key.
//! let origin: Name = "example.".parse()?;
//! let record = |rtype, rdata| RecordRef { rtype, ttl: 3600, rdata, locus: Locus::default() };
//! let mut nodes = NodeList::new();
//! nodes.start_node(b"", origin.borrow());
//! nodes.push(record(RecordType::NS, b"\x02ns\x07example\x00"));
//! nodes.push(record(RecordType::SOA, soa));
//! nodes.start_node(b"ns\x00", origin.borrow());
//! nodes.push(record(RecordType::A, &[192, 0, 2, 1]));
//!
//! #[derive(Default)]
//! struct Collect {
//!     records: Vec<RecordType>,
//!     jobs: SignBatch,
//! }
//! impl Sink for Collect {
//!     fn owner(&mut self, _: NameRef<'_>) {}
//!     fn record(&mut self, rtype: RecordType, _: u32, _: &[u8]) {
//!         self.records.push(rtype);
//!     }
//!     fn sign(&mut self, signer: &ZoneSigner, _: u32, head: &[u8], set: &[u8]) {
//!         self.jobs.add(signer.index, |message| message.extend([head, set].concat()));
//!     }
//!     fn chain_name(&mut self, _: ([u8; 20], u64), _: &[u8]) {}
//!     fn fault(&mut self, fault: ZoneFault) {
//!         eprintln!("{fault}");
//!     }
//! }
//! let mut sink = Collect::default();
//! let names = Planner::new(&context).plan(&nodes, Earlier::default(), &Border::default(), &mut sink);
//! assert_eq!(names, 2);
//! use RecordType as T;
//! assert_eq!(sink.records, [T::SOA, T::NS, T::NSEC, T::DNSKEY, T::A, T::NSEC]);
//!
//! // Whatever makes signatures is a `Signer`; this one has a key in memory.
//! struct Own(SoftwareKey);
//! impl Signer for Own {
//!     fn sign(&mut self, _: KeyIndex, data: &ToBeSigned<'_>, out: &mut SignatureBuf) -> Result<(), SignError> {
//!         self.0.sign(data.message(), out)
//!     }
//! }
//! Own(SoftwareKey::new(dnskey, &private)?).sign_batch(&mut sink.jobs)?;
//! assert_eq!(sink.jobs.done(), 6);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "software"))]
//! # fn main() {}
//! ```
#![forbid(unsafe_code)]

mod advice;
mod algorithm;
#[cfg(any(feature = "software", feature = "verify"))]
mod crypto;
mod denial;
mod dnskey;
mod fault;
#[cfg(feature = "hickory")]
mod hickory;
mod kept;
mod keyset;
#[cfg(all(feature = "openssl", any(feature = "software", feature = "verify")))]
mod libcrypto;
mod moment;
mod name;
mod plan;
mod policy;
mod private_key;
pub mod rdata;
mod record;
mod retain;
mod rrsig;
mod rtype;
mod set;
mod signer;
#[cfg(feature = "software")]
mod software;
mod sync;
mod tbs;
#[cfg(feature = "verify")]
pub mod verify;
mod zone_check;
mod zone_cut;
mod zonemd;

pub use algorithm::{Algorithm, DigestType, UnknownAlgorithm};
#[cfg(any(feature = "software", feature = "verify"))]
pub use crypto::{BadSignature, PublicKeyVerifier, VerifierError, VerifyError, verify_signature};
pub use denial::{
    ChainError, Nsec3Chain, Nsec3Hasher, Nsec3Link, Nsec3Names, Nsec3Params, Nsec3Part, write_bitmap, write_hash_label,
};
pub use dnskey::{Dnskey, DnskeyError, REVOKE, SEP, ZONE, key_tag};
pub use fault::{ZoneFault, ZoneRule};
pub use kept::Kept;
pub use keyset::{
    KeyCandidate, KeyId, KeyRoles, KeySet, KeySetEntry, KeySetError, KeySetOptions, KeySetWarning, KeySource, KeyState,
    KeyTimes, Lacking, NoRecordState, RecordState, RecordStates, Succession, UnusedKey,
};
pub use moment::{
    MomentError, ctime, date_number, moment_digits, moment_from_digits, parse_interval, parse_moment, parse_set_moment,
    serial_before, serial_later,
};
pub use name::{
    Labels, MAX_LABEL_LENGTH, MAX_WIRE_LENGTH, Name, NameError, NameRef, parse_name, unescape, write_wire_from_key,
};
pub use plan::{Border, Earlier, OwnedRecord, Planner, Sink, ZoneContext, ZoneSigner};
pub use policy::{
    Denial, ITERATIONS_NEEDING_INSISTENCE, Insist, Jitter, JitterScope, MAX_ITERATIONS, Policy, PolicyError,
    PolicyWarning, SerialPolicy, SerialWarning, UnknownSerialPolicy, Window, next_serial,
};
pub use private_key::PrivateKeyFields;
pub use record::{Locus, Node, NodeList, RecordRef};
pub use retain::{CheckSignature, Fate, KnownKey, Reason, Retention};
pub use rrsig::Rrsig;
pub use rtype::{Class, RecordType, UnknownType};
pub use signer::{
    DigestBuf, KeyIndex, KeyStore, MAX_SIGNATURE_LENGTH, SignBatch, SignError, SignatureBuf, Signer, ToBeSigned,
};
#[cfg(feature = "software")]
pub use software::{SoftwareKey, SoftwareKeyError, SoftwareKeys, generate_key, generate_rsa_key};
pub use sync::{DeleteNotAlone, SyncKind, UnknownSyncKind, delete_records, sync_records};
pub use tbs::{CanonicalSet, RrsigFields, write_signed_record};
pub use zone_check::{Checked, UnusedGlue, ZoneChecker, ZoneFinding, ZoneView};
pub use zone_cut::{Cut, CutTracker, Delegation, Standing, ancestors, cut_above, cut_at, is_made_by_signing};
pub use zonemd::{UnknownZonemdHash, ZonemdDigest, ZonemdHash, ZonemdWriter};
