//! Single faults, each put into a zone that is otherwise as signet signed it. Sets that a fault changes are signed again
//! unless the signature is the fault, so that one rule alone is broken where that can be.

use dnssec_sign::RecordType as T;
use signet_tests::{Role, Scratch};

use super::workbench::{EXPIRATION, Fields, INCEPTION, Rec, Workbench, Wrong, name, open};
use crate::signing::Pair;

/// The zone that faults are put into; every judge accepts it in each form.
pub const BODY: &str = "
@ SOA ns1 hostmaster 1 7200 3600 1209600 900
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
a A 192.0.2.3
two A 192.0.2.5
two A 192.0.2.4
*.wild TXT wild
x.y.ent A 192.0.2.6
cut NS ns.cut
ns.cut A 192.0.2.7
sec NS ns1
sec DS 12345 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
mail MX 10 a
mail MX 20 Mail.Other.Example.
old DNAME other.example.
www CNAME a
";

/// A case: its name, the form of the zone, the change.
pub type Fault = (&'static str, Form, fn(&mut Workbench));

/// How the zone is signed before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Nsec,
    Nsec3,
    OptOut,
}

use Form::{Nsec, Nsec3, OptOut};

impl Form {
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Nsec => &["--nsec"],
            Nsec3 => &["--nsec3"],
            OptOut => &["--nsec3", "--opt-out"],
        }
    }
}

fn fields(change: impl FnOnce(&mut Fields)) -> Fields {
    let mut fields = Fields::default();
    change(&mut fields);
    fields
}

/// An NSEC's bitmap behind its next name.
fn bitmap_of(record: &Rec) -> usize {
    let mut at = 0;
    while record.rdata[at] != 0 {
        at += 1 + usize::from(record.rdata[at]);
    }
    at + 1
}

/// Replaces an NSEC, by text, and signs it.
fn nsec(zone: &mut Workbench, owner: &str, text: &str) {
    zone.remove(owner, T::NSEC)
        .add(&format!("{owner} 900 NSEC {text}"))
        .sign(owner, T::NSEC);
}

/// Changes the NSEC3 record of a name, and signs it.
fn nsec3(zone: &mut Workbench, of: &str, change: impl Fn(&mut Rec)) {
    let owner = Workbench::hashed(of);
    zone.edit(&owner, T::NSEC3, change).sign(&owner, T::NSEC3);
}

/// Takes the NSEC3 record of a name out and closes the chain over it.
fn nsec3_left_out(zone: &mut Workbench, of: &str) {
    let owner = Workbench::hashed(of);
    let gone = zone.set(&owner, T::NSEC3)[0].clone();
    let hash = data_encoding::BASE32HEX_NOPAD.decode(owner.as_bytes()).unwrap();
    zone.take(&owner, T::NSEC3);
    let before = zone
        .records
        .iter()
        .find(|record| record.rtype == T::NSEC3 && record.rdata[6..26] == hash)
        .unwrap();
    let before = before.owner.to_string();
    let next = gone.rdata[6..26].to_vec();
    zone.edit(&before, T::NSEC3, |record| record.rdata[6..26].copy_from_slice(&next))
        .sign(&before, T::NSEC3);
}

/// Puts an NSEC3 record for a name that is not there into the chain.
fn nsec3_put_in(zone: &mut Workbench, of: &str) {
    let owner = Workbench::hashed(of);
    let hash = data_encoding::BASE32HEX_NOPAD.decode(owner.as_bytes()).unwrap();
    let mut chain: Vec<_> = zone.records.iter().filter(|record| record.rtype == T::NSEC3).collect();
    chain.sort_by_key(|record| record.owner.to_string().to_uppercase());
    let before = chain
        .iter()
        .rfind(|record| record.owner.to_string().to_uppercase() < owner)
        .or(chain.last())
        .unwrap();
    let mut new = (*before).clone();
    let before = before.owner.to_string();
    new.owner = name(&owner);
    new.rdata.truncate(26);
    new.rdata.extend([0, 1, 0x40]);
    zone.edit(&before, T::NSEC3, |record| record.rdata[6..26].copy_from_slice(&hash))
        .sign(&before, T::NSEC3);
    zone.records.push(new);
    zone.sign(&owner, T::NSEC3);
}

