//! The examples that RFCs print, held against our bytes to sign, signatures, key tags and DS digests. A wrong digit
//! here fails by cryptography. The example zones of RFC 4035 and RFC 5155 are elsewhere.

#![cfg(feature = "software")]
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use data_encoding::{BASE64, HEXLOWER};
use dnssec_sign::{
    Algorithm, CanonicalSet, Class, DigestType, Dnskey, Locus, Name, PrivateKeyFields, PublicKeyVerifier, RecordRef,
    RecordType, RrsigFields, SignatureBuf, SoftwareKey, ToBeSigned, VerifierError, moment_from_digits,
    verify_signature,
};
use zeroize::Zeroizing;

/// One example: a key, a set of one record, and the signature over it.
struct Example {
    zone: &'static str,
    dnskey: (u16, Algorithm, &'static str),
    key_tag: u16,
    owner: &'static str,
    set: (RecordType, u32, &'static [u8]),
    inception: &'static str,
    expiration: &'static str,
    signature: &'static str,
}

impl Example {
    fn dnskey(&self) -> Dnskey {
        let (flags, algorithm, key) = self.dnskey;
        let dnskey = Dnskey::new(flags, algorithm, &base64(key)).unwrap();
        assert_eq!(dnskey.key_tag(), self.key_tag);
        dnskey
    }

    /// RRSIG RDATA without the signature, then the set (RFC 4034 3.1.8.1).
    fn message(&self) -> Vec<u8> {
        let owner: Name = self.owner.parse().unwrap();
        let zone: Name = self.zone.parse().unwrap();
        let (rtype, ttl, rdata) = self.set;
        let fields = RrsigFields {
            algorithm: self.dnskey.1.0,
            expiration: moment_from_digits(self.expiration.as_bytes()).unwrap(),
            inception: moment_from_digits(self.inception.as_bytes()).unwrap(),
            key_tag: self.key_tag,
            signer: zone.borrow(),
        };
        let mut message = Vec::new();
        fields.write_head(owner.borrow(), rtype, ttl, &mut message);
        let mut set = CanonicalSet::default();
        set.load(&[RecordRef {
            rtype,
            ttl,
            rdata,
            locus: Locus::default(),
        }]);
        set.write_signed(owner.borrow(), rtype, Class::IN, &mut message);
        message
    }

    fn signature(&self) -> Vec<u8> {
        base64(self.signature)
    }

    fn check_verifies(&self) {
        let verifier = PublicKeyVerifier::new(&self.dnskey()).unwrap();
        let (mut message, mut signature) = (self.message(), self.signature());
        verifier.verify(&message, &signature).unwrap();
        signature[5] ^= 1;
        assert!(verifier.verify(&message, &signature).is_err());
        signature[5] ^= 1;
        message[4] ^= 1;
        assert!(verifier.verify(&message, &signature).is_err());
    }

    fn check_ds(&self, digest_type: DigestType, digest: &str) {
        let zone: Name = self.zone.parse().unwrap();
        let mut ds = Vec::new();
        self.dnskey().write_ds(zone.borrow(), digest_type, &mut ds);
        assert_eq!(ds[..2], self.key_tag.to_be_bytes());
        assert_eq!(HEXLOWER.encode(&ds[4..]), digest);
    }

    /// The signature of the private key that the RFC prints with the example.
    fn sign(&self, private: &str) -> Vec<u8> {
        let fields = PrivateKeyFields::Scalar(Zeroizing::new(base64(private)));
        let key = SoftwareKey::new(self.dnskey(), &fields).unwrap();
        let mut signature = SignatureBuf::default();
        key.sign(&self.message(), &mut signature).unwrap();
        signature.bytes().to_vec()
    }
}

fn base64(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()
}

const MAIL: &[u8] = b"\x00\x0a\x04mail\x07example\x03com\x00";

/// RFC 4034 2.3 and 3.3: a key tag by appendix B, and a signature of RSA/SHA-1. It is over the address 1.2.3.4, which
/// the RFC's text replaced by one for documentation.
#[test]
fn rfc_4034() {
    let example = Example {
        zone: "example.com.",
        dnskey: (
            256,
            Algorithm::RSASHA1,
            "AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10hWqTkF7H6RfoRqXQeogmM\
             Hfpftf6zMv1LyBUgia7za6ZEzOJBOztyvhjL742iU/TpPSEDhm2SNKLijfUppn1UaNvv4w==",
        ),
        key_tag: 2642,
        owner: "host.example.com.",
        set: (RecordType::A, 86400, &[1, 2, 3, 4]),
        inception: "20030220173103",
        expiration: "20030322173103",
        signature: "oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI/M0zmO/zz8b\
                    W0Rznl8O3tGNazPwQKkRN20XPXV6nwwfoXmJQbsLNrLfkGJ5D6fwFm8nN+6pBzeDQfsS3Ap3o=",
    };
    example.check_verifies();
}

fn rfc_5702(algorithm: Algorithm, key: &'static str, key_tag: u16, signature: &'static str) -> Example {
    Example {
        zone: "example.net.",
        dnskey: (256, algorithm, key),
        key_tag,
        owner: "www.example.net.",
        set: (RecordType::A, 3600, &[192, 0, 2, 91]),
        inception: "20000101000000",
        expiration: "20300101000000",
        signature,
    }
}

/// RFC 5702 6.1: RSA/SHA-256 with a key of 512 bits, which no crypto library takes any more: by arithmetic.
#[test]
fn rfc_5702_sha256() {
    let example = rfc_5702(
        Algorithm::RSASHA256,
        "AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=",
        9033,
        "kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg==",
    );
    let dnskey = example.dnskey();
    let message = example.message();
    let signature = example.signature();
    assert_eq!(
        PublicKeyVerifier::new(&dnskey).unwrap_err(),
        VerifierError::RsaSize { bits: 512 }
    );
    let (exponent, modulus) = dnskey.rsa_parts().unwrap();
    assert_eq!(exponent, [1, 0, 1]);
    // RFC 5702 3.1: 00 01 FF … FF 00, the ASN.1 prefix of SHA-256, the digest.
    let digest = ToBeSigned::new(&message).digest(Algorithm::RSASHA256).unwrap();
    let mut block = vec![0, 1];
    block.resize(modulus.len() - 1 - 19 - 32, 0xff);
    block.push(0);
    block.extend(HEXLOWER.decode(b"3031300d060960864801650304020105000420").unwrap());
    block.extend(digest.as_ref());
    assert_eq!(power_65537(&signature, modulus), block);
}

/// RFC 5702 6.2: RSA/SHA-512 with 1024 bits.
#[test]
fn rfc_5702_sha512() {
    rfc_5702(
        Algorithm::RSASHA512,
        "AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6rklMrZDtJCQ5P\
         Cl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL",
        3740,
        "tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfD\
         qfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
    )
    .check_verifies();
}

fn rfc_6605(algorithm: Algorithm, key: &'static str, key_tag: u16, signature: &'static str) -> Example {
    let (inception, expiration) = if algorithm == Algorithm::ECDSAP256SHA256 {
        ("20100812100439", "20100909100439")
    } else {
        ("20100812102025", "20100909102025")
    };
    Example {
        zone: "example.net.",
        dnskey: (257, algorithm, key),
        key_tag,
        owner: "www.example.net.",
        set: (RecordType::A, 3600, &[192, 0, 2, 1]),
        inception,
        expiration,
        signature,
    }
}

/// RFC 6605 6.1: ECDSA P-256; the signature has a random part, so ours is another one.
#[test]
fn rfc_6605_p256() {
    let example = rfc_6605(
        Algorithm::ECDSAP256SHA256,
        "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
        55648,
        "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
    );
    example.check_verifies();
    example.check_ds(
        DigestType::Sha256,
        "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
    );
    let ours = example.sign("GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=");
    verify_signature(&example.dnskey(), &example.message(), &ours).unwrap();
}

/// RFC 6605 6.2: ECDSA P-384.
#[test]
fn rfc_6605_p384() {
    let example = rfc_6605(
        Algorithm::ECDSAP384SHA384,
        "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6\
         Glur8I/mlVNgF6W/qTI37m40",
        10771,
        "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bd\
         cJzusdnI0RSMROxxwGipWcJm",
    );
    example.check_verifies();
    example.check_ds(
        DigestType::Sha384,
        "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
    );
    let ours = example.sign("WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR");
    verify_signature(&example.dnskey(), &example.message(), &ours).unwrap();
}

fn rfc_8080(algorithm: Algorithm, key: &'static str, key_tag: u16, signature: &'static str) -> Example {
    Example {
        zone: "example.com.",
        dnskey: (257, algorithm, key),
        key_tag,
        owner: "example.com.",
        set: (RecordType::MX, 3600, MAIL),
        inception: "20150729220000",
        expiration: "20150819220000",
        signature,
    }
}

/// RFC 8080 6.1, with the signatures and the key tag of erratum 4935: byte for byte.
#[test]
fn rfc_8080_ed25519() {
    let first = rfc_8080(
        Algorithm::ED25519,
        "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
        3613,
        "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
    );
    first.check_verifies();
    first.check_ds(
        DigestType::Sha256,
        "3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
    );
    assert_eq!(
        first.sign("ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="),
        first.signature()
    );
    let second = rfc_8080(
        Algorithm::ED25519,
        "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=",
        35217,
        "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==",
    );
    second.check_verifies();
    second.check_ds(
        DigestType::Sha256,
        "401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c",
    );
    assert_eq!(
        second.sign("DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY="),
        second.signature()
    );
}

/// RFC 8080 6.2: what can be had of Ed448 without its arithmetic. The unit tests of feature openssl have its signatures.
#[test]
fn rfc_8080_ed448() {
    for (key, key_tag, digest) in [
        (
            "3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA",
            9713,
            "6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7",
        ),
        (
            "kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcNLp5HlHAMy12VoISsA",
            38353,
            "645ff078b3568f5852b70cb60e8e696cc77b75bfaaffc118cf79cbda1ba28af4",
        ),
    ] {
        let example = rfc_8080(Algorithm::ED448, key, key_tag, "");
        example.check_ds(DigestType::Sha256, digest);
        let verifier = PublicKeyVerifier::new(&example.dnskey());
        if cfg!(feature = "openssl") {
            verifier.unwrap();
        } else {
            let algorithm = Algorithm::ED448;
            assert_eq!(verifier.unwrap_err(), VerifierError::Algorithm { algorithm });
        }
    }
}

/// `base` to the power of 65537 modulo `modulus`; big-endian numbers of one length, the highest bit of the modulus set.
fn power_65537(base: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut power = base.to_vec();
    for _ in 0..16 {
        power = product(&power, &power, modulus);
    }
    product(&power, base, modulus)
}

fn product(one: &[u8], other: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; modulus.len()];
    for byte in one {
        for bit in (0..8).rev() {
            let copy = sum.clone();
            add(&mut sum, &copy, modulus);
            if byte >> bit & 1 == 1 {
                add(&mut sum, other, modulus);
            }
        }
    }
    sum
}

/// Adds two numbers below the modulus.
fn add(sum: &mut [u8], other: &[u8], modulus: &[u8]) {
    let mut carry = 0;
    for (digit, other) in sum.iter_mut().zip(other).rev() {
        let total = u16::from(*digit) + u16::from(*other) + carry;
        *digit = total.to_be_bytes()[1];
        carry = total >> 8;
    }
    if carry == 1 || *sum >= *modulus {
        let mut borrow = 0;
        for (digit, other) in sum.iter_mut().zip(modulus).rev() {
            let rest = 256 + u16::from(*digit) - u16::from(*other) - borrow;
            *digit = rest.to_be_bytes()[1];
            borrow = 1 - (rest >> 8);
        }
    }
}
