//! RDATA as text, field by field as the table of `dnssec_sign::rdata` has them. Types without a format of their own,
//! and RDATA that does not have its type's shape, are written in RFC 3597 form.

use dnssec_sign::rdata::{Field, fields, split_field};
use dnssec_sign::{Algorithm, NameRef, RecordType};

use super::gateway::{write_gateway, write_hip, write_relay};
use super::location::write_location;
use super::number::{
    write_base32hex, write_base64, write_decimal, write_hex, write_hex_lower, write_hyphenated, write_ipv4, write_ipv6,
    write_node64, write_time, write_u64,
};
use super::prefix::{write_a6, write_prefixes};
use super::string::{write_all_quoted, write_quoted, write_unquoted};
use super::{Mnemonics, svcb, write_generic_rdata};
use crate::parse::mnemonic::{CERT_TYPES, DSYNC_SCHEMES, Words, word_of};

/// Appends RDATA as text on one line, names absolute, without a newline.
pub fn write_rdata(rtype: RecordType, rdata: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) {
    let start = out.len();
    let written = if mnemonics.has_text(rtype, rdata) {
        write_fields(rtype, rdata, mnemonics, out)
    } else {
        None
    };
    if written.is_none() {
        out.truncate(start);
        write_generic_rdata(rdata, out);
    }
}

fn write_fields(rtype: RecordType, rdata: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = rdata;
    let mut first = true;
    for &field in fields(rtype)? {
        let (bytes, behind) = split_field(field, rest).ok()?;
        rest = behind;
        match field {
            // These can be empty, and put a space before each of their items.
            Field::Types | Field::NxtTypes | Field::Ports | Field::SvcParams => {}
            // These can be left out.
            Field::OptionalCharString | Field::OptionalBase64 | Field::Descriptor if bytes.is_empty() => {}
            _ if !first => out.push(b' '),
            _ => {}
        }
        first = false;
        write_field(field, bytes, mnemonics, out)?;
    }
    rest.is_empty().then_some(())
}

fn write_field(field: Field, bytes: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) -> Option<()> {
    match field {
        Field::Name(_) => NameRef::from_wire(bytes).ok()?.write_text(out),
        Field::U8 | Field::Algorithm | Field::KeyProtocol | Field::Protocol => {
            write_decimal(u32::from(*bytes.first()?), out);
        }
        Field::U16 | Field::KeyFlags => {
            write_decimal(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)), out);
        }
        Field::U32 | Field::Period => {
            write_decimal(u32::from_be_bytes(bytes.try_into().ok()?), out);
        }
        Field::NodeNumber => write_u64(u64::from_be_bytes(bytes.try_into().ok()?), out),
        Field::Time => write_time(u32::from_be_bytes(bytes.try_into().ok()?), out),
        Field::CertType => write_word(CERT_TYPES, u16::from_be_bytes(bytes.try_into().ok()?), out),
        Field::CertAlgorithm => write_cert_algorithm(*bytes.first()?, mnemonics, out),
        Field::DsyncScheme => write_word(DSYNC_SCHEMES, *bytes.first()?, out),
        Field::Type => mnemonics.write_type(RecordType(u16::from_be_bytes(bytes.try_into().ok()?)), out),
        Field::Ipv4 => write_ipv4(bytes.try_into().ok()?, out),
        Field::Ipv6 => write_ipv6(bytes.try_into().ok()?, out),
        Field::Eui48 | Field::Eui64 => write_hyphenated(bytes, out),
        Field::Node64 => write_node64(bytes.try_into().ok()?, out),
        Field::CharString | Field::PsdnAddress => write_quoted(bytes.get(1..)?, out),
        Field::OptionalCharString | Field::CharStrings => write_all_quoted(bytes, out),
        Field::Code => write_unquoted(bytes.get(1..)?, out),
        Field::Quantity => match bytes.get(1..)? {
            [] => out.push(b'-'),
            value => write_unquoted(value, out),
        },
        Field::Descriptor if bytes.is_empty() => {}
        Field::Descriptor if bytes.len() > usize::from(u8::MAX) => return None,
        Field::Descriptor => write_quoted(bytes, out),
        // Letters and digits by its shape.
        Field::Tag => out.extend_from_slice(bytes.get(1..)?),
        Field::LongString => write_quoted(bytes, out),
        Field::DashOrBase64 if bytes.is_empty() => out.push(b'-'),
        Field::Base64 | Field::OptionalBase64 | Field::DashOrBase64 => write_base64(bytes, out),
        Field::Hex => write_hex(bytes, out),
        Field::DsDigest | Field::Fingerprint | Field::ZoneDigest => {
            let (&kind, digest) = bytes.split_first()?;
            write_decimal(u32::from(kind), out);
            out.push(b' ');
            write_hex(digest, out);
        }
        Field::Salt => match bytes.get(1..)? {
            [] => out.push(b'-'),
            salt => write_hex(salt, out),
        },
        Field::HashedOwner => write_base32hex(bytes.get(1..)?, out),
        Field::Types => write_types(bytes, mnemonics, out),
        Field::NxtTypes => write_window(0, bytes, mnemonics, out),
        Field::SvcParams => svcb::write_params(bytes, mnemonics, out)?,
        Field::A6 => write_a6(bytes, out)?,
        Field::Ports => write_ports(bytes, out),
        Field::Location => write_location(bytes, out)?,
        Field::Prefixes => write_prefixes(bytes, out)?,
        Field::Hip => write_hip(bytes, out)?,
        Field::Gateway => write_gateway(bytes, out)?,
        Field::Relay => write_relay(bytes, out)?,
        Field::Key => write_key(bytes, out)?,
        Field::Nsap => {
            out.extend_from_slice(b"0x");
            write_hex_lower(bytes, out);
        }
        Field::Atma => match bytes.split_first()? {
            (0, address) => write_hex_lower(address, out),
            (1, digits) => {
                out.push(b'+');
                out.extend_from_slice(digits);
            }
            _ => return None,
        },
        Field::Opaque => return None,
    }
    Some(())
}

