//! SvcParams from text (RFC 9460 2.1 and appendix A): in any order there, in ascending order of keys in wire form.
//! Lists are decoded twice, first as a character-string, then for the commas and backslashes of their members. What
//! values and keys demand is checked in wire form, by `dnssec_sign::rdata`.

use dnssec_sign::rdata::{RdataError, check_svc_params};

use super::address;
use super::field::{Fields, Scratch, decode};
use super::mnemonic::{SVC_PARAM_KEYS, number_of, word_of};
use super::number;
use crate::reason::Reason;
use crate::scan::{Scanned, Token, raw};

/// One parameter while its record is read: its key, its place in the text, its wire value in the scratch memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    key: u16,
    at: usize,
    length: usize,
    value_at: usize,
    value_end: usize,
}

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
const TLS_SUPPORTED_GROUPS: u16 = 9;
const DOCPATH: u16 = 10;
const PVD: u16 = 11;
const OOTS: u16 = 12;

/// The form of a key's value.
fn form(key: u16) -> &'static str {
    match key {
        MANDATORY => "a list of other keys without repetition, such as alpn,port",
        ALPN => "a list of protocol names of 1 to 255 bytes, such as h2,h3",
        NO_DEFAULT_ALPN | OHTTP | PVD => "no value",
        PORT => "a number from 0 to 65535",
        IPV4HINT => "a list of IPv4 addresses",
        ECH => "base64",
        IPV6HINT => "a list of IPv6 addresses",
        DOHPATH => "a URI template in UTF-8 with the variable dns, such as /dns-query{?dns}",
        TLS_SUPPORTED_GROUPS => "a list of numbers from 0 to 65535 without repetition",
        DOCPATH => "a list of path segments of 1 to 255 bytes, or no value",
        OOTS => "a list of transports with weights from 0 to 100, such as do53:100,dot:10",
        _ => "a value",
    }
}

/// How a value is written: in the key's own form, or as plain bytes behind keyNNNNN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Own,
    Plain,
}

fn key(text: &[u8]) -> Option<(u16, Form)> {
    if let Some(number) = number_of(SVC_PARAM_KEYS, text) {
        return Some((number, Form::Own));
    }
    let (head, digits) = text.split_at_checked(3)?;
    if !head.eq_ignore_ascii_case(b"key") || digits.len() > 5 || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    // 65535 is reserved as invalid.
    let number = u16::try_from(number::decimal(digits)?)
        .ok()
        .filter(|number| *number < u16::MAX)?;
    Some((number, Form::Plain))
}

fn shown(key: u16) -> Box<str> {
    match word_of(SVC_PARAM_KEYS, key) {
        Some(name) => name.into(),
        None => format!("key{key}").into(),
    }
}

impl<'a> Fields<'_, 'a> {
    /// Parameters to the end of the entry.
    pub(super) fn svc_params(&mut self) -> Scanned<()> {
        let mut scratch = std::mem::take(self.scratch);
        scratch.params.clear();
        scratch.values.clear();
        let result = self.read_params(&mut scratch);
        *self.scratch = scratch;
        result
    }

    fn read_params(&mut self, scratch: &mut Scratch) -> Scanned<()> {
        let Scratch {
            params, values, text, ..
        } = scratch;
        while let Some(token) = self.scan.token()? {
            if token.quoted {
                return token.fault(Reason::Quoted);
            }
            let (name, value) = self.split_param(&token)?;
            let Some((key, written)) = key(name) else {
                return token.fault(Reason::UnknownSvcParam(String::from_utf8_lossy(name).into()));
            };
            if params.iter().any(|param: &Param| param.key == key) {
                return token.fault(Reason::SvcParamTwice(shown(key)));
            }
            text.clear();
            if let Some(value) = &value {
                decode(value, text)?;
            }
            let value_at = values.len();
            if written == Form::Plain {
                values.extend_from_slice(text);
            } else if write_value(key, text, values).is_none() {
                return value.unwrap_or(token).fault(Reason::SvcParam {
                    key: shown(key),
                    expected: form(key),
                });
            }
            params.push(Param {
                key,
                at: token.at,
                length: token.text.len(),
                value_at,
                value_end: values.len(),
            });
        }
        params.sort_unstable_by_key(|param| param.key);
        let start = self.out.len();
        for param in &*params {
            let value = &values[param.value_at..param.value_end];
            let Ok(length) = u16::try_from(value.len()) else {
                return raw(param.at, param.length, Reason::RdataTooLong);
            };
            self.out.extend_from_slice(&param.key.to_be_bytes());
            self.out.extend_from_slice(&length.to_be_bytes());
            self.out.extend_from_slice(value);
        }
        check_svc_params(&self.out[start..]).or_else(|error| refused(error, params))
    }

    /// The key, and the value when there is a `=`: the rest of the word, or the quoted string right behind it.
    fn split_param(&mut self, token: &Token<'a>) -> Scanned<(&'a [u8], Option<Token<'a>>)> {
        let equals = token.text.iter().position(|byte| *byte == b'=');
        let quote = self.scan.byte() == Some(b'"');
        match equals {
            Some(at) if quote && at + 1 == token.text.len() => Ok((&token.text[..at], self.scan.token()?)),
            _ if quote => token.fault(Reason::Quoted),
            None => Ok((token.text, None)),
            Some(at) => {
                let value = Token {
                    text: &token.text[at + 1..],
                    at: token.at + at + 1,
                    ..*token
                };
                Ok((&token.text[..at], Some(value)))
            }
        }
    }
}

