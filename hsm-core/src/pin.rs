//! Turns a PIN source (`prompt`, `file:PATH`, `env:NAME`, `fd:N`, `openssl:PATH`) into a secret.
//!
//! A PIN passes through buffers that are zeroed and ends in a [`Pin`], whose memory is locked and
//! left out of core dumps; it is in no error and no debug output. A variable is wiped from the
//! environment once it was read. Nothing here asks a token whether the PIN is right.

mod handover;
mod memory;
mod openssl;
mod start_block;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FileType, Mode, OFlags};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

pub use self::handover::{hand_over_pin, take_over_pin};
pub use self::openssl::openssl_module_path;

/// The longest PIN that is read, in bytes. Tokens take at most 255.
const LIMIT: usize = 256;

/// A PIN: zeroed when dropped, never printed.
pub type Pin = SecretString;

/// Where a PIN comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PinSource {
    /// Typed on the terminal, without echo.
    Prompt,
    /// The only line of a file that nobody else may read.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The first line of an open file descriptor.
    Fd(i32),
    /// `PIN` in the `[pkcs11_section]` of an `openssl.cnf`, as libp11's engine takes it.
    Openssl(PathBuf),
    /// Two halves, from two custodians: the PIN is the first and the second, one behind the other.
    Halves(Box<PinSource>, Box<PinSource>),
}

/// What is done about a PIN's file that others can read or change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFileCheck {
    /// It is refused.
    Refuse,
    /// It is taken, with a warning: for programs that stand in for ones that did not look.
    Warn,
}

/// Why a PIN cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinFault {
    /// Opening or reading failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A prompt was asked for, and there is no terminal.
    #[error("there is no terminal to ask on; use file:PATH, env:NAME or fd:N")]
    NoTerminal,
    /// The last part of the path is a symbolic link.
    #[error("it is a symbolic link; name the file itself, so that its owner and mode are the ones that count")]
    Symlink,
    /// A directory, a device, a pipe.
    #[error("it is no regular file; pass an open pipe as fd:N")]
    NotRegular,
    /// Somebody else owns the file.
    #[error("it belongs to user {owner}, not to you (user {you}) or root")]
    Owner {
        /// The file's owner.
        owner: u32,
        /// The effective user of this process.
        you: u32,
    },
    /// Others may read or write the file.
    #[error("its mode is {mode:04o}, so that others can read or change it; run: chmod 600 {}", path.display())]
    Mode {
        /// The file's permission bits.
        mode: u32,
        /// The file.
        path: PathBuf,
    },
    /// The environment variable is not set.
    #[error("the variable is not set")]
    Unset,
    /// An `openssl.cnf` without a PIN.
    #[error("it has no line `PIN = …` in a section [pkcs11_section]")]
    NoPinLine,
    /// Nothing, or only a line end.
    #[error("it is empty")]
    Empty,
    /// More than a PIN can have.
    #[error("it is longer than {LIMIT} bytes: this is no PIN")]
    TooLong,
    /// Not UTF-8, or with a NUL.
    #[error("it is not text: PKCS#11 wants a PIN in UTF-8")]
    NotText,
    /// A second line follows.
    #[error("it has more than one line; keep nothing but the PIN in it")]
    Lines,
}

/// PINs whose variables were wiped: a second token may want the same one.
static WIPED: Mutex<BTreeMap<String, Pin>> = Mutex::new(BTreeMap::new());

impl PinSource {
    /// Reads the PIN, once. `what` names what it is for, in the prompt and in errors
    /// (`token 'prod'`).
    ///
    /// One line end behind the PIN is dropped. A file has to be a regular one, owned by the user
    /// or root, with no permissions for others; the checks are made on the opened file.
    ///
    /// # Errors
    /// [`Error::Pin`], which names the source and what is wrong with it.
    pub fn read(&self, what: &str) -> Result<Pin> {
        self.read_checked(what, PinFileCheck::Refuse)
    }

