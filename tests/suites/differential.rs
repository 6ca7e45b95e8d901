//! Zone text as we read it against named-compilezone and ldns-read-zone: each tool prints a zone as it stands, and what we
//! wrote of it in RFC 3597 form, which no tool can read otherwise than as these bytes. What differs is an entry of
//! `tests/data/differences.txt`; one that is not there fails, and so does an entry that does not occur.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dnssec_sign::{RecordType, rdata};
use fs_err as fs;
use signet_tests::ZoneText;
use signet_tests::zones::{Spice, TEMPLATES, Zone, crowded, handmade, nasty, root_like, spelled};
use signet_tests::{Program, Run, Scratch, Signet, full, program, project, shared_data};

/// Seeds of the zones in odd spellings.
const SEEDS: u64 = 3;
const SEEDS_IN_FULL: u64 = 40;

/// Another reader of zone text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tool {
    Bind,
    Ldns,
}

impl Tool {
    const BOTH: [Self; 2] = [Self::Bind, Self::Ldns];

    fn name(self) -> &'static str {
        match self {
            Self::Bind => "named-compilezone",
            Self::Ldns => "ldns-read-zone",
        }
    }

    /// The zone as the tool prints it; what it says when it refuses.
    fn print(self, zone: &Path, origin: &str) -> Result<ZoneText, String> {
        let (run, text) = match self {
            Self::Bind => {
                let scratch = Scratch::new();
                let out = scratch.path("normal");
                let run = Program::new(program("named-compilezone"))
                    .args([
                        "-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-s", "full", "-o",
                    ])
                    .arg(&out)
                    .arg(origin)
                    .arg(zone)
                    .folder(zone.parent().unwrap())
                    .run();
                let text = fs::read_to_string(&out).unwrap_or_default();
                (run, text)
            }
            Self::Ldns => {
                // It takes no origin but from the text.
                let scratch = Scratch::new();
                let text = format!("$ORIGIN {origin}\n{}", fs::read_to_string(zone).unwrap());
                let run = Program::new(program("ldns-read-zone"))
                    .arg(scratch.write("zone", text))
                    .run();
                // It puts two blanks between the prefixes of an APL record, or one.
                let text = run.stdout.lines().map(|line| match line.contains("\tAPL\t") {
                    true => line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n",
                    false => format!("{line}\n"),
                });
                let text = text.collect();
                (run, text)
            }
        };
        match run.code {
            Some(0) => Ok(ZoneText::parse(&text)),
            Some(_) => Err(format!("{}{}", run.stdout, run.stderr)),
            // A crash is no verdict.
            None => panic!("{run:?}"),
        }
    }
}

/// Something that a tool sees otherwise than we do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    tool: &'static str,
    zone: String,
    owner: String,
    rtype: String,
    /// `refused` or `differs`.
    what: &'static str,
}

/// All that were found, each with what the tool said.
type Found = BTreeMap<Difference, String>;

/// `signet zone format --generic`, run in the file's folder for the sake of `$INCLUDE`.
fn generic(file: &Path, origin: &str) -> Run {
    let run = Signet::new("zone format --generic")
        .arg(file)
        .args(["-o", origin])
        .folder(file.parent().unwrap())
        .run();
    run.succeeds();
    run
}

/// Compares a whole file; returns how many records each tool saw the same of.
fn compare(name: &str, file: &Path, origin: &str, found: &mut Found) -> [usize; 2] {
    let scratch = Scratch::new();
    let ours = scratch.write("ours.zone", generic(file, origin).stdout);
    Tool::BOTH.map(|tool| {
        let mut note = |owner: &str, rtype: &str, what, said: String| {
            let (zone, owner, rtype) = (name.to_owned(), owner.to_owned(), rtype.to_owned());
            let tool = tool.name();
            found.insert(
                Difference {
                    tool,
                    zone,
                    owner,
                    rtype,
                    what,
                },
                said,
            );
        };
        match (tool.print(file, origin), tool.print(&ours, origin)) {
            (Ok(theirs), Ok(ours)) => {
                let differences = theirs.differences(&ours);
                for difference in &differences {
                    note(&difference.owner, &difference.rtype, "differs", difference.to_string());
                }
                let apart = differences.iter().filter_map(|difference| difference.left.as_ref());
                return theirs.count(|_| true) - apart.map(|set| set.records.len()).sum::<usize>();
            }
            (Err(said), _) => note("-", "-", "refused", said),
            (Ok(_), Err(said)) => note("-", "-", "differs", said),
        }
        0
    })
}

