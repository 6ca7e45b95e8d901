//! `signet key generate`: a new pair on a token, read back and proven, or on disk; then its K* files. A pair that
//! cannot be used is destroyed again. Never falls back from a token to software.

use clap::Args;
use dnssec_sign::{
    Algorithm, Dnskey, Insist, Name, SEP, SoftwareKey, SoftwareKeyError, generate_key, generate_rsa_key,
};
use hsm_core::{GenerateSpec, LoggedIn, NewId, Protection, SessionCopy, TokenKey};
use signet_pipeline::{AuditEvent, AuditKey, Error, audit, dnskey_of, kind_of, prove_software_key};
use zone_io::PrivateHalf;

use super::file_flags::{self, FilePlan, KeyFileFlags};
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};

/// Make a key pair on a token, or on disk, and write its K* files
#[derive(Args, Debug)]
#[command(
    long_about = "Makes a key pair on a token and writes its K*.key and K*.private files; prints their base name.\n\n\
                  The private key is made on the token, sensitive and not extractable, which is read back and shown. It is \
                  proven by one verified signature. K*.private says where it is; it holds no secret, and no PIN. \
                  With --on-disk the private key is in K*.private itself."
)]
#[allow(clippy::struct_excessive_bools, reason = "each flag is typed or not, on its own")]
pub(in crate::cli) struct GenerateFlags {
    /// The zone that the key is for
    #[arg(value_name = "ZONE", required_unless_present = "successor_of")]
    zone: Option<String>,

    /// RSASHA256, ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448, RSASHA512, or the number; with --insist RSASHA1 and
    /// NSEC3RSASHA1 too. A successor has the old key's
    #[arg(
        short,
        long,
        value_name = "ALG",
        required_unless_present = "successor_of",
        conflicts_with = "successor_of"
    )]
    algorithm: Option<Algorithm>,

    /// The key's label on the token; made from zone, role and a random number by default
    #[arg(short, long, value_name = "LABEL", conflicts_with = "on_disk")]
    label: Option<String>,

    /// Make a key that NSEC3 can be used with: RSASHA1 becomes NSEC3RSASHA1
    #[arg(short = '3', long)]
    nsec3_capable: bool,

    /// The length of an RSA key, 2048 to 4096; with --insist from 1024 on
    #[arg(short, long, value_name = "BITS")]
    bits: Option<u16>,

    /// The public exponent of an RSA key on disk, odd and of 35 bits at most
    #[arg(long, value_name = "N", requires = "on_disk")]
    exponent: Option<u64>,

    /// CKA_ID of the new pair, in hexadecimal; eight random bytes by default
    #[arg(long, value_name = "HEX", conflicts_with = "on_disk", value_parser = key_id)]
    id: Option<KeyId>,

    /// Let the private key leave the token, wrapped by another key of the token (`key backup`); wants --insist
    #[arg(long, conflicts_with = "on_disk", requires = "insist")]
    extractable: bool,

    /// Do what is advised against
    #[arg(long)]
    insist: bool,

    /// Make a software key, in K*.private
    #[arg(long)]
    on_disk: bool,

    #[command(flatten)]
    files: KeyFileFlags,

    #[command(flatten)]
    token: TokenFlags,
}

impl GenerateFlags {
    fn insistence(&self) -> Insist {
        if self.insist { Insist::Yes } else { Insist::No }
    }
}

/// How often a pair whose tag clashes is made again. One in 32768 clashes with one other key.
const TRIES: usize = 10;

/// Makes the pair.
///
/// # Errors
/// [`Error`]; what was made on the token is destroyed again then.
pub(super) fn run(flags: &GenerateFlags) -> Result<Outcome, Error> {
    let plan = flags.files.resolve()?;
    let owner = plan.zone(flags.zone.as_deref())?;
    let old = plan.predecessor.as_ref().map(|old| old.public.dnskey.algorithm());
    let algorithm = flags
        .algorithm
        .or(old)
        .ok_or_else(|| Error::Usage("--algorithm: name the key's algorithm".to_owned()))?;
    let algorithm = match algorithm {
        Algorithm::RSASHA1 if flags.nsec3_capable => Algorithm::NSEC3RSASHA1,
        other => other,
    };
    check_algorithm(algorithm, flags)?;
    if flags.on_disk {
        on_disk(flags, algorithm, &owner, &plan)
    } else {
        on_token(flags, algorithm, &owner, &plan)
    }
}

