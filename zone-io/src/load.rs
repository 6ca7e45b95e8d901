//! A zone's file and all that it includes, into sorted runs: chunks are parsed side by side on the rayon pool of the
//! caller, and what one takes over from another is filled in afterwards. Runs are not merged here.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dnssec_sign::{Class, Name};
use rayon::prelude::*;

use crate::chunk::{ChunkSize, Cutter, Piece, Zone};
use crate::confine::IncludeRoot;
use crate::error::Error;
use crate::fault::Faults;
use crate::lint::{Lints, Warnings};
use crate::parse::{MAX_FAULTS, Outside};
use crate::piece::{Parsed, Parser, fill_in_ttls, run_origin};
use crate::run::Run;
use crate::source::{Opening, Reading, Source, Watch};
use crate::spill::Spill;

/// How a zone is loaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The zone's name, which is the origin of the first file.
    pub origin: Name,
    /// The zone's class; records of another one are faults.
    pub class: Class,
    /// What happens to owners out of the zone. When they are kept, the runs' keys are relative to the root.
    pub outside: Outside,
    /// How regular files are read.
    pub reading: Reading,
    /// A directory that included files have to lie in, wherever symbolic links lead.
    pub include_root: Option<PathBuf>,
    /// The most bytes of text in one input; by default compressed ones may expand to 64 MiB or 200 times their size,
    /// whichever is more, and others are not limited.
    pub max_text: Option<u64>,
    /// How many faults are collected before loading stops.
    pub max_faults: usize,
    /// What becomes of a text with faults, as long as there are no more than that.
    pub on_fault: OnFault,
    /// About how many bytes of text are parsed at once by one thread; by default 1 MiB at first and more as the input goes on.
    /// The result does not depend on it.
    pub chunk_size: Option<usize>,
    /// The most records in a run. The result does not depend on it.
    pub run_records: usize,
    /// The bytes of memory that may be in use. A half of it is for runs, and those past that go to temporary files; the
    /// result does not depend on it. A few MiB a thread are needed in any case.
    pub memory: u64,
    /// The directory of the temporary files; by default the system's, which the environment's TMPDIR names.
    pub temp_dir: Option<PathBuf>,
    /// Which warnings are looked for.
    pub lints: Lints,
}

impl LoadOptions {
    /// Class IN, owners out of the zone refused, files mapped, 20 faults, as much memory as it takes, all warnings.
    #[must_use]
    pub fn new(origin: Name) -> Self {
        Self {
            origin,
            class: Class::IN,
            outside: Outside::Refuse,
            reading: Reading::Map,
            include_root: None,
            max_text: None,
            max_faults: MAX_FAULTS,
            on_fault: OnFault::Refuse,
            chunk_size: None,
            run_records: usize::MAX,
            memory: u64::MAX,
            temp_dir: None,
            lints: Lints::ALL,
        }
    }
}

/// What becomes of a text with faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFault {
    /// It is refused.
    #[default]
    Refuse,
    /// The records at fault are left out and the faults listed.
    Skip,
}

/// The records of a zone, sorted chunk by chunk.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The runs in the order of the input: of two equal records the one in the earlier run came first.
    pub runs: Vec<Run>,
    /// What the keys of the runs are relative to.
    pub origin: Name,
    /// The number of records.
    pub records: u64,
    /// The bytes of text read.
    pub bytes: u64,
    /// How long one thread alone was at work: cutting the text into chunks, and joining what came of them. What is compressed or
    /// comes through a pipe is read by it too.
    pub on_one_thread: Duration,
    /// What is at fault, where records at fault are left out.
    pub faults: Faults,
    /// What was suspicious in the text, as many of each name as there may be faults and at most 20. Warnings about sets of records are
    /// found by [`check_sets`](crate::check_sets).
    pub warnings: Warnings,
    pub(crate) sources: Vec<Watch>,
}

impl Loaded {
    /// The name of a source by its number in [`Locus`](dnssec_sign::Locus): a path, or `<stdin>`.
    #[must_use]
    pub fn source_name(&self, source: u32) -> &str {
        usize::try_from(source)
            .ok()
            .and_then(|number| self.sources.get(number))
            .map_or("<unknown>", |watch| &watch.name)
    }

    /// The names of all inputs in the order in which they were opened.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|watch| &*watch.name)
    }

    /// Compares all inputs with what they were when they were opened.
    ///
    /// # Errors
    /// [`Error::Changed`] for the first that differs, [`Error::Io`] for one that cannot be looked at.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        self.sources.iter().try_for_each(Watch::check_unchanged)
    }
}

impl LoadOptions {
    /// Opens the first input, to be cut.
    ///
    /// # Errors
    /// [`Error::Io`] for the input, or for the directory that included files have to lie in.
    pub(crate) fn open(&self, path: &Path) -> Result<(Cutter, Zone), Error> {
        let include_root = match &self.include_root {
            Some(root) => Some(Arc::new(IncludeRoot::new(root).map_err(|source| Error::Io {
                path: root.clone(),
                source,
            })?)),
            None => None,
        };
        let zone = Zone {
            origin: self.origin.clone(),
            class: self.class,
            outside: self.outside,
            opening: Opening {
                reading: self.reading,
                include_root,
                most: self.max_text,
            },
            chunk_size: self.chunks(),
            lints: self.lints,
        };
        let input = Source::open(path, &zone.opening)?;
        Ok((
            Cutter::new(input, zone.clone(), self.max_faults.saturating_add(1)),
            zone,
        ))
    }

