//! Small random zones: deep trees, cuts below cuts, glue, occluded data, DNAMEs, wildcards, odd labels, mixed case.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Zone, apex};
use crate::random::Random;

/// What a random zone may have beyond hosts, aliases, wildcards and delegations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spice {
    /// Nothing that a judge is known to be wrong about.
    Mild,
    /// Data below DNAMEs and beside cuts, escaped dots, bytes above 127, upper case.
    Hot,
}

/// A zone of about `names` owners.
#[must_use]
pub fn nasty(seed: u64, names: usize, spice: Spice) -> Zone {
    let name = match spice {
        Spice::Mild => format!("mild-{seed}"),
        Spice::Hot => format!("hot-{seed}"),
    };
    let mut builder = Builder {
        random: Random::new(seed),
        origin: format!("{name}.test."),
        spice,
        taken: BTreeSet::new(),
        used: Vec::new(),
        closed: Vec::new(),
        text: String::new(),
    };
    builder.text = apex(
        &builder.origin,
        300 + u32::try_from(seed % 5).unwrap_or_default() * 1000,
    );
    for reserved in ["ns1", "ns2"] {
        builder.taken.insert(reserved.to_owned());
    }
    for _ in 0..names {
        builder.owner();
    }
    Zone {
        name,
        origin: builder.origin,
        text: builder.text,
    }
}

struct Builder {
    random: Random,
    origin: String,
    spice: Spice,
    /// Owners in lower case, relative.
    taken: BTreeSet<String>,
    /// Owners as written, to hang deeper names below.
    used: Vec<String>,
    /// Endings that no further owner may have: below a DNAME.
    closed: Vec<String>,
    text: String,
}

impl Builder {
    fn owner(&mut self) {
        let name = self.name();
        if self.closed.iter().any(|below| name.to_lowercase().ends_with(below)) {
            return;
        }
        if !self.taken.insert(name.to_lowercase()) {
            return;
        }
        let wild = name.starts_with("*.") || name == "*";
        match self.random.below(12) {
            0 | 1 if !wild => self.cut(&name),
            2 if !wild => self.dname(&name),
            3 => self.record(&name, "CNAME Target.Example."),
            _ => self.host(&name),
        }
    }

    /// Relative, below an owner that is there already in half of the cases.
    fn name(&mut self) -> String {
        let mut name = self.label();
        for _ in 0..self.random.below(3) {
            let label = self.inner_label();
            let _ = write!(name, ".{label}");
        }
        if !self.used.is_empty() && self.random.one_in(2) {
            let parent = self.used[self.random.below(self.used.len())].clone();
            let _ = write!(name, ".{parent}");
        }
        name
    }

    fn label(&mut self) -> String {
        if self.random.one_in(12) {
            return "*".to_owned();
        }
        self.inner_label()
    }

    fn inner_label(&mut self) -> String {
        let plain = [
            "a",
            "b",
            "c",
            "ab",
            "abc",
            "x-y",
            "_tcp",
            "0",
            "zz",
            "label-of-some-length",
        ];
        let odd = ["A", "Bc", r"d\.e", r"\000", r"\255x", r"\200", r"sp\032", "ZZ"];
        if self.spice == Spice::Hot && self.random.one_in(3) {
            return self.random.pick(&odd).to_owned();
        }
        let label = self.random.pick(&plain);
        format!("{label}{}", self.random.below(8))
    }

    fn record(&mut self, name: &str, data: &str) {
        let ttl = [60, 300, 3600, 86400][self.random.below(4)];
        let _ = writeln!(self.text, "{name}.{} {ttl} IN {data}", self.origin);
    }

    fn host(&mut self, name: &str) {
        let address = self.random.ipv4();
        self.record(name, &format!("A {address}"));
        if self.random.one_in(2) {
            let address = self.random.ipv6();
            self.record(name, &format!("AAAA {address}"));
        }
        let more = [
            "MX 10 Mail.Example.",
            "TXT \"text\" \"with; odd \\\" bytes \\001\"",
            "SRV 1 2 3 Target.example.",
            "CAA 0 issue \"ca.example\"",
            "TYPE65300 \\# 3 010203",
            "HTTPS 1 Svc.example. alpn=h2",
            "TLSA 3 1 1 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
        ];
        for _ in 0..self.random.below(3) {
            let data = self.random.pick(&more).to_owned();
            // The TTL goes by the type, so that a set has one.
            let ttl = 100 + data.len();
            let _ = writeln!(self.text, "{name}.{} {ttl} IN {data}", self.origin);
        }
        self.used.push(name.to_owned());
    }

    fn cut(&mut self, name: &str) {
        let origin = self.origin.clone();
        if self.random.one_in(2) {
            let _ = writeln!(self.text, "{name}.{origin} 3600 IN NS ns.elsewhere.example.");
        } else {
            let _ = writeln!(self.text, "{name}.{origin} 3600 IN NS ns.{name}.{origin}");
            let glue = format!("ns.{name}");
            self.taken.insert(glue.to_lowercase());
            let _ = writeln!(self.text, "{glue}.{origin} 3600 IN A 192.0.2.53");
        }
        if self.random.one_in(2) {
            let (tag, digest) = (self.random.below(65536), self.random.hex(32));
            self.record(name, &format!("DS {tag} 13 2 {digest}"));
        }
        if self.spice == Spice::Hot {
            if self.random.one_in(4) {
                self.record(name, "TXT \"beside a cut\"");
            }
            self.used.push(name.to_owned());
        }
    }

    fn dname(&mut self, name: &str) {
        let below = format!(".{}", name.to_lowercase());
        if self.spice == Spice::Mild && self.taken.iter().any(|taken| taken.ends_with(&below)) {
            return self.host(name);
        }
        self.record(name, "DNAME Elsewhere.Example.");
        match self.spice {
            Spice::Hot => self.used.push(name.to_owned()),
            Spice::Mild => self.closed.push(below),
        }
    }
}
