//! What one token of a run did so far, counted by its signers and read by whoever decides or reports.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::report::TokenReport;

/// Counts of one token.
#[derive(Debug)]
pub struct TokenTally {
    report: TokenReport,
    name: String,
    signatures: AtomicU64,
    /// Sessions at work now, and when the last signature was made.
    sessions: AtomicUsize,
    used: AtomicUsize,
    lost: AtomicBool,
    crashes: AtomicU64,
}

impl TokenTally {
    /// Of the token that this report is of.
    pub(crate) fn new(report: TokenReport) -> Self {
        Self {
            name: format!("token '{}'", report.label),
            report,
            signatures: AtomicU64::new(0),
            sessions: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
            crashes: AtomicU64::new(0),
        }
    }

    /// The token's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signatures handed out.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        self.signatures.load(Ordering::Relaxed)
    }

    /// Sessions at work now.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Whether it was lost on the way and did not come back, and others do its work.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// What a report says of it now.
    #[must_use]
    pub fn report(&self) -> TokenReport {
        TokenReport {
            sessions: self.used.load(Ordering::Relaxed),
            signatures: self.signatures(),
            lost: self.is_lost(),
            crashes: self.crashes.load(Ordering::Relaxed),
            ..self.report.clone()
        }
    }

    pub(crate) fn count(&self) {
        self.signatures.fetch_add(1, Ordering::Relaxed);
        self.used.store(self.sessions(), Ordering::Relaxed);
    }

    pub(crate) fn begin_session(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end_session(&self) {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that a worker process ended on its own; tells how many did before.
    pub(super) fn count_crash(&self) -> u64 {
        self.crashes.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes that it is back.
    pub(super) fn regain(&self) {
        self.lost.store(false, Ordering::Release);
    }

    /// Notes that it is lost; true for whoever comes first.
    pub(crate) fn lose(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }
}

/// The places of the tokens that are not lost, the one with the fewest sessions at work first.
pub(super) fn least_busy_first<M>(members: &[M], tally: impl Fn(&M) -> &TokenTally) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len())
        .filter(|at| !tally(&members[*at]).is_lost())
        .collect();
    order.sort_by_key(|at| tally(&members[*at]).sessions());
    order
}

/// One of several tokens with the same keys is done with, unless it is the last: false then. `last` is told of the only one
/// left, which is worth waiting for.
pub(super) fn lose<M>(
    members: &[M],
    at: usize,
    tally: impl Fn(&M) -> &TokenTally,
    error: &dyn std::fmt::Display,
    last: impl FnOnce(&M),
) -> bool {
    let mut others = members.iter().enumerate();
    if !others.any(|(place, member)| place != at && !tally(member).is_lost()) {
        return false;
    }
    let lost = tally(&members[at]);
    if lost.lose() {
        tracing::warn!(token = lost.name(), %error, "the token is lost: the others do its work");
        let mut left = members.iter().filter(|member| !tally(member).is_lost());
        if let (Some(only), None) = (left.next(), left.next()) {
            last(only);
        }
    }
    true
}
