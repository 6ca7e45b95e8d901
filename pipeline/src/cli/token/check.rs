//! `signet token check`: what a token can do for each algorithm and way, with the proof that was run, its generator of
//! random numbers, and the environment that its library reads. Keys for the proof are made only where that is asked for.

use clap::Args;
use hsm_core::LoggedIn;
use serde::Serialize;
use signet_pipeline::{Ability, Capability, Error, capabilities};

use super::bench::with_new_key;
use super::environment::{Variable, variables};
use crate::cli::table::table;
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Find out what a token can do, by doing it
///
/// For each algorithm the ways `--offload sign` and `--offload all` of `signet sign`: available, or what is missing. Each is
/// proven by a signature that is verified, with a key that is there; --make-keys makes one where there is none, and
/// destroys it again. Variables that configure vendors' libraries are looked at, too.
#[derive(Args, Debug)]
pub(in crate::cli) struct CheckFlags {
    /// Make keys for the proofs where the token has none of their type, and destroy them again
    #[arg(long)]
    make_keys: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    token: TokenFlags,
}

#[derive(Serialize)]
struct Listing {
    token: String,
    module: String,
    library: String,
    /// The most sessions that the token allows, if it says so.
    max_sessions: Option<u64>,
    algorithms: Vec<Capability>,
    random: Ability,
    environment: Vec<Variable>,
}

/// Checks.
///
/// # Errors
/// [`Error::Hsm`] when the token cannot be reached or its keys not listed. Exit code 3 when it can sign with no algorithm.
pub(super) fn run(flags: &CheckFlags) -> Result<Outcome, Error> {
    let environment = variables();
    for variable in environment.iter().filter(|variable| variable.fault.is_some()) {
        streams::warn(&variable.line());
    }
    let access = flags.token.access();
    let module = access.module()?;
    let token = module.token(&access.token)?;
    let login = access.log_in(&token, None)?;
    let algorithms = capabilities(&login, &mut |algorithm, prove| {
        if !flags.make_keys {
            return Ok(false);
        }
        with_new_key(&login, algorithm, |key| {
            prove(key);
            Ok(true)
        })
    })?;
    let info = module.info();
    let listing = Listing {
        token: token.info().to_string(),
        module: module.path().display().to_string(),
        library: format!("{} {} {}", info.manufacturer, info.description, info.version),
        max_sessions: token.info().max_sessions,
        algorithms,
        random: random(&login),
        environment,
    };
    if flags.json {
        streams::print_json(&listing)?;
    } else {
        streams::print(&text(&listing, flags.make_keys))?;
    }
    let serves = listing
        .algorithms
        .iter()
        .any(|capability| capability.sign.available || capability.all.available);
    Ok(if serves { Outcome::Done } else { Outcome::Failed(3) })
}

/// C_GenerateRandom, twice: a generator that repeats itself is none.
fn random(login: &LoggedIn) -> Ability {
    let missing = |reason: String| Ability {
        missing: vec![reason],
        ..Ability::default()
    };
    match (login.random(16), login.random(16)) {
        (Ok(one), Ok(other)) if one != other => Ability {
            available: true,
            proof: Some("C_GenerateRandom gave 16 bytes twice, not the same".to_owned()),
            ..Ability::default()
        },
        (Ok(_), Ok(_)) => missing("C_GenerateRandom gives the same bytes again".to_owned()),
        (Err(error), _) | (_, Err(error)) => missing(error.to_string()),
    }
}

fn text(listing: &Listing, made: bool) -> String {
    let mut rows = Vec::new();
    for capability in &listing.algorithms {
        for (way, ability) in [("sign", &capability.sign), ("all", &capability.all)] {
            rows.push([capability.algorithm.clone(), way.to_owned(), verdict(ability)]);
        }
    }
    rows.push(["random numbers".to_owned(), "all".to_owned(), verdict(&listing.random)]);
    let sessions = listing
        .max_sessions
        .map_or_else(|| "no limit stated".to_owned(), |most| format!("{most} at most"));
    let mut text = format!(
        "{}\nlibrary {} ({})\nsessions: {sessions}\n",
        listing.token, listing.module, listing.library
    );
    text.push_str(&table(["ALGORITHM", "OFFLOAD", "VERDICT"], &rows));
    for variable in &listing.environment {
        text.push_str(&format!("environment: {}\n", variable.line()));
    }
    let unproven = |ability: &Ability| ability.mechanism.is_some() && !ability.available;
    let any = |capability: &Capability| unproven(&capability.sign) || unproven(&capability.all);
    if !made && listing.algorithms.iter().any(any) {
        text.push_str("--make-keys makes keys for the proofs that lack one, and destroys them again\n");
    }
    text
}

fn verdict(ability: &Ability) -> String {
    match &ability.proof {
        Some(proof) if ability.available => format!("available: {proof}"),
        _ => format!("missing: {}", ability.missing.join("; ")),
    }
}
