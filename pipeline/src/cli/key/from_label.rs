//! `signet key from-label`: K* files for a key that a token has already, found by label or URI and proven. Makes no key.

use clap::Args;
use dnssec_sign::Algorithm;
use hsm_core::Uri;
use signet_pipeline::{AuditEvent, AuditKey, Error, algorithm_of, audit, dnskey_of};

use super::file_flags::{KeyFileFlags, on_token};
use super::generate::{prove, tell};
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Write K* files for a key that is on a token already
#[derive(Args, Debug)]
pub(in crate::cli) struct FromLabelFlags {
    /// The zone that the key is for
    #[arg(value_name = "ZONE", required_unless_present = "successor_of")]
    zone: Option<String>,

    /// The key: its label on the token, or a URI such as pkcs11:token=prod;object=ksk or pkcs11:id=%01%02
    #[arg(short, long, value_name = "LABEL|URI")]
    label: Uri,

    /// The algorithm; without it that of the key's type, RSASHA256 for RSA
    #[arg(short, long, value_name = "ALG")]
    algorithm: Option<Algorithm>,

    #[command(flatten)]
    files: KeyFileFlags,

    #[command(flatten)]
    token: TokenFlags,
}

/// Adopts the key.
///
/// # Errors
/// [`Error`]; no file is written then.
pub(super) fn run(flags: &FromLabelFlags) -> Result<Outcome, Error> {
    let uri = &flags.label;
    if uri.names_no_key() {
        return Err(Error::Usage(
            "--label names no key: write its label, or a URI with object= or id=; `signet key list` shows what there is"
                .to_owned(),
        ));
    }
    if uri.pin_value.is_some() {
        streams::warn(
            "a pin-value in a URI is seen by every user of this machine in the process list; use --pin-source",
        );
    }
    let plan = flags.files.resolve()?;
    let owner = plan.zone(flags.zone.as_deref())?;
    let access = flags.token.access_for(uri);
    let token = access.module()?.token(&access.selector(uri))?;
    let login = access.log_in(&token, Some(uri))?;
    let key = login.find(&uri.key)?;
    let old = plan.predecessor.as_ref().map(|old| old.public.dnskey.algorithm());
    let algorithm = match flags.algorithm.or(old) {
        Some(algorithm) => algorithm,
        None => algorithm_of(key.kind()).ok_or_else(|| {
            Error::Input(format!(
                "key '{}' is of type {}, which signs no zone",
                key.label(),
                key.kind()
            ))
        })?,
    };
    let dnskey = dnskey_of(key.public(), plan.flags, algorithm).map_err(|error| {
        Error::Input(format!(
            "key '{}' on token '{}': {error}",
            key.label(),
            token.info().label
        ))
    })?;
    if let Some(existing) = plan.clash(&owner, &dnskey)? {
        return Err(plan.clash_error(existing, &dnskey));
    }
    prove(&login, &key)?;
    tell(&login, &key, &dnskey);
    let mut label = key.uri(token.info());
    label.pin_source.clone_from(&uri.pin_source);
    let name = plan.write(&owner, dnskey, on_token(&label))?;
    audit(&AuditEvent::Adopted(AuditKey::on_token(&key, &token).with_file(name)))?;
    Ok(Outcome::Done)
}
