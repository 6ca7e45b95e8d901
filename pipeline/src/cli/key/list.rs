//! `signet key list`: the keys on a token, those of a key directory, or both, joined by their public halves. As a
//! table or as JSON; no private half is used.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use dnssec_sign::{Algorithm, Dnskey, Name, ZONE};
use hsm_core::{Halves, KeyInfo, KeyKind, PublicPart};
use serde::Serialize;
use signet_pipeline::{Error, algorithm_of, dnskey_of};
use zone_io::{KeyFileName, KeyFiles, PrivateHalf};

use crate::cli::origin::zone_name;
use crate::cli::table::table;
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams, time_flags};

/// List the keys on a token (--module or PKCS11_PROVIDER), in a key directory (-K), or both
#[derive(Args, Debug)]
pub(in crate::cli) struct ListFlags {
    /// Keys with files for this zone only
    #[arg(value_name = "ZONE")]
    zone: Option<String>,

    /// Where key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR")]
    key_directory: Option<PathBuf>,

    /// Leave tokens alone
    #[arg(long)]
    no_token: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    token: TokenFlags,
}

/// One key; what is not known is `null`.
#[derive(Debug, Clone, Serialize)]
struct Listed {
    /// `token`, `disk`, `token, not found`, or `public half only`.
    place: &'static str,
    token: Option<String>,
    label: Option<String>,
    /// CKA_ID in hexadecimal.
    id: Option<String>,
    /// `P-256`, `RSA 2048`.
    kind: Option<String>,
    /// What tells the key from others on its token, as `key destroy` asks for.
    fingerprint: Option<String>,
    /// What the token says of the private half.
    attributes: Option<String>,
    zone: Option<String>,
    /// `KSK` or `ZSK`.
    role: Option<&'static str>,
    algorithm: Option<String>,
    tag: Option<u16>,
    /// Where the key stands by its dates.
    state: Option<String>,
    /// The base name of its files.
    file: Option<String>,
    #[serde(skip)]
    public: Option<PublicPart>,
}

/// Lists.
///
/// # Errors
/// [`Error`] of the token or the directory.
pub(super) fn run(flags: &ListFlags) -> Result<Outcome, Error> {
    let zone = flags.zone.as_deref().map(|zone| zone_name("ZONE", zone)).transpose()?;
    let access = flags.token.access();
    let with_token = access.module.is_some() && !flags.no_token;
    if !with_token && flags.key_directory.is_none() {
        return Err(Error::Usage(
            "say where to look: --module PATH (or PKCS11_PROVIDER) for a token, -K DIR for key files, or both"
                .to_owned(),
        ));
    }
    let files = match &flags.key_directory {
        Some(directory) => read_directory(directory, zone.as_ref())?,
        None => Vec::new(),
    };
    let mut keys = Vec::new();
    if with_token {
        let token = access.module()?.token(&access.token)?;
        let login = access.log_in(&token, None)?;
        keys.extend(login.list()?.iter().map(|key| of_token(key, &token.info().label)));
    }
    let now = time_flags::now()?;
    join_files(&mut keys, &files, now, with_token);
    if zone.is_some() {
        keys.retain(|key| key.zone.is_some());
    }
    if flags.json {
        streams::print_json(&keys)?;
    } else {
        streams::print(&text(&keys))?;
    }
    Ok(Outcome::Done)
}

/// Every pair of key files, whatever their zone, or those of one zone.
fn read_directory(directory: &Path, zone: Option<&Name>) -> Result<Vec<KeyFiles>, Error> {
    if let Some(zone) = zone {
        return Ok(KeyFiles::scan(directory, zone.borrow())?);
    }
    let io = |source| Error::Io {
        path: directory.to_owned(),
        source,
    };
    let mut names: Vec<String> = Vec::new();
    for entry in directory.read_dir().map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        let base = name.to_str().and_then(|name| name.strip_suffix(".key"));
        names.extend(
            base.filter(|base| base.parse::<KeyFileName>().is_ok())
                .map(str::to_owned),
        );
    }
    names.sort();
    names
        .iter()
        .map(|name| Ok(KeyFiles::read(directory, Path::new(name))?))
        .collect()
}

fn of_token(key: &KeyInfo, token: &str) -> Listed {
    Listed {
        place: match key.halves {
            Halves::PublicOnly => "public half only",
            _ => "token",
        },
        token: Some(token.to_owned()),
        label: Some(key.label.clone()),
        id: Some(data_encoding::HEXLOWER.encode(&key.id)),
        kind: Some(key.kind.map_or_else(|| key.key_type.clone(), |kind| kind.to_string())),
        fingerprint: key.public.as_ref().map(PublicPart::fingerprint),
        attributes: Some(key.attributes.to_string()),
        zone: None,
        role: None,
        algorithm: key
            .kind
            .and_then(algorithm_of)
            .filter(|_| !is_rsa(key.kind))
            .map(|algorithm| algorithm.to_string()),
        tag: None,
        state: None,
        file: None,
        public: key.public.clone(),
    }
}

