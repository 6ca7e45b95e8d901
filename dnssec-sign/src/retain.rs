//! Which signatures that a zone has already stay, and why the others are made anew: BIND's rules (BIND keeps what is
//! still good), with three differences. A key that is not at hand keeps its valid signature to the end and is named when
//! it could not be renewed; a signature that is not valid yet counts for nothing; every signature that stays verifies.
//! Keys are told apart by their whole RDATA. Nothing is signed here.

use std::fmt;
use std::sync::Arc;

use crate::dnskey::Dnskey;
use crate::keyset::KeyRoles;
use crate::moment::serial_before;
use crate::name::NameRef;
use crate::plan::{OwnedRecord, ZoneSigner};
use crate::record::RecordRef;
use crate::rrsig::{Rrsig, covered};
use crate::rtype::{Class, RecordType};
use crate::tbs::CanonicalSet;

/// Signatures of one set that are told apart when those that go are counted.
const MOST_KEYS: usize = 32;

/// Verifies signatures of one key.
pub trait CheckSignature: fmt::Debug + Send + Sync {
    /// Whether `signature`, in the form of RRSIG's signature field, is the key's over `message`.
    fn is_good(&self, message: &[u8], signature: &[u8]) -> bool;
}

#[cfg(any(feature = "software", feature = "verify"))]
impl CheckSignature for crate::crypto::PublicKeyVerifier {
    fn is_good(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).is_ok()
    }
}

/// A key that existing signatures may be of.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "facts about a key, each independent of the others"
)]
pub struct KnownKey {
    /// The key as it is, or was, published.
    pub dnskey: Dnskey,
    /// Its tag.
    pub key_tag: u16,
    /// What it signs in this run, with its private half at hand.
    pub signer: Option<(ZoneSigner, KeyRoles)>,
    /// Whether it is in the DNSKEY set of this run.
    pub published: bool,
    /// Whether its private half is somewhere else: its signatures cannot be renewed here.
    pub offline: bool,
    /// Whether its dates say that it no longer signs, or not yet.
    pub inactive: bool,
    /// The place in [`Retention::keys`] of the key that this one follows: while that one's signature over a set stays, this
    /// one makes none, so that a roll takes as long as signatures last.
    pub predecessor: Option<usize>,
    /// Whether the previous output has this very key, and no other of its algorithm and tag.
    pub in_previous: bool,
    /// Verifies its signatures; `None` for an algorithm that this build cannot compute.
    pub checker: Option<Arc<dyn CheckSignature>>,
}

impl KnownKey {
    /// Whether it signs sets of this type in this run.
    #[must_use]
    pub fn signs(&self, rtype: RecordType) -> Option<ZoneSigner> {
        let (signer, roles) = self.signer?;
        let signs = match rtype {
            RecordType::DNSKEY => roles.dnskey,
            RecordType::CDS | RecordType::CDNSKEY => roles.sync,
            _ => roles.rest,
        };
        signs.then_some(signer)
    }
}

/// What is done with signatures that exist.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "switches that combine freely")]
pub struct Retention {
    /// The moment, in seconds since 1970 modulo 2^32.
    pub now: u32,
    /// A signature that ends within so many seconds is made anew.
    pub refresh: u32,
    /// The same over the DNSKEY set.
    pub dnskey_refresh: u32,
    /// Whether signatures of keys that are not active any more go at once (BIND's `-Q`).
    pub drop_inactive: bool,
    /// Whether signatures of keys that are not published any more go at once (BIND's `-R`).
    pub drop_removed: bool,
    /// Whether the input's own signatures are looked at.
    pub use_input: bool,
    /// Whether all that can be made anew is.
    pub force: bool,
    /// The keys, in ascending order of RDATA.
    pub keys: Vec<KnownKey>,
}

/// Why a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The set had no signature.
    New,
    /// The set is not what the old signature is over, or the old one is not good.
    Changed,
    /// The old one ends within the refresh window.
    Expiring,
    /// The set has signatures, but none of this key.
    Key,
    /// All were asked for.
    Forced,
}

