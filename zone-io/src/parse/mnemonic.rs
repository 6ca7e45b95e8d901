//! The words that stand for numbers in RDATA, each list in one table for reading and for writing. Record types,
//! classes and DNSSEC algorithms are not here: `dnssec-sign` has them.

/// Words and their numbers; where several words have one number, the first is written.
pub(crate) type Words<N> = [(&'static str, N)];

/// The number of a word in any letter case.
pub(super) fn number_of<N: Copy>(words: &Words<N>, text: &[u8]) -> Option<N> {
    words
        .iter()
        .find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(text))
        .map(|(_, number)| *number)
}

/// The word for a number.
pub(crate) fn word_of<N: Copy + PartialEq>(words: &Words<N>, number: N) -> Option<&'static str> {
    words.iter().find(|(_, known)| *known == number).map(|(word, _)| *word)
}

/// RFC 4398 2.1.
pub(crate) const CERT_TYPES: &Words<u16> = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];

/// IANA "DS RR Type Digest Algorithms", and the words that BIND reads.
pub(super) const DIGEST_TYPES: &Words<u8> = &[
    ("SHA-1", 1),
    ("SHA1", 1),
    ("SHA-256", 2),
    ("SHA256", 2),
    ("GOST", 3),
    ("SHA-384", 4),
    ("SHA384", 4),
];

/// RFC 9859 2.1.
pub(crate) const DSYNC_SCHEMES: &Words<u8> = &[("NOTIFY", 1)];

/// RFC 2535 7.1; joined by `|`.
pub(super) const KEY_FLAGS: &Words<u16> = &[
    ("NOCONF", 0x4000),
    ("NOAUTH", 0x8000),
    ("NOKEY", 0xc000),
    ("FLAG2", 0x2000),
    ("EXTEND", 0x1000),
    ("FLAG4", 0x0800),
    ("FLAG5", 0x0400),
    ("USER", 0x0000),
    ("ZONE", 0x0100),
    ("HOST", 0x0200),
    ("NTYP3", 0x0300),
    ("FLAG8", 0x0080),
    ("FLAG9", 0x0040),
    ("FLAG10", 0x0020),
    ("FLAG11", 0x0010),
    ("SIG0", 0),
    ("SIG1", 1),
    ("SIG2", 2),
    ("SIG3", 3),
    ("SIG4", 4),
    ("SIG5", 5),
    ("SIG6", 6),
    ("SIG7", 7),
    ("SIG8", 8),
    ("SIG9", 9),
    ("SIG10", 10),
    ("SIG11", 11),
    ("SIG12", 12),
    ("SIG13", 13),
    ("SIG14", 14),
    ("SIG15", 15),
    // RFC 4034 2.1.1
    ("KSK", 0x0001),
];

/// RFC 2535 7.1.
pub(super) const KEY_PROTOCOLS: &Words<u8> = &[
    ("NONE", 0),
    ("TLS", 1),
    ("EMAIL", 2),
    ("DNSSEC", 3),
    ("IPSEC", 4),
    ("ALL", 255),
];

/// IANA "Service Parameter Keys (SvcParamKeys)".
pub(crate) const SVC_PARAM_KEYS: &Words<u16> = &[
    ("mandatory", 0),
    ("alpn", 1),
    ("no-default-alpn", 2),
    ("port", 3),
    ("ipv4hint", 4),
    ("ech", 5),
    ("ipv6hint", 6),
    ("dohpath", 7),
    ("ohttp", 8),
    ("tls-supported-groups", 9),
    ("docpath", 10),
    ("pvd", 11),
    ("oots", 12),
];

/// The protocols of RFC 1010 that are still known by these names (IANA "Protocol Numbers").
pub(super) const PROTOCOLS: &Words<u8> = &[
    ("ICMP", 1),
    ("IGMP", 2),
    ("GGP", 3),
    ("ST", 5),
    ("TCP", 6),
    ("EGP", 8),
    ("PUP", 12),
    ("UDP", 17),
    ("HMP", 20),
    ("XNS-IDP", 22),
    ("RDP", 27),
    ("ISO-TP4", 29),
];

/// Services that were well known when WKS was in use (RFC 1010, IANA "Service Name and Transport Protocol Port Number
/// Registry"). WKS ended before most of today's; their ports are written as numbers.
pub(super) const SERVICES: &Words<u16> = &[
    ("TCPMUX", 1),
    ("RJE", 5),
    ("ECHO", 7),
    ("DISCARD", 9),
    ("SYSTAT", 11),
    ("USERS", 11),
    ("DAYTIME", 13),
    ("NETSTAT", 15),
    ("QOTD", 17),
    ("QUOTE", 17),
    ("CHARGEN", 19),
    ("FTP-DATA", 20),
    ("FTP", 21),
    ("SSH", 22),
    ("TELNET", 23),
    ("SMTP", 25),
    ("TIME", 37),
    ("RLP", 39),
    ("NAMESERVER", 42),
    ("NICNAME", 43),
    ("WHOIS", 43),
    ("LOGIN", 49),
    ("DOMAIN", 53),
    ("SQL*NET", 66),
    ("BOOTPS", 67),
    ("BOOTPC", 68),
    ("TFTP", 69),
    ("GOPHER", 70),
    ("FINGER", 79),
    ("HTTP", 80),
    ("WWW", 80),
    ("KERBEROS", 88),
    ("SUPDUP", 95),
    ("HOSTNAME", 101),
    ("HOSTNAMES", 101),
    ("ISO-TSAP", 102),
    ("CSNET-NS", 105),
    ("RTELNET", 107),
    ("POP2", 109),
    ("POP3", 110),
    ("SUNRPC", 111),
    ("AUTH", 113),
    ("IDENT", 113),
    ("SFTP", 115),
    ("UUCP-PATH", 117),
    ("NNTP", 119),
    ("NTP", 123),
    ("NETBIOS-NS", 137),
    ("NETBIOS-DGM", 138),
    ("NETBIOS-SSN", 139),
    ("IMAP", 143),
    ("IMAP2", 143),
    ("SNMP", 161),
    ("SNMPTRAP", 162),
    ("XDMCP", 177),
    ("BGP", 179),
    ("IRC", 194),
    ("LDAP", 389),
    ("HTTPS", 443),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_go_both_ways() {
        assert_eq!(number_of(CERT_TYPES, b"pkix"), Some(1));
        assert_eq!(word_of(CERT_TYPES, 254), Some("OID"));
        assert_eq!(number_of(SERVICES, b"Smtp"), Some(25));
        assert_eq!(number_of(SERVICES, b"nosuch"), None);
        assert_eq!(word_of(SVC_PARAM_KEYS, 13), None);
        for (at, &(word, number)) in SVC_PARAM_KEYS.iter().enumerate() {
            assert_eq!(usize::from(number), at, "{word}");
        }
    }
}
