//! Record types from text, and lists of them as bitmaps (RFC 4034 4.1.2).

use dnssec_sign::RecordType;

use super::field::Fields;
use crate::reason::Reason;
use crate::scan::{Scanned, Token};

/// A mnemonic in any letter case, or TYPEnnn.
#[inline]
pub(super) fn record_type(text: &[u8]) -> Option<RecordType> {
    // The bytes as one number; a 1 in front keeps words of different lengths apart.
    const fn word(text: &[u8]) -> u64 {
        let mut word = 1;
        let mut at = 0;
        while at < text.len() {
            word = word << 8 | text[at].to_ascii_uppercase() as u64;
            at += 1;
        }
        word
    }
    macro_rules! words {
        ($($name:ident $rtype:ident)*) => {
            $(const $name: u64 = word(stringify!($rtype).as_bytes());)*
            match word(text) {
                $($name => Some(RecordType::$rtype),)*
                _ => RecordType::from_text(text),
            }
        };
    }
    if text.len() > 7 {
        return RecordType::from_text(text);
    }
    words! {
        W1 A  W2 NS  W3 AAAA  W4 DS  W5 MX  W6 TXT  W7 CNAME  W8 RRSIG  W9 NSEC  W10 NSEC3
        W11 SOA  W12 PTR  W13 SRV  W14 DNSKEY  W15 CAA  W16 TLSA  W17 HTTPS  W18 SVCB  W19 SSHFP  W20 DNAME
    }
}

impl Fields<'_, '_> {
    /// One type as a number of two bytes.
    #[inline]
    pub(super) fn covered_type(&mut self) -> Scanned<()> {
        let token = self.word("a record type")?;
        let rtype = listed(&token)?;
        self.out.extend_from_slice(&rtype.0.to_be_bytes());
        Ok(())
    }

    /// Types to the end of the entry, in any order, as bitmaps.
    #[inline]
    pub(super) fn types(&mut self) -> Scanned<()> {
        // Window 0 has nearly all types that exist.
        let mut map = [0u8; 32];
        let mut used = 0;
        self.scratch.types.clear();
        while let Some(token) = self.scan.token()? {
            let [window, low] = listed(&token)?.0.to_be_bytes();
            if window == 0 {
                let at = usize::from(low / 8);
                map[at] |= 0x80 >> (low % 8);
                used = used.max(at + 1);
            } else {
                self.scratch.types.push(u16::from_be_bytes([window, low]));
            }
        }
        write_window(0, &map[..used], self.out);
        if self.scratch.types.is_empty() {
            return Ok(());
        }
        self.scratch.types.sort_unstable();
        for window in self.scratch.types.chunk_by(|one, other| one >> 8 == other >> 8) {
            let [number, _] = window[0].to_be_bytes();
            map = [0; 32];
            for rtype in window {
                let [_, low] = rtype.to_be_bytes();
                let at = usize::from(low / 8);
                map[at] |= 0x80 >> (low % 8);
                used = at + 1;
            }
            write_window(number, &map[..used], self.out);
        }
        Ok(())
    }
}

impl Fields<'_, '_> {
    /// Types from 1 to 127 to the end of the entry, in any order, as one bitmap (RFC 2535 5.2).
    pub(super) fn nxt_types(&mut self) -> Scanned<()> {
        const FORM: &str = "a record type from 1 to 127: an NXT record has no room for others";
        let start = self.out.len();
        while let Some(token) = self.scan.token()? {
            let number = match listed(&token)?.0 {
                number @ 1..=127 => number,
                _ => return token.fault(Reason::Expected(FORM)),
            };
            let at = start + usize::from(number / 8);
            if self.out.len() <= at {
                self.out.resize(at + 1, 0);
            }
            self.out[at] |= 0x80 >> (number % 8);
        }
        Ok(())
    }
}

#[inline]
fn write_window(number: u8, map: &[u8], out: &mut Vec<u8>) {
    if let Ok(length @ 1..=32) = u8::try_from(map.len()) {
        out.extend_from_slice(&[number, length]);
        out.extend_from_slice(map);
    }
}

#[inline]
fn listed(token: &Token<'_>) -> Scanned<RecordType> {
    match record_type(token.text) {
        Some(rtype) if !token.quoted => Ok(rtype),
        Some(_) => token.fault(Reason::Quoted),
        None => token.fault(Reason::Expected("a record type, such as AAAA or TYPE65280")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_finds_what_the_table_has() {
        for number in 0..=u16::MAX {
            let text = RecordType(number).to_string();
            assert_eq!(record_type(text.as_bytes()), Some(RecordType(number)));
            assert_eq!(
                record_type(text.to_ascii_lowercase().as_bytes()),
                Some(RecordType(number))
            );
        }
        for bad in ["", "\0A", "X", "AAAAA", "TYPE"] {
            assert_eq!(record_type(bad.as_bytes()), None);
        }
    }
}
