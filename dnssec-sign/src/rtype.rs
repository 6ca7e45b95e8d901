//! Record types and classes by number and mnemonic (IANA "Domain Name System Parameters"). Names only: what a
//! type's RDATA looks like is the table in `rdata`.

use std::fmt;
use std::str::FromStr;

/// A record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

macro_rules! record_types {
    ($($constant:ident $text:literal $number:literal)*) => {
        #[allow(missing_docs, reason = "each constant is IANA's mnemonic for the number")]
        impl RecordType {
            $(pub const $constant: RecordType = RecordType($number);)*

            /// IANA's mnemonic; `None` for a type that is written TYPEnnn.
            #[must_use]
            pub fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }

        const MNEMONICS: &[(&str, u16)] = &[$(($text, $number)),*];
    };
}

record_types! {
    A "A" 1  NS "NS" 2  MD "MD" 3  MF "MF" 4  CNAME "CNAME" 5  SOA "SOA" 6  MB "MB" 7  MG "MG" 8  MR "MR" 9
    NULL "NULL" 10  WKS "WKS" 11  PTR "PTR" 12  HINFO "HINFO" 13  MINFO "MINFO" 14  MX "MX" 15  TXT "TXT" 16
    RP "RP" 17  AFSDB "AFSDB" 18  X25 "X25" 19  ISDN "ISDN" 20  RT "RT" 21  NSAP "NSAP" 22
    NSAP_PTR "NSAP-PTR" 23  SIG "SIG" 24  KEY "KEY" 25  PX "PX" 26  GPOS "GPOS" 27  AAAA "AAAA" 28
    LOC "LOC" 29  NXT "NXT" 30  EID "EID" 31  NIMLOC "NIMLOC" 32  SRV "SRV" 33  ATMA "ATMA" 34
    NAPTR "NAPTR" 35  KX "KX" 36  CERT "CERT" 37  A6 "A6" 38  DNAME "DNAME" 39  SINK "SINK" 40  OPT "OPT" 41
    APL "APL" 42  DS "DS" 43  SSHFP "SSHFP" 44  IPSECKEY "IPSECKEY" 45  RRSIG "RRSIG" 46  NSEC "NSEC" 47
    DNSKEY "DNSKEY" 48  DHCID "DHCID" 49  NSEC3 "NSEC3" 50  NSEC3PARAM "NSEC3PARAM" 51  TLSA "TLSA" 52
    SMIMEA "SMIMEA" 53  HIP "HIP" 55  NINFO "NINFO" 56  RKEY "RKEY" 57  TALINK "TALINK" 58  CDS "CDS" 59
    CDNSKEY "CDNSKEY" 60  OPENPGPKEY "OPENPGPKEY" 61  CSYNC "CSYNC" 62  ZONEMD "ZONEMD" 63  SVCB "SVCB" 64
    HTTPS "HTTPS" 65  DSYNC "DSYNC" 66  HHIT "HHIT" 67  BRID "BRID" 68  UNECE "UNECE" 69  ISO "ISO" 70
    SPF "SPF" 99  UINFO "UINFO" 100  UID "UID" 101  GID "GID" 102  UNSPEC "UNSPEC" 103  NID "NID" 104
    L32 "L32" 105  L64 "L64" 106  LP "LP" 107  EUI48 "EUI48" 108  EUI64 "EUI64" 109  NXNAME "NXNAME" 128
    TKEY "TKEY" 249  TSIG "TSIG" 250  IXFR "IXFR" 251  AXFR "AXFR" 252  MAILB "MAILB" 253  MAILA "MAILA" 254
    ANY "ANY" 255  URI "URI" 256  CAA "CAA" 257  AVC "AVC" 258  DOA "DOA" 259  AMTRELAY "AMTRELAY" 260
    RESINFO "RESINFO" 261  WALLET "WALLET" 262  CLA "CLA" 263  IPN "IPN" 264  TA "TA" 32768  DLV "DLV" 32769
}

