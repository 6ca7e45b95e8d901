//! Where every partition of a round stands, and what a worker takes next: what is furthest along first, what is not begun
//! last.

use std::collections::{BTreeMap, VecDeque};

use super::Flight;
use crate::emit::Emission;
use crate::error::Error;

/// Where every partition of a round stands.
#[derive(Default)]
pub(super) struct Board {
    pub(super) partitions: usize,
    pub(super) next: usize,
    pub(super) in_flight: usize,
    pub(super) flights: BTreeMap<usize, Flight>,
    pub(super) signed: VecDeque<(usize, Emission)>,
    pub(super) filled: BTreeMap<usize, Emission>,
    /// The partition to be written next, and whether a worker is at it.
    pub(super) turn: usize,
    pub(super) writing: bool,
    pub(super) unverified: VecDeque<usize>,
    pub(super) verifying: usize,
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) failure: Option<Error>,
}

pub(super) enum Task {
    Write(usize, Emission),
    Fill(usize, Emission),
    Verify(usize),
    Plan(usize, Vec<u8>),
    Wait,
    End,
}

impl Board {
    pub(super) fn take(&mut self, limit: usize) -> Task {
        if self.failure.is_some() {
            return Task::End;
        }
        if !self.writing
            && let Some(emission) = self.filled.remove(&self.turn)
        {
            self.writing = true;
            return Task::Write(self.turn, emission);
        }
        if let Some((index, emission)) = self.signed.pop_front() {
            return Task::Fill(index, emission);
        }
        if let Some(index) = self.unverified.pop_front() {
            self.verifying += 1;
            return Task::Verify(index);
        }
        if self.next < self.partitions && self.in_flight < limit {
            self.next += 1;
            self.in_flight += 1;
            return Task::Plan(self.next - 1, self.spare.pop().unwrap_or_default());
        }
        if self.turn == self.partitions && self.verifying == 0 {
            return Task::End;
        }
        Task::Wait
    }

    pub(super) fn fail(&mut self, error: Error) {
        // The first failure is the cause, the others follow from it.
        self.failure.get_or_insert(error);
    }
}
