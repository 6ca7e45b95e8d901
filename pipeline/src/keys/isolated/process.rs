//! One worker process as the run sees it: started, spoken to, and brought to an end. What is said, and what follows from an
//! end that was not wanted, is the store's business.

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded, unbounded};
use hsm_core::{Pin, hand_over_pin};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Isolation;
use super::frame::{self, Kind};
use super::message::{Class, Failed, Found, Library, Open, Ready, Start};

/// How long a worker may take to end once its socket is closed. It ends itself before that.
const GRACE: Duration = Duration::from_millis(1000);
/// How long it may take to close its sessions and leave the library when all is done.
const LEAVE: Duration = Duration::from_secs(10);

/// Why a worker did not answer as it should.
pub(super) enum Fault {
    /// It says why.
    Failed(Failed),
    /// It is gone, or hangs; said in words.
    Crashed(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(failed) => f.write_str(&failed.message),
            Self::Crashed(how) => f.write_str(how),
        }
    }
}

/// Starts worker processes, on a thread that lives as long as they do: the system ends them when the thread that started them
/// is gone, and session threads come and go.
pub(super) struct Nursery {
    orders: Sender<Order>,
}

/// The worker's end of the socket, and where the process is to be sent.
type Order = (UnixStream, Sender<io::Result<Child>>);

impl Nursery {
    /// Starts processes by this command. They inherit the environment, which is not copied for that: a PIN that was wiped
    /// from there is nowhere else.
    ///
    /// # Errors
    /// That of starting a thread.
    pub(super) fn new(isolation: Isolation) -> io::Result<Arc<Self>> {
        let (orders, coming) = unbounded::<Order>();
        std::thread::Builder::new().name("workers".to_owned()).spawn(move || {
            for (end, answer) in coming {
                // Nobody waits for the answer: the process learns from its socket that it is not wanted.
                let _ = answer.send(spawn(&isolation, end));
            }
        })?;
        Ok(Arc::new(Self { orders }))
    }

