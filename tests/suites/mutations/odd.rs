//! Zones that are odd and valid: signed by signet as they stand, some with an oddity put in afterwards that keeps them valid.

use dnssec_sign::RecordType as T;
use signet_tests::Role;

use super::faults::{BODY, Form};
use super::workbench::{EXPIRATION, Fields, Workbench, name};
use Form::{Nsec, Nsec3, OptOut};

/// A case: its name, the form, the body behind SOA, NS and the server's address (all of [`BODY`] when it is empty), the
/// oddity.
pub type Odd = (&'static str, Form, &'static str, fn(&mut Workbench));

const APEX: &str = "@ SOA ns1 hostmaster 1 7200 3600 1209600 900\n@ NS ns1\nns1 A 192.0.2.1\n";

pub fn body(odd: &Odd) -> String {
    if odd.2.is_empty() {
        BODY.to_owned()
    } else {
        format!("{APEX}{}", odd.2)
    }
}

fn as_it_is(_: &mut Workbench) {}

pub const ODD: &[Odd] = &[
    ("base", Nsec, "", as_it_is),
    ("base", Nsec3, "", as_it_is),
    ("base", OptOut, "", as_it_is),
    ("apex-alone", Nsec, "; nothing\n", as_it_is),
    ("apex-alone", Nsec3, "; nothing\n", as_it_is),
    ("wildcard-at-the-apex", Nsec, "* A 192.0.2.2\n", as_it_is),
    (
        "wildcards-nested",
        Nsec3,
        "*.a TXT x\nb.*.c TXT x\n*.*.d TXT x\n",
        as_it_is,
    ),
    ("asterisk-in-a-label", Nsec, "a*b TXT x\n*a TXT x\n", as_it_is),
    ("dname-at-the-apex", Nsec, "@ DNAME other.example.\n", as_it_is),
    (
        "data-below-a-dname",
        Nsec,
        "d DNAME other.example.\nx.d A 192.0.2.2\n",
        as_it_is,
    ),
    (
        "data-below-a-dname",
        Nsec3,
        "d DNAME other.example.\nx.d A 192.0.2.2\n",
        as_it_is,
    ),
    ("dname-beside-data", Nsec, "d DNAME other.example.\nd TXT x\n", as_it_is),
    ("cut-below-a-cut", Nsec, "c NS ns1\nd.c NS ns1\n", as_it_is),
    ("cut-below-a-cut", OptOut, "c NS ns1\nd.c NS ns1\n", as_it_is),
    ("glue-at-the-cut", Nsec, "c NS c\nc A 192.0.2.2\n", as_it_is),
    (
        "ds-below-a-cut",
        Nsec,
        "c NS ns1\nd.c NS ns1\nd.c DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
        as_it_is,
    ),
    (
        "ds-of-unknown-digest",
        Nsec,
        "c NS ns1\nc DS 1 200 200 0102030405\n",
        as_it_is,
    ),
    (
        "non-terminals-of-all-kinds",
        Nsec3,
        "a.b.c NS ns1\nd.b.c TXT x\ne.f.g NS ns1\nh.f.g NS ns1\n",
        as_it_is,
    ),
    (
        "non-terminals-of-all-kinds",
        OptOut,
        "a.b.c NS ns1\nd.b.c TXT x\ne.f.g NS ns1\nh.f.g NS ns1\n",
        as_it_is,
    ),
    ("deep-tree", Nsec3, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p TXT x\n", as_it_is),
    (
        "binary-labels",
        Nsec3,
        "\\000 TXT x\n\\255 TXT x\n\\001\\002.y TXT x\n",
        as_it_is,
    ),
    ("escaped-dot", Nsec, "a\\.b A 192.0.2.2\na.b A 192.0.2.3\n", as_it_is),
    (
        "upper-case",
        Nsec,
        "UPPER A 192.0.2.2\nMixed.Case A 192.0.2.3\n",
        as_it_is,
    ),
    (
        "longest-label",
        Nsec,
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk A 192.0.2.2\n",
        as_it_is,
    ),
    ("ttl-zero", Nsec, "a 0 A 192.0.2.2\n", as_it_is),
    (
        "unknown-types",
        Nsec,
        "a TYPE65280 \\# 2 0102\na TYPE1234 \\# 0\n",
        as_it_is,
    ),
    (
        "equal-but-for-case",
        Nsec,
        "a MX 10 Mail\na MX 10 mail\na MX 5 zz\n",
        as_it_is,
    ),
    (
        "many-types",
        Nsec,
        "a A 192.0.2.2\na TXT x\na CAA 0 issue \"x\"\na TYPE256 \\# 5 0001000178\na TYPE65400 \\# 6 000108010203\n",
        as_it_is,
    ),
    ("next-name-in-upper-case", Nsec, "", |z| {
        z.edit("@", T::NSEC, |r| r.rdata[1] = b'A').sign("@", T::NSEC);
    }),
    ("obscured-dnskey-at-a-cut", Nsec, "", |z| {
        let key = z.zsk.dnskey().rdata().to_vec();
        z.add("cut TXT x")
            .edit("cut", T::TXT, |r| (r.rtype, r.rdata) = (T::DNSKEY, key.clone()));
    }),
    ("signed-by-both-keys", Nsec, "", |z| {
        z.add_signature(Role::Ksk, "a", T::A, &Fields::default());
    }),
    ("windows-that-differ", Nsec, "", |z| {
        let fields = Fields {
            expiration: Some(EXPIRATION - 86_400),
            ..Fields::default()
        };
        z.sign_as("a", T::A, &fields);
    }),
    ("stand-by-key", Nsec, "", |z| {
        let key = dnssec_sign::Dnskey::new(256, z.ksk.dnskey().algorithm(), z.ksk.dnskey().public_key()).unwrap();
        z.publish(&key).sign("@", T::DNSKEY);
    }),
    ("key-without-zone-flag", Nsec, "", |z| {
        let key = dnssec_sign::Dnskey::new(0, z.ksk.dnskey().algorithm(), z.ksk.dnskey().public_key()).unwrap();
        z.publish(&key).sign("@", T::DNSKEY);
    }),
    ("unknown-signer-beside-a-good-one", Nsec, "", |z| {
        z.add_signature(
            Role::Zsk,
            "a",
            T::A,
            &Fields {
                tag: Some(1),
                ..Fields::default()
            },
        );
    }),
    ("opt-out-with-all-delegations", Nsec3, "", |z| {
        let owners: Vec<String> = z
            .records
            .iter()
            .filter(|r| r.rtype == T::NSEC3)
            .map(|r| r.owner.to_string())
            .collect();
        for owner in owners {
            z.edit(&owner, T::NSEC3, |r| r.rdata[1] = 1).sign(&owner, T::NSEC3);
        }
    }),
    ("opt-out-on-one-record", Nsec3, "", |z| {
        let owner = Workbench::hashed("a");
        z.edit(&owner, T::NSEC3, |r| r.rdata[1] = 1).sign(&owner, T::NSEC3);
    }),
    ("hashed-owner-in-lower-case", Nsec3, "", |z| {
        for record in z.records.iter_mut().filter(|r| r.rtype == T::NSEC3) {
            record.owner = name(&record.owner.to_string().to_lowercase());
        }
    }),
    ("nsec-of-the-apex-last-in-the-file", Nsec, "", |z| z.records.reverse()),
];
