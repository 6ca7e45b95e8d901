//! Where a PIN comes from, and when it is not tried: a pad, a terminal, a token that a wrong try could lock.

use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, signet_binary};

use crate::faults::stage::ECDSA;

/// Lists a token's keys while it misbehaves, with the PIN from its file or from nowhere.
fn list(token: &Token, schedule: &str, pin_file: bool) -> (Run, Faulty) {
    let faulty = Faulty::new(schedule);
    let mut environment = token.faulty_environment(&faulty);
    environment.retain(|(name, _)| pin_file || *name != "SIGNET_PIN_SOURCE");
    (Signet::new("key list").envs(environment).run(), faulty)
}

#[test]
fn no_pin_is_tried_where_a_wrong_one_would_lock_the_token() {
    let token = Token::default();
    // CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED.
    for (flags, said) in [("0x20000", "one more wrong try"), ("0x40000", "locked")] {
        let (run, faulty) = list(&token, &format!("token-flags {flags}"), true);
        run.exits(3).says(&[said]);
        assert_eq!(faulty.calls("C_Login"), 0, "{run:?}");
    }
    // CKF_USER_PIN_COUNT_LOW.
    let (run, faulty) = list(&token, "token-flags 0x10000", true);
    run.succeeds().says(&["a wrong PIN was entered since the last login"]);
    assert_eq!(faulty.calls("C_Login"), 1);
}

#[test]
fn a_pin_pad_is_asked_once() {
    let token = Token::default();
    let (run, faulty) = list(&token, &format!("pad {}", token.pin()), false);
    run.succeeds().says(&["type the PIN on its own pad"]);
    assert_eq!(faulty.calls("C_Login"), 1);
    let (run, faulty) = list(&token, "pad mistyped", false);
    run.exits(3).says(&["CKR_PIN_INCORRECT"]);
    assert_eq!(faulty.calls("C_Login"), 1);
    // A PIN that is at hand is used; the pad is for who has none.
    list(&token, "pad mistyped", true).0.succeeds();
}

#[test]
fn nobody_types_a_pin_for_each_signature_of_a_zone() {
    let pad = |schedule: &str, arguments: &[&str]| {
        let schedule = format!("always-authenticate; pad {}; {schedule}", ECDSA.token.pin());
        let (faulty, scratch) = (Faulty::new(&schedule), Scratch::new());
        let _alone = ECDSA.alone();
        let sign = ECDSA.command(&faulty, &scratch).without_pin_source();
        (sign.args(arguments).run(), faulty)
    };
    let (run, faulty) = pad("", &[]);
    run.exits(1)
        .says(&["on its pad for each signature", "--max-signatures"]);
    assert!(faulty.calls("C_Sign") < 100, "{run:?}");
    let [ksk, zsk] = ECDSA.pair.both().map(|key| format!("{}=10000", key.base_name()));
    let (run, faulty) = pad("", &["--max-signatures", &ksk, "--max-signatures", &zsk]);
    run.succeeds();
    assert_eq!(faulty.calls("C_Login"), faulty.calls("C_Sign") + 1);
}

#[test]
fn descriptors_variables_and_an_openssl_cnf_hold_pins() {
    let (token, scratch) = (Token::default(), Scratch::new());
    let mut environment = token.environment();
    environment.retain(|(name, _)| *name != "SIGNET_PIN_SOURCE");
    let shell = |source: &str, words: &str| {
        let mut program = Program::new("/bin/sh")
            .args(["-c", &format!("{words} exec \"$0\" key list --pin-source {source}")])
            .arg(signet_binary())
            .env("SIGNET_CONFIG", "");
        for (name, value) in &environment {
            program = program.env(name, value);
        }
        program.run()
    };
    let (file, pin) = (token.pin_file(), token.pin());
    shell("fd:7", &format!("exec 7<'{}';", file.display())).succeeds();
    shell("env:WHERE", &format!("export WHERE='{pin}';")).succeeds();
    shell("env:ELSEWHERE", "").exits(3).says(&["ELSEWHERE", "not set"]);
    let text = format!("[pkcs11_section]\nMODULE_PATH = /nowhere.so\nPIN = {pin}\n");
    let configuration = scratch.write("openssl.cnf", text);
    let source = format!("openssl:{}", configuration.display());
    let mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&configuration, permissions).unwrap();
    };
    mode(0o600);
    shell(&source, "").succeeds();
    mode(0o644);
    shell(&source, "").exits(3).says(&["chmod 600"]);
}

#[test]
fn a_prompt_shows_nothing_of_what_is_typed() {
    let (token, scratch) = (Token::default(), Scratch::new());
    // What is typed comes once the question stands there, and the echo is off.
    let typist = scratch.write(
        "typist",
        "until grep -q 'PIN for' \"$1\"; do sleep 0.05; done; sleep 0.5; cat \"$2\"; sleep 2",
    );
    let seen = scratch.write("seen", "");
    let command = "sh \"$0\" \"$1\" \"$2\" | script -qfec \"$3 key list --pin-source prompt\" \"$1\"";
    let mut program = Program::new("/bin/sh")
        .args(["-c", command])
        .arg(&typist)
        .arg(&seen)
        .arg(token.pin_file())
        .arg(signet_binary())
        .env("SIGNET_CONFIG", "");
    for (name, value) in token.environment() {
        program = program.env(name, value);
    }
    let run = program.run();
    let text = scratch.read("seen");
    assert!(text.contains("PIN for token 'suite'"), "{text}{run:?}");
    assert!(text.contains("COMMAND_EXIT_CODE=\"0\""), "{text}");
    assert!(!text.contains(token.pin()), "{text}");
}
