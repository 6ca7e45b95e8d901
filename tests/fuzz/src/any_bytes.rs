//! Any bytes as a zone's file: read record by record, loaded whole and loaded in small chunks it holds the same records,
//! or has the same first fault. Files that it would include are not opened, and vast $GENERATE ranges are left alone.

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
const MOST_RECORDS: u64 = 2000;

/// What is at one place of the input.
type Line = (u32, Vec<u8>);

/// Checks one input. The first byte chooses how it is read.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&how, text)) = bytes.split_first() else {
        return;
    };
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
    options.reading = if how & 0x40 == 0 { Reading::Map } else { Reading::Read };
    let whole = file.load(&options);
    options.chunk_size = Some(usize::from(how & 0x1f) + 1);
    options.run_records = usize::from(how & 0x0f) + 1;
    if how & 0x3f == 0x20 {
        // Every run goes to a file.
        options.memory = 0;
    }
    let cut = file.load(&options);
    let visited = file.visit(&options);
    match (whole, cut, fault) {
        (Ok(whole), Ok(cut), None) => {
            let listed = list(&whole);
            assert_eq!(listed, list(&cut));
            assert_eq!(listed, partitions(&cut));
            assert_eq!(visited.expect("what was loaded can be visited"), records);
            same(listed, records);
            assert_eq!(whole.bytes, text.len() as u64);
            assert!(whole.check_unchanged().is_ok());
        }
        (Err(Error::Syntax(whole)), Err(Error::Syntax(cut)), Some(fault)) => {
            assert!(visited.is_err());
            assert_eq!(whole.faults[0], cut.faults[0]);
            assert_eq!(place(&whole.faults[0]), place(&fault));
            options.on_fault = OnFault::Skip;
            options.max_faults = usize::MAX;
            let skipped = file.load(&options).expect("faults are skipped");
            assert_eq!(skipped.faults.faults[0], whole.faults[0]);
            same(list(&skipped), records);
        }
        (whole, cut, fault) => panic!("{whole:?}\n{cut:?}\n{fault:?}"),
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
            Ok(record) => {
                let mut line = Vec::new();
                write_record(
                    record.owner,
                    record.ttl,
                    Class::IN,
                    record.rtype,
                    record.rdata,
                    &mut line,
                );
                records.push((record.line, line));
            }
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Some((records, first))
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
    pool: ThreadPool,
}

impl InMemory {
    fn get() -> &'static Self {
        static FILE: OnceLock<InMemory> = OnceLock::new();
        FILE.get_or_init(|| {
            let file = rustix::fs::memfd_create("zone", rustix::fs::MemfdFlags::CLOEXEC).expect("a file in memory");
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            Self {
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
        let visit = |lines: &mut Vec<Line>, record: &TextRecord<'_>| {
            let mut line = Vec::new();
            write_record(
                record.owner,
                record.ttl,
                Class::IN,
                record.rtype,
                record.rdata,
                &mut line,
            );
            lines.push((record.line, line));
        };
        let visited = self
            .pool
            .install(|| visit_records(&self.path, options, Vec::new, visit))?;
        Ok(visited.parts.concat())
    }
}
