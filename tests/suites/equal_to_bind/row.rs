//! One row of the table: a zone, keys with their dates, and options that mean the same to both tools, turned into the RRsets
//! in which the two results differ. Both tools run at the machine's clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use signet_tests::judges::{SignZone, normalise, settime};
use signet_tests::zones::Zone;
use signet_tests::{Difference, END, Key, Role, RrSet, START, Scratch, Signet, ZoneText};

/// A key of a row.
#[derive(Clone, Copy)]
pub(super) struct KeySpec {
    algorithm: &'static str,
    role: Role,
    number: u8,
    in_zone: bool,
    named: bool,
    public_only: bool,
    follows: Option<u8>,
    dates: &'static [&'static str],
    then: &'static [&'static str],
}

const fn key(algorithm: &'static str, role: Role) -> KeySpec {
    KeySpec {
        algorithm,
        role,
        number: 0,
        in_zone: false,
        named: false,
        public_only: false,
        follows: None,
        dates: &[],
        then: &[],
    }
}

/// A KSK in the key directory.
pub(super) const fn ksk(algorithm: &'static str) -> KeySpec {
    key(algorithm, Role::Ksk)
}

/// A ZSK in the key directory.
pub(super) const fn zsk(algorithm: &'static str) -> KeySpec {
    key(algorithm, Role::Zsk)
}

impl KeySpec {
    /// Another one of the same kind.
    pub(super) const fn number(mut self, number: u8) -> Self {
        self.number = number;
        self
    }

    /// Its DNSKEY is in the zone, and it is named on the command line.
    pub(super) const fn used(mut self) -> Self {
        self.in_zone = true;
        self.named = true;
        self
    }

    /// Its DNSKEY is in the zone.
    pub(super) const fn in_zone(mut self) -> Self {
        self.in_zone = true;
        self
    }

    /// It is named on the command line.
    pub(super) const fn named(mut self) -> Self {
        self.named = true;
        self
    }

    /// Its private half is somewhere else: its files are not there when the tools are compared.
    pub(super) const fn public_only(mut self) -> Self {
        self.public_only = true;
        self
    }

    /// Its files name the one of that number as its predecessor, and that one's name it.
    pub(super) const fn follows(mut self, number: u8) -> Self {
        self.follows = Some(number);
        self
    }

    /// Options of dnssec-settime for it.
    pub(super) const fn dates(mut self, dates: &'static [&'static str]) -> Self {
        self.dates = dates;
        self
    }

    /// The same once the zone was signed first.
    pub(super) const fn then(mut self, dates: &'static [&'static str]) -> Self {
        self.then = dates;
        self
    }
}

/// The zone is signed before, by dnssec-signzone, from 20 days ago to 10 days ahead.
#[derive(Clone, Copy)]
pub(super) struct First {
    /// Its options.
    pub(super) options: &'static [&'static str],
    /// What is changed in its output.
    pub(super) change: fn(&str) -> String,
}

/// What a comparison leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum But {
    /// Nothing.
    Nothing,
    /// The ends of signatures that are spread at random, and what is signed with them; the ends must be within so many seconds.
    Ends(u32),
    /// The serial, where it is the second of the run, and the signature over it.
    Serial,
}

/// Where we differ from dnssec-signzone on purpose.
pub(super) struct Intended {
    /// Whether an RRset's difference is this one.
    pub(super) is: fn(&Difference) -> bool,
    pub(super) reason: &'static str,
}

/// One comparison.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// What it covers.
    pub(super) name: &'static str,
    pub(super) zone: fn() -> Zone,
    pub(super) keys: &'static [KeySpec],
    pub(super) signet: &'static [&'static str],
    pub(super) bind: &'static [&'static str],
    pub(super) first: Option<First>,
    pub(super) but: But,
    pub(super) intended: &'static [Intended],
    /// Whether the two write parts of a zone (`-D`), to be included in it.
    pub(super) part: bool,
    /// Files in the folder of each output, by name and content.
    pub(super) files: &'static [(&'static str, &'static str)],
}

/// What a row came to.
pub(super) struct Outcome {
    pub(super) signatures: usize,
    /// Differences that no entry covers.
    pub(super) unintended: Vec<Difference>,
    /// Entries that do not occur.
    pub(super) absent: Vec<&'static str>,
    pub(super) intended: usize,
}

impl Row {
    /// Whether one of its keys needs a build with the feature `openssl`.
    pub(super) fn needs_openssl(&self) -> bool {
        let rare = |spec: &KeySpec| matches!(spec.algorithm, "ED448" | "RSASHA1" | "NSEC3RSASHA1");
        self.keys.iter().any(rare)
    }

