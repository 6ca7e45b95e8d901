//! Keys on disk brought onto tokens, bare and wrapped; keys of a token backed up and restored. Each signs a zone afterwards.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use signet_tests::judges::dnssec_verify;
use signet_tests::zones::leaf;
use signet_tests::{Faulty, Key, Role, Run, Scratch, Signet, Token, with_openssl};

use crate::providers::provider::Provider;

/// Signs a zone with what the key files say, on a token, and has BIND judge it.
fn signs(lend: impl Fn(Signet) -> Signet, scratch: &Scratch, keys: &[&Key]) {
    let zone = leaf(10);
    let (file, out) = (zone.write(scratch, &[]), scratch.path("signed"));
    let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder()).keys(keys);
    lend(sign).run().succeeds();
    dnssec_verify(&out, &zone.origin, &[]).succeeds();
}

fn import(lend: impl Fn(Signet) -> Signet, key: &Key, label: &str, words: &[&str]) -> Run {
    let signet = Signet::new("key import --label").arg(label).args(words);
    lend(signet.arg(key.private_file())).run()
}

fn private_text(key: &Key) -> String {
    std::fs::read_to_string(key.private_file()).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_on_disk_comes_onto_a_token_with_every_algorithm() {
    let token = Token::default();
    for algorithm in [
        "RSASHA256",
        "RSASHA512",
        "ECDSAP256SHA256",
        "ECDSAP384SHA384",
        "ED25519",
        "ED448",
    ] {
        if algorithm == "ED448" && !with_openssl() {
            continue;
        }
        let scratch = Scratch::new();
        let keys = [Role::Ksk, Role::Zsk].map(|role| {
            let key = Key::by_bind("leaf.test.", algorithm, role, scratch.folder());
            let label = format!("{algorithm}-{role:?}");
            let before = private_text(&key);
            // Without --rewrite the file stays, and is warned of.
            let words: &[&str] = if role == Role::Ksk { &[] } else { &["--rewrite"] };
            let run = import(|signet| signet.on(&token), &key, &label, words);
            run.succeeds()
                .says(&["TOKEN", "SENSITIVE, !EXTRACTABLE", "C_CreateObject", "proven"]);
            assert_eq!(run.stdout.trim(), key.base_name());
            if role == Role::Ksk {
                run.says(&["holds the private key still"]);
                assert_eq!(private_text(&key), before);
            }
            let again = import(|signet| signet.on(&token), &key, "second", words);
            again.exits(1);
            key
        });
        let ksk = &keys[0];
        // The other way to make the files say where the key is.
        for name in [ksk.public_file(), ksk.private_file()] {
            std::fs::remove_file(name).unwrap();
        }
        Signet::new("key from-label leaf.test. -f KSK -a")
            .args([algorithm, "-l", &format!("{algorithm}-Ksk"), "-K"])
            .arg(scratch.folder())
            .on(&token)
            .run()
            .succeeds();
        for key in &keys {
            let text = private_text(key);
            assert!(text.contains("\nLabel: "), "{text}");
            assert!(!text.contains("PrivateKey:") && !text.contains("PrivateExponent:"));
            assert_eq!(mode(&key.private_file()), 0o600);
        }
        signs(|signet| signet.on(&token), &scratch, &[&keys[0], &keys[1]]);
    }
}

#[test]
fn a_token_that_refuses_bare_secrets_gets_them_wrapped() {
    for (algorithm, way) in [
        ("RSASHA256", Some("C_UnwrapKey with CKM_AES_KEY_WRAP_PAD")),
        ("ECDSAP256SHA256", Some("C_UnwrapKey with CKM_AES_KEY_WRAP_PAD")),
        ("ECDSAP384SHA384", Some("C_UnwrapKey with CKM_AES_KEY_WRAP_PAD")),
        // SoftHSM unwraps no such keys.
        ("ED25519", None),
    ] {
        let (scratch, token) = (Scratch::new(), Token::default());
        let keys = [Role::Ksk, Role::Zsk].map(|role| Key::by_bind("leaf.test.", algorithm, role, scratch.folder()));
        let objects = || token.pkcs11_tool(&["--list-objects"]).stdout;
        for key in &keys {
            let faulty = Faulty::new("C_CreateObject 1 answer 0x1b");
            let lend = |signet: Signet| signet.envs(token.faulty_environment(&faulty));
            let run = import(lend, key, key.base_name(), &["--rewrite"]);
            match way {
                Some(way) => run.succeeds().says(&["SENSITIVE, !EXTRACTABLE", way]),
                None => run
                    .exits(3)
                    .says(&["takes no private keys from outside", "C_CreateObject", "C_UnwrapKey"]),
            };
            assert_eq!(faulty.fired(), 1);
        }
        match way {
            Some(_) => signs(|signet| signet.on(&token), &scratch, &[&keys[0], &keys[1]]),
            None => assert!(!objects().contains("Object"), "{}", objects()),
        }
        assert!(!objects().contains("Secret Key"), "the temporary key stayed");
    }
}

#[test]
fn what_cannot_be_brought_is_refused() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let lend = |signet: Signet| signet.on(&token);
    let key = Key::on_token_labelled(&token, "leaf.test.", "ED25519", Role::Zsk, scratch.folder(), "here");
    import(lend, &key, "x", &[]).exits(1).says(&["holds no private key"]);
    let disk = Key::on_disk("leaf.test.", "ED25519", Role::Zsk, scratch.folder());
    import(lend, &disk, "here", &[])
        .exits(3)
        .says(&["already holds", "'here'"]);
    import(lend, &disk, "x", &["-P", "now"]).exits(2).says(&["key times"]);
    import(lend, &disk, "x", &["--extractable"])
        .exits(2)
        .says(&["--insist"]);
    let public = Signet::new("key import -l x").arg(disk.public_file());
    public.on(&token).run().exits(2).says(&["K*.private"]);
    // Halves that are not of one key.
    let other = Key::on_disk("other.test.", "ED25519", Role::Zsk, scratch.folder());
    let before = private_text(&disk);
    std::fs::write(disk.private_file(), private_text(&other)).unwrap();
    import(lend, &disk, "x", &[]).exits(1);
    std::fs::write(disk.private_file(), before).unwrap();
    // A token that does not seal the key does not keep it.
    let count = || token.pkcs11_tool(&["--list-objects"]).stdout.matches("Object;").count();
    let there = count();
    let faulty = Faulty::new("C_Sign * signature wrong");
    let through = |signet: Signet| signet.envs(token.faulty_environment(&faulty));
    import(through, &disk, "x", &["--rewrite"]).exits(3);
    assert_eq!(count(), there, "a key that was not proven stayed");
    assert!(private_text(&disk).contains("PrivateKey:"));
}