    /// Reads the PIN as [`Self::read`] does, with a say in what becomes of a file that others can read.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_checked(&self, what: &str, check: PinFileCheck) -> Result<Pin> {
        self.secret(what, check).map_err(|fault| Error::Pin {
            what: what.to_owned(),
            from: self.clone(),
            fault,
        })
    }

    /// The sources that it is made of: two halves, else itself. Who starts other programs keeps variables and descriptors
    /// among them from those.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Halves(first, second) => vec![&**first, &**second],
            whole => vec![whole],
        }
    }

    fn secret(&self, what: &str, check: PinFileCheck) -> std::result::Result<Pin, PinFault> {
        match self {
            Self::Prompt => prompt(&format!("PIN for {what}: ")),
            Self::File(path) => {
                let (text, length) = fill(private_file(path, check)?, Until::End)?;
                one_line(text.get(..length).unwrap_or_default())
            }
            Self::Openssl(path) => openssl::pin(private_file(path, check)?),
            Self::Env(name) => {
                let mut wiped = WIPED.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(pin) = wiped.get(name) {
                    return Ok(copy_of_pin(pin));
                }
                let value = Zeroizing::new(std::env::var_os(name).ok_or(PinFault::Unset)?.into_encoded_bytes());
                let pin = one_line(&value)?;
                start_block::wipe_variable(name, &value);
                wiped.insert(name.clone(), copy_of_pin(&pin));
                Ok(pin)
            }
            Self::Fd(number) => {
                let open = File::open(format!("/dev/fd/{number}"))?;
                let (text, length) = fill(open, Until::LineEnd)?;
                one_line(text.get(..length).unwrap_or_default())
            }
            Self::Halves(first, second) => {
                let first = first.secret(&format!("{what}, first half"), check)?;
                let second = second.secret(&format!("{what}, second half"), check)?;
                let mut joined: Buffer = Zeroizing::new([0; LIMIT + 3]);
                let mut length = 0;
                for half in [first.expose_secret().as_bytes(), second.expose_secret().as_bytes()] {
                    let room = joined.get_mut(length..length + half.len()).ok_or(PinFault::TooLong)?;
                    room.copy_from_slice(half);
                    length += half.len();
                }
                one_line(joined.get(..length).unwrap_or_default())
            }
        }
    }
}

/// Asks for a PIN on the terminal, without echo; `question` is shown as it is.
///
/// # Errors
/// [`Error::Pin`] where there is no terminal, or what was typed is no PIN.
pub fn prompt_pin(question: &str) -> Result<Pin> {
    prompt(question).map_err(|fault| typed_fault(PinSource::Prompt, fault))
}

/// A PIN that the caller has as text, and which may stand in the process's arguments: it is wiped from there.
///
/// # Errors
/// [`Error::Pin`] for what is no PIN.
pub fn pin_from_argument(text: &str) -> Result<Pin> {
    let pin = one_line(text.as_bytes()).map_err(|fault| typed_fault(PinSource::Prompt, fault))?;
    start_block::wipe_argument(text.as_bytes());
    Ok(pin)
}

fn typed_fault(from: PinSource, fault: PinFault) -> Error {
    Error::Pin {
        what: "the token".to_owned(),
        from,
        fault,
    }
}

fn prompt(question: &str) -> std::result::Result<Pin, PinFault> {
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Err(PinFault::NoTerminal);
    }
    let typed = Zeroizing::new(rpassword::prompt_password(question)?);
    one_line(typed.as_bytes())
}

/// Opens a file without following a link, and checks owner and mode on what was opened.
fn private_file(path: &PathBuf, check: PinFileCheck) -> std::result::Result<File, PinFault> {
    let lenient = check == PinFileCheck::Warn;
    // NONBLOCK: opening a named pipe must not hang before its type can be looked at.
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if !lenient {
        flags |= OFlags::NOFOLLOW;
    }
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::LOOP) => return Err(PinFault::Symlink),
        Err(error) => return Err(PinFault::Io(error.into())),
    };
    let status = rustix::fs::fstat(&file).map_err(io::Error::from)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(PinFault::NotRegular);
    }
    let you = rustix::process::geteuid().as_raw();
    let mode = status.st_mode & 0o7777;
    let fault = if status.st_uid != you && status.st_uid != 0 {
        PinFault::Owner {
            owner: status.st_uid,
            you,
        }
    } else if mode & 0o077 != 0 {
        PinFault::Mode {
            mode,
            path: path.clone(),
        }
    } else {
        return Ok(file);
    };
    if lenient {
        tracing::warn!("the file with the PIN, {}: {fault}", path.display());
        return Ok(file);
    }
    Err(fault)
}

#[derive(PartialEq, Eq)]
enum Until {
    End,
    LineEnd,
}

/// Room for the longest PIN, its line end, and one byte that shows that it is too long.
type Buffer = Zeroizing<[u8; LIMIT + 3]>;

