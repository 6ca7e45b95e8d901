//! Aliases that lead back to where they start, at once or by way of other aliases of the zone. Where they lead otherwise, and
//! whether anything is there, is not asked.

use super::target::Targets;
use super::{Near, Report};
use crate::fault::ZoneRule;
use crate::name::NameRef;
use crate::record::Node;
use crate::rtype::RecordType;

/// So many aliases are followed from one: those who ask give up earlier.
const FOLLOWED: usize = 16;

/// Reports the node's CNAMEs and its DNAME when they lead to its owner, a DNAME also when it leads below it, and CNAMEs that
/// lead back by way of others.
pub(super) fn check(node: &Node<'_>, targets: &mut Targets<'_>, near: &mut Near<'_, '_>, report: &mut Report<'_, '_>) {
    for record in node
        .set(RecordType::CNAME)
        .iter()
        .chain(node.set(RecordType::DNAME).first())
    {
        let Ok(target) = NameRef::from_wire(record.rdata) else {
            continue;
        };
        let own = match record.rtype {
            // A name below the owner would lead to a longer one, and so on (RFC 6672 2.2).
            RecordType::DNAME => target.is_at_or_below(node.owner),
            _ => target == node.owner,
        };
        if own {
            report.add(record.locus, ZoneRule::AliasOfItself(record.rtype), None);
        } else if record.rtype == RecordType::CNAME && leads_to(target, node.key, targets, near) {
            report.add(record.locus, ZoneRule::AliasLoop, Some(target));
        }
    }
}

/// Whether the aliases that begin at `target` come to the owner with the key `end`.
fn leads_to(target: NameRef<'_>, end: &[u8], targets: &mut Targets<'_>, near: &mut Near<'_, '_>) -> bool {
    let mut next = targets.key_of(target);
    let mut steps = 0;
    while let Some(key) = next.take() {
        let there = key == end;
        if !there && steps < FOLLOWED {
            near.node(&key, &mut |node| {
                let alias = node.and_then(|node| node.set(RecordType::CNAME).first());
                let target = alias.and_then(|alias| NameRef::from_wire(alias.rdata).ok());
                next = target.and_then(|target| targets.key_of(target));
            });
        }
        targets.give_back(key);
        if there {
            return true;
        }
        steps += 1;
    }
    false
}
