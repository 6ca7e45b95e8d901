//! `signet.toml`: what it stands in for, what wins over it, and what is not taken from it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use signet_tests::zones::leaf;
use signet_tests::{Faulty, Key, Program, Role, Scratch, Signet, Token, module, signet_binary};

/// A token, and a file that says where it is.
struct Machine {
    token: Token,
    scratch: Scratch,
}

impl Machine {
    fn new() -> Self {
        Self {
            token: Token::default(),
            scratch: Scratch::new(),
        }
    }

    /// Writes the file, with these lines after those about the token.
    fn file(&self, name: &str, more: &str) -> PathBuf {
        let text = format!(
            "# The registry's token\nmodule = \"{}\"\ntoken = \"{}\"\npin-source = \"file:{}\"\n{more}\n",
            module().display(),
            self.token.label(),
            self.token.pin_file().display()
        );
        let file = self.scratch.write(name, text);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    /// `signet` that is told nothing of the token but where SoftHSM's own configuration is.
    fn signet(&self, command: &str) -> Signet {
        let mut environment = self.token.environment();
        environment.retain(|(name, _)| *name == "SOFTHSM2_CONF");
        Signet::new(command).envs(environment)
    }
}

#[test]
fn a_file_stands_in_for_flags_and_variables() {
    let machine = Machine::new();
    machine.signet("token list").run().exits(2).says(&["--module"]);
    let file = machine.file("signet.toml", "");
    let list = |signet: Signet| signet.run().succeeds().stdout.clone();
    assert!(list(machine.signet("token list --config").arg(&file)).contains("suite"));
    assert!(list(machine.signet("token list").env("SIGNET_CONFIG", &file)).contains("suite"));
    // Library, token and PIN.
    let key = ["example.test.", "-a", "ECDSAP256SHA256", "-l", "there", "-K"];
    let generate = machine.signet("key generate").args(key).arg(machine.scratch.folder());
    generate.env("SIGNET_CONFIG", &file).run().succeeds();
    assert!(list(machine.signet("key list").env("SIGNET_CONFIG", &file)).contains("there"));
    // It is not looked for where the program runs, and can be left out.
    machine
        .signet("token list")
        .folder(machine.scratch.folder())
        .run()
        .exits(2);
    machine
        .signet("token list --config=")
        .env("SIGNET_CONFIG", &file)
        .run()
        .exits(2);
    // BIND's tools have it from their environment.
    let tool = machine.scratch.path("pkcs11-tokens");
    symlink(signet_binary(), &tool).unwrap();
    let mut program = Program::new(tool)
        .env("SIGNET_CONFIG", &file)
        .without_env("PKCS11_PROVIDER");
    for (name, value) in machine.token.environment() {
        if name == "SOFTHSM2_CONF" {
            program = program.env(name, value);
        }
    }
    assert!(program.run().succeeds().stdout.contains("label=suite"));
}

#[test]
fn flags_and_variables_win_over_the_file() {
    let machine = Machine::new();
    let (token, scratch) = (&machine.token, &machine.scratch);
    let zsk = Key::on_token_labelled(
        token,
        "leaf.test.",
        "ECDSAP256SHA256",
        Role::Zsk,
        scratch.folder(),
        "zsk",
    );
    let zone = leaf(300);
    let input = zone.write(scratch, &[&zsk]);
    let sessions = |schedule: &str, more: &str, options: &[&str], variable: Option<&str>| {
        let faulty = Faulty::new(schedule);
        let mut environment = faulty.environment();
        environment.retain(|(name, _)| *name != "PKCS11_PROVIDER");
        let file = machine.file("signet.toml", more);
        let text = scratch.read("signet.toml");
        let module = signet_tests::faulty_module();
        let text = text.replace(
            &signet_tests::module().display().to_string(),
            &module.display().to_string(),
        );
        scratch.write("signet.toml", text);
        let mut signet = Signet::sign(&input, &zone.origin, &scratch.path("out"), scratch.folder());
        for (name, value) in token.environment() {
            if name == "SOFTHSM2_CONF" {
                signet = signet.env(name, value);
            }
        }
        let mut signet = signet
            .envs(environment)
            .keys(&[&zsk])
            .arg("-z")
            .arg("--config")
            .arg(file)
            .args(options);
        if let Some(count) = variable {
            signet = signet.env("SIGNET_SESSIONS", count);
        }
        signet.run().succeeds();
        // One is the guard.
        faulty.other("peak") - 1
    };
    let slow = "C_Sign * take 1000";
    assert_eq!(sessions(slow, "sessions = 3", &[], None), 3);
    assert_eq!(sessions(slow, "sessions = 3", &[], Some("4")), 4);
    assert_eq!(sessions(slow, "sessions = 3", &["--sessions", "5"], Some("4")), 5);

    // Another token by label, by variable, and by another of its names.
    let file = machine.file("signet.toml", "");
    let list = |signet: Signet| signet.arg("--config").arg(&file).run();
    list(machine.signet("key list --token nobody"))
        .exits(3)
        .says(&["nobody"]);
    list(machine.signet("key list").env("SIGNET_TOKEN", "nobody"))
        .exits(3)
        .says(&["nobody"]);
    token.initialise("second");
    let second = list(machine.signet("token list --json --token second"));
    let listed: serde_json::Value = serde_json::from_str(&second.succeeds().stdout).unwrap();
    let slot = listed["tokens"][0]["slot"].as_u64().unwrap().to_string();
    // Its PIN is not the file's, and is not tried there.
    list(machine.signet("key list --slot").arg(&slot))
        .exits(2)
        .says(&["--pin-source"]);
    let pin = format!("file:{}", token.pin_file().display());
    let by_slot = list(machine.signet("key list --pin-source").args([&*pin, "--slot", &slot]));
    assert!(!by_slot.succeeds().stdout.contains("zsk"), "{by_slot:?}");

    // The digest that the file pins is that of its own library.
    let file = machine.file("signet.toml", &format!("module-sha256 = '{}'", "00".repeat(32)));
    let list = |options: &[&str]| {
        machine
            .signet("token list")
            .arg("--config")
            .arg(&file)
            .args(options)
            .run()
    };
    list(&[]).exits(3).says(&["SHA-256"]);
    let copy = scratch.path("copy.so");
    std::fs::copy(module(), &copy).unwrap();
    list(&["-m", &copy.display().to_string()]).succeeds();
}

#[test]
fn a_file_that_cannot_be_trusted_or_is_not_understood_is_refused() {
    let machine = Machine::new();
    let list = |file: &PathBuf| machine.signet("token list --config").arg(file).run();
    let file = machine.file("signet.toml", "");
    for mode in [0o666, 0o664] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        list(&file).exits(2).says(&["not trusted", "chmod go-w"]);
    }
    let file = machine.file("signet.toml", "");
    let link = machine.scratch.path("link.toml");
    symlink(&file, &link).unwrap();
    list(&link).exits(2).says(&["symbolic link"]);
    list(&machine.scratch.path("singet.toml"))
        .exits(4)
        .says(&["singet.toml"]);
    for (line, said) in [
        ("modul = '/p.so'", "signet.toml:5:1: modul is not known"),
        ("sessions = 'many'", "signet.toml:5:12: sessions: write auto"),
        ("pin = '4711'", "signet.toml:5:1: no PIN belongs into this file"),
        ("[pin-source]", "signet.toml:5:2: "),
        ("sessions", "signet.toml:5:"),
    ] {
        let file = machine.file("signet.toml", line);
        let run = list(&file);
        run.exits(2).says(&[said]);
        assert!(!run.stderr.contains("4711"), "{run:?}");
    }
    // Any command says so, and help is there nevertheless.
    machine
        .signet("zone stats x --config")
        .arg(&file)
        .run()
        .exits(2)
        .says(&["signet.toml:5:"]);
    machine.signet("token list --help --config").arg(&file).run().succeeds();
}
