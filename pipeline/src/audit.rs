//! The audit log: what was done with keys, as JSON lines of which each holds the SHA-256 of the one before, so that a line
//! that is changed, taken out or put in later shows. A tail cut off shows only against a digest kept elsewhere.
//!
//! A process has one log at most, installed by the program; without one nothing is recorded. No secret is written:
//! events have no field for one, and command lines come here without them.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use dnssec_sign::{Dnskey, Name};
use rustix::fs::FlockOperation;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::report::Report;

/// What was done.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditEvent {
    /// A PIN is about to be tried.
    Login(AuditToken),
    /// The PIN was taken.
    LoggedIn(AuditToken),
    /// There was no login; the reason has no PIN in it.
    LoginFailed {
        /// Where.
        #[serde(flatten)]
        token: AuditToken,
        /// Why.
        reason: String,
    },
    /// A key pair was made.
    Generated(AuditKey),
    /// Key files were written for a key that a token had.
    Adopted(AuditKey),
    /// Key files were written for a public key, or a private key was brought onto a token.
    Imported(AuditKey),
    /// A key was wrapped by its token and written to a file.
    BackedUp(AuditKey),
    /// A token unwrapped a key from such a file.
    Restored(AuditKey),
    /// Key files were written with the REVOKE bit.
    Revoked(AuditKey),
    /// A key was destroyed.
    Destroyed(AuditKey),
    /// A token was made new.
    TokenInitialised(AuditToken),
    /// A zone was signed: signatures a key.
    Signed {
        /// The zone.
        zone: String,
        /// Its serial.
        serial: u32,
        /// Key tag, algorithm, store, number of signatures.
        keys: Vec<(u16, String, String, u64)>,
    },
    /// The command ended.
    Ended {
        /// Its exit code.
        exit_code: u8,
    },
}

impl AuditEvent {
    /// A run's signatures.
    #[must_use]
    pub fn signed(report: &Report) -> Self {
        let keys = report.keys.iter();
        Self::Signed {
            zone: report.origin.clone(),
            serial: report.serial,
            keys: keys
                .map(|key| (key.tag, key.algorithm.clone(), key.store.clone(), key.signatures))
                .collect(),
        }
    }
}

/// A token in the log.
#[derive(Debug, Clone, Serialize)]
pub struct AuditToken {
    /// Its label.
    pub token: String,
    /// Its serial number.
    pub serial: String,
    /// Its slot.
    pub slot: u64,
    /// The provider's library.
    pub module: PathBuf,
    /// SHA-256 of the library's file; empty where it cannot be read.
    pub module_sha256: String,
}

impl AuditToken {
    /// What the log says of a token.
    #[must_use]
    pub fn of(token: &hsm_core::Token) -> Self {
        let (info, module) = (token.info(), token.module());
        Self::reached_by(module.path(), (&info.label, &info.serial, info.slot_id))
    }

    /// What it says of a token of this label, serial number and slot that the library at `module` reaches.
    #[must_use]
    pub(crate) fn reached_by(module: &Path, (label, serial, slot): (&str, &str, u64)) -> Self {
        // Reading the library is worth it only where it is written down.
        let library = LOG.get().and_then(|_| std::fs::read(module).ok());
        Self {
            token: label.to_owned(),
            serial: serial.to_owned(),
            slot,
            module: module.to_owned(),
            module_sha256: library.map(|bytes| hex(&Sha256::digest(bytes))).unwrap_or_default(),
        }
    }
}

/// A key in the log; what does not apply is left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditKey {
    /// The base name of its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// CKA_LABEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// CKA_ID in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The token's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl AuditKey {
    /// What the log says of a key on a token.
    #[must_use]
    pub fn on_token(key: &hsm_core::TokenKey, token: &hsm_core::Token) -> Self {
        Self {
            file: None,
            label: Some(key.label()),
            id: Some(hex(key.id())),
            fingerprint: Some(key.public().fingerprint()),
            token: Some(token.info().label.clone()),
        }
    }

    /// The same with the base name of its files.
    #[must_use]
    pub fn with_file(self, file: impl ToString) -> Self {
        Self {
            file: Some(file.to_string()),
            ..self
        }
    }
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since 1970.
    time: u64,
    user: u32,
    process: u32,
    command: &'a [String],
    program_sha256: &'a str,
    #[serde(flatten)]
    event: &'a AuditEvent,
    previous: String,
}

struct Log {
    path: PathBuf,
    command: Vec<String>,
    program_sha256: String,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// What stands for the line before the first.
const NO_LINE: [u8; 32] = [0; 32];

/// More than the longest line.
const TAIL: u64 = 1 << 20;

/// Installs the process's log. `command` is the command line, without secrets.
///
/// # Errors
/// [`Error::Io`] when the file cannot be opened for appending, [`Error::Input`] when its last line is torn.
pub fn install_audit(path: &Path, command: Vec<String>) -> Result<(), Error> {
    let mut file = open(path)?;
    previous(&mut file, path)?;
    let program = std::fs::read("/proc/self/exe").map_err(Error::io("this program"))?;
    let log = Log {
        path: path.to_owned(),
        command,
        program_sha256: hex(&Sha256::digest(program)),
    };
    // A second one is never installed by the program.
    let _ = LOG.set(log);
    Ok(())
}

/// Appends a line, if a log is installed: locked against other processes, and on the disk when this returns.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] when the last line is torn. What cannot be recorded should not be done.
pub fn audit(event: &AuditEvent) -> Result<(), Error> {
    let Some(log) = LOG.get() else {
        return Ok(());
    };
    let mut file = open(&log.path)?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)
        .map_err(std::io::Error::from)
        .map_err(Error::io(&log.path))?;
    let line = Line {
        time: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| time.as_secs()),
        user: rustix::process::getuid().as_raw(),
        process: std::process::id(),
        command: &log.command,
        program_sha256: &log.program_sha256,
        event,
        previous: hex(&previous(&mut file, &log.path)?),
    };
    let mut text = serde_json::to_vec(&line)
        .map_err(std::io::Error::from)
        .map_err(Error::io(&log.path))?;
    text.push(b'\n');
    // The lock goes with the file's closing.
    file.write_all(&text)
        .and_then(|()| file.sync_data())
        .map_err(Error::io(&log.path))
}

