//! RDATA as text, field by field as the table of `dnssec_sign::rdata` has them. Types without a format of their own,
//! and RDATA that does not have its type's shape, are written in RFC 3597 form.

use dnssec_sign::rdata::{Field, fields, split_field};
use dnssec_sign::{NameRef, RecordType};

use super::number::{
    write_base32hex, write_base64, write_decimal, write_groups, write_hex, write_hyphenated, write_ipv4, write_ipv6,
    write_time,
};
use super::string::{write_all_quoted, write_quoted};
use super::{has_own_text, svcb, write_generic_rdata, write_type};

/// Appends RDATA as text on one line, names absolute, without a newline.
pub fn write_rdata(rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let written = match rtype {
        _ if !has_own_text(rtype) => None,
        _ => write_fields(rtype, rdata, out),
    };
    if written.is_none() {
        out.truncate(start);
        write_generic_rdata(rdata, out);
    }
}

fn write_fields(rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = rdata;
    let mut first = true;
    for &field in fields(rtype)? {
        let (bytes, behind) = split_field(field, rest).ok()?;
        rest = behind;
        // These can be empty, and put a space before each of their items.
        if !first && !matches!(field, Field::Types | Field::SvcParams) {
            out.push(b' ');
        }
        first = false;
        write_field(field, bytes, out)?;
    }
    rest.is_empty().then_some(())
}

fn write_field(field: Field, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match field {
        Field::Name(_) => NameRef::from_wire(bytes).ok()?.write_text(out),
        Field::U8 | Field::Algorithm => write_decimal(u32::from(*bytes.first()?), out),
        Field::U16 | Field::CertType => {
            write_decimal(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)), out);
        }
        Field::U32 | Field::Period => {
            write_decimal(u32::from_be_bytes(bytes.try_into().ok()?), out);
        }
        Field::Time => write_time(u32::from_be_bytes(bytes.try_into().ok()?), out),
        Field::Type => write_type(RecordType(u16::from_be_bytes(bytes.try_into().ok()?)), out),
        Field::Ipv4 => write_ipv4(bytes.try_into().ok()?, out),
        Field::Ipv6 => write_ipv6(bytes.try_into().ok()?, out),
        Field::Eui48 | Field::Eui64 => write_hyphenated(bytes, out),
        Field::Node64 => write_groups(bytes, out),
        Field::CharString => write_quoted(bytes.get(1..)?, out),
        Field::CharStrings => write_all_quoted(bytes, out),
        // Letters and digits by its shape.
        Field::Tag => out.extend_from_slice(bytes.get(1..)?),
        Field::LongString => write_quoted(bytes, out),
        Field::Base64 => write_base64(bytes, out),
        Field::Hex => write_hex(bytes, out),
        Field::Salt => match bytes.get(1..)? {
            [] => out.push(b'-'),
            salt => write_hex(salt, out),
        },
        Field::HashedOwner => write_base32hex(bytes.get(1..)?, out),
        Field::Types => write_types(bytes, out),
        Field::SvcParams => svcb::write_params(bytes, out)?,
        Field::A6 | Field::Opaque => return None,
    }
    Some(())
}

