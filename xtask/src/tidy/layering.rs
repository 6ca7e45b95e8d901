//! Rules about manifests: which crate may use which, and why each dependency is there.
//!
//! Manifests are read line by line, in the plain form that this workspace writes them; no TOML library is brought in.

use super::{File, Finding};

/// Each member's folder, its package name, and the workspace's packages it may depend on.
const ARROWS: &[(&str, &str, &[&str])] = &[
    ("dnssec-sign", "dnssec-sign", &[]),
    ("hsm-core", "hsm-core", &[]),
    ("zone-io", "zone-io", &["dnssec-sign"]),
    ("pipeline", "signet-pipeline", &["dnssec-sign", "zone-io", "hsm-core"]),
    ("xtask", "xtask", &[]),
];

/// Crates where errors may be untyped.
const UNTYPED_ERRORS: &[&str] = &["pipeline", "xtask", "tests"];

/// A dependency as a manifest names it.
struct Dependency<'a> {
    package: &'a str,
    line: usize,
}

/// Crates depend on each other only along the agreed arrows; `anyhow` stays in the program, xtask and the tests.
pub(super) fn arrows(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some((folder, "Cargo.toml")) = file.path.split_once('/') else {
            continue;
        };
        for dependency in dependencies(&file.text) {
            let package = dependency.package;
            let ours = package == "signet-tests" || ARROWS.iter().any(|(_, name, _)| *name == package);
            let allowed = ARROWS
                .iter()
                .find(|(member, _, _)| *member == folder)
                .is_none_or(|(_, own, allowed)| package == *own || allowed.contains(&package));
            if ours && !allowed {
                let advice = format!("{folder} must not depend on {package}; see DESIGN: crates and arrows");
                findings.push(Finding::new(&file.path, dependency.line, advice));
            }
            if package == "anyhow" && !UNTYPED_ERRORS.contains(&folder) {
                let advice = "libraries have typed errors: use thiserror";
                findings.push(Finding::new(&file.path, dependency.line, advice));
            }
        }
    }
    findings
}

/// Every dependency and member of the workspace has its reason in a comment behind it; our own crates need none.
pub(super) fn reasons(files: &[File]) -> Vec<Finding> {
    let Some(root) = files.iter().find(|file| file.path == "Cargo.toml") else {
        return vec![Finding::new("Cargo.toml", 0, "missing")];
    };
    let mut findings = Vec::new();
    let (mut section, mut members) = ("", false);
    for (index, line) in root.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') && !members {
            section = line;
        }
        let entry = if section == "[workspace.dependencies]" {
            line.contains('=') && !line.starts_with('#') && !line.contains("path =")
        } else {
            members && line.starts_with('"')
        };
        members = section == "[workspace]" && (members || line.starts_with("members")) && !line.starts_with(']');
        if entry && !line.contains(" # ") {
            findings.push(Finding::new(
                &root.path,
                index + 1,
                "give its reason in a comment behind it",
            ));
        }
    }
    findings
}

/// All packages a member's manifest names as dependencies, in any section and for any target.
fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut listing = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        let number = index + 1;
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            listing = section.ends_with("dependencies");
            if let Some((before, package)) = section.rsplit_once('.')
                && before.ends_with("dependencies")
            {
                found.push(Dependency { package, line: number });
            }
        } else if listing && !line.starts_with('#') {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let renamed = value
                .split_once("package = \"")
                .and_then(|(_, rest)| rest.split('"').next());
            let key = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            found.push(Dependency {
                package: renamed.unwrap_or(key),
                line: number,
            });
        }
    }
    found
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
    fn an_arrow_against_the_design_is_found_in_every_spelling() {
        for text in [
            "[dependencies]\nzone-io.workspace = true\n",
            "[dev-dependencies]\nzone-io = { path = \"../zone-io\" }\n",
            "[target.'cfg(unix)'.dependencies]\nz = { path = \"../zone-io\", package = \"zone-io\" }\n",
            "[dependencies.zone-io]\npath = \"../zone-io\"\n",
        ] {
            assert_eq!(arrows(&[file("dnssec-sign/Cargo.toml", text)]).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_agreed_arrows_pass() {
        let files = [
            file("zone-io/Cargo.toml", "[dependencies]\ndnssec-sign.workspace = true\n"),
            file(
                "pipeline/Cargo.toml",
                "[dependencies]\nhsm-core.workspace = true\nanyhow.workspace = true\n",
            ),
            file("tests/Cargo.toml", "[dependencies]\nsignet-pipeline.workspace = true\n"),
        ];
        assert_eq!(arrows(&files), []);
    }

    #[test]
    fn untyped_errors_in_a_library_are_found() {
        let text = "[dependencies]\nanyhow.workspace = true\n";
        assert_eq!(arrows(&[file("hsm-core/Cargo.toml", text)]).len(), 1);
    }

    #[test]
    fn a_dependency_or_member_without_a_reason_is_found() {
        let text = "[workspace]\nmembers = [\n    \"a\", # reads\n    \"b\",\n]\n\n[workspace.dependencies]\na = { path = \"a\" }\n# Group.\nclap = \"4\" # flags\nrayon = \"1\"\n\n[profile.dev]\nopt-level = 1\n";
        let lines: Vec<usize> = reasons(&[file("Cargo.toml", text)]).iter().map(|f| f.line).collect();
        assert_eq!(lines, [4, 11]);
    }
}
