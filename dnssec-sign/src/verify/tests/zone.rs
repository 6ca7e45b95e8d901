//! A zone as a flat list of records, signed by brute force: cuts, chains and empty non-terminals are found by
//! looking at every name again. Ed25519 and P-256 keys.

use crate::verify::{Expectations, Finding, Report, join, survey_apex, verify_partition};
use crate::{Algorithm, Dnskey, Kept, Locus, Name, NameRef, NodeList, RecordRef, RecordType, rdata};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE32HEX_NOPAD;
use sha1::Digest as _;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

/// The moment of the tests.
pub(super) const NOW: u32 = 1_790_000_000;

#[derive(Debug, Clone)]
pub(super) struct Rec {
    pub(super) owner: Name,
    pub(super) rtype: RecordType,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

#[derive(Clone)]
pub(super) struct Key {
    pair: Rc<Pair>,
    pub(super) dnskey: Dnskey,
}

impl Key {
    pub(super) fn ed25519(seed: u8, flags: u16) -> Self {
        Self::ed25519_of(&[seed; 32], flags)
    }

    pub(super) fn ed25519_of(seed: &[u8; 32], flags: u16) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        let dnskey = Dnskey::new(flags, Algorithm::ED25519, pair.public_key().as_ref()).unwrap();
        Self {
            pair: Rc::new(Pair::Ed25519(pair)),
            dnskey,
        }
    }

    pub(super) fn p256(flags: u16) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point: Vec<u8> = pair.public_key().as_ref().to_vec();
        let dnskey = Dnskey::new(flags, Algorithm::ECDSAP256SHA256, &point[1..]).unwrap();
        Self {
            pair: Rc::new(Pair::P256(pair)),
            dnskey,
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &*self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }
}

/// An RRSIG's fields as a test may want them.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) labels: Option<u8>,
    pub(super) original_ttl: Option<u32>,
    pub(super) inception: u32,
    pub(super) expiration: u32,
}

pub(super) const USUAL: Fields = Fields {
    labels: None,
    original_ttl: None,
    inception: NOW - 3600,
    expiration: NOW + 86400,
};

#[derive(Clone)]
pub(super) enum Denial {
    Nsec,
    Nsec3 {
        iterations: u16,
        salt: &'static [u8],
        opt_out: bool,
    },
}

#[derive(Clone)]
pub(super) struct Zone {
    pub(super) origin: Name,
    pub(super) records: Vec<Rec>,
    pub(super) keys: Vec<Key>,
    pub(super) expectations: Expectations,
}

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

