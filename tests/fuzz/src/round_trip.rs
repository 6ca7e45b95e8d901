//! Text: the records that are read from it are written in each form, and what is read from that is the same, byte by
//! byte. Text that is no master file yields the records between its faults, or none.

use dnssec_sign::{Class, Name, RecordType, rdata};
use zone_io::{Mnemonics, Outside, OwnerLines, ReadOptions, Reader, write_generic, write_record};

/// So many records of one input are looked at: $GENERATE makes millions of one line.
const MOST_RECORDS: usize = 200;

#[derive(Debug, PartialEq, Eq)]
struct Record {
    /// The owner's wire form, letter case kept.
    owner: Vec<u8>,
    rtype: RecordType,
    ttl: u32,
    rdata: Vec<u8>,
}

/// Checks one input.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let (records, _) = read(bytes, "example.");
    if records.is_empty() {
        return;
    }
    for record in &records {
        assert_eq!(rdata::check(record.rtype, &record.rdata), Ok(()), "{record:?}");
    }
    let (all, portable) = (
        OwnerLines::new(Class::IN).with_mnemonics(Mnemonics::All),
        OwnerLines::new(Class::IN),
    );
    let line = |mut lines: OwnerLines| {
        move |record: &Record, out: &mut Vec<u8>| {
            lines.set_owner(name(&record.owner).borrow());
            lines.write_record(record.ttl, record.rtype, &record.rdata, out);
        }
    };
    let single = |record: &Record, out: &mut Vec<u8>| {
        let owner = name(&record.owner);
        write_record(owner.borrow(), record.ttl, Class::IN, record.rtype, &record.rdata, out);
    };
    let generic = |record: &Record, out: &mut Vec<u8>| {
        let owner = name(&record.owner);
        write_generic(owner.borrow(), record.ttl, Class::IN, record.rtype, &record.rdata, out);
    };
    let text = same(&records, single);
    assert_eq!(text, same(&records, line(all)));
    same(&records, line(portable));
    same(&records, generic);
}

fn name(wire: &[u8]) -> Name {
    dnssec_sign::NameRef::from_wire(wire)
        .expect("a name that was read")
        .to_name()
}

/// Writes the records, reads them again, and returns the text.
fn same(records: &[Record], mut write: impl FnMut(&Record, &mut Vec<u8>)) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        let start = text.len();
        write(record, &mut text);
        let (line, end) = text[start..].split_at(text.len() - start - 1);
        assert_eq!(end, b"\n");
        let odd = |byte: &u8| *byte != b'\t' && !(0x20..0x7f).contains(byte);
        assert!(!line.iter().any(odd), "{}", String::from_utf8_lossy(line));
    }
    let (again, faults) = read(&text, ".");
    assert_eq!(faults, Vec::<String>::new(), "{}", String::from_utf8_lossy(&text));
    assert_eq!(again, records, "{}", String::from_utf8_lossy(&text));
    text
}

fn read(text: &[u8], origin: &str) -> (Vec<Record>, Vec<String>) {
    let mut options = ReadOptions::new(origin.parse().expect("a name"));
    options.outside = Outside::Keep;
    let mut reader = Reader::new(text, &options);
    let (mut records, mut faults) = (Vec::new(), Vec::new());
    while let Some(result) = reader.next_record() {
        match result {
            Ok(record) => records.push(Record {
                owner: record.owner.wire().to_vec(),
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: record.rdata.to_vec(),
            }),
            Err(fault) => faults.push(fault.to_string()),
        }
        if records.len() + faults.len() >= MOST_RECORDS {
            break;
        }
    }
    (records, faults)
}
