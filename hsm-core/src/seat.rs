//! A session's place: it is in use by one thread at a time, and recovery can take it away from under nobody's hands.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::session::Session;

use crate::error::Place;
use crate::module::Module;
use crate::watch::{Cell, Watched};

/// A session or the place of one that was lost.
pub(crate) struct Seat {
    session: Mutex<Option<Session>>,
    /// What it is at.
    pub(crate) cell: Arc<Cell>,
}

impl Seat {
    /// A place that the module knows, for a session on that token.
    pub(crate) fn new(module: &Module, place: &Place, session: Option<Session>) -> Arc<Self> {
        let seat = Arc::new(Self {
            session: Mutex::new(session),
            cell: Cell::new(place),
        });
        module.seat(&seat);
        seat
    }

    /// The session, for as long as the result lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes it.
    pub(crate) fn clear(&self) {
        let mut seat = self.lock();
        if seat.is_some() {
            let _under_way = self.cell.begin(Watched::CloseSession);
            seat.take();
        }
    }
}
