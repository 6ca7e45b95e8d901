//! Any bytes as a zone's file: read record by record, loaded whole or in small chunks, and visited in chunks it holds the
//! same records, or has the same first fault. Files that it would include are not opened, and vast $GENERATE ranges are left alone.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use dnssec_sign::{Class, NameRef, NodeList};
use rayon::{ThreadPool, ThreadPoolBuilder};
use zone_io::{
    Error, Fault, LoadOptions, Loaded, OnFault, Outside, ReadOptions, Reader, Reading, TextRecord, load, merge_range,
    nodes_from, splitters, visit_records, write_record,
};

/// Inputs with more records are left alone: one line of $GENERATE makes millions.
const MOST_RECORDS: u64 = 300;

/// What is at one place of the input.
type Line = (u32, Vec<u8>);

/// Checks one input. The first byte chooses one of the ways in which it is read, beside the one record by record.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&how, text)) = bytes.split_first() else {
        return;
    };
    if is_compressed(text) {
        return;
    }
    let text = without_includes(text);
    let outside = if how & 0x80 == 0 {
        Outside::Refuse
    } else {
        Outside::Keep
    };
    let Some((records, fault)) = read(&text, outside) else {
        return;
    };
    let file = InMemory::get();
    file.set(&text);
    let mut options = LoadOptions::new("example.".parse().expect("a name"));
    options.outside = outside;
    options.temp_dir.clone_from(&file.spills);
    options.reading = if how & 0x40 == 0 { Reading::Map } else { Reading::Read };
    let cut = usize::from(how & 0x1f);
    if cut > 0 {
        options.chunk_size = Some(cut);
        options.run_records = cut % 16 + 1;
    }
    if how & 0x3c == 0x20 {
        // Every run goes to a file.
        options.memory = 0;
    }
    match fault {
        None if how & 0x20 == 0 => {
            assert_eq!(file.visit(&options).expect("what was read can be visited"), records);
        }
        None => {
            let loaded = file.load(&options).expect("what was read can be loaded");
            let listed = list(&loaded);
            assert_eq!(listed, partitions(&loaded));
            same(listed, records);
            assert_eq!(loaded.bytes, text.len() as u64);
            assert!(loaded.check_unchanged().is_ok());
        }
        Some(fault) if how & 0x20 == 0 => {
            let refused = match cut % 2 {
                0 => file.load(&options).map(|_| ()),
                _ => file.visit(&options).map(|_| ()),
            };
            match refused {
                Err(Error::Syntax(faults)) => assert_eq!(place(&faults.faults[0]), place(&fault)),
                other => panic!("{other:?}, and {fault:?}"),
            }
        }
        Some(fault) => {
            options.on_fault = OnFault::Skip;
            options.max_faults = usize::MAX;
            let skipped = file.load(&options).expect("faults are skipped");
            assert_eq!(place(&skipped.faults.faults[0]), place(&fault));
            same(list(&skipped), records);
        }
    }
}

/// Loaded records are those that were read, of which equal ones may be there once. A name has the letter case of its first
/// record in all of them.
fn same(mut loaded: Vec<Line>, mut read: Vec<Line>) {
    for lines in [&mut loaded, &mut read] {
        for (_, line) in lines.iter_mut() {
            let owner = line.split_mut(|byte| *byte == b'\t').next();
            owner.expect("a line begins with an owner").make_ascii_lowercase();
        }
        lines.sort();
        lines.dedup();
    }
    assert_eq!(loaded, read);
}

fn place(fault: &Fault) -> String {
    format!("{}:{} {}", fault.line, fault.column, fault.reason)
}

/// Whether a file with these bytes is expanded: a reader of text takes them as they are.
fn is_compressed(text: &[u8]) -> bool {
    let zstd = |magic: u32| magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50;
    text.starts_with(&[0x1f, 0x8b]) || text.first_chunk().is_some_and(|magic| zstd(u32::from_le_bytes(*magic)))
}

