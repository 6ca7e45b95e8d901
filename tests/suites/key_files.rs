//! K* files between BIND's tools and ours, both ways: names, fields, tags, dates, DS records.

use std::os::unix::fs::PermissionsExt;

use signet_tests::judges::{Judge, SignZone, ds_from_key, normalise, settime};
use signet_tests::zones::leaf;
use signet_tests::{Key, Program, Role, Run, Scratch, Signet, Token, program};

use crate::signing::{Denial, Pair, Place};
use crate::verdicts;

const ALGORITHMS: [(&str, &str); 4] = [
    ("RSASHA256", "008"),
    ("ECDSAP256SHA256", "013"),
    ("ECDSAP384SHA384", "014"),
    ("ED25519", "015"),
];

#[test]
fn keys_of_dnssec_keygen_sign_here() {
    for algorithm in [
        "RSASHA256",
        "RSASHA512",
        "ECDSAP256SHA256",
        "ECDSAP384SHA384",
        "ED25519",
    ] {
        let scratch = Scratch::new();
        let zone = leaf(10);
        let ksk = Key::by_bind(&zone.origin, algorithm, Role::Ksk, scratch.folder());
        let zsk = Key::by_bind(&zone.origin, algorithm, Role::Zsk, scratch.folder());
        let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
        let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder());
        sign.keys(&[&ksk, &zsk]).run().succeeds();
        verdicts::check(
            verdicts::judges(algorithm),
            &out,
            &zone.name,
            &zone.origin,
            Denial::Nsec,
        );
    }
}

#[test]
fn keys_made_here_sign_in_dnssec_signzone() {
    for (algorithm, number) in ALGORITHMS {
        let (scratch, token) = (Scratch::new(), Token::default());
        let zone = leaf(10);
        let pair = Pair::generate(&token, &zone.origin, algorithm, Place::Disk, scratch.folder());
        assert!(pair.ksk.base_name().starts_with(&format!("Kleaf.test.+{number}+")));
        let (file, out) = (zone.write(&scratch, &pair.both()), scratch.path("signed"));
        SignZone::new(&file, &zone.origin, scratch.folder())
            .keys(&pair.both())
            .run(&out)
            .succeeds();
        for judge in [Judge::Bind, Judge::Ldns, Judge::Knot] {
            assert_eq!(judge.complaint(&out, &zone.origin), None);
        }
    }
}

