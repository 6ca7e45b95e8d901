//! Named values as bars that lie below each other, each made of parts.

use super::svg::{escaped, legend, short};

/// One picture.
pub(super) struct Rows<'a> {
    pub(super) id: &'a str,
    pub(super) rows: Vec<Row>,
    pub(super) unit: &'a str,
}

/// One bar.
pub(super) struct Row {
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a bar, by the class of its colour.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    pub(super) value: f64,
}

const WIDTH: f64 = 560.0;
const LEFT: f64 = 150.0;
/// Room for the number behind the longest bar.
const RIGHT: f64 = 60.0;
const LINE: f64 = 20.0;
/// Letters of a label that have room.
const LETTERS: usize = 24;

impl Rows<'_> {
    pub(super) fn draw(&self) -> String {
        let total = |row: &Row| -> f64 { row.parts.iter().map(|part| part.value).sum() };
        let longest = self.rows.iter().map(total).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let plot = WIDTH - LEFT - RIGHT;
        let bottom = LINE * self.rows.len() as f64;
        let mut text = format!(
            "<svg id=\"{}\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" data-width=\"{plot}\" data-top=\"{longest}\">\n",
            self.id,
            bottom + 24.0
        );
        for (number, row) in self.rows.iter().enumerate() {
            let y = LINE * number as f64;
            let label = escaped(&row.label);
            text.push_str(&format!(
                "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}<title>{label}</title></text>\n",
                LEFT - 8.0,
                y + 13.0,
                escaped(&shortened(&row.label))
            ));
            let mut x = LEFT;
            for part in &row.parts {
                let width = part.value / longest * plot;
                text.push_str(&format!(
                    "<rect class=\"{}\" x=\"{x:.2}\" y=\"{:.1}\" width=\"{width:.3}\" height=\"13\" data-row=\"{label}\" data-value=\"{}\"><title>{label}: {} {} {}</title></rect>\n",
                    part.class,
                    y + 3.0,
                    part.value,
                    short(part.value),
                    self.unit,
                    part.name,
                ));
                x += width;
            }
            text.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\">{} {}</text>\n",
                x + 6.0,
                y + 13.0,
                short(total(row)),
                self.unit
            ));
        }
        let mut names: Vec<(String, String)> = Vec::new();
        for part in self.rows.iter().flat_map(|row| &row.parts) {
            if !names.iter().any(|(_, name)| name == part.name) {
                names.push((part.class.to_owned(), part.name.to_owned()));
            }
        }
        text.push_str(&legend(&names, bottom + 16.0));
        text.push_str("</svg>\n");
        text
    }
}

/// The end of a label that is too long: there sessions differ.
fn shortened(label: &str) -> String {
    let letters = label.chars().count();
    if letters <= LETTERS {
        return label.to_owned();
    }
    let end: String = label.chars().skip(letters - LETTERS + 1).collect();
    format!("…{end}")
}
