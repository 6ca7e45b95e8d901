//! Large plain zones: hosts, delegations, and a small zone shaped like the DNS root.

use std::fmt::Write;

use super::{Zone, apex};
use crate::random::Random;

/// `count` hosts below `leaf.test.`, in no order: A and AAAA each, a fifth with TXT, a tenth with MX.
#[must_use]
pub fn leaf(count: usize) -> Zone {
    let mut random = Random::new(count as u64);
    let mut text = apex("leaf.test.", 3600);
    for label in labels(count, &mut random) {
        host(&mut text, &label, "leaf.test.", &mut random);
    }
    Zone {
        name: format!("leaf-{count}"),
        origin: "leaf.test.".to_owned(),
        text,
    }
}

/// `count` delegations below `tld.test.`, in no order: two NS each, a tenth with DS, a tenth with glue.
#[must_use]
pub fn tld(count: usize) -> Zone {
    let mut random = Random::new(count as u64);
    let mut text = apex("tld.test.", 3600);
    for label in labels(count, &mut random) {
        delegation(&mut text, &label, "tld.test.", &mut random);
    }
    Zone {
        name: format!("tld-{count}"),
        origin: "tld.test.".to_owned(),
        text,
    }
}

/// A zone shaped like the DNS root: delegations with DS, glue for servers under many names, origin `.`.
#[must_use]
pub fn root_like(count: usize) -> Zone {
    let mut random = Random::new(1);
    let mut text = apex(".", 86400);
    for label in labels(count, &mut random) {
        for server in ["ns1.nic", "ns2.nic"] {
            let _ = writeln!(text, "{label}. 172800 IN NS {server}.{label}.");
            let _ = writeln!(text, "{server}.{label}. 172800 IN A {}", random.ipv4());
            let _ = writeln!(text, "{server}.{label}. 172800 IN AAAA {}", random.ipv6());
        }
        if !random.one_in(10) {
            let _ = writeln!(
                text,
                "{label}. 86400 IN DS {} 8 2 {}",
                random.below(65536),
                random.hex(32)
            );
        }
    }
    Zone {
        name: format!("root-like-{count}"),
        origin: ".".to_owned(),
        text,
    }
}

/// Different labels in an order that is not theirs.
fn labels(count: usize, random: &mut Random) -> Vec<String> {
    let mut labels: Vec<String> = (0..count)
        .map(|number| {
            format!(
                "{}{number}",
                random.pick(&["alpha", "net-", "web", "x", "zone", "mail-"])
            )
        })
        .collect();
    for place in (1..labels.len()).rev() {
        labels.swap(place, random.below(place + 1));
    }
    labels
}

fn host(text: &mut String, label: &str, origin: &str, random: &mut Random) {
    let _ = writeln!(text, "{label}.{origin} 3600 IN A {}", random.ipv4());
    let _ = writeln!(text, "{label}.{origin} 3600 IN AAAA {}", random.ipv6());
    if random.one_in(5) {
        let _ = writeln!(
            text,
            "{label}.{origin} 3600 IN TXT \"v=spf1 include:{label}.example -all\""
        );
    }
    if random.one_in(10) {
        let _ = writeln!(
            text,
            "{label}.{origin} 3600 IN MX 10 mx{}.mail.example.",
            random.below(50)
        );
    }
}

fn delegation(text: &mut String, label: &str, origin: &str, random: &mut Random) {
    let glue = random.one_in(10);
    for server in ["ns1", "ns2"] {
        if glue {
            let _ = writeln!(text, "{label}.{origin} 86400 IN NS {server}.{label}.{origin}");
            let _ = writeln!(text, "{server}.{label}.{origin} 86400 IN A {}", random.ipv4());
        } else {
            let _ = writeln!(
                text,
                "{label}.{origin} 86400 IN NS {server}.dns{}.example.",
                random.below(200)
            );
        }
    }
    if random.one_in(10) {
        let tag = random.below(65536);
        let _ = writeln!(text, "{label}.{origin} 3600 IN DS {tag} 13 2 {}", random.hex(32));
    }
}
