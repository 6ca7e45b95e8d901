//! The output of an earlier run, as far as its head shows it: serial, keys, and since when its signatures are valid.
//! Only the apex is read, which stands first; what a run takes over from whole files is in `known_keys`.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use dnssec_sign::{Dnskey, Insist, KeySet, KeyState, Name, RecordType, Rrsig, serial_before};
use zone_io::{ReadOptions, Reader};

use crate::context::serial_of;
use crate::error::Error;

/// So much of the file is looked at: the apex of any zone in use is far smaller.
const HEAD: u64 = 1 << 20;

/// What the apex of an earlier output says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Previous {
    /// The SOA's serial.
    pub(crate) serial: u32,
    /// The latest inception among the signatures over the SOA.
    pub(crate) inception: Option<u32>,
    /// The keys with the SEP flag, as they would be without the REVOKE bit.
    pub(crate) ksks: Vec<Dnskey>,
}

impl Previous {
    /// Reads the head of the file at `path`; `None` when it is not there, or is no zone of that origin that begins with
    /// its SOA.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read.
    pub(crate) fn read(path: &Path, origin: &Name) -> Result<Option<Self>, Error> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let mut text = Vec::new();
        file.take(HEAD).read_to_end(&mut text).map_err(Error::io(path))?;
        Ok(Self::of_text(&text, origin))
    }

    /// Refuses to go back behind this output.
    ///
    /// # Errors
    /// [`Error::Input`] for an older serial, a clock behind its signatures, and a KSK that is gone though no date says so.
    pub(crate) fn check(&self, serial: u32, keys: &KeySet, now: u32, insist: Insist) -> Result<(), Error> {
        if insist == Insist::Yes {
            return Ok(());
        }
        if serial_before(serial, self.serial) {
            return Err(Error::Input(format!(
                "the serial {serial} is before the {} of the output that would be replaced: advance it with --serial \
                 increment, or insist",
                self.serial
            )));
        }
        if let Some(inception) = self.inception
            && serial_before(now, inception)
        {
            return Err(Error::Input(format!(
                "the clock is {} s behind the inception of the output that would be replaced: set it, or insist",
                inception.wrapping_sub(now)
            )));
        }
        let kept = |ksk: &Dnskey| keys.published().any(|published| published.unrevoked() == *ksk);
        let dated = |ksk: &Dnskey| {
            keys.unused()
                .iter()
                .any(|key| key.dnskey.unrevoked() == *ksk && key.state == KeyState::Removed)
        };
        if let Some(gone) = self.ksks.iter().find(|ksk| !kept(ksk) && !dated(ksk)) {
            return Err(Error::Input(format!(
                "the KSK {}/{} is in the output that would be replaced and no longer in the DNSKEY set: a DS at the parent \
                 may name it; keep it published, set its date of deletion, or insist",
                gone.algorithm(),
                gone.key_tag()
            )));
        }
        Ok(())
    }

    fn of_text(text: &[u8], origin: &Name) -> Option<Self> {
        let options = ReadOptions::new(origin.clone());
        let mut reader = Reader::new(text, &options);
        let mut found: Option<Self> = None;
        // The apex ends with the first other owner, and a cut-off record at the end of the head is no fault of the file.
        while let Some(Ok(record)) = reader.next_record() {
            if record.owner != origin.borrow() {
                break;
            }
            match (&mut found, record.rtype) {
                (None, RecordType::SOA) => {
                    found = Some(Self {
                        serial: serial_of(record.rdata),
                        ..Self::default()
                    });
                }
                (None, _) => return None,
                (Some(found), RecordType::RRSIG) => {
                    let rrsig = Rrsig::read(record.rdata).filter(|rrsig| rrsig.covered == RecordType::SOA);
                    if let Some(rrsig) = rrsig
                        && found
                            .inception
                            .is_none_or(|latest| serial_before(latest, rrsig.inception))
                    {
                        found.inception = Some(rrsig.inception);
                    }
                }
                (Some(found), RecordType::DNSKEY) => {
                    if let Ok(dnskey) = Dnskey::from_rdata(record.rdata)
                        && dnskey.is_sep()
                    {
                        found.ksks.push(dnskey.unrevoked());
                    }
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_apex_says_it() {
        let origin: Name = "a.".parse().unwrap();
        let key = "A".repeat(43) + "=";
        let text = format!(
            "a. 60 IN SOA ns.a. h.a. 7 1 1 1 1\na. 60 IN RRSIG SOA 15 1 60 20370101000000 20200101000000 5 a. AAAA\n\
             a. 60 IN DNSKEY 257 3 15 {key}\na. 60 IN DNSKEY 256 3 15 {key}\nb.a. 60 IN A 192.0.2.1\n("
        );
        let found = Previous::of_text(text.as_bytes(), &origin).unwrap();
        assert_eq!((found.serial, found.inception), (7, Some(1_577_836_800)));
        assert_eq!(found.ksks.len(), 1);
        assert!(Previous::of_text(b"a. 60 IN NS ns.a.\n", &origin).is_none());
    }
}
