//! A signed zone served and asked: Knot's server answers from it, BIND's delv validates each answer with the zone's own key
//! as its anchor. So denial and wildcard proofs are judged as a resolver meets them. Only loopback is used.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::environment::program;
use crate::process::{Program, Run};
use crate::scratch::Scratch;

/// How long the server may take to answer first.
const PATIENCE: Duration = Duration::from_secs(30);

/// A zone that is served until this is dropped.
#[derive(Debug)]
pub struct Served {
    server: Child,
    port: u16,
    origin: String,
    anchor: PathBuf,
    _folder: Scratch,
}

impl Served {
    /// Serves a signed zone; `ksk` is the text of the key file that answers are validated with.
    ///
    /// # Panics
    /// When the server does not come up.
    #[must_use]
    pub fn new(zone: &Path, origin: &str, ksk: &str) -> Self {
        let folder = Scratch::new();
        let port = free_port();
        let (database, run) = (folder.make_folder("database"), folder.make_folder("run"));
        let configuration = format!(
            "server:\n  rundir: {}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: {}\nlog:\n  - target: stderr\n    any: error\n\
             zone:\n  - domain: {origin}\n    file: {}\n    zonefile-sync: -1\n",
            run.display(),
            database.display(),
            zone.display()
        );
        let file = folder.write("knot.conf", configuration);
        let log = fs::File::create(folder.path("log")).expect("the server's log");
        let server = Command::new(program("knotd"))
            .arg("-c")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.into_parts().0)
            .spawn()
            .expect("knotd starts");
        let served = Self {
            server,
            port,
            origin: origin.to_owned(),
            anchor: folder.write("anchor", anchor(origin, ksk)),
            _folder: folder,
        };
        let begin = Instant::now();
        loop {
            let run = served.ask(origin, "SOA");
            if run.stdout.contains("fully validated") {
                return served;
            }
            assert!(begin.elapsed() < PATIENCE, "knotd does not serve {origin}: {run:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What delv says of a question's answer.
    #[must_use]
    pub fn ask(&self, name: &str, rtype: &str) -> Run {
        Program::new(program("delv"))
            .args(["@127.0.0.1", "-p", &self.port.to_string(), "-a"])
            .arg(&self.anchor)
            .arg(format!("+root={}", self.origin))
            .args(["-q", name, "-t", rtype])
            .limit(PATIENCE)
            .run()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Its end is not awaited for what it says: the folder goes with it.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port of loopback");
    socket.local_addr().expect("the port's number").port()
}

/// The key file's DNSKEY as delv wants its anchors.
fn anchor(origin: &str, ksk: &str) -> String {
    let (_, data) = ksk.split_once(" DNSKEY ").expect("a key file has a DNSKEY");
    let mut fields = data.split_whitespace();
    let mut next = || fields.next().expect("flags, protocol, algorithm, key");
    let (flags, protocol, algorithm) = (next(), next(), next());
    let key: String = fields.collect();
    format!("trust-anchors {{ {origin} static-key {flags} {protocol} {algorithm} \"{key}\"; }};\n")
}
