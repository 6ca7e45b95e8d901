//! Runs one program to its end, or kills it at a limit: exit code, both outputs, time. Outputs go through files, so nothing can block.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;

/// What a program shall be run with.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
    input: Option<PathBuf>,
    limit: Duration,
}

/// How a program ended.
#[derive(Clone)]
pub struct Run {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output. Bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error. Bytes that are not UTF-8 are replaced.
    pub stderr: String,
    /// Wall time.
    pub elapsed: Duration,
}

impl Program {
    /// A program by path. It inherits the environment, with the C locale and UTC.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
            input: None,
            limit: Duration::from_secs(300),
        }
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes an environment variable away.
    #[must_use]
    pub fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// The folder to run in.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// A file as standard input; without one it is empty.
    #[must_use]
    pub fn input(mut self, file: impl Into<PathBuf>) -> Self {
        self.input = Some(file.into());
        self
    }

    /// The time after which it is killed and the test fails; five minutes unless told.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// This program as the argument of another one, which starts it (`faketime`, `prlimit`).
    #[must_use]
    pub fn under(self, starter: impl Into<PathBuf>, options: &[&str]) -> Self {
        let arguments = options
            .iter()
            .map(OsString::from)
            .chain([self.path.into_os_string()])
            .chain(self.arguments)
            .collect();
        Self {
            path: starter.into(),
            arguments,
            ..self
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    fn line(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        let words: Vec<_> = self.arguments.iter().map(|a| a.to_string_lossy()).collect();
        format!("{} {}", name.to_string_lossy(), words.join(" "))
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started or does not end within its limit.
    #[must_use]
    pub fn run(self) -> Run {
        self.watch(|_| ())
    }

    /// Runs it, and calls `look` with its process ID about every millisecond until it ends.
    ///
    /// # Panics
    /// When it cannot be started or does not end within its limit.
    #[must_use]
    pub fn watch(self, mut look: impl FnMut(u32)) -> Run {
        let (mut out, mut err) = (capture(), capture());
        let input = self.input.as_deref().map_or_else(Stdio::null, opened);
        let began = Instant::now();
        let mut child = self
            .command()
            .stdin(input)
            .stdout(out.try_clone().expect("a file can be shared"))
            .stderr(err.try_clone().expect("a file can be shared"))
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.path.display()));
        let ended = wait(&mut child, self.limit, &mut look);
        let run = Run {
            command: self.line(),
            code: ended.and_then(|status| status.code()),
            stdout: read(&mut out),
            stderr: read(&mut err),
            elapsed: began.elapsed(),
        };
        assert!(ended.is_some(), "killed after {:?}: {run:?}", self.limit);
        run
    }
}

/// The processes that a process has started and that still run, without those that have ended and wait to be noticed.
#[must_use]
pub fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let numbers: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|number| number.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    numbers.into_iter().filter(|child| runs(*child)).collect()
}

/// Whether a process runs: it is there, and has not ended unnoticed.
#[must_use]
pub fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold anything.
    let state = status.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn capture() -> std::fs::File {
    tempfile::tempfile().expect("a temporary file for what a program prints")
}

fn opened(path: &Path) -> Stdio {
    fs::File::open(path).expect("the input is there").into_parts().0.into()
}

fn read(file: &mut std::fs::File) -> String {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).expect("a file can be rewound");
    file.read_to_end(&mut bytes)
        .expect("what a program printed can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The exit status, or nothing when it had to be killed.
fn wait(child: &mut Child, limit: Duration, look: &mut impl FnMut(u32)) -> Option<std::process::ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        look(child.id());
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

impl Run {
    /// It ended with exit code 0.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        self.exits(0)
    }

    /// It ended with this exit code, and without a panic.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert!(!self.stderr.contains("panicked"), "a panic: {self:?}");
        assert_eq!(self.code, Some(code), "exit code {code} was expected: {self:?}");
        self
    }

    /// Its standard error holds each of these, in whatever letter case.
    ///
    /// # Panics
    /// When one is missing.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Self {
        let text = self.stderr.to_lowercase();
        for word in words {
            assert!(
                text.contains(&word.to_lowercase()),
                "{word:?} was expected on stderr: {self:?}"
            );
        }
        self
    }

    /// Everything it printed.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> {:?} after {:?}", self.command, self.code, self.elapsed)?;
        writeln!(f, "--- stdout\n{}", shortened(&self.stdout))?;
        writeln!(f, "--- stderr\n{}", shortened(&self.stderr))
    }
}

/// At most 60 lines: the first and the last.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= 60 {
        return lines.join("\n");
    }
    let (head, tail) = (&lines[..30], &lines[lines.len() - 30..]);
    format!("{}\n[{} lines]\n{}", head.join("\n"), lines.len() - 60, tail.join("\n"))
}
