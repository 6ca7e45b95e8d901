//! A SoftHSM token of a test's own: configuration, token folder, PIN file. Nothing of the machine's or another test's token is seen.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::environment::{library, module, program, spy_module};
use crate::faulty::Faulty;
use crate::process::{Program, Run};
use crate::scratch::Scratch;

/// An initialised token.
#[derive(Debug)]
pub struct Token {
    scratch: Scratch,
    label: String,
    pin: String,
    module: PathBuf,
    util: PathBuf,
}

/// The security officer's PIN of every token here.
const SO_PIN: &str = "so-4711-0815";

impl Default for Token {
    fn default() -> Self {
        Self::new("suite")
    }
}

impl Token {
    /// A token with this label and a PIN of its own.
    ///
    /// # Panics
    /// When SoftHSM is missing or fails.
    #[must_use]
    pub fn new(label: &str) -> Self {
        Self::made_by(label, module(), softhsm_util())
    }

    /// The same in the system's SoftHSM.
    ///
    /// # Panics
    /// When it is missing or fails.
    #[must_use]
    pub fn by_system(label: &str) -> Self {
        let module = library("softhsm/libsofthsm2.so").expect("no SoftHSMv2 is installed: run `cargo xtask setup`");
        Self::made_by(label, module, program("softhsm2-util"))
    }

    fn made_by(label: &str, module: PathBuf, util: PathBuf) -> Self {
        let scratch = Scratch::new();
        let tokens = scratch.make_folder("tokens");
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            tokens.display()
        );
        scratch.write("softhsm2.conf", configuration);
        let pin = format!("pin{:016x}", unique());
        let file = scratch.write("pin", format!("{pin}\n"));
        fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode can be set");
        let token = Self {
            scratch,
            label: label.to_owned(),
            pin,
            module,
            util,
        };
        token.initialise(label);
        token
    }

    /// Initialises one more token in the same SoftHSM, with the same PIN.
    ///
    /// # Panics
    /// When SoftHSM fails.
    pub fn initialise(&self, label: &str) {
        let run = Program::new(&self.util)
            .args(["--init-token", "--free", "--label", label])
            .args(["--so-pin", SO_PIN, "--pin", &self.pin])
            .env("SOFTHSM2_CONF", self.configuration())
            .run();
        run.succeeds();
    }

    /// Puts a key made elsewhere, a PKCS #8 file in PEM, on a token of this SoftHSM.
    ///
    /// # Panics
    /// When SoftHSM fails.
    pub fn import(&self, token: &str, file: &Path, label: &str, id: &str) {
        let run = Program::new(softhsm_util())
            .arg("--import")
            .arg(file)
            .args(["--token", token, "--label", label, "--id", id, "--pin", &self.pin])
            .env("SOFTHSM2_CONF", self.configuration())
            .run();
        run.succeeds();
    }

    /// Puts an AES key on a token of this SoftHSM, which wraps and unwraps.
    ///
    /// # Panics
    /// When SoftHSM fails.
    pub fn import_aes(&self, token: &str, bytes: &[u8], label: &str) {
        let file = self.scratch.write("aes", bytes);
        let run = Program::new(softhsm_util())
            .args(["--import", &file.display().to_string(), "--aes", "--token", token])
            .args(["--label", label, "--id", "ae5e", "--force", "--pin", &self.pin])
            .env("SOFTHSM2_CONF", self.configuration())
            .run();
        run.succeeds();
    }

    /// Takes a token of this SoftHSM away, until the result is dropped: whoever looks at what tokens there are does not find it.
    ///
    /// # Panics
    /// When there is no such token.
    #[must_use]
    pub fn pull_out(&self, label: &str) -> PulledOut {
        // SoftHSM keeps the label as the token tells it, filled up with spaces.
        let padded = format!("{label:<32}");
        let is = |folder: &Path| {
            let text = fs::read(folder.join("token.object")).unwrap_or_default();
            text.windows(padded.len()).any(|window| window == padded.as_bytes())
        };
        let folders = fs::read_dir(self.scratch.path("tokens")).expect("a folder of tokens");
        let mut folders = folders.flatten().map(|folder| folder.path());
        let place = folders
            .find(|folder| is(folder))
            .unwrap_or_else(|| panic!("no token {label}"));
        let away = self.scratch.path(&format!("away-{label}"));
        fs::rename(&place, &away).expect("a folder can be moved");
        PulledOut { place, away }
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its user PIN.
    #[must_use]
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// The file with its user PIN, mode 0600, with a newline at its end.
    #[must_use]
    pub fn pin_file(&self) -> PathBuf {
        self.scratch.path("pin")
    }

    fn configuration(&self) -> PathBuf {
        self.scratch.path("softhsm2.conf")
    }

    /// The environment in which a program finds this token.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("SOFTHSM2_CONF", text(&self.configuration())),
            ("PKCS11_PROVIDER", text(&self.module)),
            ("SIGNET_TOKEN", self.label.clone()),
            ("SIGNET_PIN_SOURCE", format!("file:{}", self.pin_file().display())),
        ]
    }

    /// The environment in which every call to the token is written to `log`.
    #[must_use]
    pub fn spied_environment(&self, log: &Path) -> Vec<(&'static str, String)> {
        let mut environment = self.environment();
        environment.push(("PKCS11_PROVIDER", spy_module().display().to_string()));
        environment.push(("PKCS11SPY", self.module.display().to_string()));
        environment.push(("PKCS11SPY_OUTPUT", log.display().to_string()));
        environment
    }

    /// The environment in which the token misbehaves as `faulty` says.
    #[must_use]
    pub fn faulty_environment(&self, faulty: &Faulty) -> Vec<(&'static str, String)> {
        let mut environment = self.environment();
        environment.retain(|(name, _)| *name != "PKCS11_PROVIDER");
        environment.extend(faulty.environment());
        environment
    }

    /// Runs OpenSC's pkcs11-tool in it, logged in.
    ///
    /// # Panics
    /// When the tool is missing.
    #[must_use]
    pub fn pkcs11_tool(&self, arguments: &[&str]) -> Run {
        Program::new(program("pkcs11-tool"))
            .arg("--module")
            .arg(&self.module)
            .args(["--token-label", &self.label, "--login", "--pin", &self.pin])
            .args(arguments)
            .env("SOFTHSM2_CONF", self.configuration())
            .run()
    }
}

/// A token that is not there; put back when this is dropped.
#[derive(Debug)]
pub struct PulledOut {
    place: PathBuf,
    away: PathBuf,
}

impl Drop for PulledOut {
    fn drop(&mut self) {
        fs::rename(&self.away, &self.place).expect("a folder can be moved back");
    }
}

/// `softhsm2-util` that belongs to the library: `SOFTHSM2_UTIL`, else the installed one.
fn softhsm_util() -> PathBuf {
    std::env::var_os("SOFTHSM2_UTIL").map_or_else(|| program("softhsm2-util"), PathBuf::from)
}

/// A number that no other token of this machine has at this moment.
fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}