/// What became of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is made.
    Made(Reason),
    /// It stays.
    Kept,
    /// It stays although it ends within the refresh window: its key is not at hand.
    Unrenewed,
    /// It goes.
    Dropped,
}

impl Fate {
    /// All fates; [`number`](Self::number) is the place in this list.
    pub const ALL: [Fate; 8] = [
        Fate::Made(Reason::New),
        Fate::Made(Reason::Changed),
        Fate::Made(Reason::Expiring),
        Fate::Made(Reason::Key),
        Fate::Made(Reason::Forced),
        Fate::Kept,
        Fate::Unrenewed,
        Fate::Dropped,
    ];

    /// The place in [`ALL`](Self::ALL), for counting.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::Made(Reason::New) => 0,
            Self::Made(Reason::Changed) => 1,
            Self::Made(Reason::Expiring) => 2,
            Self::Made(Reason::Key) => 3,
            Self::Made(Reason::Forced) => 4,
            Self::Kept => 5,
            Self::Unrenewed => 6,
            Self::Dropped => 7,
        }
    }

    /// One word for reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Made(Reason::New) => "new",
            Self::Made(Reason::Changed) => "changed",
            Self::Made(Reason::Expiring) => "expiring",
            Self::Made(Reason::Key) => "key",
            Self::Made(Reason::Forced) => "forced",
            Self::Kept => "kept",
            Self::Unrenewed => "unrenewed",
            Self::Dropped => "dropped",
        }
    }
}

/// The signatures that a node has already, from three places.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Existing<'a> {
    /// RRSIGs of the input.
    pub(crate) input: &'a [RecordRef<'a>],
    /// RRSIGs of the previous output.
    pub(crate) previous: &'a [RecordRef<'a>],
    /// RRSIGs over the DNSKEY set that were made elsewhere.
    pub(crate) supplied: &'a [OwnedRecord],
    /// Whether the previous output's set has the same bytes to sign.
    pub(crate) equals_previous: bool,
}

/// An existing signature, and whether it is over the very same bytes by what the previous output says.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    rrsig: Rrsig<'a>,
    proven: bool,
}

impl<'a> Existing<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.previous.is_empty() && self.supplied.is_empty()
    }

    /// Those over sets of one type.
    fn over(self, rtype: RecordType) -> impl Iterator<Item = Candidate<'a>> + Clone {
        let owned = self.supplied.iter().map(|record| (record.rdata.as_slice(), false));
        let of = |records: &'a [RecordRef<'a>], proven| records.iter().map(move |record| (record.rdata, proven));
        owned
            .chain(of(self.previous, self.equals_previous))
            .chain(of(self.input, false))
            .filter(move |(rdata, _)| covered(rdata) == Some(rtype))
            .filter_map(|(rdata, proven)| {
                Some(Candidate {
                    rrsig: Rrsig::read(rdata)?,
                    proven,
                })
            })
    }

    /// Whether there is any over sets of this type.
    pub(crate) fn covers(&self, rtype: RecordType) -> bool {
        self.over(rtype).next().is_some()
    }
}

/// The set at hand.
#[derive(Clone, Copy)]
pub(crate) struct SetAtHand<'a> {
    pub(crate) origin: NameRef<'a>,
    pub(crate) owner: NameRef<'a>,
    pub(crate) rtype: RecordType,
    pub(crate) ttl: u32,
    /// The bytes to sign behind the RRSIG's head.
    pub(crate) signed: &'a [u8],
}

