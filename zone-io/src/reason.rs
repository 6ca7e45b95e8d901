//! What a fault in a zone's text says: what stands there, and what was expected. Where it stands is in `error`.

use dnssec_sign::rdata::RdataError;
use dnssec_sign::{Class, Name, NameError, RecordType, ZoneRule};

use crate::excerpt::Printable;
use crate::lint::Lint;

/// Why a piece of text is not what a master file has there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The first entry begins with a blank.
    #[error("the line starts with a blank, so it belongs to the owner before it, and there is none")]
    NoOwner,
    /// An owner, and nothing behind it but TTL or class.
    #[error("a record needs a type and its data behind the owner, TTL and class")]
    NoType,
    /// No mnemonic of a type.
    #[error("{0:?} is no record type, class or TTL; an unknown type is written TYPEnnn, such as TYPE65280 \\# 2 abcd")]
    UnknownType(Box<str>),
    /// A type of questions or transactions.
    #[error("{0} stands in messages and type bitmaps only: there are no such records in zones (RFC 6895 3.1)")]
    MetaType(RecordType),
    /// TTL or class twice.
    #[error("a second {0}")]
    Repeated(&'static str),
    /// Another class than the zone's.
    #[error("class {found} in a zone of class {zone}")]
    WrongClass {
        /// The record's class.
        found: Class,
        /// The zone's class.
        zone: Class,
    },
    /// No TTL on the record, none before it, no $TTL.
    #[error("no TTL: state one here, or $TTL before it")]
    NoTtl,
    /// A TTL of 2³¹ or more (RFC 2181 8).
    #[error("a TTL is at most 2147483647 seconds (RFC 2181 8)")]
    TtlTooLarge,
    /// A text that is no TTL.
    #[error("a TTL is written in seconds or with units, such as 3600 or 1h30m")]
    BadTtl,
    /// An owner that is not the origin or below it.
    #[error("{name} is out of zone {origin}")]
    OutOfZone {
        /// The owner.
        name: Name,
        /// The zone.
        origin: Name,
    },
    /// A name is no name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// Something else was expected here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The entry ends too early.
    #[error("the {rtype} record ends here; expected {expected}")]
    Short {
        /// The record's type.
        rtype: RecordType,
        /// What is missing.
        expected: &'static str,
    },
    /// The entry goes on.
    #[error("the {0} record was complete before this")]
    Trailing(RecordType),
    /// A number that does not fit.
    #[error("expected a number from 0 to {0}")]
    Number(u32),
    /// A character-string of more than 255 bytes (RFC 1035 3.3).
    #[error("a character-string is at most 255 bytes; write several")]
    StringTooLong,
    /// RDATA of more than 65535 bytes.
    #[error("the data of a record is at most 65535 bytes")]
    RdataTooLong,
    /// RFC 3597 form whose length is wrong.
    #[error("{stated} bytes are stated, and {given} given")]
    GenericLength {
        /// The number behind `\#`.
        stated: u32,
        /// The number of bytes that follow.
        given: usize,
    },
    /// RFC 3597 form that does not fit the type.
    #[error("these bytes are no {rtype} record: {error}")]
    Generic {
        /// The type.
        rtype: RecordType,
        /// What is wrong.
        error: RdataError,
    },
    /// A type that has RFC 3597 form only.
    #[error("{0} data is written in the form of RFC 3597 here: \\# LENGTH HEX")]
    GenericOnly(RecordType),
    /// `"` without its partner in the line.
    #[error("a quoted string that does not end in its line; a line break inside one is written \\010")]
    OpenQuote,
    /// `(` without its partner.
    #[error("this parenthesis is never closed")]
    OpenParenthesis,
    /// `)` without its partner.
    #[error("a closing parenthesis, and none is open")]
    StrayParenthesis,
    /// `\` before no character, or `\DDD` that is no byte.
    #[error("a bad escape: write \\X or \\DDD with DDD from 000 to 255")]
    BadEscape,
    /// A carriage return that ends no line.
    #[error("a carriage return without a line feed")]
    StrayReturn,
    /// A quoted string where none can stand.
    #[error("no quoted string can stand here")]
    Quoted,
    /// Letters and digits that are no base64 (RFC 4648 4).
    #[error("this is no base64 with its padding (RFC 4648 4)")]
    Base64,
    /// An odd number of digits or other characters.
    #[error("this is no even number of hexadecimal digits")]
    Hex,
    /// A SvcParam that is written wrongly.
    #[error("{key}: expected {expected}")]
    SvcParam {
        /// The key.
        key: Box<str>,
        /// The form of its value.
        expected: &'static str,
    },
    /// A SvcParamKey twice (RFC 9460 2.1).
    #[error("the key {0} stands here for the second time (RFC 9460 2.1)")]
    SvcParamTwice(Box<str>),
    /// No SvcParamKey.
    #[error("{0:?} is no SvcParamKey; an unknown one is written keyNNNNN")]
    UnknownSvcParam(Box<str>),
    /// A mandatory key that is not there (RFC 9460 8).
    #[error("{0} is listed as mandatory, and the record does not have it (RFC 9460 8)")]
    SvcParamMissing(Box<str>),
    /// A directive that is none.
    #[error("{0:?} is no directive; those known are $ORIGIN, $TTL, $INCLUDE and $GENERATE")]
    UnknownDirective(Box<str>),
    /// A directive that is written wrongly.
    #[error("write {0}")]
    Usage(&'static str),
    /// $INCLUDE in text that comes from no file.
    #[error("$INCLUDE is not followed here")]
    IncludeHere,
    /// A file that includes itself.
    #[error("{} includes itself", Printable(.0))]
    IncludeCycle(Box<str>),
    /// Too many files inside one another.
    #[error("more than {0} files inside one another by $INCLUDE")]
    IncludeDepth(usize),
    /// An included file that cannot be read.
    #[error("{}", Printable(.0))]
    Include(Box<str>),
    /// $GENERATE that makes too much.
    #[error("$GENERATE of more than {0} records")]
    GenerateTooMany(u64),
    /// A rule of zones that a node breaks.
    #[error("{owner}: {rule}")]
    Rule {
        /// The node.
        owner: Name,
        /// The rule.
        rule: ZoneRule,
    },
    /// What another program found, in its words.
    #[error("{}", Printable(.0))]
    Found(Box<str>),
    /// A warning: a relative name that ends like the zone's.
    #[error("{name} has the name of the zone {zone} twice: is the final dot missing?")]
    MissingDot {
        /// The name as it was completed.
        name: Name,
        /// The zone.
        zone: Name,
    },
    /// A warning: the TTL of a SOA record and of those behind it was not stated.
    #[error("no TTL, and no $TTL before it: the SOA's minimum of {0} is taken for this and all records behind it")]
    MinimumTaken(u32),
    /// A warning: the TTL of a record was not stated.
    #[error("no TTL, and no $TTL before it: the TTL of the record before it is taken (RFC 1035 5.1)")]
    LastTtlTaken,
    /// A warning: the records of a set have different TTLs.
    #[error("{owner}: the {rtype} records have TTLs from {least} to {most}: the smallest is taken (RFC 2181 5.2)")]
    TtlMismatch {
        /// The owner.
        owner: Name,
        /// The type of the set.
        rtype: RecordType,
        /// The smallest TTL.
        least: u32,
        /// The largest one.
        most: u32,
    },
    /// A warning: two records of a set differ in letter case only.
    #[error("{owner}: two {rtype} records differ in letter case only, so they are the same: this one is left out")]
    MixedCase {
        /// The owner.
        owner: Name,
        /// The type of the set.
        rtype: RecordType,
    },
}

impl Reason {
    /// The name of the warning that this is; `None` for a fault.
    #[must_use]
    pub fn lint(&self) -> Option<Lint> {
        match self {
            Self::MissingDot { .. } => Some(Lint::MissingDot),
            Self::MinimumTaken(_) | Self::LastTtlTaken => Some(Lint::MissingTtl),
            Self::TtlMismatch { .. } => Some(Lint::TtlMismatch),
            Self::MixedCase { .. } => Some(Lint::MixedCaseDuplicate),
            _ => None,
        }
    }
}
