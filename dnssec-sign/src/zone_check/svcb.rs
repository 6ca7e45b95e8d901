//! The rules of SVCB and HTTPS that go beyond one record's form (RFC 9460): aliases stand alone and have no parameters,
//! targets in the zone have addresses, hints are among them. The form of parameters is `rdata`'s.

use super::target::{Answer, Targets};
use super::{Near, Report};
use crate::fault::ZoneRule;
use crate::name::NameRef;
use crate::record::{Node, RecordRef};
use crate::rtype::RecordType;
use crate::zone_cut::{Cut, cut_at};

const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;

/// A record's parts.
struct Service<'a> {
    priority: u16,
    target: NameRef<'a>,
    params: &'a [u8],
}

impl<'a> Service<'a> {
    fn of(record: &RecordRef<'a>) -> Option<Self> {
        let (&[high, low], rest) = record.rdata.split_first_chunk()?;
        let (target, params) = NameRef::split_from(rest).ok()?;
        Some(Self {
            priority: u16::from_be_bytes([high, low]),
            target,
            params,
        })
    }

    fn is_alias(&self) -> bool {
        self.priority == 0
    }

    /// The value of a parameter.
    fn param(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.params;
        while let Some((&[key_high, key_low, length_high, length_low], behind)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([length_high, length_low]));
            let (value, behind) = behind.split_at_checked(length)?;
            if u16::from_be_bytes([key_high, key_low]) == wanted {
                return Some(value);
            }
            rest = behind;
        }
        None
    }
}

pub(super) fn check(node: &Node<'_>, targets: &mut Targets<'_>, near: &mut Near<'_, '_>, report: &mut Report<'_, '_>) {
    if cut_at(node) == Some(Cut::Delegation) {
        return;
    }
    for rtype in [RecordType::SVCB, RecordType::HTTPS] {
        let set = node.set(rtype);
        let mut alias = None;
        for record in set {
            let Some(service) = Service::of(record) else {
                continue;
            };
            if !service.is_alias() {
                check_service(node, record, &service, targets, near, report);
                continue;
            }
            alias = Some(record.locus);
            if !service.params.is_empty() {
                report.add(record.locus, ZoneRule::SvcbAliasWithParams(rtype), None);
            }
            if service.target == node.owner {
                report.add(record.locus, ZoneRule::SvcbAliasOfItself(rtype), None);
            }
        }
        if let (Some(locus), true) = (alias, set.len() > 1) {
            report.add(locus, ZoneRule::SvcbAliasNotAlone(rtype), None);
        }
    }
}

fn check_service(
    node: &Node<'_>,
    record: &RecordRef<'_>,
    service: &Service<'_>,
    targets: &mut Targets<'_>,
    near: &mut Near<'_, '_>,
    report: &mut Report<'_, '_>,
) {
    // A root label stands for the owner (RFC 9460 2.5).
    let target = if service.target.is_root() {
        node.owner
    } else {
        service.target
    };
    let Some(key) = targets.key_of(target) else {
        return;
    };
    match targets.answer(&key, near) {
        Answer::NoAddress => report.add(record.locus, ZoneRule::TargetWithoutAddress(record.rtype), Some(target)),
        Answer::Address => {
            let agrees = |hint: u16, address: RecordType, near: &mut Near<'_, '_>| {
                service
                    .param(hint)
                    .is_none_or(|hints| agree(hints, &key, address, near))
            };
            if !agrees(IPV4_HINT, RecordType::A, near) || !agrees(IPV6_HINT, RecordType::AAAA, near) {
                report.add(record.locus, ZoneRule::SvcbHint(record.rtype), Some(target));
            }
        }
        Answer::Alias | Answer::BelowCut { .. } => {}
    }
    targets.give_back(key);
}

/// Whether each hint is among the addresses at the key, where there are addresses of that kind.
fn agree(hints: &[u8], key: &[u8], rtype: RecordType, near: &mut Near<'_, '_>) -> bool {
    let mut agree = true;
    near.node(key, &mut |node| {
        let Some(node) = node else {
            return;
        };
        let addresses = node.set(rtype);
        if let Some(first) = addresses.first() {
            agree = hints
                .chunks_exact(first.rdata.len().max(1))
                .all(|hint| addresses.iter().any(|address| address.rdata == hint));
        }
    });
    agree
}
