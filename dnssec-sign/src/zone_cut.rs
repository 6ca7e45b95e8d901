//! Zone cuts: which names of the zone are authoritative, which are delegations, and which only stand below one
//! (glue and occluded names: RFC 4035 2.2, RFC 6672 2.4). Nodes come in canonical order, so that a cut is known
//! before what lies below it; where a partition starts, the cut in force is looked up.

use crate::record::Node;
use crate::rtype::RecordType;

/// What a node is to the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The zone's own name.
    Apex,
    /// A name with authoritative data; also the owner of a DNAME.
    Authoritative,
    /// A name that owns NS records and is not the apex.
    Delegation(Delegation),
    /// A name below a delegation or a DNAME: not signed, not in the denial chain.
    Occluded,
    /// A name left with no record once the old denial records and signatures are taken off: not there.
    Absent,
}

impl Standing {
    /// Whether the name is authoritative or a delegation: it has an NSEC then.
    #[must_use]
    pub fn is_in_zone(self) -> bool {
        matches!(self, Self::Apex | Self::Authoritative | Self::Delegation(_))
    }
}

/// Whether the parent vouches for the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// With a DS set.
    Secure,
    /// Without: opt-out may leave it out of the NSEC3 chain.
    Insecure,
}

/// What makes the names below a node occluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// NS off the apex.
    Delegation,
    /// DNAME, at the apex too.
    Dname,
}

/// Whether a record of the input is made anew by signing and so counts as not there.
#[must_use]
pub fn is_made_by_signing(rtype: RecordType) -> bool {
    matches!(
        rtype,
        RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3 | RecordType::NSEC3PARAM
    )
}

/// The cut that a node opens for the names below it.
#[must_use]
pub fn cut_at(node: &Node<'_>) -> Option<Cut> {
    if !node.key.is_empty() && node.has(RecordType::NS) {
        Some(Cut::Delegation)
    } else if node.has(RecordType::DNAME) {
        Some(Cut::Dname)
    } else {
        None
    }
}

/// Follows the cut in force through nodes in canonical order.
#[derive(Debug, Clone, Default)]
pub struct CutTracker {
    cut: Vec<u8>,
    in_force: bool,
}

impl CutTracker {
    /// At the start of a zone, or of a partition whose first owner is below no cut.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts over where the cut in force is the one at the key `cut`, if any.
    pub fn restart(&mut self, cut: Option<&[u8]>) {
        self.cut.clear();
        self.in_force = cut.is_some();
        if let Some(key) = cut {
            self.cut.extend_from_slice(key);
        }
    }

    /// The standing of the next node.
    pub fn standing(&mut self, node: &Node<'_>) -> Standing {
        if self.in_force && node.key.len() > self.cut.len() && node.key.starts_with(&self.cut) {
            return Standing::Occluded;
        }
        let cut = cut_at(node);
        self.in_force = cut.is_some();
        if cut.is_some() {
            self.cut.clear();
            self.cut.extend_from_slice(node.key);
        }
        if node.key.is_empty() {
            Standing::Apex
        } else if cut == Some(Cut::Delegation) {
            Standing::Delegation(if node.has(RecordType::DS) {
                Delegation::Secure
            } else {
                Delegation::Insecure
            })
        } else if node.records.iter().all(|record| is_made_by_signing(record.rtype)) {
            Standing::Absent
        } else {
            Standing::Authoritative
        }
    }
}

/// The keys of the strict ancestors of `key`, from the apex (the empty key) down.
pub fn ancestors(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Every label of a key is closed by a 0 byte, which stands nowhere else in it.
    let ends = key
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == 0)
        .map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(ends)
        .take_while(move |&end| end < key.len())
        .map(|end| &key[..end])
}

/// The key of the cut that is in force above `key`: the highest ancestor that opens one. `lookup` tells what cut
/// the node at a key opens; no node, no cut.
pub fn cut_above(key: &[u8], mut lookup: impl FnMut(&[u8]) -> Option<Cut>) -> Option<&[u8]> {
    ancestors(key).find(|ancestor| lookup(ancestor).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_run_from_the_apex_down() {
        let found: Vec<_> = ancestors(b"c\0b\0a\0").collect();
        assert_eq!(found, [&b""[..], b"c\0", b"c\0b\0"]);
        assert_eq!(ancestors(b"").count(), 0);
    }

    #[test]
    fn the_highest_cut_counts() {
        let cut = cut_above(b"c\0b\0a\0", |key| (!key.is_empty()).then_some(Cut::Delegation));
        assert_eq!(cut, Some(&b"c\0"[..]));
    }
}
