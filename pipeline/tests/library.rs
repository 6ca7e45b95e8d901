//! The library as an embedder has it: a run on the caller's threads, called off while it reads. What is signed is looked at by
//! the suites of the program.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dnssec_sign::{Algorithm, KeyTimes, generate_key};
use signet_pipeline::{Error, KeyRequest, Observer, Output, Phase, RunConfig, SignConfig, TokenUse, run};
use tempfile::TempDir;
use zone_io::{KeyFiles, PrivateHalf};

const NOW: u32 = 1_795_417_217;

/// A folder with keys and a zone of so many names.
fn folder(names: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for flags in [256, 257] {
        let (dnskey, fields) = generate_key(flags, Algorithm::ED25519, None).unwrap();
        let half = PrivateHalf::Fields(fields);
        let files = KeyFiles::new("example.".parse().unwrap(), None, dnskey, KeyTimes::ALWAYS, half);
        files.write(folder.path()).unwrap();
    }
    let mut zone = "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n".to_owned();
    for number in 0..names {
        writeln!(zone, "name-{number:07} TXT \"{number:060}\"").unwrap();
    }
    std::fs::write(folder.path().join("zone"), zone).unwrap();
    folder
}

fn config(folder: &Path) -> RunConfig {
    let output = Output::File(folder.join("signed"));
    let mut sign = SignConfig::new(folder.join("zone"), "example.".parse().unwrap(), output, NOW);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .thread_name(|number| format!("mine {number}"))
        .build();
    sign.pool = Some(Arc::new(pool.unwrap()));
    let keys = KeyRequest {
        origin: sign.origin.clone(),
        directory: folder.into(),
        named: Vec::new(),
        token: TokenUse::Offline,
        now: NOW,
        max_signatures: Vec::new(),
    };
    RunConfig { sign, keys }
}

/// Counts bytes read, notes the threads that work, and calls the run off once so many bytes are read.
#[derive(Default)]
struct Watch {
    most: Option<u64>,
    read: AtomicU64,
    phases: Mutex<Vec<Phase>>,
    threads: Mutex<BTreeSet<String>>,
}

impl Watch {
    fn note_thread(&self) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        self.threads.lock().unwrap().insert(name);
    }
}

impl Observer for Watch {
    fn phase(&self, phase: Phase, _total: Option<u64>) {
        self.phases.lock().unwrap().push(phase);
    }

    fn advance(&self, phase: Phase, done: u64) {
        self.note_thread();
        if phase == Phase::Load {
            self.read.fetch_add(done, Ordering::Relaxed);
        }
    }

    fn signed(&self, _store: &str, _signatures: u64) {
        self.note_thread();
    }

    fn cancelled(&self) -> bool {
        self.most.is_some_and(|most| self.read.load(Ordering::Relaxed) > most)
    }
}

#[test]
fn the_callers_threads_do_the_work() {
    let folder = folder(300);
    let watch = Watch::default();
    let report = run(&config(folder.path()), &watch).unwrap();
    assert_eq!(report.verified, report.signatures());
    let threads = watch.threads.into_inner().unwrap();
    assert!(
        !threads.is_empty() && threads.iter().all(|name| name.starts_with("mine ")),
        "{threads:?}"
    );
    assert_eq!(
        *watch.phases.lock().unwrap(),
        [Phase::Load, Phase::Sign, Phase::Publish]
    );
}

#[test]
fn a_run_is_called_off_while_it_reads() {
    let folder = folder(150_000);
    let whole = folder.path().join("zone").metadata().unwrap().len();
    let watch = Watch {
        most: Some(1 << 20),
        ..Watch::default()
    };
    std::fs::write(folder.path().join("signed"), "; old\n").unwrap();
    let before = folder.path().read_dir().unwrap().count();
    let outcome = run(&config(folder.path()), &watch);
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    let read = watch.read.load(Ordering::Relaxed);
    assert!(read < whole / 2, "{read} of {whole} bytes were read");
    assert_eq!(*watch.phases.lock().unwrap(), [Phase::Load]);
    assert_eq!(std::fs::read(folder.path().join("signed")).unwrap(), b"; old\n");
    assert_eq!(folder.path().read_dir().unwrap().count(), before, "no stray file");
}
