//! A run's resolved configuration: what the flags, environment and defaults come to. Nothing is looked up
//! here; the command line is resolved in `cli`, and an embedder fills these in itself.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::ThreadPool;

use dnssec_sign::{KeyCandidate, KeySetOptions, KeyStore, Name, Policy, SyncKind, ZonemdHash};

use crate::input::InputOptions;
use crate::keys::{KeyRequest, TokenTally};
use crate::limit::SignatureLimit;

/// How the written zone is checked before it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifyLevel {
    /// Structure, and every signature.
    #[default]
    Full,
    /// Chains, bitmaps, completeness and times; of the signatures a sample, as they come from their keys.
    Structure,
    /// Nothing is read again; of the signatures a sample is verified, as they come from their keys.
    None,
}

/// Where the signed zone goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A file, replaced in one step.
    File(PathBuf),
    /// Standard output: spooled, verified, then copied.
    Stdout,
}

/// What is written of the signed zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contents {
    /// All of it.
    #[default]
    Zone,
    /// What signing adds, to be included in the zone: RRSIG, NSEC, NSEC3, NSEC3PARAM, DNSKEY, CDS, CDNSKEY and ZONEMD (BIND's
    /// `-D`). The whole zone is verified all the same.
    Dnssec,
}

/// Where DS records of children come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildrenConfig {
    /// A folder with `dsset-` files, one for each delegation.
    pub folder: PathBuf,
    /// What becomes of the DS records of a delegation without such a file.
    pub missing: MissingDsset,
}

/// What becomes of the DS records of a delegation whose `dsset-` file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingDsset {
    /// They stay, and the delegation is warned of.
    #[default]
    Keep,
    /// They go: the delegation becomes insecure (BIND's `-g`).
    Drop,
}

/// What becomes of signatures and denial records in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputDnssec {
    /// Signatures that are still good stay.
    #[default]
    Reuse,
    /// All are left out and made anew.
    Strip,
    /// There must be none.
    Reject,
}

/// What is taken over from earlier runs.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "BIND's switches, which combine freely")]
pub struct ReuseConfig {
    /// Signatures of the input.
    pub input: InputDnssec,
    /// An earlier output whose signatures are looked at as well.
    pub previous: Option<PathBuf>,
    /// Whether signatures of keys that are not active any more go at once (BIND's `-Q`).
    pub drop_inactive: bool,
    /// Whether signatures of keys that are not published any more go at once (BIND's `-R`).
    pub drop_removed: bool,
    /// Whether everything is signed anew.
    pub force: bool,
    /// A DNSKEY set with its signatures, made elsewhere: it takes the place of the zone's own.
    pub dnskey_set: Option<PathBuf>,
    /// Whether an NSEC3 chain that the input has is kept, with its parameters, in place of the policy's denial.
    pub keep_chain: bool,
    /// Whether the observer is told of every signature.
    pub explain: bool,
}

/// What CDS and CDNSKEY say to the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncRecords {
    /// The keys, by their dates, in records of these kinds.
    Kinds(Vec<SyncKind>),
    /// That all DS records be removed (RFC 8078 4): the zone becomes insecure.
    Delete,
}

/// The size of a partition: the unit of planning, rendering and writing. Results never depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionSize {
    /// About so many records of input.
    Records(usize),
    /// A border at every owner: the hardest case, for tests.
    EveryOwner,
}

impl Default for PartitionSize {
    fn default() -> Self {
        Self::Records(4096)
    }
}

/// The file that every signature is written to as it is made, until the zone is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// Where it is.
    pub path: PathBuf,
    /// Whether one that is there is taken up.
    pub resume: Resume,
}

/// What becomes of a journal that is there when a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resume {
    /// It stays as it is, and the run is refused.
    #[default]
    No,
    /// The run goes on where that one stopped. Where there is none, one is begun.
    Yes,
}

