//! Inputs cut into chunks that can be parsed side by side: each starts with an owner outside parentheses and comes
//! with the origin and the default TTL in force there, and with the number of its first line. $INCLUDE opens the
//! chunks of another file between two of this one. Entries are not parsed here, but for the very first, whose SOA
//! record may set the default TTL.
//!
//! One pass looks for parentheses and for `$` at a line's start, at the speed of `memchr`; only lines with one of them
//! are read byte by byte. Quotes and comments need no look: they end with their line.

use std::path::PathBuf;
use std::sync::Arc;

use dnssec_sign::{Class, Name, RecordType};
use memchr::{memchr, memchr_iter, memchr3, memrchr};

use crate::error::{Error, Fault};
use crate::parse::{Before, Directive, Include, Outside, Place, Reader, State, directive, mark_length};
use crate::reason::Reason;
use crate::scan::{END, Raw, Scanner};
use crate::source::{Reading, Source};

/// How many files may stand inside one another.
const DEPTH: usize = 16;

/// What is to be known to cut a zone's text.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) origin: Name,
    pub(crate) class: Class,
    pub(crate) outside: Outside,
    pub(crate) reading: Reading,
    pub(crate) chunk_size: ChunkSize,
}

/// About how many bytes a chunk has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChunkSize {
    Fixed(usize),
    /// A part of what came before, so that a large input does not come to very many runs, and not more than `most`.
    Growing {
        most: usize,
    },
}

impl ChunkSize {
    const LEAST: usize = 1 << 20;
    const MOST: usize = 32 << 20;
    const PART: usize = 64;

    /// The size of the chunk that starts at byte `at`.
    fn at(self, at: usize) -> usize {
        match self {
            Self::Fixed(size) => size,
            Self::Growing { most } => (at / Self::PART).clamp(Self::LEAST, Self::MOST).min(most),
        }
    }
}

/// A part of a source, and what is in force at its start.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) source: Arc<Source>,
    /// The source's number.
    pub(crate) number: u32,
    start: usize,
    end: usize,
    pub(crate) first_line: u32,
    origin: Name,
    owner: Option<Name>,
    default_ttl: Option<u32>,
    before: Before,
}

/// The next thing in the order of the input.
#[derive(Debug)]
pub(crate) enum Piece {
    Chunk(Chunk),
    Fault(Fault),
}

/// A file that is being cut.
#[derive(Debug)]
struct Frame {
    source: Arc<Source>,
    number: u32,
    at: usize,
    /// Line breaks before `at`.
    lines: u32,
    origin: Name,
    /// Whom a line with a blank in front belongs to, where a chunk starts behind an included file.
    owner: Option<Name>,
    /// Whether `at` is at an $INCLUDE.
    include: bool,
}

/// Cuts the inputs; an iterator over their pieces.
#[derive(Debug)]
pub(crate) struct Cutter {
    zone: Zone,
    frames: Vec<Frame>,
    sources: Vec<Arc<Source>>,
    default_ttl: Option<u32>,
    before: Before,
    /// After so many faults of $INCLUDE there is no point in going on.
    faults_left: usize,
}

/// Where a chunk ends.
struct Cut {
    end: usize,
    include: bool,
}

impl Cutter {
    /// Opens the first input.
    pub(crate) fn new(source: Source, zone: Zone, most_faults: usize) -> Self {
        let source = Arc::new(source);
        let frame = Frame {
            source: source.clone(),
            number: 0,
            at: 0,
            lines: 0,
            origin: zone.origin.clone(),
            owner: None,
            include: false,
        };
        Self {
            zone,
            frames: vec![frame],
            sources: vec![source],
            default_ttl: None,
            before: Before::Nothing,
            faults_left: most_faults,
        }
    }

