//! `signet` called by the names of BIND's tools: options, outputs and exit codes that scripts for BIND 9.16 rely on.

mod reference;

use std::path::PathBuf;

use signet_tests::judges::Judge;
use signet_tests::zones::leaf;
use signet_tests::{Key, Program, Run, Scratch, Signet, Token, module, program, signet_binary};

/// A token, and a folder with the links.
struct Tools {
    token: Token,
    scratch: Scratch,
}

impl Tools {
    fn new() -> Self {
        let tools = Self {
            token: Token::new("drop in"),
            scratch: Scratch::new(),
        };
        let links = tools.scratch.make_folder("bin");
        let run = Signet::new("install-links").arg(&links).run();
        run.succeeds();
        assert_eq!(run.stdout.lines().count(), 5, "{run:?}");
        tools
    }

    fn tool(&self, name: &str) -> Program {
        // Nothing of signet's own settings: the library by its variable, the PIN as the scripts give it.
        let mut program = Program::new(self.scratch.path("bin").join(name));
        for (name, value) in self.token.environment() {
            program = if name.starts_with("SIGNET_") {
                program.without_env(name)
            } else {
                program.env(name, value)
            };
        }
        program.folder(self.scratch.folder())
    }

    /// The slot, as scripts take it from pkcs11-tokens.
    fn slot(&self) -> String {
        let run = self.tool("pkcs11-tokens").run();
        run.succeeds();
        let label = format!("label={:<32}", self.token.label());
        let lines: Vec<&str> = run.stdout.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| *line == label).expect("the token's label");
        lines[at - 1].strip_prefix("slotID=").expect("its slot").to_owned()
    }

    fn run(&self, name: &str, words: &[&str]) -> Run {
        let slot = self.slot();
        self.tool(name)
            .args(["-s", &slot, "-p", self.token.pin()])
            .args(words)
            .run()
    }

    fn keygen(&self, words: &[&str]) -> Run {
        self.run("pkcs11-keygen", words)
    }

    fn key_files(&self, words: &[&str]) -> Run {
        let label = format!("token={};object=", self.token.label().replace(' ', "%20"));
        let words: Vec<String> = words
            .iter()
            .map(|word| match word.strip_prefix("LABEL ") {
                Some(rest) => format!("{label}{rest}"),
                None => (*word).to_owned(),
            })
            .collect();
        self.tool("dnssec-keyfromlabel").args(words).run()
    }

    /// The pin-source that BIND's documentation puts into labels.
    fn pin_source(&self) -> String {
        format!(";pin-source={}", self.token.pin_file().display())
    }
}

#[test]
fn tokens_are_listed_in_blocks() {
    let tools = Tools::new();
    let run = tools.tool("pkcs11-tokens").args(["-v", "-m", "/nowhere.so"]).run();
    run.succeeds().says(&["PKCS11_PROVIDER is set"]);
    assert!(run.stdout.starts_with("DEFAULTS\n\tbest_rsa_token=0x"), "{run:?}");
    for line in [
        "\tbest_ecdsa_token=0x",
        "\tbest_eddsa_token=0x",
        "(RSA,EC)\n",
        "\nTOKEN\n\taddress=0x",
    ] {
        assert!(run.stdout.contains(line), "{line:?}: {run:?}");
    }
    let run = tools
        .tool("pkcs11-tokens")
        .without_env("PKCS11_PROVIDER")
        .args(["-m", "/nowhere.so"])
        .run();
    run.exits(1).says(&["Can't load PKCS#11 provider"]);
    tools.tool("pkcs11-tokens").arg("-x").run().exits(1).says(&["Usage"]);
}

