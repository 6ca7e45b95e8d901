//! Days on which signatures end, as a calendar: a column a week from Monday on, the darker the more.

use signet_pipeline::ExpiryDay;

use super::svg::{escaped, short};

const SECONDS: u32 = 86_400;
/// The side of a day's square.
const SIDE: f64 = 14.0;
const LEFT: f64 = 34.0;
const TOP: f64 = 18.0;
/// More weeks than this are not drawn one by one: some key ends years later than the rest.
const WEEKS: u32 = 110;

/// Days since the Monday of the day's week; 1970 began on a Thursday.
fn weekday(day: u32) -> u32 {
    (day + 3) % 7
}

/// The picture, and a list of what lies too far behind its beginning.
pub(super) fn draw(days: &[ExpiryDay]) -> String {
    let Some(first) = days.first().map(|day| day.from / SECONDS) else {
        return "<p class=\"sub\">nothing is signed</p>\n".to_owned();
    };
    let monday = first - weekday(first).min(first);
    let inside = |day: &&ExpiryDay| (day.from / SECONDS - monday) / 7 < WEEKS;
    let weeks = days
        .iter()
        .filter(inside)
        .map(|day| (day.from / SECONDS - monday) / 7 + 1)
        .max()
        .unwrap_or(1)
        .max(16);
    let most = days.iter().map(|day| day.signatures).max().unwrap_or(1).max(1);
    let mut text = format!(
        "<svg id=\"expiry\" viewBox=\"0 0 {:.0} {:.0}\" role=\"img\">\n",
        (LEFT + f64::from(weeks) * SIDE + 4.0).max(560.0),
        TOP + 7.0 * SIDE + 4.0
    );
    for (row, name) in [(0u32, "Mon"), (2, "Wed"), (4, "Fri")] {
        text.push_str(&format!(
            "<text x=\"0\" y=\"{:.1}\">{name}</text>\n",
            TOP + f64::from(row) * SIDE + 11.0
        ));
    }
    for day in 0..weeks * 7 {
        let (x, y) = place(day);
        text.push_str(&format!(
            "<rect class=\"none\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
            SIDE - 2.0,
            SIDE - 2.0
        ));
    }
    // A month's name has room for itself alone.
    let (mut month, mut free) = (String::new(), 0.0);
    for day in days.iter().filter(inside) {
        let (x, y) = place(day.from / SECONDS - monday);
        // By the logarithm, since a few days often hold nearly all.
        let shade = 0.2 + 0.8 * (day.signatures as f64).ln_1p() / (most as f64).ln_1p();
        let name = escaped(&day.day);
        text.push_str(&format!(
            "<rect class=\"day\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill-opacity=\"{shade:.2}\" data-day=\"{name}\" data-value=\"{}\"><title>{name}: {} signatures</title></rect>\n",
            SIDE - 2.0,
            SIDE - 2.0,
            day.signatures,
            short(day.signatures as f64)
        ));
        let its_month = day.day.get(..7).unwrap_or_default();
        if its_month != month && x >= free {
            free = x + 52.0;
            text.push_str(&format!("<text x=\"{x:.1}\" y=\"11\">{its_month}</text>\n"));
            its_month.clone_into(&mut month);
        }
    }
    text.push_str("</svg>\n");
    for day in days.iter().filter(|day| !inside(day)) {
        text.push_str(&format!(
            "<p class=\"sub\">{}: {} signatures</p>\n",
            escaped(&day.day),
            short(day.signatures as f64)
        ));
    }
    text
}

fn place(day: u32) -> (f64, f64) {
    (LEFT + f64::from(day / 7) * SIDE, TOP + f64::from(day % 7) * SIDE)
}
