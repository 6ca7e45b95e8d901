//! A planned partition as text with holes: every record is rendered while its node is at hand, RRSIGs with room
//! for a signature of the known length; the signatures are put into their holes when they come back.

use base64_simd::{Out, STANDARD};
use dnssec_sign::{
    Algorithm, Class, Fate, KeyIndex, NameRef, Nsec3Names, RecordType, SignBatch, Sink, ZoneFault, ZoneSigner,
};
use zone_io::OwnerLines;

use crate::error::Error;
use crate::late::{LateSignature, Open, Waiting};
use crate::tally::{DAY, earlier};

/// So many jobs go to a store together: enough to make the way there cheap, few enough that every session gets some.
const JOBS_PER_BATCH: usize = 64;

/// Where a signature goes: its place in the text, and the job that makes it.
#[derive(Debug, Clone, Copy)]
struct Hole {
    at: usize,
    batch: u32,
    job: u32,
}

/// Jobs for one store.
#[derive(Debug)]
pub(crate) struct StoreBatch {
    pub(crate) store: usize,
    pub(crate) jobs: SignBatch,
}

/// Whether sets are signed: not any more once the zone turned out to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    On,
    Off,
}

/// What a partition comes to.
#[derive(Debug, Default)]
pub(crate) struct Emission {
    pub(crate) text: Vec<u8>,
    holes: Vec<Hole>,
    /// The jobs, to be sent to their stores and put back in the same places.
    pub(crate) batches: Vec<StoreBatch>,
    /// Names for the NSEC3 chain.
    pub(crate) chain: Nsec3Names,
    pub(crate) faults: Vec<ZoneFault>,
    pub(crate) records: u64,
    /// The largest TTL.
    pub(crate) max_ttl: u32,
    /// When the first signature ends.
    pub(crate) expiry: Option<u32>,
    /// Records by type.
    pub(crate) types: Vec<(RecordType, u64)>,
    /// Signatures by the day since 1970 that they end on.
    pub(crate) days: Vec<(u32, u64)>,
    /// What became of signatures, by [`Fate::number`].
    pub(crate) fates: [u64; Fate::ALL.len()],
    /// The same one by one, where that was asked for.
    pub(crate) explanation: String,
    /// What is put in at the end of the run, places counted from the start of the text.
    pub(crate) open: Open,
}

/// Whether each signature is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explain {
    Yes,
    No,
}

/// Renders one partition: the sink of its planner.
pub(crate) struct Renderer<'a> {
    emission: Emission,
    signing: Signing,
    explain: Explain,
    waiting: Waiting,
    /// The batch that each store's next job goes into.
    open: Vec<Option<u32>>,
    scratch: &'a mut Scratch,
}

/// What a worker's renderers share, one after another.
#[derive(Debug)]
pub(crate) struct Scratch {
    lines: OwnerLines,
    rdata: Vec<u8>,
    /// Records of the partition, by the number of the type where that is small.
    small_types: [u64; SMALL_TYPES],
    large_types: Vec<(RecordType, u64)>,
    days: Vec<(u32, u64)>,
}

/// Types below this are counted by number.
const SMALL_TYPES: usize = 260;

/// Adds one to a key's count. There are few keys, and mostly it is the last one again.
fn count<K: PartialEq>(counts: &mut Vec<(K, u64)>, key: K) {
    match counts.iter_mut().rev().find(|(other, _)| *other == key) {
        Some((_, count)) => *count += 1,
        None => counts.push((key, 1)),
    }
}

impl Scratch {
    pub(crate) fn new(class: Class) -> Self {
        Self {
            lines: OwnerLines::new(class),
            rdata: Vec::new(),
            small_types: [0; SMALL_TYPES],
            large_types: Vec::new(),
            days: Vec::new(),
        }
    }
}

impl<'a> Renderer<'a> {
    /// A renderer into `text`, whose memory is used again.
    pub(crate) fn new(
        stores: usize,
        signing: Signing,
        explain: Explain,
        mut text: Vec<u8>,
        scratch: &'a mut Scratch,
    ) -> Self {
        text.clear();
        Self {
            emission: Emission {
                text,
                ..Emission::default()
            },
            signing,
            explain,
            waiting: Waiting::default(),
            open: vec![None; stores],
            scratch,
        }
    }

    /// The partition of the apex, some of whose signatures wait for the end of the run.
    pub(crate) fn with_waiting(mut self, waiting: Waiting) -> Self {
        self.waiting = waiting;
        self
    }

    /// Notes when a signature ends, by its RDATA (RFC 4034 3.1).
    fn note_expiry(&mut self, rdata: &[u8]) {
        if let Some(&[a, b, c, d]) = rdata.get(8..12) {
            let end = u32::from_be_bytes([a, b, c, d]);
            let least = self.emission.expiry.map_or(end, |least| earlier(least, end));
            self.emission.expiry = Some(least);
            count(&mut self.scratch.days, end / DAY);
        }
    }

    fn note_type(&mut self, rtype: RecordType) {
        match self.scratch.small_types.get_mut(usize::from(rtype.0)) {
            Some(count) => *count += 1,
            None => count(&mut self.scratch.large_types, rtype),
        }
    }

    pub(crate) fn finish(self) -> Emission {
        let Scratch {
            small_types,
            large_types,
            days,
            ..
        } = self.scratch;
        let mut emission = self.emission;
        for (number, count) in (0..).zip(&mut *small_types).filter(|(_, count)| **count > 0) {
            emission.types.push((RecordType(number), std::mem::take(count)));
        }
        emission.types.append(large_types);
        emission.days.append(days);
        emission
    }
}

