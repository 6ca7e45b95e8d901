//! Tokens of six providers, each a test's own: made by the provider's own tools, found by environment variables.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use signet_tests::{Faulty, Program, Run, Scratch, Signet, Token, kryoptic_module, library, program};

/// A token and the way to it.
pub struct Provider {
    environment: Vec<(&'static str, String)>,
    pin: String,
    /// The process whose mount and IPC namespaces it lives in.
    inside: Option<Namespace>,
    _files: Files,
}

/// What the token's files lie in.
enum Files {
    SoftHsm(#[allow(dead_code, reason = "kept for its folder")] Token),
    Folder(#[allow(dead_code, reason = "kept for its folder")] Scratch),
}

const LABEL: &str = "suite";
const SO_PIN: &str = "so471108";

impl Provider {
    /// The provider of that name in the table.
    ///
    /// # Panics
    /// When it is not installed or cannot make a token.
    pub fn ready(name: &str) -> Self {
        match name {
            "SoftHSM own build" => Self::softhsm(Token::new(LABEL), None),
            "SoftHSM of Debian" => Self::softhsm(Token::by_system(LABEL), Some(installed("softhsm/libsofthsm2.so"))),
            "p11-kit proxy" => Self::softhsm(Token::by_system(LABEL), Some(installed("p11-kit-proxy.so"))),
            "Kryoptic" => Self::kryoptic(),
            "NSS softokn" => Self::nss(),
            "openCryptoki" => Self::opencryptoki(),
            other => panic!("no provider is called {other}"),
        }
    }

    fn softhsm(token: Token, module: Option<PathBuf>) -> Self {
        let mut environment = token.environment();
        environment.extend(module.map(|module| ("PKCS11_PROVIDER", module.display().to_string())));
        Self {
            environment,
            pin: token.pin().to_owned(),
            inside: None,
            _files: Files::SoftHsm(token),
        }
    }

    /// Its configuration names a database; OpenSC's tool makes the token.
    fn kryoptic() -> Self {
        let (scratch, pin, module) = (Scratch::new(), "user-4711", kryoptic_module());
        let database = scratch.path("token.sql");
        let slot = format!(
            "[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
            database.display()
        );
        let configuration = scratch.write("kryoptic.conf", slot).display().to_string();
        let tool = |arguments: &[&str]| {
            Program::new(program("pkcs11-tool"))
                .arg("--module")
                .arg(&module)
                .args(["--slot", "1", "--so-pin", SO_PIN])
                .args(arguments)
                .env("KRYOPTIC_CONF", &configuration)
                .run()
                .succeeds();
        };
        tool(&["--init-token", "--label", LABEL]);
        tool(&["--login", "--login-type", "so", "--init-pin", "--pin", pin]);
        let mut environment = common(&module, &scratch, pin);
        environment.push(("KRYOPTIC_CONF", configuration.clone()));
        environment.push(("SIGNET_TOKEN", LABEL.to_owned()));
        Self {
            environment,
            pin: pin.to_owned(),
            inside: None,
            _files: Files::Folder(scratch),
        }
    }

    /// Its database is named in arguments to C_Initialize. One round of its password's derivation in place of 10,000, which it
    /// goes through for every signature.
    fn nss() -> Self {
        let (scratch, pin, module) = (Scratch::new(), "user-4711", installed("libsoftokn3.so"));
        let database = format!("sql:{}", scratch.make_folder("database").display());
        let mut environment = common(&module, &scratch, pin);
        environment.push(("NSS_MAX_MP_PBE_ITERATION_COUNT", "1".to_owned()));
        environment.push(("SIGNET_INIT_ARGS", format!("configdir='{database}' flags=")));
        environment.push(("SIGNET_TOKEN", "NSS Certificate DB".to_owned()));
        Program::new(program("certutil"))
            .args(["-N", "-d", &database, "-f"])
            .arg(scratch.path("pin"))
            .env("NSS_MAX_MP_PBE_ITERATION_COUNT", "1")
            .run()
            .succeeds();
        Self {
            environment,
            pin: pin.to_owned(),
            inside: None,
            _files: Files::Folder(scratch),
        }
    }

    /// One daemon and one folder serve the whole machine: this one has namespaces of its own, which takes root.
    fn opencryptoki() -> Self {
        let scratch = Scratch::new();
        let (pin, module) = ("user4711", installed("pkcs11/libopencryptoki.so"));
        let inside = Namespace::with_daemon();
        let conf = |arguments: &[&str], input: &str| {
            let input = scratch.write("answers", input);
            Program::new(program("pkcsconf"))
                .args(["-c", "3"])
                .args(arguments)
                .input(input)
                .under(program("nsenter"), &inside.options())
                .run()
                .succeeds();
        };
        // Fresh tokens have the SO PIN 87654321, and a user PIN that is to be changed by its user.
        conf(&["-I"], &format!("87654321\n{LABEL}\n"));
        conf(&["-P", "-S", "87654321", "-n", SO_PIN], "");
        conf(&["-u", "-S", SO_PIN, "-n", "first471"], "");
        conf(&["-p", "-U", "first471", "-n", pin], "");
        let mut environment = common(&module, &scratch, pin);
        environment.push(("SIGNET_SLOT", "3".to_owned()));
        Self {
            environment,
            pin: pin.to_owned(),
            inside: Some(inside),
            _files: Files::Folder(scratch),
        }
    }

    /// Lets the program use this token and no other.
    pub fn lend(&self, signet: Signet) -> Signet {
        let signet = signet.envs(self.environment.clone());
        match &self.inside {
            Some(inside) => signet.under(program("nsenter"), &inside.options()),
            None => signet,
        }
    }

    /// The same through the module that misbehaves.
    pub fn lend_through(&self, signet: Signet, faulty: &Faulty) -> Signet {
        let module = self.variable("PKCS11_PROVIDER").to_owned();
        let mut environment = faulty.environment();
        environment.retain(|(name, _)| *name != "FAULTY_PROVIDER_MODULE");
        environment.push(("FAULTY_PROVIDER_MODULE", module));
        self.lend(signet).envs(environment)
    }

    fn variable(&self, wanted: &str) -> &str {
        let found = self.environment.iter().find(|(name, _)| *name == wanted);
        &found.expect("it is set").1
    }

    /// Its token, library and PIN as one URI.
    pub fn uri(&self) -> String {
        let [token, module, pin] =
            ["SIGNET_TOKEN", "PKCS11_PROVIDER", "SIGNET_PIN_SOURCE"].map(|name| self.variable(name));
        format!("pkcs11:token={token}?module-path={module}&pin-source={pin}")
    }

    /// Runs OpenSC's pkcs11-tool on it, logged in.
    pub fn pkcs11_tool(&self, arguments: &[&str]) -> Run {
        let mut run = Program::new(program("pkcs11-tool"))
            .args(["--module", self.variable("PKCS11_PROVIDER")])
            .args(["--token-label", self.variable("SIGNET_TOKEN")])
            .args(["--login", "--pin", &self.pin])
            .args(arguments);
        for (name, value) in &self.environment {
            run = run.env(name, value);
        }
        run.run()
    }

    /// Runs one of BIND's tools with the user's PIN.
    pub fn bind_tool(&self, tool: &Path, arguments: &[&str]) -> Run {
        let mut run = Program::new(tool).args(["-p", &self.pin]).args(arguments);
        for (name, value) in &self.environment {
            run = run.env(name, value);
        }
        match &self.inside {
            Some(inside) => run.under(program("nsenter"), &inside.options()).run(),
            None => run.run(),
        }
    }

    /// The slot that the token is in.
    pub fn slot(&self) -> String {
        let given = |wanted: &str| self.environment.iter().find(|(name, _)| *name == wanted);
        if let Some((_, slot)) = given("SIGNET_SLOT") {
            return slot.clone();
        }
        let (_, label) = given("SIGNET_TOKEN").expect("a token's name");
        let run = self.lend(Signet::new("token list")).run();
        let line = run.stdout.lines().find(|line| line.contains(label.as_str()));
        let line = line.unwrap_or_else(|| panic!("no token {label}: {run:?}"));
        line.split_whitespace().next().expect("a slot").to_owned()
    }
}

fn installed(name: &str) -> PathBuf {
    library(name).unwrap_or_else(|| panic!("{name} is not installed: run `cargo xtask setup`"))
}

/// The module and a PIN file.
fn common(module: &Path, scratch: &Scratch, pin: &str) -> Vec<(&'static str, String)> {
    let file = scratch.write("pin", format!("{pin}\n"));
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode can be set");
    vec![
        ("PKCS11_PROVIDER", module.display().to_string()),
        ("SIGNET_PIN_SOURCE", format!("file:{}", file.display())),
    ]
}

/// A process in namespaces of its own, with openCryptoki's daemon; both end with it.
struct Namespace {
    process: Child,
    target: String,
}

/// What openCryptoki expects to find, as its packages make it, in memory. It ends when its standard input does.
const DAEMON: &str = "set -e; mount --make-rprivate /
    for folder in /run /var/lib/opencryptoki /var/log; do mount -t tmpfs tmpfs $folder; done
    mkdir -p /run/opencryptoki /run/lock/opencryptoki/swtok /var/lib/opencryptoki/swtok/TOK_OBJ /var/log/opencryptoki
    for folder in /run/opencryptoki /run/lock/opencryptoki /var/lib/opencryptoki /var/log/opencryptoki; do
        chgrp -R pkcs11 $folder; chmod -R 770 $folder; done
    pkcsslotd -f >/dev/null 2>&1 & daemon=$!
    for i in $(seq 100); do [ -S /run/pkcsslotd.socket ] || [ -S /run/opencryptoki/pkcsslotd.socket ] && break; sleep 0.05; done
    echo ready; cat >/dev/null || true; kill $daemon";

impl Namespace {
    fn with_daemon() -> Self {
        let mut child = Command::new(program("unshare"))
            .args(["--mount", "--ipc", "sh", "-c", DAEMON])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("it is captured");
        BufReader::new(out).read_line(&mut line).expect("it can be read");
        assert_eq!(
            line, "ready\n",
            "openCryptoki's daemon needs root, for namespaces of its own"
        );
        let target = child.id().to_string();
        Self { process: child, target }
    }

    /// What nsenter is told.
    fn options(&self) -> [&str; 4] {
        ["--target", &self.target, "--mount", "--ipc"]
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
