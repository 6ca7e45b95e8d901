//! One function for each kind of RDATA field: tokens in, wire bytes appended. Which fields a type has is the table in
//! `dnssec_sign::rdata`; kinds that take more than a line have files of their own.

use dnssec_sign::rdata::Field;
use dnssec_sign::{Algorithm, RecordType, unescape};

use super::mnemonic::{CERT_TYPES, DSYNC_SCHEMES, number_of};
use super::name::write_name;
use super::suspicion::Suspicion;
use super::{address, number};
use crate::reason::Reason;
use crate::scan::{Scanned, Scanner, Token, raw};

pub(crate) const ALGORITHM_FORM: &str = "a DNSSEC algorithm, by number or mnemonic such as ECDSAP256SHA256";
pub(crate) const IPV4_FORM: &str = "an IPv4 address such as 192.0.2.1";
pub(crate) const IPV6_FORM: &str = "an IPv6 address such as 2001:db8::1";

/// Memory that is used again for every record.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) text: Vec<u8>,
    pub(super) types: Vec<u16>,
    pub(super) values: Vec<u8>,
    pub(super) params: Vec<super::svcb::Param>,
    pub(crate) suspicion: Suspicion,
}

/// Where a record's fields are read from and written to.
pub(crate) struct Fields<'s, 'a> {
    pub(crate) scan: &'s mut Scanner<'a>,
    /// The wire form of the origin in force.
    pub(crate) origin: &'s [u8],
    pub(crate) rtype: RecordType,
    pub(crate) out: &'s mut Vec<u8>,
    pub(crate) scratch: &'s mut Scratch,
}

