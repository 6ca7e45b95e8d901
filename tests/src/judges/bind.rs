//! BIND's tools: dnssec-verify, dnssec-signzone, named-compilezone as the normaliser, dnssec-dsfromkey, dnssec-settime.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;

use crate::environment::program;
use crate::keys::Key;
use crate::process::{Program, Run};
use crate::scratch::Scratch;
use crate::zone_text::ZoneText;
use crate::{END, START};

/// `dnssec-verify -o ORIGIN`, with `-z` or `-x` in `options`. It has no "now" but the machine's.
#[must_use]
pub fn dnssec_verify(zone: &Path, origin: &str, options: &[&str]) -> Run {
    Program::new(program("dnssec-verify"))
        .args(["-o", origin])
        .args(options)
        .arg(zone)
        .run()
}

/// A zone file as named-compilezone reads it: one record a line, all names absolute, in canonical order.
///
/// # Panics
/// When it refuses the zone.
#[must_use]
pub fn normalise_text(zone: &Path, origin: &str) -> String {
    let scratch = Scratch::new();
    let out = scratch.path("normal");
    let run = Program::new(program("named-compilezone"))
        .args([
            "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-s", "full", "-o",
        ])
        .arg(&out)
        .arg(origin)
        .arg(zone)
        .folder(zone.parent().unwrap_or(Path::new(".")))
        .run();
    assert!(
        run.code == Some(0) && out.is_file(),
        "named-compilezone refuses {}: {run:?}",
        zone.display()
    );
    fs::read_to_string(&out).expect("named-compilezone wrote text")
}

/// A zone file's RRsets, as named-compilezone reads them.
///
/// # Panics
/// When it refuses the zone.
#[must_use]
pub fn normalise(zone: &Path, origin: &str) -> ZoneText {
    ZoneText::parse(&normalise_text(zone, origin))
}

/// One run of dnssec-signzone, without its own verification.
#[derive(Debug, Clone)]
pub struct SignZone {
    zone: PathBuf,
    origin: String,
    keys: PathBuf,
    names: Vec<String>,
    options: Vec<String>,
    start: String,
    end: String,
}

impl SignZone {
    /// Signs a zone whose DNSKEYs are in it, with the key files in a folder, from [`START`] to [`END`].
    #[must_use]
    pub fn new(zone: &Path, origin: &str, keys: &Path) -> Self {
        Self {
            zone: zone.to_path_buf(),
            origin: origin.to_owned(),
            keys: keys.to_path_buf(),
            names: Vec::new(),
            options: Vec::new(),
            start: START.to_owned(),
            end: END.to_owned(),
        }
    }

    /// Names the keys.
    #[must_use]
    pub fn keys(mut self, keys: &[&Key]) -> Self {
        self.names.extend(keys.iter().map(|key| key.base_name().to_owned()));
        self
    }

    /// More options.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    /// Other times for `-s` and `-e`.
    #[must_use]
    pub fn times(mut self, start: &str, end: &str) -> Self {
        (self.start, self.end) = (start.to_owned(), end.to_owned());
        self
    }

    /// Signs into `out`.
    #[must_use]
    pub fn run(&self, out: &Path) -> Run {
        let scratch = Scratch::new();
        Program::new(program("dnssec-signzone"))
            .args([
                "-P",
                "-q",
                "-O",
                "full",
                "-n",
                "2",
                "-o",
                &self.origin,
                "-s",
                &self.start,
                "-e",
                &self.end,
            ])
            .arg("-K")
            .arg(&self.keys)
            .arg("-d")
            .arg(scratch.folder())
            .arg("-f")
            .arg(out)
            .args(&self.options)
            .arg(&self.zone)
            .args(&self.names)
            .limit(Duration::from_secs(900))
            .run()
    }

    /// Signs, and returns the normalised result.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    #[track_caller]
    pub fn signed(&self) -> ZoneText {
        let scratch = Scratch::new();
        let out = scratch.path("signed");
        self.run(&out).succeeds();
        normalise(&out, &self.origin)
    }
}

/// `dnssec-dsfromkey OPTIONS KEY`: DS records as lines.
///
/// # Panics
/// When it fails.
#[must_use]
pub fn ds_from_key(key: &Key, options: &[&str]) -> String {
    let run = Program::new(program("dnssec-dsfromkey"))
        .args(options)
        .arg(key.public_file())
        .run();
    run.succeeds();
    run.stdout
}

/// `dnssec-settime OPTIONS KEY`.
#[must_use]
pub fn settime(key: &Key, options: &[&str]) -> Run {
    Program::new(program("dnssec-settime"))
        .args(options)
        .arg(key.public_file())
        .run()
}
