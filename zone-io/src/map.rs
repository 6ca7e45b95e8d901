//! A regular file as a slice of memory: the one place where a file is mapped. Nothing is known here of what is in it.

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// Maps the whole of a regular file for reading, from front to back as far as the kernel cares.
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only and of a regular file. Another process can still write to the file; then
    // the text read is a mixture, which the parser bears as it bears any bytes, and which the comparison of
    // the file's stamps before and after turns into an error. A file cut short ends in SIGBUS, which the program
    // handles and libraries cannot.
    let mapped = unsafe { Mmap::map(file)? };
    // Advice only: a refusal costs speed at most.
    let _ = mapped.advise(Advice::Sequential);
    Ok(mapped)
}

/// Takes the whole pages of a range out of the process; they are read again from the file when they are looked at.
pub(crate) fn release(mapped: &Mmap, range: Range<usize>) {
    let page = rustix::param::page_size();
    let start = range.start.next_multiple_of(page);
    let Some(length) = (range.end / page * page)
        .checked_sub(start)
        .filter(|length| *length > 0)
    else {
        return;
    };
    // Advice only: a refusal costs memory at most.
    // SAFETY: the pages are read-only and of a file, so that the kernel brings back the same bytes.
    let _ = unsafe { mapped.unchecked_advise_range(UncheckedAdvice::DontNeed, start, length) };
}