impl<'a> Fields<'_, 'a> {
    /// The next token, which must be there.
    #[inline(always)]
    pub(super) fn need(&mut self, expected: &'static str) -> Scanned<Token<'a>> {
        match self.scan.token()? {
            Some(token) => Ok(token),
            None => raw(
                self.scan.at,
                1,
                Reason::Short {
                    rtype: self.rtype,
                    expected,
                },
            ),
        }
    }

    /// The next token, which must be there and not in quotes.
    #[inline(always)]
    pub(super) fn word(&mut self, expected: &'static str) -> Scanned<Token<'a>> {
        let token = self.need(expected)?;
        if token.quoted {
            return token.fault(Reason::Quoted);
        }
        Ok(token)
    }

    /// Nothing may follow.
    #[inline]
    pub(super) fn end(&mut self) -> Scanned<()> {
        match self.scan.token()? {
            None => Ok(()),
            Some(token) => token.fault(Reason::Trailing(self.rtype)),
        }
    }

    #[inline]
    pub(super) fn name(&mut self) -> Scanned<()> {
        let token = self.word("a domain name")?;
        let start = self.out.len();
        match write_name(&token, self.origin, self.out) {
            Ok(()) => {
                self.scratch.suspicion.look_at(&token, &self.out[start..], self.origin);
                Ok(())
            }
            Err(error) => token.fault(error),
        }
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Scanned<()> {
        let token = self.word("a number from 0 to 255")?;
        match number::decimal(token.text).and_then(|value| u8::try_from(value).ok()) {
            Some(value) => self.out.push(value),
            None => return token.fault(Reason::Number(u8::MAX.into())),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Scanned<()> {
        let token = self.word("a number from 0 to 65535")?;
        match number::decimal(token.text).and_then(|value| u16::try_from(value).ok()) {
            Some(value) => self.out.extend_from_slice(&value.to_be_bytes()),
            None => return token.fault(Reason::Number(u16::MAX.into())),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Scanned<()> {
        let token = self.word("a number from 0 to 4294967295")?;
        match number::decimal(token.text) {
            Some(value) => self.out.extend_from_slice(&value.to_be_bytes()),
            None => return token.fault(Reason::Number(u32::MAX)),
        }
        Ok(())
    }

    fn period(&mut self) -> Scanned<()> {
        const FORM: &str = "seconds, or numbers with units such as 1h30m, below 2³²";
        self.fixed(FORM, |text| number::period(text).map(u32::to_be_bytes))
    }

    #[inline]
    pub(super) fn time(&mut self) -> Scanned<()> {
        const FORM: &str = "a time as YYYYMMDDHHMMSS in UTC, or seconds since 1970";
        self.fixed(FORM, |text| number::time(text).map(u32::to_be_bytes))
    }

    #[inline]
    pub(super) fn algorithm(&mut self) -> Scanned<()> {
        self.fixed(ALGORITHM_FORM, |text| {
            let number = match number::decimal(text) {
                Some(number) => u8::try_from(number).ok()?,
                None => Algorithm::from_text(text)?.0,
            };
            Some([number])
        })
    }

    fn cert_type(&mut self) -> Scanned<()> {
        const FORM: &str = "a certificate type, by number or mnemonic such as PKIX";
        self.fixed(FORM, |text| {
            let number = match number::decimal(text) {
                Some(number) => u16::try_from(number).ok()?,
                None => number_of(CERT_TYPES, text)?,
            };
            Some(number.to_be_bytes())
        })
    }

    fn dsync_scheme(&mut self) -> Scanned<()> {
        const FORM: &str = "a scheme, by number or mnemonic such as NOTIFY";
        self.fixed(FORM, |text| {
            number::u8_or_word(text, DSYNC_SCHEMES).map(u8::to_be_bytes)
        })
    }

    #[inline]
    pub(super) fn ipv4(&mut self) -> Scanned<()> {
        self.fixed(IPV4_FORM, address::ipv4)
    }

    #[inline]
    pub(super) fn ipv6(&mut self) -> Scanned<()> {
        self.fixed(IPV6_FORM, address::ipv6)
    }

    /// One token that is a fixed number of bytes.
    #[inline]
    pub(super) fn fixed<const N: usize>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&[u8]) -> Option<[u8; N]>,
    ) -> Scanned<()> {
        let token = self.word(expected)?;
        match read(token.text) {
            Some(bytes) => self.out.extend_from_slice(&bytes),
            None => return token.fault(Reason::Expected(expected)),
        }
        Ok(())
    }

    /// A character-string with its length byte.
    pub(super) fn string(&mut self) -> Scanned<()> {
        let token = self.need("a character-string")?;
        self.write_string(&token)
    }

    /// A character-string, or the end of the entry.
    fn optional_string(&mut self) -> Scanned<()> {
        match self.scan.token()? {
            Some(token) => self.write_string(&token),
            None => Ok(()),
        }
    }

    /// Character-strings to the end, at least one.
    #[inline]
    pub(super) fn strings(&mut self) -> Scanned<()> {
        let mut token = self.need("a character-string")?;
        loop {
            self.write_string(&token)?;
            match self.scan.token()? {
                Some(next) => token = next,
                None => return Ok(()),
            }
        }
    }

    #[inline]
    pub(super) fn write_string(&mut self, token: &Token<'_>) -> Scanned<()> {
        let at = self.out.len();
        self.out.push(0);
        decode(token, self.out)?;
        match u8::try_from(self.out.len() - at - 1) {
            Ok(length) => self.out[at] = length,
            Err(_) => return token.fault(Reason::StringTooLong),
        }
        Ok(())
    }

    /// The tag of a CAA record.
    fn tag(&mut self) -> Scanned<()> {
        const FORM: &str = "a tag of ASCII letters and digits, such as issue";
        let token = self.word(FORM)?;
        match u8::try_from(token.text.len()) {
            Ok(length) if token.text.iter().all(u8::is_ascii_alphanumeric) => self.out.push(length),
            _ => return token.fault(Reason::Expected(FORM)),
        }
        self.out.extend_from_slice(token.text);
        Ok(())
    }

    /// A character-string of at least one byte.
    fn code(&mut self) -> Scanned<()> {
        let token = self.need("a code")?;
        if token.text.is_empty() {
            return token.fault(Reason::Expected("a code of at least one byte"));
        }
        self.write_string(&token)
    }

    /// A character-string, empty where the word is a hyphen.
    fn quantity(&mut self) -> Scanned<()> {
        const FORM: &str = "a value such as -18, 0.25 or ?, or - for none";
        let token = self.need(FORM)?;
        if token.text == b"-" && !token.quoted {
            self.out.push(0);
            return Ok(());
        }
        let start = self.out.len();
        self.write_string(&token)?;
        if self.out[start..] == *b"\x01-" {
            return token.fault(Reason::Expected(FORM));
        }
        Ok(())
    }

    /// One string of at most 255 bytes without a length byte, or the end of the entry.
    fn descriptor(&mut self) -> Scanned<()> {
        let Some(token) = self.scan.token()? else {
            return Ok(());
        };
        let start = self.out.len();
        decode(&token, self.out)?;
        if self.out.len() - start > usize::from(u8::MAX) {
            return token.fault(Reason::StringTooLong);
        }
        Ok(())
    }

    /// One string without a length byte.
    fn long_string(&mut self) -> Scanned<()> {
        let token = self.need("a quoted string")?;
        decode(&token, self.out)
    }

    /// One field of any kind.
    pub(super) fn field(&mut self, field: Field) -> Scanned<()> {
        match field {
            Field::Name(_) => self.name(),
            Field::U8 => self.u8(),
            Field::U16 => self.u16(),
            Field::U32 => self.u32(),
            Field::NodeNumber => self.fixed("a number below 2⁶⁴, or its halves as in 1.2", |text| {
                number::node_number(text).map(u64::to_be_bytes)
            }),
            Field::Period => self.period(),
            Field::Time => self.time(),
            Field::Algorithm | Field::CertAlgorithm => self.algorithm(),
            Field::CertType => self.cert_type(),
            Field::KeyFlags => self.key_flags(),
            Field::KeyProtocol => self.key_protocol(),
            Field::DsyncScheme => self.dsync_scheme(),
            Field::Type => self.covered_type(),
            Field::Ipv4 => self.ipv4(),
            Field::Ipv6 => self.ipv6(),
            Field::Eui48 => self.fixed("an address such as 00-00-5e-00-53-2a", address::eui::<6>),
            Field::Eui64 => self.fixed("an address such as 00-00-5e-ef-10-00-00-2a", address::eui::<8>),
            Field::Node64 => self.fixed("four groups such as 2001:db8:1140:1000", address::node64),
            Field::CharString => self.string(),
            Field::OptionalCharString => self.optional_string(),
            Field::CharStrings => self.strings(),
            Field::Code => self.code(),
            Field::Quantity => self.quantity(),
            Field::Descriptor => self.descriptor(),
            Field::Tag => self.tag(),
            Field::PsdnAddress => self.psdn_address(),
            Field::LongString => self.long_string(),
            Field::Base64 => self.base64(),
            Field::OptionalBase64 => self.optional_base64(),
            Field::DashOrBase64 => self.dash_or_base64(),
            Field::Hex => self.hex(),
            Field::DsDigest => self.ds_digest(),
            Field::Fingerprint => self.digest(field, "a fingerprint type from 0 to 255", &[]),
            Field::ZoneDigest => self.digest(field, "a hash algorithm from 0 to 255", &[]),
            Field::Salt => self.salt(),
            Field::HashedOwner => self.hashed_owner(),
            Field::Types => self.types(),
            Field::NxtTypes => self.nxt_types(),
            Field::SvcParams => self.svc_params(),
            Field::A6 => self.a6(),
            Field::Protocol => self.protocol(),
            Field::Ports => self.ports(),
            Field::Location => self.location(),
            Field::Prefixes => self.prefixes(),
            Field::Hip => self.hip(),
            Field::Gateway => self.gateway(),
            Field::Relay => self.relay(),
            Field::Key => self.key(),
            Field::Nsap => self.nsap(),
            Field::Atma => self.atma(),
            Field::Opaque => raw(self.scan.at, 1, Reason::GenericOnly(self.rtype)),
        }
    }
}

/// Appends the bytes that a token means.
#[inline]
pub(super) fn decode(token: &Token<'_>, out: &mut Vec<u8>) -> Scanned<()> {
    if !token.escaped {
        out.extend_from_slice(token.text);
        return Ok(());
    }
    let mut at = 0;
    while let Some(&byte) = token.text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((meant, taken)) = unescape(&token.text[at..]) else {
            return raw(token.at + at - 1, 4, Reason::BadEscape);
        };
        out.push(meant);
        at += taken;
    }
    Ok(())
}
