//! A file from the network, accepted only with the SHA-256 that is pinned in the source.
//!
//! Uses whichever downloader the system has, so a proxy that is configured for it is honoured. No library for HTTP is brought in.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use fs_err as fs;
use sha2::{Digest, Sha256};

use crate::process;

/// Seconds until a host that does not answer is given up.
pub(crate) const CONNECT_TIMEOUT: &str = "5";

/// Seconds until a whole download is given up.
const TOTAL_TIMEOUT: &str = "120";

/// apt's downloader, which knows apt's proxies.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";

/// The SHA-256 of a file as lower-case hex.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(HEXLOWER.encode(&digest.finalize()));
        }
        digest.update(&buffer[..read]);
    }
}

/// Fetches `url` to `path` by the first downloader that succeeds and checks it.
///
/// # Errors
/// When none succeeds or the checksum differs; then no file is left at `path`.
pub(crate) fn fetch(url: &str, path: &Path, expected: &str) -> Result<()> {
    let part = path.with_extension("part");
    let fetched = downloaders(url, &part)
        .iter_mut()
        .any(|command| attempt(command, &part));
    if !fetched {
        bail!("cannot download {url}");
    }
    let found = sha256(&part)?;
    if found != expected {
        fs::remove_file(&part)?;
        bail!("{url} has SHA-256 {found}, not the pinned {expected}: not used");
    }
    fs::rename(&part, path).context("cannot keep the download")
}

fn attempt(command: &mut Command, part: &Path) -> bool {
    let _absent = std::fs::remove_file(part);
    eprintln!("$ {}", process::line(command));
    let succeeded = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    succeeded && part.is_file()
}

fn downloaders(url: &str, part: &Path) -> Vec<Command> {
    let mut commands = Vec::new();
    if process::find("curl").is_some() {
        let mut curl = Command::new("curl");
        curl.args(["--fail", "--silent", "--show-error", "--location"])
            .args(["--connect-timeout", CONNECT_TIMEOUT])
            .args(["--max-time", TOTAL_TIMEOUT, "--output"])
            .arg(part)
            .arg(url);
        commands.push(curl);
    }
    if process::find("wget").is_some() {
        let mut wget = Command::new("wget");
        wget.args(["--quiet", "--tries=1"])
            .arg(format!("--connect-timeout={CONNECT_TIMEOUT}"))
            .arg(format!("--dns-timeout={CONNECT_TIMEOUT}"))
            .arg("-O")
            .arg(part)
            .arg(url);
        commands.push(wget);
    }
    if Path::new(APT_HELPER).is_file() {
        let mut helper = Command::new(APT_HELPER);
        helper
            .arg("-oAPT::Sandbox::User=root")
            .args(apt_timeouts())
            .args(["download-file", url])
            .arg(part);
        commands.push(helper);
    }
    commands
}

/// apt's options for [`CONNECT_TIMEOUT`] and no second try.
pub(crate) fn apt_timeouts() -> [String; 3] {
    [
        format!("-oAcquire::http::Timeout={CONNECT_TIMEOUT}"),
        format!("-oAcquire::https::Timeout={CONNECT_TIMEOUT}"),
        "-oAcquire::Retries=0".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_checksum_is_sha_256_in_lower_case() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("empty");
        fs::write(&file, "")?;
        assert_eq!(sha256(&file)?, EMPTY);
        Ok(())
    }

    #[test]
    fn a_download_with_another_checksum_is_refused_and_removed() -> Result<()> {
        if process::find("curl").is_none() {
            eprintln!("SKIPPED: curl, which reads file: addresses, is not installed");
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        let (source, kept) = (folder.path().join("source"), folder.path().join("kept"));
        fs::write(&source, "x")?;
        let url = format!("file://{}", source.display());
        let refused = fetch(&url, &kept, EMPTY);
        assert!(refused.is_err_and(|e| e.to_string().contains("not the pinned")));
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }
}
