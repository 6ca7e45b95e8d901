//! Partitions of a zone into what is wrong with it beyond its syntax, by the rules of [`ZoneRule`]: those that one node
//! shows, and those for which others are looked at: targets with addresses, glue, data below cuts. Nodes of other
//! partitions are lent by a [`ZoneView`]. Signatures and chains are not judged: that is `verify`.

mod alias;
mod glue;
mod nsec3;
mod svcb;
mod target;

use std::fmt;

use crate::fault::{ZoneFault, ZoneRule, check_node};
use crate::name::{MAX_WIRE_LENGTH, Name, NameRef};
use crate::record::{Locus, Node, NodeList, RecordRef};
use crate::rtype::RecordType;
use crate::tbs::CanonicalSet;
use crate::zone_cut::{CutTracker, Standing, cut_at};
use glue::Glue;
use target::{Answer, Targets};

pub use glue::UnusedGlue;

/// The rest of the zone, as far as the nodes at hand lead to it.
pub trait ZoneView {
    /// Lends the node at a key, relative to the origin; `None` when no record has that owner.
    fn node(&mut self, key: &[u8], look: &mut dyn FnMut(Option<Node<'_>>));

    /// Whether there is an owner at the key or below it: the name exists then (RFC 4592 2.2.2).
    fn has_at_or_below(&mut self, key: &[u8]) -> bool;
}

/// A broken rule, with the other name that shows it.
#[derive(Debug, Clone)]
pub struct ZoneFinding {
    /// The rule, the owner and the record.
    pub fault: ZoneFault,
    /// The target without an address, the alias, the name server.
    pub target: Option<Name>,
}

impl fmt::Display for ZoneFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{}: {target}", self.fault),
            None => write!(f, "{}", self.fault),
        }
    }
}

/// What partitions gave: findings, and what can be decided only when all of them are together.
#[derive(Debug, Default)]
pub struct Checked {
    /// What was found, in the order of the owners.
    pub findings: Vec<ZoneFinding>,
    /// Addresses below cuts that their own delegation does not need.
    pub unused_glue: Vec<UnusedGlue>,
    /// The keys of name servers below other cuts than their own.
    pub sibling_servers: Vec<Box<[u8]>>,
}

impl Checked {
    /// Takes in what another partition gave.
    pub fn append(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.unused_glue.append(&mut other.unused_glue);
        self.sibling_servers.append(&mut other.sibling_servers);
    }

    /// All findings, when every partition is in.
    #[must_use]
    pub fn finish(mut self) -> Vec<ZoneFinding> {
        self.sibling_servers.sort_unstable();
        let servers = self.sibling_servers;
        let unused = self.unused_glue.into_iter();
        self.findings.extend(
            unused
                .filter(|glue| servers.binary_search(&glue.key).is_err())
                .map(|glue| glue.finding),
        );
        self.findings
    }
}

/// Checks partitions of one zone one after another: one checker a worker.
///
/// ```
/// use dnssec_sign::{Locus, Name, Node, NodeList, RecordRef, RecordType, ZoneChecker, ZoneRule, ZoneView};
///
/// /// A zone that is one partition.
/// struct Whole<'l, 'r>(&'l NodeList<'r>);
///
/// impl ZoneView for Whole<'_, '_> {
///     fn node(&mut self, key: &[u8], look: &mut dyn FnMut(Option<Node<'_>>)) {
///         look(self.0.iter().find(|node| node.key == key));
///     }
///     fn has_at_or_below(&mut self, key: &[u8]) -> bool {
///         self.0.iter().any(|node| node.key.starts_with(key))
///     }
/// }
///
/// let origin: Name = "example.".parse()?;
/// let record = |rtype, rdata| RecordRef { rtype, ttl: 3600, rdata, locus: Locus::default() };
/// let mut nodes = NodeList::new();
/// nodes.start_node(b"", origin.borrow());
/// nodes.push(record(RecordType::NS, b"\x02ns\x07example\x00"));
/// nodes.start_node(b"ns\x00", origin.borrow());
/// nodes.push(record(RecordType::TXT, b"\x01a"));
///
/// let mut view = Whole(&nodes);
/// let mut checker = ZoneChecker::new(origin.borrow());
/// let mut checked = checker.check(&nodes, None, &mut view);
/// checker.check_apex(&mut view, &mut checked.findings);
/// let rules: Vec<_> = checked.finish().iter().map(|finding| finding.fault.rule).collect();
/// assert_eq!(rules, [ZoneRule::TargetWithoutAddress(RecordType::NS), ZoneRule::NoSoa]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ZoneChecker<'z> {
    origin: NameRef<'z>,
    targets: Targets<'z>,
    set: CanonicalSet,
}

