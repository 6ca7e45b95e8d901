//! How libraries and keys are named: every form of a URI that RFC 7512 and BIND's documentation have, and what is said where
//! nothing, or too much, is meant.

use signet_tests::{Key, Run, Scratch, Signet, Token, module};

/// A label with what a URI has to write in percents.
const LABEL: &str = "a;b%c/\u{fc} key";

/// A token with two keys, of which one has that label.
struct Two {
    token: Token,
    scratch: Scratch,
}

impl Two {
    fn new() -> Self {
        let token = Token::default();
        let make = |label: &str, id: &str| {
            let make = [
                "--keypairgen",
                "--key-type",
                "EC:prime256v1",
                "--label",
                label,
                "--id",
                id,
            ];
            token.pkcs11_tool(&make).succeeds();
        };
        make(LABEL, "01ff");
        make("ksk-2024", "02");
        Self {
            token,
            scratch: Scratch::new(),
        }
    }

    /// Adopts the key that this names, with nothing of the token known but what is kept of its environment.
    fn adopt(&self, uri: &str, kept: &[&str]) -> Run {
        let mut environment = self.token.environment();
        environment.retain(|(name, _)| *name == "SOFTHSM2_CONF" || kept.contains(name));
        let signet = Signet::new("key from-label finding.test. -l").arg(uri).arg("-K");
        signet.arg(self.scratch.folder()).envs(environment).run()
    }

    /// The public key that was adopted by this name; its files are taken away.
    fn found(&self, uri: &str, kept: &[&str]) -> String {
        let run = self.adopt(uri, kept);
        run.succeeds();
        let key = Key::existing(self.scratch.folder(), &run.stdout);
        let record = key.record();
        for file in [key.public_file(), key.private_file()] {
            std::fs::remove_file(file).unwrap();
        }
        record.split_whitespace().last().unwrap().to_owned()
    }
}

const ALL: &[&str] = &["PKCS11_PROVIDER", "SIGNET_TOKEN", "SIGNET_PIN_SOURCE"];

#[test]
fn every_form_of_a_name_finds_the_same_key() {
    let two = Two::new();
    let object = "object=a%3Bb%25c%2F%C3%BC%20key";
    let list = Signet::new("token list --json").on(&two.token).run();
    let list: serde_json::Value = serde_json::from_str(&list.succeeds().stdout).unwrap();
    let (slot, serial) = (
        &list["tokens"][0]["slot"],
        list["tokens"][0]["serial"].as_str().unwrap(),
    );
    let (pin_file, library) = (two.token.pin_file(), module());
    let (pin_file, library) = (pin_file.display(), library.display());
    // One after the other: they write the same files.
    let wanted = two.found(&format!("pkcs11:{object}"), ALL);
    for uri in [
        format!("{object};id=%01%FF"),
        "pkcs11:id=%01%ff;type=private".to_owned(),
        format!("pkcs11:token=suite;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;{object}"),
        format!("pkcs11:slot-id={slot};{object}?x-vendor=1"),
        format!("pkcs11:serial={serial};{object}"),
    ] {
        assert_eq!(two.found(&uri, ALL), wanted, "{uri}");
    }
    // The PIN's source, as a query attribute and in the path as BIND has it, as a URI and as a path; the library, too.
    for uri in [
        format!("pkcs11:token=suite;{object}?pin-source=file:{pin_file}"),
        format!("pkcs11:token=suite;{object};pin-source={pin_file}"),
        format!("token=suite;{object};pin-source=file:{pin_file}"),
    ] {
        assert_eq!(two.found(&uri, &["PKCS11_PROVIDER"]), wanted, "{uri}");
        let uri = format!(
            "{uri}{}module-path={library}",
            if uri.contains('?') { "&" } else { "?" }
        );
        assert_eq!(two.found(&uri, &[]), wanted, "{uri}");
    }
    // The other one by its bare label.
    let other = two.found("ksk-2024", ALL);
    assert_ne!(other, wanted);
    assert_eq!(two.found("pkcs11:object=ksk-2024", ALL), other);
    // Accepted, and warned about.
    let typed = format!("pkcs11:token=suite;id=%02?pin-value={}", two.token.pin());
    let run = two.adopt(&typed, &["PKCS11_PROVIDER"]);
    run.succeeds().says(&["pin-value", "--pin-source"]);
}

#[test]
fn what_names_nothing_or_too_much_is_refused() {
    let two = Two::new();
    for (uri, said) in [
        ("pkcs11:object=a;object=b", "given twice"),
        ("pkcs11:object=ksk-2024?pin-source=a&pin-source=b", "given twice"),
        ("pkcs11:object=100%", "%25"),
        ("pkcs11:module-path=/p.so;object=ksk-2024", "no such attribute"),
        ("pkcs11:token=suite", "names no key"),
    ] {
        two.adopt(uri, ALL).exits(2).says(&[said]);
    }
    // What resembles it is named: by the label, by the id.
    two.adopt("ksk-2025", ALL).exits(3).says(&["ksk-2024"]);
    two.adopt("pkcs11:object=none;id=%02", ALL).exits(3).says(&["ksk-2024"]);
    two.adopt("pkcs11:token=sweet;object=ksk-2024", ALL)
        .exits(3)
        .says(&["sweet", "suite"]);
    assert!(two.scratch.listing(".").is_empty());
}

#[test]
fn where_no_library_is_named_those_that_are_there_are() {
    let run = Signet::new("token list").run();
    run.exits(2).says(&["--module", "PKCS11_PROVIDER", "signet.toml"]);
    // Debian's SoftHSM is on every machine that these tests run on.
    run.says(&["this machine has", "libsofthsm2.so"]);
}

#[test]
fn a_library_that_lacks_another_is_told_so() {
    let scratch = Scratch::new();
    let mut bytes = std::fs::read(module()).unwrap();
    // The name of a library that it needs becomes one that nobody has, of the same length.
    let (there, absent) = (b"libstdc++.so", b"libabsent.so");
    let places: Vec<usize> = (0..bytes.len() - there.len())
        .filter(|at| bytes[*at..].starts_with(there))
        .collect();
    assert!(!places.is_empty(), "SoftHSM needs no C++ any more");
    for at in places {
        bytes[at..at + absent.len()].copy_from_slice(absent);
    }
    let library = scratch.write("lacking.so", bytes);
    let list = Signet::new("token list -m").arg(&library).run();
    list.exits(3).says(&["lacking.so", "libabsent.so"]);
}
