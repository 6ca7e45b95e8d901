//! The worker process: loads the library, opens one token with one session, and signs what comes until its socket is closed.
//! Beside the thread that is in the library one reads the socket, and one looks for calls that hang, so that neither the end
//! of the run nor a hang goes unnoticed.

use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use dnssec_sign::{Dnskey, KeyStore as _, SignatureBuf, Signer, ToBeSigned};
use hsm_core::{LoadOptions, Module, Pin, take_over_pin};
use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};
use serde::Serialize;

use super::frame::{self, Kind};
use super::message::{Class, Failed, Found, Open, Ready, Start, selector};
use crate::error::Error;
use crate::keys::token_store::{StoreOptions, TokenStore};
use crate::keys::tokens::{Wanted, found};

/// How long the library may take to close its sessions when the run is called off, or is gone.
const GRACE: Duration = Duration::from_millis(400);
/// The same when all is done: a device on a network may take its time.
const LEAVE: Duration = Duration::from_secs(9);
/// How often calls are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Signatures are sent at the latest so long after the one before, unless the library is at the next.
const PAUSE: Duration = Duration::from_millis(1);
/// The first ones are sent one by one: what a library made that crashes again and again is not lost.
const ONE_BY_ONE: u32 = 64;

/// What came by the socket.
enum Order {
    Start(Start),
    Open(Box<Open>, Option<Pin>),
    Jobs(Vec<u8>),
}

/// What the three threads share.
struct Post {
    out: Mutex<BufWriter<UnixStream>>,
    /// The socket is closed: nothing is wanted any more.
    closed: AtomicBool,
    /// Whether another token stands ready to do this one's work, if that was said since it was opened.
    expendable: Mutex<Option<bool>>,
    /// Taken out again by the thread that signs, which closes its session.
    store: Mutex<Option<TokenStore>>,
}

/// Serves a run as a worker process by this socket, until the run closes it. A process that calls it does nothing else: it is
/// ended with the thread that started it, and may end here where a library hangs.
///
/// # Errors
/// [`Error::Usage`] when the other side is no run.
pub fn isolated_worker(socket: UnixStream) -> Result<(), Error> {
    // The socket tells of the end of the run too; this one cannot be kept from it.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let nobody = |error: io::Error| Error::Usage(format!("this command is for signet's own worker processes: {error}"));
    let input = socket.try_clone().map_err(nobody)?;
    let post = Arc::new(Post {
        out: Mutex::new(BufWriter::new(socket)),
        closed: AtomicBool::new(false),
        expendable: Mutex::new(None),
        store: Mutex::new(None),
    });
    let (sender, orders) = unbounded();
    let reader = Arc::clone(&post);
    let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
    named("orders")
        .spawn(move || reader.read(input, sender))
        .map_err(nobody)?;
    let Ok(Order::Start(start)) = orders.recv() else {
        return Err(nobody(io::ErrorKind::InvalidData.into()));
    };
    let (watched, patience) = (Arc::clone(&post), start.patience.max(Duration::from_secs(1)));
    // Without one a call that hangs is not noticed, and that is no reason not to sign.
    let _ = named("watchdog").spawn(move || watched.watch(patience));
    if let Some(module) = post.locate(&start) {
        post.open(&module, &orders);
    }
    Ok(())
}

impl Post {
    fn out(&self) -> MutexGuard<'_, BufWriter<UnixStream>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> MutexGuard<'_, Option<TokenStore>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expendable(&self) -> MutexGuard<'_, Option<bool>> {
        self.expendable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something. Who does not listen has closed the socket, which the reading thread sees.
    fn say(&self, kind: Kind, what: &impl Serialize) {
        let body = serde_json::to_vec(what).unwrap_or_default();
        let mut out = self.out();
        let _ = frame::write(&mut *out, kind, &body).and_then(|()| out.flush());
    }

    fn fail(&self, error: &Error) {
        self.say(Kind::Failed, &Failed::from(error));
    }

    /// Reads the socket to its end, then sees to it that the process ends too.
    fn read(&self, input: UnixStream, orders: Sender<Order>) {
        // Nothing is read ahead while a PIN may follow.
        let mut bare = &input;
        let (mut body, mut grace) = (Vec::new(), GRACE);
        while let Ok(Some(kind)) = frame::read(&mut bare, &mut body) {
            if kind == Kind::Done {
                grace = LEAVE;
                break;
            }
            let order = match kind {
                Kind::Start => serde_json::from_slice(&body).ok().map(Order::Start),
                Kind::Open => serde_json::from_slice(&body).ok().and_then(|open: Box<Open>| {
                    let pin = open.pin.then(|| take_over_pin(&mut bare)).transpose().ok()?;
                    Some(Order::Open(open, pin))
                }),
                _ => None,
            };
            let opens = matches!(order, Some(Order::Open(..)));
            if order.and_then(|order| orders.send(order).ok()).is_none() {
                break;
            }
            if opens {
                grace = self.read_jobs(&input, &orders);
                break;
            }
        }
        self.closed.store(true, Ordering::SeqCst);
        self.settle();
        drop(orders);
        // The signing thread closes its session and returns meanwhile, and the process ends as it should.
        std::thread::sleep(grace);
        end_at_once();
    }

