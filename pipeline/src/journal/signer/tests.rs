//! A signer that is far away gets its jobs by the handful; nothing of what it made is lost or made twice.

use dnssec_sign::{Algorithm, SoftwareKey, SoftwareKeys, generate_key};

use super::*;
use crate::config::Store;
use crate::journal::index::Index;

/// Signs by a key in memory, so many signatures and then no more, and counts how often it is called.
struct Remote {
    inner: Box<dyn Signer>,
    left: usize,
    trips: usize,
}

impl Remote {
    fn new(store: &Store, left: usize) -> Self {
        let inner = store.keys.signer().unwrap();
        Self { inner, left, trips: 0 }
    }
}

impl Signer for Remote {
    fn sign(&mut self, _: KeyIndex, _: &ToBeSigned<'_>, _: &mut SignatureBuf) -> Result<(), SignError> {
        unreachable!("one by one is too slow")
    }

    fn sign_batch(&mut self, batch: &mut SignBatch) -> Result<(), SignError> {
        self.trips += 1;
        let mut signature = SignatureBuf::default();
        while let Some((key, message)) = batch.next_job() {
            self.left = self.left.checked_sub(1).ok_or_else(|| SignError::Worker {
                message: "away".to_owned(),
            })?;
            self.inner.sign(key, &ToBeSigned::new(message), &mut signature)?;
            batch.deliver_timed(&signature, 7);
        }
        Ok(())
    }

    fn is_remote(&self) -> bool {
        true
    }
}

fn batch(jobs: impl IntoIterator<Item = u32>) -> SignBatch {
    let mut batch = SignBatch::new();
    for job in jobs {
        batch.add(KeyIndex(0), |message| message.extend(job.to_be_bytes()));
    }
    batch
}

fn signatures(batch: &SignBatch) -> Vec<Vec<u8>> {
    let all = 0..u32::try_from(batch.len()).unwrap();
    all.map(|job| batch.signature(job).to_vec()).collect()
}

#[test]
fn a_handful_is_made_at_once_and_each_is_kept() {
    let (dnskey, fields) = generate_key(256, Algorithm::ED25519, None).unwrap();
    let stores = [Store {
        name: "far away".to_owned(),
        kind: StoreKind::Token { sessions: 1, most: 1 },
        keys: Box::new(SoftwareKeys::new(vec![SoftwareKey::new(dnskey, &fields).unwrap()])),
        tokens: Vec::new(),
    }];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let open = || {
        let mut options = std::fs::File::options();
        options.read(true).append(true).create(true).open(&path).unwrap()
    };

    // The first goes away in the middle of a handful, the next one goes on.
    let journal = Journal::new(path.clone(), open(), Index::default(), &stores).unwrap();
    let mut jobs = batch(0..1000);
    let mut first = Remote::new(&stores[0], 600);
    let outcome = journal.sign_batch(0, &mut first, &mut jobs);
    assert!(matches!(outcome, Err(SignError::Worker { .. })), "{outcome:?}");
    assert_eq!(jobs.done(), 600);
    let mut second = Remote::new(&stores[0], 400);
    journal.sign_batch(0, &mut second, &mut jobs).unwrap();
    assert!(jobs.times().all(|time| time == 7));
    assert!(first.trips + second.trips < 100, "{} and {}", first.trips, second.trips);
    drop(journal);

    // All are there, and between new ones they are found again.
    let (index, _) = Index::read(&open(), 0).unwrap();
    assert_eq!(index.len(), 1000);
    let journal = Journal::new(path.clone(), open(), index, &stores).unwrap();
    let mut mixed = batch((0..1000).flat_map(|job| [job, job + 10_000]));
    let mut third = Remote::new(&stores[0], 1000);
    journal.sign_batch(0, &mut third, &mut mixed).unwrap();
    assert_eq!((journal.reused(), journal.refuted(), third.left), (1000, 0, 0));
    // Ed25519 signs alike: what is not mixed up is equal.
    let mut plain = batch((0..1000).flat_map(|job| [job, job + 10_000]));
    stores[0].keys.signer().unwrap().sign_batch(&mut plain).unwrap();
    assert_eq!(signatures(&mixed), signatures(&plain));
}
