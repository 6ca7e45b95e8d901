//! The two rounds of a run: the zone's names by ranges of owners, then the NSEC3 chain by ranges of hashes. Each
//! says what planning, writing and verifying a partition is; when they happen is decided in `signing`.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use dnssec_sign::{
    Earlier, NodeList, Nsec3Chain, Nsec3Part, Planner, ZoneContext, ZoneFault, ZoneRule, write_hash_label,
};
use zone_io::{Lint, Lints, Reason, Run, Spill, check_sets, merge_range};

use crate::children::Children;
use crate::emit::{Emission, Explain, Renderer, Scratch, Signing};
use crate::error::Error;
use crate::late::Late;
use crate::observer::{Observer, Phase};
use crate::output::ZoneOutput;
use crate::partition::Partitions;
use crate::signing::{Round, Written};
use crate::tally::Tally;
use crate::unchanged::Comparison;
use crate::verify::Verification;

/// What both rounds need.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) context: &'a ZoneContext,
    pub(crate) stores: usize,
    pub(crate) output: &'a ZoneOutput<'a>,
    pub(crate) verification: Option<&'a Verification>,
    pub(crate) tally: &'a Tally,
    pub(crate) observer: &'a dyn Observer,
    /// The previous output.
    pub(crate) previous: Option<&'a [Run]>,
    pub(crate) explain: Explain,
    /// The warnings that are wanted.
    pub(crate) lints: Lints,
    pub(crate) late: &'a Late,
    /// Where the lists of an NSEC3 chain go.
    pub(crate) lists: &'a Spill,
    /// DS sets that take the place of the zone's.
    pub(crate) children: Option<&'a Children>,
    /// The file that the output takes the place of.
    pub(crate) comparison: Option<&'a Comparison>,
}

impl<'a> Work<'a> {
    fn renderer<'s>(&self, text: Vec<u8>, scratch: &'s mut Scratch) -> Renderer<'s> {
        Renderer::new(self.stores, self.tally.signing(), self.explain, text, scratch)
    }

    /// Writes a partition behind those before it.
    fn write(
        &self,
        index: usize,
        mut emission: Emission,
        phase: Phase,
        units: u64,
    ) -> Result<(Vec<u8>, Written), Error> {
        self.tally.count(&emission);
        if !emission.explanation.is_empty() {
            self.observer.explain(&emission.explanation);
        }
        let text = std::mem::take(&mut emission.text);
        let range = self.output.append(&text)?;
        if let Some(comparison) = self.comparison {
            comparison.take(&text);
        }
        self.late
            .written(index, range.clone(), std::mem::take(&mut emission.open));
        self.observer.advance(phase, units);
        let Some(verification) = self.verification else {
            return Ok((text, Written::Done));
        };
        if self.tally.signing() == Signing::Off {
            return Ok((text, Written::Done));
        }
        verification.written(index, range, self.output)?;
        // With holes the apex is judged when they are filled.
        if index == 0 && self.late.waiting.any() {
            return Ok((text, Written::Done));
        }
        Ok((text, Written::ToVerify))
    }
}

/// The first round: every name of the zone.
pub(crate) struct Names<'a> {
    pub(crate) work: Work<'a>,
    pub(crate) partitions: &'a Partitions<'a>,
    chain: Mutex<Vec<Nsec3Part>>,
    /// Records of input in each partition, for the progress.
    records: Mutex<Vec<u64>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(work: Work<'a>, partitions: &'a Partitions<'a>) -> Self {
        Self {
            work,
            partitions,
            chain: Mutex::default(),
            records: Mutex::new(vec![0; partitions.len()]),
        }
    }

    /// The names of the NSEC3 chain, partition by partition in no particular order.
    pub(crate) fn into_chain(self) -> Vec<Nsec3Part> {
        self.chain.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's scratch in the first round.
pub(crate) struct NamesScratch<'a> {
    nodes: NodeList<'a>,
    previous: NodeList<'a>,
    planner: Planner<'a>,
    rendering: Scratch,
}

impl<'a> Round for Names<'a> {
    type Scratch = NamesScratch<'a>;

    fn len(&self) -> usize {
        self.partitions.len()
    }

    fn scratch(&self) -> NamesScratch<'a> {
        NamesScratch {
            nodes: NodeList::new(),
            previous: NodeList::new(),
            planner: Planner::new(self.work.context),
            rendering: Scratch::new(self.work.context.class),
        }
    }

    fn plan(&self, index: usize, text: Vec<u8>, scratch: &mut NamesScratch<'a>) -> Result<Emission, Error> {
        let neighbours = self.partitions.load_with_neighbours(index, &mut scratch.nodes);
        if let Some(children) = self.work.children {
            children.apply(&mut scratch.nodes);
        }
        let mut renderer = self.work.renderer(text, &mut scratch.rendering);
        if index == 0 {
            renderer = renderer.with_waiting(self.work.late.waiting);
        }
        let mut earlier = Earlier::default();
        if let Some(runs) = self.work.previous {
            self.partitions.load_from(runs, index, &mut scratch.previous);
            earlier.previous = Some(&scratch.previous);
        }
        let names = scratch
            .planner
            .plan(&scratch.nodes, earlier, &neighbours.border(), &mut renderer);
        let mut emission = renderer.finish();
        let tally = self.work.tally;
        tally.names.fetch_add(names, Ordering::Relaxed);
        if self.work.context.nsec3.is_none() {
            tally.denial_records.fetch_add(names, Ordering::Relaxed);
        }
        let duplicates = Lints::NONE.with(Lint::MixedCaseDuplicate);
        if self.work.lints.contains(Lint::MixedCaseDuplicate) {
            for node in scratch.nodes.iter() {
                check_sets(&node, duplicates, |locus, reason| {
                    if let Reason::MixedCase { owner, rtype } = reason {
                        let rule = ZoneRule::Duplicate(rtype);
                        emission.faults.push(ZoneFault { owner, locus, rule });
                    }
                });
            }
        }
        tally.take_faults(&mut emission.faults);
        if let Some(records) = self
            .records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(index)
        {
            *records = scratch.nodes.record_count() as u64;
        }
        if let Some(verification) = self.work.verification {
            verification.expect(index, neighbours.cut());
        }
        if !emission.chain.is_empty() {
            let names = std::mem::take(&mut emission.chain);
            let names = names.keep(|bytes| self.work.lists.keep(bytes))?;
            self.chain.lock().unwrap_or_else(PoisonError::into_inner).push(names);
        }
        Ok(emission)
    }

    fn write(&self, index: usize, emission: Emission) -> Result<(Vec<u8>, Written), Error> {
        let records = self
            .records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(index)
            .copied();
        self.work.write(index, emission, Phase::Sign, records.unwrap_or(0))
    }

    fn verify(&self, index: usize, _: &mut NamesScratch<'a>) -> Result<(), Error> {
        match self.work.verification {
            Some(verification) => verification.verify(index, self.work.output, self.work.lists),
            None => Ok(()),
        }
    }
}

