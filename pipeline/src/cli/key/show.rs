//! `signet key show`: what a key's files say, as text or JSON. No private half is used, and no token is asked.

use std::path::PathBuf;

use clap::Args;
use dnssec_sign::{DigestType, ctime};
use serde::Serialize;
use signet_pipeline::Error;
use zone_io::{KeyFileFormat, KeyFiles, PrivateHalf};

use super::key_path;
use super::list::kind;
use crate::cli::{Outcome, streams, time_flags};

/// Show what the files of keys say: role, tags, dates, state, where the private half is
#[derive(Args, Debug)]
pub(in crate::cli) struct ShowFlags {
    /// Base names of key files, such as Kexample.com.+013+12345
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    /// Where the key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// Print JSON; dates are seconds since 1970
    #[arg(long)]
    json: bool,
}

/// One key; what is not known or not set is `null`.
#[derive(Debug, Serialize)]
struct Shown {
    file: String,
    zone: String,
    /// `KSK` or `ZSK`.
    role: &'static str,
    flags: u16,
    algorithm: String,
    /// `P-256`, `RSA 2048`.
    kind: String,
    tag: u16,
    /// The tag once the REVOKE bit is set.
    revoked_tag: u16,
    ttl: Option<u32>,
    /// `disk`, `token`, `elsewhere` or `not here`.
    private: &'static str,
    /// The URI of a key on a token, without a PIN.
    label: Option<String>,
    /// Format 1.2: no dates, always active.
    old_format: bool,
    state: String,
    predecessor: Option<u32>,
    successor: Option<u32>,
    dates: Vec<(&'static str, u32)>,
    /// Of the key's records, as BIND's key manager noted them.
    record_states: Vec<(&'static str, String)>,
    ds: String,
}

/// Shows.
///
/// # Errors
/// [`Error::KeyFile`].
pub(super) fn run(flags: &ShowFlags) -> Result<Outcome, Error> {
    let now = time_flags::now()?;
    let mut shown = Vec::new();
    for named in &flags.keys {
        let (_, files) = key_path::read(&flags.key_directory, named)?;
        shown.push(show(&files, now));
    }
    if flags.json {
        streams::print_json(&shown)?;
    } else {
        let texts: Vec<String> = shown.iter().map(text).collect();
        streams::print(&texts.join("\n"))?;
    }
    Ok(Outcome::Done)
}

fn show(files: &KeyFiles, now: u32) -> Shown {
    let (public, times) = (&files.public, files.times());
    let dnskey = &public.dnskey;
    let half = files.private.as_ref().map(|private| &private.half);
    let label = match half {
        // Printed again by the parser, which leaves a PIN out.
        Some(PrivateHalf::Token(token)) => token.label.parse::<hsm_core::Uri>().ok().map(|uri| uri.to_string()),
        _ => None,
    };
    let numbers = files
        .private
        .as_ref()
        .map(|private| private.numbers)
        .unwrap_or_default();
    let mut ds = Vec::new();
    dnskey.write_ds(public.owner.borrow(), DigestType::Sha256, &mut ds);
    let digest = data_encoding::HEXUPPER.encode(ds.get(4..).unwrap_or_default());
    let dates = [
        ("Created", times.created),
        ("Publish", times.publish),
        ("Activate", times.activate),
        ("Revoke", times.revoke),
        ("Inactive", times.inactive),
        ("Delete", times.delete),
        ("SyncPublish", times.sync_publish),
        ("SyncDelete", times.sync_delete),
    ];
    let states = files.states();
    let record_states = [
        ("DNSKEY", states.dnskey),
        ("ZRRSIG", states.zone_signatures),
        ("KRRSIG", states.key_signatures),
        ("DS", states.ds),
    ];
    Shown {
        file: files.name().to_string(),
        zone: public.owner.to_string(),
        role: if dnskey.is_sep() { "KSK" } else { "ZSK" },
        flags: dnskey.flags(),
        algorithm: dnskey.algorithm().to_string(),
        kind: kind(dnskey),
        tag: dnskey.key_tag(),
        revoked_tag: dnskey.revoked().key_tag(),
        ttl: public.ttl,
        private: match half {
            Some(PrivateHalf::Fields(_)) => "disk",
            Some(PrivateHalf::Token(_)) => "token",
            Some(PrivateHalf::External) => "elsewhere",
            None => "not here",
        },
        label,
        old_format: files
            .private
            .as_ref()
            .is_some_and(|private| private.format == KeyFileFormat::Legacy),
        state: times.state_with(&states, dnskey, now).to_string(),
        predecessor: numbers.predecessor,
        successor: numbers.successor,
        dates: dates
            .into_iter()
            .filter_map(|(name, date)| Some((name, date?)))
            .collect(),
        record_states: record_states
            .into_iter()
            .filter_map(|(name, state)| Some((name, state?.to_string())))
            .collect(),
        ds: format!("{} {} 2 {digest}", dnskey.key_tag(), dnskey.algorithm().0),
    }
}

fn text(key: &Shown) -> String {
    let mut text = format!("{}\n", key.file);
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<12} {value}\n"));
    line("zone", &key.zone);
    line("role", &format!("{} (flags {})", key.role, key.flags));
    line("algorithm", &format!("{}, {}", key.algorithm, key.kind));
    line("tag", &format!("{} ({} once revoked)", key.tag, key.revoked_tag));
    if let Some(ttl) = key.ttl {
        line("TTL", &ttl.to_string());
    }
    line("private half", key.private);
    if let Some(label) = &key.label {
        line("label", label);
    }
    line("state", &key.state);
    if key.old_format {
        line("format", "1.2, without dates");
    }
    for (name, tag) in [("predecessor", key.predecessor), ("successor", key.successor)] {
        if let Some(tag) = tag {
            line(name, &tag.to_string());
        }
    }
    if !key.old_format {
        for (name, date) in &key.dates {
            line(name, &ctime(*date));
        }
    }
    for (name, state) in &key.record_states {
        line(&format!("{name} is"), state);
    }
    line("DS", &key.ds);
    text
}