fn stranger() -> [dnssec_sign::SoftwareKey; 2] {
    let scratch = Scratch::new();
    open(
        &Pair::of_bind("ECDSAP256SHA256", super::workbench::ORIGIN, scratch.folder()),
        &scratch,
    )
}

pub const FAULTS: &[Fault] = &[
    // Signatures: their fields.
    ("labels-one-less", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.labels = Some(2)));
    }),
    ("labels-one-more", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.labels = Some(4)));
    }),
    ("labels-count-the-asterisk", Nsec, |z| {
        z.sign_as("*.wild", T::TXT, &fields(|f| f.labels = Some(4)));
    }),
    ("original-ttl", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.original_ttl = Some(3601)));
    }),
    ("rrsig-ttl", Nsec, |z| {
        z.edit_signatures("a", T::A, |r| r.ttl = 60);
    }),
    ("set-ttl", Nsec, |z| {
        z.edit("a", T::A, |r| r.ttl = 60);
    }),
    ("expired", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.expiration = Some(INCEPTION + 86_400)));
    }),
    ("not-yet-valid", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.inception = Some(EXPIRATION - 86_400)));
    }),
    ("window-reversed", Nsec, |z| {
        z.sign_as(
            "a",
            T::A,
            &fields(|f| (f.inception, f.expiration) = (Some(EXPIRATION), Some(INCEPTION))),
        );
    }),
    ("signer-below", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.signer = Some("a")));
    }),
    ("signer-above", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.signer = Some("test.")));
    }),
    // Signatures: what they are over.
    ("signature-bit", Nsec, |z| {
        z.edit_signatures("a", T::A, |r| {
            let end = r.rdata.len() - 5;
            r.rdata[end] ^= 1;
        });
    }),
    ("signature-cut-short", Nsec, |z| {
        z.edit_signatures("a", T::A, |r| {
            r.rdata.pop();
        });
    }),
    ("data-changed", Nsec, |z| {
        z.edit("a", T::A, |r| r.rdata[3] ^= 1);
    }),
    ("record-added", Nsec, |z| {
        z.add("a A 192.0.2.99");
    }),
    ("record-removed", Nsec, |z| {
        let i = z
            .records
            .iter()
            .position(|r| r.owner == name("two") && r.rtype == T::A)
            .unwrap();
        z.records.remove(i);
    }),
    ("owner-case-signed", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.wrong = Some(Wrong::OwnerCase)));
    }),
    ("data-case-signed", Nsec, |z| {
        z.sign_as("mail", T::MX, &fields(|f| f.wrong = Some(Wrong::DataCase)));
    }),
    ("order-signed", Nsec, |z| {
        z.sign_as("two", T::A, &fields(|f| f.wrong = Some(Wrong::Order)));
    }),
    ("class-signed", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.wrong = Some(Wrong::Class)));
    }),
    ("next-name-case", Nsec, |z| {
        z.edit("@", T::NSEC, |r| {
            r.rdata[1] = b'A';
        });
    }),
    // Signatures: too few, too many.
    ("unsigned-a", Nsec, |z| {
        z.unsign("a", T::A);
    }),
    ("unsigned-soa", Nsec, |z| {
        z.unsign("@", T::SOA);
    }),
    ("unsigned-nsec", Nsec, |z| {
        z.unsign("a", T::NSEC);
    }),
    ("unsigned-ds", Nsec, |z| {
        z.unsign("sec", T::DS);
    }),
    ("unsigned-dnskey", Nsec, |z| {
        z.unsign("@", T::DNSKEY);
    }),
    ("unsigned-nsec3", Nsec3, |z| {
        let o = Workbench::hashed("a");
        z.unsign(&o, T::NSEC3);
    }),
    ("unsigned-nsec3param", Nsec3, |z| {
        z.unsign("@", T::NSEC3PARAM);
    }),
    ("stray-rrsig", Nsec, |z| {
        z.add_signature(Role::Zsk, "a", T::TXT, &Fields::default());
    }),
    ("rrsig-over-rrsig", Nsec, |z| {
        z.add_signature(Role::Zsk, "a", T::RRSIG, &Fields::default());
    }),
    ("rrsig-over-delegation", Nsec, |z| {
        z.add_signature(Role::Zsk, "cut", T::NS, &Fields::default());
    }),
    ("rrsig-over-glue", Nsec, |z| {
        z.add_signature(Role::Zsk, "ns.cut", T::A, &Fields::default());
    }),
    ("one-more-bad", Nsec, |z| {
        z.add_signature(Role::Ksk, "a", T::A, &fields(|f| f.wrong = Some(Wrong::Class)));
    }),
    ("one-more-expired", Nsec, |z| {
        z.add_signature(
            Role::Ksk,
            "a",
            T::A,
            &fields(|f| f.expiration = Some(INCEPTION + 86_400)),
        );
    }),
    // Keys.
    ("wrong-key-same-tag", Nsec, |z| {
        let tag = z.zsk.dnskey().key_tag();
        z.unsign("a", T::A)
            .add_signature(Role::Ksk, "a", T::A, &fields(|f| f.tag = Some(tag)));
    }),
    ("unknown-tag", Nsec, |z| {
        z.sign_as("a", T::A, &fields(|f| f.tag = Some(1)));
    }),
    ("zsk-not-published", Nsec, |z| {
        let ksk = z.ksk.dnskey().clone();
        z.remove("@", T::DNSKEY).publish(&ksk).sign("@", T::DNSKEY);
    }),
    ("ksk-not-published", Nsec, |z| {
        let zsk = z.zsk.dnskey().clone();
        z.remove("@", T::DNSKEY).publish(&zsk).sign("@", T::DNSKEY);
        z.unsign("@", T::DNSKEY)
            .add_signature(Role::Ksk, "@", T::DNSKEY, &Fields::default());
    }),
    ("dnskey-signed-by-zsk", Nsec, |z| {
        z.unsign("@", T::DNSKEY)
            .add_signature(Role::Zsk, "@", T::DNSKEY, &Fields::default());
    }),
    ("dnskey-gone", Nsec, |z| {
        z.take("@", T::DNSKEY);
    }),
    ("revoked-and-silent", Nsec, |z| {
        let [other, _] = stranger_rsa();
        z.publish(&other.dnskey().revoked()).sign("@", T::DNSKEY);
    }),
    ("algorithm-signs-nothing", Nsec, |z| {
        let [other, _] = stranger();
        z.publish(other.dnskey()).sign("@", T::DNSKEY);
    }),
    ("algorithm-signs-the-apex-alone", Nsec, |z| {
        let [ksk, zsk] = stranger();
        z.publish(ksk.dnskey()).publish(zsk.dnskey()).sign("@", T::DNSKEY);
        for (key, rtype) in [(&ksk, T::DNSKEY), (&zsk, T::SOA), (&zsk, T::NS), (&zsk, T::NSEC)] {
            let record = z.signature(key, "@", rtype, &Fields::default());
            z.records.push(record);
        }
    }),
    ("dnskey-of-no-key", Nsec, |z| {
        z.add("@ 3600 DNSKEY 256 3 13 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")
            .sign("@", T::DNSKEY);
    }),
    // Contents.
    ("cname-and-other-data", Nsec, |z| {
        z.add("www TXT beside").sign("www", T::TXT);
        nsec(z, "www", "mut.test. CNAME TXT RRSIG NSEC");
    }),
    ("two-cnames", Nsec, |z| {
        z.add("www CNAME two").sign("www", T::CNAME);
    }),
    ("two-dnames", Nsec, |z| {
        z.add("old DNAME another.example.").sign("old", T::DNAME);
    }),
    ("two-soas", Nsec, |z| {
        z.add("@ SOA ns1 hostmaster 2 7200 3600 1209600 900").sign("@", T::SOA);
    }),
    ("ds-without-ns", Nsec, |z| {
        z.add("a DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
            .sign("a", T::DS);
        nsec(z, "a", "cut A DS RRSIG NSEC");
    }),
    ("ttls-in-one-set", Nsec, |z| {
        z.records
            .iter_mut()
            .find(|r| r.owner == name("two") && r.rtype == T::A)
            .unwrap()
            .ttl = 60;
    }),
    ("dnskey-off-the-apex", Nsec, |z| {
        let key = z.zsk.dnskey().clone();
        z.records.push(Rec {
            owner: name("a"),
            ttl: 3600,
            rtype: T::DNSKEY,
            rdata: key.rdata().to_vec(),
        });
        z.unsign("a", T::DNSKEY)
            .add_signature(Role::Zsk, "a", T::DNSKEY, &Fields::default());
        nsec(z, "a", "cut A RRSIG NSEC DNSKEY");
    }),
    ("soa-off-the-apex", Nsec, |z| {
        z.add("a SOA ns1 hostmaster 2 7200 3600 1209600 900").sign("a", T::SOA);
        nsec(z, "a", "cut SOA A RRSIG NSEC");
    }),
    ("name-out-of-zone", Nsec, |z| {
        z.records.push(Rec {
            owner: "out.example.".parse().unwrap(),
            ttl: 60,
            rtype: T::A,
            rdata: vec![192, 0, 2, 1],
        });
    }),
    // NSEC.
    ("nsec-missing", Nsec, |z| {
        z.take("a", T::NSEC);
    }),
    ("nsec-missing-at-apex", Nsec, |z| {
        z.take("@", T::NSEC);
    }),
    ("nsec-missing-chain-closed", Nsec, |z| {
        z.take("a", T::NSEC);
        nsec(z, "@", "cut NS SOA RRSIG NSEC DNSKEY");
    }),
    ("nsec-skips-a-name", Nsec, |z| {
        nsec(z, "@", "cut NS SOA RRSIG NSEC DNSKEY")
    }),
    ("nsec-open-at-the-end", Nsec, |z| nsec(z, "www", "a CNAME RRSIG NSEC")),
    ("nsec-points-to-itself", Nsec, |z| nsec(z, "a", "a A RRSIG NSEC")),
    ("nsec-points-to-an-empty-non-terminal", Nsec, |z| {
        nsec(z, "sec", "wild NS DS RRSIG NSEC")
    }),
    ("nsec-type-not-listed", Nsec, |z| nsec(z, "ns1", "ns2 A RRSIG NSEC")),
    ("nsec-type-listed", Nsec, |z| nsec(z, "a", "cut A TXT RRSIG NSEC")),
    ("nsec-rrsig-not-listed", Nsec, |z| nsec(z, "a", "cut A NSEC")),
    ("nsec-ds-not-listed", Nsec, |z| nsec(z, "sec", "two NS RRSIG NSEC")),
    ("nsec-bitmap-with-zero-byte", Nsec, |z| {
        z.edit("a", T::NSEC, |r| {
            let at = bitmap_of(r);
            r.rdata[at + 1] += 1;
            r.rdata.push(0);
        })
        .sign("a", T::NSEC);
    }),
    ("nsec-at-an-empty-non-terminal", Nsec, |z| {
        nsec(z, "ent", "x.y.ent RRSIG NSEC")
    }),
    ("nsec-at-glue", Nsec, |z| nsec(z, "ns.cut", "x.y.ent A RRSIG NSEC")),
    ("nsec-ttl", Nsec, |z| {
        z.edit("a", T::NSEC, |r| r.ttl = 1800).sign("a", T::NSEC);
    }),
    ("nsec-twice", Nsec, |z| {
        z.add("a 900 NSEC mail A RRSIG NSEC").sign("a", T::NSEC);
    }),
    // NSEC3.
    ("nsec3-missing", Nsec3, |z| {
        let o = Workbench::hashed("a");
        z.take(&o, T::NSEC3);
    }),
    ("nsec3-missing-chain-closed", Nsec3, |z| nsec3_left_out(z, "a")),
    ("nsec3-of-non-terminal-missing", Nsec3, |z| nsec3_left_out(z, "y.ent")),
    ("nsec3-of-wildcard-missing", Nsec3, |z| nsec3_left_out(z, "*.wild")),
    ("nsec3-of-delegation-missing", Nsec3, |z| nsec3_left_out(z, "cut")),
    ("nsec3-of-signed-delegation-missing", OptOut, |z| {
        nsec3_left_out(z, "sec")
    }),
    ("nsec3-of-non-terminal-missing-opt-out", OptOut, |z| {
        nsec3_left_out(z, "ent")
    }),
    ("nsec3-span-without-opt-out", OptOut, |z| {
        let owners: Vec<String> = z
            .records
            .iter()
            .filter(|r| r.rtype == T::NSEC3)
            .map(|r| r.owner.to_string())
            .collect();
        for owner in owners {
            z.edit(&owner, T::NSEC3, |r| r.rdata[1] = 0).sign(&owner, T::NSEC3);
        }
    }),
    ("nsec3-for-nothing", Nsec3, |z| nsec3_put_in(z, "nothing")),
    ("nsec3-for-glue", Nsec3, |z| nsec3_put_in(z, "ns.cut")),
    ("nsec3-wrong-next", Nsec3, |z| nsec3(z, "a", |r| r.rdata[25] ^= 1)),
    ("nsec3-open-chain", Nsec3, |z| {
        let own = data_encoding::BASE32HEX_NOPAD
            .decode(Workbench::hashed("a").as_bytes())
            .unwrap();
        nsec3(z, "a", |r| r.rdata[6..26].copy_from_slice(&own));
    }),
    ("nsec3-type-not-listed", Nsec3, |z| {
        nsec3(z, "ns1", |r| {
            r.rdata.truncate(26);
            r.rdata.extend([0, 6, 0x40, 0, 0, 0, 0, 2]);
        })
    }),
    ("nsec3-type-listed", Nsec3, |z| nsec3(z, "a", |r| r.rdata[30] |= 0x80)),
    ("nsec3-type-listed-at-non-terminal", Nsec3, |z| {
        nsec3(z, "y.ent", |r| r.rdata.extend([0, 1, 0x40]))
    }),
    ("nsec3param-gone", Nsec3, |z| {
        z.take("@", T::NSEC3PARAM);
    }),
    ("nsec3param-other-salt", Nsec3, |z| {
        z.remove("@", T::NSEC3PARAM)
            .add("@ 0 NSEC3PARAM 1 0 0 AB")
            .sign("@", T::NSEC3PARAM);
    }),
    ("nsec3param-other-iterations", Nsec3, |z| {
        z.remove("@", T::NSEC3PARAM)
            .add("@ 0 NSEC3PARAM 1 0 1 -")
            .sign("@", T::NSEC3PARAM);
    }),
    ("nsec3param-flags", Nsec3, |z| {
        z.edit("@", T::NSEC3PARAM, |r| r.rdata[1] = 1).sign("@", T::NSEC3PARAM);
    }),
    ("nsec3-other-salt", Nsec3, |z| {
        nsec3(z, "a", |r| {
            r.rdata[4] = 1;
            r.rdata.insert(5, 0xAB);
        })
    }),
    ("nsec3-other-hash", Nsec3, |z| nsec3(z, "a", |r| r.rdata[0] = 2)),
    ("nsec3-unknown-flag", Nsec3, |z| nsec3(z, "a", |r| r.rdata[1] = 2)),
    ("nsec3-twice", Nsec3, |z| {
        let owner = Workbench::hashed("a");
        let mut other = z.set(&owner, T::NSEC3)[0].clone();
        other.rdata[25] ^= 1;
        z.records.push(other);
        z.sign(&owner, T::NSEC3);
    }),
    ("nsec3-ttl", Nsec3, |z| nsec3(z, "a", |r| r.ttl = 1800)),
    ("nsec3-at-no-hash", Nsec3, |z| {
        let mut other = z.set(&Workbench::hashed("a"), T::NSEC3)[0].clone();
        other.owner = name("nohash");
        z.records.push(other);
        z.sign("nohash", T::NSEC3);
    }),
    ("nsec-beside-nsec3", Nsec3, |z| {
        z.add("a 900 NSEC cut A RRSIG NSEC").sign("a", T::NSEC);
    }),
];

fn stranger_rsa() -> [dnssec_sign::SoftwareKey; 2] {
    let scratch = Scratch::new();
    let key = |role| signet_tests::Key::by_bind(super::workbench::ORIGIN, "RSASHA256", role, scratch.folder());
    let pair = Pair {
        ksk: key(Role::Ksk),
        zsk: key(Role::Zsk),
    };
    open(&pair, &scratch)
}
