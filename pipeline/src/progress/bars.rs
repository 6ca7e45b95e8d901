//! Progress on a terminal: a bar for each phase that has begun, since stages overlap, and a line for each store that signs.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{
    HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};
use signet_pipeline::Phase;

use super::{PAUSE, PHASES, place, words, write_line};

/// A rate over less time says nothing.
const SETTLED: Duration = Duration::from_millis(500);

pub(super) struct Bars {
    all: MultiProgress,
    phases: Mutex<[Option<ProgressBar>; PHASES]>,
    /// One for each store that signs.
    stores: Mutex<Vec<(String, ProgressBar)>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)),
            phases: Mutex::default(),
            stores: Mutex::default(),
        }
    }

    pub(super) fn signed(&self, store: &str, signatures: u64) {
        let Ok(mut stores) = self.stores.lock() else { return };
        if let Some((_, bar)) = stores.iter().find(|(name, _)| name == store) {
            return bar.inc(signatures);
        }
        // The first ones were made before the bar began to count time.
        let style = style("  {prefix}  {human_pos} signatures{rate}", signatures);
        let bar = ProgressBar::no_length().with_style(style).with_position(signatures);
        let bar = self.all.add(bar.with_prefix(store.to_owned()));
        stores.push((store.to_owned(), bar));
    }

    pub(super) fn phase(&self, phase: Phase, total: Option<u64>) {
        let Ok(mut bars) = self.phases.lock() else { return };
        if phase != Phase::Verify {
            for over in bars.iter_mut().take(place(phase)).filter_map(Option::take) {
                over.finish_and_clear();
            }
        }
        let template = match (phase, total.is_some()) {
            (Phase::Load, true) => "{prefix:12} {wide_bar} {percent:>3} %, {decimal_bytes_per_sec}{left}  {elapsed}",
            (Phase::Load, false) => "{prefix:12} {spinner} {decimal_bytes}, {decimal_bytes_per_sec}  {elapsed}",
            (_, true) => "{prefix:12} {wide_bar} {percent:>3} % of {human_len} {msg}{rate}{left}  {elapsed}",
            (_, false) => "{prefix:12} {spinner} {human_pos} {msg}{rate}  {elapsed}",
        };
        let style = style(template, 0);
        let at = &mut bars[place(phase)];
        let bar = match at {
            Some(bar) => {
                bar.set_style(style);
                bar
            }
            None => {
                let (doing, unit) = words(phase);
                let bar = ProgressBar::no_length().with_style(style);
                let bar = self.all.add(bar.with_prefix(doing).with_message(unit));
                bar.enable_steady_tick(Duration::from_millis(250));
                at.insert(bar)
            }
        };
        if let Some(total) = total {
            bar.set_length(total);
        }
    }

    pub(super) fn advance(&self, phase: Phase, done: u64) {
        let Ok(bars) = self.phases.lock() else { return };
        if let Some(bar) = &bars[place(phase)] {
            bar.inc(done);
        }
    }

    pub(super) fn say(&self, line: &str) {
        self.all.suspend(|| write_line(line));
    }

    pub(super) fn clear(&self) {
        let Ok(mut bars) = self.phases.lock() else { return };
        for bar in bars.iter_mut().filter_map(Option::take) {
            bar.finish_and_clear();
        }
        if let Ok(mut stores) = self.stores.lock() {
            for (_, bar) in stores.drain(..) {
                bar.finish_and_clear();
            }
        }
        let _ = self.all.clear();
    }
}

/// `{rate}` and `{left}` stand for nothing while they cannot be known; the rate counts from `first` on.
fn style(template: &str, first: u64) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let (done, elapsed) = (state.pos().saturating_sub(first), state.elapsed());
        if done > 0 && elapsed >= SETTLED {
            let rate = u64::try_from(u128::from(done) * 1000 / elapsed.as_millis()).unwrap_or(u64::MAX);
            let _ = write!(out, ", {} a second", HumanCount(rate));
        }
    };
    let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
        let left = state.eta();
        if state.pos() > 0 && left >= PAUSE && state.elapsed() >= SETTLED {
            let _ = write!(out, ", {} left", HumanDuration(left));
        }
    };
    style.with_key("rate", rate).with_key("left", left)
}
