//! The files that each zone of `--zones` has of its own: `{zone}` in a flag's value is the zone's name, as the names of key files
//! have it but for the last dot. The lines of the list name the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dnssec_sign::Name;
use signet_pipeline::{Error, JournalConfig, SignConfig};
use zone_io::{AtomicFile, InFileName};

use super::OutputFlags;

/// What stands for a zone's name.
const ZONE: &str = "{zone}";

/// The flags' values, none of which is a file yet.
#[derive(Debug, Default)]
pub(super) struct PerZone {
    journal: Option<Template>,
    html: Option<Template>,
    reuse: Option<Template>,
    dnskey_set: Option<Template>,
}

/// One flag and its value.
#[derive(Debug)]
struct Template {
    flag: &'static str,
    text: String,
}

impl Template {
    fn of(flag: &'static str, value: Option<&Path>) -> Result<Option<Self>, Error> {
        let Some(value) = value else { return Ok(None) };
        match value.to_str() {
            Some(text) if text.contains(ZONE) => Ok(Some(Self {
                flag,
                text: text.to_owned(),
            })),
            _ => Err(Error::Usage(format!(
                "{flag} {}: with --zones each zone has a file of its own: write {ZONE} where its name is to stand, as in \
                 {flag} {}/{ZONE}",
                value.display(),
                value.parent().unwrap_or_else(|| Path::new(".")).display()
            ))),
        }
    }

    fn path(&self, origin: &Name) -> PathBuf {
        let name = InFileName(origin.borrow()).to_string();
        let name = match name.strip_suffix('.') {
            Some("") | None => "root",
            Some(name) => name,
        };
        self.text.replace(ZONE, name).into()
    }
}

impl PerZone {
    /// What the flags say, `typed` being the configuration before any zone's name stands in it.
    ///
    /// # Errors
    /// [`Error::Usage`] for a value without a place for the name.
    pub(super) fn new(typed: &SignConfig, outputs: &OutputFlags) -> Result<Self, Error> {
        let journal = typed.journal.as_ref().map(|journal| journal.path.as_path());
        Ok(Self {
            journal: Template::of("--journal", journal)?,
            html: Template::of("--html", outputs.html.as_deref())?,
            reuse: Template::of("--reuse", typed.reuse.previous.as_deref())?,
            dnskey_set: Template::of("--dnskey-set", typed.reuse.dnskey_set.as_deref())?,
        })
    }

    /// Gives a zone's configuration its own files.
    pub(super) fn apply(&self, config: &mut SignConfig) {
        let path = |template: &Option<Template>| template.as_ref().map(|template| template.path(&config.origin));
        let journal = path(&self.journal);
        let (previous, dnskey_set) = (path(&self.reuse), path(&self.dnskey_set));
        config.journal = config.journal.take().and_then(|typed| {
            let resume = typed.resume;
            journal.map(|path| JournalConfig { path, resume })
        });
        config.reuse.previous = previous;
        config.reuse.dnskey_set = dnskey_set;
    }

    /// The zone's page.
    pub(super) fn page(&self, origin: &Name) -> Option<PathBuf> {
        self.html.as_ref().map(|template| template.path(origin))
    }

    /// Finds out whether two zones would write one file, and whether pages can be written. Nothing is left of that.
    ///
    /// # Errors
    /// [`Error::Usage`] for zones with the same name, [`Error::Zone`] with the system's reason.
    pub(super) fn prove<'a>(&self, origins: impl Iterator<Item = &'a Name>) -> Result<(), Error> {
        let mut taken: BTreeMap<PathBuf, &Name> = BTreeMap::new();
        for origin in origins {
            for template in [&self.journal, &self.html].into_iter().flatten() {
                let path = template.path(origin);
                let shown = path.display().to_string();
                if let Some(other) = taken.insert(path, origin) {
                    return Err(Error::Usage(format!(
                        "{} {}: {shown} would be the file of {other} and of {origin}",
                        template.flag, template.text
                    )));
                }
            }
            if let Some(page) = self.page(origin) {
                drop(AtomicFile::create(&page)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<Option<Template>, Error> {
        Template::of("--html", Some(Path::new(text)))
    }

    #[test]
    fn a_zones_name_stands_in_its_files_names() {
        let template = template("pages/{zone}.d/{zone}.html").unwrap().unwrap();
        for (origin, path) in [
            ("Example.COM.", "pages/example.com.d/example.com.html"),
            (
                "0/25.2.0.192.in-addr.arpa.",
                "pages/0%2F25.2.0.192.in-addr.arpa.d/0%2F25.2.0.192.in-addr.arpa.html",
            ),
            ("\\.\\.\\.", "pages/%2E%2E%2E.d/%2E%2E%2E.html"),
            (".", "pages/root.d/root.html"),
        ] {
            assert_eq!(template.path(&origin.parse().unwrap()), PathBuf::from(path));
        }
    }

    #[test]
    fn one_file_for_all_zones_is_refused() {
        let error = template("pages/all.html").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("pages/{zone}"), "{error}");
        let files = PerZone {
            journal: template("/nowhere/{zone}").unwrap(),
            ..PerZone::default()
        };
        let origins: Vec<Name> = ["a.", "b.", "A."].map(|name| name.parse().unwrap()).into();
        files.prove(origins[..2].iter()).unwrap();
        let error = files.prove(origins.iter()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("/nowhere/a would be"), "{error}");
    }
}
