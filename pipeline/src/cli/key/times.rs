//! `signet key times`: shows and edits the dates in a key's files, and the states of its records, as dnssec-settime does, in its
//! syntax and order.

use std::path::{Path, PathBuf};

use clap::Args;
use dnssec_sign::ctime;
use signet_pipeline::Error;
use zone_io::{KeyFileFormat, KeyFiles};

use super::dates::{self, DateFlags, oddities};
use super::states::StateFlags;
use super::{key_path, succession};
use crate::cli::{Outcome, streams, time_flags};

/// Show or change the dates of keys, in BIND's syntax
///
/// Without a date to set or -p, nothing is done. The names of files that were written are printed.
#[derive(Args, Debug)]
pub(in crate::cli) struct TimesFlags {
    /// Base names of key files, such as Kexample.com.+013+12345
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    /// Where the key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// Print dates: C, P, Psync, A, R, I, D, Dsync, Pds, Dds or all; may be given more than once
    #[arg(short, long, value_name = "WHICH")]
    print: Vec<String>,

    /// Print dates as seconds since 1970
    #[arg(short, long)]
    unix: bool,

    /// The TTL of the DNSKEY, in seconds or with a unit; none takes it away
    #[arg(short = 'L', long, value_name = "TTL")]
    ttl: Option<String>,

    /// Change files of the old format 1.2, which have no dates, to format 1.3
    #[arg(short, long)]
    force: bool,

    /// From when the DS is in the parent zone
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    ds_publish: Option<String>,

    /// Let the key follow this one: published before it becomes inactive, and active then
    #[arg(short = 'S', long, value_name = "KEY", conflicts_with_all = ["publish", "activate"])]
    successor_of: Option<String>,

    /// How long before it signs a successor is published; 30 days by default
    #[arg(short = 'i', long, value_name = "INTERVAL", requires = "successor_of")]
    prepublish: Option<String>,

    #[command(flatten)]
    dates: DateFlags,

    #[command(flatten)]
    states: StateFlags,
}

/// Shows and edits.
///
/// # Errors
/// [`Error::Usage`] for texts that are no dates, [`Error::KeyFile`] for the files.
pub(super) fn run(flags: &TimesFlags) -> Result<Outcome, Error> {
    let now = time_flags::now()?;
    let wanted = Wanted::parse(&flags.print)?;
    if flags.dates.no_dates {
        return Err(Error::Usage(
            "-G is for new keys: unset dates with -P none -A none".to_owned(),
        ));
    }
    let mut printed = String::new();
    for named in &flags.keys {
        let (directory, mut files) = key_path::read(&flags.key_directory, named)?;
        let predecessor = flags.successor_of.as_deref();
        let mut predecessor = predecessor
            .map(|named| key_path::read(&flags.key_directory, named))
            .transpose()?;
        let old = predecessor.as_mut().map(|(_, old)| old);
        let changed = change(flags, &mut files, old, now)?;
        printed.push_str(&wanted.text(&files, flags.unix));
        if changed {
            for (directory, files) in [(directory, files)].into_iter().chain(predecessor) {
                printed.push_str(&write(&directory, files, flags.states.state)?);
            }
        }
    }
    streams::print(&printed)?;
    Ok(Outcome::Done)
}

/// Writes a key's files over those that are there; their names, a line each.
fn write(directory: &Path, mut files: KeyFiles, with_state: bool) -> Result<String, Error> {
    let name = files.replace(directory)?;
    let mut written = vec!["key"];
    if files.private.is_some() {
        written.push("private");
    }
    if with_state {
        files.state.get_or_insert_default();
        files.replace_state(directory)?;
        written.push("state");
    }
    let line = |kind| format!("{}/{name}.{kind}\n", directory.display());
    Ok(written.into_iter().map(line).collect())
}

