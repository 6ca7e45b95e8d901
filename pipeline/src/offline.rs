//! Keys that are not at hand: a DNSKEY set that was signed where the KSK is, and whether the DNSKEY set of this run has a
//! signature that a parent's DS can vouch for. Whether a signature is good is `dnssec_sign`'s to say.

use std::path::{Path, PathBuf};

use dnssec_sign::{
    Class, Dnskey, Insist, KeyCandidate, KeySet, KeySource, KeyTimes, Locus, Name, OwnedRecord, RecordRef, RecordType,
    Retention, Rrsig,
};
use zone_io::{ReadOptions, Reader};

use crate::config::SignConfig;
use crate::error::Error;

/// A DNSKEY set and its signatures, from a file of their own.
pub(crate) struct DnskeySetFile {
    path: PathBuf,
    keys: Vec<OwnedRecord>,
    /// The RRSIGs over it.
    pub(crate) signatures: Vec<OwnedRecord>,
}

impl DnskeySetFile {
    /// Reads the file: DNSKEY records of the zone and RRSIGs over them, nothing else.
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
            let over_keys = || Rrsig::read(record.rdata).is_some_and(|rrsig| rrsig.covered == RecordType::DNSKEY);
            match record.rtype {
                RecordType::DNSKEY if record.owner == origin.borrow() => file.keys.push(owned),
                RecordType::RRSIG if record.owner == origin.borrow() && over_keys() => file.signatures.push(owned),
                other => {
                    return Err(Error::Input(format!(
                        "{}:{}: {} {other}: a DNSKEY set has DNSKEY records of {origin} and RRSIGs over them alone",
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
                explicit: false,
                ttl: Some(record.ttl),
                in_zone: true,
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

/// Whether the KSKs that are not at hand have left a signature over the DNSKEY set, where no other KSK makes one.
///
/// # Errors
/// [`Error::Input`] when a KSK is published, none is at hand, and no signature of one is good.
pub(crate) fn vouched(
    set: &KeySet,
    retention: &Retention,
    records: &[OwnedRecord],
    rrsigs: &[RecordRef<'_>],
    supplied: &[OwnedRecord],
    config: &SignConfig,
) -> Result<bool, Error> {
    let secure_entry = |dnskey: &Dnskey| dnskey.is_sep() && !dnskey.is_revoked();
    let at_hand = set
        .entries()
        .iter()
        .any(|entry| entry.roles.sync && secure_entry(&entry.dnskey));
    let offline: Vec<String> = set
        .entries()
        .iter()
        .filter(|entry| entry.published && entry.source == KeySource::PublicOnly && secure_entry(&entry.dnskey))
        .map(|entry| name(&entry.dnskey))
        .collect();
    if at_hand || offline.is_empty() || config.key_options.ignore_ksk {
        return Ok(at_hand);
    }
    let keys: Vec<RecordRef<'_>> = records
        .iter()
        .filter(|record| record.rtype == RecordType::DNSKEY)
        .map(|record| RecordRef {
            rtype: record.rtype,
            ttl: record.ttl.min(config.max_ttl.unwrap_or(u32::MAX)),
            rdata: &record.rdata,
            locus: Locus::default(),
        })
        .collect();
    let kept = retention.kept_over_dnskey(config.origin.borrow(), Class::IN, &keys, rrsigs, supplied);
    if kept.iter().any(secure_entry) {
        return Ok(true);
    }
    if config.key_options.insist == Insist::Yes {
        return Ok(false);
    }
    Err(Error::Input(format!(
        "{} is not at hand, and no valid signature of it over the DNSKEY set is: sign where its private half is, give \
         --dnskey-set FILE with a set signed there, or --reuse OLD with an earlier output",
        offline.join(", ")
    )))
}
