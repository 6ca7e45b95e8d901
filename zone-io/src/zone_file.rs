//! Records into the file of a zone, one a line, which takes the place of the old one in one step when all are written.
//! What the records are is not judged; sets are put into canonical form where whole nodes are written.

use std::path::Path;

use dnssec_sign::{CanonicalSet, Class, NameRef, Node, RecordType};

use crate::error::Error;
use crate::print::{Mnemonics, write_generic, write_rdata, write_record};
use crate::writer::AtomicFile;

/// Text is handed on in blocks of this size.
const BLOCK: usize = 64 * 1024;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextForm {
    /// In the presentation format of their types.
    #[default]
    Plain,
    /// In RFC 3597 form where not all other programs read the type.
    Portable,
    /// All in RFC 3597 form: class and type by number, data in hexadecimal.
    Generic,
}

/// Writes the file of a zone. Dropped before [`publish`](Self::publish), it leaves nothing behind.
///
/// ```
/// use zone_io::{ZoneBuilder, ZoneFile};
///
/// let mut builder = ZoneBuilder::new("example.".parse()?);
/// builder.push_text("www 300 A 192.0.2.2\nwww 60 A 192.0.2.1\n@ 3600 NS Ns.Example.net.")?;
/// let zone = builder.finish();
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("example.zone");
/// let mut file = ZoneFile::create(&path)?;
/// let mut nodes = zone.nodes();
/// while let Some(node) = nodes.next_node() {
///     file.write_node(&node)?;
/// }
/// assert!(!path.exists());
/// assert_eq!(file.publish()?, 3);
/// assert_eq!(
///     std::fs::read_to_string(&path)?,
///     "example.\t3600\tIN\tNS\tNs.Example.net.\n\
///      www.example.\t60\tIN\tA\t192.0.2.1\n\
///      www.example.\t60\tIN\tA\t192.0.2.2\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ZoneFile {
    file: AtomicFile,
    text: Vec<u8>,
    class: Class,
    form: TextForm,
    set: CanonicalSet,
    records: u64,
}

impl ZoneFile {
    /// Starts a file that will be at `path`: class IN, plain form.
    ///
    /// # Errors
    /// [`Error::Io`] when the directory is missing or not writable, or something other than a regular file has the name.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            file: AtomicFile::create(path)?,
            text: Vec::with_capacity(2 * BLOCK),
            class: Class::IN,
            form: TextForm::Plain,
            set: CanonicalSet::default(),
            records: 0,
        })
    }

    /// Writes records of another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Writes in another form.
    #[must_use]
    pub fn with_form(mut self, form: TextForm) -> Self {
        self.form = form;
        self
    }

    /// Writes one record behind those before it; `rdata` has uncompressed wire form.
    ///
    /// # Errors
    /// [`Error::Io`], as when the disk is full.
    pub fn write(&mut self, owner: NameRef<'_>, ttl: u32, rtype: RecordType, rdata: &[u8]) -> Result<(), Error> {
        self.append(owner, ttl, rtype, rdata);
        self.hand_on(BLOCK)
    }

    /// Writes the records of a node: each set in canonical order (RFC 4034 6.3), equal records once, and with the smallest
    /// of its TTLs (RFC 2181 5.2); RRSIG records keep theirs.
    ///
    /// # Errors
    /// [`Error::Io`], as when the disk is full.
    pub fn write_node(&mut self, node: &Node<'_>) -> Result<(), Error> {
        let mut set = std::mem::take(&mut self.set);
        for records in node.sets() {
            set.load(records);
            for record in set.order().filter_map(|at| records.get(at)) {
                let ttl = match record.rtype {
                    RecordType::RRSIG => record.ttl,
                    _ => set.ttl(),
                };
                self.append(node.owner, ttl, record.rtype, record.rdata);
            }
        }
        self.set = set;
        self.hand_on(BLOCK)
    }

    fn append(&mut self, owner: NameRef<'_>, ttl: u32, rtype: RecordType, rdata: &[u8]) {
        match self.form {
            TextForm::Plain => write_record(owner, ttl, self.class, rtype, rdata, &mut self.text),
            TextForm::Generic => write_generic(owner, ttl, self.class, rtype, rdata, &mut self.text),
            TextForm::Portable => {
                owner.write_text(&mut self.text);
                crate::print::write_middle(ttl, self.class, rtype, Mnemonics::Portable, &mut self.text);
                write_rdata(rtype, rdata, Mnemonics::Portable, &mut self.text);
                self.text.push(b'\n');
            }
        }
        self.records += 1;
    }

    fn hand_on(&mut self, least: usize) -> Result<(), Error> {
        if self.text.len() >= least {
            self.file.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    /// The number of records so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Puts the file at its path in place of what is there, data and directory synced to disk; returns the number of
    /// records.
    ///
    /// # Errors
    /// [`Error::Io`]; what was there is as it was then.
    pub fn publish(mut self) -> Result<u64, Error> {
        self.hand_on(1)?;
        self.file.publish()?;
        Ok(self.records)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::build::ZoneBuilder;

    fn written(text: &str, form: TextForm) -> String {
        let mut builder = ZoneBuilder::new("example.".parse().unwrap());
        builder.push_text(text).unwrap();
        let zone = builder.finish();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        let mut file = ZoneFile::create(&path).unwrap().with_form(form);
        let mut nodes = zone.nodes();
        while let Some(node) = nodes.next_node() {
            file.write_node(&node).unwrap();
        }
        file.publish().unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn each_form_reads_as_the_same_zone() {
        let text = "@ 5 MX 1 Mail\na 5 WALLET x y\na 6 WALLET x y\na 7 TYPE65280 \\# 1 ab\n";
        let plain = written(text, TextForm::Plain);
        assert_eq!(plain.lines().count(), 3, "equal records once: {plain}");
        for form in [TextForm::Plain, TextForm::Portable, TextForm::Generic] {
            assert_eq!(written(&written(text, form), TextForm::Plain), plain);
        }
        assert!(written(text, TextForm::Portable).contains("TYPE262\t\\# "));
        assert!(
            written(text, TextForm::Generic)
                .lines()
                .all(|line| line.contains("\tCLASS1\tTYPE"))
        );
    }

    #[test]
    fn blocks_are_handed_on_and_a_drop_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        let mut file = ZoneFile::create(&path).unwrap();
        for _ in 0..10_000 {
            file.write(NameRef::ROOT, 1, RecordType::A, &[192, 0, 2, 1]).unwrap();
        }
        assert!(file.text.len() < 2 * BLOCK && file.records() == 10_000);
        drop(file);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}
