//! Records below cuts: addresses that the delegation's name servers need, addresses that nobody needs, and what cannot
//! stand there at all. Whether another delegation needs an address is known when all partitions are in.

use super::{Report, ZoneFinding};
use crate::fault::{ZoneFault, ZoneRule};
use crate::name::{Name, NameRef};
use crate::record::Node;
use crate::rtype::RecordType;
use crate::zone_cut::{Cut, cut_at, is_made_by_signing};

/// An address below a delegation whose own name servers do not need it.
#[derive(Debug)]
pub struct UnusedGlue {
    /// The owner's key relative to the origin.
    pub key: Box<[u8]>,
    /// What to report unless another delegation needs it.
    pub finding: ZoneFinding,
}

/// The cut in force and the name servers that it names.
#[derive(Debug)]
pub(super) struct Glue {
    cut: Option<Cut>,
    servers: Vec<Name>,
}

impl Glue {
    /// Below no cut.
    pub(super) fn new() -> Self {
        Self {
            cut: None,
            servers: Vec::new(),
        }
    }

    /// Goes below the cut that a node opens.
    pub(super) fn enter(&mut self, node: &Node<'_>) {
        self.cut = cut_at(node);
        self.servers.clear();
        if self.cut == Some(Cut::Delegation) {
            let targets = node.set(RecordType::NS).iter();
            let targets = targets.filter_map(|record| NameRef::from_wire(record.rdata).ok());
            // Nothing but a server at or below the delegation is glue of it.
            let below = targets.filter(|target| target.is_at_or_below(node.owner));
            self.servers.extend(below.map(NameRef::to_name));
        }
    }

    /// Looks at a node below the cut.
    pub(super) fn look_at(&self, node: &Node<'_>, report: &mut Report<'_, '_>, unused: &mut Vec<UnusedGlue>) {
        let needed = self.servers.iter().any(|server| server.borrow() == node.owner);
        for records in node.sets() {
            let Some(first) = records.first() else {
                continue;
            };
            let rtype = first.rtype;
            if self.cut == Some(Cut::Dname) {
                report.add(first.locus, ZoneRule::BelowDname(rtype), None);
            } else if matches!(rtype, RecordType::A | RecordType::AAAA) {
                if !needed {
                    unused.push(UnusedGlue {
                        key: node.key.into(),
                        finding: ZoneFinding {
                            fault: ZoneFault {
                                owner: node.owner.to_name(),
                                locus: first.locus,
                                rule: ZoneRule::GlueUnused(rtype),
                            },
                            target: None,
                        },
                    });
                }
            } else if !is_made_by_signing(rtype) {
                report.add(first.locus, ZoneRule::BelowDelegation(rtype), None);
            }
        }
    }
}
