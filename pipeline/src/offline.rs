//! Keys that are not at hand: a DNSKEY set, with CDS and CDNSKEY, that was signed where the KSK is, and whether these sets
//! have a signature that a parent's DS can vouch for. Whether a signature is good is `dnssec_sign`'s to say.

use std::path::{Path, PathBuf};

use dnssec_sign::{
    Class, Dnskey, Insist, KeyCandidate, KeySet, KeySource, KeyTimes, Locus, Name, OwnedRecord, RecordRef,
    RecordStates, RecordType, Retention, Rrsig, Succession,
};
use zone_io::{ReadOptions, Reader};

use crate::config::SignConfig;
use crate::error::Error;

/// A DNSKEY set and its signatures, from a file of their own.
pub(crate) struct DnskeySetFile {
    path: PathBuf,
    keys: Vec<OwnedRecord>,
    /// CDS and CDNSKEY, which take the place of those that the keys' dates would make.
    pub(crate) sync: Vec<OwnedRecord>,
    /// The RRSIGs over these sets.
    pub(crate) signatures: Vec<OwnedRecord>,
}

impl DnskeySetFile {
    /// Reads the file: DNSKEY, CDS and CDNSKEY records of the zone and RRSIGs over them, nothing else.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Input`] for anything else in the file.
    pub(crate) fn read(path: &Path, origin: &Name) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(Error::io(path))?;
        let mut options = ReadOptions::new(origin.clone());
        options.name = path.display().to_string().into();
        let mut file = Self {
            path: path.to_path_buf(),
            keys: Vec::new(),
            sync: Vec::new(),
            signatures: Vec::new(),
        };
        let mut reader = Reader::new(&text, &options);
        while let Some(record) = reader.next_record() {
            let record = record.map_err(|fault| Error::Input(fault.to_string()))?;
            let owned = OwnedRecord {
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: record.rdata.to_vec(),
            };
            let over_keys = || {
                Rrsig::read(record.rdata).is_some_and(|rrsig| {
                    matches!(
                        rrsig.covered,
                        RecordType::DNSKEY | RecordType::CDS | RecordType::CDNSKEY
                    )
                })
            };
            match record.rtype {
                RecordType::DNSKEY if record.owner == origin.borrow() => file.keys.push(owned),
                RecordType::CDS | RecordType::CDNSKEY if record.owner == origin.borrow() => file.sync.push(owned),
                RecordType::RRSIG if record.owner == origin.borrow() && over_keys() => file.signatures.push(owned),
                other => {
                    return Err(Error::Input(format!(
                        "{}:{}: {} {other}: a DNSKEY set has DNSKEY, CDS and CDNSKEY records of {origin} and RRSIGs over them alone",
                        path.display(),
                        record.line,
                        record.owner
                    )));
                }
            }
        }
        if file.keys.is_empty() {
            return Err(Error::Input(format!(
                "{}: no DNSKEY records of {origin}",
                path.display()
            )));
        }
        Ok(file)
    }

    /// The keys as those of the zone.
    ///
    /// # Errors
    /// [`Error::Input`] for a DNSKEY that is none.
    pub(crate) fn candidates(&self) -> Result<Vec<KeyCandidate>, Error> {
        let candidate = |record: &OwnedRecord| {
            let dnskey = Dnskey::from_rdata(&record.rdata)
                .map_err(|error| Error::Input(format!("{}: {error}", self.path.display())))?;
            Ok(KeyCandidate {
                dnskey,
                source: KeySource::PublicOnly,
                times: KeyTimes::default(),
                states: RecordStates::default(),
                explicit: false,
                ttl: Some(record.ttl),
                in_zone: true,
                succession: Succession::default(),
            })
        };
        self.keys.iter().map(candidate).collect()
    }

    /// The set to publish must be the one that was signed.
    ///
    /// # Errors
    /// [`Error::Input`], which names the keys that differ.
    pub(crate) fn check_published(&self, set: &KeySet) -> Result<(), Error> {
        let signed = |dnskey: &Dnskey| self.keys.iter().any(|record| record.rdata == dnskey.rdata());
        let differing: Vec<String> = set
            .published()
            .filter(|dnskey| !signed(dnskey))
            .map(|dnskey| format!("{} would be added", name(dnskey)))
            .chain(self.keys.iter().filter_map(|record| {
                let dnskey = Dnskey::from_rdata(&record.rdata).ok()?;
                let missing = !set.published().any(|published| *published == dnskey);
                missing.then(|| format!("{} would be left out", name(&dnskey)))
            }))
            .collect();
        if differing.is_empty() {
            return Ok(());
        }
        Err(Error::Input(format!(
            "{}: the DNSKEY set of this run is not the one that was signed: {}; the signature would not be over it",
            self.path.display(),
            differing.join(", ")
        )))
    }
}