    fn order(&self, end: UnixStream) -> io::Result<Child> {
        let (answer, answered) = bounded(1);
        let gone = || io::Error::other("the thread that starts worker processes has ended");
        self.orders.send((end, answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

/// The socket is standard input; what a library prints goes to standard error, since standard output may be a zone.
fn spawn(isolation: &Isolation, end: UnixStream) -> io::Result<Child> {
    let mut command = Command::new(&isolation.program);
    command.arg0("signet").args(&isolation.arguments);
    command
        .stdin(OwnedFd::from(end))
        .stdout(io::stderr().as_fd().try_clone_to_owned()?)
        .spawn()
}

/// The run's end of a worker's socket.
pub(super) struct Link {
    stream: UnixStream,
    /// Held while a frame is written: several threads may have something to say.
    writing: Mutex<()>,
}

impl Link {
    pub(super) fn send(&self, kind: Kind, body: &[u8]) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        frame::write(&mut &self.stream, kind, body)
    }

    /// What to open, and the PIN right behind it.
    fn send_open(&self, body: &[u8], pin: Option<&Pin>) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        frame::write(&mut &self.stream, Kind::Open, body)?;
        pin.map_or(Ok(()), |pin| hand_over_pin(pin, &mut &self.stream))
    }

    /// Nothing is wanted of the worker any more, whatever it is at.
    fn close(&self) {
        // It may be gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// The sockets of a token's workers, to reach all of them at once.
#[derive(Default)]
pub(super) struct Links {
    links: Mutex<Vec<Weak<Link>>>,
    closed: AtomicBool,
}

impl Links {
    fn add(&self, link: &Arc<Link>) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(link));
        drop(links);
        if self.closed() {
            link.close();
        }
    }

    /// Says something to all.
    pub(super) fn tell(&self, tell: impl Fn(&Link)) {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().filter_map(Weak::upgrade).for_each(|link| tell(&link));
    }

    /// Closes all that there are and will be: nothing is wanted of the token any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.tell(Link::close);
    }

    pub(super) fn closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// A worker process.
pub(super) struct Worker {
    link: Arc<Link>,
    input: BufReader<UnixStream>,
    body: Vec<u8>,
    process: Child,
    module: PathBuf,
    /// Signatures that came from it.
    pub(super) made: u64,
    // Behind the process, which would not outlive its thread.
    _nursery: Arc<Nursery>,
}

impl Worker {
    /// Starts one.
    pub(super) fn start(nursery: &Arc<Nursery>, library: &Library) -> Result<Self, Fault> {
        let begun = || {
            let (ours, theirs) = UnixStream::pair()?;
            let input = BufReader::new(ours.try_clone()?);
            Ok((nursery.order(theirs)?, ours, input))
        };
        let (process, stream, input) = begun().map_err(|error: io::Error| {
            Fault::Failed(Failed {
                class: Class::Token,
                message: format!("a worker process cannot be started: {error}"),
            })
        })?;
        let link = Arc::new(Link {
            stream,
            writing: Mutex::default(),
        });
        Ok(Self {
            link,
            input,
            body: Vec::new(),
            process,
            module: library.path(),
            made: 0,
            _nursery: Arc::clone(nursery),
        })
    }

    /// Lets its token's store reach it.
    pub(super) fn join(&self, links: &Links) {
        links.add(&self.link);
    }

    /// Has it load the library and look for tokens; a call that takes longer than `patience`, then and later, is its end.
    pub(super) fn locate(
        &mut self,
        library: &Library,
        tokens: Vec<String>,
        patience: Duration,
    ) -> Result<Vec<Result<Found, Failed>>, Fault> {
        let start = Start {
            library: library.clone(),
            tokens,
            patience,
        };
        let sent = self.link.send(Kind::Start, &json(&start));
        sent.map_err(|_| self.crashed())?;
        self.answer(Kind::Located)
    }

    /// Has it open a token, with the PIN if there is one.
    pub(super) fn open(&mut self, open: &Open, pin: Option<&Pin>) -> Result<Ready, Fault> {
        let sent = self.link.send_open(&json(open), pin);
        sent.map_err(|_| self.crashed())?;
        self.answer(Kind::Ready)
    }

    /// Sends a batch.
    pub(super) fn send_jobs(&mut self, body: &[u8]) -> Result<(), Fault> {
        let sent = self.link.send(Kind::Batch, body);
        sent.map_err(|_| self.crashed())
    }

    /// Waits for the next signature: how many nanoseconds it took, and its bytes.
    pub(super) fn signature(&mut self) -> Result<(u32, &[u8]), Fault> {
        self.next(Kind::Signature)?;
        self.made += 1;
        frame::signature(&self.body).ok_or_else(|| Fault::Crashed("a worker process talks nonsense".to_owned()))
    }

    /// Waits for an answer.
    fn answer<T: DeserializeOwned>(&mut self, kind: Kind) -> Result<T, Fault> {
        self.next(kind)?;
        serde_json::from_slice(&self.body).map_err(|error| Fault::Crashed(format!("a worker process: {error}")))
    }

    fn next(&mut self, due: Kind) -> Result<(), Fault> {
        match frame::read(&mut self.input, &mut self.body) {
            Ok(Some(kind)) if kind == due => Ok(()),
            Ok(Some(Kind::Failed)) => {
                let failed = serde_json::from_slice::<Failed>(&self.body);
                Err(match failed {
                    Ok(failed) if failed.class == Class::Hung => Fault::Crashed(failed.message),
                    Ok(failed) => Fault::Failed(failed),
                    Err(error) => Fault::Crashed(format!("a worker process: {error}")),
                })
            }
            _ => Err(self.crashed()),
        }
    }

    /// How it ended, which the system knows by now or in a moment.
    fn crashed(&mut self) -> Fault {
        let how = match self.end() {
            Some(status) => status.to_string(),
            None => "it closed its socket".to_owned(),
        };
        Fault::Crashed(format!(
            "the process with the PKCS#11 library {} ended on its own: {how}",
            self.module.display()
        ))
    }

    /// Closes its socket and waits until it has ended; `None`: it had to be ended.
    fn end(&mut self) -> Option<ExitStatus> {
        self.link.close();
        self.wait(GRACE)
    }

    /// Waits until it has ended, and ends it if that takes longer; `None` in that case.
    fn wait(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            match self.process.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
        }
        // It is of no use whether it listens or not.
        let _ = self.process.kill();
        let _ = self.process.wait();
        None
    }
}

/// A body. What is said here can all be written so.
fn json(what: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(what).unwrap_or_default()
}

impl Drop for Worker {
    /// It closes its sessions and leaves the library in order, unless its socket is closed: then there is no time for that.
    fn drop(&mut self) {
        let in_order = self.link.send(Kind::Done, &[]).is_ok();
        if in_order {
            self.wait(LEAVE);
        }
        self.end();
    }
}
