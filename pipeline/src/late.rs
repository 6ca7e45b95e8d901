//! What is put into the apex last, when all else is written: the signature over the SOA, where it depends on whether
//! anything changed, and ZONEMD with its own. Both have holes of fixed width in the text of the first partition.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dnssec_sign::{Class, Fate, NameRef, RecordType, ZoneSigner, ZonemdHash, write_signed_record};
use rayon::ThreadPool;

use crate::emit::Emission;
use crate::error::Error;
use crate::partition::Partitions;
use crate::rounds::{Chain, Work};
use crate::signing::{Hall, Round, Written};
use crate::verify::refuse;
use crate::zonemd;

/// Which signatures of the apex wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waiting {
    pub(crate) soa: bool,
    pub(crate) zonemd: bool,
}

impl Waiting {
    /// Whether signatures over sets of this type wait.
    pub(crate) fn holds(self, rtype: RecordType) -> bool {
        self.soa && rtype == RecordType::SOA || self.zonemd && rtype == RecordType::ZONEMD
    }

    pub(crate) fn any(self) -> bool {
        self.soa || self.zonemd
    }
}

/// A signature to be made: where its base64 goes in the output, and the bytes to sign.
#[derive(Debug, Clone)]
pub(crate) struct LateSignature {
    pub(crate) at: u64,
    pub(crate) signer: ZoneSigner,
    pub(crate) rtype: RecordType,
    pub(crate) head: Vec<u8>,
    pub(crate) set: Vec<u8>,
}

/// What the first partition left open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) signatures: Vec<LateSignature>,
    /// Where the hexadecimal digests of the ZONEMD records go, in the order of the records.
    pub(crate) digests: Vec<u64>,
    pub(crate) fates: Vec<Fate>,
    pub(crate) explanation: String,
}

/// What is open, and where each partition stands in the output.
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) waiting: Waiting,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Open,
    ranges: Vec<Range<u64>>,
}

impl Late {
    pub(crate) fn new(waiting: Waiting) -> Self {
        Self {
            waiting,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where a partition stands; the first one's holes become places in the output, which it begins.
    pub(crate) fn written(&self, index: usize, range: Range<u64>, open: Open) {
        if !self.waiting.any() {
            return;
        }
        let mut state = self.state();
        if index == 0 {
            state.open = open;
        }
        if state.ranges.len() <= index {
            state.ranges.resize(index + 1, 0..0);
        }
        state.ranges[index] = range;
    }

    /// Where a partition stands.
    pub(crate) fn range(&self, index: usize) -> Range<u64> {
        self.state().ranges.get(index).cloned().unwrap_or_default()
    }
}

/// Makes what waited: the SOA's signatures, then the digests of the zone with them, then the ZONEMD's signatures.
///
/// # Errors
/// Those of signing, reading and writing.
pub(crate) fn finish(
    work: Work<'_>,
    partitions: &Partitions<'_>,
    chain: Option<&Chain<'_>>,
    hashes: &[ZonemdHash],
    hall: &Hall<'_>,
    pool: &ThreadPool,
) -> Result<(), Error> {
    let open = std::mem::take(&mut work.late.state().open);
    work.tally.count_fates(&open.fates);
    if !open.explanation.is_empty() {
        work.observer.explain(&open.explanation);
    }
    let (over_zonemd, others): (Vec<_>, Vec<_>) = open
        .signatures
        .into_iter()
        .partition(|signature| signature.rtype == RecordType::ZONEMD);
    sign(work, others, hall, pool)?;
    if work.output.is_counted() {
        return sign(work, over_zonemd, hall, pool);
    }
    if work.late.waiting.zonemd {
        let digests = zonemd::digests(&work, partitions, chain, hashes, pool)?;
        for (digest, at) in digests.iter().zip(&open.digests) {
            let text = data_encoding::HEXUPPER.encode(digest);
            work.output.write_at(text.as_bytes(), *at)?;
        }
        let set = zonemd_set(&work, hashes, &digests);
        let signatures = over_zonemd.into_iter().map(|signature| LateSignature {
            set: set.clone(),
            ..signature
        });
        sign(work, signatures.collect(), hall, pool)?;
    }
    match work.verification {
        Some(verification) => {
            let facts = verification.verify_apex(work.output)?;
            match facts.filter(|_| work.late.waiting.zonemd && verification.is_full()) {
                Some(facts) => refuse(&zonemd::verify(&work, partitions, chain, facts, pool)?),
                None => Ok(()),
            }
        }
        None => Ok(()),
    }
}

/// The ZONEMD set as it is signed.
fn zonemd_set(work: &Work<'_>, hashes: &[ZonemdHash], digests: &[Vec<u8>]) -> Vec<u8> {
    let mut set = Vec::new();
    let origin: NameRef<'_> = work.context.origin.borrow();
    let planned = work
        .context
        .apex
        .iter()
        .filter(|record| record.rtype == RecordType::ZONEMD);
    for ((record, hash), digest) in planned.zip(hashes).zip(digests) {
        let serial = record.rdata.first_chunk::<4>().copied().unwrap_or_default();
        let rdata = hash.rdata(u32::from_be_bytes(serial), digest);
        write_signed_record(origin, RecordType::ZONEMD, Class::IN, record.ttl, &rdata, &mut set);
    }
    set
}

fn sign(work: Work<'_>, signatures: Vec<LateSignature>, hall: &Hall<'_>, pool: &ThreadPool) -> Result<(), Error> {
    if signatures.is_empty() {
        return Ok(());
    }
    hall.run(&LateRound { work, signatures }, pool, work.observer)
}

/// A round of one partition: the late signatures.
struct LateRound<'a> {
    work: Work<'a>,
    signatures: Vec<LateSignature>,
}

impl Round for LateRound<'_> {
    type Scratch = ();

    fn len(&self) -> usize {
        1
    }

    fn scratch(&self) -> Self::Scratch {}

    fn plan(&self, _: usize, text: Vec<u8>, (): &mut Self::Scratch) -> Result<Emission, Error> {
        Ok(Emission::of_signatures(&self.signatures, text))
    }

    fn write(&self, _: usize, emission: Emission) -> Result<(Vec<u8>, Written), Error> {
        self.work.tally.count(&emission);
        let mut lines = emission.text.split(|&byte| byte == b'\n');
        for signature in &self.signatures {
            if let Some(line) = lines.next() {
                self.work.output.write_at(line, signature.at)?;
            }
        }
        Ok((emission.text, Written::Done))
    }

    fn verify(&self, _: usize, (): &mut Self::Scratch) -> Result<(), Error> {
        Ok(())
    }
}
