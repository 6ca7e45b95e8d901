//! One partition of a zone, planned: each node and its border become the records to write, the sets to sign and
//! the names of the denial chain. The planner decides; a [`Sink`] writes and signs. Nothing is looked up here:
//! what crosses a border is given with it.

use std::ops::Range;

use crate::denial::{Nsec3Chain, Nsec3Hasher, Nsec3Params, write_bitmap, write_hash_label};
use crate::fault::{ZoneFault, ZoneRule, check_node};
use crate::name::{Name, NameRef};
use crate::policy::Jitter;
use crate::record::{Locus, Node, NodeList, RecordRef};
use crate::retain::{Existing, Fate, Retention};
use crate::rtype::{Class, RecordType};
use crate::set::{Before, Follower, SetSigner};
use crate::signer::KeyIndex;
use crate::tbs::CanonicalSet;
use crate::zone_cut::{CutTracker, Delegation, Standing, is_made_by_signing};

/// A key that signs, and where its jobs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneSigner {
    /// The number of the key's store among the run's stores.
    pub store: usize,
    /// The key in its store.
    pub index: KeyIndex,
    /// The algorithm's number.
    pub algorithm: u8,
    /// The key's tag.
    pub key_tag: u16,
    /// The length in bytes of its signatures.
    pub signature_length: usize,
}

/// A record that signing adds at the apex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// The type.
    pub rtype: RecordType,
    /// The TTL in seconds.
    pub ttl: u32,
    /// RDATA in wire form.
    pub rdata: Vec<u8>,
}

/// All that is decided for the whole zone before the first partition is planned.
#[derive(Debug, Clone)]
pub struct ZoneContext {
    /// The zone's name.
    pub origin: Name,
    /// The zone's class.
    pub class: Class,
    /// The TTL of NSEC and NSEC3: the smaller of the SOA's TTL and minimum (RFC 9077).
    pub negative_ttl: u32,
    /// The NSEC3 parameters; without them the zone gets NSEC.
    pub nsec3: Option<Nsec3Params>,
    /// The SOA, the DNSKEY set, NSEC3PARAM and ZONEMD as they are to be, the digest of the last one of zeros; those of the
    /// input are left out.
    pub apex: Vec<OwnedRecord>,
    /// The keys that sign DNSKEY.
    pub key_signers: Vec<ZoneSigner>,
    /// The keys that sign CDS and CDNSKEY.
    pub sync_signers: Vec<ZoneSigner>,
    /// The keys that sign all else.
    pub zone_signers: Vec<ZoneSigner>,
    /// When signatures begin to be valid.
    pub inception: u32,
    /// When they end.
    pub expiration: u32,
    /// When those of the DNSKEY set end.
    pub dnskey_expiration: u32,
    /// By how much ends are spread.
    pub jitter: Jitter,
    /// TTLs above this are lowered to it.
    pub max_ttl: u32,
    /// What becomes of signatures that exist; without it they all go.
    pub retention: Option<Retention>,
    /// RRSIGs over the DNSKEY set that were made elsewhere.
    pub supplied: Vec<OwnedRecord>,
    /// CDS and CDNSKEY as they are to be, in place of the input's; `None` leaves those.
    pub sync: Option<Vec<OwnedRecord>>,
}

impl ZoneContext {
    /// Whether a ZONEMD takes the place of the input's.
    fn makes_zonemd(&self) -> bool {
        self.apex.iter().any(|record| record.rtype == RecordType::ZONEMD)
    }
}

/// What a partition must know of its neighbours.
#[derive(Debug, Clone, Copy, Default)]
pub struct Border<'a> {
    /// The key of the cut in force at the first node: a delegation or DNAME above it.
    pub cut: Option<&'a [u8]>,
    /// The first owner behind the last node that is in the chain; the chain closes at the apex when there is none.
    pub next_owner: Option<NameRef<'a>>,
}

/// Nodes that may hold signatures from before, beside those of the input itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Earlier<'l, 'r> {
    /// The nodes of the previous output from the same range of keys.
    pub previous: Option<&'l NodeList<'r>>,
    /// The nodes of the input, for the NSEC3 chain alone: names have theirs with them.
    pub input: Option<&'l NodeList<'r>>,
}

