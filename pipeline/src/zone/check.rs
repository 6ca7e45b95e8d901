//! `zone check`: a zone file judged by every rule of a zone, beginning with its syntax. The rules are `dnssec-sign`'s, the
//! faults of the text `zone-io`'s; here they become findings with a name, a place and what to do.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use dnssec_sign::{Checked, Name, NameError, NodeList, ZoneChecker, ZoneFinding, ZoneRule};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde::Serialize;
use zone_io::{Fault, Lint, LoadOptions, Loaded, OnFault, Reason, Warnings, load};

use super::view::RunsView;
use crate::config::PartitionSize;
use crate::error::Error;
use crate::partition::Partitions;
use crate::thread_pool;

/// Names of rules that the reading of the text decides, with what they ask for.
const TEXT_RULES: [(&str, &str); 3] = [
    ("name-length", "names of at most 255 bytes, labels of at most 63"),
    ("out-of-zone", "no owner out of the zone"),
    ("syntax", "every entry is a record or a directive"),
];

/// The names of all rules of a check in alphabetical order, each with what it asks for in half a line.
#[must_use]
pub fn check_rules() -> Vec<(&'static str, &'static str)> {
    let unchecked = |rule: &&(&str, &str)| rule.0 != ZoneRule::StaleZonemd.name();
    let mut rules: Vec<_> = ZoneRule::names().iter().filter(unchecked).copied().collect();
    rules.extend(TEXT_RULES);
    rules.sort_unstable();
    rules
}