/// Where findings about one node go.
struct Report<'o, 'n> {
    owner: NameRef<'n>,
    out: &'o mut Vec<ZoneFinding>,
}

impl Report<'_, '_> {
    fn add(&mut self, locus: Locus, rule: ZoneRule, target: Option<NameRef<'_>>) {
        self.out.push(ZoneFinding {
            fault: ZoneFault {
                owner: self.owner.to_name(),
                locus,
                rule,
            },
            target: target.map(NameRef::to_name),
        });
    }
}

/// The longest name in front of which a label of 32 letters and its length fit.
const LONGEST_FOR_NSEC3: usize = MAX_WIRE_LENGTH - 33;

impl<'z> ZoneChecker<'z> {
    /// A checker for the zone with this name.
    #[must_use]
    pub fn new(origin: NameRef<'z>) -> Self {
        Self {
            origin,
            targets: Targets::new(origin),
            set: CanonicalSet::default(),
        }
    }

    /// What the zone as a whole lacks: to be asked once.
    pub fn check_apex(&mut self, view: &mut dyn ZoneView, out: &mut Vec<ZoneFinding>) {
        let mut apex = [false; 2];
        view.node(b"", &mut |node| {
            apex = node.map_or([false; 2], |node| [true, node.has(RecordType::SOA)]);
        });
        let mut report = Report {
            owner: self.origin,
            out,
        };
        let [exists, soa] = apex;
        if !soa {
            report.add(Locus::default(), ZoneRule::NoSoa, None);
        }
        if !exists {
            report.add(Locus::default(), ZoneRule::NoNsAtApex, None);
        }
        if self.origin.wire().len() > LONGEST_FOR_NSEC3 {
            report.add(Locus::default(), ZoneRule::NoRoomForNsec3, None);
        }
    }

    /// Checks the nodes of a partition. `cut` is the key of the cut in force where it begins.
    pub fn check(&mut self, nodes: &NodeList<'_>, cut: Option<&[u8]>, view: &mut dyn ZoneView) -> Checked {
        let mut checked = Checked::default();
        let mut tracker = CutTracker::new();
        tracker.restart(cut);
        let mut glue = Glue::new();
        if let Some(cut) = cut {
            view.node(cut, &mut |node| {
                if let Some(node) = node {
                    glue.enter(&node);
                }
            });
        }
        for node in nodes.iter() {
            let standing = tracker.standing(&node);
            let mut report = Report {
                owner: node.owner,
                out: &mut checked.findings,
            };
            self.check_sets(&node, &mut report);
            nsec3::check(&node, &mut report);
            if standing == Standing::Absent {
                continue;
            }
            check_node(&node, standing == Standing::Occluded, |locus, rule| {
                // A zone that is checked is not signed anew.
                if rule != ZoneRule::StaleZonemd {
                    report.add(locus, rule, None);
                }
            });
            if standing == Standing::Occluded {
                glue.look_at(&node, &mut report, &mut checked.unused_glue);
                continue;
            }
            check_alone(&node, &mut report);
            if cut_at(&node).is_some() {
                glue.enter(&node);
            }
            let mut near = Near {
                nodes,
                view: &mut *view,
            };
            alias::check(&node, &mut self.targets, &mut near, &mut report);
            self.check_targets(&node, &mut near, &mut report, &mut checked.sibling_servers);
            svcb::check(&node, &mut self.targets, &mut near, &mut report);
        }
        checked
    }

    /// Rules of sets: one TTL, each record once.
    fn check_sets(&mut self, node: &Node<'_>, report: &mut Report<'_, '_>) {
        for records in node.sets() {
            let [first, _, ..] = records else {
                continue;
            };
            self.set.load(records);
            // Each RRSIG has the TTL of the set that it covers (RFC 4034 3).
            if self.set.has_mixed_ttl() && first.rtype != RecordType::RRSIG {
                let other = records.iter().find(|record| record.ttl != first.ttl).unwrap_or(first);
                report.add(other.locus, ZoneRule::MixedTtl(first.rtype), None);
            }
            if self.set.order().count() < records.len() {
                for (at, record) in records.iter().enumerate() {
                    if !self.set.order().any(|kept| kept == at) {
                        report.add(record.locus, ZoneRule::Duplicate(first.rtype), None);
                    }
                }
            }
        }
    }