/// Receives what a partition comes to, in the order of the output.
pub trait Sink {
    /// The records that follow are of this owner.
    fn owner(&mut self, owner: NameRef<'_>);
    /// A record of the output.
    fn record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]);
    /// An RRSIG over the set just written: to be signed are `head` (RRSIG RDATA without the signature) and then `set`.
    fn sign(&mut self, signer: &ZoneSigner, ttl: u32, head: &[u8], set: &[u8]);
    /// What became of one signature over the set of `rtype` at `owner`: whoever counts or explains overrides this.
    fn decided(&mut self, owner: NameRef<'_>, rtype: RecordType, algorithm: u8, key_tag: u16, fate: Fate) {
        let _ = (owner, rtype, algorithm, key_tag, fate);
    }
    /// A name of the NSEC3 chain, by hash and fingerprint.
    fn chain_name(&mut self, hash: ([u8; 20], u64), bitmap: &[u8]);
    /// A rule of zones that a node breaks.
    fn fault(&mut self, fault: ZoneFault);
}

/// Plans partitions, one after another, with scratch of its own.
#[derive(Debug)]
pub struct Planner<'z> {
    context: &'z ZoneContext,
    hasher: Option<Nsec3Hasher>,
    tracker: CutTracker,
    standings: Vec<Standing>,
    set: CanonicalSet,
    sets: SetSigner<'z>,
    rdata: Vec<u8>,
    bitmap: Vec<u8>,
    hashed_owner: Vec<u8>,
}

impl<'z> Planner<'z> {
    /// A planner for one worker.
    #[must_use]
    pub fn new(context: &'z ZoneContext) -> Self {
        Self {
            context,
            hasher: context.nsec3.as_ref().map(Nsec3Hasher::new),
            tracker: CutTracker::new(),
            standings: Vec::new(),
            set: CanonicalSet::default(),
            sets: SetSigner::new(context),
            rdata: Vec::new(),
            bitmap: Vec::new(),
            hashed_owner: Vec::new(),
        }
    }

    /// Plans the nodes of one partition. Returns how many of them are names of the zone's chain.
    pub fn plan(
        &mut self,
        nodes: &NodeList<'_>,
        earlier: Earlier<'_, '_>,
        border: &Border<'_>,
        sink: &mut impl Sink,
    ) -> u64 {
        let mut old = earlier.previous.map(Follower::new);
        self.tracker.restart(border.cut);
        self.standings.clear();
        for node in nodes.iter() {
            let standing = self.tracker.standing(&node);
            self.standings.push(standing);
        }
        let mut names = 0;
        let mut next = 0;
        // The last owner in the chain before the node at hand: empty non-terminals below a common ancestor are known.
        let mut previous: Option<&[u8]> = None;
        for (index, node) in nodes.iter().enumerate() {
            let standing = self.standings[index];
            if standing == Standing::Absent {
                continue;
            }
            check_node(&node, standing == Standing::Occluded, |locus, rule| {
                if rule != ZoneRule::StaleZonemd || !self.context.makes_zonemd() {
                    fault(sink, node.owner, locus, rule);
                }
            });
            sink.owner(node.owner);
            if standing == Standing::Occluded {
                self.write_unsigned(&node, sink);
                continue;
            }
            names += 1;
            let found = old.as_mut().and_then(|old| old.at(node.key));
            let before = self.before(&node, found, standing);
            let merged;
            let node = if standing == Standing::Apex {
                merged = apex_records(self.context, &node);
                Node {
                    records: &merged,
                    ..node
                }
            } else {
                node
            };
            if self.context.nsec3.is_some() {
                self.plan_node(&node, standing, None, before, sink);
                if self.add_to_chain(&node, standing, previous, sink) {
                    previous = Some(nodes.key(index));
                }
            } else {
                next = next.max(index + 1);
                while next < nodes.len() && !self.standings[next].is_in_zone() {
                    next += 1;
                }
                let next_owner = if next < nodes.len() {
                    nodes.node(next).owner
                } else {
                    border.next_owner.unwrap_or(self.context.origin.borrow())
                };
                self.plan_node(&node, standing, Some(next_owner), before, sink);
            }
        }
        names
    }