#[test]
fn ds_records_are_those_of_dnssec_dsfromkey() {
    let (scratch, token) = (Scratch::new(), Token::default());
    for (algorithm, _) in ALGORITHMS {
        for place in [Place::Token, Place::Disk] {
            let folder = scratch.make_folder(&format!("{algorithm}-{place:?}"));
            let pair = Pair::generate(&token, "ds.test.", algorithm, place, &folder);
            let ds = Signet::new("key ds")
                .arg(pair.ksk.base_name())
                .arg("-K")
                .arg(&folder)
                .run();
            ds.succeeds();
            assert_eq!(
                words(&ds.stdout),
                words(&ds_from_key(&pair.ksk, &[])),
                "{algorithm} {place:?}"
            );
            let tag = words(&ds.stdout)[3].clone();
            assert_eq!(
                tag,
                pair.ksk.tag().to_string(),
                "the tag in the file's name is that of the key"
            );
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bind_reads_every_date_of_our_files() {
    let scratch = Scratch::new();
    let run = dated_key(&["--on-disk"], &scratch, Vec::new());
    let key = Key::existing(scratch.folder(), &run.stdout);
    let shown = settime(&key, &["-u", "-p", "all"]);
    shown.succeeds();
    for (name, seconds) in [
        ("Publish", 1_767_225_600_u64),
        ("Activate", 1_767_312_000),
        ("Inactive", 1_798_761_600),
        ("Delete", 1_830_297_600),
        ("SYNC Publish", 1_767_398_400),
        ("SYNC Delete", 1_767_484_800),
    ] {
        let line = format!("{name}: {seconds}");
        assert!(shown.stdout.contains(&line), "{line:?} was expected: {shown:?}");
    }
}

fn dated_key(flags: &[&str], scratch: &Scratch, environment: Vec<(&'static str, String)>) -> Run {
    let run = Signet::new("key generate dates.test. -a ED25519")
        .args(flags)
        .arg("-K")
        .arg(scratch.folder())
        .args([
            "-P",
            "20260101000000",
            "-A",
            "20260102000000",
            "-I",
            "20270101000000",
            "-D",
            "20280101000000",
        ])
        .args(["--sync-publish", "20260103000000", "--sync-delete", "20260104000000"])
        .envs(environment)
        .run();
    run.succeeds();
    run
}

#[test]
fn dates_of_token_keys_are_written_as_those_on_disk() {
    // Debian's BIND cannot load a key with an engine, so the files themselves are compared.
    let (scratch, token) = (Scratch::new(), Token::default());
    let runs = [
        dated_key(&["--on-disk"], &scratch, Vec::new()),
        dated_key(&["-l", "dates"], &scratch, token.environment()),
    ];
    let dates = runs.map(|run| {
        let key = Key::existing(scratch.folder(), &run.stdout);
        [key.private_file(), key.public_file()].map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let dated = text
                .lines()
                .filter(|line| line.contains(": 202") && !line.contains("Created"));
            dated.map(str::to_owned).collect::<Vec<_>>()
        })
    });
    assert_eq!(dates[0], dates[1]);
    assert_eq!(dates[0][0].len(), 6, "{dates:?}");
}

#[test]
fn default_dates_are_now_as_with_dnssec_keygen() {
    let scratch = Scratch::new();
    let key = Key::on_disk("now.test.", "ED25519", Role::Zsk, scratch.folder());
    let shown = settime(&key, &["-p", "all"]);
    shown.succeeds();
    for name in ["Created", "Publish", "Activate"] {
        let line = shown.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(!line.contains("UNSET"), "{line}");
    }
    for name in ["Revoke", "Inactive", "Delete"] {
        let line = shown.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains("UNSET"), "{line}");
    }
}

#[test]
fn private_files_are_for_their_owner_alone() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let pair = Pair::generate(&token, "mode.test.", "ED25519", Place::Mixed, scratch.folder());
    for key in pair.both() {
        let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(key.private_file()), 0o600);
        assert_eq!(mode(key.public_file()), 0o644);
    }
}

#[test]
fn files_of_token_keys_have_binds_fields() {
    let (scratch, token) = (Scratch::new(), Token::default());
    for (algorithm, number) in ALGORITHMS {
        let key = Key::on_token(&token, "fields.test.", algorithm, Role::Ksk, scratch.folder());
        let text = std::fs::read_to_string(key.private_file()).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("Private-key-format: v1.3"));
        let number: u8 = number.parse().unwrap();
        assert_eq!(lines.next().unwrap(), format!("Algorithm: {number} ({algorithm})"));
        assert!(
            text.contains("\nEngine: cGtjczExAA==\n"),
            "pkcs11 and its NUL byte in base64: {text}"
        );
        let label = text.lines().find_map(|line| line.strip_prefix("Label: ")).unwrap();
        let label = data_encoding::BASE64.decode(label.as_bytes()).unwrap();
        assert_eq!(label.last(), Some(&0), "the label ends with a NUL byte");
        assert!(String::from_utf8_lossy(&label).contains(&format!("fields.test-{}-Ksk", algorithm.to_lowercase())));
        assert_eq!(text.contains("\nModulus:"), algorithm.starts_with("RSA"), "{text}");
    }
}

