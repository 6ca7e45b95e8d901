//! Keys as a token knows them, turned into keys as DNSSEC knows them, and back: type and size into an algorithm, the public
//! part into a DNSKEY, the fields of a K*.private file into a private key. Refuses pairs that do not belong together.

use dnssec_sign::{Algorithm, Dnskey, Insist, PrivateKeyFields};
use hsm_core::{KeyKind, PrivatePart, PublicPart};

use crate::error::Error;

/// The algorithm that a key of this kind signs with when nobody says: RSA with SHA-256 (RFC 8624 3.1). `None` for a
/// kind that DNSSEC has no algorithm for.
#[must_use]
pub fn algorithm_of(kind: KeyKind) -> Option<Algorithm> {
    Some(match kind {
        KeyKind::Rsa(_) => Algorithm::RSASHA256,
        KeyKind::P256 => Algorithm::ECDSAP256SHA256,
        KeyKind::P384 => Algorithm::ECDSAP384SHA384,
        KeyKind::Ed25519 => Algorithm::ED25519,
        KeyKind::Ed448 => Algorithm::ED448,
        _ => return None,
    })
}

/// The kind of key to make for an algorithm; `bits` is for RSA, 2048 by default.
///
/// # Errors
/// [`Error::Usage`] for an algorithm that no key is made for, and for RSA sizes outside 2048 to 4096; where it is insisted
/// on, keys of 1024 bits and for RSA with SHA-1 are made.
pub fn kind_of(algorithm: Algorithm, bits: Option<u16>, insist: Insist) -> Result<KeyKind, Error> {
    let insisted = insist == Insist::Yes;
    Ok(match algorithm {
        Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1 if !insisted => {
            return Err(Error::Usage(format!(
                "{algorithm} must not sign any more (RFC 9905): take ECDSAP256SHA256 or RSASHA256, or insist"
            )));
        }
        rsa if rsa.is_rsa() => match bits.unwrap_or(2048) {
            bits @ 2048..=4096 => KeyKind::Rsa(bits.into()),
            bits @ 1024..2048 if insisted => KeyKind::Rsa(bits.into()),
            bits @ 1024..2048 => {
                return Err(Error::Usage(format!(
                    "an RSA key of {bits} bits can be broken: 2048 to 4096 are made, fewer only where that is insisted on"
                )));
            }
            bits => {
                return Err(Error::Usage(format!(
                    "an RSA key of {bits} bits: 2048 to 4096 are made"
                )));
            }
        },
        Algorithm::ECDSAP256SHA256 => KeyKind::P256,
        Algorithm::ECDSAP384SHA384 => KeyKind::P384,
        Algorithm::ED25519 => KeyKind::Ed25519,
        Algorithm::ED448 if cfg!(feature = "openssl") => KeyKind::Ed448,
        Algorithm::ED448 => {
            return Err(Error::Usage(format!(
                "keys of {algorithm} cannot be proven by this build: they need OpenSSL (feature openssl); take ED25519"
            )));
        }
        _ => {
            return Err(Error::Usage(format!(
                "no key of algorithm {algorithm} can be made here: take ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or RSASHA256"
            )));
        }
    })
}

/// Whether a key of this kind can sign with this algorithm.
#[must_use]
fn fits(kind: KeyKind, algorithm: Algorithm) -> bool {
    match kind {
        KeyKind::Rsa(_) => algorithm.is_rsa(),
        _ => algorithm_of(kind) == Some(algorithm),
    }
}

/// The DNSKEY of a token's key.
///
/// # Errors
/// [`Error::Input`] when the key is not of the algorithm's type: what was found is named.
pub fn dnskey_of(public: &PublicPart, flags: u16, algorithm: Algorithm) -> Result<Dnskey, Error> {
    let kind = public.kind();
    if !fits(kind, algorithm) {
        let other = algorithm_of(kind).map(|algorithm| format!(", which signs with {algorithm}"));
        return Err(Error::Input(format!(
            "algorithm {algorithm} was asked for, but the key is of type {kind}{}",
            other.unwrap_or_default()
        )));
    }
    let dnskey = match public {
        PublicPart::Rsa { modulus, exponent } => Dnskey::from_rsa(flags, algorithm, exponent, modulus),
        PublicPart::P256(point) => Dnskey::new(flags, algorithm, point),
        PublicPart::P384(point) => Dnskey::new(flags, algorithm, point),
        PublicPart::Ed25519(point) => Dnskey::new(flags, algorithm, point),
        PublicPart::Ed448(point) => Dnskey::new(flags, algorithm, point),
        _ => return Err(Error::Input(format!("a key of type {kind} has no DNSKEY form here"))),
    };
    dnskey.map_err(|error| Error::Input(format!("the token's {kind} key: {error}")))
}

