//! `signet token init`: makes a token new, with a label and the PINs of security officer and user. What was on it is gone.

use clap::Args;
use hsm_core::{PinSource, Token};
use signet_pipeline::{AuditEvent, AuditToken, Error, audit};

use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Initialise a token, and print its serial number: C_InitToken, then C_InitPIN
///
/// Without --slot, --token or --serial-number the first token that is not initialised is taken. A token that is in use
/// is erased only with --erase, which wants its label.
#[derive(Args, Debug)]
pub(in crate::cli) struct InitFlags {
    /// The label that the token gets, 1 to 32 bytes
    #[arg(value_name = "LABEL")]
    label: String,

    /// Where the security officer's PIN comes from
    #[arg(long, value_name = "SOURCE", default_value = "prompt")]
    so_pin_source: PinSource,

    /// Erase the token that has this label, with every key on it
    #[arg(long, value_name = "OLD-LABEL")]
    erase: Option<String>,

    #[command(flatten)]
    token: TokenFlags,
}

/// Initialises.
///
/// # Errors
/// [`Error::Input`] for a token that is in use, [`Error::Hsm`].
pub(super) fn run(flags: &InitFlags) -> Result<Outcome, Error> {
    let access = flags.token.access();
    let token = blank_or_named(flags)?;
    let info = token.info();
    if info.flags.initialised() && flags.erase.as_deref() != Some(info.label.as_str()) {
        return Err(Error::Input(format!(
            "{info} is in use: --erase '{}' would erase it with every key on it",
            info.label
        )));
    }
    let officer = flags.so_pin_source.read("the security officer")?;
    let user = access.pin_source.as_ref().unwrap_or(&PinSource::Prompt);
    let user = user.read("the user")?;
    let made = token.initialise(&flags.label, &officer, &user)?;
    audit(&AuditEvent::TokenInitialised(AuditToken::of(&made)))?;
    streams::say(&format!("initialised: {}", made.info()));
    // Not the slot: SoftHSM gives the token another one when the library is loaded again.
    streams::print(&format!("{}\n", made.info().serial))?;
    Ok(Outcome::Done)
}

fn blank_or_named(flags: &InitFlags) -> Result<Token, Error> {
    let access = flags.token.access();
    let module = access.module()?;
    let mut wanted = access.token.clone();
    if let Some(label) = &flags.erase {
        wanted.label = Some(label.clone());
    } else {
        // SIGNET_TOKEN names the token to use, not the one to make.
        wanted.label = None;
    }
    if !wanted.is_empty() {
        return Ok(module.token(&wanted)?);
    }
    let blank = module.tokens()?.into_iter().find(|token| {
        let info = token.info();
        !info.flags.initialised() && info.fault.is_none()
    });
    blank.ok_or_else(|| {
        Error::Input("every token is in use: name the one to erase with --erase LABEL, or add a slot".to_owned())
    })
}
