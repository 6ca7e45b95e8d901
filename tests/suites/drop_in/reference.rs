//! What the reference of BIND 9.16's tools says of their options, defaults, limits and output, statement by statement, as
//! command lines that are run as they stand there.

use std::os::unix::fs::PermissionsExt;

use signet_tests::{Key, Program, Run, Signet, module, program};

use super::Tools;

/// The line of pkcs11-list for an object of this class and label.
fn listed(tools: &Tools, class: &str, label: &str) -> Vec<String> {
    let run = tools.run("pkcs11-list", &["-l", label]);
    run.succeeds();
    let line = run
        .stdout
        .lines()
        .find(|line| line.contains(&format!(" class {class} ")));
    let line = line.unwrap_or_else(|| panic!("no {label} of class {class}: {run:?}"));
    line.split_whitespace().map(str::to_owned).collect()
}

/// A.0: the library by `-m` or the variable, slots by ID, options that there are not.
#[test]
fn libraries_slots_and_unknown_options() {
    let tools = Tools::new();
    let library = module().display().to_string();
    let slot = tools.slot();
    let by_flag = |name: &str, words: &[&str]| {
        let tool = tools.tool(name).without_env("PKCS11_PROVIDER").args(["-m", &library]);
        tool.args(words).run()
    };
    by_flag("pkcs11-tokens", &[]).succeeds();
    let with_pin = ["-s", &slot, "-p", tools.token.pin()];
    by_flag("pkcs11-keygen", &[&with_pin[..], &["-a", "ecc", "-l", "m"]].concat()).succeeds();
    by_flag("pkcs11-list", &with_pin).succeeds();
    by_flag("pkcs11-destroy", &[&with_pin[..], &["-w", "0", "-l", "m"]].concat()).succeeds();
    for (name, words, code) in [
        ("pkcs11-keygen", &["-b", "2048", "-l", "x"][..], 1),
        ("pkcs11-list", &[], 1),
        ("pkcs11-destroy", &["-w", "0", "-l", "x"], 1),
    ] {
        // The default is slot 0, which SoftHSM does not have; 7 is read out of 7x as C does.
        for slot in [&[][..], &["-s", "0"], &["-s", "7x"]] {
            let run = tools.tool(name).args(slot).args(["-p", "x"]).args(words).run();
            run.exits(code)
                .says(&["Unrecoverable error initializing PKCS#11: not found"]);
        }
        let code = if name == "pkcs11-keygen" { 2 } else { 1 };
        let run = tools.tool(name).args(["-s", &slot, "-Z"]).run();
        run.exits(code).says(&["Unrecognised option: -Z", "Usage:"]);
        let run = tools.tool(name).arg("-s").run();
        run.exits(code).says(&["-s", "Usage:"]);
    }
}

/// A.1: the class by the beginning of `-a`, the curve by `-b`, `-i` in C's notation, `-l` before the word behind.
#[test]
fn keygen_reads_its_options_as_binds_does() {
    let tools = Tools::new();
    for (words, label, kind) in [
        (
            &["-a", "NSEC3RSASHA1", "-b", "1024", "-i", "010"][..],
            "nsec3rsa",
            "RSA",
        ),
        (&["-a", "rsasha512", "-b", "1024", "-e", "-i", "65536"], "f5", "RSA"),
        (&["-a", "ECC", "-i", "0xFFFF"], "ecc", "EC"),
        (&["-a", "ecdsap384sha384", "-b", "384", "-P"], "ecdsa", "EC"),
        (&["-a", "ecx", "-b", "256"], "ecx", "EC"),
        (&["-a", "ED448", "-b", "456"], "ed448", "EC"),
    ] {
        let run = tools.keygen(&[words, &["-q", "-l", label, "not-this"]].concat());
        run.succeeds();
        let public = tools.token.pkcs11_tool(&["--list-objects", "--type", "pubkey"]).stdout;
        let object = public
            .split("Public Key Object;")
            .find(|object| object.contains(&format!("label:      {label}\n")));
        assert!(
            object.is_some_and(|object| object.trim_start().starts_with(kind)),
            "{label}: {public}"
        );
    }
    assert_eq!(listed(&tools, "2", "nsec3rsa")[7..9], ["id[2]", "8"]);
    assert_eq!(listed(&tools, "2", "f5")[7..9], ["id[4]", "0x00010000"]);
    assert_eq!(listed(&tools, "3", "ecc")[7..], ["id[2]", "65535", "E:never"]);
    assert_eq!(listed(&tools, "3", "ecdsa")[7..], ["id[0]", "E:true"]);
    assert_eq!(listed(&tools, "3", "ed448")[7..], ["id[0]", "E:never"]);
    // 2^32 + 1.
    let label = format!("LABEL f5{}", tools.pin_source());
    let run = tools.key_files(&["-a", "RSASHA512", "-l", &label, "f5.test"]);
    run.succeeds();
    let private = tools.scratch.read(&format!("{}.private", run.stdout.trim()));
    assert!(private.contains("\nPublicExponent: AQAAAAE=\n"), "{private}");
    // IDs are not checked, labels are.
    tools
        .keygen(&["-a", "ecc", "-q", "-i", "8", "-l", "same-id"])
        .succeeds();
    let again = tools.keygen(&["-a", "ecc", "-q", "-i", "9", "-l", "same-id"]);
    again.exits(1).says(&["Key already exists."]);
}