/// What to check, and how.
#[derive(Debug, Clone)]
pub struct CheckConfig {
    /// The zone's file; `-` is standard input.
    pub zone_file: PathBuf,
    /// How it is read; `max_faults` is the number of findings that are listed.
    pub load: LoadOptions,
    /// How many threads work.
    pub threads: usize,
    /// The names of rules that are left out. Faults of syntax cannot be.
    pub ignore: BTreeSet<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The zone cannot be used as it is.
    Error,
    /// The zone can be used, and is hardly what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One broken rule.
#[derive(Debug, Clone, Serialize)]
pub struct CheckFinding {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The owner; none for faults of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The record's type; none for faults of the text.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// The other name that shows it: a target, a name server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The file.
    pub file: String,
    /// The line, from 1; none where no record shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, from 1; none where the whole line is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
    /// The text's line with a mark under the fault.
    #[serde(skip)]
    pub excerpt: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The zone.
    pub origin: String,
    /// Records read.
    pub records: u64,
    /// How many errors there are.
    pub errors: u64,
    /// How many warnings there are.
    pub warnings: u64,
    /// Whether faults of syntax kept the other rules from being looked at.
    pub syntax_only: bool,
    /// Errors, then warnings, each in the order of the input: as many as were asked for.
    pub findings: Vec<CheckFinding>,
}

/// Checks a zone file.
///
/// # Errors
/// [`Error::Zone`] when the file cannot be read; a file with faults is reported.
pub fn check_zone(config: &CheckConfig) -> Result<CheckReport, Error> {
    let pool = thread_pool(config.threads)?;
    let mut options = config.load.clone();
    options.on_fault = OnFault::Skip;
    let mut report = CheckReport {
        origin: options.origin.to_string(),
        records: 0,
        errors: 0,
        warnings: 0,
        syntax_only: true,
        findings: Vec::new(),
    };
    let loaded = match pool.install(|| load(&config.zone_file, &options)) {
        Ok(loaded) => loaded,
        Err(zone_io::Error::Syntax(faults)) => {
            faults.faults.iter().for_each(|fault| report.add_fault(fault, config));
            return Ok(report);
        }
        Err(error) => return Err(error.into()),
    };
    report.records = loaded.records;
    for fault in &loaded.faults.faults {
        report.add_fault(fault, config);
    }
    report.add_warnings(&loaded.warnings);
    // What stands on a line at fault may be what other records seem to lack.
    let strangers = |fault: &Fault| matches!(fault.reason, Reason::OutOfZone { .. });
    report.syntax_only = !loaded.faults.faults.iter().all(strangers);
    if !report.syntax_only {
        let all = pool.install(|| check_records(&loaded, PartitionSize::default(), config));
        report.add(all, &loaded, config);
    }
    loaded.check_unchanged()?;
    Ok(report)
}

/// The findings of one partition or more: the foremost, and how many there were.
#[derive(Default)]
struct Tally {
    checked: Checked,
    errors: u64,
    warnings: u64,
}

impl Tally {
    /// Counts the findings and lets go of those that will not be listed.
    fn settle(mut self, config: &CheckConfig) -> Self {
        let findings = &mut self.checked.findings;
        findings.retain(|finding| !config.ignore.contains(finding.fault.rule.name()));
        let warnings = findings.iter().filter(|finding| finding.fault.rule.is_warning());
        let warnings = u64::try_from(warnings.count()).unwrap_or(u64::MAX);
        self.warnings += warnings;
        self.errors += u64::try_from(findings.len()).unwrap_or(u64::MAX) - warnings;
        foremost(findings, config.load.max_faults);
        self
    }
}

/// Errors before warnings, each in the order of the input; no more than `most`.
fn foremost(findings: &mut Vec<ZoneFinding>, most: usize) {
    findings.sort_by_key(|finding| {
        let fault = &finding.fault;
        (fault.rule.is_warning(), fault.locus, fault.rule.name())
    });
    findings.truncate(most);
}

fn check_records(loaded: &Loaded, size: PartitionSize, config: &CheckConfig) -> Tally {
    let origin = &config.load.origin;
    let partitions = Partitions::new(&loaded.runs, origin.borrow(), size);
    let new = || {
        let view = RunsView::new(&loaded.runs, origin.borrow());
        (NodeList::new(), ZoneChecker::new(origin.borrow()), view)
    };
    let tallies: Vec<Tally> = (0..partitions.len())
        .into_par_iter()
        .map_init(new, |(nodes, checker, view), index| {
            partitions.load(index, nodes);
            let checked = checker.check(nodes, partitions.cut(index).as_deref(), view);
            Tally {
                checked,
                ..Tally::default()
            }
            .settle(config)
        })
        .collect();
    let (_, mut checker, mut view) = new();
    let mut whole = Tally::default();
    checker.check_apex(&mut view, &mut whole.checked.findings);
    let mut whole = whole.settle(config);
    let mut shown = std::mem::take(&mut whole.checked.findings);
    for mut tally in tallies {
        shown.append(&mut tally.checked.findings);
        whole.errors += tally.errors;
        whole.warnings += tally.warnings;
        whole.checked.append(tally.checked);
    }
    // What only all partitions together decide.
    whole.checked.findings = std::mem::take(&mut whole.checked).finish();
    let mut whole = whole.settle(config);
    whole.checked.findings.append(&mut shown);
    foremost(&mut whole.checked.findings, config.load.max_faults);
    whole
}

fn column(fault: &Fault) -> Option<u32> {
    Some(fault.column).filter(|column| *column > 0)
}

impl CheckReport {
    /// Whether the zone passes; `strict` counts warnings too.
    #[must_use]
    pub fn passed(&self, strict: bool) -> bool {
        self.errors == 0 && !(strict && self.warnings > 0)
    }

    /// How many findings are not listed.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        (self.errors + self.warnings).saturating_sub(listed)
    }

    fn add_fault(&mut self, fault: &Fault, config: &CheckConfig) {
        let (rule, advice) = match &fault.reason {
            Reason::OutOfZone { .. } => (
                "out-of-zone",
                "take it out, or check the origin and the final dot of the name",
            ),
            Reason::Name(NameError::TooLong | NameError::LabelTooLong) => ("name-length", "shorten the name"),
            _ => (
                "syntax",
                "correct the line; other rules are looked at when all lines can be read",
            ),
        };
        if rule == "out-of-zone" && config.ignore.contains(rule) {
            return;
        }
        self.errors += 1;
        self.findings.push(CheckFinding {
            rule,
            severity: Severity::Error,
            owner: None,
            rtype: None,
            target: None,
            file: fault.source.to_string(),
            line: Some(fault.line),
            column: column(fault),
            message: fault.reason.to_string(),
            advice,
            excerpt: Some(fault.to_string()),
        });
    }

