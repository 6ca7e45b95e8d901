//! The table of zones, keys and options that dnssec-signzone and signet sign alike, row by row. How a row is compared is in
//! `row`.

use signet_tests::zones::{Zone, crowded, leaf, tld};

use super::row::{But, First, Intended, Row, ksk, zsk};

const ED: &str = "ED25519";
const RSA: &str = "RSASHA256";
const P256: &str = "ECDSAP256SHA256";
const P384: &str = "ECDSAP384SHA384";

const ROW: Row = Row {
    name: "",
    zone: || leaf(12),
    keys: &[ksk(ED).used(), zsk(ED).used()],
    signet: &["--nsec"],
    bind: &[],
    first: None,
    but: But::Nothing,
    intended: &[],
    part: false,
    files: &[],
};

/// By the dates of the keys, with the key directory's keys alone.
const SMART: Row = Row {
    keys: &[ksk(ED), zsk(ED)],
    signet: &["--nsec"],
    bind: &["-S"],
    ..ROW
};

/// A zone that dnssec-signzone signed is signed again, once some of it has changed.
const AGAIN: Row = Row {
    zone: || leaf(40),
    signet: &["-s", "20260601000000", "-i", "432000"],
    bind: &["-s", "20260601000000", "-i", "432000"],
    first: Some(First {
        options: &[],
        change: changed,
    }),
    ..ROW
};

