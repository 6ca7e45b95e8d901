//! The signing pipeline: where zones, keys and tokens meet. [`sign`] takes one zone from its file to the published output;
//! `flow` is that in the order of its steps.
//!
//! [`run`] is the same from key files on, and [`sign_zones`] signs many zones with one login a token and shared sessions.
//!
//! A program that embeds it gives a configuration, its own threads, and an [`Observer`] that is told of progress and asked whether
//! to go on; a run that it calls off, at whatever stage, leaves the old output:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
//! use signet_pipeline::{Error, KeyRequest, Observer, Output, RunConfig, SignConfig, TokenUse, run};
//!
//! #[derive(Default)]
//! struct Watch {
//!     signatures: AtomicU64,
//!     stop: AtomicBool,
//! }
//!
//! impl Observer for Watch {
//!     fn signed(&self, _store: &str, signatures: u64) {
//!         self.signatures.fetch_add(signatures, Ordering::Relaxed);
//!     }
//!     fn cancelled(&self) -> bool {
//!         self.stop.load(Ordering::Relaxed)
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let (zone_file, output) = (folder.path().join("zone"), folder.path().join("zone.signed"));
//! # std::fs::write(&zone_file, "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")?;
//! # for flags in [256, 257] {
//! #     let (dnskey, fields) = dnssec_sign::generate_key(flags, dnssec_sign::Algorithm::ED25519, None)?;
//! #     let half = zone_io::PrivateHalf::Fields(fields);
//! #     let times = dnssec_sign::KeyTimes::ALWAYS;
//! #     zone_io::KeyFiles::new("example.".parse()?, None, dnskey, times, half).write(folder.path())?;
//! # }
//! # let key_directory = folder.path();
//! # let now = 1_795_417_217;
//! let mut sign = SignConfig::new(zone_file, "example.".parse()?, Output::File(output.clone()), now);
//! sign.pool = Some(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build()?));
//! let keys = KeyRequest {
//!     origin: sign.origin.clone(),
//!     directory: key_directory.into(),
//!     named: Vec::new(),          // those of the directory, by their dates
//!     token: TokenUse::Offline,   // or `Online`, with library, token and PIN
//!     now,
//!     max_signatures: Vec::new(),
//! };
//! let config = RunConfig { sign, keys };
//! let watch = Watch::default();
//! let report = run(&config, &watch)?;
//! assert_eq!(report.signatures(), watch.signatures.load(Ordering::Relaxed));
//! assert_eq!(report.verified, report.signatures());
//!
//! // Whoever holds the observer ends a run, from any thread.
//! let signed = std::fs::read(&output)?;
//! watch.stop.store(true, Ordering::Relaxed);
//! assert!(matches!(run(&config, &watch), Err(Error::Interrupted)));
//! assert_eq!(std::fs::read(&output)?, signed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`check_zone`], [`diff_zones`], [`format_zone`] and [`zone_stats`] work on zone files without keys.
//!
//! The program `signet` is a thin shell around this crate: `cli` resolves flags into a [`SignConfig`] and opens
//! [`SigningKeys`], and everything else is here. No algorithm that an embedder would want is in this crate: those
//! are in `dnssec-sign`, `zone-io` and `hsm-core`.

mod admission;
mod audit;
mod children;
mod config;
mod context;
mod digest;
mod dry_run;
mod emit;
mod error;
mod flow;
mod input;
mod journal;
mod judge;
mod keys;
mod known_keys;
mod late;
mod limit;
mod load;
mod lock;
mod meter;
mod observer;
mod offline;
mod output;
mod partition;
mod previous;
mod raise;
mod report;
mod rounds;
mod samples;
mod signing;
mod space;
mod stop;
mod sync;
mod tally;
mod unchanged;
mod verify;
mod write_back;
mod zone;
mod zonemd;
mod zones;

use std::sync::Arc;

use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::flow::Task;
use crate::journal::Found;
use crate::output::ZoneOutput;

