//! Where the things lie that the suites run: the program, the PKCS#11 library, the judges. Finds, never installs.

use std::env;
use std::path::{Path, PathBuf};

/// The project's folder.
#[must_use]
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the project").to_path_buf()
}

/// Whether the long forms of the suites were asked for (`cargo xtask test-hsm --full`).
#[must_use]
pub fn full() -> bool {
    env::var_os("SIGNET_FULL").is_some_and(|value| value == "1")
}

/// A file of the data that may lie beside the project, or nothing in a clone without it.
#[must_use]
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let path = project().parent()?.join("shared/data").join(name);
    path.is_file().then_some(path)
}

/// The program under test: `SIGNET_BIN`, else the newest build, release or debug, beside this test.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn signet_binary() -> PathBuf {
    if let Some(path) = env::var_os("SIGNET_BIN").map(PathBuf::from) {
        assert!(
            path.is_file(),
            "SIGNET_BIN names {}, which is not there",
            path.display()
        );
        return path;
    }
    let test = env::current_exe().expect("a test knows its own path");
    let target = test.ancestors().nth(3).expect("a test lies in target/PROFILE/deps");
    let found = ["release/signet", "debug/signet"].map(|name| target.join(name));
    let built = |path: &PathBuf| path.metadata().and_then(|file| file.modified()).ok();
    let newest = found.into_iter().filter(|path| path.is_file()).max_by_key(built);
    newest.unwrap_or_else(|| {
        panic!(
            "no signet program in {}: run `cargo build --release -p signet-pipeline`, or `cargo xtask test-hsm`",
            target.display()
        )
    })
}

/// Whether the program under test has the feature `openssl`, as the one of `cargo xtask test-hsm` has.
///
/// # Panics
/// When it has not and this is CI: what needs it would not be tested.
#[must_use]
pub fn with_openssl() -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = std::process::Command::new(signet_binary())
        .args(["key", "generate", "--on-disk", "-a", "ED448", "a.test.", "-K"])
        .arg(folder.path())
        .output()
        .expect("the program under test starts");
    let has = run.status.success();
    assert!(
        has || env::var_os("CI").is_none(),
        "the program under test is built without the feature openssl: build it with `--features openssl`"
    );
    has
}

/// The PKCS#11 library: `PKCS11_PROVIDER`, else an installed SoftHSMv2.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn module() -> PathBuf {
    if let Some(path) = env::var_os("PKCS11_PROVIDER").map(PathBuf::from) {
        assert!(
            path.is_file(),
            "PKCS11_PROVIDER names {}, which is not there: run `cargo xtask softhsm build`",
            path.display()
        );
        return path;
    }
    library("softhsm/libsofthsm2.so").unwrap_or_else(|| {
        panic!("no SoftHSMv2: run the suites by `cargo xtask test-hsm`, or install one by `cargo xtask setup`")
    })
}

/// OpenSC's PKCS#11 spy, which passes every call on and writes it down.
///
/// # Panics
/// When it is not installed.
#[must_use]
pub fn spy_module() -> PathBuf {
    library("pkcs11-spy.so")
        .or_else(|| library("opensc/pkcs11-spy.so"))
        .unwrap_or_else(|| panic!("no pkcs11-spy.so (Debian: opensc-pkcs11): run `cargo xtask setup`"))
}

/// Our own module that misbehaves on schedule, built beside this test.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn faulty_module() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let path = test.with_file_name("libfaulty_provider.so");
    assert!(
        path.is_file(),
        "{} is not there: it is built with the suites",
        path.display()
    );
    path
}

/// Kryoptic's library: `KRYOPTIC_MODULE`, else the build below the target folder.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn kryoptic_module() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let target = test.ancestors().nth(3).expect("a test lies in target/PROFILE/deps");
    let built = target.join("kryoptic/release/libkryoptic_pkcs11.so");
    let path = env::var_os("KRYOPTIC_MODULE").map_or(built, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there: run `cargo xtask kryoptic`",
        path.display()
    );
    path
}

/// An installed library, by its name below the folders where libraries are.
#[must_use]
pub fn library(name: &str) -> Option<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    [multiarch.as_str(), "/usr/lib", "/usr/lib64", "/usr/local/lib"]
        .map(|folder| Path::new(folder).join(name))
        .into_iter()
        .find(|path| path.is_file())
}

/// The path of an installed tool.
///
/// # Panics
/// When it is not on the `PATH`: a judge that is missing is a failure, not a pass.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(sbin)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("the judge {name} is not installed: run `cargo xtask setup`"))
}
