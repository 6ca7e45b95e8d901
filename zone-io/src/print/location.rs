//! LOC as text (RFC 1876 3), each part of it written out, as BIND does.

use super::number::{write_decimal, write_padded};

/// Appends a LOC record of version 0; `None` for another version.
pub(super) fn write_location(rdata: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (head, numbers) = rdata.split_first_chunk::<4>()?;
    let &[0, size, horizontal, vertical] = head else {
        return None;
    };
    let ([latitude, longitude, altitude], []) = numbers.as_chunks::<4>() else {
        return None;
    };
    write_angle(u32::from_be_bytes(*latitude), [b'N', b'S'], out);
    out.push(b' ');
    write_angle(u32::from_be_bytes(*longitude), [b'E', b'W'], out);
    out.push(b' ');
    write_altitude(u32::from_be_bytes(*altitude), out);
    for precision in [size, horizontal, vertical] {
        out.push(b' ');
        write_precision(precision, out);
    }
    Some(())
}

/// Thousandths of a second of arc from the meridian or the equator, which is 2³¹.
fn write_angle(angle: u32, [positive, negative]: [u8; 2], out: &mut Vec<u8>) {
    let thousandths = angle.abs_diff(1 << 31);
    write_decimal(thousandths / 3_600_000, out);
    out.push(b' ');
    write_decimal(thousandths / 60_000 % 60, out);
    out.push(b' ');
    write_decimal(thousandths / 1_000 % 60, out);
    out.push(b'.');
    write_padded(thousandths % 1_000, 3, out);
    out.extend_from_slice(&[b' ', if angle >= 1 << 31 { positive } else { negative }]);
}

/// Centimetres from 100 000 m below the reference spheroid.
fn write_altitude(altitude: u32, out: &mut Vec<u8>) {
    const SPHEROID: u32 = 10_000_000;
    if altitude < SPHEROID {
        out.push(b'-');
    }
    let centimetres = altitude.abs_diff(SPHEROID);
    write_decimal(centimetres / 100, out);
    out.push(b'.');
    write_padded(centimetres % 100, 2, out);
    out.push(b'm');
}

/// A digit and a power of ten in centimetres.
fn write_precision(precision: u8, out: &mut Vec<u8>) {
    let (digit, power) = (precision >> 4, precision & 15);
    match power {
        0 => out.extend_from_slice(&[b'0', b'.', b'0', b'0' + digit]),
        1 => out.extend_from_slice(&[b'0', b'.', b'0' + digit, b'0']),
        _ => {
            out.push(b'0' + digit);
            out.extend(std::iter::repeat_n(b'0', usize::from(power - 2)));
        }
    }
    out.push(b'm');
}
