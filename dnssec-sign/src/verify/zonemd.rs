//! ZONEMD checked (RFC 8976): the zone's nodes in canonical order into the digests that its ZONEMD records name. The
//! makers of ZONEMD share nothing with this file. Whether the ZONEMD set itself is signed is judged with all other sets.

use super::apex::{ApexFacts, soa_serial};
use super::canonical::write_rdata;
use super::expectations::Expectations;
use super::finding::Finding;
use super::folded::FoldedName;
use super::rrsig::Rrsig;
use super::rule::Rule;
use crate::record::{Locus, Node, RecordRef};
use crate::rtype::{Class, RecordType};
use aws_lc_rs::digest::{Algorithm, Context, SHA384, SHA512};

/// One ZONEMD record that is checked: of scheme SIMPLE, by a hash that is known, its serial the SOA's.
#[derive(Debug, Clone)]
pub(super) struct Zonemd {
    hash: &'static Algorithm,
    digest: Box<[u8]>,
    locus: Locus,
}

/// The ZONEMD records of the apex that are checked; about the others it says why they are not.
pub(super) fn read(records: &[RecordRef<'_>], serial: u32, mut fault: impl FnMut(Rule, Locus, String)) -> Vec<Zonemd> {
    let mut checked = Vec::new();
    let mut seen = Vec::new();
    for record in records {
        let locus = record.locus;
        let [a, b, c, d, scheme, hash, digest @ ..] = record.rdata else {
            fault(Rule::ZonemdMalformed, locus, "the record is cut off".to_owned());
            continue;
        };
        if seen.contains(&(scheme, hash)) {
            // RFC 8976 2.2.2: none of them may be used.
            let detail = format!("several records of scheme {scheme} and hash algorithm {hash}");
            fault(Rule::ZonemdNotSingle, locus, detail);
            continue;
        }
        seen.push((scheme, hash));
        let stated = u32::from_be_bytes([*a, *b, *c, *d]);
        if stated != serial {
            let detail = format!("it is for serial {stated}, the SOA has {serial}");
            fault(Rule::ZonemdSerial, locus, detail);
            continue;
        }
        let algorithm = match (scheme, hash) {
            (1, 1) => &SHA384,
            (1, 2) => &SHA512,
            _ => {
                let detail = format!("scheme {scheme} with hash algorithm {hash} is not known here");
                fault(Rule::ZonemdUnknown, locus, detail);
                continue;
            }
        };
        if digest.len() != algorithm.output_len() {
            let detail = format!("a digest of {} bytes, not {}", digest.len(), algorithm.output_len());
            fault(Rule::ZonemdMalformed, locus, detail);
            continue;
        }
        checked.push(Zonemd {
            hash: algorithm,
            digest: digest.into(),
            locus,
        });
    }
    checked
}

/// The digests of a zone under way. All nodes of the zone are added, NSEC3 records at their places among them.
#[derive(Debug)]
pub struct ZoneDigest {
    zonemd: Vec<Zonemd>,
    hashes: Vec<Hash>,
    origin: FoldedName,
    class: Class,
    owner: FoldedName,
    rdata: Vec<u8>,
    spans: Vec<Span>,
    message: Vec<u8>,
}

struct Hash(Context);

/// One record's canonical RDATA, and its TTL: those of RRSIGs at one name differ.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    ttl: u32,
}

impl ZoneDigest {
    /// For the ZONEMD records that the survey of the apex found; `None` when there is none to check.
    #[must_use]
    pub fn new(facts: &ApexFacts) -> Option<Self> {
        Self::of(facts.zonemd.clone(), &facts.expectations)
    }

