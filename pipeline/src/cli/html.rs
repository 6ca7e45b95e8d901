//! A run's [`Report`] as a page for a browser: one file with its pictures in it, which asks no network for anything and
//! runs no script. Every mark of a picture carries the number that it stands for, and the whole report lies in the page.

mod calendar;
mod columns;
mod rows;
mod svg;

use std::fmt::Write as _;

use dnssec_sign::moment_digits;
use indicatif::{DecimalBytes, HumanCount};
use signet_pipeline::{Error, Report};

use self::columns::{Columns, Series, Tick};
use self::rows::{Part, Row, Rows};
use self::svg::escaped;
use super::streams;

const STYLE: &str = include_str!("html/page.css");

/// The page.
///
/// # Errors
/// [`Error::Io`] for a report that JSON cannot hold.
pub(super) fn page(report: &Report) -> Result<String, Error> {
    let mut page = String::with_capacity(1 << 16);
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing but what is in the file: a label of a token cannot make the page load or run anything.
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n",
    );
    page.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n<link rel=\"icon\" href=\"data:,\">\n");
    let zone = escaped(&report.origin);
    put(
        &mut page,
        format_args!("<title>{zone} signed</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"),
    );
    put(
        &mut page,
        format_args!(
            "<h1>{zone}</h1>\n<p class=\"sub\">{} · serial {} · signet {}</p>\n",
            if report.unchanged { "nothing to do" } else { "signed" },
            report.serial,
            report.program
        ),
    );
    facts(&mut page, report);
    page.push_str("<main>\n");
    section(&mut page, "Signatures a second", &throughput(report));
    section(&mut page, "Bytes written a second", &written(report));
    section(&mut page, "Where the time went", &times(report));
    section(&mut page, "How long a signature took", &latencies(report));
    section(&mut page, "When signatures end", &calendar::draw(&report.expiry));
    section(&mut page, "Records by type", &types(report));
    page.push_str("</main>\n");
    keys(&mut page, report);
    warnings(&mut page, report);
    let json = streams::json(report)?.replace('<', "\\u003c");
    put(
        &mut page,
        format_args!("<script type=\"application/json\" id=\"report\">\n{json}\n</script>\n</body>\n</html>\n"),
    );
    Ok(page)
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(text);
}

fn section(page: &mut String, title: &str, picture: &str) {
    put(page, format_args!("<section>\n<h2>{title}</h2>\n{picture}</section>\n"));
}

