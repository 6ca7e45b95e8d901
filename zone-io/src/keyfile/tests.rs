//! Key files against those that dnssec-keygen 9.18 and dnssec-revoke made (throwaway keys).
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use super::*;
use dnssec_sign::{Algorithm, PrivateKeyFields};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const ECDSA_KEY: &str = "\
; This is a zone-signing key, keyid 14420, for example.\n\
; Created: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
; Publish: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
; Activate: 20261124091533 (Tue Nov 24 09:15:33 2026)\n\
; Inactive: 20261223091533 (Wed Dec 23 09:15:33 2026)\n\
; Delete: 20270122091533 (Fri Jan 22 09:15:33 2027)\n\
; SyncPublish: 20261124091533 (Tue Nov 24 09:15:33 2026)\n\
; SyncDelete: 20261128091533 (Sat Nov 28 09:15:33 2026)\n\
example. 3600 IN DNSKEY 256 3 13 /CX0/8azqGvRnoUPBIaJUs8LnZocRvL6PFvY1KWJmg1NkNNdJvPuCJfM 9wXiwrc5mY\
r2TL9bbgHKa1gmm5REtw==\n\
";
const ECDSA_PRIVATE: &str = "\
Private-key-format: v1.3\n\
Algorithm: 13 (ECDSAP256SHA256)\n\
PrivateKey: jiYPSh/lFxwKxsAFNxwC39X13Tw16/lfVr/ur8xyf1s=\n\
Created: 20261123091533\n\
Publish: 20261123091533\n\
Activate: 20261124091533\n\
Inactive: 20261223091533\n\
Delete: 20270122091533\n\
SyncPublish: 20261124091533\n\
SyncDelete: 20261128091533\n\
";
const RSA_KEY: &str = "\
; This is a zone-signing key, keyid 51433, for example.\n\
; Created: 20261123092205 (Mon Nov 23 09:22:05 2026)\n\
; Publish: 20261123092205 (Mon Nov 23 09:22:05 2026)\n\
; Activate: 20261123092205 (Mon Nov 23 09:22:05 2026)\n\
example. IN DNSKEY 256 3 8 AwEAAex1+Nf9KzTxAXFVf5842yTXcTPd/rrDQbfFIFYlGvV53dbXb7kJ STp9qEbVg8fR4F9r\
FDqvHUDk/SbaT/O1obtaMO+PPZUz+7uhuCL3DJPk 7pQhtPZGDFtGacfhNcULDsoEGumPb0+iHbuh4t9oqZclR420R9o1k/xT 2H\
pwith5\n\
";
const RSA_PRIVATE: &str = "\
Private-key-format: v1.3\n\
Algorithm: 8 (RSASHA256)\n\
Modulus: 7HX41/0rNPEBcVV/nzjbJNdxM93+usNBt8UgViUa9Xnd1tdvuQlJOn2oRtWDx9HgX2sUOq8dQOT9JtpP87Whu1ow748\
9lTP7u6G4IvcMk+TulCG09kYMW0Zpx+E1xQsOygQa6Y9vT6Idu6Hi32iplyVHjbRH2jWT/FPYenCK2Hk=\n\
PublicExponent: AQAB\n\
PrivateExponent: kNwQ75kMYCmJPbooLg3xytclZaYJSLcXypI8JiojIuFesyBWNGBo+SlD7ukdC0wbDbmWsgDXhgsCv0udEWt\
jQSsISq3xrEipaB6XCY4C6i3eddo2rONzVx0Su+8zXHXnRYf591z2pyUbp26yc1XjWMXuzfDtTVUACsyiC64udIU=\n\
Prime1: /HREiu6RFXSEATn0gazcN2CVB/fmwAHb6yysUJuY0XFCEYe16ErL9s8Nqo2danvddNIyFuASMC8nGeayMrH5Vw==\n\
Prime2: 78gyuJUDWhp8CafF19OZJLqjbMeHoDUp6x0EFoII0Oml3qVkG0EHObc73GaH5L7rysT/fhcQEHrTbIc6CXwKrw==\n\
Exponent1: eliakz4039H8219L6MBuZQQQlbEFik4cV2fqBpKxx+b8nuRHO1Fscas8s0g4Xs+yrpfjoIRtLB7d80aDW+A2tw==\n\
Exponent2: RLBfB014tlkb61Aqdtdg6YqlwkWubpCMP5QCVchOajpkj9FlSgFo5nm9Jjgg+cBPn7irUB2fNnlZE5/xWkI0dQ==\n\
Coefficient: y+0vUQOWNktkqob7vYJFYFkVlttCGgbJbtLWc136NA0NXZHoQ0E0qF0czy3ouedb2TRFxuOjkcJVmniU8APaSQ=\
=\n\
Created: 20261123092205\n\
Publish: 20261123092205\n\
Activate: 20261123092205\n\
";
const REVOKED_KEY: &str = "\
; This is a revoked key-signing key, keyid 19832, for .\n\
; Created: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
; Publish: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
; Activate: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
; Revoke: 20261123091533 (Mon Nov 23 09:15:33 2026)\n\
. IN DNSKEY 385 3 15 Hd0LkFMv4fG0AKDpRkh2+2GKEYrAeb7fSRsuw+0EgNo=\n\
";
const REVOKED_PRIVATE: &str = "\
Private-key-format: v1.3\n\
Algorithm: 15 (ED25519)\n\
PrivateKey: +lcBeCpRt/k2u2Jxztud034FhB0+sfxmS7SQ3xJDq7A=\n\
Created: 20261123091533\n\
Publish: 20261123091533\n\
Activate: 20261123091533\n\
Revoke: 20261123091533\n\
";