/// The signatures that the installed log has on record for a zone's key; none without a log.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Input`] for a line that is no JSON.
pub(crate) fn audited_signatures(zone: &Name, key: &Dnskey) -> Result<u64, Error> {
    let Some(log) = LOG.get() else { return Ok(0) };
    let (zone, algorithm) = (zone.to_string(), key.algorithm().to_string());
    let mut total: u64 = 0;
    for line in BufReader::new(File::open(&log.path).map_err(Error::io(&log.path))?).lines() {
        let line = line.map_err(Error::io(&log.path))?;
        let value: Value = serde_json::from_str(&line)
            .map_err(|error| Error::Input(format!("{}: a line is no JSON: {error}", log.path.display())))?;
        if value.get("event") != Some(&"signed".into()) || value.get("zone") != Some(&zone.as_str().into()) {
            continue;
        }
        let keys = value.get("keys").and_then(Value::as_array).into_iter().flatten();
        let made = keys.filter(|entry| {
            entry.get(0) == Some(&key.key_tag().into()) && entry.get(1) == Some(&algorithm.as_str().into())
        });
        total += made
            .filter_map(|entry| entry.get(3).and_then(Value::as_u64))
            .sum::<u64>();
    }
    Ok(total)
}

fn open(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options.open(path).map_err(Error::io(path))
}

/// The digest of the last line.
fn previous(file: &mut File, path: &Path) -> Result<[u8; 32], Error> {
    let length = file.metadata().map_err(Error::io(path))?.len();
    let start = length.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.read_to_end(&mut tail))
        .map_err(Error::io(path))?;
    let Some(lines) = tail.strip_suffix(b"\n") else {
        if tail.is_empty() {
            return Ok(NO_LINE);
        }
        return Err(Error::Input(format!(
            "{}: the last line is torn; look at it, and go on with a new file",
            path.display()
        )));
    };
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Sha256::digest(last).into())
}

/// What a log that holds together says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSummary {
    /// How many lines it has.
    pub lines: u64,
    /// The digest of the last line, in hexadecimal: kept elsewhere, it shows whether lines were cut off.
    pub last: String,
    /// Whether the digest that was looked for is that of a line.
    pub found: bool,
}

/// Checks every line of a log against the one before. `wanted` is a digest noted earlier, which some line has to have.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Input`] with the line that does not follow from the one before.
pub fn verify_audit(path: &Path, wanted: Option<&str>) -> Result<AuditSummary, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut last = hex(&NO_LINE);
    let mut summary = AuditSummary {
        lines: 0,
        last: last.clone(),
        found: wanted.is_none(),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(Error::io(path))? == 0 {
            break;
        }
        summary.lines += 1;
        let wrong = |what: &str| Error::Input(format!("{}:{}: {what}", path.display(), summary.lines));
        let text = line.strip_suffix(b"\n").ok_or_else(|| wrong("the line is torn"))?;
        let value: Value = serde_json::from_slice(text).map_err(|error| wrong(&format!("no JSON: {error}")))?;
        if value.get("previous").and_then(Value::as_str) != Some(last.as_str()) {
            return Err(wrong(
                "it does not follow from the line before: one of the two was changed, or a line is missing between them",
            ));
        }
        last = hex(&Sha256::digest(text));
        summary.found |= wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(&last));
    }
    summary.last = last;
    Ok(summary)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn a_chain_shows_every_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        install_audit(&path, vec!["signet".to_owned(), "key".to_owned()]).unwrap();
        for code in 0..5 {
            audit(&AuditEvent::Ended { exit_code: code }).unwrap();
        }
        let whole = verify_audit(&path, None).unwrap();
        assert_eq!(whole.lines, 5);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let noted = hex(&Sha256::digest(lines[2]));
        assert!(verify_audit(&path, Some(&noted)).unwrap().found);
        assert!(!verify_audit(&path, Some(&hex(&[7; 32]))).unwrap().found);

        let wrong = |lines: &[&str], at: &str| {
            let path = directory.path().join("changed");
            std::fs::write(&path, format!("{}\n", lines.join("\n"))).unwrap();
            let error = verify_audit(&path, None).unwrap_err().to_string();
            assert!(error.contains(at), "{error}");
        };
        let changed = lines[1].replace("\"exit_code\":1", "\"exit_code\":0");
        wrong(&[lines[0], &changed, lines[2]], "changed:3:");
        wrong(&[lines[0], lines[2]], "changed:2:");
        wrong(&lines[1..], "changed:1:");
        std::fs::write(&path, &text[..text.len() - 1]).unwrap();
        assert!(audit(&AuditEvent::Ended { exit_code: 9 }).is_err());
    }
}
