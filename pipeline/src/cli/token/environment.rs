//! The variables by which vendors' libraries are configured: which are set, and whether what they name is there. They are
//! handed through as they are; nothing here changes them.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    File,
    Folder,
    /// Parted by colons.
    Folders,
    Text,
}

/// Variables that a provider library may read.
const KNOWN: &[(&str, &str, Holds)] = &[
    ("SOFTHSM2_CONF", "SoftHSM", Holds::File),
    ("KRYOPTIC_CONF", "Kryoptic", Holds::File),
    ("NSS_LIB_PARAMS", "NSS", Holds::Text),
    ("P11_KIT_CONFIG", "p11-kit", Holds::File),
    ("PKCS11SPY", "OpenSC's spy", Holds::File),
    ("OPENSC_CONF", "OpenSC", Holds::File),
    ("KEYPER_LIBRARY_PATH", "AEP Keyper", Holds::Folder),
    ("ChrystokiConfigurationPath", "Thales Luna", Holds::Folder),
    ("CKNFAST_LOADSHARING", "Entrust nShield", Holds::Text),
    ("NFAST_HOME", "Entrust nShield", Holds::Folder),
    ("CS_PKCS11_R2_CFG", "Utimaco", Holds::File),
    ("CS_PKCS11_R3_CFG", "Utimaco", Holds::File),
    ("YUBIHSM_PKCS11_CONF", "YubiHSM", Holds::File),
    ("TPM2_PKCS11_STORE", "tpm2-pkcs11", Holds::Folder),
    ("OPENSSL_CONF", "OpenSSL", Holds::File),
    ("LD_LIBRARY_PATH", "the dynamic loader", Holds::Folders),
];

/// A variable that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Variable {
    name: &'static str,
    /// Who reads it.
    reader: &'static str,
    value: String,
    /// What is wrong with it.
    pub(super) fault: Option<String>,
}

impl Variable {
    /// A line for a person.
    pub(super) fn line(&self) -> String {
        let fault = self.fault.as_ref().map(|fault| format!(": {fault}"));
        format!(
            "{}={} (read by {}){}",
            self.name,
            self.value,
            self.reader,
            fault.unwrap_or_else(|| ": fine".to_owned())
        )
    }
}

/// Those that are set, looked at.
pub(super) fn variables() -> Vec<Variable> {
    checked(|name| std::env::var_os(name))
}

fn checked(get: impl Fn(&str) -> Option<OsString>) -> Vec<Variable> {
    let set = KNOWN.iter().filter_map(|&(name, reader, holds)| {
        let value = get(name)?.to_string_lossy().into_owned();
        Some(Variable {
            name,
            reader,
            fault: fault(holds, &value),
            value,
        })
    });
    set.collect()
}

fn fault(holds: Holds, value: &str) -> Option<String> {
    let folder = |path: &str| match Path::new(path) {
        path if path.is_dir() => None,
        path if path.exists() => Some(format!("{} is no folder", path.display())),
        path => Some(format!("{} is not there", path.display())),
    };
    match holds {
        Holds::Text => None,
        _ if value.is_empty() => Some("it is empty".to_owned()),
        Holds::File => match std::fs::File::open(value).and_then(|file| file.metadata()) {
            Ok(file) if file.is_file() => None,
            Ok(_) => Some(format!("{value} is no file")),
            Err(error) => Some(format!("{value} cannot be read: {error}")),
        },
        Holds::Folder => folder(value),
        Holds::Folders => value.split(':').filter(|part| !part.is_empty()).find_map(folder),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path().display().to_string();
        let file = directory.path().join("conf");
        std::fs::write(&file, "").unwrap();
        let look = |name: &str, value: &str| {
            let found = checked(|asked| (asked == name).then(|| value.into()));
            assert_eq!(found.len(), 1, "{name}");
            found.into_iter().next().unwrap().fault
        };
        assert_eq!(look("SOFTHSM2_CONF", &file.display().to_string()), None);
        assert!(look("SOFTHSM2_CONF", &there).unwrap().contains("is no file"));
        assert_eq!(look("KEYPER_LIBRARY_PATH", &there), None);
        assert!(
            look("KEYPER_LIBRARY_PATH", "/no/such")
                .unwrap()
                .contains("is not there")
        );
        assert!(
            look("LD_LIBRARY_PATH", &format!("{there}:/no/such"))
                .unwrap()
                .contains("/no/such")
        );
        assert_eq!(look("NSS_LIB_PARAMS", "configdir=x"), None);
        assert!(look("OPENSSL_CONF", "").unwrap().contains("empty"));
    }
}
