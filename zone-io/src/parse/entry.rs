//! One entry of a master file: owner, TTL, class, type and RDATA (RFC 1035 5.1), with what it inherits from those
//! before it. Directives are not entries.

use dnssec_sign::{Class, Name, NameRef, RecordType};

use super::field::{Fields, Scratch};
use super::name::write_name;
use super::number;
use super::suspicion::Suspicion;
use super::types::record_type;
use crate::lint::Lints;
use crate::reason::Reason;
use crate::run::INHERITED;
use crate::scan::{END, Raw, Scanned, Scanner, Token, raw};

/// What happens to records whose owner is neither the zone's name nor below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outside {
    /// Each is a fault.
    #[default]
    Refuse,
    /// They are records like any other.
    Keep,
}

/// What is known of the TTLs of records before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// There are none: a record without TTL is at fault, but for a SOA record.
    Nothing,
    /// There are some, read elsewhere: TTLs are filled in later.
    Elsewhere,
}

/// Whose records the lines with a blank in front are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nobody,
    Owner,
    /// The last owner was at fault, which was said already.
    Refused,
}

/// Records read before any TTL was known: the first `count` of all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pending {
    pub(crate) count: usize,
    /// The type of the first one, as a place in the text.
    pub(crate) at: usize,
    pub(crate) length: usize,
}

/// A record whose owner and RDATA stand in the [`State`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parsed {
    pub(crate) rtype: RecordType,
    pub(crate) ttl: u32,
    pub(crate) line: u32,
}

/// What carries over from entry to entry.
#[derive(Debug)]
pub(crate) struct State {
    zone: Name,
    class: Class,
    outside: Outside,
    before: Before,
    origin: Vec<u8>,
    owner: Vec<u8>,
    /// The last owner as it stood in the text; empty where it says nothing any more.
    owner_text: Vec<u8>,
    standing: Standing,
    pub(crate) default_ttl: Option<u32>,
    pub(crate) last_ttl: Option<u32>,
    pub(crate) pending: Pending,
    pub(crate) rdata: Vec<u8>,
    scratch: Scratch,
    pub(crate) parsed: Parsed,
}

impl State {
    pub(crate) fn new(zone: Name, class: Class, outside: Outside, before: Before) -> Self {
        Self {
            origin: zone.borrow().wire().to_vec(),
            zone,
            class,
            outside,
            before,
            owner: Vec::with_capacity(256),
            owner_text: Vec::with_capacity(256),
            standing: Standing::Nobody,
            default_ttl: None,
            last_ttl: None,
            pending: Pending::default(),
            rdata: Vec::with_capacity(1024),
            scratch: Scratch::default(),
            parsed: Parsed {
                rtype: RecordType::SOA,
                ttl: 0,
                line: 0,
            },
        }
    }

    /// The wire form of the origin in force.
    pub(crate) fn origin(&self) -> &[u8] {
        &self.origin
    }

    /// Chooses the warnings that are found.
    pub(crate) fn set_lints(&mut self, lints: Lints) {
        self.scratch.suspicion = Suspicion::new(&self.zone, lints);
    }

    /// Suspicious places found since they were taken last.
    #[inline]
    pub(crate) fn warned(&mut self) -> &mut Vec<Raw> {
        &mut self.scratch.suspicion.found
    }

    /// Puts another origin in force.
    pub(crate) fn set_origin(&mut self, origin: NameRef<'_>) {
        self.origin.clear();
        self.origin.extend_from_slice(origin.wire());
        self.owner_text.clear();
    }

