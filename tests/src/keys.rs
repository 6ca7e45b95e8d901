//! Keys for the suites: made by signet on a token or on disk, or by dnssec-keygen. Only their files are handled, never their numbers.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::environment::program;
use crate::process::Program;
use crate::signet::Signet;
use crate::token::Token;

/// A key's place in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Flags 257.
    Ksk,
    /// Flags 256.
    Zsk,
}

/// A pair of key files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    folder: PathBuf,
    base_name: String,
}

impl Key {
    /// Key files that are there, by base name.
    ///
    /// # Panics
    /// When one of the two files is missing.
    #[must_use]
    pub fn existing(folder: &Path, base_name: &str) -> Self {
        let key = Self {
            folder: folder.to_path_buf(),
            base_name: base_name.trim().to_owned(),
        };
        for path in [key.public_file(), key.private_file()] {
            assert!(path.is_file(), "{} is missing", path.display());
        }
        key
    }

    /// Made by signet on a token: label from role and algorithm.
    ///
    /// # Panics
    /// When signet fails.
    #[must_use]
    pub fn on_token(token: &Token, zone: &str, algorithm: &str, role: Role, folder: &Path) -> Self {
        let name = if zone == "." {
            "root"
        } else {
            zone.trim_end_matches('.')
        };
        let label = format!("{name}-{}-{role:?}", algorithm.to_lowercase());
        Self::on_token_labelled(token, zone, algorithm, role, folder, &label)
    }

    /// Made by signet on a token.
    ///
    /// # Panics
    /// When signet fails.
    #[must_use]
    pub fn on_token_labelled(
        token: &Token,
        zone: &str,
        algorithm: &str,
        role: Role,
        folder: &Path,
        label: &str,
    ) -> Self {
        let signet = Signet::new("key generate").on(token).args(["-l", label]);
        Self::generated(signet, zone, algorithm, role, folder)
    }

    /// Made by signet on disk.
    ///
    /// # Panics
    /// When signet fails.
    #[must_use]
    pub fn on_disk(zone: &str, algorithm: &str, role: Role, folder: &Path) -> Self {
        Self::generated(Signet::new("key generate --on-disk"), zone, algorithm, role, folder)
    }

    fn generated(signet: Signet, zone: &str, algorithm: &str, role: Role, folder: &Path) -> Self {
        let flags: &[&str] = if role == Role::Ksk { &["-f", "KSK"] } else { &[] };
        let run = signet
            .arg(zone)
            .args(["-a", algorithm])
            .args(flags)
            .arg("-K")
            .arg(folder)
            .run();
        run.succeeds();
        assert_eq!(run.stdout.lines().count(), 1, "the base name alone on stdout: {run:?}");
        Self::existing(folder, &run.stdout)
    }

    /// Made by BIND's dnssec-keygen on disk.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn by_bind(zone: &str, algorithm: &str, role: Role, folder: &Path) -> Self {
        let flags: &[&str] = if role == Role::Ksk { &["-f", "KSK"] } else { &[] };
        let run = Program::new(program("dnssec-keygen"))
            .args(["-q", "-a", algorithm])
            .args(flags)
            .arg("-K")
            .arg(folder)
            .arg(zone)
            .run();
        run.succeeds();
        Self::existing(folder, &run.stdout)
    }

    /// The same pair for another zone: an algorithm's slow key generation is needed once.
    ///
    /// # Panics
    /// When the files cannot be copied.
    #[must_use]
    pub fn for_zone(&self, zone: &str, folder: &Path) -> Self {
        let number = &self.base_name[self.base_name.find('+').expect("K, owner, +AAA+IIIII")..];
        let base_name = format!("K{zone}{number}");
        let record = self.record();
        let data = &record[record.find("IN DNSKEY").expect("a DNSKEY")..];
        fs::write(folder.join(format!("{base_name}.key")), format!("{zone} {data}\n")).expect("a key file");
        fs::copy(self.private_file(), folder.join(format!("{base_name}.private"))).expect("a key file");
        Self::existing(folder, &base_name)
    }

    /// `K` + owner + `+AAA+IIIII`.
    #[must_use]
    pub fn base_name(&self) -> &str {
        &self.base_name
    }

    /// The `.key` file.
    #[must_use]
    pub fn public_file(&self) -> PathBuf {
        self.folder.join(format!("{}.key", self.base_name))
    }

    /// The `.private` file.
    #[must_use]
    pub fn private_file(&self) -> PathBuf {
        self.folder.join(format!("{}.private", self.base_name))
    }

    /// The key tag in its name.
    ///
    /// # Panics
    /// When the name has none.
    #[must_use]
    pub fn tag(&self) -> u16 {
        let digits = self.base_name.rsplit('+').next().unwrap_or_default();
        digits.parse().expect("a base name ends with the key tag")
    }

    /// The line of the `.key` file that is the DNSKEY record.
    ///
    /// # Panics
    /// When the file has none.
    #[must_use]
    pub fn record(&self) -> String {
        let text = fs::read_to_string(self.public_file()).expect("a key file");
        let line = text
            .lines()
            .find(|line| !line.starts_with(';') && !line.trim().is_empty());
        line.expect("a key file holds a record").to_owned()
    }

    /// The DNSKEY record with a TTL, to be put into a zone file.
    ///
    /// # Panics
    /// When the file has none.
    #[must_use]
    pub fn record_with_ttl(&self, ttl: u32) -> String {
        let record = self.record();
        let (owner, rest) = record.split_once(char::is_whitespace).expect("an owner");
        let data = &rest[rest.find("DNSKEY").expect("a DNSKEY")..];
        format!("{owner} {ttl} IN {data}\n")
    }
}