/// Puts in what was asked for; tells whether that was anything.
fn change(flags: &TimesFlags, files: &mut KeyFiles, old: Option<&mut KeyFiles>, now: u32) -> Result<bool, Error> {
    let name = files.name();
    let legacy = files
        .private
        .as_ref()
        .is_some_and(|private| private.format == KeyFileFormat::Legacy);
    // What the old format means is not what its file says: it has no dates.
    let mut times = if legacy { Default::default() } else { files.times() };
    let mut any = flags.dates.put(&mut times, now)?;
    if let Some(old) = old {
        let interval = flags.prepublish.as_deref();
        let interval = interval
            .map(|text| time_flags::interval("--prepublish", text))
            .transpose()?;
        let following = follow(old, files, interval, now)?;
        (times.publish, times.activate) = following;
        if let Some(private) = &mut files.private {
            private.numbers.predecessor = Some(old.public.dnskey.key_tag().into());
        }
        if let Some(private) = &mut old.private {
            private.numbers.successor = Some(files.public.dnskey.key_tag().into());
        }
        any = true;
    }
    if let Some(text) = &flags.ttl {
        files.public.ttl = match text.as_str() {
            "none" => None,
            text => Some(time_flags::interval("--ttl", text)?).filter(|ttl| *ttl > 0),
        };
        any = true;
    }
    if let Some(private) = &mut files.private {
        any |= dates::put("--ds-publish", &flags.ds_publish, &mut private.ds_publish, now)?;
    }
    if flags.states.state {
        let mut state = files.state.take().unwrap_or_default();
        let changed = flags.states.put(&mut state, now)?;
        any |= changed;
        files.state = Some(state);
    }
    if any && legacy && !flags.force {
        return Err(Error::Input(format!(
            "{name} is of the old format 1.2, which has no dates: -f changes it to format 1.3"
        )));
    }
    if any {
        for oddity in oddities(&times, files.public.dnskey.is_sep()) {
            streams::warn(&format!("{name}: {oddity}"));
        }
        files.set_times(times);
    }
    Ok(any)
}

/// When a key that is there is published and active as the successor of another.
fn follow(
    old: &KeyFiles,
    new: &KeyFiles,
    interval: Option<u32>,
    now: u32,
) -> Result<(Option<u32>, Option<u32>), Error> {
    let (one, two) = (&old.public, &new.public);
    let same = one.owner.borrow() == two.owner.borrow()
        && one.dnskey.algorithm() == two.dnskey.algorithm()
        && one.dnskey.flags() == two.dnskey.flags();
    if !same {
        return Err(Error::Input(format!(
            "{} cannot follow {}: zone, algorithm and flags have to be the same",
            new.name(),
            old.name()
        )));
    }
    let times = succession::times(old, interval, now)?;
    Ok((times.publish, times.activate))
}

/// Which dates are printed, in the order of [`Wanted::NAMES`].
#[derive(Debug, Default)]
struct Wanted([bool; 10]);

impl Wanted {
    const NAMES: [&'static str; 10] = [
        "Created",
        "Publish",
        "Activate",
        "Revoke",
        "Inactive",
        "Delete",
        "SYNC Publish",
        "SYNC Delete",
        "DS Publish",
        "DS Delete",
    ];

    /// `all`, or letters, P and D with `sync` or `ds` behind them if meant so.
    fn parse(texts: &[String]) -> Result<Self, Error> {
        let mut wanted = Self::default();
        for text in texts {
            if text.eq_ignore_ascii_case("all") {
                wanted = Self([true; 10]);
                continue;
            }
            let mut rest = text.as_str();
            while let Some(letter) = rest.chars().next() {
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
                let mut behind = |word: &str| match rest.strip_prefix(word) {
                    Some(after) => {
                        rest = after;
                        true
                    }
                    None => false,
                };
                let at = match letter {
                    'C' => 0,
                    'P' if behind("sync") => 6,
                    'P' if behind("ds") => 8,
                    'P' => 1,
                    'A' => 2,
                    'R' => 3,
                    'I' => 4,
                    'D' if behind("sync") => 7,
                    'D' if behind("ds") => 9,
                    'D' => 5,
                    _ => {
                        return Err(Error::Usage(format!(
                            "--print {text}: write C, P, Psync, A, R, I, D, Dsync, Pds, Dds or all"
                        )));
                    }
                };
                wanted.0[at] = true;
            }
        }
        Ok(wanted)
    }

    fn text(&self, files: &KeyFiles, unix: bool) -> String {
        let times = files.times();
        let values = [
            times.created,
            times.publish,
            times.activate,
            times.revoke,
            times.inactive,
            times.delete,
            times.sync_publish,
            times.sync_delete,
            files.private.as_ref().and_then(|private| private.ds_publish),
            files.state.as_ref().and_then(|state| state.ds_removed),
        ];
        let mut text = String::new();
        for ((wanted, name), value) in self.0.iter().zip(Self::NAMES).zip(values) {
            if !wanted {
                continue;
            }
            let value = match value {
                None => "UNSET".to_owned(),
                Some(value) if unix => value.to_string(),
                Some(value) => ctime(value),
            };
            text.push_str(&format!("{name}: {value}\n"));
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn what_to_print() {
        let wanted = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let wanted = Wanted::parse(&texts).unwrap();
            let names = wanted.0.iter().zip(Wanted::NAMES).filter(|(on, _)| **on);
            names.map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(wanted(&["P", "A"]), ["Publish", "Activate"]);
        assert_eq!(wanted(&["PsyncAD"]), ["Activate", "Delete", "SYNC Publish"]);
        assert_eq!(wanted(&["all"]).len(), 10);
        assert!(Wanted::parse(&["X".to_owned()]).is_err());
    }
}