/// The text with another word for `$INCLUDE`: no file is opened because of an input.
fn without_includes(text: &[u8]) -> Vec<u8> {
    const WORD: &[u8] = b"$INCLUDE";
    let mut text = text.to_vec();
    for at in 0..text.len().saturating_sub(WORD.len() - 1) {
        if text[at..at + WORD.len()].eq_ignore_ascii_case(WORD) {
            text[at + 1] = b'X';
        }
    }
    text
}

/// The records and the first fault; nothing when there are too many.
fn read(text: &[u8], outside: Outside) -> Option<(Vec<Line>, Option<Fault>)> {
    let mut options = ReadOptions::new("example.".parse().expect("a name"));
    options.outside = outside;
    let mut reader = Reader::new(text, &options);
    let (mut records, mut first, mut count) = (Vec::new(), None, 0);
    while let Some(result) = reader.next_record() {
        count += 1;
        match result {
            _ if count > MOST_RECORDS => return None,
            Ok(record) => records.push(line_of(&record)),
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Some((records, first))
}

fn line_of(record: &TextRecord<'_>) -> Line {
    let TextRecord {
        owner,
        rtype,
        ttl,
        rdata,
        line,
        ..
    } = *record;
    let mut text = Vec::new();
    write_record(owner, ttl, Class::IN, rtype, rdata, &mut text);
    (line, text)
}

/// All records in canonical order.
fn list(loaded: &Loaded) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), &[]);
    while let Some(node) = nodes.next_node() {
        push(node, &mut lines);
    }
    lines
}

fn push(node: dnssec_sign::Node<'_>, lines: &mut Vec<Line>) {
    for record in node.records {
        let mut line = Vec::new();
        write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut line);
        lines.push((record.locus.line, line));
    }
}

/// The same, merged in many ranges.
fn partitions(loaded: &Loaded) -> Vec<Line> {
    let mut keys = splitters(&loaded.runs, 3);
    assert!(keys.is_sorted());
    keys.insert(0, Vec::new());
    let mut lines = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let mut nodes = NodeList::new();
        let end = keys.get(at + 1).map(Vec::as_slice);
        let origin: NameRef<'_> = loaded.origin.borrow();
        merge_range(&loaded.runs, origin, key, end, &mut nodes);
        for node in nodes.iter() {
            push(node, &mut lines);
        }
    }
    lines
}

/// A file without a name, and a pool of this thread alone.
struct InMemory {
    file: File,
    path: PathBuf,
    spills: Option<PathBuf>,
    pool: ThreadPool,
}

impl InMemory {
    fn get() -> &'static Self {
        static FILE: OnceLock<InMemory> = OnceLock::new();
        FILE.get_or_init(|| {
            let file = rustix::fs::memfd_create("zone", rustix::fs::MemfdFlags::CLOEXEC).expect("a file in memory");
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            // Runs that are spilled go to memory as well, where there is a file system for it.
            let spills = PathBuf::from("/dev/shm");
            Self {
                spills: spills.is_dir().then_some(spills),
                path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
                file: file.into(),
                pool: pool.build().expect("a pool of this thread"),
            }
        })
    }

    fn set(&self, text: &[u8]) {
        self.file.set_len(text.len() as u64).expect("memory has room");
        self.file.write_all_at(text, 0).expect("memory has room");
    }

    fn load(&self, options: &LoadOptions) -> Result<Loaded, Error> {
        self.pool.install(|| load(&self.path, options))
    }

    /// The records in the order of the input.
    fn visit(&self, options: &LoadOptions) -> Result<Vec<Line>, Error> {
        let visit = |lines: &mut Vec<Line>, record: &TextRecord<'_>| lines.push(line_of(record));
        let visited = self
            .pool
            .install(|| visit_records(&self.path, options, Vec::new, visit))?;
        Ok(visited.parts.concat())
    }
}
