//! A regular file as a slice of memory: the one place where a file is mapped. Nothing is known here of what is in it.

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap};

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
