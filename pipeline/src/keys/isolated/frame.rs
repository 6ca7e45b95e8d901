//! What passes between a run and its worker processes, as bytes: frames of a kind, a length and a body; the jobs of a batch
//! and a signature as bodies. Both sides are one program of one build: there is no version.

use std::io::{self, ErrorKind, Read, Write};

use dnssec_sign::KeyIndex;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// To the worker: the library to load, and tokens to look for.
    Start = 1,
    /// From it: what it found.
    Located,
    /// To it: token, keys and options; the PIN follows where there is one.
    Open,
    /// From it: it can sign.
    Ready,
    /// To it: jobs.
    Batch,
    /// From it: the signature of the next job.
    Signature,
    /// To it: no other token stands ready any more.
    LastOne,
    /// To it: another token stands ready again.
    NotAlone,
    /// To it: that was all, and it may take its time to leave.
    Done,
    /// From it: why it could not do what it was asked for.
    Failed,
}

const KINDS: [Kind; 10] = [
    Kind::Start,
    Kind::Located,
    Kind::Open,
    Kind::Ready,
    Kind::Batch,
    Kind::Signature,
    Kind::LastOne,
    Kind::NotAlone,
    Kind::Done,
    Kind::Failed,
];

/// A longer body is none of ours.
const LONGEST: usize = 1 << 30;

/// The head of a frame whose body has this length.
fn head(kind: Kind, length: usize) -> io::Result<[u8; 5]> {
    let length = u32::try_from(length).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok([kind as u8, a, b, c, d])
}

/// Writes a frame.
///
/// # Errors
/// Those of writing.
pub(super) fn write(to: &mut impl Write, kind: Kind, body: &[u8]) -> io::Result<()> {
    to.write_all(&head(kind, body.len())?)?;
    to.write_all(body)
}

/// Reads a frame into `body`; `None` when the other side has ended.
///
/// # Errors
/// Those of reading; [`ErrorKind::InvalidData`] for what is no frame.
pub(super) fn read(from: &mut impl Read, body: &mut Vec<u8>) -> io::Result<Option<Kind>> {
    let mut head = [0; 5];
    if let Err(error) = from.read_exact(&mut head) {
        return match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => Ok(None),
            _ => Err(error),
        };
    }
    let [kind, a, b, c, d] = head;
    let kind = KINDS.into_iter().find(|known| *known as u8 == kind);
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok();
    let (Some(kind), Some(length)) = (kind, length.filter(|length| *length <= LONGEST)) else {
        return Err(ErrorKind::InvalidData.into());
    };
    body.resize(length, 0);
    from.read_exact(body)?;
    Ok(Some(kind))
}

/// Adds a job to a batch's body.
pub(super) fn push_job(body: &mut Vec<u8>, key: KeyIndex, message: &[u8]) {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    body.extend(key.0.to_be_bytes());
    body.extend(length.to_be_bytes());
    body.extend(message);
}

/// The jobs of a batch's body; it ends early where the body is cut short.
pub(super) fn jobs(mut body: &[u8]) -> impl Iterator<Item = (KeyIndex, &[u8])> {
    std::iter::from_fn(move || {
        let (key, rest) = body.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (message, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        body = rest;
        Some((KeyIndex(u16::from_be_bytes(*key)), message))
    })
}

/// Writes a signature, and how many nanoseconds it took.
///
/// # Errors
/// Those of writing.
pub(super) fn write_signature(to: &mut impl Write, nanoseconds: u32, signature: &[u8]) -> io::Result<()> {
    to.write_all(&head(Kind::Signature, 4 + signature.len())?)?;
    to.write_all(&nanoseconds.to_be_bytes())?;
    to.write_all(signature)
}

/// A signature from its frame's body, and how many nanoseconds it took.
pub(super) fn signature(body: &[u8]) -> Option<(u32, &[u8])> {
    let (nanoseconds, signature) = body.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*nanoseconds), signature))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn frames_go_and_come() {
        let (mut wire, mut body) = (Vec::new(), Vec::new());
        push_job(&mut body, KeyIndex(3), b"one");
        push_job(&mut body, KeyIndex(4), b"");
        write(&mut wire, Kind::Batch, &body).unwrap();
        write_signature(&mut wire, 7, b"sig").unwrap();
        let mut from = &wire[..];
        assert_eq!(read(&mut from, &mut body).unwrap(), Some(Kind::Batch));
        let found: Vec<_> = jobs(&body).collect();
        assert_eq!(found, [(KeyIndex(3), &b"one"[..]), (KeyIndex(4), b"")]);
        assert_eq!(read(&mut from, &mut body).unwrap(), Some(Kind::Signature));
        assert_eq!(signature(&body), Some((7, &b"sig"[..])));
        assert_eq!(read(&mut from, &mut body).unwrap(), None);
    }

    #[test]
    fn what_is_cut_short_is_no_frame() {
        let mut wire = Vec::new();
        write(&mut wire, Kind::Ready, b"body").unwrap();
        let mut body = Vec::new();
        assert!(read(&mut &wire[..7], &mut body).is_err());
        assert!(read(&mut &[0xff; 5][..], &mut body).is_err());
        assert_eq!(jobs(&[0, 1, 0, 0, 0, 9, 1]).count(), 0);
    }
}
