//! A journaled run that is killed anywhere is taken up again: the old output is whole until then, the new one is what an
//! undisturbed run writes, and next to nothing is signed twice. A journal that does not fit is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use signet_tests::judges::dnssec_verify;
use signet_tests::zones::{Zone, leaf};
use signet_tests::{Faulty, Run, Scratch, Signet, Token, full, program};

use super::send;
use crate::signing::{Pair, Place};

/// What an output held before the run.
const OLD: &str = "; the zone as it was signed before\n";

/// A zone and Ed25519 keys on a token, whose signatures are the same each time.
struct Desk {
    scratch: Scratch,
    token: Token,
    zone: Zone,
    file: PathBuf,
    pair: Pair,
}

impl Desk {
    fn new(names: usize, algorithm: &str) -> Self {
        let (scratch, token, zone) = (Scratch::new(), Token::default(), leaf(names));
        let keys = scratch.make_folder("keys");
        let pair = Pair::generate(&token, &zone.origin, algorithm, Place::Token, &keys);
        let file = zone.write(&scratch, &[]);
        scratch.make_folder("out");
        Self {
            scratch,
            token,
            zone,
            file,
            pair,
        }
    }

    fn sign(&self, faulty: &Faulty, arguments: &[&str]) -> Signet {
        let (out, keys) = (self.scratch.path("out/signed"), self.scratch.path("keys"));
        Signet::sign(&self.file, &self.zone.origin, &out, &keys)
            .keys(&self.pair.both())
            .envs(self.token.faulty_environment(faulty))
            .args(["--sessions", "2", "--journal"])
            .arg(self.journal())
            .arg("--report")
            .arg(self.scratch.path("report.json"))
            .args(arguments)
    }

    fn journal(&self) -> PathBuf {
        self.scratch.path("journal")
    }

    /// A number of the last run's report.
    fn reported(&self, name: &str) -> u64 {
        let report: serde_json::Value = serde_json::from_slice(&self.scratch.bytes("report.json")).unwrap();
        report[name].as_u64().unwrap()
    }

    /// Signatures that the last run put into the output.
    fn signatures(&self) -> u64 {
        let report: serde_json::Value = serde_json::from_slice(&self.scratch.bytes("report.json")).unwrap();
        let keys = report["keys"].as_array().unwrap();
        keys.iter().map(|key| key["signatures"].as_u64().unwrap()).sum()
    }

    /// A run that is interrupted when so many signatures are made, each taking a while.
    fn interrupted(&self, signatures: u64, arguments: &[&str]) -> Run {
        let faulty = Faulty::new("C_Sign * sleep 1000");
        let mut sent = false;
        let run = self.sign(&faulty, arguments).watch(|process| {
            if !sent && faulty.other("signed") >= signatures {
                sent = true;
                send("INT", process);
            }
        });
        run.exits(130).says(&["interrupted", "--resume", "journal"]);
        assert!(self.journal().exists());
        run
    }
}

/// Where a run is to be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Parse,
    Sign,
    /// All signatures are made, and the output is not published.
    Verify,
    Publish,
}

const PHASES: [Phase; 4] = [Phase::Parse, Phase::Sign, Phase::Verify, Phase::Publish];

/// A killed run.
struct Killed {
    phase: Phase,
    /// Signatures made, and those of them in the last 200 ms.
    signed: u64,
    recent: u64,
}

/// Kills runs over one desk.
struct Killer {
    desk: Desk,
    /// Signatures of a whole run, proofs of the keys among them, and those of the zone.
    all: u64,
    needed: u64,
    reference: Vec<u8>,
}

impl Killer {
    fn new(names: usize) -> Self {
        let desk = Desk::new(names, "ED25519");
        let faulty = Faulty::new("");
        desk.sign(&faulty, &[]).run().succeeds();
        assert!(!desk.journal().exists(), "a journal goes when the zone is published");
        Self {
            all: faulty.other("signed"),
            needed: desk.signatures(),
            reference: desk.scratch.bytes("out/signed"),
            desk,
        }
    }

