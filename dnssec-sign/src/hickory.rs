//! Names, types, classes and records to hickory-proto's and back, for embedders whose zones are made of its types (feature
//! `hickory`). The bridge is the wire form, so what hickory-proto does not model is lost on its side, never on ours.

use crate::name::{Name, NameError, NameRef};
use crate::plan::OwnedRecord;
use crate::record::RecordRef;
use crate::rtype::{Class, RecordType};
use hickory_proto::ProtoError;
use hickory_proto::rr::{self, DNSClass, RData, Record};
use hickory_proto::serialize::binary::{BinDecoder, BinEncodable as _, BinEncoder, NameEncoding, Restrict};

impl From<RecordType> for rr::RecordType {
    fn from(rtype: RecordType) -> Self {
        rtype.0.into()
    }
}

impl From<rr::RecordType> for RecordType {
    fn from(rtype: rr::RecordType) -> Self {
        Self(rtype.into())
    }
}

impl From<Class> for DNSClass {
    fn from(class: Class) -> Self {
        class.0.into()
    }
}

impl From<DNSClass> for Class {
    fn from(class: DNSClass) -> Self {
        Self(class.into())
    }
}

impl TryFrom<NameRef<'_>> for rr::Name {
    type Error = ProtoError;

    /// Letter case is kept; the name is absolute.
    fn try_from(name: NameRef<'_>) -> Result<Self, ProtoError> {
        Self::from_labels(name.labels())
    }
}

impl TryFrom<&rr::Name> for Name {
    type Error = NameError;

    /// Letter case is kept; a relative name is taken for an absolute one.
    fn try_from(name: &rr::Name) -> Result<Self, NameError> {
        let mut wire = Vec::new();
        for label in name.iter() {
            wire.push(u8::try_from(label.len()).map_err(|_| NameError::LabelTooLong)?);
            wire.extend_from_slice(label);
        }
        wire.push(0);
        NameRef::from_wire(&wire).map(NameRef::to_name)
    }
}

impl TryFrom<RecordRef<'_>> for RData {
    type Error = ProtoError;

    fn try_from(record: RecordRef<'_>) -> Result<Self, ProtoError> {
        let length = u16::try_from(record.rdata.len())
            .map_err(|_| ProtoError::from("RDATA of more than 65535 bytes".to_owned()))?;
        let mut decoder = BinDecoder::new(record.rdata);
        Self::read(&mut decoder, record.rtype.into(), Restrict::new(length)).map_err(ProtoError::from)
    }
}

impl TryFrom<&Record> for OwnedRecord {
    type Error = ProtoError;

    /// RDATA becomes uncompressed wire form, letter case kept.
    fn try_from(record: &Record) -> Result<Self, ProtoError> {
        let mut rdata = Vec::new();
        let mut encoder = BinEncoder::new(&mut rdata);
        encoder.set_name_encoding(NameEncoding::Uncompressed);
        record.data.emit(&mut encoder)?;
        Ok(Self {
            rtype: record.record_type().into(),
            ttl: record.ttl,
            rdata,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::record::Locus;

    #[test]
    fn names_go_there_and_back() {
        for text in [".", "example.", "MiXed.Example.", r"a\.b.\000.example.", "*.example."] {
            let name: Name = text.parse().unwrap();
            let theirs = rr::Name::try_from(name.borrow()).unwrap();
            let back = Name::try_from(&theirs).unwrap();
            assert_eq!(back.borrow().wire(), name.borrow().wire());
        }
    }

    #[test]
    fn records_go_there_and_back() {
        let owner = rr::Name::from_ascii("example.").unwrap();
        for (rtype, rdata) in [
            (RecordType::A, &[192, 0, 2, 1][..]),
            (RecordType::MX, b"\x00\x0a\x04Mail\x07example\x00"),
            (RecordType::TXT, b"\x02hi\x00"),
            (RecordType(65280), b"any bytes"),
        ] {
            let record = RecordRef {
                rtype,
                ttl: 60,
                rdata,
                locus: Locus::default(),
            };
            let data = RData::try_from(record).unwrap();
            let theirs = Record::from_rdata(owner.clone(), 60, data);
            let back = OwnedRecord::try_from(&theirs).unwrap();
            assert_eq!((back.rtype, back.ttl, &*back.rdata), (rtype, 60, rdata));
        }
    }

    #[test]
    fn numbers_go_there_and_back() {
        for number in [1, 6, 46, 47, 50, 63, 257, 65280] {
            let theirs = rr::RecordType::from(RecordType(number));
            assert_eq!(RecordType::from(theirs), RecordType(number));
        }
        assert_eq!(Class::from(DNSClass::from(Class::IN)), Class::IN);
    }
}
