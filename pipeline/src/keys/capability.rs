//! What a token can do for DNSSEC, algorithm by algorithm and way by way, each with the proof that was run: a signature
//! made and verified, not a list read. It makes keys only where the caller lends a way to.

use dnssec_sign::{Algorithm, Insist};
use hsm_core::{Halves, Hash, KeyInfo, KeyKind, KeySelector, LoggedIn, ProvenOn, SessionCopy, TokenKey};
use serde::Serialize;

use super::offload::{Given, Hasher, Offload, mechanisms_of, recipe, verifies};
use super::token_keys::kind_of;
use crate::error::Error;

/// The algorithms that a token may sign with here.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::RSASHA256,
    Algorithm::RSASHA512,
    Algorithm::ECDSAP256SHA256,
    Algorithm::ECDSAP384SHA384,
    Algorithm::ED25519,
];

/// What a token can do with one algorithm.
#[derive(Debug, Clone, Serialize)]
pub struct Capability {
    /// The algorithm's mnemonic.
    pub algorithm: String,
    /// With `--offload sign`.
    pub sign: Ability,
    /// With `--offload all`.
    pub all: Ability,
}

/// One way to sign.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ability {
    /// Whether the token can go this way and did so in the proof.
    pub available: bool,
    /// The mechanism of C_SignInit.
    pub mechanism: Option<String>,
    /// What is missing: mechanisms, a key for the proof, or why the proof failed.
    pub missing: Vec<String>,
    /// What was run to find out.
    pub proof: Option<String>,
}

/// Calls back with a key of the algorithm's type that was made for the proof; false where none is to be made.
type Lender<'a> = dyn FnMut(Algorithm, &mut dyn FnMut(&TokenKey)) -> Result<bool, Error> + 'a;

/// Runs the proofs on a token. Keys that are there are used; `make` lends one where there is none, or refuses.
///
/// # Errors
/// [`Error::Hsm`] when the token's keys cannot be listed; a proof that fails is part of the answer.
pub fn capabilities(login: &LoggedIn, make: &mut Lender<'_>) -> Result<Vec<Capability>, Error> {
    let there = login.list()?;
    let mut found = Vec::new();
    for algorithm in ALGORITHMS {
        let ways = [Offload::Sign, Offload::All];
        let mut abilities = ways.map(|way| listed(login, algorithm, way));
        let provable = abilities.iter().any(|ability| ability.mechanism.is_some());
        let mut prove = |key: &TokenKey| {
            for (ability, way) in abilities.iter_mut().zip(ways) {
                run(login, key, algorithm, way, ability);
            }
        };
        if provable {
            match there.iter().find_map(|info| usable(login, info, algorithm)) {
                Some(key) => prove(&key),
                None => match make(algorithm, &mut prove) {
                    Ok(true) => {}
                    Ok(false) => lacking(&mut abilities, "a key for the proof: none is on the token"),
                    Err(error) => lacking(&mut abilities, &format!("a key for the proof: {error}")),
                },
            }
        }
        let [sign, all] = abilities;
        found.push(Capability {
            algorithm: algorithm.to_string(),
            sign,
            all,
        });
    }
    Ok(found)
}

fn lacking(abilities: &mut [Ability], what: &str) {
    for ability in abilities.iter_mut().filter(|ability| ability.mechanism.is_some()) {
        ability.missing.push(what.to_owned());
    }
}

/// What the token's list of mechanisms promises.
fn listed(login: &LoggedIn, algorithm: Algorithm, way: Offload) -> Ability {
    match recipe(login.token(), None, algorithm, way) {
        Err(missing) => Ability {
            missing: vec![format!("it has {missing}")],
            ..Ability::default()
        },
        Ok(recipe) if way == Offload::All && !recipe.is_whole() => Ability {
            missing: match mechanisms_of(algorithm) {
                Some((_, Some((combined, hash)))) => vec![format!("{combined}, or {hash} to hash with")],
                _ => Vec::new(),
            },
            ..Ability::default()
        },
        Ok(recipe) => Ability {
            mechanism: Some(recipe.mechanism().to_string()),
            ..Ability::default()
        },
    }
}

/// A key of the token that signs with the algorithm.
fn usable(login: &LoggedIn, info: &KeyInfo, algorithm: Algorithm) -> Option<TokenKey> {
    let wanted = kind_of(algorithm, None, Insist::No).ok()?;
    let fits = match (info.kind?, wanted) {
        (KeyKind::Rsa(_), KeyKind::Rsa(_)) => true,
        (there, wanted) => there == wanted,
    };
    if !fits || info.halves != Halves::Both || info.attributes.sign == Some(false) {
        return None;
    }
    let selector = KeySelector {
        label: (!info.label.is_empty()).then(|| info.label.clone()),
        id: (!info.id.is_empty()).then(|| info.id.clone()),
        class: None,
    };
    login.find(&selector).ok()
}

/// Signs and verifies.
fn run(login: &LoggedIn, key: &TokenKey, algorithm: Algorithm, way: Offload, ability: &mut Ability) {
    if ability.mechanism.is_none() {
        return;
    }
    match proof(login, key, algorithm, way) {
        Ok(proof) => {
            ability.available = true;
            ability.proof = Some(proof);
        }
        Err(error) => ability.missing.push(format!("the proof failed: {error}")),
    }
}

fn proof(login: &LoggedIn, key: &TokenKey, algorithm: Algorithm, way: Offload) -> Result<String, Error> {
    let recipe = recipe(login.token(), Some(key), algorithm, way).map_err(Error::Token)?;
    let on = match way {
        Offload::All if verifies(login.token(), recipe.mechanism) => ProvenOn::Token,
        _ => ProvenOn::Host,
    };
    let mut session = login.session()?;
    let slot = session.load_key(key, SessionCopy::Never)?;
    let mut text = String::new();
    if let Given::Digest(Hasher::Token(hash)) | Given::DigestInfo(Hasher::Token(hash), _) = recipe.given {
        if session.digest(hash, b"abc")?.as_slice() != known_digest(hash) {
            return Err(Error::Token(format!("C_Digest by {hash} gave a wrong digest")));
        }
        text.push_str(&format!("C_Digest by {hash}, "));
    }
    session.prove_by(slot, recipe.mechanism, on)?;
    text.push_str(&format!(
        "C_Sign by {} with key '{}', verified on the host",
        recipe.mechanism,
        key.label()
    ));
    if on == ProvenOn::Token {
        text.push_str(" and by C_Verify");
    }
    Ok(text)
}

/// Digests of "abc" (FIPS 180-4's first example).
fn known_digest(hash: Hash) -> Vec<u8> {
    use sha2::Digest as _;
    match hash {
        Hash::Sha256 => sha2::Sha256::digest(b"abc").to_vec(),
        Hash::Sha384 => sha2::Sha384::digest(b"abc").to_vec(),
        Hash::Sha512 => sha2::Sha512::digest(b"abc").to_vec(),
        _ => Vec::new(),
    }
}