    /// All inputs opened so far, by number.
    pub(crate) fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// Cuts the next chunk of the innermost file.
    fn chunk(&mut self) -> Option<Chunk> {
        let frame = self.frames.last_mut()?;
        let source = frame.source.clone();
        let mut chunk = Chunk {
            source: source.clone(),
            number: frame.number,
            start: frame.at,
            end: frame.at,
            first_line: frame.lines.saturating_add(1),
            origin: frame.origin.clone(),
            owner: frame.owner.take(),
            default_ttl: self.default_ttl,
            before: self.before,
        };
        let cut = cut(
            source.bytes(),
            frame.at,
            self.zone.chunk_size.at(frame.at),
            &mut frame.origin,
            &mut self.default_ttl,
        );
        chunk.end = cut.end;
        frame.lines = frame.lines.saturating_add(count_lines(chunk.text()));
        frame.at = cut.end;
        frame.include = cut.include;
        if cut.include && inherits_behind(source.bytes(), cut.end) {
            frame.owner = last_owner(&chunk, &self.zone);
        }
        if self.before == Before::Nothing && !chunk.text().is_empty() {
            self.look_at_first(&chunk);
        }
        Some(chunk)
    }

    /// Reads up to the first record of all. A SOA record without TTL gives its minimum to all that follow.
    fn look_at_first(&mut self, chunk: &Chunk) {
        let mut reader = chunk.reader(&self.zone);
        let Some(first) = reader.advance() else {
            return;
        };
        self.before = Before::Elsewhere;
        if first.is_ok() && reader.record().rtype == RecordType::SOA {
            self.default_ttl = self.default_ttl.or(reader.state.default_ttl);
        }
    }

    /// Reads the $INCLUDE where the innermost file stands, and opens the file that it names.
    fn include(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        frame.include = false;
        let source = frame.source.clone();
        let mut scan = Scanner::new(source.bytes(), frame.at, frame.lines);
        let mut place = Place {
            bytes: source.bytes(),
            name: source.name.clone(),
            line: frame.lines.saturating_add(1),
            counted: frame.at,
        };
        let read = directive(&mut scan, frame.origin.borrow().wire());
        if read.is_err() {
            scan.skip_entry();
        }
        (frame.at, frame.lines) = (scan.at, scan.line);
        let Include {
            path,
            origin,
            at,
            length,
        } = match read {
            Ok(Directive::Include(include)) => include,
            Ok(_) => return Ok(()),
            Err(raw) => return Err(place.fault(*raw)),
        };
        let origin = origin.unwrap_or_else(|| frame.origin.clone());
        self.open(source.resolve(&path), origin)
            .map_err(|reason| place.fault(Raw { at, length, reason }))
    }

    fn open(&mut self, path: PathBuf, origin: Name) -> Result<(), Reason> {
        if self.frames.len() > DEPTH {
            return Err(Reason::IncludeDepth(DEPTH));
        }
        let source = match Source::open(&path, self.zone.reading) {
            Ok(source) => Arc::new(source),
            Err(error @ Error::Io { .. }) => return Err(Reason::Include(error.to_string().into())),
            Err(other) => return Err(Reason::Include(other.to_string().into())),
        };
        if self.frames.iter().any(|frame| frame.source.is_same_file(&source)) {
            return Err(Reason::IncludeCycle((*source.name).into()));
        }
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(source.clone());
        self.frames.push(Frame {
            source,
            number,
            at: 0,
            lines: 0,
            origin,
            owner: None,
            include: false,
        });
        Ok(())
    }
}

impl Iterator for Cutter {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            let frame = self.frames.last()?;
            if frame.include {
                if let Err(fault) = self.include() {
                    self.faults_left = self.faults_left.checked_sub(1)?;
                    return Some(Piece::Fault(fault));
                }
            } else if frame.at >= frame.source.bytes().len() {
                self.frames.pop();
            } else {
                let chunk = self.chunk()?;
                if !chunk.text().is_empty() {
                    return Some(Piece::Chunk(chunk));
                }
            }
        }
    }
}

