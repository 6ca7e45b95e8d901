//! A signed zone as records that can be changed one by one, and sets signed again with any fields: what faults are made
//! of. Knows no judge and no verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use data_encoding::BASE32HEX_NOPAD;
use dnssec_sign::{Class, Dnskey, Name, Nsec3Hasher, Nsec3Params, RecordType as T, SignatureBuf, SoftwareKey, rdata};
use signet_tests::{Role, Scratch, Signet};
use zone_io::{KeyFiles, PrivateHalf, ReadOptions, Reader, write_record};

use crate::signing::Pair;

pub const ORIGIN: &str = "mut.test.";
/// 2020 and 2036: as the suites' START and END.
pub const INCEPTION: u32 = 1_577_836_800;
pub const EXPIRATION: u32 = 2_114_380_800;

#[derive(Debug, Clone)]
pub struct Rec {
    pub owner: Name,
    pub ttl: u32,
    pub rtype: T,
    pub rdata: Vec<u8>,
}

/// How a set is signed where it is not as it should be.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pub labels: Option<u8>,
    pub original_ttl: Option<u32>,
    pub inception: Option<u32>,
    pub expiration: Option<u32>,
    pub signer: Option<&'static str>,
    pub tag: Option<u16>,
    /// The bytes that are signed are not in canonical form.
    pub wrong: Option<Wrong>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    OwnerCase,
    DataCase,
    Order,
    Class,
}

/// Zones signed before, by flags and body: most faults are put into the same three.
static SIGNED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

pub struct Workbench {
    pub records: Vec<Rec>,
    pub ksk: SoftwareKey,
    pub zsk: SoftwareKey,
    scratch: Scratch,
}

pub fn name(text: &str) -> Name {
    let origin: Name = ORIGIN.parse().unwrap();
    match text {
        "@" => origin,
        _ => Name::parse(text, Some(origin.borrow())).unwrap(),
    }
}

/// Key pairs on disk, opened.
pub fn open(files: &Pair, scratch: &Scratch) -> [SoftwareKey; 2] {
    files.both().map(|key| {
        let files = KeyFiles::read(scratch.folder(), Path::new(key.base_name())).unwrap();
        let PrivateHalf::Fields(fields) = files.private.unwrap().half else {
            panic!("a key on disk");
        };
        SoftwareKey::new(files.public.dnskey, &fields).unwrap()
    })
}

impl Workbench {
    /// A zone signed by signet.
    pub fn new(body: &str, flags: &[&str]) -> Self {
        let scratch = Scratch::new();
        let pair = Pair::of_bind("RSASHA256", ORIGIN, scratch.folder());
        let [ksk, zsk] = open(&pair, &scratch);
        let wanted = format!("{flags:?}{body}");
        let made = SIGNED.lock().unwrap().get(&wanted).cloned();
        let text = made.unwrap_or_else(|| {
            let zone = scratch.write("zone", format!("$ORIGIN {ORIGIN}\n$TTL 3600\n{body}"));
            let out = scratch.path("signed");
            Signet::sign(&zone, ORIGIN, &out, scratch.folder())
                .keys(&pair.both())
                .args(flags)
                .run()
                .succeeds();
            scratch.read("signed")
        });
        let records = read(&text);
        SIGNED.lock().unwrap().insert(wanted, text);
        Self {
            records,
            ksk,
            zsk,
            scratch,
        }
    }

    pub fn set(&self, owner: &str, rtype: T) -> Vec<&Rec> {
        let owner = name(owner);
        self.records
            .iter()
            .filter(|record| record.rtype == rtype && record.owner == owner)
            .collect()
    }

    pub fn remove(&mut self, owner: &str, rtype: T) -> &mut Self {
        let owner = name(owner);
        self.records
            .retain(|record| record.rtype != rtype || record.owner != owner);
        self
    }

    pub fn unsign(&mut self, owner: &str, rtype: T) -> &mut Self {
        let owner = name(owner);
        self.records
            .retain(|record| record.owner != owner || !covers(record, rtype));
        self
    }

    /// A set and its signatures.
    pub fn take(&mut self, owner: &str, rtype: T) -> &mut Self {
        self.remove(owner, rtype).unsign(owner, rtype)
    }

    /// Adds records written as master file lines.
    pub fn add(&mut self, lines: &str) -> &mut Self {
        self.records.extend(read(lines));
        self
    }

    pub fn edit(&mut self, owner: &str, rtype: T, change: impl Fn(&mut Rec)) -> &mut Self {
        let owner = name(owner);
        let mut found = false;
        for record in &mut self.records {
            if record.owner == owner && record.rtype == rtype {
                change(record);
                found = true;
            }
        }
        assert!(found, "{owner} {rtype}");
        self
    }

    /// Changes the RRSIGs over a set.
    pub fn edit_signatures(&mut self, owner: &str, rtype: T, change: impl Fn(&mut Rec)) -> &mut Self {
        let owner = name(owner);
        let mut found = false;
        for record in &mut self.records {
            if record.owner == owner && covers(record, rtype) {
                change(record);
                found = true;
            }
        }
        assert!(found, "{owner} RRSIG {rtype}");
        self
    }

    /// Signs a set again as it should be signed.
    pub fn sign(&mut self, owner: &str, rtype: T) -> &mut Self {
        self.sign_as(owner, rtype, &Fields::default())
    }

