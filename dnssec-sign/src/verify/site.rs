//! Where a name stands in the zone (RFC 4035 2.2 and 2.4, RFC 6672 2.4): at the apex, in authoritative data, at a
//! delegation, or hidden below a cut. Worked out here anew, from the names alone.

use super::folded::FoldedName;
use crate::name::{NameRef, write_wire_from_key};
use crate::record::Node;
use crate::rtype::RecordType;

/// The place of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The zone's own name.
    Apex,
    /// Authoritative data.
    Authoritative,
    /// A delegation point: only DS and the denial records are authoritative.
    Delegation,
    /// Below a delegation or a DNAME: nothing is authoritative.
    Occluded,
}

/// A node and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'l> {
    pub(super) node: Node<'l>,
    pub(super) place: Place,
    /// Whether there is data: something else than RRSIG, NSEC and NSEC3.
    pub(super) has_data: bool,
}

impl Site<'_> {
    /// Whether the name is one of the zone's for the denial chains.
    pub(super) fn is_in_zone(&self) -> bool {
        self.has_data && self.place != Place::Occluded
    }

    /// Whether the node is nothing but the place of an NSEC3 record, and so no name of the zone.
    pub(super) fn is_denial_only(&self) -> bool {
        !self.has_data && self.node.has(RecordType::NSEC3)
    }

    /// Whether this is a delegation without DS.
    pub(super) fn is_insecure(&self) -> bool {
        self.place == Place::Delegation && !self.node.has(RecordType::DS)
    }

    /// Whether a set of this type must be signed here (RFC 4035 2.2).
    pub(super) fn must_be_signed(&self, rtype: RecordType) -> bool {
        match self.place {
            Place::Apex | Place::Authoritative => true,
            Place::Delegation => matches!(rtype, RecordType::DS | RecordType::NSEC | RecordType::NSEC3),
            // An NSEC3 owner is a name of its own, even where a DNAME at the apex hides all else.
            Place::Occluded => rtype == RecordType::NSEC3,
        }
    }
}

/// The cut in force while names pass in canonical order.
#[derive(Debug)]
pub(super) struct Cut {
    name: Option<FoldedName>,
    key: Vec<u8>,
}

impl Cut {
    /// In force at the first name: the key of the delegation or DNAME above it, if any.
    pub(super) fn new(key: Option<&[u8]>, origin: NameRef<'_>) -> Self {
        let name = key.map(|key| {
            let mut wire = Vec::new();
            write_wire_from_key(key, origin, &mut wire);
            FoldedName::of(NameRef::from_known(&wire))
        });
        Self {
            name,
            key: key.unwrap_or_default().to_vec(),
        }
    }

    /// The cut's name.
    pub(super) fn name(&self) -> Option<&FoldedName> {
        self.name.as_ref()
    }

    /// The place of the next name, `name` being its owner in lower case.
    pub(super) fn pass<'l>(&mut self, node: Node<'l>, name: &FoldedName, origin: &FoldedName) -> Site<'l> {
        let occluded = self
            .name
            .as_ref()
            .is_some_and(|cut| name.labels() > cut.labels() && name.is_at_or_below(cut));
        let place = if occluded {
            Place::Occluded
        } else if name.wire() == origin.wire() {
            Place::Apex
        } else if node.has(RecordType::NS) {
            Place::Delegation
        } else {
            Place::Authoritative
        };
        if place == Place::Delegation || place != Place::Occluded && node.has(RecordType::DNAME) {
            self.name.get_or_insert_with(FoldedName::root).copy_from(name);
            self.key.clear();
            self.key.extend_from_slice(node.key);
        }
        let has_data = node
            .records
            .iter()
            .any(|record| !matches!(record.rtype, RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3));
        Site { node, place, has_data }
    }

    /// The cut's key and name behind the last name passed; it may not reach the next one.
    pub(super) fn into_parts(self) -> Option<(Box<[u8]>, FoldedName)> {
        Some((self.key.into(), self.name?))
    }
}
