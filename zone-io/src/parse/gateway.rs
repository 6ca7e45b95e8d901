//! The gateway of IPSECKEY (RFC 4025 3.1) and the relay of AMTRELAY (RFC 8777 4.3) from text: a number that says what
//! follows, and nothing, an address or a name. Further kinds are written in RFC 3597 form.

use super::field::Fields;
use super::number;
use crate::reason::Reason;
use crate::scan::Scanned;

const KIND: &str = "0 for none, 1 for an IPv4 address, 2 for an IPv6 address or 3 for a name";

impl Fields<'_, '_> {
    /// Gateway type, algorithm, gateway.
    pub(super) fn gateway(&mut self) -> Scanned<()> {
        let kind = self.gateway_kind()?;
        self.out.push(kind);
        self.u8()?;
        self.gateway_of(kind)
    }

    /// Discovery bit, relay type, relay.
    pub(super) fn relay(&mut self) -> Scanned<()> {
        const FORM: &str = "0 or 1: whether discovery is optional";
        let token = self.word(FORM)?;
        let optional = match token.text {
            b"0" => 0,
            b"1" => 0x80,
            _ => return token.fault(Reason::Expected(FORM)),
        };
        let kind = self.gateway_kind()?;
        self.out.push(optional | kind);
        self.gateway_of(kind)
    }

    fn gateway_kind(&mut self) -> Scanned<u8> {
        let token = self.word(KIND)?;
        match number::decimal(token.text) {
            Some(kind @ 0..=3) => Ok(kind.to_be_bytes()[3]),
            _ => token.fault(Reason::Expected(KIND)),
        }
    }

    fn gateway_of(&mut self, kind: u8) -> Scanned<()> {
        const NONE: &str = "a single dot: type 0 has no gateway";
        match kind {
            1 => self.ipv4(),
            2 => self.ipv6(),
            3 => self.name(),
            _ => {
                let token = self.word(NONE)?;
                if token.text == b"." {
                    Ok(())
                } else {
                    token.fault(Reason::Expected(NONE))
                }
            }
        }
    }
}
