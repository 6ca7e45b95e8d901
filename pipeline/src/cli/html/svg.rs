//! What all pictures are made of: numbers and texts as SVG has them, a legend, and where the next round number lies.

/// A text inside markup, quotes included.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// A number in at most about four digits: `12.4k`, `0.031`.
pub(super) fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        size if size >= 100.0 || scaled == scaled.trunc() => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{suffix}")
}

/// The next of 1, 2, 5, 10, 20, … that is not below the value.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let decade = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * decade)
        .into_iter()
        .find(|round| *round >= value * 0.999_999)
        .unwrap_or(value)
}

/// Squares and names in a row.
pub(super) fn legend(names: &[(String, String)], y: f64) -> String {
    let mut text = String::new();
    let mut x = 0.0;
    for (class, name) in names {
        text.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"/>\n<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>\n",
            y - 9.0,
            x + 13.0,
            escaped(name)
        ));
        x += 24.0 + 6.2 * name.chars().count() as f64;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_label_stays_text() {
        assert_eq!(
            escaped("<b a=\"1\">&'\u{1}"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\u{fffd}"
        );
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 7.0, 0.0312, 1.5, 999.5, 12_400.0, 2_500_000.0].map(short);
        assert_eq!(texts, ["0", "7", "0.031", "1.5", "1000", "12.4k", "2.5M"]);
    }

    #[test]
    fn round_numbers_are_not_below() {
        assert_eq!(
            [0.0, 0.3, 1.0, 7.0, 1100.0].map(round_up),
            [1.0, 0.5, 1.0, 10.0, 2000.0]
        );
    }
}
