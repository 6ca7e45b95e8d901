//! What a server of the zone would answer to a question for the addresses of one of its names: the target of a record.

use std::collections::HashMap;

use super::{Near, has_address};
use crate::name::NameRef;
use crate::rtype::RecordType;
use crate::zone_cut::{Cut, ancestors, cut_at};

/// The answer, as far as it matters to those who name the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Addresses.
    Address,
    /// No such name, or no address at it.
    NoAddress,
    /// An alias: CNAME, or below a DNAME.
    Alias,
    /// A referral to another zone.
    BelowCut {
        /// Whether there is an address of the host: glue.
        address: bool,
    },
}

/// So many answers are remembered at most.
const REMEMBERED: usize = 1 << 16;

/// Looks targets up, and remembers the answers: a zone names few hosts, many times.
#[derive(Debug)]
pub(super) struct Targets<'z> {
    origin: NameRef<'z>,
    origin_key: usize,
    answers: HashMap<Box<[u8]>, Answer>,
    spare: Vec<u8>,
}

impl<'z> Targets<'z> {
    pub(super) fn new(origin: NameRef<'z>) -> Self {
        let mut key = Vec::new();
        origin.write_key(&mut key);
        Self {
            origin,
            origin_key: key.len(),
            answers: HashMap::new(),
            spare: Vec::new(),
        }
    }

    /// The key of a name in the zone relative to the origin; `None` for names out of the zone.
    pub(super) fn key_of(&mut self, name: NameRef<'_>) -> Option<Vec<u8>> {
        if !name.is_at_or_below(self.origin) {
            return None;
        }
        let mut key = std::mem::take(&mut self.spare);
        key.clear();
        name.write_key(&mut key);
        key.drain(..self.origin_key);
        Some(key)
    }

    /// Takes a key's memory back.
    pub(super) fn give_back(&mut self, key: Vec<u8>) {
        self.spare = key;
    }

    /// The answer for the addresses of the name with this key.
    pub(super) fn answer(&mut self, key: &[u8], near: &mut Near<'_, '_>) -> Answer {
        if let Some(answer) = self.answers.get(key) {
            return *answer;
        }
        let answer = find(key, near);
        if self.answers.len() >= REMEMBERED {
            self.answers.clear();
        }
        self.answers.insert(key.into(), answer);
        answer
    }
}

/// As RFC 1034 4.3.2 and RFC 6672 3.2 have it, from the apex down.
fn find(key: &[u8], near: &mut Near<'_, '_>) -> Answer {
    for ancestor in ancestors(key) {
        let mut cut = None;
        near.node(ancestor, &mut |node| cut = node.and_then(|node| cut_at(&node)));
        match cut {
            Some(Cut::Delegation) => {
                return Answer::BelowCut {
                    address: near.addresses_at(key),
                };
            }
            Some(Cut::Dname) => return Answer::Alias,
            None => {}
        }
    }
    if let Some(answer) = at(key, near) {
        return answer;
    }
    if near.has_at_or_below(key) {
        return Answer::NoAddress;
    }
    // The wildcard at the closest encloser (RFC 4592 3.3.1).
    let mut above: Vec<&[u8]> = ancestors(key).collect();
    while let Some(encloser) = above.pop() {
        let wildcard = [encloser, b"*\0"].concat();
        if let Some(answer) = at(&wildcard, near) {
            return answer;
        }
        if near.has_at_or_below(encloser) {
            break;
        }
    }
    Answer::NoAddress
}

/// The answer that the records at a key give; `None` when there are none.
fn at(key: &[u8], near: &mut Near<'_, '_>) -> Option<Answer> {
    let mut answer = None;
    near.node(key, &mut |node| {
        answer = node.map(|node| {
            if node.has(RecordType::CNAME) {
                Answer::Alias
            } else if !key.is_empty() && node.has(RecordType::NS) {
                Answer::BelowCut {
                    address: has_address(&node),
                }
            } else if has_address(&node) {
                Answer::Address
            } else {
                Answer::NoAddress
            }
        });
    });
    answer
}