    /// Signs a set again, by the KSK and the ZSK for DNSKEY.
    pub fn sign_as(&mut self, owner: &str, rtype: T, fields: &Fields) -> &mut Self {
        self.unsign(owner, rtype);
        if rtype == T::DNSKEY {
            self.add_signature(Role::Ksk, owner, rtype, fields);
        }
        self.add_signature(Role::Zsk, owner, rtype, fields)
    }

    pub fn add_signature(&mut self, role: Role, owner: &str, rtype: T, fields: &Fields) -> &mut Self {
        let key = match role {
            Role::Ksk => &self.ksk,
            Role::Zsk => &self.zsk,
        };
        let record = self.signature(key, owner, rtype, fields);
        self.records.push(record);
        self
    }

    /// One RRSIG over a set; over nothing where there is no such set.
    pub fn signature(&self, key: &SoftwareKey, owner: &str, rtype: T, fields: &Fields) -> Rec {
        let set = self.set(owner, rtype);
        let owner = name(owner);
        let ttl = set.first().map_or(3600, |record| record.ttl);
        let original_ttl = fields.original_ttl.unwrap_or(ttl);
        let dnskey = key.dnskey();
        let mut rrsig = rtype.0.to_be_bytes().to_vec();
        rrsig.push(dnskey.algorithm().0);
        rrsig.push(fields.labels.unwrap_or(owner.borrow().rrsig_labels()));
        rrsig.extend(original_ttl.to_be_bytes());
        rrsig.extend(fields.expiration.unwrap_or(EXPIRATION).to_be_bytes());
        rrsig.extend(fields.inception.unwrap_or(INCEPTION).to_be_bytes());
        rrsig.extend(fields.tag.unwrap_or(dnskey.key_tag()).to_be_bytes());
        name(fields.signer.unwrap_or("@")).borrow().write_folded(&mut rrsig);
        let mut forms: Vec<Vec<u8>> = set.iter().map(|record| canonical(record, fields.wrong)).collect();
        forms.sort();
        forms.dedup();
        if fields.wrong == Some(Wrong::Order) {
            forms.reverse();
        }
        let mut message = rrsig.clone();
        for form in forms {
            match fields.wrong {
                Some(Wrong::OwnerCase) => message.extend(owner.borrow().wire().to_ascii_uppercase()),
                _ => owner.borrow().write_folded(&mut message),
            }
            let class = if fields.wrong == Some(Wrong::Class) { 3u16 } else { 1 };
            message.extend(rtype.0.to_be_bytes());
            message.extend(class.to_be_bytes());
            message.extend(original_ttl.to_be_bytes());
            message.extend(u16::try_from(form.len()).unwrap().to_be_bytes());
            message.extend(form);
        }
        let mut signature = SignatureBuf::default();
        key.sign(&message, &mut signature).unwrap();
        rrsig.extend(signature.bytes());
        Rec {
            owner,
            ttl,
            rtype: T::RRSIG,
            rdata: rrsig,
        }
    }

    /// Puts a DNSKEY into the set, with these flags.
    pub fn publish(&mut self, key: &Dnskey) -> &mut Self {
        self.records.push(Rec {
            owner: name("@"),
            ttl: 3600,
            rtype: T::DNSKEY,
            rdata: key.rdata().to_vec(),
        });
        self
    }

    /// The owner of the NSEC3 record for a name, below the origin; of no salt and no iterations.
    pub fn hashed(owner: &str) -> String {
        let parameters = Nsec3Params {
            iterations: 0,
            salt: Vec::new(),
            opt_out: false,
        };
        let (hash, _) = Nsec3Hasher::new(&parameters).hash(name(owner).borrow());
        BASE32HEX_NOPAD.encode(&hash)
    }

    /// Writes the zone and returns its path.
    pub fn write(&self) -> PathBuf {
        let mut text = Vec::new();
        // An SOA record first, as some readers want it.
        let (soa, rest): (Vec<_>, Vec<_>) = self.records.iter().partition(|record| record.rtype == T::SOA);
        for record in soa.into_iter().chain(rest) {
            write_record(
                record.owner.borrow(),
                record.ttl,
                Class::IN,
                record.rtype,
                &record.rdata,
                &mut text,
            );
        }
        self.scratch.write("changed", text)
    }
}

/// Whether a record is an RRSIG over a type.
pub fn covers(record: &Rec, rtype: T) -> bool {
    record.rtype == T::RRSIG && record.rdata.starts_with(&rtype.0.to_be_bytes())
}

fn canonical(record: &Rec, wrong: Option<Wrong>) -> Vec<u8> {
    let mut out = Vec::new();
    if wrong == Some(Wrong::DataCase) {
        out.extend(&record.rdata);
    } else {
        rdata::write_canonical(record.rtype, &record.rdata, &mut out);
    }
    out
}

fn read(text: &str) -> Vec<Rec> {
    let mut options = ReadOptions::new(name("@"));
    options.ttl = Some(3600);
    let mut reader = Reader::new(text.as_bytes(), &options);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record() {
        let record = record.unwrap_or_else(|fault| panic!("{fault}"));
        records.push(Rec {
            owner: record.owner.to_name(),
            ttl: record.ttl,
            rtype: record.rtype,
            rdata: record.rdata.to_vec(),
        });
    }
    records
}