/// Compares a zone of templates: whole, but for the records that the table names, which are compared one by one, so that one
/// that is refused hides no other.
fn compare_spelled(zone: &Zone, table: &BTreeSet<Difference>, found: &mut Found) {
    let scratch = Scratch::new();
    let ours = generic(&zone.write(&scratch, &[]), &zone.origin).stdout;
    let (head, records) = entries(&zone.text);
    let our_head: String = ours
        .lines()
        .filter(|line| !is_spelled(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let records: Vec<(String, String)> = records
        .into_iter()
        .map(|record| {
            let owner = record.split_whitespace().next().unwrap();
            let line = ours.lines().find(|line| line.split('.').next() == Some(owner));
            let line = line.unwrap_or_else(|| panic!("we lost {record:?}")).to_owned();
            (record, line)
        })
        .collect();
    for tool in Tool::BOTH {
        let mut compare = |some: &[&(String, String)]| {
            let text = |head: &str, part: fn(&(String, String)) -> &str| {
                some.iter()
                    .fold(head.to_owned(), |text, record| text + part(record) + "\n")
            };
            let theirs = scratch.write("theirs", text(&head, |record| &record.0));
            let ours = scratch.write("ours", text(&our_head, |record| &record.1));
            let outcome = match (tool.print(&theirs, &zone.origin), tool.print(&ours, &zone.origin)) {
                (Ok(theirs), Ok(ours)) if theirs == ours => return true,
                (Ok(theirs), Ok(ours)) => ("differs", theirs.differences(&ours)[0].to_string()),
                (Err(said), _) => ("refused", said),
                (Ok(_), Err(said)) => ("differs", said),
            };
            if let [(record, line)] = some {
                let owner = record.split_whitespace().next().unwrap().to_owned();
                let difference = Difference {
                    tool: tool.name(),
                    zone: "spelled".to_owned(),
                    rtype: owner.rsplit_once('-').unwrap().0.to_uppercase(),
                    owner,
                    what: outcome.0,
                };
                found.insert(difference, format!("{record}\n{line}\n{}", outcome.1));
            }
            false
        };
        let owner = |record: &(String, String)| record.0.split_whitespace().next().unwrap().to_owned();
        let of_tool = |entry: &&Difference| entry.tool == tool.name() && entry.zone == "spelled";
        let named: BTreeSet<&str> = table.iter().filter(of_tool).map(|entry| &entry.owner[..]).collect();
        let (alone, together): (Vec<_>, Vec<_>) = records.iter().partition(|record| named.contains(&owner(record)[..]));
        for record in alone {
            compare(&[record]);
        }
        if !compare(&together) {
            for record in together {
                compare(&[record]);
            }
        }
    }
}

/// Whether a line's owner is that of a template.
fn is_spelled(line: &str) -> bool {
    line.split('.').next().is_some_and(|label| label.contains('-'))
}

/// What stands before the first template's record, and the records, each with its further lines.
fn entries(text: &str) -> (String, Vec<String>) {
    let (mut head, mut records) = (String::new(), Vec::<String>::new());
    for line in text.lines() {
        match records.last_mut() {
            _ if !line.starts_with([' ', '\t']) && is_spelled(line) => records.push(line.to_owned()),
            None => head += &format!("{line}\n"),
            Some(last) => *last += &format!("\n{line}"),
        }
    }
    (head, records)
}

/// The committed table: the differences, and who is right about each.
fn table() -> BTreeSet<Difference> {
    let file = project().join("tests/data/differences.txt");
    let text = fs::read_to_string(&file).unwrap();
    let mut table = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [tool, zone, owner, rtype, what, right, source] = columns[..] else {
            panic!("{}: {line}", file.display());
        };
        assert!(
            ["we", "both", "the tool"].contains(&right) && !source.is_empty(),
            "{line}"
        );
        let tool = Tool::BOTH.into_iter().find(|known| known.name() == tool).unwrap();
        let entry = Difference {
            tool: tool.name(),
            zone: zone.to_owned(),
            owner: owner.to_owned(),
            rtype: rtype.to_owned(),
            what: if what == "refused" { "refused" } else { "differs" },
        };
        assert!(table.insert(entry), "twice: {line}");
    }
    table
}

/// The zone files of `tests/data` with their origins.
fn data() -> Vec<(String, PathBuf, &'static str)> {
    let mut files = Vec::new();
    for folder in ["formats", "vectors"] {
        for entry in fs::read_dir(project().join("tests/data").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let origin = match &name[..] {
                "everyday.zone" => "format.test.",
                "types.zone" => "types.test.",
                // The RFCs' zones are all called so.
                "rfc8976-a4.zone" => "uri.arpa.",
                "rfc8976-a5.zone" => "root-servers.net.",
                vector if vector.starts_with("rfc") => "example.",
                // Read by everyday.zone; without it no zone.
                "included.zone" => continue,
                other => panic!("no origin is known for {other}"),
            };
            files.push((name, path, origin));
        }
    }
    assert!(files.len() >= 4, "{files:?}");
    files
}

#[test]
fn zones_are_read_as_bind_and_ldns_read_them() {
    let scratch = Scratch::new();
    let table = table();
    let mut found = Found::new();
    let mut same = Vec::new();
    for (name, file, origin) in data() {
        same.push(compare(&name, &file, origin, &mut found));
    }
    let mut zones = handmade();
    zones.push(crowded());
    zones.push(root_like(20));
    zones.extend((1..=4).map(|seed| nasty(seed, 120, Spice::Hot)));
    for zone in &zones {
        let file = zone.write(&scratch, &[]);
        same.push(compare(&zone.name, &file, &zone.origin, &mut found));
    }
    for seed in 1..=if full() { SEEDS_IN_FULL } else { SEEDS } {
        compare_spelled(&spelled(seed), &table, &mut found);
    }
    let new: Vec<String> = found
        .iter()
        .filter(|(difference, _)| !table.contains(difference))
        .map(|(difference, said)| format!("{difference:?}\n{said}"))
        .collect();
    let gone: Vec<_> = table.iter().filter(|entry| !found.contains_key(entry)).collect();
    println!(
        "{} differences from named-compilezone and ldns-read-zone, {} in the table; {} zones beside those of templates, \
         {} and {} records of them seen alike",
        found.len(),
        table.len(),
        same.len(),
        same.iter().map(|same| same[0]).sum::<usize>(),
        same.iter().map(|same| same[1]).sum::<usize>()
    );
    assert!(
        new.is_empty(),
        "{} differences are not in the table:\n{}",
        new.len(),
        new.join("\n")
    );
    assert!(gone.is_empty(), "entries that do not occur: {gone:#?}");
}

#[test]
fn the_root_zone_is_read_as_bind_and_ldns_read_it() {
    let Some(file) = shared_data("root-2021051901.zone") else {
        println!("not run: the root zone does not lie beside the project");
        return;
    };
    let mut found = Found::new();
    let same = compare("root", &file, ".", &mut found);
    let [bind, ldns] = same;
    println!(
        "root zone: {} differences; {bind} records as named-compilezone and {ldns} as ldns-read-zone see them",
        found.len()
    );
    assert!(found.is_empty(), "{found:#?}");
    // Each record is one line of that file.
    let lines = fs::read_to_string(&file).unwrap();
    let records = lines.lines().filter(|line| !line.is_empty() && !line.starts_with(';'));
    assert_eq!(same, [records.count(); 2]);
}

#[test]
fn the_templates_leave_no_type_out() {
    let spelled: BTreeSet<RecordType> = TEMPLATES.iter().map(|(rtype, _)| rtype.parse().unwrap()).collect();
    let forgotten: Vec<_> = (0..=u16::MAX)
        .map(RecordType)
        .filter(|rtype| rdata::fields(*rtype).is_some() && *rtype != RecordType::SOA)
        .filter(|rtype| !spelled.contains(rtype))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
