//! Signs in a session, and checks on the host what the token gave.
//!
//! [`SigningSession::sign`] is the hot call: two PKCS#11 calls, no allocation, the signature in
//! the caller's buffer. Lengths are checked before and after; RSA signatures are always verified,
//! because a faulty one gives the key away. Other verification and the proof are the caller's to
//! ask for.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::session::{Session, UserType};
use sha2::{Digest as _, Sha256, Sha384};

use crate::ckr::FaultClass;
use crate::error::{Error, KeyFault, Located, Result, SignatureFault};
use crate::ffi::HotCall;
use crate::key::KeyKind;
use crate::mechanism::{DigestInfo, Hash, SignMechanism};
use crate::session::{KeySlot, LoadedKey, SigningSession};
use crate::watch::Watched;

/// What a proof signs. It begins with type 0 and algorithm 0, both of which are reserved, so that
/// no RRSIG (RFC 4034 section 3.1.8.1) covers these bytes or any that begin like them.
const PROOF: &[u8] = b"\0\0\0\0hsm-core: proof that the two halves of this key belong together";

/// The longest signature there is: RSA with 8192 bits.
const LONGEST: usize = 1024;

/// Who verifies a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvenOn {
    /// The host alone.
    Host,
    /// The token (C_Verify) and the host.
    Token,
}

impl SigningSession {
    /// Signs `data` into `out` with C_SignInit and C_Sign; tells how many bytes it wrote.
    ///
    /// `data` is what the mechanism takes: a digest of 32 or 48 bytes for CKM_ECDSA, a
    /// [`DigestInfo`] for CKM_RSA_PKCS, else the message. `out` has room for at least
    /// [`KeyKind::signature_len`] bytes.
    ///
    /// # Errors
    /// [`Error::Input`] before the token is asked; [`Error::Call`]; [`Error::BadSignature`];
    /// [`Error::NeedsReopen`]. After an error of the token the session has to be reopened.
    pub fn sign(&mut self, slot: KeySlot, mechanism: SignMechanism, data: &[u8], out: &mut [u8]) -> Result<usize> {
        let Some(loaded) = self.keys.get(slot.0) else {
            return Err(Error::Input {
                label: format!("{slot:?}"),
                reason: "no such key in this session".to_owned(),
            });
        };
        let kind = loaded.key.kind();
        let due = kind.signature_len();
        let Some(out) = fits(kind, mechanism, data).then(|| out.get_mut(..due)).flatten() else {
            return Err(misfit(loaded, mechanism, data.len()));
        };
        let _traffic = self.login.token().module().traffic();
        let mut seat = self.seat.lock();
        let Some(session) = seat.as_ref() else {
            return Err(self.closed());
        };
        let signed = self.ask(session, loaded, mechanism, data, out);
        let checked = signed.and_then(|got| self.check(loaded, mechanism, data, out, got));
        // After a transient fault the same session may serve; after any other nothing in it can be relied on.
        if checked
            .as_ref()
            .is_err_and(|error| error.class() != FaultClass::Transient)
        {
            seat.take();
        }
        checked.map(|()| due)
    }

    /// Signs a fixed text and verifies it on the host: the private key is the other half of the
    /// public one, and this session's handle or copy of it signs. By the plain mechanism, or by a combined one where token
    /// or key allow no other.
    ///
    /// # Errors
    /// [`Error::KeyUnusable`] if the halves differ; as [`Self::sign`].
    pub fn prove(&mut self, slot: KeySlot) -> Result<()> {
        let Some(loaded) = self.keys.get(slot.0) else {
            return Err(self.closed());
        };
        let (key, token) = (&loaded.key, self.login.token());
        let plain = key.kind().mechanism();
        let combined = key.kind().combined_mechanisms().iter().copied();
        let serves = |mechanism: &SignMechanism| {
            // A token that does not tell its mechanisms is taken to have the plain ones.
            let offered = match token.mechanism_uses(mechanism.number()) {
                Ok(uses) => uses.is_some_and(|uses| uses.sign),
                Err(_) => *mechanism == plain,
            };
            key.allows(*mechanism) && offered
        };
        let mechanism = std::iter::once(plain).chain(combined).find(serves).unwrap_or(plain);
        self.prove_by(slot, mechanism, ProvenOn::Host)
    }