#[test]
fn a_key_made_by_another_tool_is_adopted_by_its_label() {
    let token = Token::default();
    for (kind, algorithm, number) in [
        ("rsa:2048", "RSASHA256", "008"),
        ("EC:prime256v1", "ECDSAP256SHA256", "013"),
        ("EC:secp384r1", "ECDSAP384SHA384", "014"),
        ("EC:edwards25519", "ED25519", "015"),
    ] {
        let scratch = Scratch::new();
        let zone = leaf(10);
        let mut keys = Vec::new();
        for (role, flags) in [("ksk", &["-f", "KSK"][..]), ("zsk", &[])] {
            let label = format!("{algorithm} {role}");
            token
                .pkcs11_tool(&["--keypairgen", "--key-type", kind, "--label", &label])
                .succeeds();
            // The algorithm is the key's own when none is given.
            let run = Signet::new("key from-label")
                .arg(&zone.origin)
                .args(["-l", &label])
                .args(flags)
                .arg("-K")
                .arg(scratch.folder())
                .on(&token)
                .run();
            run.succeeds();
            let key = Key::existing(scratch.folder(), &run.stdout);
            assert!(key.base_name().contains(&format!("+{number}+")), "{run:?}");
            keys.push(key);
        }
        let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
        let sign = Signet::sign(&file, &zone.origin, &out, scratch.folder()).keys(&[&keys[0], &keys[1]]);
        sign.on(&token).run().succeeds();
        verdicts::check(
            verdicts::judges(algorithm),
            &out,
            &zone.name,
            &zone.origin,
            Denial::Nsec,
        );
    }
}

#[test]
fn a_label_may_be_a_uri_with_an_id() {
    let (scratch, token) = (Scratch::new(), Token::default());
    token
        .pkcs11_tool(&[
            "--keypairgen",
            "--key-type",
            "EC:prime256v1",
            "--label",
            "by id",
            "--id",
            "0A1B",
        ])
        .succeeds();
    for uri in [
        "pkcs11:id=%0A%1B",
        "pkcs11:object=by%20id",
        "pkcs11:token=suite;object=by%20id;id=%0a%1b",
    ] {
        let run = Signet::new("key from-label uri.test.")
            .args(["-l", uri, "-K"])
            .arg(scratch.folder())
            .on(&token)
            .run();
        run.succeeds();
        let key = Key::existing(scratch.folder(), &run.stdout);
        std::fs::remove_file(key.public_file()).unwrap();
        std::fs::remove_file(key.private_file()).unwrap();
    }
}

#[test]
fn token_and_keys_are_listed() {
    let (scratch, token) = (Scratch::new(), Token::new("listed token"));
    let pair = Pair::generate(&token, "list.test.", "ECDSAP256SHA256", Place::Token, scratch.folder());
    let tokens = Signet::new("token list").on(&token).run();
    tokens.succeeds();
    assert!(tokens.stdout.contains("listed token"), "{tokens:?}");
    let json = Signet::new("token list --json").on(&token).run();
    json.succeeds();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(json.to_string().contains("listed token"), "{json}");
    let keys = Signet::new("key list -K").arg(scratch.folder()).on(&token).run();
    keys.succeeds();
    for key in pair.both() {
        assert!(keys.stdout.contains(&key.tag().to_string()), "{keys:?}");
    }
}

#[test]
fn the_root_and_odd_names_have_binds_file_names() {
    let scratch = Scratch::new();
    for zone in [".", "UPPER.Test.", "_x-y.test.", r"sp\032ace.test."] {
        let ours = Key::on_disk(zone, "ED25519", Role::Zsk, scratch.folder());
        let theirs = Key::by_bind(zone, "ED25519", Role::Zsk, scratch.folder());
        let owner = |key: &Key| key.base_name().split('+').next().unwrap().to_owned();
        assert_eq!(owner(&ours), owner(&theirs));
        let written = |key: &Key| key.record().split(" IN ").next().unwrap().to_lowercase();
        assert_eq!(written(&ours), written(&theirs));
    }
}

#[test]
fn bind_lists_and_loads_our_files() {
    // A zone signed by dnssec-signzone with its own search of the key directory.
    let (scratch, token) = (Scratch::new(), Token::default());
    let zone = leaf(10);
    let keys = scratch.make_folder("keys");
    Pair::generate(&token, &zone.origin, "ECDSAP256SHA256", Place::Disk, &keys);
    let (file, out) = (zone.write(&scratch, &[]), scratch.path("signed"));
    let run = Program::new(program("dnssec-signzone"))
        .args(["-S", "-o", &zone.origin, "-K"])
        .arg(&keys)
        .arg("-f")
        .arg(&out)
        .arg(&file)
        .folder(scratch.folder())
        .run();
    run.succeeds();
    assert_eq!(
        normalise(&out, &zone.origin)
            .set(&zone.origin, "DNSKEY")
            .unwrap()
            .records
            .len(),
        2
    );
}
