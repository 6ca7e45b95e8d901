//! The signers that are compared, and how each is told to do the same work with two threads where it can.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt;

use super::zone_keys::ZoneKeys;
use super::{Check, Denial, Keys};
use crate::softhsm::{Pair, Token};
use crate::{process, setup};

/// A program that signs zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Signer {
    Signet,
    /// dnssec-signzone
    Bind,
    /// ldns-signzone
    Ldns,
    /// kzonesign
    Knot,
}

/// The same work for every signer.
pub(super) struct Job {
    pub(super) signet: PathBuf,
    pub(super) zone: PathBuf,
    pub(super) origin: &'static str,
    pub(super) denial: Denial,
    pub(super) check: Check,
    pub(super) keys: Keys,
    /// Empty before each run; everything a run writes goes here.
    pub(super) folder: PathBuf,
}

impl Signer {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Signet => "signet",
            Self::Bind => "dnssec-signzone",
            Self::Ldns => "ldns-signzone",
            Self::Knot => "kzonesign",
        }
    }

    /// The command to be measured and the file it writes. What it needs beforehand is made here, outside the measurement.
    pub(super) fn prepare(self, job: &Job) -> Result<(Command, PathBuf)> {
        let output = job.folder.join("signed");
        match (self, &job.keys) {
            (Self::Signet, Keys::Disk(keys)) => Ok((signet_disk(job, keys, &output), output)),
            (Self::Signet, Keys::Token(token, keys)) => Ok((signet_token(job, token, keys, &output), output)),
            (Self::Bind, Keys::Disk(keys)) => Ok((bind(job, keys, &output)?, output)),
            (Self::Ldns, Keys::Disk(keys)) => Ok((ldns_disk(job, keys, &output)?, output)),
            (Self::Ldns, Keys::Token(token, keys)) => Ok((ldns_token(job, token, keys, &output)?, output)),
            (Self::Knot, Keys::Disk(keys)) => knot_disk(job, keys),
            (Self::Knot, Keys::Token(token, keys)) => knot_token(job, token, keys),
            (Self::Bind, Keys::Token(..)) | (_, Keys::None) => {
                bail!("{} is not measured with a token", self.title())
            }
        }
    }
}

/// `-x`, here and for dnssec-signzone, because by default both have the ZSK sign the DNSKEY set, too; the others do not.
fn signet(job: &Job, ksk: &str, zsk: &str, folder: &Path, output: &Path) -> Command {
    let mut sign = Command::new(&job.signet);
    sign.arg("sign")
        .arg(&job.zone)
        .args([ksk, zsk, "-o", job.origin, "-f"])
        .arg(output);
    sign.arg("-K").arg(folder).args(["-x", "--threads", "2", "--verify"]);
    sign.arg(if job.check == Check::Full { "full" } else { "none" });
    if job.denial == Denial::Nsec3OptOut {
        sign.args(["--nsec3", "--opt-out"]);
    }
    sign
}

pub(super) fn signet_disk(job: &Job, keys: &ZoneKeys, output: &Path) -> Command {
    let mut sign = signet(job, &keys.ksk, &keys.zsk, &keys.folder, output);
    sign.arg("--no-token");
    sign
}

pub(super) fn signet_token(job: &Job, token: &Token, keys: &Pair, output: &Path) -> Command {
    let mut sign = signet(job, &keys.ksk, &keys.zsk, &keys.folder, output);
    token.lend(&mut sign);
    sign
}

fn bind(job: &Job, keys: &ZoneKeys, output: &Path) -> Result<Command> {
    let mut sign = Command::new(process::need("dnssec-signzone")?);
    sign.args(["-S", "-x", "-n", "2", "-o", job.origin, "-K"])
        .arg(&keys.folder)
        .arg("-f")
        .arg(output);
    // No dsset-* file is left where the benchmark was started.
    sign.arg("-d").arg(&job.folder);
    if job.check == Check::None {
        sign.arg("-P");
    }
    if job.denial == Denial::Nsec3OptOut {
        sign.args(["-3", "-", "-H", "0", "-A"]);
    }
    sign.arg(&job.zone);
    Ok(sign)
}

fn ldns_disk(job: &Job, keys: &ZoneKeys, output: &Path) -> Result<Command> {
    let mut sign = Command::new(process::need("ldns-signzone")?);
    sign.args(["-o", job.origin, "-f"]).arg(output).arg(&job.zone);
    sign.arg(keys.folder.join(&keys.ksk)).arg(keys.folder.join(&keys.zsk));
    Ok(sign)
}

