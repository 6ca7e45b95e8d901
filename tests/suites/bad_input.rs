//! Everything that can be wrong with zone, keys, token or disk: said by name, with the documented exit code, the old output as it
//! was and no stray file beside it.

mod disk;
mod input;
mod tokens;
mod zones;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use signet_tests::zones::{Zone, leaf};
use signet_tests::{Run, Scratch, Signet};

use crate::signing::Pair;

/// What an output held before the run.
const OLD: &str = "; the zone as it was signed before\n";

/// A folder with a zone, keys on disk, and an old output that a failed run has to leave alone.
struct Desk {
    scratch: Scratch,
    zone: Zone,
    file: PathBuf,
    pair: Pair,
}

impl Desk {
    fn new() -> Self {
        Self::with(leaf(20))
    }

    fn with(zone: Zone) -> Self {
        let scratch = Scratch::new();
        let keys = scratch.make_folder("keys");
        let pair = Pair::of_bind("ED25519", &zone.origin, &keys);
        let file = zone.write(&scratch, &[]);
        scratch.make_folder("out");
        scratch.write("out/old.signed", OLD);
        Self {
            scratch,
            zone,
            file,
            pair,
        }
    }

    /// A zone file with this text after SOA and NS.
    fn with_lines(lines: &str) -> Self {
        let mut zone = leaf(3);
        zone.text.push_str(lines);
        Self::with(zone)
    }

    fn out(&self) -> PathBuf {
        self.scratch.path("out/old.signed")
    }

    fn keys(&self) -> PathBuf {
        self.scratch.path("keys")
    }

    /// `signet sign` without keys named.
    fn sign(&self) -> Signet {
        Signet::sign(&self.file, &self.zone.origin, &self.out(), &self.keys())
    }

    /// Runs it: it fails with this code and says this, and nothing has changed.
    #[track_caller]
    fn refuses(&self, signet: Signet, code: i32, says: &[&str]) -> Run {
        let before = self.scratch.listing(".");
        let run = signet.run();
        run.exits(code).says(says);
        assert!(!run.stderr.trim().is_empty(), "a failure says why: {run:?}");
        assert_eq!(run.stdout, "", "nothing on stdout: {run:?}");
        self.untouched(&run);
        assert_eq!(self.scratch.listing("."), before, "no stray file: {run:?}");
        run
    }

    /// The old output is as it was, alone in its folder.
    #[track_caller]
    fn untouched(&self, run: &Run) {
        assert_eq!(self.scratch.read("out/old.signed"), OLD, "the old output: {run:?}");
        let alone = BTreeSet::from(["old.signed".to_owned()]);
        assert_eq!(self.scratch.listing("out"), alone, "no stray file: {run:?}");
    }
}

/// The file's name as messages show it.
fn name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}