/// CKA_ID as typed. A type of its own, so that clap does not take the bytes for several values.
#[derive(Debug, Clone)]
pub(super) struct KeyId(pub(super) Vec<u8>);

/// `0A1B`, `0x0a1b` or, as in a URI, `%0A%1B`.
pub(super) fn key_id(text: &str) -> Result<KeyId, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).replace('%', "");
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
    match bytes {
        Ok(bytes) if !bytes.is_empty() => Ok(KeyId(bytes)),
        _ => Err("write pairs of hexadecimal digits, such as 0A1B".to_owned()),
    }
}

/// A bit length for another algorithm than RSA would be passed over in silence.
fn check_algorithm(algorithm: Algorithm, flags: &GenerateFlags) -> Result<(), Error> {
    let of_rsa = [
        ("--bits", flags.bits.is_some()),
        ("--exponent", flags.exponent.is_some()),
    ];
    if let Some((flag, _)) = of_rsa.iter().find(|(_, given)| *given && !algorithm.is_rsa()) {
        return Err(Error::Usage(format!(
            "{flag} is for RSA; a key of {algorithm} has one size only"
        )));
    }
    insisted(algorithm, flags)?;
    if !flags.on_disk {
        kind_of(algorithm, flags.bits, flags.insistence())?;
    }
    if algorithm == Algorithm::RSASHA512 {
        streams::warn("RSASHA512 is not recommended for signing (RFC 8624 3.1); RSASHA256 or ECDSAP256SHA256 are");
    }
    Ok(())
}

/// Keys that should not sign any more are made where that is insisted on.
fn insisted(algorithm: Algorithm, flags: &GenerateFlags) -> Result<(), Error> {
    let against = if matches!(algorithm, Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1) {
        format!("{algorithm} must not sign any more (RFC 9905): take ECDSAP256SHA256 or RSASHA256")
    } else if let Some(bits) = flags.bits.filter(|bits| *bits < 2048) {
        format!("an RSA key of {bits} bits is too short (RFC 8624 3.1): take 2048 or more")
    } else {
        return Ok(());
    };
    if !flags.insist {
        return Err(Error::Usage(format!("{against}, or insist (--insist)")));
    }
    streams::warn(&against);
    Ok(())
}

fn on_disk(flags: &GenerateFlags, algorithm: Algorithm, owner: &Name, plan: &FilePlan) -> Result<Outcome, Error> {
    for _ in 0..TRIES {
        let made = if algorithm.is_rsa() {
            generate_rsa_key(plan.flags, algorithm, flags.bits, flags.exponent)
        } else {
            generate_key(plan.flags, algorithm, None)
        };
        let (dnskey, fields) = made.map_err(not_made)?;
        if plan.clash(owner, &dnskey)?.is_some() {
            continue;
        }
        let key = SoftwareKey::new(dnskey.clone(), &fields).map_err(|error| Error::Input(error.to_string()))?;
        prove_software_key(&key)?;
        let name = plan.write(owner, dnskey, PrivateHalf::Fields(fields))?;
        audit(&AuditEvent::Generated(AuditKey::default().with_file(name)))?;
        return Ok(Outcome::Done);
    }
    Err(no_room())
}

/// A key that this build cannot make was asked for, or the crypto library failed.
fn not_made(error: SoftwareKeyError) -> Error {
    match error {
        SoftwareKeyError::Generation { .. } => Error::Input(error.to_string()),
        asked => Error::Usage(asked.to_string()),
    }
}

