//! The RDATA of one record: RFC 3597 form of any type, direct code for the types that make up nearly every zone, and
//! the table of `dnssec_sign::rdata` for all others. A test holds the direct code to the table.

use dnssec_sign::{RecordType, rdata};

use super::field::Fields;
use super::number;
use crate::reason::Reason;
use crate::scan::{END, Scanned, raw};

/// The longest RDATA.
const MAX_RDATA: usize = 65_535;

impl Fields<'_, '_> {
    /// Reads the rest of the entry into wire form.
    #[inline]
    pub(crate) fn rdata(&mut self) -> Scanned<()> {
        let start = self.scan.at;
        if self.scan.seek_token()? == usize::from(b'\\') && self.at_generic() {
            self.generic()?;
        } else {
            self.direct()?;
            self.end()?;
        }
        if self.out.len() > MAX_RDATA {
            return raw(start, 1, Reason::RdataTooLong);
        }
        Ok(())
    }

    #[inline]
    fn direct(&mut self) -> Scanned<()> {
        match self.rtype {
            RecordType::A => self.ipv4(),
            RecordType::AAAA => self.ipv6(),
            RecordType::NS | RecordType::CNAME | RecordType::PTR => self.name(),
            RecordType::TXT => self.strings(),
            RecordType::MX => {
                self.u16()?;
                self.name()
            }
            RecordType::DS => {
                self.u16()?;
                self.algorithm()?;
                self.ds_digest()
            }
            RecordType::RRSIG => {
                self.covered_type()?;
                self.algorithm()?;
                self.u8()?;
                self.u32()?;
                self.time()?;
                self.time()?;
                self.u16()?;
                self.name()?;
                self.base64()
            }
            RecordType::NSEC => {
                self.name()?;
                self.types()
            }
            RecordType::NSEC3 => {
                self.u8()?;
                self.u8()?;
                self.u16()?;
                self.salt()?;
                self.hashed_owner()?;
                self.types()
            }
            _ => self.table(),
        }
    }

    fn table(&mut self) -> Scanned<()> {
        let Some(fields) = rdata::fields(self.rtype) else {
            return raw(self.scan.at, 1, Reason::GenericOnly(self.rtype));
        };
        for &field in fields {
            self.field(field)?;
        }
        Ok(())
    }

    /// Whether the word here is `\#` alone.
    fn at_generic(&self) -> bool {
        let rest = &self.scan.bytes[self.scan.at..];
        rest.starts_with(b"\\#") && rest.get(2).is_none_or(|byte| b" \t\r\n;()\"".contains(byte))
    }

