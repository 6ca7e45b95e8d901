//! Opens the file whose settings name a library to load: only one that nobody but its reader and root can change, in folders
//! of which the same holds. What stands in it is not looked at.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, lstat};
use signet_pipeline::Error;

/// More than anybody writes.
const ROOM: u64 = 64 * 1024;

/// The file's text; nothing where there is none.
///
/// # Errors
/// [`Error::Io`] when it cannot be read; [`Error::Usage`] when somebody else could have written it, with what to do.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    let unread = |source: io::Error| Error::Io {
        path: path.to_owned(),
        source,
    };
    // NONBLOCK: opening a named pipe must not hang before its type can be looked at.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(refused(path, "it is a symbolic link; name the file itself")),
        Err(error) => return Err(unread(error.into())),
    };
    let status = fstat(&file).map_err(|error| unread(error.into()))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(refused(path, "it is no regular file"));
    }
    guarded(path, &status)?;
    let whole = std::path::absolute(path).map_err(unread)?;
    for folder in whole.ancestors().skip(1) {
        guarded_folder(path, folder)?;
    }
    // Where folders on the way are links, those behind them count as well.
    let straight = whole.canonicalize().map_err(unread)?;
    for folder in straight.ancestors().skip(1) {
        guarded_folder(path, folder)?;
    }
    let mut text = String::new();
    file.take(ROOM).read_to_string(&mut text).map_err(unread)?;
    if text.len() as u64 == ROOM {
        return Err(refused(path, "it is longer than 64 KiB: these are no settings"));
    }
    Ok(Some(text))
}

fn guarded_folder(path: &Path, folder: &Path) -> Result<(), Error> {
    let status = lstat(folder).map_err(|error| Error::Io {
        path: folder.to_owned(),
        source: error.into(),
    })?;
    guarded(path, &status).map_err(|_| {
        refused(
            path,
            format_args!(
                "others than you and root can change what is in {}; move it to a folder of yours",
                folder.display()
            ),
        )
    })
}

/// Whether nobody but root and this process's user can change it.
fn guarded(path: &Path, status: &Stat) -> Result<(), Error> {
    let (you, owner) = (rustix::process::geteuid().as_raw(), status.st_uid);
    if owner != you && owner != 0 {
        return Err(refused(
            path,
            format_args!("it belongs to user {owner}, not to you (user {you}) or root"),
        ));
    }
    let (kind, mode) = (FileType::from_raw_mode(status.st_mode), status.st_mode & 0o7777);
    let open = match kind {
        // A link has no mode; in a sticky folder nobody takes away what is another's.
        FileType::Symlink => false,
        FileType::Directory => mode & 0o022 != 0 && mode & 0o1000 == 0,
        _ => mode & 0o022 != 0,
    };
    if open {
        return Err(refused(
            path,
            format_args!(
                "its mode is {mode:04o}, so that others can change it; run: chmod go-w {}",
                path.display()
            ),
        ));
    }
    Ok(())
}

fn refused(path: &Path, reason: impl Display) -> Error {
    Error::Usage(format!(
        "{} says what library is loaded, and is not trusted: {reason}",
        path.display()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_others_could_have_written_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("folder");
        create_dir(&folder).unwrap();
        let (file, link) = (folder.join("signet.toml"), folder.join("link.toml"));
        assert_eq!(read(&file).unwrap(), None);
        write(&file, "token = 'x'").unwrap();
        let mode = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let reason = |path: &Path| {
            let error = read(path).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
            error.to_string()
        };
        for refused in [0o666, 0o620] {
            mode(&file, refused);
            assert!(reason(&file).contains("chmod go-w"));
        }
        mode(&file, 0o644);
        assert_eq!(read(&file).unwrap().unwrap(), "token = 'x'");
        symlink(&file, &link).unwrap();
        assert!(reason(&link).contains("symbolic link"));
        assert!(reason(&folder).contains("no regular file"));
        // Whoever can write to the folder can put another file there.
        mode(&folder, 0o777);
        assert!(reason(&file).contains(&folder.display().to_string()));
        mode(&folder, 0o1777);
        assert!(read(&file).is_ok());
        // A link on the way leads to where others can write.
        let way = directory.path().join("way");
        symlink(&folder, &way).unwrap();
        assert!(read(&way.join("signet.toml")).is_ok());
        mode(&folder, 0o775);
        assert!(reason(&way.join("signet.toml")).contains("folder"));
    }
}