/// The same by the dates of the keys.
const AGAIN_SMART: Row = Row {
    keys: &[ksk(ED), zsk(ED)],
    bind: &["-S", "-s", "20260601000000", "-i", "432000"],
    first: Some(First {
        options: &["-S"],
        change: changed,
    }),
    ..AGAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "NSEC",
        zone: crowded,
        ..ROW
    },
    Row {
        name: "-3 with no salt",
        zone: crowded,
        signet: &["--nsec3"],
        bind: &["-3", "-"],
        ..ROW
    },
    Row {
        name: "-3 with a salt, -H",
        zone: crowded,
        signet: &["-3", "--salt", "BEEF", "--iterations", "7"],
        bind: &["-3", "BEEF", "-H", "7"],
        ..ROW
    },
    Row {
        name: "-A",
        zone: || tld(60),
        signet: &["-3", "--opt-out"],
        bind: &["-3", "-", "-A"],
        ..ROW
    },
    Row {
        name: "-3 where names are hashed beside empty non-terminals, -A",
        zone: crowded,
        keys: &[ksk(RSA).used(), zsk(RSA).used()],
        signet: &["-3", "--opt-out", "--salt", "00"],
        bind: &["-3", "00", "-A"],
        ..ROW
    },
    // Who signs what.
    Row {
        name: "-x",
        zone: crowded,
        signet: &["--nsec", "-x"],
        bind: &["-x"],
        ..ROW
    },
    Row {
        name: "-z",
        zone: crowded,
        signet: &["--nsec", "-z"],
        bind: &["-z"],
        ..ROW
    },
    Row {
        name: "-x -z",
        signet: &["--nsec", "-x", "-z"],
        bind: &["-x", "-z"],
        ..ROW
    },
    Row {
        name: "-z with one KSK for all",
        keys: &[ksk(ED).used()],
        signet: &["--nsec", "-z"],
        bind: &["-z"],
        ..ROW
    },
    Row {
        name: "a ZSK alone",
        keys: &[zsk(ED).used()],
        signet: &["--nsec", "--insist"],
        ..ROW
    },
    Row {
        name: "two KSKs and two ZSKs",
        keys: &[
            ksk(ED).used(),
            ksk(ED).number(1).used(),
            zsk(ED).used(),
            zsk(ED).number(1).used(),
        ],
        ..ROW
    },
    Row {
        name: "a KSK and a ZSK that stay published and sign nothing, -x",
        keys: &[
            ksk(ED).used(),
            zsk(ED).used(),
            zsk(ED).number(1).in_zone(),
            ksk(ED).number(1).in_zone(),
        ],
        signet: &["--nsec", "-x"],
        bind: &["-x"],
        ..ROW
    },
    Row {
        name: "-k",
        keys: &[ksk(ED).in_zone(), zsk(ED).used()],
        signet: &["--nsec", "KEY0"],
        bind: &["-k", "KEY0"],
        ..ROW
    },
    Row {
        name: "algorithm 8",
        keys: &[ksk(RSA).used(), zsk(RSA).used()],
        ..ROW
    },
    Row {
        name: "algorithm 10",
        keys: &[ksk("RSASHA512").used(), zsk("RSASHA512").used()],
        ..ROW
    },
    Row {
        name: "algorithm 13",
        keys: &[ksk(P256).used(), zsk(P256).used()],
        ..ROW
    },
    Row {
        name: "algorithm 14",
        keys: &[ksk(P384).used(), zsk(P384).used()],
        ..ROW
    },
    Row {
        name: "algorithm 16",
        zone: crowded,
        keys: &[ksk("ED448").used(), zsk("ED448").used()],
        ..ROW
    },
    Row {
        name: "algorithm 5, insisted",
        keys: &[ksk("RSASHA1").used(), zsk("RSASHA1").used()],
        signet: &["--nsec", "--insist"],
        ..ROW
    },
    Row {
        name: "algorithm 7, insisted, -3",
        keys: &[ksk("NSEC3RSASHA1").used(), zsk("NSEC3RSASHA1").used()],
        signet: &["-3", "--insist"],
        bind: &["-3", "-"],
        ..ROW
    },
    Row {
        name: "algorithms 8 and 15",
        zone: crowded,
        keys: &[ksk(RSA).used(), zsk(RSA).used(), ksk(ED).used(), zsk(ED).used()],
        ..ROW
    },
    Row {
        name: "algorithms 8, 13 and 15 with -x",
        keys: &[
            ksk(RSA).used(),
            zsk(RSA).used(),
            ksk(ED).used(),
            zsk(ED).used(),
            ksk(P256).used(),
            zsk(P256).used(),
        ],
        signet: &["--nsec", "-x"],
        bind: &["-x"],
        ..ROW
    },
    Row {
        name: "another signer's keys, without a private half",
        keys: &[
            ksk(ED).used(),
            zsk(ED).used(),
            ksk(ED).number(1).in_zone().public_only(),
            zsk(ED).number(1).in_zone().public_only(),
        ],
        ..ROW
    },
    // When signatures begin and end.
    Row {
        name: "-s of a day",
        signet: &["-s", "20200102"],
        bind: &["-s", "20200102"],
        ..ROW
    },
    Row {
        name: "-s in seconds",
        signet: &["-s", "1577923200"],
        bind: &["-s", "1577923200"],
        ..ROW
    },
    Row {
        name: "-e after the start",
        signet: &["-e", "+500000000"],
        bind: &["-e", "+500000000"],
        ..ROW
    },
    Row {
        name: "-e in years",
        signet: &["-e", "+16y"],
        bind: &["-e", "+16y"],
        ..ROW
    },
    Row {
        name: "-X",
        signet: &["-X", "20361231000000"],
        bind: &["-X", "20361231000000"],
        ..ROW
    },
    Row {
        name: "-X after the start",
        signet: &["-X", "+600w"],
        bind: &["-X", "+600w"],
        ..ROW
    },
    Row {
        name: "-j",
        zone: || leaf(60),
        signet: &["-j", "864000"],
        bind: &["-j", "864000"],
        but: But::Ends(864_000),
        ..ROW
    },
    // Serials.
    Row {
        name: "-N keep",
        signet: &["-N", "keep"],
        bind: &["-N", "keep"],
        ..ROW
    },
    Row {
        name: "-N increment",
        signet: &["-N", "increment"],
        bind: &["-N", "increment"],
        ..ROW
    },
    Row {
        name: "-N increment past the largest",
        zone: || with_serial("4294967295"),
        signet: &["-N", "increment"],
        bind: &["-N", "increment"],
        ..ROW
    },
    Row {
        name: "-N unixtime that would not advance",
        signet: &["-N", "unixtime"],
        bind: &["-N", "unixtime"],
        ..ROW
    },
    Row {
        name: "-N unixtime from before",
        zone: || with_serial("4294967290"),
        signet: &["-N", "unixtime"],
        bind: &["-N", "unixtime"],
        but: But::Serial,
        ..ROW
    },
    Row {
        name: "-N date",
        signet: &["-N", "date"],
        bind: &["-N", "date"],
        ..ROW
    },
    Row {
        name: "-N date that would not advance",
        zone: || with_serial("2099010100"),
        signet: &["-N", "date"],
        bind: &["-N", "date"],
        ..ROW
    },
    // TTLs.
    Row {
        name: "-M",
        zone: long_ttls,
        signet: &["-M", "900"],
        bind: &["-M", "900"],
        ..ROW
    },
    Row {
        name: "-M with NSEC3",
        zone: long_ttls,
        signet: &["-3", "-M", "200"],
        bind: &["-3", "-", "-M", "200"],
        ..ROW
    },
    Row {
        name: "-T",
        signet: &["-T", "777"],
        bind: &["-S", "-T", "777"],
        ..SMART
    },
    Row {
        name: "-T with a DNSKEY set in the zone",
        keys: &[ksk(ED).in_zone(), zsk(ED)],
        signet: &["-T", "777"],
        bind: &["-S", "-T", "777"],
        ..SMART
    },
    Row {
        name: "-T with a TTL in the key files",
        keys: &[ksk(ED).dates(&["-L", "600"]), zsk(ED).dates(&["-L", "500"])],
        signet: &["-T", "777"],
        bind: &["-S", "-T", "777"],
        ..SMART
    },
    // Keys by their dates.
    Row {
        name: "-S",
        zone: crowded,
        ..SMART
    },
    Row {
        name: "-S with NSEC3",
        zone: crowded,
        signet: &["-3"],
        bind: &["-S", "-3", "-"],
        ..SMART
    },
    Row {
        name: "-S with named keys",
        keys: &[ksk(ED).named(), zsk(ED).named()],
        ..SMART
    },
    Row {
        name: "-S and a stand-by ZSK",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&["-P", "now-1d", "-A", "now+10d"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a stand-by KSK, -x",
        keys: &[
            ksk(ED),
            zsk(ED),
            ksk(ED).number(1).dates(&["-P", "now-1d", "-A", "now+10d"]),
        ],
        signet: &["-x"],
        bind: &["-S", "-x"],
        ..SMART
    },
    Row {
        name: "-S and a retired ZSK",
        keys: &[ksk(ED), zsk(ED), zsk(ED).number(1).dates(&["-I", "now-1d"])],
        ..SMART
    },
    Row {
        name: "-S and a removed ZSK that is in the zone",
        keys: &[
            ksk(ED).in_zone(),
            zsk(ED).in_zone(),
            zsk(ED).number(1).in_zone().dates(&["-I", "now-2d", "-D", "now-1d"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a future ZSK",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&["-P", "now+1d", "-A", "now+2d"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK to be published now and to sign later",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&["-P", "none", "-A", "now+60"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and keys that sign before they are published: a new algorithm comes in the conservative way",
        keys: &[
            ksk(ED),
            zsk(ED),
            ksk(RSA).dates(&["-P", "now+2d", "-A", "now-1d"]),
            zsk(RSA).dates(&["-P", "now+2d", "-A", "now-1d"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and keys without dates",
        keys: &[ksk(ED), zsk(ED), zsk(ED).number(1).dates(&["-P", "none", "-A", "none"])],
        ..SMART
    },
    Row {
        name: "-S and a revoked KSK",
        keys: &[ksk(ED), zsk(ED), ksk(ED).number(1).dates(&["-R", "now-1d"])],
        ..SMART
    },
    Row {
        name: "-S and a revoked KSK that is in the zone, -x",
        keys: &[
            ksk(ED).in_zone(),
            zsk(ED).in_zone(),
            ksk(ED).number(1).in_zone().dates(&["-R", "now-1d", "-I", "now-1d"]),
        ],
        signet: &["-x"],
        bind: &["-S", "-x"],
        ..SMART
    },
    Row {
        name: "-S and a revoked KSK with -z",
        keys: &[ksk(ED), zsk(ED), ksk(ED).number(1).dates(&["-R", "now-1d"])],
        signet: &["-z"],
        bind: &["-S", "-z"],
        ..SMART
    },
    Row {
        name: "-S and another signer's keys in the zone",
        keys: &[
            ksk(ED),
            zsk(ED),
            ksk(ED).number(2).in_zone().public_only(),
            zsk(ED).number(2).in_zone().public_only(),
        ],
        ..SMART
    },
    // By the states of the keys' records.
    Row {
        name: "-S and a ZSK whose DNSKEY is hidden, whatever its dates say",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&["-s", "-k", "hidden", "now"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK whose DNSKEY is rumoured before its date",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&[
                "-P", "now+9d", "-A", "now+9d", "-s", "-k", "rumoured", "now", "-z", "hidden", "now",
            ]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK whose signatures are rumoured before their date",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&[
                "-P",
                "now+9d",
                "-A",
                "now+9d",
                "-s",
                "-k",
                "omnipresent",
                "now",
                "-z",
                "rumoured",
                "now",
            ]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK that is omnipresent past its date of deletion",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED).number(1).dates(&[
                "-I",
                "now-2d",
                "-D",
                "now-1d",
                "-s",
                "-k",
                "omnipresent",
                "now",
                "-z",
                "omnipresent",
                "now",
            ]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK whose signatures are unretentive",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED)
                .number(1)
                .dates(&["-s", "-k", "omnipresent", "now", "-z", "unretentive", "now"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a ZSK that is unretentive and in the zone",
        keys: &[
            ksk(ED).in_zone(),
            zsk(ED).in_zone(),
            zsk(ED)
                .number(1)
                .in_zone()
                .dates(&["-s", "-k", "unretentive", "now", "-z", "hidden", "now"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a KSK whose signatures are hidden, and one whose DNSKEY is",
        keys: &[
            ksk(ED),
            zsk(ED),
            ksk(ED)
                .number(1)
                .dates(&["-s", "-r", "hidden", "now", "-k", "rumoured", "now"]),
            ksk(ED).number(2).dates(&["-s", "-k", "hidden", "now"]),
        ],
        ..SMART
    },
    Row {
        name: "-S and a KSK whose DS is rumoured",
        keys: &[
            ksk(ED).dates(&["-s", "-k", "omnipresent", "now", "-d", "rumoured", "now"]),
            zsk(ED),
        ],
        ..SMART
    },
    Row {
        name: "-S and a KSK whose DS is hidden, past its date",
        keys: &[
            ksk(ED).dates(&[
                "-P",
                "sync",
                "now-1d",
                "-s",
                "-k",
                "omnipresent",
                "now",
                "-d",
                "hidden",
                "now",
            ]),
            zsk(ED),
        ],
        ..SMART
    },
    // What the parent is told.
    Row {
        name: "-S and SyncPublish",
        keys: &[ksk(ED).dates(&["-P", "sync", "now-1d"]), zsk(ED)],
        ..SMART
    },
    Row {
        name: "-S and SyncPublish with -x",
        keys: &[ksk(ED).dates(&["-P", "sync", "now-1d"]), zsk(ED)],
        signet: &["-x", "-3"],
        bind: &["-S", "-x", "-3", "-"],
        ..SMART
    },
    Row {
        name: "-S and SyncPublish of one of two KSKs, to come for the other",
        keys: &[
            ksk(ED).dates(&["-P", "sync", "now-1d"]),
            ksk(ED).number(1).dates(&["-P", "sync", "now+1d"]),
            zsk(ED),
        ],
        ..SMART
    },
    Row {
        name: "-S and SyncDelete",
        keys: &[
            ksk(ED).dates(&["-P", "sync", "now-2d"]).then(&["-D", "sync", "now-1d"]),
            zsk(ED),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "-d",
        signet: &["-d", "DIR"],
        bind: &["-d", "DIR"],
        ..ROW
    },
    Row {
        name: "-d with two algorithms, one of them without a KSK",
        keys: &[ksk(ED).used(), zsk(ED).used(), zsk(RSA).used()],
        signet: &["-d", "DIR"],
        bind: &["-d", "DIR"],
        ..ROW
    },
    Row {
        name: "-d without a revoked KSK",
        keys: &[ksk(ED), zsk(ED), ksk(ED).number(1).dates(&["-R", "now-1d"])],
        signet: &["-d", "DIR"],
        bind: &["-S", "-d", "DIR"],
        ..SMART
    },
    Row {
        name: "-g with a file for each delegation, -d",
        zone: with_children,
        signet: &["-g", "-d", "DIR"],
        bind: &["-g", "-d", "DIR"],
        files: CHILDREN,
        ..ROW
    },
    Row {
        name: "-g with NSEC3 and opt-out",
        zone: with_children,
        signet: &["-g", "-3", "--opt-out", "-d", "DIR"],
        bind: &["-g", "-3", "-", "-A", "-d", "DIR"],
        files: CHILDREN,
        ..ROW
    },
    Row {
        name: "-g where a file is missing, DS records dropped",
        zone: with_children,
        signet: &["-g", "--drop-ds", "-d", "DIR"],
        bind: &["-g", "-d", "DIR"],
        files: ONE_CHILD,
        ..ROW
    },
    Row {
        name: "-g where a file is missing",
        zone: with_children,
        signet: &["-g", "-d", "DIR"],
        bind: &["-g", "-d", "DIR"],
        files: ONE_CHILD,
        intended: &[Intended {
            is: |difference| difference.owner == "secure.leaf.test.",
            reason: "without its dsset- file a delegation keeps its DS records; BIND makes it insecure",
        }],
        ..ROW
    },
    // Parts of zones.
    Row {
        name: "-D",
        zone: crowded,
        signet: &["--nsec", "-D"],
        bind: &["-D"],
        part: true,
        ..ROW
    },
    Row {
        name: "-D with NSEC3",
        zone: crowded,
        signet: &["-3", "--opt-out", "--salt", "AB", "-D"],
        bind: &["-3", "AB", "-A", "-D"],
        part: true,
        ..ROW
    },
    Row {
        name: "-D with -S",
        signet: &["-D"],
        bind: &["-S", "-D"],
        part: true,
        ..SMART
    },
    Row {
        name: "-D with -S and keys that are announced",
        keys: &[ksk(ED).dates(&["-P", "sync", "now-1d"]), zsk(ED)],
        signet: &["-D"],
        bind: &["-S", "-D"],
        part: true,
        intended: &[Intended {
            is: |difference| matches!(difference.rtype.as_str(), "CDS" | "CDNSKEY"),
            reason: "CDS and CDNSKEY that were made are part of the part; BIND writes their signatures alone",
        }],
        ..SMART
    },
    // How the work is done.
    Row {
        name: "-n 1, -a",
        zone: crowded,
        signet: &["--nsec", "--threads", "1"],
        bind: &["-n", "1", "-a"],
        ..ROW
    },
    Row {
        name: "-O text",
        zone: crowded,
        bind: &["-O", "text"],
        ..ROW
    },
    // Zones that are signed already.
    Row { name: "again", ..AGAIN },
    Row {
        name: "again, RSA",
        keys: &[ksk(RSA).used(), zsk(RSA).used()],
        ..AGAIN
    },
    Row {
        name: "again, all due by -i",
        signet: &["-s", "20260601000000", "-i", "950400"],
        bind: &["-s", "20260601000000", "-i", "950400"],
        ..AGAIN
    },
    Row {
        name: "again, all due by a quarter of the validity",
        signet: &["-s", "20260601000000"],
        bind: &["-s", "20260601000000"],
        ..AGAIN
    },
    Row {
        name: "again, -i 0",
        signet: &["-s", "20260601000000", "-i", "0"],
        bind: &["-s", "20260601000000", "-i", "0"],
        ..AGAIN
    },
    Row {
        name: "again with -X",
        signet: &["-s", "20260601000000", "-i", "950400", "-X", "20360601000000"],
        bind: &["-s", "20260601000000", "-i", "950400", "-X", "20360601000000"],
        ..AGAIN
    },
    Row {
        name: "-u from NSEC to NSEC3",
        signet: &["-3", "-s", "20260601000000", "-i", "432000"],
        bind: &["-u", "-3", "-", "-s", "20260601000000", "-i", "432000"],
        ..AGAIN
    },
    Row {
        name: "-u from NSEC3 to NSEC",
        signet: &["--nsec", "-s", "20260601000000", "-i", "432000"],
        bind: &["-u", "-s", "20260601000000", "-i", "432000"],
        first: Some(First {
            options: &["-3", "BEEF", "-A"],
            change: changed,
        }),
        ..AGAIN
    },
    Row {
        name: "-u to another salt and count of iterations",
        zone: crowded,
        signet: &[
            "-3",
            "--salt",
            "F00D",
            "--iterations",
            "3",
            "-s",
            "20260601000000",
            "-i",
            "432000",
        ],
        bind: &["-u", "-3", "F00D", "-H", "3", "-s", "20260601000000", "-i", "432000"],
        first: Some(First {
            options: &["-3", "BEEF"],
            change: str::to_owned,
        }),
        ..AGAIN
    },
    Row {
        name: "-u to opt-out",
        zone: || tld(40),
        signet: &["-3", "--opt-out", "-s", "20260601000000", "-i", "432000"],
        bind: &["-u", "-3", "-", "-A", "-s", "20260601000000", "-i", "432000"],
        first: Some(First {
            options: &["-3", "-"],
            change: str::to_owned,
        }),
        ..AGAIN
    },
    Row {
        name: "-u from opt-out",
        zone: || tld(40),
        signet: &["-3", "-s", "20260601000000", "-i", "432000"],
        bind: &["-u", "-3", "-", "-A", "-A", "-s", "20260601000000", "-i", "432000"],
        first: Some(First {
            options: &["-3", "-", "-A"],
            change: str::to_owned,
        }),
        ..AGAIN
    },
    Row {
        name: "-u to NSEC3 without a word of opt-out",
        zone: || tld(40),
        signet: &["-3", "-s", "20260601000000", "-i", "432000"],
        bind: &["-u", "-3", "-", "-s", "20260601000000", "-i", "432000"],
        first: Some(First {
            options: &["-3", "-", "-A"],
            change: str::to_owned,
        }),
        intended: &[Intended {
            is: |difference| difference.rtype.ends_with("NSEC3"),
            reason: "--nsec3 says all of the chain, so without --opt-out it has none; BIND keeps the opt-out of the chain that is there",
        }],
        ..AGAIN
    },
    Row {
        name: "an NSEC3 chain that no option speaks of",
        zone: crowded,
        first: Some(First {
            options: &["-3", "BEEF", "-H", "2"],
            change: str::to_owned,
        }),
        ..AGAIN
    },
    Row {
        name: "an NSEC3 chain with opt-out that no option speaks of",
        zone: || tld(40),
        first: Some(First {
            options: &["-3", "-", "-A"],
            change: str::to_owned,
        }),
        ..AGAIN
    },
    Row {
        name: "a ZSK follows another",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-1d"]),
            zsk(ED)
                .number(1)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK follows another, with -Q",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-1d"]),
            zsk(ED)
                .number(1)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        signet: &["-Q", "-s", "20260601000000", "-i", "432000"],
        bind: &["-Q", "-S", "-s", "20260601000000", "-i", "432000"],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK is gone, its signatures not yet",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-2d", "-D", "now-1d"]),
            zsk(ED)
                .number(1)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK is gone, with -R",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-2d", "-D", "now-1d"]),
            zsk(ED)
                .number(1)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        signet: &["-R", "-s", "20260601000000", "-i", "432000"],
        bind: &["-R", "-S", "-s", "20260601000000", "-i", "432000"],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK follows another that is named as its predecessor: its signatures take the place of those that end",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-1d"]),
            zsk(ED)
                .number(1)
                .follows(0)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK follows its predecessor, whose signatures are all due",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-1d"]),
            zsk(ED)
                .number(1)
                .follows(0)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        signet: &["-s", "20260601000000", "-i", "950400"],
        bind: &["-S", "-s", "20260601000000", "-i", "950400"],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK follows its predecessor, with -Q",
        keys: &[
            ksk(ED),
            zsk(ED).then(&["-I", "now-1d"]),
            zsk(ED)
                .number(1)
                .follows(0)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        signet: &["-Q", "-s", "20260601000000", "-i", "432000"],
        bind: &["-Q", "-S", "-s", "20260601000000", "-i", "432000"],
        ..AGAIN_SMART
    },
    Row {
        name: "a ZSK and its predecessor are active",
        keys: &[
            ksk(ED),
            zsk(ED),
            zsk(ED)
                .number(1)
                .follows(0)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "a KSK whose private half is somewhere else now",
        keys: &[ksk(ED).in_zone().public_only(), zsk(ED).in_zone()],
        ..AGAIN
    },
    Row {
        name: "a KSK whose private half is somewhere else now, its signature due",
        keys: &[ksk(ED).in_zone().public_only(), zsk(ED).in_zone()],
        signet: &["-s", "20260601000000", "-i", "950400"],
        bind: &["-s", "20260601000000", "-i", "950400"],
        intended: &[Intended {
            is: |difference| difference.owner == "leaf.test." && difference.rtype == "RRSIG DNSKEY",
            reason: "a valid signature of a key that is not at hand stays; BIND 9.18 drops it (mended in 9.20)",
        }],
        ..AGAIN
    },
    Row {
        name: "a KSK follows another",
        keys: &[
            ksk(ED).then(&["-I", "now-1d"]),
            ksk(ED)
                .number(1)
                .dates(&["-P", "now-1d", "-A", "now+5d"])
                .then(&["-A", "now-1d"]),
            zsk(ED),
        ],
        signet: &["-x", "-s", "20260601000000", "-i", "432000"],
        bind: &["-x", "-S", "-s", "20260601000000", "-i", "432000"],
        ..AGAIN_SMART
    },
    Row {
        name: "a KSK is revoked",
        keys: &[
            ksk(ED).then(&["-R", "now-1d"]),
            ksk(ED).number(1).dates(&["-P", "now-1d", "-A", "now-1d"]),
            zsk(ED),
        ],
        ..AGAIN_SMART
    },
    Row {
        name: "an algorithm is added",
        keys: &[
            ksk(ED),
            zsk(ED),
            ksk(RSA)
                .dates(&["-P", "now+5d", "-A", "now+5d"])
                .then(&["-P", "now-1d", "-A", "now-1d"]),
            zsk(RSA)
                .dates(&["-P", "now+5d", "-A", "now+5d"])
                .then(&["-P", "now-1d", "-A", "now-1d"]),
        ],
        ..AGAIN_SMART
    },
];

/// Some addresses changed, a set gone, a name more.
fn changed(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(3) == Some(&"AAAA") && !fields[0].starts_with("ns") {
            count += 1;
            match count {
                3 | 9 => {
                    lines.push(line.replace(fields[4], "2001:db8:ffff::1"));
                    continue;
                }
                5 => continue,
                _ => {}
            }
        }
        lines.push(line.to_owned());
    }
    lines.push("another.leaf.test. 3600 IN A 192.0.2.77".to_owned());
    lines.join("\n") + "\n"
}

const DIGEST: &str = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";

/// Two DS records for the delegation that has one, and one for the delegation that has none.
const CHILDREN: &[(&str, &str)] = &[
    (
        "dsset-secure.leaf.test.",
        "secure.leaf.test. IN DS 5 13 2 0F0102030405060708090A0B0C0D0E0F101112131415161718191A1B 1C1D1E1F\n\
         secure.leaf.test. IN DS 6 13 2 1F0102030405060708090A0B0C0D0E0F101112131415161718191A1B 1C1D1E1F\n",
    ),
    CHILD,
];
const ONE_CHILD: &[(&str, &str)] = &[CHILD];
const CHILD: (&str, &str) = (
    "dsset-plain.leaf.test.",
    "plain.leaf.test. IN DS 7 15 2 2F0102030405060708090A0B0C0D0E0F101112131415161718191A1B 1C1D1E1F\n",
);

fn with_children() -> Zone {
    let mut zone = leaf(5);
    zone.text.push_str(&format!(
        "secure.leaf.test. 300 IN NS ns1.leaf.test.\nsecure.leaf.test. 900 IN DS 1 13 2 {DIGEST}\n\
         plain.leaf.test. 400 IN NS ns1.leaf.test.\n"
    ));
    zone
}

fn with_serial(serial: &str) -> Zone {
    let zone = leaf(3);
    Zone {
        text: zone.text.replace("2026010101", serial),
        ..zone
    }
}

/// TTLs above any limit, but not those of delegations: there dnssec-signzone's `-M` never ends.
fn long_ttls() -> Zone {
    let zone = leaf(12);
    Zone {
        text: zone.text.replace(" 7200 IN NS ", " 150 IN NS ") + "cut.leaf.test. 100 IN NS ns1.leaf.test.\n",
        ..zone
    }
}
