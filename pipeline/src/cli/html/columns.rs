//! Series of counts as columns side by side, those of several series on top of each other: a course over time, or a
//! histogram.

use super::svg::{escaped, legend, round_up, short};

/// One picture.
pub(super) struct Columns<'a> {
    pub(super) id: &'a str,
    pub(super) series: Vec<Series>,
    pub(super) ticks: Vec<Tick>,
    /// What a point is multiplied with for the axis.
    pub(super) scale: f64,
    pub(super) unit: &'a str,
}

/// Points of one colour.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<u64>,
}

/// A text below the left edge of a column.
pub(super) struct Tick {
    pub(super) at: usize,
    pub(super) text: String,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 8.0;

impl Columns<'_> {
    pub(super) fn draw(&self) -> String {
        let length = self.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
        let sum = |at: usize| -> u64 {
            let points = self.series.iter().filter_map(|series| series.points.get(at));
            points.sum()
        };
        let highest = (0..length).map(sum).max().unwrap_or(0) as f64 * self.scale;
        let top = round_up(highest);
        let (plot, bottom) = (WIDTH - LEFT, TOP + HEIGHT);
        let step = plot / length.max(1) as f64;
        let height = |count: u64| count as f64 * self.scale / top * HEIGHT;
        let mut text = format!(
            "<svg id=\"{}\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" data-height=\"{HEIGHT}\" data-scale=\"{}\" data-top=\"{top}\">\n",
            self.id,
            bottom + 38.0,
            self.scale
        );
        for part in 0..=4 {
            let share = f64::from(part) / 4.0;
            let y = bottom - share * HEIGHT;
            text.push_str(&format!(
                "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{WIDTH}\" y2=\"{y:.1}\"/>\n<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                LEFT - 6.0,
                y + 4.0,
                short(share * top)
            ));
        }
        let mut below = vec![0u64; length];
        for (number, series) in self.series.iter().enumerate() {
            let name = escaped(&series.name);
            for (at, (count, below)) in series.points.iter().zip(&mut below).enumerate() {
                let x = LEFT + at as f64 * step;
                let y = bottom - height(*below + *count);
                text.push_str(&format!(
                    "<rect class=\"s{}\" x=\"{x:.2}\" y=\"{y:.3}\" width=\"{:.2}\" height=\"{:.3}\" data-series=\"{number}\" data-value=\"{count}\"><title>{name}: {} {}</title></rect>\n",
                    number % 4,
                    (step * 0.9).max(0.5),
                    height(*count),
                    short(*count as f64 * self.scale),
                    self.unit,
                ));
                *below += count;
            }
        }
        for tick in &self.ticks {
            let x = LEFT + tick.at as f64 * step;
            let anchor = if x > WIDTH - 50.0 { "end" } else { "start" };
            text.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
                if anchor == "end" { WIDTH } else { x },
                bottom + 14.0,
                escaped(&tick.text)
            ));
        }
        let names = self.series.iter().enumerate();
        let names: Vec<_> = names
            .map(|(number, series)| (format!("s{}", number % 4), series.name.clone()))
            .collect();
        text.push_str(&legend(&names, bottom + 32.0));
        text.push_str("</svg>\n");
        text
    }
}