impl Zone {
    /// Lines of `owner ttl type rdata`, names relative to the origin unless they end in a dot; RDATA of types that
    /// are not here by themselves in hexadecimal.
    pub(super) fn parse(origin: &str, text: &str) -> Self {
        let origin = name(origin);
        let mut zone = Self {
            expectations: Expectations::new(origin.clone(), NOW),
            origin,
            records: Vec::new(),
            keys: Vec::new(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            zone.add(line);
        }
        zone
    }

    fn name(&self, text: &str) -> Name {
        if text == "@" {
            return self.origin.clone();
        }
        Name::parse(text, Some(self.origin.borrow())).unwrap()
    }

    /// Adds a record.
    pub(super) fn add(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let owner = self.name(words.next().unwrap());
        let ttl = words.next().unwrap().parse().unwrap();
        let rtype: RecordType = words.next().unwrap().parse().unwrap();
        let words: Vec<_> = words.collect();
        let mut rdata = Vec::new();
        match rtype {
            RecordType::A => words[0].split('.').for_each(|byte| rdata.push(byte.parse().unwrap())),
            RecordType::NS | RecordType::CNAME | RecordType::DNAME | RecordType::PTR => {
                rdata.extend(self.name(words[0]).borrow().wire());
            }
            RecordType::MX => {
                rdata.extend(words[0].parse::<u16>().unwrap().to_be_bytes());
                rdata.extend(self.name(words[1]).borrow().wire());
            }
            RecordType::SOA => {
                rdata.extend(self.name(words[0]).borrow().wire());
                rdata.extend(self.name(words[1]).borrow().wire());
                words[2..]
                    .iter()
                    .for_each(|number| rdata.extend(number.parse::<u32>().unwrap().to_be_bytes()));
            }
            RecordType::TXT => {
                rdata.push(u8::try_from(words[0].len()).unwrap());
                rdata.extend(words[0].bytes());
            }
            _ => rdata = hex(words.first().unwrap_or(&"")),
        }
        self.records.push(Rec {
            owner,
            rtype,
            ttl,
            rdata,
        });
    }

    pub(super) fn push(&mut self, owner: &Name, rtype: RecordType, ttl: u32, rdata: Vec<u8>) {
        self.records.push(Rec {
            owner: owner.clone(),
            rtype,
            ttl,
            rdata,
        });
    }

    /// The names in canonical order and their types.
    pub(super) fn names(&self) -> BTreeMap<Vec<u8>, (Name, Vec<RecordType>)> {
        let mut names: BTreeMap<Vec<u8>, (Name, Vec<RecordType>)> = BTreeMap::new();
        for record in &self.records {
            let (_, types) = names
                .entry(record.owner.key())
                .or_insert_with(|| (record.owner.clone(), Vec::new()));
            types.push(record.rtype);
            types.sort_unstable();
            types.dedup();
        }
        names
    }

    fn has(&self, owner: NameRef<'_>, rtype: RecordType) -> bool {
        self.records
            .iter()
            .any(|record| record.rtype == rtype && record.owner.borrow() == owner)
    }

    /// The outermost delegation or DNAME above a name.
    pub(super) fn cut_above(&self, owner: &Name) -> Option<Name> {
        let mut cut = None;
        let mut at = owner.borrow();
        while at != self.origin.borrow() {
            at = at.parent().unwrap();
            let apex = at == self.origin.borrow();
            if self.has(at, RecordType::DNAME) || !apex && self.has(at, RecordType::NS) {
                cut = Some(at.to_name());
            }
        }
        cut
    }

    fn is_delegation(&self, owner: &Name) -> bool {
        *owner != self.origin && self.has(owner.borrow(), RecordType::NS)
    }

    fn must_be_signed(&self, owner: &Name, rtype: RecordType) -> bool {
        match rtype {
            RecordType::RRSIG => false,
            RecordType::NSEC3 => true,
            _ if self.cut_above(owner).is_some() => false,
            RecordType::DS | RecordType::NSEC => true,
            _ => !self.is_delegation(owner),
        }
    }

    /// Signs: DNSKEY set, chain, RRSIGs.
    pub(super) fn sign(mut self, keys: &[Key], denial: &Denial) -> Self {
        self.keys = keys.to_vec();
        let origin = self.origin.clone();
        for key in keys {
            self.push(&origin, RecordType::DNSKEY, 3600, key.dnskey.rdata().to_vec());
        }
        match denial {
            Denial::Nsec => self.add_nsec(),
            Denial::Nsec3 {
                iterations,
                salt,
                opt_out,
            } => self.add_nsec3(*iterations, salt, *opt_out),
        }
        self.sign_all();
        self
    }

    pub(super) fn sign_all(&mut self) {
        let mut sets: Vec<_> = self
            .records
            .iter()
            .map(|record| (record.owner.key(), record.owner.clone(), record.rtype))
            .collect();
        sets.sort_by(|one, other| (&one.0, one.2).cmp(&(&other.0, other.2)));
        sets.dedup_by(|one, other| (&one.0, one.2) == (&other.0, other.2));
        for (_, owner, rtype) in sets {
            if self.must_be_signed(&owner, rtype) {
                self.sign_set(&owner, rtype);
            }
        }
    }

    fn denial_ttl(&self) -> u32 {
        let soa = self
            .records
            .iter()
            .find(|record| record.rtype == RecordType::SOA)
            .unwrap();
        let minimum: [u8; 4] = soa.rdata[soa.rdata.len() - 4..].try_into().unwrap();
        soa.ttl.min(u32::from_be_bytes(minimum))
    }

    fn add_nsec(&mut self) {
        let ttl = self.denial_ttl();
        let names: Vec<_> = self
            .names()
            .into_values()
            .filter(|(owner, _)| self.cut_above(owner).is_none())
            .collect();
        for (place, (owner, types)) in names.iter().enumerate() {
            let (next, _) = &names[(place + 1) % names.len()];
            let mut types = self.listed(owner, types);
            types.extend([RecordType::NSEC, RecordType::RRSIG]);
            let mut rdata = next.borrow().wire().to_vec();
            rdata.extend(bitmap(&types));
            self.push(owner, RecordType::NSEC, ttl, rdata);
        }
    }

    fn listed(&self, owner: &Name, types: &[RecordType]) -> Vec<RecordType> {
        let delegation = self.is_delegation(owner);
        types
            .iter()
            .copied()
            .filter(|&rtype| !delegation || matches!(rtype, RecordType::NS | RecordType::DS))
            .collect()
    }

    fn add_nsec3(&mut self, iterations: u16, salt: &[u8], opt_out: bool) {
        let ttl = self.denial_ttl();
        let origin = self.origin.clone();
        let mut parameters = vec![1, 0];
        parameters.extend(iterations.to_be_bytes());
        parameters.push(u8::try_from(salt.len()).unwrap());
        parameters.extend(salt);
        self.push(&origin, RecordType::NSEC3PARAM, 0, parameters.clone());
        parameters[1] = u8::from(opt_out);
        let mut entries: BTreeMap<[u8; 20], Vec<u8>> = BTreeMap::new();
        for (owner, types) in self.names().into_values() {
            if self.cut_above(&owner).is_some() {
                continue;
            }
            let mut types = self.listed(&owner, &types);
            let secure = !self.is_delegation(&owner) || types.contains(&RecordType::DS);
            if opt_out && !secure {
                continue;
            }
            if secure {
                types.push(RecordType::RRSIG);
            }
            entries.insert(hash(&owner, iterations, salt), bitmap(&types));
            let mut above = owner.borrow();
            while above != origin.borrow() {
                entries.entry(hash(&above.to_name(), iterations, salt)).or_default();
                above = above.parent().unwrap();
            }
        }
        let hashes: Vec<_> = entries.keys().copied().collect();
        for (place, (own, bitmap)) in entries.iter().enumerate() {
            let next = hashes[(place + 1) % hashes.len()];
            let rdata = [&parameters[..], &[20], &next, bitmap].concat();
            self.push(&self.hash_owner(own), RecordType::NSEC3, ttl, rdata);
        }
    }

    pub(super) fn hash_owner(&self, hash: &[u8; 20]) -> Name {
        self.name(&BASE32HEX_NOPAD.encode(hash))
    }

    /// Removes the records of a set, its signatures left.
    pub(super) fn remove(&mut self, owner: &Name, rtype: RecordType) {
        self.records
            .retain(|record| record.rtype != rtype || record.owner != *owner);
    }

    /// Removes the signatures of a set.
    pub(super) fn unsign(&mut self, owner: &Name, rtype: RecordType) {
        self.records
            .retain(|record| record.owner != *owner || !covers(record, rtype));
    }

    /// Signs a set by the keys whose part it is, in place of the signatures there are.
    pub(super) fn sign_set(&mut self, owner: &Name, rtype: RecordType) {
        self.sign_set_as(owner, rtype, USUAL);
    }

    pub(super) fn sign_set_as(&mut self, owner: &Name, rtype: RecordType, fields: Fields) {
        self.unsign(owner, rtype);
        for key in self.keys.clone() {
            let algorithm = key.dnskey.algorithm();
            let alone = |sep: bool| {
                !self
                    .keys
                    .iter()
                    .any(|other| other.dnskey.algorithm() == algorithm && other.dnskey.is_sep() == sep)
            };
            let signs = if rtype == RecordType::DNSKEY {
                key.dnskey.is_sep() || alone(true)
            } else {
                (!key.dnskey.is_sep() || alone(false)) && !key.dnskey.is_revoked()
            };
            if signs {
                self.sign_with(&key, owner, rtype, fields);
            }
        }
    }

    /// Adds one signature.
    pub(super) fn sign_with(&mut self, key: &Key, owner: &Name, rtype: RecordType, fields: Fields) {
        let rdata = self.rrsig(key, owner, rtype, fields);
        let ttl = self.ttl(owner, rtype);
        self.push(owner, RecordType::RRSIG, ttl, rdata);
    }

    fn ttl(&self, owner: &Name, rtype: RecordType) -> u32 {
        self.records
            .iter()
            .find(|record| record.rtype == rtype && record.owner == *owner)
            .map_or(3600, |record| record.ttl)
    }

    pub(super) fn rrsig(&self, key: &Key, owner: &Name, rtype: RecordType, fields: Fields) -> Vec<u8> {
        let ttl = self.ttl(owner, rtype);
        let original_ttl = fields.original_ttl.unwrap_or(ttl);
        let mut rrsig = rtype.0.to_be_bytes().to_vec();
        rrsig.push(key.dnskey.algorithm().0);
        rrsig.push(fields.labels.unwrap_or(owner.borrow().rrsig_labels()));
        rrsig.extend(original_ttl.to_be_bytes());
        rrsig.extend(fields.expiration.to_be_bytes());
        rrsig.extend(fields.inception.to_be_bytes());
        rrsig.extend(key.dnskey.key_tag().to_be_bytes());
        self.origin.borrow().write_folded(&mut rrsig);
        let mut set: Vec<_> = self
            .records
            .iter()
            .filter(|record| record.rtype == rtype && record.owner == *owner)
            .map(|record| {
                let mut out = Vec::new();
                rdata::write_canonical(rtype, &record.rdata, &mut out);
                out
            })
            .collect();
        set.sort();
        set.dedup();
        let mut message = rrsig.clone();
        for rdata in set {
            owner.borrow().write_folded(&mut message);
            message.extend(rtype.0.to_be_bytes());
            message.extend(1u16.to_be_bytes());
            message.extend(original_ttl.to_be_bytes());
            message.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
            message.extend(rdata);
        }
        rrsig.extend(key.sign(&message));
        rrsig
    }

    /// The records of a set, to be changed.
    pub(super) fn set_mut(&mut self, owner: &str, rtype: RecordType) -> Vec<&mut Rec> {
        let owner = self.name(owner);
        self.records
            .iter_mut()
            .filter(|record| record.rtype == rtype && record.owner == owner)
            .collect()
    }

    /// The signatures of a set, to be changed.
    pub(super) fn signatures_mut(&mut self, owner: &str, rtype: RecordType) -> Vec<&mut Rec> {
        let owner = self.name(owner);
        self.records
            .iter_mut()
            .filter(|record| record.owner == owner && covers(record, rtype))
            .collect()
    }

    /// The verdict on the zone in one partition.
    pub(super) fn verify(&self) -> Report {
        self.verify_at(|_, _| false, false)
    }

    /// The verdict on the zone cut into partitions before the names where `border` says so, and with the NSEC3
    /// records apart when `block`.
    pub(super) fn verify_at(&self, border: impl Fn(usize, &Name) -> bool, block: bool) -> Report {
        match self.try_verify_at(border, block) {
            Ok(report) => report,
            Err(findings) => panic!("{}", findings[0]),
        }
    }

    /// The verdict on the zone in one partition, or the findings that leave no verdict.
    pub(super) fn try_verify(&self) -> Result<Report, Vec<Finding>> {
        self.try_verify_at(|_, _| false, false)
    }

    fn try_verify_at(&self, border: impl Fn(usize, &Name) -> bool, block: bool) -> Result<Report, Vec<Finding>> {
        let (denial, names): (Vec<_>, Vec<_>) = self
            .records
            .iter()
            .partition(|record| block && (record.rtype == RecordType::NSEC3 || covers(record, RecordType::NSEC3)));
        let (names, denial) = (self.group(&names), self.group(&denial));
        let mut partitions: Vec<&[Group<'_>]> = Vec::new();
        for list in [&names, &denial] {
            let mut start = 0;
            for (place, group) in list.iter().enumerate() {
                if place > start && border(place, &group.owner) {
                    partitions.push(&list[start..place]);
                    start = place;
                }
            }
            partitions.push(&list[start..]);
        }
        let origin_key = self.origin.key();
        let lists: Vec<_> = partitions
            .into_iter()
            .map(|groups| (groups, node_list(groups)))
            .collect();
        let facts = survey_apex(lists[0].1.node(0), &self.expectations)?;
        let verdicts = lists.iter().map(|(groups, list)| {
            let cut = groups.first().and_then(|group| self.cut_above(&group.owner));
            let cut = cut.map(|cut| cut.key()[origin_key.len()..].to_vec());
            let verdict = verify_partition(list, cut.as_deref(), &facts);
            // The lists that grow with the zone are moved, as to a file.
            let moved = verdict.keep(|list| Ok::<_, Infallible>(Kept::new(list.as_ref().to_vec())));
            moved.unwrap_or_else(|never| match never {})
        });
        Ok(join(verdicts, &facts))
    }

    pub(super) fn group<'r>(&self, records: &[&'r Rec]) -> Vec<Group<'r>> {
        let length = self.origin.key().len();
        let mut groups: BTreeMap<Vec<u8>, Group<'r>> = BTreeMap::new();
        for record in records {
            let key = record.owner.key()[length..].to_vec();
            groups
                .entry(key.clone())
                .or_insert_with(|| Group {
                    key,
                    owner: record.owner.clone(),
                    records: Vec::new(),
                })
                .records
                .push(record);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        for group in &mut groups {
            group.records.sort_by_key(|record| record.rtype);
        }
        groups
    }
}