/// A.1: the templates of C_GenerateKeyPair, nothing less and nothing more.
#[test]
fn keygen_asks_for_what_binds_asks_for() {
    let tools = Tools::new();
    let (slot, log) = (tools.slot(), tools.scratch.path("spy"));
    let mut tool = tools.tool("pkcs11-keygen");
    for (name, value) in tools.token.spied_environment(&log) {
        if !name.starts_with("SIGNET_") {
            tool = tool.env(name, value);
        }
    }
    let tool = tool.args(["-s", &slot, "-p", tools.token.pin(), "-a", "ecc", "-l", "spied"]);
    tool.run().succeeds();
    let text = tools.scratch.read("spy");
    let call = text.split(": C_GenerateKeyPair").nth(1).expect("the call");
    let call = call.split("[out]").next().unwrap();
    let (public, private) = call.split_once("pPrivateKeyTemplate").expect("two templates");
    let asked = |template: &str| {
        let mut names: Vec<String> = template
            .split_whitespace()
            .filter(|word| word.starts_with("CKA_"))
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        asked(public),
        ["CKA_EC_PARAMS", "CKA_LABEL", "CKA_PRIVATE", "CKA_TOKEN", "CKA_VERIFY"],
        "{call}"
    );
    assert_eq!(
        asked(private),
        [
            "CKA_EXTRACTABLE",
            "CKA_LABEL",
            "CKA_PRIVATE",
            "CKA_SENSITIVE",
            "CKA_SIGN",
            "CKA_TOKEN"
        ],
        "{call}"
    );
}

/// A.2 and A.3: numbers of objects start anew at 50, so many are destroyed at once; long IDs are cut; `-i` is decimal.
#[test]
fn lists_count_to_fifty_and_cut_long_ids() {
    let tools = Tools::new();
    let made = Signet::new("key generate x.test. -a ED25519 -l long --id 0102030405060708090a")
        .on(&tools.token)
        .folder(tools.scratch.folder())
        .run();
    made.succeeds();
    assert_eq!(
        listed(&tools, "3", "long")[7..],
        ["id[10]", "0x0102030405060708...", "E:never"]
    );
    // A key from outside may have been seen there.
    let disk = Key::on_disk("x.test.", "ED25519", signet_tests::Role::Ksk, tools.scratch.folder());
    let run = Signet::new("key import -l outside").arg(disk.private_file());
    run.on(&tools.token).run().succeeds();
    assert_eq!(listed(&tools, "3", "outside").last().unwrap(), "E:false");
    for number in 0..24 {
        let label = format!("many-{number}");
        tools.keygen(&["-a", "ecc", "-q", "-l", &label]).succeeds();
    }
    // 0x102 is 0 to atoi, which is none given.
    let all = tools.run("pkcs11-list", &["-i", "0x102"]);
    all.succeeds();
    assert!(!all.stdout.contains("\nid "), "{all:?}");
    let numbers: Vec<&str> = all
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(numbers.len(), 52);
    assert_eq!(numbers[48..], ["object[48]", "object[49]", "object[0]", "object[1]"]);

    let long = tools.run("pkcs11-destroy", &["-w", "0", "-l", "long"]);
    long.succeeds();
    assert!(long.stdout.contains("id[10] 0x01020304...\n"), "{long:?}");
    tools.keygen(&["-a", "ecc", "-q", "-l", "last"]).succeeds();
    let run = tools.run("pkcs11-destroy", &["-w", "0"]);
    run.succeeds().says(&["52 objects match"]);
    assert_eq!(run.stdout.matches("  object[").count(), 50, "{run:?}");
    let left = tools.run("pkcs11-list", &[]).stdout;
    assert_eq!(
        left.lines().filter(|line| line.starts_with("object[")).count(),
        2,
        "{left}"
    );
    // Five seconds without -w, a dot each.
    let run = tools.run("pkcs11-destroy", &[]);
    run.succeeds();
    assert!(
        run.stdout.contains("\n  .....\n") && run.elapsed.as_secs() >= 5,
        "{run:?}"
    );
}

