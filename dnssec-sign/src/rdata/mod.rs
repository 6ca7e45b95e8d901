//! The one table of RDATA: which fields each type has, in wire order. Parsing and printing (zone-io) and the
//! canonical form (RFC 4034 6.2, amended by RFC 6840 5.1) all follow it. It says nothing of text beyond which
//! kind of text a field has. The types are those of IANA's "Resource Record (RR) TYPEs"; any other is bytes.

mod shape;
mod svc_params;

pub use svc_params::check_svc_params;

use crate::name::{NameError, NameRef};
use crate::rtype::RecordType;

/// What canonical form does to a name inside RDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Folded to lower case: the types listed in RFC 4034 6.2 point 3.
    Folded,
    /// Kept: all other types (RFC 3597 7, RFC 6840 5.1).
    Kept,
}

/// One field of RDATA: its wire shape and its kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// An uncompressed domain name.
    Name(Case),
    /// One byte, decimal.
    U8,
    /// Two bytes, decimal.
    U16,
    /// Four bytes, decimal.
    U32,
    /// Eight bytes, decimal, in text also two numbers of four bytes with a dot between: a node number (IPN).
    NodeNumber,
    /// Four bytes: seconds, in text also with units (`1h30m`).
    Period,
    /// Four bytes: a moment as YYYYMMDDHHMMSS or seconds since 1970 (RFC 4034 3.2).
    Time,
    /// One byte: a DNSSEC algorithm by number or mnemonic (RFC 4034 A.1), written as a number.
    Algorithm,
    /// One byte: a DNSSEC algorithm by number or mnemonic, written as a mnemonic: CERT's (RFC 4398 2.2).
    CertAlgorithm,
    /// Two bytes: a CERT type by number or mnemonic (RFC 4398 2.1).
    CertType,
    /// Two bytes: flags of a key by number or as mnemonics joined by `|` (RFC 2535 7.1), written as a number.
    KeyFlags,
    /// One byte: a key's protocol by number or mnemonic (RFC 2535 7.1), written as a number.
    KeyProtocol,
    /// One byte: a DSYNC scheme by number or mnemonic (RFC 9859 2.1).
    DsyncScheme,
    /// Two bytes: a record type by mnemonic.
    Type,
    /// Four bytes, dotted quad.
    Ipv4,
    /// Sixteen bytes, RFC 4291 2.2 text.
    Ipv6,
    /// Six bytes as hyphenated hexadecimal pairs (RFC 7043).
    Eui48,
    /// Eight bytes as hyphenated hexadecimal pairs (RFC 7043).
    Eui64,
    /// Eight bytes as four groups of hexadecimal digits with colons (RFC 6742).
    Node64,
    /// One character-string: a length byte and so many bytes.
    CharString,
    /// A character-string, or the end: the ISDN subaddress (RFC 1183 3.2).
    OptionalCharString,
    /// One or more character-strings to the end.
    CharStrings,
    /// A character-string of ASCII letters and digits: the CAA tag (RFC 8659 4.1).
    Tag,
    /// A character-string of at least one byte, written without quotes: UNECE's and ISO's list of codes, and the code.
    Code,
    /// A character-string, written without quotes, `-` for an empty one: UNECE's and ISO's value. None is a lone `-`.
    Quantity,
    /// A character-string of four or more digits: the X25 address (RFC 1183 3.1).
    PsdnAddress,
    /// All bytes to the end as one quoted string without a length byte (CAA value, URI target).
    LongString,
    /// All bytes to the end as one quoted string without a length byte, left out when there are none: UNECE's and ISO's
    /// descriptor. One of more than 255 bytes has RFC 3597 text only.
    Descriptor,
    /// All bytes to the end, base64, at least one.
    Base64,
    /// All bytes to the end, base64, possibly none.
    OptionalBase64,
    /// All bytes to the end, base64, `-` for none (DOA).
    DashOrBase64,
    /// All bytes to the end, hexadecimal, at least one.
    Hex,
    /// DS's digest type by number or mnemonic, written as a number, and the digest to the end, hexadecimal and as long
    /// as the type says (RFC 4034 5.1).
    DsDigest,
    /// SSHFP's fingerprint type, and the fingerprint to the end, hexadecimal and as long as the type says (RFC 4255 3.1).
    Fingerprint,
    /// ZONEMD's hash algorithm, and the digest to the end, hexadecimal, as long as the algorithm says and at least
    /// twelve bytes (RFC 8976 2.2.4).
    ZoneDigest,
    /// A length byte and so many bytes, hexadecimal without white space, `-` for none: the NSEC3 salt.
    Salt,
    /// A length byte and so many bytes, base32hex without padding: the next hashed owner.
    HashedOwner,
    /// Type bitmaps to the end (RFC 4034 4.1.2), possibly none.
    Types,
    /// NXT's type bitmap to the end: one of at most 16 bytes, without windows (RFC 2535 5.2), possibly none.
    NxtTypes,
    /// SvcParams to the end in ascending order of keys (RFC 9460 2.2), possibly none.
    SvcParams,
    /// RFC 2874 3.1: prefix length, the rest of an address, and a name when the length is not 0.
    A6,
    /// One byte: an Internet protocol by number or mnemonic, written as a number (WKS, RFC 1035 3.4.2).
    Protocol,
    /// A bitmap to the end whose last byte is not 0: ports by number or the services' names (WKS, RFC 1035 3.4.2).
    Ports,
    /// LOC of version 0 (RFC 1876 2); LOC of another version is bytes.
    Location,
    /// Address prefixes to the end (APL, RFC 3123 4), possibly none.
    Prefixes,
    /// Lengths, algorithm, identity tag, public key, and names of servers to the end (HIP, RFC 8005 5).
    Hip,
    /// IPSECKEY's gateway type, algorithm and gateway (RFC 4025 2.1). What follows another type than 0 to 3 is bytes.
    Gateway,
    /// AMTRELAY's discovery bit, relay type and relay (RFC 8777 4.2). What follows another type than 0 to 3 is bytes.
    Relay,
    /// KEY's flags, protocol, algorithm and key: there is none when the flags say so (RFC 2535 3.1.2).
    Key,
    /// All bytes to the end, hexadecimal behind `0x` with dots anywhere between digits, at least one (RFC 1706 5).
    Nsap,
    /// A format byte, and bytes to the end in that format: NSAP as above, or the digits of E.164 (ATMA).
    Atma,
    /// All bytes to the end in a form that only RFC 3597 text has.
    Opaque,
}