    /// NS, MX and SRV: targets in the zone have addresses and are no aliases.
    fn check_targets(
        &mut self,
        node: &Node<'_>,
        near: &mut Near<'_, '_>,
        report: &mut Report<'_, '_>,
        siblings: &mut Vec<Box<[u8]>>,
    ) {
        let delegation = !node.key.is_empty() && node.has(RecordType::NS);
        for rtype in [RecordType::NS, RecordType::MX, RecordType::SRV] {
            // The records beside a delegation's are not served.
            if delegation && rtype != RecordType::NS {
                break;
            }
            for record in node.set(rtype) {
                if let Some(target) = target_of(record) {
                    self.check_target(node, record, target, delegation, near, report, siblings);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one record's circumstances, passed on once")]
    fn check_target(
        &mut self,
        node: &Node<'_>,
        record: &RecordRef<'_>,
        target: NameRef<'_>,
        delegation: bool,
        near: &mut Near<'_, '_>,
        report: &mut Report<'_, '_>,
        siblings: &mut Vec<Box<[u8]>>,
    ) {
        let rtype = record.rtype;
        let Some(key) = self.targets.key_of(target) else {
            return;
        };
        let rule = if delegation && key.starts_with(node.key) {
            // At or below its own delegation: only an address there helps.
            let addresses = near.addresses_at(&key);
            (!addresses).then_some(ZoneRule::GlueMissing)
        } else {
            match self.targets.answer(&key, near) {
                Answer::Address => None,
                Answer::NoAddress => Some(ZoneRule::TargetWithoutAddress(rtype)),
                Answer::Alias => Some(ZoneRule::TargetIsAlias(rtype)),
                Answer::BelowCut { address } => {
                    if rtype == RecordType::NS {
                        siblings.push(key.as_slice().into());
                    }
                    (rtype == RecordType::NS && !address).then_some(ZoneRule::SiblingGlueMissing)
                }
            }
        };
        self.targets.give_back(key);
        if let Some(rule) = rule {
            report.add(record.locus, rule, Some(target));
        }
    }
}

/// What one node shows beyond the rules for signing.
fn check_alone(node: &Node<'_>, report: &mut Report<'_, '_>) {
    let ns = node.set(RecordType::NS).first();
    let dname = node.set(RecordType::DNAME).first();
    if let (Some(dname), Some(_), false) = (dname, ns, node.key.is_empty()) {
        report.add(dname.locus, ZoneRule::DnameAndNs, None);
    }
    if node.owner.is_wildcard() {
        for record in ns.into_iter().chain(dname) {
            report.add(record.locus, ZoneRule::AtWildcard(record.rtype), None);
        }
    }
}

/// The host that an NS, MX or SRV record names; `None` for "no service" (RFC 7505 3, RFC 2782).
fn target_of<'a>(record: &RecordRef<'a>) -> Option<NameRef<'a>> {
    let skip = match record.rtype {
        RecordType::MX => 2,
        RecordType::SRV => 6,
        _ => 0,
    };
    let target = NameRef::from_wire(record.rdata.get(skip..)?).ok()?;
    (!target.is_root() || skip == 0).then_some(target)
}

/// Whether there is an A or AAAA record.
fn has_address(node: &Node<'_>) -> bool {
    node.has(RecordType::A) || node.has(RecordType::AAAA)
}

/// The partition at hand, and behind it the whole zone.
struct Near<'n, 'r> {
    nodes: &'n NodeList<'r>,
    view: &'n mut dyn ZoneView,
}

impl Near<'_, '_> {
    /// The place of the first node that is not before the key, and whether there is no other between it and the one
    /// before it: at the ends of the partition others may be.
    fn seek(&self, key: &[u8]) -> (usize, bool) {
        let (mut low, mut high) = (0, self.nodes.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.nodes.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low, low > 0 && low < self.nodes.len())
    }

    /// Lends the node at a key.
    fn node(&mut self, key: &[u8], look: &mut dyn FnMut(Option<Node<'_>>)) {
        let (at, inside) = self.seek(key);
        if at < self.nodes.len() && self.nodes.key(at) == key {
            look(Some(self.nodes.node(at)));
        } else if inside {
            look(None);
        } else {
            self.view.node(key, look);
        }
    }

    fn addresses_at(&mut self, key: &[u8]) -> bool {
        let mut found = false;
        self.node(key, &mut |node| found = node.is_some_and(|node| has_address(&node)));
        found
    }

    fn has_at_or_below(&mut self, key: &[u8]) -> bool {
        let (at, inside) = self.seek(key);
        if inside {
            self.nodes.key(at).starts_with(key)
        } else {
            self.view.has_at_or_below(key)
        }
    }
}