/// The second round: the NSEC3 chain.
pub(crate) struct Chain<'a> {
    pub(crate) work: Work<'a>,
    pub(crate) chain: &'a Nsec3Chain,
    /// Links in a partition.
    pub(crate) size: usize,
    /// How many partitions of the first round are verified as well.
    pub(crate) before: usize,
    /// The input's runs, where it has an NSEC3 chain whose signatures may stay.
    pub(crate) input: Option<&'a [Run]>,
}

/// A worker's scratch in the second round.
pub(crate) struct ChainScratch<'a> {
    input: NodeList<'a>,
    previous: NodeList<'a>,
    planner: Planner<'a>,
    rendering: Scratch,
}

impl Chain<'_> {
    fn links(&self, index: usize) -> Range<usize> {
        let start = index * self.size;
        start..self.chain.len().min(start + self.size)
    }

    /// The key of a link's owner; `None` behind the last.
    fn key(&self, link: usize) -> Option<Vec<u8>> {
        (link < self.chain.len()).then(|| {
            let mut label = Vec::with_capacity(33);
            write_hash_label(self.chain.link(link).hash, &mut label);
            label.remove(0);
            label.make_ascii_lowercase();
            label.push(0);
            label
        })
    }

    /// The partitions with owners from the key `lower` on and below `upper`.
    pub(crate) fn within(&self, lower: &[u8], upper: Option<&[u8]>) -> Range<usize> {
        let begins = |index: usize| self.key(self.links(index).start).unwrap_or_default();
        let count = self.len();
        let first = (0..count).find(|&index| index + 1 == count || begins(index + 1).as_slice() > lower);
        let last = match upper {
            Some(upper) => (0..count).rev().find(|&index| begins(index).as_slice() < upper),
            None => count.checked_sub(1),
        };
        match (first, last) {
            (Some(first), Some(last)) if first <= last => first..last + 1,
            _ => 0..0,
        }
    }

    /// The nodes that runs have in the range of partition `index`.
    fn nodes<'r>(&self, runs: &'r [Run], index: usize, nodes: &mut NodeList<'r>) {
        let links = self.links(index);
        nodes.clear();
        let lower = self.key(links.start).unwrap_or_default();
        let upper = self.key(links.end);
        merge_range(runs, self.work.context.origin.borrow(), &lower, upper.as_deref(), nodes);
    }
}

impl<'a> Round for Chain<'a> {
    type Scratch = ChainScratch<'a>;

    fn len(&self) -> usize {
        self.chain.len().div_ceil(self.size)
    }

    fn scratch(&self) -> Self::Scratch {
        ChainScratch {
            input: NodeList::new(),
            previous: NodeList::new(),
            planner: Planner::new(self.work.context),
            rendering: Scratch::new(self.work.context.class),
        }
    }

    fn plan(&self, index: usize, text: Vec<u8>, scratch: &mut Self::Scratch) -> Result<Emission, Error> {
        let mut earlier = Earlier::default();
        if let Some(runs) = self.work.previous {
            self.nodes(runs, index, &mut scratch.previous);
            earlier.previous = Some(&scratch.previous);
        }
        if let Some(runs) = self.input {
            self.nodes(runs, index, &mut scratch.input);
            earlier.input = Some(&scratch.input);
        }
        let mut renderer = self.work.renderer(text, &mut scratch.rendering);
        let links = self.links(index);
        self.work
            .tally
            .denial_records
            .fetch_add(links.len() as u64, Ordering::Relaxed);
        if let Some(verification) = self.work.verification {
            verification.expect(self.before + index, None);
        }
        scratch.planner.plan_chain(self.chain, links, earlier, &mut renderer);
        Ok(renderer.finish())
    }

    fn write(&self, index: usize, emission: Emission) -> Result<(Vec<u8>, Written), Error> {
        self.work.write(
            self.before + index,
            emission,
            Phase::Chain,
            self.links(index).len() as u64,
        )
    }

    fn verify(&self, index: usize, _: &mut Self::Scratch) -> Result<(), Error> {
        match self.work.verification {
            Some(verification) => verification.verify(self.before + index, self.work.output, self.work.lists),
            None => Ok(()),
        }
    }
}