    /// Takes in what was suspicious in the text.
    fn add_warnings(&mut self, warnings: &Warnings) {
        self.warnings += warnings.total();
        for warning in warnings.kept() {
            self.findings.push(CheckFinding {
                rule: warning.lint.map_or("syntax", Lint::name),
                severity: Severity::Warning,
                owner: None,
                rtype: None,
                target: None,
                file: warning.source.to_string(),
                line: Some(warning.line),
                column: column(warning),
                message: warning.reason.to_string(),
                advice: "correct the line, or turn the warning off with -W",
                excerpt: Some(warning.to_string()),
            });
        }
    }

    fn add(&mut self, tally: Tally, loaded: &Loaded, config: &CheckConfig) {
        self.errors += tally.errors;
        self.warnings += tally.warnings;
        let places = tally.checked.findings.iter().map(|finding| {
            let fault = &finding.fault;
            let severity = if fault.rule.is_warning() {
                zone_io::Severity::Warning
            } else {
                zone_io::Severity::Error
            };
            let (owner, rule) = (fault.owner.clone(), fault.rule);
            (fault.locus, severity, Reason::Rule { owner, rule })
        });
        let located = loaded.locate(places);
        for (finding, place) in tally.checked.findings.iter().zip(located) {
            let fault = &finding.fault;
            let line = Some(fault.locus.line).filter(|line| *line > 0);
            self.findings.push(CheckFinding {
                rule: fault.rule.name(),
                severity: if fault.rule.is_warning() {
                    Severity::Warning
                } else {
                    Severity::Error
                },
                owner: Some(fault.owner.to_string()),
                rtype: Some(fault.rule.rtype().to_string()),
                target: finding.target.as_ref().map(Name::to_string),
                file: line.map_or_else(
                    || config.zone_file.display().to_string(),
                    |_| loaded.source_name(fault.locus.source).to_owned(),
                ),
                line,
                column: None,
                message: fault.rule.to_string(),
                advice: fault.rule.advice(),
                excerpt: line.map(|_| place.to_string()),
            });
        }
        self.findings.truncate(config.load.max_faults);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    /// Every rule that looks at other names, across every border.
    const ZONE: &str = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns.sub\n@ NS none\nns1 A 192.0.2.1\n\
        sub NS ns.sub\nsub NS ns.other\nns.sub A 192.0.2.2\nunused.sub A 192.0.2.3\nsub.sub NS ns.sub\nx.y.sub TXT a\n\
        other NS ns.elsewhere.\nother NS a.b.other\nns.other AAAA 2001:db8::1\n\
        d DNAME elsewhere.\na.d A 192.0.2.4\nb.a.d MX 1 a.d\n\
        m MX 1 x.wild\nm MX 2 a.ent\nm MX 3 ent\nm MX 4 q.d\nm MX 5 alias\n*.wild A 192.0.2.5\nb.a.ent A 192.0.2.6\n\
        *.ent A 192.0.2.7\nalias CNAME ns1\nw HTTPS 1 ns1 ipv4hint=192.0.2.1\nw HTTPS 2 . ipv4hint=192.0.2.1\n\
        0 A 192.0.2.8\nzz MX 1 0\n0 MX 1 zz\n";

    fn config(path: PathBuf) -> CheckConfig {
        let mut load = LoadOptions::new("example.".parse().unwrap());
        load.max_faults = 1000;
        CheckConfig {
            zone_file: path,
            load,
            threads: 1,
            ignore: BTreeSet::new(),
        }
    }

    fn findings(loaded: &Loaded, size: PartitionSize, config: &CheckConfig) -> Vec<String> {
        let tally = check_records(loaded, size, config);
        let line = |finding: &ZoneFinding| format!("{}: {finding}", finding.fault.locus.line);
        tally.checked.findings.iter().map(line).collect()
    }

    #[test]
    fn findings_do_not_depend_on_where_partitions_end() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path().join("zone"));
        std::fs::write(&config.zone_file, ZONE).unwrap();
        let loaded = load(&config.zone_file, &config.load).unwrap();
        let whole = findings(&loaded, PartitionSize::default(), &config);
        assert!(whole.len() > 10, "{whole:#?}");
        assert_eq!(findings(&loaded, PartitionSize::EveryOwner, &config), whole);
        for records in 1..12 {
            assert_eq!(
                findings(&loaded, PartitionSize::Records(records), &config),
                whole,
                "{records}"
            );
        }
    }

    #[test]
    fn every_rule_is_listed_once_in_order() {
        let rules = check_rules();
        assert!(rules.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