/// A.4: blocks with fields of fixed width, the operations as a number and by name; `-v` tells what is missing.
#[test]
fn tokens_have_fields_of_fixed_width() {
    let tools = Tools::new();
    let run = tools.tool("pkcs11-tokens").run();
    run.succeeds();
    assert_eq!(run.stderr, "");
    let block = run
        .stdout
        .split("\nTOKEN\n")
        .find(|block| block.contains("label=drop in "))
        .expect("the token");
    let fields: Vec<(&str, &str)> = block
        .lines()
        .filter_map(|line| line.trim_start().split_once('='))
        .collect();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names[..7],
        [
            "address",
            "slotID",
            "label",
            "manufacturerID",
            "model",
            "serialNumber",
            "supported operations"
        ],
        "{block}"
    );
    for (at, width) in [(2, 32), (3, 32), (4, 16), (5, 16)] {
        assert_eq!(fields[at].1.len(), width, "{block}");
    }
    let (number, rest) = fields[6].1.split_once(' ').expect("two words");
    assert!(
        number
            .strip_prefix("0x")
            .is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok()),
        "{block}"
    );
    assert_eq!(rest, "(RSA,EC)");
    let traced = tools.tool("pkcs11-tokens").arg("-v").run();
    traced.succeeds();
    assert!(!traced.stderr.is_empty(), "{traced:?}");
}

fn private_text(tools: &Tools, run: &Run) -> String {
    run.succeeds();
    tools.scratch.read(&format!("{}.private", run.stdout.trim()))
}

