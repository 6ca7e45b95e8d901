//! HIP from text (RFC 8005 6): algorithm, host identity tag, public key, and the names of rendezvous servers.

use super::encoding::write_hex;
use super::field::Fields;
use super::name::write_name;
use crate::reason::Reason;
use crate::scan::Scanned;

impl Fields<'_, '_> {
    /// A whole HIP record. Tag and key are one word each: names follow.
    pub(super) fn hip(&mut self) -> Scanned<()> {
        const TAG: &str = "a host identity tag in hexadecimal digits without blanks";
        let head = self.out.len();
        self.out.push(0);
        self.u8()?;
        self.out.extend_from_slice(&[0; 2]);

        let tag_at = self.out.len();
        let tag = self.word(TAG)?;
        let whole = tag.text.len() % 2 == 0 && write_hex(tag.text, self.out);
        match u8::try_from(self.out.len() - tag_at) {
            Ok(length) if whole => self.out[head] = length,
            _ => return tag.fault(Reason::Expected(TAG)),
        }

        let key_at = self.out.len();
        let key = self.word("a public key in base64 without blanks")?;
        if base64_simd::STANDARD.decode_append(key.text, self.out).is_err() {
            return key.fault(Reason::Base64);
        }
        match u16::try_from(self.out.len() - key_at) {
            Ok(length) => self.out[head + 2..head + 4].copy_from_slice(&length.to_be_bytes()),
            Err(_) => return key.fault(Reason::RdataTooLong),
        }

        while let Some(server) = self.scan.token()? {
            if server.quoted {
                return server.fault(Reason::Quoted);
            }
            if let Err(error) = write_name(&server, self.origin, self.out) {
                return server.fault(error);
            }
        }
        Ok(())
    }
}
