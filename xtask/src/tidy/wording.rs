//! Rules about words: nothing unfinished, nothing that holds on one machine only.

use super::source::split;
use super::{File, Finding};

/// Marks of unfinished work in comments. Written in two pieces here and below, so that no search for them finds this file.
const UNFINISHED_COMMENTS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Code that stands in for code, and tests that do not run.
const UNFINISHED_CODE: &[&str] = &[
    concat!("unimple", "mented!"),
    concat!("to", "do!"),
    concat!("#[ig", "nore"),
];

/// The beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tmp/tar", "get"),
    concat!("/Us", "ers/"),
];

/// Endings of the files that people write.
const WRITTEN: &[&str] = &[".rs", ".toml", ".md", ".yml", ".yaml", ".sh", ".ci/run"];

fn written(file: &&File) -> bool {
    WRITTEN.iter().any(|ending| file.path.ends_with(ending))
}

/// No marks of unfinished work, no stand-ins, no tests switched off.
pub(super) fn unfinished(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(written) {
        if file.is_rust() {
            let parts = split(&file.text);
            find(
                file,
                &parts.comments,
                UNFINISHED_COMMENTS,
                "finish it, or file it",
                &mut findings,
            );
            find(
                file,
                &parts.code,
                UNFINISHED_CODE,
                "finish it, or leave it out",
                &mut findings,
            );
        } else {
            find(
                file,
                &file.text,
                UNFINISHED_COMMENTS,
                "finish it, or file it",
                &mut findings,
            );
        }
    }
    findings
}

/// No path of somebody's machine.
pub(super) fn machine_paths(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(written) {
        find(file, &file.text, MACHINE_PATHS, "no path of one machine", &mut findings);
    }
    findings
}

fn find(file: &File, text: &str, marks: &[&str], advice: &str, findings: &mut Vec<Finding>) {
    for (index, line) in text.lines().enumerate() {
        for mark in marks.iter().filter(|mark| line.contains(**mark)) {
            findings.push(Finding::new(&file.path, index + 1, format!("`{mark}`: {advice}")));
        }
    }
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
    fn unfinished_work_is_found() {
        let comment = format!("//! x\n// {}: later\n", concat!("TO", "DO"));
        for text in [
            comment.as_str(),
            concat!("fn f() { unimple", "mented!() }\n"),
            concat!("fn f() { to", "do!() }\n"),
            concat!("#[ig", "nore = \"slow\"]\nfn f() {}\n"),
        ] {
            assert_eq!(unfinished(&[file("a/src/b.rs", text)]).len(), 1, "{text}");
        }
        let note = format!("{} write this page\n", concat!("FIX", "ME"));
        assert_eq!(unfinished(&[file("README.md", &note)]).len(), 1);
    }

    #[test]
    fn the_same_words_in_a_string_are_data() {
        let text = concat!("let s = \"to", "do! unimple", "mented!\";\n");
        assert_eq!(unfinished(&[file("a.rs", text)]), []);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        let text = format!("see {}someone/notes\n", concat!("/ho", "me/"));
        assert_eq!(machine_paths(&[file("README.md", &text)]).len(), 1);
        assert_eq!(machine_paths(&[file("tests/data/a.zone", &text)]), []);
    }
}
