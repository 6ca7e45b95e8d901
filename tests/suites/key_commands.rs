//! `signet key` and `signet token` on keys that are there: dates, revocation, successors and imports beside BIND's tools;
//! destroying, identifiers and libraries on a token.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use signet_tests::judges::{dnssec_verify, settime};
use signet_tests::zones::leaf;
use signet_tests::{Key, Program, Role, Run, Scratch, Signet, Token, module, program, signet_binary};

use crate::signing::{Pair, Place};

/// The same key in two folders: one for BIND's tool, one for ours.
pub struct Twins {
    pub scratch: Scratch,
    pub base: String,
}

impl Twins {
    pub fn new(options: &[&str]) -> Self {
        let scratch = Scratch::new();
        let (theirs, ours) = (scratch.make_folder("bind"), scratch.make_folder("signet"));
        let made = Program::new(program("dnssec-keygen"))
            .args(["-q", "-a", "ED25519", "-P", "20260101", "-A", "20260201"])
            .args(options)
            .arg("twins.test")
            .folder(&theirs)
            .run();
        made.succeeds();
        for name in scratch.listing("bind") {
            std::fs::copy(theirs.join(&name), ours.join(&name)).unwrap();
        }
        Self {
            scratch,
            base: made.stdout.trim().to_owned(),
        }
    }

    pub fn theirs(&self, tool: &str, words: &[&str]) -> Run {
        Program::new(program(tool))
            .args(words)
            .arg(&self.base)
            .folder(self.scratch.path("bind"))
            .run()
    }

    pub fn ours(&self, command: &str, words: &[&str]) -> Run {
        Signet::new(command)
            .args(words)
            .arg(&self.base)
            .folder(self.scratch.path("signet"))
            .run()
    }

    /// Both folders hold the same files; lines with the moment of the run are left out.
    #[track_caller]
    pub fn are_equal(&self, but: &[&str]) {
        let (theirs, ours) = (self.scratch.listing("bind"), self.scratch.listing("signet"));
        assert_eq!(theirs, ours);
        for name in theirs {
            let text = |folder: &str| {
                let text = self.scratch.read(&format!("{folder}/{name}"));
                let lines = text.lines().filter(|line| {
                    let line = line.trim_start_matches("; ");
                    !but.iter().any(|tag| line.starts_with(tag))
                });
                lines.map(|line| format!("{line}\n")).collect::<String>()
            };
            assert_eq!(text("bind"), text("signet"), "{name}");
        }
    }
}

#[test]
fn revoke_makes_the_files_that_dnssec_revoke_makes() {
    for words in [&[][..], &["-r"], &["-R"]] {
        let twins = Twins::new(&["-f", "KSK"]);
        let (theirs, ours) = (twins.theirs("dnssec-revoke", words), twins.ours("key revoke", words));
        theirs.succeeds();
        ours.succeeds();
        assert_eq!(theirs.stdout, ours.stdout, "{words:?}");
        twins.are_equal(&["Revoke:"]);
    }
    let twins = Twins::new(&["-f", "KSK"]);
    let first = twins.ours("key revoke", &[]);
    first.succeeds();
    twins.ours("key revoke", &[]).exits(1).says(&["-f"]);
    twins.ours("key revoke", &["-f"]).succeeds();
    let again = Signet::new("key revoke").arg(first.stdout.trim());
    again
        .folder(twins.scratch.path("signet"))
        .run()
        .exits(1)
        .says(&["revoked already"]);
}

