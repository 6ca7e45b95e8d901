//! The program `signet`: closes the door to core dumps, then hands the command line to [`cli`] and its answer
//! to the system as exit code. Nothing is decided here.

mod cli;
mod diagnostics;
mod progress;
mod sigbus;
mod state;
mod watchdog;

use std::process::ExitCode;

fn main() -> ExitCode {
    forbid_core_dumps();
    sigbus::install_sigbus();
    sigbus::install_state_request();
    diagnostics::install();
    let code = cli::run();
    if hsm_core::left_behind() {
        sigbus::end_at_once("", code.into());
    }
    ExitCode::from(code)
}

/// PINs and software keys are in memory: a crash must not write them to a disk, nor may other processes of the user look
/// into it. What cannot be lowered is no reason to stop.
fn forbid_core_dumps() {
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
