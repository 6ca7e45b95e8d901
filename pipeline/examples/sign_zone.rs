//! Signs a zone file from a program: `cargo run --example sign_zone -- ZONEFILE ORIGIN KEYDIR OUT`. Keys are the key
//! directory's, on disk; with a `TokenUse::Online` they may be on a token. Progress comes as calls, the threads are the
//! program's own, and the run ends as soon as the observer says so.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own shows what happens"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use signet_pipeline::{KeyRequest, Observer, Output, Phase, RunConfig, SignConfig, TokenUse, run};

/// Counts signatures, and stops the run when it is told to.
#[derive(Default)]
struct Watch {
    signatures: AtomicU64,
    /// Set by whoever wants the run to end: nothing is published then.
    stop: AtomicBool,
}

impl Observer for Watch {
    fn phase(&self, phase: Phase, total: Option<u64>) {
        eprintln!("{phase:?} begins, {total:?} to do");
    }

    fn signed(&self, _store: &str, signatures: u64) {
        self.signatures.fetch_add(signatures, Ordering::Relaxed);
    }

    fn warn(&self, message: &str) {
        eprintln!("warning: {message}");
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [zone_file, origin, key_directory, output] = words.as_slice() else {
        return Err("usage: sign_zone ZONEFILE ORIGIN KEYDIR OUT".into());
    };
    let now = u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let mut sign = SignConfig::new(zone_file, origin.parse()?, Output::File(output.into()), now);
    sign.pool = Some(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build()?));
    let keys = KeyRequest {
        origin: sign.origin.clone(),
        directory: key_directory.into(),
        named: Vec::new(),
        token: TokenUse::Offline,
        now,
        max_signatures: Vec::new(),
    };
    let watch = Watch::default();
    let report = run(&RunConfig { sign, keys }, &watch)?;
    println!(
        "{} serial {}: {} signatures, {} records, {} verified",
        report.origin,
        report.serial,
        watch.signatures.load(Ordering::Relaxed),
        report.records_out,
        report.verified
    );
    Ok(())
}