impl Chunk {
    /// The chunk's text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.source.bytes()[self.start..self.end]
    }

    /// Says that the text is not needed again soon.
    pub(crate) fn release(&self) {
        self.source.release(self.start..self.end);
    }

    /// A reader of the chunk's records, which numbers their lines from 0.
    pub(crate) fn reader(&self, zone: &Zone) -> Reader<'_> {
        let mut state = State::new(zone.origin.clone(), zone.class, zone.outside, self.before);
        state.set_origin(self.origin.borrow());
        state.default_ttl = self.default_ttl;
        if let Some(owner) = &self.owner {
            state.set_owner(owner.borrow());
        }
        let place = Place {
            bytes: self.text(),
            name: self.source.name.clone(),
            line: self.first_line,
            counted: 0,
        };
        let mark = if self.start == 0 { mark_length(self.text()) } else { 0 };
        Reader::with_state(place, state, mark, 0)
    }
}

fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// The first line start at or behind `at`, or the end.
fn line_start(bytes: &[u8], at: usize) -> usize {
    if at == 0 {
        return 0;
    }
    match bytes.get(at - 1..) {
        Some(rest) => memchr(b'\n', rest).map_or(bytes.len(), |more| at + more),
        None => bytes.len(),
    }
}

/// Finds the end of the chunk that starts at `start`, with about `size` bytes; `origin` and `ttl` are then what is in
/// force there.
fn cut(bytes: &[u8], start: usize, size: usize, origin: &mut Name, ttl: &mut Option<u32>) -> Cut {
    // All parentheses before `at` are closed; `floor` is a line start.
    let mut at = start;
    let mut floor = start;
    let mut target = start.saturating_add(size.max(1));
    loop {
        let stop = line_start(bytes, target);
        while at < stop {
            let Some(more) = memchr3(b'(', b')', b'$', &bytes[at..stop]) else {
                at = stop;
                break;
            };
            let found = at + more;
            let starts_line = found == start || bytes[found - 1] == b'\n' || found == mark_length(bytes);
            if bytes[found] != b'$' {
                let line = memrchr(b'\n', &bytes[floor..found]).map_or(floor, |before| floor + before + 1);
                let mut scan = Scanner::new(bytes, line, 0);
                scan.skip_entry();
                at = scan.at;
            } else if !starts_line {
                at = found + 1;
                continue;
            } else if is_include(&bytes[found..]) {
                return Cut {
                    end: found,
                    include: true,
                };
            } else {
                let mut scan = Scanner::new(bytes, found, 0);
                match directive(&mut scan, origin.borrow().wire()) {
                    Ok(Directive::Origin(name)) => *origin = name,
                    Ok(Directive::Ttl(seconds)) => *ttl = Some(seconds),
                    Ok(_) => {}
                    // The chunk's reader finds the fault again and reports it.
                    Err(_) => scan.skip_entry(),
                }
                at = scan.at;
            }
            floor = at;
        }
        if at == stop {
            match bytes.get(stop) {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'$' | b';' | b'(' | b')' | b'"') => {}
                _ => {
                    return Cut {
                        end: stop,
                        include: false,
                    };
                }
            }
        }
        target = at.max(stop + 1);
    }
}

fn is_include(line: &[u8]) -> bool {
    const WORD: &[u8] = b"$INCLUDE";
    line.len() > WORD.len() && line[..WORD.len()].eq_ignore_ascii_case(WORD) && line[WORD.len()].is_ascii_whitespace()
}

/// Whether the next entry behind the $INCLUDE at `at` is one more of the owner before it.
fn inherits_behind(bytes: &[u8], at: usize) -> bool {
    let mut scan = Scanner::new(bytes, at, 0);
    while let Some(byte) = scan.byte() {
        match byte {
            b' ' | b'\t' | b'\r' => match scan.seek_token() {
                Ok(END) => scan.end_entry(),
                _ => return true,
            },
            b'\n' | b';' | b'$' => scan.skip_entry(),
            _ => return false,
        }
    }
    false
}

/// The owner of the last record in a chunk.
fn last_owner(chunk: &Chunk, zone: &Zone) -> Option<Name> {
    let mut reader = chunk.reader(zone);
    while reader.advance().is_some() {}
    reader.state.owner().map(|owner| owner.to_name())
}