use Field::{
    A6, Algorithm, Atma, Base64, CertAlgorithm, CertType, CharString, CharStrings, Code, DashOrBase64, Descriptor,
    DsDigest, DsyncScheme, Eui48, Eui64, Fingerprint, Gateway, HashedOwner, Hex, Hip, Ipv4, Ipv6, Key, KeyFlags,
    KeyProtocol, Location, LongString, Node64, NodeNumber, Nsap, NxtTypes, Opaque, OptionalBase64, OptionalCharString,
    Period, Ports, Prefixes, Protocol, PsdnAddress, Quantity, Relay, Salt, SvcParams, Tag, Time, Type, Types, U8, U16,
    U32, ZoneDigest,
};

const FOLDED: Field = Field::Name(Case::Folded);
const KEPT: Field = Field::Name(Case::Kept);

/// The fields of a type's RDATA in wire order, `None` for a type that IANA does not list, which is bytes.
#[must_use]
pub fn fields(rtype: RecordType) -> Option<&'static [Field]> {
    Some(match rtype {
        RecordType::A => &[Ipv4],
        RecordType::NS
        | RecordType::MD
        | RecordType::MF
        | RecordType::CNAME
        | RecordType::MB
        | RecordType::MG
        | RecordType::MR
        | RecordType::PTR
        | RecordType::DNAME => &[FOLDED],
        // RFC 4034 6.2 does not list it.
        RecordType::NSAP_PTR => &[KEPT],
        RecordType::SOA => &[FOLDED, FOLDED, U32, Period, Period, Period, Period],
        RecordType::WKS => &[Ipv4, Protocol, Ports],
        RecordType::MINFO | RecordType::RP => &[FOLDED, FOLDED],
        RecordType::MX | RecordType::AFSDB | RecordType::RT | RecordType::KX => &[U16, FOLDED],
        RecordType::PX => &[U16, FOLDED, FOLDED],
        RecordType::SRV => &[U16, U16, U16, FOLDED],
        RecordType::NAPTR => &[U16, U16, CharString, CharString, CharString, FOLDED],
        RecordType::HINFO => &[CharString, CharString],
        RecordType::TXT
        | RecordType::SPF
        | RecordType::AVC
        | RecordType::NINFO
        | RecordType::RESINFO
        | RecordType::WALLET
        | RecordType::CLA => &[CharStrings],
        RecordType::X25 => &[PsdnAddress],
        RecordType::ISDN => &[CharString, OptionalCharString],
        RecordType::NSAP => &[Nsap],
        RecordType::GPOS => &[CharString, CharString, CharString],
        RecordType::AAAA => &[Ipv6],
        RecordType::LOC => &[Location],
        RecordType::NXT => &[FOLDED, NxtTypes],
        RecordType::EID | RecordType::NIMLOC => &[Hex],
        RecordType::ATMA => &[Atma],
        RecordType::A6 => &[A6],
        RecordType::SINK => &[U8, U8, U8, OptionalBase64],
        RecordType::APL => &[Prefixes],
        RecordType::CERT => &[CertType, U16, CertAlgorithm, Base64],
        RecordType::DS | RecordType::CDS | RecordType::DLV | RecordType::TA => &[U16, Algorithm, DsDigest],
        RecordType::SSHFP => &[U8, Fingerprint],
        RecordType::IPSECKEY => &[U8, Gateway, OptionalBase64],
        RecordType::RRSIG | RecordType::SIG => &[Type, Algorithm, U8, U32, Time, Time, U16, FOLDED, Base64],
        RecordType::NSEC => &[KEPT, Types],
        RecordType::DNSKEY | RecordType::CDNSKEY | RecordType::RKEY => &[KeyFlags, KeyProtocol, Algorithm, Base64],
        RecordType::KEY => &[Key],
        RecordType::DHCID | RecordType::OPENPGPKEY | RecordType::HHIT | RecordType::BRID => &[Base64],
        RecordType::NSEC3 => &[U8, U8, U16, Salt, HashedOwner, Types],
        RecordType::NSEC3PARAM => &[U8, U8, U16, Salt],
        RecordType::TLSA | RecordType::SMIMEA => &[U8, U8, U8, Hex],
        RecordType::HIP => &[Hip],
        RecordType::TALINK => &[KEPT, KEPT],
        RecordType::CSYNC => &[U32, U16, Types],
        RecordType::ZONEMD => &[U32, U8, ZoneDigest],
        RecordType::SVCB | RecordType::HTTPS => &[U16, KEPT, SvcParams],
        RecordType::DSYNC => &[Type, DsyncScheme, U16, KEPT],
        RecordType::NID | RecordType::L64 => &[U16, Node64],
        RecordType::L32 => &[U16, Ipv4],
        RecordType::LP => &[U16, KEPT],
        RecordType::EUI48 => &[Eui48],
        RecordType::EUI64 => &[Eui64],
        RecordType::URI => &[U16, U16, LongString],
        RecordType::CAA => &[U8, Tag, LongString],
        RecordType::DOA => &[U32, U32, U8, CharString, DashOrBase64],
        RecordType::AMTRELAY => &[U8, Relay],
        RecordType::IPN => &[NodeNumber],
        // draft-woodcock-faltstrom-external-registry-rrtypes-01 3.1 and 4.1.
        RecordType::UNECE | RecordType::ISO => &[Code, Quantity, Code, Descriptor],
        // NULL has no text (RFC 1035 3.3.10), and the others are reserved without a definition.
        RecordType::NULL | RecordType::UINFO | RecordType::UID | RecordType::GID | RecordType::UNSPEC => &[Opaque],
        _ => return None,
    })
}