    /// The owner of the last record, when lines with a blank in front would be its records.
    pub(crate) fn owner(&self) -> Option<NameRef<'_>> {
        match self.standing {
            Standing::Owner => NameRef::from_wire(&self.owner).ok(),
            _ => None,
        }
    }

    /// Makes `owner` the one that records inherit.
    pub(crate) fn set_owner(&mut self, owner: NameRef<'_>) {
        self.owner.clear();
        self.owner.extend_from_slice(owner.wire());
        self.owner_text.clear();
        self.standing = Standing::Owner;
    }

    /// Reads the entry that starts here, up to and with its line break, into [`parsed`](Self::parsed); `false` when the
    /// line is empty. After a fault the scanner stands inside the entry.
    #[inline]
    pub(crate) fn entry(&mut self, scan: &mut Scanner<'_>) -> Scanned<bool> {
        let line = scan.line;
        if matches!(scan.byte(), Some(b' ' | b'\t' | b'\r')) {
            if !self.inherits(scan)? {
                return Ok(false);
            }
        } else {
            match scan.token() {
                Ok(Some(token)) => self.read_owner(&token)?,
                Ok(None) => {
                    scan.end_entry();
                    return Ok(false);
                }
                // Lines that start with a blank behind it have no owner either.
                Err(fault) => {
                    self.standing = Standing::Refused;
                    return Err(fault);
                }
            }
        }
        let (rtype, ttl, type_at) = self.head(scan)?;
        self.rdata.clear();
        let mut fields = Fields {
            scan,
            origin: &self.origin,
            rtype,
            out: &mut self.rdata,
            scratch: &mut self.scratch,
        };
        if let Err(mut raw) = fields.rdata() {
            raw.rtype = Some(rtype);
            return Err(raw);
        }
        let ttl = match (ttl, self.default_ttl.or(self.last_ttl)) {
            (Some(ttl), _) => {
                self.last_ttl = Some(ttl);
                ttl
            }
            (None, Some(ttl)) => {
                if self.default_ttl.is_none() {
                    self.scratch.suspicion.missing_ttl(type_at, Reason::LastTtlTaken);
                }
                ttl
            }
            (None, None) => self.unknown_ttl(rtype, type_at)?,
        };
        scan.end_entry();
        self.parsed = Parsed { rtype, ttl, line };
        Ok(true)
    }

    /// Whether a line that starts with a blank has a record of the last owner.
    fn inherits(&mut self, scan: &mut Scanner<'_>) -> Scanned<bool> {
        if scan.seek_token()? == END {
            scan.end_entry();
            return Ok(false);
        }
        match self.standing {
            Standing::Owner => Ok(true),
            Standing::Nobody => raw(scan.at, 1, Reason::NoOwner),
            Standing::Refused => {
                scan.skip_entry();
                Ok(false)
            }
        }
    }

    #[inline]
    fn read_owner(&mut self, token: &Token<'_>) -> Scanned<()> {
        if token.text == self.owner_text && !token.quoted && self.standing == Standing::Owner {
            return Ok(());
        }
        self.owner.clear();
        self.standing = Standing::Refused;
        if token.quoted {
            return token.fault(Reason::Quoted);
        }
        if let Err(error) = write_name(token, &self.origin, &mut self.owner) {
            return token.fault(error);
        }
        self.scratch.suspicion.look_at(token, &self.owner, &self.origin);
        if self.outside == Outside::Refuse {
            let zone = self.zone.borrow();
            match NameRef::from_wire(&self.owner) {
                Ok(owner) if !owner.is_at_or_below(zone) => {
                    return token.fault(Reason::OutOfZone {
                        name: owner.to_name(),
                        origin: zone.to_name(),
                    });
                }
                _ => {}
            }
        }
        self.owner_text.clear();
        self.owner_text.extend_from_slice(token.text);
        self.standing = Standing::Owner;
        Ok(())
    }

    /// TTL and class in either order, or neither, and the type, which comes with its place.
    #[inline(always)]
    fn head(&mut self, scan: &mut Scanner<'_>) -> Scanned<(RecordType, Option<u32>, (usize, usize))> {
        let mut ttl = None;
        let mut class = None;
        loop {
            let Some(token) = scan.token()? else {
                return raw(scan.at, 1, Reason::NoType);
            };
            if token.quoted {
                return token.fault(Reason::Quoted);
            }
            if token.text[0].is_ascii_digit() {
                match number::ttl(token.text) {
                    Ok(_) if ttl.is_some() => return token.fault(Reason::Repeated("TTL")),
                    Ok(seconds) => ttl = Some(seconds),
                    // An address or a date where the type should stand.
                    Err(Reason::BadTtl) if token.text.iter().any(|byte| b".:".contains(byte)) => {
                        return token.fault(Reason::NoType);
                    }
                    Err(reason) => return token.fault(reason),
                }
            } else if token.text.eq_ignore_ascii_case(b"IN") {
                self.check_class(Class::IN, &mut class, &token)?;
            } else if let Some(rtype) = record_type(token.text) {
                if rtype.is_meta() {
                    return token.fault(Reason::MetaType(rtype));
                }
                return Ok((rtype, ttl, (token.at, token.text.len())));
            } else if let Some(found) = Class::from_text(token.text) {
                self.check_class(found, &mut class, &token)?;
            } else {
                return token.fault(Reason::UnknownType(token.shown()));
            }
        }
    }

    #[inline]
    fn check_class(&self, found: Class, class: &mut Option<Class>, token: &Token<'_>) -> Scanned<()> {
        if class.replace(found).is_some() {
            return token.fault(Reason::Repeated("class"));
        }
        if found != self.class {
            return token.fault(Reason::WrongClass {
                found,
                zone: self.class,
            });
        }
        Ok(())
    }

    /// A record without TTL where no TTL is known: a SOA record takes its own minimum, which is the default from
    /// there on, as BIND has it.
    #[cold]
    fn unknown_ttl(&mut self, rtype: RecordType, (at, length): (usize, usize)) -> Scanned<u32> {
        if self.before == Before::Elsewhere {
            if self.pending.count == 0 {
                self.pending = Pending { count: 0, at, length };
            }
            self.pending.count += 1;
            self.scratch.suspicion.missing_ttl((at, length), Reason::LastTtlTaken);
            return Ok(INHERITED);
        }
        match self.rdata.last_chunk::<4>() {
            Some(minimum) if rtype == RecordType::SOA => {
                let ttl = u32::from_be_bytes(*minimum).min(number::MAX_TTL);
                self.default_ttl = Some(ttl);
                self.scratch
                    .suspicion
                    .missing_ttl((at, length), Reason::MinimumTaken(ttl));
                Ok(ttl)
            }
            _ => raw(at, length, Reason::NoTtl),
        }
    }
}
