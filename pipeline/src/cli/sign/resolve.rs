//! The flags of `signet sign` turned into what the library takes; texts are read, defaults filled in, and whether the
//! outputs can be written is found out. No token is touched.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use dnssec_sign::{Insist, KeySetOptions, Policy, SerialPolicy};
use hsm_core::{TokenSelector, Uri};
use signet_pipeline::{
    ChildrenConfig, Contents, Error, JournalConfig, KeyRequest, MissingDsset, Observer, Output, PartitionSize, Resume,
    Sessions, SignConfig, SyncRecords, TokenAccess, TokenUse,
};

use super::{Offload, ParentFlags, SessionCopy, SessionCount, SignFlags};
use crate::cli::isolated::isolation;
use crate::cli::origin::origin_of;
use crate::cli::time_flags;

/// The run's configuration. Warns of a policy that can stand but should be known.
///
/// # Errors
/// [`Error::Usage`] for flags that make no sense, each named.
pub(super) fn config(flags: &SignFlags, now: u32, observer: &dyn Observer) -> Result<SignConfig, Error> {
    let zone_file = flags.zone_file()?;
    config_for(
        flags,
        (zone_file, flags.origin.as_deref(), output(flags)?),
        now,
        observer,
    )
}

/// The same for this zone file, origin and output.
///
/// # Errors
/// As [`config`].
pub(super) fn config_for(
    flags: &SignFlags,
    (zone_file, origin, output): (&Path, Option<&str>, Output),
    now: u32,
    observer: &dyn Observer,
) -> Result<SignConfig, Error> {
    let insist = if flags.insist { Insist::Yes } else { Insist::No };
    let mut policy = Policy::from_now(now);
    flags.validity.apply(&mut policy, now)?;
    policy.serial = flags.serial;
    policy.denial = flags.denial.resolve()?;
    for warning in policy
        .validate(now, insist)
        .map_err(|error| Error::Usage(error.to_string()))?
    {
        observer.warn(&warning.to_string());
    }
    if output == Output::Stdout && flags.work.on_publish.is_some() {
        return Err(Error::Usage(
            "--on-publish tells of a file: name the output with -f".to_owned(),
        ));
    }
    Ok(SignConfig {
        origin: origin_of(origin, zone_file)?,
        output,
        contents: contents(flags)?,
        zone_file: zone_file.to_owned(),
        input: flags.input.resolve()?,
        policy,
        key_options: KeySetOptions {
            ksk_only: flags.roles.ksk_only,
            ignore_ksk: flags.roles.ignore_ksk_flag,
            ttl: flags.ttl()?,
            offline_ksk: true,
            insist,
        },
        now: now.into(),
        threads: threads(flags.work.threads),
        pool: None,
        verify: flags.work.verify.into(),
        max_errors: flags.work.max_errors,
        reuse: flags.reuse.resolve(!flags.denial.is_said()),
        max_ttl: flags.max_ttl()?,
        dry_run: flags.work.dry_run,
        digests: flags.outputs.report.is_some() || flags.outputs.html.is_some(),
        children: flags.parent.children(),
        max_change: flags.max_change,
        sync: flags.parent.sync()?,
        journal: flags.work.journal.clone().map(|path| JournalConfig {
            path,
            resume: if flags.work.resume { Resume::Yes } else { Resume::No },
        }),
        dsset_folder: flags.parent.dsset_directory.clone(),
        zonemd: BTreeSet::from_iter(flags.zonemd.iter().copied()).into_iter().collect(),
        partition: flags
            .work
            .partition_records
            .map_or_else(PartitionSize::default, |partition| partition.0),
    })
}

/// The number of threads: as typed, or one for each processor.
pub(in crate::cli) fn threads(typed: Option<NonZeroUsize>) -> usize {
    typed
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
}

/// A part of a zone has neither SOA nor the zone's own records: what changes those cannot be told in it.
fn contents(flags: &SignFlags) -> Result<Contents, Error> {
    if !flags.dnssec_only {
        return Ok(Contents::Zone);
    }
    let refused = [
        (
            flags.serial != SerialPolicy::Keep,
            "the SOA stays in the zone: add --serial keep",
        ),
        (flags.max_ttl.is_some(), "TTLs stay in the zone: leave --max-ttl out"),
        (
            flags.parent.children,
            "DS records stay in the zone: leave --children out",
        ),
        (
            flags.max_change.is_some(),
            "the output does not tell the zone's size: leave --max-change out",
        ),
    ];
    match refused.iter().find(|(given, _)| *given) {
        Some((_, reason)) => Err(Error::Usage(format!(
            "--dnssec-only writes what signing adds alone, and {reason}"
        ))),
        None => Ok(Contents::Dnssec),
    }
}

/// Where the signed zone goes.
///
/// # Errors
/// [`Error::Usage`] when nothing says it.
pub(super) fn output(flags: &SignFlags) -> Result<Output, Error> {
    match &flags.output {
        Some(path) if path == Path::new("-") => Ok(Output::Stdout),
        Some(path) => Ok(Output::File(path.clone())),
        None if flags.zone_file()? == Path::new("-") => Err(Error::Usage(
            "the zone comes from standard input: name the output with -f".to_owned(),
        )),
        None => {
            let mut name = flags.zone_file()?.to_owned().into_os_string();
            name.push(".signed");
            Ok(Output::File(name.into()))
        }
    }
}

