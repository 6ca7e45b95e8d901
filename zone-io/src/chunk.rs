//! Inputs cut into chunks that can be parsed side by side: each starts with an owner outside parentheses and comes
//! with the origin and the default TTL in force there, and with the number of its first line. $INCLUDE opens the
//! chunks of another file between two of this one. Entries are not parsed here, but for the very first, whose SOA
//! record may set the default TTL.
//!
//! One pass looks for parentheses and for `$` at a line's start, at the speed of `memchr`; only lines with one of them
//! are read byte by byte. Quotes and comments need no look: they end with their line. Text that is not mapped is cut in
//! a window on it, which is made larger where its end is too near to decide.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use dnssec_sign::{Class, Name, RecordType};
use memchr::{memchr, memchr_iter, memchr3, memrchr};

use crate::error::Error;
use crate::fault::{Fault, Inclusion};
use crate::lint::Lints;
use crate::parse::{Before, Directive, Include, Outside, Place, Reader, State, directive, mark_length};
use crate::reason::Reason;
use crate::scan::{END, Raw, Scanner};
use crate::source::{Opening, Source};
use crate::window::{Taken, Window};

/// How many files may stand inside one another.
const DEPTH: usize = 16;
/// So much more than a chunk is read at once, so that its end is nearly always seen; in tests it seldom is.
const MARGIN: usize = if cfg!(test) { 16 } else { 64 * 1024 };
/// The longest entry in text that is not mapped. RDATA is at most 65535 bytes, so that a longer one is no zone's.
const LONGEST_ENTRY: usize = 64 << 20;

/// What is to be known to cut a zone's text.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) origin: Name,
    pub(crate) class: Class,
    pub(crate) outside: Outside,
    pub(crate) opening: Opening,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) lints: Lints,
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
    const MOST: usize = 2 << 20;
    const PART: usize = 48;

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
    /// Where it starts in the source.
    start: usize,
    text: Text,
    pub(crate) first_line: u32,
    origin: Name,
    owner: Option<Name>,
    default_ttl: Option<u32>,
    before: Before,
}

/// A chunk's bytes.
#[derive(Debug)]
enum Text {
    /// In the mapping of the source.
    Mapped(Range<usize>),
    Taken(Taken),
}

/// The next thing in the order of the input.
#[derive(Debug)]
pub(crate) enum Piece {
    Chunk(Chunk),
    Fault(Fault),
    /// Nothing comes behind it.
    Failed(Error),
}

/// A file that is being cut.
#[derive(Debug)]
struct Frame {
    source: Arc<Source>,
    /// On the text at `at`, where it is not mapped.
    window: Option<Window>,
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
    /// Bytes of all inputs.
    bytes: usize,
    /// After so many faults of $INCLUDE there is no point in going on.
    faults_left: usize,
}

/// Where a chunk ends.
struct Cut {
    end: usize,
    include: bool,
}

impl Frame {
    /// The text that can be seen, where the frame stands in it, and whether nothing comes behind it.
    fn view(&self) -> (&[u8], usize, bool) {
        match &self.window {
            Some(window) => (window.bytes(), 0, window.at_end()),
            None => (self.source.mapped(), self.at, true),
        }
    }

    /// Makes at least so many bytes visible, if there are as many.
    fn fill(&mut self, length: usize) -> Result<(), Error> {
        match &mut self.window {
            Some(window) => window.fill(length).map_err(|error| self.source.failed(error)),
            None => Ok(()),
        }
    }

