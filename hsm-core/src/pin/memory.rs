//! Keeps the memory of a PIN out of swap and core dumps. Zeroing is its type's work.

use std::ffi::c_void;
use std::sync::Once;

use rustix::mm::Advice;

static WARNED: Once = Once::new();

/// Locks the pages that hold these bytes and leaves them out of core dumps. They stay so: another secret may be on them.
/// Where the system refuses, that is said once; the PIN is used all the same.
pub(super) fn protect(bytes: &[u8]) {
    let page = rustix::param::page_size();
    let from = bytes.as_ptr() as usize;
    let start = from - from % page;
    let length = (from + bytes.len() - start).next_multiple_of(page);
    let pages = start as *mut c_void;
    // SAFETY: the pages hold a live allocation of ours, and locking changes nothing that a program sees.
    let locked = unsafe { rustix::mm::mlock(pages, length) };
    // SAFETY: as above; MADV_DONTDUMP changes only what a core dump contains.
    let hidden = unsafe { rustix::mm::madvise(pages, length, Advice::LinuxDontDump) };
    if let Err(error) = locked.and(hidden) {
        WARNED.call_once(|| {
            tracing::warn!(%error, "the memory of the PIN cannot be locked (ulimit -l): it may reach swap space");
        });
    }
}