/// The keys that the run wants.
///
/// # Errors
/// [`Error::Usage`] for an engine that is none.
pub(super) fn key_request(flags: &SignFlags, config: &SignConfig, now: u32) -> Result<KeyRequest, Error> {
    Ok(KeyRequest {
        origin: config.origin.clone(),
        directory: flags.key_directory.clone(),
        named: flags.keys.clone(),
        token: token_use(flags)?,
        now,
        max_signatures: flags.token_use.max_signatures.clone(),
    })
}

/// BIND's `-E` of three kinds: empty leaves tokens alone, a path was the provider's library in native mode, and `pkcs11`
/// was the engine's name, which says nothing here.
fn token_use(flags: &SignFlags) -> Result<TokenUse, Error> {
    let mut access = flags.token.access();
    let engine = flags.token_use.engine.as_deref();
    if flags.token_use.no_token || engine == Some("") {
        return Ok(TokenUse::Offline);
    }
    match engine {
        Some(path) if path.contains('/') => access.module = Some(PathBuf::from(path)),
        Some("pkcs11") | None => {}
        Some(other) => {
            return Err(Error::Usage(format!(
                "-E {other}: no OpenSSL engine is used; name the PKCS#11 library with --module, or leave tokens alone with -E ''"
            )));
        }
    }
    let also = flags.token_use.also_on.iter();
    let also: Vec<TokenAccess> = also.map(|named| further(named, &access)).collect::<Result<_, _>>()?;
    let isolate = flags.token_use.isolate.then(|| {
        let accesses = std::iter::once(&access).chain(&also);
        isolation(accesses.filter_map(|access| access.pin_source.as_ref()))
    });
    Ok(TokenUse::Online {
        also,
        isolate,
        offload: match flags.token_use.offload {
            Offload::Sign => signet_pipeline::Offload::Sign,
            Offload::All => signet_pipeline::Offload::All,
        },
        max_rate: flags.token_use.max_rate,
        access,
        sessions: match flags.token_use.sessions {
            SessionCount::Auto => Sessions::Auto,
            SessionCount::Exactly(count) => Sessions::Exactly(count),
        },
        patience: flags.token_use.patience,
        copy: match flags.token_use.session_copy {
            SessionCopy::Auto => hsm_core::SessionCopy::Auto,
            SessionCopy::Never => hsm_core::SessionCopy::Never,
            SessionCopy::Always => hsm_core::SessionCopy::Always,
        },
    })
}

/// `--also-on`: a token by its label or URI; what it does not say is as for the first one.
fn further(named: &str, first: &TokenAccess) -> Result<TokenAccess, Error> {
    let wrong = |what: &str| Error::Usage(format!("--also-on {named}: {what}"));
    let mut access = first.clone();
    if !named.starts_with("pkcs11:") {
        access.token = TokenSelector::label(named);
        return Ok(access);
    }
    let uri: Uri = named
        .parse()
        .map_err(|error: hsm_core::Error| wrong(&error.to_string()))?;
    if uri.token.is_empty() && uri.module_path.is_none() {
        return Err(wrong("it names no token: add token=LABEL"));
    }
    if uri.pin_value.is_some() {
        return Err(wrong("no PIN belongs into arguments: use pin-source"));
    }
    if let Some(module) = uri.module_path {
        // The pinned digest is that of the first library.
        if access.module.as_ref() != Some(&module) {
            access.module_sha256 = None;
        }
        access.module = Some(module);
    }
    access.token = uri.token;
    if let Some(source) = uri.pin_source {
        access.pin_source = Some(source);
    }
    Ok(access)
}

/// Finds out before anything costs time whether the zone can be read and the output written; nothing is left where
/// the output is not.
///
/// # Errors
/// [`Error::Io`] or [`Error::Zone`] with the system's reason.
pub(super) fn prove_files(config: &SignConfig, observer: &dyn Observer) -> Result<(), Error> {
    if config.zone_file != Path::new("-") {
        let opened = std::fs::File::open(&config.zone_file);
        opened.map(drop).map_err(|source| Error::Io {
            path: config.zone_file.clone(),
            source,
        })?;
    }
    signet_pipeline::prove_output(&config.output, observer)?;
    match &config.journal {
        Some(journal) => signet_pipeline::prove_journal(journal),
        None => Ok(()),
    }
}

impl ParentFlags {
    fn children(&self) -> Option<ChildrenConfig> {
        let folder = || self.dsset_directory.clone().unwrap_or_else(|| PathBuf::from("."));
        self.children.then(|| ChildrenConfig {
            folder: folder(),
            missing: if self.drop_ds {
                MissingDsset::Drop
            } else {
                MissingDsset::Keep
            },
        })
    }

    fn sync(&self) -> Result<SyncRecords, Error> {
        if self.sync_delete {
            return Ok(SyncRecords::Delete);
        }
        let kinds = self.sync.split(',').map(str::trim).filter(|word| !word.is_empty());
        kinds
            .map(|word| {
                word.parse()
                    .map_err(|error| Error::Usage(format!("--sync {word}: {error}")))
            })
            .collect::<Result<_, _>>()
            .map(SyncRecords::Kinds)
    }
}

impl SignFlags {
    /// The zone file of a run over one zone.
    fn zone_file(&self) -> Result<&Path, Error> {
        let missing = || Error::Usage("name a zone file, or a list of zones with --zones".to_owned());
        self.zone_file.as_deref().ok_or_else(missing)
    }

    fn max_ttl(&self) -> Result<Option<u32>, Error> {
        self.max_ttl
            .as_deref()
            .map(|text| time_flags::interval("--max-ttl", text))
            .transpose()
    }

    fn ttl(&self) -> Result<Option<u32>, Error> {
        self.dnskey_ttl
            .as_deref()
            .map(|text| time_flags::interval("--dnskey-ttl", text))
            .transpose()
    }
}