/// Whether a type has a presentation format of its own; every other is written in RFC 3597 form.
#[must_use]
pub fn has_text(rtype: RecordType) -> bool {
    fields(rtype).is_some_and(|fields| !fields.contains(&Opaque))
}

/// RDATA does not have the shape of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RdataError {
    /// It ends inside a field.
    #[error("RDATA ends before all fields of the type")]
    Short,
    /// Bytes follow the last field.
    #[error("RDATA goes on behind the last field of the type")]
    Long,
    /// A name inside is no name.
    #[error("a name in the RDATA: {0}")]
    Name(#[from] NameError),
    /// A type bitmap is not in the form of RFC 4034 4.1.2.
    #[error("the type bitmap is not in the form of RFC 4034 4.1.2")]
    Bitmap,
    /// NXT's bitmap is not in the form of RFC 2535 5.2.
    #[error("the type bitmap is not in the form of RFC 2535 5.2")]
    NxtBitmap,
    /// SvcParams are cut off, out of order or doubled (RFC 9460 2.2).
    #[error("the SvcParams are cut off or not in strictly ascending order (RFC 9460 2.2)")]
    SvcParams,
    /// A SvcParam's value is not in its key's form.
    #[error("the value of SvcParamKey {0} is not in the form of its key")]
    SvcParamValue(u16),
    /// A SvcParam demands another that is not there (RFC 9460 7.1.1 and 8).
    #[error("SvcParamKey {by} demands SvcParamKey {missing}, and the record does not have it (RFC 9460 8)")]
    SvcParamMissing {
        /// The key that demands it: `mandatory`, or `no-default-alpn`.
        by: u16,
        /// The key that is not there.
        missing: u16,
    },
    /// A CAA tag that is empty or not letters and digits (RFC 8659 4.1).
    #[error("the tag must be 1 to 255 ASCII letters and digits (RFC 8659 4.1)")]
    Tag,
    /// A list of codes or a code that is empty, or a value that is a lone `-` (UNECE and ISO).
    #[error("a list of codes or a code is empty, or the value is a hyphen alone, which stands for none")]
    Code,
    /// An A6 prefix length above 128, or bits set that the prefix covers (RFC 2874 3.1.1).
    #[error("the prefix length is above 128, or bits that it covers are not 0 (RFC 2874 3.1.1)")]
    Prefix,
    /// An X25 or E.164 address that is not digits, or too few of them.
    #[error("the address is not of digits, or of too few")]
    Digits,
    /// A bitmap of ports whose last byte is 0, or of more than 65536 ports.
    #[error("the bitmap of ports ends in a byte of 0, or is too long (RFC 1035 3.4.2)")]
    Ports,
    /// A latitude, a longitude or a precision that cannot be (RFC 1876 2).
    #[error("a latitude, a longitude or a precision is out of its range (RFC 1876 2)")]
    Location,
    /// An address prefix that is too long for its family, or ends in a byte of 0 (RFC 3123 4).
    #[error("an address prefix is too long for its family, or ends in a byte of 0 (RFC 3123 4)")]
    Prefixes,
    /// A digest that does not have as many bytes as its type says.
    #[error("a digest of this type has {0} bytes")]
    Digest(usize),
    /// A digest of fewer than twelve bytes (RFC 8976 2.2.4).
    #[error("a ZONEMD digest is at least 12 bytes (RFC 8976 2.2.4)")]
    ZoneDigest,
}

