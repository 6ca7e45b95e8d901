//! Keys whose tags, revoked or not, are those of a key of the zone: made anew, or refused where no other can be had.

use std::path::Path;

use dnssec_sign::key_tag;
use signet_tests::{Faulty, Key, Role, Run, Scratch, Signet, Token};

const ZONE: &str = "tags.test.";

/// Private files without their public halves for these tags: all that is known of such keys is the tag.
fn take_tags(folder: &Path, taken: impl Fn(u16) -> bool) {
    for tag in (0..=u16::MAX).filter(|tag| taken(*tag)) {
        std::fs::write(folder.join(format!("K{ZONE}+015+{tag:05}.private")), "").unwrap();
    }
}

fn objects(token: &Token) -> usize {
    token
        .pkcs11_tool(&["--list-objects"])
        .stdout
        .matches("Key Object;")
        .count()
}

#[test]
fn a_pair_whose_tag_clashes_is_made_again() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let generate = |faulty: &Faulty| {
        let signet = Signet::new("key generate -a ED25519").arg(ZONE);
        let signet = signet.envs(token.faulty_environment(faulty));
        signet.folder(scratch.folder()).run()
    };
    // REVOKE is bit 7: of a tag and its revoked form one is among these, in a third of all cases.
    take_tags(scratch.folder(), |tag| tag & 0x80 != 0 && (tag >> 8) % 3 == 0);
    let mut made = 0;
    let again = (0..40).any(|_| {
        let faulty = Faulty::new("");
        let run = generate(&faulty);
        run.succeeds();
        made += 1;
        let tag = Key::existing(scratch.folder(), &run.stdout).tag();
        assert_ne!((tag >> 8) % 3, 0, "{run:?}");
        faulty.calls("C_GenerateKeyPair") > 1
    });
    assert!(again, "none of {made} keys had to be made again");
    assert_eq!(objects(&token), 2 * made, "what clashed is not left on the token");

    // Whatever is made now clashes, half of it when it is revoked only.
    take_tags(scratch.folder(), |tag| tag & 0x80 != 0);
    let faulty = Faulty::new("");
    let run = generate(&faulty);
    run.exits(1).says(&["tags that clash"]);
    assert_eq!(faulty.calls("C_GenerateKeyPair"), 10);
    assert_eq!(objects(&token), 2 * made);
    let disk = Signet::new("key generate --on-disk -a ED25519").arg(ZONE);
    disk.folder(scratch.folder()).run().exits(1).says(&["tags that clash"]);
}

/// The RDATA of a key's DNSKEY.
fn data(key: &Key) -> Vec<u8> {
    let record = key.record();
    let base64: String = record
        .split_whitespace()
        .skip_while(|word| *word != "DNSKEY")
        .skip(4)
        .collect();
    let mut data = vec![1, 0, 3, 15];
    data.extend(data_encoding::BASE64.decode(base64.as_bytes()).unwrap());
    data
}

#[test]
fn a_key_that_is_there_is_refused_where_its_tag_clashes_with_a_revoked_one() {
    let (scratch, token) = (Scratch::new(), Token::default());
    let key = Key::on_token_labelled(&token, ZONE, "ED25519", Role::Zsk, scratch.folder(), "k");
    let adopt = |folder: &str, words: &[&str]| -> Run {
        let signet = Signet::new("key from-label -l k").arg(ZONE).args(words);
        signet.on(&token).folder(scratch.path(folder)).run()
    };
    let mut revoked = data(&key);
    revoked[1] |= 0x80;

    // A key that is there has the tag that this one gets when it is revoked.
    let folder = scratch.make_folder("its-revoked-tag");
    let tag = key_tag(&revoked);
    std::fs::write(folder.join(format!("K{ZONE}+015+{tag:05}.private")), "").unwrap();
    let run = adopt("its-revoked-tag", &[]);
    run.exits(1).says(&["RFC 5011", &format!("+015+{tag:05}")]);

    // A key that is there gets this one's tag when it is revoked: a public key whose words add up to 0x80 less.
    let folder = scratch.make_folder("the-others-revoked-tag");
    let mut other = data(&key);
    let at = (4..other.len()).step_by(2).find(|at| other[at + 1] >= 0x80).unwrap();
    other[at + 1] -= 0x80;
    let mut other_revoked = other.clone();
    other_revoked[1] |= 0x80;
    assert_eq!(key_tag(&other_revoked), key.tag());
    let base = format!("K{ZONE}+015+{:05}", key_tag(&other));
    let text = format!(
        "{ZONE} IN DNSKEY 256 3 15 {}\n",
        data_encoding::BASE64.encode(&other[4..])
    );
    std::fs::write(folder.join(format!("{base}.key")), text).unwrap();
    adopt("the-others-revoked-tag", &[]).exits(1).says(&["RFC 5011", &base]);

    // Another algorithm, or another zone, is no clash.
    let folder = scratch.make_folder("elsewhere");
    for name in [
        format!("K{ZONE}+013+{:05}", key.tag()),
        format!("Kother.test.+015+{:05}", key.tag()),
    ] {
        std::fs::write(folder.join(format!("{name}.private")), "").unwrap();
    }
    adopt("elsewhere", &[]).succeeds();
}
