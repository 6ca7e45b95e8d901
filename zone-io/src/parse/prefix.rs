//! Parts of addresses from text: the prefixes of APL (RFC 3123 5) and the suffix of A6 (RFC 2874 3.2).

use super::address;
use super::field::Fields;
use super::number;
use crate::reason::Reason;
use crate::scan::Scanned;

impl Fields<'_, '_> {
    /// Prefixes to the end of the entry, each `[!]FAMILY:ADDRESS/LENGTH`.
    pub(super) fn prefixes(&mut self) -> Scanned<()> {
        const FORM: &str = "an address prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32";
        while let Some(token) = self.scan.token()? {
            if token.quoted || write_prefix(token.text, self.out).is_none() {
                return token.fault(Reason::Expected(FORM));
            }
        }
        Ok(())
    }

    /// Prefix length; the address unless the prefix is all of it; the prefix's name unless it is empty.
    pub(super) fn a6(&mut self) -> Scanned<()> {
        const FORM: &str = "a prefix length from 0 to 128";
        let token = self.word(FORM)?;
        let prefix = match number::decimal(token.text).map(u8::try_from) {
            Some(Ok(prefix @ 0..=128)) => prefix,
            _ => return token.fault(Reason::Expected(FORM)),
        };
        self.out.push(prefix);
        if prefix < 128 {
            let start = self.out.len();
            self.ipv6()?;
            let covered = usize::from(prefix / 8);
            self.out.drain(start..start + covered);
            // The bits that the prefix covers have no meaning here (RFC 2874 3.1.1).
            self.out[start] &= 0xff >> (prefix % 8);
        }
        if prefix > 0 { self.name() } else { Ok(()) }
    }
}

fn write_prefix(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (negated, text) = match text {
        [b'!', rest @ ..] => (0x80, rest),
        _ => (0, text),
    };
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (family, text) = (number::decimal(&text[..colon])?, &text[colon + 1..]);
    let slash = text.iter().position(|byte| *byte == b'/')?;
    let length = u8::try_from(number::decimal(&text[slash + 1..])?).ok()?;
    let (ipv4, ipv6);
    let (most, address): (u8, &[u8]) = match family {
        1 => {
            ipv4 = address::ipv4(&text[..slash])?;
            (32, &ipv4)
        }
        2 => {
            ipv6 = address::ipv6(&text[..slash])?;
            (128, &ipv6)
        }
        _ => return None,
    };
    if length > most {
        return None;
    }
    let zeros = address.iter().rev().take_while(|byte| **byte == 0).count();
    let address = &address[..address.len() - zeros];
    let [family_high, family_low] = u16::try_from(family).ok()?.to_be_bytes();
    out.extend_from_slice(&[
        family_high,
        family_low,
        length,
        negated | u8::try_from(address.len()).ok()?,
    ]);
    out.extend_from_slice(address);
    Some(())
}
