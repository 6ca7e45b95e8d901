//! The verifier over a zone that is signed in memory: partition by partition on one thread, as the program has it on all.

use dnssec_sign::verify::{Expectations, Level, SepFlag, survey_apex, verify_partition};
use dnssec_sign::{
    Fate, KeyStore, Name, NameRef, NodeList, RecordType, SignatureBuf, Signer, Sink, SoftwareKeys, ToBeSigned,
    ZoneFault, ZoneSigner,
};
use zone_io::{BuiltZone, Loaded, ZoneBuilder, lookup, merge_range, splitters};

use crate::signed::{PARTITION, context, plan};

/// Puts what is planned into a zone, with its signatures.
struct Signing {
    builder: ZoneBuilder,
    owner: Name,
    signer: Box<dyn Signer>,
    message: Vec<u8>,
    signature: SignatureBuf,
}

impl Sink for Signing {
    fn owner(&mut self, owner: NameRef<'_>) {
        self.owner = owner.to_name();
    }

    fn record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        let pushed = self.builder.push(self.owner.borrow(), ttl, rtype, rdata);
        pushed.expect("a planned record is one");
    }

    fn sign(&mut self, signer: &ZoneSigner, ttl: u32, head: &[u8], set: &[u8]) {
        self.message.clear();
        self.message.extend_from_slice(head);
        self.message.extend_from_slice(set);
        let data = ToBeSigned::new(&self.message);
        let signed = self.signer.sign(signer.index, &data, &mut self.signature);
        signed.expect("a software key signs");
        self.message.truncate(head.len());
        self.message.extend_from_slice(self.signature.bytes());
        let pushed = self
            .builder
            .push(self.owner.borrow(), ttl, RecordType::RRSIG, &self.message);
        pushed.expect("a signature is a record");
    }

    fn decided(&mut self, _: NameRef<'_>, _: RecordType, _: u8, _: u16, _: Fate) {}

    fn chain_name(&mut self, _: ([u8; 20], u64), _: &[u8]) {}

    fn fault(&mut self, fault: ZoneFault) {
        panic!("the fixture is a good zone: {fault:?}");
    }
}

/// The zone with an NSEC chain and every signature.
///
/// # Panics
/// When a key does not sign.
#[must_use]
pub fn signed(loaded: &Loaded, keys: &SoftwareKeys) -> BuiltZone {
    let mut signing = Signing {
        builder: ZoneBuilder::new(loaded.origin.clone()),
        owner: loaded.origin.clone(),
        signer: keys.signer().expect("a software key signs"),
        message: Vec::new(),
        signature: SignatureBuf::default(),
    };
    plan(loaded, &context(loaded, keys, false), &mut signing);
    signing.builder.finish()
}

/// How many records and signatures the first `most` partitions have: judged at this level.
///
/// # Panics
/// When the zone has no apex.
#[must_use]
pub fn verified(zone: &BuiltZone, level: Level, most: usize) -> (u64, u64) {
    // Within the times of the context.
    let mut expectations = Expectations::new(zone.origin.clone(), 1_700_000_001);
    expectations.level = level;
    expectations.sep_flag = SepFlag::Ignored;
    let mut nodes = NodeList::new();
    assert!(
        lookup(&zone.runs, zone.origin.borrow(), &[], &mut nodes),
        "a zone has an apex"
    );
    let facts = survey_apex(nodes.node(0), &expectations).expect("the zone is signed");
    let borders = splitters(&zone.runs, PARTITION);
    let (mut lower, mut counts): (&[u8], _) = (&[], (0, 0));
    for upper in borders.iter().map(Some).chain([None]).take(most) {
        let upper = upper.map(Vec::as_slice);
        nodes.clear();
        merge_range(&zone.runs, zone.origin.borrow(), lower, upper, &mut nodes);
        let verdict = verify_partition(&nodes, None, &facts);
        counts.0 += nodes.record_count() as u64;
        counts.1 += verdict.counts().verified;
        lower = upper.unwrap_or_default();
    }
    counts
}