    /// The same by a mechanism of the caller's choice. Where the token verifies ([`ProvenOn::Token`]), the host does so
    /// too.
    ///
    /// # Errors
    /// As [`Self::prove`]; those of [`Self::verify_on_token`].
    pub fn prove_by(&mut self, slot: KeySlot, mechanism: SignMechanism, on: ProvenOn) -> Result<()> {
        let Some(loaded) = self.keys.get(slot.0) else {
            return Err(self.closed());
        };
        let (kind, key) = (loaded.key.kind(), loaded.key.clone());
        if loaded.verifier.is_none() {
            return Err(self.unusable(&key, KeyFault::NoVerifier("Ed448")));
        }
        let (p256, p384, info);
        let data = match kind {
            _ if mechanism.hash().is_some() => PROOF,
            KeyKind::P256 => {
                p256 = Sha256::digest(PROOF);
                p256.as_slice()
            }
            KeyKind::P384 => {
                p384 = Sha384::digest(PROOF);
                p384.as_slice()
            }
            KeyKind::Rsa(_) => {
                info = DigestInfo::new(Hash::Sha256, &Sha256::digest(PROOF));
                info.as_ref().map(AsRef::as_ref).unwrap_or_default()
            }
            KeyKind::Ed25519 | KeyKind::Ed448 => PROOF,
        };
        let mut out = [0; LONGEST];
        let differ = |session: &Self| session.unusable(&key, KeyFault::HalvesDiffer);
        let length = match self.sign(slot, mechanism, data, &mut out) {
            Err(Error::BadSignature {
                fault: SignatureFault::DoesNotVerify,
                ..
            }) => return Err(differ(self)),
            signed => signed?,
        };
        let verified = self
            .keys
            .get(slot.0)
            .and_then(|loaded| loaded.verifier.as_ref())
            .is_some_and(|verifier| verifier.verify(mechanism, data, out.get(..length).unwrap_or_default()));
        if !verified {
            return Err(differ(self));
        }
        match on {
            ProvenOn::Host => Ok(()),
            ProvenOn::Token => {
                let signature = out.get(..length).unwrap_or_default();
                if self.verify_on_token(slot, mechanism, data, signature)? {
                    Ok(())
                } else {
                    Err(differ(self))
                }
            }
        }
    }

