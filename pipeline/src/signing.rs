//! The rounds of signing: partitions are admitted in order, planned, signed, filled, written and verified, on all
//! workers and sessions at once. A worker takes what is furthest along first and what is not begun last, so nothing
//! waits for a partition that has not started, and memory holds a bounded number of them.

mod board;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use dnssec_sign::{SignBatch, SignError, Signer};
use rayon::ThreadPool;

use self::board::{Board, Task};
use crate::config::{SigningKeys, Store, StoreKind};
use crate::dry_run::Rates;
use crate::emit::{Emission, Signing};
use crate::error::Error;
use crate::journal::Journal;
use crate::limit::SignatureLimit;
use crate::meter::{Clock, Meter, Step, WorkerTimes};
use crate::observer::Observer;
use crate::raise;
use crate::samples::Samples;
use crate::stop::stop_when_cancelled;

/// What one round does: the partitions of the zone, or of the NSEC3 chain.
pub(crate) trait Round: Sync {
    /// What a worker keeps from partition to partition.
    type Scratch;
    /// How many partitions there are.
    fn len(&self) -> usize;
    /// A worker's scratch.
    fn scratch(&self) -> Self::Scratch;
    /// Plans and renders partition `index` into `text`, whose memory is used again.
    fn plan(&self, index: usize, text: Vec<u8>, scratch: &mut Self::Scratch) -> Result<Emission, Error>;
    /// Takes partition `index` with all its signatures; calls come in ascending order, one at a time. Returns the
    /// text, whose memory is used again, and whether there is something to verify.
    fn write(&self, index: usize, emission: Emission) -> Result<(Vec<u8>, Written), Error>;
    /// Verifies partition `index`, which is written.
    fn verify(&self, index: usize, scratch: &mut Self::Scratch) -> Result<(), Error>;
}

/// What becomes of a partition that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is done with.
    Done,
    /// It is verified, when a worker is free.
    ToVerify,
}

/// A partition whose jobs are with their stores.
pub(crate) struct Flight {
    emission: Emission,
    outstanding: usize,
}

/// A batch on its way to a session and back to the hall that it comes from.
struct Parcel {
    home: Arc<Shared>,
    partition: usize,
    batch: usize,
    jobs: SignBatch,
    delivered: bool,
}

impl Drop for Parcel {
    /// Nobody will sign it: its hall would wait for it for ever.
    fn drop(&mut self) {
        if !self.delivered {
            self.home.update(|board| {
                board.fail(Error::Token("the sessions ended before all was signed".to_owned()));
            });
        }
    }
}

/// The stores' sessions at work. They serve any number of halls, each of which signs one zone.
pub(crate) struct Crew<'a> {
    stores: &'a [Store],
    limits: &'a [SignatureLimit],
    senders: Vec<Option<Arc<Sender<Parcel>>>>,
    /// Sessions at work, of all stores.
    count: Arc<AtomicUsize>,
    rates: Rates,
}

impl Crew<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// A place to sign one zone with them, on a pool of so many threads.
    pub(crate) fn hall(
        &self,
        threads: usize,
        meter: Meter,
        samples: Samples,
        journal: Option<Arc<Journal>>,
    ) -> Hall<'_> {
        Hall {
            sessions: self,
            signing: Signing::On,
            limits: self.limits,
            shared: Arc::new(Shared {
                board: Mutex::default(),
                changed: Condvar::new(),
                threads,
                sessions: Arc::clone(&self.count),
                meter,
                samples,
                journal,
            }),
        }
    }
}

/// Where one zone is signed: the board that its workers and the sessions share.
pub(crate) struct Hall<'a> {
    sessions: &'a Crew<'a>,
    /// Whether jobs are signed; else they are only counted by whoever has the partition.
    signing: Signing,
    limits: &'a [SignatureLimit],
    shared: Arc<Shared>,
}

struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
    threads: usize,
    /// Sessions at work, of all stores.
    sessions: Arc<AtomicUsize>,
    meter: Meter,
    samples: Samples,
    journal: Option<Arc<Journal>>,
}

/// Where a store's sessions take their work: parcels come from here, and go back here when a session is spent.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a Store,
    /// The place of its store.
    place: usize,
    parcels: Receiver<Parcel>,
    queue: Weak<Sender<Parcel>>,
    /// How many of its sessions there were, are at work, are wanted, and wait for work.
    numbered: AtomicUsize,
    at_work: AtomicUsize,
    wanted: AtomicUsize,
    idle: AtomicUsize,
    /// Sessions at work, of all stores.
    all: Arc<AtomicUsize>,
}