    /// Starts a run and kills it in the wanted phase, or thereabouts: `step` of `steps` says how far into it.
    fn kill(&self, wanted: Phase, step: u64, steps: u64) -> Option<Killed> {
        let (faulty, desk) = (Faulty::new(""), &self.desk);
        desk.scratch.write("out/signed", OLD);
        let events = desk.scratch.write("events", "");
        let script = format!("exec \"$@\" 2> '{}'", events.display());
        // One partition is verified when all of it is signed.
        let wide = ["--partition-records", "1000000"];
        let arguments: &[&str] = if wanted == Phase::Verify { &wide } else { &[] };
        let proofs = self.all - self.needed;
        let seen = |phase: &str| desk.scratch.read("events").contains(&format!("\"phase\":\"{phase}\""));
        let (mut samples, mut killed, mut since) = (Vec::new(), false, None);
        let run = desk
            .sign(&faulty, &["--progress", "json"])
            .args(arguments)
            .under("/bin/sh", &["-c", &script, "sh"])
            .watch(|process| {
                let signed = faulty.other("signed");
                samples.push((Instant::now(), signed));
                let ready = match wanted {
                    Phase::Parse => signed >= proofs && seen("load"),
                    Phase::Sign => signed >= proofs + self.needed * (step * 2 + 1) / (steps * 2),
                    Phase::Verify => signed >= self.all,
                    Phase::Publish => seen("publish"),
                };
                if !ready || killed {
                    return;
                }
                let since = *since.get_or_insert_with(Instant::now);
                let wait = if wanted == Phase::Verify { 15 * step } else { 0 };
                if since.elapsed() >= Duration::from_millis(wait) {
                    send("KILL", process);
                    killed = true;
                }
            });
        if run.code.is_some() {
            // It was done before.
            run.succeeds();
            assert!(!desk.journal().exists());
            return None;
        }
        let signed = faulty.other("signed");
        let last = samples.last().unwrap().0;
        let before = samples
            .iter()
            .rev()
            .find(|(at, _)| last - *at >= Duration::from_millis(200));
        let phase = match (seen("publish"), signed) {
            (true, _) => Phase::Publish,
            (false, signed) if signed >= self.all => Phase::Verify,
            (false, signed) if signed > proofs => Phase::Sign,
            _ => Phase::Parse,
        };
        let signed = signed.saturating_sub(proofs);
        let recent = signed - before.map_or(0, |(_, signed)| signed.saturating_sub(proofs));
        // The old output is whole, or the new one is.
        let now = desk.scratch.bytes("out/signed");
        let published = phase == Phase::Publish && now == self.reference;
        assert!(now == OLD.as_bytes() || published, "killed in {phase:?}");
        Some(Killed { phase, signed, recent })
    }

    /// Takes the run up again; tells how many signatures were made a second time.
    fn resume(&self, killed: &Killed) -> u64 {
        let (faulty, desk) = (Faulty::new(""), &self.desk);
        desk.sign(&faulty, &["--resume"]).run().succeeds();
        assert_eq!(
            desk.scratch.bytes("out/signed"),
            self.reference,
            "killed in {:?}",
            killed.phase
        );
        assert!(!desk.journal().exists());
        let listing = desk.scratch.listing("out");
        assert_eq!(
            listing,
            BTreeSet::from(["signed".to_owned()]),
            "killed in {:?}",
            killed.phase
        );
        let resumed = desk.reported("resumed");
        assert!(faulty.other("signed") <= self.all - resumed);
        killed.signed - resumed.min(killed.signed)
    }
}

/// `SIGNET_FULL=1`: 50 kills of runs over 50,000 names; else six of runs over 5,000.
#[test]
fn a_killed_run_is_taken_up_again() {
    let (names, each) = if full() {
        (50_000, [12, 14, 12, 12])
    } else {
        (5000, [1, 2, 2, 1])
    };
    let killer = Killer::new(names);
    let mut most = (0, 0);
    let mut hits: BTreeMap<Phase, u64> = BTreeMap::new();
    // The phases take turns, so that a run that is stopped has some of each.
    let most_hits = each.into_iter().max().unwrap_or(0);
    let turns = (0..most_hits).flat_map(|turn| PHASES.into_iter().zip(each).map(move |phase| (turn, phase)));
    for (turn, (wanted, count)) in turns.filter(|(turn, (_, count))| turn < count) {
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries <= 12, "none of {tries} kills hit {wanted:?}");
            let Some(killed) = killer.kill(wanted, turn, count) else {
                continue;
            };
            let again = killer.resume(&killed);
            println!(
                "killed in {:?} with {} signatures, {} of the last 200 ms; {again} were made again",
                killed.phase, killed.signed, killed.recent
            );
            assert!(
                again <= killed.recent.max(128),
                "{again} of {} were made again",
                killed.signed
            );
            most = most.max((again, killed.recent));
            *hits.entry(killed.phase).or_default() += 1;
            if killed.phase == wanted {
                break;
            }
        }
    }
    println!(
        "{hits:?}; at most {} signatures were made again; in the 200 ms before that kill there were {}",
        most.0, most.1
    );
}