fn backup(lend: impl Fn(Signet) -> Signet, label: &str, by: &str, file: &Path) -> Run {
    let signet = Signet::new("key backup").args(["-l", label, "--wrap-with", by, "-f"]);
    lend(signet.arg(file)).run()
}

fn restore(lend: impl Fn(Signet) -> Signet, file: &Path, words: &[&str]) -> Run {
    lend(Signet::new("key restore").args(words).arg(file)).run()
}

#[test]
fn a_key_is_backed_up_and_comes_back() {
    let token = Token::default();
    token.import_aes(token.label(), &[7; 32], "backup");
    token.initialise("spare");
    token.import_aes("spare", &[7; 32], "vault");
    token.initialise("stranger");
    token.import_aes("stranger", &[8; 32], "backup");
    let lend = |signet: Signet| signet.on(&token);
    for algorithm in ["ECDSAP256SHA256", "ECDSAP384SHA384", "RSASHA256"] {
        let scratch = Scratch::new();
        let log = scratch.path("audit");
        let audited = |signet: Signet| lend(signet).env("SIGNET_AUDIT", &log);
        let keys = [(Role::Ksk, &["-f", "KSK"][..]), (Role::Zsk, &[])].map(|(role, flags)| {
            let made = Signet::new("key generate leaf.test. --extractable --insist -a")
                .args([algorithm, "-l", &format!("{algorithm}-{role:?}"), "-K"])
                .arg(scratch.folder())
                .args(flags);
            let made = lend(made).run();
            made.succeeds().says(&["SENSITIVE, EXTRACTABLE"]);
            Key::existing(scratch.folder(), &made.stdout)
        });
        for (key, role) in keys.iter().zip(["Ksk", "Zsk"]) {
            let (label, file) = (format!("{algorithm}-{role}"), scratch.path(role));
            let made = backup(audited, &label, "backup", &file);
            made.succeeds().says(&["CKM_AES_KEY_WRAP_PAD", "fingerprint"]);
            assert_eq!(mode(&file), 0o600);
            backup(lend, &label, "backup", &file).exits(1).says(&["there already"]);
            restore(lend, &file, &[]).exits(1).says(&["already", &label]);
            // Another token with the same AES key, under another name.
            let there = ["--token", "spare", "--wrap-with", "vault"];
            restore(lend, &file, &there)
                .succeeds()
                .says(&["SENSITIVE, !EXTRACTABLE", "proven"]);
            restore(lend, &file, &["--token", "stranger"])
                .exits(3)
                .says(&["C_UnwrapKey"]);
            restore(lend, &file, &["--token", "spare", "-l", "twice"])
                .exits(1)
                .says(&["already"]);
            let gone = Signet::new("key destroy --yes -l").arg(&label);
            lend(gone).run().succeeds();
            restore(audited, &file, &[]).succeeds().says(&["proven"]);
            let text = scratch.read(role);
            std::fs::write(&file, text.replacen("\"label\": \"", "\"label\": \"x", 1)).unwrap();
            restore(lend, &file, &[]).exits(1).says(&["damaged"]);
            std::fs::write(&file, &text[..200]).unwrap();
            restore(lend, &file, &[]).exits(1).says(&["no backup"]);
            assert!(!text.contains(token.pin()) && key.private_file().exists());
        }
        // The key files of old name the keys that came back.
        signs(lend, &scratch, &[&keys[0], &keys[1]]);
        let audit = scratch.read("audit");
        for event in ["backed-up", "restored"] {
            assert!(audit.contains(&format!("\"event\":\"{event}\"")), "{event}: {audit}");
        }
        Signet::new("audit verify").arg(&log).run().succeeds();
    }
    let stranger = Signet::new("key list --token stranger");
    let listed = lend(stranger).run();
    assert!(
        !listed.stdout.contains("ECDSA") && !listed.stdout.contains("RSA"),
        "{listed:?}"
    );
}