    /// Reads batches to the end; tells how long the process may take to end from there.
    fn read_jobs(&self, input: &UnixStream, orders: &Sender<Order>) -> Duration {
        let mut buffered = BufReader::with_capacity(1 << 16, input);
        loop {
            let mut body = Vec::new();
            match frame::read(&mut buffered, &mut body) {
                Ok(Some(Kind::Batch)) if orders.send(Order::Jobs(body)).is_ok() => {}
                Ok(Some(kind @ (Kind::LastOne | Kind::NotAlone))) => {
                    *self.expendable() = Some(kind == Kind::NotAlone);
                    self.settle();
                }
                Ok(Some(Kind::Done)) => return LEAVE,
                _ => return GRACE,
            }
        }
    }

    /// Tells the store what came while it was opened, and since.
    fn settle(&self) {
        if let Some(store) = &*self.store() {
            if let Some(expendable) = *self.expendable() {
                store.set_expendable(expendable);
            }
            if self.closed.load(Ordering::SeqCst) {
                store.stop();
            }
        }
    }

    /// Loads the library and looks for tokens.
    fn locate(&self, start: &Start) -> Option<Arc<Module>> {
        let (path, options): (_, LoadOptions) = (start.library.path(), start.library.options());
        let module = match Module::load_with(&path, &options) {
            Ok(module) => module,
            Err(error) => {
                self.fail(&error.into());
                return None;
            }
        };
        let look = |text: &String| -> Result<Found, Error> {
            let token = module.token(&selector(text)?)?;
            Ok(Found::new(token.info(), module.path()))
        };
        let located = start
            .tokens
            .iter()
            .map(|text| look(text).map_err(|error| Failed::from(&error)));
        self.say(Kind::Located, &located.collect::<Vec<Result<Found, Failed>>>());
        Some(module)
    }

    /// Opens the token that is asked for, and signs what comes then.
    fn open(&self, module: &Arc<Module>, orders: &Receiver<Order>) {
        let Ok(Order::Open(open, pin)) = orders.recv() else {
            return;
        };
        let opened = store(module, &open, pin).and_then(|(store, ready)| {
            let signer = store.signer().map_err(|error| Error::Token(error.to_string()))?;
            Ok((store, signer, ready))
        });
        match opened {
            Ok((store, mut signer, ready)) => {
                *self.store() = Some(store);
                self.settle();
                self.say(Kind::Ready, &ready);
                self.serve(&mut *signer, orders);
                drop(signer);
                let store = self.store().take();
                drop(store);
            }
            Err(error) => self.fail(&error),
        }
    }

    fn serve(&self, signer: &mut dyn Signer, orders: &Receiver<Order>) {
        let mut signature = SignatureBuf::default();
        let (mut sent, mut made) = (Instant::now(), 0);
        for order in orders {
            let Order::Jobs(body) = order else { return };
            let mut began = Instant::now();
            for (key, message) in frame::jobs(&body) {
                if let Err(error) = signer.sign(key, &ToBeSigned::new(message), &mut signature) {
                    self.say(Kind::Failed, &Failed::from(&error));
                    break;
                }
                let now = Instant::now();
                let took = u32::try_from((now - began).as_nanos()).unwrap_or(u32::MAX);
                let mut out = self.out();
                let mut written = frame::write_signature(&mut *out, took, signature.bytes());
                if made < ONE_BY_ONE || now - sent >= PAUSE {
                    made += 1;
                    sent = now;
                    written = written.and_then(|()| out.flush());
                }
                if written.is_err() {
                    return;
                }
                began = now;
            }
            if self.out().flush().is_err() {
                return;
            }
        }
    }

    /// Ends the process when a call hangs, with what was signed until then.
    fn watch(&self, patience: Duration) {
        loop {
            std::thread::sleep(LOOK);
            if let Some(overdue) = hsm_core::overdue(patience) {
                let failed = Failed {
                    class: Class::Hung,
                    message: overdue.to_string(),
                };
                self.say(Kind::Failed, &failed);
                end_at_once();
            }
        }
    }
}

/// A token that is logged in to, with one session and the keys found, compared and proven.
fn store(module: &Arc<Module>, open: &Open, pin: Option<Pin>) -> Result<(TokenStore, Ready), Error> {
    let token = module.token(&selector(&open.token)?)?;
    let login = match pin {
        Some(pin) => token.login(pin)?,
        None => token.login_on_pad()?,
    };
    login.set_patience(open.patience);
    let wanted: Vec<Wanted> = open.keys.iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    let keys = wanted.iter().map(|key| found(key, &login)).collect::<Result<_, _>>()?;
    let dnskeys: Vec<Dnskey> = wanted.into_iter().map(|key| key.dnskey).collect();
    let options = StoreOptions {
        sessions: 1,
        copy: open.copy.into(),
        offload: open.offload,
        pace: None,
    };
    let store = TokenStore::open(vec![(login, keys)], dnskeys, &options)?;
    store.set_expendable(open.expendable);
    let report = store.tallies().first().map(|tally| tally.report());
    let ready = Ready {
        report: report.ok_or_else(|| Error::Token("the token has no session".to_owned()))?,
        random: store.random(),
    };
    Ok((store, ready))
}

/// Ends the process without asking the library, which may hang.
fn end_at_once() {
    let _ = kill_process(getpid(), Signal::KILL);
}
