//! The second decoder: every record's RDATA is read by hickory-proto, so a fault in the project's own codec does not
//! confirm itself. It is a check, not a source: the canonical form comes from the wire bytes (`canonical`), since
//! hickory-proto drops what it does not model. Types it does not know pass as they are (RFC 3597).

use crate::rtype::RecordType;
use hickory_proto::rr::RData;
use hickory_proto::serialize::binary::{BinDecoder, Restrict};

/// What the second decoder says of one record's RDATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It reads it.
    Good,
    /// It does not, for a type where it asks more than the shape: flags, known parameters.
    Doubtful(String),
    /// It does not, for a type where it asks for nothing but the shape.
    Malformed(String),
}

/// Reads RDATA with hickory-proto.
pub(super) fn decode(rtype: RecordType, rdata: &[u8]) -> Decoded {
    let Ok(length) = u16::try_from(rdata.len()) else {
        return Decoded::Malformed("RDATA of more than 65535 bytes".to_owned());
    };
    match RData::read(&mut BinDecoder::new(rdata), rtype.0.into(), Restrict::new(length)) {
        Ok(_) => Decoded::Good,
        Err(error) if asks_for_shape_only(rtype) => Decoded::Malformed(error.to_string()),
        Err(error) => Decoded::Doubtful(error.to_string()),
    }
}

fn asks_for_shape_only(rtype: RecordType) -> bool {
    matches!(
        rtype,
        RecordType::A
            | RecordType::AAAA
            | RecordType::NS
            | RecordType::CNAME
            | RecordType::PTR
            | RecordType::MX
            | RecordType::SOA
            | RecordType::SRV
            | RecordType::TXT
            | RecordType::HINFO
            | RecordType::DS
            | RecordType::CDS
            | RecordType::RRSIG
            | RecordType::NSEC
            | RecordType::TLSA
            | RecordType::SMIMEA
            | RecordType::SSHFP
            | RecordType::OPENPGPKEY
    ) || rtype.is_meta()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_count_and_unknown_types_pass() {
        assert_eq!(decode(RecordType::A, &[1, 2, 3, 4]), Decoded::Good);
        assert!(matches!(decode(RecordType::A, &[1, 2, 3]), Decoded::Malformed(_)));
        assert!(matches!(decode(RecordType::A, &[1, 2, 3, 4, 5]), Decoded::Malformed(_)));
        assert!(matches!(
            decode(RecordType::MX, b"\x00\x01\x02a"),
            Decoded::Malformed(_)
        ));
        assert!(matches!(decode(RecordType::ANY, b""), Decoded::Malformed(_)));
        assert_eq!(decode(RecordType(65280), b"anything"), Decoded::Good);
        assert_eq!(decode(RecordType(65280), b""), Decoded::Good);
        // CSYNC flags beyond the two that are defined (RFC 7477 2.1.1.2).
        assert!(matches!(
            decode(RecordType::CSYNC, b"\x00\x00\x00\x01\x00\x04"),
            Decoded::Doubtful(_)
        ));
    }
}
