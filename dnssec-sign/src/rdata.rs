//! The one table of RDATA: which fields each type has, in wire order. Parsing and printing (zone-io) and the
//! canonical form (RFC 4034 6.2, amended by RFC 6840 5.1) all follow it. It says nothing of text beyond which
//! kind of text a field has.

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
    /// Four bytes: seconds, in text also with units (`1h30m`).
    Period,
    /// Four bytes: a moment as YYYYMMDDHHMMSS or seconds since 1970 (RFC 4034 3.2).
    Time,
    /// One byte: a DNSSEC algorithm by number or mnemonic (RFC 4034 A.1).
    Algorithm,
    /// Two bytes: a CERT type by number or mnemonic (RFC 4398 2.1).
    CertType,
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
    /// One or more character-strings to the end.
    CharStrings,
    /// A character-string of ASCII letters and digits: the CAA tag (RFC 8659 4.1).
    Tag,
    /// All bytes to the end as one quoted string without a length byte (CAA value, URI target).
    LongString,
    /// All bytes to the end, base64, at least one.
    Base64,
    /// All bytes to the end, hexadecimal, at least one.
    Hex,
    /// A length byte and so many bytes, hexadecimal without white space, `-` for none: the NSEC3 salt.
    Salt,
    /// A length byte and so many bytes, base32hex without padding: the next hashed owner.
    HashedOwner,
    /// Type bitmaps to the end (RFC 4034 4.1.2), possibly none.
    Types,
    /// SvcParams to the end in ascending order of keys (RFC 9460 2.2), possibly none.
    SvcParams,
    /// RFC 2874 3.1: prefix length, the rest of an address, and a name when the length is not 0. Generic text only.
    A6,
    /// Bytes to the end in a form that only RFC 3597 text has here.
    Opaque,
}

use Field::{
    A6, Algorithm, Base64, CertType, CharString, CharStrings, Eui48, Eui64, HashedOwner, Hex, Ipv4, Ipv6, LongString,
    Node64, Opaque, Period, Salt, SvcParams, Tag, Time, Type, Types, U8, U16, U32,
};

const FOLDED: Field = Field::Name(Case::Folded);
const KEPT: Field = Field::Name(Case::Kept);

/// The fields of a type's RDATA in wire order, `None` for a type that has RFC 3597 form only.
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
        | RecordType::NSAP_PTR
        | RecordType::DNAME => &[FOLDED],
        RecordType::SOA => &[FOLDED, FOLDED, U32, Period, Period, Period, Period],
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
        | RecordType::WALLET => &[CharStrings],
        RecordType::X25 => &[CharString],
        RecordType::GPOS => &[CharString, CharString, CharString],
        RecordType::AAAA => &[Ipv6],
        RecordType::NXT => &[FOLDED, Opaque],
        RecordType::A6 => &[A6],
        RecordType::CERT => &[CertType, U16, Algorithm, Base64],
        RecordType::DS | RecordType::CDS | RecordType::DLV | RecordType::TA => &[U16, Algorithm, U8, Hex],
        RecordType::SSHFP => &[U8, U8, Hex],
        RecordType::RRSIG | RecordType::SIG => &[Type, Algorithm, U8, U32, Time, Time, U16, FOLDED, Base64],
        RecordType::NSEC => &[KEPT, Types],
        RecordType::DNSKEY | RecordType::CDNSKEY | RecordType::KEY | RecordType::RKEY => &[U16, U8, Algorithm, Base64],
        RecordType::DHCID | RecordType::OPENPGPKEY => &[Base64],
        RecordType::NSEC3 => &[U8, U8, U16, Salt, HashedOwner, Types],
        RecordType::NSEC3PARAM => &[U8, U8, U16, Salt],
        RecordType::TLSA | RecordType::SMIMEA => &[U8, U8, U8, Hex],
        RecordType::TALINK => &[KEPT, KEPT],
        RecordType::CSYNC => &[U32, U16, Types],
        RecordType::ZONEMD => &[U32, U8, U8, Hex],
        RecordType::SVCB | RecordType::HTTPS => &[U16, KEPT, SvcParams],
        RecordType::NID | RecordType::L64 => &[U16, Node64],
        RecordType::L32 => &[U16, Ipv4],
        RecordType::LP => &[U16, KEPT],
        RecordType::EUI48 => &[Eui48],
        RecordType::EUI64 => &[Eui64],
        RecordType::URI => &[U16, U16, LongString],
        RecordType::CAA => &[U8, Tag, LongString],
        _ => return None,
    })
}

