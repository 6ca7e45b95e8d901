//! A zone's file and all that it includes, read once and not stored: chunks side by side on the rayon pool of the caller,
//! each record lent to a closure together with what the chunk has gathered so far. Nothing is sorted or merged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::chunk::{Chunk, Piece, Zone};
use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::load::LoadOptions;
use crate::parse::TextRecord;
use crate::reason::Reason;
use crate::scan::Raw;
use crate::source::Watch;

/// What was gathered from a zone, chunk by chunk.
#[derive(Debug)]
#[non_exhaustive]
pub struct Visited<T> {
    /// What came of each chunk, in the order of the input.
    pub parts: Vec<T>,
    /// The bytes of text read.
    pub bytes: u64,
    sources: Vec<Watch>,
}

impl<T> Visited<T> {
    /// Compares all inputs with what they were when they were opened.
    ///
    /// # Errors
    /// [`Error::Changed`] for the first that differs, [`Error::Io`] for one that cannot be looked at.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        self.sources.iter().try_for_each(Watch::check_unchanged)
    }
}

/// What came of one chunk.
enum Part<T> {
    Done(T, Option<u32>),
    /// Its first records have the last TTL of the chunks before, so it is read again when that is known.
    Later(Box<(Chunk, Option<u32>)>),
    Faults(Vec<Fault>),
    Nothing,
}

/// How far all chunks are read from the first one on. They are read nearly in the order of the input, so that only a few of
/// them, which have the last TTL of those before, wait here with their text.
#[derive(Default)]
struct Front {
    next: usize,
    /// The last TTL stated before that.
    ttl: Option<u32>,
    /// What was read ahead: the last TTL stated in it, and the chunk that is to be read again.
    ahead: BTreeMap<usize, (Option<u32>, Option<Chunk>)>,
}

impl Front {
    /// The last TTL stated before chunk `index`, if that is known.
    fn before(&self, index: usize) -> Option<Option<u32>> {
        (index == self.next).then_some(self.ttl)
    }

    /// Chunk `index` is read, and the last TTL in it is `ttl`; it waits if it is to be read again. Returns the chunks for which
    /// the last TTL before them is known now.
    fn pass(&mut self, index: usize, ttl: Option<u32>, waits: Option<Chunk>) -> Vec<(usize, Chunk, Option<u32>)> {
        self.ahead.insert(index, (ttl, waits));
        let mut ready = Vec::new();
        while let Some((ttl, waits)) = self.ahead.remove(&self.next) {
            ready.extend(waits.map(|chunk| (self.next, chunk, self.ttl)));
            self.ttl = ttl.or(self.ttl);
            self.next += 1;
        }
        ready
    }
}

