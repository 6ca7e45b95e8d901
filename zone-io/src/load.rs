//! A zone's file and all that it includes, into sorted runs: chunks are parsed side by side on the rayon pool of the
//! caller, and what one takes over from another is filled in afterwards. Runs are not merged here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Told of work done: the number of bytes parsed since the last call. Called from many threads.
pub type Progress<'p> = &'p (dyn Fn(u64) + Sync);

/// Loads the zone in the file `path` (`-` is the standard input), with the threads of the current rayon pool.
///
/// ```no_run
/// use std::path::Path;
/// use zone_io::{LoadOptions, load};
///
/// let loaded = load(Path::new("example.zone"), &LoadOptions::new("example.".parse()?))?;
/// println!("{} records in {} runs", loaded.records, loaded.runs.len());
/// loaded.check_unchanged()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Syntax`] with the first faults in the order of the input; [`Error::Io`] when the file cannot be read.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, Error> {
    load_with_progress(path, options, &|_| {})
}

/// As [`load`], and `progress` is told of each chunk.
///
/// # Errors
/// As [`load`].
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
    let mut pieces: Vec<(usize, Parsed)> = (&mut cutter)
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
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::fault::Fault;
    use crate::merge::nodes_from;
    use crate::print::write_record;
    use crate::reason::Reason;

    /// A directory with these files; the first one is the zone.
    struct Files {
        directory: TempDir,
        first: &'static str,
    }

    impl Files {
        fn new(files: &[(&'static str, &str)]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(directory.path().join(name), text).unwrap();
            }
            Self {
                directory,
                first: files[0].0,
            }
        }

        fn load(&self, change: impl FnOnce(&mut LoadOptions)) -> Result<Loaded, Error> {
            let mut options = LoadOptions::new("example.".parse().unwrap());
            change(&mut options);
            load(&self.directory.path().join(self.first), &options)
        }

        /// `source:line record` of each record in canonical order, white space made single.
        fn records(&self, chunk_size: usize) -> Vec<String> {
            let records = |reading| {
                let loaded = self.load(|options| {
                    options.chunk_size = Some(chunk_size);
                    options.reading = reading;
                });
                list(&loaded.unwrap())
            };
            let mapped = records(Reading::Map);
            assert_eq!(records(Reading::Read), mapped);
            mapped
        }

        /// `file:line:column: reason` of each fault.
        fn faults(&self, change: impl FnOnce(&mut LoadOptions)) -> Vec<String> {
            match self.load(change) {
                Err(Error::Syntax(faults)) => {
                    let prefix = format!("{}/", self.directory.path().display());
                    let text = |fault: &Fault| {
                        fault
                            .to_string()
                            .lines()
                            .next()
                            .unwrap()
                            .replace(&prefix, "")
                            .replace(" error: ", " ")
                    };
                    faults.faults.iter().map(text).collect()
                }
                other => panic!("faults were expected, not {other:?}"),
            }
        }
    }

    fn list(loaded: &Loaded) -> Vec<String> {
        let mut lines = Vec::new();
        let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
        while let Some(node) = nodes.next_node() {
            for record in node.records {
                let mut out = Vec::new();
                write_record(node.owner, record.ttl, Class::IN, record.rtype, record.rdata, &mut out);
                let text = String::from_utf8(out).unwrap();
                let words: Vec<_> = text.split_whitespace().collect();
                lines.push(format!(
                    "{}:{} {}",
                    record.locus.source,
                    record.locus.line,
                    words.join(" ")
                ));
            }
        }
        assert_eq!(lines.len() as u64, loaded.records);
        lines
    }

    const ZONE: &str = "\u{feff}; no $TTL here: each TTL comes from the record before
@ IN SOA ns hostmaster ( 1 ; serial (
   2 3 4 300 )
  NS ns ; (

b 60 TXT \"(\" \"\\\"(\"
   A 192.0.2.1
a TXT x$y ( \"
(unclosed
c.a A 192.0.2.2
";

    #[test]
    fn a_fault_in_every_place_is_reported_once() {
        let files = Files::new(&[("zone", ZONE)]);
        for chunk_size in [1, 10, 1000] {
            let faults = files.faults(|options| options.chunk_size = Some(chunk_size));
            assert!(faults[0].starts_with("zone:8:13: a quoted string"), "{faults:?}");
            assert!(faults.len() <= 2, "{faults:?}");
        }
    }

    const GOOD: &str = "\u{feff}; no $TTL here: each TTL comes from the record before
@ IN SOA ns hostmaster ( 1 ; serial (
   2 3 4 300 )
  NS ns ; (

b 60 TXT \"(\" \"\\\"(\"
   A 192.0.2.1
a TXT x$y ( \"(\"
  unclosed )
c.a A 192.0.2.2
$ORIGIN d
e 70 NS \\$x
f NS (
 a ) 
$ORIGIN example.
$GENERATE 1-3 g$ A 192.0.2.$
z TXT \"$ORIGIN x\" ; $TTL 1
$TTL 5
y TXT y
 2 NS y";

    #[test]
    fn chunks_of_any_size_give_the_same_records() {
        let files = Files::new(&[("zone", GOOD)]);
        let whole = files.records(1 << 20);
        assert_eq!(
            whole,
            [
                "0:4 example. 300 IN NS ns.example.",
                "0:2 example. 300 IN SOA ns.example. hostmaster.example. 1 2 3 4 300",
                "0:8 a.example. 300 IN TXT \"x$y\" \"(\" \"unclosed\"",
                "0:10 c.a.example. 300 IN A 192.0.2.2",
                "0:7 b.example. 300 IN A 192.0.2.1",
                "0:6 b.example. 60 IN TXT \"(\" \"\\\"(\"",
                "0:12 e.d.example. 70 IN NS \\$x.d.example.",
                "0:13 f.d.example. 300 IN NS a.d.example.",
                "0:16 g1.example. 300 IN A 192.0.2.1",
                "0:16 g2.example. 300 IN A 192.0.2.2",
                "0:16 g3.example. 300 IN A 192.0.2.3",
                "0:20 y.example. 2 IN NS y.example.",
                "0:19 y.example. 5 IN TXT \"y\"",
                "0:17 z.example. 300 IN TXT \"$ORIGIN\" \"x\"",
            ]
            .map(|line| line.replace("\"$ORIGIN\" \"x\"", "\"$ORIGIN x\""))
        );
        for chunk_size in 0..GOOD.len() + 2 {
            assert_eq!(files.records(chunk_size), whole, "{chunk_size}");
        }
    }

    #[test]
    fn without_a_default_the_last_stated_ttl_crosses_borders() {
        let text = "@ 9 SOA ns h 1 2 3 4 5\na 10 A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\nd 11 A 192.0.2.4\n A 192.0.2.5\ne A 192.0.2.6\n";
        let files = Files::new(&[("zone", text)]);
        let whole = files.records(1 << 20);
        assert!(
            whole[4].contains(" 11 ") && whole[3].contains("c.example. 10 "),
            "{whole:?}"
        );
        for chunk_size in 0..text.len() {
            assert_eq!(files.records(chunk_size), whole);
        }
        let files = Files::new(&[("zone", "a A 192.0.2.1\nb A 192.0.2.2\nc 1 A 192.0.2.3\n")]);
        assert_eq!(
            files.faults(|options| options.chunk_size = Some(1))[0],
            format!("zone:1:3: {}", Reason::NoTtl)
        );
    }

    #[test]
    fn included_files_keep_the_order_and_give_origin_and_owner_back() {
        let zone = "$TTL 60\n@ SOA ns h 1 2 3 4 5\nx A 192.0.2.1\n$INCLUDE inner sub ; comment\n   A 192.0.2.2\n$include \"inner\"\ny A 192.0.2.3\n";
        let inner = "w A 192.0.2.9\n$ORIGIN deep\nv A 192.0.2.9\n$INCLUDE innermost\nu A 192.0.2.9";
        let innermost = "$TTL 70\nt A 192.0.2.9";
        let files = Files::new(&[("zone", zone), ("inner", inner), ("innermost", innermost)]);
        let whole = files.records(1 << 20);
        assert_eq!(
            whole,
            [
                "0:2 example. 60 IN SOA ns.example. h.example. 1 2 3 4 5",
                "4:2 t.deep.example. 70 IN A 192.0.2.9",
                "3:5 u.deep.example. 70 IN A 192.0.2.9",
                "3:3 v.deep.example. 70 IN A 192.0.2.9",
                "2:2 t.deep.sub.example. 70 IN A 192.0.2.9",
                "1:5 u.deep.sub.example. 70 IN A 192.0.2.9",
                "1:3 v.deep.sub.example. 60 IN A 192.0.2.9",
                "1:1 w.sub.example. 60 IN A 192.0.2.9",
                "3:1 w.example. 70 IN A 192.0.2.9",
                "0:3 x.example. 60 IN A 192.0.2.1",
                "0:5 x.example. 70 IN A 192.0.2.2",
                "0:7 y.example. 70 IN A 192.0.2.3",
            ]
        );
        for chunk_size in 0..zone.len() {
            assert_eq!(files.records(chunk_size), whole);
        }
        let loaded = files.load(|_| {}).unwrap();
        assert!(loaded.source_name(4).ends_with("innermost"));
        assert_eq!(loaded.source_names().count(), 5);
        loaded.check_unchanged().unwrap();
    }

    #[test]
    fn includes_that_cannot_be_followed() {
        let files = Files::new(&[
            ("zone", "$INCLUDE other\n$INCLUDE none\n$INCLUDE\n"),
            ("other", "$INCLUDE zone"),
        ]);
        let faults = files.faults(|_| {});
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].starts_with("other:1:10: ") && faults[0].ends_with("includes itself"));
        assert!(faults[1].starts_with("zone:2:10: "), "{faults:?}");
        assert!(faults[2].starts_with("zone:3:9: "), "{faults:?}");
        let names: Vec<String> = (0..20).map(|at| format!("f{at}")).collect();
        let directory = tempfile::tempdir().unwrap();
        for (at, name) in names.iter().enumerate() {
            fs::write(directory.path().join(name), format!("$INCLUDE f{}\n", at + 1)).unwrap();
        }
        let options = LoadOptions::new(Name::root());
        match load(&directory.path().join("f0"), &options) {
            Err(Error::Syntax(faults)) => assert_eq!(faults.faults[0].reason, Reason::IncludeDepth(16)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn faults_come_in_the_order_of_the_input_and_are_limited() {
        let text: String = (0..100)
            .map(|at| format!("n{at} 1 A x\nm{at} 1 A 192.0.2.1\n"))
            .collect();
        let files = Files::new(&[("zone", &text)]);
        for chunk_size in [1, 100, 100_000] {
            let faults = files.faults(|options| {
                options.chunk_size = Some(chunk_size);
                options.max_faults = 7;
            });
            let lines: Vec<_> = faults
                .iter()
                .map(|fault| fault.split(':').nth(1).unwrap().to_owned())
                .collect();
            assert_eq!(lines, ["1", "3", "5", "7", "9", "11", "13"]);
        }
    }

    #[test]
    fn records_at_fault_are_left_out_where_that_is_asked_for() {
        let text = "a A 192.0.2.1\nb A 192.0.2.2\nc 1 A 192.0.2.3\nd A x\ne A 192.0.2.5\n";
        let files = Files::new(&[("zone", text)]);
        for chunk_size in [1, 20, 1000] {
            let load = |most| {
                files.load(|options| {
                    options.chunk_size = Some(chunk_size);
                    options.on_fault = OnFault::Skip;
                    options.max_faults = most;
                })
            };
            let loaded = load(5).unwrap();
            assert_eq!(
                list(&loaded),
                ["0:3 c.example. 1 IN A 192.0.2.3", "0:5 e.example. 1 IN A 192.0.2.5"],
                "{chunk_size}"
            );
            assert!(!loaded.faults.stopped && loaded.faults.faults.len() >= 2);
            assert!(matches!(load(1), Err(Error::Syntax(faults)) if faults.stopped));
        }
    }

    #[test]
    fn owners_out_of_the_zone_are_refused_or_kept() {
        let files = Files::new(&[("zone", "@ 1 NS ns\nother. 1 NS ns\n")]);
        assert_eq!(files.faults(|_| {}), ["zone:2:1: other. is out of zone example."]);
        let loaded = files.load(|options| options.outside = Outside::Keep).unwrap();
        assert_eq!(
            list(&loaded),
            ["0:1 example. 1 IN NS ns.example.", "0:2 other. 1 IN NS ns.example."]
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = load(Path::new("no/such/zone"), &LoadOptions::new(Name::root())).unwrap_err();
        assert!(error.to_string().starts_with("no/such/zone: "), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_text_is_read_alike_in_chunks_of_any_size(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "a A 192.0.2.1", "b 5 A 192.0.2.2", " A 192.0.2.3", "c TXT \"(\" ( x", " y ) ; z", "$ORIGIN d", "$TTL 7",
                    "e TXT \";\" \"\\\"", "", " ; (", "f NS $x", "$ORIGIN example.", "g TXT \\(", "\t7 NS n\\\\", ")", "h NS \\", "@ SOA a b 1 2 3 4 5",
                ]),
                0..20,
            ),
            chunk_size in 1usize..60,
        ) {
            let text = format!("{}\n", lines.join("\n"));
            let files = Files::new(&[("zone", &text)]);
            let load = |chunk_size: usize, reading| {
                files.load(|options| {
                    options.chunk_size = Some(chunk_size);
                    options.reading = reading;
                })
            };
            let mapped = load(chunk_size, Reading::Map);
            match (&mapped, load(chunk_size, Reading::Read)) {
                (Ok(mapped), Ok(read)) => prop_assert_eq!(list(mapped), list(&read)),
                (Err(Error::Syntax(mapped)), Err(Error::Syntax(read))) => prop_assert_eq!(mapped, &read),
                (mapped, read) => prop_assert!(false, "{:?} {:?}", mapped, read),
            }
            match (load(1 << 20, Reading::Map), mapped) {
                (Ok(whole), Ok(cut)) => prop_assert_eq!(list(&whole), list(&cut)),
                (Err(Error::Syntax(whole)), Err(Error::Syntax(cut))) => prop_assert_eq!(&whole.faults[0], &cut.faults[0]),
                (whole, cut) => prop_assert!(false, "{:?} {:?}", whole, cut),
            }
        }
    }
}
