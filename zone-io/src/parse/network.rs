//! Addresses of other networks from text: X.25 (RFC 1183 3.1), NSAP (RFC 1706 5) and ATM (ATM Forum af-saa-0069.000);
//! and the protocol and ports of WKS (RFC 1035 3.4.2).

use super::address::hex_digit;
use super::field::Fields;
use super::mnemonic::{PROTOCOLS, SERVICES, number_of};
use super::number;
use crate::reason::Reason;
use crate::scan::Scanned;

impl Fields<'_, '_> {
    /// Four or more digits as a character-string.
    pub(super) fn psdn_address(&mut self) -> Scanned<()> {
        let token = self.need("an address of four or more digits")?;
        if token.text.len() < 4 || !token.text.iter().all(u8::is_ascii_digit) {
            return token.fault(Reason::Expected("an address of four or more digits"));
        }
        self.write_string(&token)
    }

    /// `0x` and hexadecimal digits.
    pub(super) fn nsap(&mut self) -> Scanned<()> {
        const FORM: &str = "0x and an even number of hexadecimal digits, dots between";
        let token = self.word(FORM)?;
        match token.text {
            [b'0', b'x' | b'X', digits @ ..] if write_dotted_hex(digits, self.out) => Ok(()),
            _ => token.fault(Reason::Expected(FORM)),
        }
    }

    /// `+` and decimal digits, or hexadecimal digits.
    pub(super) fn atma(&mut self) -> Scanned<()> {
        const FORM: &str = "+ and decimal digits, or an even number of hexadecimal digits, dots between";
        let token = self.word(FORM)?;
        let good = if let [b'+', digits @ ..] = token.text {
            self.out.push(1);
            let start = self.out.len();
            self.out.extend(digits.iter().filter(|byte| **byte != b'.'));
            self.out.len() > start && self.out[start..].iter().all(u8::is_ascii_digit)
        } else {
            self.out.push(0);
            write_dotted_hex(token.text, self.out)
        };
        if good {
            Ok(())
        } else {
            token.fault(Reason::Expected(FORM))
        }
    }

    /// An Internet protocol.
    pub(super) fn protocol(&mut self) -> Scanned<()> {
        const FORM: &str = "a protocol, by number or name such as TCP";
        self.fixed(FORM, |text| number::u8_or_word(text, PROTOCOLS).map(u8::to_be_bytes))
    }

    /// Ports to the end of the entry, in any order, as a bitmap.
    pub(super) fn ports(&mut self) -> Scanned<()> {
        const FORM: &str = "a port, by number or the name of a well-known service such as SMTP";
        let start = self.out.len();
        while let Some(token) = self.scan.token()? {
            let port = match number::decimal(token.text) {
                Some(port) => u16::try_from(port).ok(),
                None => number_of(SERVICES, token.text),
            };
            let Some(port) = port.filter(|_| !token.quoted) else {
                return token.fault(Reason::Expected(FORM));
            };
            let at = start + usize::from(port / 8);
            if self.out.len() <= at {
                self.out.resize(at + 1, 0);
            }
            self.out[at] |= 0x80 >> (port % 8);
        }
        Ok(())
    }
}

/// Appends the bytes of pairs of hexadecimal digits with dots anywhere; there must be one pair.
fn write_dotted_hex(text: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let mut high = None;
    for byte in text.iter().filter(|byte| **byte != b'.') {
        let Some(digit) = hex_digit(*byte) else {
            return false;
        };
        high = match high {
            None => Some(digit << 4),
            Some(high) => {
                out.push(high | digit);
                None
            }
        };
    }
    high.is_none() && out.len() > start
}
