//! A K*.private file's key brought onto a token, read back and proven; K*.private is left alone unless it is asked to say
//! where the key is from then on. A key that is not proven is destroyed again.

use std::path::Path;

use clap::Args;
use dnssec_sign::{SEP, SoftwareKey};
use hsm_core::{ImportSpec, LoggedIn, NewId, Protection, PublicPart};
use signet_pipeline::{AuditEvent, AuditKey, Error, audit, private_of, prove_software_key, public_of};
use zone_io::{KeyFiles, PrivateHalf};

use super::file_flags::on_token;
use super::generate::{KeyId, default_label, destroyed, key_id, prove, tell, warn_of_extractable};
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// What a key becomes that comes onto a token from outside.
#[derive(Args, Clone, Debug)]
pub(super) struct TokenKeyFlags {
    /// The key's label on the token
    #[arg(short, long, value_name = "LABEL")]
    pub(super) label: Option<String>,

    /// Its CKA_ID, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = key_id)]
    pub(super) id: Option<KeyId>,

    /// Let it leave the token, wrapped by another key of the token (`key backup`); wants --insist
    #[arg(long, requires = "insist")]
    pub(super) extractable: bool,

    /// Do what is advised against
    #[arg(long)]
    insist: bool,
}

impl TokenKeyFlags {
    /// Whether any of them is there.
    pub(super) fn are_given(&self) -> bool {
        self.label.is_some() || self.id.is_some() || self.extractable || self.insist
    }

    /// What they say, where a label and an ID are taken from elsewhere if they are not given.
    pub(super) fn spec(&self, public: PublicPart, label: impl FnOnce() -> String, id: NewId) -> ImportSpec {
        let mut spec = ImportSpec::new(self.label.clone().unwrap_or_else(label), public);
        spec.id = match &self.id {
            Some(KeyId(id)) => NewId::Unique(id.clone()),
            None => id,
        };
        if self.extractable {
            warn_of_extractable();
            spec.protection = Protection::Wrappable;
        }
        spec
    }
}

/// Brings the key onto the token.
///
/// # Errors
/// [`Error::Input`] for a file that holds no private key or one that is on the token already, [`Error::Hsm`] for a token
/// that does not take it; nothing of it is left there then.
pub(super) fn run(
    file: &Path,
    directory: &Path,
    flags: &TokenKeyFlags,
    token: &TokenFlags,
    rewrite: bool,
) -> Result<Outcome, Error> {
    let mut files = KeyFiles::read(directory, file)?;
    let path = directory.join(file);
    let Some(PrivateHalf::Fields(fields)) = files.private.as_ref().map(|private| &private.half) else {
        return Err(Error::Input(format!(
            "{}: it holds no private key, but says that it is elsewhere",
            path.display()
        )));
    };
    let dnskey = files.public.dnskey.clone();
    let software = SoftwareKey::new(dnskey.clone(), fields).map_err(|error| Error::Input(error.to_string()))?;
    prove_software_key(&software)?;
    drop(software);
    let private = private_of(fields);
    let owner = &files.public.owner;
    let label = || default_label(owner, dnskey.flags() & SEP);
    let spec = flags.spec(public_of(&dnskey)?, label, NewId::Random);

    let access = token.access();
    let token = access.module()?.token(&access.token)?;
    let login = access.log_in(&token, None)?;
    refuse_second(&login, &spec.public)?;
    let (key, way) = login.import(&spec, &private)?;
    drop(private);
    prove(&login, &key).map_err(|error| destroyed(&login, &key, error))?;
    tell(&login, &key, &dnskey);
    streams::say(&format!("it came there by {way}"));
    let name = files.name();
    if rewrite {
        if let Some(private) = &mut files.private {
            private.half = on_token(&key.uri(token.info()));
        }
        files.replace(path.parent().unwrap_or(directory))?;
        streams::say(&format!(
            "{name}.private says where the key is now; copies and backups of the old file hold the key itself still"
        ));
    } else {
        streams::warn(&format!(
            "{name}.private holds the private key still: --rewrite makes it say where the key is, or write another with \
             `signet key from-label`"
        ));
    }
    audit(&AuditEvent::Imported(AuditKey::on_token(&key, &token).with_file(&name)))?;
    streams::print(&format!("{name}\n"))?;
    Ok(Outcome::Done)
}

/// A key that is on the token already is not put there a second time.
///
/// # Errors
/// [`Error::Input`] with its label.
pub(super) fn refuse_second(login: &LoggedIn, public: &PublicPart) -> Result<(), Error> {
    let there = login.list()?;
    match there.iter().find(|key| key.public.as_ref() == Some(public)) {
        None => Ok(()),
        Some(key) => Err(Error::Input(format!(
            "this key is on token '{}' already: {key}",
            login.token().info().label
        ))),
    }
}