/// What is decided about one signature of a set.
pub(crate) enum Decision<'a> {
    Keep(Rrsig<'a>, Fate),
    Make(ZoneSigner, Reason),
    Drop(Rrsig<'a>),
}

impl Retention {
    /// The keys of which a signature over a set of the apex stays. `records` is the set as it will be, `rrsigs` are RRSIGs
    /// of the apex from anywhere, and `supplied` those made elsewhere.
    #[must_use]
    pub fn kept_at_apex(
        &self,
        origin: NameRef<'_>,
        class: Class,
        records: &[RecordRef<'_>],
        rrsigs: &[RecordRef<'_>],
        supplied: &[OwnedRecord],
    ) -> Vec<Dnskey> {
        let Some(rtype) = records.first().map(|record| record.rtype) else {
            return Vec::new();
        };
        let mut set = CanonicalSet::default();
        set.load(records);
        let mut signed = Vec::new();
        set.write_signed(origin, rtype, class, &mut signed);
        let at_hand = SetAtHand {
            origin,
            owner: origin,
            rtype,
            ttl: set.ttl(),
            signed: &signed,
        };
        let existing = Existing {
            input: rrsigs,
            supplied,
            ..Existing::default()
        };
        let mut message = Vec::new();
        self.keys
            .iter()
            .filter(|key| {
                let of_key = existing.over(rtype).filter(|candidate| {
                    candidate.rrsig.key_tag == key.key_tag && candidate.rrsig.algorithm == key.dnskey.algorithm().0
                });
                let signer = key.signs(rtype);
                self.best(key, signer, at_hand, of_key, &mut message).is_some()
            })
            .map(|key| key.dnskey.clone())
            .collect()
    }

    fn window(&self, rtype: RecordType) -> u32 {
        if rtype == RecordType::DNSKEY {
            self.dnskey_refresh
        } else {
            self.refresh
        }
    }

    /// Decides about the signatures of one set: key by key in order, then those that go. `message` is scratch.
    pub(crate) fn decide<'a>(
        &self,
        set: SetAtHand<'_>,
        existing: Existing<'a>,
        message: &mut Vec<u8>,
        mut each: impl FnMut(Decision<'a>),
    ) {
        let covered = existing.covers(set.rtype);
        let mut stay = [&[][..]; MOST_KEYS];
        let mut count = 0;
        for key in &self.keys {
            let signer = key.signs(set.rtype);
            let of_key = existing.over(set.rtype).filter(|candidate| {
                candidate.rrsig.key_tag == key.key_tag && candidate.rrsig.algorithm == key.dnskey.algorithm().0
            });
            let kept = self.best(key, signer, set, of_key.clone(), message);
            match (kept, signer) {
                (Some((rrsig, fate)), _) => each(Decision::Keep(rrsig, fate)),
                (None, Some(_)) if self.predecessor_signs(key, set, existing, message) => {}
                (None, Some(signer)) => {
                    let reason = if self.force {
                        Reason::Forced
                    } else if !covered {
                        Reason::New
                    } else if of_key.clone().next().is_none() {
                        Reason::Key
                    } else if of_key
                        .clone()
                        .all(|candidate| self.is_expiring(&candidate.rrsig, set.rtype))
                    {
                        Reason::Expiring
                    } else {
                        Reason::Changed
                    };
                    each(Decision::Make(signer, reason));
                }
                (None, None) => {}
            }
            if let Some((rrsig, _)) = kept
                && let Some(place) = stay.get_mut(count)
            {
                *place = rrsig.rdata();
                count += 1;
            }
        }
        // Each of the others once, though two places may have it.
        for (at, candidate) in existing.over(set.rtype).enumerate() {
            let rdata = candidate.rrsig.rdata();
            let again = existing
                .over(set.rtype)
                .take(at)
                .any(|other| other.rrsig.rdata() == rdata);
            if !again && !stay[..count].contains(&rdata) {
                each(Decision::Drop(candidate.rrsig));
            }
        }
    }

    /// Whether the key that this one follows has a signature over the set that stays, or makes a new one in its place.
    fn predecessor_signs(
        &self,
        key: &KnownKey,
        set: SetAtHand<'_>,
        existing: Existing<'_>,
        message: &mut Vec<u8>,
    ) -> bool {
        let keys_of_apex = matches!(set.rtype, RecordType::DNSKEY | RecordType::CDS | RecordType::CDNSKEY);
        if keys_of_apex || key.dnskey.is_sep() {
            return false;
        }
        let Some(before) = key.predecessor.and_then(|at| self.keys.get(at)) else {
            return false;
        };
        let of_it = existing.over(set.rtype).filter(|candidate| {
            candidate.rrsig.key_tag == before.key_tag && candidate.rrsig.algorithm == before.dnskey.algorithm().0
        });
        let signer = before.signs(set.rtype);
        signer.is_some() && of_it.clone().next().is_some() || self.best(before, signer, set, of_it, message).is_some()
    }

    fn is_expiring(&self, rrsig: &Rrsig<'_>, rtype: RecordType) -> bool {
        !serial_before(self.now.wrapping_add(self.window(rtype)), rrsig.expiration)
    }

    /// The signature of a key that stays, the one that lasts longest.
    fn best<'a>(
        &self,
        key: &KnownKey,
        signer: Option<ZoneSigner>,
        set: SetAtHand<'_>,
        candidates: impl Iterator<Item = Candidate<'a>> + Clone,
        message: &mut Vec<u8>,
    ) -> Option<(Rrsig<'a>, Fate)> {
        let mut tried: Option<(u32, &[u8])> = None;
        loop {
            // Time left, then the bytes: an order that does not depend on where a candidate comes from.
            let rank = |candidate: &Candidate<'a>| {
                let rrsig = &candidate.rrsig;
                (rrsig.expiration.wrapping_sub(self.now), rrsig.rdata())
            };
            let next = candidates
                .clone()
                .filter(|candidate| self.has_place(key, signer, set, &candidate.rrsig).is_some())
                .filter(|candidate| tried.is_none_or(|tried| rank(candidate) < tried))
                // Of equal ones the proven one, which costs nothing.
                .max_by_key(|candidate| (rank(candidate), candidate.proven && key.in_previous))?;
            tried = Some(rank(&next));
            if next.proven && key.in_previous || self.verifies(key, signer, set, &next.rrsig, message) {
                let fate = self.has_place(key, signer, set, &next.rrsig)?;
                return Some((next.rrsig, fate));
            }
        }
    }

    /// Whether a signature may stay if it is good, and as what.
    fn has_place(
        &self,
        key: &KnownKey,
        signer: Option<ZoneSigner>,
        set: SetAtHand<'_>,
        rrsig: &Rrsig<'_>,
    ) -> Option<Fate> {
        let well_formed = rrsig.labels == set.owner.rrsig_labels()
            && rrsig.original_ttl == set.ttl
            && rrsig.signer == set.origin
            && !rrsig.signature.is_empty()
            && serial_before(rrsig.inception, rrsig.expiration)
            && !serial_before(self.now, rrsig.inception)
            && serial_before(self.now, rrsig.expiration);
        let revoked = key.dnskey.is_revoked() && set.rtype != RecordType::DNSKEY;
        if !well_formed || revoked {
            return None;
        }
        if key.inactive && self.drop_inactive || !key.published && signer.is_none() && self.drop_removed {
            return None;
        }
        let expiring = self.is_expiring(rrsig, set.rtype);
        if signer.is_some() {
            return (!expiring && !self.force).then_some(Fate::Kept);
        }
        if !expiring {
            return Some(Fate::Kept);
        }
        (key.offline && key.published && self.is_needed(key, set.rtype)).then_some(Fate::Unrenewed)
    }

    /// Whether nothing else can take the place of this key's signature: no key of its algorithm signs sets of the
    /// type, or the parent's DS may name it.
    fn is_needed(&self, key: &KnownKey, rtype: RecordType) -> bool {
        let at_apex = matches!(rtype, RecordType::DNSKEY | RecordType::CDS | RecordType::CDNSKEY);
        let secure_entry = key.dnskey.is_sep() && at_apex;
        secure_entry
            || !self
                .keys
                .iter()
                .any(|other| other.dnskey.algorithm() == key.dnskey.algorithm() && other.signs(rtype).is_some())
    }

    fn verifies(
        &self,
        key: &KnownKey,
        signer: Option<ZoneSigner>,
        set: SetAtHand<'_>,
        rrsig: &Rrsig<'_>,
        message: &mut Vec<u8>,
    ) -> bool {
        let Some(checker) = &key.checker else {
            // What cannot be judged stays only where it cannot be made.
            return signer.is_none() && key.offline;
        };
        message.clear();
        rrsig.write_head(message);
        message.extend_from_slice(set.signed);
        checker.is_good(message, rrsig.signature)
    }
}
