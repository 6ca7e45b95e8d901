//! Zones with NSEC, each broken in one place: the rule that must speak, and no other error.

use super::zone::{Denial, Fields, Key, NOW, USUAL, Zone, bitmap, name};
use crate::verify::{Expectations, Level, Rule, Severity, survey_apex};
use crate::{Algorithm, Dnskey, NodeList, RecordType as T};

const TEXT: &str = "
    @ 3600 SOA ns.Example. host.example. 1 7200 900 1209600 300
    @ 3600 NS ns
    @ 3600 MX 10 Mail
    ns 3600 A 192.0.2.1
    mail 3600 A 192.0.2.2
    mail 3600 A 192.0.2.3
    *.wild 600 TXT any
    a.ent 3600 TXT deep
    secure 3600 NS ns.secure
    secure 3600 DS 04d20f02aabb
    ns.secure 3600 A 192.0.2.4
    plain 3600 NS ns.plain
    ns.plain 3600 A 192.0.2.5
    alias 3600 CNAME ns
    moved 3600 DNAME elsewhere.test.
    below.moved 3600 A 192.0.2.6
    z 3600 TYPE65280 0102
";

pub(super) fn ksk() -> Key {
    Key::ed25519(1, 257)
}

pub(super) fn zsk() -> Key {
    Key::ed25519(2, 256)
}

pub(super) fn signed() -> Zone {
    Zone::parse("example.", TEXT).sign(&[ksk(), zsk()], &Denial::Nsec)
}

/// The errors found, each rule once, in the order of the rules.
pub(super) fn errors(zone: &Zone) -> Vec<Rule> {
    let report = zone.verify();
    let rules: Vec<_> = report
        .totals
        .iter()
        .map(|&(rule, _)| rule)
        .filter(|rule| rule.severity() == Severity::Error)
        .collect();
    assert_eq!(report.is_good(), rules.is_empty());
    if rules.is_empty() {
        return rules;
    }
    for finding in &report.findings {
        assert!(!finding.detail.is_empty() && finding.to_string().contains(finding.rule.name()));
    }
    rules
}

fn broken(expected: &[Rule], change: impl FnOnce(&mut Zone)) {
    let mut zone = signed();
    change(&mut zone);
    assert_eq!(errors(&zone), expected, "{:#?}", zone.verify().findings);
}

