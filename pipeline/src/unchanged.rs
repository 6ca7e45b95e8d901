//! Whether the output is what is there already, but for what changes with the serial: the text is compared while it is
//! written. Where nothing else differs, the old file and its serial stay.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dnssec_sign::{moment_from_digits, serial_before};

use crate::error::Error;

/// The old file, compared from front to back.
pub(crate) struct Comparison {
    old: File,
    /// Signatures over the SOA that end before this are due.
    due: u32,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    same: bool,
    /// Where the next byte of the old file stands.
    at: u64,
}

/// How much more of the old file is read for the first partition: a serial may be shorter than the new one.
const SLACK: usize = 256;

impl Comparison {
    /// With the file at `path`; `None` when there is none. `due`: signatures that end before this are made anew.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened.
    pub(crate) fn open(path: &Path, due: u32) -> Result<Option<Self>, Error> {
        match File::open(path) {
            Ok(old) => Ok(Some(Self {
                old,
                due,
                state: Mutex::new(State { same: true, at: 0 }),
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(path)(error)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next text; the first one holds the apex.
    pub(crate) fn take(&self, text: &[u8]) {
        let mut state = self.state();
        if !state.same {
            return;
        }
        let first = state.at == 0;
        let mut old = vec![0; text.len() + if first { SLACK } else { 0 }];
        let length = self.read(&mut old, state.at);
        old.truncate(length);
        let length = if first {
            same_lines(text, &old, self.due)
        } else {
            (old == text).then_some(text.len())
        };
        match length {
            Some(length) => state.at += length as u64,
            None => state.same = false,
        }
    }

    /// Fills as much of `buffer` as there is; what cannot be read differs.
    fn read(&self, buffer: &mut [u8], at: u64) -> usize {
        let mut length = 0;
        while length < buffer.len() {
            match self.old.read_at(&mut buffer[length..], at + length as u64) {
                Ok(0) | Err(_) => break,
                Ok(more) => length += more,
            }
        }
        length
    }

    /// Whether all that was taken is the whole of the old file.
    pub(crate) fn is_same(&self) -> bool {
        let state = self.state();
        let length = self.old.metadata().map_or(0, |metadata| metadata.len());
        state.same && state.at == length
    }
}

/// How many bytes of `old` are the lines of `text`, what follows from the serial left out; `None` where they differ.
fn same_lines(text: &[u8], old: &[u8], due: u32) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let rest = old.get(at..)?;
        let length = rest.iter().position(|&byte| byte == b'\n')? + 1;
        let old_line = &rest[..length];
        if line != old_line && !is_same_but_for_serial(line, old_line) {
            return None;
        }
        // An unchanged signature over the SOA may be due as well.
        if is_due(old_line, due) {
            return None;
        }
        at += length;
    }
    Some(at)
}

/// Owner, TTL, class, type and the fields of RDATA.
fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.trim_ascii_end()
        .split(|byte| matches!(byte, b'\t' | b' '))
        .collect()
}

fn is_same_but_for_serial(line: &[u8], old: &[u8]) -> bool {
    let (line, old) = (fields(line), fields(old));
    if line.len() != old.len() || line.get(..4) != old.get(..4) {
        return false;
    }
    let differing: &[usize] = match (line.get(3).copied(), line.get(4).copied()) {
        // The serial is the third field of RDATA.
        (Some(b"SOA"), _) => &[6],
        // Expiration, inception, signature.
        (Some(b"RRSIG"), Some(b"SOA" | b"ZONEMD")) => &[8, 9, 12],
        // Serial and digest, which keeps its length.
        (Some(b"ZONEMD"), _) => &[4, 7],
        _ => return false,
    };
    line.iter().zip(&old).enumerate().all(|(number, (one, other))| {
        one == other || differing.contains(&number) && (line[3] != b"ZONEMD" || number == 4 || one.len() == other.len())
    })
}

/// Whether a line is a signature over the SOA that has to be made anew by its time.
fn is_due(line: &[u8], due: u32) -> bool {
    let fields = fields(line);
    let (Some(b"RRSIG"), Some(b"SOA"), Some(end)) = (fields.get(3).copied(), fields.get(4).copied(), fields.get(8))
    else {
        return false;
    };
    !moment_from_digits(end).is_some_and(|end| serial_before(due, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_serial_may_differ() {
        let zone = |serial: &str, end: &str, address: &str| {
            format!(
                "a.\t60\tIN\tSOA\tns.a. h.a. {serial} 1 1 1 1\na.\t60\tIN\tRRSIG\tSOA 15 1 60 {end} 20200101000000 5 a. AA{serial}\n\
                 b.a.\t60\tIN\tA\t{address}\n"
            )
        };
        let new = zone("10", "20370101000000", "192.0.2.1");
        let same = |old: String| same_lines(new.as_bytes(), old.as_bytes(), 1_800_000_000);
        let old = zone("9", "20360101000000", "192.0.2.1");
        assert_eq!(same(old.clone()), Some(old.len()));
        assert_eq!(same(zone("9", "20260101000000", "192.0.2.1")), None);
        assert_eq!(same(zone("9", "20360101000000", "192.0.2.2")), None);
        assert_eq!(same(String::new()), None);
    }
}