/// The public key of a DNSKEY, as a token knows it.
///
/// # Errors
/// [`Error::Input`] for an algorithm that no token's key is of.
pub fn public_of(dnskey: &Dnskey) -> Result<PublicPart, Error> {
    let algorithm = dnskey.algorithm();
    let bytes = dnskey.public_key();
    let public = match algorithm {
        rsa if rsa.is_rsa() => dnskey.rsa_parts().map(|(exponent, modulus)| PublicPart::Rsa {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
        }),
        Algorithm::ECDSAP256SHA256 => bytes.try_into().ok().map(PublicPart::P256),
        Algorithm::ECDSAP384SHA384 => bytes.try_into().ok().map(PublicPart::P384),
        Algorithm::ED25519 => bytes.try_into().ok().map(PublicPart::Ed25519),
        Algorithm::ED448 => bytes.try_into().ok().map(PublicPart::Ed448),
        _ => None,
    };
    public.ok_or_else(|| Error::Input(format!("a key of algorithm {algorithm} cannot be on a token")))
}

/// The private key of a K*.private file, as a token knows it.
#[must_use]
pub fn private_of(fields: &PrivateKeyFields) -> PrivatePart {
    match fields {
        PrivateKeyFields::Rsa {
            private_exponent,
            prime1,
            prime2,
            exponent1,
            exponent2,
            coefficient,
            ..
        } => PrivatePart::Rsa {
            exponent: private_exponent.clone(),
            prime1: prime1.clone(),
            prime2: prime2.clone(),
            exponent1: exponent1.clone(),
            exponent2: exponent2.clone(),
            coefficient: coefficient.clone(),
        },
        PrivateKeyFields::Scalar(scalar) => PrivatePart::Scalar(scalar.clone()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn types_and_algorithms_belong_together() {
        let public = PublicPart::P256([7; 64]);
        let key = dnskey_of(&public, 257, Algorithm::ECDSAP256SHA256).unwrap();
        assert_eq!(key.public_key(), [7; 64]);
        assert_eq!(public_of(&key).unwrap(), public);
        let error = dnskey_of(&public, 257, Algorithm::ED25519).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let text = error.to_string();
        assert!(
            text.contains("ED25519") && text.contains("P-256") && text.contains("ECDSAP256SHA256"),
            "{text}"
        );
        assert!(fits(KeyKind::Rsa(2048), Algorithm::RSASHA512));
        assert!(!fits(KeyKind::Rsa(2048), Algorithm::ED25519));
    }

    #[test]
    fn kinds_to_make() {
        let kind = |algorithm, bits| kind_of(algorithm, bits, Insist::No);
        assert_eq!(kind(Algorithm::RSASHA256, None).unwrap(), KeyKind::Rsa(2048));
        assert_eq!(kind(Algorithm::ED25519, None).unwrap(), KeyKind::Ed25519);
        match kind(Algorithm::ED448, None) {
            Ok(kind) => assert!(cfg!(feature = "openssl") && kind == KeyKind::Ed448),
            Err(error) => assert!(error.to_string().contains("feature openssl"), "{error}"),
        }
        for (algorithm, bits) in [
            (Algorithm::RSASHA256, Some(1024)),
            (Algorithm::RSASHA1, None),
            (Algorithm(17), None),
        ] {
            assert_eq!(kind(algorithm, bits).unwrap_err().exit_code(), 2);
        }
        let insisted = |algorithm, bits| kind_of(algorithm, bits, Insist::Yes);
        assert_eq!(insisted(Algorithm::RSASHA512, Some(1024)).unwrap(), KeyKind::Rsa(1024));
        assert_eq!(insisted(Algorithm::NSEC3RSASHA1, None).unwrap(), KeyKind::Rsa(2048));
        assert_eq!(insisted(Algorithm::RSASHA256, Some(1016)).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn rsa_parts_become_rfc_3110_form() {
        let public = PublicPart::Rsa {
            modulus: vec![0xc0; 256],
            exponent: vec![1, 0, 1],
        };
        let key = dnskey_of(&public, 256, Algorithm::RSASHA256).unwrap();
        assert_eq!(key.public_key().len(), 1 + 3 + 256);
        assert_eq!(public_of(&key).unwrap(), public);
        assert_eq!(key.signature_length(), Some(256));
    }
}
