//! What a zone can come from: mapped files, files that are read, pipes, gzip and zstd data, with or without a byte order
//! mark, and what is included from each of them. The records are the same every time.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use dnssec_sign::Class;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;
use zone_io::{Error, LoadOptions, Loaded, Reading, load, nodes_from, write_record};

fn options(change: impl FnOnce(&mut LoadOptions)) -> LoadOptions {
    let mut options = LoadOptions::new("example.".parse().unwrap());
    options.chunk_size = Some(2000);
    change(&mut options);
    options
}

/// Each record with its source and line, in canonical order.
fn text(loaded: &Loaded) -> String {
    let mut out = Vec::new();
    let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
    while let Some(node) = nodes.next_node() {
        for record in node.records {
            out.extend_from_slice(format!("{}:{} ", record.locus.source, record.locus.line).as_bytes());
            write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
        }
    }
    String::from_utf8(out).unwrap()
}

/// How a text is compressed.
type Form = fn(&[u8]) -> Vec<u8>;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

/// Two files, the second of which is included by the first in the middle; 1 MiB of text.
fn zone_and_included() -> (Vec<u8>, Vec<u8>) {
    let mut zone = String::from("\u{feff}$TTL 300\n@ SOA ns h 1 2 3 4 5\n");
    let mut inner = String::from("\u{feff}; included\n");
    for number in 0..12_000 {
        zone.push_str(&format!("host-{number} A 192.0.2.{}\n", number % 256));
        inner.push_str(&format!("name-{number} ( TXT\n \"number {number}\" )\n"));
        if number == 6000 {
            zone.push_str("$INCLUDE inner sub\n    TXT \"one more of host-6000\"\n");
        }
    }
    (zone.into_bytes(), inner.into_bytes())
}

struct Files(TempDir);

impl Files {
    fn new(zone: &[u8], inner: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("zone"), zone).unwrap();
        fs::write(directory.path().join("inner"), inner).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[test]
fn the_form_of_an_input_does_not_matter() {
    let (zone, inner) = zone_and_included();
    let plain = Files::new(&zone, &inner);
    let loaded = load(&plain.path("zone"), &options(|_| {})).unwrap();
    let expected = text(&loaded);
    assert_eq!(loaded.records, 24_002);
    assert_eq!(loaded.bytes, (zone.len() + inner.len()) as u64);
    let forms: [Form; 3] = [<[u8]>::to_vec, gzip, zstd];
    for outer in forms {
        for included in forms {
            let files = Files::new(&outer(&zone), &included(&inner));
            for reading in [Reading::Map, Reading::Read] {
                let loaded = load(&files.path("zone"), &options(|options| options.reading = reading)).unwrap();
                assert!(text(&loaded) == expected);
                assert_eq!(loaded.bytes, (zone.len() + inner.len()) as u64);
                loaded.check_unchanged().unwrap();
            }
        }
    }
}

/// Makes a pipe with a name and writes into it from a thread.
fn pipe(path: &Path, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let path = path.to_owned();
    std::thread::spawn(move || File::create(path).unwrap().write_all(&bytes).unwrap())
}

#[test]
fn pipes_are_read_whatever_they_hold() {
    let (zone, inner) = zone_and_included();
    let plain = Files::new(&zone, &inner);
    let expected = text(&load(&plain.path("zone"), &options(|_| {})).unwrap());
    for form in [<[u8]>::to_vec, gzip, zstd] {
        let files = Files::new(&zone, &inner);
        fs::remove_file(files.path("zone")).unwrap();
        fs::remove_file(files.path("inner")).unwrap();
        let writers = [
            pipe(&files.path("zone"), form(&zone)),
            pipe(&files.path("inner"), form(&inner)),
        ];
        assert!(text(&load(&files.path("zone"), &options(|_| {})).unwrap()) == expected);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    }
}

#[test]
fn faults_have_the_same_places_in_every_form() {
    let zone = b"$TTL 1\n@ SOA ns h 1 2 3 4 5\nx A 1\n$INCLUDE inner\ny A (\n1 )\n$INCLUDE none\n";
    let inner = b"z A 2\n";
    let faults = |form: Form| {
        let files = Files::new(&form(zone), &form(inner));
        match load(&files.path("zone"), &options(|_| {})) {
            Err(Error::Syntax(faults)) => faults.to_string().replace(&files.0.path().display().to_string(), ""),
            other => other.map(|loaded| text(&loaded)).unwrap(),
        }
    };
    let expected = faults(<[u8]>::to_vec);
    assert!(
        expected.contains("zone:3:5") && expected.contains("inner:1:5"),
        "{expected}"
    );
    assert_eq!(faults(gzip), expected);
    assert_eq!(faults(zstd), expected);
}

#[test]
fn compressed_data_that_is_wrong_or_too_much_is_an_error_of_that_file() {
    let refused = |bytes: &[u8], most: Option<u64>| {
        let files = Files::new(bytes, b"");
        let error = load(&files.path("zone"), &options(|options| options.max_text = most)).unwrap_err();
        assert!(
            matches!(&error, Error::Io { path, .. } if *path == files.path("zone")),
            "{error}"
        );
        error.to_string()
    };
    let (zone, _) = zone_and_included();
    let cut = gzip(&zone);
    assert!(refused(&cut[..cut.len() / 2], None).contains("ends too early"));
    assert!(refused(&gzip(&zone), Some(1000)).contains("1000 bytes"));
    assert!(refused(&zone, Some(1000)).contains("1000 bytes"));
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..70 {
        bomb.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    }
    assert!(refused(&bomb.finish().unwrap(), None).contains("200 times"));
}

#[test]
fn an_entry_without_end_is_refused_in_bounded_memory() {
    let files = Files::new(b"", b"");
    fs::remove_file(files.path("zone")).unwrap();
    let writer = {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, files.path("zone"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let path = files.path("zone");
        std::thread::spawn(move || {
            let mut file = File::create(path).unwrap();
            let block = vec![b'x'; 1 << 20];
            while file.write_all(&block).is_ok() {}
        })
    };
    let message = load(&files.path("zone"), &options(|_| {})).unwrap_err().to_string();
    assert!(message.contains("does not end"), "{message}");
    writer.join().unwrap();
}

#[test]
fn included_files_are_confined() {
    let files = Files::new(
        b"$TTL 1\n@ SOA ns h 1 2 3 4 5\n$INCLUDE root/in\n$INCLUDE inner\n$INCLUDE root/link\n",
        b"x A 192.0.2.1\n",
    );
    fs::create_dir(files.path("root")).unwrap();
    fs::write(files.path("root/in"), "y A 192.0.2.1\n").unwrap();
    std::os::unix::fs::symlink("../inner", files.path("root/link")).unwrap();
    assert_eq!(load(&files.path("zone"), &options(|_| {})).unwrap().records, 4);
    let confined = options(|options| options.include_root = Some(files.path("root")));
    let Err(Error::Syntax(faults)) = load(&files.path("zone"), &confined) else {
        unreachable!("two files are outside");
    };
    let lines: Vec<_> = faults.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [4, 5]);
    assert!(faults.to_string().contains("is outside"), "{faults}");
    let gone = options(|options| options.include_root = Some(files.path("none")));
    assert!(matches!(load(&files.path("zone"), &gone), Err(Error::Io { .. })));
}