    pub(super) fn compare(&self) -> Outcome {
        let zone = (self.zone)();
        let scratch = Scratch::new();
        let keys = scratch.make_folder("keys");
        let made: Vec<Key> = self
            .keys
            .iter()
            .map(|spec| kept_key(spec).for_zone(&zone.origin, &keys))
            .collect();
        let date = |key: &Key, dates: &[&str]| {
            if !dates.is_empty() {
                settime(key, dates).succeeds();
            }
        };
        for (spec, key) in self.keys.iter().zip(&made) {
            date(key, spec.dates);
            if let Some(number) = spec.follows {
                let before = self.keys.iter().zip(&made).find(|(other, _)| {
                    (other.algorithm, other.role, other.number) == (spec.algorithm, spec.role, number)
                });
                let (_, before) = before.unwrap();
                note_number(key, "Predecessor", before.tag());
                note_number(before, "Successor", key.tag());
            }
        }
        let in_zone = self.keys.iter().zip(&made).filter(|(spec, _)| spec.in_zone);
        let mut file = zone.write(&scratch, &in_zone.map(|(_, key)| key).collect::<Vec<_>>());
        if let Some(first) = &self.first {
            let signed = scratch.path("first");
            self.bind(&file, &zone.origin, &keys, &made)
                .options(&strings(&with_words(first.options, &scratch.path("."), &made)))
                .times("now-20d", "now+10d")
                .run(&signed)
                .succeeds();
            file = scratch.write("again", (first.change)(&scratch.read("first")));
            for (spec, key) in self.keys.iter().zip(&made) {
                date(key, spec.then);
            }
        }
        for (spec, key) in self.keys.iter().zip(&made) {
            if spec.public_only {
                std::fs::remove_file(key.private_file()).unwrap();
                std::fs::remove_file(key.public_file()).unwrap();
            }
        }
        let (ours, theirs) = (scratch.make_folder("ours"), scratch.make_folder("theirs"));
        for (folder, (name, content)) in [&ours, &theirs]
            .into_iter()
            .flat_map(|folder| self.files.iter().map(move |file| (folder, file)))
        {
            std::fs::write(folder.join(name), content).unwrap();
        }
        self.signet(&zone, &file, &keys, &made, &ours);
        self.bind(&file, &zone.origin, &keys, &made)
            .options(&strings(&with_words(self.bind, &theirs, &made)))
            .run(&theirs.join("signed"))
            .succeeds();
        let read = |folder: &Path| {
            let mut sets = self.masked(self.normal(&file, &folder.join("signed"), &zone.origin));
            if let Ok(text) = std::fs::read_to_string(folder.join(format!("dsset-{}", zone.origin))) {
                add_dsset(&mut sets, &text);
            }
            sets
        };
        self.judge(&read(&ours), &read(&theirs))
    }

    fn bind(&self, file: &Path, origin: &str, keys: &Path, made: &[Key]) -> SignZone {
        let named: Vec<&Key> = named(self.keys, made);
        SignZone::new(file, origin, keys).keys(&named)
    }

    fn signet(&self, zone: &Zone, file: &Path, keys: &Path, made: &[Key], folder: &Path) {
        let options = with_words(self.signet, folder, made);
        let mut all: Vec<&str> = Vec::new();
        for (flags, default) in [
            (["-s", "--start"], START),
            (["-e", "--end"], END),
            (["-N", "--serial"], "keep"),
        ] {
            if !flags.iter().any(|flag| self.signet.contains(flag)) {
                all.extend([flags[0], default]);
            }
        }
        all.extend(options.iter().map(String::as_str));
        let run = Signet::new("sign")
            .arg(file)
            .args(["-o", &zone.origin, "--no-token"])
            .arg("-f")
            .arg(folder.join("signed"))
            .arg("-K")
            .arg(keys)
            .args(all)
            .keys(&named(self.keys, made))
            .run();
        // 6: a signature of a key that is not at hand was due.
        assert!(matches!(run.code, Some(0 | 6)), "{}: {run:?}", self.name);
    }

    /// An output as RRsets; a part of a zone is put back into it first.
    fn normal(&self, file: &Path, out: &Path, origin: &str) -> ZoneText {
        if !self.part {
            return normalise(out, origin);
        }
        let whole = out.with_file_name("whole");
        let mut text = std::fs::read_to_string(file).unwrap();
        text.push_str(&format!("$INCLUDE {}\n", out.display()));
        std::fs::write(&whole, text).unwrap();
        normalise(&whole, origin)
    }

