//! Zones that are odd and valid: no error may be found in them.

use super::faults::{all_signed, errors, ksk, zsk};
use super::zone::{Denial, Key, USUAL, Zone, bitmap, hash, name};
use crate::verify::{Rule, SepFlag};
use crate::{Algorithm, Dnskey, REVOKE, RecordType as T};

const SOA: &str = "@ 3600 SOA ns host 1 7200 900 1209600 86400\n@ 3600 NS ns\n";

fn denials() -> [Denial; 4] {
    let nsec3 = |iterations, salt, opt_out| Denial::Nsec3 {
        iterations,
        salt,
        opt_out,
    };
    [
        Denial::Nsec,
        nsec3(0, &b""[..], false),
        nsec3(0, &b""[..], true),
        nsec3(3, &[0xaa, 0xbb][..], true),
    ]
}

fn accepted(origin: &str, text: &str, keys: &[Key]) {
    for denial in &denials() {
        let zone = Zone::parse(origin, &format!("{SOA}{text}")).sign(keys, denial);
        let report = zone.verify();
        assert!(report.is_good(), "{text}\n{:#?}", report.findings);
    }
}

#[test]
fn contents() {
    let keys = [ksk(), zsk()];
    for (origin, text) in [
        // Nothing but the apex; the root; a deep origin.
        ("example.", ""),
        (".", "com 60 NS ns.com\nns.com 60 A 192.0.2.1"),
        ("a.b.c.d.example.", "x 60 A 192.0.2.1"),
        // Wildcards: at the apex, in the middle, of NS, of CNAME.
        (
            "example.",
            "* 60 A 192.0.2.1\n*.a 60 CNAME ns\nb.*.c 60 TXT x\n*.d 60 NS ns\n*.*.e 60 TXT x",
        ),
        // A DNAME at the apex hides everything, and an NSEC3 chain stands all the same.
        ("example.", "@ 60 DNAME other.test.\nx 60 A 192.0.2.1"),
        (
            "example.",
            "d 60 DNAME other.test.\nd 60 A 192.0.2.1\nx.d 60 A 192.0.2.1\ny.x.d 60 NS ns",
        ),
        // Cuts below cuts; a cut with other data; DS below a cut; glue for a name server at the cut.
        (
            "example.",
            "c 60 NS ns.c\nd.c 60 NS ns\nd.c 60 DS 0001080200\nns.c 60 A 192.0.2.1\nc 60 A 192.0.2.2",
        ),
        // Binary labels, dots and stars inside them, upper case.
        (
            "example.",
            "\\000.a 60 A 192.0.2.1\na\\.b 60 A 192.0.2.1\n\\* 60 TXT x\nX.Y 60 TXT x\n\\255 60 TXT x",
        ),
        // Empty non-terminals of all kinds side by side.
        (
            "example.",
            "a.b.c 60 NS ns\nd.b.c 60 TXT x\ne.f.g 60 NS ns\nh.f.g 60 NS ns\nz.y.x.w 60 TXT x",
        ),
        // TTL 0; types unknown, in other windows, with empty RDATA.
        (
            "example.",
            "a 0 A 192.0.2.1\nb 60 TYPE1234 00\nb 60 TYPE65280\nb 60 TYPE257 000569737375652d",
        ),
        // A name and the same name twice in a set in other letter case.
        ("example.", "a 60 MX 10 Mail\na 60 MX 10 mail\na 60 MX 5 zz"),
        // RDATA that the second decoder doubts: CSYNC flags, KEY.
        ("example.", "a 60 CSYNC 0000000100ff000140\na 60 KEY 02000305"),
        // KEY beside CNAME (RFC 4035 2.5).
        ("example.", "a 60 CNAME ns\na 60 KEY 0200030801"),
        // CDS in the delete form (RFC 8078 4), CDNSKEY of a key.
        ("example.", "@ 60 CDS 0000000000\n@ 60 CDNSKEY 0000030000"),
        // Names that sort near one another.
        (
            "example.",
            "a 60 A 192.0.2.1\naa 60 A 192.0.2.1\na.a 60 A 192.0.2.1\nb 60 A 192.0.2.1\na\\000 60 A 192.0.2.1",
        ),
    ] {
        accepted(origin, text, &keys);
    }
}

