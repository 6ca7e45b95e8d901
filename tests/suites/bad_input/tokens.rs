//! Modules, tokens, PINs and token keys that are not what they should be.

use std::os::unix::fs::PermissionsExt;

use signet_tests::{Key, Role, Signet, Token, module};

use crate::signing::{Pair, Place};

use super::Desk;

/// A desk whose key files point to keys on a token.
fn with_token_keys(algorithm: &str) -> (Desk, Token, Pair) {
    let (desk, token) = (Desk::new(), Token::default());
    let pair = Pair::generate(&token, &desk.zone.origin, algorithm, Place::Token, &desk.keys());
    (desk, token, pair)
}

/// The label that the key was made with.
fn label_of(role: Role) -> String {
    format!("leaf.test-ecdsap256sha256-{role:?}")
}

/// Removes both halves of a key from the token.
fn delete(token: &Token, label: &str) {
    for kind in ["privkey", "pubkey"] {
        token
            .pkcs11_tool(&["--delete-object", "--type", kind, "--label", label])
            .succeeds();
    }
}

fn generate(token: &Token, kind: &str, label: &str) {
    token
        .pkcs11_tool(&["--keypairgen", "--key-type", kind, "--label", label])
        .succeeds();
}

#[test]
fn a_wrong_pin_is_tried_once_whatever_the_sessions() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let wrong = desk.scratch.write("wrong-pin", "not-the-pin\n");
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    let log = desk.scratch.write("spy.log", "");
    let sign = desk
        .sign()
        .keys(&pair.both())
        .args(["--sessions", "8", "--threads", "2"])
        .envs(token.spied_environment(&log))
        .env("SIGNET_PIN_SOURCE", format!("file:{}", wrong.display()));
    let run = desk.refuses(sign, 3, &["PIN", "CKR_PIN_INCORRECT", "once", token.label()]);
    assert!(!run.output().contains("not-the-pin"), "{run:?}");
    let calls = desk.scratch.read("spy.log");
    assert_eq!(calls.matches(": C_Login").count(), 1, "login attempts: {calls}");
    // The token is not locked: the right PIN still works.
    desk.sign().keys(&pair.both()).on(&token).run().succeeds();
}

#[test]
fn a_right_pin_is_tried_once_whatever_the_sessions() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let log = desk.scratch.write("spy.log", "");
    let sign = desk.sign().keys(&pair.both()).args(["--sessions", "8"]);
    sign.envs(token.spied_environment(&log)).run().succeeds();
    let calls = desk.scratch.read("spy.log");
    assert_eq!(calls.matches(": C_Login").count(), 1);
    assert_eq!(calls.matches(": C_Initialize").count(), 1);
}

#[test]
fn a_pin_file_that_is_not_there_or_empty() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let sign = |source: &str| {
        desk.sign()
            .keys(&pair.both())
            .on(&token)
            .env("SIGNET_PIN_SOURCE", source)
    };
    let missing = sign("file:/no/such/pin").run();
    assert!(matches!(missing.code, Some(1..=4)), "{missing:?}");
    missing.says(&["/no/such/pin"]);
    desk.untouched(&missing);
    let empty = desk.scratch.write("empty-pin", "");
    let run = sign(&format!("file:{}", empty.display())).run();
    assert!(matches!(run.code, Some(1..=3)), "{run:?}");
    desk.untouched(&run);
    desk.refuses(sign("|cat /etc/passwd"), 2, &["pin-source"]);
}

#[test]
fn without_a_pin_source_and_without_a_terminal() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let environment = token
        .environment()
        .into_iter()
        .filter(|(name, _)| *name != "SIGNET_PIN_SOURCE")
        .collect();
    desk.refuses(
        desk.sign().keys(&pair.both()).envs(environment),
        2,
        &["PIN", "--pin-source"],
    );
}

#[test]
fn no_such_module() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let sign = || desk.sign().keys(&pair.both()).on(&token);
    desk.refuses(sign().args(["-m", "/no/such/module.so"]), 3, &["/no/such/module.so"]);
    let text = desk.scratch.write("text.so", "this is no library\n");
    desk.refuses(sign().arg("-m").arg(&text), 3, &["text.so"]);
    // A library, but not of PKCS#11.
    let libc = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc = libc
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .find(|path| path.contains("libc.so"));
    desk.refuses(sign().args(["-m", libc.unwrap()]), 3, &["libc.so", "C_GetFunctionList"]);
}

#[test]
fn no_module_at_all() {
    let (desk, _token, pair) = with_token_keys("ECDSAP256SHA256");
    let run = desk.sign().keys(&pair.both()).run();
    assert!(matches!(run.code, Some(2 | 3)), "{run:?}");
    run.says(&["PKCS11_PROVIDER"]);
    desk.untouched(&run);
}

#[test]
fn no_such_token() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let elsewhere = Token::new("another");
    let sign = desk
        .sign()
        .keys(&pair.both())
        .on(&elsewhere)
        .env("SIGNET_TOKEN", token.label());
    // What is there is named.
    desk.refuses(sign, 3, &[token.label(), "another"]);
}

#[test]
fn two_tokens_with_one_label() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    token.initialise(token.label());
    desk.refuses(desk.sign().keys(&pair.both()).on(&token), 3, &[token.label(), "serial"]);
}

#[test]
fn no_such_key() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    delete(&token, &label_of(Role::Zsk));
    // The key that is there is named as a near miss.
    desk.refuses(
        desk.sign().keys(&pair.both()).on(&token),
        3,
        &[&label_of(Role::Zsk), &label_of(Role::Ksk)],
    );
}