/// The fault of parameters whose wire form is refused, at the one that is to blame.
#[cold]
fn refused(error: RdataError, params: &[Param]) -> Scanned<()> {
    let (key, reason) = match error {
        RdataError::SvcParamMissing { by: MANDATORY, missing } => (MANDATORY, Reason::SvcParamMissing(shown(missing))),
        RdataError::SvcParamMissing { by, .. } => {
            let expected = "alpn beside it (RFC 9460 7.1.1)";
            (
                by,
                Reason::SvcParam {
                    key: shown(by),
                    expected,
                },
            )
        }
        RdataError::SvcParamValue(key) => {
            let expected = form(key);
            (
                key,
                Reason::SvcParam {
                    key: shown(key),
                    expected,
                },
            )
        }
        _ => (0, Reason::Expected("SvcParams (RFC 9460 2.1)")),
    };
    let place = params.iter().find(|param| param.key == key);
    let (at, length) = place.map_or((0, 1), |param| (param.at, param.length));
    raw(at, length, reason)
}

/// Appends the wire value of a key in its own form, as far as the text tells it; `None` when it is not of that form.
fn write_value(key: u16, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match key {
        MANDATORY => {
            let start = out.len();
            write_numbers(text, out, |name| self::key(name).map(|(key, _)| key))?;
            out[start..].as_chunks_mut::<2>().0.sort_unstable();
        }
        ALPN => write_names(text, out, Member::Name)?,
        PORT => {
            let port = u16::try_from(number::decimal(text)?).ok()?;
            out.extend_from_slice(&port.to_be_bytes());
        }
        IPV4HINT => {
            for address in text.split(|byte| *byte == b',') {
                out.extend_from_slice(&address::ipv4(address)?);
            }
        }
        IPV6HINT => {
            for address in text.split(|byte| *byte == b',') {
                out.extend_from_slice(&address::ipv6(address)?);
            }
        }
        ECH if text.is_empty() => return None,
        ECH => {
            base64_simd::STANDARD.decode_append(text, out).ok()?;
        }
        TLS_SUPPORTED_GROUPS => {
            write_numbers(text, out, |group| u16::try_from(number::decimal(group)?).ok())?;
        }
        DOCPATH if text.is_empty() => {}
        DOCPATH => write_names(text, out, Member::Name)?,
        OOTS => write_names(text, out, Member::WeightedName)?,
        _ => out.extend_from_slice(text),
    }
    Some(())
}

/// The members of a list with commas, which are numbers to the wire.
fn write_numbers(text: &[u8], out: &mut Vec<u8>, read: impl Fn(&[u8]) -> Option<u16>) -> Option<()> {
    for member in text.split(|byte| *byte == b',') {
        out.extend_from_slice(&read(member)?.to_be_bytes());
    }
    Some(())
}

/// What the members of a list are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    Name,
    /// A name, a colon, and a weight from 0 to 100, which is a byte behind the name.
    WeightedName,
}

/// The members of a list with commas, behind a length byte each; `\,` and `\\` stand for a comma and a backslash inside
/// one.
fn write_names(text: &[u8], out: &mut Vec<u8>, member: Member) -> Option<()> {
    let mut length_at = out.len();
    out.push(0);
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b',' => {
                close_member(out, length_at, member)?;
                length_at = out.len();
                out.push(0);
            }
            b'\\' => out.push(*bytes.next().filter(|byte| matches!(byte, b',' | b'\\'))?),
            _ => out.push(byte),
        }
    }
    close_member(out, length_at, member)
}

