//! `signet sign --zones FILE`: a list of zones, one a line, turned into a run over all of them and what is told of it.
//! The other flags count for every zone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use signet_pipeline::{
    AuditEvent, Error, Output, RunConfig, SignConfig, TokenUse, ZonesReport, audit, prove_journal, sign_zones,
};
use zone_io::AtomicFile;

use super::per_zone::PerZone;
use super::{SignFlags, on_publish, resolve};
use crate::cli::origin::origin_of;
use crate::cli::{Outcome, html, metrics, streams, time_flags};
use crate::progress::Progress;
use crate::watchdog;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    origin: String,
    zone_file: PathBuf,
    output: PathBuf,
    keys: Option<PathBuf>,
}

/// Signs the zones of the list, tells what came of them, and ends with the exit code of the worst.
///
/// # Errors
/// What keeps all zones from being signed.
pub(super) fn run(flags: &SignFlags, list: &Path, progress: &Progress) -> Result<Outcome, Error> {
    let result = sign(flags, list, progress);
    progress.finish();
    watchdog::run_is_over();
    match &result {
        Ok(report) => progress.end_zones(report),
        Err(error) => progress.end(Err(error)),
    }
    let report = result?;
    if report.exit_code == 130 {
        streams::say(&watchdog::interrupted_line());
    }
    if progress.speaks() {
        streams::tell(&text(&report));
    }
    let failed = tell_of_published(flags, &report);
    Ok(match (report.exit_code, failed) {
        (0 | 6, Some(code)) => Outcome::Failed(code),
        (0, None) => Outcome::Done,
        (code, _) => Outcome::Failed(code),
    })
}

/// Runs the command of `--on-publish` for each zone that was published, and tells of every failure; returns the last one's code.
fn tell_of_published(flags: &SignFlags, report: &ZonesReport) -> Option<u8> {
    let command = flags.work.on_publish.as_ref()?;
    let mut failed = None;
    for zone in &report.zones {
        if let (Some(signed), Some(output)) = (&zone.report, &zone.output)
            && signed.dry_run.is_none()
        {
            let output = Output::File(output.clone());
            if let Err(error) = on_publish::run(command, signed, &output, flags.token.pin_source()) {
                streams::say(&format!("error: {error}"));
                failed = Some(error.exit_code());
            }
        }
    }
    failed
}