#[test]
fn a_successor_has_the_dates_that_dnssec_keygen_gives_it() {
    let dates = ["-A", "20260101", "-I", "20400301", "-D", "20400401"];
    for words in [&[][..], &["-i", "10d"]] {
        let twins = Twins::new(&dates[2..]);
        let base = twins.base.clone();
        let theirs = Program::new(program("dnssec-keygen"))
            .args(["-q", "-S", &base])
            .args(words)
            .folder(twins.scratch.path("bind"))
            .run();
        let ours = Signet::new("key generate --on-disk")
            .args(["-S", &base])
            .args(words)
            .folder(twins.scratch.path("signet"))
            .run();
        theirs.succeeds();
        ours.succeeds();
        let facts = |folder: &str, base: &str, tags: &[&str]| {
            let text = twins.scratch.read(&format!("{folder}/{}.private", base.trim()));
            let lines = text.lines().filter(|line| tags.iter().any(|tag| line.starts_with(tag)));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let of_new = ["Algorithm:", "Predecessor:", "Publish:", "Activate:", "Inactive:"];
        assert_eq!(
            facts("bind", &theirs.stdout, &of_new),
            facts("signet", &ours.stdout, &of_new)
        );
        let tag = ours
            .stdout
            .trim()
            .rsplit('+')
            .next()
            .unwrap()
            .trim_start_matches('0')
            .to_owned();
        assert_eq!(facts("signet", &base, &["Successor:"]), [format!("Successor: {tag}")]);
    }
    // No date at which the old key retires: nothing to follow.
    let twins = Twins::new(&[]);
    let ours = Signet::new("key generate --on-disk -S").arg(&twins.base);
    ours.folder(twins.scratch.path("signet"))
        .run()
        .exits(1)
        .says(&["no inactivation date"]);
    twins.are_equal(&[]);
}

#[test]
fn one_key_is_made_to_follow_another() {
    let twins = Twins::new(&["-I", "20400301", "-D", "20400401"]);
    let made = Program::new(program("dnssec-keygen"))
        .args(["-q", "-a", "ED25519", "-G", "twins.test"])
        .folder(twins.scratch.path("bind"))
        .run();
    for name in twins.scratch.listing("bind") {
        std::fs::copy(
            twins.scratch.path("bind").join(&name),
            twins.scratch.path("signet").join(&name),
        )
        .unwrap();
    }
    let words = ["-S", &twins.base, "-i", "2w", made.stdout.trim()];
    let theirs = Program::new(program("dnssec-settime"))
        .args(words)
        .folder(twins.scratch.path("bind"))
        .run();
    theirs.succeeds();
    let ours = Signet::new("key times")
        .args(words)
        .folder(twins.scratch.path("signet"))
        .run();
    ours.succeeds();
    twins.are_equal(&["Successor:", "Predecessor:"]);
}

#[test]
fn prepublication_is_that_of_dnssec_keygen() {
    for words in [
        &["-P", "20400101"][..],
        &["-A", "20400601"],
        &["-P", "20400101", "-A", "20400601"],
    ] {
        let scratch = Scratch::new();
        let theirs = Program::new(program("dnssec-keygen"))
            .args(["-q", "-a", "ED25519", "-i", "30d"])
            .args(words)
            .arg("bind.test")
            .folder(scratch.folder())
            .run();
        let ours = Signet::new("key generate --on-disk -a ED25519 -i 30d")
            .args(words)
            .arg("signet.test")
            .folder(scratch.folder())
            .run();
        theirs.succeeds();
        ours.succeeds();
        let dates = |run: &Run| {
            let key = Key::existing(scratch.folder(), &run.stdout);
            settime(&key, &["-p", "P", "-p", "A"]).stdout
        };
        assert_eq!(dates(&theirs), dates(&ours), "{words:?}");
    }
    for words in [&["-P", "20400101", "-A", "20400102"][..], &["-A", "+1d"], &[]] {
        let scratch = Scratch::new();
        let ours = Signet::new("key generate --on-disk -a ED25519 -i 30d")
            .args(words)
            .arg("signet.test")
            .folder(scratch.folder());
        ours.run().exits(2).says(&["prepublication"]);
        assert!(scratch.listing(".").is_empty());
    }
}

#[test]
fn an_imported_key_is_published_and_signs_nothing() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(20);
    let (ours, theirs) = (scratch.make_folder("ours"), scratch.make_folder("theirs"));
    let pair = Pair::generate(&token, &zone.origin, "ED25519", Place::Disk, &ours);
    let foreign = Key::by_bind(&zone.origin, "ED25519", Role::Zsk, &theirs);
    let run = Signet::new("key import -P now -L 600")
        .arg(foreign.public_file())
        .arg("-K")
        .arg(&ours)
        .run();
    run.succeeds();
    assert_eq!(run.stdout.trim(), foreign.base_name());
    let private = scratch.read(&format!("ours/{}.private", foreign.base_name()));
    assert!(private.contains("\nExternal: \n"), "{private}");
    assert!(
        scratch
            .read(&format!("ours/{}.key", foreign.base_name()))
            .contains(" 600 IN DNSKEY")
    );
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
    Signet::sign(&file, &zone.origin, &out, &ours).run().succeeds();
    let text = scratch.read("signed");
    let data = foreign.record();
    let digits = data.split_whitespace().next_back().unwrap();
    assert!(text.contains(digits), "the foreign key is published");
    assert!(
        !text.contains(&format!(" {} {}", foreign.tag(), zone.origin)),
        "and signs nothing"
    );
    dnssec_verify(&out, &zone.origin, &[]).succeeds();
    Signet::new("key import -A now")
        .arg(foreign.public_file())
        .run()
        .exits(2);
    let show = Signet::new("key show --json -K")
        .arg(&ours)
        .arg(foreign.base_name())
        .run();
    assert!(show.stdout.contains("\"private\": \"elsewhere\""), "{show:?}");
    let show = Signet::new("key show -K").arg(&ours).arg(pair.ksk.base_name()).run();
    show.succeeds();
    for word in ["KSK (flags 257)", "ED25519, Ed25519", "active", "disk"] {
        assert!(show.stdout.contains(word), "{word}: {show:?}");
    }
}

