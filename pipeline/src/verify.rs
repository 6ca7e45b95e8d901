//! Verification fanned out: partitions of the output are read back from the temp file while later ones are signed,
//! parsed again, judged by `dnssec_sign::verify`, and their verdicts joined at the end. Holds no rule of its own.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use dnssec_sign::verify::{
    ApexFacts, Expectations, Finding, Joiner, Level, PartitionVerdict, Report, Rule, survey_apex, verify_partition,
};
use dnssec_sign::{Locus, Name, NodeList};
use zone_io::{ReadOptions, Reader, Run, RunBuilder, Spill, lookup, merge_range};

use crate::error::Error;
use crate::output::ZoneOutput;
use crate::side_by_side;

/// How many findings a message shows.
const FINDINGS_SHOWN: usize = 20;

/// The verification of an output under way.
pub(crate) struct Verification {
    expectations: Expectations,
    facts: OnceLock<ApexFacts>,
    /// The facts with the signatures that were made last.
    last_facts: OnceLock<ApexFacts>,
    partitions: Mutex<Vec<Partition>>,
    /// The store of each key that signs, by key tag.
    holders: Vec<(u16, String)>,
}

/// One partition of the output.
#[derive(Default)]
struct Partition {
    /// The key of the cut said to be in force at its first name; the join checks it.
    cut: Option<Vec<u8>>,
    range: Range<u64>,
    verdict: Option<PartitionVerdict>,
}

impl Verification {
    pub(crate) fn new(expectations: Expectations, holders: Vec<(u16, String)>) -> Self {
        Self {
            expectations,
            facts: OnceLock::new(),
            last_facts: OnceLock::new(),
            partitions: Mutex::default(),
            holders,
        }
    }

    fn partitions(&self) -> MutexGuard<'_, Vec<Partition>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, index: usize, change: impl FnOnce(&mut Partition)) {
        let mut partitions = self.partitions();
        if partitions.len() <= index {
            partitions.resize_with(index + 1, Partition::default);
        }
        change(&mut partitions[index]);
    }

    /// Partition `index` will begin below the cut at this key, if any.
    pub(crate) fn expect(&self, index: usize, cut: Option<&[u8]>) {
        self.update(index, |partition| partition.cut = cut.map(<[u8]>::to_vec));
    }

    /// Partition `index` stands in this range of the output. The first one holds the apex, by which all are judged.
    pub(crate) fn written(&self, index: usize, range: Range<u64>, output: &ZoneOutput<'_>) -> Result<(), Error> {
        if self.facts.get().is_none() {
            let run = [read_back(&self.expectations.origin, range.clone(), output)?];
            let facts = survey(&run, &self.expectations).map_err(|findings| Error::Verification(lines(&findings)))?;
            let _ = self.facts.set(facts);
        }
        self.update(index, |partition| partition.range = range);
        Ok(())
    }

    /// Judges partition `index`, which is written. What is to be compared at the end goes to `lists`.
    pub(crate) fn verify(&self, index: usize, output: &ZoneOutput<'_>, lists: &Spill) -> Result<(), Error> {
        let Some(facts) = self.facts.get() else {
            return Ok(());
        };
        let (range, cut) = {
            let mut partitions = self.partitions();
            let partition = &mut partitions[index];
            (partition.range.clone(), partition.cut.take())
        };
        let run = [read_back(&self.expectations.origin, range, output)?];
        let mut nodes = NodeList::new();
        merge_range(&run, self.expectations.origin.borrow(), &[], None, &mut nodes);
        let verdict = verify_partition(&nodes, cut.as_deref(), facts).keep(|bytes| lists.keep(bytes))?;
        self.update(index, |partition| partition.verdict = Some(verdict));
        Ok(())
    }

    /// Whether digests are computed too.
    pub(crate) fn is_full(&self) -> bool {
        self.expectations.level == Level::Full
    }

    /// Judges the apex's partition, now that nothing in it is open any more. What was learnt of the apex comes back.
    pub(crate) fn verify_apex(&self, output: &ZoneOutput<'_>) -> Result<Option<&ApexFacts>, Error> {
        let range = match self.partitions().first() {
            Some(partition) => partition.range.clone(),
            None => return Ok(None),
        };
        let run = [read_back(&self.expectations.origin, range, output)?];
        let facts = survey(&run, &self.expectations).map_err(|findings| Error::Verification(lines(&findings)))?;
        let mut nodes = NodeList::new();
        merge_range(&run, self.expectations.origin.borrow(), &[], None, &mut nodes);
        let verdict = verify_partition(&nodes, None, &facts);
        self.update(0, |partition| partition.verdict = Some(verdict));
        Ok(Some(self.last_facts.get_or_init(|| facts)))
    }

    /// Joins all verdicts, side by side in the current pool where that can be.
    ///
    /// # Errors
    /// [`Error::Verification`] with the findings when the zone is at fault.
    pub(crate) fn finish(self) -> Result<Report, Error> {
        let Some(facts) = self.last_facts.get().or(self.facts.get()) else {
            return Err(Error::Verification("nothing was written that could be verified".into()));
        };
        let mut joiner = Joiner::new(facts);
        let partitions = self.partitions.into_inner().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            match partition.verdict {
                Some(verdict) => joiner.add(verdict),
                None => return Err(Error::Verification("a part of the zone was not verified".into())),
            }
        }
        let report = joiner.finish_by(side_by_side);
        if report.is_good() {
            Ok(report)
        } else {
            let text = findings_text(&report);
            Err(Error::Verification(text + &suspects(&report, &self.holders)))
        }
    }
}

