//! The stages between runs and signed text: planning with the bytes to sign, the NSEC3 chain, and signatures alone, each
//! as a function to a number that depends on all of its work.

use dnssec_sign::{
    Algorithm, Border, ChainError, Class, Earlier, Fate, Jitter, KeyIndex, KeyStore, NameRef, NodeList, Nsec3Chain,
    Nsec3Names, Nsec3Params, OwnedRecord, Planner, RecordType, SignBatch, Sink, SoftwareKey, SoftwareKeys, ZoneContext,
    ZoneFault, ZoneSigner, generate_key,
};
use rayon::ThreadPool;
use zone_io::{Loaded, lookup, merge_range, splitters};

/// Records a partition, as the program has them.
pub(crate) const PARTITION: usize = 4096;

/// A key of P-256 as a store.
///
/// # Panics
/// When there is no randomness.
#[must_use]
pub fn signer_keys() -> SoftwareKeys {
    let (dnskey, fields) = generate_key(256, Algorithm::ECDSAP256SHA256, None).expect("a key can be made");
    SoftwareKeys::new(vec![
        SoftwareKey::new(dnskey, &fields).expect("a key that was made can sign"),
    ])
}

/// What is decided of a zone before its first partition; `nsec3` with opt-out, else NSEC.
///
/// # Panics
/// When the zone has no apex.
#[must_use]
pub fn context(loaded: &Loaded, keys: &SoftwareKeys, opt_out: bool) -> ZoneContext {
    let dnskey = &keys.keys()[0];
    let signer = ZoneSigner {
        store: 0,
        index: KeyIndex(0),
        algorithm: dnskey.algorithm().0,
        key_tag: dnskey.key_tag(),
        signature_length: 64,
    };
    let mut apex = NodeList::new();
    assert!(
        lookup(&loaded.runs, loaded.origin.borrow(), &[], &mut apex),
        "a zone has an apex"
    );
    let soa = apex.node(0).set(RecordType::SOA)[0];
    ZoneContext {
        origin: loaded.origin.clone(),
        class: Class::IN,
        negative_ttl: soa.ttl,
        nsec3: opt_out.then(|| Nsec3Params {
            iterations: 0,
            salt: Vec::new(),
            opt_out: true,
        }),
        apex: vec![
            OwnedRecord {
                rtype: RecordType::SOA,
                ttl: soa.ttl,
                rdata: soa.rdata.to_vec(),
            },
            OwnedRecord {
                rtype: RecordType::DNSKEY,
                ttl: soa.ttl,
                rdata: dnskey.rdata().to_vec(),
            },
        ],
        key_signers: vec![signer],
        sync_signers: vec![signer],
        zone_signers: vec![signer],
        inception: 1_700_000_000,
        expiration: 1_702_592_000,
        dnskey_expiration: 1_702_592_000,
        jitter: Jitter::default(),
        max_ttl: u32::MAX,
        retention: None,
        supplied: Vec::new(),
        sync: None,
    }
}

/// What a plan came to.
#[derive(Debug, Default)]
pub struct Counted {
    /// Records written.
    pub records: u64,
    /// Bytes to sign, and how many signatures they are for.
    pub to_sign: (u64, u64),
    /// Names of the NSEC3 chain.
    pub names: Nsec3Names,
}

impl Sink for Counted {
    fn owner(&mut self, _: NameRef<'_>) {}

    fn record(&mut self, _: RecordType, _: u32, _: &[u8]) {
        self.records += 1;
    }

    fn sign(&mut self, _: &ZoneSigner, _: u32, head: &[u8], set: &[u8]) {
        self.to_sign.0 += (head.len() + set.len()) as u64;
        self.to_sign.1 += 1;
    }

    fn decided(&mut self, _: NameRef<'_>, _: RecordType, _: u8, _: u16, _: Fate) {}

    fn chain_name(&mut self, hash: ([u8; 20], u64), bitmap: &[u8]) {
        self.names.add(hash, bitmap);
    }

    fn fault(&mut self, fault: ZoneFault) {
        panic!("the fixture is a good zone: {fault:?}");
    }
}

/// Merge and plan, partition by partition, on one thread; cuts are those of a zone whose partitions begin below the apex.
#[must_use]
pub fn planned(loaded: &Loaded, context: &ZoneContext) -> Counted {
    let mut counted = Counted::default();
    plan(loaded, context, &mut counted);
    counted
}

/// The same into any sink.
pub(crate) fn plan(loaded: &Loaded, context: &ZoneContext, sink: &mut impl Sink) {
    let borders = splitters(&loaded.runs, PARTITION);
    let mut planner = Planner::new(context);
    let mut nodes = NodeList::new();
    let mut lower: &[u8] = &[];
    for upper in borders.iter().map(Some).chain([None]) {
        nodes.clear();
        merge_range(
            &loaded.runs,
            loaded.origin.borrow(),
            lower,
            upper.map(Vec::as_slice),
            &mut nodes,
        );
        planner.plan(&nodes, Earlier::default(), &Border::default(), sink);
        lower = upper.map_or(&[], Vec::as_slice);
    }
}

/// The NSEC3 chain sorted and linked.
///
/// # Panics
/// For two names with one hash.
#[must_use]
pub fn chain(names: Nsec3Names) -> Nsec3Chain {
    let part = names.keep(Ok::<_, ChainError>);
    let chain = part.and_then(|part| Nsec3Chain::build([part], Ok::<_, ChainError>));
    chain.expect("no two names have one hash")
}

/// The bytes to sign of a chain's records.
#[must_use]
pub fn linked(chain: &Nsec3Chain, context: &ZoneContext) -> Counted {
    let mut counted = Counted::default();
    Planner::new(context).plan_chain(chain, 0..chain.len(), Earlier::default(), &mut counted);
    counted
}

/// The bare signing loop on all threads of a pool: each signs so many messages of 200 bytes. What the program is held against.
///
/// # Panics
/// When a key does not sign.
#[must_use]
pub fn signatures(keys: &SoftwareKeys, each: u32, pool: &ThreadPool) -> usize {
    let lengths = pool.broadcast(|_| {
        let mut signer = keys.signer().expect("a software key signs");
        let mut batch = SignBatch::new();
        for number in 0..each {
            batch.add(KeyIndex(0), |message| {
                message.resize(200, 0);
                message[..4].copy_from_slice(&number.to_be_bytes());
            });
        }
        signer.sign_batch(&mut batch).expect("a software key signs");
        batch.signature(each - 1).len()
    });
    lengths.into_iter().sum()
}
