//! Measurements as Markdown: medians, and each signer's time as a multiple of signet's.

use std::fmt::Write;
use std::process::Command;
use std::thread;

use super::measure::Measurement;
use super::signers::Signer;

/// What the figures were made with.
pub(super) fn heading(quick: bool) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "# Benchmark\n\n{cores} cores; {}; {}; {}. ECDSAP256SHA256 unless it is said otherwise, KSK and ZSK, two threads where the signer has them.\n",
        version("dnssec-signzone", &["-V"]),
        version("ldns-signzone", &["-v"]),
        version("kzonesign", &["-V"]),
    );
    if quick {
        text.push_str("\nQuick: small zones, one round. These figures show that everything runs, not how fast.\n");
    }
    text
}

/// A program's version, as it prints it.
fn version(program: &str, arguments: &[&str]) -> String {
    let printed = Command::new(program).args(arguments).output();
    let text = printed.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let number = text
        .split([' ', '\n'])
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    format!("{program} {}", number.unwrap_or("of unknown version"))
}

/// One table.
pub(super) fn render(title: &str, count: u32, why: &str, measured: &[(Signer, Vec<Measurement>)]) -> String {
    let rounds = measured.first().map_or(0, |(_, runs)| runs.len());
    let mut text = format!("\n## {title} ({count} names)\n\n");
    text.push_str(
        "| signer | wall s | CPU s | peak MiB | signatures | wall, signet = 1 |\n|---|---|---|---|---|---|\n",
    );
    let own = measured.iter().find(|(signer, _)| *signer == Signer::Signet);
    let own = own.map(|(_, runs)| runs.as_slice());
    for (signer, runs) in measured {
        let wall = median(runs, |run| run.wall);
        let cpu = median(runs, |run| run.cpu);
        let peak = median(runs, |run| run.peak);
        let signatures = runs.first().map_or(0, |run| run.signatures);
        let ratio = own.map_or_else(|| "–".to_owned(), |own| format!("{:.2}", paired(runs, own)));
        let _infallible = writeln!(
            text,
            "| {} | {wall:.2} | {cpu:.2} | {peak:.0} | {signatures} | {ratio} |",
            signer.title()
        );
    }
    let _infallible = writeln!(
        text,
        "\nMedians of {rounds}, taking turns; the ratio is the median of the rounds' own. {why}"
    );
    text
}

/// The median of the rounds' ratios: what slows a whole round down is not in it.
fn paired(runs: &[Measurement], own: &[Measurement]) -> f64 {
    middle(runs.iter().zip(own).map(|(run, own)| run.wall / own.wall).collect())
}

fn median(runs: &[Measurement], figure: impl Fn(&Measurement) -> f64) -> f64 {
    middle(runs.iter().map(figure).collect())
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(*value, values[middle - 1]),
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(walls: &[f64]) -> Vec<Measurement> {
        walls
            .iter()
            .map(|wall| Measurement {
                wall: *wall,
                ..Measurement::default()
            })
            .collect()
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&runs(&[9.0, 1.0, 2.0]), |r| r.wall) - 2.0).abs() < 1e-9);
        assert!((median(&runs(&[1.0, 2.0]), |r| r.wall) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn a_slow_round_is_slow_for_all() {
        let ratio = paired(&runs(&[4.0, 40.0, 4.4]), &runs(&[2.0, 20.0, 2.0]));
        assert!((ratio - 2.0).abs() < 1e-9);
    }

    #[test]
    fn ratios_are_multiples_of_signet() {
        let measured = [(Signer::Signet, runs(&[2.0])), (Signer::Bind, runs(&[5.0]))];
        let text = render("t", 1, "", &measured);
        assert!(
            text.contains("| dnssec-signzone | 5.00 | 0.00 | 0 | 0 | 2.50 |"),
            "{text}"
        );
    }
}