/// Reads a range of the output again, from the text on.
///
/// # Errors
/// [`Error::Io`], and [`Error::Verification`] when the text cannot be read as records.
pub(crate) fn read_back(origin: &Name, range: Range<u64>, output: &ZoneOutput<'_>) -> Result<Run, Error> {
    let mut text = Vec::new();
    output.read(range, &mut text)?;
    let mut options = ReadOptions::new(origin.clone());
    options.name = "the written zone".into();
    let mut builder = RunBuilder::new(origin.borrow(), 0);
    let mut reader = Reader::new(&text, &options);
    while let Some(record) = reader.next_record() {
        let record =
            record.map_err(|fault| Error::Verification(format!("what was written cannot be read: {fault}")))?;
        builder.push(record.owner, record.rtype, record.ttl, record.rdata, record.line);
    }
    Ok(builder.finish(0))
}

/// Surveys the apex of the zone in `runs`.
///
/// # Errors
/// The findings that make it impossible to judge the zone.
pub(crate) fn survey(runs: &[Run], expectations: &Expectations) -> Result<ApexFacts, Vec<Finding>> {
    let mut apex = NodeList::new();
    if lookup(runs, expectations.origin.borrow(), &[], &mut apex) {
        return survey_apex(apex.node(0), expectations);
    }
    let missing = "no record is at the origin: is this the zone's name?";
    Err(vec![Finding::new(
        Rule::SoaNotSingle,
        expectations.origin.clone(),
        Locus::default(),
        missing,
    )])
}

/// Where the keys live whose signatures do not verify.
fn suspects(report: &Report, holders: &[(u16, String)]) -> String {
    let wrong = |tag: u16| {
        let mut findings = report.findings.iter();
        findings.any(|finding| finding.rule == Rule::SignatureInvalid && finding.key_tag == Some(tag))
    };
    let holders = holders.iter().filter(|(tag, _)| wrong(*tag));
    holders
        .map(|(tag, store)| format!("\nkey {tag}, whose signatures do not verify, is on {store}"))
        .collect()
}

/// Fails with the findings, when there are any.
///
/// # Errors
/// [`Error::Verification`].
pub(crate) fn refuse(findings: &[Finding]) -> Result<(), Error> {
    if findings.is_empty() {
        return Ok(());
    }
    Err(Error::Verification(lines(findings)))
}

/// The findings of a report, the first of them in full.
fn findings_text(report: &Report) -> String {
    let shown = &report.findings[..report.findings.len().min(FINDINGS_SHOWN)];
    let total: u64 = report.totals.iter().map(|(_, count)| count).sum();
    match total - shown.len() as u64 {
        0 => lines(shown),
        more => format!("{}\nand {more} more", lines(shown)),
    }
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
