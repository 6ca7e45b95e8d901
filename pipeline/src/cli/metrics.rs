//! Runs' [`Report`]s as Prometheus text for node_exporter's textfile collector: gauges of the last run, labelled by zone.
//! Names and labels are listed in the README; nothing here is cumulative but the histogram of one run.

use std::fmt::Write as _;

use signet_pipeline::Report;

/// The text for these zones. Samples of one name stand together, as the format wants it.
pub(super) fn text(reports: &[&Report]) -> String {
    let mut text = Text {
        reports,
        out: String::new(),
    };
    text.gauge("last_run_timestamp_seconds", "When the run began.", |report, sample| {
        sample(&[], report.started as f64);
    });
    text.gauge(
        "last_run_duration_seconds",
        "Wall time of the run.",
        |report, sample| {
            sample(&[], report.stages.total.as_secs_f64());
        },
    );
    text.gauge(
        "last_run_stage_seconds",
        "Wall time of a stage; stages overlap.",
        |report, sample| {
            let stages = &report.stages;
            for (stage, time) in [
                ("load", stages.load),
                ("sign", stages.sign),
                ("verify", stages.verify),
                ("publish", stages.publish),
            ] {
                sample(&[("stage", stage)], time.as_secs_f64());
            }
        },
    );
    text.gauge(
        "last_run_peak_memory_bytes",
        "The most memory resident.",
        |report, sample| {
            sample(&[], report.peak_memory as f64);
        },
    );
    text.gauge(
        "last_run_unchanged",
        "1 when there was nothing to do.",
        |report, sample| {
            sample(&[], f64::from(u8::from(report.unchanged)));
        },
    );
    text.gauge("last_run_warnings", "Warnings of the run.", |report, sample| {
        sample(&[], report.warnings.len() as f64);
    });
    text.gauge("zone_serial", "Serial of the signed zone.", |report, sample| {
        sample(&[], f64::from(report.serial));
    });
    text.gauge("zone_records", "Records written by type.", |report, sample| {
        for (rtype, count) in &report.records_by_type {
            sample(&[("type", rtype)], *count as f64);
        }
    });
    text.gauge("zone_bytes", "Bytes written.", |report, sample| {
        sample(&[], report.bytes_out as f64)
    });
    text.gauge(
        "zone_earliest_expiry_timestamp_seconds",
        "When the first signature of the zone ends.",
        |report, sample| {
            if let Some(expiry) = report.earliest_expiry {
                sample(&[], f64::from(expiry));
            }
        },
    );
    text.gauge("last_run_signatures", "Signatures made by key.", |report, sample| {
        for key in &report.keys {
            let labels = [
                ("key_tag", key.tag.to_string()),
                ("algorithm", key.algorithm.clone()),
                ("role", key.role.clone()),
                ("store", key.store.clone()),
            ];
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            sample(&labels, key.signatures as f64);
        }
    });
    text.gauge("last_run_decisions", "What became of signatures.", |report, sample| {
        for (word, count) in &report.decisions {
            sample(&[("decision", word)], *count as f64);
        }
    });
    text.gauge(
        "last_run_verified",
        "Signatures verified before publishing.",
        |report, sample| {
            sample(&[], report.verified as f64);
        },
    );
    text.gauge(
        "last_run_session_seconds",
        "What a session spent its time on.",
        |report, sample| {
            for session in &report.sessions {
                let number = session.session.to_string();
                for (state, seconds) in [
                    ("cpu", session.cpu),
                    ("waiting", session.waiting),
                    ("idle", session.idle),
                ] {
                    let labels = [
                        ("store", session.store.as_str()),
                        ("session", number.as_str()),
                        ("state", state),
                    ];
                    sample(&labels, seconds);
                }
            }
        },
    );
    text.latencies();
    text.out
}

struct Text<'a> {
    reports: &'a [&'a Report],
    out: String,
}

/// Takes labels and a value.
type Sample<'a> = &'a mut dyn FnMut(&[(&str, &str)], f64);

impl Text<'_> {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "# HELP signet_{name} {help}\n# TYPE signet_{name} {kind}\n");
    }

    fn gauge(&mut self, name: &str, help: &str, each: impl Fn(&Report, Sample<'_>)) {
        self.head(name, help, "gauge");
        for report in self.reports {
            each(report, &mut |labels, value| {
                let _ = writeln!(self.out, "signet_{name}{} {value}", all_labels(report, labels));
            });
        }
    }

    fn latencies(&mut self) {
        const NAME: &str = "last_run_signature_seconds";
        self.head(NAME, "How long signatures took, by store.", "histogram");
        for report in self.reports {
            for latency in &report.latencies {
                let mut reached = 0;
                let labels = |end: &str| all_labels(report, &[("store", &latency.store), ("le", end)]);
                for bucket in &latency.buckets {
                    reached += bucket.signatures;
                    let end = (bucket.below / 1e6).to_string();
                    let _ = writeln!(self.out, "signet_{NAME}_bucket{} {reached}", labels(&end));
                }
                let _ = writeln!(
                    self.out,
                    "signet_{NAME}_bucket{} {}",
                    labels("+Inf"),
                    latency.signatures
                );
                let store = all_labels(report, &[("store", &latency.store)]);
                let sum = latency.mean * latency.signatures as f64 / 1e6;
                let _ = writeln!(self.out, "signet_{NAME}_sum{store} {sum}");
                let _ = writeln!(self.out, "signet_{NAME}_count{store} {}", latency.signatures);
            }
        }
    }
}

/// `{zone="example.",store="disk"}`.
fn all_labels(report: &Report, labels: &[(&str, &str)]) -> String {
    let mut text = format!("{{zone=\"{}\"", value(&report.origin));
    for (name, label) in labels {
        let _ = write!(text, ",{name}=\"{}\"", value(label));
    }
    text.push('}');
    text
}

/// A label's value: the format escapes these three.
fn value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let report = Report {
            origin: "a\\\".".to_owned(),
            ..Report::default()
        };
        assert_eq!(
            all_labels(&report, &[("store", "token 'x'\n")]),
            "{zone=\"a\\\\\\\".\",store=\"token 'x'\\n\"}"
        );
    }

    #[test]
    fn every_sample_follows_its_type() {
        let report = Report {
            origin: "x.".to_owned(),
            serial: 7,
            ..Report::default()
        };
        let text = text(&[&report, &report]);
        assert!(text.contains("# TYPE signet_zone_serial gauge\nsignet_zone_serial{zone=\"x.\"} 7\n"));
        let types = text.lines().filter(|line| line.starts_with("# TYPE")).count();
        let names: std::collections::BTreeSet<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        assert_eq!(types, names.len(), "each name has one block");
    }
}
