//! Fields of base64 (RFC 4648 4), hexadecimal and base32hex (RFC 4648 7) text. The first two may be cut into words
//! anywhere.

use dnssec_sign::rdata::{Field, split_field};

use super::address::hex_digit;
use super::field::Fields;
use super::mnemonic::{DIGEST_TYPES, Words};
use super::number;
use crate::reason::Reason;
use crate::scan::{END, Scanned, raw};

const BASE64: &str = "base64";
const HEX: &str = "hexadecimal digits";

impl Fields<'_, '_> {
    /// Base64 to the end of the entry.
    #[inline]
    pub(super) fn base64(&mut self) -> Scanned<()> {
        let first = self.word(BASE64)?;
        let mut last = first;
        let mut text = first.text;
        if self.scan.seek_token()? != END {
            self.scratch.text.clear();
            self.scratch.text.extend_from_slice(first.text);
            while let Some(more) = self.scan.token()? {
                if more.quoted {
                    return more.fault(Reason::Quoted);
                }
                self.scratch.text.extend_from_slice(more.text);
                last = more;
            }
            text = &self.scratch.text;
        }
        match base64_simd::STANDARD.decode_append(text, self.out) {
            Ok(_) => Ok(()),
            Err(_) => last.fault(Reason::Base64),
        }
    }

    /// Base64 to the end of the entry, or nothing.
    pub(super) fn optional_base64(&mut self) -> Scanned<()> {
        if self.scan.seek_token()? == END {
            return Ok(());
        }
        self.base64()
    }

    /// Base64 to the end of the entry, or `-` for nothing.
    pub(super) fn dash_or_base64(&mut self) -> Scanned<()> {
        let before = self.scan.clone();
        if self.word("base64, or - for none")?.text == b"-" {
            return Ok(());
        }
        *self.scan = before;
        self.base64()
    }

    /// A number or a word, and hexadecimal digits to the end of the entry: as many as the table says for the number.
    #[inline]
    pub(super) fn digest(&mut self, field: Field, expected: &'static str, words: &Words<u8>) -> Scanned<()> {
        let start = self.out.len();
        self.fixed(expected, |text| number::u8_or_word(text, words).map(u8::to_be_bytes))?;
        self.scan.seek_token()?;
        let at = self.scan.at;
        self.hex()?;
        match split_field(field, &self.out[start..]) {
            Ok(_) => Ok(()),
            Err(error) => {
                let rtype = self.rtype;
                raw(at, 1, Reason::Generic { rtype, error })
            }
        }
    }

    /// The digest of a DS record.
    #[inline]
    pub(super) fn ds_digest(&mut self) -> Scanned<()> {
        const FORM: &str = "a digest type, by number or mnemonic such as SHA-256";
        self.digest(Field::DsDigest, FORM, DIGEST_TYPES)
    }

    /// Hexadecimal digits to the end of the entry.
    #[inline]
    pub(super) fn hex(&mut self) -> Scanned<()> {
        let mut token = self.word(HEX)?;
        let mut half = None;
        loop {
            if token.quoted {
                return token.fault(Reason::Quoted);
            }
            let mut text = token.text;
            if let (Some(high), [first, rest @ ..]) = (half, text) {
                let Some(low) = hex_digit(*first) else {
                    return token.fault(Reason::Hex);
                };
                self.out.push(high << 4 | low);
                half = None;
                text = rest;
            }
            if text.len() % 2 == 1 {
                let Some(high) = hex_digit(text[text.len() - 1]) else {
                    return token.fault(Reason::Hex);
                };
                half = Some(high);
            }
            if !write_hex(text, self.out) {
                return token.fault(Reason::Hex);
            }
            match self.scan.token()? {
                Some(next) => token = next,
                None if half.is_some() => return token.fault(Reason::Hex),
                None => return Ok(()),
            }
        }
    }

    /// A length byte and so many bytes: one word of hexadecimal digits, or `-` for none.
    #[inline]
    pub(super) fn salt(&mut self) -> Scanned<()> {
        let token = self.word("a salt in hexadecimal digits, or - for none")?;
        if token.text == b"-" {
            self.out.push(0);
            return Ok(());
        }
        match u8::try_from(token.text.len() / 2) {
            Ok(length) if token.text.len() % 2 == 0 => self.out.push(length),
            Ok(_) => return token.fault(Reason::Hex),
            Err(_) => return token.fault(Reason::Expected("a salt of at most 255 bytes")),
        }
        if !write_hex(token.text, self.out) {
            return token.fault(Reason::Hex);
        }
        Ok(())
    }

    /// A length byte and so many bytes: one word of base32hex without padding.
    #[inline]
    pub(super) fn hashed_owner(&mut self) -> Scanned<()> {
        const FORM: &str = "the next owner's hash in base32hex without padding";
        let token = self.word(FORM)?;
        let at = self.out.len();
        self.out.push(0);
        let whole = write_base32hex(token.text, self.out);
        match u8::try_from(self.out.len() - at - 1) {
            Ok(length) if whole && length > 0 => self.out[at] = length,
            _ => return token.fault(Reason::Expected(FORM)),
        }
        Ok(())
    }
}

/// The value of a digit, 0xff for what is none.
const HEX_VALUES: [u8; 256] = values(b"0123456789abcdef");
const BASE32HEX_VALUES: [u8; 256] = values(b"0123456789abcdefghijklmnopqrstuv");

const fn values(digits: &[u8]) -> [u8; 256] {
    let mut table = [0xff; 256];
    let mut value = 0u8;
    while (value as usize) < digits.len() {
        let digit = digits[value as usize];
        table[digit as usize] = value;
        table[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    table
}

/// Appends the bytes of pairs of digits; an odd last digit is not looked at.
#[inline]
pub(super) fn write_hex(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut seen = 0;
    out.extend(text.chunks_exact(2).map(|pair| {
        let (high, low) = (HEX_VALUES[usize::from(pair[0])], HEX_VALUES[usize::from(pair[1])]);
        seen |= high | low;
        high << 4 | (low & 0x0f)
    }));
    seen < 16
}

/// Appends the bytes of base32hex digits; left-over bits must be fewer than a digit's, and 0.
#[inline]
fn write_base32hex(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut seen = 0;
    let mut groups = text.chunks_exact(8);
    for group in &mut groups {
        let mut bits = 0u64;
        for &digit in group {
            let value = BASE32HEX_VALUES[usize::from(digit)];
            seen |= value;
            bits = bits << 5 | u64::from(value & 31);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    let (mut bits, mut count) = (0u32, 0);
    for &digit in groups.remainder() {
        let value = BASE32HEX_VALUES[usize::from(digit)];
        seen |= value;
        bits = bits << 5 | u32::from(value & 31);
        count += 5;
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            out.push(byte);
            bits &= (1 << count) - 1;
        }
    }
    seen < 32 && count < 5 && bits == 0
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE32HEX_NOPAD;

    use super::*;

    #[test]
    fn base32hex_is_that_of_rfc_4648() {
        let bytes: Vec<u8> = (0..40u8).map(|at| at.wrapping_mul(67) ^ 0xa5).collect();
        for length in 0..bytes.len() {
            let text = BASE32HEX_NOPAD.encode(&bytes[..length]);
            for text in [text.clone(), text.to_lowercase()] {
                let mut out = Vec::new();
                assert!(write_base32hex(text.as_bytes(), &mut out));
                assert_eq!(out, bytes[..length]);
            }
        }
        for bad in ["0", "000", "000000", "01", "0w", "00000000="] {
            assert!(!write_base32hex(bad.as_bytes(), &mut Vec::new()), "{bad}");
        }
    }
}
