//! Private keys in K*.private files as a store: each is checked against its public half and proven by a verified
//! signature. Keys on tokens are not looked at.

use dnssec_sign::{Dnskey, PrivateKeyFields, SignatureBuf, SoftwareKey, verify_signature};

use crate::error::Error;

/// What a proof signs: type and algorithm 0, both reserved, so that no RRSIG covers these bytes (RFC 4034 3.1.8.1).
const PROOF: &[u8] = b"\0\0\0\0signet: proof that the two halves of this key belong together";

/// A key from its file's fields, proven. `name` is the file's, for messages.
///
/// # Errors
/// [`Error::Input`] when the halves do not belong together or the key cannot sign.
pub(super) fn software_key(name: &str, dnskey: Dnskey, fields: &PrivateKeyFields) -> Result<SoftwareKey, Error> {
    let key = SoftwareKey::new(dnskey, fields).map_err(|error| Error::Input(format!("{name}.private: {error}")))?;
    prove_software_key(&key).map_err(|error| Error::Input(format!("{name}.private: {error}")))?;
    Ok(key)
}

/// Makes one signature and verifies it with the public half.
///
/// # Errors
/// [`Error::Input`] when it does not verify.
pub fn prove_software_key(key: &SoftwareKey) -> Result<(), Error> {
    let mut signature = SignatureBuf::default();
    key.sign(PROOF, &mut signature)
        .map_err(|error| Error::Input(error.to_string()))?;
    verify_signature(key.dnskey(), PROOF, signature.bytes()).map_err(|error| {
        Error::Input(format!(
            "what the key signs does not verify with its public half: {error}"
        ))
    })
}
