//! `signet key generate --on-disk` beside dnssec-keygen: the same files but for the key itself. Keys that have to be insisted on, and what
//! they sign.

use signet_tests::judges::{Judge, all_accept};
use signet_tests::zones::leaf;
use signet_tests::{Key, Program, Run, Scratch, Signet, program, with_openssl};

/// A key made by one of the two: the folder, and what was printed.
struct Made {
    scratch: Scratch,
    run: Run,
}

impl Made {
    fn by_bind(words: &[&str]) -> Self {
        let scratch = Scratch::new();
        let run = Program::new(program("dnssec-keygen")).arg("-q").args(words);
        let run = run.arg("made.test").folder(scratch.folder()).run();
        Self { scratch, run }
    }

    fn by_signet(words: &[&str]) -> Self {
        let scratch = Scratch::new();
        let run = Signet::new("key generate --on-disk").args(words);
        let run = run.arg("made.test").folder(scratch.folder()).run();
        Self { scratch, run }
    }

    /// The two files without what no two keys share: the tag, the numbers, and the moment at which the key was made.
    fn text(&self) -> String {
        self.run.succeeds();
        let name = self.run.stdout.trim();
        assert_eq!(self.run.stdout, format!("{name}\n"));
        let kinds = ["key", "private"].map(|kind| format!("{name}.{kind}"));
        assert_eq!(self.scratch.listing("."), kinds.clone().into());
        let mut text = kinds.map(|file| self.scratch.read(&file)).concat();
        let (stem, tag) = name.rsplit_once('+').unwrap();
        text = text.replace(&format!("keyid {},", tag.trim_start_matches('0')), "keyid TAG,");
        let created = text
            .lines()
            .find_map(|line| line.strip_prefix("; Created: "))
            .map(str::to_owned);
        if let Some((digits, ctime)) = created.as_deref().and_then(|created| created.split_once(' ')) {
            text = text.replace(digits, "NOW").replace(ctime, "NOW");
        }
        let masked = text.lines().map(|line| match line.split_once(": ") {
            Some((field, _)) if FIELDS.contains(&field) => format!("{field}: …\n"),
            _ if line.contains(" DNSKEY ") => {
                let key = line.rfind(" 3 ").unwrap() + 6;
                let mask = |byte: char| if byte == ' ' { ' ' } else { 'x' };
                format!(
                    "{}{}\n",
                    &line[..key],
                    line[key..].chars().map(mask).collect::<String>()
                )
            }
            _ => format!("{line}\n"),
        });
        format!("{stem}\n{}", masked.collect::<String>())
    }
}

const FIELDS: [&str; 8] = [
    "PrivateKey",
    "Modulus",
    "PrivateExponent",
    "Prime1",
    "Prime2",
    "Exponent1",
    "Exponent2",
    "Coefficient",
];

#[track_caller]
fn are_alike(words: &[&str], insist: &[&str]) {
    let (theirs, ours) = (Made::by_bind(words), Made::by_signet(&[words, insist].concat()));
    assert_eq!(theirs.text(), ours.text(), "{words:?}");
}

#[test]
fn on_disk_keys_are_those_of_dnssec_keygen() {
    for words in [
        &[][..],
        &["-f", "KSK"],
        &["-f", "REVOKE"],
        &["-f", "KSK", "-f", "REVOKE"],
        &["-C"],
        &["-C", "-f", "KSK", "-L", "300"],
        &["-3"],
        &["-G"],
        &["-L", "3600"],
        &["-L", "1h"],
        &["-L", "0"],
        &[
            "-P",
            "20300101",
            "-A",
            "20300102000000",
            "-I",
            "20310101",
            "-D",
            "20320101+1mo",
        ],
        &[
            "-f", "KSK", "-R", "20301231", "-P", "sync", "20300101", "-D", "sync", "20310101",
        ],
        &["-A", "none"],
        &["-P", "none", "-A", "none"],
        &["-A", "20300101"],
        &["-P", "20400101", "-i", "10d"],
        &["-A", "20400101", "-i", "1mo"],
    ] {
        are_alike(&[&["-a", "ED25519"], words].concat(), &[]);
    }
    for algorithm in ["8", "ECDSAP256SHA256", "ecdsap384sha384", "15"] {
        are_alike(&["-a", algorithm, "-f", "KSK"], &[]);
    }
    if with_openssl() {
        are_alike(&["-a", "ED448"], &[]);
        are_alike(&["-a", "RSASHA256", "-b", "1024"], &["--insist"]);
        are_alike(&["-a", "RSASHA512", "-b", "1280"], &["--insist"]);
        are_alike(&["-a", "rsasha1", "-b", "1024"], &["--insist"]);
        are_alike(&["-a", "RSASHA1", "-3", "-b", "1536"], &["--insist"]);
        are_alike(&["-a", "NSEC3RSASHA1", "-b", "1024", "-f", "KSK"], &["--insist"]);
    }
}

