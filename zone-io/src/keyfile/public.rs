//! `K*.key`: one DNSKEY record in master-file form, with the key's dates in comments before it. Read in any layout that
//! a master file may have, written in BIND's.

use std::path::Path;

use dnssec_sign::{Class, Dnskey, KeyTimes, Name, RecordType, ctime, moment_digits, moment_from_digits};

use super::fault::{KeyFileError, KeyFileFault};
use crate::parse::{Outside, ReadOptions, Reader};
use crate::print::write_decimal;

/// A TTL that no record can state (RFC 2181 8): it says that none was.
const NO_TTL: u32 = u32::MAX;
/// So many base64 digits stand together.
const GROUP: usize = 56;

/// The public half of a key, as `K*.key` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyFile {
    /// The zone that the key is for, letter case kept.
    pub owner: Name,
    /// The record's TTL, if it states one.
    pub ttl: Option<u32>,
    /// The key.
    pub dnskey: Dnskey,
    /// The dates in the comments. Where there is a private file too, its dates decide.
    pub times: KeyTimes,
}

impl PublicKeyFile {
    /// Reads the text of a `.key` file; `path` is for messages.
    ///
    /// # Errors
    /// [`KeyFileError::Syntax`] for anything but one DNSKEY record of class IN.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, KeyFileError> {
        let fault = |line, fault| KeyFileError::Syntax {
            path: path.to_path_buf(),
            line,
            fault,
        };
        let mut options = ReadOptions::new(Name::root());
        options.class = Class::IN;
        options.outside = Outside::Refuse;
        options.ttl = Some(NO_TTL);
        let mut reader = Reader::new(text, &options);
        let mut found = None;
        while let Some(record) = reader.next_record() {
            let record = record.map_err(|at| fault(at.line, at.reason.into()))?;
            if record.rtype != RecordType::DNSKEY {
                return Err(fault(record.line, KeyFileFault::OtherType(record.rtype)));
            }
            if found.is_some() {
                return Err(fault(record.line, KeyFileFault::SecondRecord));
            }
            let dnskey = Dnskey::from_rdata(record.rdata).map_err(|error| fault(record.line, error.into()))?;
            let ttl = (record.ttl != NO_TTL).then_some(record.ttl);
            found = Some((record.owner.to_name(), ttl, dnskey));
        }
        let (owner, ttl, dnskey) = found.ok_or_else(|| fault(1, KeyFileFault::NoKey))?;
        Ok(Self {
            owner,
            ttl,
            dnskey,
            times: times(text),
        })
    }

    /// Appends the file's text in BIND's layout.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"; This is a ");
        if self.dnskey.is_revoked() {
            out.extend_from_slice(b"revoked ");
        }
        out.extend_from_slice(if self.dnskey.is_sep() { b"key" } else { b"zone" });
        out.extend_from_slice(b"-signing key, keyid ");
        write_decimal(u32::from(self.dnskey.key_tag()), out);
        out.extend_from_slice(b", for ");
        self.owner.borrow().write_text(out);
        out.push(b'\n');
        let mut times = self.times;
        for (tag, time) in comments(&mut times) {
            if let Some(time) = *time {
                out.extend_from_slice(b"; ");
                out.extend_from_slice(tag.as_bytes());
                out.extend_from_slice(b": ");
                out.extend_from_slice(&moment_digits(time));
                out.extend_from_slice(format!(" ({})\n", ctime(time)).as_bytes());
            }
        }
        self.owner.borrow().write_text(out);
        out.push(b' ');
        if let Some(ttl) = self.ttl {
            write_decimal(ttl, out);
            out.push(b' ');
        }
        out.extend_from_slice(b"IN DNSKEY ");
        write_decimal(u32::from(self.dnskey.flags()), out);
        out.extend_from_slice(b" 3 ");
        write_decimal(u32::from(self.dnskey.algorithm().0), out);
        let digits = data_encoding::BASE64.encode(self.dnskey.public_key());
        for group in digits.as_bytes().chunks(GROUP) {
            out.push(b' ');
            out.extend_from_slice(group);
        }
        out.push(b'\n');
    }
}

/// The dates in comments such as `; Publish: 20261123065934 (Mon Nov 23 06:59:34 2026)`. Other comments say nothing here.
fn times(text: &[u8]) -> KeyTimes {
    let mut times = KeyTimes::default();
    for line in text.split(|&byte| byte == b'\n') {
        let Some(comment) = line.strip_prefix(b";") else {
            continue;
        };
        let Some(colon) = comment.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let tag = comment[..colon].trim_ascii();
        let digits = comment[colon + 1..].trim_ascii_start().get(..14).unwrap_or_default();
        for (name, time) in comments(&mut times) {
            if name.as_bytes().eq_ignore_ascii_case(tag) {
                *time = moment_from_digits(digits);
            }
        }
    }
    times
}

/// The dates that comments have, in their order.
fn comments(times: &mut KeyTimes) -> [(&'static str, &mut Option<u32>); 8] {
    [
        ("Created", &mut times.created),
        ("Publish", &mut times.publish),
        ("Activate", &mut times.activate),
        ("Revoke", &mut times.revoke),
        ("Inactive", &mut times.inactive),
        ("Delete", &mut times.delete),
        ("SyncPublish", &mut times.sync_publish),
        ("SyncDelete", &mut times.sync_delete),
    ]
}