impl Sink for Renderer<'_> {
    fn owner(&mut self, owner: NameRef<'_>) {
        self.scratch.lines.set_owner(owner);
    }

    fn record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        self.scratch
            .lines
            .write_record(ttl, rtype, rdata, &mut self.emission.text);
        self.emission.records += 1;
        self.note_type(rtype);
        self.emission.max_ttl = self.emission.max_ttl.max(ttl);
        if rtype == RecordType::RRSIG {
            self.note_expiry(rdata);
        }
        if rtype == RecordType::ZONEMD && self.waiting.holds(rtype) {
            // The digest is the last field, behind serial, scheme and hash.
            let digits = 2 * rdata.len().saturating_sub(6);
            let at = self.emission.text.len().saturating_sub(1 + digits);
            self.emission.open.digests.push(at as u64);
        }
    }

    fn decided(&mut self, owner: NameRef<'_>, rtype: RecordType, algorithm: u8, key_tag: u16, fate: Fate) {
        let late = self.waiting.holds(rtype) && matches!(fate, Fate::Made(_));
        if late {
            self.emission.open.fates.push(fate);
        } else {
            self.emission.fates[fate.number()] += 1;
        }
        if self.explain == Explain::Yes {
            let line = format!("{owner} {rtype} {}/{key_tag}: {}\n", Algorithm(algorithm), fate.word());
            if late {
                self.emission.open.explanation.push_str(&line);
            } else {
                self.emission.explanation.push_str(&line);
            }
        }
    }

    fn sign(&mut self, signer: &ZoneSigner, ttl: u32, head: &[u8], set: &[u8]) {
        if self.signing == Signing::Off {
            return;
        }
        self.note_expiry(head);
        let Scratch { lines, rdata, .. } = &mut *self.scratch;
        rdata.clear();
        rdata.extend_from_slice(head);
        rdata.resize(head.len() + signer.signature_length, 0);
        lines.write_record(ttl, RecordType::RRSIG, rdata, &mut self.emission.text);
        self.emission.records += 1;
        self.note_type(RecordType::RRSIG);
        // The signature is the last field: its base64 ends at the line's end.
        let at = self.emission.text.len() - 1 - base64_length(signer.signature_length);
        let covered = head
            .first_chunk::<2>()
            .map_or(0, |covered| u16::from_be_bytes(*covered));
        if self.waiting.holds(RecordType(covered)) {
            self.emission.open.signatures.push(LateSignature {
                at: at as u64,
                signer: *signer,
                rtype: RecordType(covered),
                head: head.to_vec(),
                set: set.to_vec(),
            });
            return;
        }
        let batches = &mut self.emission.batches;
        let number = match self.open[signer.store] {
            Some(number) if batches[number as usize].jobs.len() < JOBS_PER_BATCH => number,
            _ => {
                let number = u32::try_from(batches.len()).unwrap_or(u32::MAX);
                batches.push(StoreBatch {
                    store: signer.store,
                    jobs: SignBatch::with_capacity(JOBS_PER_BATCH),
                });
                self.open[signer.store] = Some(number);
                number
            }
        };
        let job = batches[number as usize].jobs.add(signer.index, |message| {
            message.extend_from_slice(head);
            message.extend_from_slice(set);
        });
        self.emission.holes.push(Hole { at, batch: number, job });
    }

    fn chain_name(&mut self, hash: ([u8; 20], u64), bitmap: &[u8]) {
        self.emission.chain.add(hash, bitmap);
    }

    fn fault(&mut self, fault: ZoneFault) {
        self.emission.faults.push(fault);
    }
}

impl Emission {
    /// Jobs whose text is nothing but their signatures, one a line.
    pub(crate) fn of_signatures(signatures: &[LateSignature], mut text: Vec<u8>) -> Self {
        text.clear();
        let mut emission = Self::default();
        for signature in signatures {
            let at = text.len();
            text.resize(at + base64_length(signature.signer.signature_length), b'A');
            text.push(b'\n');
            let mut jobs = SignBatch::new();
            let job = jobs.add(signature.signer.index, |message| {
                message.extend_from_slice(&signature.head);
                message.extend_from_slice(&signature.set);
            });
            let batch = u32::try_from(emission.batches.len()).unwrap_or(u32::MAX);
            emission.batches.push(StoreBatch {
                store: signature.signer.store,
                jobs,
            });
            emission.holes.push(Hole { at, batch, job });
        }
        emission.text = text;
        emission
    }

    /// Puts the signatures into their holes.
    ///
    /// # Errors
    /// [`Error::Token`] when a store delivered a signature of another length than its key's.
    pub(crate) fn fill(&mut self) -> Result<(), Error> {
        for hole in &self.holes {
            let batch = &self.batches[hole.batch as usize];
            let signature = batch.jobs.signature(hole.job);
            let length = base64_length(signature.len());
            let room = &mut self.text[hole.at..];
            if signature.is_empty() || room.get(length) != Some(&b'\n') {
                return Err(Error::Token(format!(
                    "key number {} of store {} delivered a signature of {} bytes, which is not the length of its algorithm",
                    batch.jobs.key(hole.job).0,
                    batch.store,
                    signature.len()
                )));
            }
            let _ = STANDARD.encode(signature, Out::from_slice(&mut room[..length]));
        }
        Ok(())
    }

    /// The signatures of each batch by key, a key possibly more than once: (store, key, signatures in a row).
    pub(crate) fn signatures(&self) -> impl Iterator<Item = (usize, KeyIndex, u64)> {
        self.batches
            .iter()
            .flat_map(|batch| batch.jobs.keys().map(|(key, count)| (batch.store, key, count)))
    }
}

fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}