#[test]
fn keys() {
    let text = "a 60 A 192.0.2.1\nd 60 NS ns";
    // One key that signs all; one without the SEP flag; stand-by keys; two of each; two algorithms.
    accepted("example.", text, &[ksk()]);
    accepted("example.", text, &[zsk()]);
    accepted(
        "example.",
        text,
        &[ksk(), zsk(), Key::ed25519(3, 257), Key::ed25519(4, 256)],
    );
    accepted("example.", text, &[ksk(), zsk(), Key::p256(257), Key::p256(256)]);
    accepted("example.", text, &[Key::p256(257)]);
    // A revoked key that signs the DNSKEY set.
    accepted("example.", text, &[ksk(), zsk(), Key::ed25519(5, 257 | REVOKE)]);
}

fn plain(keys: &[Key]) -> Zone {
    Zone::parse("example.", &format!("{SOA}a 60 A 192.0.2.1")).sign(keys, &Denial::Nsec)
}

#[test]
fn stand_by_foreign_and_odd_keys() {
    let apex = name("example.");
    let mut zone = plain(&[ksk(), zsk()]);
    // A stand-by key of the same algorithm, a key without the ZONE flag, one published twice.
    for key in [Key::ed25519(6, 257).dnskey, Key::p256(0).dnskey, zsk().dnskey] {
        zone.push(&apex, T::DNSKEY, 3600, key.rdata().to_vec());
    }
    zone.sign_set(&apex, T::DNSKEY);
    assert_eq!(errors(&zone), []);
    let summary = zone.verify().keys;
    assert_eq!((summary[0].ksks, summary[0].zsks), ([1, 1, 0], [1, 0, 0]));
}

/// Two keys of one algorithm and tag.
fn twins() -> [Key; 2] {
    let mut seen = std::collections::BTreeMap::new();
    for number in 0u32.. {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let key = Key::ed25519_of(&seed, 256);
        if let Some(other) = seen.insert(key.dnskey.key_tag(), key.clone()) {
            return [other, key];
        }
    }
    unreachable!("tags have 16 bits")
}

#[test]
fn keys_with_one_tag_are_each_tried() {
    let [one, other] = twins();
    accepted("example.", "a 60 A 192.0.2.1", &[ksk(), one.clone(), other.clone()]);
    // Only the second one signs: the first, which is tried before it, says nothing.
    let mut zone = plain(&[ksk(), other]);
    zone.push(&name("example."), T::DNSKEY, 3600, one.dnskey.rdata().to_vec());
    zone.sign_set(&name("example."), T::DNSKEY);
    assert_eq!(errors(&zone), []);
    zone.set_mut("a", T::A)[0].rdata[3] = 9;
    assert_eq!(errors(&zone), [Rule::SignatureInvalid]);
}

#[test]
fn algorithms_that_cannot_be_verified_are_no_errors() {
    let apex = name("example.");
    let algorithms = [16, 17, 23, 253, 254];
    let known = usize::from(cfg!(feature = "openssl"));
    for algorithm in algorithms.into_iter().skip(known) {
        let mut zone = plain(&[ksk(), zsk()]);
        let length = if algorithm == 16 { 57 } else { 40 };
        let foreign = Dnskey::new(257, Algorithm(algorithm), &vec![5; length]).unwrap();
        zone.push(&apex, T::DNSKEY, 3600, foreign.rdata().to_vec());
        zone.sign_set(&apex, T::DNSKEY);
        for (owner, rtype) in all_signed(&zone) {
            let mut rrsig = zone.rrsig(&zsk(), &owner, rtype, USUAL);
            rrsig[2] = algorithm;
            rrsig[16..18].copy_from_slice(&foreign.key_tag().to_be_bytes());
            let ttl = u32::from_be_bytes(rrsig[4..8].try_into().unwrap());
            zone.push(&owner, T::RRSIG, ttl, rrsig);
        }
        let report = zone.verify();
        assert!(report.is_good(), "{:#?}", report.findings);
        assert_eq!(report.count(Rule::AlgorithmUnverifiable), 1);
        // It is still held to sign everything.
        zone.records.pop();
        assert_eq!(errors(&zone), [Rule::AlgorithmMissing]);
    }
}

