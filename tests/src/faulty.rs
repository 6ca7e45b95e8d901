//! The module that misbehaves, with its schedule and counters: what it was told, and what it saw.

use faulty_provider::{Counters, Function, Schedule};

use crate::environment::{faulty_module, module};
use crate::scratch::Scratch;

/// A schedule of faults, and a file to count calls in.
#[derive(Debug)]
pub struct Faulty {
    schedule: String,
    scratch: Scratch,
}

impl Faulty {
    /// A module with this schedule; its language is in [`Schedule`].
    ///
    /// # Panics
    /// When the schedule cannot be read.
    #[must_use]
    pub fn new(schedule: &str) -> Self {
        if let Err(reason) = Schedule::parse(schedule) {
            panic!("{reason}");
        }
        Self {
            schedule: schedule.to_owned(),
            scratch: Scratch::new(),
        }
    }

    /// The variables by which it is found and told.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let counters = self.scratch.path("counters");
        vec![
            ("PKCS11_PROVIDER", faulty_module().display().to_string()),
            ("FAULTY_PROVIDER_MODULE", module().display().to_string()),
            ("FAULTY_PROVIDER_SCHEDULE", self.schedule.clone()),
            ("FAULTY_PROVIDER_COUNTERS", counters.display().to_string()),
        ]
    }

    fn counters(&self) -> Counters {
        Counters::open(&self.scratch.path("counters")).expect("the counters can be read")
    }

    /// How often a function was called, by its name.
    ///
    /// # Panics
    /// For a name that is none.
    #[must_use]
    pub fn calls(&self, function: &str) -> u64 {
        let function = Function::named(function).expect("a function of PKCS#11");
        self.counters().calls(function)
    }

    /// Another counter, as [`Counters::other`] names them.
    #[must_use]
    pub fn other(&self, name: &str) -> u64 {
        self.counters().other(name)
    }

    /// How many rules had their way.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.other("fired")
    }
}