#[test]
fn a_key_is_destroyed_once_it_is_named_and_confirmed() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let key = Key::on_token_labelled(&token, "gone.test.", "ED25519", Role::Zsk, scratch.folder(), "gone");
    let _ = Key::on_token_labelled(&token, "stays.test.", "ED25519", Role::Zsk, scratch.folder(), "stays");
    let destroy = |words: &[&str]| Signet::new("key destroy").args(words).on(&token).run();
    destroy(&["--yes"]).exits(2);
    destroy(&["-l", "gone"]).exits(2).says(&["--fingerprint", "--yes"]);
    destroy(&["-l", "gon", "--yes"]).exits(3).says(&["resembles", "'gone'"]);
    let dry = destroy(&["-l", "gone", "--dry-run"]);
    dry.succeeds().says(&["fingerprint", "nothing was destroyed"]);
    let fingerprint = dry
        .stderr
        .split("fingerprint ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    destroy(&["-l", "gone", "--fingerprint", "0000"])
        .exits(1)
        .says(&["nothing was destroyed"]);
    let folder = scratch.folder().display().to_string();
    destroy(&["-l", "gone", "--yes", "-K", &folder])
        .exits(1)
        .says(&[key.base_name(), "active"]);
    destroy(&["-l", "gone", "--fingerprint", fingerprint])
        .succeeds()
        .says(&["2 objects"]);
    let left = token.pkcs11_tool(&["--list-objects"]).stdout;
    assert!(!left.contains("gone") && left.contains("stays"), "{left}");
}

#[test]
fn ids_and_extractable_keys_are_as_asked_for() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let make = |words: &[&str]| {
        let run = Signet::new("key generate id.test. -a ED25519").args(words).on(&token);
        run.folder(scratch.folder()).run()
    };
    make(&["-l", "one", "--id", "0A0b"])
        .succeeds()
        .says(&["id 0a0b", "!EXTRACTABLE"]);
    make(&["-l", "two", "--id", "0a0b"])
        .exits(3)
        .says(&["already holds", "0x0a0b"]);
    make(&["-l", "three", "--id", "xyz"]).exits(2);
    make(&["-l", "three", "--extractable"]).exits(2).says(&["--insist"]);
    make(&["-l", "three", "--extractable", "--insist"])
        .succeeds()
        .says(&["can leave the token", "SENSITIVE, EXTRACTABLE"]);
    make(&["-l", "four", "--id", "01", "--on-disk"]).exits(2);
}