fn sign(flags: &SignFlags, list: &Path, progress: &Progress) -> Result<ZonesReport, Error> {
    let now = time_flags::now()?;
    let unreadable = |source| Error::Io {
        path: list.to_owned(),
        source,
    };
    let lines = parse(list, &std::fs::read_to_string(list).map_err(unreadable)?)?;
    let (zones, files) = resolve_all(flags, lines, now, progress)?;
    let open = |path: &Option<PathBuf>| path.as_deref().map(AtomicFile::create).transpose();
    let (report_file, metrics_file) = (open(&flags.outputs.report)?, open(&flags.outputs.metrics)?);
    if let Some(TokenUse::Online { patience, .. }) = zones.first().map(|zone| &zone.keys.token) {
        watchdog::limit_calls(*patience);
    }
    let journals = zones.iter().filter_map(|zone| zone.sign.journal.as_ref());
    watchdog::run_begins(journals.map(|journal| journal.path.clone()));
    let report = sign_zones(&zones, progress)?;
    for zone in report.zones.iter().filter_map(|zone| zone.report.as_ref()) {
        if zone.dry_run.is_none() {
            audit(&AuditEvent::signed(zone))?;
        }
    }
    if let Some(mut file) = report_file {
        file.write_all(streams::json(&report)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.publish()?;
    }
    if let Some(mut file) = metrics_file {
        let reports: Vec<_> = report.zones.iter().filter_map(|zone| zone.report.as_ref()).collect();
        file.write_all(metrics::text(&reports).as_bytes())?;
        file.publish()?;
    }
    for (zone, outcome) in zones.iter().zip(&report.zones) {
        if let (Some(path), Some(signed)) = (files.page(&zone.sign.origin), &outcome.report) {
            let mut file = AtomicFile::create(&path)?;
            file.write_all(html::page(signed)?.as_bytes())?;
            file.publish()?;
        }
    }
    Ok(report)
}

/// The run of each line, and the files that zones have of their own, which are proven. A journal that is there and is not to be
/// taken up keeps all zones from being signed, like any flag that makes no sense.
fn resolve_all(
    flags: &SignFlags,
    lines: Vec<Line>,
    now: u32,
    progress: &Progress,
) -> Result<(Vec<RunConfig>, PerZone), Error> {
    let Some(first) = lines.first() else {
        return Ok((Vec::new(), PerZone::default()));
    };
    let zone = (
        first.zone_file.as_path(),
        Some(first.origin.as_str()),
        Output::File(first.output.clone()),
    );
    let typed = resolve::config_for(flags, zone, now, progress)?;
    let files = PerZone::new(&typed, &flags.outputs)?;
    let mut zones: Vec<RunConfig> = Vec::with_capacity(lines.len());
    for line in lines {
        let mut sign = SignConfig {
            origin: origin_of(Some(&line.origin), &line.zone_file)?,
            zone_file: line.zone_file,
            output: Output::File(line.output),
            ..typed.clone()
        };
        files.apply(&mut sign);
        if let Some(journal) = &sign.journal
            && let Err(error @ Error::Usage(_)) = prove_journal(journal)
        {
            return Err(error);
        }
        let mut keys = resolve::key_request(flags, &sign, now)?;
        keys.directory = line.keys.unwrap_or(keys.directory);
        zones.push(RunConfig { sign, keys });
    }
    files.prove(zones.iter().map(|zone| &zone.sign.origin))?;
    Ok((zones, files))
}

/// The lines of a list: origin, zone file, output, and where the keys are unless that is `-K`. What follows a `#` is left out.
fn parse(list: &Path, text: &str) -> Result<Vec<Line>, Error> {
    let mut lines: Vec<Line> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let place = || format!("{}:{number}", list.display());
        let line = line.split_once('#').map_or(line, |(line, _)| line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let (origin, zone_file, output, keys) = match words.as_slice() {
            [] => continue,
            [origin, zone_file, output] => (origin, zone_file, output, None),
            [origin, zone_file, output, keys] => (origin, zone_file, output, Some(PathBuf::from(keys))),
            _ => {
                return Err(Error::Usage(format!(
                    "{}: {} words: a line is ORIGIN ZONEFILE OUT [KEYDIR]",
                    place(),
                    words.len()
                )));
            }
        };
        if lines.iter().any(|other| other.output == Path::new(output)) {
            return Err(Error::Usage(format!(
                "{}: {output} is the output of another zone",
                place()
            )));
        }
        if [zone_file, output].contains(&&"-") {
            return Err(Error::Usage(format!("{}: - has no place in a list of zones", place())));
        }
        lines.push(Line {
            origin: (*origin).to_owned(),
            zone_file: zone_file.into(),
            output: output.into(),
            keys,
        });
    }
    if lines.is_empty() {
        return Err(Error::Usage(format!("{}: no zones are listed", list.display())));
    }
    Ok(lines)
}

/// The zones that came to nothing, and how many did not.
fn text(report: &ZonesReport) -> String {
    let mut text = String::new();
    let mut unchanged = 0;
    for zone in &report.zones {
        match (&zone.error, &zone.report) {
            (Some(error), _) => text.push_str(&format!("{}: error: {error}\n", zone.origin)),
            (None, Some(zone)) if zone.unrenewed() > 0 => text.push_str(&format!(
                "{}: {} signatures are due for renewal and were kept, since their keys are not at hand\n",
                zone.origin,
                zone.unrenewed()
            )),
            (None, Some(zone)) => unchanged += u64::from(zone.unchanged),
            (None, None) => {}
        }
    }
    let failed = report.zones.iter().filter(|zone| zone.error.is_some()).count();
    let unchanged = match unchanged {
        0 => String::new(),
        count => format!(", {count} of them unchanged"),
    };
    let (good, all) = (report.zones.len() - failed, report.zones.len());
    let signatures = HumanCount(report.signatures);
    text.push_str(&match estimate(report) {
        Some(seconds) => format!(
            "{good} of {all} zones would be signed{unchanged}; {signatures} signatures, made in {seconds:.1} s as measured; nothing was written\n"
        ),
        None => format!("{good} of {all} zones signed{unchanged}; {signatures} signatures in {:.2} s\n", report.seconds),
    });
    text
}

/// How long a dry run's signatures would take: the stores, which all zones share, sign at the same time.
fn estimate(report: &ZonesReport) -> Option<f64> {
    let mut stores: BTreeMap<&str, f64> = BTreeMap::new();
    let mut dry = report
        .zones
        .iter()
        .filter_map(|zone| zone.report.as_ref()?.dry_run.as_ref())
        .peekable();
    dry.peek()?;
    for store in dry.flat_map(|dry| &dry.stores) {
        *stores.entry(&store.store).or_default() += store.seconds;
    }
    Some(stores.into_values().fold(0.0, f64::max))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_three_or_four_words_a_line() {
        let text = "# all zones\na. a.zone a.signed\n\n  b. b.zone b.signed keys/b # its own\n";
        let lines = parse(Path::new("list"), text).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].origin.as_str(), &lines[0].keys), ("a.", &None));
        assert_eq!(lines[1].keys, Some("keys/b".into()));
        for (wrong, word) in [
            ("a. b", "list:1"),
            ("\na. b c d e", "list:2"),
            ("a. b x\nc. d x", "another zone"),
            ("a. - x", "no place"),
            ("# nothing", "no zones"),
        ] {
            let error = parse(Path::new("list"), wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
