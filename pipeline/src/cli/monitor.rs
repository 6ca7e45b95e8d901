//! A verdict as monitoring systems read it: one line, performance data behind a bar, exit codes 0 to 3. What is good and
//! what is not was decided before.

use std::path::Path;

use signet_pipeline::{Error, VerifyReport};

use super::{Outcome, streams};

/// Prints the line and gives its exit code.
///
/// # Errors
/// [`Error::Io`] when the line cannot be printed.
pub(super) fn tell(zone_file: &Path, verdict: Result<VerifyReport, Error>) -> Result<Outcome, Error> {
    let (code, word, text) = match &verdict {
        Ok(report) => judged(report),
        Err(error) if error.exit_code() == 1 => (2, "CRITICAL", format!("{}: {error}", zone_file.display())),
        Err(error) => (3, "UNKNOWN", format!("{}: {error}", zone_file.display())),
    };
    let line: Vec<&str> = text.split_whitespace().collect();
    streams::print(&format!("{word} - {}\n", line.join(" ")))?;
    Ok(if code == 0 {
        Outcome::Done
    } else {
        Outcome::Failed(code)
    })
}

fn judged(report: &VerifyReport) -> (u8, &'static str, String) {
    let finding = |severity: &str, soon: bool| {
        report
            .findings
            .iter()
            .find(|finding| finding.severity == severity && (!soon || finding.rule == "expires-soon"))
    };
    let numbers = numbers(report);
    let zone = &report.origin;
    if let Some(first) = finding("error", false) {
        let more = match report.errors - 1 {
            0 => String::new(),
            more => format!(" and {more} more errors"),
        };
        return (2, "CRITICAL", format!("{zone} {}{more}{numbers}", first.message));
    }
    if let Some(soon) = finding("warning", true) {
        return (1, "WARNING", format!("{zone} {}{numbers}", soon.message));
    }
    let text = match (&report.expires_in, &report.earliest_expiry) {
        (Some(left), Some(expiry)) => format!(
            "{zone} verifies, the first signature expires in {:.1} days ({} {})",
            f64::from(*left) / 86400.0,
            expiry.owner,
            expiry.rtype
        ),
        _ => format!("{zone} verifies"),
    };
    (0, "OK", format!("{text}{numbers}"))
}

fn numbers(report: &VerifyReport) -> String {
    let left = report
        .expires_in
        .map(|left| format!(" expires_in={left}s"))
        .unwrap_or_default();
    format!(
        " |{left} signatures={} errors={} warnings={}",
        report.signatures, report.errors, report.warnings
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_codes_of_plug_ins() {
        let mut report = VerifyReport {
            origin: "example.".into(),
            signatures: 3,
            ..VerifyReport::default()
        };
        assert_eq!(judged(&report).0, 0);
        // Warnings of other rules are no reason to wake anyone.
        report.warnings = 1;
        assert_eq!(judged(&report).0, 0);
        let outcome = |error| tell(Path::new("x.zone"), Err(error)).unwrap();
        assert_eq!(outcome(Error::Input("bad".into())), Outcome::Failed(2));
        assert_eq!(outcome(Error::Usage("bad".into())), Outcome::Failed(3));
    }
}