#[test]
fn times_and_serial_are_those_of_the_beginning() {
    let desk = Desk::new(400, "ECDSAP256SHA256");
    let (out, keys) = (desk.scratch.path("out/signed"), desk.scratch.path("keys"));
    let sign = |faulty: &Faulty| {
        Signet::new("sign")
            .arg(&desk.file)
            .args(["-o", &desk.zone.origin, "--sessions", "2", "--jitter", "1d", "-f"])
            .arg(&out)
            .arg("-K")
            .arg(&keys)
            .keys(&desk.pair.both())
            .envs(desk.token.faulty_environment(faulty))
            .arg("--journal")
            .arg(desk.journal())
            .arg("--report")
            .arg(desk.scratch.path("report.json"))
    };
    let faulty = Faulty::new("C_Sign * sleep 1000");
    let mut sent = false;
    let run = sign(&faulty).watch(|process| {
        if !sent && faulty.other("signed") >= 500 {
            sent = true;
            send("TERM", process);
        }
    });
    run.exits(130);
    let text = desk.scratch.read("journal");
    let said = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let (inception, serial) = (said("inception "), said("serial "));
    // The next run begins in another second, and would have times of its own.
    std::thread::sleep(Duration::from_millis(1100));
    sign(&Faulty::new(""))
        .arg("--resume")
        .run()
        .succeeds()
        .says(&["from the journal"]);
    assert!(desk.reported("resumed") >= 400, "{}", desk.reported("resumed"));
    assert_eq!(desk.reported("serial"), serial);
    let digits = digits_of(inception);
    let signed = desk.scratch.read("out/signed");
    let starts: BTreeSet<&str> = signed
        .lines()
        .filter(|line| line.split_ascii_whitespace().nth(3) == Some("RRSIG"))
        .map(|line| line.split_ascii_whitespace().nth(9).unwrap())
        .collect();
    assert_eq!(starts, BTreeSet::from([digits.as_str()]));
    dnssec_verify(&out, &desk.zone.origin, &[]).succeeds();
}

/// Seconds since 1970 as RRSIGs show them.
fn digits_of(moment: u64) -> String {
    let run = signet_tests::Program::new("/bin/date")
        .args(["-u", "-d", &format!("@{moment}"), "+%Y%m%d%H%M%S"])
        .run();
    run.stdout.trim().to_owned()
}

#[test]
fn a_journal_that_does_not_fit_is_refused_and_stays() {
    let desk = Desk::new(1000, "ED25519");
    desk.scratch.write("out/signed", OLD);
    desk.interrupted(1500, &[]);
    let journal = desk.scratch.bytes("journal");
    let refused = |arguments: &[&str], code: i32, says: &[&str]| {
        let before = desk.scratch.bytes("journal");
        let run = desk.sign(&Faulty::new(""), arguments).run();
        run.exits(code).says(says);
        assert!(run.stderr.contains("journal"), "{run:?}");
        assert_eq!(desk.scratch.bytes("journal"), before, "untouched: {run:?}");
        assert_eq!(desk.scratch.read("out/signed"), OLD);
    };
    refused(&[], 2, &["--resume"]);
    refused(&["--resume", "--nsec3"], 1, &["another run", "denial was"]);
    refused(&["--resume", "--max-ttl", "60"], 1, &["another run", "max ttl was"]);
    // Another key.
    let other = Pair::generate(
        &desk.token,
        &desk.zone.origin,
        "ED25519",
        Place::Disk,
        &desk.scratch.path("keys"),
    );
    let faultless = Faulty::new("");
    let sign = desk.sign(&faultless, &["--resume"]).keys(&other.both());
    sign.run().exits(1).says(&["another run"]);
    // Another file.
    desk.scratch.write("journal", "; a zone, say\n");
    refused(&["--resume"], 1, &["no journal"]);
    refused(&[], 2, &["--resume"]);
    // A head that is damaged, then entries that had been on the disk.
    let mut damaged = journal.clone();
    damaged[40] ^= 1;
    desk.scratch.write("journal", &damaged);
    refused(&["--resume"], 1, &["damaged"]);
    damaged.clone_from(&journal);
    let early = journal.len() / 3;
    damaged[early] ^= 1;
    desk.scratch.write("journal", &damaged);
    refused(&["--resume"], 1, &["damaged at byte"]);
    // A tail that is torn is not.
    let mut torn = journal.clone();
    torn.truncate(journal.len() - 30);
    torn.extend_from_slice(&[0; 1000]);
    desk.scratch.write("journal", &torn);
    desk.sign(&Faulty::new(""), &["--resume"]).run().succeeds();
    assert!(desk.reported("resumed") >= 1300, "{}", desk.reported("resumed"));
    assert!(!desk.journal().exists());
}