    /// `\# LENGTH HEX…` (RFC 3597 5), checked against the type's fields where they are known.
    fn generic(&mut self) -> Scanned<()> {
        let mark = self.word("\\#")?;
        let length = self.word("the number of bytes")?;
        let stated = match number::decimal(length.text) {
            Some(stated @ 0..=65_535) => stated,
            _ => return length.fault(Reason::Number(65_535)),
        };
        if self.scan.seek_token()? != END {
            self.hex()?;
        }
        if self.out.len() != stated as usize {
            return length.fault(Reason::GenericLength {
                stated,
                given: self.out.len(),
            });
        }
        match rdata::check(self.rtype, self.out) {
            Ok(()) => Ok(()),
            Err(error) => mark.fault(Reason::Generic {
                rtype: self.rtype,
                error,
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse::field::Scratch;
    use crate::print::{Mnemonics, write_rdata};
    use crate::scan::Scanner;

    fn parse(rtype: RecordType, text: &str, read: fn(&mut Fields<'_, '_>) -> Scanned<()>) -> Result<Vec<u8>, Reason> {
        let mut out = Vec::new();
        let mut fields = Fields {
            scan: &mut Scanner::new(text.as_bytes(), 0, 0),
            origin: b"\x07example\x00",
            rtype,
            out: &mut out,
            scratch: &mut Scratch::default(),
        };
        read(&mut fields).map_err(|raw| raw.reason)?;
        Ok(out)
    }

    fn whole(rtype: RecordType, text: &str) -> Result<Vec<u8>, Reason> {
        parse(rtype, text, |fields| fields.rdata())
    }

    /// One good text of each everyday type.
    const SAMPLES: &[(RecordType, &str)] = &[
        (RecordType::A, "192.0.2.1"),
        (RecordType::AAAA, "2001:db8::1"),
        (RecordType::NS, "Ns1"),
        (RecordType::CNAME, "a\\.b.example."),
        (RecordType::PTR, "@"),
        (RecordType::DNAME, "target.test."),
        (RecordType::TXT, "abc \"d e\" \"\\200\\255\" \"\""),
        (RecordType::MX, "10 mail"),
        (RecordType::SOA, "ns1 hostmaster 2024010101 1h 15m 1w 5m"),
        (RecordType::SRV, "0 5 5060 sip"),
        (RecordType::CAA, "0 issue \"ca.example; x=y\""),
        (
            RecordType::DS,
            "60485 RSASHA1 1 2BB183AF5F22588179A53B0A 98631FAD1A292118",
        ),
        (RecordType::CDS, "0 0 0 00"),
        (RecordType::DNSKEY, "257 3 13 AQID BAUG"),
        (RecordType::CDNSKEY, "0 3 0 AA=="),
        (
            RecordType::RRSIG,
            "A 13 3 86400 20030322173103 20030220173103 2642 example. AQIDBAUG",
        ),
        (RecordType::NSEC, "host A MX RRSIG NSEC TYPE1234"),
        (
            RecordType::NSEC3,
            "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS",
        ),
        (RecordType::NSEC3PARAM, "1 0 0 -"),
        (RecordType::TLSA, "3 1 1 d2abde240d7cd3ee6b4b28c54df034b9"),
        (RecordType::SSHFP, "4 3 123456789abcdef6"),
        (RecordType::NAPTR, "100 10 \"S\" \"SIP+D2U\" \"!^.*$!x!\" _sip._udp"),
        (RecordType::HTTPS, "1 . alpn=h2"),
        (RecordType::URI, "10 1 \"https://example/\""),
        (RecordType::CERT, "PKIX 1 RSASHA256 AQID"),
        (RecordType::EUI48, "00-00-5e-00-53-2a"),
        (RecordType::EUI64, "00-00-5e-ef-10-00-00-2a"),
        (RecordType::L64, "10 2001:0DB8:1140:1000"),
        (RecordType::L32, "10 10.1.2.0"),
        (RecordType::LP, "10 l64"),
        (RecordType::CSYNC, "66 3 A NS AAAA"),
        (RecordType::ZONEMD, "2018031500 1 240 62e6cf51b02e54b9b5f967d547ce4313"),
        (RecordType::HINFO, "PC \"Unix like\""),
        (RecordType::RP, "admin ."),
    ];

    #[test]
    fn direct_code_and_table_agree() {
        for &(rtype, text) in SAMPLES {
            let direct = whole(rtype, text);
            assert!(direct.is_ok(), "{rtype} {text}: {direct:?}");
            assert_eq!(direct, parse(rtype, text, |fields| fields.table()), "{rtype} {text}");
            // Cut anywhere, and followed by something: both refuse or both accept.
            for cut in 0..text.len() {
                let (one, other) = (&text[..cut], format!("{} x", &text[..cut]));
                let table = |fields: &mut Fields<'_, '_>| fields.table().and_then(|()| fields.end());
                assert_eq!(whole(rtype, one), parse(rtype, one, table), "{rtype} {one}");
                assert_eq!(whole(rtype, &other), parse(rtype, &other, table), "{rtype} {other}");
            }
        }
    }

    /// The types that have direct code.
    const DIRECT: &[RecordType] = &[
        RecordType::A,
        RecordType::AAAA,
        RecordType::NS,
        RecordType::CNAME,
        RecordType::PTR,
        RecordType::TXT,
        RecordType::MX,
        RecordType::DS,
        RecordType::RRSIG,
        RecordType::NSEC,
        RecordType::NSEC3,
    ];

    /// The whole text by the table alone.
    fn by_table(rtype: RecordType, text: &str) -> Result<Vec<u8>, Reason> {
        parse(rtype, text, |fields| fields.table().and_then(|()| fields.end()))
    }

    /// Words of every kind that fields have, good ones and others.
    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9]{1,6}",
            "[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}",
            "[0-9a-f:]{1,12}",
            "[0-9a-f]{1,4}(:[0-9a-f]{0,4}){2,8}",
            "20[0-9]{12}",
            "[a-zA-Z0-9_*-]{1,9}([.][a-z0-9]{1,5}){0,3}[.]?",
            "[A-Za-z0-9+/]{2,12}={0,2}",
            "([0-9A-Fa-f]{2}){1,24}",
            "[0-9a-vA-V]{8,32}",
            "\"[ -~]{0,9}\"",
            "([a-z]|\\\\[.;\\\\]|\\\\[0-2][0-9]{2}){1,9}",
            prop::sample::select(vec![
                "A",
                "NS",
                "MX",
                "rrsig",
                "TYPE1234",
                "NSEC3",
                "RSASHA256",
                "ECDSAP256SHA256",
                "-",
                "@",
                ".",
                "(",
                ")",
                "; c",
                "::",
                "1h",
                "255",
                "256",
                "65535",
                "65536",
                "4294967295",
                "4294967296",
            ])
            .prop_map(str::to_owned),
        ]
    }

    /// A name in wire form.
    fn name() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 0..5).prop_map(|labels| {
            let mut wire = Vec::new();
            for label in labels {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend(label);
            }
            wire.push(0);
            wire
        })
    }

    /// One window of a type bitmap.
    fn bitmap() -> impl Strategy<Value = Vec<u8>> {
        (0u8..=1, prop::collection::vec(any::<u8>(), 0..20), 1u8..=255).prop_map(|(window, mut bits, last)| {
            bits.push(last);
            [&[window, u8::try_from(bits.len()).unwrap()], &bits[..]].concat()
        })
    }

    fn bytes(length: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), length)
    }

    /// A string behind its length.
    fn string(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
        bytes(length).prop_map(|bytes| [&[u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat())
    }

    /// RDATA of a type that has direct code.
    fn wire() -> impl Strategy<Value = (RecordType, Vec<u8>)> {
        let alone = prop::sample::select(vec![RecordType::NS, RecordType::CNAME, RecordType::PTR]);
        let digest = prop::sample::select(vec![(1u8, 20usize), (2, 32), (4, 48), (9, 7)]);
        prop_oneof![
            bytes(4).prop_map(|wire| (RecordType::A, wire)),
            bytes(16).prop_map(|wire| (RecordType::AAAA, wire)),
            (alone, name()),
            prop::collection::vec(string(0..20), 1..4).prop_map(|strings| (RecordType::TXT, strings.concat())),
            (bytes(2), name()).prop_map(|(one, two)| (RecordType::MX, [one, two].concat())),
            (bytes(3), digest, bytes(48)).prop_map(|(head, (kind, length), digest)| {
                (RecordType::DS, [&head[..], &[kind], &digest[..length]].concat())
            }),
            (bytes(16), name(), bytes(1..80)).prop_map(|(head, name, signature)| {
                (RecordType::RRSIG, [&[0, 1], &head[..], &name, &signature].concat())
            }),
            (name(), bitmap()).prop_map(|(one, two)| (RecordType::NSEC, [one, two].concat())),
            (bytes(4), string(0..9), string(1..21), bitmap())
                .prop_map(|(head, salt, hash, types)| (RecordType::NSEC3, [head, salt, hash, types].concat())),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn any_words_mean_to_direct_code_what_they_mean_to_the_table(
            rtype in prop::sample::select(DIRECT),
            words in prop::collection::vec(word(), 0..11),
        ) {
            let text = words.join(" ");
            prop_assert_eq!(whole(rtype, &text), by_table(rtype, &text), "{} {}", rtype, text);
        }

        #[test]
        fn any_data_is_read_back_alike_by_direct_code_and_table((rtype, wire) in wire()) {
            prop_assume!(rdata::check(rtype, &wire).is_ok());
            let mut text = Vec::new();
            write_rdata(rtype, &wire, Mnemonics::All, &mut text);
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(whole(rtype, &text), Ok(wire.clone()), "{} {}", rtype, text);
            prop_assert_eq!(by_table(rtype, &text), Ok(wire), "{} {}", rtype, text);
        }
    }

    #[test]
    fn generic_form_gives_the_same_bytes_and_is_checked() {
        for &(rtype, text) in SAMPLES {
            let wire = whole(rtype, text).unwrap();
            rdata::check(rtype, &wire).unwrap();
            let hex = data_encoding::HEXUPPER.encode(&wire);
            let (left, right) = hex.split_at(hex.len() / 3);
            let generic = format!("\\# {} {left} ({right} )", wire.len());
            assert_eq!(whole(rtype, &generic), Ok(wire), "{rtype}");
        }
        assert_eq!(whole(RecordType(65280), "\\# 0"), Ok(vec![]));
        assert_eq!(
            whole(RecordType(65280), "\\# 2 ab"),
            Err(Reason::GenericLength { stated: 2, given: 1 })
        );
        assert!(matches!(
            whole(RecordType::A, "\\# 3 010203"),
            Err(Reason::Generic { .. })
        ));
        assert_eq!(
            whole(RecordType(65280), "text"),
            Err(Reason::GenericOnly(RecordType(65280)))
        );
        assert_eq!(whole(RecordType::TXT, "\"\\#\" 4"), Ok(b"\x01#\x014".to_vec()));
        assert_eq!(whole(RecordType(65280), "\\# 1 abc"), Err(Reason::Hex));
        assert_eq!(whole(RecordType(65280), "\\# 65536 ab"), Err(Reason::Number(65_535)));
    }

    #[test]
    fn lists_have_room_for_the_last_port_and_for_long_keys() {
        let wire = whole(RecordType::WKS, "192.0.2.1 TCP 65535 0").unwrap();
        assert_eq!(wire.len(), 5 + 8192);
        assert_eq!((wire[5], wire[5 + 8191]), (0x80, 0x01));
        assert_eq!(rdata::check(RecordType::WKS, &wire), Ok(()));
        let tag = "ab".repeat(255);
        assert_eq!(
            whole(RecordType::HIP, &format!("1 {tag} AQ==")).map(|wire| wire.len()),
            Ok(260)
        );
        assert!(whole(RecordType::HIP, &format!("1 {tag}ab AQ==")).is_err());
        let key = "AAAA".repeat(21_900);
        assert_eq!(
            whole(RecordType::HIP, &format!("1 ab {key}")),
            Err(Reason::RdataTooLong)
        );
    }

    #[test]
    fn escapes_are_bytes() {
        // A decoder once made 0x20000 and more of such escapes.
        assert_eq!(whole(RecordType::TXT, "\"\\200\\255\""), Ok(b"\x02\xc8\xff".to_vec()));
        assert_eq!(whole(RecordType::TXT, "\\065\\;\\\""), Ok(b"\x03A;\"".to_vec()));
        assert_eq!(whole(RecordType::TXT, "\"\\256\""), Err(Reason::BadEscape));
        assert_eq!(whole(RecordType::TXT, "\"\\25\""), Err(Reason::BadEscape));
        assert_eq!(whole(RecordType::TXT, &"a".repeat(256)), Err(Reason::StringTooLong));
        assert_eq!(whole(RecordType::NS, "a\\046b."), Ok(b"\x03a.b\x00".to_vec()));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        assert!(matches!(whole(RecordType::MX, "10"), Err(Reason::Short { .. })));
        assert_eq!(
            whole(RecordType::A, "192.0.2.1 192.0.2.2"),
            Err(Reason::Trailing(RecordType::A))
        );
        assert_eq!(whole(RecordType::NS, "\"ns1\""), Err(Reason::Quoted));
        assert_eq!(whole(RecordType::MX, "65536 a"), Err(Reason::Number(65_535)));
    }
}