pub(super) struct Group<'r> {
    key: Vec<u8>,
    owner: Name,
    records: Vec<&'r Rec>,
}

pub(super) fn node_list<'r>(groups: &'r [Group<'r>]) -> NodeList<'r> {
    let mut list = NodeList::new();
    for group in groups {
        list.start_node_as(&group.key, group.owner.borrow());
        for record in &group.records {
            list.push(RecordRef {
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: &record.rdata,
                locus: Locus { source: 0, line: 1 },
            });
        }
    }
    list
}

fn covers(record: &Rec, rtype: RecordType) -> bool {
    record.rtype == RecordType::RRSIG && record.rdata.starts_with(&rtype.0.to_be_bytes())
}

/// A type bitmap, bit by bit.
pub(super) fn bitmap(types: &[RecordType]) -> Vec<u8> {
    let mut windows: BTreeMap<u16, [u8; 32]> = BTreeMap::new();
    for rtype in types {
        let map = windows.entry(rtype.0 / 256).or_default();
        map[usize::from(rtype.0 % 256 / 8)] |= 1 << (7 - rtype.0 % 8);
    }
    let mut out = Vec::new();
    for (window, map) in windows {
        let used = map.iter().rposition(|&byte| byte != 0).unwrap() + 1;
        out.push(u8::try_from(window).unwrap());
        out.push(u8::try_from(used).unwrap());
        out.extend(&map[..used]);
    }
    out
}

/// RFC 5155 5.
pub(super) fn hash(owner: &Name, iterations: u16, salt: &[u8]) -> [u8; 20] {
    let mut value = owner.to_folded().borrow().wire().to_vec();
    for _ in 0..=iterations {
        value.extend(salt);
        value = sha1::Sha1::digest(&value).to_vec();
    }
    value.try_into().unwrap()
}
