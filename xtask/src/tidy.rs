//! `cargo xtask tidy`: the project's conventions, checked over the tree as it lies on disk.
//!
//! A rule is a pure function from files to findings, so each is shown to fire on bad input by a test beside it. The whole tree is also
//! checked by `cargo test -p xtask`. What the compiler, clippy or rustfmt checks is not repeated here.

mod layering;
mod placement;
mod source;
mod wording;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use fs_err as fs;

use crate::layout;

/// A file of the tree: its path from the root with `/`, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// A breach of a rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    advice: String,
}

impl Finding {
    fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.advice),
            line => write!(f, "{}:{line}: {}", self.path, self.advice),
        }
    }
}

/// Checks the tree.
///
/// # Errors
/// When a rule is broken; the findings are printed to stderr.
pub(crate) fn run() -> Result<()> {
    let files = tree()?;
    let findings = check(&files);
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} breaches of the project's conventions", findings.len());
    }
    eprintln!("tidy: {} files, nothing to say", files.len());
    Ok(())
}

/// A convention: from all files to its breaches.
type Rule = fn(&[File]) -> Vec<Finding>;

/// Every rule over all files.
fn check(files: &[File]) -> Vec<Finding> {
    let rules: [Rule; 9] = [
        placement::top_level,
        placement::names,
        placement::size,
        layering::arrows,
        layering::reasons,
        source::headings,
        source::unsafe_code,
        wording::unfinished,
        wording::machine_paths,
    ];
    rules.iter().flat_map(|rule| rule(files)).collect()
}

/// The files of the repository: everything below the root but git's folder, build output and what is not text.
fn tree() -> Result<Vec<File>> {
    let root = layout::root();
    let mut files = Vec::new();
    walk(&root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if name != "target" && path != ".git" {
                walk(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if path != ".git" {
            // Binary test data is listed by name with no text.
            let text = String::from_utf8(fs::read(entry.path())?).unwrap_or_default();
            files.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() -> Result<()> {
        let findings = check(&tree()?);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
        Ok(())
    }

    #[test]
    fn a_finding_says_where() {
        assert_eq!(Finding::new("a.rs", 3, "split it").to_string(), "a.rs:3: split it");
        assert_eq!(Finding::new("a.rs", 0, "split it").to_string(), "a.rs: split it");
    }
}
