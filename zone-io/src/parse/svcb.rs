//! SvcParams from text (RFC 9460 2.1 and appendix A): in any order there, in ascending order of keys in wire form.
//! Lists are decoded twice, first as a character-string, then for the commas and backslashes of their members.

use super::address;
use super::field::{Fields, Scratch, decode};
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

/// IANA "Service Parameter Keys (SvcParamKeys)", and the form of the value.
const KEYS: &[(&str, u16, &str)] = &[
    (
        "mandatory",
        MANDATORY,
        "a list of other keys without repetition, such as alpn,port",
    ),
    (
        "alpn",
        ALPN,
        "a list of protocol names of 1 to 255 bytes, such as h2,h3",
    ),
    ("no-default-alpn", NO_DEFAULT_ALPN, "no value"),
    ("port", PORT, "a number from 0 to 65535"),
    ("ipv4hint", IPV4HINT, "a list of IPv4 addresses"),
    ("ech", ECH, "base64"),
    ("ipv6hint", IPV6HINT, "a list of IPv6 addresses"),
    ("dohpath", DOHPATH, "a URI template in UTF-8 that contains {?dns}"),
    ("ohttp", OHTTP, "no value"),
    (
        "tls-supported-groups",
        TLS_SUPPORTED_GROUPS,
        "a list of numbers from 0 to 65535 without repetition",
    ),
];

/// How a value is written: in the key's own form, or as plain bytes behind keyNNNNN.
enum Form {
    Own(&'static str),
    Plain,
}

fn key(text: &[u8]) -> Option<(u16, Form)> {
    let known = KEYS
        .iter()
        .find(|(name, ..)| name.as_bytes().eq_ignore_ascii_case(text));
    if let Some((_, number, form)) = known {
        return Some((*number, Form::Own(form)));
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
            let shown = || String::from_utf8_lossy(name).into();
            let Some((key, form)) = key(name) else {
                return token.fault(Reason::UnknownSvcParam(shown()));
            };
            if params.iter().any(|param: &Param| param.key == key) {
                return token.fault(Reason::SvcParamTwice(shown()));
            }
            text.clear();
            if let Some(value) = &value {
                decode(value, text)?;
            }
            let value_at = values.len();
            let written = match form {
                Form::Plain => {
                    values.extend_from_slice(text);
                    Ok(())
                }
                Form::Own(expected) => write_value(key, value.map(|_| text.as_slice()), values).ok_or(expected),
            };
            if let Err(expected) = written {
                return value
                    .unwrap_or(token)
                    .fault(Reason::SvcParam { key: shown(), expected });
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
        check(params, values)?;
        for param in &*params {
            let value = param.value(values);
            let Ok(length) = u16::try_from(value.len()) else {
                return raw(param.at, param.length, Reason::RdataTooLong);
            };
            self.out.extend_from_slice(&param.key.to_be_bytes());
            self.out.extend_from_slice(&length.to_be_bytes());
            self.out.extend_from_slice(value);
        }
        Ok(())
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

impl Param {
    fn value(self, values: &[u8]) -> &[u8] {
        &values[self.value_at..self.value_end]
    }
}

/// What the parameters, in ascending order, demand of one another.
fn check(params: &[Param], values: &[u8]) -> Scanned<()> {
    let find = |key: u16| {
        params
            .binary_search_by_key(&key, |param| param.key)
            .ok()
            .map(|at| params[at])
    };
    if let Some(mandatory) = find(MANDATORY) {
        for listed in mandatory.value(values).chunks_exact(2) {
            let listed = u16::from_be_bytes([listed[0], listed[1]]);
            if find(listed).is_none() {
                let known = KEYS.iter().find(|(_, number, _)| *number == listed);
                let name = known.map_or_else(|| format!("key{listed}"), |(name, ..)| (*name).to_owned());
                return raw(mandatory.at, mandatory.length, Reason::SvcParamMissing(name.into()));
            }
        }
    }
    if let Some(param) = find(NO_DEFAULT_ALPN)
        && find(ALPN).is_none()
    {
        let reason = Reason::SvcParam {
            key: "no-default-alpn".into(),
            expected: "alpn beside it (RFC 9460 7.1.1)",
        };
        return raw(param.at, param.length, reason);
    }
    Ok(())
}

/// Appends the wire value of a key in its own form; `None` when the text is not of that form.
fn write_value(key: u16, text: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    if matches!(key, NO_DEFAULT_ALPN | OHTTP) {
        return text.is_none().then_some(());
    }
    let text = text.filter(|text| !text.is_empty())?;
    match key {
        MANDATORY => {
            let keys = members(text, |name| self::key(name).map(|(key, _)| key))?;
            ascending_once(&keys)
                .filter(|keys| keys[0] != MANDATORY)?
                .iter()
                .for_each(|key| out.extend_from_slice(&key.to_be_bytes()));
        }
        ALPN => write_names(text, out)?,
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
        ECH => {
            base64_simd::STANDARD.decode_append(text, out).ok()?;
        }
        DOHPATH => {
            let template = std::str::from_utf8(text).ok()?;
            // RFC 9461 5: the variable "dns" stands in it.
            template.contains("dns").then_some(())?;
            out.extend_from_slice(text);
        }
        TLS_SUPPORTED_GROUPS => {
            let groups = members(text, |group| u16::try_from(number::decimal(group)?).ok())?;
            ascending_once(&groups)?;
            for group in groups {
                out.extend_from_slice(&group.to_be_bytes());
            }
        }
        _ => out.extend_from_slice(text),
    }
    Some(())
}

/// The members of a list with commas, which are numbers to the wire.
fn members(text: &[u8], read: impl Fn(&[u8]) -> Option<u16>) -> Option<Vec<u16>> {
    text.split(|byte| *byte == b',').map(read).collect()
}

/// The numbers in ascending order, when none stands there twice.
fn ascending_once(numbers: &[u16]) -> Option<Vec<u16>> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] < pair[1]).then_some(sorted)
}

/// Names with a length byte each; `\,` and `\\` stand for a comma and a backslash inside one.
fn write_names(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut length_at = out.len();
    out.push(0);
    let mut close = |out: &mut Vec<u8>, next: bool| {
        let length = u8::try_from(out.len() - length_at - 1)
            .ok()
            .filter(|length| *length > 0)?;
        out[length_at] = length;
        if next {
            length_at = out.len();
            out.push(0);
        }
        Some(())
    };
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b',' => close(out, true)?,
            b'\\' => out.push(*bytes.next().filter(|byte| matches!(byte, b',' | b'\\'))?),
            _ => out.push(byte),
        }
    }
    close(out, false)
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
