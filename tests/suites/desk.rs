//! A zone, its keys and a folder, signed step after step: what each run says of itself, and what it wrote.

use std::path::{Path, PathBuf};

use signet_tests::judges::normalise;
use signet_tests::zones::Zone;
use signet_tests::{Run, Scratch, Signet, ZoneText};

use crate::signing::Pair;

/// A zone and the keys that sign it.
pub struct Desk {
    pub scratch: Scratch,
    pub zone: Zone,
    pub pair: Pair,
}

/// What a run says of itself.
pub struct Done {
    pub run: Run,
    pub report: serde_json::Value,
}

impl Done {
    pub fn decided(&self, word: &str) -> u64 {
        self.report["decisions"][word].as_u64().unwrap()
    }

    pub fn made(&self) -> u64 {
        let words = ["new", "changed", "expiring", "key", "forced"];
        words.iter().map(|word| self.decided(word)).sum()
    }
}

impl Desk {
    pub fn new(zone: Zone) -> Self {
        let scratch = Scratch::new();
        let pair = Pair::of_bind("ED25519", &zone.origin, scratch.folder());
        Self { scratch, zone, pair }
    }

    pub fn input(&self) -> PathBuf {
        self.zone.write(&self.scratch, &self.pair.both())
    }

    pub fn keys(&self) -> &Path {
        self.scratch.folder()
    }

    /// Signs `file` into `out` with the keys named, from 20 days ago to 10 days ahead unless `options` say otherwise.
    pub fn sign(&self, file: &Path, out: &str, options: &[&str]) -> Done {
        self.sign_from("now-20d", "now+10d", file, out, options)
    }

    pub fn sign_from(&self, start: &str, end: &str, file: &Path, out: &str, options: &[&str]) -> Done {
        let run = self.try_sign(&["-s", start, "-e", end], file, out, options);
        run.succeeds();
        self.done(run, out)
    }

    pub fn done(&self, run: Run, out: &str) -> Done {
        let report = serde_json::from_str(&self.scratch.read(&format!("{out}.json"))).unwrap();
        Done { run, report }
    }

    pub fn try_sign(&self, times: &[&str], file: &Path, out: &str, options: &[&str]) -> Run {
        let keys: Vec<&str> = self.pair.both().iter().map(|key| key.base_name()).collect();
        Signet::new("sign")
            .arg(file)
            .args(["-o", &self.zone.origin])
            .args(if options.contains(&"-N") {
                &[][..]
            } else {
                &["-N", "keep"]
            })
            .arg("-f")
            .arg(self.scratch.path(out))
            .arg("-K")
            .arg(self.keys())
            .args(times)
            .arg("--report")
            .arg(self.scratch.path(&format!("{out}.json")))
            .args(options)
            .args(keys)
            .run()
    }

    pub fn normal(&self, name: &str) -> ZoneText {
        normalise(&self.scratch.path(name), &self.zone.origin)
    }
}
