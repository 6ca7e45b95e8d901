//! Two bytes of a type and RDATA behind them: what is data of the type becomes text and the same bytes again, in every
//! form; what is not is refused in RFC 3597 form and written in it. Other text of a type is the business of `round_trip`.

use dnssec_sign::{RecordType, rdata};
use zone_io::{Mnemonics, Outside, ReadOptions, Reader, write_generic_rdata, write_rdata};

/// Checks one input.
///
/// # Panics
/// When the property does not hold.
pub fn check(bytes: &[u8]) {
    let Some((number, wire)) = bytes.split_first_chunk() else {
        return;
    };
    let rtype = RecordType(u16::from_be_bytes(*number));
    if rtype.is_meta() || wire.len() > usize::from(u16::MAX) {
        return;
    }
    let checked = rdata::check(rtype, wire);
    let mut text = Vec::new();
    write_generic_rdata(wire, &mut text);
    match (read(rtype, &text), checked) {
        (Some(read), Ok(())) => assert_eq!(read, wire),
        (None, Err(_)) => {}
        (read, checked) => panic!("{read:?} in generic form, and {checked:?}"),
    }
    for mnemonics in [Mnemonics::All, Mnemonics::Portable] {
        text.clear();
        write_rdata(rtype, wire, mnemonics, &mut text);
        let shown = String::from_utf8_lossy(&text);
        assert!(text.iter().all(|byte| (0x20..0x7f).contains(byte)), "{shown}");
        if checked.is_ok() {
            assert_eq!(read(rtype, &text).as_deref(), Some(wire), "{shown}");
        } else {
            assert!(text.starts_with(b"\\#"), "{shown}");
        }
    }
    if checked.is_ok() {
        canonical(rtype, wire);
    }
}

/// Canonical form differs in the case of letters alone, and is its own canonical form.
fn canonical(rtype: RecordType, wire: &[u8]) {
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    rdata::write_canonical(rtype, wire, &mut once);
    rdata::write_canonical(rtype, &once, &mut twice);
    assert!(once.eq_ignore_ascii_case(wire));
    assert!(once == wire || rdata::folds(rtype));
    assert_eq!(once, twice);
    assert_eq!(rdata::check(rtype, &once), Ok(()));
}

/// RDATA of the one record with this text.
fn read(rtype: RecordType, data: &[u8]) -> Option<Vec<u8>> {
    let mut text = format!("x 60 TYPE{} ", rtype.0).into_bytes();
    text.extend_from_slice(data);
    text.push(b'\n');
    let mut options = ReadOptions::new("example.".parse().expect("a name"));
    options.outside = Outside::Keep;
    let mut reader = Reader::new(&text, &options);
    let wire = reader.next_record()?.ok()?.rdata.to_vec();
    assert!(reader.next_record().is_none(), "one line is one record");
    Some(wire)
}
