//! A PIN's way into a child process: through a pipe or socket, never as an argument or variable. Whether the other side may
//! have it is the caller's to know.

use std::io::{self, Read, Write};

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::{LIMIT, Pin, secret};

/// Writes the PIN: its length in two bytes, then its text, straight from where it is kept. Nothing is buffered here, and
/// `to` should not be a buffer either.
///
/// # Errors
/// Those of writing; [`io::ErrorKind::InvalidInput`] for more than a PIN can have.
pub fn hand_over_pin(pin: &Pin, to: &mut impl Write) -> io::Result<()> {
    let text = pin.expose_secret().as_bytes();
    let length = u16::try_from(text.len()).ok().filter(|_| text.len() <= LIMIT);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a PIN of more than 256 bytes"))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(text)
}

/// Reads what [`hand_over_pin`] wrote, and not a byte more.
///
/// # Errors
/// Those of reading; [`io::ErrorKind::InvalidData`] for what is no PIN.
pub fn take_over_pin(from: &mut impl Read) -> io::Result<Pin> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "what came is no PIN");
    let mut length = [0; 2];
    from.read_exact(&mut length)?;
    let mut buffer = Zeroizing::new([0; LIMIT]);
    let room = buffer.get_mut(..usize::from(u16::from_be_bytes(length)));
    let room = room.ok_or_else(invalid)?;
    from.read_exact(room)?;
    std::str::from_utf8(room).map(secret).map_err(|_| invalid())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn a_pin_arrives_whole_and_alone() {
        let mut wire = Vec::new();
        hand_over_pin(&secret("12\n34"), &mut wire).unwrap();
        wire.extend(b"next");
        let mut from = &wire[..];
        assert_eq!(take_over_pin(&mut from).unwrap().expose_secret(), "12\n34");
        assert_eq!(from, b"next");
        assert!(take_over_pin(&mut &wire[..4]).is_err());
        assert!(take_over_pin(&mut &[0xff; 9][..]).is_err());
        assert!(hand_over_pin(&secret(&"1".repeat(LIMIT + 1)), &mut Vec::new()).is_err());
    }
}
