//! The flags that say which module, which token and whose PIN, resolved to a [`TokenAccess`]. Flags win over the
//! environment. Nothing is loaded and no PIN is read here.

use std::path::PathBuf;

use clap::Args;
use hsm_core::{PinSource, TokenSelector, Uri};
use signet_pipeline::TokenAccess;

/// Where the token is and how to log in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Token")]
pub(super) struct TokenFlags {
    /// The provider's PKCS#11 library
    #[arg(short, long, value_name = "PATH", env = "PKCS11_PROVIDER", hide_env_values = true)]
    module: Option<PathBuf>,

    /// Load the library only if the SHA-256 of its file is this one
    #[arg(long, value_name = "HEX", env = "SIGNET_MODULE_SHA256", hide_env_values = true, value_parser = sha256)]
    module_sha256: Option<Sha256>,

    /// What the library gets at C_Initialize, if it is configured so: NSS wants configdir='sql:DIR' flags=
    #[arg(long, value_name = "TEXT", env = "SIGNET_INIT_ARGS", hide_env_values = true)]
    init_args: Option<String>,

    /// The token, by its label
    #[arg(long, value_name = "LABEL", env = "SIGNET_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// The token, by its serial number
    #[arg(long, value_name = "SERIAL", env = "SIGNET_SERIAL_NUMBER", hide_env_values = true)]
    serial_number: Option<String>,

    /// The token, by the ID of the slot it is in
    #[arg(long, value_name = "ID", env = "SIGNET_SLOT", hide_env_values = true)]
    slot: Option<u64>,

    /// Where the PIN comes from: prompt, file:PATH, env:NAME, fd:N, openssl:PATH, or halves:SOURCE,SOURCE
    ///
    /// Without it the pin-source of the key's URI counts, then the token's own PIN pad, then a prompt where there is a
    /// terminal. A file has to be nobody else's to read. env:NAME is wiped from the environment once read. openssl:PATH is
    /// PIN in the section pkcs11_section of an openssl.cnf. halves: joins what two custodians hold. The PIN is tried once: a second wrong try could lock the token.
    #[arg(long, value_name = "SOURCE", env = "SIGNET_PIN_SOURCE", hide_env_values = true)]
    pin_source: Option<PinSource>,
}

/// A digest as typed. A type of its own, so that clap does not take the bytes for several values.
#[derive(Clone, Debug)]
pub(super) struct Sha256(pub(super) [u8; 32]);

/// `--module-sha256`.
///
/// # Errors
/// What is to be written instead.
pub(super) fn sha256(text: &str) -> Result<Sha256, String> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map(Sha256)
        .ok_or_else(|| "write the 64 hexadecimal digits that sha256sum prints".to_owned())
}

impl TokenFlags {
    /// What the flags and the environment say.
    pub(super) fn access(&self) -> TokenAccess {
        TokenAccess {
            module: self.module.clone(),
            token: TokenSelector {
                label: self.token.clone(),
                serial: self.serial_number.clone(),
                slot: self.slot,
                ..TokenSelector::default()
            },
            pin_source: self.pin_source.clone(),
            module_sha256: self.module_sha256.as_ref().map(|Sha256(digest)| Box::new(*digest)),
            init_arguments: self.init_args.clone(),
        }
    }

    /// Where the PIN comes from, if that was said.
    pub(super) fn pin_source(&self) -> Option<&PinSource> {
        self.pin_source.as_ref()
    }

    /// The same for a key named by a URI on the command line, whose `module-path` may be trusted: a person typed
    /// it. The flag still wins.
    pub(super) fn access_for(&self, uri: &Uri) -> TokenAccess {
        let mut access = self.access();
        if access.module.is_none() {
            access.module.clone_from(&uri.module_path);
        }
        access
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: TokenFlags,
    }

    fn access(line: &[&str]) -> TokenAccess {
        Line::try_parse_from([&["x"], line].concat()).unwrap().token.access()
    }

    #[test]
    fn flags_become_a_selector() {
        let access = access(&["-m", "/p.so", "--slot", "7", "--pin-source", "file:/pin"]);
        assert_eq!(access.module, Some("/p.so".into()));
        assert_eq!(access.token.slot, Some(7));
        assert_eq!(access.pin_source, Some(PinSource::File("/pin".into())));
    }

    #[test]
    fn a_module_path_in_a_typed_uri_stands_in_for_the_flag() {
        let uri: Uri = "pkcs11:object=k?module-path=/uri.so".parse().unwrap();
        let with = Line::try_parse_from(["x", "-m", "/flag.so"]).unwrap().token;
        assert_eq!(with.access_for(&uri).module, Some("/flag.so".into()));
        let without = TokenFlags::default();
        assert_eq!(without.access_for(&uri).module, Some("/uri.so".into()));
    }

    #[test]
    fn a_wrong_pin_source_is_a_usage_error() {
        let fault = Line::try_parse_from(["x", "--pin-source", "|cat"]).err().unwrap();
        assert_eq!(fault.exit_code(), 2);
    }
}