    /// Makes more visible than there is.
    fn fill_more(&mut self, chunk_size: usize) -> Result<(), Error> {
        let length = self.view().0.len();
        if length > chunk_size.saturating_add(LONGEST_ENTRY) {
            let what = format!(
                "an entry behind line {} does not end within {LONGEST_ENTRY} bytes",
                self.lines
            );
            return Err(self.source.failed(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        self.fill(length.saturating_mul(2).max(MARGIN))
    }

    fn is_at_end(&mut self) -> Result<bool, Error> {
        self.fill(1)?;
        let (bytes, at, _) = self.view();
        Ok(at >= bytes.len())
    }

    /// Takes the text up to `end` in the view.
    fn take(&mut self, end: usize) -> Text {
        match &mut self.window {
            Some(window) => {
                self.at += end;
                Text::Taken(window.take(end))
            }
            None => {
                let start = std::mem::replace(&mut self.at, end);
                Text::Mapped(start..end)
            }
        }
    }

    /// Goes on behind so many bytes.
    fn skip(&mut self, length: usize) {
        self.at += length;
        if let Some(window) = &mut self.window {
            window.skip(length);
        }
    }
}

impl Cutter {
    /// Starts with the first input.
    pub(crate) fn new((source, window): (Source, Option<Window>), zone: Zone, most_faults: usize) -> Self {
        let origin = zone.origin.clone();
        let mut cutter = Self {
            zone,
            frames: Vec::new(),
            sources: Vec::new(),
            default_ttl: None,
            before: Before::Nothing,
            bytes: 0,
            faults_left: most_faults,
        };
        cutter.push(Arc::new(source), window, origin);
        cutter
    }

    fn push(&mut self, source: Arc<Source>, window: Option<Window>, origin: Name) {
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(source.clone());
        self.frames.push(Frame {
            source,
            window,
            number,
            at: 0,
            lines: 0,
            origin,
            owner: None,
            include: false,
        });
    }

    /// All inputs opened so far, by number.
    pub(crate) fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// The bytes of text cut so far.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }

    /// Cuts the next chunk of the innermost file.
    fn chunk(&mut self) -> Result<Option<Chunk>, Error> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(None);
        };
        let size = self.zone.chunk_size.at(frame.at);
        frame.fill(size.saturating_add(MARGIN))?;
        let (cut, inherits, origin, default_ttl) = loop {
            let (mut origin, mut default_ttl) = (frame.origin.clone(), self.default_ttl);
            let (bytes, at, complete) = frame.view();
            let mark = if frame.at == 0 { mark_length(bytes) } else { 0 };
            let cut = cut(bytes, at, size, mark, &mut origin, &mut default_ttl);
            let inherits = if cut.include {
                inherits_behind(bytes, cut.end)
            } else {
                Some(false)
            };
            if complete || inherits.is_some() && (cut.include || cut.end < bytes.len()) {
                break (cut, inherits.unwrap_or(false), origin, default_ttl);
            }
            frame.fill_more(size)?;
        };
        let start = frame.at;
        let chunk = Chunk {
            source: frame.source.clone(),
            number: frame.number,
            start,
            text: frame.take(cut.end),
            first_line: frame.lines.saturating_add(1),
            origin: std::mem::replace(&mut frame.origin, origin),
            owner: frame.owner.take(),
            default_ttl: std::mem::replace(&mut self.default_ttl, default_ttl),
            before: self.before,
        };
        self.bytes += frame.at - start;
        frame.lines = frame.lines.saturating_add(count_lines(chunk.text()));
        frame.include = cut.include;
        if inherits {
            frame.owner = last_owner(&chunk, &self.zone);
        }
        if self.before == Before::Nothing && !chunk.text().is_empty() {
            self.look_at_first(&chunk);
        }
        Ok(Some(chunk))
    }

    /// Reads up to the first record of all. A SOA record without TTL gives its minimum to all that follow.
    fn look_at_first(&mut self, chunk: &Chunk) {
        let mut reader = chunk.reader(&self.zone);
        // Entries at fault say nothing to those that follow.
        while let Some(entry) = reader.advance() {
            if entry.is_ok() {
                self.before = Before::Elsewhere;
                if reader.record().rtype == RecordType::SOA {
                    self.default_ttl = self.default_ttl.or(reader.state.default_ttl);
                }
                return;
            }
        }
    }

    /// The text of the $INCLUDE where the innermost file stands, with its line break.
    fn include_line(frame: &mut Frame) -> Result<Vec<u8>, Error> {
        loop {
            let (bytes, at, complete) = frame.view();
            let mut scan = Scanner::new(bytes, at, 0);
            scan.skip_entry();
            if complete || scan.at < bytes.len() {
                return Ok(bytes[at..scan.at].to_vec());
            }
            frame.fill_more(MARGIN)?;
        }
    }

    /// Reads the $INCLUDE where the innermost file stands, and opens the file that it names.
    fn include(&mut self) -> Result<Option<Fault>, Error> {
        let Some(frame) = self.frames.last_mut() else {
            return Ok(None);
        };
        frame.include = false;
        let text = Self::include_line(frame)?;
        let source = frame.source.clone();
        let mut scan = Scanner::new(&text, 0, frame.lines);
        let line = frame.lines.saturating_add(1);
        let mut place = Place::new(&text, source.name.clone(), line).included(source.included.clone());
        let read = directive(&mut scan, frame.origin.borrow().wire());
        frame.skip(text.len());
        frame.lines = frame.lines.saturating_add(count_lines(&text));
        self.bytes += text.len();
        let Include {
            path,
            origin,
            at,
            length,
        } = match read {
            Ok(Directive::Include(include)) => include,
            Ok(_) => return Ok(None),
            Err(raw) => return Ok(Some(place.fault(*raw))),
        };
        let origin = origin.unwrap_or_else(|| frame.origin.clone());
        let inclusion = Inclusion {
            source: source.name.clone(),
            line,
            included: source.included.clone(),
        };
        let opened = self.open(source.resolve(&path), origin, inclusion);
        Ok(opened.err().map(|reason| place.fault(Raw::new(at, length, reason))))
    }

    fn open(&mut self, path: PathBuf, origin: Name, inclusion: Inclusion) -> Result<(), Reason> {
        if self.frames.len() > DEPTH {
            return Err(Reason::IncludeDepth(DEPTH));
        }
        let (source, window) =
            Source::include(&path, &self.zone.opening).map_err(|error| Reason::Include(error.to_string().into()))?;
        if self.frames.iter().any(|frame| frame.source.is_same_file(&source)) {
            return Err(Reason::IncludeCycle((*source.name).into()));
        }
        self.push(Arc::new(source.included(inclusion)), window, origin);
        Ok(())
    }

    fn try_next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Ok(None);
            };
            if frame.include {
                let Some(fault) = self.include()? else {
                    continue;
                };
                let Some(left) = self.faults_left.checked_sub(1) else {
                    return Ok(None);
                };
                self.faults_left = left;
                return Ok(Some(Piece::Fault(fault)));
            }
            if frame.is_at_end()? {
                self.frames.pop();
            } else if let Some(chunk) = self.chunk()?
                && !chunk.text().is_empty()
            {
                return Ok(Some(Piece::Chunk(chunk)));
            }
        }
    }
}

