//! From wire form to master-file text: one record a line, absolute owner, TTL, class, type, RDATA, with tabs between
//! the five and single spaces inside RDATA. What it writes is read back as it was; letter case is kept. It writes what it
//! is given and checks nothing but the RDATA's shape; nothing is allocated per record.

mod gateway;
mod location;
mod number;
mod prefix;
mod rdata;
mod string;
mod svcb;

use dnssec_sign::{Class, NameRef, RecordType, rdata::has_text};

pub(crate) use number::write_decimal;
pub use rdata::write_rdata;

/// Which types, and which SvcParamKeys, are written by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mnemonics {
    /// Each that has one: what people read, and what this crate reads.
    All,
    /// Those that BIND 9.18 and ldns 1.8 read alike; the others are written by number with RDATA in RFC 3597 form,
    /// which every reader takes. For zones that go to other programs.
    Portable,
}

impl Mnemonics {
    /// Appends a type's mnemonic, or `TYPEnnn`.
    pub(super) fn write_type(self, rtype: RecordType, out: &mut Vec<u8>) {
        if self == Self::All || is_known_by_name(rtype) {
            rtype.write_text(out);
        } else {
            out.extend_from_slice(b"TYPE");
            write_decimal(u32::from(rtype.0), out);
        }
    }

    /// Whether this RDATA is written in its type's own format: it has one, and readers know it.
    fn has_text(self, rtype: RecordType, rdata: &[u8]) -> bool {
        has_text(rtype)
            && (self == Self::All
                || match rtype {
                    // ldns wants a key.
                    RecordType::KEY => rdata.len() > 4,
                    // ldns wants types.
                    RecordType::CSYNC => rdata.len() > 6,
                    // RFC 7553 4.4 wants a target.
                    RecordType::URI => rdata.len() > 4,
                    _ => is_known_by_name(rtype),
                })
    }
}

/// Whether BIND 9.18 and ldns 1.8 read the type by name alike. BIND refuses some of the mnemonics left out here; ldns
/// reads some as type 0 without a word, an NSAP-PTR's name as a string, and knows others without their format.
fn is_known_by_name(rtype: RecordType) -> bool {
    !matches!(
        rtype,
        RecordType::WKS
            | RecordType::NSAP_PTR
            | RecordType::NXT
            | RecordType::ATMA
            | RecordType::A6
            | RecordType::SINK
            | RecordType::NINFO
            | RecordType::RKEY
            | RecordType::DSYNC
            | RecordType::HHIT
            | RecordType::BRID
            | RecordType::UNECE
            | RecordType::ISO
            | RecordType::UINFO
            | RecordType::UID
            | RecordType::GID
            | RecordType::UNSPEC
            | RecordType::NXNAME
            | RecordType::AVC
            | RecordType::DOA
            | RecordType::AMTRELAY
            | RecordType::RESINFO
            | RecordType::WALLET
            | RecordType::CLA
            | RecordType::IPN
            | RecordType::TA
    )
}

/// Appends a record as one line with [all mnemonics](Mnemonics::All), newline included. RDATA that does not have its
/// type's shape is written in RFC 3597 form.
pub fn write_record(owner: NameRef<'_>, ttl: u32, class: Class, rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) {
    owner.write_text(out);
    write_middle(ttl, class, rtype, Mnemonics::All, out);
    write_rdata(rtype, rdata, Mnemonics::All, out);
    out.push(b'\n');
}

/// Appends a record as one line in RFC 3597 form: class and type by number, RDATA in hexadecimal.
pub fn write_generic(owner: NameRef<'_>, ttl: u32, class: Class, rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) {
    owner.write_text(out);
    out.push(b'\t');
    write_decimal(ttl, out);
    out.extend_from_slice(b"\tCLASS");
    write_decimal(u32::from(class.0), out);
    out.extend_from_slice(b"\tTYPE");
    write_decimal(u32::from(rtype.0), out);
    out.push(b'\t');
    write_generic_rdata(rdata, out);
    out.push(b'\n');
}

/// Appends RDATA in RFC 3597 5 form: `\# 4 C0000201`.
pub fn write_generic_rdata(rdata: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\# ");
    write_decimal(u32::try_from(rdata.len()).unwrap_or(u32::MAX), out);
    if !rdata.is_empty() {
        out.push(b' ');
        number::write_hex(rdata, out);
    }
}

/// Lines of one owner after another: the owner's text is made once for all its records.
#[derive(Debug, Clone)]
pub struct OwnerLines {
    owner: Vec<u8>,
    class: Class,
    mnemonics: Mnemonics,
}

impl OwnerLines {
    /// For records of this class in a zone for [any reader](Mnemonics::Portable); the owner is the root until it is
    /// [set](Self::set_owner).
    #[must_use]
    pub fn new(class: Class) -> Self {
        Self {
            owner: vec![b'.'],
            class,
            mnemonics: Mnemonics::Portable,
        }
    }

    /// Writes these mnemonics instead.
    #[must_use]
    pub fn with_mnemonics(mut self, mnemonics: Mnemonics) -> Self {
        self.mnemonics = mnemonics;
        self
    }

    /// Takes the owner of the lines to come.
    pub fn set_owner(&mut self, owner: NameRef<'_>) {
        self.owner.clear();
        owner.write_text(&mut self.owner);
    }

    /// Appends owner, TTL, class, type and a tab: what stands before RDATA.
    pub fn write_head(&self, ttl: u32, rtype: RecordType, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.owner);
        write_middle(ttl, self.class, rtype, self.mnemonics, out);
    }

    /// Appends a record as one line, newline included.
    pub fn write_record(&self, ttl: u32, rtype: RecordType, rdata: &[u8], out: &mut Vec<u8>) {
        self.write_head(ttl, rtype, out);
        write_rdata(rtype, rdata, self.mnemonics, out);
        out.push(b'\n');
    }
}

/// Appends what stands between owner and RDATA, tabs at both ends.
pub(crate) fn write_middle(ttl: u32, class: Class, rtype: RecordType, mnemonics: Mnemonics, out: &mut Vec<u8>) {
    out.push(b'\t');
    write_decimal(ttl, out);
    match class {
        Class::IN => out.extend_from_slice(b"\tIN\t"),
        Class::CH => out.extend_from_slice(b"\tCH\t"),
        Class::HS => out.extend_from_slice(b"\tHS\t"),
        Class(number) => {
            out.extend_from_slice(b"\tCLASS");
            write_decimal(u32::from(number), out);
            out.push(b'\t');
        }
    }
    mnemonics.write_type(rtype, out);
    out.push(b'\t');
}