/// An RSA key may sign with more than one algorithm: its files say with which.
fn is_rsa(kind: Option<KeyKind>) -> bool {
    matches!(kind, Some(KeyKind::Rsa(_)))
}

/// Puts what the files say to the keys of the token: by their public keys, in one pass. A key with several files (of
/// several zones, or revoked) stands once for each.
fn join_files(keys: &mut Vec<Listed>, files: &[KeyFiles], now: u32, with_token: bool) {
    let mut by_public: HashMap<Vec<u8>, usize> = HashMap::new();
    for (at, key) in keys.iter().enumerate() {
        // DNSKEY form does not depend on the algorithm, of which RSA has several.
        let form = key.public.as_ref().and_then(|public| {
            let dnskey = dnskey_of(public, ZONE, algorithm_of(public.kind())?).ok()?;
            Some(dnskey.public_key().to_vec())
        });
        if let Some(form) = form {
            by_public.entry(form).or_insert(at);
        }
    }
    for file in files {
        let known = by_public.get(file.public.dnskey.public_key()).copied();
        match known.and_then(|at| keys.get_mut(at)) {
            Some(key) if key.tag.is_none() => join(key, file, now),
            Some(key) => {
                let mut again = key.clone();
                join(&mut again, file, now);
                keys.push(again);
            }
            None => keys.push(of_file(file, now, with_token)),
        }
    }
}

fn join(key: &mut Listed, file: &KeyFiles, now: u32) {
    let dnskey = &file.public.dnskey;
    key.zone = Some(file.public.owner.to_string());
    key.role = Some(if dnskey.is_sep() { "KSK" } else { "ZSK" });
    key.algorithm = Some(dnskey.algorithm().to_string());
    key.tag = Some(dnskey.key_tag());
    key.state = Some(
        file.times()
            .state_with(&file.states(), &file.public.dnskey, now)
            .to_string(),
    );
    key.file = Some(file.name().to_string());
}

fn of_file(file: &KeyFiles, now: u32, with_token: bool) -> Listed {
    let half = file.private.as_ref().map(|private| &private.half);
    let mut listed = Listed {
        place: match half {
            Some(PrivateHalf::Fields(_)) => "disk",
            Some(PrivateHalf::Token(_)) if with_token => "token, not found",
            Some(PrivateHalf::Token(_)) => "token",
            _ => "public half only",
        },
        token: None,
        label: None,
        id: None,
        kind: Some(kind(&file.public.dnskey)),
        fingerprint: None,
        attributes: None,
        zone: None,
        role: None,
        algorithm: None,
        tag: None,
        state: None,
        file: None,
        public: None,
    };
    if let Some(PrivateHalf::Token(token)) = half
        && let Ok(uri) = token.label.parse::<hsm_core::Uri>()
    {
        listed.token = uri.token.label;
        listed.label = uri.key.label;
        listed.id = uri.key.id.map(|id| data_encoding::HEXLOWER.encode(&id));
    }
    join(&mut listed, file, now);
    listed
}

pub(super) fn kind(dnskey: &Dnskey) -> String {
    match dnskey.algorithm() {
        Algorithm::ECDSAP256SHA256 => KeyKind::P256.to_string(),
        Algorithm::ECDSAP384SHA384 => KeyKind::P384.to_string(),
        Algorithm::ED25519 => KeyKind::Ed25519.to_string(),
        Algorithm::ED448 => KeyKind::Ed448.to_string(),
        algorithm => match dnskey.rsa_bits() {
            Some(bits) => format!("RSA {bits}"),
            None => format!("algorithm {algorithm}"),
        },
    }
}

fn text(keys: &[Listed]) -> String {
    let or_dash = |text: &Option<String>| {
        text.clone()
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "-".to_owned())
    };
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.token
                    .as_ref()
                    .map_or_else(|| key.place.to_owned(), |token| format!("{} {token}", key.place)),
                or_dash(&key.label),
                or_dash(&key.id),
                or_dash(&key.kind),
                key.tag.map_or_else(|| "-".to_owned(), |tag| tag.to_string()),
                or_dash(&key.algorithm),
                key.role.unwrap_or("-").to_owned(),
                or_dash(&key.zone),
                or_dash(&key.state),
            ]
        })
        .collect();
    table(
        [
            "PLACE",
            "LABEL",
            "ID",
            "TYPE",
            "TAG",
            "ALGORITHM",
            "ROLE",
            "ZONE",
            "STATE",
        ],
        &rows,
    )
}