    /// The sizes of chunks. What parsing one takes is about four times its text, and a third of the memory is for that.
    fn chunks(&self) -> ChunkSize {
        match self.chunk_size {
            Some(size) => ChunkSize::Fixed(size),
            None => {
                let threads = u64::try_from(rayon::current_num_threads()).unwrap_or(u64::MAX);
                let most = usize::try_from(self.memory / 12 / threads.max(1)).unwrap_or(usize::MAX);
                ChunkSize::Growing { most }
            }
        }
    }
}

/// Told of work done: the number of bytes parsed since the last call; says whether loading goes on. Called from many threads, at
/// least once in every 8 MiB of text.
pub type Progress<'p> = &'p (dyn Fn(u64) -> ControlFlow<()> + Sync);

/// Loads the zone in the file `path` (`-` is the standard input), with the threads of the current rayon pool.
///
/// ```
/// use zone_io::{LoadOptions, load, nodes_from};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("example.zone");
/// # std::fs::write(&path, "$TTL 1h\nwww A 192.0.2.1\n@ NS ns.example.net.\nwww A 192.0.2.2\n")?;
/// let loaded = load(&path, &LoadOptions::new("example.".parse()?))?;
/// let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
/// let mut lines = Vec::new();
/// while let Some(node) = nodes.next_node() {
///     lines.push(format!("{} has {} records, the first of line {}", node.owner, node.records.len(), node.records[0].locus.line));
/// }
/// // The file is still what was read.
/// loaded.check_unchanged()?;
/// assert_eq!(
///     lines,
///     ["example. has 1 records, the first of line 3", "www.example. has 2 records, the first of line 2"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Syntax`] with the first faults in the order of the input; [`Error::Io`] when the file cannot be read.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, Error> {
    load_with_progress(path, options, &|_| ControlFlow::Continue(()))
}

/// As [`load`], and `progress` is told of each chunk.
///
/// # Errors
/// As [`load`]; [`Error::Cancelled`] when `progress` wants it.
pub fn load_with_progress(path: &Path, options: &LoadOptions, progress: Progress<'_>) -> Result<Loaded, Error> {
    let spill = Spill::new(options.memory / 2, options.temp_dir.clone());
    let most = options.max_faults.saturating_add(1);
    let (mut cutter, zone) = options.open(path)?;
    // The first piece that has so many faults by itself that those behind it do not matter.
    let enough = AtomicUsize::new(usize::MAX);
    let parser = Parser {
        zone: &zone,
        most_faults: most,
        run_records: options.run_records,
        spill: &spill,
        progress,
    };
    let mut on_one_thread = Duration::ZERO;
    let cut = std::iter::from_fn(|| {
        let began = Instant::now();
        let piece = cutter.next();
        on_one_thread += began.elapsed();
        piece
    });
    let mut pieces: Vec<(usize, Parsed)> = cut
        .enumerate()
        .par_bridge()
        .map(|(index, piece)| {
            if index > enough.load(Ordering::Relaxed) {
                return Ok((index, Parsed::default()));
            }
            let parsed = match piece {
                Piece::Chunk(chunk) => parser.parse(&chunk)?,
                Piece::Fault(fault) => Parsed::of_fault(fault),
                Piece::Failed(error) => return Err(error),
            };
            if parsed.faults.len() >= most {
                enough.fetch_min(index, Ordering::Relaxed);
            }
            Ok((index, parsed))
        })
        .collect::<Result<_, Error>>()?;
    let joining = Instant::now();
    pieces.sort_unstable_by_key(|(index, _)| *index);
    let mut pieces: Vec<Parsed> = pieces.into_iter().map(|(_, parsed)| parsed).collect();
    fill_in_ttls(&mut pieces);
    let faults = collect_faults(&mut pieces, options.max_faults);
    if faults.stopped || options.on_fault == OnFault::Refuse && !faults.faults.is_empty() {
        return Err(faults.into());
    }
    let mut warnings = Warnings::default();
    for piece in &mut pieces {
        warnings.append(std::mem::take(&mut piece.warnings), options.max_faults.min(MAX_FAULTS));
    }
    let runs: Vec<Run> = pieces.into_iter().flat_map(|piece| piece.runs).collect();
    Ok(Loaded {
        origin: run_origin(&zone).to_name(),
        records: runs.iter().map(|run| count(run.len())).sum(),
        bytes: cutter.bytes(),
        on_one_thread: on_one_thread + joining.elapsed(),
        runs,
        faults,
        warnings,
        sources: cutter.sources().iter().map(|source| source.watch()).collect(),
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn collect_faults(pieces: &mut [Parsed], most: usize) -> Faults {
    let mut all = pieces.iter_mut().flat_map(|piece| piece.faults.drain(..));
    let faults = all.by_ref().take(most).collect();
    Faults {
        faults,
        stopped: all.next().is_some(),
    }
}

#[cfg(test)]
mod tests;
