//! The numbers of zones whose numbers are known.

use signet_tests::{Scratch, Signet};

use super::{ZONE, json, zone};

#[test]
fn a_small_zone_is_counted_by_hand() {
    let scratch = Scratch::new();
    let file = scratch.write(
        "zone",
        format!(
            "{ZONE}\
             WWW A 192.0.2.2\n\
             x TXT a\n\
             www 60 A 192.0.2.3\n\
             www AAAA 2001:db8::1\n\
             deep.below.empty A 192.0.2.4\n\
             * TXT wild\n\
             secure NS ns.secure\n\
             secure DS 1 8 1 000102030405060708090A0B0C0D0E0F10111213\n\
             secure RRSIG DS 8 3 60 20370101000000 20200101000000 1 example.test. AAAA\n\
             secure NSEC www NS\n\
             ns.secure A 192.0.2.5\n\
             under.ns.secure NS nowhere.\n\
             insecure NS ns.elsewhere.\n\
             alias DNAME elsewhere.\n\
             a.b.alias A 192.0.2.6\n\
             @ RRSIG SOA 8 2 60 20370101000000 20200101000000 1 example.test. AAAA\n\
             @ RRSIG NS 8 2 60 20370101000000 20200101000000 1 example.test. AAAA\n\
             @ RRSIG NS 8 2 60 20370101000000 20200101000000 2 example.test. AAAA\n\
             0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A\n\
             www URI 1 1 \"https://example\"\n"
        ),
    );
    let run = zone("stats", &file, &["--json"]);
    run.succeeds();
    let stats = json(&run);
    for (key, value) in [
        ("serial", 1),
        ("records", 23),
        ("sets", 21),
        ("names", 12),
        ("hashed_names", 1),
        ("empty_non_terminals", 2),
        ("wildcards", 1),
        ("names_below_cuts", 3),
        ("dnames", 1),
    ] {
        assert_eq!(stats[key], value, "{key}: {run:?}");
    }
    assert_eq!(
        stats["delegations"],
        serde_json::json!({"total": 2, "secure": 1, "insecure": 1})
    );
    // SOA, NS; ns1 A; www A, AAAA, URI; x; deep; *; DS and NSEC at secure; DNAME; NSEC3.
    assert_eq!(stats["signed"]["sets"], 13, "{run:?}");
    assert_eq!(stats["signed"]["signed"], 3, "{run:?}");
    assert_eq!(stats["ttl"], serde_json::json!({"min": 60, "max": 3600}));
    let depth: Vec<_> = stats["depth"]
        .as_array()
        .unwrap()
        .iter()
        .map(|depth| depth["names"].as_u64().unwrap())
        .collect();
    assert_eq!(depth, [1, 7, 1, 3], "{run:?}");
    let of_type = |wanted: &str| {
        let types = stats["types"].as_array().unwrap();
        types.iter().find(|of_type| of_type["type"] == wanted).unwrap().clone()
    };
    assert_eq!(
        (&of_type("A")["records"], &of_type("A")["sets"]),
        (&6.into(), &5.into())
    );
    assert_eq!(
        (&of_type("RRSIG")["records"], &of_type("RRSIG")["sets"]),
        (&4.into(), &3.into())
    );
    // www.example.test. has 18 bytes, and ten stand between owner and RDATA.
    assert_eq!(of_type("AAAA")["wire_bytes"], 18 + 10 + 16);
    let text = zone("stats", &file, &[]);
    text.succeeds();
    let lines: Vec<String> = text
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "example.test., serial 1",
        "records 23 in 21 sets",
        "names 12 with records (1 wildcards, 3 below cuts), 2 empty non-terminals, 1 hashed",
        "delegations 2: 1 secure, 1 insecure; 1 DNAME",
        "signed 3 of 13 sets, 23.1 %",
        "TTL 60 to 3600 seconds",
        "labels below the apex 0: 1, 1: 7, 2: 1, 3: 3",
        "TYPE RECORDS SETS BYTES TTL",
        "AAAA 1 1 44 3600-3600",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {text:?}");
    }
}

#[test]
fn numbers_do_not_depend_on_order_or_threads() {
    let scratch = Scratch::new();
    let mut lines: Vec<String> = (0..60_000u32)
        .flat_map(|number| {
            [
                format!(
                    "d{number}.example.test. 60 IN NS ns{}.d{number}.example.test.",
                    number % 3
                ),
                format!(
                    "ns{}.d{number}.example.test. 60 IN A 192.0.2.{}",
                    number % 3,
                    number % 256
                ),
                format!("a.b{}.c.example.test. 60 IN TXT \"{number}\"", number % 1000),
            ]
        })
        .collect();
    let file = scratch.write("sorted", lines.join("\n"));
    let one = zone("stats", &file, &["--json", "--threads", "1"]);
    one.succeeds();
    lines.sort_by_key(|line| {
        line.bytes()
            .fold(7u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte))
    });
    let shuffled = scratch.write("shuffled", lines.join("\n"));
    let four = zone("stats", &shuffled, &["--json", "--threads", "4"]);
    assert_eq!(one.stdout, four.stdout);
    let stats = json(&one);
    assert_eq!(stats["delegations"]["total"], 60_000);
    assert_eq!(stats["names_below_cuts"], 60_000);
    assert_eq!(stats["empty_non_terminals"], 1001);
    assert_eq!(stats["names"], 121_000);
}

#[test]
fn a_file_with_faults_is_refused_with_their_places() {
    let scratch = Scratch::new();
    let file = scratch.write("zone", format!("{ZONE}x A nothing\n"));
    let run = zone("stats", &file, &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    run.says(&["zone:5:"]);
    assert_eq!(Signet::new("zone stats").arg(scratch.path("none")).run().code, Some(4));
}