/// Sets the length of the member that starts at `length_at`.
fn close_member(out: &mut Vec<u8>, length_at: usize, member: Member) -> Option<()> {
    let start = length_at + 1;
    let mut end = out.len();
    if member == Member::WeightedName {
        end = start + out[start..].iter().rposition(|byte| *byte == b':')?;
        let weight = number::decimal(&out[end + 1..]).filter(|weight| *weight <= 100)?;
        out.truncate(end);
        out.push(u8::try_from(weight).ok()?);
    }
    out[length_at] = u8::try_from(end - start).ok()?;
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use dnssec_sign::RecordType;

    use super::*;
    use crate::scan::Scanner;

    fn parse(text: &str) -> Result<Vec<u8>, Reason> {
        let mut out = Vec::new();
        let mut fields = Fields {
            scan: &mut Scanner::new(text.as_bytes(), 0, 0),
            origin: b"\x07example\x00",
            rtype: RecordType::HTTPS,
            out: &mut out,
            scratch: &mut Scratch::default(),
        };
        fields.rdata().map_err(|raw| raw.reason)?;
        Ok(out)
    }

    fn params(text: &str) -> Vec<u8> {
        parse(&format!("1 . {text}")).unwrap().split_off(3)
    }

    #[test]
    fn the_vectors_of_rfc_9460_appendix_d() {
        assert_eq!(
            parse("0 foo.example.com."),
            Ok(b"\x00\x00\x03foo\x07example\x03com\x00".to_vec())
        );
        assert_eq!(parse("1 ."), Ok(b"\x00\x01\x00".to_vec()));
        assert_eq!(params("port=53"), b"\x00\x03\x00\x02\x00\x35");
        assert_eq!(params("key667=hello"), b"\x02\x9b\x00\x05hello");
        assert_eq!(params("key667=\"hello\\210qoo\""), b"\x02\x9b\x00\x09hello\xd2qoo");
        assert_eq!(
            params("ipv6hint=\"2001:db8::1,2001:db8::53:1\""),
            b"\x00\x06\x00\x20\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01"
        );
        assert_eq!(
            params("alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1"),
            b"\x00\x00\x00\x04\x00\x01\x00\x04\x00\x01\x00\x09\x02h2\x05h3-19\x00\x04\x00\x04\xc0\x00\x02\x01"
        );
        let escaped = b"\x00\x01\x00\x0c\x08f\\oo,bar\x02h2";
        assert_eq!(params("alpn=\"f\\\\\\\\oo\\\\,bar,h2\""), escaped);
        assert_eq!(params("alpn=f\\\\\\092oo\\092,bar,h2"), escaped);
    }

    #[test]
    fn keys_that_came_later() {
        assert_eq!(params("dohpath=/dns-query{?dns}"), b"\x00\x07\x00\x10/dns-query{?dns}");
        assert_eq!(params("ohttp pvd"), b"\x00\x08\x00\x00\x00\x0b\x00\x00");
        // The order is one of preference.
        assert_eq!(
            params("tls-supported-groups=29,23"),
            b"\x00\x09\x00\x04\x00\x1d\x00\x17"
        );
        assert_eq!(params("docpath"), b"\x00\x0a\x00\x00");
        assert_eq!(params("docpath=n,s"), b"\x00\x0a\x00\x04\x01n\x01s");
        assert_eq!(
            params("oots=\"do53:100,dot:10\""),
            b"\x00\x0c\x00\x0b\x04do53\x64\x03dot\x0a"
        );
        // A key by its number has plain bytes, which have to be right as well.
        assert_eq!(params("key3=\\000\\053"), b"\x00\x03\x00\x02\x00\x35");
    }

    #[test]
    fn what_rfc_9460_refuses_is_refused() {
        for bad in [
            "key123=abc key123=def",
            "mandatory",
            "mandatory=",
            "alpn",
            "alpn=",
            "alpn=h2,,h3",
            "port",
            "port=65536",
            "ipv4hint",
            "ipv4hint=192.0.2",
            "ipv6hint=192.0.2.1",
            "ech=!",
            "no-default-alpn=abc alpn=h2",
            "ohttp=1",
            "pvd=1",
            "ech",
            "dohpath",
            "dohpath=/dns-query",
            "dohpath=/{?dns}\\255",
            "tls-supported-groups",
            "tls-supported-groups=29,29",
            "tls-supported-groups=65536",
            "docpath=a,,b",
            "docpath=,",
            "oots",
            "oots=dot",
            "oots=:1",
            "oots=dot:101",
            "oots=dot:1,",
            "key3=a",
            "key4=abc",
            "key8=x",
            "no-default-alpn",
            "mandatory=key123",
            "mandatory=mandatory",
            "mandatory=port,port port=1",
            "key65535=x",
            "key01=x",
            "nosuchkey=x",
            "\"port=1\"",
            "po\"rt\"",
            "port=\"1",
        ] {
            assert!(parse(&format!("1 . {bad}")).is_err(), "{bad}");
        }
        assert!(matches!(parse("1 . port=1 PORT=2"), Err(Reason::SvcParamTwice(_))));
        assert!(matches!(parse("1 . mandatory=port"), Err(Reason::SvcParamMissing(_))));
    }

    #[test]
    fn a_relative_target_is_completed() {
        // A parser once kept it relative.
        assert_eq!(parse("1 Target"), Ok(b"\x00\x01\x06Target\x07example\x00".to_vec()));
    }
}
