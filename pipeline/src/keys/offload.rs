//! How each algorithm is made on a token: by a plain mechanism of what the host hashed, or, with `--offload all`, by a
//! combined mechanism or after C_Digest. What the token does not offer stays with the host, and is named.

use dnssec_sign::Algorithm;
use hsm_core::{Hash, SignMechanism, Token, TokenKey};
use serde::{Deserialize, Serialize};

/// How much of the work a token is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Offload {
    /// The signature alone: the host hashes and verifies.
    #[default]
    Sign,
    /// Whatever it can do: hash, sign, verify proofs.
    All,
}

/// What a token is given to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// The message.
    Message,
    /// A digest, which the token (C_Digest) or the host makes.
    Digest(Hasher),
    /// The same in a DigestInfo.
    DigestInfo(Hasher, Hash),
}

/// Who hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hasher {
    Host,
    Token(Hash),
}

/// How signatures of one algorithm are made on one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    pub(super) mechanism: SignMechanism,
    pub(super) given: Given,
}

impl Recipe {
    /// The mechanism of C_SignInit.
    #[must_use]
    pub fn mechanism(&self) -> SignMechanism {
        self.mechanism
    }

    /// Whether the host has nothing to do but to hand over the bytes.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !matches!(
            self.given,
            Given::Digest(Hasher::Host) | Given::DigestInfo(Hasher::Host, _)
        )
    }
}

/// Plain mechanism, combined mechanism, and the hash function between them. `None` for an algorithm that no RRSIG is
/// made with here.
#[must_use]
pub fn mechanisms_of(algorithm: Algorithm) -> Option<(SignMechanism, Option<(SignMechanism, Hash)>)> {
    Some(match algorithm {
        // Whether it may sign is the key set's to decide.
        Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 => {
            (SignMechanism::RsaPkcs, Some((SignMechanism::Sha1RsaPkcs, Hash::Sha1)))
        }
        Algorithm::RSASHA256 => (
            SignMechanism::RsaPkcs,
            Some((SignMechanism::Sha256RsaPkcs, Hash::Sha256)),
        ),
        Algorithm::RSASHA512 => (
            SignMechanism::RsaPkcs,
            Some((SignMechanism::Sha512RsaPkcs, Hash::Sha512)),
        ),
        Algorithm::ECDSAP256SHA256 => (SignMechanism::Ecdsa, Some((SignMechanism::EcdsaSha256, Hash::Sha256))),
        Algorithm::ECDSAP384SHA384 => (SignMechanism::Ecdsa, Some((SignMechanism::EcdsaSha384, Hash::Sha384))),
        Algorithm::ED25519 => (SignMechanism::Eddsa, None),
        // Without OpenSSL the host cannot prove the key.
        Algorithm::ED448 if cfg!(feature = "openssl") => (SignMechanism::Eddsa, None),
        _ => return None,
    })
}

/// Whether a token signs by a mechanism, with this key if there is one. A token that does not tell its mechanisms is taken to
/// have the plain ones.
fn signs(token: &Token, key: Option<&TokenKey>, mechanism: SignMechanism) -> bool {
    if key.is_some_and(|key| !key.allows(mechanism)) {
        return false;
    }
    match token.mechanism_uses(mechanism.number()) {
        Ok(uses) => uses.is_some_and(|uses| uses.sign),
        Err(_) => mechanism == mechanism.plain(),
    }
}

fn digests(token: &Token, hash: Hash) -> bool {
    let uses = token.mechanism_uses(hash.number());
    uses.is_ok_and(|uses| uses.is_some_and(|uses| uses.digest))
}

/// Whether a token verifies by a mechanism.
pub(super) fn verifies(token: &Token, mechanism: SignMechanism) -> bool {
    let uses = token.mechanism_uses(mechanism.number());
    uses.is_ok_and(|uses| uses.is_some_and(|uses| uses.verify))
}

/// How a token makes the signatures of an algorithm, with any key or with this one, whose CKA_ALLOWED_MECHANISMS count.
///
/// # Errors
/// The mechanisms that it would need and has none of; nothing for an algorithm that no RRSIG is made with here.
pub fn recipe(token: &Token, key: Option<&TokenKey>, algorithm: Algorithm, offload: Offload) -> Result<Recipe, String> {
    let Some((plain, combined)) = mechanisms_of(algorithm) else {
        return Err(format!("this build does not sign with {algorithm}"));
    };
    let combined = combined.map(|(mechanism, hash)| (mechanism, hash, signs(token, key, mechanism)));
    let whole = |mechanism| Recipe {
        mechanism,
        given: Given::Message,
    };
    if let (Some((mechanism, _, true)), Offload::All) = (combined, offload) {
        return Ok(whole(mechanism));
    }
    if signs(token, key, plain) {
        return Ok(match combined {
            None => whole(plain),
            Some((_, hash, _)) => {
                let hasher = match offload {
                    Offload::All if digests(token, hash) => Hasher::Token(hash),
                    _ => Hasher::Host,
                };
                let given = match plain {
                    SignMechanism::RsaPkcs => Given::DigestInfo(hasher, hash),
                    _ => Given::Digest(hasher),
                };
                Recipe {
                    mechanism: plain,
                    given,
                }
            }
        });
    }
    let mut missing = match combined {
        Some((mechanism, _, true)) => return Ok(whole(mechanism)),
        Some((mechanism, _, false)) => format!("neither {plain} nor {mechanism}"),
        None => format!("no {plain}"),
    };
    let combined = combined.map(|(mechanism, ..)| mechanism);
    let mechanisms = std::iter::once(plain).chain(combined);
    if key.is_some_and(|key| mechanisms.into_iter().any(|mechanism| !key.allows(mechanism))) {
        missing.push_str(" that the key's CKA_ALLOWED_MECHANISMS let it sign by");
    }
    Err(missing)
}

/// What the host does of an algorithm's work where the token should do all of it, for the report.
pub(super) fn left_to_host(token: &Token, algorithm: Algorithm, recipe: Recipe) -> Vec<String> {
    let mut left = Vec::new();
    if !recipe.is_whole()
        && let Some((_, Some((combined, hash)))) = mechanisms_of(algorithm)
    {
        left.push(format!(
            "hashing for {algorithm}: the token has neither {combined} nor {hash}"
        ));
    }
    if !verifies(token, recipe.mechanism) {
        left.push(format!(
            "verification of the proofs for {algorithm}: the token has no C_Verify by {}",
            recipe.mechanism
        ));
    }
    left
}