/// Appends the types of a bitmap (RFC 4034 4.1.2) in ascending order, a space before each.
fn write_types(mut bitmap: &[u8], out: &mut Vec<u8>) {
    while let [window, length, rest @ ..] = bitmap {
        let Some((map, rest)) = rest.split_at_checked(usize::from(*length)) else {
            return;
        };
        for (at, &byte) in (0u8..32).zip(map) {
            let mut bits = byte;
            while bits != 0 {
                let bit = bits.leading_zeros();
                bits &= !(0x80 >> bit);
                let low = 8 * at + u8::try_from(bit).unwrap_or_default();
                out.push(b' ');
                write_type(RecordType(u16::from_be_bytes([*window, low])), out);
            }
        }
        bitmap = rest;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(rtype: RecordType, rdata: &[u8]) -> String {
        let mut out = Vec::new();
        write_rdata(rtype, rdata, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_kind_of_field_has_its_text() {
        for (rtype, rdata, expected) in [
            (RecordType::A, &b"\xc0\x00\x02\x01"[..], "192.0.2.1"),
            (RecordType::NS, b"\x02Ns\x03a.b\x00", "Ns.a\\.b."),
            (RecordType::MX, b"\x00\x00\x00", "0 ."),
            (RecordType::TXT, b"\x00\x04a\"\\;\x02\x80\x00", r#""" "a\"\\;" "\128\000""#),
            (RecordType::CAA, b"\x80\x05issueca.example; x", r#"128 issue "ca.example; x""#),
            (RecordType::CAA, b"\x00\x05issue", r#"0 issue """#),
            (RecordType::DS, b"\xec\x45\x08\x02\xab\xcd", "60485 8 2 ABCD"),
            (
                RecordType::RRSIG,
                b"\x00\x01\x0d\x02\x00\x00\x0e\x10\x6b\x03\xe4\x56\x00\x00\x00\x00\x00\x07\x02Ex\x00\xfb\xff",
                "A 13 2 3600 20261123065934 19700101000000 7 Ex. +/8=",
            ),
            (
                RecordType::NSEC,
                b"\x01b\x00\x00\x06\x40\x01\x00\x00\x00\x03\x01\x01\x40",
                "b. A MX RRSIG NSEC CAA",
            ),
            (RecordType::NSEC, b"\x00\xff\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", ". TYPE65535"),
            (RecordType::NSEC3, b"\x01\x01\x00\x05\x02\xaa\xbb\x02\x00\xff", "1 1 5 AABB 03VG"),
            (RecordType::NSEC3PARAM, b"\x01\x00\x00\x00\x00", "1 0 0 -"),
            (RecordType::EUI48, b"\x00\x00\x5e\x00\x53\x2a", "00-00-5e-00-53-2a"),
            (RecordType::NID, b"\x00\x0a\x00\x14\x4f\xff\xff\x20\xee\x64", "10 0014:4fff:ff20:ee64"),
            (RecordType::CSYNC, b"\x00\x00\x00\x42\x00\x03\x00\x01\x60", "66 3 A NS"),
            (RecordType::URI, b"\x00\x0a\x00\x01ftp://x/\"", r#"10 1 "ftp://x/\"""#),
            (RecordType(65280), b"\x01\x02", "\\# 2 0102"),
            (RecordType(65280), b"", "\\# 0"),
            (RecordType::WALLET, b"\x01a", "\\# 2 0161"),
            (RecordType::A, b"\x01\x02", "\\# 2 0102"),
            (RecordType::A, b"\x01\x02\x03\x04\x05", "\\# 5 0102030405"),
        ] {
            assert_eq!(text(rtype, rdata), expected);
        }
    }

    /// RFC 9460 appendix D: the wire forms there; appendix A.1 for commas.
    #[test]
    fn service_parameters_have_their_keys_text() {
        for (rdata, expected) in [
            (&b"\x00\x00\x03foo\x00"[..], "0 foo."),
            (b"\x00\x10\x03foo\x00\x00\x03\x00\x02\x00\x35", "16 foo. port=53"),
            (b"\x00\x01\x03foo\x00\x02\x9b\x00\x05hello", r#"1 foo. key667="hello""#),
            (b"\x00\x01\x03foo\x00\x02\x9b\x00\x09hello\xd2qoo", r#"1 foo. key667="hello\210qoo""#),
            (
                b"\x00\x01\x00\x00\x06\x00\x20\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x53\x00\x01",
                "1 . ipv6hint=2001:db8::1,2001:db8::53:1",
            ),
            (
                b"\x00\x10\x00\x00\x00\x00\x04\x00\x01\x00\x04\x00\x01\x00\x09\x02h2\x05h3-19\x00\x04\x00\x04\xc0\x00\x02\x01",
                r#"16 . mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1"#,
            ),
            (
                b"\x00\x10\x00\x00\x01\x00\x0c\x08f\\oo,bar\x02h2",
                r#"16 . alpn="f\\\\oo\\,bar,h2""#,
            ),
            (b"\x00\x01\x00\x00\x02\x00\x00\x00\x05\x00\x01\xfe", "1 . no-default-alpn ech=/g=="),
            (b"\x00\x01\x00\x00\x03\x00\x01\x01", "\\# 8 0001000003000101"),
            (b"\x00\x01\x00\x00\x01\x00\x00", "\\# 7 00010000010000"),
        ] {
            assert_eq!(text(RecordType::SVCB, rdata), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_one_line(rtype in 0u16..300, rdata in prop::collection::vec(any::<u8>(), 0..80)) {
            let text = text(RecordType(rtype), &rdata);
            prop_assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", text);
        }
    }
}
