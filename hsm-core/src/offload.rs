//! What else a token can do for the host: hash (C_Digest), verify (C_Verify), give random numbers (C_GenerateRandom). None of
//! it is needed to sign: whoever asks has a way on the host when the token refuses.

use cryptoki::mechanism::Mechanism;

use crate::error::{Error, Located, Result};
use crate::key::public_handle;
use crate::login::LoggedIn;
use crate::mechanism::{Hash, SignMechanism};
use crate::session::{KeySlot, SigningSession};
use crate::sign::indirect;
use crate::watch::Watched;

impl SigningSession {
    /// The digest of `data`, made by the token.
    ///
    /// # Errors
    /// [`Error::Call`], [`Error::NeedsReopen`]. The session has to be reopened then, which signing through the recovery
    /// ladder does.
    pub fn digest(&mut self, hash: Hash, data: &[u8]) -> Result<Vec<u8>> {
        let mechanism = match hash {
            Hash::Sha1 => Mechanism::Sha1,
            Hash::Sha256 => Mechanism::Sha256,
            Hash::Sha384 => Mechanism::Sha384,
            Hash::Sha512 => Mechanism::Sha512,
        };
        let _traffic = self.login.token().module().traffic();
        let mut seat = self.seat.lock();
        let Some(session) = seat.as_ref() else {
            return Err(self.closed());
        };
        let under_way = self.seat.cell.begin(Watched::Digest);
        let digest = session.digest(&mechanism, data).at(self.login.place(), "C_Digest");
        drop(under_way);
        if digest.is_err() {
            // An operation may be stuck in it.
            seat.take();
        }
        digest
    }

    /// Whether the token itself finds (C_Verify) that `signature` is one of `data`, by the public half that lies on it.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`] if there is no public half on the token, [`Error::Call`], [`Error::NeedsReopen`].
    pub fn verify_on_token(
        &mut self,
        slot: KeySlot,
        mechanism: SignMechanism,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool> {
        let _traffic = self.login.token().module().traffic();
        let mut seat = self.seat.lock();
        let (Some(session), Some(loaded)) = (seat.as_ref(), self.keys.get(slot.0)) else {
            return Err(self.closed());
        };
        let place = self.login.place();
        let public = public_handle(session, place, &loaded.key)?;
        let mechanism = indirect(mechanism, loaded.key.kind());
        let under_way = self.seat.cell.begin(Watched::Verify);
        let answer = session
            .verify(&mechanism, public, data, signature)
            .at(place, "C_Verify");
        drop(under_way);
        match answer {
            Ok(()) => Ok(true),
            Err(error) => {
                seat.take();
                match error {
                    // CKR_SIGNATURE_INVALID and CKR_SIGNATURE_LEN_RANGE end the operation, and are its answer.
                    Error::Call(call) if matches!(call.code.code(), 0xc0 | 0xc1) => Ok(false),
                    other => Err(other),
                }
            }
        }
    }
}

impl LoggedIn {
    /// So many random bytes of the token's own.
    ///
    /// # Errors
    /// [`Error::Call`]: the token has no generator, or it failed.
    pub fn random(&self, length: u32) -> Result<Vec<u8>> {
        self.search(Watched::GenerateRandom, |session| {
            session.generate_random_vec(length).at(self.place(), "C_GenerateRandom")
        })
    }
}
