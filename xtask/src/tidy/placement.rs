//! Rules about which files there are: top-level entries, names, sizes. Not about what they say.

use super::{File, Finding};

/// Exactly these stand at the top, beside git's own files.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".deny.toml",
    ".github",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "dnssec-sign",
    "hsm-core",
    "pipeline",
    "tests",
    "xtask",
    "zone-io",
];

/// Names that say nothing about what is inside.
const VAGUE: &[&str] = &["util", "utils", "common", "misc", "helper", "helpers", "tools"];

/// Logic above this many lines is split by concept.
const MOST_LINES: usize = 600;

/// Long tables, which may be longer.
const TABLES: &[&str] = &[
    "dnssec-sign/src/rdata.rs",
    "dnssec-sign/src/rtype.rs",
    "tests/suites/equal_to_bind/table.rs",
];

/// Only the agreed entries stand at the top.
pub(super) fn top_level(files: &[File]) -> Vec<Finding> {
    let mut entries: Vec<&str> = files.iter().filter_map(|file| file.path.split('/').next()).collect();
    entries.sort_unstable();
    entries.dedup();
    entries
        .into_iter()
        .filter(|entry| !TOP_LEVEL.contains(entry))
        .map(|entry| Finding::new(entry, 0, "no such top-level entry was agreed on; see DESIGN: files"))
        .collect()
}

/// No file or folder has a name that says nothing.
pub(super) fn names(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| {
            file.path
                .split('/')
                .filter_map(|part| part.split('.').next())
                .any(|stem| VAGUE.contains(&stem.to_ascii_lowercase().as_str()))
        })
        .map(|file| Finding::new(&file.path, 0, "name it by what it holds"))
        .collect()
}

/// No file of logic is too long; the tests at its bottom do not count.
pub(super) fn size(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust() && !TABLES.contains(&file.path.as_str()))
        .filter_map(|file| {
            let lines = file.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
            let advice = format!("{lines} lines of logic, {MOST_LINES} at most: split it by concept");
            (lines > MOST_LINES).then(|| Finding::new(&file.path, 0, advice))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_stray_top_level_entry_is_found() {
        let files = [
            file("notes.txt", ""),
            file("zone-io/Cargo.toml", ""),
            file("docs/a.md", ""),
        ];
        let found: Vec<String> = top_level(&files).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["docs", "notes.txt"]);
    }

    #[test]
    fn a_vague_name_is_found_as_file_and_as_folder() {
        let files = [
            file("zone-io/src/utils.rs", ""),
            file("tests/common/mod.rs", ""),
            file("hsm-core/src/Helpers.rs", ""),
            file("hsm-core/src/utility_token.rs", ""),
        ];
        assert_eq!(names(&files).len(), 3);
    }

    #[test]
    fn long_logic_is_found_but_not_a_long_table_or_long_tests() {
        let long = "x\n".repeat(MOST_LINES + 1);
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let files = [
            file("zone-io/src/scan.rs", &long),
            file(TABLES[0], &long),
            file("zone-io/src/run.rs", &tested),
            file("tests/data/long.zone", &long),
        ];
        let found: Vec<String> = size(&files).into_iter().map(|f| f.path).collect();
        assert_eq!(found, ["zone-io/src/scan.rs"]);
    }
}
