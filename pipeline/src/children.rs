//! DS records of children from their `dsset-` files, which take the place of those in the zone. Who is a delegation is the
//! zone's to say; a child's keys are not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dnssec_sign::{Locus, Name, NodeList, RecordRef, RecordType};
use zone_io::{Outside, ReadOptions, Reader};

use crate::config::{ChildrenConfig, MissingDsset, SignConfig};
use crate::error::Error;

/// So many delegations are named in a warning.
const MOST_NAMED: usize = 5;

/// The DS sets of a folder's files, by the children's keys.
pub(crate) struct Children {
    sets: BTreeMap<Vec<u8>, Vec<Box<[u8]>>>,
    missing: MissingDsset,
    without: Mutex<Without>,
}

/// Delegations with DS records and no file.
#[derive(Default)]
struct Without {
    count: u64,
    /// The first of them in canonical order, by key.
    first: BTreeSet<(Vec<u8>, String)>,
}

impl Children {
    /// Reads the files `dsset-NAME` of names below the origin.
    ///
    /// # Errors
    /// [`Error::Io`] for a folder or file that cannot be read, [`Error::Input`] for one that is no DS set of its child.
    pub(crate) fn read(children: &ChildrenConfig, config: &SignConfig) -> Result<Self, Error> {
        let origin = config.origin.to_folded();
        let mut sets = BTreeMap::new();
        for entry in fs::read_dir(&children.folder).map_err(Error::io(&children.folder))? {
            let path = entry.map_err(Error::io(&children.folder))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_prefix("dsset-")) else {
                continue;
            };
            let Ok(child) = Name::parse(name, Some(Name::root().borrow())) else {
                continue;
            };
            if child.borrow() == origin.borrow() || !child.borrow().is_at_or_below(origin.borrow()) {
                continue;
            }
            let key = child.key()[origin.key().len()..].to_vec();
            sets.insert(key, read_set(&path, &child)?);
        }
        Ok(Self {
            sets,
            missing: children.missing,
            without: Mutex::default(),
        })
    }

    /// Puts the files' DS records in place of the zone's.
    pub(crate) fn apply<'r>(&'r self, nodes: &mut NodeList<'r>) {
        let mut without = Without::default();
        let mut records = Vec::new();
        for index in 0..nodes.len() {
            let node = nodes.node(index);
            let Some(ttl) = node.set(RecordType::NS).first().map(|record| record.ttl) else {
                continue;
            };
            if node.key.is_empty() {
                continue;
            }
            records.clear();
            match self.sets.get(node.key) {
                Some(set) => records.extend(set.iter().map(|rdata| RecordRef {
                    rtype: RecordType::DS,
                    ttl,
                    rdata,
                    locus: Locus::default(),
                })),
                None if !node.has(RecordType::DS) => continue,
                None => {
                    without.add(node.key, node.owner.to_name().to_string());
                    if self.missing == MissingDsset::Keep {
                        continue;
                    }
                }
            }
            nodes.replace_set(index, RecordType::DS, &records);
        }
        let mut all = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        all.count += without.count;
        all.first.append(&mut without.first);
        while all.first.len() > MOST_NAMED {
            all.first.pop_last();
        }
    }

    /// What should be known of delegations without a file.
    pub(crate) fn warning(&self, folder: &Path) -> Option<String> {
        let without = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = without.first.iter().map(|(_, name)| name.as_str()).collect();
        let more = if without.count > names.len() as u64 {
            ", …"
        } else {
            ""
        };
        let what = match self.missing {
            MissingDsset::Keep => "keep the DS records of the zone file; --drop-ds removes them",
            MissingDsset::Drop => "lose their DS records and become insecure",
        };
        (without.count > 0).then(|| {
            format!(
                "{} delegations without a dsset- file in {} {what}: {}{more}",
                without.count,
                folder.display(),
                names.join(", ")
            )
        })
    }
}

impl Without {
    fn add(&mut self, key: &[u8], name: String) {
        self.count += 1;
        if self.first.len() < MOST_NAMED {
            self.first.insert((key.to_vec(), name));
        }
    }
}

/// The DS records of a child in its file.
fn read_set(path: &Path, child: &Name) -> Result<Vec<Box<[u8]>>, Error> {
    let text = fs::read(path).map_err(Error::io(path))?;
    let mut options = ReadOptions::new(child.clone());
    options.outside = Outside::Keep;
    options.ttl = Some(0);
    options.name = path.display().to_string().into();
    let mut reader = Reader::new(&text, &options);
    let mut set: Vec<Box<[u8]>> = Vec::new();
    while let Some(record) = reader.next_record() {
        let record = record.map_err(|fault| Error::Input(fault.to_string()))?;
        if record.rtype != RecordType::DS || record.owner != child.borrow() {
            return Err(Error::Input(format!(
                "{}:{}: {} {}: a dsset- file has DS records of {child} alone",
                path.display(),
                record.line,
                record.owner,
                record.rtype
            )));
        }
        set.push(record.rdata.into());
    }
    if set.is_empty() {
        return Err(Error::Input(format!(
            "{}: no DS record: remove the file, or take the child's from it again",
            path.display()
        )));
    }
    set.sort();
    set.dedup();
    Ok(set)
}
