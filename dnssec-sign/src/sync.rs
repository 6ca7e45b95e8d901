//! CDS and CDNSKEY of the apex (RFC 7344, RFC 8078): what the zone has, what the keys' dates add and take away, or the
//! delete forms alone. Who signs them is the key set's to say.

use std::str::FromStr;

use crate::algorithm::DigestType;
use crate::dnskey::Dnskey;
use crate::keyset::KeyTimes;
use crate::name::NameRef;
use crate::plan::OwnedRecord;
use crate::record::RecordRef;
use crate::rtype::RecordType;

/// CDS that asks the parent to remove all DS records (RFC 8078 4): key tag, algorithm, digest type 0, one byte 0.
const DELETE_CDS: [u8; 5] = [0, 0, 0, 0, 0];
/// CDNSKEY of the same meaning: flags 0, protocol 3, algorithm 0, one byte 0.
const DELETE_CDNSKEY: [u8; 5] = [0, 0, 3, 0, 0];

/// A record by which a key is announced to the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncKind {
    /// The key itself.
    Cdnskey,
    /// Its digest.
    Cds(DigestType),
}

/// The text is no kind of sync record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sync record: write cdnskey, cds:sha-256 or cds:sha-384")]
pub struct UnknownSyncKind;

impl FromStr for SyncKind {
    type Err = UnknownSyncKind;

    /// BIND's words of `-G`, in any letter case.
    fn from_str(text: &str) -> Result<Self, UnknownSyncKind> {
        match text.to_ascii_lowercase().as_str() {
            "cdnskey" => Ok(Self::Cdnskey),
            "cds:sha-256" | "cds:sha256" | "cds:2" => Ok(Self::Cds(DigestType::Sha256)),
            "cds:sha-384" | "cds:sha384" | "cds:4" => Ok(Self::Cds(DigestType::Sha384)),
            _ => Err(UnknownSyncKind),
        }
    }
}

/// A delete form beside other records of its set (RFC 8078 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {0} record that asks the parent to remove all DS records stands beside others: it stands alone")]
pub struct DeleteNotAlone(pub RecordType);

/// The delete forms, and nothing else: the zone is to become insecure.
#[must_use]
pub fn delete_records(ttl: u32) -> Vec<OwnedRecord> {
    let record = |rtype, rdata: [u8; 5]| OwnedRecord {
        rtype,
        ttl,
        rdata: rdata.to_vec(),
    };
    vec![
        record(RecordType::CDS, DELETE_CDS),
        record(RecordType::CDNSKEY, DELETE_CDNSKEY),
    ]
}

/// The CDS and CDNSKEY records of the apex: those of the input, `existing`, without those of keys whose SyncDelete has
/// passed, and with those of keys whose SyncPublish has. `keys` are the published keys that are not revoked. A new
/// set has the TTL `ttl`, a set that is there keeps its own.
///
/// # Errors
/// [`DeleteNotAlone`].
pub fn sync_records<'a>(
    origin: NameRef<'_>,
    existing: &[RecordRef<'_>],
    ttl: u32,
    keys: impl Iterator<Item = (&'a Dnskey, KeyTimes)>,
    kinds: &[SyncKind],
    now: u32,
) -> Result<Vec<OwnedRecord>, DeleteNotAlone> {
    let mut records: Vec<OwnedRecord> = existing
        .iter()
        .map(|record| OwnedRecord {
            rtype: record.rtype,
            ttl: record.ttl,
            rdata: record.rdata.to_vec(),
        })
        .collect();
    let passed = |date: Option<u32>| date.is_some_and(|date| date <= now);
    for (dnskey, times) in keys {
        if passed(times.sync_delete) {
            records.retain(|record| !announces(record, origin, dnskey));
        } else if passed(times.sync_publish) {
            for kind in kinds {
                let (rtype, rdata) = announcement(*kind, origin, dnskey);
                if !records
                    .iter()
                    .any(|record| record.rtype == rtype && record.rdata == rdata)
                {
                    let old = records.iter().find(|record| record.rtype == rtype);
                    let ttl = old.map_or(ttl, |old| old.ttl);
                    records.push(OwnedRecord { rtype, ttl, rdata });
                }
            }
        }
    }
    for (rtype, form) in [(RecordType::CDS, DELETE_CDS), (RecordType::CDNSKEY, DELETE_CDNSKEY)] {
        let mut set = records.iter().filter(|record| record.rtype == rtype);
        if set.clone().count() > 1 && set.any(|record| record.rdata == form) {
            return Err(DeleteNotAlone(rtype));
        }
    }
    Ok(records)
}

fn announcement(kind: SyncKind, origin: NameRef<'_>, dnskey: &Dnskey) -> (RecordType, Vec<u8>) {
    match kind {
        SyncKind::Cdnskey => (RecordType::CDNSKEY, dnskey.rdata().to_vec()),
        SyncKind::Cds(digest) => {
            let mut rdata = Vec::new();
            dnskey.write_ds(origin, digest, &mut rdata);
            (RecordType::CDS, rdata)
        }
    }
}

/// Whether a record is of this key, by whichever digest.
fn announces(record: &OwnedRecord, origin: NameRef<'_>, dnskey: &Dnskey) -> bool {
    let same = |kind| {
        let (rtype, rdata) = announcement(kind, origin, dnskey);
        record.rtype == rtype && record.rdata == rdata
    };
    // A SHA-1 digest is not made here: tag and algorithm tell.
    let [high, low] = dnskey.key_tag().to_be_bytes();
    let by_sha1 = record.rtype == RecordType::CDS && record.rdata.starts_with(&[high, low, dnskey.algorithm().0, 1]);
    by_sha1
        || same(SyncKind::Cdnskey)
        || same(SyncKind::Cds(DigestType::Sha256))
        || same(SyncKind::Cds(DigestType::Sha384))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::name::Name;
    use crate::record::Locus;

    #[test]
    fn dates_add_and_take_away() {
        let origin: Name = "a.".parse().unwrap();
        let key = Dnskey::new(257, Algorithm::ED25519, &[7; 32]).unwrap();
        let kinds = [SyncKind::Cdnskey, "CDS:SHA-256".parse().unwrap()];
        let with = |existing: &[OwnedRecord], publish, delete, now| {
            let existing: Vec<RecordRef<'_>> = existing
                .iter()
                .map(|record| RecordRef {
                    rtype: record.rtype,
                    ttl: record.ttl,
                    rdata: &record.rdata,
                    locus: Locus::default(),
                })
                .collect();
            let times = KeyTimes {
                sync_publish: publish,
                sync_delete: delete,
                ..KeyTimes::default()
            };
            sync_records(origin.borrow(), &existing, 60, [(&key, times)].into_iter(), &kinds, now)
        };
        assert_eq!(with(&[], Some(5), None, 4).unwrap(), []);
        let made = with(&[], Some(5), None, 5).unwrap();
        assert_eq!(made.len(), 2);
        assert_eq!(with(&made, Some(5), Some(9), 8).unwrap(), made);
        assert_eq!(with(&made, None, None, 8).unwrap(), made);
        assert_eq!(with(&made, Some(5), Some(9), 9).unwrap(), []);
        let delete = delete_records(60);
        assert_eq!(with(&delete, None, None, 5).unwrap(), delete);
        assert_eq!(with(&delete, Some(5), None, 5), Err(DeleteNotAlone(RecordType::CDS)));
    }
}
