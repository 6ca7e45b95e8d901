//! `signet key ds`: the DS records by which a parent names keys, from K*.key files alone.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dnssec_sign::DigestType;
use signet_pipeline::Error;
use zone_io::PublicKeyFile;

use crate::cli::{Outcome, streams};

/// Print the DS records of keys; only their K*.key files are read
#[derive(Args, Debug)]
pub(in crate::cli) struct DsFlags {
    /// Base names of key files, such as Kexample.com.+013+12345
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    /// Where the key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// The digest; may be given more than once
    #[arg(long, value_enum, default_values_t = [Digest::Sha256])]
    digest: Vec<Digest>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Digest {
    /// Number 2 (RFC 4509)
    Sha256,
    /// Number 4 (RFC 6605)
    Sha384,
}

impl From<Digest> for DigestType {
    fn from(digest: Digest) -> Self {
        match digest {
            Digest::Sha256 => Self::Sha256,
            Digest::Sha384 => Self::Sha384,
        }
    }
}

/// Prints.
///
/// # Errors
/// [`Error::Zone`] for a key file that cannot be read.
pub(super) fn run(flags: &DsFlags) -> Result<Outcome, Error> {
    let mut text = String::new();
    for named in &flags.keys {
        let key = public_half(&flags.key_directory, named)?;
        if !key.dnskey.is_sep() {
            streams::warn(&format!("{named} is no KSK: a parent's DS usually names one"));
        }
        for digest in &flags.digest {
            let mut ds = Vec::new();
            key.dnskey.write_ds(key.owner.borrow(), (*digest).into(), &mut ds);
            let (head, digest) = ds.split_at(4);
            text.push_str(&format!(
                "{} IN DS {} {} {} {}\n",
                key.owner,
                key.dnskey.key_tag(),
                head[2],
                head[3],
                data_encoding::HEXUPPER.encode(digest)
            ));
        }
    }
    streams::print(&text)?;
    Ok(Outcome::Done)
}

/// The public half alone: whoever asks for a DS need not be allowed to read private keys.
fn public_half(directory: &Path, named: &str) -> Result<PublicKeyFile, Error> {
    let base = named
        .strip_suffix(".key")
        .or_else(|| named.strip_suffix(".private"))
        .unwrap_or(named);
    let path = directory.join(format!("{base}.key"));
    let text = std::fs::read(&path).map_err(|source| Error::Io {
        path: path.clone(),
        source,
    })?;
    Ok(PublicKeyFile::parse(&text, &path)?)
}
