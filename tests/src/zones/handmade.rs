//! Small zones with one matter each, where signers have gone wrong before.

use super::{Zone, apex};

/// All of them.
#[must_use]
pub fn handmade() -> Vec<Zone> {
    let zones = [
        ("apex-only", APEX_ONLY),
        ("every-type", EVERY_TYPE),
        ("names-in-data", NAMES_IN_DATA),
        ("letter-case", LETTER_CASE),
        ("odd-labels", ODD_LABELS),
        ("wildcards", WILDCARDS),
        ("empty-non-terminals", EMPTY_NON_TERMINALS),
        ("cuts", CUTS),
        ("dnames", DNAMES),
        ("ttls", TTLS),
        ("duplicates", DUPLICATES),
    ];
    zones.map(|(name, body)| made(name, body)).into()
}

fn made(name: &str, body: &str) -> Zone {
    let origin = format!("{name}.test.");
    let text = format!("{}$ORIGIN {origin}\n$TTL 3600\n{body}$ORIGIN .\n", apex(&origin, 900));
    Zone {
        name: name.to_owned(),
        origin,
        text,
    }
}

const APEX_ONLY: &str = "";

const EVERY_TYPE: &str = r#"
a A 192.0.2.7
aaaa AAAA 2001:db8::7
cname CNAME a
dname DNAME other.example.
mx MX 10 mail
mx MX 20 mail.example.
txt TXT "one" "two \"quoted\"" "\000\255;" ""
ptr PTR a
_sip._tcp SRV 0 5 5060 sip
caa CAA 0 issue "ca.example; policy=ev"
caa CAA 128 iodef "mailto:security@example.com"
sub NS ns.other.example.
sub DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
_443._tcp.a TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971
ssh SSHFP 2 1 123456789abcdef67890123456789abcdef67890
naptr NAPTR 100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.gatech.edu.
svcb SVCB 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2
https HTTPS 1 svc.example.net. mandatory=alpn alpn=h2 ipv6hint=2001:db8::1
alias HTTPS 0 svc.example.net.
hinfo HINFO "KLH-10" "TOPS-20"
rp RP admin.example. txt
afsdb AFSDB 1 afs.example.
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
uri URI 10 1 "ftp://ftp1.example.com/public"
unknown TYPE65280 \# 5 0102030405
empty TYPE65281 \# 0
known TYPE1 \# 4 C0000207
"#;

const NAMES_IN_DATA: &str = r#"
mx MX 10 MAIL.Example.COM.
ns NS NS.Elsewhere.EXAMPLE.
cname CNAME TARGET.Example.
ptr PTR Host.EXAMPLE.
srv SRV 1 2 3 SRV.Example.
naptr NAPTR 1 1 "U" "E2U+sip" "!^.*$!sip:a@example!" Replacement.EXAMPLE.
dname DNAME DNAME.Example.
rp RP Mbox.EXAMPLE. Txt.EXAMPLE.
afsdb AFSDB 1 AFS.Example.
kx KX 1 KX.Example.
svcb SVCB 1 SvcB.Example. port=1
https HTTPS 1 HTTPS.Example.
"#;

const LETTER_CASE: &str = r#"
WWW A 192.0.2.1
Mail.SUB.Tree A 192.0.2.2
a.sub.tree AAAA 2001:db8::2
ZULU TXT "MiXeD"
Cut NS ns.Elsewhere.example.
aLpHa CNAME Www
"#;

const ODD_LABELS: &str = r#"
a\.b A 192.0.2.1
a.b A 192.0.2.2
\000\001 A 192.0.2.3
\255 A 192.0.2.4
\000 TXT "zero"
x\000.y A 192.0.2.5
back\\slash A 192.0.2.6
sp\032ace A 192.0.2.7
\@ A 192.0.2.8
semi\;colon A 192.0.2.9
quo\"te A 192.0.2.10
dol\$lar A 192.0.2.11
_under A 192.0.2.12
- A 192.0.2.13
abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk A 192.0.2.14
1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30 PTR host
"#;

const WILDCARDS: &str = r#"
* A 192.0.2.1
*.sub TXT "wild"
host.*.sub A 192.0.2.2
a.*.deep.below A 192.0.2.3
*.*.twice A 192.0.2.4
\* MX 10 escaped.example.
*.cname CNAME host
"#;

const EMPTY_NON_TERMINALS: &str = "
a.b.c.d.e A 192.0.2.1
x.b.c.d.e A 192.0.2.2
cut.only.insecure NS ns.elsewhere.example.
cut.mixed NS ns.elsewhere.example.
host.mixed A 192.0.2.3
cut.signed.deep NS ns.elsewhere.example.
cut.signed.deep DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
a.b.under.dname.parent A 192.0.2.4
";

const CUTS: &str = r#"
plain NS ns.elsewhere.example.
glued NS ns.glued
ns.glued A 192.0.2.1
ns.glued AAAA 2001:db8::1
other.glued TXT "occluded"
signed NS ns.signed
signed DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
signed DS 2 13 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
ns.signed A 192.0.2.2
beside NS ns.elsewhere.example.
beside A 192.0.2.3
beside TXT "hidden by the cut"
inner.outer NS ns.elsewhere.example.
outer NS ns.elsewhere.example.
inner.outer DS 1 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
sibling NS ns.glued
zz A 192.0.2.9
"#;

const DNAMES: &str = "
old DNAME new.example.
old TXT beside
host.old A 192.0.2.1
deep.er.old A 192.0.2.2
cut.old NS ns.elsewhere.example.
alone DNAME new.example.
older A 192.0.2.3
";

const TTLS: &str = "
zero 0 A 192.0.2.1
long 2147483647 A 192.0.2.2
mixed 60 A 192.0.2.3
mixed 7200 AAAA 2001:db8::3
mixed 1h30m TXT units
week 1w MX 10 mail.example.
";

const DUPLICATES: &str = r#"
twice A 192.0.2.1
twice A 192.0.2.1
twice A 192.0.2.2
mx MX 10 MAIL.example.
mx MX 10 mail.EXAMPLE.
txt TXT "b"
txt TXT "a"
txt TXT "b"
order A 192.0.2.200
order A 192.0.2.3
order A 192.0.2.30
"#;
