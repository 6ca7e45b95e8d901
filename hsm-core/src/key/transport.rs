//! A private key carried onto a token that refuses bare secrets. The token makes an RSA pair that lives as long as the
//! session, the host sends it an AES key by OAEP and, by that, the private key (RFC 5649): nothing crosses the library's
//! border in the clear.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use zeroize::Zeroizing;

use crate::error::{Error, Located, Result};
use crate::key::wrap::{is_about_the_mechanism, none_wraps, unwrap};
use crate::key::{WrapMechanism, WrappedKey};
use crate::token::Token;

/// The AES key's bytes, and its handle on the token.
struct Carrier {
    secret: Zeroizing<[u8; 32]>,
    handle: ObjectHandle,
    pair: [ObjectHandle; 2],
}

/// Makes an object of a PKCS#8 document, by the first mechanism that the token takes. The session's own objects are gone
/// afterwards.
pub(super) fn carry(
    session: &Session,
    token: &Token,
    document: &[u8],
    template: &[Attribute],
) -> Result<(ObjectHandle, WrapMechanism)> {
    let carrier = carrier(session, token)?;
    let carried = by_carrier(session, token, &carrier, document, template);
    for object in [carrier.handle, carrier.pair[0], carrier.pair[1]] {
        // They die with the session at the latest.
        let _ = session.destroy_object(object);
    }
    carried
}

fn by_carrier(
    session: &Session,
    token: &Token,
    carrier: &Carrier,
    document: &[u8],
    template: &[Attribute],
) -> Result<(ObjectHandle, WrapMechanism)> {
    let failed = |_| host("the AES key wrap failed");
    let mut room = vec![0; document.len() + 16];
    let key = AesKek::new(&AES_256, &carrier.secret[..]).map_err(failed)?;
    let bytes = key.wrap_with_padding(document, &mut room).map_err(failed)?.to_vec();
    let mut last = None;
    for mechanism in WrapMechanism::PADDED {
        let wrapped = WrappedKey {
            mechanism,
            bytes: bytes.clone(),
        };
        match unwrap(session, token, carrier.handle, &wrapped, template) {
            Ok(handle) => return Ok((handle, mechanism)),
            Err(error) if error.code().is_some_and(|code| is_about_the_mechanism(code.code())) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(none_wraps(token.place(), last))
}

/// Brings an AES key that both sides know onto the token.
fn carrier(session: &Session, token: &Token) -> Result<Carrier> {
    let place = token.place();
    let public = [
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::Encrypt(true),
        Attribute::Wrap(true),
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Decrypt(true),
        Attribute::Unwrap(true),
    ];
    let (public, private) = session
        .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)
        .at(place, "C_GenerateKeyPair")?;
    let mut modulus = Vec::new();
    for attribute in session
        .get_attributes(public, &[AttributeType::Modulus])
        .at(place, "C_GetAttributeValue")?
    {
        if let Attribute::Modulus(value) = attribute {
            modulus = value;
        }
    }
    let mut secret = Zeroizing::new([0; 32]);
    let failed = |_| host("the AES key cannot be sent to the token");
    aws_lc_rs::rand::fill(&mut secret[..]).map_err(failed)?;
    let components = RsaPublicKeyComponents {
        n: modulus.as_slice(),
        e: &[1, 0, 1][..],
    };
    let key: PublicEncryptingKey = components.try_into().map_err(failed)?;
    let key = OaepPublicEncryptingKey::new(key).map_err(failed)?;
    let mut room = vec![0; key.ciphertext_size()];
    // OAEP leans on SHA-1 for neither collisions nor preimages; it is the one hash that every token takes here.
    let sent = key
        .encrypt(&OAEP_SHA1_MGF1SHA1, &secret[..], &mut room, None)
        .map_err(failed)?;
    let oaep = PkcsOaepParams::new(MechanismType::SHA1, PkcsMgfType::MGF1_SHA1, PkcsOaepSource::empty());
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
    ];
    let handle = session
        .unwrap_key(&Mechanism::RsaPkcsOaep(oaep), private, sent, &template)
        .at(place, "C_UnwrapKey")?;
    Ok(Carrier {
        secret,
        handle,
        pair: [public, private],
    })
}

fn host(reason: &str) -> Error {
    Error::Input {
        label: "(temporary)".to_owned(),
        reason: reason.to_owned(),
    }
}