#[test]
fn keygen_makes_what_binds_makes() {
    let tools = Tools::new();
    let made = tools.keygen(&["-a", "RSASHA256", "-b", "2048", "-l", "rsa", "-i", "01"]);
    made.succeeds();
    assert_eq!(made.stdout, "Key pair generation complete.\n");
    for words in [
        &["-b", "1024", "-e", "-q", "old-rsa"][..],
        &["-a", "ecc", "-q", "-l", "p256"],
        &["-a", "ECDSAP384SHA384", "-b", "384", "-i", "0x102", "-q", "p384"],
        &["-a", "ECDSAP384SHA384", "-q", "not-p384"],
        &["-a", "ED25519", "-qP", "-l", "ed"],
    ] {
        let run = tools.keygen(words);
        run.succeeds();
        assert_eq!(run.stdout, "", "{run:?}");
    }
    let objects = tools.token.pkcs11_tool(&["--list-objects"]).stdout;
    for (label, what) in [
        ("rsa", "RSA 2048"),
        ("old-rsa", "RSA 1024"),
        ("p256", "EC_POINT 256"),
        ("p384", "EC_POINT 384"),
        ("not-p384", "EC_POINT 256"),
    ] {
        let found = objects
            .split("Public Key Object;")
            .any(|object| object.contains(&format!("label:      {label}\n")) && object.contains(what));
        assert!(found, "{label} {what}: {objects}");
    }
    // The trap is walked into, and told.
    tools
        .keygen(&["-a", "ED448", "-q", "-l", "not-ed448"])
        .succeeds()
        .says(&["-b does"]);
    let again = tools.keygen(&["-b", "2048", "-l", "rsa"]);
    again.exits(1).says(&["Key already exists."]);
    for (words, said) in [
        (&["-l", "x"][..], "Key size"),
        (&["-b", "2048"], "label"),
        (&["-a", "dsa", "-b", "1024", "x"], "algorithm"),
        (&["-a", "ecc", "-b", "521", "x"], "256 and 384"),
        (&["-a", "ecc", "-e", "x"], "-e option"),
        (&["-S", "-b", "2048", "x"], "Unrecognised option: -S"),
    ] {
        tools.keygen(words).exits(2).says(&[said]);
    }
}

#[test]
fn list_prints_the_words_that_scripts_count() {
    let tools = Tools::new();
    tools.keygen(&["-b", "2048", "-l", "ksk", "-i", "258", "-q"]).succeeds();
    tools.keygen(&["-a", "ecc", "-l", "zsk", "-q"]).succeeds();
    let all = tools.run("pkcs11-list", &[]);
    all.succeeds();
    let mut lines = all.stdout.lines();
    assert_eq!(lines.next(), Some(format!("slot {}", tools.slot()).as_str()));
    let objects: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(objects.len(), 4, "{all:?}");
    for (at, words) in objects.iter().enumerate() {
        assert_eq!(words[0], format!("object[{at}]:"), "{all:?}");
        assert_eq!((words[1], words[3]), ("handle", "class"), "{all:?}");
        match words[6] {
            "'ksk'" => assert_eq!(words[7..9], ["id[2]", "258"], "{all:?}"),
            "'zsk'" => assert_eq!(words[7], "id[0]", "{all:?}"),
            other => panic!("{other}: {all:?}"),
        }
        assert_eq!(words.last() == Some(&"E:never"), words[4] == "3", "{all:?}");
    }
    let by_label = tools.run("pkcs11-list", &["-l", "ksk"]).stdout;
    assert!(
        by_label.contains("\nlabel ksk\n") && by_label.lines().count() == 4,
        "{by_label}"
    );
    let by_id = tools.run("pkcs11-list", &["-i", "258", "-l", "zsk"]).stdout;
    assert!(by_id.contains("\nid 258\n") && by_id.contains("'ksk'"), "{by_id}");
    let slot = tools.slot();
    let public = tools.tool("pkcs11-list").args(["-P", "-s", &slot]).run();
    public.succeeds();
    assert!(
        !public.stdout.contains("class 3") && public.stdout.contains("class 2"),
        "{public:?}"
    );
    tools
        .tool("pkcs11-list")
        .args(["-P", "-s", "7"])
        .run()
        .exits(1)
        .says(&["not found", "-s "]);
    tools
        .run("pkcs11-list", &["-q"])
        .exits(1)
        .says(&["Unrecognised option: -q"]);
}

#[test]
fn destroy_takes_what_it_is_told_and_all_without() {
    let tools = Tools::new();
    for (label, id) in [("a", "1"), ("b", "2"), ("c", "3")] {
        tools.keygen(&["-a", "ecc", "-q", "-l", label, "-i", id]).succeeds();
    }
    let none = tools.run("pkcs11-destroy", &["-w", "0", "-l", "x"]);
    none.succeeds();
    assert_eq!(none.stdout, "No matching key objects found.\n");
    tools
        .run("pkcs11-destroy", &["-l", "a", "-i", "1"])
        .exits(1)
        .says(&["Usage"]);
    let by_label = tools.run("pkcs11-destroy", &["-w0", "-l", "a"]);
    by_label.succeeds();
    assert!(
        by_label.stdout.starts_with("Key object(s) found:\n  object[0]: class "),
        "{by_label:?}"
    );
    assert!(by_label.stdout.contains("label 'a', id[2] 0x0001\n"), "{by_label:?}");
    assert!(by_label.stdout.ends_with("Destruction complete.\n"), "{by_label:?}");
    let slow = tools.run("pkcs11-destroy", &["-w", "2", "-i", "2"]);
    slow.succeeds();
    assert!(slow.stdout.contains("..\n") && slow.elapsed.as_secs() >= 2, "{slow:?}");
    let all = tools.run("pkcs11-destroy", &["-w", "0"]);
    all.succeeds().says(&["every object"]);
    assert_eq!(tools.token.pkcs11_tool(&["--list-objects"]).stdout.trim(), "");
}