impl RecordType {
    /// Whether the type is only for questions and transactions and cannot stand in a zone (RFC 6895 3.1).
    #[must_use]
    pub fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255)
    }

    /// All types that have a mnemonic, those of questions and transactions among them, in ascending order.
    pub fn named() -> impl Iterator<Item = Self> {
        MNEMONICS.iter().map(|(_, number)| Self(*number))
    }

    /// Reads a mnemonic in any letter case, or `TYPEnnn` (RFC 3597 5).
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        // The types that make up nearly every zone, before the search.
        match text {
            b"A" => return Some(Self::A),
            b"NS" => return Some(Self::NS),
            b"AAAA" => return Some(Self::AAAA),
            b"MX" => return Some(Self::MX),
            b"TXT" => return Some(Self::TXT),
            b"DS" => return Some(Self::DS),
            b"RRSIG" => return Some(Self::RRSIG),
            b"NSEC" => return Some(Self::NSEC),
            b"NSEC3" => return Some(Self::NSEC3),
            b"CNAME" => return Some(Self::CNAME),
            _ => {}
        }
        if let Some((_, number)) = MNEMONICS
            .iter()
            .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text))
        {
            return Some(Self(*number));
        }
        let (head, digits) = text.split_at_checked(4)?;
        if !head.eq_ignore_ascii_case(b"TYPE") {
            return None;
        }
        decimal_u16(digits).map(Self)
    }

    /// Appends the mnemonic, or `TYPEnnn`.
    pub fn write_text(self, out: &mut Vec<u8>) {
        if let Some(name) = self.mnemonic() {
            out.extend_from_slice(name.as_bytes());
            return;
        }
        out.extend_from_slice(b"TYPE");
        let mut power = [10_000, 1_000, 100, 10]
            .into_iter()
            .find(|power| self.0 >= *power)
            .unwrap_or(1);
        while power > 0 {
            let [_, digit] = (self.0 / power % 10).to_be_bytes();
            out.push(b'0' + digit);
            power /= 10;
        }
    }
}

fn decimal_u16(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(name) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// The text is no record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record type: write a mnemonic such as AAAA, or TYPEnnn")]
pub struct UnknownType;

impl FromStr for RecordType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        Self::from_text(text.as_bytes()).ok_or(UnknownType)
    }
}

/// A class. Zones are of class IN nearly always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class(pub u16);

impl Class {
    /// The Internet.
    pub const IN: Class = Class(1);
    /// Chaosnet.
    pub const CH: Class = Class(3);
    /// Hesiod.
    pub const HS: Class = Class(4);

    /// Reads `IN`, `CH`, `HS` in any letter case, or `CLASSnnn` (RFC 3597 5).
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        match text.len() {
            2 if text.eq_ignore_ascii_case(b"IN") => Some(Self::IN),
            2 if text.eq_ignore_ascii_case(b"CH") => Some(Self::CH),
            2 if text.eq_ignore_ascii_case(b"HS") => Some(Self::HS),
            6.. if text[..5].eq_ignore_ascii_case(b"CLASS") => decimal_u16(&text[5..]).map(Self),
            _ => None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::IN => f.write_str("IN"),
            Self::CH => f.write_str("CH"),
            Self::HS => f.write_str("HS"),
            Self(number) => write!(f, "CLASS{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_go_both_ways() {
        for &(text, number) in MNEMONICS {
            assert_eq!(
                RecordType::from_text(text.to_ascii_lowercase().as_bytes()),
                Some(RecordType(number))
            );
            assert_eq!(RecordType(number).to_string(), text);
        }
        assert_eq!(RecordType::from_text(b"type65280"), Some(RecordType(65280)));
        assert_eq!(RecordType(65280).to_string(), "TYPE65280");
        for number in 0..=u16::MAX {
            let mut text = Vec::new();
            RecordType(number).write_text(&mut text);
            assert_eq!(text, RecordType(number).to_string().as_bytes());
        }
        assert_eq!(RecordType::from_text(b"TYPE1"), Some(RecordType::A));
        for bad in ["TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "QQ", ""] {
            assert_eq!(RecordType::from_text(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn classes_go_both_ways() {
        assert_eq!(Class::from_text(b"in"), Some(Class::IN));
        assert_eq!(Class::from_text(b"CLASS255"), Some(Class(255)));
        assert_eq!(Class::from_text(b"CLASS"), None);
        assert_eq!(Class(3).to_string(), "CH");
    }
}
