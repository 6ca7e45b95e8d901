//! `dnssec-keyfromlabel`: K* files for a key on a token, with BIND's options and messages. The key is found through
//! PKCS#11 directly: `-E` names a library when it is a path, and is else passed over.

use std::path::{Path, PathBuf};

use dnssec_sign::{Algorithm, Dnskey, KeyTimes, Name, SEP, ZONE};
use hsm_core::Uri;
use signet_pipeline::{AuditEvent, AuditKey, Error, dnskey_of};
use zone_io::KeyFiles;

use super::keyfromlabel_options::{Asked, Started, read};
use super::label_token::{Found, find};
use super::provider::note;
use super::{Failure, Tool, warn};
use crate::cli::key::dates::oddities;
use crate::cli::key::file_flags::{FilePlan, on_token, prove_writable};
use crate::cli::key::generate::prove;
use crate::cli::key::{key_path, succession};
use crate::cli::{streams, time_flags};

const TOOL: Tool = Tool::KeyFromLabel;

fn general(error: &Error) -> Failure {
    Failure::general(error.to_string())
}

/// Writes the files.
///
/// # Errors
/// [`Failure`], exit code 1.
pub(super) fn run(words: Vec<String>) -> Result<(), Failure> {
    let asked = match read(words)? {
        Started::Run(asked) => *asked,
        Started::Version => {
            streams::tell(&format!("{} of signet {}\n", TOOL.name(), env!("CARGO_PKG_VERSION")));
            return Ok(());
        }
    };
    let target = target(&asked)?;
    let uri: Uri = asked
        .label
        .parse()
        .map_err(|error: hsm_core::Error| Failure::general(error.to_string()))?;
    if uri.names_no_key() {
        return Err(Failure::general("the label names no key: it has neither object nor id"));
    }
    if uri.pin_value.is_some() {
        warn(
            TOOL,
            "a pin-value on the command line is seen by every user; it is not written to the key file",
        );
    }
    let Found { login, key } = find(&asked, &uri, target.algorithm)?;
    let dnskey = dnskey_of(key.public(), target.flags, target.algorithm).map_err(|error| {
        Failure::general(format!(
            "failed to get key {}/{}: {error}",
            target.owner, target.algorithm
        ))
    })?;
    check_tags(&asked, &dnskey)?;
    let plan = FilePlan {
        directory: asked.directory.clone(),
        flags: target.flags,
        ttl: asked.ttl,
        times: target.times,
        old_format: asked.old_format,
        predecessor: target.predecessor,
    };
    refuse_clash(&asked, &plan, &target.owner, &dnskey)?;
    prove(&login, &key).map_err(|error| general(&error))?;
    let mut label = key.uri(login.token().info());
    label.pin_source.clone_from(&uri.pin_source);
    let mut files = KeyFiles::new(target.owner.to_folded(), plan.ttl, dnskey, plan.times, on_token(&label));
    plan.complete(&mut files);
    let name = files
        .write_unchecked(&plan.directory)
        .map_err(|error| Failure::general(error.to_string()))?;
    plan.note_successor(&files).map_err(|error| general(&error))?;
    note(&AuditEvent::Adopted(
        AuditKey::on_token(&key, login.token()).with_file(&name),
    ))?;
    streams::print(&format!("{name}\n")).map_err(|error| general(&error))
}

/// What the key is for.
struct Target {
    owner: Name,
    algorithm: Algorithm,
    flags: u16,
    times: KeyTimes,
    predecessor: Option<KeyFiles>,
}

fn target(asked: &Asked) -> Result<Target, Failure> {
    let now = time_flags::now().map_err(|error| general(&error))?;
    prove_writable(&asked.directory).map_err(|error| general(&error))?;
    if let Some(named) = &asked.successor_of {
        let (_, old) = key_path::read(&asked.directory, named).map_err(|error| general(&error))?;
        let mut times = succession::times(&old, asked.interval, now).map_err(|error| general(&error))?;
        asked.dates.put(&mut times, now).map_err(|error| general(&error))?;
        return Ok(Target {
            owner: old.public.owner.clone(),
            algorithm: old.public.dnskey.algorithm(),
            flags: old.public.dnskey.flags(),
            times,
            predecessor: Some(old),
        });
    }
    let name = asked
        .name
        .as_deref()
        .ok_or_else(|| Failure::general("the key name was not specified"))?;
    let owner: Name = name
        .parse()
        .map_err(|error| Failure::general(format!("invalid key name {name}: {error}")))?;
    let algorithm = asked
        .algorithm
        .ok_or_else(|| Failure::general("no algorithm specified"))?;
    let times = if asked.old_format {
        KeyTimes::default()
    } else {
        asked
            .dates
            .resolve(now, asked.interval)
            .map_err(|error| general(&error))?
    };
    for oddity in oddities(&times, asked.flags & SEP != 0) {
        warn(TOOL, oddity);
    }
    Ok(Target {
        owner,
        algorithm,
        flags: ZONE | asked.flags,
        times,
        predecessor: None,
    })
}

/// `-M lo:hi`.
fn check_tags(asked: &Asked, dnskey: &Dnskey) -> Result<(), Failure> {
    let Some((low, high)) = asked.tags else {
        return Ok(());
    };
    for tag in [dnskey.key_tag(), dnskey.revoked().key_tag()] {
        if !(low..=high).contains(&tag) {
            return Err(Failure::general(format!(
                "the key's tag {tag} is outside {low} to {high}"
            )));
        }
    }
    Ok(())
}

fn refuse_clash(asked: &Asked, plan: &FilePlan, owner: &Name, dnskey: &Dnskey) -> Result<(), Failure> {
    let directory: &Path = &plan.directory;
    let existing = KeyFiles::collision(directory, owner.borrow(), dnskey);
    let Some(existing) = existing.map_err(|error| Failure::general(error.to_string()))? else {
        return Ok(());
    };
    if existing.tag == dnskey.key_tag() {
        return Err(Failure::general(format!(
            "key {}/{}/{} already exists: {existing}",
            owner,
            dnskey.algorithm(),
            dnskey.key_tag()
        )));
    }
    let text = format!("its tag could collide with that of {existing} when one of the two is revoked");
    if !asked.permit_collision {
        return Err(Failure::general(format!("{text}; -y permits it")));
    }
    warn(TOOL, &text);
    Ok(())
}

/// The library that `-E` names where it is a path, as native PKCS#11 builds of BIND took it.
pub(super) fn engine_path(engine: &str) -> Option<PathBuf> {
    engine.contains('/').then(|| PathBuf::from(engine))
}