fn facts(page: &mut String, report: &Report) {
    let rate = report.signatures() as f64 / report.stages.sign.as_secs_f64().max(1e-6);
    let expiry = report.earliest_expiry.map_or_else(
        || "–".to_owned(),
        |end| moment_digits(end).map(char::from).iter().collect::<String>(),
    );
    let facts = [
        ("signatures made", HumanCount(report.signatures()).to_string()),
        ("a second", svg::short(rate)),
        ("records", HumanCount(report.records_out).to_string()),
        ("written", DecimalBytes(report.bytes_out).to_string()),
        ("verified", HumanCount(report.verified).to_string()),
        ("first expiry (UTC)", expiry),
        ("time", format!("{:.2} s", report.stages.total.as_secs_f64())),
        ("peak memory", DecimalBytes(report.peak_memory).to_string()),
        ("warnings", report.warnings.len().to_string()),
    ];
    page.push_str("<dl>\n");
    for (name, value) in facts {
        put(page, format_args!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    }
    page.push_str("</dl>\n");
}

/// About five ticks on an axis of time.
fn seconds_ticks(slots: usize, slot: f64) -> Vec<Tick> {
    let every = slots.div_ceil(5).max(1);
    (0..=slots)
        .step_by(every)
        .map(|at| Tick {
            at,
            text: format!("{} s", svg::short(at as f64 * slot)),
        })
        .collect()
}

fn throughput(report: &Report) -> String {
    let timeline = &report.timeline;
    let series = timeline.signatures.iter().map(|series| Series {
        name: series.store.clone(),
        points: series.counts.clone(),
    });
    Columns {
        id: "throughput",
        series: series.collect(),
        ticks: seconds_ticks(timeline.written.len(), timeline.slot),
        scale: 1.0 / timeline.slot,
        unit: "signatures a second",
    }
    .draw()
}

fn written(report: &Report) -> String {
    let timeline = &report.timeline;
    Columns {
        id: "written",
        series: vec![Series {
            name: "written".to_owned(),
            points: timeline.written.clone(),
        }],
        ticks: seconds_ticks(timeline.written.len(), timeline.slot),
        scale: 1.0 / timeline.slot,
        unit: "bytes a second",
    }
    .draw()
}

fn times(report: &Report) -> String {
    let stages = &report.stages;
    let row = |label: &str, wall: f64, cpu: f64| Row {
        label: label.to_owned(),
        parts: vec![
            part("cpu", "on a processor", cpu),
            part("waiting", "waiting", (wall - cpu).max(0.0)),
        ],
    };
    // Loading uses all threads, so its processor time is set against theirs.
    let threads = report.threads.max(1) as f64;
    let mut rows = vec![row(
        "load",
        stages.load.as_secs_f64() * threads,
        stages.load_cpu.as_secs_f64(),
    )];
    rows.extend(report.steps.iter().map(|step| match step.step {
        "wait" => Row {
            label: "no work".to_owned(),
            parts: vec![part("idle", "without work", step.wall)],
        },
        name => row(name, step.wall, step.cpu),
    }));
    rows.push(row("publish", stages.publish.as_secs_f64(), 0.0));
    rows.extend(report.sessions.iter().map(|session| Row {
        label: format!("{} session {}", session.store, session.session),
        parts: vec![
            part("cpu", "on a processor", session.cpu),
            part("waiting", "waiting for the token", session.waiting),
            part("idle", "without work", session.idle),
        ],
    }));
    let picture = Rows {
        id: "times",
        rows,
        unit: "s",
    };
    let alone = report.one_core.iter();
    let alone = alone.map(|stage| format!("{} {:.1} %", stage.stage, 100.0 * stage.share));
    format!(
        "{}<p class=\"sub\">{} s of CPU time; by one thread at a time: {}</p>\n",
        picture.draw(),
        svg::short(report.cpu),
        alone.collect::<Vec<_>>().join(", ")
    )
}

fn part(class: &'static str, name: &'static str, value: f64) -> Part {
    Part { class, name, value }
}

fn latencies(report: &Report) -> String {
    let mut text = String::new();
    for (number, latency) in report.latencies.iter().enumerate() {
        put(
            &mut text,
            format_args!(
                "<p class=\"sub\">{}: half within {} µs, 99 % within {} µs, the longest {} µs</p>\n",
                escaped(&latency.store),
                svg::short(latency.p50),
                svg::short(latency.p99),
                svg::short(latency.max)
            ),
        );
        let every = latency.buckets.len().div_ceil(6).max(1);
        let ticks = latency.buckets.iter().enumerate().step_by(every);
        text.push_str(
            &Columns {
                id: &format!("latency-{number}"),
                series: vec![Series {
                    name: latency.store.clone(),
                    points: latency.buckets.iter().map(|bucket| bucket.signatures).collect(),
                }],
                ticks: ticks
                    .map(|(at, bucket)| Tick {
                        at,
                        text: format!("< {} µs", svg::short(bucket.below)),
                    })
                    .collect(),
                scale: 1.0,
                unit: "signatures",
            }
            .draw(),
        );
    }
    if text.is_empty() {
        text.push_str("<p class=\"sub\">no signature was made</p>\n");
    }
    text
}

fn types(report: &Report) -> String {
    let mut counts: Vec<_> = report.records_by_type.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rows = counts.into_iter().map(|(name, count)| Row {
        label: name.clone(),
        parts: vec![part("cpu", "records", *count as f64)],
    });
    Rows {
        id: "types",
        rows: rows.collect(),
        unit: "",
    }
    .draw()
}

fn keys(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Keys</h2>\n<table>\n<tr><th>role</th><th>tag</th><th>algorithm</th><th>store</th><th>signatures</th></tr>\n",
    );
    for key in &report.keys {
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&key.role),
                key.tag,
                escaped(&key.algorithm),
                escaped(&key.store),
                HumanCount(key.signatures)
            ),
        );
    }
    page.push_str("</table>\n");
    for token in &report.tokens {
        put(
            page,
            format_args!(
                "<p class=\"sub\">{}: {} {}, serial {}, slot {}, {}, {} sessions</p>\n",
                escaped(&token.store),
                escaped(&token.manufacturer),
                escaped(&token.model),
                escaped(&token.serial),
                token.slot,
                escaped(&token.module.display().to_string()),
                token.sessions
            ),
        );
    }
}

fn warnings(page: &mut String, report: &Report) {
    if report.warnings.is_empty() {
        return;
    }
    page.push_str("<h2>Warnings</h2>\n<ul>\n");
    for warning in &report.warnings {
        put(page, format_args!("<li>{}</li>\n", escaped(warning)));
    }
    page.push_str("</ul>\n");
}