const SETS: [(&str, &str, &str); 3] = [
    ("Kexample.+013+14420", ECDSA_KEY, ECDSA_PRIVATE),
    ("Kexample.+008+51433", RSA_KEY, RSA_PRIVATE),
    ("K.+015+19832", REVOKED_KEY, REVOKED_PRIVATE),
];

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (base, public, private) in SETS {
        fs::write(directory.path().join(format!("{base}.key")), public).unwrap();
        fs::write(directory.path().join(format!("{base}.private")), private).unwrap();
    }
    directory
}

fn public(text: &str) -> Result<PublicKeyFile, KeyFileError> {
    PublicKeyFile::parse(text.as_bytes(), Path::new("K"))
}

fn private(text: &str) -> Result<PrivateKeyFile, KeyFileError> {
    let dnskey = public(ECDSA_KEY).unwrap().dnskey;
    PrivateKeyFile::parse(text.as_bytes(), &dnskey, Path::new("K"))
}

fn fault(error: KeyFileError) -> (u32, KeyFileFault) {
    match error {
        KeyFileError::Syntax { line, fault, .. } => (line, fault),
        other => unreachable!("{other}"),
    }
}

#[test]
fn files_of_bind_are_read_and_written_byte_for_byte() {
    let from = directory();
    let to = tempfile::tempdir().unwrap();
    for (base, public, private) in SETS {
        for ending in ["", ".key", ".private"] {
            let files = KeyFiles::read(from.path(), Path::new(&format!("{base}{ending}"))).unwrap();
            assert_eq!(files.name().to_string(), base);
        }
        let files = KeyFiles::read(from.path(), Path::new(base)).unwrap();
        assert_eq!(files.write(to.path()).unwrap().to_string(), base);
        let written = |ending: &str| {
            let path = to.path().join(format!("{base}{ending}"));
            let mode = path.metadata().unwrap().permissions().mode();
            (fs::read_to_string(path).unwrap(), mode & 0o077)
        };
        assert_eq!(written(".key").0, public);
        assert_eq!(written(".private"), (private.to_string(), 0));
    }
    assert_eq!(to.path().read_dir().unwrap().count(), 6);
}