fn name(dnskey: &Dnskey) -> String {
    let kind = if dnskey.is_sep() { "KSK" } else { "ZSK" };
    format!("{kind} {}/{}", dnskey.algorithm(), dnskey.key_tag())
}

/// What is there to vouch for the sets that a parent looks at, beside the keys at hand.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) set: &'a KeySet,
    pub(crate) retention: &'a Retention,
    /// RRSIGs of the apex, from the input and the previous output.
    pub(crate) rrsigs: &'a [RecordRef<'a>],
    /// Those that were made elsewhere.
    pub(crate) supplied: &'a [OwnedRecord],
    pub(crate) config: &'a SignConfig,
}

impl Signed<'_> {
    /// Whether the KSKs that are not at hand have left a signature over the DNSKEY set, where no other KSK makes one.
    ///
    /// # Errors
    /// [`Error::Input`] when a KSK is published, none is at hand, and no signature of one is good.
    pub(crate) fn vouched(&self, records: &[OwnedRecord]) -> Result<bool, Error> {
        let at_hand = self.ksk_at_hand();
        let offline = self.offline_ksks();
        if at_hand || offline.is_empty() || self.config.key_options.ignore_ksk {
            return Ok(at_hand);
        }
        if self.ksk_stays_over(RecordType::DNSKEY, records) {
            return Ok(true);
        }
        if self.config.key_options.insist == Insist::Yes {
            return Ok(false);
        }
        Err(Error::Input(format!(
            "{} is not at hand, and no valid signature of it over the DNSKEY set is: sign where its private half is, give \
             --dnskey-set FILE with a set signed there, or --reuse OLD with an earlier output",
            offline.join(", ")
        )))
    }

    /// CDS and CDNSKEY count for a parent only with a signature of a key that its DS names (RFC 7344 4.1).
    ///
    /// # Errors
    /// [`Error::Input`] when there are such sets and no KSK signs them, or has.
    pub(crate) fn check_sync(&self, records: &[OwnedRecord]) -> Result<(), Error> {
        if records.is_empty() || self.config.key_options.insist == Insist::Yes {
            return Ok(());
        }
        if self.set.signers_of_sync().next().is_none() && self.offline_ksks().is_empty() {
            return Err(Error::Input(
                "no key at hand signs CDS and CDNSKEY: activate a KSK, or take the records out".to_owned(),
            ));
        }
        if self.ksk_at_hand() || self.config.key_options.ignore_ksk || !self.has_ksk() {
            return Ok(());
        }
        for rtype in [RecordType::CDS, RecordType::CDNSKEY] {
            let there = records.iter().any(|record| record.rtype == rtype);
            if there && !self.ksk_stays_over(rtype, records) {
                return Err(Error::Input(format!(
                    "{rtype}: no KSK at hand signs it, and no valid signature of one is there: activate a KSK, put the {rtype} \
                     set with its signature into the file of --dnskey-set, or take the records out"
                )));
            }
        }
        Ok(())
    }

    fn has_ksk(&self) -> bool {
        self.set.published().any(is_secure_entry)
    }

    fn ksk_at_hand(&self) -> bool {
        let mut signers = self.set.signers_of_sync();
        signers.any(|entry| is_secure_entry(&entry.dnskey))
    }

    fn offline_ksks(&self) -> Vec<String> {
        let entries = self.set.entries().iter();
        entries
            .filter(|entry| entry.published && entry.source == KeySource::PublicOnly && is_secure_entry(&entry.dnskey))
            .map(|entry| name(&entry.dnskey))
            .collect()
    }

    /// Whether the signature of a KSK over the set of `rtype` among `records` stays.
    fn ksk_stays_over(&self, rtype: RecordType, records: &[OwnedRecord]) -> bool {
        let max_ttl = self.config.max_ttl.unwrap_or(u32::MAX);
        let set: Vec<RecordRef<'_>> = records
            .iter()
            .filter(|record| record.rtype == rtype)
            .map(|record| RecordRef {
                rtype,
                ttl: record.ttl.min(max_ttl),
                rdata: &record.rdata,
                locus: Locus::default(),
            })
            .collect();
        let origin = self.config.origin.borrow();
        let kept = self
            .retention
            .kept_at_apex(origin, Class::IN, &set, self.rrsigs, self.supplied);
        kept.iter().any(is_secure_entry)
    }
}

fn is_secure_entry(dnskey: &Dnskey) -> bool {
    dnskey.is_sep() && !dnskey.is_revoked()
}