impl Iterator for Cutter {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        self.try_next().unwrap_or_else(|error| {
            self.frames.clear();
            Some(Piece::Failed(error))
        })
    }
}

impl Chunk {
    /// The chunk's text.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.text {
            Text::Mapped(range) => &self.source.mapped()[range.clone()],
            Text::Taken(taken) => taken,
        }
    }

    /// Says that the text is not needed again soon.
    pub(crate) fn release(&self) {
        if let Text::Mapped(range) = &self.text {
            self.source.release(range.clone());
        }
    }

    /// A reader of the chunk's records, which numbers their lines from 0.
    pub(crate) fn reader(&self, zone: &Zone) -> Reader<'_> {
        let mut state = State::new(zone.origin.clone(), zone.class, zone.outside, self.before);
        state.set_lints(zone.lints);
        state.set_origin(self.origin.borrow());
        state.default_ttl = self.default_ttl;
        if let Some(owner) = &self.owner {
            state.set_owner(owner.borrow());
        }
        let mark = if self.start == 0 { mark_length(self.text()) } else { 0 };
        let place = Place::new(self.text(), self.source.name.clone(), self.first_line)
            .included(self.source.included.clone())
            .marked(mark);
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
/// force there. `mark` bytes at the start are a byte order mark.
fn cut(bytes: &[u8], start: usize, size: usize, mark: usize, origin: &mut Name, ttl: &mut Option<u32>) -> Cut {
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
            let starts_line = found == start || bytes[found - 1] == b'\n' || found == mark;
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

/// Whether the next entry behind the $INCLUDE at `at` is one more of the owner before it; `None` when the text ends before
/// that is seen.
fn inherits_behind(bytes: &[u8], at: usize) -> Option<bool> {
    let mut scan = Scanner::new(bytes, at, 0);
    while let Some(byte) = scan.byte() {
        match byte {
            b' ' | b'\t' | b'\r' => match scan.seek_token() {
                Ok(END) => scan.end_entry(),
                _ => return Some(true),
            },
            b'\n' | b';' | b'$' => scan.skip_entry(),
            _ => return Some(false),
        }
    }
    None
}

/// The owner of the last record in a chunk.
fn last_owner(chunk: &Chunk, zone: &Zone) -> Option<Name> {
    let mut reader = chunk.reader(zone);
    while reader.advance().is_some() {}
    reader.state.owner().map(|owner| owner.to_name())
}
