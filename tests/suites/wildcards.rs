//! The example zone of RFC 4592, signed with each denial: the chains have what its section 2 says of wildcards and empty
//! non-terminals, and a validating resolver takes every answer that a server makes of it, proofs and all.

use signet_tests::judges::{Judge, Served, all_accept, normalise};
use signet_tests::{Scratch, Signet, ZoneText, project};

use crate::signing::{Denial, Pair};

/// What a resolver learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// This data, from the name itself or made from the wildcard.
    Data(&'static str),
    /// The name is there, the type is not.
    NoData,
    /// The name is not there, nor a wildcard for it.
    NoName,
}

use Answer::{Data, NoData, NoName};

/// The questions of RFC 4592 2.2.1, and some about the names that it says exist.
const QUESTIONS: &[(&str, &str, Answer)] = &[
    // "will be synthesized from one of the wildcards"
    (
        "host3.example.",
        "MX",
        Data("host3.example.\t\t3600\tIN\tMX\t10 host1.example."),
    ),
    ("host3.example.", "A", NoData),
    (
        "foo.bar.example.",
        "TXT",
        Data("foo.bar.example.\t3600\tIN\tTXT\t\"this is a wildcard\""),
    ),
    // "would not be synthesized from any of the wildcards"
    ("host1.example.", "MX", NoData),
    ("sub.*.example.", "MX", NoData),
    ("_telnet._tcp.host1.example.", "SRV", NoName),
    ("ghost.*.example.", "MX", NoName),
    // A referral stays unsigned: that the delegation has no DS is proven.
    ("subdel.example.", "DS", NoData),
    // The wildcard asked for by its own name, and what is below it.
    (
        "*.example.",
        "TXT",
        Data("*.example.\t\t3600\tIN\tTXT\t\"this is a wildcard\""),
    ),
    ("*.example.", "A", NoData),
    (
        "sub.*.example.",
        "TXT",
        Data("sub.*.example.\t\t3600\tIN\tTXT\t\"this is not a wildcard\""),
    ),
    // Empty non-terminals exist: no wildcard speaks for them.
    ("host2.example.", "MX", NoData),
    ("_tcp.host2.example.", "TXT", NoData),
    ("_tcp.host1.example.", "MX", NoData),
];

fn signed(scratch: &Scratch, denial: &[&str]) -> (Pair, std::path::PathBuf) {
    let pair = Pair::of_bind("ECDSAP256SHA256", "example.", scratch.folder());
    let out = scratch.path("signed");
    let zone = project().join("tests/data/vectors/rfc4592.zone");
    Signet::sign(&zone, "example.", &out, scratch.folder())
        .keys(&pair.both())
        .args(denial)
        .run()
        .succeeds();
    all_accept(&[Judge::Bind, Judge::Ldns, Judge::Knot], &out, "example.");
    Signet::new("verify -q -o example.").arg(&out).run().succeeds();
    (pair, out)
}

#[test]
fn a_resolver_validates_what_is_made_of_wildcards() {
    for denial in [Denial::Nsec, Denial::Nsec3, Denial::Salted, Denial::OptOut] {
        let scratch = Scratch::new();
        let (pair, out) = signed(&scratch, denial.signet());
        let key = scratch.read(&format!("{}.key", pair.ksk.base_name()));
        let served = Served::new(&out, "example.", &key);
        for &(name, rtype, answer) in QUESTIONS {
            let run = served.ask(name, rtype);
            let said = run.output();
            match answer {
                Data(record) => assert!(said.contains(record), "{denial:?}: {run:?}"),
                NoData => assert!(said.contains("ncache nxrrset"), "{denial:?}: {run:?}"),
                NoName => assert!(said.contains("ncache nxdomain"), "{denial:?}: {run:?}"),
            }
            // RFC 5155 9.2: what an opt-out span denies may exist unsigned, so an answer made from a wildcard is not secure.
            let made = matches!(answer, Data(_)) && !["*.example.", "sub.*.example."].contains(&name);
            let expected = if denial == Denial::OptOut && made {
                "unsigned answer"
            } else {
                "fully validated"
            };
            assert!(said.contains(expected), "{denial:?}: {run:?}");
        }
    }
}

/// The label counts of the RRSIGs at a name (RFC 4034 3.1.3): type covered to count.
fn labels(zone: &ZoneText, owner: &str) -> Vec<String> {
    zone.sets
        .iter()
        .filter(|((name, rtype), _)| name == owner && rtype.starts_with("RRSIG "))
        .map(|((_, rtype), set)| {
            let fields: Vec<&str> = set.records.first().unwrap().split_whitespace().collect();
            format!("{} {}", rtype.trim_start_matches("RRSIG "), fields[2])
        })
        .collect()
}

#[test]
fn chains_know_wildcards_and_empty_non_terminals() {
    let scratch = Scratch::new();
    let (_, out) = signed(&scratch, &["--nsec"]);
    let zone = normalise(&out, "example.");
    let nsec = |owner: &str| zone.set(owner, "NSEC").unwrap().records.first().unwrap().to_owned();
    for (owner, next) in [
        ("example.", "*.example. NS SOA RRSIG NSEC DNSKEY"),
        ("*.example.", "sub.*.example. MX TXT RRSIG NSEC"),
        ("sub.*.example.", "host1.example. TXT RRSIG NSEC"),
        ("host1.example.", "_ssh._tcp.host1.example. A RRSIG NSEC"),
        ("_ssh._tcp.host1.example.", "_ssh._tcp.host2.example. SRV RRSIG NSEC"),
        ("_ssh._tcp.host2.example.", "subdel.example. SRV RRSIG NSEC"),
        ("subdel.example.", "example. NS RRSIG NSEC"),
    ] {
        assert_eq!(nsec(owner), next, "{owner}");
    }
    assert_eq!(zone.count(|rtype| rtype == "NSEC"), 7);
    // The asterisk of a wildcard is not counted; one further inside a name is a label like others.
    assert_eq!(labels(&zone, "*.example."), ["MX 1", "NSEC 1", "TXT 1"]);
    assert_eq!(labels(&zone, "sub.*.example."), ["NSEC 3", "TXT 3"]);

    let scratch = Scratch::new();
    let (_, out) = signed(&scratch, &["--nsec3"]);
    let zone = normalise(&out, "example.");
    // Seven names with data, and *.example's child makes none: _tcp.host1, host2 and _tcp.host2 are the empty ones.
    assert_eq!(zone.count(|rtype| rtype == "NSEC3"), 10);
}
