//! One zone of about 300 names where nearly every name is a special case: for borders at every owner.

use std::fmt::Write;

use super::{Zone, apex};

/// Cuts with and without DS, cuts below cuts, glue, occluded data, DNAMEs with and without data below, empty
/// non-terminals of every kind (secure, insecure, shared), wildcards, a cut beside other data.
#[must_use]
pub fn crowded() -> Zone {
    let origin = "crowded.test.";
    let mut text = apex(origin, 1800);
    let mut number = 0_u32;
    while number < 15 {
        let n = number;
        let block = format!(
            "\
host{n} 3600 IN A 192.0.2.{n}
host{n} 3600 IN AAAA 2001:db8::{n}
deep.empty.tree{n} 600 IN TXT \"under two empty non-terminals\"
other.empty.tree{n} 600 IN A 192.0.2.{n}
plain{n} 3600 IN NS ns1.elsewhere.example.
signed{n} 3600 IN NS ns.signed{n}
signed{n} 3600 IN DS {n} 13 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
ns.signed{n} 3600 IN A 192.0.2.{n}
below.ns.signed{n} 3600 IN AAAA 2001:db8::{n}
glued{n} 3600 IN NS ns.glued{n}
ns.glued{n} 3600 IN A 192.0.2.{n}
ns.glued{n} 3600 IN AAAA 2001:db8::{n}
glued{n} 3600 IN A 192.0.2.{n}
occluded.glued{n} 3600 IN TXT \"never signed\"
cut.glued{n} 3600 IN NS ns.cut.glued{n}
ns.cut.glued{n} 3600 IN A 192.0.2.{n}
far.below.glued{n} 3600 IN A 192.0.2.{n}
moved{n} 3600 IN DNAME elsewhere.example.
moved{n} 3600 IN A 192.0.2.{n}
under.moved{n} 3600 IN A 192.0.2.{n}
down.under.moved{n} 3600 IN NS ns.elsewhere.example.
*.wild{n} 3600 IN MX 10 mail.example.
x.*.wild{n} 3600 IN TXT \"below a wildcard\"
cut.insecure.only{n} 3600 IN NS ns1.elsewhere.example.
b.insecure.only{n} 3600 IN NS ns1.elsewhere.example.
mixed.shared{n} 3600 IN NS ns1.elsewhere.example.
safe.shared{n} 3600 IN A 192.0.2.{n}
nothing.here.secure{n} 3600 IN NS ns1.elsewhere.example.
nothing.here.secure{n} 3600 IN DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
"
        );
        for line in block.lines() {
            let _ = writeln!(text, "{}", qualified(line, origin));
        }
        number += 1;
    }
    Zone {
        name: "crowded".to_owned(),
        origin: origin.to_owned(),
        text,
    }
}

/// The line with its relative owner and a relative name server made absolute.
fn qualified(line: &str, origin: &str) -> String {
    let (owner, rest) = line.split_once(' ').unwrap_or((line, ""));
    let dot = if rest.contains(" NS ") && !rest.ends_with('.') {
        format!(".{origin}")
    } else {
        String::new()
    };
    format!("{owner}.{origin} {rest}{dot}")
}
