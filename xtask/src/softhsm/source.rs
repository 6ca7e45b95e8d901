//! Finds the source of SoftHSMv2: given by hand, cached, in the distribution's source package, or upstream's release.
//!
//! The two tarballs that may be downloaded differ in their packing, not in their code; each has its own pinned checksum. The
//! distribution's is looked up through a private list of sources, made from the system's list of binaries: apt's own state is not touched.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::{download, process};

/// SHA-256 of `softhsm2_2.6.1.orig.tar.gz` in Debian's and its descendants' source package.
const DISTRIBUTION_SHA256: &str = "ac9ac1e3f4402f88bf3e626a18f070f8031c031947ed469c6e17482495ec72b6";
/// Upstream's release, and its SHA-256.
const UPSTREAM_URL: &str = "https://dist.opendnssec.org/source/softhsm-2.6.1.tar.gz";
const UPSTREAM_SHA256: &str = "61249473054bcd1811519ef9a989a880a7bdcc36d317c9c25457fc614df475f2";

/// Source ready to be built, and what tells it from other source.
pub(super) struct Source {
    /// A folder or a tarball.
    pub(super) path: PathBuf,
    /// The tarball's SHA-256, or the folder's path.
    pub(super) identity: String,
}

/// Where downloads stay.
pub(super) fn cache() -> PathBuf {
    super::folder().join("cache")
}

/// The source given by hand, or else the first of cache, distribution and upstream.
pub(super) fn locate(given: Option<&Path>) -> Result<Source> {
    if let Some(path) = given {
        let path = fs::canonicalize(path)?;
        let identity = if path.is_dir() {
            path.display().to_string()
        } else {
            download::sha256(&path)?
        };
        return Ok(Source { path, identity });
    }
    fs::create_dir_all(cache())?;
    let pinned = |name: &str, sha256: &str| Source {
        path: cache().join(name),
        identity: sha256.to_owned(),
    };
    let distribution = pinned("softhsm2-2.6.1.orig.tar.gz", DISTRIBUTION_SHA256);
    let upstream = pinned("softhsm-2.6.1.tar.gz", UPSTREAM_SHA256);
    for cached in [&distribution, &upstream] {
        if download::sha256(&cached.path).is_ok_and(|found| found == cached.identity) {
            return Ok(Source {
                path: cached.path.clone(),
                identity: cached.identity.clone(),
            });
        }
    }
    let from_distribution =
        distribution_url().and_then(|url| download::fetch(&url, &distribution.path, DISTRIBUTION_SHA256));
    let Err(first) = from_distribution else {
        return Ok(distribution);
    };
    eprintln!("softhsm: not from the distribution ({first:#}); trying upstream");
    download::fetch(UPSTREAM_URL, &upstream.path, UPSTREAM_SHA256).context(
        "no source of SoftHSMv2 to be had: give one with --source, or use the installed library with --system",
    )?;
    Ok(upstream)
}

/// The address of the upstream tarball inside the distribution's source package.
fn distribution_url() -> Result<String> {
    process::find("apt-get").context("this system has no apt")?;
    let state = tempfile::tempdir()?;
    let parts = state.path().join("parts");
    for folder in ["lists/partial", "archives/partial", "parts"] {
        fs::create_dir_all(state.path().join(folder))?;
    }
    let mut found = false;
    for list in source_lists() {
        let text = fs::read_to_string(&list)?;
        let deb822 = list.extension().is_some_and(|e| e == "sources");
        let text = if deb822 {
            deb_src_stanzas(&text)
        } else {
            deb_src_lines(&text)
        };
        if !text.is_empty() {
            found = true;
            let name = if deb822 { "own.sources" } else { "own.list" };
            let target = parts.join(name);
            let already = fs::read_to_string(&target).unwrap_or_default();
            fs::write(&target, already + &text)?;
        }
    }
    if !found {
        bail!("apt lists no mirror of the distribution");
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        let option = |name: &str, path: &Path| format!("-o{name}={}", path.display());
        apt.arg("-qq")
            .arg("-oDir::Etc::sourcelist=/dev/null")
            .arg(option("Dir::Etc::sourceparts", &parts))
            .arg(option("Dir::State::lists", &state.path().join("lists")))
            .arg(option("Dir::Cache", state.path()))
            .arg("-oAPT::Sandbox::User=root")
            .args(download::apt_timeouts());
        apt
    };
    // A third party's broken mirror makes this fail although the one that counts was read.
    if let Err(error) = process::run(apt().arg("update")) {
        eprintln!("softhsm: {error:#}");
    }
    let uris = process::capture(apt().args(["source", "--print-uris", "softhsm2"]))?;
    orig_url(&uris).context("the distribution's source package has no file named orig")
}