#[test]
fn unknown_and_revoked_signers_beside_a_good_one() {
    let mut zone = plain(&[ksk(), zsk()]);
    zone.sign_with(&Key::ed25519(9, 256), &name("a.example."), T::A, USUAL);
    let report = zone.verify();
    assert!(report.is_good());
    assert_eq!(report.count(Rule::SignerUnknown), 1);

    let revoked = Key::ed25519(5, 257 | REVOKE);
    let mut zone = plain(&[ksk(), zsk(), revoked.clone()]);
    zone.sign_with(&revoked, &name("a.example."), T::A, USUAL);
    let report = zone.verify();
    assert!(report.is_good(), "{:#?}", report.findings);
    assert_eq!(report.count(Rule::SignerRevoked), 1);
}

#[test]
fn the_sep_flag_can_be_ignored() {
    let mut zone = plain(&[ksk(), zsk()]);
    zone.unsign(&name("example."), T::DNSKEY);
    zone.sign_with(&zsk(), &name("example."), T::DNSKEY, USUAL);
    assert_eq!(errors(&zone), [Rule::KskNotSelfSigned]);
    zone.expectations.sep_flag = SepFlag::Ignored;
    assert_eq!(errors(&zone), []);
    assert_eq!(plain(&[zsk()]).verify().count(Rule::NoSepKey), 1);
}

#[test]
fn both_chains_at_once() {
    // While a zone moves from NSEC to NSEC3 it has both, complete.
    let text = format!("{SOA}a 60 A 192.0.2.1\nd 60 NS ns\ne.f 60 TXT x");
    let mut zone = Zone::parse("example.", &text).sign(&[ksk(), zsk()], &Denial::Nsec);
    let with_nsec3 = Denial::Nsec3 {
        iterations: 0,
        salt: b"",
        opt_out: false,
    };
    let other = Zone::parse("example.", &text).sign(&[ksk(), zsk()], &with_nsec3);
    for mut record in other.records {
        if record.rtype == T::NSEC3 {
            let types_of = |owner: &str, types: &[T]| (hash(&name(owner), 0, b""), bitmap(types));
            for (own, types) in [
                types_of(
                    "example.",
                    &[T::NS, T::SOA, T::RRSIG, T::NSEC, T::DNSKEY, T::NSEC3PARAM],
                ),
                types_of("a.example.", &[T::A, T::RRSIG, T::NSEC]),
                types_of("d.example.", &[T::NS, T::RRSIG, T::NSEC]),
                types_of("e.f.example.", &[T::TXT, T::RRSIG, T::NSEC]),
            ] {
                if zone.hash_owner(&own) == record.owner {
                    record.rdata.truncate(26);
                    record.rdata.extend(types);
                }
            }
            zone.records.push(record);
        } else if record.rtype == T::NSEC3PARAM {
            zone.records.push(record);
        }
    }
    let apex = zone.set_mut("example.", T::NSEC).remove(0);
    let next = name("a.example.");
    apex.rdata = [
        next.borrow().wire(),
        &bitmap(&[T::NS, T::SOA, T::RRSIG, T::NSEC, T::DNSKEY, T::NSEC3PARAM]),
    ]
    .concat();
    zone.sign_all();
    assert_eq!(errors(&zone), [], "{:#?}", zone.verify().findings);
}

#[test]
fn a_name_that_is_a_hashed_owner() {
    // The owner of the apex's NSEC3 has data of its own: a name like any other, with an NSEC3 of its own.
    let owner = Zone::parse("example.", SOA).hash_owner(&hash(&name("example."), 0, b""));
    let text = format!("{SOA}{owner} 60 TXT x\nbelow.{owner} 60 TXT y");
    for opt_out in [false, true] {
        let denial = Denial::Nsec3 {
            iterations: 0,
            salt: b"",
            opt_out,
        };
        let zone = Zone::parse("example.", &text).sign(&[ksk(), zsk()], &denial);
        assert_eq!(errors(&zone), [], "{:#?}", zone.verify().findings);
        assert!(zone.verify_at(|_, _| false, true).is_good());
    }
    // Only a name below it has data: the hashed owner is an empty non-terminal besides.
    let denial = Denial::Nsec3 {
        iterations: 0,
        salt: b"",
        opt_out: false,
    };
    let zone = Zone::parse("example.", &format!("{SOA}below.{owner} 60 TXT y")).sign(&[ksk(), zsk()], &denial);
    assert_eq!(errors(&zone), [], "{:#?}", zone.verify().findings);
}