#[test]
fn two_keys_that_match() {
    let (desk, token) = (Desk::new(), Token::default());
    generate(&token, "EC:prime256v1", "twin");
    let adopt = Signet::new("key from-label")
        .arg(&desk.zone.origin)
        .args(["-l", "twin", "-K"])
        .arg(desk.keys())
        .on(&token);
    let adopted = adopt.clone().run();
    adopted.succeeds();
    generate(&token, "EC:prime256v1", "twin");
    let again = adopt.run();
    assert!(matches!(again.code, Some(1 | 3)), "{again:?}");
    again.says(&["2 keys match", "twin"]);
    let sign = desk
        .sign()
        .arg(adopted.stdout.trim())
        .arg(desk.pair.ksk.base_name())
        .on(&token);
    let run = sign.run();
    assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
    run.says(&["twin"]);
    desk.untouched(&run);
}

#[test]
fn a_label_that_is_taken() {
    let (desk, token, _pair) = with_token_keys("ECDSAP256SHA256");
    let before = desk.scratch.listing("keys");
    let label = label_of(Role::Zsk);
    let make = Signet::new("key generate")
        .arg(&desk.zone.origin)
        .args(["-a", "ECDSAP256SHA256", "-l", &label, "-K"]);
    let run = make.arg(desk.keys()).on(&token).run();
    assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
    run.says(&[&label]);
    assert_eq!(desk.scratch.listing("keys"), before, "no key files were written");
}

#[test]
fn a_key_of_another_type_than_the_algorithm() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    generate(&token, "rsa:2048", "an-rsa-key");
    let adopt =
        Signet::new("key from-label")
            .arg(&desk.zone.origin)
            .args(["-a", "ECDSAP256SHA256", "-l", "an-rsa-key", "-K"]);
    let run = adopt.arg(desk.keys()).on(&token).run();
    assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
    run.says(&["RSA", "ECDSAP256SHA256"]);
    // The K* files promise P-256, the token now has RSA under that label.
    let label = label_of(Role::Zsk);
    delete(&token, &label);
    generate(&token, "rsa:2048", &label);
    let run = desk.sign().keys(&pair.both()).on(&token).run();
    assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
    run.says(&["RSA", &label]);
    desk.untouched(&run);
}

#[test]
fn a_public_key_that_differs_from_the_key_file() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let label = label_of(Role::Zsk);
    delete(&token, &label);
    generate(&token, "EC:prime256v1", &label);
    let run = desk.sign().keys(&pair.both()).on(&token).run();
    assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
    run.says(&[&label, pair.zsk.base_name()]);
    desk.untouched(&run);
}

#[test]
fn keys_that_stay_offline_publish_nothing_unsigned() {
    // The KSK is on a token that is left alone: the DNSKEY set would not be signed by it.
    let (desk, token) = (Desk::new(), Token::default());
    let pair = Pair::generate(&token, &desk.zone.origin, "ECDSAP256SHA256", Place::Token, &desk.keys());
    for flags in [&["--no-token"][..], &["-E", ""]] {
        for level in ["full", "none"] {
            let run = desk
                .sign()
                .keys(&pair.both())
                .args(flags)
                .args(["--verify", level])
                .run();
            assert!(matches!(run.code, Some(1 | 3 | 5)), "{run:?}");
            desk.untouched(&run);
        }
    }
}

#[test]
fn a_key_named_by_a_file_is_never_a_reason_to_load_code() {
    // `module-path` in a key file's label is data: nothing is loaded from there (and no key is made from such a label).
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let trap = desk.scratch.path("trap.so");
    std::fs::copy(module(), &trap).unwrap();
    let uri = format!("pkcs11:object={}?module-path={}\0", label_of(Role::Zsk), trap.display());
    let text = std::fs::read_to_string(pair.zsk.private_file()).unwrap();
    let lines: String = text
        .lines()
        .map(|line| match line.starts_with("Label:") {
            true => format!("Label: {}\n", data_encoding::BASE64.encode(uri.as_bytes())),
            false => format!("{line}\n"),
        })
        .collect();
    std::fs::write(pair.zsk.private_file(), lines).unwrap();
    let mut loaded = false;
    let run = desk.sign().keys(&pair.both()).on(&token).watch(|process| {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        loaded |= maps.contains("trap.so");
    });
    assert!(!loaded, "{run:?}");
}

#[test]
fn a_signing_run_leaves_the_tokens_objects_alone() {
    let (desk, token, pair) = with_token_keys("ECDSAP256SHA256");
    let objects = || token.pkcs11_tool(&["--list-objects"]).stdout;
    let before = objects();
    desk.sign()
        .keys(&pair.both())
        .args(["--sessions", "8", "--session-copy", "always"])
        .on(&token)
        .run()
        .succeeds();
    assert_eq!(objects(), before);
}

#[test]
fn keys_made_here_never_leave_the_token() {
    let token = Token::default();
    let scratch = signet_tests::Scratch::new();
    for algorithm in ["RSASHA256", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519"] {
        let key = Key::on_token(&token, "k.test.", algorithm, Role::Ksk, scratch.folder());
        let private = std::fs::read_to_string(key.private_file()).unwrap();
        for field in ["PrivateKey:", "PrivateExponent:", "Prime1:", "Coefficient:"] {
            assert!(!private.contains(field), "{private}");
        }
    }
    let objects = token.pkcs11_tool(&["--list-objects", "--type", "privkey"]).stdout;
    assert_eq!(objects.matches("Private Key Object").count(), 4, "{objects}");
    assert_eq!(objects.matches("never extractable").count(), 4, "{objects}");
    assert_eq!(objects.matches("always sensitive").count(), 4, "{objects}");
}
