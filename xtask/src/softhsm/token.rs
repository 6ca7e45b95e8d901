//! A throwaway token: its own configuration, token folder, random PINs in files only their owner can read.
//!
//! A token that is there is kept with its keys; it is never initialised a second time.

use std::io::{Read, Write};

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Provider, folder};

/// Beginnings of the variables that could lead a program to another token or other settings.
const INHERITED: &[&str] = &["PKCS11_", "SOFTHSM2_", "SIGNET_"];

/// An initialised token.
pub(crate) struct Token {
    provider: Provider,
    configuration: PathBuf,
    /// Holds the user's PIN, mode 0600, no newline.
    pub(crate) pin_file: PathBuf,
}

impl Token {
    /// The token's label.
    pub(crate) const LABEL: &'static str = "signet-dev";

    fn at(provider: &Provider) -> Self {
        Self {
            provider: provider.clone(),
            configuration: folder().join("softhsm2.conf"),
            pin_file: folder().join("pin"),
        }
    }

    /// The token that [`init`] left.
    pub(crate) fn load(provider: &Provider) -> Result<Self> {
        let token = Self::at(provider);
        if !token.usable() {
            bail!("no token yet: run `cargo xtask softhsm init`");
        }
        Ok(token)
    }

    /// The environment in which signet, its tests and PKCS#11 tools use this token.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &PathBuf| path.display().to_string();
        vec![
            ("SOFTHSM2_CONF", text(&self.configuration)),
            ("PKCS11_PROVIDER", text(&self.provider.library)),
            ("SIGNET_TOKEN", Self::LABEL.to_owned()),
            ("SIGNET_PIN_SOURCE", format!("file:{}", self.pin_file.display())),
            ("SOFTHSM2_UTIL", text(&self.provider.util)),
        ]
    }

    /// The PKCS#11 module that holds the token.
    pub(crate) fn module(&self) -> &Path {
        &self.provider.library
    }

    /// Gives a command this token and no other: what was inherited of PKCS#11 and signet is taken away first.
    pub(crate) fn lend(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if INHERITED.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name.as_ref());
            }
        }
        command.envs(self.environment());
    }

    /// Whether the token is initialised and its PIN known.
    fn usable(&self) -> bool {
        let slots = Command::new(&self.provider.util)
            .arg("--show-slots")
            .env("SOFTHSM2_CONF", &self.configuration)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        let listed = slots.is_ok_and(|output| has_label(&String::from_utf8_lossy(&output.stdout)));
        listed && self.pin_file.is_file()
    }
}

/// Whether `softhsm2-util --show-slots` lists our token.
fn has_label(slots: &str) -> bool {
    slots
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Label:"))
        .any(|label| label.trim() == Token::LABEL)
}

/// Initialises the token, or keeps the one that is there.
pub(crate) fn init(provider: &Provider) -> Result<Token> {
    let token = Token::at(provider);
    let tokens = folder().join("tokens");
    fs::create_dir_all(&tokens)?;
    fs::write(
        &token.configuration,
        format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            tokens.display()
        ),
    )?;
    if token.usable() {
        return Ok(token);
    }
    fs::remove_dir_all(&tokens)?;
    fs::create_dir_all(&tokens)?;
    if super::keys::key_files().exists() {
        fs::remove_dir_all(super::keys::key_files())?;
    }
    let (pin, so_pin) = (random_pin()?, random_pin()?);
    write_private(&token.pin_file, &pin)?;
    write_private(&folder().join("so-pin"), &so_pin)?;
    initialise(&token, &pin, &so_pin)?;
    if !token.usable() {
        bail!(
            "{} reported success, but no token {} is there",
            provider.util.display(),
            Token::LABEL
        );
    }
    Ok(token)
}

/// Runs `softhsm2-util --init-token`, with the PINs typed into its prompts.
///
/// It reads them from a terminal only, and its flags for them would show them to everyone on the machine: so it gets a terminal.
fn initialise(token: &Token, pin: &str, so_pin: &str) -> Result<()> {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)
        .and_then(|terminal| grantpt(&terminal).and_then(|()| unlockpt(&terminal)).map(|()| terminal))
        .context("cannot open a pseudo-terminal")?;
    let name = ptsname(&terminal, Vec::new()).context("cannot name the pseudo-terminal")?;
    let prompt = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed())
        .open(name.to_str().context("the pseudo-terminal's name is not text")?)?;
    // Each PIN is asked for twice, the security officer's first.
    let mut keyboard = std::fs::File::from(terminal);
    keyboard.write_all(format!("{so_pin}\n{so_pin}\n{pin}\n{pin}\n").as_bytes())?;
    let output = Command::new(&token.provider.util)
        .args(["--init-token", "--free", "--label", Token::LABEL])
        .env("SOFTHSM2_CONF", &token.configuration)
        .stdin(prompt.into_file())
        .output()
        .with_context(|| format!("cannot start {}", token.provider.util.display()))?;
    if !output.status.success() {
        bail!(
            "cannot initialise the token: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn random_pin() -> Result<String> {
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

fn write_private(path: &PathBuf, text: &str) -> Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_recognised_by_its_whole_label() {
        assert!(has_label(
            "Slot 1\n    Token info:\n        Label:            signet-dev                      \n"
        ));
        assert!(!has_label("        Label:            signet-dev-2\n"));
    }

    #[test]
    fn a_lent_token_replaces_an_inherited_one() {
        let provider = Provider {
            library: "lib.so".into(),
            util: "util".into(),
        };
        let mut command = Command::new("true");
        Token::at(&provider).lend(&mut command);
        let module = command.get_envs().find(|(name, _)| *name == "PKCS11_PROVIDER");
        assert_eq!(module.and_then(|(_, value)| value), Some("lib.so".as_ref()));
    }

    #[test]
    fn pins_differ_and_are_long() -> Result<()> {
        let (one, other) = (random_pin()?, random_pin()?);
        assert_ne!(one, other);
        assert_eq!(one.len(), 16);
        Ok(())
    }

    #[test]
    fn a_pin_file_is_for_its_owner_alone() -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("pin");
        write_private(&path, "1234")?;
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }
}