    /// For the apex of a zone that cannot be surveyed, since it is not signed; with it, what is wrong with its ZONEMD
    /// records by themselves.
    #[must_use]
    pub fn of_unsigned(apex: Node<'_>, expectations: &Expectations) -> (Option<Self>, Vec<Finding>) {
        let Some(serial) = soa_serial(apex) else {
            return (None, Vec::new());
        };
        let mut findings = Vec::new();
        let zonemd = read(apex.set(RecordType::ZONEMD), serial, |rule, locus, detail| {
            let finding = Finding::new(rule, expectations.origin.clone(), locus, detail);
            findings.push(finding.with_type(RecordType::ZONEMD));
        });
        (Self::of(zonemd, expectations), findings)
    }

    fn of(zonemd: Vec<Zonemd>, expectations: &Expectations) -> Option<Self> {
        let hashes: Vec<_> = zonemd.iter().map(|zonemd| Hash(Context::new(zonemd.hash))).collect();
        (!hashes.is_empty()).then(|| Self {
            zonemd,
            hashes,
            origin: FoldedName::of(expectations.origin.borrow()),
            class: expectations.class,
            owner: FoldedName::root(),
            rdata: Vec::new(),
            spans: Vec::new(),
            message: Vec::new(),
        })
    }

    /// Adds the next node in canonical order.
    pub fn add(&mut self, node: Node<'_>) {
        self.owner.set(node.owner);
        let apex = self.owner.wire() == self.origin.wire();
        self.message.clear();
        for set in node.sets() {
            if let [first, ..] = set
                && !(apex && first.rtype == RecordType::ZONEMD)
            {
                self.add_set(set, first.rtype, apex);
            }
        }
        for hash in &mut self.hashes {
            hash.0.update(&self.message);
        }
    }

    fn add_set(&mut self, set: &[RecordRef<'_>], rtype: RecordType, apex: bool) {
        self.rdata.clear();
        self.spans.clear();
        for record in set {
            // RFC 8976 3.3.1: all but the apex's ZONEMD set and its signatures.
            if apex && rtype == RecordType::RRSIG && is_over_zonemd(record) {
                continue;
            }
            let start = self.rdata.len();
            if write_rdata(rtype, record.rdata, &mut self.rdata).is_err() {
                // The set's own partition says so; the digest takes the bytes as they stand.
                self.rdata.truncate(start);
                self.rdata.extend_from_slice(record.rdata);
            }
            self.spans.push(Span {
                start,
                end: self.rdata.len(),
                ttl: record.ttl,
            });
        }
        let (rdata, spans) = (&self.rdata, &mut self.spans);
        let bytes = |span: &Span| &rdata[span.start..span.end];
        spans.sort_by(|one, other| bytes(one).cmp(bytes(other)));
        spans.dedup_by(|one, other| bytes(one) == bytes(other));
        for span in spans {
            let rdata = &rdata[span.start..span.end];
            self.message.extend_from_slice(self.owner.wire());
            self.message.extend_from_slice(&rtype.0.to_be_bytes());
            self.message.extend_from_slice(&self.class.0.to_be_bytes());
            self.message.extend_from_slice(&span.ttl.to_be_bytes());
            let length = u16::try_from(rdata.len()).unwrap_or(u16::MAX);
            self.message.extend_from_slice(&length.to_be_bytes());
            self.message.extend_from_slice(rdata);
        }
    }

    /// Compares the digests with those of the records: one finding for each that differs.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (hash, zonemd) in self.hashes.into_iter().zip(&self.zonemd) {
            let digest = hash.0.finish();
            if digest.as_ref() != &*zonemd.digest {
                let detail = format!(
                    "the zone's {:?} digest is {}, the record has another",
                    zonemd.hash,
                    data_encoding::HEXUPPER.encode(digest.as_ref())
                );
                let finding = Finding::new(Rule::ZonemdDigest, self.origin.to_name(), zonemd.locus, detail);
                findings.push(finding.with_type(RecordType::ZONEMD));
            }
        }
        findings
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hash").field(&self.0.algorithm()).finish()
    }
}

fn is_over_zonemd(record: &RecordRef<'_>) -> bool {
    Rrsig::read(record).is_some_and(|rrsig| rrsig.covered == RecordType::ZONEMD)
}
