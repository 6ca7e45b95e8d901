//! A folder of a test's own, removed with it: files in, listing and bytes out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;

/// A test's folder.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
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
        let folder = tempfile::Builder::new()
            .prefix("signet-test-")
            .tempdir()
            .expect("a temporary folder");
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