#[test]
fn a_run_that_signs_nothing_leaves_no_journal() {
    let desk = Desk::new(3, "ED25519");
    std::fs::write(
        &desk.file,
        format!("{}bad.{} 60 IN A 1.2.3\n", desk.zone.text, desk.zone.origin),
    )
    .unwrap();
    desk.sign(&Faulty::new(""), &[]).run().exits(1);
    assert!(!desk.journal().exists());
    // Where there is no journal, --resume begins one.
    std::fs::write(&desk.file, &desk.zone.text).unwrap();
    desk.sign(&Faulty::new(""), &["--resume"]).run().succeeds();
    assert!(!desk.journal().exists());
    Signet::new("sign z -o a. --resume").run().exits(2).says(&["--journal"]);
}

#[test]
fn what_hangs_keeps_no_signature_from_the_journal() {
    let desk = Desk::new(400, "ED25519");
    let (faulty, mut sent) = (Faulty::new("C_Sign 700+ hang"), None);
    let run = desk.sign(&faulty, &["--patience", "60s"]).watch(|process| {
        if sent.is_none() && faulty.calls("C_Sign") >= 701 {
            // Both sessions hang: what they made has been waiting since.
            send("INT", process);
            sent = Some(Instant::now());
        }
    });
    run.exits(130)
        .says(&["interrupted", "nothing was published", "--resume"]);
    assert!(sent.unwrap().elapsed() < Duration::from_millis(1500), "{run:?}");
    // Two keys are proven, for the token object and for its copy at the most.
    let made = faulty.other("signed");
    desk.sign(&Faulty::new(""), &["--resume"]).run().succeeds();
    let resumed = desk.reported("resumed");
    assert!(resumed + 8 >= made, "{resumed} of {made}");
}

#[test]
fn the_journal_is_synced_every_200_milliseconds_and_no_more_often() {
    let desk = Desk::new(400, "ED25519");
    let log = desk.scratch.path("trace");
    let faulty = Faulty::new("C_Sign * take 2000");
    let options = ["-f", "-ttt", "-y", "-e", "trace=fdatasync", "-o", log.to_str().unwrap()];
    let run = desk.sign(&faulty, &[]).under(program("strace"), &options).run();
    run.succeeds();
    let journal = format!("<{}>", desk.journal().display());
    let trace = desk.scratch.read("trace");
    let calls = trace
        .lines()
        .filter(|line| line.contains("fdatasync(") && line.contains(&journal));
    let moments: Vec<f64> = calls
        .map(|line| line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap())
        .collect();
    // 1,300 signatures at 2 ms each by two sessions take more than a second.
    assert!(moments.len() >= 4, "{trace}");
    let pauses: Vec<f64> = moments.windows(2).map(|two| two[1] - two[0]).collect();
    // The last one may come with the end.
    let (_, between) = pauses.split_last().unwrap();
    assert!(between.iter().all(|pause| (0.19..1.0).contains(pause)), "{pauses:?}");
}

#[test]
fn worker_processes_do_not_make_again_what_is_in_the_journal() {
    let desk = Desk::new(600, "ED25519");
    desk.sign(&Faulty::new(""), &[]).run().succeeds();
    let reference = desk.scratch.bytes("out/signed");
    desk.scratch.write("out/signed", OLD);
    let faulty = Faulty::new("C_Sign * take 1000");
    let mut sent = false;
    let run = desk.sign(&faulty, &["--isolate"]).watch(|process| {
        if !sent && faulty.other("signed") >= 900 {
            sent = true;
            send("INT", process);
        }
    });
    run.exits(130).says(&["interrupted", "--resume"]);
    let made = faulty.other("signed");
    desk.sign(&Faulty::new(""), &["--isolate", "--resume"]).run().succeeds();
    assert_eq!(desk.scratch.bytes("out/signed"), reference);
    // In the last 200 ms the two made 400; the proofs of the keys are none of the zone's.
    let resumed = desk.reported("resumed");
    assert!(resumed + 404 >= made, "{resumed} of {made}");
}