/// Changes an RRSIG byte that is not part of the signature.
fn patch(zone: &mut Zone, owner: &str, rtype: T, at: usize, bytes: &[u8]) {
    for rrsig in zone.signatures_mut(owner, rtype) {
        rrsig.rdata[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Replaces an NSEC's RDATA and signs it again.
fn set_nsec(zone: &mut Zone, owner: &str, next: &str, types: &[T]) {
    let rdata = [name(next).borrow().wire(), &bitmap(types)].concat();
    zone.set_mut(owner, T::NSEC)[0].rdata = rdata;
    resign(zone, owner, T::NSEC);
}

fn resign(zone: &mut Zone, owner: &str, rtype: T) {
    let owner = crate::Name::parse(owner, Some(zone.origin.borrow())).unwrap();
    zone.sign_set(&owner, rtype);
}

#[test]
fn the_zone_itself_is_good() {
    let report = signed().verify();
    assert!(report.is_good() && report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.counts.names, 10);
    assert_eq!((report.counts.delegations, report.counts.insecure_delegations), (2, 1));
    assert_eq!(report.counts.occluded, 3);
    assert_eq!(report.counts.verified, report.counts.signatures);
    assert_eq!(report.counts.sets, 22);
    assert_eq!(report.earliest_expiry.unwrap().expiration, NOW + 86400);
    assert_eq!(report.serial, 1);
    assert_eq!((report.keys[0].ksks, report.keys[0].zsks), ([1, 0, 0], [1, 0, 0]));
}

#[test]
fn signatures_at_fault() {
    broken(&[Rule::SignatureInvalid], |zone| {
        *zone.signatures_mut("ns", T::A)[0].rdata.last_mut().unwrap() ^= 1;
    });
    broken(&[Rule::SignatureInvalid], |zone| {
        zone.set_mut("ns", T::A)[0].rdata[3] = 9
    });
    broken(&[Rule::SignatureMissing], |zone| {
        zone.unsign(&name("mail.example."), T::A)
    });
    broken(&[Rule::SignatureMissing], |zone| {
        zone.unsign(&name("mail.example."), T::NSEC)
    });
    broken(&[Rule::SignatureMissing], |zone| {
        zone.unsign(&name("secure.example."), T::DS)
    });
    broken(&[Rule::SignatureMissing], |zone| {
        zone.unsign(&name("z.example."), T(65280))
    });
    broken(&[Rule::Labels], |zone| patch(zone, "ns", T::A, 3, &[1]));
    broken(&[Rule::Labels], |zone| patch(zone, "*.wild", T::TXT, 3, &[3]));
    broken(&[Rule::Labels], |zone| patch(zone, "ns", T::A, 3, &[200]));
    broken(&[Rule::OriginalTtl], |zone| patch(zone, "ns", T::A, 4, &[0, 0, 0, 9]));
    broken(&[Rule::SignatureTtl, Rule::OriginalTtl], |zone| {
        zone.set_mut("ns", T::A)[0].ttl = 60;
    });
    broken(&[Rule::SignatureTtl], |zone| {
        zone.signatures_mut("ns", T::A)[0].ttl = 60
    });
    broken(&[Rule::TtlDiffers], |zone| zone.set_mut("mail", T::A)[1].ttl = 60);
    broken(&[Rule::SignerName], |zone| patch(zone, "ns", T::A, 19, b"X"));
    broken(&[Rule::RrsigMalformed, Rule::SignatureMissing], |zone| {
        zone.signatures_mut("ns", T::A)[0].rdata.truncate(27);
    });
    broken(&[Rule::SignatureMissing], |zone| {
        let other = Key::ed25519(9, 256);
        zone.unsign(&name("ns.example."), T::A);
        zone.sign_with(&other, &name("ns.example."), T::A, USUAL);
    });
    broken(&[Rule::SignatureInvalid], |zone| {
        patch(zone, "ns", T::A, 12, &[0x60, 0, 0, 0])
    });
}

#[test]
fn windows_at_fault() {
    let times = |inception, expiration| Fields {
        inception,
        expiration,
        ..USUAL
    };
    let with = |fields| move |zone: &mut Zone| zone.sign_set_as(&name("ns.example."), T::A, fields);
    broken(&[Rule::SignatureExpired], with(times(NOW - 9, NOW - 1)));
    broken(&[Rule::SignatureNotYetValid], with(times(NOW + 1, NOW + 9)));
    broken(&[Rule::SignatureWindow], with(times(NOW + 9, NOW - 9)));
    broken(&[], with(times(NOW, NOW)));
    // One more signature, expired or bad, beside a good one.
    broken(&[Rule::SignatureExpired], |zone| {
        zone.sign_with(&zsk(), &name("ns.example."), T::A, times(NOW - 9, NOW - 1));
    });
    broken(&[Rule::SignatureInvalid], |zone| {
        zone.sign_with(&zsk(), &name("ns.example."), T::A, USUAL);
        *zone.signatures_mut("ns", T::A)[1].rdata.last_mut().unwrap() ^= 1;
    });
}

#[test]
fn signatures_where_none_belong() {
    broken(&[Rule::StrayRrsig], |zone| {
        let rdata = zone.rrsig(&zsk(), &name("ns.example."), T::AAAA, USUAL);
        zone.push(&name("ns.example."), T::RRSIG, 3600, rdata);
    });
    broken(&[Rule::StrayRrsig], |zone| {
        zone.sign_set(&name("ns.example."), T::RRSIG)
    });
    for (owner, rtype) in [
        ("secure.example.", T::NS),
        ("plain.example.", T::NS),
        ("ns.plain.example.", T::A),
        ("below.moved.example.", T::A),
    ] {
        broken(&[Rule::SignatureNotAuthoritative], |zone| {
            zone.sign_set(&name(owner), rtype)
        });
    }
}

#[test]
fn nsec_at_fault() {
    broken(&[Rule::NsecMissing], |zone| {
        zone.remove(&name("mail.example."), T::NSEC);
        zone.unsign(&name("mail.example."), T::NSEC);
    });
    broken(&[Rule::NsecMissing, Rule::NsecNext], |zone| {
        zone.remove(&name("mail.example."), T::NSEC);
        zone.unsign(&name("mail.example."), T::NSEC);
        set_nsec(zone, "a.ent", "moved.example.", &[T::TXT, T::RRSIG, T::NSEC]);
    });
    let of_mail = [T::A, T::RRSIG, T::NSEC];
    broken(&[Rule::NsecNext], |zone| {
        set_nsec(zone, "mail", "ns.example.", &of_mail)
    });
    broken(&[Rule::NsecNext], |zone| {
        set_nsec(zone, "mail", "other.test.", &of_mail)
    });
    broken(&[], |zone| set_nsec(zone, "mail", "MOVED.example.", &of_mail));
    broken(&[Rule::NsecNext], |zone| {
        set_nsec(zone, "z", "alias.example.", &[T(65280), T::RRSIG, T::NSEC]);
    });
    for types in [
        &[T::A, T::NSEC][..],
        &[T::A, T::TXT, T::RRSIG, T::NSEC],
        &[T::RRSIG, T::NSEC],
        &[T::A, T::RRSIG],
        &[T::A, T::RRSIG, T::NSEC, T(65280)],
    ] {
        broken(&[Rule::NsecBitmap], |zone| {
            set_nsec(zone, "mail", "moved.example.", types)
        });
    }
    // Glue and other unsigned types at a delegation are not listed.
    broken(&[Rule::NsecBitmap], |zone| {
        zone.add("plain 3600 A 192.0.2.9");
        set_nsec(zone, "plain", "secure.example.", &[T::A, T::NS, T::RRSIG, T::NSEC]);
    });
    broken(&[Rule::NsecBitmap], |zone| {
        zone.set_mut("mail", T::NSEC)[0].rdata.push(0);
        let bitmap = zone.set_mut("mail", T::NSEC)[0].rdata.len() - 7;
        zone.set_mut("mail", T::NSEC)[0].rdata[bitmap - 1] += 1;
        resign(zone, "mail", T::NSEC);
    });
    broken(&[Rule::NsecNotSingle], |zone| {
        let again = zone.set_mut("mail", T::NSEC)[0].rdata.clone();
        zone.push(&name("mail.example."), T::NSEC, 300, [&b"\x01a"[..], &again].concat());
        resign(zone, "mail", T::NSEC);
    });
    broken(&[Rule::DenialTtl], |zone| {
        zone.set_mut("mail", T::NSEC)[0].ttl = 3600;
        resign(zone, "mail", T::NSEC);
    });
    let extra = |owner: &'static str| {
        move |zone: &mut Zone| {
            let owner = name(owner);
            let rdata = [owner.borrow().wire(), &bitmap(&[T::RRSIG, T::NSEC])].concat();
            zone.push(&owner, T::NSEC, 300, rdata);
        }
    };
    broken(&[Rule::NsecExtra], extra("ns.plain.example."));
    broken(&[Rule::NsecExtra], extra("below.moved.example."));
    broken(&[Rule::NsecExtra], |zone| {
        extra("ent.example.")(zone);
        resign(zone, "ent", T::NSEC);
    });
}

#[test]
fn contents_at_fault() {
    broken(&[Rule::CnameAndOtherData, Rule::NsecBitmap], |zone| {
        zone.add("alias 3600 TXT x");
        resign(zone, "alias", T::TXT);
    });
    broken(&[Rule::NotSingle], |zone| {
        zone.add("alias 3600 CNAME mail");
        resign(zone, "alias", T::CNAME);
    });
    broken(&[Rule::DsWithoutNs, Rule::NsecBitmap], |zone| {
        zone.add("mail 3600 DS 04d20f02aabb");
        resign(zone, "mail", T::DS);
    });
    broken(&[Rule::DsAtApex, Rule::NsecBitmap], |zone| {
        zone.add("@ 3600 DS 04d20f02aabb");
        resign(zone, "example.", T::DS);
    });
    broken(&[Rule::DnskeyOffApex, Rule::NsecBitmap], |zone| {
        zone.push(&name("mail.example."), T::DNSKEY, 3600, zsk().dnskey.rdata().to_vec());
        resign(zone, "mail", T::DNSKEY);
    });
    broken(&[Rule::SoaOffApex, Rule::NsecBitmap], |zone| {
        zone.add("mail 3600 SOA ns ns 1 2 3 4 5");
        resign(zone, "mail", T::SOA);
    });
    broken(&[Rule::RdataMalformed], |zone| {
        zone.set_mut("ns", T::A)[0].rdata.push(0);
        resign(zone, "ns", T::A);
    });
    broken(&[Rule::RdataMalformed], |zone| {
        zone.set_mut("example.", T::MX)[0].rdata.truncate(5)
    });
}

#[test]
fn keys_at_fault() {
    broken(&[Rule::KskNotSelfSigned], |zone| {
        zone.unsign(&name("example."), T::DNSKEY);
        zone.sign_with(&zsk(), &name("example."), T::DNSKEY, USUAL);
    });
    broken(&[Rule::KskNotSelfSigned, Rule::SignatureMissing], |zone| {
        zone.unsign(&name("example."), T::DNSKEY);
    });
    broken(&[Rule::AlgorithmSignsNothing], |zone| {
        let key = Key::p256(256).dnskey;
        zone.push(&name("example."), T::DNSKEY, 3600, key.rdata().to_vec());
        resign(zone, "example.", T::DNSKEY);
    });
    broken(&[Rule::DnskeyMalformed], |zone| {
        let key = Dnskey::new(256, Algorithm::ECDSAP256SHA256, &[7; 64]).unwrap();
        zone.push(&name("example."), T::DNSKEY, 3600, key.rdata().to_vec());
        resign(zone, "example.", T::DNSKEY);
    });
    broken(&[Rule::RevokedNotSelfSigned], |zone| {
        let key = Key::ed25519(5, 257 | crate::REVOKE).dnskey;
        zone.push(&name("example."), T::DNSKEY, 3600, key.rdata().to_vec());
        resign(zone, "example.", T::DNSKEY);
    });
    broken(&[Rule::EqualTags], |zone| {
        // Swapping two words of a key leaves its tag as it is.
        for place in 0..5u8 {
            let mut key = [3; 96];
            key[usize::from(place) * 2] = 4;
            let key = Dnskey::new(256, Algorithm(200), &key).unwrap();
            zone.push(&name("example."), T::DNSKEY, 3600, key.rdata().to_vec());
        }
        resign(zone, "example.", T::DNSKEY);
        let rdata = zone.signatures_mut("example.", T::SOA)[0].rdata.clone();
        let tag = Dnskey::new(256, Algorithm(200), &{
            let mut key = [3; 96];
            key[0] = 4;
            key
        })
        .unwrap()
        .key_tag();
        for owner_and_type in all_signed(zone) {
            let (owner, rtype) = owner_and_type;
            let mut rrsig = zone.rrsig(&zsk(), &owner, rtype, USUAL);
            rrsig[2] = 200;
            rrsig[16..18].copy_from_slice(&tag.to_be_bytes());
            let ttl = zone
                .records
                .iter()
                .find(|record| record.owner == owner && record.rtype == rtype)
                .map_or(0, |record| record.ttl);
            zone.push(&owner, T::RRSIG, ttl, rrsig);
        }
        assert_eq!(rdata[2], 15);
    });
}

/// The sets that have a signature.
pub(super) fn all_signed(zone: &Zone) -> Vec<(crate::Name, T)> {
    let mut sets: Vec<_> = zone
        .records
        .iter()
        .filter(|record| record.rtype == T::RRSIG)
        .map(|record| {
            let covered = T(u16::from_be_bytes([record.rdata[0], record.rdata[1]]));
            (record.owner.clone(), covered)
        })
        .collect();
    sets.sort_by_key(|(owner, rtype)| (owner.key(), *rtype));
    sets.dedup();
    sets
}

#[test]
fn every_algorithm_signs_every_set() {
    let text = TEXT;
    let both = [ksk(), zsk(), Key::p256(257), Key::p256(256)];
    let mut zone = Zone::parse("example.", text).sign(&both, &Denial::Nsec);
    assert_eq!(errors(&zone), []);
    let rrsigs = |zone: &Zone| {
        zone.records
            .iter()
            .position(|record| {
                record.owner == name("mail.example.") && record.rtype == T::RRSIG && record.rdata[..3] == [0, 1, 13]
            })
            .unwrap()
    };
    let place = rrsigs(&zone);
    zone.records.remove(place);
    assert_eq!(errors(&zone), [Rule::AlgorithmMissing]);
}

#[test]
fn a_set_with_many_bad_signatures_is_given_up() {
    broken(&[Rule::SignatureInvalid, Rule::SignatureTries], |zone| {
        let owner = name("ns.example.");
        let mut rdata = zone.signatures_mut("ns", T::A)[0].rdata.clone();
        for _ in 0..20 {
            *rdata.last_mut().unwrap() = rdata.last().unwrap().wrapping_add(1);
            zone.push(&owner, T::RRSIG, 3600, rdata.clone());
        }
    });
}

#[test]
fn structure_alone_leaves_the_cryptography_out() {
    let mut zone = signed();
    zone.set_mut("ns", T::A)[0].rdata[3] = 9;
    zone.expectations.level = Level::Structure;
    assert_eq!(errors(&zone), []);
    assert_eq!(zone.verify().counts.verified, 0);
    zone.unsign(&name("mail.example."), T::A);
    assert_eq!(errors(&zone), [Rule::SignatureMissing]);
}

#[test]
fn zones_that_cannot_be_judged() {
    let survey = |zone: &Zone| {
        let mut list = NodeList::new();
        list.start_node_as(b"", zone.origin.borrow());
        let mut apex: Vec<_> = zone
            .records
            .iter()
            .filter(|record| record.owner == zone.origin)
            .collect();
        apex.sort_by_key(|record| record.rtype);
        for record in apex {
            list.push(crate::RecordRef {
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: &record.rdata,
                locus: crate::Locus::default(),
            });
        }
        let expectations = Expectations::new(zone.origin.clone(), NOW);
        survey_apex(list.node(0), &expectations).map(|_| ()).unwrap_err()[0].rule
    };
    assert_eq!(survey(&Zone::parse("example.", TEXT)), Rule::NotSigned);
    let mut zone = signed();
    zone.remove(&name("example."), T::DNSKEY);
    assert_eq!(survey(&zone), Rule::DnskeyMissing);
    let mut zone = signed();
    zone.remove(&name("example."), T::SOA);
    assert_eq!(survey(&zone), Rule::SoaNotSingle);
    zone.add("@ 1 SOA ns ns 1 2 3 4 5");
    zone.add("@ 1 SOA ns ns 2 2 3 4 5");
    assert_eq!(survey(&zone), Rule::SoaNotSingle);
}

#[test]
fn a_zone_without_denial_has_one_finding_for_it() {
    broken(&[Rule::DenialMissing], |zone| {
        zone.remove(&name("example."), T::NSEC);
        zone.unsign(&name("example."), T::NSEC);
    });
}