#[test]
fn a_key_that_may_not_leave_is_not_backed_up() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let lend = |signet: Signet| signet.on(&token);
    let file = scratch.path("backup");
    let make = |label: &str, algorithm: &str, words: &[&str]| {
        let signet = Signet::new("key generate leaf.test. -l").args([label, "-a", algorithm]);
        let run = lend(signet.args(words).folder(scratch.folder())).run();
        run.succeeds();
    };
    make("sealed", "ECDSAP256SHA256", &[]);
    make("open", "ECDSAP256SHA256", &["--extractable", "--insist"]);
    make("edwards", "ED25519", &["--extractable", "--insist"]);
    backup(lend, "open", "backup", &file)
        .exits(3)
        .says(&["0 AES keys", "'backup'"]);
    token.import_aes(token.label(), &[7; 32], "backup");
    backup(lend, "sealed", "backup", &file)
        .exits(3)
        .says(&["CKA_EXTRACTABLE is false", "cannot be backed up"]);
    backup(lend, "edwards", "backup", &file)
        .exits(3)
        .says(&["does not wrap keys of its type", "CKR_KEY_NOT_WRAPPABLE"]);
    let faulty = Faulty::new("C_WrapKey * answer 0x70");
    let through = |signet: Signet| signet.envs(token.faulty_environment(&faulty));
    backup(through, "open", "backup", &file).exits(3).says(&[
        "wraps by none",
        "CKM_AES_KEY_WRAP_KWP",
        "CKR_MECHANISM_INVALID",
    ]);
    assert_eq!(faulty.fired(), 3);
    assert!(!file.exists());
}

#[test]
fn kryoptic_takes_keys_and_gives_backups() {
    let provider = Provider::ready("Kryoptic");
    let lend = |signet: Signet| provider.lend(signet);
    let made = provider.pkcs11_tool(&[
        "--keygen",
        "--key-type",
        "AES:32",
        "--label",
        "backup",
        "--usage-wrap",
        "--extractable",
    ]);
    made.succeeds();
    for algorithm in ["ECDSAP256SHA256", "ECDSAP384SHA384", "RSASHA256"] {
        let scratch = Scratch::new();
        let keys = [Role::Ksk, Role::Zsk].map(|role| {
            let key = Key::by_bind("leaf.test.", algorithm, role, scratch.folder());
            let words = ["--rewrite", "--extractable", "--insist"];
            let run = import(lend, &key, key.base_name(), &words);
            run.succeeds().says(&["SENSITIVE, EXTRACTABLE", "C_CreateObject"]);
            let file = scratch.path(&format!("{role:?}"));
            let run = backup(lend, key.base_name(), "backup", &file);
            run.succeeds().says(&["CKM_AES_KEY_WRAP_KWP"]);
            lend(Signet::new("key destroy --yes -l").arg(key.base_name()))
                .run()
                .succeeds();
            restore(lend, &file, &[]).succeeds().says(&["SENSITIVE, !EXTRACTABLE"]);
            key
        });
        signs(lend, &scratch, &[&keys[0], &keys[1]]);
    }
    for algorithm in ["ECDSAP256SHA256", "ECDSAP384SHA384", "RSASHA256"] {
        let scratch = Scratch::new();
        let key = Key::by_bind("leaf.test.", algorithm, Role::Zsk, scratch.folder());
        let faulty = Faulty::new("C_CreateObject 1 answer 0x1b");
        let lend = |signet: Signet| provider.lend_through(signet, &faulty);
        import(lend, &key, key.base_name(), &[])
            .succeeds()
            .says(&["C_UnwrapKey with CKM_AES_KEY_WRAP_KWP", "SENSITIVE, !EXTRACTABLE"]);
    }
}
