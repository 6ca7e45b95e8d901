//! Lines that start with `$`: $ORIGIN and $INCLUDE (RFC 1035 5.1), $TTL (RFC 2308 4), $GENERATE (BIND). They are
//! read here; acting on them is the business of whoever reads the lines.

use dnssec_sign::{Name, NameRef};

use super::field::decode;
use super::generate::Generate;
use super::name::write_name;
use super::number;
use crate::reason::Reason;
use crate::scan::{Scanned, Scanner, Token, raw};

/// What a directive says.
#[derive(Debug)]
pub(crate) enum Directive {
    Origin(Name),
    Ttl(u32),
    Include(Include),
    Generate(Box<Generate>),
}

/// The file to include.
#[derive(Debug)]
pub(crate) struct Include {
    /// The file's name in bytes, escapes decoded.
    pub(crate) path: Vec<u8>,
    /// The origin in the file, when it is not that of the line.
    pub(crate) origin: Option<Name>,
    /// Where the file's name stands in the text.
    pub(crate) at: usize,
    pub(crate) length: usize,
}

/// The words that are directives.
pub(crate) const DIRECTIVES: &[&str] = &["$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE"];

const ORIGIN: &str = "$ORIGIN DOMAIN-NAME";
const TTL: &str = "$TTL SECONDS, or with units such as 1h30m";
const INCLUDE: &str = "$INCLUDE FILE-NAME, and possibly a DOMAIN-NAME as its origin";

/// Reads the directive that starts here, up to and with its line break. After a fault the scanner stands inside it.
pub(crate) fn directive(scan: &mut Scanner<'_>, origin: &[u8]) -> Scanned<Directive> {
    let Some(word) = scan.token()? else {
        return raw(scan.at, 1, Reason::UnknownDirective("".into()));
    };
    let is = |name: &str| word.text.eq_ignore_ascii_case(name.as_bytes());
    let read = if is("$ORIGIN") {
        let token = argument(scan, ORIGIN)?;
        Directive::Origin(name(&token, origin)?)
    } else if is("$TTL") {
        let token = argument(scan, TTL)?;
        match number::ttl(token.text) {
            Ok(ttl) => Directive::Ttl(ttl),
            Err(reason) => return token.fault(reason),
        }
    } else if is("$INCLUDE") {
        let Some(token) = scan.token()? else {
            return raw(scan.at, 1, Reason::Usage(INCLUDE));
        };
        let mut path = Vec::new();
        decode(&token, &mut path)?;
        let origin = match scan.token()? {
            Some(token) => Some(name(&token, origin)?),
            None => None,
        };
        Directive::Include(Include {
            path,
            origin,
            at: token.at,
            length: token.text.len(),
        })
    } else if is("$GENERATE") {
        Directive::Generate(Box::new(Generate::read(&word, scan)?))
    } else {
        return word.fault(Reason::UnknownDirective(word.shown()));
    };
    if let Some(more) = scan.token()? {
        let usage = match read {
            Directive::Origin(_) => ORIGIN,
            Directive::Ttl(_) => TTL,
            _ => INCLUDE,
        };
        return more.fault(Reason::Usage(usage));
    }
    scan.end_entry();
    Ok(read)
}

fn argument<'a>(scan: &mut Scanner<'a>, usage: &'static str) -> Scanned<Token<'a>> {
    match scan.token()? {
        Some(token) if !token.quoted => Ok(token),
        Some(token) => token.fault(Reason::Quoted),
        None => raw(scan.at, 1, Reason::Usage(usage)),
    }
}

fn name(token: &Token<'_>, origin: &[u8]) -> Scanned<Name> {
    if token.quoted {
        return token.fault(Reason::Quoted);
    }
    let mut wire = Vec::new();
    match write_name(token, origin, &mut wire).and_then(|()| NameRef::from_wire(&wire)) {
        Ok(name) => Ok(name.to_name()),
        Err(error) => token.fault(error),
    }
}