/// Takes the bytes of `field` off the front of `rdata`: the field's bytes and the rest.
///
/// # Errors
/// [`RdataError`] when the bytes there do not have the field's shape.
pub fn split_field(field: Field, rdata: &[u8]) -> Result<(&[u8], &[u8]), RdataError> {
    let fixed = |length: usize| rdata.split_at_checked(length).ok_or(RdataError::Short);
    let counted = || {
        let &length = rdata.first().ok_or(RdataError::Short)?;
        rdata.split_at_checked(1 + usize::from(length)).ok_or(RdataError::Short)
    };
    let rest = |least: usize| {
        if rdata.len() < least {
            Err(RdataError::Short)
        } else {
            Ok((rdata, &[][..]))
        }
    };
    match field {
        Field::Name(_) => {
            let (name, rest) = NameRef::split_from(rdata)?;
            Ok((name.wire(), rest))
        }
        U8 | Algorithm | CertAlgorithm | KeyProtocol | DsyncScheme | Protocol => fixed(1),
        U16 | Type | CertType | KeyFlags => fixed(2),
        U32 | Period | Time | Ipv4 => fixed(4),
        Eui48 => fixed(6),
        NodeNumber | Eui64 | Node64 => fixed(8),
        Ipv6 => fixed(16),
        CharString | Salt => counted(),
        OptionalCharString if rdata.is_empty() => rest(0),
        OptionalCharString => counted(),
        HashedOwner => {
            let (field, rest) = counted()?;
            if field.len() == 1 {
                Err(RdataError::Short)
            } else {
                Ok((field, rest))
            }
        }
        Code => {
            let (field, rest) = counted()?;
            if field.len() == 1 {
                return Err(RdataError::Code);
            }
            Ok((field, rest))
        }
        Quantity => {
            let (field, rest) = counted()?;
            if field == b"\x01-" {
                return Err(RdataError::Code);
            }
            Ok((field, rest))
        }
        Tag => {
            let (field, rest) = counted()?;
            if field.len() == 1 || !field[1..].iter().all(u8::is_ascii_alphanumeric) {
                return Err(RdataError::Tag);
            }
            Ok((field, rest))
        }
        PsdnAddress => {
            let (field, rest) = counted()?;
            if field.len() < 5 || !field[1..].iter().all(u8::is_ascii_digit) {
                return Err(RdataError::Digits);
            }
            Ok((field, rest))
        }
        CharStrings => {
            let mut at = 0;
            while let Some(&length) = rdata.get(at) {
                at += 1 + usize::from(length);
            }
            if at == rdata.len() && at > 0 {
                rest(1)
            } else {
                Err(RdataError::Short)
            }
        }
        Base64 | Hex | Nsap => rest(1),
        LongString | Descriptor | OptionalBase64 | DashOrBase64 | Opaque => rest(0),
        DsDigest => shape::ds_digest(rdata),
        Fingerprint => shape::fingerprint(rdata),
        ZoneDigest => shape::zone_digest(rdata),
        Types => shape::bitmap(rdata),
        NxtTypes => shape::nxt_bitmap(rdata),
        SvcParams => {
            check_svc_params(rdata)?;
            rest(0)
        }
        A6 => shape::a6(rdata),
        Ports => shape::ports(rdata),
        Location => shape::location(rdata),
        Prefixes => shape::prefixes(rdata),
        Hip => shape::hip(rdata),
        Gateway => shape::gateway(rdata),
        Relay => shape::relay(rdata),
        Key => shape::key(rdata),
        Atma => shape::atma(rdata),
    }
}