/// Reads into a buffer that never moves, so that no copy of the PIN stays behind.
fn fill(mut from: File, until: Until) -> io::Result<(Buffer, usize)> {
    let mut buffer = Zeroizing::new([0; LIMIT + 3]);
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        let more = match from.read(room) {
            Ok(0) => break,
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let line_end = room.get(..more).is_some_and(|read| read.contains(&b'\n'));
        length += more;
        if until == Until::LineEnd && line_end {
            // A descriptor may stay open behind the PIN's line: what follows is not ours.
            length = buffer
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(length, |at| at + 1);
            break;
        }
    }
    Ok((buffer, length))
}

fn one_line(text: &[u8]) -> std::result::Result<Pin, PinFault> {
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LIMIT {
        return Err(PinFault::TooLong);
    }
    if line.is_empty() {
        return Err(PinFault::Empty);
    }
    if line.contains(&b'\n') {
        return Err(PinFault::Lines);
    }
    let pin = std::str::from_utf8(line).map_err(|_| PinFault::NotText)?;
    if pin.contains('\0') {
        return Err(PinFault::NotText);
    }
    Ok(secret(pin))
}

/// A copy in memory of its own that is locked and left out of dumps, which a clone's is not.
pub fn copy_of_pin(pin: &Pin) -> Pin {
    secret(pin.expose_secret())
}

/// A secret in an allocation of exactly its size: nothing is moved, so nothing is left behind.
pub(crate) fn secret(text: &str) -> Pin {
    let text = Box::<str>::from(text);
    memory::protect(text.as_bytes());
    Pin::from(text)
}

impl FromStr for PinSource {
    type Err = Error;

