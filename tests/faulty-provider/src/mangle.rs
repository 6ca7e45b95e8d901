//! Signatures and EC points made wrong: bytes into bytes. When this happens is the schedule's.

use crate::schedule::{EcPoint, Signature};

/// A signature as a faulty token gives it. `before` is the one that the session gave last.
pub(crate) fn signature(good: &[u8], before: &[u8], kind: Signature) -> Vec<u8> {
    let (r, s) = good.split_at(good.len() / 2);
    match kind {
        Signature::Wrong => {
            let mut bad = good.to_vec();
            if let Some(last) = bad.last_mut() {
                *last ^= 1;
            }
            bad
        }
        Signature::Stale if before.len() == good.len() => before.to_vec(),
        // There is none before the first: one that fits no message stands in for it.
        Signature::Stale => good.iter().rev().copied().collect(),
        Signature::Short => good[..good.len().saturating_sub(1)].to_vec(),
        Signature::Long => [good, &[0]].concat(),
        Signature::Der => sequence(&[integer(r), integer(s)].concat()),
        // Most signatures have no leading zero: then a byte is taken that would have to be one.
        Signature::Trimmed => match (trimmed(r), trimmed(s)) {
            (short_r, short_s) if short_r.len() + short_s.len() < good.len() => [short_r, short_s].concat(),
            _ => good[1..].to_vec(),
        },
    }
}

/// A public point in another form than the DER OCTET STRING that it came as.
pub(crate) fn ec_point(octet_string: &[u8], form: EcPoint) -> Vec<u8> {
    let bare = match octet_string {
        [0x04, length, rest @ ..] if usize::from(*length) == rest.len() => rest,
        other => other,
    };
    match form {
        EcPoint::Raw => bare.to_vec(),
        EcPoint::BitString => [&[0x03, byte(bare.len() + 1), 0][..], bare].concat(),
    }
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn integer(number: &[u8]) -> Vec<u8> {
    let number = trimmed(number);
    let sign: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) {
        &[0]
    } else {
        &[]
    };
    [&[0x02, byte(sign.len() + number.len())], sign, number].concat()
}

fn sequence(content: &[u8]) -> Vec<u8> {
    [&[0x30, byte(content.len())], content].concat()
}

/// Lengths here are below 128: DER's short form.
fn byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_differ_as_told() {
        let good: Vec<u8> = (0..64).collect();
        assert_eq!(signature(&good, &[], Signature::Short).len(), 63);
        assert_eq!(signature(&good, &[], Signature::Long).len(), 65);
        assert_eq!(signature(&good, &[], Signature::Trimmed).len(), 63);
        assert_eq!(signature(&good, &[9; 64], Signature::Stale), [9; 64]);
        assert_ne!(signature(&good, &[], Signature::Stale), good);
        let der = signature(&good, &[], Signature::Der);
        assert_eq!(der[..5], [0x30, 67, 0x02, 31, 1]);
    }

    #[test]
    fn points_change_their_form() {
        let der = [&[0x04, 3, 0x04][..], &[1, 2]].concat();
        assert_eq!(ec_point(&der, EcPoint::Raw), [0x04, 1, 2]);
        assert_eq!(ec_point(&der, EcPoint::BitString), [0x03, 4, 0, 0x04, 1, 2]);
    }
}
