//! What signals do to the program: SIGBUS, by which the system says that a mapped file was cut short, ends it with
//! exit code 4; SIGINT and SIGTERM ask a run to stop; SIGUSR1 asks how a command stands. Here too: the end of a process whose
//! threads are stuck, with the files removed that must not stay. For the program alone: a library has no business with
//! its embedder's signals.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);
static ASKED_FOR_STATE: AtomicBool = AtomicBool::new(false);

/// How many outputs take their places right now; [`ENDED`]: the process ends, and none may any more.
static COMMITS: AtomicU32 = AtomicU32::new(0);
const ENDED: u32 = u32::MAX;
static PUBLISHED: AtomicU32 = AtomicU32::new(0);

/// The names of files that must not stay, for a handler that may neither lock nor allocate. A name that was given up is
/// leaked, since a handler may be reading it.
static LEFTOVERS: [AtomicPtr<c_char>; 64] = [const { AtomicPtr::new(null_mut()) }; 64];

/// One line, written without allocation or lock.
const SHRUNK: &[u8] = b"signet: error: an input file was cut short while it was read; nothing was published\n";

/// Ends the program with one line and exit code 4 when a mapped input shrinks below what is read of it.
pub(crate) fn install_sigbus() {
    extern "C" fn cut_short(_: libc::c_int) {
        remove_leftovers();
        // SAFETY: write is async-signal-safe, and the pointer and length are those of a static.
        unsafe { libc::write(libc::STDERR_FILENO, SHRUNK.as_ptr().cast(), SHRUNK.len()) };
        // SAFETY: _exit is async-signal-safe and ends the process without running anything else.
        unsafe { libc::_exit(4) };
    }
    install(libc::SIGBUS, cut_short, 0);
}

/// Writes to standard error without a lock that a stuck thread could hold.
pub(crate) fn say(text: &str) {
    // SAFETY: the pointer and length are those of a string that is alive.
    unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
}

/// Ends the program with one line and this exit code, while other threads are stuck where they are.
pub(crate) fn end_at_once(line: &str, code: i32) {
    remove_leftovers();
    say(line);
    // SAFETY: _exit runs nothing of what a library has registered for the end, which could hang as well.
    unsafe { libc::_exit(code) };
}

/// From now on the first SIGINT or SIGTERM asks the run to stop, and a second one ends the process as it always does.
pub(crate) fn install_interrupts() {
    extern "C" fn stop(_: libc::c_int) {
        ASKED_TO_STOP.store(true, Ordering::Relaxed);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        install(signal, stop, libc::SA_RESETHAND | libc::SA_RESTART);
    }
}

/// From now on SIGUSR1 asks how the command stands, and ends nothing.
pub(crate) fn install_state_request() {
    extern "C" fn tell(_: libc::c_int) {
        ASKED_FOR_STATE.store(true, Ordering::Relaxed);
    }
    install(libc::SIGUSR1, tell, libc::SA_RESTART);
}

/// From now on SIGINT, SIGTERM and SIGUSR1 do nothing.
pub(crate) fn ignore_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1] {
        // SAFETY: a disposition is set, no handler of ours runs.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// A descriptor that programs started from now on do not get.
pub(crate) fn keep_from_children(descriptor: i32) {
    // SAFETY: setting a flag of a descriptor, open or not, touches no memory.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
}

/// Whether a signal asked the run to stop.
pub(crate) fn asked_to_stop() -> bool {
    ASKED_TO_STOP.load(Ordering::Relaxed)
}

/// Whether a signal asked for the state since the last call.
pub(crate) fn asked_for_state() -> bool {
    ASKED_FOR_STATE.swap(false, Ordering::Relaxed)
}

/// Whether an output may take its place: not when the run shall stop. As long as one does, [`may_end`] is false.
pub(crate) fn commit() -> bool {
    let one_more = |commits: u32| (commits != ENDED).then(|| commits + 1);
    !asked_to_stop()
        && COMMITS
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
}

/// Whether outputs were published, in the words of a message.
pub(crate) fn what_was_published() -> String {
    match PUBLISHED.load(Ordering::Relaxed) {
        0 => "nothing was published".to_owned(),
        1 => "one zone was published".to_owned(),
        zones => format!("{zones} zones were published"),
    }
}

/// An output has taken its place.
pub(crate) fn committed() {
    PUBLISHED.fetch_add(1, Ordering::Relaxed);
    let one_less = |commits: u32| (commits != ENDED).then(|| commits.saturating_sub(1));
    let _ = COMMITS.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
}

/// Whether the process can end now; if so, no output takes its place any more.
pub(crate) fn may_end() -> bool {
    COMMITS
        .compare_exchange(0, ENDED, Ordering::AcqRel, Ordering::Acquire)
        .is_ok()
}

/// A file of this name must not stay when the process ends early.
pub(crate) fn add_leftover(path: &Path) {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
        return;
    };
    let name = name.into_raw();
    // One for which there is no room stays; the next run removes it.
    let _ = LEFTOVERS.iter().any(|slot| {
        slot.compare_exchange(null_mut(), name, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    });
}

/// The file is gone.
pub(crate) fn forget_leftover(path: &Path) {
    for slot in &LEFTOVERS {
        let name = slot.load(Ordering::Acquire);
        if name.is_null() {
            continue;
        }
        // SAFETY: what is in a slot is a string that is never freed.
        let text = unsafe { std::ffi::CStr::from_ptr(name) };
        if text.to_bytes() == path.as_os_str().as_bytes() {
            let _ = slot.compare_exchange(name, null_mut(), Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

fn remove_leftovers() {
    for slot in &LEFTOVERS {
        let name = slot.swap(null_mut(), Ordering::AcqRel);
        if !name.is_null() {
            // SAFETY: unlink is async-signal-safe, and what is in a slot is a string that is never freed.
            unsafe { libc::unlink(name) };
        }
    }
}

fn install(signal: libc::c_int, handler: extern "C" fn(libc::c_int), flags: libc::c_int) {
    // SAFETY: all bytes zero is a valid sigaction: no handler, no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = flags;
    // SAFETY: the action is valid, and the handlers above call nothing but async-signal-safe functions.
    unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
}