/// Reads the zone in the file `path` (`-` is the standard input) with the threads of the current rayon pool. `start` makes
/// a part for each chunk, and `visit` is lent the records of the chunk in the order of the input. How records are kept
/// ([`LoadOptions::on_fault`], spills) does not matter here: faults refuse the text.
///
/// ```
/// use zone_io::{LoadOptions, visit_records};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("example.zone");
/// # std::fs::write(&path, "$TTL 1h\nwww A 192.0.2.1\n@ NS ns.example.net.\nwww A 192.0.2.2\n")?;
/// let options = LoadOptions::new("example.".parse()?);
/// let visited = visit_records(&path, &options, || 0, |count, _| *count += 1)?;
/// visited.check_unchanged()?;
/// assert_eq!(visited.parts.iter().sum::<u64>(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Syntax`] with the first faults in the order of the input; [`Error::Io`] when the file cannot be read.
pub fn visit_records<T: Send>(
    path: &Path,
    options: &LoadOptions,
    start: impl Fn() -> T + Sync,
    visit: impl Fn(&mut T, &TextRecord<'_>) + Sync,
) -> Result<Visited<T>, Error> {
    let most = options.max_faults.saturating_add(1);
    let (mut cutter, zone) = options.open(path)?;
    // The first piece that has so many faults by itself that those behind it do not matter.
    let enough = AtomicUsize::new(usize::MAX);
    let front = Mutex::new(Front::default());
    let lock = || front.lock().unwrap_or_else(PoisonError::into_inner);
    let pieces: Vec<Vec<(usize, Part<T>)>> = (&mut cutter)
        .enumerate()
        .par_bridge()
        .map(|(index, piece)| {
            let before = lock().before(index);
            let part = match piece {
                _ if index > enough.load(Ordering::Relaxed) => Part::Nothing,
                Piece::Chunk(chunk) => read(chunk, &zone, before, most, &start, &visit),
                Piece::Fault(fault) => Part::Faults(vec![fault]),
                Piece::Failed(error) => return Err(error),
            };
            if matches!(&part, Part::Faults(faults) if faults.len() >= most) {
                enough.fetch_min(index, Ordering::Relaxed);
            }
            let mut parts = Vec::new();
            let (ttl, waits) = match part {
                Part::Later(later) => (later.1, Some(later.0)),
                Part::Done(_, ttl) => {
                    parts.push((index, part));
                    (ttl, None)
                }
                Part::Faults(_) | Part::Nothing => {
                    parts.push((index, part));
                    (None, None)
                }
            };
            let ready = lock().pass(index, ttl, waits);
            for (index, chunk, before) in ready {
                parts.push((index, read(chunk, &zone, Some(before), most, &start, &visit)));
            }
            Ok(parts)
        })
        .collect::<Result<_, Error>>()?;
    let mut pieces: Vec<(usize, Part<T>)> = pieces.into_iter().flatten().collect();
    pieces.sort_unstable_by_key(|(index, _)| *index);
    let mut parts = Vec::with_capacity(pieces.len());
    let mut faults = Vec::new();
    for (_, piece) in pieces {
        match piece {
            Part::Done(part, _) => parts.push(part),
            Part::Faults(more) => faults.extend(more),
            Part::Later(_) | Part::Nothing => {}
        }
    }
    if !faults.is_empty() {
        let stopped = faults.len() > options.max_faults;
        faults.truncate(options.max_faults);
        return Err(Faults { faults, stopped }.into());
    }
    Ok(Visited {
        parts,
        bytes: cutter.bytes(),
        sources: cutter.sources().iter().map(|source| source.watch()).collect(),
    })
}

/// Reads a chunk; `before` is the last TTL stated before it, once that is known.
fn read<T>(
    chunk: Chunk,
    zone: &Zone,
    before: Option<Option<u32>>,
    most: usize,
    start: &impl Fn() -> T,
    visit: &impl Fn(&mut T, &TextRecord<'_>),
) -> Part<T> {
    let mut reader = chunk.reader(zone);
    reader.state.last_ttl = before.flatten();
    let mut part = start();
    let mut faults = Vec::new();
    while let Some(result) = reader.advance() {
        match result {
            Ok(()) if reader.state.pending.count == 0 => {
                let mut record = reader.record();
                record.line = record.line.saturating_add(chunk.first_line);
                visit(&mut part, &record);
            }
            Ok(()) => {}
            Err(raw) => {
                faults.push(reader.fault(*raw));
                if faults.len() >= most {
                    break;
                }
            }
        }
    }
    chunk.release();
    let pending = reader.state.pending;
    let last_ttl = reader.state.last_ttl;
    if pending.count > 0 && faults.is_empty() {
        if before.is_none() {
            drop(reader);
            return Part::Later(Box::new((chunk, last_ttl)));
        }
        let raw = Raw::new(pending.at, pending.length, Reason::NoTtl);
        faults.push(reader.fault(raw));
    }
    if faults.is_empty() {
        Part::Done(part, last_ttl)
    } else {
        Part::Faults(faults)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::fs;

    use super::*;

    fn records(text: &str, chunk_size: usize) -> Result<Vec<String>, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        fs::write(&path, text).unwrap();
        let mut options = LoadOptions::new("example.".parse().unwrap());
        options.chunk_size = Some(chunk_size);
        let visited = visit_records(&path, &options, Vec::new, |lines, record| {
            lines.push(format!("{} {} {}", record.owner, record.ttl, record.rtype));
        })?;
        visited.check_unchanged().unwrap();
        assert_eq!(visited.bytes, text.len() as u64);
        Ok(visited.parts.concat())
    }

    #[test]
    fn records_come_in_the_order_of_the_input_from_chunks_of_any_size() {
        let text = "@ 9 SOA ns h 1 2 3 4 5\na 10 A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\nd 11 A 192.0.2.4\n A 192.0.2.5\ne A 192.0.2.6\n";
        let whole = records(text, 1 << 20).unwrap();
        assert_eq!(whole.len(), 7);
        assert_eq!(whole[3], "c.example. 10 A");
        for chunk_size in 1..text.len() {
            assert_eq!(records(text, chunk_size).unwrap(), whole, "{chunk_size}");
        }
    }

    #[test]
    fn no_chunk_waits_behind_others_that_are_read() {
        let text = "@ 9 SOA ns h 1 2 3 4 5\n".to_owned() + &"a A 192.0.2.1\n".repeat(100);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        fs::write(&path, text).unwrap();
        let mut options = LoadOptions::new("example.".parse().unwrap());
        options.chunk_size = Some(10);
        let started = AtomicUsize::new(0);
        let start = || {
            started.fetch_add(1, Ordering::Relaxed);
            0
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let visited = pool.install(|| visit_records(&path, &options, start, |count, _| *count += 1));
        let parts = visited.unwrap().parts;
        assert_eq!((parts.iter().sum::<u32>(), parts.len()), (101, started.into_inner()));
        assert!(parts.len() > 50);

        let mut front = Front::default();
        assert_eq!(front.before(0), Some(None));
        assert!(front.pass(2, Some(7), None).is_empty() && front.pass(1, None, None).is_empty());
        assert_eq!(front.before(3), None);
        assert!(front.pass(0, Some(5), None).is_empty());
        assert_eq!((front.before(3), front.ahead.len()), (Some(Some(7)), 0));
    }

    #[test]
    fn faults_refuse_the_text() {
        for chunk_size in [1, 1000] {
            let error = records("a A 192.0.2.1\nb A 192.0.2.2\nc 1 A 192.0.2.3\n", chunk_size).unwrap_err();
            assert!(error.to_string().contains(":1:3: error: no TTL"), "{error}");
            let error = records("a 1 A 192.0.2.1\nb A x\nc A y\n", chunk_size).unwrap_err();
            assert!(matches!(error, Error::Syntax(faults) if faults.faults.len() == 2));
        }
    }
}