/// Appends the word that stands for a number, or the number.
fn write_word<N: Copy + PartialEq + Into<u32>>(words: &Words<N>, number: N, out: &mut Vec<u8>) {
    match word_of(words, number) {
        Some(word) => out.extend_from_slice(word.as_bytes()),
        None => write_decimal(number.into(), out),
    }
}

/// Appends the algorithm of a CERT record as BIND does: by name, but for the names that it does not know by IANA's.
fn write_cert_algorithm(number: u8, mnemonics: Mnemonics, out: &mut Vec<u8>) {
    match Algorithm(number).mnemonic() {
        Some(name) if mnemonics == Mnemonics::All && !matches!(number, 6 | 12 | 17 | 23) => {
            out.extend_from_slice(name.as_bytes());
        }
        _ => write_decimal(u32::from(number), out),
    }
}

/// Appends flags, protocol, algorithm, and the key if there is one.
fn write_key(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&[high, low, protocol, algorithm], key) = bytes.split_first_chunk::<4>()?;
    write_decimal(u32::from(u16::from_be_bytes([high, low])), out);
    for number in [protocol, algorithm] {
        out.push(b' ');
        write_decimal(u32::from(number), out);
    }
    if !key.is_empty() {
        out.push(b' ');
        write_base64(key, out);
    }
    Some(())
}

/// Appends the ports of a bitmap in ascending order, a space before each.
fn write_ports(bitmap: &[u8], out: &mut Vec<u8>) {
    for (first, byte) in (0u32..).step_by(8).zip(bitmap) {
        for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
            out.push(b' ');
            write_decimal(first + bit, out);
        }
    }
}

/// Appends the types of a bitmap (RFC 4034 4.1.2) in ascending order, a space before each.
fn write_types(mut bitmap: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) {
    while let [window, length, rest @ ..] = bitmap {
        let Some((map, rest)) = rest.split_at_checked(usize::from(*length)) else {
            return;
        };
        write_window(*window, map, mnemonics, out);
        bitmap = rest;
    }
}

fn write_window(window: u8, map: &[u8], mnemonics: Mnemonics, out: &mut Vec<u8>) {
    for (at, &byte) in (0u8..32).zip(map) {
        let mut bits = byte;
        while bits != 0 {
            let bit = bits.leading_zeros();
            bits &= !(0x80 >> bit);
            let low = 8 * at + u8::try_from(bit).unwrap_or_default();
            out.push(b' ');
            mnemonics.write_type(RecordType(u16::from_be_bytes([window, low])), out);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_with(mnemonics: Mnemonics, rtype: RecordType, rdata: &[u8]) -> String {
        let mut out = Vec::new();
        write_rdata(rtype, rdata, mnemonics, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn text(rtype: RecordType, rdata: &[u8]) -> String {
        text_with(Mnemonics::All, rtype, rdata)
    }

    #[test]
    fn what_readers_do_not_share_is_written_by_number() {
        for (rtype, rdata, all, portable) in [
            (RecordType::WALLET, &b"\x01a"[..], "\"a\"", "\\# 2 0161"),
            (RecordType::NSEC, b"\x00\x01\x01\x42", ". CAA WALLET", ". CAA TYPE262"),
            (RecordType::KEY, b"\xc0\x00\x03\x00", "49152 3 0", "\\# 4 C0000300"),
            (RecordType::KEY, b"\x01\x00\x03\x08\x01", "256 3 8 AQ==", "256 3 8 AQ=="),
            (
                RecordType::CERT,
                b"\x00\x01\x00\x01\x08\x01",
                "PKIX 1 RSASHA256 AQ==",
                "PKIX 1 8 AQ==",
            ),
            (
                RecordType::SVCB,
                b"\x00\x01\x00\x00\x08\x00\x00\x00\x0a\x00\x02\x01n",
                "1 . ohttp docpath=\"n\"",
                "1 . key8 key10=\"\\001n\"",
            ),
            (
                RecordType::SVCB,
                b"\x00\x01\x00\x00\x01\x00\x04\x03a,b",
                r#"1 . alpn="a\\,b""#,
                "\\# 11 0001000001000403612C62",
            ),
        ] {
            assert_eq!(text_with(Mnemonics::All, rtype, rdata), all);
            assert_eq!(text_with(Mnemonics::Portable, rtype, rdata), portable);
        }
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
            (RecordType::DS, b"\xec\x45\x08\x09\xab\xcd", "60485 8 9 ABCD"),
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
            (RecordType::NID, b"\x00\x0a\x00\x14\x4f\xff\xff\x20\xee\x64", "10 14:4fff:ff20:ee64"),
            (RecordType::CSYNC, b"\x00\x00\x00\x42\x00\x03\x00\x01\x60", "66 3 A NS"),
            (RecordType::URI, b"\x00\x0a\x00\x01ftp://x/\"", r#"10 1 "ftp://x/\"""#),
            (RecordType(65280), b"\x01\x02", "\\# 2 0102"),
            (RecordType(65280), b"", "\\# 0"),
            (RecordType::WALLET, b"\x01a", "\"a\""),
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
            (
                b"\x00\x01\x00\x00\x01\x00\x03\x02h2\x00\x02\x00\x00\x00\x05\x00\x01\xfe",
                r#"1 . alpn="h2" no-default-alpn ech=/g=="#,
            ),
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