#[test]
fn a_directory_is_searched_by_origin() {
    let directory = directory();
    let example: Name = "EXAMPLE.".parse().unwrap();
    let tags = |origin: NameRef<'_>| -> Vec<_> {
        let found = KeyFiles::scan(directory.path(), origin).unwrap();
        found.iter().map(|files| files.name().tag).collect()
    };
    assert_eq!(tags(example.borrow()), [51433, 14420]);
    assert_eq!(tags(NameRef::ROOT), [19832]);
    let other: Name = "le.".parse().unwrap();
    assert_eq!(tags(other.borrow()), [0; 0]);

    let missing = Path::new("Kexample.+013+00001");
    assert!(matches!(
        KeyFiles::read(directory.path(), missing),
        Err(KeyFileError::Io(Error::Io { path, .. })) if path.ends_with("Kexample.+013+00001.key")
    ));
    fs::write(directory.path().join("Kexample.+013+00001.private"), ECDSA_PRIVATE).unwrap();
    assert!(KeyFiles::scan(directory.path(), example.borrow()).is_err());

    let nowhere = directory.path().join("none");
    let read = KeyFiles::read(directory.path(), Path::new("Kexample.+013+14420")).unwrap();
    assert!(matches!(
        (KeyFiles::scan(&nowhere, example.borrow()), read.write(&nowhere)),
        (Err(KeyFileError::NoDirectory(one)), Err(KeyFileError::NoDirectory(other))) if one == nowhere && other == nowhere
    ));
}

#[test]
fn dates_come_from_the_private_file_or_else_the_comments() {
    let directory = directory();
    let base = Path::new("Kexample.+013+14420");
    let both = KeyFiles::read(directory.path(), base).unwrap();
    assert_eq!(both.times().created, Some(1_795_425_333));
    assert_eq!(both.times().activate, Some(1_795_511_733));
    assert_eq!(both.times().revoke, None);
    assert_eq!(both.public.ttl, Some(3600));
    fs::remove_file(directory.path().join("Kexample.+013+14420.private")).unwrap();
    let public = KeyFiles::read(directory.path(), base).unwrap();
    assert!(public.private.is_none());
    assert_eq!(public.times(), both.times());
}

