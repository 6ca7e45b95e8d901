//! Plain zones of each algorithm and kind that judges differ about: signed as they stand, nothing put in.

use std::path::PathBuf;

use signet_tests::judges::SignZone;
use signet_tests::{Key, Role, Scratch, Signet};

/// How the zone is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By signet with a KSK and a ZSK.
    Pair,
    /// By signet with one key for all.
    Single,
    /// By dnssec-signzone.
    Bind,
}

/// A zone: its name in the table, algorithm, origin, who signs it and with what flags, and the records behind its apex.
pub struct Clean {
    pub name: &'static str,
    algorithm: &'static str,
    pub origin: &'static str,
    by: By,
    flags: &'static [&'static str],
    body: &'static str,
}

const HOSTS: &str = "a A 192.0.2.2\n*.w TXT x\nx.y.ent A 192.0.2.3\ncut NS ns.cut\nns.cut A 192.0.2.4\n";

const fn pair(name: &'static str, algorithm: &'static str, flags: &'static [&'static str]) -> Clean {
    Clean {
        name,
        algorithm,
        origin: "clean.test.",
        by: By::Pair,
        flags,
        body: HOSTS,
    }
}

const fn of(name: &'static str, body: &'static str) -> Clean {
    Clean {
        body,
        ..pair(name, "RSASHA256", &["--nsec"])
    }
}

pub const CLEAN: &[Clean] = &[
    pair("algorithm-8", "RSASHA256", &["--nsec3"]),
    pair("algorithm-10", "RSASHA512", &["--nsec3"]),
    pair("algorithm-13", "ECDSAP256SHA256", &["--nsec3"]),
    pair("algorithm-14", "ECDSAP384SHA384", &["--nsec3"]),
    pair("algorithm-15", "ED25519", &["--nsec3"]),
    Clean {
        by: By::Bind,
        ..pair("algorithm-16", "ED448", &["-3", "-"])
    },
    pair(
        "iterations-1",
        "RSASHA256",
        &["--nsec3", "--iterations", "1", "--salt", "AABB"],
    ),
    pair(
        "iterations-150",
        "RSASHA256",
        &["--nsec3", "--iterations", "150", "--insist"],
    ),
    Clean {
        by: By::Single,
        ..pair("one-key", "RSASHA256", &["--nsec", "-z"])
    },
    Clean {
        origin: ".",
        ..of("root", "test NS ns.test\nns.test A 192.0.2.2\nexample NS ns.test\n")
    },
    of("cut-with-other-data", "cut NS ns1\ncut TXT x\ncut A 192.0.2.2\n"),
    of("escaped-asterisk", "\\* TXT x\n\\*.w A 192.0.2.2\n"),
    of("escaped-dot", "a\\.b A 192.0.2.2\n"),
];

impl Clean {
    /// Signs the zone; the file lies in the folder returned with it.
    pub fn signed(&self) -> (Scratch, PathBuf) {
        let scratch = Scratch::new();
        let make = |role| Key::by_bind(self.origin, self.algorithm, role, scratch.folder());
        let keys = match self.by {
            By::Single => vec![make(Role::Ksk)],
            By::Pair | By::Bind => vec![make(Role::Ksk), make(Role::Zsk)],
        };
        let keys: Vec<&Key> = keys.iter().collect();
        let apex = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 900\n@ NS ns1\nns1 A 192.0.2.1\n";
        let mut text = format!("$ORIGIN {}\n{apex}{}", self.origin, self.body);
        let out = scratch.path("signed");
        if self.by == By::Bind {
            text.extend(keys.iter().map(|key| key.record() + "\n"));
        }
        let file = scratch.write("zone", text);
        if self.by == By::Bind {
            let sign = SignZone::new(&file, self.origin, scratch.folder()).keys(&keys);
            sign.options(self.flags).run(&out).succeeds();
        } else {
            let sign = Signet::sign(&file, self.origin, &out, scratch.folder()).keys(&keys);
            sign.args(self.flags).run().succeeds();
        }
        (scratch, out)
    }
}
