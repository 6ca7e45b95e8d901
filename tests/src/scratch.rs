//! A folder of a test's own, removed with it: files in, listing and bytes out.
//!
//! All of a process lie in one folder, which goes when the process ends in whatever way: what is kept for all tests is never
//! dropped, and a test that is killed drops nothing.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use fs_err as fs;
use tempfile::TempDir;

/// A test's folder.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
}

/// The folder of all the process's folders.
struct Root {
    folder: PathBuf,
    /// Waits for the end of its input, which comes with the process's, and removes the folder.
    _reaper: Child,
}

impl Root {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("signet-test-").tempdir();
        let folder = folder.expect("a temporary folder").keep();
        let reaper = Command::new("sh")
            .args(["-c", "cat; rm -rf -- \"$0\""])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What interrupts the tests does not reach it.
            .process_group(0)
            .spawn();
        Self {
            folder,
            _reaper: reaper.expect("a shell"),
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty folder.
    ///
    /// # Panics
    /// When none can be made.
    #[must_use]
    pub fn new() -> Self {
        static ROOT: LazyLock<Root> = LazyLock::new(Root::new);
        let folder = tempfile::tempdir_in(&ROOT.folder).expect("a temporary folder");
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file and returns its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a test's file");
        path
    }

    /// Makes a folder in it and returns its path.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn make_folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a test's folder");
        path
    }

    /// A file's text.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.bytes(name)).into_owned()
    }

    /// A file's bytes.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a test's file")
    }

    /// The names of all files and folders directly in one of its folders (`.` is the whole).
    ///
    /// # Panics
    /// When it cannot be listed.
    #[must_use]
    pub fn listing(&self, folder: &str) -> BTreeSet<String> {
        fs::read_dir(self.path(folder))
            .expect("a test's folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect()
    }
}
