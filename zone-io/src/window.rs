//! Text that is read and not mapped, a piece at a time: what stands behind the last piece taken, in buffers that are
//! used again. Where pieces end is decided in `chunk`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

/// Text on its way in.
pub(crate) struct Window {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The bytes of `buffer` before this were taken.
    start: usize,
    at_end: bool,
    spare: Spare,
}

/// Buffers that came back.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("held", &self.bytes().len())
            .field("at_end", &self.at_end)
            .finish_non_exhaustive()
    }
}

impl Window {
    pub(crate) fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            at_end: false,
            spare: Spare::default(),
        }
    }

    /// What was read and not taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether nothing comes behind [`bytes`](Self::bytes).
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Reads until there are `length` bytes, or all.
    pub(crate) fn fill(&mut self, length: usize) -> io::Result<()> {
        let missing = length.saturating_sub(self.bytes().len());
        if self.at_end || missing == 0 {
            return Ok(());
        }
        let count = self.input.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        self.at_end = count < missing;
        Ok(())
    }

    /// Takes the first `length` bytes to be kept.
    pub(crate) fn take(&mut self, length: usize) -> Taken {
        let mut next = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default();
        next.extend_from_slice(&self.bytes()[length..]);
        let buffer = std::mem::replace(&mut self.buffer, next);
        let start = std::mem::take(&mut self.start);
        Taken {
            buffer,
            start,
            length,
            spare: self.spare.clone(),
        }
    }

    /// Goes on behind the first `length` bytes.
    pub(crate) fn skip(&mut self, length: usize) {
        self.start += length;
    }
}

/// A piece of text; its buffer is used again afterwards.
pub(crate) struct Taken {
    buffer: Vec<u8>,
    start: usize,
    length: usize,
    spare: Spare,
}

impl Deref for Taken {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.start..self.start + self.length]
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// A regular file read from its start by pread, so that whoever shares the descriptor is not disturbed.
#[derive(Debug)]
pub(crate) struct Positioned {
    file: File,
    at: u64,
}

impl Positioned {
    pub(crate) fn new(file: File) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_taken_one_behind_the_other() {
        let mut window = Window::new(Box::new(&b"one two three"[..]));
        window.fill(5).unwrap();
        assert_eq!((window.bytes(), window.at_end()), (&b"one t"[..], false));
        let one = window.take(3);
        window.skip(1);
        window.fill(100).unwrap();
        assert_eq!((window.bytes(), window.at_end()), (&b"two three"[..], true));
        let two = window.take(4);
        assert_eq!(
            (&*one, &*two, window.bytes()),
            (&b"one"[..], &b"two "[..], &b"three"[..])
        );
    }

    #[test]
    fn buffers_are_used_again() {
        let mut window = Window::new(Box::new(io::repeat(b'x').take(1 << 20)));
        let mut most = 0;
        loop {
            window.fill(1000).unwrap();
            let length = window.bytes().len().min(900);
            if length == 0 {
                break;
            }
            drop(window.take(length));
            most = most.max(window.spare.lock().unwrap().len());
        }
        assert!(most <= 2, "{most}");
    }
}
