//! One zone with records of every type, data random, spelled in odd ways: for readers that are compared with one another.
//! What the types look like stands in a table of templates; whether a reader is right is not known here.

use std::fmt::Write;

use super::{Zone, apex};
use crate::random::Random;

/// Type and data, where `{…}` is random: `name`, `string`, `quoted` (never empty), `word`, `u8` to `u32`, `ip4`, `ip6`, `types`,
/// `time`, `hex:BYTES` and `b64:BYTES` (in one word), `hexes:BYTES` and `b64s:BYTES` (cut into words).
#[rustfmt::skip]
pub const TEMPLATES: &[(&str, &str)] = &[
    ("A", "{ip4}"), ("NS", "{name}"), ("MD", "{name}"), ("MF", "{name}"), ("CNAME", "{name}"), ("MB", "{name}"), ("MG", "{name}"),
    ("MR", "{name}"), ("NULL", r"\# 3 {hex:3}"), ("WKS", "{ip4} TCP smtp 80"), ("WKS", "{ip4} 17 domain {u8}"), ("PTR", "{name}"),
    ("HINFO", "{string} {string}"), ("MINFO", "{name} {name}"), ("MX", "{u16} {name}"), ("TXT", "{string} {string} {string}"),
    ("TXT", "{word}"), ("RP", "{name} {name}"), ("AFSDB", "{u16} {name}"), ("X25", "3110617009{u16}"), ("ISDN", "150862028003217 004"),
    ("ISDN", "150862028003217"), ("RT", "{u16} {name}"), ("NSAP", "0x47.0005.{hex:4}.{hex:2}"), ("NSAP-PTR", "{name}"),
    ("SIG", "A 5 2 {u32} {time} {time} {u16} {name} {b64s:24}"), ("KEY", "256 3 8 {b64s:24}"), ("PX", "{u16} {name} {name}"), ("PX", "0 {name} {name}"),
    ("GPOS", "-32.{u16} 116.{u16} 10.0"), ("AAAA", "{ip6}"), ("LOC", "51 30 12.748 N 0 7 39.611 W {u16}.5m"), ("LOC", "42 N 71 W -24m 30m"),
    ("LOC", "1 2 3 S 4 5 6 E 7 8 9m 10"), ("NXT", "{name} A MX SIG"), ("EID", "{hexes:4}"), ("NIMLOC", "{hexes:4}"),
    ("SRV", "{u16} {u16} {u16} {name}"), ("ATMA", "+61{u16}"), ("ATMA", "39246f00.{hex:4}"),
    ("NAPTR", r#"{u16} {u16} {word} {string} "!^.*$!sip:x@example!" {name}"#), ("NAPTR", r#"1 1 {word} {string} "no expression" {name}"#), ("KX", "{u16} {name}"), ("CERT", "PKIX {u16} RSASHA256 {b64s:30}"),
    ("CERT", "{u16} {u16} {u8} {b64:7}"), ("A6", "64 ::{hex:2}:{hex:2} {name}"), ("A6", "0 {ip6}"), ("DNAME", "{name}"),
    ("SINK", "{u8} {u8} {u8} {b64s:9}"), ("APL", "1:{ip4}/32 !2:{ip6}/64"), ("APL", "!1:10.0.0.0/8 1:0.0.0.0/0"),
    ("DS", "{u16} RSASHA256 2 {hexes:32}"), ("DS", "{u16} 13 4 {hexes:48}"), ("DS", "{u16} {u8} 1 {hexes:20}"), ("SSHFP", "4 2 {hexes:32}"),
    ("SSHFP", "{u8} 5 {hexes:9}"), ("IPSECKEY", "{u8} 1 2 {ip4} {b64:20}"), ("IPSECKEY", "{u8} 0 2 . {b64:20}"), ("IPSECKEY", "10 0 2 . AQNR U3mG"),
    ("IPSECKEY", "{u8} 3 2 gw {b64:20}"), ("IPSECKEY", "{u8} 2 {u8} {ip6} {b64:20}"),
    ("RRSIG", "{type} 13 {u8:9}9 {u32} {time} {time} {u16} {name} {b64s:64}"), ("NSEC", "{name} {types}"), ("DNSKEY", "256 3 {u8:17} {b64s:40}"),
    ("DNSKEY", "{u16} 3 ECDSAP256SHA256 {b64s:64}"), ("DHCID", "{b64s:35}"), ("NSEC3", "1 {u8} {u16} {hex:8} 2t7b4g4vsa5smi47k61mv5bv1a22bojr {types}"),
    ("NSEC3", "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"), ("NSEC3PARAM", "1 {u8} {u16} {hex:4}"), ("NSEC3PARAM", "1 0 0 -"),
    ("TLSA", "{u8} {u8} {u8} {hexes:32}"), ("SMIMEA", "{u8} {u8} {u8} {hexes:5}"), ("HIP", "2 {hex:16} {b64:40} {name} {name}"),
    ("HIP", "2 {hex:16} {b64:40}"), ("NINFO", "{string} {word}"), ("RKEY", "0 {u8} {u8} {b64s:20}"), ("TALINK", "{name} {name}"),
    ("CDS", "{u16} 8 2 {hexes:32}"), ("CDS", "0 0 0 00"), ("CDNSKEY", "257 3 13 {b64s:64}"), ("CDNSKEY", "0 3 0 AA=="),
    ("OPENPGPKEY", "{b64s:60}"), ("CSYNC", "{u32} {u16} {types}"), ("CSYNC", "{u32} {u16}"), ("ZONEMD", "{u32} 1 1 {hexes:48}"),
    ("ZONEMD", "{u32} 1 240 {hexes:20}"), ("SVCB", "0 {name}"), ("SVCB", r"1 \@.Mail"), ("SVCB", "{u16+1} {name} alpn=h2,h3 port={u16} ipv4hint={ip4},{ip4}"),
    ("SVCB", r#"1 . key65000={string} mandatory=alpn,port port={u16} alpn="h2""#), ("SVCB", r#"1 {name} alpn="f\\\\oo\\,bar,h2" no-default-alpn"#),
    ("HTTPS", "{u16+1} . ipv6hint={ip6},{ip6} ech={b64:20}"), ("HTTPS", "1 {name} dohpath=/dns-query{?dns} key65001"),
    ("HTTPS", "1 . ohttp tls-supported-groups=29,23"), ("DSYNC", "CDS NOTIFY {u16} {name}"), ("HHIT", "{b64s:20}"), ("BRID", "{b64s:20}"),
    ("UNECE", "20 -{u16} CEL {string}"), ("UNECE", "16 - JPTYO"), ("ISO", r"4217 {u16}\({u8}\) EUR {string}"),
    ("SPF", "{string}"), ("UINFO", r"\# 1 {hex:1}"), ("UID", r"\# 4 {hex:4}"), ("GID", r"\# 4 {hex:4}"), ("UNSPEC", r"\# 2 {hex:2}"),
    ("NID", "{u16} {hex:2}:{hex:2}:{hex:2}:{hex:2}"), ("L32", "{u16} {ip4}"), ("L64", "{u16} {hex:2}:{hex:2}:{hex:2}:{hex:2}"), ("LP", "{u16} {name}"),
    ("EUI48", "{hex:1}-{hex:1}-5e-00-53-{hex:1}"), ("EUI64", "{hex:1}-{hex:1}-5E-ef-10-00-00-{hex:1}"), ("URI", r#"{u16} {u16} "ftp://x;{u16}""#), ("URI", r#"{u16} {u16} """#),
    ("CAA", "{u8} issue {quoted}"), ("CAA", "0 Unknown9 {word}"), ("CAA", r#"{u8} issue """#), ("AVC", "{string}"),
    ("DOA", "{u32} {u32} {u8} {string} {b64s:10}"),
    ("DOA", r#"1 2 3 "" -"#), ("AMTRELAY", "{u8} 0 1 {ip4}"), ("AMTRELAY", "{u8} 1 2 {ip6}"), ("AMTRELAY", "{u8} 1 3 {name}"),
    ("AMTRELAY", "{u8} 0 0 ."), ("RESINFO", "{string}"), ("WALLET", "ETH {string}"), ("CLA", "{string}"), ("IPN", "{u32}"),
    ("TA", "{u16} 8 1 {hexes:20}"), ("DLV", "{u16} 8 SHA-1 {hexes:20}"), ("TYPE65280", r"\# 6 {hex:2} {hex:4}"), ("TYPE65281", r"\# 0"),
    ("A", r"\# 4 {hex:4}"), ("TYPE15", r"\# 7 000a 036d 6169 00"), ("TYPE16", "{string}"), ("TYPE46", "A 8 9 60 {time} {time} 1 {name} {b64s:128}"),
];

/// The template whose record has its class before its TTL.
const CLASS_FIRST: &str = "0 {name} {name}";

/// A zone with a record for each template. The owner is the type and the number of the template among those of the type, as in
/// `loc-2`; each is one line of the text, which may go on in parentheses.
#[must_use]
pub fn spelled(seed: u64) -> Zone {
    let origin = "spelled.test.";
    let mut speller = Speller(Random::new(seed));
    let mut text = apex(origin, 900);
    let _ = write!(text, "$ORIGIN {origin}\n$TTL 1h\n");
    let mut last = ("", 0);
    for (rtype, template) in TEMPLATES {
        last = if last.0 == *rtype {
            (*rtype, last.1 + 1)
        } else {
            (*rtype, 1)
        };
        // Types come back behind others, so that the number alone would not tell them apart.
        let owner = format!(
            "{}-{}{}",
            rtype.to_lowercase(),
            last.1,
            if template.starts_with("\\#") { "g" } else { "" }
        );
        let record = speller.record(rtype, template);
        let _ = writeln!(text, "{owner}{record}");
    }
    Zone {
        name: format!("spelled-{seed}"),
        origin: origin.to_owned(),
        text,
    }
}

struct Speller(Random);

impl Speller {
    fn record(&mut self, rtype: &str, template: &str) -> String {
        let rtype = match self.0.below(4) {
            0 => rtype.to_lowercase(),
            _ => rtype.to_owned(),
        };
        let ttl = self.ttl();
        let middle = match self.0.below(5) {
            // One type only, since this order alone is what some reader refuses.
            _ if template == CLASS_FIRST => format!("in {ttl}"),
            0 | 1 => format!("{ttl}\tIN"),
            // Without one, some reader takes the original TTL, which is the third number.
            _ if template.contains("{time}") => ttl,
            2 => ttl,
            3 => "in".to_owned(),
            _ => String::new(),
        };
        let mut line = format!(" {middle} {rtype}");
        let (mut open, mut quoted) = (0, false);
        for word in template.split(' ') {
            match self.0.below(12) {
                // A blank of the data.
                _ if quoted => line.push(' '),
                0 if open < 2 => {
                    line.push_str(" (\n\t");
                    open += 1;
                }
                1 if open > 0 => line.push_str(" ; a comment with ( \" and )\n  "),
                2 => line.push_str("\t \t"),
                _ => line.push(' '),
            }
            self.fill(word, &mut line);
            quoted ^= word.replace("\\\"", "").matches('"').count() % 2 == 1;
        }
        line + &" )".repeat(open)
    }

    fn fill(&mut self, word: &str, line: &mut String) {
        let mut rest = word;
        while let Some((before, behind)) = rest.split_once('{') {
            line.push_str(before);
            let Some((what, after)) = behind.split_once('}').filter(|(what, _)| !what.starts_with('?')) else {
                line.push('{');
                rest = behind;
                continue;
            };
            let made = self.make(what);
            line.push_str(&made);
            rest = after;
        }
        line.push_str(rest);
    }

    fn make(&mut self, what: &str) -> String {
        let (kind, bound) = what.split_once(':').unwrap_or((what, "0"));
        let bound: usize = bound.parse().expect("a number in a template");
        match kind {
            "name" => self.name(),
            "string" if self.0.one_in(3) => self.word(),
            "string" => self.quoted(),
            // Never empty.
            "quoted" => format!("\"q{}", &self.quoted()[1..]),
            "word" => self.word(),
            "u8" => self.0.below(if bound > 0 { bound } else { 256 }).to_string(),
            "u16" => self.0.below(65536).to_string(),
            "u16+1" => (1 + self.0.below(65535)).to_string(),
            "u32" => self.0.below(1 << 31).to_string(),
            "ip4" => self.0.ipv4(),
            "ip6" => self.ip6(),
            "type" => self.0.pick(&["A", "aaaa", "NSEC", "TYPE65280", "TYPE1"]).to_owned(),
            "types" => self.types(),
            "time" => format!(
                "20{:02}{:02}{:02}1030{:02}",
                10 + self.0.below(25),
                1 + self.0.below(12),
                1 + self.0.below(28),
                self.0.below(60)
            ),
            "hex" => self.hex(bound, 0),
            "hexes" => self.hex(bound, 9),
            "b64" => self.base64(bound, 0),
            "b64s" => self.base64(bound, 9),
            _ => panic!("{{{what}}} in a template"),
        }
    }

    fn ttl(&mut self) -> String {
        self.0
            .pick(&["0", "60", "3600", "1h", "1H30m", "1w2d3h4m5s", "2147483647", "90M"])
            .to_owned()
    }

    fn name(&mut self) -> String {
        let labels = [
            "a",
            "Ab",
            "x-y",
            "_tcp",
            "0",
            r"\097b",
            r"d\.e",
            r"\000",
            r"q\200",
            r"\*",
            "*",
            "LONG-label-of-some-length",
            r"\065Z",
        ];
        let count = self.0.below(4);
        let mut name: Vec<&str> = (0..count).map(|_| self.0.pick(&labels)).collect();
        match self.0.below(8) {
            0 => ".".to_owned(),
            1 => "@".to_owned(),
            2 | 3 => {
                name.push("Elsewhere.Example.");
                name.join(".")
            }
            _ => {
                name.push(self.0.pick(&["host", "Mail", "ns1"]));
                name.join(".")
            }
        }
    }

    fn word(&mut self) -> String {
        let pieces = [
            "plain", r"\;", r"\032", "a=b", r#"\""#, r"\\", r"\200", "x", r"\065", "{}", "~", r"\(", "$", "@", ",",
            "'", "[1]",
        ];
        // A word begins with a letter: a lone @, \# or number may mean something.
        (0..self.0.below(5)).fold("w".to_owned(), |word, _| word + self.0.pick(&pieces))
    }

    fn quoted(&mut self) -> String {
        let pieces = [
            "plain", ";", " ", "(", ")", r#"\""#, r"\\", r"\000", r"\255", "a=b", "\t", r"\065", "\u{e9}", "@", "$",
            ",", "  ",
        ];
        let inside = (0..self.0.below(9)).fold(String::new(), |text, _| text + self.0.pick(&pieces));
        format!("\"{inside}\"")
    }

    fn ip6(&mut self) -> String {
        match self.0.below(5) {
            0 => "::".to_owned(),
            1 => format!("::ffff:{}", self.0.ipv4()),
            2 => "2001:DB8:0:0:1:0:0:1".to_owned(),
            3 => self.0.ipv6().to_uppercase(),
            _ => self.0.ipv6(),
        }
    }

    fn types(&mut self) -> String {
        let all = [
            "A",
            "NS",
            "mx",
            "TXT",
            "RRSIG",
            "NSEC",
            "TYPE65280",
            "TYPE1",
            "CAA",
            "TYPE1234",
            "SOA",
            "DNSKEY",
        ];
        (0..1 + self.0.below(6))
            .map(|_| self.0.pick(&all))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn hex(&mut self, bytes: usize, most_words: usize) -> String {
        let mut digits = self.0.hex(bytes);
        if self.0.one_in(2) {
            digits = digits.to_lowercase();
        }
        self.cut(digits, most_words)
    }

    fn base64(&mut self, bytes: usize, most_words: usize) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for start in (0..bytes).step_by(3) {
            let some = (bytes - start).min(3);
            let group = (0..some).fold(0, |group, at| group | self.0.below(256) << (16 - 8 * at));
            for at in 0..4 {
                let digit = char::from(DIGITS[group >> (18 - 6 * at) & 63]);
                text.push(if at <= some { digit } else { '=' });
            }
        }
        self.cut(text, most_words)
    }

    /// Cuts digits into words with blanks between.
    fn cut(&mut self, digits: String, most_words: usize) -> String {
        if most_words == 0 {
            return digits;
        }
        let mut text = String::new();
        for digit in digits.chars() {
            if !text.is_empty() && self.0.one_in(16) {
                text.push(' ');
            }
            text.push(digit);
        }
        text
    }
}
