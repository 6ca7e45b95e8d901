//! `signet token list`: the tokens of a PKCS#11 library, as a table or as JSON. Nobody logs in.

use clap::Args;
use hsm_core::{Module, TokenInfo};
use serde::Serialize;
use signet_pipeline::Error;

use crate::cli::table::table;
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// List the tokens of a PKCS#11 library
#[derive(Args, Debug)]
pub(in crate::cli) struct ListFlags {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    token: TokenFlags,
}

/// One token in JSON.
#[derive(Serialize)]
struct Listed<'a> {
    slot: u64,
    label: &'a str,
    manufacturer: &'a str,
    model: &'a str,
    serial: &'a str,
    firmware: &'a str,
    hardware: bool,
    max_sessions: Option<u64>,
    state: Vec<&'static str>,
    fault: Option<&'a str>,
}

#[derive(Serialize)]
struct Listing<'a> {
    module: String,
    library: String,
    version: &'a str,
    cryptoki_version: &'a str,
    tokens: Vec<Listed<'a>>,
}

/// Lists.
///
/// # Errors
/// [`Error::Usage`] without a module, [`Error::Hsm`] when it cannot be used.
pub(super) fn run(flags: &ListFlags) -> Result<Outcome, Error> {
    let access = flags.token.access();
    let module = access.module()?;
    let tokens = module.tokens()?;
    let infos: Vec<&TokenInfo> = tokens
        .iter()
        .map(hsm_core::Token::info)
        .filter(|info| access.token.is_empty() || access.token.matches(info))
        .collect();
    if flags.json {
        streams::print_json(&Listing {
            module: module.path().display().to_string(),
            library: library(&module),
            version: &module.info().version,
            cryptoki_version: &module.info().cryptoki_version,
            tokens: infos.iter().map(|info| listed(info)).collect(),
        })?;
        return Ok(Outcome::Done);
    }
    let rows: Vec<_> = infos
        .iter()
        .map(|info| {
            [
                info.slot_id.to_string(),
                info.label.clone(),
                info.manufacturer.clone(),
                info.model.clone(),
                info.serial.clone(),
                match &info.fault {
                    Some(fault) => fault.clone(),
                    None => state(info).join(", "),
                },
            ]
        })
        .collect();
    streams::print(&table(
        ["SLOT", "LABEL", "MANUFACTURER", "MODEL", "SERIAL", "STATE"],
        &rows,
    ))?;
    Ok(Outcome::Done)
}

fn library(module: &Module) -> String {
    let info = module.info();
    format!("{} {}", info.manufacturer, info.description).trim().to_owned()
}

fn listed(info: &TokenInfo) -> Listed<'_> {
    Listed {
        slot: info.slot_id,
        label: &info.label,
        manufacturer: &info.manufacturer,
        model: &info.model,
        serial: &info.serial,
        firmware: &info.firmware,
        hardware: info.flags.hardware_slot(),
        max_sessions: info.max_sessions,
        state: state(info),
        fault: info.fault.as_deref(),
    }
}

/// What a person has to know before using the token.
fn state(info: &TokenInfo) -> Vec<&'static str> {
    let flags = info.flags;
    if !flags.initialised() {
        return vec!["not initialised"];
    }
    let said = [
        (!flags.user_pin_initialised(), "no user PIN"),
        (flags.user_pin_locked(), "PIN locked"),
        (flags.user_pin_final_try(), "one PIN try left"),
        (flags.user_pin_count_low(), "wrong PIN entered"),
        (flags.user_pin_to_be_changed(), "PIN to be changed"),
        (flags.protected_authentication_path(), "PIN pad"),
        (flags.write_protected(), "write protected"),
    ];
    let said: Vec<_> = said.into_iter().filter_map(|(is, text)| is.then_some(text)).collect();
    if said.is_empty() { vec!["ready"] } else { said }
}