#[test]
fn a_wrong_pin_is_refused_and_told_as_a_call() {
    let tools = Tools::new();
    let slot = tools.slot();
    let run = tools
        .tool("pkcs11-list")
        .args(["-s", &slot, "-p", "wrong-and-secret"])
        .run();
    run.exits(1).says(&["C_Login: Error = 0x000000A0"]);
    assert!(!run.output().contains("wrong-and-secret"), "{run:?}");
    let run = tools.tool("pkcs11-list").args(["-s", &slot]).run();
    run.exits(1).says(&["no terminal"]);
}

#[test]
fn keyfromlabel_writes_files_that_sign() {
    let tools = Tools::new();
    let zone = leaf(10);
    let mut keys = Vec::new();
    for (label, words) in [("ksk", &["-f", "KSK"][..]), ("zsk", &[])] {
        tools.keygen(&["-a", "ECDSAP256SHA256", "-q", "-l", label]).succeeds();
        let label = format!("LABEL {label}{}", tools.pin_source());
        let mut line = vec!["-E", "pkcs11", "-a", "ECDSAP256SHA256", "-l", &label];
        line.extend(words);
        line.push(&zone.origin);
        let run = tools.key_files(&line);
        run.succeeds();
        let key = Key::existing(tools.scratch.folder(), &run.stdout);
        let private = tools.scratch.read(&format!("{}.private", key.base_name()));
        assert!(private.contains("\nEngine: cGtjczExAA==\nLabel: "), "{private}");
        keys.push(key);
        let again = tools.key_files(&line);
        again.exits(1).says(&["dnssec-keyfromlabel: fatal: ", "already exists"]);
    }
    let (file, out) = (zone.write(&tools.scratch, &[]), tools.scratch.path("signed"));
    let sign = Signet::sign(&file, &zone.origin, &out, tools.scratch.folder()).keys(&[&keys[0], &keys[1]]);
    sign.on(&tools.token).without_pin_source().run().succeeds();
    assert_eq!(Judge::Bind.complaint(&out, &zone.origin), None);
}

#[test]
fn keyfromlabel_refuses_as_binds_does() {
    let tools = Tools::new();
    tools.keygen(&["-a", "ecc", "-q", "-l", "k"]).succeeds();
    let pin = tools.pin_source();
    let label = format!("LABEL k{pin}");
    let missing = format!("LABEL missing{pin}");
    for (words, said) in [
        (&["-l", label.as_str(), "x.test"][..], "no algorithm specified"),
        (&["-a", "13", "x.test"], "the key label was not specified"),
        (&["-a", "13", "-l", &label], "the key name was not specified"),
        (&["-a", "8", "-l", &label, "x.test"], "failed to get key"),
        (&["-a", "13", "-l", &missing, "x.test"], "failed to get key"),
        (
            &["-a", "13", "-l", &label, "-P", "now", "-P", "now", "x.test"],
            "-P specified more than once",
        ),
        (&["-a", "13", "-l", &label, "-M", "1:1", "x.test"], "outside"),
        (&["-a", "13", "-l", &label, "-K", "nowhere", "x.test"], "nowhere"),
        (&["-h"], "Usage"),
    ] {
        tools.key_files(words).exits(1).says(&[said]);
    }
    tools.key_files(&["-V"]).succeeds();
    assert!(tools.scratch.listing(".").iter().all(|name| !name.starts_with('K')));
}

#[test]
fn keyfromlabel_takes_the_pin_of_an_openssl_cnf() {
    let tools = Tools::new();
    tools.keygen(&["-a", "ED25519", "-q", "-l", "k"]).succeeds();
    let text = format!(
        "openssl_conf = openssl_init\n[pkcs11_section]\nengine_id = pkcs11\nMODULE_PATH = {}\ninit = 0\nPIN = {}\n",
        module().display(),
        tools.token.pin()
    );
    let configuration = tools.scratch.write("openssl.cnf", text);
    let run = tools
        .tool("dnssec-keyfromlabel")
        .without_env("PKCS11_PROVIDER")
        .env("OPENSSL_CONF", &configuration)
        .args(["-a", "ED25519", "-l", "k", "-P", "sync", "20300101", "-C", "x.test"])
        .run();
    run.exits(1).says(&["-C cannot"]);
    let run = tools
        .tool("dnssec-keyfromlabel")
        .without_env("PKCS11_PROVIDER")
        .env("OPENSSL_CONF", &configuration)
        .args(["-a", "ED25519", "-l", "k", "-P", "sync", "20300101", "x.test"])
        .run();
    run.succeeds().says(&["chmod 600"]);
    let private = tools.scratch.read(&format!("{}.private", run.stdout.trim()));
    assert!(private.contains("SyncPublish: 20300101000000"), "{private}");
    assert!(!run.output().contains(tools.token.pin()));
}