    fn ask(
        &self,
        session: &Session,
        loaded: &LoadedKey,
        mechanism: SignMechanism,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize> {
        let place = self.login.place();
        let module = self.login.token().module();
        let refused = |(call, code)| Error::call(call, code, place);
        match module.hot() {
            HotCall::Direct(functions) => {
                let (session_handle, key) = (session.handle(), loaded.handle.handle());
                let cell = &self.seat.cell;
                {
                    let _under_way = cell.begin(Watched::SignInit);
                    let number = self.login.token().number_of(mechanism);
                    functions.init(session_handle, number, loaded.key.kind(), key)
                }
                .map_err(refused)?;
                if loaded.key.always_authenticate() {
                    self.authenticate(session)?;
                }
                let _under_way = cell.begin(Watched::Sign);
                functions.sign(session_handle, data, out).map_err(refused)
            }
            HotCall::Indirect => {
                let mechanism = indirect(mechanism, loaded.key.kind());
                let _under_way = self.seat.cell.begin(Watched::Sign);
                let signature = session.sign(&mechanism, loaded.handle, data).at(place, "C_Sign")?;
                if let Some(room) = out.get_mut(..signature.len()) {
                    room.copy_from_slice(&signature);
                }
                Ok(signature.len())
            }
        }
    }

    /// CKA_ALWAYS_AUTHENTICATE: a login for this one signature, between C_SignInit and C_Sign.
    fn authenticate(&self, session: &Session) -> Result<()> {
        let pin = self.login.pin();
        // On a PIN pad a person types: that may take its time.
        let _under_way = pin.map(|_| self.seat.cell.begin(Watched::Login));
        session
            .login(UserType::ContextSpecific, pin)
            .at(self.login.place(), "C_Login")
            .map_err(|error| match error.class() {
                FaultClass::PinRefused => self.login.token().remember_refusal(error),
                _ => error,
            })
    }

    fn check(&self, loaded: &LoadedKey, mechanism: SignMechanism, data: &[u8], out: &[u8], got: usize) -> Result<()> {
        let fault = if got != out.len() {
            SignatureFault::Length { got, want: out.len() }
        } else if mechanism.plain() == SignMechanism::RsaPkcs
            && !loaded
                .verifier
                .as_ref()
                .is_some_and(|verifier| verifier.verify(mechanism, data, out))
        {
            SignatureFault::DoesNotVerify
        } else {
            return Ok(());
        };
        Err(Error::BadSignature {
            label: loaded.key.label(),
            token: self.token_name(),
            fault,
        })
    }
}

/// Whether a key can sign so much data by a mechanism. Tokens themselves do not all look.
fn fits(kind: KeyKind, mechanism: SignMechanism, data: &[u8]) -> bool {
    mechanism.fits(kind)
        && match mechanism {
            SignMechanism::Ecdsa => kind.digest_len() == Some(data.len()),
            SignMechanism::RsaPkcs => DigestInfo::parse(data).is_some(),
            _ => true,
        }
}

/// The mechanism as cryptoki has it.
pub(crate) fn indirect(mechanism: SignMechanism, kind: KeyKind) -> Mechanism<'static> {
    match mechanism {
        SignMechanism::Ecdsa => Mechanism::Ecdsa,
        SignMechanism::RsaPkcs => Mechanism::RsaPkcs,
        SignMechanism::Eddsa => Mechanism::Eddsa(EddsaParams::new(match kind {
            KeyKind::Ed448 => EddsaSignatureScheme::Ed448(b""),
            _ => EddsaSignatureScheme::Pure,
        })),
        SignMechanism::EcdsaSha256 => Mechanism::EcdsaSha256,
        SignMechanism::EcdsaSha384 => Mechanism::EcdsaSha384,
        SignMechanism::Sha1RsaPkcs => Mechanism::Sha1RsaPkcs,
        SignMechanism::Sha256RsaPkcs => Mechanism::Sha256RsaPkcs,
        SignMechanism::Sha512RsaPkcs => Mechanism::Sha512RsaPkcs,
    }
}

#[cold]
fn misfit(loaded: &LoadedKey, mechanism: SignMechanism, length: usize) -> Error {
    let kind = loaded.key.kind();
    let reason = if !mechanism.fits(kind) {
        format!("a key of type {kind} signs by {}, not by {mechanism}", kind.mechanism())
    } else {
        format!(
            "{length} bytes of data do not fit {mechanism} with {kind}, or the buffer is shorter than {} bytes",
            kind.signature_len()
        )
    };
    Error::Input {
        label: loaded.key.label(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_to_fit_the_mechanism() {
        assert!(fits(KeyKind::P256, SignMechanism::Ecdsa, &[0; 32]));
        assert!(!fits(KeyKind::P256, SignMechanism::Ecdsa, &[0; 48]));
        assert!(!fits(KeyKind::P384, SignMechanism::Eddsa, &[0; 48]));
        assert!(!fits(KeyKind::Rsa(2048), SignMechanism::RsaPkcs, &[0; 32]));
        assert!(fits(KeyKind::Ed25519, SignMechanism::Eddsa, b""));
    }

    #[test]
    fn a_proof_cannot_be_an_rrsig() {
        // Type covered 0 and algorithm 0 are reserved.
        assert_eq!(PROOF[..4], [0; 4]);
    }
}
