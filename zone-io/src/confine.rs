//! A directory that included files have to lie in, wherever symbolic links lead. Paths are not made here.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The directory.
#[derive(Debug)]
pub(crate) struct IncludeRoot {
    /// As it was given, for messages.
    named: PathBuf,
    canonical: PathBuf,
    directory: File,
}

impl IncludeRoot {
    /// Looks the directory up.
    pub(crate) fn new(named: &Path) -> Result<Self> {
        let canonical = named.canonicalize()?;
        let directory = File::open(&canonical)?;
        if !directory.metadata()?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            named: named.to_owned(),
            canonical,
            directory,
        })
    }

    /// Opens a file in it. The path has no links any more when it is compared, and is opened so that none that was made
    /// since is followed.
    pub(crate) fn open(&self, path: &Path) -> Result<File> {
        let canonical = path.canonicalize()?;
        let Ok(inside) = canonical.strip_prefix(&self.canonical) else {
            let what = format!("is outside {}, where included files have to be", self.named.display());
            return Err(Error::new(ErrorKind::PermissionDenied, what));
        };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.directory, inside, flags, Mode::empty(), resolve) {
            Ok(file) => Ok(file.into()),
            // Before Linux 5.6, and where a filter forbids it.
            Err(Errno::NOSYS | Errno::PERM) => {
                Ok(rustix::fs::openat(&self.directory, inside, flags | OFlags::NOFOLLOW, Mode::empty())?.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_count_by_where_they_lead() {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        std::fs::create_dir_all(at("root/sub")).unwrap();
        for file in ["root/in", "root/sub/in", "out"] {
            std::fs::write(at(file), "").unwrap();
        }
        symlink(at("out"), at("root/leads-out")).unwrap();
        symlink(at("root/sub/in"), at("root/leads-in")).unwrap();
        symlink(at("root"), at("link-to-root")).unwrap();
        let root = IncludeRoot::new(&at("link-to-root")).unwrap();
        for path in ["root/in", "root/sub/../in", "root/leads-in", "link-to-root/sub/in"] {
            root.open(&at(path)).unwrap();
        }
        for path in ["out", "root/../out", "root/leads-out"] {
            let error = root.open(&at(path)).unwrap_err();
            assert!(error.to_string().contains("outside"), "{error}");
        }
        assert_eq!(root.open(&at("root/none")).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(IncludeRoot::new(&at("out")).is_err());
    }
}
