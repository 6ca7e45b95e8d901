//! What signals do to the program: SIGBUS, by which the system says that a mapped file was cut short, ends it with
//! exit code 4; SIGINT and SIGTERM ask the run to stop where nothing is published. For the program alone: a library
//! has no business with its embedder's signals.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);

/// One line, written without allocation or lock.
const SHRUNK: &[u8] = b"signet: error: an input file was cut short while it was read; nothing was published\n";

/// Ends the program with one line and exit code 4 when a mapped input shrinks below what is read of it.
pub(crate) fn install_sigbus() {
    extern "C" fn cut_short(_: libc::c_int) {
        // SAFETY: write is async-signal-safe, and the pointer and length are those of a static.
        unsafe { libc::write(libc::STDERR_FILENO, SHRUNK.as_ptr().cast(), SHRUNK.len()) };
        // SAFETY: _exit is async-signal-safe and ends the process without running anything else.
        unsafe { libc::_exit(4) };
    }
    install(libc::SIGBUS, cut_short, 0);
}

/// Ends the program with one line and this exit code, while other threads are stuck where they are.
pub(crate) fn end_at_once(line: &str, code: i32) {
    // SAFETY: the pointer and length are those of a string that is alive.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
    // SAFETY: _exit runs nothing of what a library has registered for the end, which could hang as well.
    unsafe { libc::_exit(code) };
}

/// From now on the first SIGINT or SIGTERM asks the run to stop; a second one ends the process as it always does.
pub(crate) fn install_interrupts() {
    extern "C" fn stop(_: libc::c_int) {
        ASKED_TO_STOP.store(true, Ordering::Relaxed);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        install(signal, stop, libc::SA_RESETHAND | libc::SA_RESTART);
    }
}

/// Whether a signal asked the run to stop.
pub(crate) fn asked_to_stop() -> bool {
    ASKED_TO_STOP.load(Ordering::Relaxed)
}

fn install(signal: libc::c_int, handler: extern "C" fn(libc::c_int), flags: libc::c_int) {
    // SAFETY: all bytes zero is a valid sigaction: no handler, no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = flags;
    // SAFETY: the action is valid, and the handlers above call nothing but async-signal-safe functions.
    unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
}
