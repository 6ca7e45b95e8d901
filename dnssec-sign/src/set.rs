//! One set signed: the signatures that stay and those to be made, handed to the sink key by key. What was there before
//! is found here; whether it stays is decided in `retain`.

use crate::name::NameRef;
use crate::plan::{Sink, ZoneContext, ZoneSigner};
use crate::record::{Node, NodeList};
use crate::retain::{Decision, Existing, Fate, Reason, Retention, SetAtHand};
use crate::rtype::RecordType;
use crate::tbs::{CanonicalSet, RrsigFields, write_signed_record};

/// What there was at a node before this run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    pub(crate) existing: Existing<'a>,
    /// The node in the previous output.
    pub(crate) old: Option<Node<'a>>,
}

/// Goes along a list of nodes as keys are asked for in ascending order.
pub(crate) struct Follower<'l, 'r> {
    nodes: &'l NodeList<'r>,
    at: usize,
}

impl<'l, 'r> Follower<'l, 'r> {
    pub(crate) fn new(nodes: &'l NodeList<'r>) -> Self {
        Self { nodes, at: 0 }
    }

    /// The node with this key, if there is one.
    pub(crate) fn at(&mut self, key: &[u8]) -> Option<Node<'l>> {
        while self.at < self.nodes.len() && self.nodes.key(self.at) < key {
            self.at += 1;
        }
        (self.at < self.nodes.len() && self.nodes.key(self.at) == key).then(|| self.nodes.node(self.at))
    }
}

/// Signs sets one after another, with scratch of its own.
#[derive(Debug)]
pub(crate) struct SetSigner<'z> {
    context: &'z ZoneContext,
    signed: Vec<u8>,
    head: Vec<u8>,
    message: Vec<u8>,
    old_set: CanonicalSet,
    old_signed: Vec<u8>,
}

impl<'z> SetSigner<'z> {
    pub(crate) fn new(context: &'z ZoneContext) -> Self {
        Self {
            context,
            signed: Vec::new(),
            head: Vec::new(),
            message: Vec::new(),
            old_set: CanonicalSet::default(),
            old_signed: Vec::new(),
        }
    }

    /// Signs a set that is written already.
    pub(crate) fn sign(
        &mut self,
        owner: NameRef<'_>,
        rtype: RecordType,
        set: &CanonicalSet,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        self.signed.clear();
        set.write_signed(owner, rtype, self.context.class, &mut self.signed);
        self.sign_bytes(owner, rtype, set.ttl(), before, sink);
    }

    /// Writes a record that signing makes, NSEC or NSEC3, and signs it. Its RDATA is canonical as it is: the next name of
    /// an NSEC is not folded (RFC 6840 5.1).
    pub(crate) fn write_made(
        &mut self,
        owner: NameRef<'_>,
        rtype: RecordType,
        rdata: &[u8],
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        let ttl = self.context.negative_ttl;
        sink.record(rtype, ttl, rdata);
        self.signed.clear();
        write_signed_record(owner, rtype, self.context.class, ttl, rdata, &mut self.signed);
        self.sign_bytes(owner, rtype, ttl, before, sink);
    }

    fn sign_bytes(
        &mut self,
        owner: NameRef<'_>,
        rtype: RecordType,
        ttl: u32,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        match &self.context.retention {
            Some(retention) if !before.existing.is_empty() => {
                self.sign_again(retention, owner, rtype, ttl, before, sink);
            }
            _ => {
                let signers = match rtype {
                    RecordType::DNSKEY => &self.context.key_signers,
                    RecordType::CDS | RecordType::CDNSKEY => &self.context.sync_signers,
                    _ => &self.context.zone_signers,
                };
                let reason = match &self.context.retention {
                    Some(retention) if retention.force => Reason::Forced,
                    _ => Reason::New,
                };
                for signer in signers {
                    self.make(signer, owner, rtype, ttl, reason, sink);
                }
            }
        }
    }

    /// Signs a set at a name that has signatures already.
    fn sign_again(
        &mut self,
        retention: &Retention,
        owner: NameRef<'_>,
        rtype: RecordType,
        ttl: u32,
        before: Before<'_>,
        sink: &mut impl Sink,
    ) {
        let existing = Existing {
            equals_previous: before.old.is_some_and(|old| self.equals(owner, rtype, &old)),
            ..before.existing
        };
        let set = SetAtHand {
            origin: self.context.origin.borrow(),
            owner,
            rtype,
            ttl,
            signed: &self.signed,
        };
        let mut message = std::mem::take(&mut self.message);
        let (context, signed, head) = (self.context, &self.signed, &mut self.head);
        retention.decide(set, existing, &mut message, |decision| match decision {
            Decision::Keep(rrsig, fate) => {
                sink.record(RecordType::RRSIG, ttl, rrsig.rdata());
                sink.decided(owner, rtype, rrsig.algorithm, rrsig.key_tag, fate);
            }
            Decision::Make(signer, reason) => {
                write_head(context, &signer, owner, rtype, ttl, head);
                sink.sign(&signer, ttl, head, signed);
                sink.decided(owner, rtype, signer.algorithm, signer.key_tag, Fate::Made(reason));
            }
            Decision::Drop(rrsig) => sink.decided(owner, rtype, rrsig.algorithm, rrsig.key_tag, Fate::Dropped),
        });
        self.message = message;
    }

    /// Whether the previous output's set has the same bytes to sign as the one at hand.
    fn equals(&mut self, owner: NameRef<'_>, rtype: RecordType, old: &Node<'_>) -> bool {
        let records = old.set(rtype);
        if records.is_empty() {
            return false;
        }
        self.old_set.load(records);
        self.old_signed.clear();
        self.old_set
            .write_signed(owner, rtype, self.context.class, &mut self.old_signed);
        self.old_signed == self.signed
    }

    fn make(
        &mut self,
        signer: &ZoneSigner,
        owner: NameRef<'_>,
        rtype: RecordType,
        ttl: u32,
        reason: Reason,
        sink: &mut impl Sink,
    ) {
        write_head(self.context, signer, owner, rtype, ttl, &mut self.head);
        sink.sign(signer, ttl, &self.head, &self.signed);
        sink.decided(owner, rtype, signer.algorithm, signer.key_tag, Fate::Made(reason));
    }
}

/// The RDATA of a new RRSIG without its signature, in `head` in place of what was there.
fn write_head(
    context: &ZoneContext,
    signer: &ZoneSigner,
    owner: NameRef<'_>,
    rtype: RecordType,
    ttl: u32,
    head: &mut Vec<u8>,
) {
    let expiration = if rtype == RecordType::DNSKEY {
        context.dnskey_expiration
    } else {
        context.expiration
    };
    let fields = RrsigFields {
        algorithm: signer.algorithm,
        expiration: expiration.wrapping_sub(context.jitter.of(owner, rtype)),
        inception: context.inception,
        key_tag: signer.key_tag,
        signer: context.origin.borrow(),
    };
    head.clear();
    fields.write_head(owner, rtype, ttl, head);
}