    /// What there was at a node before: the old set by set, and the signatures.
    fn before<'n>(&self, node: &Node<'n>, old: Option<Node<'n>>, standing: Standing) -> Before<'n>
    where
        'z: 'n,
    {
        let Some(retention) = &self.context.retention else {
            return Before::default();
        };
        Before {
            existing: Existing {
                input: if retention.use_input {
                    node.set(RecordType::RRSIG)
                } else {
                    &[]
                },
                previous: old.as_ref().map_or(&[], |old| old.set(RecordType::RRSIG)),
                supplied: if standing == Standing::Apex {
                    &self.context.supplied
                } else {
                    &[]
                },
                equals_previous: false,
            },
            old,
        }
    }

    /// Plans links of the NSEC3 chain: each a record and its signatures.
    pub fn plan_chain(
        &mut self,
        chain: &Nsec3Chain,
        links: Range<usize>,
        earlier: Earlier<'_, '_>,
        sink: &mut impl Sink,
    ) {
        let Some(params) = &self.context.nsec3 else {
            return;
        };
        let mut old = earlier.previous.map(Follower::new);
        let mut input = earlier.input.map(Follower::new);
        for index in links {
            let link = chain.link(index);
            self.hashed_owner.clear();
            write_hash_label(link.hash, &mut self.hashed_owner);
            // The label in lower case, closed by 0, is the key.
            let mut key = [0; 33];
            for (to, from) in key.iter_mut().zip(&self.hashed_owner[1..]) {
                *to = from.to_ascii_lowercase();
            }
            self.hashed_owner.extend_from_slice(self.context.origin.borrow().wire());
            self.rdata.clear();
            link.write_rdata(params, &mut self.rdata);
            let owner = NameRef::from_known(&self.hashed_owner);
            sink.owner(owner);
            let old = old.as_mut().and_then(|old| old.at(&key));
            let input = input.as_mut().and_then(|input| input.at(&key));
            let before = Before {
                existing: Existing {
                    input: input.as_ref().map_or(&[], |node| node.set(RecordType::RRSIG)),
                    previous: old.as_ref().map_or(&[], |node| node.set(RecordType::RRSIG)),
                    ..Existing::default()
                },
                old,
            };
            self.sets
                .write_made(owner, RecordType::NSEC3, &self.rdata, before, sink);
        }
    }

    /// Writes a node below a cut: its sets as they are, without signatures.
    fn write_unsigned(&mut self, node: &Node<'_>, sink: &mut impl Sink) {
        for records in node.sets() {
            if !is_made_by_signing(records[0].rtype) {
                self.write_set(node, records, Signed::No, Before::default(), sink);
            }
        }
    }

    /// Writes a node of the zone: its sets, what is signed of them, and its NSEC when the zone has those.
    fn plan_node(
        &mut self,
        node: &Node<'_>,
        standing: Standing,
        next_owner: Option<NameRef<'_>>,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        let apex = standing == Standing::Apex;
        let delegation = matches!(standing, Standing::Delegation(_));
        if apex {
            // Readers of master files want the SOA first.
            self.write_set(node, node.set(RecordType::SOA), Signed::Yes, before, sink);
        }
        let mut nsec = next_owner;
        for records in node.sets() {
            let rtype = records[0].rtype;
            match rtype {
                RecordType::SOA if apex => continue,
                RecordType::NSEC3PARAM if apex => {}
                _ if is_made_by_signing(rtype) => continue,
                _ => {}
            }
            if rtype > RecordType::NSEC
                && let Some(next_owner) = nsec.take()
            {
                self.write_nsec(node, standing, next_owner, before, sink);
            }
            // The parent signs only DS at a cut (RFC 4035 2.2).
            let signed = if delegation && rtype != RecordType::DS {
                Signed::No
            } else {
                Signed::Yes
            };
            self.write_set(node, records, signed, before, sink);
        }
        if let Some(next_owner) = nsec {
            self.write_nsec(node, standing, next_owner, before, sink);
        }
    }