#[test]
fn a_token_is_made_new_and_an_old_one_only_by_its_name() {
    let (scratch, token) = (Scratch::new(), Token::new("first"));
    let pin = |name: &str, text: &str| {
        let file = scratch.write(name, format!("{text}\n"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!("file:{}", file.display())
    };
    let (officer, user) = (pin("so", "officer-12"), pin("user", "user-3456"));
    let init = |words: &[&str]| {
        Signet::new("token init")
            .args(words)
            .args(["--so-pin-source", &officer])
            .on(&token)
            .env("SIGNET_PIN_SOURCE", &user)
            .run()
    };
    let made = init(&["second"]);
    made.succeeds().says(&["second"]);
    let key = Signet::new("key generate x.test. -a ED25519 --token second")
        .on(&token)
        .env("SIGNET_PIN_SOURCE", &user)
        .folder(scratch.folder())
        .run();
    key.succeeds();
    let serial = made.stdout.trim();
    init(&["third", "--serial-number", serial])
        .exits(1)
        .says(&["in use", "--erase 'second'"]);
    init(&["third", "--erase", "second"]).succeeds();
    let anyone = token
        .environment()
        .into_iter()
        .filter(|(name, _)| *name != "SIGNET_TOKEN");
    let list = Signet::new("token list").envs(anyone.collect()).run();
    assert!(list.stdout.contains("third") && list.stdout.contains("first") && !list.stdout.contains("second"));
    init(&[&"x".repeat(33)]).exits(3).says(&["32 bytes"]);
}

#[test]
fn a_library_is_pinned_and_what_is_none_is_said_plainly() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let sum = Program::new(program("sha256sum")).arg(module()).run().stdout;
    let sum = sum.split_whitespace().next().unwrap();
    let list = |words: &[&str]| Signet::new("token list").args(words).on(&token).run();
    list(&["--module-sha256", sum]).succeeds();
    list(&["--module-sha256", &"0".repeat(64)])
        .exits(3)
        .says(&["SHA-256", sum, "not loaded"]);
    list(&["--module-sha256", "12"]).exits(2);
    let bytes = std::fs::read(module()).unwrap();
    // e_machine of a library for another machine.
    let mut foreign = bytes.clone();
    foreign[18] = 0x16;
    foreign[19] = 0;
    for (name, content, said) in [
        ("text.so", b"#!/bin/sh\nexit 0\n".to_vec(), &["no ELF file"][..]),
        ("foreign.so", foreign, &["it is for s390x"]),
        ("short.so", bytes[..64].to_vec(), &["short.so"]),
    ] {
        let path = scratch.write(name, content);
        list(&["-m", &path.display().to_string()]).exits(3).says(said);
    }
    let none = [
        "/lib/x86_64-linux-gnu/libm.so.6",
        "/lib/aarch64-linux-gnu/libm.so.6",
        "/usr/lib/libm.so.6",
    ];
    if let Some(path) = none.iter().find(|path| Path::new(path).exists()) {
        list(&["-m", path])
            .exits(3)
            .says(&["no PKCS#11 library", "C_GetFunctionList"]);
    }
    list(&["-m", "/no/such.so"]).exits(3).says(&["no such file"]);
    let named = Signet::new("token list").run();
    named.exits(2).says(&["--module PATH", "PKCS11_PROVIDER"]);
}

#[test]
fn the_audit_log_holds_what_was_done_and_no_pin() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let log = scratch.path("audit");
    let zone = leaf(10);
    let audited = |command: &str| {
        Signet::new(command)
            .on(&token)
            .env("SIGNET_AUDIT", &log)
            .folder(scratch.folder())
    };
    let make = |role: &str| {
        let run = audited("key generate leaf.test. -a ED25519 -f")
            .args([role, "-l", role])
            .run();
        run.succeeds();
        run.stdout.trim().to_owned()
    };
    let ksk = make("KSK");
    let zsk = {
        let run = audited("key generate leaf.test. -a ED25519 -l ZSK").run();
        run.succeeds();
        run.stdout.trim().to_owned()
    };
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
    Signet::sign(&file, &zone.origin, &out, scratch.folder())
        .args([&ksk, &zsk])
        .arg("--audit")
        .arg(&log)
        .on(&token)
        .run()
        .succeeds();
    audited("key revoke").arg(&ksk).run().succeeds();
    let uri = format!("pkcs11:object=ZSK?pin-value={}", token.pin());
    audited("key destroy --yes -l").arg(uri).run().succeeds();
    audited("key destroy --yes -l none").run().exits(3);
    let disk = Key::on_disk("leaf.test.", "ED25519", Role::Zsk, scratch.folder());
    let import = audited("key import -l brought").arg(disk.private_file());
    import.run().succeeds();
    let wrong = scratch.write("wrong", "wrong-but-secret");
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o600)).unwrap();
    let list = audited("key list --pin-source").arg(format!("file:{}", wrong.display()));
    list.run().exits(3);
    let text = scratch.read("audit");
    for event in [
        "login",
        "logged-in",
        "login-failed",
        "imported",
        "generated",
        "signed",
        "revoked",
        "destroyed",
        "ended",
    ] {
        assert!(text.contains(&format!("\"event\":\"{event}\"")), "{event}: {text}");
    }
    assert!(!text.contains(token.pin()), "{text}");
    assert!(!text.contains("wrong-but-secret"), "{text}");
    assert!(text.contains("module_sha256") && text.contains("\"exit_code\":3"));
    // Who did it, by what, and how much of it.
    let program = Program::new(program("sha256sum")).arg(signet_binary()).run().stdout;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["user"], rustix::process::getuid().as_raw());
        assert_eq!(line["program_sha256"].as_str(), program.split_whitespace().next());
        assert!(
            line["command"].as_array().is_some_and(|words| words.len() > 2),
            "{line}"
        );
        if line["event"] == "signed" {
            let made = |at: usize| line["keys"][at][3].as_u64().unwrap();
            let signed = scratch.read("signed");
            let rrsigs = signed
                .lines()
                .filter(|line| line.split_whitespace().nth(3) == Some("RRSIG"));
            let rrsigs = rrsigs.count() as u64;
            assert!(
                made(0) > 0 && made(1) > 0 && made(0) + made(1) == rrsigs,
                "{line}, {rrsigs}"
            );
        }
    }
    let mode = std::fs::metadata(&log).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let check = |words: &[&str]| Signet::new("audit verify").arg(&log).args(words).run();
    let whole = check(&[]);
    whole.succeeds();
    check(&["--expect", whole.stdout.trim()]).succeeds();
    // Cut off at the end: shown by the digest alone.
    let cut: String = text.lines().take(3).map(|line| format!("{line}\n")).collect();
    scratch.write("audit", cut);
    check(&[]).succeeds();
    check(&["--expect", whole.stdout.trim()]).exits(1).says(&["cut off"]);
    scratch.write("audit", text.replacen("\"generated\"", "\"adopted\"", 1));
    check(&[]).exits(1).says(&["does not follow"]);
}

#[test]
fn two_custodians_log_in_together() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let (first, second) = token.pin().split_at(7);
    let half = |name: &str, text: &str| {
        let path = scratch.write(name, text);
        fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let (first, second) = (half("first", first), half("second", second));
    let list = |source: &str| Signet::new("key list").on(&token).args(["--pin-source", source]).run();
    list(&format!("halves:file:{first},file:{second}")).succeeds();
    let swapped = list(&format!("halves:file:{second},file:{first}"));
    swapped.exits(3).says(&["CKR_PIN_INCORRECT"]);
}
