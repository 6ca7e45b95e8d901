//! What tells the parent of keys: CDS and CDNSKEY at the apex, by the dates of the keys, and the `dsset-` file. Their
//! RDATA is `dnssec_sign`'s.

use std::path::Path;

use dnssec_sign::{
    DigestType, KeyCandidate, KeySet, KeySetEntry, KeyTimes, Node, OwnedRecord, RecordRef, RecordStates, RecordType,
    delete_records, sync_records,
};
use zone_io::AtomicFile;

use crate::config::{SignConfig, SyncRecords};
use crate::error::Error;

/// The CDS and CDNSKEY records of the apex.
///
/// # Errors
/// [`Error::Input`] when a delete form is not alone.
pub(crate) fn records(
    apex: &Node<'_>,
    set: &KeySet,
    candidates: &[KeyCandidate],
    config: &SignConfig,
    now: u32,
) -> Result<Vec<OwnedRecord>, Error> {
    match &config.sync {
        SyncRecords::Delete => Ok(delete_records(set.ttl())),
        SyncRecords::Kinds(kinds) => {
            let existing: Vec<RecordRef<'_>> = [RecordType::CDS, RecordType::CDNSKEY]
                .into_iter()
                .flat_map(|rtype| apex.set(rtype))
                .copied()
                .collect();
            let announced = set
                .entries()
                .iter()
                .filter(|entry| entry.published && !entry.dnskey.is_revoked())
                .map(|entry| (&entry.dnskey, times(entry, candidates)));
            sync_records(config.origin.borrow(), &existing, set.ttl(), announced, kinds, now)
                .map_err(|error| Error::Input(error.to_string()))
        }
    }
}

/// The dates of a key, from whichever candidate has them. Where the state of its DS is known that counts: it is announced while the DS
/// is to be seen.
fn times(entry: &KeySetEntry, candidates: &[KeyCandidate]) -> KeyTimes {
    let unrevoked = entry.dnskey.unrevoked();
    let candidate = candidates
        .iter()
        .filter(|candidate| candidate.dnskey.unrevoked() == unrevoked)
        .find(|candidate| candidate.times != KeyTimes::default() || candidate.states != RecordStates::default());
    let Some(candidate) = candidate else {
        return KeyTimes::default();
    };
    let (publish, delete) = match candidate.states.ds {
        Some(state) if state.is_seen() => (Some(0), None),
        Some(_) => (None, Some(0)),
        None => (candidate.times.sync_publish, candidate.times.sync_delete),
    };
    KeyTimes {
        sync_publish: publish,
        sync_delete: delete,
        ..candidate.times
    }
}

/// Writes `dsset-ORIGIN` into a folder as dnssec-signzone does: the DS records of the KSKs that are not revoked, or of all
/// keys of an algorithm without KSK, by SHA-256.
///
/// # Errors
/// [`Error::Zone`] when it cannot be written.
pub(crate) fn write_dsset(folder: &Path, set: &KeySet, config: &SignConfig) -> Result<(), Error> {
    let origin = config.origin.borrow();
    let usable = |entry: &&KeySetEntry| entry.published && entry.dnskey.is_zone_key() && !entry.dnskey.is_revoked();
    let with_ksk = |entry: &KeySetEntry| {
        let algorithm = entry.dnskey.algorithm();
        set.entries()
            .iter()
            .filter(usable)
            .any(|other| other.dnskey.is_sep() && other.dnskey.algorithm() == algorithm)
    };
    let mut text = String::new();
    for entry in set.entries().iter().filter(usable) {
        if !entry.dnskey.is_sep() && with_ksk(entry) {
            continue;
        }
        let mut ds = Vec::new();
        entry.dnskey.write_ds(origin, DigestType::Sha256, &mut ds);
        let digest = data_encoding::HEXUPPER.encode(ds.get(4..).unwrap_or_default());
        let (head, tail) = digest.split_at(digest.len().min(56));
        text.push_str(&format!(
            "{origin}\t\tIN DS {} {} {} {head} {tail}\n",
            entry.dnskey.key_tag(),
            entry.dnskey.algorithm().0,
            DigestType::Sha256.number(),
        ));
    }
    let mut file = AtomicFile::create(&folder.join(format!("dsset-{}", origin.to_name().to_folded())))?;
    file.write_all(text.as_bytes())?;
    Ok(file.publish()?)
}