    fn write_set(
        &mut self,
        node: &Node<'_>,
        records: &[RecordRef<'_>],
        signed: Signed,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        let Some(first) = records.first() else {
            return;
        };
        let rtype = first.rtype;
        self.set.load(records);
        if self.set.has_mixed_ttl() {
            fault(sink, node.owner, first.locus, ZoneRule::MixedTtl(rtype));
        }
        self.set.limit_ttl(self.context.max_ttl);
        for at in self.set.order() {
            sink.record(rtype, self.set.ttl(), records[at].rdata);
        }
        if signed == Signed::Yes {
            self.sets.sign(node.owner, rtype, &self.set, before, sink);
        }
    }

    fn write_nsec(
        &mut self,
        node: &Node<'_>,
        standing: Standing,
        next_owner: NameRef<'_>,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        self.rdata.clear();
        self.rdata.extend_from_slice(next_owner.wire());
        let types = present(node, standing);
        let low = types.clone().filter(|&rtype| rtype < RecordType::RRSIG);
        let high = types.filter(|&rtype| rtype > RecordType::NSEC);
        write_bitmap(
            low.chain([RecordType::RRSIG, RecordType::NSEC]).chain(high),
            &mut self.rdata,
        );
        self.sets
            .write_made(node.owner, RecordType::NSEC, &self.rdata, before, sink);
    }

    /// Adds a node and the empty non-terminals above it to the NSEC3 chain (RFC 5155 7.1). Returns whether it is there.
    fn add_to_chain(
        &mut self,
        node: &Node<'_>,
        standing: Standing,
        previous: Option<&[u8]>,
        sink: &mut impl Sink,
    ) -> bool {
        let (Some(hasher), Some(params)) = (&mut self.hasher, &self.context.nsec3) else {
            return false;
        };
        let insecure = standing == Standing::Delegation(Delegation::Insecure);
        if insecure && params.opt_out {
            return false;
        }
        self.bitmap.clear();
        let types = present(node, standing);
        if insecure {
            write_bitmap(types, &mut self.bitmap);
        } else {
            let low = types.clone().filter(|&rtype| rtype < RecordType::RRSIG);
            let high = types.filter(|&rtype| rtype > RecordType::RRSIG);
            write_bitmap(low.chain([RecordType::RRSIG]).chain(high), &mut self.bitmap);
        }
        sink.chain_name(hasher.hash(node.owner), &self.bitmap);
        // The strict ancestors below the apex, from the lowest up, until one that the previous name has as well:
        // names between the two in canonical order have no records.
        let mut key = node.key;
        let mut name = node.owner;
        while let (Some(above), Some(parent)) = (parent_key(key), name.parent()) {
            if above.is_empty() || previous.is_some_and(|previous| previous.starts_with(above)) {
                break;
            }
            sink.chain_name(hasher.hash(parent), &[]);
            (key, name) = (above, parent);
        }
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    Yes,
    No,
}

/// The types of a node that count for its bitmap, beside RRSIG and NSEC: at a cut only NS and DS (RFC 4035 2.3).
fn present<'a>(node: &Node<'a>, standing: Standing) -> impl Iterator<Item = RecordType> + Clone + use<'a> {
    let delegation = matches!(standing, Standing::Delegation(_));
    let apex = standing == Standing::Apex;
    node.records.iter().map(|record| record.rtype).filter(move |&rtype| {
        if delegation {
            matches!(rtype, RecordType::NS | RecordType::DS)
        } else {
            !is_made_by_signing(rtype) || apex && rtype == RecordType::NSEC3PARAM
        }
    })
}

/// The key one label up; `None` at the apex.
fn parent_key(key: &[u8]) -> Option<&[u8]> {
    let (_, label) = key.split_last()?;
    Some(&key[..label.iter().rposition(|&byte| byte == 0).map_or(0, |at| at + 1)])
}

/// The apex's records with those that signing replaces.
fn apex_records<'a>(context: &'a ZoneContext, node: &Node<'a>) -> Vec<RecordRef<'a>> {
    let kept = node.records.iter().filter(|record| {
        !is_made_by_signing(record.rtype)
            && !matches!(record.rtype, RecordType::SOA | RecordType::DNSKEY | RecordType::ZONEMD)
            && (context.sync.is_none() || !matches!(record.rtype, RecordType::CDS | RecordType::CDNSKEY))
    });
    let mut records: Vec<RecordRef<'a>> = kept.copied().collect();
    records.extend(
        context
            .apex
            .iter()
            .chain(context.sync.iter().flatten())
            .map(|record| RecordRef {
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: &record.rdata,
                locus: Locus::default(),
            }),
    );
    records.sort_by_key(|record| record.rtype);
    records
}

fn fault(sink: &mut impl Sink, owner: NameRef<'_>, locus: Locus, rule: ZoneRule) {
    sink.fault(ZoneFault {
        owner: owner.to_name(),
        locus,
        rule,
    });
}