/// A key ceremony as people wrote it for BIND 9.16, run by a shell: labels and IDs cut out of the tools' output.
#[test]
fn a_shell_script_runs_unchanged() {
    let tools = Tools::new();
    let script = r#"
set -e
slot=$(pkcs11-tokens | awk -F= '/slotID=/ { s=$2 } /label=drop in/ { print s; exit }')
pkcs11-keygen -s $slot -p $PIN -a RSASHA256 -b 2048 -l roll-ksk -i 1 > gen.out
grep -q 'Key pair generation complete' gen.out
pkcs11-keygen -s $slot -p $PIN -q -b 2048 -l roll-zsk -i 2
pkcs11-keygen -s $slot -p $PIN -q -b 2048 -l roll-zsk -i 2 2> dup.err && exit 9
grep -q 'Key already exists' dup.err
label=$(pkcs11-list -s $slot -p $PIN | awk '$5 == 3 && $9 == 1 { print $7 }' | tr -d "'")
test "$label" = roll-ksk
count=$(pkcs11-list -s $slot -p $PIN -l roll-zsk | grep -c "^object")
test "$count" = 2
ksk=$(dnssec-keyfromlabel -a RSASHA256 -l "pkcs11:token=drop%20in;object=roll-ksk;pin-source=$PINFILE" -f KSK example.test)
zsk=$(dnssec-keyfromlabel -a RSASHA256 -l "pkcs11:token=drop%20in;object=roll-zsk;pin-source=$PINFILE" example.test)
test -f $ksk.key -a -f $ksk.private -a -f $zsk.key
dnssec-dsfromkey $ksk.key
pkcs11-destroy -s $slot -p $PIN -w 0 -i 2 | grep -q 'Destruction complete'
pkcs11-destroy -s $slot -p $PIN -w 0 -l roll-ksk
pkcs11-list -s $slot -p $PIN | grep -c '^object' && exit 9
echo done
"#;
    let links = tools.scratch.path("bin");
    let path = format!("{}:{}", links.display(), std::env::var("PATH").unwrap_or_default());
    let file = tools.scratch.write("ceremony.sh", script);
    let mut shell = Program::new(program("sh"))
        .arg(file)
        .env("PATH", path)
        .env("PIN", tools.token.pin())
        .env("PINFILE", tools.token.pin_file())
        .folder(tools.scratch.folder());
    for (name, value) in tools.token.environment() {
        if !name.starts_with("SIGNET_") {
            shell = shell.env(name, value);
        }
    }
    let run = shell.run();
    run.succeeds();
    assert!(run.stdout.ends_with("done\n"), "{run:?}");
}

#[test]
fn links_are_made_anew_and_other_files_left_alone() {
    let scratch = Scratch::new();
    let folder = scratch.make_folder("bin");
    let link = |folder: &PathBuf| Signet::new("install-links").arg(folder).run();
    link(&folder).succeeds();
    link(&folder).succeeds();
    std::fs::remove_file(folder.join("pkcs11-list")).unwrap();
    std::fs::write(folder.join("pkcs11-list"), "mine").unwrap();
    link(&folder).exits(1).says(&["pkcs11-list", "no link to signet"]);
    assert_eq!(scratch.read("bin/pkcs11-list"), "mine");
    // A hard link, or a copy, serves as well.
    let copy = scratch.path("pkcs11-destroy");
    std::fs::copy(signet_binary(), &copy).unwrap();
    Program::new(copy)
        .arg("-x")
        .run()
        .exits(1)
        .says(&["pkcs11-destroy [-m module]"]);
}

#[test]
fn what_the_tools_do_is_audited_without_the_pin() {
    let tools = Tools::new();
    let log = tools.scratch.path("audit");
    let slot = tools.slot();
    let run = |name: &str, words: &[&str]| {
        let tool = tools.tool(name).env("SIGNET_AUDIT", &log);
        tool.args(["-s", &slot, "-p", tools.token.pin()]).args(words).run()
    };
    run("pkcs11-keygen", &["-a", "ecc", "-l", "k"]).succeeds();
    run("pkcs11-list", &["-q"]).exits(1);
    run("pkcs11-destroy", &["-w0", "-l", "k"]).succeeds();
    Signet::new("audit verify").arg(&log).run().succeeds();
    let text = tools.scratch.read("audit");
    for word in [
        "\"generated\"",
        "\"destroyed\"",
        "(left out)",
        "pkcs11-destroy",
        "\"exit_code\":1",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains(tools.token.pin()), "{text}");
}
