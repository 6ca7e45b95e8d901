//! `cargo xtask setup`: finds what this machine lacks for building and testing, and installs it.
//!
//! Each need is probed by the file that is used later, so it does not matter how it came to the machine. What is missing is installed
//! with apt as root; anyone else is shown the exact command. Nothing is removed or upgraded, and no service is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// How a need shows on the machine.
enum Probe {
    /// A program on the PATH or in the folders for administrators.
    Program(&'static str),
    /// A file below one of the usual folders for C headers.
    Header(&'static str),
    /// One of several files, whatever the machine's architecture.
    Library(fn() -> Option<PathBuf>),
}

/// A need, Debian's package for it, and what it is for.
struct Need {
    probe: Probe,
    package: &'static str,
    purpose: &'static str,
}

const fn program(name: &'static str, package: &'static str, purpose: &'static str) -> Need {
    Need {
        probe: Probe::Program(name),
        package,
        purpose,
    }
}

/// Everything that building, testing and measuring use, checked in this order.
const NEEDS: &[Need] = &[
    program("cc", "gcc", "compiles the C parts of dependencies and links"),
    program("c++", "g++", "compiles SoftHSM"),
    program("make", "make", "builds SoftHSM"),
    program("pkg-config", "pkg-config", "finds OpenSSL for SoftHSM"),
    program("tar", "tar", "unpacks SoftHSM"),
    program("gzip", "gzip", "unpacks SoftHSM"),
    Need {
        probe: Probe::Header("openssl/ssl.h"),
        package: "libssl-dev",
        purpose: "SoftHSM's cryptography, and signet's Ed448",
    },
    Need {
        probe: Probe::Header("stdlib.h"),
        package: "libc6-dev",
        purpose: "compiles anything in C",
    },
    program("softhsm2-util", "softhsm2", "the installed token, for --system"),
    program("dnssec-signzone", "bind9-utils", "peer in tests and benchmarks"),
    program("dnssec-keygen", "bind9-utils", "keys of the peers"),
    program("dnssec-verify", "bind9-utils", "judge"),
    program("named-compilezone", "bind9-utils", "normalises zones for comparison"),
    program("delv", "bind9-dnsutils", "judge"),
    program("ldns-signzone", "ldnsutils", "peer in benchmarks"),
    program("ldns-verify-zone", "ldnsutils", "judge"),
    program("keymgr", "knot", "keys of the peer Knot"),
    program("knotd", "knot", "serves zones to a judge"),
    program("kzonesign", "knot-dnssecutils", "peer in benchmarks"),
    program("kzonecheck", "knot-dnssecutils", "judge"),
    program("validns", "validns", "judge"),
    program("pkcs11-tool", "opensc", "looks into tokens in tests"),
    program("strace", "strace", "shows tests the order in which a run writes"),
    program("faketime", "faketime", "gives the judges a clock"),
    program(
        "chromium-headless-shell",
        "chromium-headless-shell",
        "shows tests the report's page",
    ),
    program("time", "time", "measures peak memory in benchmarks"),
    Need {
        probe: Probe::Library(openssl_engine),
        package: "libengine-pkcs11-openssl",
        purpose: "ldns-signzone's way to a token",
    },
    Need {
        probe: Probe::Library(pkcs11_spy),
        package: "opensc-pkcs11",
        purpose: "shows tests which calls a token gets",
    },
    Need {
        probe: Probe::Library(libclang),
        package: "libclang-dev",
        purpose: "reads OpenSSL's headers for Kryoptic",
    },
    Need {
        probe: Probe::Library(nss_softokn),
        package: "libnss3",
        purpose: "a token that the suites sign with",
    },
    program("certutil", "libnss3-tools", "makes NSS's token"),
    program("pkcsslotd", "opencryptoki", "a token that the suites sign with"),
    program("pkcsconf", "opencryptoki", "makes openCryptoki's token"),
    program(
        "unshare",
        "util-linux",
        "keeps openCryptoki's test token from the machine's own",
    ),
    Need {
        probe: Probe::Library(p11_kit_proxy),
        package: "p11-kit-modules",
        purpose: "a token that the suites sign with",
    },
];

/// OpenSSL's engine for PKCS#11, which lies in a folder named by architecture and OpenSSL version.
pub(crate) fn openssl_engine() -> Option<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .map(|entries| entries.filter_map(|e| e.ok().map(|e| e.path())).collect())
            .unwrap_or_default()
    };
    let mut folders = below(Path::new("/usr/lib"));
    folders.push("/usr/lib64".into());
    folders.push("/usr/lib".into());
    folders.sort();
    folders
        .iter()
        .flat_map(|folder| ["engines-3", "engines-1.1"].map(|version| folder.join(version).join("pkcs11.so")))
        .find(|engine| engine.is_file())
}

