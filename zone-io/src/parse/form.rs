//! The form of each type's data as a line of words, for messages: what stands where, in the order of the text. How
//! the data is read is the table in `dnssec_sign::rdata`.

use dnssec_sign::RecordType;

/// The words behind the type; `None` for a type that has RFC 3597 form only.
pub(crate) fn of(rtype: RecordType) -> Option<&'static str> {
    Some(match rtype {
        RecordType::A => "IPV4-ADDRESS",
        RecordType::AAAA => "IPV6-ADDRESS",
        RecordType::NS => "NAME-SERVER",
        RecordType::CNAME | RecordType::DNAME => "TARGET",
        RecordType::PTR | RecordType::NSAP_PTR => "NAME",
        RecordType::MD | RecordType::MF | RecordType::MB | RecordType::MG | RecordType::MR => "NAME",
        RecordType::SOA => "NAME-SERVER MAILBOX SERIAL REFRESH RETRY EXPIRE MINIMUM",
        RecordType::WKS => "IPV4-ADDRESS PROTOCOL PORT…",
        RecordType::HINFO => "CPU OPERATING-SYSTEM",
        RecordType::MINFO => "RESPONSIBLE-MAILBOX ERROR-MAILBOX",
        RecordType::MX => "PREFERENCE EXCHANGE",
        RecordType::TXT
        | RecordType::SPF
        | RecordType::AVC
        | RecordType::NINFO
        | RecordType::RESINFO
        | RecordType::WALLET
        | RecordType::CLA => "\"STRING\"…",
        RecordType::RP => "MAILBOX TXT-NAME",
        RecordType::AFSDB => "SUBTYPE HOST",
        RecordType::X25 => "\"PSDN-ADDRESS\"",
        RecordType::ISDN => "\"ADDRESS\" [\"SUBADDRESS\"]",
        RecordType::RT => "PREFERENCE HOST",
        RecordType::NSAP => "0xHEX",
        RecordType::SIG | RecordType::RRSIG => {
            "TYPE ALGORITHM LABELS ORIGINAL-TTL EXPIRATION INCEPTION KEY-TAG SIGNER BASE64"
        }
        RecordType::KEY => "FLAGS PROTOCOL ALGORITHM [BASE64]",
        RecordType::PX => "PREFERENCE RFC822-DOMAIN X400-DOMAIN",
        RecordType::GPOS => "\"LONGITUDE\" \"LATITUDE\" \"ALTITUDE\"",
        RecordType::LOC => {
            "DEGREES [MINUTES [SECONDS]] N|S DEGREES [MINUTES [SECONDS]] E|W ALTITUDEm [SIZEm [HORIZONTALm [VERTICALm]]]"
        }
        RecordType::NXT => "NEXT-NAME [TYPE…]",
        RecordType::EID | RecordType::NIMLOC => "HEX",
        RecordType::SRV => "PRIORITY WEIGHT PORT TARGET",
        RecordType::ATMA => "+DIGITS|HEX",
        RecordType::NAPTR => "ORDER PREFERENCE \"FLAGS\" \"SERVICES\" \"REGEXP\" REPLACEMENT",
        RecordType::KX => "PREFERENCE EXCHANGER",
        RecordType::CERT => "TYPE KEY-TAG ALGORITHM BASE64",
        RecordType::A6 => "PREFIX-LENGTH [ADDRESS-SUFFIX] [PREFIX-NAME]",
        RecordType::SINK => "MEANING CODING SUBCODING [BASE64]",
        RecordType::APL => "[[!]FAMILY:ADDRESS/PREFIX…]",
        RecordType::DS | RecordType::CDS | RecordType::DLV | RecordType::TA => "KEY-TAG ALGORITHM DIGEST-TYPE HEX",
        RecordType::SSHFP => "ALGORITHM FINGERPRINT-TYPE HEX",
        RecordType::IPSECKEY => "PRECEDENCE GATEWAY-TYPE ALGORITHM GATEWAY [BASE64]",
        RecordType::NSEC => "NEXT-NAME [TYPE…]",
        RecordType::DNSKEY | RecordType::CDNSKEY | RecordType::RKEY => "FLAGS PROTOCOL ALGORITHM BASE64",
        RecordType::DHCID | RecordType::OPENPGPKEY | RecordType::HHIT | RecordType::BRID => "BASE64",
        RecordType::NSEC3 => "HASH-ALGORITHM FLAGS ITERATIONS SALT|- NEXT-HASH [TYPE…]",
        RecordType::NSEC3PARAM => "HASH-ALGORITHM FLAGS ITERATIONS SALT|-",
        RecordType::TLSA | RecordType::SMIMEA => "USAGE SELECTOR MATCHING-TYPE HEX",
        RecordType::HIP => "ALGORITHM HEX BASE64 [SERVER…]",
        RecordType::TALINK => "PREVIOUS-NAME NEXT-NAME",
        RecordType::CSYNC => "SERIAL FLAGS [TYPE…]",
        RecordType::ZONEMD => "SERIAL SCHEME HASH-ALGORITHM HEX",
        RecordType::SVCB | RecordType::HTTPS => "PRIORITY TARGET [KEY[=VALUE]…]",
        RecordType::DSYNC => "TYPE SCHEME PORT TARGET",
        RecordType::NID | RecordType::L64 => "PREFERENCE HEX:HEX:HEX:HEX",
        RecordType::L32 => "PREFERENCE IPV4-ADDRESS",
        RecordType::LP => "PREFERENCE NAME",
        RecordType::EUI48 => "XX-XX-XX-XX-XX-XX",
        RecordType::EUI64 => "XX-XX-XX-XX-XX-XX-XX-XX",
        RecordType::URI => "PRIORITY WEIGHT \"TARGET\"",
        RecordType::CAA => "FLAGS TAG \"VALUE\"",
        RecordType::DOA => "ENTERPRISE TYPE LOCATION \"MEDIA-TYPE\" BASE64|-",
        RecordType::AMTRELAY => "PRECEDENCE DISCOVERY-OPTIONAL RELAY-TYPE RELAY",
        RecordType::IPN => "NUMBER|NUMBER.NUMBER",
        RecordType::UNECE => "RECOMMENDATION VALUE|- CODE [\"DESCRIPTOR\"]",
        RecordType::ISO => "STANDARD VALUE|- CODE [\"DESCRIPTOR\"]",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use dnssec_sign::rdata;

    use super::*;

    #[test]
    fn every_type_with_a_text_has_a_form() {
        for rtype in (0..=u16::MAX).map(RecordType) {
            assert_eq!(of(rtype).is_some(), rdata::has_text(rtype), "{rtype}");
        }
    }
}