pub use audit::{AuditEvent, AuditKey, AuditSummary, AuditToken, audit, install_audit, verify_audit};
pub use config::{
    ChildrenConfig, Contents, InputDnssec, JournalConfig, MissingDsset, Output, PartitionSize, Resume, ReuseConfig,
    RunConfig, SignConfig, SigningKeys, Store, StoreKind, SyncRecords, VerifyConfig, VerifyLevel,
};
pub use error::Error;
pub use input::InputOptions;
pub use judge::verify;
pub use keys::{
    Ability, Capability, Isolation, KeyBackup, KeyRequest, Offload, Recipe, Sessions, StoreOptions, TokenAccess,
    TokenStore, TokenTally, TokenUse, algorithm_of, capabilities, dnskey_of, isolated_worker, kind_of, mechanisms_of,
    open_keys, private_of, prove_software_key, public_of, recipe,
};
pub use limit::SignatureLimit;
pub use observer::{Observer, Phase, Silent};
pub use report::{
    AlgorithmReport, Digests, DryRun, ExpiryDay, ExpiryReport, FindingReport, KeyReport, LatencyBucket, LatencyReport,
    OneCoreReport, REPORT_VERSION, Report, SessionReport, Stages, StepReport, StoreEstimate, StoreSeries,
    TimelineReport, TokenKeyReport, TokenReport, VerifyReport,
};
pub use zone::{
    CheckConfig, CheckFinding, CheckReport, Delegations, Depth, DiffConfig, DiffReport, Form, FormatConfig,
    FormatReport, Ignored, Rules, SetChange, Severity, Signed, StatsConfig, TtlRange, TypeStats, ZoneStats,
    check_rules, check_zone, diff_zones, format_zone, zone_stats,
};
pub use zones::{ZoneOutcome, ZonesReport, sign_zones};

/// Opens and proves the keys, then signs the zone as [`sign`] does. The observer is told of progress and can end the run, while the
/// zone is read as well as while it is signed; the work is done on the configuration's pool, if it has one. Sessions of tokens
/// have threads of their own, since they wait.
///
/// # Errors
/// Those of [`open_keys`] and [`sign`].
pub fn run(config: &RunConfig, observer: &dyn Observer) -> Result<Report, Error> {
    let keys = open_keys(&config.keys, observer)?;
    sign(&config.sign, &keys, observer)
}

/// Signs a zone: reads it, signs it with the keys, verifies what was written and replaces the output in one step.
///
/// # Errors
/// [`Error`], whose exit code says what to mend. The old output is untouched then, and no stray file stays.
pub fn sign(config: &SignConfig, keys: &SigningKeys, observer: &dyn Observer) -> Result<Report, Error> {
    let pool = match &config.pool {
        Some(pool) => Arc::clone(pool),
        None => Arc::new(thread_pool(config.threads)?),
    };
    signing::with_sessions(keys, observer, |sessions| {
        let task = Task {
            config,
            keys,
            sessions,
            pool: &pool,
            observer,
        };
        task.run()
    })
}

/// Finds out whether the output can be written and published, and whether no other run is writing it. Nothing is left of
/// that.
///
/// # Errors
/// [`Error::Zone`] and [`Error::Io`] with the reason.
pub fn prove_output(output: &Output, observer: &dyn Observer) -> Result<(), Error> {
    match output {
        Output::File(_) => ZoneOutput::create(output, observer).map(drop),
        Output::Stdout => Ok(()),
    }
}

/// Finds out whether the journal of a run can be written, or taken up. Nothing is changed.
///
/// # Errors
/// [`Error::Usage`] for one that is there and is not to be taken up, [`Error::Input`] for a file that is none,
/// [`Error::Io`] and [`Error::Zone`] with the system's reason.
pub fn prove_journal(journal: &JournalConfig) -> Result<(), Error> {
    Found::open(journal).map(drop)
}

/// Does pieces of work side by side in the current pool.
fn side_by_side(pieces: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..pieces).into_par_iter().with_max_len(1).for_each(work);
}

fn thread_pool(threads: usize) -> Result<ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("worker {number}"))
        .build()
        .map_err(|error| Error::Usage(format!("{threads} worker threads cannot be started: {error}")))
}