/// B.1: every letter of dnssec-keyfromlabel that does something to a DNSKEY.
#[test]
fn keyfromlabel_has_binds_letters() {
    let tools = Tools::new();
    tools
        .keygen(&["-a", "rsa", "-b", "2048", "-q", "-l", "rsa", "-i", "1"])
        .succeeds();
    tools.keygen(&["-a", "ecc", "-q", "-l", "ec", "-i", "2"]).succeeds();
    let pin = tools.pin_source();
    let (rsa, ec) = (format!("LABEL rsa{pin}"), format!("LABEL ec{pin}"));
    let run = tools.key_files(&["-3", "-a", "rsasha1", "-l", &rsa, "-K", ".", "three.test"]);
    run.succeeds().says(&["RFC 9905"]);
    assert!(run.stdout.starts_with("Kthree.test.+007+"), "{run:?}");
    let run = tools.key_files(&[
        "-3", "-a", "8", "-l", &rsa, "-c", "IN", "-n", "ZONE", "-p", "3", "-v", "3", "n.test",
    ]);
    run.succeeds();
    assert!(run.stdout.starts_with("Kn.test.+008+"), "{run:?}");
    // Only the first letter of a flag counts.
    let run = tools.key_files(&[
        "-a",
        "13",
        "-l",
        &ec,
        "-f",
        "Kxx",
        "-f",
        "rev",
        "-L",
        "1h",
        "flags.test",
    ]);
    run.succeeds();
    let text = tools.scratch.read(&format!("{}.key", run.stdout.trim()));
    assert!(text.contains("flags.test. 3600 IN DNSKEY 385 3 13 "), "{text}");
    let run = tools.key_files(&["-a", "13", "-l", &ec, "-G", "g.test"]);
    let private = private_text(&tools, &run);
    assert!(
        !private.contains("Publish:") && !private.contains("Activate:"),
        "{private}"
    );
    assert!(private.contains("\nCreated: "), "{private}");
    let run = tools.key_files(&["-a", "13", "-l", &ec, "-C", "c.test"]);
    let private = private_text(&tools, &run);
    assert!(
        private.starts_with("Private-key-format: v1.2\n") && !private.contains("Created"),
        "{private}"
    );
    for (name, mode) in [("key", 0o644), ("private", 0o600)] {
        let path = tools.scratch.path(&format!("{}.{name}", run.stdout.trim()));
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let dates = [
        "-P", "20300101", "-A", "20300201", "-R", "20310101", "-I", "20320101", "-D", "20330101",
    ];
    let sync = ["-P", "sync", "20300301", "-D", "sync", "20300401"];
    let words = [&["-a", "13", "-l", &ec][..], &dates, &sync, &["dates.test"]].concat();
    let private = private_text(&tools, &tools.key_files(&words));
    for line in [
        "Publish: 20300101000000",
        "Activate: 20300201000000",
        "Revoke: 20310101000000",
        "Inactive: 20320101000000",
        "Delete: 20330101000000",
        "SyncPublish: 20300301000000",
        "SyncDelete: 20300401000000",
    ] {
        assert!(private.contains(line), "{line}: {private}");
    }
    // A successor has its predecessor's name, algorithm and flags, and is active when that one retires.
    let old = tools.key_files(&[
        "-a", "13", "-l", &ec, "-A", "20300101", "-I", "20350101", "-D", "20360101", "s.test",
    ]);
    old.succeeds();
    tools.keygen(&["-a", "ecc", "-q", "-l", "next"]).succeeds();
    let next = format!("LABEL next{pin}");
    let run = tools.key_files(&["-S", old.stdout.trim(), "-i", "10d", "-l", &next]);
    run.succeeds();
    let private = private_text(&tools, &run);
    for line in ["Publish: 20341222000000", "Activate: 20350101000000"] {
        assert!(private.contains(line), "{line}: {private}");
    }
    for (words, said) in [
        (&["-a", "13", "-l", &ec, "-c", "CH", "x.test"][..], "class CH"),
        (&["-a", "13", "-l", &ec, "-p", "2", "x.test"], "protocol"),
        (&["-a", "13", "-l", &ec, "-f", "zsk", "x.test"], "unknown flag"),
        (&["-a", "13", "-l", &ec, "-k", "x.test"], "KEY"),
        (&["-a", "13", "-l", &ec, "-G", "-A", "now", "x.test"], "-G"),
        (&["-a", "13", "-l", &ec, "x.test", "y.test"], "extraneous"),
        (&["-S", old.stdout.trim(), "-a", "13", "-l", &next], "-a"),
    ] {
        tools
            .key_files(words)
            .exits(1)
            .says(&["dnssec-keyfromlabel: fatal: ", said]);
    }
}

/// B.2: the forms of a label.
#[test]
fn keyfromlabel_takes_every_form_of_a_label() {
    let tools = Tools::new();
    tools
        .keygen(&["-a", "ecc", "-q", "-l", "a key", "-i", "513"])
        .succeeds();
    let pin = tools.pin_source();
    let mut records = Vec::new();
    for (at, label) in [
        "pkcs11:token=drop%20in;object=a%20key",
        "token=drop%20in;object=a%20key",
        "pkcs11:a%20key",
        "a%20key",
        "pkcs11:object=a%20key;object-type=private;library-version=2",
        "pkcs11:id=%02%01",
        "pkcs11:token=drop%20in;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=a%20key;id=%02%01",
    ]
    .iter()
    .enumerate()
    {
        let folder = tools.scratch.make_folder(&format!("form-{at}"));
        let label = format!("{label}{pin}");
        let run = tools.key_files(&[
            "-a",
            "13",
            "-l",
            &label,
            "-K",
            &folder.display().to_string(),
            "form.test",
        ]);
        run.succeeds();
        records.push(Key::existing(&folder, &run.stdout).record());
    }
    records.dedup();
    assert_eq!(records.len(), 1, "{records:?}");
    for label in [
        "pkcs11:object=a%20key;object=b",
        "pkcs11:token=drop%20in",
        "pkcs11:token=none;object=a%20key",
    ] {
        let label = format!("{label}{pin}");
        tools
            .key_files(&["-a", "13", "-l", &label, "x.test"])
            .exits(1)
            .says(&["fatal: "]);
    }
}

/// The tools' own ways of being asked for a PIN: a prompt on the terminal, without echo.
#[test]
fn a_pin_is_prompted_for_on_a_terminal() {
    let tools = Tools::new();
    let slot = tools.slot();
    let pin = tools.scratch.write("typed", format!("{}\n", tools.token.pin()));
    let line = format!("{} -s {slot}", tools.scratch.path("bin/pkcs11-list").display());
    let mut shell = Program::new(program("script"))
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .input(pin);
    for (name, value) in tools.token.environment() {
        shell = if name.starts_with("SIGNET_") {
            shell.without_env(name)
        } else {
            shell.env(name, value)
        };
    }
    let run = shell.folder(tools.scratch.folder()).run();
    run.succeeds();
    assert!(
        run.stdout.contains("Enter Pin: ") && run.stdout.contains(&format!("slot {slot}")),
        "{run:?}"
    );
}