/// Whether a type has a presentation format of its own here; every other is written in RFC 3597 form.
#[must_use]
pub fn has_text(rtype: RecordType) -> bool {
    fields(rtype).is_some_and(|fields| !fields.iter().any(|field| matches!(field, A6 | Opaque)))
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
    /// SvcParams are cut off, out of order or doubled (RFC 9460 2.2).
    #[error("the SvcParams are cut off or not in strictly ascending order (RFC 9460 2.2)")]
    SvcParams,
    /// A CAA tag that is empty or not letters and digits (RFC 8659 4.1).
    #[error("the tag must be 1 to 255 ASCII letters and digits (RFC 8659 4.1)")]
    Tag,
    /// An A6 prefix length above 128 (RFC 2874 3.1.1).
    #[error("the prefix length is above 128 (RFC 2874 3.1.1)")]
    Prefix,
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
        U8 | Algorithm => fixed(1),
        U16 | Type | CertType => fixed(2),
        U32 | Period | Time | Ipv4 => fixed(4),
        Eui48 => fixed(6),
        Eui64 | Node64 => fixed(8),
        Ipv6 => fixed(16),
        CharString | Salt => counted(),
        HashedOwner => {
            let (field, rest) = counted()?;
            if field.len() == 1 {
                Err(RdataError::Short)
            } else {
                Ok((field, rest))
            }
        }
        Tag => {
            let (field, rest) = counted()?;
            if field.len() == 1 || !field[1..].iter().all(u8::is_ascii_alphanumeric) {
                return Err(RdataError::Tag);
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
        Base64 | Hex => rest(1),
        LongString | Opaque => rest(0),
        Types => {
            check_bitmap(rdata)?;
            rest(0)
        }
        SvcParams => {
            check_svc_params(rdata)?;
            rest(0)
        }
        A6 => {
            let &prefix = rdata.first().ok_or(RdataError::Short)?;
            if prefix > 128 {
                return Err(RdataError::Prefix);
            }
            let name_at = 1 + usize::from((128 - prefix).div_ceil(8));
            let name = rdata.get(name_at..).ok_or(RdataError::Short)?;
            if prefix == 0 {
                return Ok((&rdata[..name_at], name));
            }
            let (_, rest) = NameRef::split_from(name)?;
            Ok(rdata.split_at(rdata.len() - rest.len()))
        }
    }
}

fn check_bitmap(mut bytes: &[u8]) -> Result<(), RdataError> {
    let mut last = None;
    while let [window, length, rest @ ..] = bytes {
        let length = usize::from(*length);
        let ascending = last.is_none_or(|last| *window > last);
        let map = rest.get(..length).ok_or(RdataError::Bitmap)?;
        if !ascending || !(1..=32).contains(&length) || map[length - 1] == 0 {
            return Err(RdataError::Bitmap);
        }
        last = Some(*window);
        bytes = &rest[length..];
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(RdataError::Bitmap)
    }
}

fn check_svc_params(mut bytes: &[u8]) -> Result<(), RdataError> {
    let mut last = None;
    while let [key_high, key_low, length_high, length_low, rest @ ..] = bytes {
        let key = u16::from_be_bytes([*key_high, *key_low]);
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        if last.is_some_and(|last| key <= last) {
            return Err(RdataError::SvcParams);
        }
        last = Some(key);
        bytes = rest.get(length..).ok_or(RdataError::SvcParams)?;
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(RdataError::SvcParams)
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
            check(RecordType::SVCB, b"\x00\x01\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
            Err(RdataError::SvcParams)
        );
        assert_eq!(check(RecordType(65280), b"anything"), Ok(()));
    }
}