#[test]
fn what_dnssec_keygen_refuses_is_refused() {
    for words in [
        &["-a", "ED25519", "-C", "-P", "now"][..],
        &["-a", "ED25519", "-C", "-G"],
        &["-a", "ED25519", "-G", "-A", "now"],
        &["-a", "RSASHA256", "-b", "512"],
        &["-a", "RSASHA256", "-b", "8192"],
        &["-a", "NOPE"],
        &["-a", "RSAMD5"],
        &["-a", "ED25519", "-P", "now", "-P", "now"],
        &["-a", "ED25519", "-P", "20400101", "-A", "20400102", "-i", "10d"],
    ] {
        let theirs = Made::by_bind(words);
        assert_ne!(theirs.run.code, Some(0), "{words:?}");
        let ours = Made::by_signet(&[words, &["--insist"]].concat());
        ours.run.exits(2);
        assert!(ours.scratch.listing(".").is_empty(), "{words:?}");
    }
}

/// Keys that no one should use any more, and some that aws-lc-rs does not know.
#[test]
fn keys_that_are_insisted_on_sign() {
    for (words, expected) in [
        (&["-a", "RSASHA1"][..], "must not sign"),
        (&["-a", "RSASHA1", "-3"], "must not sign"),
        (&["-a", "RSASHA256", "-b", "1024"], "too short"),
    ] {
        Made::by_signet(words).run.exits(2).says(&[expected, "--insist"]);
    }
    for words in [
        ["--exponent", "3"],
        ["--exponent", "65538"],
        ["--exponent", "34359738369"],
    ] {
        let made = Made::by_signet(&[&["-a", "RSASHA256"], &words[..]].concat());
        made.run.exits(2).says(&["public exponent", "feature openssl"]);
    }
    Made::by_signet(&["-a", "ED25519", "--exponent", "65537"])
        .run
        .exits(2)
        .says(&["RSA"]);
    // The largest of 35 bits that is prime, F5, and a small one that is none.
    for words in [
        &["-a", "RSASHA1"][..],
        &["-a", "NSEC3RSASHA1"],
        &["-a", "RSASHA256", "-b", "1024"],
        &["-a", "RSASHA512", "-b", "1536"],
        &["-a", "RSASHA256", "--exponent", "34359738337"],
        &["-a", "RSASHA256", "--exponent", "4294967297"],
        &["-a", "RSASHA1", "-b", "1024", "--exponent", "17179869185"],
    ] {
        let scratch = Scratch::new();
        let zone = leaf(5);
        let made = ["-f KSK", ""].map(|role| {
            let run = Signet::new(&format!("key generate --on-disk --insist {role}")).args(words);
            run.arg(&zone.origin).folder(scratch.folder()).run()
        });
        if !with_openssl() {
            made[0].exits(2).says(&["feature openssl"]);
            continue;
        }
        let keys = made.map(|run| {
            run.succeeds();
            Key::existing(scratch.folder(), &run.stdout)
        });
        let (file, out) = (zone.write(&scratch, &[]), scratch.path("out"));
        let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder()).arg("--no-token");
        sign.arg("--insist").keys(&[&keys[0], &keys[1]]).run().succeeds();
        let verified = Signet::new("verify").arg(&out).args(["-o", &zone.origin]).run();
        verified.succeeds();
        all_accept(&[Judge::Bind, Judge::Ldns], &out, &zone.origin);
    }
}