/// The lists apt reads, in both of its formats.
fn source_lists() -> Vec<PathBuf> {
    let mut lists = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        lists.extend(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())));
    }
    lists.retain(|list| list.is_file() && list.extension().is_some_and(|e| e == "list" || e == "sources"));
    lists.sort();
    lists
}

/// Whether these components are a distribution's: `main`, and Ubuntu's `universe`, which holds SoftHSM there.
fn of_distribution<'a>(mut components: impl Iterator<Item = &'a str>) -> bool {
    components.any(|component| component == "main" || component == "universe")
}

/// The `deb` stanzas of a deb822 list, as stanzas for source packages.
fn deb_src_stanzas(text: &str) -> String {
    let mut stanzas = String::new();
    for stanza in text.split("\n\n") {
        let lines: Vec<&str> = stanza.lines().filter(|line| !line.starts_with('#')).collect();
        let field = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
        let binaries = field("Types:").is_some_and(|types| types.split_whitespace().any(|t| t == "deb"));
        let disabled = field("Enabled:").is_some_and(|value| value.trim() == "no");
        let signed = field("Signed-By:").is_some();
        if !binaries || disabled || !signed || !of_distribution(field("Components:").unwrap_or("").split_whitespace()) {
            continue;
        }
        stanzas.push_str("Types: deb-src\n");
        for line in lines
            .iter()
            .filter(|line| !line.starts_with("Types:") && !line.trim().is_empty())
        {
            stanzas.push_str(line);
            stanzas.push('\n');
        }
        stanzas.push('\n');
    }
    stanzas
}

/// The `deb` lines of a one-line list, as lines for source packages.
fn deb_src_lines(text: &str) -> String {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("deb "))
        .filter(|rest| of_distribution(rest.split_whitespace()))
        .map(|rest| format!("deb-src {rest}\n"))
        .collect()
}

/// The address of the file named `orig` in what `apt-get source --print-uris` prints: quoted address, name, size, checksum.
fn orig_url(uris: &str) -> Option<String> {
    uris.lines()
        .filter(|line| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|name| name.contains(".orig.tar"))
        })
        .find_map(|line| line.strip_prefix('\'')?.split('\'').next().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_for_binaries_becomes_one_for_sources() {
        let text = "# a comment\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: stable\nComponents: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://other.example\nSuites: x\nComponents: extra\nSigned-By: /o.gpg\n";
        let stanzas = deb_src_stanzas(text);
        assert_eq!(
            stanzas,
            "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: stable\nComponents: main\nSigned-By: /k.gpg\n\n"
        );
    }

    #[test]
    fn a_line_for_binaries_becomes_one_for_sources() {
        let text = "# deb http://off.example a main\ndeb [signed-by=/k] http://mirror.example/debian stable main\ndeb-src http://s.example stable main\n";
        assert_eq!(
            deb_src_lines(text),
            "deb-src [signed-by=/k] http://mirror.example/debian stable main\n"
        );
    }

    #[test]
    fn the_file_named_orig_is_taken() {
        let uris = "'http://m.example/s_1.dsc' s_1.dsc 9 SHA256:aa\n'http://m.example/s_1.orig.tar.gz' s_1.orig.tar.gz 9 SHA256:bb\n";
        assert_eq!(orig_url(uris).as_deref(), Some("http://m.example/s_1.orig.tar.gz"));
        assert_eq!(orig_url("'http://m.example/s_1.dsc' s_1.dsc 9"), None);
    }
}