/// Checks RDATA against its type's fields; a type without fields is anything.
///
/// # Errors
/// [`RdataError`] naming what is wrong.
pub fn check(rtype: RecordType, rdata: &[u8]) -> Result<(), RdataError> {
    let Some(fields) = fields(rtype) else {
        return Ok(());
    };
    let mut rest = rdata;
    for &field in fields {
        rest = split_field(field, rest)?.1;
    }
    if rest.is_empty() { Ok(()) } else { Err(RdataError::Long) }
}

/// Whether canonical form can differ from the wire form: the type has a name that is folded.
#[must_use]
pub fn folds(rtype: RecordType) -> bool {
    fields(rtype).is_some_and(|fields| {
        fields
            .iter()
            .any(|field| matches!(field, Field::Name(Case::Folded) | A6))
    })
}

/// Appends the canonical form of RDATA (RFC 4034 6.2: names of the listed types in lower case).
/// RDATA that does not have its type's shape is appended as it is.
pub fn write_canonical(rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(rdata);
    let Some(fields) = fields(rtype) else {
        return;
    };
    let mut at = start;
    for &field in fields {
        let Ok((bytes, _)) = split_field(field, &rdata[at - start..]) else {
            return;
        };
        let length = bytes.len();
        match field {
            // Length bytes are at most 63, below every letter.
            Field::Name(Case::Folded) => out[at..at + length].make_ascii_lowercase(),
            A6 => {
                let name_at = 1 + usize::from((128 - out[at].min(128)).div_ceil(8));
                if name_at < length {
                    out[at + name_at..at + length].make_ascii_lowercase();
                }
            }
            _ => {}
        }
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form_folds_only_the_listed_types() {
        let mut out = Vec::new();
        write_canonical(RecordType::MX, b"\x00\x0a\x02Mx\x00", &mut out);
        assert_eq!(out, b"\x00\x0a\x02mx\x00");
        out.clear();
        write_canonical(RecordType::NSEC, b"\x02Mx\x00\x00\x01\x40", &mut out);
        assert_eq!(out, b"\x02Mx\x00\x00\x01\x40");
        out.clear();
        write_canonical(RecordType::HTTPS, b"\x00\x01\x02Mx\x00", &mut out);
        assert_eq!(out, b"\x00\x01\x02Mx\x00");
        out.clear();
        write_canonical(RecordType::A6, b"\x78\xAB\x02Mx\x00", &mut out);
        assert_eq!(out, b"\x78\xAB\x02mx\x00");
    }

    #[test]
    fn shapes_are_checked() {
        assert_eq!(check(RecordType::A, &[1, 2, 3]), Err(RdataError::Short));
        assert_eq!(check(RecordType::A, &[1, 2, 3, 4, 5]), Err(RdataError::Long));
        assert_eq!(check(RecordType::TXT, b""), Err(RdataError::Short));
        assert_eq!(check(RecordType::TXT, b"\x02a"), Err(RdataError::Short));
        assert_eq!(check(RecordType::TXT, b"\x00"), Ok(()));
        assert_eq!(check(RecordType::NSEC, b"\x00\x00\x01\x00"), Err(RdataError::Bitmap));
        assert_eq!(check(RecordType::NSEC, b"\x00\x00\x01\x40"), Ok(()));
        assert_eq!(check(RecordType::CAA, b"\x00\x00"), Err(RdataError::Tag));
        assert_eq!(
            check(RecordType::SVCB, b"\x00\x01\x00\x02\x9b\x00\x00\x02\x9b\x00\x00"),
            Err(RdataError::SvcParams)
        );
        assert_eq!(check(RecordType(65280), b"anything"), Ok(()));
        assert_eq!(check(RecordType::NULL, b""), Ok(()));
    }

    #[test]
    fn shapes_that_depend_on_their_bytes_are_checked() {
        use RdataError as E;
        for (rtype, rdata, expected) in [
            (RecordType::NXT, &b"\x00"[..], Ok(())),
            (RecordType::NXT, b"\x00\x40", Ok(())),
            (RecordType::NXT, b"\x00\x80", Err(E::NxtBitmap)),
            (RecordType::NXT, b"\x00\x40\x00", Err(E::NxtBitmap)),
            (RecordType::A6, b"\x00", Err(E::Short)),
            (RecordType::A6, b"\x80\x00", Ok(())),
            (RecordType::A6, b"\x81\x00", Err(E::Prefix)),
            (RecordType::A6, b"\x7c\x0f\x00", Ok(())),
            (RecordType::A6, b"\x7c\x1f\x00", Err(E::Prefix)),
            (RecordType::A6, b"\x80\x00\x00", Err(E::Long)),
            (RecordType::WKS, b"\x01\x02\x03\x04\x06", Ok(())),
            (RecordType::WKS, b"\x01\x02\x03\x04\x06\x00", Err(E::Ports)),
            (RecordType::LOC, b"\x01", Ok(())),
            (
                RecordType::LOC,
                b"\x00\x12\x16\x13\x80\0\0\0\x80\0\0\0\0\x98\x96\x80",
                Ok(()),
            ),
            (
                RecordType::LOC,
                b"\x00\x02\x16\x13\x80\0\0\0\x80\0\0\0\0\x98\x96\x80",
                Err(E::Location),
            ),
            (
                RecordType::LOC,
                b"\x00\x12\x16\x13\x93\x4f\xd9\x00\x80\0\0\0\0\x98\x96\x80",
                Ok(()),
            ),
            (
                RecordType::LOC,
                b"\x00\x12\x16\x13\x93\x4f\xd9\x01\x80\0\0\0\0\x98\x96\x80",
                Err(E::Location),
            ),
            (RecordType::LOC, b"\x00\x12\x16", Err(E::Short)),
            (RecordType::APL, b"", Ok(())),
            (RecordType::APL, b"\x00\x01\x20\x84\x01\x02\x03\x04", Ok(())),
            (RecordType::APL, b"\x00\x01\x21\x00", Err(E::Prefixes)),
            (RecordType::APL, b"\x00\x01\x10\x01\x00", Err(E::Prefixes)),
            (
                RecordType::APL,
                b"\x00\x01\x10\x05\x01\x02\x03\x04\x05",
                Err(E::Prefixes),
            ),
            (RecordType::APL, b"\x00\x03\xff\x01\x01", Ok(())),
            (RecordType::HIP, b"\x01\x02\x00\x01\xaa\xbb", Ok(())),
            (RecordType::HIP, b"\x01\x02\x00\x01\xaa\xbb\x01a\x00\x00", Ok(())),
            (RecordType::HIP, b"\x01\x02\x00\x00\xaa", Err(E::Short)),
            (RecordType::HIP, b"\x01\x02\x00\x02\xaa\xbb", Err(E::Short)),
            (RecordType::IPSECKEY, b"\x0a\x00\x00", Ok(())),
            (RecordType::IPSECKEY, b"\x0a\x01\x00\x01\x02\x03", Err(E::Short)),
            (RecordType::IPSECKEY, b"\x0a\x03\x00\x01a\x00\xff", Ok(())),
            (RecordType::IPSECKEY, b"\x0a\x09\x00any", Ok(())),
            (RecordType::AMTRELAY, b"\x0a\x80", Ok(())),
            (RecordType::AMTRELAY, b"\x0a\x80\x00", Err(E::Long)),
            (RecordType::AMTRELAY, b"\x0a\x81\x01\x02\x03\x04", Ok(())),
            (RecordType::KEY, b"\xc0\x00\x03\x00", Ok(())),
            (RecordType::KEY, b"\xc0\x00\x03\x00\x01", Err(E::Long)),
            (RecordType::KEY, b"\x01\x00\x03\x08", Err(E::Short)),
            (RecordType::ATMA, b"\x00", Err(E::Short)),
            (RecordType::ATMA, b"\x0112", Ok(())),
            (RecordType::ATMA, b"\x01a", Err(E::Digits)),
            (RecordType::X25, b"\x043110", Ok(())),
            (RecordType::X25, b"\x03311", Err(E::Digits)),
            (RecordType::ISDN, b"\x011", Ok(())),
            (RecordType::ISDN, b"\x011\x012", Ok(())),
            (RecordType::ISDN, b"\x011\x012\x00", Err(E::Long)),
            (
                RecordType::ZONEMD,
                b"\0\0\0\x01\x01\x01abcdefghijkl",
                Err(E::Digest(48)),
            ),
            (RecordType::ZONEMD, b"\0\0\0\x01\x01\xf0abcdefghijk", Err(E::ZoneDigest)),
            (RecordType::ZONEMD, b"\0\0\0\x01\x01\xf0abcdefghijkl", Ok(())),
            (RecordType::DS, b"\0\x01\x08\x02ab", Err(E::Digest(32))),
            (RecordType::DS, b"\0\x01\x08\x01abcdefghijklmnopqrst", Ok(())),
            (RecordType::DS, b"\0\x01\x08\xf0a", Ok(())),
            (RecordType::DS, b"\0\x01\x08\xf0", Err(E::Short)),
            (RecordType::SSHFP, b"\x01\x01a", Err(E::Digest(20))),
        ] {
            assert_eq!(check(rtype, rdata), expected, "{rtype} {}", rdata.escape_ascii());
        }
    }
}
