//! Any bytes as the text of key files: what is read from one is written, and read again it is written the same. The
//! names of key files and what keys are good for are not asked here.

use std::path::Path;

use dnssec_sign::{Algorithm, Dnskey};
use zone_io::{KeyFileName, PrivateKeyFile, PublicKeyFile};

/// Checks one input.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    public(bytes);
    if let Some((&chosen, text)) = bytes.split_first() {
        private(text, &key(chosen));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(name) = text.parse::<KeyFileName>()
    {
        let again: KeyFileName = name.to_string().parse().expect("what is written can be read");
        assert_eq!(again.public(), name.public());
    }
}

fn public(text: &[u8]) {
    let path = Path::new("K.key");
    let Ok(key) = PublicKeyFile::parse(text, path) else {
        return;
    };
    let mut once = Vec::new();
    key.write_text(&mut once);
    let again = PublicKeyFile::parse(&once, path);
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&once)));
    assert_eq!(again, key, "{}", String::from_utf8_lossy(&once));
}

fn private(text: &[u8], dnskey: &Dnskey) {
    let path = Path::new("K.private");
    let Ok(key) = PrivateKeyFile::parse(text, dnskey, path) else {
        return;
    };
    let Some(once) = key.text(dnskey) else {
        return;
    };
    let again = PrivateKeyFile::parse(&once, dnskey, path);
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&once)));
    let twice = again.text(dnskey).expect("the same format");
    assert_eq!(*once, *twice, "{}", String::from_utf8_lossy(&once));
    assert_eq!(
        (again.times, again.ds_publish, again.numbers),
        (key.times, key.ds_publish, key.numbers)
    );
}

/// A public key of the chosen algorithm; its bytes are those that the seeds have, or any.
fn key(chosen: u8) -> Dnskey {
    let (algorithm, length) = [
        (Algorithm::RSASHA256, 0),
        (Algorithm::ECDSAP256SHA256, 64),
        (Algorithm::ECDSAP384SHA384, 96),
        (Algorithm::ED25519, 32),
        (Algorithm::ED448, 57),
    ][usize::from(chosen) % 5];
    let mut rdata = vec![1, 1, 3, algorithm.0];
    match length {
        // The modulus of the seed: 512 bits, exponent 65537.
        0 => rdata.extend_from_slice(&[&b"\x03\x01\x00\x01\xc0"[..], &[0x35; 63]].concat()),
        _ => rdata.resize(4 + length, 0x42),
    }
    Dnskey::from_rdata(&rdata).expect("a key of that length")
}