/// OpenSC's module that writes down every call and passes it on.
fn pkcs11_spy() -> Option<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    [multiarch.as_str(), "/usr/lib", "/usr/lib64"]
        .iter()
        .flat_map(|folder| ["pkcs11-spy.so", "opensc/pkcs11-spy.so"].map(|name| Path::new(folder).join(name)))
        .find(|module| module.is_file())
}

/// A library below the usual folders.
fn library(name: &str) -> Option<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    [multiarch.as_str(), "/usr/lib", "/usr/lib64"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|library| library.is_file())
}

fn nss_softokn() -> Option<PathBuf> {
    library("libsoftokn3.so")
}

fn p11_kit_proxy() -> Option<PathBuf> {
    library("p11-kit-proxy.so")
}

/// libclang of any version, in LLVM's folder or beside the others.
fn libclang() -> Option<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let mut folders = vec![PathBuf::from(multiarch), "/usr/lib".into(), "/usr/lib64".into()];
    if let Ok(entries) = std::fs::read_dir("/usr/lib") {
        let inside = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let llvm = inside.filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("llvm-"))
        });
        folders.extend(llvm.map(|path| path.join("lib")));
    }
    let is_libclang = |path: &PathBuf| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        name.starts_with("libclang.so")
            || name.starts_with("libclang-") && name.contains(".so") && !name.starts_with("libclang-cpp")
    };
    let files = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten();
    files
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(is_libclang)
}

fn header(name: &str) -> bool {
    let usual = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"];
    let multiarch = format!("/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    usual.iter().any(|folder| Path::new(folder).join(name).is_file()) || Path::new(&multiarch).join(name).is_file()
}

fn missing() -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| match need.probe {
            Probe::Program(name) => process::find(name).is_none(),
            Probe::Header(name) => !header(name),
            Probe::Library(find) => find().is_none(),
        })
        .collect()
}

/// The packages of the needs, each once, in the table's order.
fn packages(needs: &[&Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for need in needs {
        if !packages.contains(&need.package) {
            packages.push(need.package);
        }
    }
    packages
}

/// Installs what is missing, or says how to.
///
/// # Errors
/// Where something is missing and this user or this system cannot install it, and where it is still missing after installing.
pub(crate) fn run() -> Result<()> {
    let lacking = missing();
    if lacking.is_empty() {
        eprintln!("setup: all {} programs, headers and libraries are here", NEEDS.len());
        return Ok(());
    }
    for need in &lacking {
        let what = match need.probe {
            Probe::Program(name) | Probe::Header(name) => name,
            Probe::Library(_) => need.package,
        };
        eprintln!("setup: missing {what} ({}): {}", need.package, need.purpose);
    }
    let packages = packages(&lacking);
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    if process::find("apt-get").is_none() {
        bail!(
            "this system has no apt-get; install what Debian calls: {}",
            packages.join(" ")
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!("not root; run this, then try again:\n\n    sudo apt-get update && sudo {install}\n");
    }
    process::run(
        Command::new("apt-get")
            .arg("update")
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    process::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Keeps invoke-rc.d from starting the name server that comes with a package.
            .env("RUNLEVEL", "1"),
    )?;
    let still = missing();
    if !still.is_empty() {
        bail!("still missing after `{install}`: {}", packages_text(&still));
    }
    eprintln!("setup: installed {}", packages.join(" "));
    Ok(())
}

fn packages_text(needs: &[&Need]) -> String {
    packages(needs).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_for_several_needs_is_named_once() {
        let needs: Vec<&Need> = NEEDS.iter().collect();
        let packages = packages(&needs);
        assert_eq!(packages.iter().filter(|p| **p == "bind9-utils").count(), 1);
        assert!(packages.len() < NEEDS.len());
    }

    #[test]
    fn a_header_that_is_nowhere_is_missing() {
        assert!(!header("no/such/header.h"));
    }
}