/// One signing run.
#[derive(Debug, Clone)]
pub struct SignConfig {
    /// The zone file; `-` is standard input.
    pub zone_file: PathBuf,
    /// How it is read.
    pub input: InputOptions,
    /// The zone's origin.
    pub origin: Name,
    /// Where the result goes.
    pub output: Output,
    /// How much of it.
    pub contents: Contents,
    /// Validity, serial, denial.
    pub policy: Policy,
    /// Which keys sign what.
    pub key_options: KeySetOptions,
    /// The moment that key times are compared with, in seconds since 1970.
    pub now: u64,
    /// Threads that parse, plan, render and verify, unless there is a `pool`.
    pub threads: usize,
    /// The caller's own pool, whose threads do that work in place of new ones.
    pub pool: Option<Arc<ThreadPool>>,
    /// The check before publishing.
    pub verify: VerifyLevel,
    /// How many faults of the input are listed.
    pub max_errors: usize,
    /// The size of a partition.
    pub partition: PartitionSize,
    /// What is taken over from earlier runs.
    pub reuse: ReuseConfig,
    /// The hashes of ZONEMD records to make, in ascending order of their numbers.
    pub zonemd: Vec<ZonemdHash>,
    /// What CDS and CDNSKEY say to the parent.
    pub sync: SyncRecords,
    /// A folder that the `dsset-` file of the zone is written to, when the zone is published.
    pub dsset_folder: Option<PathBuf>,
    /// TTLs above this are lowered to it.
    pub max_ttl: Option<u32>,
    /// A journal, so that the run can be taken up again after a crash.
    pub journal: Option<JournalConfig>,
    /// Whether all is only counted: nothing is signed but for a measurement, and nothing is written.
    pub dry_run: bool,
    /// Whether the report has digests of input, output and provider libraries; they cost another look at each file.
    pub digests: bool,
    /// Where the DS records of delegations come from, in place of the zone's own.
    pub children: Option<ChildrenConfig>,
    /// By how much, in percent, the number of records may differ from that of the previous output.
    pub max_change: Option<u32>,
}

impl SignConfig {
    /// A run with the safe defaults at the moment `now`, in seconds since 1970: NSEC, signatures that are valid for 30 days,
    /// a serial that advances, full verification. Everything else can be changed field by field.
    #[must_use]
    pub fn new(zone_file: impl Into<PathBuf>, origin: Name, output: Output, now: u32) -> Self {
        Self {
            zone_file: zone_file.into(),
            input: InputOptions::default(),
            origin,
            output,
            policy: Policy::from_now(now),
            key_options: KeySetOptions {
                offline_ksk: true,
                ..KeySetOptions::default()
            },
            now: now.into(),
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            pool: None,
            verify: VerifyLevel::Full,
            max_errors: 20,
            partition: PartitionSize::default(),
            reuse: ReuseConfig::default(),
            zonemd: Vec::new(),
            sync: SyncRecords::Kinds(Vec::new()),
            dsset_folder: None,
            max_ttl: None,
            journal: None,
            dry_run: false,
            digests: false,
            children: None,
            max_change: None,
            contents: Contents::default(),
        }
    }
}

/// One zone's run from its key files on.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// What is signed, and how.
    pub sign: SignConfig,
    /// With which keys.
    pub keys: KeyRequest,
}

/// What kind of store keys live in: it decides which threads sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A token, or several with the same keys: one thread a session.
    Token {
        /// Sessions to begin with.
        sessions: usize,
        /// Sessions that there may be in the end, if each more brings more signatures; `sessions`, if it is a fixed number.
        most: usize,
    },
    /// Software keys: the thread that plans a partition signs it.
    Software,
}

/// One place with private keys.
pub struct Store {
    /// Its name in messages: a token's label, or "keys on disk".
    pub name: String,
    /// Who signs.
    pub kind: StoreKind,
    /// The keys, proven.
    pub keys: Box<dyn KeyStore + Send>,
    /// What its tokens did, counted by its signers while they work; empty for software keys.
    pub tokens: Vec<Arc<TokenTally>>,
}

/// All keys of a run: the stores, and what is known of each key's times. A candidate's
/// source names its store by its place in `stores`.
pub struct SigningKeys {
    /// The stores, which several zones may share.
    pub stores: Arc<Vec<Store>>,
    /// The keys that were named or found. DNSKEYs of the zone itself are added by the run.
    pub candidates: Vec<KeyCandidate>,
    /// Eight random bytes of a token's own, where tokens do what they can ([`crate::Offload::All`]) and one gave them.
    pub random: Option<Vec<u8>>,
    /// Keys that may make no more than so many signatures, in all zones that share the stores.
    pub limits: Arc<Vec<SignatureLimit>>,
}

/// One run of the verifier.
#[derive(Debug, Clone)]
pub struct VerifyConfig {
    /// The signed zone file; `-` is standard input.
    pub zone_file: PathBuf,
    /// How it is read.
    pub input: InputOptions,
    /// The zone's origin.
    pub origin: Name,
    /// The moment that signatures have to be valid at, in seconds since 1970.
    pub now: u64,
    /// A file with the parent's DS records of the zone.
    pub ds_file: Option<PathBuf>,
    /// A signature that expires in fewer days is warned of.
    pub warn_days: Option<u32>,
    /// A signature that expires in fewer days is an error.
    pub critical_days: Option<u32>,
    /// Threads that parse and verify.
    pub threads: usize,
    /// Whether the KSK flag of keys is left out of account (BIND's `-z`).
    pub ignore_ksk: bool,
    /// Whether only KSKs are expected to sign DNSKEY, CDS and CDNSKEY (BIND's `-x`).
    pub ksk_only: bool,
    /// How many findings of a rule, or faults of the input, are listed.
    pub max_errors: usize,
}