/// Through OpenSSL's engine for PKCS#11, loaded by a configuration of its own.
fn ldns_token(job: &Job, token: &Token, keys: &Pair, output: &Path) -> Result<Command> {
    let engine =
        setup::openssl_engine().context("libengine-pkcs11-openssl is not installed: run `cargo xtask setup`")?;
    let configuration = job.folder.join("openssl.cnf");
    fs::write(
        &configuration,
        format!(
            "openssl_conf = top\n[top]\nengines = engines\n[engines]\npkcs11 = pkcs11\n[pkcs11]\nengine_id = pkcs11\ndynamic_path = {}\nMODULE_PATH = {}\ninit = 0\n",
            engine.display(),
            token.module().display(),
        ),
    )?;
    let uri = |label: &str| {
        let pin = token.pin_file.display();
        format!(
            "13,pkcs11:token={};object={label};type=private;pin-source=file:{pin}",
            Token::LABEL
        )
    };
    let mut sign = Command::new(process::need("ldns-signzone")?);
    sign.args(["-E", "pkcs11", "-K", &uri(&keys.ksk_label), "-k", &uri(&keys.zsk_label)]);
    sign.args(["-o", job.origin, "-f"]).arg(output).arg(&job.zone);
    token.lend(&mut sign);
    sign.env("OPENSSL_CONF", configuration);
    Ok(sign)
}

/// With the keys' files imported.
fn knot_disk(job: &Job, keys: &ZoneKeys) -> Result<(Command, PathBuf)> {
    let (configuration, output) = knot_configuration(job, "", "")?;
    for base in [&keys.ksk, &keys.zsk] {
        let mut import = keymgr(&configuration, job)?;
        import.arg("import-bind").arg(keys.folder.join(format!("{base}.key")));
        process::capture(&mut import)?;
    }
    Ok((kzonesign(job, &configuration)?, output))
}

/// With the token as its key store; its configuration holds the PIN, and nobody else may read it.
fn knot_token(job: &Job, token: &Token, keys: &Pair) -> Result<(Command, PathBuf)> {
    let pin = fs::read_to_string(&token.pin_file)?;
    let keystore = format!(
        "keystore:\n  - id: token\n    backend: pkcs11\n    config: \"pkcs11:token={};pin-value={} {}\"\n",
        Token::LABEL,
        pin.trim(),
        token.module().display()
    );
    let (configuration, output) = knot_configuration(job, &keystore, "    keystore: token\n")?;
    for (base, ksk) in [(&keys.ksk, "yes"), (&keys.zsk, "no")] {
        let mut import = keymgr(&configuration, job)?;
        import.args(["import-pkcs11", &key_id(&keys.folder.join(format!("{base}.private")))?]);
        import.args([
            "algorithm=13",
            &format!("ksk={ksk}"),
            &format!("zsk={}", if ksk == "yes" { "no" } else { "yes" }),
        ]);
        token.lend(&mut import);
        process::capture(&mut import)?;
    }
    let mut sign = kzonesign(job, &configuration)?;
    token.lend(&mut sign);
    Ok((sign, output))
}

/// CKA_ID in hexadecimal, from the URI in a key's file.
fn key_id(private: &Path) -> Result<String> {
    let text = fs::read_to_string(private)?;
    let label = text.lines().find_map(|line| line.strip_prefix("Label: "));
    let label = data_encoding::BASE64.decode(label.context("a key on a token has a label")?.trim().as_bytes())?;
    let uri = String::from_utf8(label)?;
    let id = uri.split([':', ';', '\0']).find_map(|part| part.strip_prefix("id="));
    Ok(id
        .context("signet's labels name the ID")?
        .replace('%', "")
        .to_lowercase())
}

/// A configuration with a key database of its own; and the file that will be written.
fn knot_configuration(job: &Job, keystore: &str, policy: &str) -> Result<(PathBuf, PathBuf)> {
    let configuration = job.folder.join("knot.conf");
    let nsec3 = match job.denial {
        Denial::Nsec => "",
        Denial::Nsec3OptOut => {
            "    nsec3: on\n    nsec3-iterations: 0\n    nsec3-salt-length: 0\n    nsec3-opt-out: on\n"
        }
    };
    let (folder, origin, zone) = (job.folder.display(), job.origin, job.zone.display());
    let text = format!(
        "log:\n  - target: stderr\n    any: warning\ndatabase:\n    storage: {folder}/kasp\n{keystore}policy:\n  - id: bench\n    manual: on\n    signing-threads: 2\n    cds-cdnskey-publish: none\n{policy}{nsec3}zone:\n  - domain: {origin}\n    storage: {folder}\n    file: {zone}\n    journal-content: none\n    dnssec-signing: on\n    dnssec-policy: bench\n"
    );
    let mut file = fs::OpenOptions::new();
    file.write(true).create(true).truncate(true).mode(0o600);
    file.open(&configuration)?.write_all(text.as_bytes())?;
    let results = job.folder.join("knot");
    for made in [job.folder.join("kasp"), results.clone()] {
        fs::create_dir_all(made)?;
    }
    let name = job.zone.file_name().context("a zone is a file")?;
    Ok((configuration, results.join(name)))
}

fn keymgr(configuration: &Path, job: &Job) -> Result<Command> {
    let mut keymgr = Command::new(process::need("keymgr")?);
    keymgr.arg("-c").arg(configuration).arg(job.origin);
    Ok(keymgr)
}

fn kzonesign(job: &Job, configuration: &Path) -> Result<Command> {
    let mut sign = Command::new(process::need("kzonesign")?);
    sign.arg("-c").arg(configuration).arg("-o").arg(job.folder.join("knot"));
    sign.arg(job.origin);
    Ok(sign)
}
