//! `signet key revoke`: sets the REVOKE bit (RFC 5011) of a key in new files under the tag that it then has, as
//! dnssec-revoke does. The key on a token is the same.

use std::path::PathBuf;

use clap::Args;
use signet_pipeline::{AuditEvent, AuditKey, Error, audit};
use zone_io::KeyFiles;

use super::key_path;
use crate::cli::{Outcome, streams, time_flags};

/// Revoke keys (RFC 5011): write files with the REVOKE bit, under the tag that the key then has
#[derive(Args, Debug)]
pub(in crate::cli) struct RevokeFlags {
    /// Base names of key files, such as Kexample.com.+013+12345
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    /// Where the key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// Print the tag that the key would have, and revoke nothing
    #[arg(short = 'R', long)]
    revoked_tag: bool,

    /// Remove the old files afterwards
    #[arg(short, long)]
    remove: bool,

    /// Write over files that are there
    #[arg(short, long)]
    force: bool,
}

/// Revokes.
///
/// # Errors
/// [`Error::Input`] for a key that is revoked already or whose new files are there, [`Error::KeyFile`].
pub(super) fn run(flags: &RevokeFlags) -> Result<Outcome, Error> {
    let now = time_flags::now()?;
    for named in &flags.keys {
        let (directory, old) = key_path::read(&flags.key_directory, named)?;
        let revoked = old.public.dnskey.revoked();
        if flags.revoked_tag {
            streams::print(&format!("{}\n", revoked.key_tag()))?;
            continue;
        }
        if old.public.dnskey.is_revoked() {
            return Err(Error::Input(format!("{} is revoked already", old.name())));
        }
        if !old.public.dnskey.is_sep() {
            streams::warn(&format!(
                "{} is no KSK: revoking a ZSK is allowed and means nothing (RFC 5011)",
                old.name()
            ));
        }
        let mut new = old.clone();
        new.public.dnskey = revoked;
        let mut times = new.times();
        times.revoke = Some(now);
        new.set_times(times);
        let name = new.name();
        if flags.force {
            new.replace(&directory)?;
        } else if directory.join(name.private()).exists() || directory.join(name.public()).exists() {
            return Err(Error::Input(format!(
                "{}/{name}: there are files of that name; -f writes over them",
                directory.display()
            )));
        } else {
            // Its tag clashes with that of the key it comes from, as it has to.
            new.write_unchecked(&directory)?;
        }
        if flags.remove {
            remove(&directory, &old)?;
        }
        audit(&AuditEvent::Revoked(AuditKey::default().with_file(&name)))?;
        let place = if directory.as_os_str() == "." {
            String::new()
        } else {
            format!("{}/", directory.display())
        };
        streams::print(&format!("{place}{name}\n"))?;
    }
    Ok(Outcome::Done)
}

fn remove(directory: &std::path::Path, old: &KeyFiles) -> Result<(), Error> {
    let name = old.name();
    for file in [name.private(), name.public()] {
        let path = directory.join(file);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(Error::Io { path, source }),
            _ => {}
        }
    }
    Ok(())
}
