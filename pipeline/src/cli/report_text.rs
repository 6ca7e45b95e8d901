//! A run's [`Report`] as the text that a person reads at its end: the facts of the JSON report, shorter.

use std::time::Duration;

use dnssec_sign::{Fate, moment_digits};
use indicatif::{DecimalBytes, HumanCount, HumanFloatCount};
use signet_pipeline::{DryRun, Report, VerifyReport};

/// A few lines: what was signed, with which keys, how long it took.
pub(super) fn sign_report(report: &Report) -> String {
    if report.unchanged {
        return format!(
            "{}: nothing to do, the output stays as it is, serial {}; {} signatures are good\n",
            report.origin,
            report.serial,
            HumanCount(report.decisions.get(Fate::Kept.word()).copied().unwrap_or(0))
        );
    }
    let done = match report.dry_run {
        Some(_) => "would be signed",
        None => "signed",
    };
    let mut text = format!("{} {done}, serial {}\n", report.origin, report.serial);
    text.push_str(&format!(
        "  read        {} records, {}\n",
        HumanCount(report.records_in),
        DecimalBytes(report.bytes_in)
    ));
    text.push_str(&format!(
        "  written     {} records, {}; {} names, {} denial records\n",
        HumanCount(report.records_out),
        DecimalBytes(report.bytes_out),
        HumanCount(report.names),
        HumanCount(report.denial_records),
    ));
    text.push_str(&format!("  signatures  {}", HumanCount(report.signatures())));
    if report.resumed > 0 {
        text.push_str(&format!(", {} of them from the journal", HumanCount(report.resumed)));
    }
    if let Some(expiry) = report.earliest_expiry {
        text.push_str(&format!(", the first expires {}", digits(expiry)));
    }
    text.push('\n');
    let width = report
        .keys
        .iter()
        .map(|key| key.store.chars().count())
        .max()
        .unwrap_or(0);
    for key in &report.keys {
        text.push_str(&format!(
            "    {:4} {:>5} {:15}  {:width$}  {:>12}\n",
            key.role,
            key.tag,
            key.algorithm,
            key.store,
            HumanCount(key.signatures).to_string(),
        ));
    }
    // A dry run's tokens are told of with what they would do.
    for token in report.tokens.iter().filter(|_| report.dry_run.is_none()) {
        text.push_str(&format!(
            "  {}  {} signatures, {} sessions{}{}\n",
            token.store,
            HumanCount(token.signatures),
            token.sessions,
            rate(token.signatures, report.stages.sign),
            if token.lost { "; lost on the way" } else { "" },
        ));
        if token.crashes > 0 {
            text.push_str(&format!(
                "    {} worker processes ended on their own and were replaced\n",
                HumanCount(token.crashes)
            ));
        }
        for left in &token.host {
            text.push_str(&format!("    done on the host: {left}\n"));
        }
    }
    let decided: Vec<String> = report
        .decisions
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(word, count)| format!("{} {word}", HumanCount(*count)))
        .collect();
    if report
        .decisions
        .iter()
        .any(|(word, count)| *count > 0 && *word != "new")
    {
        text.push_str(&format!("  decisions   {}\n", decided.join(", ")));
    }
    if let Some(dry_run) = &report.dry_run {
        text.push_str(&estimate(report, dry_run));
        return text;
    }
    let sampled = format!(
        "{} of {} signatures as they came from their keys",
        HumanCount(report.sampled),
        HumanCount(report.signatures())
    );
    let verified = match (report.verify, report.verified) {
        ("none", _) => format!("{sampled}; what was written was not read again"),
        ("structure", _) => format!("the structure of what was written, and {sampled}"),
        (_, count) => format!("{} signatures", HumanCount(count)),
    };
    text.push_str(&format!("  verified    {verified}\n"));
    let stages = &report.stages;
    text.push_str(&format!(
        "  time        {}: load {}, sign {}{}, verify {}, publish {}\n",
        seconds(stages.total),
        seconds(stages.load),
        seconds(stages.sign),
        rate(report.signatures(), stages.sign),
        seconds(stages.verify),
        seconds(stages.publish),
    ));
    match report.warnings.len() {
        0 => {}
        1 => text.push_str("  1 warning above\n"),
        count => text.push_str(&format!("  {count} warnings above\n")),
    }
    text
}

/// What a dry run says of the real one.
fn estimate(report: &Report, dry_run: &DryRun) -> String {
    let mut text = String::new();
    for store in &dry_run.stores {
        let calls = match store.calls {
            0 => String::new(),
            calls => format!("{} calls, ", HumanCount(calls)),
        };
        text.push_str(&format!(
            "  {}  {} signatures, {calls}{} a second as measured: {:.1} s\n",
            store.store,
            HumanCount(store.signatures),
            HumanFloatCount(store.rate.round()),
            store.seconds
        ));
    }
    text.push_str(&format!(
        "  time        {:.1} s to {:.1} s: planning {:.1} s, verification {:.1} s; memory {}\n  nothing was written\n",
        dry_run.at_best,
        dry_run.at_worst,
        dry_run.planning,
        dry_run.verifying,
        DecimalBytes(report.peak_memory)
    ));
    text
}

/// The findings, one a line, and what was counted.
pub(super) fn verify_report(report: &VerifyReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let place = finding
            .place
            .as_ref()
            .map(|place| format!("{place}: "))
            .unwrap_or_default();
        text.push_str(&format!("{}: {place}{}\n", finding.severity, finding.message));
    }
    let shown = report.findings.len() as u64;
    let all = report.errors + report.warnings;
    if all > shown {
        text.push_str(&format!("{} more findings are not shown\n", HumanCount(all - shown)));
    }
    for keys in &report.algorithms {
        let [active, standby, revoked] = keys.ksks;
        text.push_str(&format!(
            "algorithm {}: KSKs {active} active, {standby} stand-by, {revoked} revoked; ",
            keys.algorithm
        ));
        let [active, standby, revoked] = keys.zsks;
        text.push_str(&format!(
            "ZSKs {active} active, {standby} stand-by, {revoked} revoked\n"
        ));
    }
    if let Some(expiry) = &report.earliest_expiry {
        text.push_str(&format!(
            "the first signature to expire is that of {} {} by key {}, {}\n",
            expiry.owner,
            expiry.rtype,
            expiry.key_tag,
            digits(expiry.expiration)
        ));
    }
    let serial = report
        .serial
        .map(|serial| format!(", serial {serial}"))
        .unwrap_or_default();
    let verdict = if report.passed() {
        "the zone is fully signed and verifies".to_owned()
    } else {
        format!("the zone does not verify: {} errors", HumanCount(report.errors))
    };
    text.push_str(&format!(
        "{}{serial}: {} records, {} names, {} sets, {} signatures, {} verified; {verdict}\n",
        report.origin,
        HumanCount(report.records),
        HumanCount(report.names),
        HumanCount(report.sets),
        HumanCount(report.signatures),
        HumanCount(report.verified),
    ));
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn rate(signatures: u64, time: Duration) -> String {
    match u128::from(signatures) * 1_000_000 / time.as_micros().max(1) {
        0 => String::new(),
        rate => format!(" ({} a second)", HumanCount(u64::try_from(rate).unwrap_or(u64::MAX))),
    }
}

fn digits(moment: u32) -> String {
    moment_digits(moment).map(char::from).iter().collect()
}
