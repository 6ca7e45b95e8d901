//! A zone and two keys on one token, kept for all tests of faults, and runs over them with a schedule.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use signet_tests::judges::dnssec_verify;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Faulty, Run, Scratch, Signet, Token};

use crate::signing::{Pair, Place};

/// What every run here starts from. SoftHSM writes the token's own file at each login, and another process that reads it at
/// that moment finds no token: runs follow one another.
pub struct Stage {
    pub token: Token,
    pub zone: Zone,
    pub pair: Pair,
    scratch: Scratch,
    busy: Mutex<()>,
}

/// The stage with ECDSA keys.
pub static ECDSA: LazyLock<Stage> = LazyLock::new(|| Stage::new("ECDSAP256SHA256", 300));
/// The stage with RSA keys, whose signatures are verified one by one.
pub static RSA: LazyLock<Stage> = LazyLock::new(|| Stage::new("RSASHA256", 30));

/// What came of a run.
pub struct Outcome {
    pub run: Run,
    pub faulty: Faulty,
    pub scratch: Scratch,
    origin: String,
}

impl Stage {
    pub fn new(algorithm: &str, names: usize) -> Self {
        let (scratch, token, zone) = (Scratch::new(), Token::default(), leaf(names));
        let pair = Pair::generate(
            &token,
            &zone.origin,
            algorithm,
            Place::Token,
            &scratch.make_folder("keys"),
        );
        let _ = zone.write(&scratch, &[]);
        Self {
            token,
            zone,
            pair,
            scratch,
            busy: Mutex::new(()),
        }
    }

    fn file(&self) -> PathBuf {
        self.scratch.path(&format!("{}.zone", self.zone.name))
    }

    /// The stage for one run alone.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The command, with the output in this folder and the token misbehaving.
    pub fn command(&self, faulty: &Faulty, scratch: &Scratch) -> Signet {
        Signet::sign(
            &self.file(),
            &self.zone.origin,
            &scratch.path("signed"),
            &self.scratch.path("keys"),
        )
        .keys(&self.pair.both())
        .envs(self.token.faulty_environment(faulty))
    }

    /// Signs with a schedule and more arguments.
    pub fn sign(&self, schedule: &str, arguments: &[&str]) -> Outcome {
        let (faulty, scratch) = (Faulty::new(schedule), Scratch::new());
        scratch.make_folder("reports");
        let _alone = self.alone();
        let run = self
            .command(&faulty, &scratch)
            .arg("--report")
            .arg(scratch.path("reports/run.json"))
            .args(arguments)
            .run();
        Outcome {
            run,
            faulty,
            scratch,
            origin: self.zone.origin.clone(),
        }
    }

    /// How many signatures the zone needs: what an undisturbed run has.
    pub fn signatures(&self) -> usize {
        self.sign("", &[]).complete()
    }
}

impl Outcome {
    /// It ended well: verified by the program itself and by BIND, and no session is left open. Tells the signatures of the
    /// zone.
    #[track_caller]
    pub fn complete(&self) -> usize {
        self.run.succeeds();
        let out = self.scratch.path("signed");
        dnssec_verify(&out, &self.origin, &[]).succeeds();
        self.released();
        let text = self.scratch.read("signed");
        text.lines()
            .filter(|line| line.split_ascii_whitespace().nth(3) == Some("RRSIG"))
            .count()
    }

    /// It stopped for the token's sake: exit code 3, nothing published, nothing left behind.
    #[track_caller]
    pub fn stopped(&self) {
        self.run.exits(3);
        let only: BTreeSet<String> = ["reports".to_owned()].into();
        assert_eq!(self.scratch.listing("."), only, "{:?}", self.run);
        assert!(self.scratch.listing("reports").is_empty(), "{:?}", self.run);
    }

    /// Every session was closed, and the module was not finalised under a call.
    #[track_caller]
    pub fn released(&self) {
        assert_eq!(self.faulty.other("open"), 0, "sessions left open: {:?}", self.run);
        assert_eq!(self.faulty.other("busy-finalise"), 0, "{:?}", self.run);
    }
}