impl<'a> Desk<'a> {
    fn new(store: &'a Store, place: usize, queue: &Arc<Sender<Parcel>>, parcels: Receiver<Parcel>) -> Self {
        Self {
            store,
            place,
            parcels,
            queue: Arc::downgrade(queue),
            numbered: AtomicUsize::new(0),
            at_work: AtomicUsize::new(0),
            wanted: AtomicUsize::new(usize::MAX),
            idle: AtomicUsize::new(0),
            all: Arc::default(),
        }
    }

    /// One session more, for a thread that is about to begin.
    fn signer(&self) -> Result<Box<dyn Signer>, Error> {
        let signer = self.store.keys.signer();
        let signer = signer.map_err(|error| store_error(self.store, &error))?;
        self.at_work.fetch_add(1, Ordering::AcqRel);
        self.all.fetch_add(1, Ordering::Relaxed);
        Ok(signer)
    }

    /// Leaves the work to the store's other sessions, of which there are to be at least `least`; false if there are not.
    fn retire(&self, least: usize) -> bool {
        let others = |at_work: usize| (at_work > least).then(|| at_work - 1);
        let retired = self
            .at_work
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, others)
            .is_ok();
        if retired {
            self.all.fetch_sub(1, Ordering::Relaxed);
        }
        retired
    }

    /// How many sessions are at work.
    pub(crate) fn at_work(&self) -> usize {
        self.at_work.load(Ordering::Acquire)
    }

    /// Says how many are to stay; the others end when they are done with what they have in hand.
    pub(crate) fn keep(&self, wanted: usize) {
        self.wanted.store(wanted.max(1), Ordering::Release);
    }

    /// Whether a session waits for work: then more sessions would bring nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire) > 0
    }

    /// Signatures made so far.
    pub(crate) fn signatures(&self) -> u64 {
        self.store.tokens.iter().map(|token| token.signatures()).sum()
    }

    /// One session: signs what comes until nothing can come any more, until it is spent, or until there are more than are
    /// wanted. What a spent one had in hand goes to the others, with the signatures that are made.
    fn serve(&self, mut signer: Box<dyn Signer>, observer: &dyn Observer) {
        let place = (self.place, self.numbered.fetch_add(1, Ordering::Relaxed));
        let mut clock = Clock::start();
        while !self.retire(self.wanted.load(Ordering::Acquire)) {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let parcel = self.parcels.recv();
            self.idle.fetch_sub(1, Ordering::AcqRel);
            let Ok(mut parcel) = parcel else { return };
            let idle = clock.lap();
            let home = Arc::clone(&parcel.home);
            if home.board().failure.is_some() {
                continue;
            }
            let before = parcel.jobs.done();
            let outcome = home.sign(self.place, &mut *signer, &mut parcel.jobs);
            home.meter.session(place, &parcel.jobs, before, idle.wall, clock.lap());
            observer.signed(&self.store.name, (parcel.jobs.done() - before) as u64);
            let sampled = home.samples.check(self.place, self.store, &parcel.jobs, before);
            if let Err(error) = sampled {
                home.update(|board| board.fail(error));
                continue;
            }
            match outcome {
                Ok(()) => home.deliver(parcel),
                Err(_) if observer.cancelled() => home.update(|board| board.fail(Error::Interrupted)),
                Err(SignError::Worker { message }) if self.retire(1) => {
                    tracing::warn!(message, "a session is spent; the others go on");
                    // The queue lives as long as there is work, and there is another session to take from it.
                    if let Some(queue) = self.queue.upgrade() {
                        let _ = queue.send(parcel);
                    }
                    return;
                }
                Err(error) => home.update(|board| board.fail(store_error(self.store, &error))),
            }
        }
    }
}