#[test]
fn nothing_is_overwritten_and_tags_do_not_collide() {
    let directory = directory();
    let files = KeyFiles::read(directory.path(), Path::new("Kexample.+013+14420")).unwrap();
    let collides = |files: &KeyFiles| match files.write(directory.path()) {
        Err(KeyFileError::Collision { existing, .. }) => existing.to_string(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(collides(&files), "Kexample.+013+14420");
    // The same key with the REVOKE bit has the tag that the first one would get.
    let mut revoked = files.clone();
    revoked.public.dnskey = files.public.dnskey.revoked();
    assert_ne!(revoked.name(), files.name());
    assert_eq!(collides(&revoked), "Kexample.+013+14420");
    // A private file alone occupies its name too.
    fs::remove_file(directory.path().join("Kexample.+013+14420.key")).unwrap();
    assert_eq!(collides(&files), "Kexample.+013+14420");
    // Another owner or algorithm is another matter.
    let mut elsewhere = files.clone();
    elsewhere.public.owner = "other.".parse().unwrap();
    elsewhere.write(directory.path()).unwrap();
    assert_eq!(
        fs::read_to_string(directory.path().join("Kexample.+013+14420.private")).unwrap(),
        ECDSA_PRIVATE
    );
}

#[test]
fn halves_must_be_of_one_key() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    let read = |base: &str| match KeyFiles::read(directory.path(), Path::new(base)) {
        Err(KeyFileError::Mismatch { mismatch, .. }) => mismatch,
        other => unreachable!("{other:?}"),
    };
    fs::copy(path("K.+015+19832.key"), path("K.+015+00001.key")).unwrap();
    assert!(matches!(
        read("K.+015+00001"),
        KeyMismatch::Tag { named: 1, found: 19832 }
    ));
    fs::copy(path("K.+015+19832.key"), path("K.+013+19832.key")).unwrap();
    assert!(matches!(read("K.+013+19832"), KeyMismatch::Algorithm { .. }));
    fs::copy(path("K.+015+19832.key"), path("Kcom.+015+19832.key")).unwrap();
    assert!(matches!(read("Kcom.+015+19832"), KeyMismatch::Owner { .. }));
    fs::copy(path("K.+015+19832.private"), path("Kexample.+013+14420.private")).unwrap();
    assert!(matches!(read("Kexample.+013+14420"), KeyMismatch::Algorithm { .. }));
    let other = RSA_PRIVATE.replace("PublicExponent: AQAB", "PublicExponent: Aw==");
    fs::write(path("Kexample.+008+51433.private"), other).unwrap();
    assert_eq!(read("Kexample.+008+51433"), KeyMismatch::Number("PublicExponent"));
    // Letter case is of no account.
    let record = fs::read_to_string(path("Kexample.+008+51433.key")).unwrap();
    fs::write(
        path("Kexample.+008+51433.key"),
        record.replace("example. IN", "EXample. IN"),
    )
    .unwrap();
    assert_eq!(read("Kexample.+008+51433"), KeyMismatch::Number("PublicExponent"));
    // A file under any other name is taken for what it holds.
    fs::copy(path("K.+015+19832.key"), path("my-key.key")).unwrap();
    let files = KeyFiles::read(directory.path(), &path("my-key")).unwrap();
    assert_eq!(files.name().to_string(), "K.+015+19832");
}

#[test]
fn any_layout_of_the_record_is_read() {
    let record = ECDSA_KEY.lines().last().unwrap();
    let digits = record.split(' ').skip(7).collect::<Vec<_>>();
    let expected = public(ECDSA_KEY).unwrap();
    for text in [
        format!(
            "example.\t3600\tIN DNSKEY (256 3 ECDSAP256SHA256 ; comment\n\t{}\n\t{} )",
            digits[0], digits[1]
        ),
        format!("$ORIGIN .\n$TTL 1h\nexample IN DNSKEY 256 3 13 {}", digits.concat()),
    ] {
        let found = public(&text).unwrap();
        assert_eq!((&found.owner, &found.dnskey), (&expected.owner, &expected.dnskey));
        assert_eq!((found.ttl, found.times), (Some(3600), KeyTimes::default()));
    }
    assert_eq!(public(RSA_KEY).unwrap().ttl, None);
    assert_eq!(fault(public("").unwrap_err()), (1, KeyFileFault::NoKey));
    let twice = format!("{record}\n{record}\n");
    assert_eq!(fault(public(&twice).unwrap_err()), (2, KeyFileFault::SecondRecord));
    let other = fault(public("x. 1 IN KEY 256 3 13 AAAA").unwrap_err()).1;
    assert!(matches!(other, KeyFileFault::OtherType(_)));
    assert!(matches!(
        fault(public("x. 1 IN DNSKEY 256").unwrap_err()),
        (1, KeyFileFault::Text(_))
    ));
}

#[test]
fn labels_of_tokens_go_both_ways() {
    let label = "pkcs11:token=T;object=zsk";
    for (key, algorithm) in [(ECDSA_KEY, 13), (RSA_KEY, 8)] {
        let public = public(key).unwrap();
        let half = PrivateHalf::Token(TokenLabel {
            engine: Some("pkcs11".to_string()),
            label: label.to_string().into(),
        });
        let files = KeyFiles::new(public.owner, None, public.dnskey.clone(), public.times, half);
        let text = files.private.unwrap().text(&public.dnskey).unwrap();
        let text = std::str::from_utf8(&text).unwrap();
        assert!(text.contains("\nEngine: cGtjczExAA==\nLabel: cGtjczExOnRva2VuPVQ7b2JqZWN0PXpzawA=\nCreated: "));
        assert_eq!(text.contains("Modulus"), algorithm == 8);
        let read = PrivateKeyFile::parse(text.as_bytes(), &public.dnskey, Path::new("K")).unwrap();
        assert!(matches!(read.half, PrivateHalf::Token(token) if *token.label == label));
    }
    // BIND 9.18 with a private key of no meaning; no engine; no trailing NUL.
    let head = "Private-key-format: v1.3\nAlgorithm: 13 (X)\n";
    let read = private(&format!("{head}PrivateKey: AQ==\nLabel: cGtjczExOmE=\n")).unwrap();
    let PrivateHalf::Token(token) = read.half else {
        unreachable!("there is a label");
    };
    assert_eq!((&**token.label, token.engine), ("pkcs11:a", None));
    let error = private(&format!("{head}Engine: cGtjczExAA==\n")).unwrap_err();
    assert_eq!(fault(error).1, KeyFileFault::Missing("Label"));
    assert!(matches!(
        private(&format!("{head}External:\n")).unwrap().half,
        PrivateHalf::External
    ));
}

#[test]
fn short_scalars_are_filled_up_and_written_short() {
    let text = "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: /w==\n";
    let file = private(text).unwrap();
    let PrivateHalf::Fields(PrivateKeyFields::Scalar(scalar)) = &file.half else {
        unreachable!("there is a scalar");
    };
    assert_eq!((scalar.len(), scalar[0], scalar[31]), (32, 0, 0xff));
    let dnskey = public(ECDSA_KEY).unwrap().dnskey;
    assert_eq!(file.text(&dnskey).unwrap().as_slice(), text.as_bytes());
}

#[test]
fn versions_decide_what_unknown_tags_and_dates_mean() {
    let body =
        "Algorithm: 13 (ECDSAP256SHA256)\nPrivateKey: /w==\nPredecessor: 7\nmaxttl: 60\nCreated: 20261123091533\n";
    let file = private(&format!("Private-key-format: v1.3\n{body}")).unwrap();
    assert_eq!((file.numbers.predecessor, file.numbers.max_ttl), (Some(7), Some(60)));
    assert_eq!(file.times.created, Some(1_795_425_333));
    let legacy = private(&format!("Private-key-format: v1.2\n{body}")).unwrap();
    assert_eq!((legacy.format, legacy.times), (KeyFileFormat::Legacy, KeyTimes::ALWAYS));
    let dnskey = public(ECDSA_KEY).unwrap().dnskey;
    let text = legacy.text(&dnskey).unwrap();
    assert!(text.starts_with(b"Private-key-format: v1.2\n") && text.ends_with(b"PrivateKey: /w==\n"));
    let newer = private(&format!("Private-key-format: v1.4\n{body}Secret: x\n")).unwrap();
    assert_eq!(newer.format, KeyFileFormat::Newer(4));
    assert!(newer.text(&dnskey).is_none());
    for (text, line, expected) in [
        (format!("Private-key-format: v2.0\n{body}"), 1, KeyFileFault::Major(2)),
        (body.to_string(), 1, KeyFileFault::NoFormat),
        (
            format!("Private-key-format: v1.3\n{body}Secret: x\n"),
            7,
            KeyFileFault::UnknownTag("Secret".into()),
        ),
        (
            format!("Private-key-format: v1.3\n{body}Modulus: AQ==\n"),
            7,
            KeyFileFault::UnknownTag("Modulus".into()),
        ),
        (
            format!("Private-key-format: v1.3\n{body}Created: 20261123091533\n"),
            7,
            KeyFileFault::Repeated("Created"),
        ),
        (
            format!("Private-key-format: v1.3\n{body}Publish: 2026\n"),
            7,
            KeyFileFault::Time("Publish"),
        ),
        (format!("Private-key-format: v1.3\n{body}x\n"), 7, KeyFileFault::NoTag),
    ] {
        assert_eq!(fault(private(&text).unwrap_err()), (line, expected));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let directory = directory();
    for (base, _, text) in SETS {
        let files = KeyFiles::read(directory.path(), Path::new(base)).unwrap();
        let shown = format!("{files:?}");
        assert!(shown.contains("private"), "{shown}");
        for line in text
            .lines()
            .filter(|line| line.contains("Pri") && !line.contains("format"))
        {
            let secret = line.split_once(": ").unwrap().1;
            assert!(!shown.contains(&secret[..8]));
        }
    }
    let token = TokenLabel {
        engine: None,
        label: "pkcs11:object=x?pin-value=1234".to_string().into(),
    };
    assert!(!format!("{token:?}").contains("1234"));
    let broken = ECDSA_PRIVATE.replace("PrivateKey: ", "PrivateKey: *");
    let message = private(&broken).unwrap_err().to_string();
    assert_eq!(message, "K:3: the value of `PrivateKey` is not base64");
    assert_eq!(public(REVOKED_KEY).unwrap().dnskey.algorithm(), Algorithm::ED25519);
}