    /// `prompt`, `file:PATH` (also as `file:///PATH`), `env:NAME`, `fd:N`, `openssl:PATH`, or a bare path; or two of these
    /// as `halves:SOURCE,SOURCE`, where the first has no comma in it.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::Uri {
            at: "PIN source".to_owned(),
            reason: reason.to_owned(),
        };
        if text == "prompt" {
            return Ok(Self::Prompt);
        }
        if text.starts_with('|') {
            return Err(wrong(
                "commands are not run for a PIN; use prompt, file:PATH, env:NAME or fd:N",
            ));
        }
        if let Some(halves) = text.strip_prefix("halves:") {
            let (first, second) = halves
                .split_once(',')
                .ok_or_else(|| wrong("halves: wants two sources with a comma between them"))?;
            let half = |text: &str| match text.parse()? {
                Self::Halves(..) => Err(wrong("a half is not itself in halves")),
                half => Ok(Box::new(half)),
            };
            return Ok(Self::Halves(half(first)?, half(second)?));
        }
        if let Some(name) = text.strip_prefix("env:") {
            return if name.is_empty() || name.contains('=') {
                Err(wrong("env: wants the name of an environment variable"))
            } else {
                Ok(Self::Env(name.to_owned()))
            };
        }
        if let Some(path) = text.strip_prefix("openssl:") {
            return if path.is_empty() {
                Err(wrong("openssl: wants the path of an openssl.cnf"))
            } else {
                Ok(Self::Openssl(PathBuf::from(path)))
            };
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return number
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .map(Self::Fd)
                .ok_or_else(|| wrong("fd: wants the number of an open file descriptor"));
        }
        let path = match text.strip_prefix("file:") {
            Some(rest) => match rest.strip_prefix("//") {
                Some(with_host) => {
                    let path = with_host.strip_prefix("localhost").unwrap_or(with_host);
                    if !path.starts_with('/') {
                        return Err(wrong("a file: URI cannot name another host"));
                    }
                    path
                }
                None => rest,
            },
            None => text,
        };
        if path.is_empty() {
            return Err(wrong("it is empty; use prompt, file:PATH, env:NAME or fd:N"));
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            // Two slashes after the scheme begin a host (RFC 8089 2): an empty one keeps them in the path.
            Self::File(path) if path.to_string_lossy().starts_with("//") => write!(f, "file://{}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
            Self::Openssl(path) => write!(f, "openssl:{}", path.display()),
            Self::Halves(first, second) => write!(f, "halves:{first},{second}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn file(mode: u32, text: &[u8]) -> (tempfile::TempDir, PinSource) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pin");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (directory, PinSource::File(path))
    }

    #[test]
    fn two_custodians_have_a_half_each() {
        let ((_one, first), (_other, second)) = (file(0o600, b"half1\n"), file(0o600, b"half2\n"));
        let source = PinSource::Halves(Box::new(first.clone()), Box::new(second));
        assert_eq!(source.read("x").unwrap().expose_secret(), "half1half2");
        let (_long, long) = file(0o600, &[b'1'; LIMIT]);
        assert!(PinSource::Halves(Box::new(first), Box::new(long)).read("x").is_err());
    }

    #[test]
    fn sources_parse_and_print() {
        for text in [
            "prompt",
            "file:/etc/pin",
            "env:PIN",
            "fd:7",
            "openssl:/etc/ssl/openssl.cnf",
            "halves:file:/a/pin,prompt",
        ] {
            assert_eq!(text.parse::<PinSource>().unwrap().to_string(), text);
        }
        let path = PinSource::File(PathBuf::from("/etc/pin"));
        assert_eq!("/etc/pin".parse::<PinSource>().unwrap(), path);
        assert_eq!("file:///etc/pin".parse::<PinSource>().unwrap(), path);
        assert_eq!("file://localhost/etc/pin".parse::<PinSource>().unwrap(), path);
        let slashes = PinSource::File("//etc/pin".into());
        assert_eq!(slashes.to_string().parse::<PinSource>().unwrap(), slashes);
        for text in [
            "",
            "file:",
            "env:",
            "env:A=B",
            "fd:x",
            "fd:-1",
            "|cat pin",
            "file://host/p",
            "halves:file:/a",
            "halves:halves:a,b",
        ] {
            assert!(text.parse::<PinSource>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_line_end_is_dropped_and_no_more() {
        for text in ["1234", "1234\n", "1234\r\n"] {
            let (_kept, source) = file(0o600, text.as_bytes());
            assert_eq!(source.read("t").unwrap().expose_secret(), "1234");
        }
        let (_kept, source) = file(0o400, b" 12 34 \n");
        assert_eq!(source.read("t").unwrap().expose_secret(), " 12 34 ");
    }

    #[test]
    fn bad_contents_are_named_and_not_shown() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "it is empty"),
            (b"\n", "it is empty"),
            (b"12\n34\n", "more than one line"),
            (b"12\n\n", "more than one line"),
            (b"12\xff34", "not text"),
            (&[b'7'; LIMIT + 1], "longer than 256 bytes"),
        ];
        for (text, reason) in cases {
            let (_kept, source) = file(0o600, text);
            let message = source.read("token 'x'").unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
            assert!(!message.contains("12") && !message.contains("77"), "{message}");
        }
    }

    #[test]
    fn files_of_others_are_refused() {
        for mode in [0o640, 0o604, 0o620, 0o644] {
            let (_kept, source) = file(mode, b"1234\n");
            let message = source.read("t").unwrap_err().to_string();
            assert!(message.contains("chmod 600"), "{message}");
        }
        let (directory, PinSource::File(path)) = file(0o600, b"1234\n") else {
            unreachable!()
        };
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        let message = PinSource::File(link).read("t").unwrap_err().to_string();
        assert!(message.contains("symbolic link"), "{message}");
        let message = PinSource::File(directory.path().into())
            .read("t")
            .unwrap_err()
            .to_string();
        assert!(message.contains("no regular file"), "{message}");
        let message = PinSource::File(path.with_extension("gone"))
            .read("t")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("pin.gone") && message.contains("No such file"),
            "{message}"
        );
    }

    #[test]
    fn a_descriptor_gives_its_first_line() {
        use std::os::fd::AsRawFd;
        let (_kept, PinSource::File(path)) = file(0o644, b"4321\nmore\n") else {
            unreachable!()
        };
        let open = File::open(path).unwrap();
        let source = PinSource::Fd(open.as_raw_fd());
        assert_eq!(source.read("t").unwrap().expose_secret(), "4321");
        assert!(
            PinSource::Fd(9999)
                .read("t")
                .unwrap_err()
                .to_string()
                .contains("fd:9999")
        );
    }

    #[test]
    fn an_unset_variable_is_named() {
        let source = PinSource::Env("HSM_CORE_NO_SUCH_VARIABLE".to_owned());
        let message = source.read("token 'prod'").unwrap_err().to_string();
        assert_eq!(
            message,
            "PIN for token 'prod' from env:HSM_CORE_NO_SUCH_VARIABLE: the variable is not set"
        );
    }
}