/// Opens every session, runs `body` with them, and ends them. Where the number of sessions is left to the run, it is
/// raised meanwhile.
///
/// # Errors
/// [`Error::Token`] when a session cannot be had; else what `body` returns.
pub(crate) fn with_sessions<T>(
    keys: &SigningKeys,
    observer: &dyn Observer,
    body: impl FnOnce(&Crew<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut crew = Crew {
        stores: &keys.stores,
        limits: &keys.limits[..],
        senders: Vec::new(),
        count: Arc::default(),
        rates: Rates::default(),
    };
    let mut desks = Vec::new();
    for (place, store) in keys.stores.iter().enumerate() {
        let StoreKind::Token { sessions, most } = store.kind else {
            crew.senders.push(None);
            continue;
        };
        let (sender, receiver) = unbounded();
        let sender = Arc::new(sender);
        let desk = Desk {
            all: Arc::clone(&crew.count),
            ..Desk::new(store, place, &sender, receiver)
        };
        let first = (0..sessions.max(1)).map(|_| desk.signer());
        let first = first.collect::<Result<Vec<_>, Error>>()?;
        desks.push((desk, first, most));
        crew.senders.push(Some(sender));
    }
    let (desks, firsts): (Vec<_>, Vec<_>) = desks
        .into_iter()
        .map(|(desk, first, most)| (desk, (first, most)))
        .unzip();
    std::thread::scope(|scope| {
        // Nothing is ever sent: whoever holds the receiver learns that the work has ended.
        let (open, closed) = bounded::<()>(0);
        let over = closed.clone();
        scope.spawn(move || stop_when_cancelled(&keys.stores, observer, &over));
        for (desk, (first, most)) in desks.iter().zip(firsts) {
            let begin = move |signer| {
                scope.spawn(move || desk.serve(signer, observer));
            };
            let raises = most > first.len();
            first.into_iter().for_each(begin);
            if raises {
                let closed = closed.clone();
                scope.spawn(move || raise::govern(desk, most, &closed, || desk.signer().ok().map(begin)));
            }
            if desk.store.tokens.len() > 1 {
                let closed = closed.clone();
                scope.spawn(move || look_after(desk, &closed, || desk.signer().ok().map(begin)));
            }
        }
        let result = body(&crew);
        drop(open);
        // The session threads end when the senders are gone.
        drop(crew);
        result
    })
}

/// Begins sessions on tokens that were lost and are back, by `more`, until the hall closes.
fn look_after(desk: &Desk<'_>, closed: &Receiver<()>, more: impl Fn() -> Option<()>) {
    while let Err(RecvTimeoutError::Timeout) = closed.recv_timeout(Duration::from_millis(50)) {
        for _ in 0..desk.store.keys.regain() {
            if more().is_none() {
                break;
            }
        }
    }
}

fn store_error(store: &Store, error: &SignError) -> Error {
    Error::Token(format!("{}: {error}", store.name))
}

/// Makes the others stop when a thread unwinds, since they would wait for it for ever.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.update(|board| {
                board.fail(Error::Input(
                    "a worker met a fault of the program itself; nothing was published".into(),
                ));
            });
        }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Board)) {
        change(&mut self.board());
        self.changed.notify_all();
    }

    /// So many partitions are under way at once.
    fn limit(&self) -> usize {
        2 * (self.threads + self.sessions.load(Ordering::Relaxed)) + 2
    }

    /// Signs a batch for the store at this place, with the journal between if there is one.
    fn sign(&self, store: usize, signer: &mut dyn Signer, jobs: &mut SignBatch) -> Result<(), SignError> {
        match &self.journal {
            Some(journal) => journal.sign_batch(store, signer, jobs),
            None => signer.sign_batch(jobs),
        }
    }

    /// Puts a signed batch back in its place; a partition with all its batches is ready to be filled.
    fn deliver(&self, mut parcel: Parcel) {
        parcel.delivered = true;
        let mut board = self.board();
        if let Some(flight) = board.flights.get_mut(&parcel.partition) {
            flight.emission.batches[parcel.batch].jobs = std::mem::take(&mut parcel.jobs);
            flight.outstanding -= 1;
            if flight.outstanding == 0
                && let Some(flight) = board.flights.remove(&parcel.partition)
            {
                board.signed.push_back((parcel.partition, flight.emission));
                drop(board);
                self.changed.notify_one();
            }
        }
    }
}

