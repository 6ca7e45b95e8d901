//! `signet install-links`: symbolic links by which the program is called as one of BIND's tools.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use clap::Args;
use signet_pipeline::Error;

use super::bind::Tool;
use super::{Outcome, streams};

/// Make links by which signet stands in for pkcs11-keygen, pkcs11-list, pkcs11-destroy, pkcs11-tokens and dnssec-keyfromlabel
///
/// Links of signet that are there are made anew; other files of these names are left alone, which is an error.
#[derive(Args, Debug)]
pub(super) struct InstallLinksFlags {
    /// Where the links go: a directory before BIND's own in the PATH
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Makes the links and prints their paths.
///
/// # Errors
/// [`Error::Io`] where a link cannot be made, [`Error::Input`] where another file has its name; no link is made then.
pub(super) fn run(flags: &InstallLinksFlags) -> Result<Outcome, Error> {
    let program = std::env::current_exe().map_err(|source| Error::Io {
        path: "this program".into(),
        source,
    })?;
    let links = Tool::ALL.map(|tool| flags.directory.join(tool.name()));
    for link in &links {
        let ours = link
            .read_link()
            .is_ok_and(|target| target.file_name() == program.file_name());
        if link.symlink_metadata().is_ok() && !ours {
            return Err(Error::Input(format!(
                "{} is there already and is no link to signet: move it away, or choose another directory",
                link.display()
            )));
        }
    }
    for link in &links {
        let io = |source| Error::Io {
            path: link.clone(),
            source,
        };
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(link).map_err(io)?;
        }
        symlink(&program, link).map_err(io)?;
        streams::print(&format!("{}\n", link.display()))?;
    }
    Ok(Outcome::Done)
}