fn on_token(flags: &GenerateFlags, algorithm: Algorithm, owner: &Name, plan: &FilePlan) -> Result<Outcome, Error> {
    if flags.extractable {
        warn_of_extractable();
    }
    let access = flags.token.access();
    let token = access.module()?.token(&access.token)?;
    let login = access.log_in(&token, None)?;
    for _ in 0..TRIES {
        let label = match &flags.label {
            Some(label) => label.clone(),
            None => default_label(owner, plan.flags),
        };
        let mut spec = GenerateSpec::new(label, kind_of(algorithm, flags.bits, flags.insistence())?);
        if let Some(KeyId(id)) = &flags.id {
            spec.id = NewId::Unique(id.clone());
        }
        if flags.extractable {
            spec.protection = Protection::Wrappable;
        }
        let key = login.generate(&spec)?;
        match finish(&login, &key, owner, algorithm, plan) {
            Ok(Finished::Written) => return Ok(Outcome::Done),
            Ok(Finished::Clash) => {
                login.destroy(&key)?;
            }
            Err(error) => return Err(destroyed(&login, &key, error)),
        }
    }
    Err(no_room())
}

/// Whoever may wrap by a key that is known outside can read what is wrapped.
pub(super) fn warn_of_extractable() {
    streams::warn(
        "the private key can leave the token, wrapped, and so be read by whoever has the PIN, since that was insisted on",
    );
}

/// What became of a pair.
enum Finished {
    /// It has its files.
    Written,
    /// Its tag clashes with another key's: another pair has to be made.
    Clash,
}

/// From a pair on the token to its files.
fn finish(
    login: &LoggedIn,
    key: &TokenKey,
    owner: &Name,
    algorithm: Algorithm,
    plan: &FilePlan,
) -> Result<Finished, Error> {
    let dnskey = dnskey_of(key.public(), plan.flags, algorithm)?;
    if plan.clash(owner, &dnskey)?.is_some() {
        return Ok(Finished::Clash);
    }
    prove(login, key)?;
    tell(login, key, &dnskey);
    let name = plan.write(owner, dnskey, file_flags::on_token(&key.uri(login.token().info())))?;
    audit(&AuditEvent::Generated(
        AuditKey::on_token(key, login.token()).with_file(name),
    ))?;
    Ok(Finished::Written)
}

/// One verified signature: the halves belong together, and the token signs with them.
///
/// # Errors
/// [`Error::Hsm`].
pub(in crate::cli) fn prove(login: &LoggedIn, key: &TokenKey) -> Result<(), Error> {
    let mut session = login.session()?;
    let slot = session.load_key(key, SessionCopy::Never)?;
    Ok(session.prove(slot)?)
}

/// What is on the token, as it says itself.
pub(super) fn tell(login: &LoggedIn, key: &TokenKey, dnskey: &Dnskey) {
    let token = login.token().info();
    streams::say(&format!(
        "key {}/{} on token '{}' (slot {}): label '{}', id {}, {}; {}; proven by a verified signature",
        dnskey.algorithm(),
        dnskey.key_tag(),
        token.label,
        token.slot_id,
        key.label(),
        data_encoding::HEXLOWER.encode(key.id()),
        key.kind(),
        key.attributes(),
    ));
}

/// Takes the new pair back from the token, and says so where that fails.
pub(super) fn destroyed(login: &LoggedIn, key: &TokenKey, error: Error) -> Error {
    if let Err(left) = login.destroy(key) {
        streams::warn(&format!(
            "the new key '{}' stays on the token without K* files: {left}; adopt it with `signet key from-label`, or destroy it",
            key.label()
        ));
    }
    error
}

fn no_room() -> Error {
    Error::Input(format!(
        "{TRIES} new keys had tags that clash with keys in the directory: move away the files of keys that are gone"
    ))
}

/// `example.com-ksk-3fa92c11`: no two keys of a token may have the same label.
pub(super) fn default_label(owner: &Name, flags: u16) -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let role = if flags & SEP == 0 { "zsk" } else { "ksk" };
    let random = RandomState::new().build_hasher().finish();
    let zone = owner.to_folded().to_string();
    let zone = match zone.trim_end_matches('.') {
        "" => "root",
        zone => zone,
    };
    format!("{zone}-{role}-{:08x}", random >> 32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_zone_and_role() {
        let label = default_label(&"Example.COM".parse().unwrap(), 257);
        assert!(label.starts_with("example.com-ksk-"), "{label}");
        assert_ne!(label, default_label(&"example.com".parse().unwrap(), 257));
        assert!(default_label(&Name::root(), 256).starts_with("root-zsk-"));
    }
}
