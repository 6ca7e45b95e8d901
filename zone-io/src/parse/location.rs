//! LOC from text (RFC 1876 3): degrees, minutes and seconds with a direction, twice; altitude and precisions in metres.

use super::field::Fields;
use super::number::fixed_point;
use crate::reason::Reason;
use crate::scan::Scanned;

/// The wire's zero of latitude and longitude.
const MERIDIAN: u32 = 1 << 31;
/// The wire's zero of altitude: 100 000 m below the reference spheroid, in centimetres.
const BOTTOM: u64 = 10_000_000;

/// How one of the two angles is written.
struct Angle {
    positive: u8,
    negative: u8,
    degrees: u32,
    form: &'static str,
}

const LATITUDE: Angle = Angle {
    positive: b'N',
    negative: b'S',
    degrees: 90,
    form: "a latitude such as 51 30 12.748 N",
};

const LONGITUDE: Angle = Angle {
    positive: b'E',
    negative: b'W',
    degrees: 180,
    form: "a longitude such as 0 7 39.611 W",
};

impl Fields<'_, '_> {
    /// A whole LOC record.
    pub(super) fn location(&mut self) -> Scanned<()> {
        let latitude = self.angle(&LATITUDE)?;
        let longitude = self.angle(&LONGITUDE)?;
        let altitude = self.altitude()?;
        // Size 1 m, horizontal precision 10 km, vertical precision 10 m, unless they are stated.
        let mut precisions = [0x12, 0x16, 0x13];
        for precision in &mut precisions {
            const FORM: &str = "a size or precision from 0 to 90000000.00m";
            let Some(token) = self.scan.token()? else {
                break;
            };
            match precision_of(token.text) {
                Some(stated) if !token.quoted => *precision = stated,
                _ => return token.fault(Reason::Expected(FORM)),
            }
        }
        self.out.push(0);
        self.out.extend_from_slice(&precisions);
        self.out.extend_from_slice(&latitude.to_be_bytes());
        self.out.extend_from_slice(&longitude.to_be_bytes());
        self.out.extend_from_slice(&altitude.to_be_bytes());
        Ok(())
    }

    /// Degrees, possibly minutes, possibly seconds with up to three decimals, and the direction.
    fn angle(&mut self, angle: &Angle) -> Scanned<u32> {
        let mut thousandths = 0u32;
        for part in 0..4 {
            let token = self.word(angle.form)?;
            let direction = match token.text {
                [letter] if part > 0 => *letter,
                _ => 0,
            };
            if direction == angle.positive || direction == angle.negative {
                if thousandths > angle.degrees * 3_600_000 {
                    return token.fault(Reason::Expected(angle.form));
                }
                return Ok(if direction == angle.positive {
                    MERIDIAN + thousandths
                } else {
                    MERIDIAN - thousandths
                });
            }
            // The largest value, the decimals, and the thousandths of a second of arc in a unit.
            let (most, decimals, unit) = match part {
                0 => (angle.degrees, 0, 3_600_000),
                1 => (59, 0, 60_000),
                2 => (59_999, 3, 1),
                _ => return token.fault(Reason::Expected(angle.form)),
            };
            let value = fixed_point(token.text, decimals).and_then(|value| u32::try_from(value).ok());
            match value {
                Some(value) if value <= most => thousandths += value * unit,
                _ => return token.fault(Reason::Expected(angle.form)),
            }
        }
        crate::scan::raw(self.scan.at, 1, Reason::Expected(angle.form))
    }

    /// Metres above the reference spheroid as the wire counts them.
    fn altitude(&mut self) -> Scanned<u32> {
        const FORM: &str = "an altitude from -100000.00m to 42849672.95m";
        let token = self.word(FORM)?;
        let altitude = match token.text {
            [b'-', depth @ ..] => centimetres(depth).and_then(|depth| BOTTOM.checked_sub(depth)),
            [b'+', height @ ..] | height => centimetres(height).and_then(|height| BOTTOM.checked_add(height)),
        };
        match altitude.and_then(|altitude| u32::try_from(altitude).ok()) {
            Some(altitude) => Ok(altitude),
            None => token.fault(Reason::Expected(FORM)),
        }
    }
}

fn centimetres(text: &[u8]) -> Option<u64> {
    fixed_point(text.strip_suffix(b"m").unwrap_or(text), 2)
}

/// A digit and a power of ten in centimetres; what the digit cannot say is cut off.
fn precision_of(text: &[u8]) -> Option<u8> {
    let mut digit = centimetres(text).filter(|value| *value <= 9_000_000_000)?;
    let mut power = 0;
    while digit > 9 {
        digit /= 10;
        power += 1;
    }
    u8::try_from(digit << 4 | power).ok()
}