impl Hall<'_> {
    /// Runs one round to its end on the pool's threads and all sessions.
    ///
    /// # Errors
    /// The first failure of any worker or session; everything under way is dropped then.
    pub(crate) fn run<R: Round>(&self, round: &R, pool: &ThreadPool, observer: &dyn Observer) -> Result<(), Error> {
        if observer.cancelled() {
            return Err(Error::Interrupted);
        }
        *self.shared.board() = Board {
            partitions: round.len(),
            ..Board::default()
        };
        pool.broadcast(|_| {
            let _alarm = Alarm(&self.shared);
            if let Err(error) = self.work(round, observer) {
                self.shared.update(|board| board.fail(error));
            }
        });
        match self.shared.board().failure.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// What was measured of the stores, by any hall.
    pub(crate) fn rates(&self) -> &Rates {
        &self.sessions.rates
    }

    /// How many signatures were verified as they came.
    pub(crate) fn sampled(&self) -> u64 {
        self.shared.samples.verified()
    }

    /// The same for signatures that are thrown away: they count for no limit.
    pub(crate) fn without_limits(mut self) -> Self {
        self.limits = &[];
        self
    }

    /// The same without signatures: partitions keep their holes.
    pub(crate) fn without_signatures(mut self) -> Self {
        self.signing = Signing::Off;
        self
    }

    /// What the hall has measured.
    pub(crate) fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    fn work<R: Round>(&self, round: &R, observer: &dyn Observer) -> Result<(), Error> {
        let mut times = WorkerTimes::start();
        let result = self.tasks(round, observer, &mut times);
        self.shared.meter.worker(times);
        result
    }

    fn tasks<R: Round>(&self, round: &R, observer: &dyn Observer, times: &mut WorkerTimes) -> Result<(), Error> {
        let mut scratch = round.scratch();
        let mut signers = Vec::with_capacity(self.sessions.stores.len());
        for store in self.sessions.stores {
            signers.push(match store.kind {
                StoreKind::Software => Some(store.keys.signer().map_err(|error| store_error(store, &error))?),
                StoreKind::Token { .. } => None,
            });
        }
        loop {
            if observer.cancelled() {
                return Err(Error::Interrupted);
            }
            let mut board = self.shared.board();
            match board.take(self.shared.limit()) {
                Task::End => {
                    self.shared.changed.notify_all();
                    return Ok(());
                }
                Task::Wait => {
                    // A bounded wait, so that a cancelled run is noticed while all sessions are busy.
                    drop(self.shared.changed.wait_timeout(board, Duration::from_millis(100)));
                    times.took(Step::Wait);
                }
                Task::Plan(index, text) => {
                    drop(board);
                    let emission = round.plan(index, text, &mut scratch)?;
                    times.took(Step::Plan);
                    self.dispatch(index, emission, &mut signers, observer, times)?;
                }
                Task::Fill(index, mut emission) => {
                    drop(board);
                    emission.fill()?;
                    self.shared.update(|board| drop(board.filled.insert(index, emission)));
                    times.took(Step::Fill);
                }
                Task::Write(index, emission) => {
                    drop(board);
                    let (text, written) = round.write(index, emission)?;
                    self.shared.meter.written(text.len() as u64);
                    self.shared.update(|board| {
                        board.spare.push(text);
                        board.turn += 1;
                        board.writing = false;
                        board.in_flight -= 1;
                        if written == Written::ToVerify {
                            board.unverified.push_back(index);
                        }
                    });
                    times.took(Step::Write);
                }
                Task::Verify(index) => {
                    drop(board);
                    round.verify(index, &mut scratch)?;
                    self.shared.update(|board| board.verifying -= 1);
                    times.took(Step::Verify);
                }
            }
        }
    }

    /// Signs a partition's jobs for software keys here and now and sends the others to their sessions.
    fn dispatch(
        &self,
        partition: usize,
        mut emission: Emission,
        signers: &mut [Option<Box<dyn Signer>>],
        observer: &dyn Observer,
        times: &mut WorkerTimes,
    ) -> Result<(), Error> {
        if self.signing == Signing::Off {
            self.shared
                .update(|board| drop(board.filled.insert(partition, emission)));
            return Ok(());
        }
        let mut parcels = Vec::new();
        for batch in &emission.batches {
            for (key, count) in batch.jobs.keys() {
                let limit = self.limits.iter().find(|limit| limit.is_of(batch.store, key));
                limit.map_or(Ok(()), |limit| limit.spend(count))?;
            }
        }
        for (number, batch) in emission.batches.iter_mut().enumerate() {
            if let Some(signer) = &mut signers[batch.store] {
                if observer.cancelled() {
                    return Err(Error::Interrupted);
                }
                let store = &self.sessions.stores[batch.store];
                self.shared
                    .sign(batch.store, &mut **signer, &mut batch.jobs)
                    .map_err(|error| store_error(store, &error))?;
                observer.signed(&store.name, batch.jobs.len() as u64);
                self.shared
                    .meter
                    .batch(batch.store, &batch.jobs, times.took(Step::Sign));
                self.shared.samples.check(batch.store, store, &batch.jobs, 0)?;
            } else {
                let jobs = std::mem::take(&mut batch.jobs);
                parcels.push((
                    batch.store,
                    Parcel {
                        home: Arc::clone(&self.shared),
                        partition,
                        batch: number,
                        jobs,
                        delivered: false,
                    },
                ));
            }
        }
        if parcels.is_empty() {
            emission.fill()?;
            self.shared
                .update(|board| drop(board.filled.insert(partition, emission)));
            times.took(Step::Fill);
            return Ok(());
        }
        let outstanding = parcels.len();
        self.shared
            .board()
            .flights
            .insert(partition, Flight { emission, outstanding });
        for (store, parcel) in parcels {
            if let Some(sender) = &self.sessions.senders[store] {
                // A parcel that nobody takes tells so when it is dropped.
                let _ = sender.send(parcel);
            }
        }
        Ok(())
    }
}
