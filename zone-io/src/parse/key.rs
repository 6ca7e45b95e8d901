//! The flags and the protocol of keys from text, and the KEY record, which can be without a key (RFC 2535 3.1.2, 7.1).

use super::field::Fields;
use super::mnemonic::{KEY_FLAGS, KEY_PROTOCOLS, number_of};
use super::number;
use crate::reason::Reason;
use crate::scan::Scanned;

impl Fields<'_, '_> {
    /// A number, or mnemonics joined by `|`.
    pub(super) fn key_flags(&mut self) -> Scanned<()> {
        const FORM: &str = "flags from 0 to 65535, or mnemonics such as ZONE|KSK";
        self.fixed(FORM, |text| {
            let flags = match number::decimal(text) {
                Some(number) => u16::try_from(number).ok()?,
                None => text
                    .split(|byte| *byte == b'|')
                    .try_fold(0, |flags, word| Some(flags | number_of(KEY_FLAGS, word)?))?,
            };
            Some(flags.to_be_bytes())
        })
    }

    /// A number or a mnemonic.
    pub(super) fn key_protocol(&mut self) -> Scanned<()> {
        const FORM: &str = "a protocol from 0 to 255, or a mnemonic such as DNSSEC";
        self.fixed(FORM, |text| {
            number::u8_or_word(text, KEY_PROTOCOLS).map(u8::to_be_bytes)
        })
    }

    /// A whole KEY record.
    pub(super) fn key(&mut self) -> Scanned<()> {
        let start = self.out.len();
        self.key_flags()?;
        let keyless = self.out[start] >= 0xc0;
        self.key_protocol()?;
        self.algorithm()?;
        if !keyless {
            return self.base64();
        }
        match self.scan.token()? {
            None => Ok(()),
            Some(token) => token.fault(Reason::Expected("nothing: these flags say that there is no key")),
        }
    }
}