    /// Without what cannot be equal: signatures with randomness, and what the row says.
    fn masked(&self, mut zone: ZoneText) -> ZoneText {
        for ((_, rtype), set) in &mut zone.sets {
            if rtype == "SOA" && self.but == But::Serial {
                *set = each(set, |record| {
                    let mut fields: Vec<&str> = record.split_whitespace().collect();
                    fields[2] = "N";
                    fields.join(" ")
                });
            }
            if !rtype.starts_with("RRSIG ") {
                continue;
            }
            *set = each(set, |record| {
                let mut fields: Vec<&str> = record.split_whitespace().collect();
                let random = matches!(fields[1], "13" | "14");
                if random || self.but == But::Serial && rtype == "RRSIG SOA" {
                    fields.truncate(8);
                }
                if let But::Ends(most) = self.but {
                    let spread = end_distance(fields[4]);
                    assert!(
                        spread < u64::from(most),
                        "{}: {record}: {spread} s before {END}",
                        self.name
                    );
                    fields[4] = "E";
                    fields.truncate(8);
                }
                fields.join(" ")
            });
        }
        zone
    }

    fn judge(&self, ours: &ZoneText, theirs: &ZoneText) -> Outcome {
        let differences = ours.differences(theirs);
        let absent = self
            .intended
            .iter()
            .filter(|entry| !differences.iter().any(entry.is))
            .map(|entry| entry.reason);
        Outcome {
            signatures: theirs.signatures(),
            absent: absent.collect(),
            intended: self.intended.len(),
            unintended: differences
                .iter()
                .filter(|difference| !self.intended.iter().any(|entry| (entry.is)(difference)))
                .cloned()
                .collect(),
        }
    }
}

fn named<'k>(specs: &[KeySpec], made: &'k [Key]) -> Vec<&'k Key> {
    let named = specs.iter().zip(made).filter(|(spec, _)| spec.named);
    named.map(|(_, key)| key).collect()
}

fn each(set: &RrSet, change: impl Fn(&str) -> String) -> RrSet {
    RrSet {
        ttls: set.ttls.clone(),
        records: set.records.iter().map(|record| change(record)).collect(),
    }
}

/// `DIR` among the options is the folder of the run's output, `KEY0` the base name of the row's first key.
fn with_words(options: &[&str], folder: &Path, keys: &[Key]) -> Vec<String> {
    let folder = folder.display().to_string();
    let key = keys.first().map_or("", Key::base_name);
    options
        .iter()
        .map(|option| option.replace("DIR", &folder).replace("KEY0", key))
        .collect()
}

fn strings(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Puts a line with the tag of another key into a private key file, before the dates.
fn note_number(key: &Key, field: &str, tag: u16) {
    let text = std::fs::read_to_string(key.private_file()).unwrap();
    let text = text.replacen("Created:", &format!("{field}: {tag}\nCreated:"), 1);
    std::fs::write(key.private_file(), text).unwrap();
}

/// The DS records of a dsset- file as a set of their own; how the digest is broken into words does not count.
fn add_dsset(zone: &mut ZoneText, text: &str) {
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let set = zone.sets.entry((fields[0].to_owned(), "dsset".to_owned())).or_default();
        set.records
            .insert(format!("{} {}", fields[1..6].join(" "), fields[6..].concat()));
    }
}

/// Seconds from a moment `YYYYMMDDHHMMSS` to [`END`], both within 60 days of each other in December and January.
fn end_distance(moment: &str) -> u64 {
    let seconds = |digits: &str| -> u64 {
        let number = |range: std::ops::Range<usize>| digits[range].parse::<u64>().unwrap();
        let days = match (number(0..4), number(4..6)) {
            (2037, 1) => 61,
            (2036, 12) => 30,
            (2036, 11) => 0,
            other => panic!("{digits}: {other:?}"),
        };
        ((days + number(6..8)) * 24 + number(8..10)) * 3600 + number(10..12) * 60 + number(12..14)
    };
    seconds(END) - seconds(moment)
}

/// The key of a kind that dnssec-keygen made for this run of the tests.
fn kept_key(spec: &KeySpec) -> Key {
    /// Algorithm, whether a KSK, and which.
    type Kind = (&'static str, bool, u8);
    static KEPT: Mutex<BTreeMap<Kind, (Key, Scratch)>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let (key, _) = kept
        .entry((spec.algorithm, spec.role == Role::Ksk, spec.number))
        .or_insert_with(|| {
            let scratch = Scratch::new();
            let key = Key::by_bind("any.test.", spec.algorithm, spec.role, scratch.folder());
            (key, scratch)
        });
    key.clone()
}
